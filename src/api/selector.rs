//! Label selectors.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    LabelSelector as Upstream, LabelSelectorRequirement,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::Texts;

/// What selects objects by their labels (`metav1.LabelSelector`), with its labels in little memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels and the value that each of them has to have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_labels: Option<Texts>,
    /// Further conditions, all of which have to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_expressions: Option<Vec<LabelSelectorRequirement>>,
}

impl JsonSchema for LabelSelector {
    fn schema_name() -> Cow<'static, str> {
        Upstream::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Upstream::json_schema(generator)
    }
}
