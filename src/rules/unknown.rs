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
            field(known, name, value, "", report);
        }
    }
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

fn field(known: &Map<String, Value>, name: &str, value: &Value, parent: &str, report: &mut Report) {
    let place = below(parent, name);
    if let Some(schema) = known.get(name) {
        return walk(schema, value, &place, report);
    }
    let draft = report.say(place, "there is no such field, so it will be dropped");
    if let Some(near) = nearest(name, known.keys().map(String::as_str)) {
        draft.fix(format!("did you mean \"{near}\"?"));
    }
}

fn walk(schema: &Value, value: &Value, place: &str, report: &mut Report) {
    if schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true)) {
        return;
    }
    match value {
        Value::Object(fields) => match (properties(schema), schema.get("additionalProperties")) {
            (_, Some(values)) => {
                for (name, value) in fields {
                    walk(values, value, &below(place, name), report);
                }
            }
            (Some(known), None) => {
                for (name, value) in fields {
                    field(known, name, value, place, report);
                }
            }
            (None, None) => {}
        },
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else {
                return;
            };
            for (index, item) in items.iter().enumerate() {
                walk(schema, item, &format!("{place}/{index}"), report);
            }
        }
        _ => {}
    }
}
