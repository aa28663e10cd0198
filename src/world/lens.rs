//! How a rule sees the world: looking things up, with a note of what was read.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use super::{Kept, Relation, Store};
use crate::api::{Key, Object};

/// The answer to asking for one object.
#[derive(Debug)]
pub enum Lookup<'a, K: Kept> {
    /// It is there.
    Found(&'a Object<K>),
    /// The world holds all objects of the kind, and this one is not among them.
    Missing,
    /// The world does not hold all objects of the kind (yet), so nobody can say.
    Unknown,
}

impl<'a, K: Kept> Lookup<'a, K> {
    /// The object, where it is there.
    pub fn found(self) -> Option<&'a Object<K>> {
        match self {
            Self::Found(object) => Some(object),
            Self::Missing | Self::Unknown => None,
        }
    }

    /// Whether it is known not to be there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

/// Objects that were just read from the API server. They stand in front of the store.
#[derive(Debug, Default)]
pub struct Live {
    /// Those that are there.
    pub store: Store,
    /// All that were asked for.
    pub keys: BTreeSet<Key>,
}

/// A view of the world for judging one request.
pub struct Lens<'a> {
    store: &'a Store,
    live: Option<&'a Live>,
    subject: &'a Key,
    reads: RefCell<Vec<Key>>,
    pub(super) incomplete: Cell<bool>,
}

impl<'a> Lens<'a> {
    /// A view for judging `subject`, which is never among the others.
    pub fn new(store: &'a Store, live: Option<&'a Live>, subject: &'a Key) -> Self {
        Self {
            store,
            live,
            subject,
            reads: RefCell::default(),
            incomplete: Cell::new(false),
        }
    }

    /// One object by name; `namespace` is ignored for cluster-scoped kinds.
    pub fn get<K: Kept>(&self, namespace: &str, name: &str) -> Lookup<'a, K> {
        let key = Key::of::<K>(namespace, name);
        let live = self.live.filter(|live| live.keys.contains(&key));
        let table = K::table(live.map_or(self.store, |live| &live.store));
        let found = table.get(&key.namespace, &key.name);
        let complete = live.is_some() || self.store.holds_all::<K>(namespace, name);
        self.reads.borrow_mut().push(key);
        match found {
            Some(object) => Lookup::Found(object),
            None if complete => Lookup::Missing,
            None => {
                self.incomplete.set(true);
                Lookup::Unknown
            }
        }
    }

    /// The other objects that stand in a relation to something, by namespace and name.
    pub fn related<K: Kept>(&self, relation: Relation, value: &str) -> Vec<&'a Object<K>> {
        if !K::table(self.store).synced {
            self.incomplete.set(true);
        }
        let mut found: Vec<&Object<K>> = K::table(self.store)
            .related(relation, value)
            .filter(|object| {
                self.live
                    .is_none_or(|live| !live.keys.contains(&object.key()))
            })
            .collect();
        if let Some(live) = self.live {
            found.extend(K::table(&live.store).related(relation, value));
            found.sort_by(|a, b| {
                (&a.meta.namespace, &a.meta.name).cmp(&(&b.meta.namespace, &b.meta.name))
            });
        }
        found.retain(|object| object.key() != *self.subject);
        found
    }

    /// The whole store, for the rare question that no index answers; what is read there is not noted.
    pub fn store(&self) -> &'a Store {
        self.store
    }

    /// The stores to look in, the freshest first.
    pub(super) fn stores(&self) -> impl Iterator<Item = &'a Store> {
        self.live
            .map(|live| &live.store)
            .into_iter()
            .chain([self.store])
    }

    /// Whether an object of a store was read afresh since.
    pub(super) fn is_stale(&self, store: &Store, key: &Key) -> bool {
        std::ptr::eq(store, self.store) && self.live.is_some_and(|live| live.keys.contains(key))
    }

    /// Takes the note of what was read by name since the last call, and whether the world could not
    /// answer something.
    pub(crate) fn take_notes(&self) -> (Vec<Key>, bool) {
        (
            std::mem::take(&mut *self.reads.borrow_mut()),
            self.incomplete.replace(false),
        )
    }
}
