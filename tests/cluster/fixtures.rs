//! Small legal objects, to be changed by the tests.

use serde_json::{Value, json};

const API: &str = "ramendr.openshift.io/v1alpha1";

pub(crate) fn drpolicy(name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "DRPolicy",
        "metadata": {"name": name},
        "spec": {"drClusters": ["east", "west"], "schedulingInterval": "5m"},
    })
}

pub(crate) fn drcluster(name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "DRCluster",
        "metadata": {"name": name},
        "spec": {"s3ProfileName": "profile", "cidrs": ["10.0.0.0/16"]},
    })
}

pub(crate) fn drpc(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "DRPlacementControl",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "drPolicyRef": {"name": "policy"},
            "placementRef": {"kind": "Placement", "name": "placement"},
            "preferredCluster": "east",
            "pvcSelector": {},
        },
    })
}

/// All of them, for one kubectl.
pub(crate) fn list(objects: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": objects})
}

/// The object with this merged into it, as a merge patch would.
pub(crate) fn with(mut object: Value, patch: Value) -> Value {
    merge(&mut object, patch);
    object
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(target) = target else {
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}
