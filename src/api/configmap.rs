//! `ConfigMap` of the core group: texts by key. Some are YAML that Ramen reads.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Kind, NetworkMapping, RamenConfig, absent_is_default, peers::Unread, schema};
use crate::manifest::goyaml::{self, Embedded, EmbeddedError};

/// The key of Ramen's own ConfigMaps that its configuration is under.
pub const RAMEN_CONFIG: &str = "ramen_manager_config.yaml";
/// The key of a network mapping.
pub const NETWORK_MAPPING: &str = "mappings.yaml";

/// A `ConfigMap` of the core group.
#[derive(Clone, Copy, Debug)]
pub struct ConfigMap;

/// What a [`ConfigMap`] holds.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapBody {
    /// Texts, by key.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub data: BTreeMap<String, String>,
    /// Bytes in base64, by key.
    #[serde(default, deserialize_with = "absent_is_default")]
    pub binary_data: BTreeMap<String, String>,
    #[serde(skip)]
    ramen_config: OnceLock<ReadText<RamenConfig>>,
    #[serde(skip)]
    network_mapping: OnceLock<ReadText<NetworkMapping>>,
}

/// What a text in a `ConfigMap` says, read as Ramen reads it; or why Ramen gets nothing of it. There is
/// no fault in the error where Ramen reads it and our types are too narrow: then nobody knows what it
/// says.
pub type ReadText<T> = Result<Text<T>, EmbeddedError>;

/// A text in a `ConfigMap` that Ramen could read.
#[derive(Debug)]
pub struct Text<T> {
    /// What it says.
    pub says: T,
    /// The same untyped, and what of the text became something else than it looks like.
    pub embedded: Embedded,
}

impl ConfigMapBody {
    /// Ramen's configuration. A key that is absent is as good as an empty text. Read when first asked
    /// for.
    pub fn ramen_config(&self) -> &ReadText<RamenConfig> {
        self.ramen_config
            .get_or_init(|| read(self.text(RAMEN_CONFIG), "RamenConfig"))
    }

    /// A network mapping. Read when first asked for.
    pub fn network_mapping(&self) -> &ReadText<NetworkMapping> {
        self.network_mapping
            .get_or_init(|| read(self.text(NETWORK_MAPPING), "NetworkMapping"))
    }

    /// The text under a key, empty where there is none.
    pub fn text(&self, key: &str) -> &str {
        self.data.get(key).map_or("", String::as_str)
    }
}

fn read<T: DeserializeOwned>(text: &str, kind: &str) -> ReadText<T> {
    let unknown = || EmbeddedError { faults: Vec::new() };
    let embedded = goyaml::read(text, schema(kind).ok_or_else(unknown)?)?;
    let says = T::deserialize(&embedded.value).map_err(|_| unknown())?;
    Ok(Text { says, embedded })
}

impl Kind for ConfigMap {
    const GROUP: &'static str = "";
    const VERSION: &'static str = "v1";
    const KIND: &'static str = "ConfigMap";
    const PLURAL: &'static str = "configmaps";
    const NAMESPACED: bool = true;
    type Spec = ConfigMapBody;
    type Status = Unread;

    fn body(object: &Value) -> Option<&Value> {
        Some(object)
    }

    fn inner<'a>(spec: &'a ConfigMapBody, tokens: &[String]) -> Option<(usize, Option<&'a Value>)> {
        let [data, key, _, ..] = tokens else {
            return None;
        };
        let embedded = match &**key {
            RAMEN_CONFIG => spec.ramen_config().as_ref().map(|read| &read.embedded),
            NETWORK_MAPPING => spec.network_mapping().as_ref().map(|read| &read.embedded),
            _ => return None,
        };
        let value = embedded.ok().map(|embedded| &embedded.value);
        (data == "data").then_some((2, value))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(text: &str) -> Result<RamenConfig, EmbeddedError> {
        let body = json!({ "data": { RAMEN_CONFIG: text } });
        let body = ConfigMapBody::deserialize(body).unwrap();
        let read = body.ramen_config().as_ref();
        read.map(|read| read.says.clone()).map_err(Clone::clone)
    }

    #[test]
    fn reads_what_go_reads() {
        let config_read = config(
            "MAXCONCURRENTRECONCILES: 50.0\n\
             multinamespace: { featureEnabled: yes }\n\
             s3StoreProfiles: [{ s3ProfileName: 1.5, s3Bucket: no, s3Region: null, s3Endpoint: {} }]\n\
             leaderElection: { enabled: true }\n\
             metadata: { name: noise }\n",
        )
        .unwrap();
        assert_eq!(config_read.max_concurrent_reconciles, Some(50));
        assert_eq!(config_read.multi_namespace.feature_enabled, Some(true));
        assert!(config_read.leader_election.is_some());
        let profile = &config_read.s3_store_profiles[0];
        assert_eq!(
            (&*profile.s3_profile_name, &*profile.s3_bucket),
            ("1.5", "false")
        );
        assert_eq!(profile.s3_region, "");
        for nothing in ["", "# nothing\n", "null", "---\n"] {
            assert_eq!(config(nothing).unwrap(), RamenConfig::default());
        }
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
            assert!(!config(wrong).unwrap_err().faults.is_empty(), "{wrong}");
        }
    }

    #[test]
    fn takes_certificates_in_every_form_that_go_takes() {
        for certificates in ["aGk=", "[104, 105]", "null", "''"] {
            let text = format!("s3StoreProfiles: [{{caCertificates: {certificates}}}]");
            assert_eq!(config(&text).unwrap().s3_store_profiles.len(), 1, "{text}");
        }
    }

    #[test]
    fn reads_a_mapping() {
        let text = "Version: 1\nnetworkmappings:\n- NetworkRef: {NADNamespace: d, nadname: n}\n  CIDR: {east: 10.0.0.0/8}\n\
                    - explicitMappings: [{east: 1.2.3.4}, null]\n  regexMappings: {a-to-b: [{pattern: x}], b-to-a: null}\n";
        let body =
            ConfigMapBody::deserialize(json!({ "data": { NETWORK_MAPPING: text } })).unwrap();
        let mapping = &body.network_mapping().as_ref().unwrap().says;
        assert_eq!(mapping.version, "1");
        let [first, second] = &*mapping.network_mappings else {
            panic!("{mapping:?}")
        };
        assert_eq!(first.network_ref.nad_namespace, "d");
        assert_eq!(first.cidr["east"], "10.0.0.0/8");
        assert_eq!(second.explicit_mappings[0]["east"], "1.2.3.4");
        assert!(second.explicit_mappings[1].is_empty());
        assert_eq!(second.regex_mappings["a-to-b"][0].pattern, "x");
        assert!(second.regex_mappings["b-to-a"].is_empty());
    }
}
