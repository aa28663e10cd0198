//! Which texts are numbers for Go's `strconv.ParseFloat`.

/// Whether Go reads a text as a floating point number that fits.
///
/// There may be underscores between digits, as in Go's own source, and hexadecimal numbers with a power
/// of two. Of these, one that is too large for 64 bits is taken too, which Go does not.
pub(super) fn is_float(text: &str) -> bool {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    let word = ["inf", "infinity"]
        .iter()
        .any(|word| number.eq_ignore_ascii_case(word));
    if word || text.eq_ignore_ascii_case("nan") {
        return true;
    }
    let bytes = number.as_bytes();
    let hex = matches!(bytes, [b'0', b'x' | b'X', ..]);
    let sound = if hex {
        has_form(&bytes[2..], u8::is_ascii_hexdigit, b'p')
    } else {
        has_form(bytes, u8::is_ascii_digit, b'e')
    };
    if !sound || !underscores_are_between_digits(bytes, hex) {
        return false;
    }
    // What is too large reads as infinite.
    hex || number
        .replace('_', "")
        .parse()
        .is_ok_and(|value: f64| value.is_finite())
}

/// Digits, at most one point among them, and an exponent, which a hexadecimal number must have.
fn has_form(bytes: &[u8], digit: fn(&u8) -> bool, exponent: u8) -> bool {
    let at = bytes
        .iter()
        .position(|byte| byte.to_ascii_lowercase() == exponent);
    let (mantissa, power) = match at {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    };
    let parts = mantissa.split(|byte| *byte == b'.').count();
    let digits = mantissa.iter().filter(|byte| digit(byte)).count();
    let known = |byte: &u8| digit(byte) || *byte == b'.' || *byte == b'_';
    if parts > 2 || digits == 0 || !mantissa.iter().all(known) {
        return false;
    }
    match power {
        None => exponent != b'p',
        Some([b'+' | b'-', rest @ ..] | rest) => {
            rest.first().is_some_and(u8::is_ascii_digit)
                && rest
                    .iter()
                    .all(|byte| byte.is_ascii_digit() || *byte == b'_')
        }
    }
}

/// An underscore stands between two digits, or behind the `0x`.
fn underscores_are_between_digits(bytes: &[u8], hex: bool) -> bool {
    let digit = |at: usize| {
        bytes.get(at).is_some_and(|byte| {
            byte.is_ascii_digit() || hex && (byte.is_ascii_hexdigit() || at == 1)
        })
    };
    let mut places = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    places.all(|(at, _)| at > 0 && digit(at - 1) && digit(at + 1))
}
