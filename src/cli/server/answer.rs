//! What the API server answers, and what that means.

use http::{HeaderMap, StatusCode, header::WARNING};
use serde_json::Value;

/// What the API server makes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It would be stored, or not: what is wrong, and what is warned about.
    Said {
        causes: Vec<Cause>,
        warnings: Vec<String>,
    },
    /// It can't be said yet, for a reason that will pass.
    Later(String),
    /// The API server, or what it asks, could not answer.
    Failed(String),
}

/// Why the API server refuses an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cause {
    /// The field as the API server spells it; empty if it blames none.
    pub(super) field: String,
    /// What is wrong.
    pub(super) message: String,
    /// The sort of fault; where the guard in the cluster says no, the rule.
    pub(super) reason: String,
}

impl Answer {
    /// Reads an answer.
    pub(super) fn read(code: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let warnings = headers.get_all(WARNING).iter();
        let warnings =
            warnings.filter_map(|value| warning(&String::from_utf8_lossy(value.as_bytes())));
        let warnings = warnings.collect();
        if code.is_success() {
            return Self::Said {
                causes: Vec::new(),
                warnings,
            };
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |pointer: &str| {
            body.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let message = match text("/message") {
            "" => code.to_string(),
            message => message.to_owned(),
        };
        let missing = code == StatusCode::NOT_FOUND && text("/details/kind") == "namespaces";
        if missing || has_cause(&body, "NamespaceTerminating") {
            return Self::Later(message);
        }
        if !is_verdict(code, &message) {
            return Self::Failed(message);
        }
        Self::Said {
            causes: causes(&body, &message),
            warnings,
        }
    }
}

fn has_cause(body: &Value, reason: &str) -> bool {
    let causes = body["details"]["causes"].as_array();
    causes.is_some_and(|causes| causes.iter().any(|cause| cause["reason"] == reason))
}

/// What a server-side apply says of a field that the kind has not; it comes as a fault of the server's own.
const NOT_DECLARED: &str = ": field not declared in schema";

/// Whether it is the object that is refused, and not the question.
fn is_verdict(code: StatusCode, message: &str) -> bool {
    // Whoever asks may have no right to.
    let no_right = message.contains(" cannot patch resource ")
        || message.contains(" cannot create resource ")
        || message.contains(" cannot update resource ");
    match code {
        StatusCode::FORBIDDEN => !no_right,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => true,
        // A policy or a webhook may say no with any code.
        _ if message.contains("denied the request") || message.contains("denied request") => true,
        StatusCode::INTERNAL_SERVER_ERROR => {
            message.contains("failed to create typed patch object")
        }
        _ => false,
    }
}

/// The single faults, or the whole message as one.
fn causes(body: &Value, message: &str) -> Vec<Cause> {
    let text = |cause: &Value, field: &str| cause[field].as_str().unwrap_or_default().to_owned();
    let causes = body["details"]["causes"].as_array().into_iter().flatten();
    let causes: Vec<Cause> = causes
        .map(|cause| Cause {
            // Where a fault is between fields, none is named.
            field: text(cause, "field").replace("<nil>", ""),
            message: text(cause, "message"),
            reason: text(cause, "reason"),
        })
        .filter(|cause| !cause.message.is_empty())
        .collect();
    if !causes.is_empty() {
        return causes;
    }
    if let Some((head, _)) = message.split_once(NOT_DECLARED) {
        let field = head.rsplit_once(' ').map_or(head, |(_, field)| field);
        return vec![Cause {
            field: field.to_owned(),
            message: "the kind has no such field".to_owned(),
            reason: String::new(),
        }];
    }
    vec![Cause {
        field: String::new(),
        message: message.to_owned(),
        reason: String::new(),
    }]
}

/// The text of a header such as `299 - "some text"`.
fn warning(header: &str) -> Option<String> {
    let (_, quoted) = header.split_once('"')?;
    let mut text = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => text.extend(characters.next()),
            character => text.push(character),
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(code: u16, body: &Value) -> Answer {
        let code = StatusCode::from_u16(code).expect("a code");
        Answer::read(code, &HeaderMap::new(), body.to_string().as_bytes())
    }

    fn refused(code: u16, body: &Value) -> Vec<(String, String)> {
        match read(code, body) {
            Answer::Said { causes, .. } => {
                let pairs = causes.into_iter().map(|cause| (cause.field, cause.message));
                pairs.collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refusal_names_its_fields() {
        let body = json!({
            "message": "DRPolicy.ramendr.openshift.io \"p\" is invalid: spec.x: Invalid value",
            "details": { "causes": [
                { "reason": "FieldValueInvalid", "field": "spec.x", "message": "Invalid value: 1" },
                { "reason": "FieldValueInvalid", "field": "<nil>", "message": "some validation rules were not checked" },
            ]},
        });
        let pair = |field: &str, message: &str| (field.to_owned(), message.to_owned());
        assert_eq!(
            refused(422, &body),
            [
                pair("spec.x", "Invalid value: 1"),
                pair("", "some validation rules were not checked")
            ]
        );
        let message = "failed to create typed patch object (/p; ramendr.openshift.io/v1alpha1, Kind=DRPolicy): \
                       .spec.drCluster: field not declared in schema";
        assert_eq!(
            refused(500, &json!({ "message": message })),
            [pair(".spec.drCluster", "the kind has no such field")]
        );
        let message = "admission webhook \"x\" denied the request: no";
        for code in [403, 400, 422, 500] {
            assert_eq!(
                refused(code, &json!({ "message": message })),
                [pair("", message)]
            );
        }
    }

    #[test]
    fn what_is_no_verdict_is_told_apart() {
        let missing =
            json!({ "message": "namespaces \"a\" not found", "details": { "kind": "namespaces" } });
        assert!(matches!(read(404, &missing), Answer::Later(_)));
        let going = json!({
            "message": "forbidden: unable to create new content in namespace a because it is being terminated",
            "details": { "causes": [{ "reason": "NamespaceTerminating", "field": "metadata.namespace" }] },
        });
        assert!(matches!(read(403, &going), Answer::Later(_)));
        let no_right = json!({ "message": "drpolicies \"p\" is forbidden: User \"eve\" cannot patch resource \"drpolicies\"" });
        assert!(matches!(read(403, &no_right), Answer::Failed(_)));
        for (code, message) in [
            (
                500,
                "Internal error occurred: failed calling webhook \"x\": timed out",
            ),
            (503, "try later"),
            (401, "Unauthorized"),
            (409, "conflict"),
        ] {
            assert_eq!(
                read(code, &json!({ "message": message })),
                Answer::Failed(message.to_owned())
            );
        }
        assert!(matches!(read(502, &json!("<html>")), Answer::Failed(_)));
    }

    #[test]
    fn warnings_are_unquoted() {
        assert_eq!(
            warning(r#"299 - "unknown field \"spec.x\"""#).as_deref(),
            Some(r#"unknown field "spec.x""#)
        );
        assert_eq!(warning("299 - text"), None);
        assert_eq!(warning(r#"299 - """#), None);
    }
}
