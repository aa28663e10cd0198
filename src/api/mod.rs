//! Ramen's kinds, and the few of their neighbours that a rule asks about, as Rust types.
//!
//! One file a kind, every field of it, the schema derived. Reading is tolerant on purpose: Ramen's
//! API is alpha and grows, so a field that is not known here is ignored, and a `null` is an absence
//! (which is also how kube-apiserver stores it). What a value means is the business of
//! [`crate::rules`]; nothing here knows a rule.

mod object;

pub use object::{Doc, Key, Kind, Meta, Object, OwnerReference, ReadError};

/// The API group of Ramen's kinds.
pub const GROUP: &str = "ramendr.openshift.io";
/// The only version that Ramen serves.
pub const VERSION: &str = "v1alpha1";

/// Reads a field that the schema requires, but that a rule may find absent or `null`: the type's
/// default stands for both.
pub(crate) fn absent_is_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de> + Default,
{
    Ok(<Option<T> as serde::Deserialize>::deserialize(input)?.unwrap_or_default())
}

/// An optional string as Ramen reads it: Go cannot tell `""` from absent.
pub trait Text {
    /// The text, unless it is absent or empty.
    fn text(&self) -> Option<&str>;
}

impl Text for Option<String> {
    fn text(&self) -> Option<&str> {
        self.as_deref().filter(|text| !text.is_empty())
    }
}
