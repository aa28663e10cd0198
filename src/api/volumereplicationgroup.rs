//! `VolumeReplicationGroup`: one protected application on one managed cluster.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Condition, DiscoveredResource, Groups, KubeObjectProtectionSpec, LabelSelector, PeerClass,
    PeerClasses, ProtectedPVC, ResourceReference, VolSyncReplicationDestinationInfo, VolSyncSpec,
    absent_is_default,
};

/// What a `VolumeReplicationGroup` asks for; `api/v1alpha1/volumereplicationgroup_types.go`.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, JsonSchema, Serialize, Deserialize)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "VolumeReplicationGroup",
    plural = "volumereplicationgroups",
    shortname = "vrg",
    namespaced,
    status = "VolumeReplicationGroupStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "One protected application on one managed cluster. The hub writes it; few people should."
)]
#[serde(rename_all = "camelCase")]
pub struct VolumeReplicationGroupSpec {
    /// Which PVCs are replicated; all of the namespace's when empty.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, schema_with = "super::field::label_selector")]
    pub pvc_selector: LabelSelector,
    /// `primary` where the application runs, `secondary` where its copy is.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub replication_state: String,
    /// The S3 profiles, by their names in Ramen's configuration, that PVs and objects are stored in.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub s3_profiles: Vec<String>,
    /// How data is copied between clusters with storage of their own.
    #[serde(rename = "async", skip_serializing_if = "Option::is_none")]
    pub async_: Option<VRGAsyncSpec>,
    /// There for clusters that share storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<PeerClasses>,
    /// The volumes that `VolSync` copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vol_sync: Option<VolSyncSpec>,
    /// Whether to get ready for the last copy before a relocation; for `VolSync`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepare_for_final_sync: Option<bool>,
    /// Whether to make the last copy before a relocation; for `VolSync`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_final_sync: Option<bool>,
    /// `Failover` or `Relocate`: what the hub is doing with the application.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["Failover", "Relocate"]))]
    pub action: Option<String>,
    /// Whether the failover is only tried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// How the application's Kubernetes objects are protected; absent if only its volumes are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_object_protection: Option<KubeObjectProtectionSpec>,
    /// The namespaces that are protected instead of the group's own, which is meant when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected_namespaces: Option<Vec<String>>,
    /// The addresses that virtual machines are to have on this cluster.
    #[serde(
        rename = "staticIPTranslationSpec",
        skip_serializing_if = "Option::is_none"
    )]
    pub static_ip_translation_spec: Option<StaticIPTranslationSpec>,
}

/// How a `VolumeReplicationGroup` is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeReplicationGroupStatus {
    /// `Primary`, `Secondary` or `Unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The PVCs under protection.
    #[serde(
        rename = "protectedPVCs",
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub protected_pvcs: Vec<ProtectedPVC>,
    /// The PVCs that are copied together.
    #[serde(
        rename = "pvcgroups",
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub pvc_groups: Vec<Groups>,
    /// The receivers of `VolSync` that were made ready here.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub rd_info: Vec<VolSyncReplicationDestinationInfo>,
    /// Observations: `DataReady`, `DataProtected`, `ClusterDataReady`, `ClusterDataProtected` and others.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
    /// The `metadata.generation` that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When this status was last written, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time", "nullable" = true))]
    pub last_update_time: Option<String>,
    /// What is known of the capture of Kubernetes objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_object_protection: Option<KubeObjectProtectionStatus>,
    /// Whether everything is ready for the last copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepare_for_final_sync_complete: Option<bool>,
    /// Whether the last copy is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_sync_complete: Option<bool>,
    /// The time of the oldest volume's newest copy, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_group_sync_time: Option<String>,
    /// How long the slowest volume took to copy, a Go duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_group_sync_duration: Option<String>,
    /// How much all volumes copied together, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_group_sync_bytes: Option<i64>,
    /// The addresses that virtual machines were found to have.
    #[serde(rename = "staticIPDiscovery", skip_serializing_if = "Option::is_none")]
    pub static_ip_discovery: Option<StaticIPDiscoveryStatus>,
}

/// How data is copied from cluster to cluster; `api/v1alpha1/volumereplicationgroup_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VRGAsyncSpec {
    /// Which `VolumeReplicationClass`es may be used; all of them when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::label_selector")]
    pub replication_class_selector: Option<LabelSelector>,
    /// Which `VolumeSnapshotClass`es `VolSync` may use; all of them when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::label_selector")]
    pub volume_snapshot_class_selector: Option<LabelSelector>,
    /// Which `VolumeGroupSnapshotClass`es `VolSync` may use for consistency groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::label_selector")]
    pub volume_group_snapshot_class_selector: Option<LabelSelector>,
    /// The time between two copies: a number and `m`, `h` or `d`.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, regex(pattern = r"^\d+[mhd]$"))]
    pub scheduling_interval: String,
    /// The storage classes that the clusters have in common.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub peer_classes: Vec<PeerClass>,
}

/// What is known of captures; `api/v1alpha1/volumereplicationgroup_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeObjectProtectionStatus {
    /// The newest capture that is whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture_to_recover_from: Option<KubeObjectsCaptureIdentifier>,
}

/// Names one capture; `api/v1alpha1/volumereplicationgroup_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeObjectsCaptureIdentifier {
    /// Which of the two places in the store it is in, 0 or 1.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub number: i64,
    /// When it began, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time", "nullable" = true))]
    pub start_time: Option<String>,
    /// When it was whole, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time", "nullable" = true))]
    pub end_time: Option<String>,
    /// The `metadata.generation` of the group when it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_generation: Option<i64>,
}

/// The addresses that virtual machines are to have; `api/v1alpha1/volumereplicationgroup_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaticIPTranslationSpec {
    /// One entry a virtual machine.
    #[serde(
        rename = "ipTranslations",
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub ip_translations: Vec<IPTranslationSpec>,
}

/// The addresses that one virtual machine is to have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IPTranslationSpec {
    /// The virtual machine.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub resource_ref: ResourceReference,
    /// One entry a network.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub networks: Vec<NetworkTranslation>,
}

/// The addresses that a virtual machine is to have in one network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkTranslation {
    /// The network's name.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub network_name: String,
    /// The addresses.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub addresses: Vec<AddressTranslation>,
}

/// One address that a virtual machine is to have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddressTranslation {
    /// The address on this cluster.
    #[serde(rename = "targetIP", default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub target_ip: String,
}

/// The addresses that virtual machines have; `api/v1alpha1/volumereplicationgroup_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaticIPDiscoveryStatus {
    /// One entry a virtual machine.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub resources: Vec<DiscoveredResource>,
}

kind!(
    VolumeReplicationGroup,
    "volumereplicationgroups",
    namespaced: true,
    VolumeReplicationGroupSpec,
    VolumeReplicationGroupStatus
);
