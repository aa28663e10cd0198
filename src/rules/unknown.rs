//! Fields that a kind does not have.
//!
//! The API server drops them without a word before any webhook sees the object, so only a manifest
//! has them.

use serde_json::{Map, Value};

use super::{Report, below};
use crate::report::nearest;

/// What every object has beside its body. Whether `status` is known makes no difference: nobody
/// writes it.
const COMMON: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];

/// States every field of an object that its schema, as a CRD has it, does not have.
pub(super) fn unknown_fields(schema: &Value, object: &Value, report: &mut Report) {
    let (Some(object), Some(known)) = (object.as_object(), properties(schema)) else {
        return;
    };
    for (name, value) in object {
        if !COMMON.contains(&&**name) {
            field(known, &Path { parent: None, name }, value, report);
        }
    }
}

/// Where the walk is. It is only written out where something is found.
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: &'a str,
}

impl Path<'_> {
    fn pointer(&self) -> String {
        below(
            &self.parent.map(Path::pointer).unwrap_or_default(),
            self.name,
        )
    }
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

fn field(known: &Map<String, Value>, path: &Path<'_>, value: &Value, report: &mut Report) {
    if let Some(schema) = known.get(path.name) {
        return walk(schema, value, path, report);
    }
    let draft = report.say(
        path.pointer(),
        "there is no such field, so it will be dropped",
    );
    if let Some(near) = nearest(path.name, known.keys().map(String::as_str)) {
        draft.fix(format!("did you mean \"{near}\"?"));
    }
}

fn walk(schema: &Value, value: &Value, path: &Path<'_>, report: &mut Report) {
    match value {
        Value::Object(fields) => {
            if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
                return;
            }
            let (known, values) = (properties(schema), schema.get("additionalProperties"));
            for (name, value) in fields {
                let path = Path {
                    parent: Some(path),
                    name,
                };
                match (values, known) {
                    (Some(schema), _) => walk(schema, value, &path, report),
                    (None, Some(known)) => field(known, &path, value, report),
                    (None, None) => {}
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else {
                return;
            };
            for (index, item) in items.iter().enumerate() {
                walk(
                    schema,
                    item,
                    &Path {
                        parent: Some(path),
                        name: &index.to_string(),
                    },
                    report,
                );
            }
        }
        _ => {}
    }
}
