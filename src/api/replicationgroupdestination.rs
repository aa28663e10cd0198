//! `ReplicationGroupDestination`: receives a consistency group through `VolSync`.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Condition, LabelSelector, ObjectReference, TypedLocalObjectReference,
    VolSyncReplicationDestinationSpec, absent_is_default,
};

/// What is received; `api/v1alpha1/replicationgroupdestination_types.go`.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, JsonSchema, Serialize, Deserialize)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "ReplicationGroupDestination",
    plural = "replicationgroupdestinations",
    shortname = "rgd",
    namespaced,
    status = "ReplicationGroupDestinationStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Receives a consistency group of volumes through VolSync. Ramen writes it on the managed cluster."
)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationGroupDestinationSpec {
    /// Which `VolumeSnapshotClass`es may be used; all of them when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::label_selector")]
    pub volume_snapshot_class_selector: Option<LabelSelector>,
    /// The volumes of the group.
    #[serde(
        rename = "rdSpecs",
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub rd_specs: Vec<VolSyncReplicationDestinationSpec>,
    /// Whether receiving is halted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// How receiving goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationGroupDestinationStatus {
    /// When the last copy was complete, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_sync_time: Option<String>,
    /// When the last copy began, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_sync_start_time: Option<String>,
    /// How long the last copy took, a Go duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_duration: Option<String>,
    /// When the next copy begins, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub next_sync_time: Option<String>,
    /// Observations of the copying.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
    /// The snapshot with the newest complete copy, by PVC.
    #[serde(
        rename = "latestImage",
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub latest_images: BTreeMap<String, TypedLocalObjectReference>,
    /// The `ReplicationDestination`s that were made.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub replication_destinations: Vec<ObjectReference>,
}

kind!(
    ReplicationGroupDestination,
    "replicationgroupdestinations",
    namespaced: true,
    ReplicationGroupDestinationSpec,
    ReplicationGroupDestinationStatus
);
