//! The world of a simulation: what rules may ask about, and the objects that can be named, whole.

use std::collections::BTreeMap;

use super::{Action, Ask, AskError};
use crate::{
    api::{DRCluster, DRPlacementControl, Doc, Key, Kind},
    report::{list, nearest},
    world::Store,
};

/// What is known, of a cluster or from files.
#[derive(Debug, Default)]
pub struct World {
    /// What rules ask about.
    pub store: Store,
    /// Whether it is all that a cluster holds. Files may leave out what nobody thought of.
    pub live: bool,
    docs: BTreeMap<Key, Doc>,
}

/// A kind whose objects can be named.
pub trait Named: Kind {}
impl Named for DRPlacementControl {}
impl Named for DRCluster {}

impl World {
    /// A world without anything in it.
    pub fn new(live: bool) -> Self {
        Self {
            live,
            ..Self::default()
        }
    }

    /// Keeps an object that can be named, with its status; others are passed over.
    pub fn keep(&mut self, doc: &Doc) {
        if let Some(key) = key_of::<DRPlacementControl>(doc).or_else(|| key_of::<DRCluster>(doc)) {
            self.docs.insert(key, doc.clone());
        }
    }

    /// Says that nothing more comes. Where files have no object of a kind, nobody thought of it: that says
    /// nothing about whether there are any.
    pub fn complete(&mut self) {
        if self.live {
            return;
        }
        let store = &mut self.store;
        let placed = !store.placements.is_empty() || !store.placement_rules.is_empty();
        store.placements.synced &= placed;
        store.placement_rules.synced &= placed;
        store.policies.synced &= !store.policies.is_empty();
        store.clusters.synced &= !store.clusters.is_empty();
        store.managed_clusters.synced &= !store.managed_clusters.is_empty();
        store.recipes.synced &= !store.recipes.is_empty();
        store.secrets.synced &= !store.secrets.is_empty();
    }

    /// An object that can be named.
    pub fn doc(&self, key: &Key) -> Option<&Doc> {
        self.docs.get(key)
    }

    /// Every object of a kind that can be named.
    pub fn named<K: Named>(&self) -> impl Iterator<Item = &Key> {
        self.docs.keys().filter(|key| key.kind == K::KIND)
    }

    /// The object that is meant.
    pub(super) fn find(&self, ask: &Ask<'_>) -> Result<Key, AskError> {
        let (namespace, name) = parts(ask);
        let fits = |key: &&Key| {
            key.kind == ask.action.kind()
                && *key.name == *name
                && namespace.is_none_or(|namespace| *key.namespace == *namespace)
        };
        let mut found = self.docs.keys().filter(fits);
        let Some(first) = found.next() else {
            return Err(self.missing(ask));
        };
        let others: Vec<&Key> = found.collect();
        if others.is_empty() {
            return Ok(first.clone());
        }
        let all = [first].into_iter().chain(others);
        Err(AskError::Several {
            kind: first.kind,
            name: name.to_owned(),
            namespaces: list(all.map(|key| &*key.namespace)),
        })
    }

    /// That there is none, and which is named most like it: one of the same name elsewhere before any other.
    pub(super) fn missing(&self, ask: &Ask<'_>) -> AskError {
        let (namespace, name) = parts(ask);
        let kind = ask.action.kind();
        let of_kind = || self.docs.keys().filter(move |key| key.kind == kind);
        let here = |key: &&Key| namespace.is_none_or(|namespace| *key.namespace == *namespace);
        let like = |keys: Vec<&Key>| {
            let near = nearest(name, keys.iter().map(|key| &*key.name))?;
            let mut keys = keys.iter();
            keys.find(|key| *key.name == *near).map(|key| spelt(key))
        };
        let elsewhere = || of_kind().find(|key| *key.name == *name).map(spelt);
        let near = like(of_kind().filter(here).collect());
        AskError::Missing {
            kind,
            name: namespace.map_or_else(|| name.to_owned(), |it| format!("{it}/{name}")),
            others: of_kind().count(),
            nearest: elsewhere().or(near).or_else(|| like(of_kind().collect())),
        }
    }
}

/// The namespace and the name that are asked for.
fn parts<'a>(ask: &Ask<'a>) -> (Option<&'a str>, &'a str) {
    match ask.name.split_once('/') {
        _ if matches!(ask.action, Action::Fence | Action::Unfence) => (None, ask.name),
        Some((namespace, name)) => (Some(namespace), name),
        None => (ask.namespace, ask.name),
    }
}

fn spelt(key: &Key) -> String {
    match &*key.namespace {
        "" => (*key.name).to_owned(),
        namespace => format!("{namespace}/{}", key.name),
    }
}

fn key_of<K: Kind>(doc: &Doc) -> Option<Key> {
    if doc.text("kind") != K::KIND || doc.group() != K::GROUP {
        return None;
    }
    let metadata = doc.value.get("metadata");
    let text = |field: &str| metadata?.get(field)?.as_str();
    let name = text("name").filter(|name| !name.is_empty())?;
    Some(Key::of::<K>(text("namespace").unwrap_or_default(), name))
}
