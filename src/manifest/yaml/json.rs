//! JSON, with places.
//!
//! kubectl tries JSON first where a text begins with `{`. JSON is YAML too, but not quite the same:
//! tabs indent, `1.0` stays a float, and one object may follow the other without a separator.

use std::ops::Range;

use serde_json::{Map, Number, Value};

use super::{
    Composed, Duplicate, Limits,
    spans::{NodeId, NodeKind, Spans},
};

/// Reads the JSON values of `text[chunk]`, one after the other. `None` if it is not JSON throughout:
/// then it may still be YAML.
pub(super) fn read(text: &str, chunk: Range<usize>, limits: &Limits) -> Option<Vec<Composed>> {
    let mut documents = Vec::new();
    let mut reader = Reader {
        text,
        bytes: &text.as_bytes()[..chunk.end],
        at: chunk.start,
        depth: limits.depth,
        spans: Spans::default(),
        duplicates: Vec::new(),
        nulls: false,
    };
    loop {
        reader.space();
        if reader.at >= chunk.end {
            return Some(documents);
        }
        reader.spans = Spans::with_capacity(chunk.end - reader.at);
        let value = reader.value(0)?;
        documents.push(Composed {
            value,
            spans: std::mem::take(&mut reader.spans),
            surprises: Vec::new(),
            duplicates: std::mem::take(&mut reader.duplicates),
            non_finite: Vec::new(),
            unusable_keys: Vec::new(),
            nulls: std::mem::take(&mut reader.nulls),
        });
    }
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    depth: usize,
    spans: Spans,
    duplicates: Vec<Duplicate>,
    nulls: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes a byte if it is the next one, and the space behind it.
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| {
            self.at += 1;
            self.space();
        })
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        let value = match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => {
                let start = self.at;
                let text = self.string()?;
                self.spans.push(NodeKind::Text, start..self.at);
                Some(Value::String(text))
            }
            b't' => self.word("true", NodeKind::Bool, Value::Bool(true)),
            b'f' => self.word("false", NodeKind::Bool, Value::Bool(false)),
            b'n' => {
                self.nulls = true;
                self.word("null", NodeKind::Null, Value::Null)
            }
            _ => self.number(),
        }?;
        self.space();
        Some(value)
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        let node = self.open(NodeKind::Mapping, b'{', depth)?;
        let mut fields = Map::new();
        if self.peek()? != b'}' {
            loop {
                let start = self.at;
                let name = self.string()?;
                self.key(&name, start..self.at, &fields, node);
                self.space();
                self.take(b':')?;
                let value = self.value(depth + 1)?;
                fields.insert(name, value);
                if self.take(b',').is_none() {
                    break;
                }
            }
        }
        self.close(node, b'}')?;
        Some(Value::Object(fields))
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        let node = self.open(NodeKind::Sequence, b'[', depth)?;
        let mut items = Vec::new();
        if self.peek()? != b']' {
            loop {
                items.push(self.value(depth + 1)?);
                if self.take(b',').is_none() {
                    break;
                }
            }
        }
        self.close(node, b']')?;
        Some(Value::Array(items))
    }

    fn open(&mut self, kind: NodeKind, bracket: u8, depth: usize) -> Option<NodeId> {
        let start = self.at;
        self.take(bracket)?;
        (depth < self.depth).then(|| self.spans.push(kind, start..start + 1))
    }

    fn close(&mut self, node: NodeId, bracket: u8) -> Option<()> {
        let end = self.at + 1;
        self.take(bracket)?;
        self.spans.close(node, end);
        Some(())
    }

    fn key(
        &mut self,
        name: &str,
        range: Range<usize>,
        fields: &Map<String, Value>,
        object: NodeId,
    ) {
        let spelt = self.text.get(range.start + 1..range.end - 1) == Some(name);
        self.spans.push_key(range.clone(), (!spelt).then_some(name));
        if fields.contains_key(name)
            && self.duplicates.len() < super::compose::NOTES
            && let Some(first) = self.spans.first_key(self.text, object, name)
        {
            let first = self.spans.range(first);
            self.duplicates.push(Duplicate {
                name: name.to_owned(),
                first,
                second: range,
            });
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        if self.peek()? != b'"' {
            return None;
        }
        self.at += 1;
        let mut escaped = false;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        if escaped {
            serde_json::from_str(self.text.get(start..self.at)?).ok()
        } else {
            self.text.get(start + 1..self.at - 1).map(str::to_owned)
        }
    }

    fn word(&mut self, word: &str, kind: NodeKind, value: Value) -> Option<Value> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end)? != word.as_bytes() {
            return None;
        }
        self.spans.push(kind, self.at..end);
        self.at = end;
        Some(value)
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.peek() {
            self.at += 1;
        }
        let number: Number = serde_json::from_str(self.text.get(start..self.at)?).ok()?;
        let kind = if number.is_f64() {
            NodeKind::Float
        } else {
            NodeKind::Int
        };
        self.spans.push(kind, start..self.at);
        Some(Value::Number(number))
    }
}
