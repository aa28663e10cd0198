//! The walk.

use std::{cmp::Ordering, collections::HashMap, fmt::Write as _};

use jsonptr::PointerBuf;
use serde_json::{Map, Value};

use super::{
    SchemaError, SchemaErrorKind,
    compile::{Bound, ListType, METADATA, Node},
    value::{Float, is_same, is_whole, plain, shown, type_name},
};
use crate::golang::quote;

/// The fields of every object, which no schema needs to know.
const META_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

pub(super) fn validate(root: &Node, object: &Value) -> Vec<SchemaError> {
    let mut walk = Walk {
        path: Vec::new(),
        errors: Vec::new(),
        alternative: false,
    };
    walk.value(root, object);
    walk.errors
}

struct Walk<'a> {
    path: Vec<Token<'a>>,
    errors: Vec<SchemaError>,
    /// Within one of several schemas, which does not say which fields there are.
    alternative: bool,
}

#[derive(Clone, Copy)]
enum Token<'a> {
    Field(&'a str),
    Index(usize),
}

impl<'a> Walk<'a> {
    fn value(&mut self, node: &'a Node, value: &'a Value) {
        self.check_type(node, value);
        if !value.is_null() && !node.any_of.is_empty() {
            self.check_alternatives(node, value);
        }
        match value {
            Value::String(text) => self.check_string(node, text),
            Value::Number(_) => self.check_number(node, value),
            Value::Array(items) => self.list(node, items),
            _ => {}
        }
        if !node.values.is_empty() && !node.values.iter().any(|known| is_same(known, value)) {
            let known: Vec<String> = node
                .values
                .iter()
                .map(|known| quote(&plain(known)))
                .collect();
            let known = known.join(", ");
            let message = format!(
                "Unsupported value: {}: supported values: {known}",
                shown(value)
            );
            self.say(SchemaErrorKind::Unsupported, message);
        }
        if let Value::Object(fields) = value {
            self.object(node, fields);
        }
    }

    /// As kube-openapi does it, oddities included: a string or a list passes for anything that has
    /// a format.
    fn check_type(&mut self, node: &Node, value: &Value) {
        let found = type_name(value);
        if value.is_null() {
            if !node.types.is_any() && !node.nullable {
                self.say_type(&node.types.names(), found);
            }
            return;
        }
        let numeric = node.types.has("number") || node.types.has("integer");
        let fits = node.types.has(found)
            || found == "number" && is_whole(value) && node.types.has("integer")
            || found == "integer" && node.types.has("number");
        if fits || node.types.is_any() && node.format.is_none() {
            return;
        }
        let textual = matches!(value, Value::String(_) | Value::Array(_));
        match &node.format {
            Some(_) if textual && !numeric => {}
            Some(format) if !textual => {
                // Here the server names the value's format, which only a number has.
                let found = match found {
                    "integer" => "int64",
                    "number" => "float64",
                    _ => "",
                };
                self.say_type(&format.name, found);
            }
            _ => self.say_type(&node.types.names(), found),
        }
    }

    fn say_type(&mut self, expected: &str, found: &str) {
        let (path, found) = (self.field(), quote(found));
        let message =
            format!("Invalid value: {found}: {path} in body must be of type {expected}: {found}");
        self.say(SchemaErrorKind::Type, message);
    }

    fn check_alternatives(&mut self, node: &'a Node, value: &'a Value) {
        let mut first = None;
        for alternative in &node.any_of {
            let mut walk = Walk {
                path: self.path.clone(),
                errors: Vec::new(),
                alternative: true,
            };
            walk.value(alternative, value);
            if walk.errors.is_empty() {
                return;
            }
            first.get_or_insert(walk.errors);
        }
        let path = quote(&self.field());
        let message =
            format!("Invalid value: \"\": {path} must validate at least one schema (anyOf)");
        self.say(SchemaErrorKind::NoAlternative, message);
        self.errors.extend(first.into_iter().flatten());
    }

    fn check_string(&mut self, node: &Node, text: &str) {
        let length = || text.chars().count() as u64;
        let path = || self.field();
        let wrong = match (node.length.max, node.length.min, &node.pattern) {
            (Some(max), _, _) if text.len() as u64 > max && length() > max => {
                let bytes = if max == 1 { "byte" } else { "bytes" };
                let message = format!("Too long: may not be more than {max} {bytes}");
                Some((SchemaErrorKind::Length, message))
            }
            (_, Some(min), _) if length() < min => {
                let what = format!("{} in body should be at least {min} chars long", path());
                Some((
                    SchemaErrorKind::Length,
                    format!("Invalid value: {}: {what}", quote(text)),
                ))
            }
            (_, _, Some(pattern)) if !pattern.matches(text) => {
                let what = format!("{} in body should match '{}'", path(), pattern.source);
                Some((
                    SchemaErrorKind::Pattern,
                    format!("Invalid value: {}: {what}", quote(text)),
                ))
            }
            _ => None,
        };
        if let Some((kind, message)) = wrong {
            self.say(kind, message);
        }
        if let Some(format) = &node.format
            && !format.accepts(text)
        {
            let text = quote(text);
            let path = self.field();
            let message = format!(
                "Invalid value: {text}: {path} in body must be of type {}: {text}",
                format.name
            );
            self.say(SchemaErrorKind::Format, message);
        }
    }

    fn check_number(&mut self, node: &Node, value: &Value) {
        if node.types.single() == Some("integer") {
            let fits = match value.as_i64() {
                Some(value) => node
                    .format
                    .as_ref()
                    .is_none_or(|format| format.accepts_integer(value)),
                None => is_whole(value),
            };
            if !fits {
                let format = node.format.as_ref().map(|format| &*format.name);
                let format = format.map_or_else(
                    || "(default format)".into(),
                    |name| format!("with format {name}"),
                );
                let path = self.field();
                let message = format!(
                    "Invalid value: \"\": Checked value must be of type integer {format} in {path}"
                );
                self.say(SchemaErrorKind::Range, message);
            }
        }
        self.check_bound(
            value,
            node.maximum,
            Ordering::Greater,
            ["less than or equal to", "less than"],
        );
        self.check_bound(
            value,
            node.minimum,
            Ordering::Less,
            ["greater than or equal to", "greater than"],
        );
    }

    /// Checks that a number does not lie beyond a bound, nor on it if that is `exclusive`.
    fn check_bound(
        &mut self,
        value: &Value,
        bound: Option<Bound>,
        beyond: Ordering,
        [inclusive, exclusive]: [&str; 2],
    ) {
        let (Some(bound), Some(number)) = (bound, value.as_f64()) else {
            return;
        };
        let order = number.partial_cmp(&bound.value);
        if order != Some(beyond) && !(bound.exclusive && order == Some(Ordering::Equal)) {
            return;
        }
        let words = if bound.exclusive {
            exclusive
        } else {
            inclusive
        };
        // Go compares integers with integers.
        let limit = if value.is_i64() {
            bound.value.trunc().to_string()
        } else {
            Float(bound.value).to_string()
        };
        let (path, value) = (self.field(), shown(value));
        let message = format!("Invalid value: {value}: {path} in body should be {words} {limit}");
        self.say(SchemaErrorKind::Range, message);
    }

    fn list(&mut self, node: &'a Node, items: &'a [Value]) {
        if let Some(of) = &node.items {
            for (at, item) in items.iter().enumerate() {
                self.path.push(Token::Index(at));
                self.value(of, item);
                self.path.pop();
            }
        }
        let count = items.len() as u64;
        if let Some(min) = node.count.min.filter(|min| count < *min) {
            let what = format!("{} in body should have at least {min} items", self.field());
            self.say(
                SchemaErrorKind::Count,
                format!("Invalid value: {count}: {what}"),
            );
        }
        if let Some(max) = node.count.max.filter(|max| count > *max) {
            let word = if max == 1 { "item" } else { "items" };
            self.say(
                SchemaErrorKind::Count,
                format!("Too many: {count}: must have at most {max} {word}"),
            );
        }
        match &node.list_type {
            ListType::Atomic => {}
            ListType::Set => {
                self.check_distinct(items.iter().map(|item| (item.to_string(), shown(item))));
            }
            ListType::Map(keys) => self.check_map_keys(node, keys, items),
        }
    }

    fn check_map_keys(&mut self, node: &'a Node, keys: &[Box<str>], items: &'a [Value]) {
        for (at, item) in items.iter().enumerate() {
            if !matches!(item, Value::Object(_) | Value::Null) {
                self.path.push(Token::Index(at));
                let message = format!(
                    "Invalid value: {}: must be an object for an array of list-type map",
                    shown(item)
                );
                self.say(SchemaErrorKind::Type, message);
                self.path.pop();
                return;
            }
        }
        let key = |item: &Value| {
            let field = |name: &str| {
                let default = || node.items.as_ref()?.property(name)?.default.as_ref();
                item.get(name)
                    .filter(|value| !value.is_null())
                    .or_else(default)
                    .cloned()
            };
            let fields = keys
                .iter()
                .filter_map(|name| Some((name.to_string(), field(name)?)));
            Value::Object(fields.collect()).to_string()
        };
        self.check_distinct(items.iter().map(|item| {
            let key = key(item);
            (key.clone(), key)
        }));
    }

    /// Names the second of entries that are the same. Each comes with how it is shown.
    fn check_distinct(&mut self, entries: impl Iterator<Item = (String, String)>) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (at, (entry, shown)) in entries.enumerate() {
            let times = seen.entry(entry).or_default();
            *times += 1;
            if *times == 2 {
                self.path.push(Token::Index(at));
                self.say(
                    SchemaErrorKind::Duplicate,
                    format!("Duplicate value: {shown}"),
                );
                self.path.pop();
            }
        }
    }

    fn object(&mut self, node: &'a Node, fields: &'a Map<String, Value>) {
        self.check_field_count(node, fields.len() as u64);
        let root = self.path.is_empty() && !self.alternative;
        for (name, value) in fields {
            self.path.push(Token::Field(name));
            let meta = (root || node.embedded) && META_FIELDS.contains(&name.as_str());
            if root && name == "metadata" {
                self.value(&METADATA, value);
            } else if root && name == "status" {
            } else if let Some(property) = node.property(name) {
                // The server takes such a null away, or puts the default there.
                if !value.is_null() || property.node.nullable {
                    self.value(&property.node, value);
                }
            } else if let Some(of) = &node.additional {
                if !value.is_null() || of.nullable {
                    self.value(of, value);
                }
            } else if !node.preserve && !meta && !self.alternative {
                self.unknown_field(node, name);
            }
            self.path.pop();
        }
        for name in &node.required {
            let property = node.property(name);
            let default = property.is_some_and(|property| property.default.is_some());
            let present = fields.get(&**name).is_some_and(|value| {
                !value.is_null() || property.is_none_or(|property| property.node.nullable)
            });
            if !present && !default {
                self.path.push(Token::Field(name));
                self.say(SchemaErrorKind::Required, "Required value".to_owned());
                self.path.pop();
            }
        }
    }

    fn check_field_count(&mut self, node: &Node, count: u64) {
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

    fn say(&mut self, kind: SchemaErrorKind, message: String) {
        let mut pointer = PointerBuf::new();
        for token in &self.path {
            match token {
                Token::Field(name) => pointer.push_back(*name),
                Token::Index(at) => pointer.push_back(*at),
            }
        }
        self.errors.push(SchemaError {
            pointer,
            kind,
            message,
        });
    }

    /// The place as Kubernetes spells it: `spec.drClusters[1]`.
    fn field(&self) -> String {
        let mut field = String::new();
        for token in &self.path {
            match token {
                Token::Field(name) if field.is_empty() => field.push_str(name),
                Token::Field(name) => {
                    field.push('.');
                    field.push_str(name);
                }
                Token::Index(at) => {
                    // Writing into a String does not fail.
                    let _ = write!(field, "[{at}]");
                }
            }
        }
        field
    }
}
