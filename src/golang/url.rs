//! `net/url.ParseRequestURI`: what may be the endpoint of an S3 store.
//!
//! It accepts an absolute path (`/x`), anything behind a scheme (`localhost:9000` has the scheme
//! `localhost`, `http:x` and `http://` are whole), and `*`. It refuses what has neither a scheme nor a
//! leading slash (`s3.example.com`, `10.0.0.1:9000`), control characters, and a port that is no number.
//! Nothing parts a fragment off: a `#` is part of the path. Source: `src/net/url/url.go` of Go 1.26,
//! with the defaults of a module that asks for Go 1.26, as Ramen's does: the host of `http` and `https`
//! has no more than one colon.
//!
//! One difference: Go keeps bytes in a host or a path that are not UTF-8 (`%ff`), and here they show
//! as U+FFFD.

use std::net::Ipv6Addr;

/// A URL as Go reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// The scheme in lower case, or nothing.
    pub scheme: String,
    /// What follows the scheme up to a question mark, if it does not begin with a slash. Host and
    /// path are empty then.
    pub opaque: String,
    /// The host with its port, unescaped, without a user's name and password.
    pub host: String,
    /// The path, unescaped.
    pub path: String,
}

/// Why Go can't read a URL. It displays as Go's own error, less what names the whole URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// There is nothing.
    #[error("empty url")]
    Empty,
    /// A character below a space, or a DEL.
    #[error("invalid control character in URL")]
    Control,
    /// It begins with a colon.
    #[error("missing protocol scheme")]
    Scheme,
    /// There is neither a scheme nor a leading slash.
    #[error("invalid URI for request")]
    Relative,
    /// A percent sign that hexadecimal digits don't follow, or that escapes what may not be escaped
    /// in a host.
    #[error("invalid URL escape {}", super::quote(.0))]
    Escape(String),
    /// A character that a host can't have.
    #[error("invalid character {} in host name", super::quote(&.0.to_string()))]
    HostCharacter(char),
    /// Square brackets in a host that have no IPv6 address between them.
    #[error("invalid host: {} is not an IPv6 address in brackets", super::quote(.0))]
    Brackets(String),
    /// What follows a host's colon is no number.
    #[error("invalid port {} after host", super::quote(.0))]
    Port(String),
    /// A character that a user's name and password can't have.
    #[error("invalid userinfo")]
    User,
}

/// The parts of a URL that escapes are read in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Host,
    /// What follows the address in brackets: `%25eth0`.
    Zone,
    User,
    Path,
}

/// Reads the URL of a request: an absolute URL or an absolute path.
///
/// # Errors
/// Whenever Go's `url.ParseRequestURI` gives one.
pub fn parse_request_uri(text: &str) -> Result<Url, UrlError> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(UrlError::Control);
    }
    if text.is_empty() {
        return Err(UrlError::Empty);
    }
    if text == "*" {
        return Ok(Url {
            path: text.to_owned(),
            ..Url::default()
        });
    }
    let (scheme, rest) = split_scheme(text)?;
    let mut url = Url {
        scheme: scheme.to_ascii_lowercase(),
        ..Url::default()
    };
    let rest = rest.split('?').next().unwrap_or_default();
    if !rest.starts_with('/') {
        if url.scheme.is_empty() {
            return Err(UrlError::Relative);
        }
        rest.clone_into(&mut url.opaque);
        return Ok(url);
    }
    let mut path = rest;
    if !url.scheme.is_empty()
        && let Some(rest) = rest.strip_prefix("//")
    {
        let (authority, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        url.host = authority_host(&url.scheme, authority)?;
        path = after;
    }
    url.path = unescape(path, Place::Path)?;
    Ok(url)
}

/// The scheme, empty if there is none, and what follows its colon.
fn split_scheme(text: &str) -> Result<(&str, &str), UrlError> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let end = text.bytes().position(|byte| !inner(byte));
    let Some((scheme, rest)) = end
        .and_then(|end| text.split_at_checked(end))
        .and_then(|(scheme, rest)| Some((scheme, rest.strip_prefix(':')?)))
    else {
        return Ok(("", text));
    };
    match scheme.bytes().next() {
        None => Err(UrlError::Scheme),
        Some(first) if first.is_ascii_alphabetic() => Ok((scheme, rest)),
        Some(_) => Ok(("", text)),
    }
}

/// The host and port of `user:password@host:port`.
fn authority_host(scheme: &str, authority: &str) -> Result<String, UrlError> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let host = read_host(scheme, host)?;
    if let Some(user) = user {
        let legal =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
        if !user.bytes().all(legal) {
            return Err(UrlError::User);
        }
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        unescape(name, Place::User)?;
        unescape(password, Place::User)?;
    }
    Ok(host)
}

fn read_host(scheme: &str, host: &str) -> Result<String, UrlError> {
    match host.rfind('[') {
        Some(0) => return read_brackets(host),
        Some(_) => return Err(UrlError::Brackets(host.to_owned())),
        None => {}
    }
    let colon = if matches!(scheme, "http" | "https") {
        host.find(':')
    } else {
        // Lists of hosts, as databases have them.
        host.rfind(':')
    };
    if let Some(colon) = colon {
        check_port(&host[colon..])?;
    }
    unescape(host, Place::Host)
}

/// `[address]:port`, the address with or without a zone.
fn read_brackets(host: &str) -> Result<String, UrlError> {
    let wrong = || UrlError::Brackets(host.to_owned());
    let (inside, port) = host[1..].rsplit_once(']').ok_or_else(wrong)?;
    check_port(port)?;
    let (address, zone) = inside.split_at(inside.find("%25").unwrap_or(inside.len()));
    let address = unescape(address, Place::Host)?;
    let zone = unescape(zone, Place::Zone)?;
    if address.parse::<Ipv6Addr>().is_err() || zone == "%" {
        return Err(wrong());
    }
    Ok(format!("[{address}{zone}]{port}"))
}

/// Nothing, or a colon and any number of digits.
fn check_port(text: &str) -> Result<(), UrlError> {
    match text.strip_prefix(':') {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
        None if text.is_empty() => Ok(()),
        _ => Err(UrlError::Port(text.to_owned())),
    }
}

fn unescape(text: &str, place: Place) -> Result<String, UrlError> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '%' {
            // At most three bytes, of which the last may be cut: Go shows them as they are.
            let shown = || UrlError::Escape(rest.chars().take(3).collect());
            let byte = escaped(rest.as_bytes()).ok_or_else(shown)?;
            if !may_escape(byte, place) {
                return Err(shown());
            }
            out.push(byte);
            rest = &rest[3..];
            continue;
        }
        if matches!(place, Place::Host | Place::Zone) && c.is_ascii() && !in_host(c) {
            return Err(UrlError::HostCharacter(c));
        }
        let (same, after) = rest.split_at(c.len_utf8());
        out.extend(same.bytes());
        rest = after;
    }
    Ok(String::from_utf8(out)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// The byte that `%xx` at the beginning stands for.
fn escaped(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()
}

fn may_escape(byte: u8, place: Place) -> bool {
    match place {
        Place::Host => byte >= 0x80 || byte == b'%',
        Place::Zone => matches!(byte, b'%' | b' ') || in_host(char::from(byte)),
        Place::User | Place::Path => true,
    }
}

fn in_host(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!$&'()*+,;=:[]<>\"-_.~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        // Scheme, opaque part, host, path.
        for (text, expected) in [
            ("http://", ["http", "", "", ""]),
            ("http:", ["http", "", "", ""]),
            ("*", ["", "", "", "*"]),
            ("/foo", ["", "", "", "/foo"]),
            ("//foo", ["", "", "", "//foo"]),
            ("/a#b", ["", "", "", "/a#b"]),
            ("/a?b%zz", ["", "", "", "/a"]),
            (
                "minio.default.svc:9000",
                ["minio.default.svc", "9000", "", ""],
            ),
            ("localhost:9000/x?y", ["localhost", "9000/x", "", ""]),
            (
                "HTTPS://S3.Example.com:443/a%20b",
                ["https", "", "S3.Example.com:443", "/a b"],
            ),
            ("http:/a", ["http", "", "", "/a"]),
            ("http:///a", ["http", "", "", "/a"]),
            ("http://u:p@h:1/", ["http", "", "h:1", "/"]),
            ("http://u@p@h", ["http", "", "h", ""]),
            ("http://h:", ["http", "", "h:", ""]),
            ("http://h:99999999", ["http", "", "h:99999999", ""]),
            ("http://[::1]:80/", ["http", "", "[::1]:80", "/"]),
            ("http://[fe80::1%25en0]", ["http", "", "[fe80::1%en0]", ""]),
            (
                "http://[fe80::1%25%65%6e0%20]",
                ["http", "", "[fe80::1%en0 ]", ""],
            ),
            ("http://%e4%b8%96/", ["http", "", "\u{4e16}", "/"]),
            ("http://%25/", ["http", "", "%", "/"]),
            ("http://\u{e9}/", ["http", "", "\u{e9}", "/"]),
            ("x://a:1,b:2", ["x", "", "a:1,b:2", ""]),
            ("http://a<b>\"c", ["http", "", "a<b>\"c", ""]),
            ("http://h/ ", ["http", "", "h", "/ "]),
            ("http://h]", ["http", "", "h]", ""]),
        ] {
            let read =
                parse_request_uri(text).map(|url| [url.scheme, url.opaque, url.host, url.path]);
            assert_eq!(read, Ok(expected.map(str::to_owned)), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "",
            "s3.example.com",
            "192.168.1.1:9000",
            "10.0.0.1",
            ":80",
            "://x",
            "1http://x",
            "foo_bar://x",
            " http://x",
            "http://x\n",
            "http://\u{7f}",
            "http://a b",
            "http://a:b",
            "http://a:1:2",
            "http://a:-1",
            "http://::1",
            "http://[::1",
            "http://a[::1]",
            "http://[::1]a",
            "http://[1.2.3.4]",
            "http://[a]",
            "http://[::1%]",
            "http://[::1%25]",
            "http://[::1%25%2f]",
            "http://[]",
            "http://%41/",
            "http://%zz/",
            "http://h/%",
            "http://h/%4",
            "http://h/%4\u{e9}",
            "/%zz",
            "http://u%zz@h",
            "http://u[@h",
            "http://\u{e9}@h",
            "http://a^b",
            "http://a\\b",
            "?x",
            "#x",
            "\u{e9}:x",
        ] {
            assert!(parse_request_uri(text).is_err(), "{text:?}");
        }
    }
}
