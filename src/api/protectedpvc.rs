//! A PVC under protection, and the storage behind it;
//! `api/v1alpha1/volumereplicationgroup_types.go`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, absent_is_default};

/// A PVC that Ramen protects: what it is, and how its copy is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProtectedPVC {
    /// The PVC's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The PVC's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether `VolSync` copies it; else the storage replicates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected_by_vol_sync: Option<bool>,
    /// The CSI driver that made the volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csi_provisioner: Option<String>,
    /// The storage that the volume is on.
    #[serde(rename = "storageID", skip_serializing_if = "Option::is_none")]
    pub storage_id: Option<Identifier>,
    /// The pair of storages that the volume is replicated between.
    #[serde(rename = "replicationID", skip_serializing_if = "Option::is_none")]
    pub replication_id: Option<Identifier>,
    /// The PVC's storage class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<String>,
    /// The PVC's annotations.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
    /// The PVC's labels.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub labels: BTreeMap<String, String>,
    /// The PVC's access modes, such as `ReadWriteOnce`.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub access_modes: Vec<String>,
    /// How much the PVC asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<VolumeResources>,
    /// Observations: `DataReady`, `DataProtected`, `ClusterDataProtected`.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
    /// When the volume was last copied, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_sync_time: Option<String>,
    /// How long that took, a Go duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_duration: Option<String>,
    /// How much that was, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sync_bytes: Option<i64>,
    /// `Filesystem` or `Block`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_mode: Option<String>,
}

/// Names a storage or a pair of storages, as their classes are labelled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identifier {
    /// The label's value.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub id: String,
    /// What the storage must be told before a failover.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "super::field::maintenance_modes")]
    pub modes: Vec<String>,
}

/// How much storage a PVC asks for (`corev1.VolumeResourceRequirements`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeResources {
    /// At most this, by resource; `storage` is the only one.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(schema_with = "super::field::quantities")]
    pub limits: BTreeMap<String, Quantity>,
    /// At least this, by resource; `storage` is the only one.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(schema_with = "super::field::quantities")]
    pub requests: BTreeMap<String, Quantity>,
}
