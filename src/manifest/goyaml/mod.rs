//! YAML as a Go program reads it that knows what it wants: the configuration in Ramen's
//! `ConfigMap`s.
//!
//! Ramen calls `Unmarshal` of sigs.k8s.io/yaml with a struct. That reads YAML 1.1 into JSON and the
//! JSON into the struct, and so it is stricter than kubectl in one way and laxer in others:
//!
//! - only the first document counts, of equal keys the last, and a key may be in any case;
//! - a key that the struct does not have is ignored;
//! - a number or a boolean becomes a string where the struct has one: `0123` is `"83"`;
//! - any other wrong type is an error, and one error loses the whole configuration;
//! - nothing, comments and `null` are an empty configuration.
//!
//! The struct is given as a JSON schema. Beside `type`, `properties`, `items` and
//! `additionalProperties` it may say `format: byte` (base64, Go's `[]byte`), `format: duration`
//! (`metav1.Duration`), `format: int32`, `nullable: true` (a pointer), and `x-go-inline: true` for
//! the field of an embedded struct, which does not turn numbers into strings.
//!
//! Source: `yaml.go` of sigs.k8s.io/yaml v1.6.0, `encoding/json` of Go 1.26.

mod reader;

use std::{collections::BTreeMap, ops::Range};

use jsonptr::{Pointer, PointerBuf};
use serde_json::{Map, Value};

use super::{
    position::{Position, Source},
    yaml::{self, Duplicate, Limits, Surprise, YamlError},
};

/// What the program gets, and what it got it from. All places are in bytes of the text.
#[derive(Clone, Debug, Default)]
pub struct Embedded {
    /// The value, its keys as the schema spells them. Neither unknown keys nor nulls are in it.
    pub value: Value,
    /// Keys in another case than the schema's.
    pub renamed: Vec<Renamed>,
    /// Keys that the schema does not have.
    pub unknown: Vec<Unknown>,
    /// Numbers and booleans that became strings.
    pub conversions: Vec<Conversion>,
    /// Keys that stand twice. The last one counts.
    pub duplicates: Vec<Duplicate>,
    /// What YAML 1.1 took for something else than it looks like. The pointers name what was
    /// written, not what it became.
    pub surprises: Vec<Surprise>,
    places: BTreeMap<PointerBuf, Place>,
}

/// A key in another case than the schema's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Where it is in [`Embedded::value`].
    pub pointer: PointerBuf,
    /// What was written.
    pub written: String,
    /// Where it was written.
    pub bytes: Range<usize>,
}

/// A key that the schema does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Where it would be.
    pub pointer: PointerBuf,
    /// The key that is spelt most like it.
    pub nearest: Option<String>,
    /// Where it was written.
    pub bytes: Range<usize>,
}

/// A number or a boolean that became a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// Where it is in [`Embedded::value`].
    pub pointer: PointerBuf,
    /// What was written: `0123`.
    pub written: String,
    /// What the program gets: `83`.
    pub read: String,
    /// Where it was written.
    pub bytes: Range<usize>,
}

/// Why the program gets nothing. It displays as the first fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .faults.first().map_or("", |fault| &fault.message))]
pub struct EmbeddedError {
    /// All of them, in the order of the text.
    pub faults: Vec<Fault>,
}

/// One reason why the program gets nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field; the whole text if it is not YAML at all.
    pub pointer: PointerBuf,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The way out, where there is a usual one.
    pub help: Option<&'static str>,
    /// The place within the text.
    pub position: Position,
    /// Whether the text is no YAML at all.
    pub syntax: bool,
    /// Whether the program surely gets nothing. Otherwise it is only we who can't read the text.
    pub sure: bool,
}

#[derive(Clone, Debug)]
struct Place {
    key: Option<Range<usize>>,
    value: Range<usize>,
}

impl Embedded {
    /// Where the value that a pointer names was written, or else the key of the nearest parent that
    /// was. Empty if there is none.
    pub fn range(&self, pointer: &Pointer) -> Range<usize> {
        if let Some(place) = self
            .places
            .get(pointer)
            .filter(|place| !place.value.is_empty())
        {
            return place.value.clone();
        }
        self.key_range(pointer)
    }

    /// Where the key of what a pointer names was written, or that of the nearest parent that was.
    pub fn key_range(&self, pointer: &Pointer) -> Range<usize> {
        let mut pointer = Some(pointer);
        while let Some(at) = pointer {
            if let Some(place) = self.places.get(at) {
                return place.key.clone().unwrap_or_else(|| place.value.clone());
            }
            pointer = at.parent();
        }
        0..0
    }
}

/// Refuses the characters that mean more to YAML 1.1 than to our parser: YAML 1.1 has ends of lines that
/// YAML 1.2 has not, and a byte order mark may stand anywhere.
fn known_characters(text: &str) -> Result<(), YamlError> {
    let special = |c: char| matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
    let mark = text.chars().next().filter(|c| *c == '\u{feff}');
    let start = mark.map_or(0, char::len_utf8);
    let Some((at, c)) = text[start..].char_indices().find(|(_, c)| special(*c)) else {
        return Ok(());
    };
    let message = if c == '\u{feff}' {
        "has a byte order mark in the middle"
    } else {
        "has a character that ends a line in YAML 1.1 only"
    };
    let range = start + at..start + at + c.len_utf8();
    let error = YamlError::new(range, message).help("remove it, or write it as an escape");
    Err(error.unsure())
}

/// Reads a text as Go would into a struct of that schema.
///
/// # Errors
/// When it is not YAML, or when a value is of a type that the struct does not take. A fault that is not
/// [`Fault::sure`] is where we can't read it and Go may.
pub fn read(text: &str, schema: &Value) -> Result<Embedded, EmbeddedError> {
    let source = Source::new("", text);
    let known = known_characters(text);
    let composed = match known.and_then(|()| yaml::first(text, &Limits::default())) {
        Ok(composed) => composed,
        Err(error) => {
            let position = source.position(error.bytes);
            let pointer = PointerBuf::new();
            let fault = Fault {
                pointer,
                message: error.message,
                help: error.help,
                position,
                syntax: true,
                sure: error.sure,
            };
            return Err(EmbeddedError {
                faults: vec![fault],
            });
        }
    };
    let Some(composed) = composed else {
        return Ok(Embedded {
            value: Value::Object(Map::new()),
            ..Embedded::default()
        });
    };
    let (value, mut out, mut faults) = reader::read(text, &source, &composed, schema);
    if !faults.is_empty() {
        faults.sort_by_key(|fault| fault.position.bytes.start);
        return Err(EmbeddedError { faults });
    }
    // They were found by the order of the names.
    out.renamed.sort_by_key(|key| key.bytes.start);
    out.unknown.sort_by_key(|key| key.bytes.start);
    out.conversions.sort_by_key(|found| found.bytes.start);
    out.value = value.unwrap_or_else(|| Value::Object(Map::new()));
    out.duplicates = composed.duplicates;
    out.surprises = composed.surprises;
    Ok(out)
}
