//! What the guard adds to an object: one label, on creation.
//!
//! Anything else would hurt. A default inside a reference or selector makes the next apply fail, and
//! later refuses the failover; a canonical CIDR differs from what Ramen compares; an added `action` or
//! `clusterFence` starts something. The label is what Ramen's operator adds itself a moment later, and
//! without which a backup of the hub taken in between misses the object.

use serde_json::{Value, json};

use crate::{
    api::{self, BACKUP_LABEL},
    engine::Request,
    policy::Operation,
    rules::{below, label},
};

/// The kinds that get [`BACKUP_LABEL`].
pub const LABELLED: [&str; 3] = ["DRPlacementControl", "DRPolicy", "DRCluster"];

/// The JSON patch (RFC 6902) that a request asks for, if there is something to add.
pub fn patch(request: &Request) -> Option<Value> {
    let labelled = request.group == api::GROUP && LABELLED.contains(&request.kind.as_str());
    if !labelled || request.operation != Operation::Create || !request.subresource.is_empty() {
        return None;
    }
    let (name, value) = BACKUP_LABEL;
    let metadata = request.new.as_ref()?.value.get("metadata")?;
    match metadata.get("labels") {
        // Whatever a user wrote there stays.
        Some(labels) if labels.get(name).is_some() => None,
        Some(_) => Some(json!([{ "op": "add", "path": label(name), "value": value }])),
        None => Some(
            json!([{ "op": "add", "path": below("/metadata", "labels"), "value": { name: value } }]),
        ),
    }
}

/// Every field that [`patch`] may write, as JSON pointers: what Argo CD's `ignoreDifferences` lists.
pub fn written_fields() -> Vec<String> {
    vec![label(BACKUP_LABEL.0)]
}
