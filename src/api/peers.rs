//! Kinds that are not Ramen's but that a rule asks about. Only what is asked for is here, without a
//! schema: the guard never judges these objects against one.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use super::{Condition, Kind, LabelSelector, absent_is_default};

/// Stands for a part of an object that the kind does not have, or that nobody asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Unread {}

/// Open Cluster Management's `Placement`: which clusters an application is put on.
#[derive(Clone, Copy, Debug)]
pub struct Placement;

/// What a [`Placement`] asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlacementSpec {
    /// How many clusters are to be chosen; all that fit when absent.
    pub number_of_clusters: Option<i64>,
}

kind!(Placement: "cluster.open-cluster-management.io" / "v1beta1", "placements", namespaced: true, PlacementSpec, Unread);

/// What `Placement` was before: Open Cluster Management's `PlacementRule`.
#[derive(Clone, Copy, Debug)]
pub struct PlacementRule;

/// What a [`PlacementRule`] asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlacementRuleSpec {
    /// How many clusters are to be chosen; all that fit when absent.
    pub cluster_replicas: Option<i64>,
    /// Who chooses; Ramen only if it is named here.
    pub scheduler_name: Option<String>,
}

kind!(PlacementRule: "apps.open-cluster-management.io" / "v1", "placementrules", namespaced: true, PlacementRuleSpec, Unread);

/// The clusters that were chosen for a [`Placement`].
#[derive(Clone, Copy, Debug)]
pub struct PlacementDecision;

/// The clusters that a [`PlacementDecision`] names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PlacementDecisionStatus {
    /// One entry a cluster.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub decisions: Vec<ClusterDecision>,
}

/// A cluster that was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDecision {
    /// The cluster's name.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub cluster_name: String,
    /// Why it was chosen, such as Ramen's `RetainedForFailover`.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub reason: String,
}

kind!(
    PlacementDecision: "cluster.open-cluster-management.io" / "v1beta1", "placementdecisions", namespaced: true,
    Unread, PlacementDecisionStatus
);

/// A cluster that the hub manages.
#[derive(Clone, Copy, Debug)]
pub struct ManagedCluster;

/// What the hub knows of a [`ManagedCluster`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedClusterStatus {
    /// Observations, such as `ManagedClusterConditionAvailable`.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub conditions: Vec<Condition>,
    /// What the cluster says of itself, such as `id.k8s.io`.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub cluster_claims: Vec<ClusterClaim>,
}

/// One thing that a cluster says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ClusterClaim {
    /// What is said.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub name: String,
    /// Its value.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub value: String,
}

kind!(
    ManagedCluster: "cluster.open-cluster-management.io" / "v1", "managedclusters", namespaced: false,
    Unread, ManagedClusterStatus
);

/// Argo CD's `ApplicationSet`: an application for each cluster that something chooses.
#[derive(Clone, Copy, Debug)]
pub struct ApplicationSet;

/// What an [`ApplicationSet`] asks for.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ApplicationSetSpec {
    /// What chooses the clusters.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub generators: Vec<Generator>,
    /// The application.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub template: ApplicationTemplate,
}

/// One way of choosing clusters.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Generator {
    /// Takes the clusters that another object names; the only way that Ramen can steer.
    pub cluster_decision_resource: Option<ClusterDecisionResource>,
}

/// Where a [`Generator`] finds the clusters.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDecisionResource {
    /// The labels of the objects that name clusters; a placement's decisions carry its name.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub label_selector: LabelSelector,
}

/// The application that an [`ApplicationSet`] makes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ApplicationTemplate {
    /// What the application asks for.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub spec: ApplicationSpec,
}

/// What an application of Argo CD's asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ApplicationSpec {
    /// Where it goes.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub destination: ApplicationDestination,
}

/// Where an application of Argo CD's goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ApplicationDestination {
    /// The namespace on the chosen cluster.
    pub namespace: Option<String>,
}

kind!(ApplicationSet: "argoproj.io" / "v1alpha1", "applicationsets", namespaced: true, ApplicationSetSpec, Unread);

/// An object of a managed cluster, brought to the hub. Its namespace is the cluster's name.
#[derive(Clone, Copy, Debug)]
pub struct ManagedClusterView;

/// What a [`ManagedClusterView`] asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ManagedClusterViewSpec {
    /// Which object is brought.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub scope: ViewScope,
}

/// Names the object that a [`ManagedClusterView`] brings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViewScope {
    /// The API group, absent for the core group.
    pub api_group: Option<String>,
    /// The API version.
    pub version: Option<String>,
    /// The kind; or [`ViewScope::resource`].
    pub kind: Option<String>,
    /// The resource, in any spelling that kubectl takes.
    pub resource: Option<String>,
    /// The namespace on the managed cluster.
    pub namespace: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// How often it is brought anew, seconds.
    pub update_interval_seconds: Option<i64>,
}

/// What a [`ManagedClusterView`] brought.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ManagedClusterViewStatus {
    /// Observations; `Processing` says whether the object could be read.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub conditions: Vec<Condition>,
    /// The object, as the managed cluster has it.
    #[serde(default)]
    pub result: Option<Value>,
}

kind!(
    ManagedClusterView: "view.open-cluster-management.io" / "v1beta1", "managedclusterviews", namespaced: true,
    ManagedClusterViewSpec, ManagedClusterViewStatus
);

/// A `Secret` of the core group.
#[derive(Clone, Copy, Debug)]
pub struct Secret;

/// What a [`Secret`] holds: the names of its keys. The values are never kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretBody {
    /// The keys of `data`.
    #[serde(default, deserialize_with = "keys")]
    pub data: BTreeSet<String>,
    /// The keys of `stringData`, which the API server moves to `data`.
    #[serde(default, deserialize_with = "keys")]
    pub string_data: BTreeSet<String>,
}

impl SecretBody {
    /// Whether the secret has a key, or will have it once it is stored.
    pub fn has(&self, key: &str) -> bool {
        self.data.contains(key) || self.string_data.contains(key)
    }
}

impl Kind for Secret {
    const GROUP: &'static str = "";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "Secret";
    const PLURAL: &'static str = "secrets";
    const NAMESPACED: bool = true;
    type Spec = SecretBody;
    type Status = Unread;

    // Nobody should have to let the guard read every secret of a cluster.
    const WATCHED: bool = false;

    fn body(object: &Value) -> Option<&Value> {
        Some(object)
    }
}

/// Reads the keys of a map and passes over its values.
fn keys<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeSet<String>, D::Error> {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = BTreeSet<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeSet::new())
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut keys = BTreeSet::new();
            while let Some((key, IgnoredAny)) = map.next_entry::<String, _>()? {
                keys.insert(key);
            }
            Ok(keys)
        }
    }
    input.deserialize_any(Keys)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_keeps_no_value() {
        let object = json!({ "data": { "key": "dmFsdWU=" }, "stringData": null });
        let body = SecretBody::deserialize(Secret::body(&object).unwrap_or(&Value::Null))
            .unwrap_or_default();
        assert!(body.has("key") && !body.has("other"));
        assert!(!format!("{body:?}").contains("dmFsdWU="));
    }
}
