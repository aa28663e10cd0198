//! Objects: their fields, how many there are, and what every object has.

use serde_json::{Map, Value};

use super::{
    SchemaErrorKind,
    compile::{METADATA, Node},
    metadata::{self, Owner},
    validate::{Token, Walk},
    value::shown,
};
use crate::golang::{names, quote};

/// The fields of every object, which no schema needs to know.
const META_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

impl<'a> Walk<'a> {
    pub(super) fn object(&mut self, node: &'a Node, fields: &'a Map<String, Value>) {
        self.check_field_count(node, fields);
        let root = self.path.is_empty() && !self.alternative;
        if root {
            let metadata = fields.get("metadata").unwrap_or(&Value::Null);
            self.metadata(metadata, self.owner);
        } else if node.embedded && !self.alternative {
            self.embedded(fields);
        }
        let (shape, old) = (self.shape, self.old);
        for (name, value) in fields {
            let meta = (root || node.embedded) && META_FIELDS.contains(&name.as_str());
            if meta && name == "metadata" || root && name == "status" && !self.status {
                continue;
            }
            let of = match node.property(name) {
                Some(property) => Some(&property.node),
                None => node.additional.as_deref(),
            };
            if of.is_some() {
                // The server takes such a null away, or puts the default there.
                if !value.is_null() || !shape.is_some_and(|shape| shape.drops_null(name)) {
                    let inner = shape.and_then(|shape| shape.field(name));
                    let old = old.and_then(|old| old.get(name));
                    self.below(Token::Field(name), [inner, of], value, old);
                }
            } else if !node.preserve && !meta && !self.alternative {
                self.path.push(Token::Field(name));
                self.unknown_field(node, name);
                self.path.pop();
            }
        }
        for name in &node.required {
            let property = shape.and_then(|shape| shape.property(name));
            let default = property.is_some_and(|property| property.default.is_some());
            let present = fields.get(&**name).is_some_and(|value| {
                !value.is_null() || !shape.is_some_and(|shape| shape.drops_null(name))
            });
            if !present && !default {
                self.path.push(Token::Field(name));
                self.say(SchemaErrorKind::Required, "Required value".to_owned());
                self.path.pop();
            }
        }
    }

    /// Walks on to a value within the one that the walk is at.
    pub(super) fn below(
        &mut self,
        token: Token<'a>,
        [shape, node]: [Option<&'a Node>; 2],
        value: &'a Value,
        old: Option<&'a Value>,
    ) {
        let Some(node) = node else {
            return;
        };
        let outer = (
            std::mem::replace(&mut self.shape, shape),
            std::mem::replace(&mut self.old, old),
        );
        self.path.push(token);
        self.value(node, value);
        self.path.pop();
        (self.shape, self.old) = outer;
    }

    /// Checks the metadata of the object that the walk is at.
    fn metadata(&mut self, metadata: &'a Value, owner: Owner) {
        let before = self.errors.len();
        self.path.push(Token::Field("metadata"));
        if !metadata.is_null() {
            let outer = (self.shape.replace(&METADATA), self.old.take());
            self.value(&METADATA, metadata);
            (self.shape, self.old) = outer;
        }
        for error in &mut self.errors[before..] {
            if error.kind == SchemaErrorKind::Type {
                error.kind = SchemaErrorKind::Metadata;
            }
        }
        let none = Map::new();
        let at = self.pointer();
        for mut error in metadata::check(metadata.as_object().unwrap_or(&none), owner) {
            error.pointer = at.concat(&error.pointer);
            self.errors.push(error);
        }
        self.path.pop();
    }

    /// Checks what an object inside of another must have.
    fn embedded(&mut self, fields: &'a Map<String, Value>) {
        for name in ["apiVersion", "kind"] {
            self.path.push(Token::Field(name));
            match fields.get(name) {
                None => self.say(SchemaErrorKind::Metadata, "Required value".to_owned()),
                Some(Value::String(text)) => {
                    let fits = match name {
                        "kind" => is_kind(text),
                        _ => !text.is_empty() && text.matches('/').count() < 2,
                    };
                    if !fits {
                        let message = format!("Invalid value: {}: is no {name}", quote(text));
                        self.say(SchemaErrorKind::Metadata, message);
                    }
                }
                Some(other) => {
                    let message = format!("Invalid value: {}: must be a string", shown(other));
                    self.say(SchemaErrorKind::Metadata, message);
                }
            }
            self.path.pop();
        }
        if let Some(metadata) = fields.get("metadata") {
            self.metadata(metadata, Owner::Embedded);
        }
    }

    /// Counts what the server keeps of the fields, and the defaults that it adds.
    fn check_field_count(&mut self, node: &Node, fields: &Map<String, Value>) {
        if node.fields.min.is_none() && node.fields.max.is_none() {
            return;
        }
        let shape = self.shape;
        let kept = fields.iter().filter(|(name, value)| {
            let Some(shape) = shape else {
                return true;
            };
            let defaulted = || {
                let of = shape.additional.as_deref();
                shape.default_of(name).is_some() || of.is_some_and(|of| of.defaulted)
            };
            (shape.field(name).is_some() || shape.preserve)
                && (!value.is_null() || !shape.drops_null(name) || defaulted())
        });
        let defaults = shape.map_or(&[][..], |shape| &shape.properties);
        let added = defaults
            .iter()
            .filter(|(name, property)| property.default.is_some() && !fields.contains_key(&**name));
        let count = (kept.count() + added.count()) as u64;
        if let Some(min) = node.fields.min.filter(|min| count < *min) {
            let what = format!(
                "{} in body should have at least {min} properties",
                self.field()
            );
            self.say(
                SchemaErrorKind::Count,
                format!("Invalid value: {count}: {what}"),
            );
        }
        if let Some(max) = node.fields.max.filter(|max| count > *max) {
            let word = if max == 1 { "item" } else { "items" };
            self.say(
                SchemaErrorKind::Count,
                format!("Too many: {count}: must have at most {max} {word}"),
            );
        }
    }

    fn unknown_field(&mut self, node: &Node, name: &str) {
        let known = node.properties.iter().map(|(name, _)| &**name);
        let nearest = crate::report::nearest(name, known).map(str::to_owned);
        let message = format!("unknown field {}", quote(&self.field()));
        self.say(SchemaErrorKind::UnknownField { nearest }, message);
    }
}

/// Whether a text can be the kind of an object: in lower case it is a label that begins with a letter.
fn is_kind(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.starts_with(|c: char| c.is_ascii_lowercase()) && names::dns_label(&lower).is_ok()
}
