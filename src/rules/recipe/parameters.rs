//! The parameters of a Recipe, `$NAME`: which there are, and what the Recipe is once they are filled in.
//!
//! Ramen writes the spec as JSON, puts the values in with Go's `os.Expand`, and reads it again. So a
//! dollar in a shell command is a parameter too, a list of values fits only where the parameter is a whole
//! element of a list, and whatever has no value becomes nothing.
//!
//! Source: internal/controller/vrg_recipe.go:228-262

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    api::RecipeSpec,
    golang::expand::{self, Part},
    rules::below,
};

/// Whether a text has parameters, so that nobody knows yet what it will be.
pub(in crate::rules) fn has(text: &str) -> bool {
    expand::changes(text)
}

/// What a string is in the JSON of a Recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Role {
    /// An element of a list.
    Element,
    /// The value of a field.
    Value,
    /// The name of a field.
    Name,
}

/// A string in a Recipe.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "a text is a text at a place")]
pub(in crate::rules) struct Text<'r> {
    /// The string's place in the object; for the name of a field that of the field.
    pub(in crate::rules) at: String,
    /// The string.
    pub(in crate::rules) text: &'r str,
    /// What it is.
    pub(in crate::rules) role: Role,
}

/// Every string of a Recipe's spec that has a parameter, the names of fields among them, in the order of
/// the spec. `spec` is the spec as JSON.
pub(in crate::rules) fn texts(spec: &Value) -> Vec<Text<'_>> {
    let mut found = Vec::new();
    // From the last to the first, as a stack has it.
    let mut open = vec![("/spec".to_owned(), spec, Role::Value)];
    while let Some((at, value, role)) = open.pop() {
        match value {
            Value::String(text) if has(text) => found.push(Text { at, text, role }),
            Value::Array(items) => {
                let items = items.iter().enumerate().rev();
                let items = items.map(|(index, item)| (format!("{at}/{index}"), item));
                open.extend(items.map(|(at, item)| (at, item, Role::Element)));
            }
            Value::Object(fields) => {
                for (name, field) in fields.iter().rev() {
                    let at = below(&at, name);
                    if has(name) {
                        found.push(Text {
                            at: at.clone(),
                            text: name,
                            role: Role::Name,
                        });
                    }
                    open.push((at, field, Role::Value));
                }
            }
            _ => {}
        }
    }
    found
}

/// Why a Recipe can't be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Unfilled {
    /// A `${` has no end, so that Ramen takes what follows it in the JSON for the name, whatever that is.
    Open,
    /// What comes out is no Recipe; Ramen says so too.
    Broken(String),
    /// What comes out is longer than any object can be.
    Long,
}

/// The longest text that is put together, in bytes: a value may stand for a parameter very often.
pub(in crate::rules) const LONGEST: usize = 8 << 20;

/// A part of a Recipe's JSON with the values in place of its parameters, as Ramen puts them in; nothing
/// where that is longer than `most`.
pub(in crate::rules) fn put_in(
    json: &str,
    values: &BTreeMap<String, Vec<String>>,
    most: usize,
) -> Option<String> {
    let mut filled = String::new();
    for part in expand::parts(json) {
        match part {
            Part::Text(text) => filled.push_str(text),
            Part::Name(name) => {
                let values = values.get(name).map_or(&[][..], Vec::as_slice);
                for (number, value) in values.iter().enumerate() {
                    filled.push_str(if number > 0 { "\",\"" } else { "" });
                    filled.push_str(value);
                }
            }
        }
        if filled.len() > most {
            return None;
        }
    }
    Some(filled)
}

/// The spec with the values in place of its parameters. Those without a value become nothing.
///
/// # Errors
/// See [`Unfilled`].
pub(in crate::rules) fn fill(
    recipe: &RecipeSpec,
    values: &BTreeMap<String, Vec<String>>,
) -> Result<RecipeSpec, Unfilled> {
    let broken = |error: serde_json::Error| Unfilled::Broken(error.to_string());
    let spec = serde_json::to_value(recipe).map_err(broken)?;
    let texts = texts(&spec);
    if texts.is_empty() {
        return Ok(recipe.clone());
    }
    if texts.iter().any(|text| expand::is_open(text.text)) {
        return Err(Unfilled::Open);
    }
    let filled = put_in(&spec.to_string(), values, LONGEST).ok_or(Unfilled::Long)?;
    let mut filled: RecipeSpec = serde_json::from_str(&filled).map_err(broken)?;
    // Go reads into the spec that is there, and what a map has already stays in it.
    for (workflow, before) in filled.workflows.iter_mut().zip(&recipe.workflows) {
        for (step, before) in workflow.sequence.iter_mut().zip(&before.sequence) {
            for (key, name) in before {
                step.entry(key.clone()).or_insert_with(|| name.clone());
            }
        }
    }
    Ok(filled)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn recipe(spec: Value) -> RecipeSpec {
        serde_json::from_value(spec).unwrap()
    }

    fn values(values: Value) -> BTreeMap<String, Vec<String>> {
        serde_json::from_value(values).unwrap()
    }

    #[test]
    fn a_value_takes_the_place_of_its_parameter() {
        let spec = recipe(json!({
            "groups": [{ "name": "${A}-g", "type": "resource", "includedNamespaces": ["$NS", "kept"] }],
            "workflows": [{ "name": "backup", "sequence": [{ "group": "${A}-g" }, { "$STEP": "$NONE" }] }],
        }));
        let values = values(json!({ "A": ["a"], "NS": ["one", "two"], "STEP": ["hook"] }));
        let filled = fill(&spec, &values).unwrap();
        assert_eq!(filled.groups[0].name, "a-g");
        assert_eq!(
            filled.groups[0].included_namespaces,
            ["one", "two", "kept"],
            "several values are several elements"
        );
        let steps = serde_json::to_value(&filled.workflows[0].sequence).unwrap();
        assert_eq!(
            steps,
            json!([{ "group": "a-g" }, { "$STEP": "$NONE", "hook": "" }]),
            "the old key stays"
        );
    }

    #[test]
    fn what_can_not_be_filled_in_says_so() {
        let spec = recipe(json!({ "hooks": [{ "name": "h", "namespace": "$A", "type": "exec" }] }));
        let several = values(json!({ "A": ["a", "b"] }));
        assert!(matches!(fill(&spec, &several), Err(Unfilled::Broken(_))));
        let quote = values(json!({ "A": ["a\""] }));
        assert!(matches!(fill(&spec, &quote), Err(Unfilled::Broken(_))));
        let open = recipe(json!({ "appType": "${A" }));
        assert_eq!(fill(&open, &several), Err(Unfilled::Open));
        let often = recipe(json!({ "appType": "$A".repeat(1000) }));
        let long = values(json!({ "A": ["a".repeat(LONGEST / 100)] }));
        assert_eq!(fill(&often, &long), Err(Unfilled::Long));
        let none = recipe(json!({ "appType": "a$" }));
        assert_eq!(fill(&none, &several), Ok(none.clone()));
    }

    #[test]
    fn texts_are_named_by_their_place() {
        let spec = json!({
            "appType": "a$",
            "groups": [{ "labelSelector": { "matchLabels": { "$K": "v", "k/l": "$V" } } }],
            "jobs": [{ "j": "echo $HOME" }],
        });
        let said: Vec<(String, &str)> = texts(&spec)
            .into_iter()
            .map(|text| (text.at, text.text))
            .collect();
        let labels = "/spec/groups/0/labelSelector/matchLabels";
        assert_eq!(
            said,
            [
                (format!("{labels}/$K"), "$K"),
                (format!("{labels}/k~1l"), "$V"),
                ("/spec/jobs/0/j".to_owned(), "echo $HOME"),
            ]
        );
    }
}
