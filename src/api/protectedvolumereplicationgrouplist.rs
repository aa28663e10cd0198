//! `ProtectedVolumeReplicationGroupList`: asks what an S3 store holds.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{VolumeReplicationGroupSpec, VolumeReplicationGroupStatus, absent_is_default};

/// Which store is asked; `api/v1alpha1/protectedvolumereplicationgrouplist_types.go`.
#[derive(Clone, Debug, Default, PartialEq, CustomResource, JsonSchema, Serialize, Deserialize)]
#[kube(
    group = "ramendr.openshift.io",
    version = "v1alpha1",
    kind = "ProtectedVolumeReplicationGroupList",
    plural = "protectedvolumereplicationgrouplists",
    status = "ProtectedVolumeReplicationGroupListStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "Asks which VolumeReplicationGroups an S3 store holds. Answered once."
)]
#[serde(rename_all = "camelCase")]
pub struct ProtectedVolumeReplicationGroupListSpec {
    /// The S3 profile, by its name in Ramen's configuration.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub s3_profile_name: String,
}

/// What the store held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProtectedVolumeReplicationGroupListStatus {
    /// When it was asked, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub sample_time: Option<String>,
    /// The groups that were found.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub items: Vec<StoredVolumeReplicationGroup>,
}

/// A `VolumeReplicationGroup` as it lies in the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredVolumeReplicationGroup {
    /// Its group and version, `group/version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its metadata, as far as the API server keeps it there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<StoredMetadata>,
    /// What it asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<VolumeReplicationGroupSpec>,
    /// How it was doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<VolumeReplicationGroupStatus>,
}

/// The metadata of an object within an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredMetadata {
    /// The object's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The object's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The object's labels.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub labels: BTreeMap<String, String>,
    /// The object's annotations.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
    /// The object's finalizers.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub finalizers: Vec<String>,
}

kind!(
    ProtectedVolumeReplicationGroupList,
    "protectedvolumereplicationgrouplists",
    namespaced: false,
    ProtectedVolumeReplicationGroupListSpec,
    ProtectedVolumeReplicationGroupListStatus
);
