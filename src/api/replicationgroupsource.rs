//! `ReplicationGroupSource`: sends a consistency group through `VolSync`.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Condition, LabelSelector, ObjectReference, VolSyncReplicationSourceSpec, absent_is_default,
};

/// When a schedule is well formed: a name such as `@daily`, or five cron fields.
const SCHEDULE: &str = concat!(
    r"^(@(annually|yearly|monthly|weekly|daily|hourly))",
    r"|((((\d+,)*\d+|(\d+(\/|-)\d+)|\*(\/\d+)?)\s?){5})$"
);

/// What is sent, and when; `api/v1alpha1/replicationgroupsource_types.go`.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, JsonSchema, Serialize, Deserialize)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "ReplicationGroupSource",
    plural = "replicationgroupsources",
    shortname = "rgs",
    namespaced,
    status = "ReplicationGroupSourceStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Sends a consistency group of volumes through VolSync. Ramen writes it on the managed cluster."
)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationGroupSourceSpec {
    /// When data is sent; never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<ReplicationSourceTriggerSpec>,
    /// The `VolumeGroupSnapshotClass`, by name.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub volume_group_snapshot_class_name: String,
    /// Which PVCs are in the group.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, schema_with = "super::field::label_selector")]
    pub volume_group_snapshot_source: LabelSelector,
    /// Where each volume is sent to.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub rs_specs: Vec<VolSyncReplicationSourceSpec>,
}

/// What starts a copy; `api/v1alpha1/replicationgroupsource_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationSourceTriggerSpec {
    /// The clock: five cron fields, or a name such as `@daily`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = SCHEDULE))]
    pub schedule: Option<String>,
    /// A word. A new word starts one copy, whose end `status.lastManualSync` tells by that word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual: Option<String>,
}

/// How sending goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationGroupSourceStatus {
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
    /// The word of the last copy that was asked for by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_manual_sync: Option<String>,
    /// Observations of the copying.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
    /// The `ReplicationSource`s that were made.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub replication_sources: Vec<ObjectReference>,
}

kind!(
    ReplicationGroupSource,
    "replicationgroupsources",
    namespaced: true,
    ReplicationGroupSourceSpec,
    ReplicationGroupSourceStatus
);
