//! What a part of the input gives to a check before anything is judged.

use std::sync::Arc;

use jsonptr::Pointer;
use serde_json::Value;

use super::{
    identity::{Identity, identity, may_be_judged},
    place::unread,
};
use crate::{
    manifest::{
        crds::Crds,
        load::{Loaded, Manifest},
    },
    report::{Other, Unread},
    site::Policies,
    world::{Entry, Store},
};

/// What a part of a pile gives to the world.
pub(super) struct Known {
    pub(super) named: Vec<(usize, Identity)>,
    pub(super) entries: Vec<(usize, Entry)>,
    pub(super) skipped: Vec<(String, Option<Other>)>,
    pub(super) unread: Vec<Unread>,
    /// What the site's policies may ask for.
    pub(super) params: Vec<Value>,
}

impl Known {
    pub(super) fn of(
        loaded: &Loaded,
        inputs: bool,
        others: bool,
        crds: &Crds,
        policies: &Policies,
    ) -> Self {
        let named = loaded.manifests.iter().enumerate();
        let named = named.filter(|(_, manifest)| may_be_judged(&manifest.doc, crds));
        let named = named.map(|(number, manifest)| (number, identity(&manifest.doc)));
        let read = |(number, manifest): (usize, &Manifest)| {
            // What can't be read is said when the object itself is judged.
            Some((number, Store::read(&manifest.doc).ok()??))
        };
        let skipped = loaded.skipped.iter().filter(|_| inputs).map(|skipped| {
            let reason = skipped.reason.to_string();
            let other = others.then(|| Other {
                kind: reason.clone(),
                namespace: String::new(),
                name: String::new(),
                file: Arc::from(&*skipped.source.name),
                line: skipped.position.line,
                skipped: true,
            });
            (reason, other)
        });
        let params = loaded.manifests.iter().map(|manifest| &manifest.doc.value);
        let params = params.filter(|object| !policies.is_empty() && policies.wants(object));
        Self {
            named: named.filter(|(_, it)| !it.is_nameless()).collect(),
            entries: loaded
                .manifests
                .iter()
                .enumerate()
                .filter_map(read)
                .collect(),
            skipped: skipped.collect(),
            unread: loaded.errors.iter().map(unread).collect(),
            params: params.cloned().collect(),
        }
    }
}

/// An object about which there is nothing to say.
pub(super) fn other(manifest: &Manifest, skipped: bool) -> Other {
    let object = identity(&manifest.doc);
    Other {
        kind: object.kind,
        namespace: object.namespace,
        name: object.name,
        file: Arc::from(&*manifest.source.name),
        line: manifest.position(Pointer::root()).line,
        skipped,
    }
}
