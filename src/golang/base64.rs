//! Go's `base64.StdEncoding`, which `encoding/json` reads `[]byte` with.

/// Decodes standard base64 with padding. Line breaks count as nothing, and the bits that the last
/// character has too many are not looked at. `None` is what Go calls illegal base64 data.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    if !bytes.len().is_multiple_of(4) {
        return None;
    }
    let padding = bytes
        .iter()
        .rev()
        .take(2)
        .take_while(|byte| **byte == b'=')
        .count();
    let data = &bytes[..bytes.len() - padding];
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    for group in data.chunks(4) {
        let mut bits: u32 = 0;
        for byte in group {
            bits = bits << 6 | u32::from(sextet(*byte)?);
        }
        let [_, first, second, third] = (bits << (6 * (4 - group.len()))).to_be_bytes();
        out.extend(&[first, second, third][..group.len() - 1]);
    }
    Some(out)
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Go 1.26 decodes, and what it refuses.
    #[test]
    fn decodes_what_go_decodes() {
        let table: &[(&str, Option<&[u8]>)] = &[
            ("", Some(b"")),
            ("aGk=", Some(b"hi")),
            ("aGk", None),
            ("aGk==", None),
            ("aGl=", Some(b"hi")),
            ("aA==", Some(b"h")),
            ("aA=", None),
            ("a===", None),
            ("=", None),
            ("====", None),
            ("aGkh", Some(b"hi!")),
            ("aG\nkh\r\n", Some(b"hi!")),
            ("aG kh", None),
            ("aGkhaGk=", Some(b"hi!hi")),
            ("aGk=aGkh", None),
            ("_-8=", None),
            ("/+8=", Some(&[0xff, 0xef])),
        ];
        for (text, expected) in table {
            assert_eq!(decode(text).as_deref(), *expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-zA-Z0-9+/=\n ]{0,20}|.*") {
            decode(&text);
        }
    }
}
