//! The formats that kube-apiserver knows.
//!
//! Source: `pkg/validation/strfmt` of k8s.io/kube-openapi, and which of them a CRD may use from
//! `pkg/apiserver/validation/formats.go` of k8s.io/apiextensions-apiserver.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use regex::Regex;

use super::compile::Types;
use crate::golang::{duration, names, url};

/// A format, and how a CRD spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) name: Box<str>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int32,
    /// `int64`, `float`, `double`: what a JSON reader checks anyway.
    Number,
    DateTime,
    Date,
    Duration,
    Byte,
    Ipv4,
    Ipv6,
    Cidr,
    /// Any, or of one version.
    Uuid(Option<u8>),
    Uri,
    Email,
    Hostname,
    Mac,
    ObjectId,
    ShortName,
    LongName,
    /// Known to kube-apiserver; anything passes here.
    Unchecked,
}

impl Format {
    /// The format of a value of these types; `None` where kube-apiserver ignores it.
    pub(super) fn new(name: &str, types: &Types) -> Option<Self> {
        let kind = match types.single() {
            Some("integer") => match name {
                "int32" => Kind::Int32,
                "int64" => Kind::Number,
                _ => return None,
            },
            Some("number") if matches!(name, "float" | "double") => Kind::Number,
            Some("string") => of_string(name)?,
            None if types.is_any() => of_string(name)?,
            _ => return None,
        };
        Some(Self {
            name: name.into(),
            kind,
        })
    }

    /// Whether a string is of the format.
    pub(super) fn accepts(&self, text: &str) -> bool {
        match self.kind {
            Kind::DateTime => is_date_time(text),
            Kind::Date => is_date(text),
            Kind::Duration => is_duration(text),
            Kind::Byte => is_base64(text),
            Kind::Ipv4 => sloppy_ip(text).is_some() && text.contains('.'),
            Kind::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
            Kind::Cidr => is_cidr(text),
            Kind::Uuid(version) => is_uuid(text, version),
            Kind::Uri => url::parse_request_uri(text).is_ok(),
            Kind::Email => is_email(text),
            Kind::Hostname => is_hostname(text),
            Kind::Mac => is_mac(text),
            Kind::ObjectId => text.len() == 24 && is_hexadecimal(text),
            Kind::ShortName => names::dns_label(text).is_ok(),
            Kind::LongName => names::dns_subdomain(text).is_ok(),
            Kind::Int32 | Kind::Number | Kind::Unchecked => true,
        }
    }

    /// Whether an integer fits.
    pub(super) fn accepts_integer(&self, value: i64) -> bool {
        self.kind != Kind::Int32 || i32::try_from(value).is_ok()
    }
}

fn of_string(name: &str) -> Option<Kind> {
    Some(match &*name.replace('-', "") {
        "datetime" => Kind::DateTime,
        "date" => Kind::Date,
        "duration" => Kind::Duration,
        "byte" => Kind::Byte,
        "ipv4" => Kind::Ipv4,
        "ipv6" => Kind::Ipv6,
        "cidr" => Kind::Cidr,
        "uuid" => Kind::Uuid(None),
        "uuid3" => Kind::Uuid(Some(b'3')),
        "uuid4" => Kind::Uuid(Some(b'4')),
        "uuid5" => Kind::Uuid(Some(b'5')),
        "uri" => Kind::Uri,
        "email" => Kind::Email,
        "hostname" => Kind::Hostname,
        "mac" => Kind::Mac,
        "bsonobjectid" => Kind::ObjectId,
        "k8sshortname" => Kind::ShortName,
        "k8slongname" => Kind::LongName,
        "isbn" | "isbn10" | "isbn13" | "creditcard" | "ssn" | "hexcolor" | "rgbcolor"
        | "password" => Kind::Unchecked,
        _ => return None,
    })
}

/// Go's durations, and those of Scala: any text that has a number and a unit somewhere, days and
/// weeks among them. So `1d` passes, which Ramen can't read.
pub(super) fn is_duration(text: &str) -> bool {
    if duration::parse(text).is_ok() {
        return true;
    }
    let mut found = false;
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = &rest[at..];
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let after = after.trim_start_matches(['\t', '\n', '\u{c}', '\r', ' ']);
        let end = after
            .find(|c: char| !c.is_ascii_alphabetic() && c != '\u{b5}')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if !unit.is_empty() {
            if number.parse::<i64>().is_err() {
                return false;
            }
            found |= is_unit(&unit.to_lowercase());
        }
        rest = after;
    }
    found
}

/// A unit: of the last spelling of each, the beginning is enough.
fn is_unit(unit: &str) -> bool {
    const EXACT: [&str; 11] = [
        "ns", "us", "\u{b5}s", "ms", "s", "m", "h", "hr", "d", "w", "wk",
    ];
    const BEGINS: [&str; 8] = [
        "nano", "micro", "milli", "sec", "min", "hour", "day", "week",
    ];
    EXACT.contains(&unit) || BEGINS.iter().any(|begin| unit.starts_with(begin))
}

fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else {
        return false;
    };
    is_date(date) && TIME.as_ref().is_some_and(|pattern| pattern.is_match(time))
}

/// The time of a date-time, in lower case. The point of a fraction may be any character.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let time = "^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})$";
    Regex::new(time).ok()
});

fn is_date(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse::<u32>().ok())?
    };
    let dashes = text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    text.len() == 10 && dashes && (1..=days).contains(&day)
}

/// Standard base64 with padding, and at least one group of it.
fn is_base64(text: &str) -> bool {
    let data = text.trim_end_matches('=');
    let padding = text.len() - data.len();
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && padding <= 2
        && data
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// An address whose octets may have leading zeros, as Go read them before 1.17.
fn sloppy_ip(text: &str) -> Option<IpAddr> {
    let octet = |octet: &str| {
        let digits = octet.bytes().all(|byte| byte.is_ascii_digit());
        (digits && !octet.is_empty()).then(|| octet.parse::<u8>().ok())?
    };
    let octets: Option<Vec<u8>> = text.split('.').map(octet).collect();
    match octets.as_deref() {
        Some([a, b, c, d]) => Some(IpAddr::V4(Ipv4Addr::new(*a, *b, *c, *d))),
        _ => text.parse().ok(),
    }
}

fn is_cidr(text: &str) -> bool {
    let Some((address, prefix)) = text.split_once('/') else {
        return false;
    };
    let bits = match sloppy_ip(address) {
        Some(IpAddr::V4(_)) => 32,
        Some(IpAddr::V6(_)) => 128,
        None => return false,
    };
    prefix.bytes().all(|byte| byte.is_ascii_digit())
        && prefix.parse::<u32>().is_ok_and(|prefix| prefix <= bits)
}

/// 8-4-4-4-12 hexadecimal digits; each dash may be left out. The version, if one is asked for, is the
/// first digit of the third group, and says of 4 and 5 how the fourth begins.
fn is_uuid(text: &str, version: Option<u8>) -> bool {
    let mut rest = text;
    let mut groups = Vec::new();
    for (at, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        match rest.split_at_checked(length) {
            Some((digits, after)) if is_hexadecimal(digits) => {
                groups.push(digits.as_bytes());
                rest = after;
            }
            _ => return false,
        }
    }
    let is_version = |version: u8| {
        let variant =
            version == b'3' || matches!(groups[3][0], b'8' | b'9' | b'a'..=b'b' | b'A'..=b'B');
        groups[2][0] == version && variant
    };
    rest.is_empty() && version.is_none_or(is_version)
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An address as mail knows it, with or without a name in front. Less strict than Go's reader: what is
/// refused here is refused there.
fn is_email(text: &str) -> bool {
    let address = match text.trim().strip_suffix('>') {
        Some(named) => named.rsplit_once('<').map_or("", |(_, address)| address),
        None => text.trim(),
    };
    address
        .rsplit_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains(' '))
}

/// A name of one part, or several with a last one of letters. Letters and symbols of any script count.
static HOSTNAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let any = r"a-zA-Z0-9\p{S}\p{L}";
    let one = format!(r"[{any}](-?[{any}]{{0,62}})?");
    let part = format!(r"[{any}]([{any}-]{{0,61}}[{any}])?\.");
    Regex::new(&format!(r"^(?:{one}|(?:{part})+[a-zA-Z\p{{L}}]{{2,63}})$")).ok()
});

fn is_hostname(text: &str) -> bool {
    HOSTNAME
        .as_ref()
        .is_none_or(|pattern| pattern.is_match(text))
        && text.len() <= 255
        && text.split('.').all(|part| part.len() <= 63)
}

/// 6, 8 or 20 bytes: in pairs of digits behind colons or dashes, or in fours behind dots.
fn is_mac(text: &str) -> bool {
    let parts = |separator: char, digits: usize| {
        let mut parts = 0;
        let fit = text.split(separator).all(|part| {
            parts += 1;
            part.len() == digits && is_hexadecimal(part)
        });
        if fit { parts * digits / 2 } else { 0 }
    };
    let bytes = match text.find([':', '-', '.']) {
        Some(at) if text.as_bytes()[at] == b'.' => parts('.', 4),
        Some(at) => parts(char::from(text.as_bytes()[at]), 2),
        None => 0,
    };
    matches!(bytes, 6 | 8 | 20)
}
