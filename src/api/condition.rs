//! Conditions: how every controller involved reports what it found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::absent_is_default;

/// The letters that a condition's reason may have.
const REASON: &str = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$";
/// A condition's type, with or without a domain before it.
const TYPE: &str = concat!(
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?",
    "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
);

/// One observation of a controller, in the shape that Kubernetes gave it (`metav1.Condition`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What is observed, such as `Validated` or `PeerReady`; one entry a type.
    #[serde(rename = "type", default, deserialize_with = "absent_is_default")]
    #[schemars(!default, length(max = 316), regex(pattern = TYPE))]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, extend("enum" = ["True", "False", "Unknown"]))]
    pub status: String,
    /// Why, in one word for programs.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, length(min = 1, max = 1024), regex(pattern = REASON))]
    pub reason: String,
    /// Why, in a sentence for people; may be empty.
    #[serde(default, deserialize_with = "absent_is_default")]
    #[schemars(!default, length(max = 32768))]
    pub message: String,
    /// The `metadata.generation` that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// When the status last changed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_transition_time: Option<String>,
}

impl Condition {
    /// Whether the status is `True`.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }
}

/// The condition of a type, if the list has one.
pub fn condition<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}
