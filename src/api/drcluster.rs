//! `DRCluster`: a managed cluster that takes part in disaster recovery.

#![expect(unreachable_pub, reason = "KubeSchema copies the type into a function")]

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, absent_is_default};

/// What a `DRCluster` asks for; `api/v1alpha1/drcluster_types.go`.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "DRCluster",
    plural = "drclusters",
    status = "DRClusterStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A managed cluster that takes part in disaster recovery; named as the cluster is."
)]
#[serde(rename_all = "camelCase")]
pub struct DRClusterSpec {
    /// The networks of the cluster's nodes, `address/bits`: what a fence keeps away from the storage.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub cidrs: Vec<String>,
    /// Whether the cluster is to be kept away from the storage, and by whom: by Ramen (`Fenced`,
    /// `Unfenced`) or by a person, whom Ramen believes (`ManuallyFenced`, `ManuallyUnfenced`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["Unfenced", "Fenced", "ManuallyFenced", "ManuallyUnfenced"]))]
    pub cluster_fence: Option<String>,
    /// Where the cluster is. Clusters of one region are meant to share storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("region is immutable"))]
    pub region: Option<String>,
    /// The S3 profile, by its name in Ramen's configuration, in which the other cluster's
    /// applications leave what this cluster needs to take them over.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    #[x_kube(validation = Rule::new("self == oldSelf").message("s3ProfileName is immutable"))]
    pub s3_profile_name: String,
}

/// What Ramen found out about a `DRCluster`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DRClusterStatus {
    /// `Available`, `Starting`, `Fencing`, `Fenced`, `Unfencing` or `Unfenced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Observations: `Validated`, `Clean`, `Fenced`, `CIDRsValidated`.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
    /// How far the storage backends of the cluster are with what they were asked for.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub maintenance_modes: Vec<ClusterMaintenanceMode>,
}

/// The state of one `MaintenanceMode` of the cluster; `api/v1alpha1/drcluster_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterMaintenanceMode {
    /// The CSI driver's name.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub storage_provisioner: String,
    /// Which storage or replication instance of that driver.
    #[serde(rename = "targetID", default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub target_id: String,
    /// `Unknown`, `Error`, `Progressing` or `Completed`.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, extend("enum" = ["Unknown", "Error", "Progressing", "Completed"]))]
    pub state: String,
    /// What the storage backend reported.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
}

kind!(DRCluster, "drclusters", namespaced: false, DRClusterSpec, DRClusterStatus);
