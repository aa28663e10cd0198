//! `RamenConfig`: the configuration of Ramen's operators, as YAML in a `ConfigMap`.
//!
//! There is no CRD for it. Ramen reads it with Go's JSON reader after `sigs.k8s.io/yaml`, which takes
//! more than an API server would; [`crate::manifest::goyaml`] takes the same.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::absent_is_default;

/// The configuration of an operator; `api/v1alpha1/ramenconfig_types.go`.
///
/// Nothing in it is required: what is absent has Go's zero value. A boolean and a name that the
/// operator has a default for are optional, since an explicit `false` is not an absence then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RamenConfig {
    /// `ramendr.openshift.io/v1alpha1`; Ramen does not look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-go-inline" = true))]
    pub api_version: Option<String>,
    /// `RamenConfig`; Ramen does not look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-go-inline" = true))]
    pub kind: Option<String>,
    /// How several replicas of the operator agree on one that works.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("nullable" = true))]
    pub leader_election: Option<LeaderElectionConfiguration>,
    /// Where metrics are served.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "is_default"
    )]
    pub metrics: ControllerMetrics,
    /// Where health checks are answered.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "is_default"
    )]
    pub health: ControllerHealth,
    /// `dr-hub` or `dr-cluster`. Not read: the operator's environment says which it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramen_controller_type: Option<String>,
    /// The S3 stores that clusters leave PVs and objects in.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub s3_store_profiles: Vec<S3StoreProfile>,
    /// How many objects of a kind are worked on at once; 1 when absent or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::integer")]
    pub max_concurrent_reconciles: Option<i64>,
    /// How the hub brings the operator to the managed clusters.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "is_default"
    )]
    pub dr_cluster_operator: DrClusterOperatorConfig,
    /// How `VolSync` is used.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "is_default"
    )]
    pub vol_sync: VolSyncConfig,
    /// How Kubernetes objects are protected.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "is_default"
    )]
    pub kube_object_protection: KubeObjectProtectionConfig,
    /// Whether applications may span namespaces.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "is_default"
    )]
    pub multi_namespace: MultiNamespaceConfig,
    /// Whether PVCs that are deleted or no longer selected lose their protection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_unprotection_enabled: Option<bool>,
    /// The namespace for objects of applications that nothing on the hub deploys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramen_ops_namespace: Option<String>,
    /// Whether namespaces may keep their `OpenShift` security annotations on the other cluster.
    #[serde(
        rename = "retainNamespaceSCCAcrossPeers",
        skip_serializing_if = "Option::is_none"
    )]
    pub retain_namespace_scc_across_peers: Option<bool>,
}

/// An S3 store; `api/v1alpha1/ramenconfig_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct S3StoreProfile {
    /// What others call it.
    #[serde(
        deserialize_with = "absent_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub s3_profile_name: String,
    /// The bucket.
    #[serde(
        deserialize_with = "absent_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub s3_bucket: String,
    /// The address of the store, a URL.
    #[serde(
        deserialize_with = "absent_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub s3_compatible_endpoint: String,
    /// The region, in the words of the store.
    #[serde(
        deserialize_with = "absent_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub s3_region: String,
    /// The `Secret` with the keys `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    #[serde(
        deserialize_with = "absent_is_default",
        skip_serializing_if = "is_default"
    )]
    pub s3_secret_ref: SecretReference,
    /// The same credentials in the form and namespace that Velero wants.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("nullable" = true))]
    pub velero_namespace_secret_key_ref: Option<SecretKeySelector>,
    /// The certificates that the store's own is checked against: PEM, in base64.
    #[serde(
        rename = "caCertificates",
        deserialize_with = "bytes",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(extend("format" = "byte"))]
    pub ca_certificates: Option<String>,
}

/// Reads base64. Go also takes the bytes as a list of numbers, which nobody writes: it is left out.
fn bytes<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(value.as_str().map(str::to_owned))
}

impl S3StoreProfile {
    /// The name that stands for no store, where one has to be named. No profile should have it.
    ///
    /// Source: internal/controller/ramenconfig.go:60
    pub const NONE: &str = "NoS3";
}

/// Names a `Secret` (`corev1.SecretReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SecretReference {
    /// Its name.
    #[serde(
        deserialize_with = "absent_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub name: String,
    /// Its namespace; the operator's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// Names a key of a `Secret` (`corev1.SecretKeySelector`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SecretKeySelector {
    /// The `Secret`'s name.
    #[serde(
        deserialize_with = "absent_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    #[schemars(extend("x-go-inline" = true))]
    pub name: String,
    /// The key.
    #[serde(
        deserialize_with = "absent_is_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub key: String,
    /// Whether the key may be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("nullable" = true))]
    pub optional: Option<bool>,
}

/// How a leader is found (`k8s.io/component-base/config/v1alpha1`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeaderElectionConfiguration {
    /// Whether there is an election at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("nullable" = true))]
    pub leader_elect: Option<bool>,
    /// How long the others wait for a silent leader, a Go duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "duration"))]
    pub lease_duration: Option<String>,
    /// How long the leader tries to stay one, a Go duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "duration"))]
    pub renew_deadline: Option<String>,
    /// The time between two tries, a Go duration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "duration"))]
    pub retry_period: Option<String>,
    /// The kind of object that stands for being the leader, `leases`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_lock: Option<String>,
    /// The name of that object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// The namespace of that object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_namespace: Option<String>,
}

/// Where metrics are served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ControllerMetrics {
    /// `host:port`, or `0` for nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_address: Option<String>,
}

/// Where health checks are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ControllerHealth {
    /// `host:port`, or `0` for nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_probe_bind_address: Option<String>,
    /// The path that says whether the operator can work; `readyz` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness_endpoint_name: Option<String>,
    /// The path that says whether the operator lives; `healthz` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness_endpoint_name: Option<String>,
}

/// How the hub brings the operator to the managed clusters. All names are OLM's, and the operator
/// overwrites them when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DrClusterOperatorConfig {
    /// Whether the hub installs the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_automation_enabled: Option<bool>,
    /// Whether the hub copies the S3 secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_secret_distribution_enabled: Option<bool>,
    /// The channel of the subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_name: Option<String>,
    /// The package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_name: Option<String>,
    /// The namespace that the operator runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_name: Option<String>,
    /// The catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog_source_name: Option<String>,
    /// The catalog's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalog_source_namespace_name: Option<String>,
    /// The version that is installed first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_service_version_name: Option<String>,
}

/// How `VolSync` is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolSyncConfig {
    /// Whether it is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// The CSI driver whose snapshots are mounted for reading instead of copied first.
    #[serde(
        rename = "cephFSCSIDriverName",
        skip_serializing_if = "Option::is_none"
    )]
    pub ceph_fs_csi_driver_name: Option<String>,
    /// `Snapshot` or `Direct`: how a copy becomes a volume; `Snapshot` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_copy_method: Option<String>,
}

/// How Kubernetes objects are protected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeObjectProtectionConfig {
    /// Whether they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// The namespace that Velero runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub velero_namespace_name: Option<String>,
}

/// Whether applications may span namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MultiNamespaceConfig {
    /// Whether they may. The capital letter is Ramen's.
    #[serde(rename = "FeatureEnabled", skip_serializing_if = "Option::is_none")]
    pub feature_enabled: Option<bool>,
    /// Whether `VolSync` may be used for such applications.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volsync_supported: Option<bool>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
