//! An object, and where it was written.

use std::{ops::Range, sync::Arc};

use jsonptr::Pointer;
use serde_json::{Map, Value};

use super::{
    position::{Inside, Position, Source},
    yaml::{NodeId, Spans, Surprise},
};
use crate::api::{Doc, UnreadStatus};

/// One object, and where it was written.
#[derive(Debug)]
pub struct Manifest {
    /// The file.
    pub source: Arc<Source>,
    /// Which document of the file it is in, counted from 0. Empty documents do not count.
    pub document: usize,
    /// Which item of a `List` it is, counted from 0.
    pub item: Option<usize>,
    /// The object.
    pub doc: Doc,
    /// What YAML 1.1 took for something else than it looks like, with pointers into this object.
    pub surprises: Vec<Surprise>,
    /// The object with its nulls, if there are any.
    pub(super) raw: Option<Box<Value>>,
    pub(super) spans: Arc<Spans>,
    pub(super) root: NodeId,
}

impl Manifest {
    /// The object as it was written, with its nulls: what a schema is for. Neither `status` nor
    /// `metadata.managedFields` is in it.
    pub fn raw(&self) -> &Value {
        self.raw.as_deref().unwrap_or(&self.doc.value)
    }

    /// The place of what a pointer names. Of something that is not there, or holds nothing, it is
    /// the key of the nearest parent that is.
    pub fn position(&self, pointer: &Pointer) -> Position {
        let found = self.spans.find(&self.source.text, self.root, pointer);
        let value = self.spans.range(found.node);
        if found.exact && !value.is_empty() {
            return self.source.position(value);
        }
        let range = match found.key {
            Some(key) => self.spans.range(key),
            None => self.start_of(found.node),
        };
        self.source.position(range)
    }

    /// The place of the key of what a pointer names, or of the nearest parent that is there.
    pub fn key_position(&self, pointer: &Pointer) -> Position {
        let found = self.spans.find(&self.source.text, self.root, pointer);
        let range = match found.key {
            Some(key) => self.spans.range(key),
            None => self.start_of(found.node),
        };
        self.source.position(range)
    }

    /// A place in a string that is a text of its own, such as the YAML in a `ConfigMap`: `inner`
    /// counts in bytes of the string that the pointer names.
    pub fn position_inside(&self, pointer: &Pointer, inner: Range<usize>) -> Position {
        let found = self.spans.find(&self.source.text, self.root, pointer);
        let text = pointer
            .resolve(&self.doc.value)
            .ok()
            .and_then(Value::as_str);
        match text {
            Some(text) if found.exact => {
                let scalar = self.spans.range(found.node);
                let inside = Inside::new(&self.source.text, scalar, text);
                self.source.position(inside.range(inner))
            }
            _ => self.position(pointer),
        }
    }

    /// What stands for a node that has no key: of an object its kind, or else its first field.
    fn start_of(&self, node: NodeId) -> Range<usize> {
        let text = &self.source.text;
        let kind = self.spans.find(text, node, Pointer::from_static("/kind"));
        if node == self.root && kind.exact {
            return self.spans.range(kind.node);
        }
        match self.spans.fields(node).next() {
            Some((key, _)) => self.spans.range(key),
            None => self.spans.range(node),
        }
    }
}

/// The object as [`Doc`] keeps it, and as it was with its nulls, if it has any. `nulls` is whether
/// there may be some.
pub(super) fn split(mut fields: Map<String, Value>, nulls: bool) -> (Doc, Option<Value>) {
    if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
        metadata.remove("managedFields");
    }
    let status = fields.remove("status").filter(|status| !status.is_null());
    let value = Value::Object(fields);
    let raw = (nulls && has_null(&value)).then(|| value.clone());
    let mut doc = match &raw {
        // An object is always one.
        Some(_) => Doc::from_value(value).unwrap_or_default(),
        None => Doc {
            value,
            status: None,
        },
    };
    doc.status = status.map(UnreadStatus::Value);
    (doc, raw)
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}
