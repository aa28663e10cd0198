//! How one object names another.
//!
//! No name is more than a string here: whether it leads anywhere is for a rule to find out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent_is_default;

/// Names an object of any kind (`corev1.ObjectReference`). Ramen reads only the fields that its
/// documentation mentions; the others are legal and mean nothing to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct ObjectReference {
    /// The object's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The object's namespace; without meaning for a cluster-scoped kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The object's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The object's group and version, `group/version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The object's UID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The version of the object that was meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
    /// A part of the object, such as `spec.containers[0]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_path: Option<String>,
}

/// Names an object of a known kind in a known namespace (`corev1.LocalObjectReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct LocalObjectReference {
    /// The object's name. The API server fills in an empty one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = ""))]
    pub name: Option<String>,
}

/// Names an object of any kind in a known namespace (`corev1.TypedLocalObjectReference`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct TypedLocalObjectReference {
    /// The API group of the kind; absent for the core group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_group: Option<String>,
    /// The object's kind.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub kind: String,
    /// The object's name.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub name: String,
}

/// Names an object of a managed cluster; Ramen's own type, from
/// `api/v1alpha1/volumereplicationgroup_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceReference {
    /// The object's group and version, `group/version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The object's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The object's namespace.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub namespace: String,
    /// The object's name.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub name: String,
}
