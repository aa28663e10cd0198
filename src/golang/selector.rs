//! Go's `metav1.LabelSelectorAsSelector`: which label selectors can be used at all.
//!
//! A CRD's schema checks no more than the types, so an operator that does not exist is stored, and
//! fails when Ramen lists what it selects. Source: `pkg/apis/meta/v1/helpers.go` and
//! `pkg/labels/selector.go` of k8s.io/apimachinery v0.36.

use jsonptr::PointerBuf;
use serde_json::Value;

use super::{
    names::{self, NameError},
    quote,
};

/// The operators of an expression, in the order of the API reference.
pub const OPERATORS: [&str; 4] = ["In", "NotIn", "Exists", "DoesNotExist"];

/// One place of a selector that Go refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place, relative to the selector: `/matchExpressions/0/values`. An absent field is named
    /// as if it were there. A wrong label is named by its value's place, since JSON pointers have no
    /// name for a key.
    pub pointer: PointerBuf,
    /// What is wrong and what would be right, without the field.
    pub message: String,
}

/// One entry of `matchExpressions`.
#[derive(Clone, Copy, Debug)]
pub struct Expression<'a, S> {
    /// The key of the label.
    pub key: &'a str,
    /// One of [`OPERATORS`], if it is right.
    pub operator: &'a str,
    /// The values, which some operators need and others may not have.
    pub values: &'a [S],
}

/// Every problem of a selector, in the order that its parts are given. A selector without any part
/// selects everything and has none.
pub fn problems<'a, S: AsRef<str> + 'a>(
    labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    expressions: impl IntoIterator<Item = Expression<'a, S>>,
) -> Vec<Problem> {
    let mut found = Vec::new();
    for (key, value) in labels {
        let mut say = |what: &str, text: &str, error: NameError| {
            let message = format!("{what} {} {error}", quote(text));
            found.push(Problem {
                pointer: PointerBuf::from_tokens(["matchLabels", key]),
                message,
            });
        };
        if let Err(error) = names::qualified_name(key) {
            say("the key", key, error);
        }
        if let Err(error) = names::label_value(value) {
            say("the value", value, error);
        }
    }
    for (index, expression) in expressions.into_iter().enumerate() {
        check_expression(index, &expression, &mut found);
    }
    found
}

/// [`problems`] of a selector that is still JSON. What has the wrong type is left to the schema and
/// treated as absent.
pub fn problems_of(selector: &Value) -> Vec<Problem> {
    fn text<'a>(value: &'a Value, field: &str) -> &'a str {
        value.get(field).and_then(Value::as_str).unwrap_or_default()
    }
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let labels = labels.into_iter().flatten();
    let labels = labels.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));

    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    let expressions = expressions.map_or(&[][..], Vec::as_slice);
    let values: Vec<Vec<&str>> = expressions
        .iter()
        .map(|expression| {
            let values = expression.get("values").and_then(Value::as_array);
            values
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect()
        })
        .collect();
    let expressions = expressions
        .iter()
        .zip(&values)
        .map(|(expression, values)| Expression {
            key: text(expression, "key"),
            operator: text(expression, "operator"),
            values,
        });
    problems(labels, expressions)
}

fn check_expression<S: AsRef<str>>(
    index: usize,
    expression: &Expression<'_, S>,
    found: &mut Vec<Problem>,
) {
    let index = index.to_string();
    let mut say = |tail: &[&str], message: String| {
        let tokens = ["matchExpressions", &index]
            .into_iter()
            .chain(tail.iter().copied());
        found.push(Problem {
            pointer: PointerBuf::from_tokens(tokens),
            message,
        });
    };
    let Expression {
        key,
        operator,
        values,
    } = expression;
    if let Err(error) = names::qualified_name(key) {
        say(&["key"], format!("the key {} {error}", quote(key)));
    }
    match (*operator, values.is_empty()) {
        ("In" | "NotIn", true) => {
            say(&["values"], format!("{operator} needs at least one value"));
        }
        ("Exists" | "DoesNotExist", false) => {
            say(
                &["values"],
                format!("{operator} takes no values: remove them, or use In or NotIn"),
            );
        }
        ("In" | "NotIn", false) | ("Exists" | "DoesNotExist", true) => {}
        _ => say(&["operator"], unknown_operator(operator)),
    }
    for (at, value) in values.iter().enumerate() {
        let value = value.as_ref();
        if let Err(error) = names::label_value(value) {
            say(
                &["values", &at.to_string()],
                format!("the value {} {error}", quote(value)),
            );
        }
    }
}

fn unknown_operator(operator: &str) -> String {
    let known = OPERATORS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(operator));
    let advice = match known {
        Some(known) => format!("write {known}"),
        None => "use In, NotIn, Exists or DoesNotExist".to_owned(),
    };
    format!(
        "{} is not a valid label selector operator: {advice}",
        quote(operator)
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Selectors, and whether apimachinery v0.36 takes them.
    const JUDGED: &[(&str, bool)] = &[
        ("{}", true),
        (r#"{"matchLabels":{}}"#, true),
        (r#"{"matchLabels":{"a":"b"}}"#, true),
        (r#"{"matchLabels":{"a":""}}"#, true),
        (r#"{"matchLabels":{"":"b"}}"#, false),
        (r#"{"matchLabels":{"a":"b c"}}"#, false),
        (r#"{"matchLabels":{"a/b/c":"d"}}"#, false),
        (r#"{"matchExpressions":[]}"#, true),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]}"#,
            true,
        ),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"In","values":[""]}]}"#,
            true,
        ),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"In"}]}"#,
            false,
        ),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"NotIn","values":[]}]}"#,
            false,
        ),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"Exists"}]}"#,
            true,
        ),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"Exists","values":["b"]}]}"#,
            false,
        ),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"DoesNotExist","values":[]}]}"#,
            true,
        ),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"exists"}]}"#,
            false,
        ),
        (
            r#"{"matchExpressions":[{"key":"","operator":"Exists"}]}"#,
            false,
        ),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"Equals","values":["b"]}]}"#,
            false,
        ),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"In","values":["b","c d"]}]}"#,
            false,
        ),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"In","values":["b","b"]}]}"#,
            true,
        ),
        (
            r#"{"matchExpressions":[{"key":"a","operator":"Gt","values":["1"]}]}"#,
            false,
        ),
    ];

    fn said(selector: &Value) -> Vec<(String, String)> {
        let problems = problems_of(selector).into_iter();
        problems
            .map(|problem| (problem.pointer.to_string(), problem.message))
            .collect()
    }

    #[test]
    fn judges_as_kubernetes_does() {
        for (selector, legal) in JUDGED {
            let value = serde_json::from_str(selector).unwrap();
            assert_eq!(said(&value).is_empty(), *legal, "{selector}");
        }
    }

    #[test]
    fn names_each_place() {
        let selector = json!({
            "matchLabels": {"a/b": "c d"},
            "matchExpressions": [
                {"key": "a", "operator": "In", "values": []},
                {"key": "", "operator": "exists"},
                {"key": "a", "operator": "NotIn", "values": ["b", "-"]},
                {"key": "a", "operator": "Exists", "values": ["b"]},
                {"key": "a"},
            ],
        });
        let said = said(&selector);
        let places: Vec<&str> = said.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(
            places,
            [
                "/matchLabels/a~1b",
                "/matchExpressions/0/values",
                "/matchExpressions/1/key",
                "/matchExpressions/1/operator",
                "/matchExpressions/2/values/1",
                "/matchExpressions/3/values",
                "/matchExpressions/4/operator",
            ]
        );
        assert_eq!(said[1].1, "In needs at least one value");
        assert_eq!(
            said[3].1,
            "\"exists\" is not a valid label selector operator: write Exists"
        );
    }

    #[test]
    fn leaves_wrong_types_to_the_schema() {
        for selector in [
            json!(null),
            json!([]),
            json!({"matchLabels": {"a": 1}}),
            json!({"matchExpressions": {}}),
        ] {
            assert_eq!(said(&selector), []);
        }
    }

    proptest! {
        #[test]
        fn never_panics(key in ".*", operator in "In|Exists|.*", value in ".*") {
            problems_of(&json!({
                "matchLabels": {key.as_str(): value.as_str()},
                "matchExpressions": [{"key": key, "operator": operator, "values": [value]}],
            }));
        }
    }
}
