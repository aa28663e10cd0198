//! What kube-apiserver says: pruning, defaulting, `ValidateCustomResource` and list types of
//! k8s.io/apiextensions-apiserver v0.36.3, on `schema.json`.

use jsonptr::Pointer;
use ramen_guard::manifest::schema::{Schema, SchemaError, SchemaErrorKind, well_formed};
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
            "finalizers": ["x"], "ownerReferences": [{"apiVersion": "v1", "kind": "A", "name": "a", "uid": "1", "controller": true}],
            "managedFields": [{"x": 1}],
        })),
        [""; 0]
    );
    assert_eq!(
        said(json!({"name": "a", "labels": {"a": true}, "nmae": "a"})),
        [
            "metadata.labels.a: Invalid value: \"boolean\": metadata.labels.a in body must be of type string: \"boolean\"",
            "unknown field metadata.nmae",
        ]
    );
}

/// Beyond the types, which the server's decoder checks.
#[test]
fn names_what_is_wrong_with_metadata() {
    let schema = Schema::compile(&json!({"type": "object"}));
    let blamed = |metadata: Value, old: Option<Value>| -> Vec<String> {
        let errors = schema.validate_change(&json!({"metadata": metadata}), old.as_ref());
        let places = errors.iter().map(|error| error.pointer.to_string());
        places.collect()
    };
    let owner = |name: &str, controller: bool| json!({"apiVersion": "v1", "kind": "A", "name": name, "uid": "1", "controller": controller});
    for (metadata, places) in [
        (json!({"name": "a.b-c"}), vec![]),
        (json!({"generateName": "a-"}), vec![]),
        (
            json!({"name": "a", "generateName": "-"}),
            vec!["/metadata/generateName"],
        ),
        (Value::Null, vec!["/metadata/name"]),
        (
            json!({"name": "A", "namespace": "a.b"}),
            vec!["/metadata/name", "/metadata/namespace"],
        ),
        (
            json!({"name": "a", "labels": {"x y": "ok", "a": "b/c", "b": null}}),
            vec!["/metadata/labels/a", "/metadata/labels/x y"],
        ),
        (
            json!({"name": "a", "annotations": {"A/b": "c", "/a": "b"}}),
            vec!["/metadata/annotations/~1a"],
        ),
        (
            json!({"name": "a", "annotations": {"a": "b".repeat(256 << 10)}}),
            vec!["/metadata/annotations"],
        ),
        (
            json!({"name": "a", "finalizers": ["a/b", "a b"]}),
            vec!["/metadata/finalizers/1"],
        ),
        (
            json!({"name": "a", "finalizers": ["orphan", "foregroundDeletion"]}),
            vec!["/metadata/finalizers"],
        ),
        (
            json!({"name": "a", "ownerReferences": [owner("", false)]}),
            vec!["/metadata/ownerReferences/0/name"],
        ),
        (
            json!({"name": "a", "ownerReferences": [owner("a", true), owner("b", true)]}),
            vec!["/metadata/ownerReferences/1/controller"],
        ),
    ] {
        let mut found = blamed(metadata.clone(), None);
        found.sort();
        assert_eq!(found, places, "{metadata}");
    }
    // What was let in with a name is not refused for it again.
    let old = json!({"metadata": {"name": "a"}});
    let changed = json!({"name": "A", "labels": {"a": "b/c"}});
    assert_eq!(blamed(changed, Some(old)), ["/metadata/labels/a"]);
}

#[test]
fn suggests_the_field_that_was_meant() {
    let schema = Schema::compile(&json!({"type": "object", "properties": {
        "preferredCluster": {"type": "string"}, "drPolicyRef": {"type": "object"}, "x": {"type": "string"},
    }}));
    let suggested = |field: &str| {
        let errors = schema.validate(&json!({"metadata": {"name": "it"}, field: "a"}));
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

#[test]
fn knows_what_is_no_schema() {
    let fine = json!({"type": "object", "description": "x", "x-of-others": 1, "properties": {
        "type": {"type": "string", "enum": ["a", null], "pattern": "(unclosed"},
        "more": {"type": "array", "items": {"x-kubernetes-int-or-string": true}, "maxItems": 2},
        "map": {"type": "object", "additionalProperties": {"oneOf": [{"not": {"minimum": 0.5}}]}},
    }, "x-kubernetes-validations": [{"rule": "true"}]});
    assert_eq!(well_formed(&fine), Ok(()));
    for (schema, place) in [
        (json!([]), ""),
        (json!({"type": "strin"}), "/type"),
        (
            json!({"properties": {"a": {"items": true}}}),
            "/properties/a/items",
        ),
        (
            json!({"properties": {"a/b": {"type": ["string"]}}}),
            "/properties/a~1b/type",
        ),
        (json!({"required": [1]}), "/required"),
        (
            json!({"allOf": [{}, {"minLength": "1"}]}),
            "/allOf/1/minLength",
        ),
        (
            json!({"additionalProperties": {"nullable": "yes"}}),
            "/additionalProperties/nullable",
        ),
        (
            json!({"x-kubernetes-list-type": "bag"}),
            "/x-kubernetes-list-type",
        ),
        (
            json!({"x-kubernetes-validations": [{"message": "x"}]}),
            "/x-kubernetes-validations",
        ),
        (json!({"$ref": "#/definitions/a"}), "/$ref"),
    ] {
        let (found, message) = well_formed(&schema).unwrap_err();
        assert_eq!(found.as_str(), place, "{schema}: {message}");
        assert!(
            message.contains(" has to be ") || message.contains(" is "),
            "{message}"
        );
    }
}
