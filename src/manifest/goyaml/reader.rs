//! From JSON to what the struct takes.

use std::ops::Range;

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
    };
    let value = reader.value(schema, &composed.value, NodeId::ROOT, None);
    reader.refuse_non_finite();
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
}

impl Reader<'_> {
    /// JSON has no infinity, so one of them anywhere loses everything, unless it became a string.
    fn refuse_non_finite(&mut self) {
        for (node, _) in &self.composed.non_finite {
            if !self.converted.contains(node) {
                let bytes = self.composed.spans.range(*node);
                self.fault(&bytes, "not a number that JSON has", None);
            }
        }
    }

    /// The value as the struct takes it; `None` for what leaves the struct as it is.
    fn value(
        &mut self,
        schema: &Value,
        value: &Value,
        node: NodeId,
        key: Option<NodeId>,
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
            (_, Value::Null) => None,
            (Some("object"), Value::Object(fields)) => Some(self.object(schema, fields, node)),
            (Some("array"), Value::Array(items)) => Some(self.list(schema, items, node)),
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

    fn object(&mut self, schema: &Value, fields: &Map<String, Value>, node: NodeId) -> Value {
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema
            .get("additionalProperties")
            .filter(|others| others.is_object());
        let composed = self.composed;
        let nodes = composed.spans.by_name(self.text, node);
        let mut read = Map::new();
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
            match self.value(schema, value, node, key) {
                Some(value) => merge(&mut read, name, value),
                // A map gets its key all the same.
                None if property.is_none() => merge(&mut read, name, zero(schema)),
                None => {}
            }
            self.pointer.pop_back();
        }
        Value::Object(read)
    }

    fn list(&mut self, schema: &Value, items: &[Value], node: NodeId) -> Value {
        let any = Value::Bool(true);
        let schema = schema.get("items").unwrap_or(&any);
        let nodes: Vec<NodeId> = self.composed.spans.entries(node).collect();
        let mut read = Vec::with_capacity(items.len());
        for (at, (item, node)) in items.iter().zip(nodes).enumerate() {
            self.pointer.push_back(at);
            let value = self.value(schema, item, node, None);
            read.push(value.unwrap_or_else(|| zero(schema)));
            self.pointer.pop_back();
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
                    .all(|item| item.as_u64().is_some_and(|byte| byte < 256)) =>
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

/// Puts a field there; an object that is there already, under a key in another case, is added to.
fn merge(fields: &mut Map<String, Value>, name: &str, value: Value) {
    match (fields.get_mut(name), value) {
        (Some(Value::Object(there)), Value::Object(new)) => {
            for (name, value) in new {
                merge(there, &name, value);
            }
        }
        (_, value) => {
            fields.insert(name.to_owned(), value);
        }
    }
}

/// What Go makes of a `null` in a list.
fn zero(schema: &Value) -> Value {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => "".into(),
        Some("boolean") => false.into(),
        Some("integer" | "number") => 0.into(),
        Some("object") => Value::Object(Map::new()),
        _ => Value::Null,
    }
}
