//! The fields that policies and bindings have.
//!
//! Source: k8s.io/api `admissionregistration/v1` and what k8s.io/kubernetes
//! `pkg/apis/admissionregistration/validation` asks of them.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::manifest::schema::Schema;

pub(super) const GROUP: &str = "admissionregistration.k8s.io";
/// The versions that are alike.
pub(super) const VERSIONS: [&str; 2] = ["v1", "v1beta1"];
pub(super) const POLICY: &str = "ValidatingAdmissionPolicy";
pub(super) const BINDING: &str = "ValidatingAdmissionPolicyBinding";

/// What a policy has to fit.
pub(super) static POLICIES: LazyLock<Schema> = LazyLock::new(|| {
    let validation = fields(
        &["expression"],
        json!({
            "expression": filled(),
            "message": text(),
            "messageExpression": text(),
            "reason": one_of(&["Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"]),
        }),
    );
    let annotation = fields(
        &["key", "valueExpression"],
        json!({ "key": filled(), "valueExpression": filled() }),
    );
    let param_kind = fields(
        &["apiVersion", "kind"],
        json!({ "apiVersion": filled(), "kind": filled() }),
    );
    whole(&fields(
        &["matchConstraints"],
        json!({
            "paramKind": param_kind,
            "matchConstraints": resources(true),
            "failurePolicy": one_of(&["Fail", "Ignore"]),
            "matchConditions": list(&named()),
            "variables": list(&named()),
            "validations": list(&validation),
            "auditAnnotations": list(&annotation),
        }),
    ))
});

/// What a binding has to fit.
pub(super) static BINDINGS: LazyLock<Schema> = LazyLock::new(|| {
    let param = fields(
        &["parameterNotFoundAction"],
        json!({
            "name": text(),
            "namespace": text(),
            "selector": selector(),
            "parameterNotFoundAction": one_of(&["Allow", "Deny"]),
        }),
    );
    let actions = json!({
        "type": "array",
        "minItems": 1,
        "x-kubernetes-list-type": "set",
        "items": one_of(&["Deny", "Warn", "Audit"]),
    });
    whole(&fields(
        &["policyName", "validationActions"],
        json!({
            "policyName": filled(),
            "paramRef": param,
            "matchResources": resources(false),
            "validationActions": actions,
        }),
    ))
});

fn whole(spec: &Value) -> Schema {
    let object = json!({
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": text(),
            "kind": text(),
            "metadata": { "type": "object" },
            "spec": spec,
        },
    });
    // What a cluster reports of the types in expressions is nobody's business here.
    Schema::compile(&object)
}

fn resources(required: bool) -> Value {
    let rule = fields(
        &["apiGroups", "apiVersions", "operations", "resources"],
        json!({
            "resourceNames": list(&text()),
            "apiGroups": some(&text()),
            "apiVersions": some(&filled()),
            "operations": some(&one_of(&["*", "CREATE", "UPDATE", "DELETE", "CONNECT"])),
            "resources": some(&filled()),
            "scope": one_of(&["*", "Cluster", "Namespaced"]),
        }),
    );
    let required: &[&str] = if required { &["resourceRules"] } else { &[] };
    fields(
        required,
        json!({
            "namespaceSelector": selector(),
            "objectSelector": selector(),
            "resourceRules": if required.is_empty() { list(&rule) } else { some(&rule) },
            "excludeResourceRules": list(&rule),
            "matchPolicy": one_of(&["Exact", "Equivalent"]),
        }),
    )
}

fn selector() -> Value {
    let expression = fields(
        &["key", "operator"],
        json!({
            "key": filled(),
            "operator": one_of(&["In", "NotIn", "Exists", "DoesNotExist"]),
            "values": list(&text()),
        }),
    );
    fields(
        &[],
        json!({
            "matchLabels": { "type": "object", "additionalProperties": text() },
            "matchExpressions": list(&expression),
        }),
    )
}

fn named() -> Value {
    fields(
        &["name", "expression"],
        json!({ "name": filled(), "expression": filled() }),
    )
}

fn fields(required: &[&str], properties: Value) -> Value {
    let mut schema = json!({ "type": "object", "required": required });
    schema["properties"] = properties;
    schema
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn some(items: &Value) -> Value {
    json!({ "type": "array", "minItems": 1, "items": items })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn filled() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn one_of(values: &[&str]) -> Value {
    json!({ "type": "string", "enum": values })
}
