//! What kube-apiserver says: pruning, defaulting, `ValidateCustomResource` and list types of
//! k8s.io/apiextensions-apiserver v0.36.3, on `schema.json`.

use jsonptr::Pointer;
use ramen_guard::manifest::schema::{Schema, SchemaError, SchemaErrorKind};
use serde_json::{Value, json};

/// An error as the server prints it. What it can't place it prints with `<nil>`.
pub(super) fn printed(error: &SchemaError) -> String {
    let placeless =
        error.message.contains("Checked value") || error.kind == SchemaErrorKind::NoAlternative;
    match &error.kind {
        SchemaErrorKind::UnknownField { .. } => error.message.replace('"', ""),
        _ if placeless => format!("<nil>: {}", error.message),
        _ => format!("{}: {}", spelt(&error.pointer), error.message),
    }
}

fn spelt(pointer: &Pointer) -> String {
    let mut field = String::new();
    for token in pointer.tokens() {
        let token = token.decoded();
        if token.parse::<usize>().is_ok() {
            field += &format!("[{token}]");
        } else if field.is_empty() {
            field += &token;
        } else {
            field += &format!(".{token}");
        }
    }
    field
}

#[test]
fn says_what_the_server_says() {
    let schema: Value = serde_json::from_str(include_str!("schema.json")).unwrap();
    let schema = Schema::compile(&schema);
    let table: Vec<(Value, Vec<String>)> = super::rows(include_str!("schema.jsonl"));
    let mut wrong = Vec::new();
    for (object, mut expected) in table {
        let mut said: Vec<String> = schema.validate(&object).iter().map(printed).collect();
        said.sort();
        expected.sort();
        if said != expected {
            wrong.push(format!(
                "{object}\n  said     {said:?}\n  expected {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn knows_the_metadata_of_every_object() {
    let schema =
        Schema::compile(&json!({"type": "object", "properties": {"metadata": {"type": "object"}}}));
    let said = |metadata: Value| -> Vec<String> {
        schema
            .validate(&json!({"metadata": metadata, "status": {"x": 1}}))
            .iter()
            .map(printed)
            .collect()
    };
    assert_eq!(
        said(json!({
            "name": "a", "labels": {"a": "b"}, "annotations": null, "creationTimestamp": null, "generation": 3,
            "finalizers": ["x"], "ownerReferences": [{"kind": "A", "controller": true}], "managedFields": [{"x": 1}],
        })),
        [""; 0]
    );
    assert_eq!(
        said(json!({"labels": {"a": true}, "nmae": "a"})),
        [
            "metadata.labels.a: Invalid value: \"boolean\": metadata.labels.a in body must be of type string: \"boolean\"",
            "unknown field metadata.nmae",
        ]
    );
}

#[test]
fn suggests_the_field_that_was_meant() {
    let schema = Schema::compile(&json!({"type": "object", "properties": {
        "preferredCluster": {"type": "string"}, "drPolicyRef": {"type": "object"}, "x": {"type": "string"},
    }}));
    let suggested = |field: &str| {
        let errors = schema.validate(&json!({field: "a"}));
        let [
            SchemaError {
                kind: SchemaErrorKind::UnknownField { nearest },
                pointer,
                ..
            },
        ] = &errors[..]
        else {
            panic!("{errors:?}")
        };
        assert_eq!(pointer.as_str(), format!("/{field}"));
        nearest.clone()
    };
    assert_eq!(
        suggested("preferedCluster").as_deref(),
        Some("preferredCluster")
    );
    assert_eq!(
        suggested("PreferredCluster").as_deref(),
        Some("preferredCluster")
    );
    assert_eq!(suggested("drpolicyref").as_deref(), Some("drPolicyRef"));
    assert_eq!(suggested("drPoilcyRef").as_deref(), Some("drPolicyRef"));
    assert_eq!(suggested("somethingElse"), None);
}

#[test]
fn a_pattern_that_go_knows_and_rust_does_not_is_no_ones_fault() {
    let schema = Schema::compile(&json!({"type": "string", "pattern": "(unclosed"}));
    assert_eq!(schema.validate(&json!("x")), []);
}
