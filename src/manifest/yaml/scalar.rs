//! What a YAML 1.1 scalar means to kubectl.
//!
//! Source: `resolve.go` of go.yaml.in/yaml/v2 v2.4.3 and `yaml.go` of sigs.k8s.io/yaml v1.6.0, with
//! Go's `strconv` behind them.

use serde_json::{Number, Value};

/// A scalar, before it becomes JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar {
    /// `null`, `~` or nothing.
    Null,
    /// A boolean; `legacy` if only YAML 1.1 takes it for one (`yes`, `off`, `n`, ...).
    Bool { value: bool, legacy: bool },
    /// An integer; `octal` if a leading zero made it base 8.
    Int { value: i64, octal: bool },
    /// An integer that only fits without a sign.
    Uint(u64),
    /// Anything else numeric, including `.inf` and `.nan`, which JSON does not have.
    Float(f64),
    /// A string: the text itself.
    Text,
}

impl Scalar {
    /// The tag that Go would name it by.
    fn tag(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool { .. } => "bool",
            Self::Int { .. } | Self::Uint(_) => "int",
            Self::Float(_) => "float",
            Self::Text => "str",
        }
    }

    /// The scalar as a JSON value; `text` is what was written. `None` for a number that JSON does
    /// not have.
    pub(crate) fn to_json(self, text: &str) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool { value, .. } => value.into(),
            Self::Int { value, .. } => value.into(),
            Self::Uint(value) => value.into(),
            Self::Float(value) => Value::Number(float(value)?),
            Self::Text => text.into(),
        })
    }

    /// The scalar as the name of a field, or why it can't be one.
    pub(crate) fn to_key(self, text: &str) -> Result<String, &'static str> {
        Ok(match self {
            Self::Null => return Err("null can't be the name of a field"),
            Self::Bool { value, .. } => value.to_string(),
            Self::Int { value, .. } => value.to_string(),
            Self::Uint(_) => return Err("a number this large can't be the name of a field"),
            Self::Float(value) => match go_float32(value) {
                infinite if infinite == "+Inf" => ".inf".to_owned(),
                infinite if infinite == "-Inf" => "-.inf".to_owned(),
                nan if nan == "NaN" => ".nan".to_owned(),
                digits => digits,
            },
            Self::Text => text.to_owned(),
        })
    }
}

/// Reads a plain scalar.
pub(crate) fn plain(text: &str) -> Scalar {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else {
        return Scalar::Null;
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Scalar::Float(f64::INFINITY),
            _ => dotted(text).map_or(Scalar::Text, Scalar::Float),
        },
        b'+' | b'-' => match text {
            "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
            _ => number(text),
        },
        b'0'..=b'9' => number(text),
        _ => Scalar::Text,
    }
}

/// Reads a scalar that carries one of the tags of YAML's core (`str`, `int`, ...; anything else is
/// ignored and leaves a string), or says what it is instead.
///
/// Go refuses a `!!timestamp` that is none; this does not look, since either way it is a string.
pub(crate) fn tagged(tag: &str, text: &str) -> Result<Scalar, &'static str> {
    let found = match tag {
        "bool" | "int" | "float" | "null" => plain(text),
        _ => return Ok(Scalar::Text),
    };
    match (tag, found) {
        #[allow(clippy::cast_precision_loss)] // Go does the same.
        ("float", Scalar::Int { value, .. }) => Ok(Scalar::Float(value as f64)),
        _ if found.tag() == tag => Ok(found),
        _ => Err(found.tag()),
    }
}

fn word(text: &str) -> Scalar {
    let (value, legacy) = match text {
        "true" | "True" | "TRUE" => (true, false),
        "false" | "False" | "FALSE" => (false, false),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => (true, true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => (false, true),
        "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        _ => return Scalar::Text,
    };
    Scalar::Bool { value, legacy }
}

/// A scalar that begins with a digit or a sign. Underscores may stand anywhere in it.
fn number(text: &str) -> Scalar {
    let stripped;
    let digits = if text.contains('_') {
        stripped = text.replace('_', "");
        stripped.as_str()
    } else {
        text
    };
    let (negative, unsigned) = match digits.as_bytes().first() {
        Some(b'-') => (true, &digits[1..]),
        Some(b'+') => (false, &digits[1..]),
        _ => (false, digits),
    };
    if let Some((magnitude, octal)) = integer(unsigned) {
        if negative && magnitude <= 1 << 63 {
            return Scalar::Int {
                value: 0_i64.wrapping_sub_unsigned(magnitude),
                octal,
            };
        }
        if !negative && let Ok(value) = i64::try_from(magnitude) {
            return Scalar::Int { value, octal };
        }
        if unsigned.len() == digits.len() {
            return Scalar::Uint(magnitude);
        }
    }
    if is_decimal(unsigned) {
        // An overflow is an error in Go, and the text stays a string.
        return match digits.parse::<f64>() {
            Ok(value) if value.is_finite() => Scalar::Float(value),
            _ => Scalar::Text,
        };
    }
    signed_binary(digits).map_or(Scalar::Text, |value| Scalar::Int {
        value,
        octal: false,
    })
}

/// Go's `ParseUint` with base 0, and whether a leading zero made it octal.
fn integer(digits: &str) -> Option<(u64, bool)> {
    let bytes = digits.as_bytes();
    let (base, rest, octal) = match bytes {
        [] => return None,
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..], false),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..], true),
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..], false),
        [b'0'] => return Some((0, false)),
        [b'0', ..] => (8, &digits[1..], true),
        _ => (10, digits, false),
    };
    // Rust would take a sign here, Go does not.
    if !rest.as_bytes().iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    u64::from_str_radix(rest, base)
        .ok()
        .map(|value| (value, octal))
}

/// `0b-1` and `0b+1`, which Go's reader lets through.
fn signed_binary(digits: &str) -> Option<i64> {
    let rest = digits.strip_prefix("0b")?;
    rest.starts_with(['-', '+'])
        .then(|| i64::from_str_radix(rest, 2).ok())
        .flatten()
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    mantissa
        && exponent.is_none_or(|exponent| {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !digits.is_empty() && all_digits(digits)
        })
}

/// A scalar that begins with a point: Go's `ParseFloat`, underscores between digits included.
fn dotted(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let separates = |at: usize| {
        bytes[at - 1].is_ascii_digit() && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
    };
    let underscores = (1..bytes.len()).filter(|at| bytes[*at] == b'_');
    if !underscores.into_iter().all(separates) {
        return None;
    }
    let digits = text.replace('_', "");
    let value = is_decimal(&digits)
        .then(|| digits.parse::<f64>().ok())
        .flatten()?;
    value.is_finite().then_some(value)
}

/// A float as Go's `encoding/json` writes it and a JSON reader reads it: a whole number below 1e21
/// has no fraction, so it is an integer, made of the shortest digits and zeros.
fn float(value: f64) -> Option<Number> {
    let written = || format!("{value}");
    if value.fract() == 0.0 && value.abs() < 1e21 {
        if let Ok(whole) = written().parse::<i64>() {
            return Some(whole.into());
        }
        if let Ok(whole) = written().parse::<u64>() {
            return Some(whole.into());
        }
    }
    Number::from_f64(value)
}

/// Go's `strconv.FormatFloat(value, 'g', -1, 32)`: the shortest digits that give the same 32-bit
/// float, with an exponent below 1e-4 and from 1e6 on.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn go_float32(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    // Rust gives the same shortest digits: "-1.5e-7".
    let shortest = format!("{value:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
