//! The objects of one kind, by name and by what they refer to.

use std::{collections::HashMap, sync::Arc};

use crate::api::{Kind, Object};

/// Where an object is: namespace (empty for cluster-scoped kinds) and name.
type Place = (Box<str>, Box<str>);

/// Objects that stand in the table too.
type Shared<K> = Vec<Arc<Object<K>>>;

/// What rules look other objects up by. An object stands in the index of a relation under each
/// value that its kind names in [`super::Kept::relations`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// A DRPlacementControl by the DRPolicy that it names.
    Policy,
    /// A DRPlacementControl, or an ApplicationSet, by the bare name of its placement.
    PlacementName,
    /// A DRPlacementControl by each of its `protectedNamespaces`.
    Protects,
    /// A DRPlacementControl by the namespace of its application, as far as it says so itself: by
    /// Ramen's annotation, else its own namespace.
    AppNamespace,
    /// A DRPlacementControl by its bare name, in whatever namespace.
    Name,
    /// A DRPlacementControl by its consistency group across applications.
    GlobalGroup,
    /// A DRPlacementControl by the cluster that the application was deployed to last.
    LastCluster,
    /// A DRPolicy by each of its clusters.
    Cluster,
    /// A DRCluster, or a VolumeReplicationGroup, by each of its S3 profiles.
    Profile,
    /// A PlacementDecision by the bare name of its placement.
    DecisionOf,
    /// An ApplicationSet by the namespace that it deploys to.
    Destination,
    /// A ManagedClusterView of a managed cluster's DRClusterConfig, by the cluster.
    ClusterConfig,
    /// A DRPlacementControl, or a VolumeReplicationGroup, by its namespace.
    Namespace,
    /// A DRPolicy by the bare name of the ConfigMap that it maps networks with.
    NetworkMapping,
    /// A VolumeReplicationGroup by the bare name of its Recipe.
    Recipe,
    /// Every object of a kind of which there are few, by the empty text.
    Any,
}

/// The objects of one kind.
#[derive(Debug)]
pub struct Table<K: Kind> {
    objects: HashMap<Place, Arc<Object<K>>>,
    /// By namespace and name. Most have one entry or a few, for which a tree would be ten times as large.
    index: HashMap<(Relation, Box<str>), Shared<K>>,
    /// Whether the table holds all there is: until then absence means nothing.
    pub synced: bool,
}

impl<K: Kind> Default for Table<K> {
    fn default() -> Self {
        Self {
            objects: HashMap::new(),
            index: HashMap::new(),
            synced: true,
        }
    }
}

impl<K: super::Kept> Table<K> {
    /// Puts an object in, in place of the one of its name.
    pub fn insert(&mut self, object: Object<K>) {
        let place: Place = place_of(&object.meta.namespace, &object.meta.name);
        self.remove(&place.0, &place.1);
        let object = Arc::new(object);
        for (relation, value) in K::relations(&object) {
            let others = self.index.entry((relation, value.into())).or_default();
            if let Err(at) = find(others, &object) {
                if others.is_empty() {
                    others.reserve_exact(1);
                }
                others.insert(at, Arc::clone(&object));
            }
        }
        self.objects.insert(place, object);
    }

    /// Takes an object out.
    pub fn remove(&mut self, namespace: &str, name: &str) {
        let Some(object) = self.objects.remove(&place_of(namespace, name)) else {
            return;
        };
        for (relation, value) in K::relations(&object) {
            let entry = (relation, value.into());
            if let Some(others) = self.index.get_mut(&entry) {
                if let Ok(at) = find(others, &object) {
                    others.remove(at);
                }
                if others.is_empty() {
                    self.index.remove(&entry);
                }
            }
        }
    }

    /// One object.
    pub fn get(&self, namespace: &str, name: &str) -> Option<&Object<K>> {
        let found = self.objects.get(&place_of(namespace, name));
        found.map(|object| &**object)
    }

    /// The objects that stand in a relation to something, by namespace and name.
    pub fn related(&self, relation: Relation, value: &str) -> impl Iterator<Item = &Object<K>> {
        let found = self.index.get(&(relation, value.into()));
        found.into_iter().flatten().map(|object| &**object)
    }

    /// Each value that some object stands in the relation to, in no order.
    pub fn values(&self, relation: Relation) -> impl Iterator<Item = &str> {
        self.index
            .keys()
            .filter(move |(of, _)| *of == relation)
            .map(|(_, value)| &**value)
    }

    /// Every object, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Object<K>> {
        self.objects.values().map(|object| &**object)
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

fn place_of(namespace: &str, name: &str) -> Place {
    (namespace.into(), name.into())
}

/// Where an object stands among others, or would.
fn find<K: Kind>(others: &[Arc<Object<K>>], object: &Object<K>) -> Result<usize, usize> {
    others.binary_search_by(|other| {
        let (one, other) = (&other.meta, &object.meta);
        (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name))
    })
}
