//! What Ramen's own ConfigMaps say, read once when they change.

use std::collections::HashMap;

use crate::{
    api::{self, ConfigMap, Key, Kind, Object, RamenConfig, Text},
    manifest::goyaml,
};

/// The hub operator's ConfigMap.
pub const HUB: &str = "ramen-hub-operator-config";
/// The ConfigMap of the operator on a managed cluster.
pub(super) const DR_CLUSTER: &str = "ramen-dr-cluster-operator-config";
/// The key with Ramen's configuration in both.
pub const KEY: &str = "ramen_manager_config.yaml";
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
}

impl Configs {
    /// Whether one of Ramen's operators reads a ConfigMap of this name.
    pub fn is_ramens(name: &str) -> bool {
        name == HUB || name == DR_CLUSTER
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
        let text = (object as &dyn std::any::Any)
            .downcast_ref::<Object<ConfigMap>>()
            .and_then(|map| map.spec.data.get(KEY))
            .map_or("", String::as_str);
        match read(text) {
            Some(ramen) => self.read.insert(key.clone(), Config { key, ramen }),
            None => self.read.remove(&key),
        };
    }

    pub(super) fn remove(&mut self, key: &Key) {
        self.read.remove(key);
    }
}

fn read(text: &str) -> Option<RamenConfig> {
    let embedded = goyaml::read(text, api::schema("RamenConfig")?).ok()?;
    if embedded.value.is_null() {
        return Some(RamenConfig::default());
    }
    serde_json::from_value(embedded.value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        let config = read(
            "MAXCONCURRENTRECONCILES: 50.0\n\
             multinamespace: { featureEnabled: yes }\n\
             s3StoreProfiles: [{ s3ProfileName: 1.5, s3Bucket: no, s3Region: null, s3Endpoint: {} }]\n\
             leaderElection: { enabled: true }\n\
             metadata: { name: noise }\n",
        )
        .unwrap();
        assert_eq!(config.max_concurrent_reconciles, Some(50));
        assert_eq!(config.multi_namespace.feature_enabled, Some(true));
        assert!(config.leader_election.is_some());
        let profile = &config.s3_store_profiles[0];
        assert_eq!(
            (&*profile.s3_profile_name, &*profile.s3_bucket),
            ("1.5", "false")
        );
        assert_eq!(profile.s3_region, "");
        assert_eq!(read("# nothing\n"), Some(RamenConfig::default()));
    }

    #[test]
    fn refuses_what_go_refuses() {
        for wrong in [
            "maxConcurrentReconciles: '7'",
            "maxConcurrentReconciles: 1.5",
            "volSync: { disabled: 'true' }",
            "s3StoreProfiles: none",
            "leaderElection: { leaseDuration: 1d }",
            "kind: 7",
            "- a",
            "a: b: c",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
