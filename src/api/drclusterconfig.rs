//! `DRClusterConfig`: what the hub tells a managed cluster, and what the cluster answers.

#![expect(unreachable_pub, reason = "KubeSchema copies the type into a function")]

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, absent_is_default};

/// What the hub tells a cluster; `api/v1alpha1/drclusterconfig_types.go`.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "DRClusterConfig",
    plural = "drclusterconfigs",
    status = "DRClusterConfigStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "What the hub tells a managed cluster about itself, and which storage the cluster reports."
)]
#[serde(rename_all = "camelCase")]
pub struct DRClusterConfigSpec {
    /// The intervals of the policies that the cluster is in, each a number and `m`, `h` or `d`.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub replication_schedules: Vec<String>,
    /// Who the cluster is: its claim `id.k8s.io`.
    #[serde(rename = "clusterID", default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    #[x_kube(validation = Rule::new("self == oldSelf").message("ClusterID is immutable"))]
    pub cluster_id: String,
}

/// What a cluster reports. Classes are listed if they carry Ramen's labels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DRClusterConfigStatus {
    /// Observations: `Processed`, `Reachable`.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
    /// The `StorageClass`es, by name.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub storage_classes: Vec<String>,
    /// The `VolumeSnapshotClass`es, by name.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub volume_snapshot_classes: Vec<String>,
    /// The `VolumeGroupSnapshotClass`es, by name.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub volume_group_snapshot_classes: Vec<String>,
    /// The `VolumeReplicationClass`es, by name.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub volume_replication_classes: Vec<String>,
    /// The `VolumeGroupReplicationClass`es, by name.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub volume_group_replication_classes: Vec<String>,
    /// The `NetworkFenceClass`es that can fence the cluster, by name.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub network_fence_classes: Vec<String>,
    /// From which networks the cluster reaches its storage.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub storage_access_details: Vec<StorageAccessDetail>,
    /// The `NetworkAttachmentDefinition`s of the cluster.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub network_attachments: Vec<NetworkAttachment>,
}

/// A `NetworkAttachmentDefinition`; `api/v1alpha1/drclusterconfig_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAttachment {
    /// Its name.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub name: String,
    /// Its namespace.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub namespace: String,
    /// Its CNI plugin, such as `bridge`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cni_type: Option<String>,
}

/// The networks from which a CSI driver reaches its storage; `api/v1alpha1/drclusterconfig_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageAccessDetail {
    /// The CSI driver's name.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub storage_provisioner: String,
    /// The networks, `address/bits`.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub cidrs: Vec<String>,
}

kind!(DRClusterConfig, "drclusterconfigs", namespaced: false, DRClusterConfigSpec, DRClusterConfigStatus);
