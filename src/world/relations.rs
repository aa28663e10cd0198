//! What rules ask of several kinds at once: where an application lives, and on which cluster.

use super::store::PLACEMENT_LABEL;
use super::{
    Config, LAST_CLUSTER, Lens, Lookup, Relation,
    config::{DR_CLUSTER, HUB, OLM_CLUSTER_NAMESPACE, OLM_NAMESPACE},
};
use crate::api::{
    ApplicationSet, ConfigMap, DRCluster, DRPlacementControl, DRPolicy, Key, ManagedCluster,
    ManagedClusterView, Object, PeerClasses, Placement, PlacementDecision, PlacementRule, Text,
};

use serde_json::Value;

/// What a DRPlacementControl's `placementRef` leads to.
#[derive(Debug)]
pub enum Placed<'a> {
    /// A Placement.
    Placement(&'a Object<Placement>),
    /// A PlacementRule.
    Rule(&'a Object<PlacementRule>),
    /// One of each of that name, which Ramen refuses to choose from.
    Both(&'a Object<Placement>, &'a Object<PlacementRule>),
    /// Neither.
    Missing,
    /// Nobody can say.
    Unknown,
}

impl<'a> Lens<'a> {
    /// What the hub operator's ConfigMap says: in the configured namespace, else where OLM puts it.
    /// Nothing while it is missing or can't be read; then nobody knows the operations namespace.
    pub fn hub_config(&self, operator_namespace: &str) -> Option<&'a Config> {
        self.config(HUB, operator_namespace, OLM_NAMESPACE)
    }

    /// As [`Lens::hub_config`], of the operator on a managed cluster.
    pub fn cluster_operator_config(&self, operator_namespace: &str) -> Option<&'a Config> {
        self.config(DR_CLUSTER, operator_namespace, OLM_CLUSTER_NAMESPACE)
    }

    /// Where there is one in both namespaces, one was left behind. Unless they say the same, nobody can
    /// tell which holds, and nothing is refused for either.
    fn config(&self, name: &str, operator_namespace: &str, olm: &str) -> Option<&'a Config> {
        let read = |namespace: &str| {
            let map = self.get::<ConfigMap>(namespace, name).found()?;
            Some(self.config_of(&map.key()))
        };
        let own = read(operator_namespace);
        if operator_namespace == olm {
            return own?;
        }
        let (own, other) = match (own, read(olm)) {
            (Some(own), Some(other)) => (own, other),
            (one, other) => return one.or(other)?,
        };
        if own.map(|config| &config.ramen) != other.map(|config| &config.ramen) {
            self.incomplete.set(true);
        }
        own.or(other)
    }

    /// What those of Ramen's ConfigMaps say that have a profile which needs a Secret.
    pub fn configs_with_secret(&self, secret: &Key) -> Vec<&'a Config> {
        let mut found: Vec<&Config> = Vec::new();
        for store in self.stores() {
            for config in store.configs.with_secret(secret) {
                let stale = self.is_stale(store, &config.key);
                if !stale && !found.iter().any(|known| known.key == config.key) {
                    found.push(config);
                }
            }
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        found
    }

    /// The DRPolicy that a DRPlacementControl names.
    pub fn policy_of(&self, drpc: &Object<DRPlacementControl>) -> Lookup<'a, DRPolicy> {
        match drpc.spec.dr_policy_ref.name.text() {
            Some(name) => self.get("", name),
            None => Lookup::Unknown,
        }
    }

    /// What a DRPlacementControl's `placementRef` leads to, as Ramen looks it up: by name, in the
    /// namespace of the DRPlacementControl.
    ///
    /// Source: internal/controller/drplacementcontrol_controller.go:1132-1162
    pub fn placement_of(&self, drpc: &Object<DRPlacementControl>) -> Placed<'a> {
        let Some(name) = drpc.spec.placement_ref.name.text() else {
            return Placed::Unknown;
        };
        let namespace = &drpc.meta.namespace;
        match (
            self.get::<Placement>(namespace, name),
            self.get::<PlacementRule>(namespace, name),
        ) {
            (Lookup::Found(placement), Lookup::Found(rule)) => Placed::Both(placement, rule),
            (Lookup::Found(placement), _) => Placed::Placement(placement),
            (_, Lookup::Found(rule)) => Placed::Rule(rule),
            (Lookup::Missing, Lookup::Missing) => Placed::Missing,
            _ => Placed::Unknown,
        }
    }

    /// The ApplicationSets whose first generator asks for the placement of that name, in whatever
    /// namespace, by namespace and name.
    pub fn application_sets_of(&self, placement: &str) -> Vec<&'a Object<ApplicationSet>> {
        self.related(Relation::PlacementName, placement)
    }

    /// The other DRPlacementControls whose application may live in a namespace: Ramen noted it down, or
    /// they are there themselves, or an ApplicationSet deploys there what their placement places.
    pub fn drpcs_that_may_live_in(&self, namespace: &str) -> Vec<&'a Object<DRPlacementControl>> {
        let mut found = self.related::<DRPlacementControl>(Relation::AppNamespace, namespace);
        for set in self.related::<ApplicationSet>(Relation::Destination, namespace) {
            let Some(placement) = placement_of_set(set) else {
                continue;
            };
            for drpc in self.related::<DRPlacementControl>(Relation::PlacementName, placement) {
                if !found.iter().any(|known| known.key() == drpc.key()) {
                    found.push(drpc);
                }
            }
        }
        found
    }

    /// The other DRPlacementControls of a placement.
    pub fn drpcs_on_placement(
        &self,
        namespace: &str,
        name: &str,
    ) -> Vec<&'a Object<DRPlacementControl>> {
        let mut found = self.related::<DRPlacementControl>(Relation::PlacementName, name);
        found.retain(|drpc| drpc.meta.namespace == namespace);
        found
    }

    /// The DRPolicies that list a cluster.
    pub fn policies_with(&self, cluster: &str) -> Vec<&'a Object<DRPolicy>> {
        self.related(Relation::Cluster, cluster)
    }

    /// The other clusters of the DRPolicies that list this one, each with its policy.
    pub fn peers_of(&self, cluster: &str) -> Vec<(&'a Object<DRPolicy>, Lookup<'a, DRCluster>)> {
        let mut peers = Vec::new();
        for policy in self.policies_with(cluster) {
            for name in policy
                .spec
                .dr_clusters
                .iter()
                .filter(|name| *name != cluster)
            {
                peers.push((policy, self.get("", name)));
            }
        }
        peers
    }

    /// The cluster that an application runs on: what Ramen noted down, else what the placement
    /// decided. `status.preferredDecision` and `spec.preferredCluster` don't follow a failover.
    ///
    /// Source: internal/controller/drplacementcontrol.go:1922-1956
    pub fn current_cluster(&self, drpc: &'a Object<DRPlacementControl>) -> Option<&'a str> {
        if let Some(cluster) = drpc.meta.annotation(LAST_CLUSTER) {
            return Some(cluster);
        }
        let placement = drpc.spec.placement_ref.name.text()?;
        let decisions = self.related::<PlacementDecision>(Relation::DecisionOf, placement);
        let here = decisions
            .into_iter()
            .filter(|decision| decision.meta.namespace == drpc.meta.namespace);
        here.flat_map(|decision| &decision.status().decisions)
            .find(|decision| decision.reason != "RetainedForFailover")
            .map(|decision| &*decision.cluster_name)
            .filter(|cluster| !cluster.is_empty())
    }

    fn config_of(&self, key: &Key) -> Option<&'a Config> {
        let mut fresh = self.stores().filter(|store| !self.is_stale(store, key));
        fresh.find_map(|store| store.configs.get(key))
    }
}

/// The placement that an ApplicationSet's first generator asks for; Ramen looks at no other one.
///
/// Source: internal/controller/drplacementcontrol_controller.go:2331-2372
pub(super) fn placement_of_set(set: &Object<ApplicationSet>) -> Option<&str> {
    let labels = &set
        .spec
        .generators
        .first()?
        .cluster_decision_resource
        .as_ref()?
        .label_selector
        .match_labels;
    labels
        .as_ref()?
        .get(PLACEMENT_LABEL)
        .filter(|name| !name.is_empty())
}

/// The namespace that an ApplicationSet deploys to.
pub(super) fn destination(set: &Object<ApplicationSet>) -> Option<&str> {
    set.spec.template.spec.destination.namespace.text()
}

// Metro: whether the clusters of a policy share their storage.

/// Whether Ramen takes a policy's clusters for ones that share their storage: it has found storage
/// classes that say so; or it has found none at all and the policy names no time between two copies.
///
/// Source: internal/controller/drplacementcontrol.go:2460-2531
pub fn is_metro(policy: &Object<DRPolicy>) -> bool {
    let status = policy.status();
    let found = |classes: &Option<PeerClasses>| {
        classes
            .as_ref()
            .is_some_and(|found| !found.peer_classes.is_empty())
    };
    found(&status.sync) || (!found(&status.async_) && is_zero(&policy.spec.scheduling_interval))
}

/// Whether a scheduling interval is no time at all: empty, or zeros and a unit.
pub fn is_zero(interval: &str) -> bool {
    let digits = interval.strip_suffix(['m', 'h', 'd']);
    interval.is_empty()
        || digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b == b'0'))
}

// What the hub has seen of a managed cluster.

impl<'a> Lens<'a> {
    /// What Ramen's operator on a managed cluster reports of its storage: the `DRClusterConfig`, where
    /// a ManagedClusterView has brought it to the hub.
    pub fn cluster_config(&self, cluster: &str) -> Option<&'a Value> {
        let views = self.related::<ManagedClusterView>(Relation::ClusterConfig, cluster);
        views
            .into_iter()
            .find_map(|view| view.status().result.as_ref())
            .filter(|result| !result.is_null())
    }
}

/// The id that a managed cluster says it has.
pub fn cluster_id(managed: &Object<ManagedCluster>) -> Option<&str> {
    let claims = &managed.status().cluster_claims;
    let id = claims.iter().find(|claim| claim.name == "id.k8s.io")?;
    Some(&*id.value).filter(|id| !id.is_empty())
}

/// The cluster whose `DRClusterConfig` a view brings.
pub(super) fn cluster_of_config(view: &Object<ManagedClusterView>) -> Option<&str> {
    let scope = &view.spec.scope;
    let names = [scope.kind.as_deref(), scope.resource.as_deref()];
    let is_config = names
        .into_iter()
        .flatten()
        .any(|name| ["drclusterconfig", "drclusterconfigs"].contains(&&*name.to_lowercase()));
    is_config.then_some(&*view.meta.namespace)
}
