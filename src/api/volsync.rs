//! What `VolSync` is told about each volume; `api/v1alpha1/volumereplicationgroup_types.go`.

use k8s_openapi::api::core::v1::PodSecurityContext;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LocalObjectReference, ProtectedPVC, absent_is_default};

/// The volumes that `VolSync` copies. Which of the lists counts depends on which side of the copy
/// the `VolumeReplicationGroup` is on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolSyncSpec {
    /// What the receiving side makes ready. Absent and empty are not the same: where it is absent,
    /// Ramen takes it that the list was lost for a moment (`internal/controller/vrg_volsync.go`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rd_spec: Option<Vec<VolSyncReplicationDestinationSpec>>,
    /// What the sending side copies, and where to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rs_spec: Option<Vec<VolSyncReplicationSourceSpec>>,
    /// Whether `VolSync` is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// How the copying pods run, one entry a PVC.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub mover_config: Vec<MoverConfig>,
}

/// A volume that is received.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolSyncReplicationDestinationSpec {
    /// The PVC on the sending side.
    #[serde(rename = "protectedPVC", skip_serializing_if = "Option::is_none")]
    pub protected_pvc: Option<ProtectedPVC>,
    /// How the receiving pod runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mover_config: Option<MoverConfig>,
}

/// A volume that is sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolSyncReplicationSourceSpec {
    /// The PVC on the sending side.
    #[serde(rename = "protectedPVC", skip_serializing_if = "Option::is_none")]
    pub protected_pvc: Option<ProtectedPVC>,
    /// Where it is sent to.
    #[serde(rename = "rsyncTLS", skip_serializing_if = "Option::is_none")]
    pub rsync_tls: Option<RsyncTLSConfig>,
    /// How the sending pod runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mover_config: Option<MoverConfig>,
}

/// A volume that the receiving side has made ready.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolSyncReplicationDestinationInfo {
    /// The PVC.
    #[serde(rename = "protectedPVC", skip_serializing_if = "Option::is_none")]
    pub protected_pvc: Option<ProtectedPVC>,
    /// Where it waits for data.
    #[serde(rename = "rsyncTLS", skip_serializing_if = "Option::is_none")]
    pub rsync_tls: Option<RsyncTLSConfig>,
}

/// Where the receiver listens, and the key that both sides know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RsyncTLSConfig {
    /// A host name or an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The `Secret` with the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_secret_ref: Option<LocalObjectReference>,
}

/// How the pods run that copy one PVC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MoverConfig {
    /// The security context of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::pod_security_context")]
    pub mover_security_context: Option<PodSecurityContext>,
    /// The service account of the pods, in the PVC's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mover_service_account: Option<String>,
    /// The PVC's name.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, length(min = 1))]
    pub pvc_name: String,
    /// The PVC's namespace.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, length(min = 1))]
    pub pvc_namespace: String,
}
