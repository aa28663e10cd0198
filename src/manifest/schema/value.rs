//! Values as Kubernetes sees and shows them.

use std::fmt;

use serde_json::Value;

use crate::golang::quote;

pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "integer",
        // What no i64 holds is a float to Kubernetes.
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a number is one that JSON can hold as an integer without loss.
pub(super) fn is_whole(value: &Value) -> bool {
    const SAFE: f64 = 9_007_199_254_740_991.0;
    value
        .as_f64()
        .is_some_and(|value| value.fract() == 0.0 && value.abs() <= SAFE)
}

/// A value as the server's errors show it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Number(number) if !number.is_i64() => number
            .as_f64()
            .map(Float)
            .map_or_else(String::new, |float| float.to_string()),
        value => value.to_string(),
    }
}

/// Whether a value is one that an enum lists. A null never is.
pub(super) fn is_same(known: &Value, value: &Value) -> bool {
    match (known, value) {
        (_, Value::Null) => false,
        (Value::Number(known), Value::Number(value)) => known.as_f64() == value.as_f64(),
        _ => known == value,
    }
}

/// A value of an enum: strings bare.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// A float as Go's `%v` shows it.
pub(super) struct Float(pub(super) f64);

impl fmt::Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scientific = format!("{:e}", self.0);
        let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        match exponent.parse::<i32>() {
            Ok(exponent) if !(-4..6).contains(&exponent) => {
                let sign = if exponent < 0 { '-' } else { '+' };
                write!(f, "{mantissa}e{sign}{:02}", exponent.abs())
            }
            _ => write!(f, "{}", self.0),
        }
    }
}
