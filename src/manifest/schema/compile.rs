//! From a schema's JSON to what can be walked fast.

use std::sync::{LazyLock, OnceLock};

use jsonptr::Pointer;
use regex::Regex;
use serde_json::{Value, json};

use super::{cel::Rules, format::Format};
use crate::golang::regexp;

/// The schema of one value.
#[derive(Debug, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a keyword of its own"
)]
pub(super) struct Node {
    pub(super) types: Types,
    pub(super) nullable: bool,
    pub(super) format: Option<Format>,
    /// Sorted by name.
    pub(super) properties: Vec<(Box<str>, Property)>,
    pub(super) additional: Option<Box<Node>>,
    /// Fields that are not known stay.
    pub(super) preserve: bool,
    /// An object of its own, with `apiVersion`, `kind` and `metadata`.
    pub(super) embedded: bool,
    pub(super) required: Vec<Box<str>>,
    pub(super) items: Option<Box<Node>>,
    pub(super) list_type: ListType,
    pub(super) values: Vec<Value>,
    pub(super) pattern: Option<Pattern>,
    pub(super) minimum: Option<Bound>,
    pub(super) maximum: Option<Bound>,
    pub(super) length: Limits,
    pub(super) count: Limits,
    pub(super) fields: Limits,
    pub(super) multiple_of: Option<f64>,
    pub(super) any_of: Vec<Node>,
    pub(super) one_of: Vec<Node>,
    pub(super) all_of: Vec<Node>,
    pub(super) not: Option<Box<Node>>,
    /// Whether a null in a list or a map becomes something else.
    pub(super) defaulted: bool,
    pub(super) rules: Rules,
}

#[derive(Debug)]
pub(super) struct Property {
    pub(super) node: Node,
    pub(super) default: Option<Value>,
}

/// The types that a value may have; none if any will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(Vec<&'static str>);

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum ListType {
    #[default]
    Atomic,
    Set,
    Map(Vec<Box<str>>),
}

#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) min: Option<u64>,
    pub(super) max: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) value: f64,
    pub(super) exclusive: bool,
}

/// A pattern, compiled when first asked for.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) source: Box<str>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Whether the text matches. A pattern that can't be compiled matches everything: the CRD's
    /// mistake is not the object's.
    pub(super) fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| regexp::compile(&self.source));
        compiled
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(text))
    }
}

pub(super) const NAMES: [&str; 6] = ["object", "array", "string", "integer", "number", "boolean"];

impl Property {
    /// What the field holds: what is given, or else the default. A null is as good as nothing where
    /// the schema has no place for it.
    pub(super) fn value<'a>(&'a self, given: Option<&'a Value>) -> Option<&'a Value> {
        given
            .filter(|value| !value.is_null() || self.node.nullable)
            .or(self.default.as_ref())
    }
}

impl Types {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    pub(super) fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// The one type, if it is one.
    pub(super) fn single(&self) -> Option<&'static str> {
        if let [only] = self.0[..] {
            Some(only)
        } else {
            None
        }
    }

    /// An empty value of the first of them.
    pub(super) fn empty(&self) -> Option<Value> {
        Some(match *self.0.first()? {
            "object" => json!({}),
            "array" => json!([]),
            "string" => json!(""),
            "boolean" => json!(false),
            _ => json!(0),
        })
    }

    /// As an error names them.
    pub(super) fn names(&self) -> String {
        self.0.join(",")
    }
}

impl Node {
    /// The schema of the value at a place below this one's.
    pub(super) fn at(&self, place: &Pointer) -> Option<&Self> {
        place.tokens().try_fold(self, |node, token| {
            let name = token.decoded();
            let known = node.properties.iter();
            let mut known = known.filter(|(known, _)| **known == *name);
            let known = known.next().map(|(_, property)| &property.node);
            known
                .or(node.additional.as_deref())
                .or(node.items.as_deref())
        })
    }

    pub(super) fn new(schema: &Value) -> Self {
        let flag = |name: &str| schema.get(name).and_then(Value::as_bool).unwrap_or(false);
        let text = |name: &str| schema.get(name).and_then(Value::as_str);
        let list = |name: &str| {
            schema
                .get(name)
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice)
        };
        let strings = |name: &str| {
            list(name)
                .iter()
                .filter_map(Value::as_str)
                .map(Box::from)
                .collect()
        };
        let limits = |min: &str, max: &str| Limits {
            min: schema.get(min).and_then(Value::as_u64),
            max: schema.get(max).and_then(Value::as_u64),
        };
        let bound = |name: &str, exclusive: &str| {
            let value = schema.get(name).and_then(Value::as_f64)?;
            Some(Bound {
                value,
                exclusive: flag(exclusive),
            })
        };
        let types = if flag("x-kubernetes-int-or-string") {
            Types(vec!["integer", "string"])
        } else {
            Types(
                text("type")
                    .and_then(|name| NAMES.into_iter().find(|known| *known == name))
                    .into_iter()
                    .collect(),
            )
        };
        let list_type = match text("x-kubernetes-list-type") {
            Some("set") => ListType::Set,
            Some("map") => ListType::Map(strings("x-kubernetes-list-map-keys")),
            _ => ListType::Atomic,
        };
        let child = |name: &str| {
            let schema = schema.get(name).filter(|of| of.is_object());
            schema.map(|of| Box::new(Self::new(of)))
        };
        let nodes = |name: &str| list(name).iter().map(Self::new).collect();
        let (properties, additional, items) = (
            properties(schema),
            child("additionalProperties"),
            child("items"),
        );
        let below = properties.iter().map(|(_, property)| &property.node);
        let mut below = below.chain(additional.as_deref()).chain(items.as_deref());
        let rules = Rules::new(schema, below.any(|node| node.rules.any()));
        Self {
            format: text("format").and_then(|name| Format::new(name, &types)),
            types,
            nullable: flag("nullable"),
            properties,
            additional,
            preserve: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            required: strings("required"),
            items,
            list_type,
            values: list("enum").to_vec(),
            pattern: text("pattern")
                .filter(|pattern| !pattern.is_empty())
                .map(|pattern| Pattern {
                    source: pattern.into(),
                    compiled: OnceLock::new(),
                }),
            minimum: bound("minimum", "exclusiveMinimum"),
            maximum: bound("maximum", "exclusiveMaximum"),
            length: limits("minLength", "maxLength"),
            count: limits("minItems", "maxItems"),
            fields: limits("minProperties", "maxProperties"),
            multiple_of: schema.get("multipleOf").and_then(Value::as_f64),
            any_of: nodes("anyOf"),
            one_of: nodes("oneOf"),
            all_of: nodes("allOf"),
            not: child("not"),
            defaulted: schema.get("default").is_some_and(|it| !it.is_null()),
            rules,
        }
    }

    /// The schema of a field, if there may be one of this name.
    pub(super) fn field(&self, name: &str) -> Option<&Self> {
        match self.property(name) {
            Some(property) => Some(&property.node),
            None => self.additional.as_deref(),
        }
    }

    /// Whether a null of this name is as good as nothing.
    pub(super) fn drops_null(&self, name: &str) -> bool {
        self.field(name).is_some_and(|of| !of.nullable)
    }

    /// What a field holds that is not there.
    pub(super) fn default_of(&self, name: &str) -> Option<&Value> {
        self.property(name)?.default.as_ref()
    }

    pub(super) fn property(&self, name: &str) -> Option<&Property> {
        let at = self
            .properties
            .binary_search_by(|(known, _)| (**known).cmp(name))
            .ok()?;
        Some(&self.properties[at].1)
    }
}

fn properties(schema: &Value) -> Vec<(Box<str>, Property)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let properties = properties.into_iter().flatten().map(|(name, schema)| {
        let default = schema
            .get("default")
            .filter(|default| !default.is_null())
            .cloned();
        (
            name.as_str().into(),
            Property {
                node: Node::new(schema),
                default,
            },
        )
    });
    let mut properties: Vec<(Box<str>, Property)> = properties.collect();
    properties.sort_by(|(one, _), (other, _)| one.cmp(other));
    properties
}

/// What every object has under `metadata`.
pub(super) static METADATA: LazyLock<Node> = LazyLock::new(|| {
    let string = || json!({"type": "string"});
    let number = || json!({"type": "integer", "format": "int64"});
    let time = || json!({"type": "string", "nullable": true});
    let map = || json!({"type": "object", "additionalProperties": {"type": "string"}});
    // A null is as good as nothing in it.
    let owner = json!({"type": "object", "nullable": true, "properties": {
        "apiVersion": string(), "kind": string(), "name": string(), "uid": string(),
        "controller": {"type": "boolean"}, "blockOwnerDeletion": {"type": "boolean"},
    }});
    Node::new(&json!({"type": "object", "properties": {
        "name": string(), "generateName": string(), "namespace": string(), "uid": string(),
        "resourceVersion": string(), "selfLink": string(),
        "generation": number(), "deletionGracePeriodSeconds": number(),
        "creationTimestamp": time(), "deletionTimestamp": time(),
        "labels": map(), "annotations": map(),
        "finalizers": {"type": "array", "items": {"type": "string", "nullable": true}},
        "ownerReferences": {"type": "array", "items": owner},
        "managedFields": {"type": "array", "items": {"x-kubernetes-preserve-unknown-fields": true}},
    }}))
});
