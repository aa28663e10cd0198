//! A network mapping: which addresses virtual machines have on the other cluster, as YAML in a
//! `ConfigMap` that a `DRPolicy` names.
//!
//! There is no CRD for it. Ramen reads it as it reads its own configuration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent_is_default;

/// A whole mapping; `internal/controller/drpc_networkmapping.go`. Nothing in it is required to read it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkMapping {
    /// The version of the format, `v1`.
    #[serde(deserialize_with = "absent_is_default")]
    pub version: String,
    /// One block a network.
    #[serde(deserialize_with = "absent_is_default")]
    pub network_mappings: Vec<NetworkMappingBlock>,
}

/// How the addresses of one network are mapped: by each pair of addresses, else by their place in a
/// range, else by a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkMappingBlock {
    /// The network.
    #[serde(deserialize_with = "absent_is_default")]
    pub network_ref: NetworkRef,
    /// A range of addresses, by cluster.
    #[serde(deserialize_with = "absent_is_default")]
    pub cidr: BTreeMap<String, String>,
    /// Pairs of addresses, each by cluster.
    #[serde(deserialize_with = "absent_is_default")]
    pub explicit_mappings: Vec<BTreeMap<String, String>>,
    /// Patterns by direction, `<cluster>-to-<cluster>`.
    #[serde(deserialize_with = "absent_is_default")]
    pub regex_mappings: BTreeMap<String, Vec<RegexRule>>,
}

/// Names a `NetworkAttachmentDefinition`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkRef {
    /// Its namespace.
    #[serde(deserialize_with = "absent_is_default")]
    pub nad_namespace: String,
    /// Its name.
    #[serde(deserialize_with = "absent_is_default")]
    pub nad_name: String,
}

/// What an address that a pattern matches becomes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RegexRule {
    /// A regular expression, as Go's `regexp` reads it.
    #[serde(deserialize_with = "absent_is_default")]
    pub pattern: String,
    /// What the address becomes; `$1` stands for the first group.
    #[serde(deserialize_with = "absent_is_default")]
    pub replacement: String,
}
