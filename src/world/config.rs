//! What Ramen's own ConfigMaps say, read once when they change.

use std::collections::{BTreeSet, HashMap};

use crate::api::{ConfigMap, Key, Kind, Object, RamenConfig, S3StoreProfile, Secret, Text};

/// The hub operator's ConfigMap.
pub const HUB: &str = "ramen-hub-operator-config";
/// The ConfigMap of the operator on a managed cluster.
pub(super) const DR_CLUSTER: &str = "ramen-dr-cluster-operator-config";
/// Where the Operator Lifecycle Manager puts the hub operator.
pub const OLM_NAMESPACE: &str = "openshift-operators";
/// Where it puts the operator on a managed cluster.
pub(super) const OLM_CLUSTER_NAMESPACE: &str = "openshift-dr-system";

/// Where Ramen's ConfigMaps may be: namespace and name.
pub(super) fn places(operator_namespace: &str) -> Vec<(String, &'static str)> {
    let mut places = Vec::new();
    for (name, olm) in [(HUB, OLM_NAMESPACE), (DR_CLUSTER, OLM_CLUSTER_NAMESPACE)] {
        places.push((operator_namespace.to_owned(), name));
        if operator_namespace != olm {
            places.push((olm.to_owned(), name));
        }
    }
    places
}

/// Ramen's configuration, as one of its ConfigMaps has it.
#[derive(Debug)]
pub struct Config {
    /// The ConfigMap.
    pub key: Key,
    /// What it says, read as Ramen reads it. What is left out is off: defaults are only merged in when
    /// the operator starts.
    pub ramen: RamenConfig,
}

impl Config {
    /// The namespace of discovered applications; nothing where there is none.
    pub fn ops_namespace(&self) -> Option<&str> {
        self.ramen.ramen_ops_namespace.text()
    }

    /// Whether discovered applications can be protected.
    pub fn multi_namespace(&self) -> bool {
        self.ramen
            .multi_namespace
            .feature_enabled
            .unwrap_or_default()
    }

    /// Whether VolSync is switched off altogether.
    pub fn volsync_disabled(&self) -> bool {
        self.ramen.vol_sync.disabled.unwrap_or_default()
    }

    /// Whether VolSync is there for discovered applications.
    pub fn volsync_supported(&self) -> bool {
        self.ramen
            .multi_namespace
            .volsync_supported
            .unwrap_or_default()
    }

    /// Whether namespaces keep their security context constraints on the peer.
    pub fn retain_scc(&self) -> bool {
        self.ramen
            .retain_namespace_scc_across_peers
            .unwrap_or_default()
    }

    /// Whether the hub hands out the S3 secrets to the clusters.
    pub fn distributes_secrets(&self) -> bool {
        let operator = &self.ramen.dr_cluster_operator;
        operator.deployment_automation_enabled.unwrap_or_default()
            && operator.s3_secret_distribution_enabled.unwrap_or_default()
    }

    /// The Secret with which an S3 store is opened; nothing where the profile names none.
    pub fn secret_of(&self, profile: &S3StoreProfile) -> Option<Key> {
        let secret = &profile.s3_secret_ref;
        let namespace = secret.namespace.text().unwrap_or(&self.key.namespace);
        (!secret.name.is_empty()).then(|| Key::of::<Secret>(namespace, &secret.name))
    }

    /// The Secret that the hub hands out for a profile, if it does: whatever namespace the profile names,
    /// the one in the operator's own.
    ///
    /// Source: internal/controller/drpolicy.go:47-80
    pub fn handed_out(&self, profile: &S3StoreProfile) -> Option<Key> {
        let name = &profile.s3_secret_ref.name;
        let does = Configs::is_hubs(&self.key.name) && self.distributes_secrets();
        (!name.is_empty() && does).then(|| Key::of::<Secret>(&self.key.namespace, name))
    }

    /// Every Secret that its profiles need.
    fn secrets(&self) -> impl Iterator<Item = Key> {
        let profiles = self.ramen.s3_store_profiles.iter();
        profiles
            .flat_map(|profile| [self.secret_of(profile), self.handed_out(profile)])
            .flatten()
    }

    /// The S3 profiles' names.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.ramen
            .s3_store_profiles
            .iter()
            .map(|profile| &*profile.s3_profile_name)
    }
}

/// Every ConfigMap of Ramen's that could be read.
#[derive(Debug, Default)]
pub struct Configs {
    read: HashMap<Key, Config>,
    /// The ConfigMaps by the Secrets that they name.
    by_secret: HashMap<Key, BTreeSet<Key>>,
}

impl Configs {
    /// Whether one of Ramen's operators reads a ConfigMap of this name.
    pub fn is_ramens(name: &str) -> bool {
        name == HUB || name == DR_CLUSTER
    }

    /// Whether the hub operator does.
    pub fn is_hubs(name: &str) -> bool {
        name == HUB
    }

    /// Where a ConfigMap of Ramen's may be, itself among them; nowhere if it is not Ramen's.
    pub fn places(name: &str, operator_namespace: &str) -> Vec<Key> {
        let places = places(operator_namespace).into_iter();
        places
            .filter(|(_, known)| *known == name)
            .map(|(namespace, name)| Key::of::<ConfigMap>(&namespace, name))
            .collect()
    }

    /// Where the operator on a managed cluster may run, and its other ConfigMaps with it.
    pub fn cluster_operator_namespaces(operator_namespace: &str) -> [&str; 2] {
        [operator_namespace, OLM_CLUSTER_NAMESPACE]
    }

    /// The ConfigMaps with a profile that needs a Secret.
    pub(super) fn with_secret(&self, secret: &Key) -> impl Iterator<Item = &Config> {
        let maps = self.by_secret.get(secret).into_iter().flatten();
        maps.filter_map(|map| self.read.get(map))
    }

    /// What a ConfigMap says, if it is there and can be read.
    pub fn get(&self, key: &Key) -> Option<&Config> {
        self.read.get(key)
    }

    pub(super) fn note<K: Kind>(&mut self, object: &Object<K>) {
        if K::KIND != ConfigMap::KIND || !Self::is_ramens(&object.meta.name) {
            return;
        }
        let key = object.key();
        let map = (object as &dyn std::any::Any).downcast_ref::<Object<ConfigMap>>();
        let read = map.and_then(|map| map.spec.ramen_config().as_ref().ok());
        let ramen = read.map(|read| read.says.clone());
        self.remove(&key);
        let Some(ramen) = ramen else { return };
        let config = Config { key, ramen };
        for secret in config.secrets() {
            let maps = self.by_secret.entry(secret).or_default();
            maps.insert(config.key.clone());
        }
        self.read.insert(config.key.clone(), config);
    }

    pub(super) fn remove(&mut self, key: &Key) {
        let Some(config) = self.read.remove(key) else {
            return;
        };
        for secret in config.secrets() {
            if let Some(maps) = self.by_secret.get_mut(&secret) {
                maps.remove(key);
                if maps.is_empty() {
                    self.by_secret.remove(&secret);
                }
            }
        }
    }
}
