//! `DRPolicy`: two clusters and how often data goes from one to the other.

#![expect(unreachable_pub, reason = "KubeSchema copies the type into a function")]

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, LabelSelector, LocalObjectReference, absent_is_default};

/// What a `DRPolicy` asks for; `api/v1alpha1/drpolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "DRPolicy",
    plural = "drpolicies",
    status = "DRPolicyStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Two clusters that protect each other's applications, and how often data is copied."
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(oldSelf.replicationClassSelector) == has(self.replicationClassSelector)")
        .message("replicationClassSelector is immutable"),
    validation = Rule::new("has(oldSelf.volumeSnapshotClassSelector) == has(self.volumeSnapshotClassSelector)")
        .message("volumeSnapshotClassSelector is immutable")
)]
pub struct DRPolicySpec {
    /// The time between two copies: a number and `m`, `h` or `d`. Empty where storage is shared and
    /// nothing has to be copied.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, regex(pattern = r"^(|\d+[mhd])$"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("schedulingInterval is immutable"))]
    pub scheduling_interval: String,
    /// Which `VolumeReplicationClass`es may be used; all of them when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::label_selector", extend("default" = {}))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("replicationClassSelector is immutable"))]
    pub replication_class_selector: Option<LabelSelector>,
    /// Which `VolumeSnapshotClass`es `VolSync` may use; all of them when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::label_selector", extend("default" = {}))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("volumeSnapshotClassSelector is immutable"))]
    pub volume_snapshot_class_selector: Option<LabelSelector>,
    /// Which `VolumeGroupSnapshotClass`es `VolSync` may use for consistency groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::label_selector")]
    pub volume_group_snapshot_class_selector: Option<LabelSelector>,
    /// The names of the two `DRCluster`s.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    #[x_kube(
        validation = Rule::new("size(self) == 2").message("drClusters requires a list of 2 clusters"),
        validation = Rule::new("self == oldSelf").message("drClusters is immutable")
    )]
    pub dr_clusters: Vec<String>,
    /// The `ConfigMap` that maps the subnets of one cluster to those of the other; it is looked for
    /// in the namespace of each `DRPlacementControl` under the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_mapping_ref: Option<LocalObjectReference>,
}

/// What Ramen found out about a `DRPolicy`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DRPolicyStatus {
    /// Observations; `Validated` is the one that counts.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
    /// Storage that the clusters copy to each other.
    #[serde(rename = "async", skip_serializing_if = "Option::is_none")]
    pub async_: Option<PeerClasses>,
    /// Storage that the clusters share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<PeerClasses>,
    /// Networks that both clusters have and that are labelled for disaster recovery.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub network_peers: Vec<NetworkPeer>,
}

/// A `NetworkAttachmentDefinition` that both clusters have; `api/v1alpha1/drpolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPeer {
    /// Its name, the same on both.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub nad_name: String,
    /// Its namespace, the same on both.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub nad_namespace: String,
    /// The CNI plugin, such as `bridge`, by cluster name.
    #[serde(
        rename = "clusterCNITypes",
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub cluster_cni_types: BTreeMap<String, String>,
}

/// The storage classes of one way of replication; Ramen's `Async`, `Sync` and `VRGSyncSpec`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerClasses {
    /// One entry a storage class and pair of clusters.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub peer_classes: Vec<PeerClass>,
}

/// A storage class that two clusters have in common; `api/v1alpha1/drpolicy_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerClass {
    /// What both replication classes are labelled with.
    #[serde(rename = "replicationID", skip_serializing_if = "Option::is_none")]
    pub replication_id: Option<String>,
    /// What both group replication classes are labelled with.
    #[serde(rename = "groupreplicationID", skip_serializing_if = "Option::is_none")]
    pub group_replication_id: Option<String>,
    /// What the storage class is labelled with: one entry if the storage is shared, else one a cluster.
    #[serde(
        rename = "storageID",
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub storage_id: Vec<String>,
    /// The name of the storage class, the same on both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<String>,
    /// The two clusters, by the UID of their `kube-system` namespace.
    #[serde(
        rename = "clusterIDs",
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub cluster_ids: Vec<String>,
    /// Whether several volumes can be replicated as one group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouping: Option<bool>,
    /// Whether the storage replicates by itself, without Ramen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offloaded: Option<bool>,
    /// Whether one replication is shared by the applications of all namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global: Option<bool>,
}

kind!(DRPolicy, "drpolicies", namespaced: false, DRPolicySpec, DRPolicyStatus);
