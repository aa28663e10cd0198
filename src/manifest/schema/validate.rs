//! The walk.

use std::{cmp::Ordering, fmt::Write as _};

use jsonptr::PointerBuf;
use serde_json::Value;

use super::{
    SchemaError, SchemaErrorKind,
    cel::Pair,
    compile::{Bound, Node},
    metadata::Owner,
    value::{Float, is_same, is_whole, plain, shown, type_name},
};
use crate::golang::quote;

pub(super) fn validate(
    root: &Node,
    object: &Value,
    old: Option<&Value>,
    status: bool,
) -> Vec<SchemaError> {
    let owner = if old.is_some() {
        Owner::Stored
    } else {
        Owner::New
    };
    let mut walk = Walk {
        path: Vec::new(),
        errors: Vec::new(),
        alternative: false,
        shape: Some(root),
        old,
        owner,
        status,
    };
    walk.value(root, object);
    // Of lists whose entries have to differ the server asks nothing where one is stored that has not.
    let mut errors = walk.errors;
    let same = |errors: &[SchemaError]| {
        let is_list = |error: &SchemaError| error.kind == SchemaErrorKind::Duplicate;
        errors.iter().any(is_list)
    };
    if let Some(old) = old
        && same(&errors)
        && same(&validate(root, old, None, status))
    {
        let lists = errors.iter_mut();
        for error in lists.filter(|error| error.kind == SchemaErrorKind::Duplicate) {
            error.stored = true;
        }
    }
    errors
}

pub(super) struct Walk<'a> {
    pub(super) path: Vec<Token<'a>>,
    pub(super) errors: Vec<SchemaError>,
    /// Within one of several schemas, which does not say which fields there are.
    pub(super) alternative: bool,
    /// The schema that does say it for the value that the walk is at: what it does not know is dropped, and
    /// so are nulls, before anything is checked.
    pub(super) shape: Option<&'a Node>,
    /// What is stored in the place that the walk is at.
    pub(super) old: Option<&'a Value>,
    /// Whose metadata the object's own is.
    pub(super) owner: Owner,
    /// Whether `status` is a field like any other.
    pub(super) status: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Token<'a> {
    Field(&'a str),
    Index(usize),
}

impl<'a> Walk<'a> {
    pub(super) fn value(&mut self, node: &'a Node, value: &'a Value) {
        let before = self.errors.len();
        self.check_value(node, value);
        let found = self.errors.len();
        if found > before
            && let Some(old) = self.old
        {
            let root = self.path.is_empty();
            let pair = Pair {
                node,
                new: value,
                old,
                root,
            };
            if old == value || pair.is_same() {
                for error in &mut self.errors[before..found] {
                    error.stored |= error.kind.is_let_be();
                }
            }
        }
    }

    fn check_value(&mut self, node: &'a Node, value: &'a Value) {
        self.check_type(node, value);
        if !value.is_null() {
            self.check_combinations(node, value);
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
        if let Some(factor) = node.multiple_of
            && !is_multiple(value, factor)
        {
            let what = format!(
                "{} in body should be a multiple of {}",
                self.field(),
                Float(factor)
            );
            let message = format!("Invalid value: {}: {what}", shown(value));
            self.say(SchemaErrorKind::Range, message);
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
        // Go compares integers with integers.
        let limit = if value.is_i64() {
            bound.value.trunc()
        } else {
            bound.value
        };
        let order = number.partial_cmp(&limit);
        if order != Some(beyond) && !(bound.exclusive && order == Some(Ordering::Equal)) {
            return;
        }
        let words = if bound.exclusive {
            exclusive
        } else {
            inclusive
        };
        let limit = if value.is_i64() {
            limit.to_string()
        } else {
            Float(limit).to_string()
        };
        let (path, value) = (self.field(), shown(value));
        let message = format!("Invalid value: {value}: {path} in body should be {words} {limit}");
        self.say(SchemaErrorKind::Range, message);
    }

    pub(super) fn say(&mut self, kind: SchemaErrorKind, message: String) {
        self.errors.push(SchemaError {
            pointer: self.pointer(),
            kind,
            message,
            stored: false,
        });
    }

    pub(super) fn pointer(&self) -> PointerBuf {
        let mut pointer = PointerBuf::new();
        for token in &self.path {
            match token {
                Token::Field(name) => pointer.push_back(*name),
                Token::Index(at) => pointer.push_back(*at),
            }
        }
        pointer
    }

    /// The place as Kubernetes spells it: `spec.drClusters[1]`.
    pub(super) fn field(&self) -> String {
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

/// Whether a number is a multiple of another. Go divides integers by integers, which none is where the
/// factor is less than one.
fn is_multiple(value: &Value, factor: f64) -> bool {
    match value.as_f64() {
        Some(number) if value.is_i64() => {
            let factor = factor.trunc();
            factor > 0.0 && (number / factor).fract() == 0.0
        }
        Some(number) => (number / factor).fract() == 0.0,
        None => true,
    }
}
