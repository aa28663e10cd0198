//! Objects as YAML, for keeping in Git or piping into kubectl.
//!
//! What a reader of YAML 1.1 or 1.2 could take for something else than the text it is stands in quotes,
//! so `no`, `1e3` and `~` stay what they are.

use serde_json::Value;

/// Words that some reader of YAML takes for something else than a text.
const WORDS: [&str; 10] = [
    "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan",
];

/// One document, ending with a line break.
pub fn yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(_) | Value::Array(_) if !is_empty(value) => block(value, 0, &mut out),
        _ => {
            scalar(value, 0, &mut out);
        }
    }
    out
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => true,
    }
}

/// A mapping or list, a line an entry.
fn block(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                out.push_str(&pad);
                out.push_str(&text(key));
                out.push(':');
                entry(value, indent, out);
            }
        }
        Value::Array(list) => {
            for item in list {
                out.push_str(&pad);
                out.push('-');
                match item {
                    // Its first line goes behind the hyphen.
                    Value::Object(_) if !is_empty(item) => {
                        let mut inner = String::new();
                        block(item, indent + 2, &mut inner);
                        out.push(' ');
                        out.push_str(inner.trim_start_matches(' '));
                    }
                    _ => entry(item, indent, out),
                }
            }
        }
        _ => {}
    }
}

/// What stands behind a key, or behind the hyphen of an item.
fn entry(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(_) | Value::Array(_) if !is_empty(value) => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        _ => {
            out.push(' ');
            scalar(value, indent, out);
        }
    }
}

fn scalar(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::String(string) => match literal(string, indent + 2) {
            Some(literal) => return out.push_str(&literal),
            None => out.push_str(&text(string)),
        },
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        other => out.push_str(&other.to_string()),
    }
    out.push('\n');
}

/// A text of several lines as such, if it can be written so.
fn literal(string: &str, indent: usize) -> Option<String> {
    let body = string.strip_suffix('\n').unwrap_or(string);
    let plain = |line: &str| !line.contains(|c: char| c.is_control() || is_odd(c));
    let possible = body.contains('\n')
        && !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && body.split('\n').all(plain);
    if !possible {
        return None;
    }
    let pad = " ".repeat(indent);
    let mut out = String::from(if body.len() < string.len() {
        "|\n"
    } else {
        "|-\n"
    });
    for line in body.split('\n') {
        if !line.is_empty() {
            out.push_str(&pad);
            out.push_str(line);
        }
        out.push('\n');
    }
    Some(out)
}

/// A text on one line, in quotes unless nobody can take it for anything else.
fn text(string: &str) -> String {
    let starts = string.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/');
    let usual =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '.' | '-' | ':' | '@' | ' ');
    let word = string.to_lowercase();
    let plain = starts
        && string.chars().all(usual)
        && !string.contains(": ")
        && !string.ends_with([':', ' '])
        && !WORDS.contains(&&*word);
    if plain {
        return string.to_owned();
    }
    let mut out = String::from("\"");
    for c in string.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_odd(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What some readers take for a line break, or for the beginning of a file.
fn is_odd(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::manifest::yaml::{Limits, documents};

    fn read(text: &str) -> Value {
        let mut read = documents(text, &Limits::default());
        assert_eq!(read.len(), 1, "{text}");
        read.remove(0).unwrap().value
    }

    #[test]
    fn is_written_as_people_do() {
        let value = json!({
            "apiVersion": "v1",
            "data": { "a.yaml": "one:\n  two: 3\n", "b": "one\ntwo", "c": "it's: here", "d": "" },
            "list": [{ "name": "x", "rules": [{ "verbs": ["get"] }] }, [], {}, [1, "1"], null, true],
        });
        let expected = "\
apiVersion: v1
data:
  a.yaml: |
    one:
      two: 3
  b: |-
    one
    two
  c: \"it's: here\"
  d: \"\"
list:
  - name: x
    rules:
      - verbs:
          - get
  - []
  - {}
  -
    - 1
    - \"1\"
  - null
  - true
";
        assert_eq!(yaml(&value), expected);
        assert_eq!(read(expected), value);
    }

    #[test]
    fn what_could_be_something_else_stays_a_text() {
        for text in [
            "no",
            "Off",
            "y",
            "true",
            "~",
            "null",
            "1",
            "1e3",
            "0x10",
            "010",
            "1_000",
            "12:30",
            ".5",
            "-",
            "- a",
            "a: b",
            "a #b",
            "a:",
            " a",
            "a ",
            "*",
            "&a",
            "!",
            "%",
            "@",
            "`",
            "{}",
            "[]",
            "|",
            ">",
            "\"",
            "\\",
            "'",
            "2026-01-15",
            "---",
            "...",
            "?",
            "<<",
            "=",
            "a\tb",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "é",
            "\n",
            "\n\n",
            " a\nb",
            "a\n\n",
            "a\n b\n\n c\n",
            "a\r\nb",
            "a\n\tb",
            "NaN",
            ".inf",
        ] {
            let value = json!({ "key": text, text: [text] });
            assert_eq!(read(&yaml(&value)), value, "{}", yaml(&value));
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "\\PC*|[ \n\t:#a-]{0,12}") {
            let value = json!({ "key": text, "list": [text] });
            prop_assert_eq!(read(&yaml(&value)), value);
        }
    }
}
