//! The names of Kubernetes: labels and subdomains of RFC 1123, qualified names, label values.
//!
//! Source: `k8s.io/apimachinery/pkg/util/validation/validation.go` and `api/validate/content` of
//! v0.36. All of them are about ASCII; lengths are in bytes.

/// What is wrong with a name. It displays as a clause that can follow the quoted name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is nothing.
    #[error("must not be empty")]
    Empty,
    /// More bytes than may be.
    #[error("must be no more than {0} bytes")]
    TooLong(usize),
    /// A character that may not be there, or not at that place.
    #[error("{0}")]
    Form(&'static str),
}

/// The longest label, qualified name (without its prefix) and label value.
pub const LABEL_MAX: usize = 63;
/// The longest subdomain.
pub const SUBDOMAIN_MAX: usize = 253;

const LABEL: &str =
    "must consist of lower case letters, digits and '-', and begin and end with a letter or digit";
const SUBDOMAIN: &str = "must consist of lower case letters, digits, '-' and '.', and each part must begin and end with a letter or digit";
const QUALIFIED: &str =
    "must consist of letters, digits, '-', '_' and '.', and begin and end with a letter or digit";
const PREFIX: &str = "must have a DNS subdomain in front of its '/'";
const SLASHES: &str = "must have at most one '/'";

/// Checks a label of RFC 1123, such as the name of a namespace.
///
/// # Errors
/// When `IsDNS1123Label` gives one: not `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, or more than 63 bytes.
pub fn dns_label(name: &str) -> Result<(), NameError> {
    bounded(name, LABEL_MAX)?;
    if is_label(name) {
        Ok(())
    } else {
        Err(NameError::Form(LABEL))
    }
}

/// Checks a subdomain of RFC 1123, such as the name of most objects: labels joined by dots.
///
/// # Errors
/// When `IsDNS1123Subdomain` gives one. The parts have no length limit of their own, the whole has
/// 253 bytes.
pub fn dns_subdomain(name: &str) -> Result<(), NameError> {
    bounded(name, SUBDOMAIN_MAX)?;
    if name.split('.').all(is_label) {
        Ok(())
    } else {
        Err(NameError::Form(SUBDOMAIN))
    }
}

/// Checks a qualified name, such as the key of a label or an annotation: `name` or `prefix/name`.
///
/// # Errors
/// When `IsQualifiedName` gives one: the prefix is no subdomain, or the name is empty, longer than
/// 63 bytes or not `([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]`.
pub fn qualified_name(name: &str) -> Result<(), NameError> {
    let name = match name.split_once('/') {
        None => name,
        Some((_, name)) if name.contains('/') => return Err(NameError::Form(SLASHES)),
        Some((prefix, name)) => {
            dns_subdomain(prefix).map_err(|error| match error {
                NameError::TooLong(_) => error,
                NameError::Empty | NameError::Form(_) => NameError::Form(PREFIX),
            })?;
            name
        }
    };
    bounded(name, LABEL_MAX)?;
    if is_qualified(name) {
        Ok(())
    } else {
        Err(NameError::Form(QUALIFIED))
    }
}

/// Checks the value of a label, which may be empty.
///
/// # Errors
/// When `IsValidLabelValue` gives one.
pub fn label_value(value: &str) -> Result<(), NameError> {
    if value.is_empty() {
        return Ok(());
    }
    bounded(value, LABEL_MAX)?;
    if is_qualified(value) {
        Ok(())
    } else {
        Err(NameError::Form(QUALIFIED))
    }
}

fn bounded(name: &str, max: usize) -> Result<(), NameError> {
    match name.len() {
        0 => Err(NameError::Empty),
        length if length > max => Err(NameError::TooLong(max)),
        _ => Ok(()),
    }
}

fn is_label(text: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    framed(text, alphanumeric, |byte| *byte == b'-')
}

fn is_qualified(text: &str) -> bool {
    framed(text, u8::is_ascii_alphanumeric, |byte| {
        matches!(byte, b'-' | b'_' | b'.')
    })
}

/// Whether a text consists of `edge` and `inner` bytes, and begins and ends with an `edge`.
fn framed(text: &str, edge: impl Fn(&u8) -> bool, inner: impl Fn(&u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(&edge)
        && bytes.last().is_some_and(&edge)
        && bytes.iter().all(|byte| edge(byte) || inner(byte))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What apimachinery v0.36 makes of each text: label, subdomain, qualified name, label value.
    const JUDGED: &[(&str, [bool; 4])] = &[
        ("", [false, false, false, true]),
        ("a", [true, true, true, true]),
        ("A", [false, false, true, true]),
        ("0", [true, true, true, true]),
        ("-", [false, false, false, false]),
        ("a-", [false, false, false, false]),
        ("-a", [false, false, false, false]),
        ("a-b", [true, true, true, true]),
        ("a.b", [false, true, true, true]),
        ("a..b", [false, false, true, true]),
        (".a", [false, false, false, false]),
        ("a.", [false, false, false, false]),
        ("a_b", [false, false, true, true]),
        ("a/b", [false, false, true, false]),
        ("a/b/c", [false, false, false, false]),
        ("/b", [false, false, false, false]),
        ("a/", [false, false, false, false]),
        ("A/b", [false, false, false, false]),
        ("a.b/C_d.e", [false, false, true, false]),
        ("a/B", [false, false, true, false]),
        ("a b", [false, false, false, false]),
        ("\u{e9}", [false, false, false, false]),
        ("app.kubernetes.io/name", [false, false, true, false]),
        ("busybox-drpc", [true, true, true, true]),
        ("kubernetes.io/hostname/", [false, false, false, false]),
        ("a\n", [false, false, false, false]),
    ];

    fn judge(text: &str) -> [bool; 4] {
        [dns_label, dns_subdomain, qualified_name, label_value].map(|check| check(text).is_ok())
    }

    #[test]
    fn judges_as_kubernetes_does() {
        for (text, expected) in JUDGED {
            assert_eq!(judge(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn judges_lengths_as_kubernetes_does() {
        let [a63, a64, a253, a254] = [63, 64, 253, 254].map(|count| "a".repeat(count));
        assert_eq!(judge(&a63), [true; 4]);
        assert_eq!(judge(&a64), [false, true, false, false]);
        assert_eq!(judge(&a253), [false, true, false, false]);
        assert_eq!(judge(&a254), [false; 4]);
        assert_eq!(judge(&format!("{a253}/{a63}")), [false, false, true, false]);
        assert_eq!(judge(&format!("{a254}/b")), [false; 4]);
        assert_eq!(judge(&format!("b/{a64}")), [false; 4]);
    }

    #[test]
    fn says_what_would_be_right() {
        assert_eq!(dns_label("").unwrap_err().to_string(), "must not be empty");
        assert_eq!(
            dns_label(&"a".repeat(64)).unwrap_err().to_string(),
            "must be no more than 63 bytes"
        );
        assert_eq!(qualified_name("A_/b").unwrap_err(), NameError::Form(PREFIX));
        assert_eq!(qualified_name("/b").unwrap_err(), NameError::Form(PREFIX));
        assert_eq!(
            qualified_name("a/b/c").unwrap_err(),
            NameError::Form(SLASHES)
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in ".*") {
            judge(&text);
        }

        #[test]
        fn a_label_is_all_of_them(text in "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?") {
            prop_assert_eq!(judge(&text), [true; 4]);
        }
    }
}
