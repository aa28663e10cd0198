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

pub(crate) fn vrg(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "VolumeReplicationGroup",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "replicationState": "primary",
            "pvcSelector": {"matchLabels": {"app": name}},
            "s3Profiles": ["profile"],
            "async": {"schedulingInterval": "5m"},
            "kubeObjectProtection": {"captureInterval": "5m"},
        },
    })
}

pub(crate) fn recipe(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "Recipe",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "appType": "app",
            "groups": [{"name": "all", "type": "resource"}],
            "workflows": [
                {"name": "backup", "sequence": [{"group": "all"}]},
                {"name": "restore", "sequence": [{"group": "all"}]},
            ],
        },
    })
}

pub(crate) fn drclusterconfig(name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "DRClusterConfig",
        "metadata": {"name": name},
        "spec": {"clusterID": "a", "replicationSchedules": ["5m"]},
    })
}

pub(crate) fn maintenancemode(name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "MaintenanceMode",
        "metadata": {"name": name},
        "spec": {"storageProvisioner": "csi.test", "targetID": "target", "modes": ["Failover"]},
    })
}

pub(crate) fn vrg_list(name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "ProtectedVolumeReplicationGroupList",
        "metadata": {"name": name},
        "spec": {"s3ProfileName": "profile"},
    })
}

pub(crate) fn group_source(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "ReplicationGroupSource",
        "metadata": {"namespace": namespace, "name": name, "labels": owned()},
        "spec": {
            "trigger": {"schedule": "*/5 * * * *"},
            "volumeGroupSnapshotClassName": "class",
            "volumeGroupSnapshotSource": {"matchLabels": {"group": "one"}},
        },
    })
}

pub(crate) fn group_destination(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "ReplicationGroupDestination",
        "metadata": {"namespace": namespace, "name": name, "labels": owned()},
        "spec": {},
    })
}

/// The labels by which Ramen finds the VolumeReplicationGroup.
fn owned() -> Value {
    json!({
        "volumereplicationgroups-owner": "app",
        "volumereplicationgroups-owner-namespace": "app",
    })
}

/// One of each kind that lives on managed clusters, and what a change of its `spec` looks like.
pub(crate) fn managed(name: &str) -> [(Value, Value); 7] {
    [
        (vrg(name, "app"), json!({"replicationState": "secondary"})),
        (recipe(name, "app"), json!({"appType": "other"})),
        (
            drclusterconfig(name),
            json!({"replicationSchedules": ["1h"]}),
        ),
        (maintenancemode(name), json!({"targetID": "other"})),
        (vrg_list(name), json!({"s3ProfileName": "other"})),
        (
            group_source(name, "app"),
            json!({"trigger": {"manual": "final"}}),
        ),
        (group_destination(name, "app"), json!({"rdSpecs": []})),
    ]
}

pub(crate) fn config_map(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": namespace, "name": name},
        "data": {"ramen_manager_config.yaml": "ramenOpsNamespace: ramen-ops\n"},
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
