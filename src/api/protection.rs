//! What `DRPlacementControl` and `VolumeReplicationGroup` say in the same words.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LabelSelector, ResourceReference, absent_is_default};

/// How Kubernetes objects are protected; `api/v1alpha1/volumereplicationgroup_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KubeObjectProtectionSpec {
    /// The time between two captures. The schema takes more spellings than Ramen, which reads a Go
    /// duration such as `1h30m`; five minutes when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "duration"))]
    pub capture_interval: Option<String>,
    /// The `Recipe` that says what is captured, and in which order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe_ref: Option<RecipeRef>,
    /// Values for the parameters in the `Recipe`, by parameter. Absent and empty are not the same:
    /// Ramen writes to a map that has to be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe_parameters: Option<BTreeMap<String, Vec<String>>>,
    /// Which objects are captured; not read where there is a `Recipe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::field::label_selector")]
    pub kube_object_selector: Option<LabelSelector>,
}

/// Names a `Recipe`; `api/v1alpha1/volumereplicationgroup_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecipeRef {
    /// Its namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// PVCs that are copied at one moment; `api/v1alpha1/drplacementcontrol_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Groups {
    /// The PVCs, by name.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub grouped: Vec<String>,
}

/// A virtual machine with addresses of its own; `api/v1alpha1/volumereplicationgroup_types.go`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredResource {
    /// The virtual machine.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default)]
    pub resource_ref: ResourceReference,
    /// One entry a network that it is in.
    #[serde(
        default,
        deserialize_with = "absent_is_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub networks: Vec<DiscoveredNetwork>,
}

/// The addresses of a virtual machine in one network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveredNetwork {
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
    pub addresses: Vec<String>,
}
