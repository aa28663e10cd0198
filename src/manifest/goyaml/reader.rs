//! From JSON to what the struct takes.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
};

use jsonptr::PointerBuf;
use serde_json::{Map, Value};

use super::{Conversion, Embedded, Fault, Place, Renamed, Unknown};
use crate::{
    golang::{base64, duration, quote},
    manifest::{
        position::Source,
        yaml::{Composed, NodeId, NodeKind, go_float32},
    },
    report::nearest,
};

/// Reads a document: the value, if the struct takes anything, what there is to say about it, and
/// what is wrong.
pub(super) fn read(
    text: &str,
    source: &Source,
    composed: &Composed,
    schema: &Value,
) -> (Option<Value>, Embedded, Vec<Fault>) {
    let mut reader = Reader {
        text,
        composed,
        source,
        out: Embedded::default(),
        faults: Vec::new(),
        pointer: PointerBuf::new(),
        converted: Vec::new(),
        stale: HashMap::new(),
    };
    let value = reader.value(schema, &composed.value, (NodeId::ROOT, None), None);
    reader.refuse_what_json_has_not();
    (value, reader.out, reader.faults)
}

struct Reader<'a> {
    text: &'a str,
    composed: &'a Composed,
    source: &'a Source,
    out: Embedded,
    faults: Vec<Fault>,
    pointer: PointerBuf,
    /// The numbers that became strings.
    converted: Vec<NodeId>,
    /// What lists have had beyond their end: Go makes a list shorter without wiping what was there.
    stale: HashMap<PointerBuf, VecDeque<Value>>,
}

impl Reader<'_> {
    /// JSON has no infinity, so one of them anywhere loses everything, unless it became a string; and some
    /// keys have no name. Unless the key around it stands again.
    fn refuse_what_json_has_not(&mut self) {
        let composed = self.composed;
        if composed.non_finite.is_empty() && composed.unusable_keys.is_empty() {
            return;
        }
        let counts = composed.spans.counting(self.text);
        for (node, _) in &composed.non_finite {
            if counts.contains(node) && !self.converted.contains(node) {
                let bytes = composed.spans.range(*node);
                self.fault(&bytes, "not a number that JSON has", None);
            }
        }
        for (node, message) in &composed.unusable_keys {
            if counts.contains(node) {
                self.fault(&composed.spans.range(*node), message, None);
            }
        }
    }

    /// The value as the struct takes it; `None` for what is as if it were not there. `node` is where it
    /// stands, and its key; `there` is what the struct has already, by a key in another case.
    fn value(
        &mut self,
        schema: &Value,
        value: &Value,
        (node, key): (NodeId, Option<NodeId>),
        there: Option<Value>,
    ) -> Option<Value> {
        let bytes = self.composed.spans.range(node);
        let key = key.map(|key| self.composed.spans.range(key));
        self.out.places.insert(
            self.pointer.clone(),
            Place {
                key: key.clone(),
                value: bytes.clone(),
            },
        );
        let bytes = if bytes.is_empty() {
            key.unwrap_or(bytes)
        } else {
            bytes
        };
        let format = schema
            .get("format")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match (schema.get("type").and_then(Value::as_str), value) {
            (Some("string"), Value::Null) if format == "duration" && !flag(schema, "nullable") => {
                self.fault(
                    &bytes,
                    "must be a duration, not null",
                    Some("remove it, or write one: 15s"),
                );
                None
            }
            (Some("string"), Value::Null)
                if format.is_empty() && self.is_float(node) && !flag(schema, "x-go-inline") =>
            {
                Some(self.converted(value, node, bytes))
            }
            (_, Value::Null) if has_nil(schema) => {
                self.stale.remove(&self.pointer);
                None
            }
            // Everything else stays as it is.
            (_, Value::Null) => there,
            (Some("object"), Value::Object(fields)) => {
                Some(self.object(schema, fields, node, there))
            }
            (Some("array"), Value::Array(items)) => Some(self.list(schema, items, node, there)),
            (Some("string"), _) if format == "byte" => self.bytes(value, &bytes),
            (Some("string"), _) if format == "duration" => self.duration(value, &bytes),
            (Some("string"), Value::Bool(_) | Value::Number(_)) if !flag(schema, "x-go-inline") => {
                Some(self.converted(value, node, bytes))
            }
            (Some("string"), Value::String(_))
            | (Some("boolean"), Value::Bool(_))
            | (Some("number"), Value::Number(_))
            | (None, _) => Some(value.clone()),
            (Some("integer"), Value::Number(_)) => self.integer(value, format, &bytes),
            (Some(expected), _) => {
                self.wrong_type(expected, value, &bytes);
                None
            }
        }
    }

    fn object(
        &mut self,
        schema: &Value,
        fields: &Map<String, Value>,
        node: NodeId,
        there: Option<Value>,
    ) -> Value {
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema
            .get("additionalProperties")
            .filter(|others| others.is_object());
        let composed = self.composed;
        let nodes = composed.spans.by_name(self.text, node);
        let mut read = match there {
            Some(Value::Object(there)) => there,
            _ => Map::new(),
        };
        // In the order of their bytes, which is the order that Go writes the JSON in.
        for (written, value) in fields {
            let found = nodes.get(written.as_str()).copied();
            let (key, node) = found.map_or((None, node), |(key, node)| (Some(key), node));
            let bytes = key.map_or(0..0, |key| self.composed.spans.range(key));
            let property = known.and_then(|known| match known.get_key_value(written) {
                Some(found) => Some(found),
                None => known.iter().find(|(name, _)| folds_to(written, name)),
            });
            let Some((name, schema)) = property.or_else(|| Some((written, others?))) else {
                let known = known.into_iter().flatten().map(|(name, _)| name.as_str());
                let nearest = nearest(written, known).map(str::to_owned);
                let pointer = self.pointer_to(written);
                self.out.unknown.push(Unknown {
                    pointer,
                    nearest,
                    bytes,
                });
                continue;
            };
            if name != written {
                let (pointer, written) = (self.pointer_to(name), written.clone());
                self.out.renamed.push(Renamed {
                    pointer,
                    written,
                    bytes,
                });
            }
            self.pointer.push_back(name.as_str());
            // What a map has under a key is replaced, what a struct has is read into.
            let there = property.and_then(|_| read.remove(name));
            let value = self.value(schema, value, (node, key), there);
            let value = value.or_else(|| property.is_none().then(|| zero(schema)));
            if let Some(value) = value {
                read.insert(name.clone(), value);
            }
            self.pointer.pop_back();
        }
        Value::Object(read)
    }

    fn list(
        &mut self,
        schema: &Value,
        items: &[Value],
        node: NodeId,
        there: Option<Value>,
    ) -> Value {
        let any = Value::Bool(true);
        let schema = schema.get("items").unwrap_or(&any);
        let nodes: Vec<NodeId> = self.composed.spans.entries(node).collect();
        let mut read = Vec::with_capacity(items.len());
        // Entries are read into what was there, what lies beyond the end of the list included.
        let mut there: VecDeque<Value> = match there {
            Some(Value::Array(there)) => there.into(),
            _ => VecDeque::new(),
        };
        there.extend(self.stale.remove(&self.pointer).into_iter().flatten());
        for (at, (item, node)) in items.iter().zip(nodes).enumerate() {
            self.pointer.push_back(at);
            let value = self.value(schema, item, (node, None), there.pop_front());
            read.push(value.unwrap_or_else(|| zero(schema)));
            self.pointer.pop_back();
        }
        if !read.is_empty() && !there.is_empty() {
            self.stale.insert(self.pointer.clone(), there);
        }
        Value::Array(read)
    }

    fn bytes(&mut self, value: &Value, bytes: &Range<usize>) -> Option<Value> {
        match value {
            Value::String(text) if base64::decode(text).is_some() => return Some(value.clone()),
            Value::String(_) => self.fault(bytes, "must be base64, and this is not", None),
            // Go takes a list of small numbers for bytes, too.
            Value::Array(items)
                if items
                    .iter()
                    .all(|item| item.is_null() || item.as_u64().is_some_and(|byte| byte < 256)) =>
            {
                return Some(value.clone());
            }
            _ => self.wrong_type("base64 string", value, bytes),
        }
        None
    }

    fn duration(&mut self, value: &Value, bytes: &Range<usize>) -> Option<Value> {
        let Value::String(text) = value else {
            self.wrong_type("duration", value, bytes);
            return None;
        };
        match duration::parse(text) {
            Ok(_) => Some(value.clone()),
            Err(error) => {
                self.fault(
                    bytes,
                    &error.to_string(),
                    Some("write it as Go does: 15s, 1m30s, 2h"),
                );
                None
            }
        }
    }

    fn integer(&mut self, value: &Value, format: &str, bytes: &Range<usize>) -> Option<Value> {
        let Some(number) = value.as_i64() else {
            let text = format!("must be an integer, not {value}");
            self.fault(bytes, &text, None);
            return None;
        };
        if format == "int32" && i32::try_from(number).is_err() {
            self.fault(
                bytes,
                &format!("must be an integer of 32 bits, not {value}"),
                None,
            );
            return None;
        }
        Some(value.clone())
    }

    /// A number or a boolean where the struct has a string.
    fn converted(&mut self, value: &Value, node: NodeId, bytes: Range<usize>) -> Value {
        self.converted.push(node);
        let written = self.text.get(bytes.clone()).unwrap_or_default().to_owned();
        let mut non_finite = self.composed.non_finite.iter();
        let non_finite = non_finite
            .find(|(found, _)| *found == node)
            .map(|(_, value)| *value);
        let read = match non_finite.or_else(|| value.as_f64()) {
            // The kind was lost on the way to JSON, where 50.0 is 50 and -0.0 is 0.
            Some(0.0) if self.is_float(node) && written.starts_with('-') => "-0".to_owned(),
            Some(value) if self.is_float(node) => go_float32(value),
            _ => value.to_string(),
        };
        let pointer = self.pointer.clone();
        self.out.conversions.push(Conversion {
            pointer,
            written,
            read: read.clone(),
            bytes,
        });
        Value::String(read)
    }

    /// Whether YAML reads a float there.
    fn is_float(&self, node: NodeId) -> bool {
        self.composed.spans.kind(node) == NodeKind::Float
    }

    fn wrong_type(&mut self, expected: &str, value: &Value, bytes: &Range<usize>) {
        let article = if expected.starts_with(['a', 'i', 'o']) {
            "an"
        } else {
            "a"
        };
        let expected = if expected == "array" {
            "a list".to_owned()
        } else {
            format!("{article} {expected}")
        };
        let (found, help) = match value {
            Value::String(text) => {
                let help = matches!(text.as_str(), "true" | "false") || text.parse::<f64>().is_ok();
                (
                    format!("the string {}", quote(text)),
                    help.then_some("remove the quotes"),
                )
            }
            Value::Array(_) => ("a list".to_owned(), None),
            Value::Object(_) => ("an object".to_owned(), None),
            other => (other.to_string(), None),
        };
        self.fault(bytes, &format!("must be {expected}, not {found}"), help);
    }

    fn fault(&mut self, bytes: &Range<usize>, message: &str, help: Option<&'static str>) {
        let position = self.source.position(bytes.clone());
        let (pointer, message) = (self.pointer.clone(), message.to_owned());
        self.faults.push(Fault {
            pointer,
            message,
            help,
            position,
            syntax: false,
            sure: true,
        });
    }

    fn pointer_to(&self, name: &str) -> PointerBuf {
        let mut pointer = self.pointer.clone();
        pointer.push_back(name);
        pointer
    }
}

fn flag(schema: &Value, name: &str) -> bool {
    schema.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// Whether `encoding/json` takes a key for a field: equal but for the case, where the long s and the
/// Kelvin sign count as s and k.
fn folds_to(written: &str, name: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    written.chars().map(fold).eq(name.chars().map(fold))
}

/// Whether Go has a nil for it: a pointer, a list, a map.
fn has_nil(schema: &Value) -> bool {
    let is = |kind: &str| schema.get("type").and_then(Value::as_str) == Some(kind);
    let is_map = is("object") && schema.get("properties").is_none();
    let is_bytes = schema.get("format").and_then(Value::as_str) == Some("byte");
    flag(schema, "nullable") || is("array") || is_map || is_bytes
}

/// What Go makes of a `null` in a list or a map. A nil list is as good as an empty one.
fn zero(schema: &Value) -> Value {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => "".into(),
        Some("boolean") => false.into(),
        Some("integer" | "number") => 0.into(),
        _ if flag(schema, "nullable") => Value::Null,
        Some("array") => Value::Array(Vec::new()),
        Some("object") => Value::Object(Map::new()),
        _ => Value::Null,
    }
}
