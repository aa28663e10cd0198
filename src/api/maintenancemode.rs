//! `MaintenanceMode`: asks a storage backend to get ready for a failover.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, absent_is_default};

/// What a storage backend is asked for; `api/v1alpha1/maintenancemode_types.go`.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, JsonSchema, Serialize, Deserialize)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "MaintenanceMode",
    plural = "maintenancemodes",
    status = "MaintenanceModeStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Asks a storage backend to get ready for a failover. The hub writes it, the storage answers."
)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceModeSpec {
    /// The CSI driver's name.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub storage_provisioner: String,
    /// Which storage or replication instance of that driver.
    #[serde(rename = "targetID", skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    /// What to get ready for.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "super::field::maintenance_modes")]
    pub modes: Vec<String>,
}

/// How far the storage backend is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceModeStatus {
    /// `Unknown`, `Error`, `Progressing` or `Completed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["Unknown", "Error", "Progressing", "Completed"]))]
    pub state: Option<String>,
    /// The `metadata.generation` that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Observations: `FailoverActivated`.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
}

kind!(MaintenanceMode, "maintenancemodes", namespaced: false, MaintenanceModeSpec, MaintenanceModeStatus);
