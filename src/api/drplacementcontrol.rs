//! `DRPlacementControl`: one protected application, and what is to be done with it.

#![expect(unreachable_pub, reason = "KubeSchema copies the type into a function")]

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Condition, DiscoveredResource, Groups, Kind, KubeObjectProtectionSpec, LabelSelector, Meta,
    ObjectReference, VolSyncSpec, absent_is_default,
};

/// The label that makes OCM's hub backup take an object along.
///
/// Source: internal/controller/drplacementcontrol_controller.go:763
pub const BACKUP_LABEL: (&str, &str) = ("cluster.open-cluster-management.io/backup", "ramen");
/// The annotation with the namespace that Ramen protects for a DRPlacementControl, once it has decided.
pub const APP_NAMESPACE: &str = "drplacementcontrol.ramendr.openshift.io/app-namespace";
/// The annotation with the cluster that Ramen deployed the application to last.
pub const LAST_CLUSTER: &str =
    "drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster";
/// The label of a consistency group across applications.
pub const GLOBAL_GROUP: &str = "ramendr.openshift.io/global-vgr";

/// What a `DRPlacementControl` asks for; `api/v1alpha1/drplacementcontrol_types.go`.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "DRPlacementControl",
    plural = "drplacementcontrols",
    shortname = "drpc",
    namespaced,
    status = "DRPlacementControlStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "One protected application: where it runs, what of it is protected, and what is to be done with it."
)]
#[serde(rename_all = "camelCase")]
pub struct DRPlacementControlSpec {
    /// The `Placement` or `PlacementRule` that puts the application on a cluster; in the same namespace.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    #[x_kube(validation = Rule::new("self == oldSelf").message("placementRef is immutable"))]
    pub placement_ref: ObjectReference,
    /// The namespaces of an application that nothing on the hub deploys. Absent for an application
    /// that the placement deploys: then its own namespace is protected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected_namespaces: Option<Vec<String>>,
    /// The `DRPolicy` that names the two clusters.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    #[x_kube(validation = Rule::new("self == oldSelf").message("drPolicyRef is immutable"))]
    pub dr_policy_ref: ObjectReference,
    /// The cluster that the application runs on when all is well, and that `Relocate` brings it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_cluster: Option<String>,
    /// The cluster that `Failover` brings the application to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover_cluster: Option<String>,
    /// Which PVCs of the application are replicated; all of them when empty.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, schema_with = "super::field::label_selector")]
    #[x_kube(validation = Rule::new("self == oldSelf").message("pvcSelector is immutable"))]
    pub pvc_selector: LabelSelector,
    /// `Failover` or `Relocate`; absent while the application stays where it was deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["Failover", "Relocate"]))]
    pub action: Option<String>,
    /// Whether a failover is only tried out: the copy is used, the original stays what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// How the application's Kubernetes objects are protected; absent if only its volumes are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_object_protection: Option<Box<KubeObjectProtectionSpec>>,
    /// How `VolSync` is to work; Ramen takes only the mover's settings from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vol_sync_spec: Option<Box<VolSyncSpec>>,
    /// Whether a namespace keeps its `OpenShift` security annotations on the other cluster. Holds only
    /// if Ramen's configuration says so too.
    #[serde(
        rename = "retainNamespaceSCCAcrossPeers",
        skip_serializing_if = "Option::is_none"
    )]
    pub retain_namespace_scc_across_peers: Option<bool>,
}

/// How far Ramen is with a `DRPlacementControl`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DRPlacementControlStatus {
    /// What is being done or was done last, such as `Deployed` or `FailingOver`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The `metadata.generation` that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// When the action began, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub action_start_time: Option<String>,
    /// How long the action took, a Go duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_duration: Option<String>,
    /// The step of the phase, such as `WaitOnUserToCleanUp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progression: Option<String>,
    /// The cluster that was chosen first. Not the one that the application is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_decision: Option<PreferredDecision>,
    /// Observations: `Available`, `PeerReady`, `Protected` and a few more.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
    /// What the `VolumeReplicationGroup` on the application's cluster reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_conditions: Option<Box<VRGConditions>>,
    /// When this status was last written, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_update_time: Option<String>,
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
    /// When the Kubernetes objects were last captured, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_kube_object_protection_time: Option<String>,
}

/// A cluster and the namespace on the hub that stands for it; Ramen's `PlacementDecision`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreferredDecision {
    /// The cluster's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_name: Option<String>,
    /// The cluster's namespace on the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_namespace: Option<String>,
}

/// A `VolumeReplicationGroup` as the hub sees it; `api/v1alpha1/drplacementcontrol_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VRGConditions {
    /// Which group it is, and what it protects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_meta: Option<VRGResourceMeta>,
    /// Its conditions.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conditions: Vec<Condition>,
}

/// Which `VolumeReplicationGroup` was read; `api/v1alpha1/drplacementcontrol_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VRGResourceMeta {
    /// Its kind.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub kind: String,
    /// Its name.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub name: String,
    /// Its namespace on the managed cluster.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub namespace: String,
    /// Its `metadata.generation`.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub generation: i64,
    /// The PVCs that it protects, by name.
    #[serde(
        rename = "protectedpvcs",
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub protected_pvcs: Vec<String>,
    /// The PVCs that it protects together.
    #[serde(
        rename = "pvcgroups",
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub pvc_groups: Vec<Groups>,
    /// Its `metadata.resourceVersion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
    /// The virtual machines with addresses of their own that it protects.
    #[serde(
        rename = "protectedStaticIPVMs",
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub protected_static_ip_vms: Vec<DiscoveredResource>,
}

impl Kind for DRPlacementControl {
    const GROUP: &'static str = super::GROUP;
    const VERSION: &'static str = super::VERSION;
    const KIND: &'static str = "DRPlacementControl";
    const PLURAL: &'static str = "drplacementcontrols";
    const NAMESPACED: bool = true;
    type Spec = DRPlacementControlSpec;
    type Status = DRPlacementControlStatus;

    /// There are thousands of them, and of what a controller reports about one only how far it has come is
    /// anybody else's business: whoever is judged brings its own.
    fn trim(meta: &mut Meta, _spec: &mut Self::Spec, status: &mut Self::Status) {
        meta.finalizers = Vec::new();
        meta.owner_references = Vec::new();
        meta.labels.keep(&[BACKUP_LABEL.0, GLOBAL_GROUP]);
        meta.annotations.keep(&[APP_NAMESPACE, LAST_CLUSTER]);
        *status = Self::Status {
            phase: status.phase.take(),
            progression: status.progression.take(),
            observed_generation: status.observed_generation,
            preferred_decision: status.preferred_decision.take(),
            ..Self::Status::default()
        };
    }
}
