//! Schemas of fields whose type is not ours, or that the schema says more about than the type.

use k8s_openapi::{
    api::core::v1::PodSecurityContext, apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, transform::transform_subschemas};
use serde_json::Value;

use super::LabelSelector;

/// What a Kubernetes quantity may look like when it is written as a string.
const QUANTITY: &str = concat!(
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))",
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
);

/// A label selector, replaced as a whole by whoever writes it.
pub(crate) fn label_selector(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = plain_label_selector(generator);
    let mut requirement = LabelSelectorRequirement::json_schema(generator);
    wordless(&mut requirement);
    atomic_list(&mut requirement, "/properties/values");
    if let Some(items) = schema.pointer_mut("/properties/matchExpressions/items") {
        *items = requirement.to_value();
    }
    atomic_list(&mut schema, "/properties/matchExpressions");
    schema
}

/// A label selector as a CRD has it that was made before lists in selectors were marked atomic.
pub(crate) fn plain_label_selector(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = LabelSelector::json_schema(generator);
    wordless(&mut schema);
    schema.insert("x-kubernetes-map-type".to_owned(), "atomic".into());
    schema
}

/// The security context of a pod.
pub(crate) fn pod_security_context(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = PodSecurityContext::json_schema(generator);
    wordless(&mut schema);
    atomic_list(&mut schema, "/properties/supplementalGroups");
    atomic_list(&mut schema, "/properties/sysctls");
    schema
}

/// Amounts by resource name, each a number or a string such as `1Gi`.
pub(crate) fn quantities(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {
            "anyOf": [{ "type": "integer" }, { "type": "string" }],
            "pattern": QUANTITY,
            "x-kubernetes-int-or-string": true,
        },
    })
}

/// The maintenance modes that a storage backend can be asked for.
pub(crate) fn maintenance_modes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "string", "enum": ["Failover"] } })
}

/// An integer whose width the schema does not give.
pub(crate) fn integer(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer" })
}

/// Drops the long descriptions that Kubernetes has for its own types.
fn wordless(schema: &mut Schema) {
    schema.remove("description");
    transform_subschemas(&mut wordless, schema);
}

fn atomic_list(schema: &mut Schema, pointer: &str) {
    if let Some(Value::Object(list)) = schema.pointer_mut(pointer) {
        list.insert("x-kubernetes-list-type".to_owned(), "atomic".into());
    }
}
