//! The rules in CEL that a schema may have: `x-kubernetes-validations`.
//!
//! A rule that the interpreter can't evaluate says nothing: no object is refused for what it lacks. Rules
//! within `allOf` are not asked, and kube-apiserver's cost limit is not kept.
//!
//! Source: k8s.io/apiextensions-apiserver `pkg/apiserver/schema/cel`, k8s.io/apiserver `pkg/cel/common`.

use std::{collections::HashMap, sync::Arc};

use jsonptr::PointerBuf;
use serde_json::{Map, Value};

use super::{
    SchemaError, SchemaErrorKind,
    compile::{ListType, Node},
    value::shown,
};
use crate::{
    cel::{self, Expression, Variables},
    golang::base64,
};

/// The rules of a schema.
#[derive(Debug, Default)]
pub(super) struct Rules {
    here: Box<[Rule]>,
    /// Whether there are rules in the schemas below.
    below: bool,
}

impl Rules {
    pub(super) fn new(schema: &Value, below: bool) -> Self {
        let rules = schema
            .get("x-kubernetes-validations")
            .and_then(Value::as_array);
        let here = rules.into_iter().flatten().filter_map(Rule::new);
        Self {
            here: here.collect(),
            below,
        }
    }

    /// Whether there are rules here or below.
    pub(super) fn any(&self) -> bool {
        self.below || !self.here.is_empty()
    }
}

/// One rule of a schema.
#[derive(Debug)]
struct Rule {
    expression: Expression,
    message: Option<Box<str>>,
    message_expression: Option<Expression>,
    reason: Reason,
    /// The field to blame, below the value that the rule is about.
    field: Vec<String>,
    /// Whether it compares with what is stored, and is not asked where nothing is.
    transition: bool,
    /// Whether it is asked all the same.
    optional_old: bool,
}

#[derive(Clone, Copy, Debug)]
enum Reason {
    Invalid,
    Forbidden,
    Required,
    Duplicate,
}

impl Rule {
    fn new(rule: &Value) -> Option<Self> {
        let text = |name: &str| {
            rule.get(name)
                .and_then(Value::as_str)
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        let expression = text("rule")?;
        let optional_old = rule.get("optionalOldSelf") == Some(&Value::Bool(true));
        Some(Self {
            expression: Expression::new(expression),
            message: text("message").map(Box::from),
            message_expression: text("messageExpression").map(Expression::new),
            reason: match text("reason") {
                Some("FieldValueForbidden") => Reason::Forbidden,
                Some("FieldValueRequired") => Reason::Required,
                Some("FieldValueDuplicate") => Reason::Duplicate,
                _ => Reason::Invalid,
            },
            field: text("fieldPath").map_or_else(Vec::new, fields),
            transition: expression.contains("oldSelf"),
            optional_old,
        })
    }

    /// What kube-apiserver says of a value that breaks the rule.
    fn message(&self, node: &Node, value: &Value, scope: &Variables) -> String {
        let computed = self.message_expression.as_ref().and_then(|expression| {
            let cel::Value::String(text) = expression.evaluate(scope)? else {
                return None;
            };
            let text = text.trim();
            let fits = !text.is_empty() && !text.contains('\n') && text.len() <= 5 * 1024;
            fits.then(|| text.to_owned())
        });
        let detail = computed.unwrap_or_else(|| match &self.message {
            Some(message) => message.to_string(),
            None => format!("failed rule: {}", self.expression.source()),
        });
        let whole = matches!(node.types.single(), Some("object" | "array"));
        match self.reason {
            Reason::Invalid if whole => format!("Invalid value: {detail}"),
            Reason::Invalid => format!("Invalid value: {}: {detail}", shown(value)),
            Reason::Forbidden => format!("Forbidden: {detail}"),
            Reason::Required => format!("Required value: {detail}"),
            Reason::Duplicate if whole => "Duplicate value".to_owned(),
            Reason::Duplicate => format!("Duplicate value: {}", shown(value)),
        }
    }
}

/// The fields of a path such as `.spec['a.b']`.
fn fields(path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("['") {
            let Some((name, after)) = quoted.split_once("']") else {
                break;
            };
            found.push(name.replace("\\'", "'").replace("\\\\", "\\"));
            rest = after;
        } else {
            let bare = rest.strip_prefix('.').unwrap_or(rest);
            let end = bare.find(['.', '[']).unwrap_or(bare.len());
            let (name, after) = bare.split_at(end);
            found.push(name.to_owned());
            rest = if after.len() < rest.len() { after } else { "" };
        }
    }
    found
}

/// What the rules of a schema refuse of an object that is new, or that changes from `old`.
pub(super) fn judge(root: &Node, object: &Value, old: Option<&Value>) -> Vec<SchemaError> {
    let mut judge = Judge {
        pointer: PointerBuf::new(),
        errors: Vec::new(),
    };
    judge.visit(root, object, old, None);
    judge.errors
}

/// A value beside the one that is stored in its place.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) node: &'a Node,
    pub(super) new: &'a Value,
    pub(super) old: &'a Value,
    pub(super) root: bool,
}

impl Pair<'_> {
    /// Whether the value stays as it is stored.
    pub(super) fn is_same(self) -> bool {
        let new = converted(self.node, self.new, None, self.root);
        new.is_some() && new == converted(self.node, self.old, Some(self.new), self.root)
    }
}

struct Judge {
    pointer: PointerBuf,
    errors: Vec<SchemaError>,
}

impl Judge {
    /// `outer` is the nearest value around this one that can be compared with a stored one.
    fn visit<'a>(
        &mut self,
        node: &'a Node,
        value: &'a Value,
        old: Option<&'a Value>,
        outer: Option<Pair<'a>>,
    ) {
        if !node.rules.any() || value.is_null() {
            return;
        }
        let old = old.filter(|old| !old.is_null());
        let pair = old.map(|old| Pair {
            node,
            new: value,
            old,
            root: self.pointer.is_root(),
        });
        let pair = pair.or(outer);
        self.ask(node, value, old, pair);
        match value {
            Value::Object(fields) => self.visit_fields(node, fields, old, pair),
            Value::Array(items) => {
                if let Some(of) = &node.items {
                    let stored = old.map_or_else(HashMap::new, |old| by_key(node, old));
                    for (at, item) in items.iter().enumerate() {
                        let old = key_of(node, item).and_then(|key| stored.get(&key).copied());
                        self.pointer.push_back(at);
                        self.visit(of, item, old, pair);
                        self.pointer.pop_back();
                    }
                }
            }
            _ => {}
        }
    }

    fn visit_fields<'a>(
        &mut self,
        node: &'a Node,
        fields: &'a Map<String, Value>,
        old: Option<&'a Value>,
        pair: Option<Pair<'a>>,
    ) {
        let root = self.pointer.is_root();
        let ruled = node.properties.iter().filter(|(_, it)| it.node.rules.any());
        for (name, property) in ruled.filter(|(name, _)| !(root && is_apart(name))) {
            if let Some(value) = property.value(fields.get(&**name)) {
                let old = old.and_then(|old| property.value(old.get(&**name)));
                self.pointer.push_back(&**name);
                self.visit(&property.node, value, old, pair);
                self.pointer.pop_back();
            }
        }
        let Some(of) = node.additional.as_ref().filter(|of| of.rules.any()) else {
            return;
        };
        for (name, value) in fields {
            if node.property(name).is_none() {
                self.pointer.push_back(name.as_str());
                self.visit(of, value, old.and_then(|old| old.get(name)), pair);
                self.pointer.pop_back();
            }
        }
    }

    fn ask(&mut self, node: &Node, value: &Value, old: Option<&Value>, pair: Option<Pair<'_>>) {
        let asks = |rule: &&Rule| !rule.transition || rule.optional_old || old.is_some();
        let asked: Vec<&Rule> = node.rules.here.iter().filter(asks).collect();
        if asked.is_empty() {
            return;
        }
        let root = self.pointer.is_root();
        let Some(new) = converted(node, value, None, root) else {
            return;
        };
        let stored = old.map(|old| converted(node, old, Some(value), root));
        let mut scope = Variables::default();
        scope.set("self", new);
        for rule in asked {
            match &stored {
                _ if !rule.transition => {}
                // What is stored may be anything.
                Some(None) => continue,
                Some(Some(old)) if !rule.optional_old => {
                    scope.set("oldSelf", old.clone());
                }
                None if !rule.optional_old => continue,
                stored => {
                    let old = stored.clone().flatten();
                    let old = old.map_or_else(cel::OptionalValue::none, cel::OptionalValue::of);
                    scope.set("oldSelf", cel::Value::Opaque(Arc::new(old)));
                }
            }
            if rule.expression.evaluate(&scope) == Some(cel::Value::Bool(false)) {
                let mut pointer = self.pointer.clone();
                pointer.append(PointerBuf::from_tokens(&rule.field));
                self.errors.push(SchemaError {
                    pointer,
                    kind: SchemaErrorKind::Rule,
                    message: rule.message(node, value, &scope),
                    stored: !rule.transition && pair.is_some_and(Pair::is_same),
                });
            }
        }
    }
}

/// Whether a field of the root is none of the schema's business.
fn is_apart(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata" | "status")
}

/// The items of a list of type map, by their keys.
pub(super) fn by_key<'a>(node: &Node, list: &'a Value) -> HashMap<String, &'a Value> {
    let items = list.as_array().map_or(&[][..], Vec::as_slice);
    let keyed = items.iter().map(|item| Some((key_of(node, item)?, item)));
    keyed.collect::<Option<_>>().unwrap_or_default()
}

/// What tells an item of a list of type map from the others.
pub(super) fn key_of(node: &Node, item: &Value) -> Option<String> {
    let ListType::Map(keys) = &node.list_type else {
        return None;
    };
    let key = |name: &str| {
        let given = item.get(name);
        let property = node.items.as_ref()?.property(name);
        property.map_or(given, |property| property.value(given))
    };
    let values: Vec<Option<&Value>> = keys.iter().map(|name| key(name)).collect();
    serde_json::to_string(&values).ok()
}

/// A value as CEL sees it: with the defaults, without the fields that the schema does not know. Where a
/// list has no order, its items come in the order of `beside`. `None` if it can't be seen so.
fn converted(node: &Node, value: &Value, beside: Option<&Value>, root: bool) -> Option<cel::Value> {
    Some(match (value, node.types.single()) {
        (Value::Null, _) => cel::Value::Null,
        (Value::Bool(value), _) => cel::Value::Bool(*value),
        (Value::Number(value), Some("number")) => cel::Value::Float(value.as_f64()?),
        (Value::Number(value), _) => cel::Value::Int(value.as_i64()?),
        (Value::String(text), Some("string")) => formatted(node, text)?,
        (Value::String(text), _) => cel::text(text),
        (Value::Array(items), _) => {
            let Some(of) = &node.items else {
                return Some(cel::value(value));
            };
            let beside = beside
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice);
            let items = in_order_of(node, items, beside).into_iter().enumerate();
            let items = items.map(|(at, item)| converted(of, item, beside.get(at), false));
            cel::list(items.collect::<Option<_>>()?)
        }
        (Value::Object(fields), _) => {
            let mut entries = declared(node, fields, beside, root)?;
            for (name, value) in fields
                .iter()
                .filter(|_| node.additional.is_some() || node.preserve)
            {
                if node.property(name).is_some() || root && is_apart(name) {
                    continue;
                }
                match &node.additional {
                    Some(of) if value.is_null() && !of.nullable => {}
                    Some(of) => {
                        let beside = beside.and_then(|beside| beside.get(name));
                        entries.push((name.clone(), converted(of, value, beside, false)?));
                    }
                    None => entries.push((escaped(name), cel::value(value))),
                }
            }
            cel::map(entries)
        }
    })
}

/// The fields that a schema declares, and those that every object has.
fn declared(
    node: &Node,
    fields: &Map<String, Value>,
    beside: Option<&Value>,
    root: bool,
) -> Option<Vec<(String, cel::Value)>> {
    let mut entries = Vec::new();
    for (name, property) in &node.properties {
        if root && is_apart(name) {
            continue;
        }
        if let Some(value) = property.value(fields.get(&**name)) {
            let beside = beside.and_then(|beside| property.value(beside.get(&**name)));
            let value = converted(&property.node, value, beside, false)?;
            entries.push((escaped(name), value));
        }
    }
    if root || node.embedded {
        let text = |value: &Value| value.as_str().map(cel::text);
        for name in ["apiVersion", "kind"] {
            let value = fields.get(name).and_then(text);
            entries.push((name.to_owned(), value.unwrap_or_else(|| cel::text(""))));
        }
        let names = ["name", "generateName"].into_iter().filter_map(|name| {
            let value = fields.get("metadata")?.get(name).and_then(text)?;
            Some((name.to_owned(), value))
        });
        entries.push(("metadata".to_owned(), cel::map(names)));
    }
    Some(entries)
}

/// A text of a format that CEL has a type for.
fn formatted(node: &Node, text: &str) -> Option<cel::Value> {
    match node.format.as_ref().map(|format| &*format.name) {
        Some("duration") => cel::duration_value(text),
        Some("date-time" | "datetime") => cel::timestamp_value(text),
        Some("date") => cel::timestamp_value(&format!("{text}T00:00:00Z")),
        Some("byte") => Some(cel::Value::Bytes(Arc::new(base64::decode(text)?))),
        _ => Some(cel::text(text)),
    }
}

/// The items of a list of type set or map in the order of another that has the same ones.
fn in_order_of<'a>(node: &Node, items: &'a [Value], beside: &[Value]) -> Vec<&'a Value> {
    let as_written = || items.iter().collect();
    if node.list_type == ListType::Atomic || items.len() != beside.len() {
        return as_written();
    }
    let key = |item: &Value| key_of(node, item).unwrap_or_else(|| item.to_string());
    let known: HashMap<String, &Value> = items.iter().map(|item| (key(item), item)).collect();
    let ordered = beside.iter().map(|item| known.get(&key(item)).copied());
    match ordered.collect::<Option<Vec<_>>>() {
        Some(ordered) if known.len() == items.len() => ordered,
        _ => as_written(),
    }
}

/// A field's name as a rule has to write it.
fn escaped(name: &str) -> String {
    const RESERVED: [&str; 21] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    name.replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__")
}
