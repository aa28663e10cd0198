//! Go's `time.ParseDuration`.
//!
//! The grammar is `[-+]?([0-9]*(\.[0-9]*)?unit)+` with the units of [`UNITS`], or a bare `0`. There
//! is no day, no week and no space: `1d` is an error, which kube-apiserver's `format: duration`
//! accepts. Source: `src/time/format.go` of Go 1.26.

/// The units that Go knows, in nanoseconds. Both letters that look like a micro sign count.
pub const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The size of the smallest duration, which has no positive counterpart.
const LIMIT: u64 = 1 << 63;

/// Why Go can't read a duration. It displays as Go's own error, without the leading
/// `time: ` and with fewer escapes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not of the form, or more than 292 years.
    #[error("invalid duration {}", super::quote(.0))]
    Invalid(String),
    /// A number without a unit.
    #[error("missing unit in duration {}", super::quote(.0))]
    MissingUnit(String),
    /// A unit that Go does not know, such as `d`.
    #[error("unknown unit {} in duration {}", super::quote(.unit), super::quote(.text))]
    UnknownUnit {
        /// What stands where a unit should.
        unit: String,
        /// The whole text.
        text: String,
    },
}

/// Reads a duration, in nanoseconds.
///
/// # Errors
/// Whenever Go's `time.ParseDuration` gives one: nothing but the grammar above, no more than an
/// `i64` holds.
pub fn parse(text: &str) -> Result<i64, DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (value, after) = part(rest, text)?;
        // Go adds without a look at the carry: two halves of -2^64 make 0.
        total = total.wrapping_add(value);
        if total > LIMIT {
            return Err(invalid());
        }
        rest = after;
    }
    match (i64::try_from(total), negative) {
        (Ok(value), false) => Ok(value),
        (Ok(value), true) => Ok(-value),
        (Err(_), true) => Ok(i64::MIN),
        (Err(_), false) => Err(invalid()),
    }
}

/// Reads one number and its unit from the start of `rest`; gives nanoseconds and what follows.
fn part<'a>(rest: &'a str, text: &str) -> Result<(u64, &'a str), DurationError> {
    let invalid = || DurationError::Invalid(text.to_owned());
    let (digits, after) = split_digits(rest);
    let (fraction, after) = match after.strip_prefix('.') {
        Some(after) => split_digits(after),
        None => ("", after),
    };
    if digits.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let whole = digits
        .bytes()
        .try_fold(0_u64, |sum, digit| {
            sum.checked_mul(10)?
                .checked_add(u64::from(digit - b'0'))
                .filter(|sum| *sum <= LIMIT)
        })
        .ok_or_else(invalid)?;

    let end = after
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(after.len());
    let (name, after) = after.split_at(end);
    if name.is_empty() {
        return Err(DurationError::MissingUnit(text.to_owned()));
    }
    let Some((_, unit)) = UNITS.iter().find(|(known, _)| *known == name) else {
        return Err(DurationError::UnknownUnit {
            unit: name.to_owned(),
            text: text.to_owned(),
        });
    };
    if whole > LIMIT / unit {
        return Err(invalid());
    }
    let value = whole * unit + nanoseconds(fraction, *unit);
    if value > LIMIT {
        Err(invalid())
    } else {
        Ok((value, after))
    }
}

/// What the digits behind the point are worth. Go rounds through floating point; so does this.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
fn nanoseconds(fraction: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0_u64, 1_f64);
    for digit in fraction.bytes() {
        // Digits beyond what an integer holds are read and do not count.
        if value > (LIMIT - 1) / 10 {
            break;
        }
        let next = value * 10 + u64::from(digit - b'0');
        if next > LIMIT {
            break;
        }
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

/// The ASCII digits that a text begins with, and the rest of it.
fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Go 1.26 makes of each text, in nanoseconds.
    const READ: &[(&str, i64)] = &[
        ("0", 0),
        ("+0", 0),
        ("-0", 0),
        ("5s", 5_000_000_000),
        ("30s", 30_000_000_000),
        ("1478s", 1_478_000_000_000),
        ("-5s", -5_000_000_000),
        ("+5s", 5_000_000_000),
        ("5.0s", 5_000_000_000),
        ("5.6s", 5_600_000_000),
        ("5.s", 5_000_000_000),
        (".5s", 500_000_000),
        ("1.0s", 1_000_000_000),
        ("1.00s", 1_000_000_000),
        ("1.004s", 1_004_000_000),
        ("1.0040s", 1_004_000_000),
        ("100.00100s", 100_001_000_000),
        ("10ns", 10),
        ("11us", 11_000),
        ("12\u{b5}s", 12_000),
        ("12\u{3bc}s", 12_000),
        ("13ms", 13_000_000),
        ("14s", 14_000_000_000),
        ("15m", 900_000_000_000),
        ("16h", 57_600_000_000_000),
        ("3h30m", 12_600_000_000_000),
        ("10.5s4m", 250_500_000_000),
        ("-2m3.4s", -123_400_000_000),
        ("1h2m3s4ms5us6ns", 3_723_004_005_006),
        ("39h9m14.425s", 140_954_425_000_000),
        ("52763797000ns", 52_763_797_000),
        ("0.3333333333333333333h", 1_200_000_000_000),
        ("9007199254740993ns", 9_007_199_254_740_993),
        ("9223372036854775807ns", 9_223_372_036_854_775_807),
        ("9223372036854775.807us", 9_223_372_036_854_775_807),
        ("9223372036s854ms775us807ns", 9_223_372_036_854_775_807),
        ("-9223372036854775808ns", i64::MIN),
        ("-9223372036854775.808us", i64::MIN),
        ("-9223372036s854ms775us808ns", i64::MIN),
        ("2562047h", 9_223_369_200_000_000_000),
        ("153722867m", 9_223_372_020_000_000_000),
        ("0.100000000000000000000h", 360_000_000_000),
        ("0.830103483285477580700h", 2_988_372_539_827),
        ("00m", 0),
        ("0h", 0),
        ("1.5h", 5_400_000_000_000),
        ("5\u{b5}s", 5_000),
        ("922337203685477580.7ns", 922_337_203_685_477_580),
        ("-9223372036854775808.9ns", i64::MIN),
        ("-9223372036854775808ns9223372036854775808ns", 0),
    ];

    /// What Go 1.26 refuses.
    const REFUSED: &[&str] = &[
        "",
        "+",
        "-",
        "1",
        ".s",
        "-.s",
        "1d",
        "1w",
        "2 weeks",
        "5 m",
        "5M",
        "1H",
        " 5m",
        "5m ",
        "9223372036854775808ns",
        "-9223372036854775809ns",
        "2562048h",
        "153722868m",
        "9999999h",
        "1.1.1s",
        "1e3s",
        "0x10s",
        "1_000s",
        "1h-5m",
        "1h+5m",
        "1hm",
        "h",
        "--5m",
        "+-5m",
        "5min",
        "1 hour",
        "5m\n",
        "5mh",
        "3000000h",
        "18446744073709551616ns",
        "9223372036854775808.0ns",
        "1\"\\s",
        "1\u{e9}",
        "9223372036854775807ns1ns",
    ];

    #[test]
    fn reads_what_go_reads() {
        for (text, nanoseconds) in READ {
            assert_eq!(parse(text), Ok(*nanoseconds), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in REFUSED {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn says_what_go_says() {
        let said = |text| parse(text).map_err(|error| error.to_string());
        assert_eq!(
            said("1d"),
            Err("unknown unit \"d\" in duration \"1d\"".to_owned())
        );
        assert_eq!(said("1"), Err("missing unit in duration \"1\"".to_owned()));
        assert_eq!(said(""), Err("invalid duration \"\"".to_owned()));
    }

    proptest! {
        #[test]
        fn never_panics(text in ".*") {
            let _ = parse(&text);
        }

        #[test]
        fn never_panics_on_what_looks_like_one(text in "[-+]?([0-9]{0,20}(\\.[0-9]{0,20})?(h|m|s|ms|us|ns|d| )){0,4}") {
            let _ = parse(&text);
        }

        #[test]
        fn whole_seconds_are_exact(seconds in -9_223_372_036_i64..=9_223_372_036) {
            prop_assert_eq!(parse(&format!("{seconds}s")), Ok(seconds * 1_000_000_000));
        }
    }
}
