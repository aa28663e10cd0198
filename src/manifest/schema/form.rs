//! Whether a schema is one.

use jsonptr::PointerBuf;
use serde_json::Value;

use super::compile::NAMES;

/// What is not as it has to be: the place in the schema, and what it should be.
pub type Flaw = (PointerBuf, String);

/// Looks at the keywords that this module knows; others, which only tools read, may say anything.
///
/// # Errors
/// The first keyword whose value no `openAPIV3Schema` may have.
pub fn well_formed(schema: &Value) -> Result<(), Flaw> {
    walk(schema, &mut PointerBuf::new())
}

fn walk(schema: &Value, path: &mut PointerBuf) -> Result<(), Flaw> {
    let Some(keywords) = schema.as_object() else {
        return Err((path.clone(), "a schema is an object".to_owned()));
    };
    for (keyword, value) in keywords {
        path.push_back(&**keyword);
        keyword_fits(keyword, value).map_err(|message| (path.clone(), message))?;
        match (&**keyword, value) {
            ("properties", Value::Object(fields)) => {
                for (name, schema) in fields {
                    path.push_back(&**name);
                    walk(schema, path)?;
                    path.pop_back();
                }
            }
            ("items" | "not", schema) => walk(schema, path)?,
            ("additionalProperties", schema) if !schema.is_boolean() => walk(schema, path)?,
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                for (at, schema) in schemas.iter().enumerate() {
                    path.push_back(at);
                    walk(schema, path)?;
                    path.pop_back();
                }
            }
            _ => {}
        }
        path.pop_back();
    }
    Ok(())
}

fn keyword_fits(keyword: &str, value: &Value) -> Result<(), String> {
    let is_texts = || {
        value
            .as_array()
            .is_some_and(|list| list.iter().all(Value::is_string))
    };
    let (fits, wanted) = match keyword {
        "$ref" => (false, "a schema without references"),
        "type" => (
            value.as_str().is_some_and(|name| NAMES.contains(&name)),
            "one of object, array, string, integer, number, boolean",
        ),
        "format" | "pattern" => (value.is_string(), "a string"),
        "properties" => (value.is_object(), "an object"),
        "required" | "x-kubernetes-list-map-keys" => (is_texts(), "a list of names"),
        "enum" | "allOf" | "anyOf" | "oneOf" => (value.is_array(), "a list"),
        "minimum" | "maximum" | "multipleOf" => (value.is_number(), "a number"),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            (value.is_i64(), "an integer")
        }
        "nullable"
        | "exclusiveMinimum"
        | "exclusiveMaximum"
        | "x-kubernetes-preserve-unknown-fields"
        | "x-kubernetes-embedded-resource"
        | "x-kubernetes-int-or-string" => (value.is_boolean(), "true or false"),
        "x-kubernetes-list-type" => (
            matches!(value.as_str(), Some("atomic" | "set" | "map")),
            "one of atomic, set, map",
        ),
        "x-kubernetes-validations" => {
            let is_rule = |rule: &Value| rule.get("rule").is_some_and(Value::is_string);
            let list = value.as_array();
            let fits = list.is_some_and(|rules| rules.iter().all(is_rule));
            (fits, "a list of objects with a rule each")
        }
        _ => (true, ""),
    };
    if fits {
        Ok(())
    } else {
        Err(format!("{keyword} has to be {wanted}"))
    }
}
