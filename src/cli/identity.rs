//! Which object a manifest is about.

use crate::{api::Doc, manifest::crds::Crds, rules::kind_named};

/// The group, kind, namespace and name of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

/// Which object a manifest is about, as far as it says so itself.
pub(super) fn identity(doc: &Doc) -> Identity {
    let metadata = |field: &str| {
        let value = doc
            .value
            .get("metadata")
            .and_then(|metadata| metadata.get(field));
        value
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Identity {
        group: doc.group().to_owned(),
        kind: doc.text("kind").to_owned(),
        namespace: metadata("namespace"),
        name: metadata("name"),
    }
}

impl Identity {
    /// Whether the API server still has to make the name up, so that this is no other object again.
    pub(super) fn is_nameless(&self) -> bool {
        self.name.is_empty()
    }
}

/// Whether an object may be one that is judged.
pub(super) fn may_be_judged(doc: &Doc, crds: &Crds) -> bool {
    let kind = doc.text("kind");
    kind_named(kind).is_some() || crds.find(doc.group(), kind).is_some()
}
