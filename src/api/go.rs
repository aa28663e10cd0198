//! What Go reads out of YAML where the types here would be stricter (`sigs.k8s.io/yaml`, then
//! `encoding/json`).

use serde_json::{Map, Number, Value};

/// The value with the keys and types that its schema has, as far as Go would bring them together.
pub(crate) fn as_go_reads(value: &Value, schema: &Value) -> Value {
    match value {
        Value::Object(fields) => match schema.get("properties").and_then(Value::as_object) {
            Some(properties) => Value::Object(spelled(fields, properties)),
            None => value.clone(),
        },
        Value::Array(items) => match schema.get("items") {
            Some(schema) => items.iter().map(|item| as_go_reads(item, schema)).collect(),
            None => value.clone(),
        },
        Value::Bool(_) | Value::Number(_) if schema["type"] == "string" => text(value).into(),
        Value::Number(number) if schema["type"] == "integer" => whole(number).into(),
        _ => value.clone(),
    }
}

/// Go takes a key for a field's also if only their case differs. Keys come sorted, and the last wins.
fn spelled(fields: &Map<String, Value>, properties: &Map<String, Value>) -> Map<String, Value> {
    let mut known = Map::new();
    for (key, value) in fields {
        let exact = properties.get_key_value(key);
        let property = exact.or_else(|| {
            properties
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key))
        });
        if let Some((name, schema)) = property {
            known.insert(name.clone(), as_go_reads(value, schema));
        }
    }
    known
}

/// A number as Go prints it: `50` for `50.0`.
fn text(value: &Value) -> String {
    match value {
        Value::Number(number) => whole(number).to_string(),
        other => other.to_string(),
    }
}

/// A number without a fraction that is nought.
fn whole(number: &Number) -> Number {
    let float = number
        .as_f64()
        .filter(|float| number.is_f64() && float.fract() == 0.0);
    // Only what an i64 can hold exactly is printed without an exponent or a point.
    float
        .and_then(|float| format!("{float:.0}").parse::<i64>().ok())
        .map_or_else(|| number.clone(), Into::into)
}
