//! An object, and where it was written.

use std::{
    ops::Range,
    path::Path,
    sync::{Arc, OnceLock},
};

use jsonptr::{Pointer, PointerBuf};
use serde_json::{Map, Value};

use super::{
    inside::Inside,
    position::{Position, Source},
    yaml::{self, Composed, Found, Limits, NodeId, Spans, Surprise, YamlError},
};
use crate::api::{ConfigMap, Doc, Kind, UnreadStatus};

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
    /// The string that was looked into first: there is seldom another.
    pub(super) text: OnceLock<Inner>,
}

/// A string that is YAML in itself.
#[derive(Debug)]
pub(super) struct Inner {
    pointer: PointerBuf,
    text: Box<str>,
    read: Result<Option<Composed>, YamlError>,
    inside: Inside,
}

impl Inner {
    fn of(manifest: &Manifest, pointer: &Pointer, text: &str) -> Self {
        let spans = &manifest.spans;
        let found = spans.find(&manifest.source.text, manifest.root, pointer);
        let scalar = spans.range(found.node);
        Self {
            pointer: pointer.to_buf(),
            text: text.into(),
            read: yaml::first(text, &Limits::default()),
            inside: Inside::new(&manifest.source.text, scalar, text),
        }
    }

    /// Where what a pointer names stands in the string; nowhere if the string is no YAML.
    fn find(&self, pointer: &Pointer) -> Option<(&Spans, Found)> {
        let composed = self.read.as_ref().ok()?.as_ref()?;
        let found = composed
            .spans
            .find_in_any_case(&self.text, NodeId::ROOT, pointer);
        Some((&composed.spans, found))
    }

    /// The range in the file of what a pointer into the string names, or the key of the nearest parent
    /// that has one.
    fn range(&self, pointer: &Pointer) -> Option<Range<usize>> {
        let (spans, found) = self.find(pointer)?;
        let value = spans.range(found.node);
        if found.exact && !value.is_empty() {
            return Some(self.inside.range(value));
        }
        self.key_range(pointer)
    }

    fn key_range(&self, pointer: &Pointer) -> Option<Range<usize>> {
        let (spans, found) = self.find(pointer)?;
        let key = match found.key {
            Some(key) => key,
            // What is not there at all has only the key of the whole string.
            None if found.node == NodeId::ROOT => return None,
            None => match spans.fields(found.node).next() {
                Some((key, _)) => key,
                None => found.node,
            },
        };
        Some(self.inside.range(spans.range(key)))
    }
}

impl Manifest {
    /// The object as it was written, with its nulls: what a schema is for. Neither `status` nor
    /// `metadata.managedFields` is in it.
    pub fn raw(&self) -> &Value {
        self.raw.as_deref().unwrap_or(&self.doc.value)
    }

    /// The place of what a pointer names, which may lie in a string that is YAML in itself. Of something
    /// that is not there, or holds nothing, it is the key of the nearest parent that is; of a text that
    /// should be YAML and is none, the place where reading it fails.
    pub fn position(&self, pointer: &Pointer) -> Position {
        if let Some(range) = self.in_text(pointer, Inner::range) {
            return self.source.position(range);
        }
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
        if let Some(range) = self.in_text(pointer, Inner::key_range) {
            return self.source.position(range);
        }
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

    /// The range of what a pointer names in a string, if it leads into one.
    fn in_text(
        &self,
        pointer: &Pointer,
        find: impl FnOnce(&Inner, &Pointer) -> Option<Range<usize>>,
    ) -> Option<Range<usize>> {
        let (outer, text, rest) = self.split_at_text(pointer)?;
        let new = || Inner::of(self, &outer, text);
        let first = self.text.get_or_init(new);
        let other;
        let inner = if first.pointer == outer {
            first
        } else {
            other = new();
            &other
        };
        if !rest.is_root() {
            return find(inner, &rest);
        }
        let error = inner.read.as_ref().err()?;
        Some(inner.inside.range(error.bytes.clone()))
    }

    /// The string that a pointer leads into, its own pointer, and the rest; or that it names, if it is one
    /// that should be YAML.
    fn split_at_text(&self, pointer: &Pointer) -> Option<(PointerBuf, &str, PointerBuf)> {
        let mut value = &self.doc.value;
        let mut outer = PointerBuf::new();
        let mut tokens = pointer.tokens();
        while !value.is_string() {
            let token = tokens.next()?;
            let name = token.decoded();
            value = match value {
                Value::Array(items) => items.get(name.parse::<usize>().ok()?)?,
                value => value.get(&*name)?,
            };
            outer.push_back(token);
        }
        let rest = PointerBuf::from_tokens(tokens);
        let is_yaml = || {
            let key = outer.as_str().strip_prefix("/data/").map(Path::new);
            let ending = key.and_then(Path::extension);
            ending.is_some_and(|ending| ending == "yaml")
                && self.doc.text("kind") == ConfigMap::KIND
        };
        let text = value.as_str().filter(|_| !rest.is_root() || is_yaml())?;
        Some((outer, text, rest))
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
