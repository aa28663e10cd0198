//! What Ramen's own ConfigMaps say, read once when they change.

use std::collections::HashMap;

use crate::{
    api::{self, ConfigMap, Key, Kind, Object, RamenConfig},
    manifest,
};

/// The hub operator's ConfigMap.
pub const HUB: &str = "ramen-hub-operator-config";
/// The ConfigMap of the operator on a managed cluster.
pub const DR_CLUSTER: &str = "ramen-dr-cluster-operator-config";
/// The key with Ramen's configuration in both.
pub const KEY: &str = "ramen_manager_config.yaml";
/// Where the Operator Lifecycle Manager puts the hub operator.
pub const OLM_NAMESPACE: &str = "openshift-operators";

/// Ramen's configuration, as one of its ConfigMaps has it.
#[derive(Debug)]
pub struct Config {
    /// The ConfigMap.
    pub key: Key,
    /// What it says, read as Ramen reads it.
    pub ramen: RamenConfig,
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
    let schema = api::schema("RamenConfig")?;
    let embedded = manifest::goyaml::read(text, schema).ok()?;
    serde_json::from_value(embedded.value).ok()
}
