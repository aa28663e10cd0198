//! The objects that rules may ask about, a table a kind.

use super::{
    Relation, Table,
    config::Configs,
    relations::{cluster_of_config, destination, placement_of_set},
};
pub use crate::api::drplacementcontrol::{APP_NAMESPACE, GLOBAL_GROUP, LAST_CLUSTER};
use crate::api::{
    ApplicationSet, ConfigMap, DRCluster, DRClusterConfig, DRPlacementControl, DRPolicy, Doc, Key,
    Kind, ManagedCluster, ManagedClusterView, Object, Placement, PlacementDecision, PlacementRule,
    ReadError, Recipe, Secret, Text, VolumeReplicationGroup,
};

/// The label by which a PlacementDecision names its Placement.
pub(super) const PLACEMENT_LABEL: &str = "cluster.open-cluster-management.io/placement";
/// The annotations by which a placement names the DRPlacementControl that it belongs to.
///
/// Source: internal/controller/drplacementcontrol_controller.go:1257-1276
pub const DRPC_NAME: &str = "drplacementcontrol.ramendr.openshift.io/drpc-name";
/// See [`DRPC_NAME`].
pub const DRPC_NAMESPACE: &str = "drplacementcontrol.ramendr.openshift.io/drpc-namespace";
/// What is needed to read a kind from a cluster.
#[derive(Clone, Copy, Debug)]
pub struct KeptKind {
    /// The API group.
    pub group: &'static str,
    /// The version.
    pub version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The resource.
    pub plural: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Whether it is watched; else only files tell of it.
    pub watched: bool,
}

impl KeptKind {
    pub(crate) fn of<K: Kind>() -> Self {
        Self {
            group: K::GROUP,
            version: K::VERSION,
            kind: K::KIND,
            plural: K::PLURAL,
            namespaced: K::NAMESPACED,
            watched: K::WATCHED,
        }
    }
}

/// A kind that the world keeps.
pub trait Kept: Kind {
    /// The kind's table.
    fn table(store: &Store) -> &Table<Self>;
    /// The kind's table, for changing it.
    fn table_mut(store: &mut Store) -> &mut Table<Self>;
    /// What the object is looked up by, beside its name.
    fn relations(_object: &Object<Self>) -> Vec<(Relation, &str)> {
        Vec::new()
    }
}

/// An object that was read and can be put into a store: reading takes time, which other threads may have.
pub struct Entry(Box<dyn FnOnce(&mut Store) -> Key + Send>);

impl Entry {
    /// Puts the object in, and says which it is.
    pub fn put(self, store: &mut Store) -> Key {
        self.0(store)
    }
}

macro_rules! store {
    ($($(#[$doc:meta])* $field:ident: $kind:ty $(, $relations:expr)?;)*) => {
        /// The objects that rules may ask about.
        #[derive(Debug, Default)]
        pub struct Store {
            $($(#[$doc])* pub $field: Table<$kind>,)*
            /// What Ramen's own ConfigMaps say.
            pub configs: Configs,
            /// Whether only the ConfigMaps that Ramen's operators read are kept, so that the absence of
            /// another one means nothing.
            pub only_ramen_config_maps: bool,
        }

        impl Store {
            /// Takes in an object of a kind that rules ask about, and says which it is; others are left
            /// out.
            ///
            /// # Errors
            /// A field that has another type than the kind's.
            pub fn apply(&mut self, doc: &Doc) -> Result<Option<Key>, ReadError> {
                Ok(Self::read(doc)?.map(|entry| entry.put(self)))
            }

            /// Reads an object of a kind that rules ask about, for putting it in later; others are left out.
            ///
            /// # Errors
            /// A field that has another type than the kind's.
            pub fn read(doc: &Doc) -> Result<Option<Entry>, ReadError> {
                let (group, kind) = (doc.group(), doc.text("kind"));
                $(if kind == <$kind>::KIND && group == <$kind>::GROUP {
                    let mut object = Object::<$kind>::read(doc)?;
                    if !<$kind>::NAMESPACED {
                        object.meta.namespace.clear();
                    }
                    return Ok(Some(Entry(Box::new(move |store: &mut Store| {
                        let key = object.key();
                        store.put(object);
                        key
                    }))));
                })*
                Ok(None)
            }

            /// Takes an object out.
            pub fn remove(&mut self, key: &Key) {
                $(if key.kind == <$kind>::KIND {
                    self.$field.remove(&key.namespace, &key.name);
                })*
                self.configs.remove(key);
            }

            /// The kinds that are kept.
            pub fn kinds() -> Vec<KeptKind> {
                vec![$(KeptKind::of::<$kind>()),*]
            }

            /// Takes out the objects of a kind that don't stay.
            pub(super) fn retain(&mut self, kind: &str, stays: impl Fn(&Key) -> bool) {
                $(if kind == <$kind>::KIND {
                    let gone: Vec<Key> = self.$field.iter().map(Object::key).filter(|key| !stays(key)).collect();
                    for key in gone {
                        self.remove(&key);
                    }
                })*
            }

            /// Takes in an object that is known to be of this kind. One that does not fit our types is
            /// left out: rules then find nothing to rest a denial on.
            pub(super) fn take(&mut self, kind: &str, doc: &Doc) {
                $(if kind == <$kind>::KIND {
                    match Object::<$kind>::read(doc) {
                        Ok(object) => self.put(object),
Err(error) => {
                            tracing::warn!(kind, %error, "an object in the cluster can't be read");
                            let meta = doc.meta().unwrap_or_default();
                            self.remove(&Key::of::<$kind>(&meta.namespace, &meta.name));
                        }
                    }
                })*
            }

            /// Says whether all objects of a kind are there.
            pub(super) fn set_kind_synced(&mut self, kind: &str, synced: bool) {
                $(if kind == <$kind>::KIND {
                    self.$field.synced = synced;
                })*
            }

            /// How many objects are kept of each kind.
            pub fn sizes(&self) -> Vec<(&'static str, usize)> {
                vec![$((<$kind>::KIND, self.$field.len())),*]
            }

            /// The kinds of which not all objects are there (yet).
            pub fn unsynced(&self) -> Vec<&'static str> {
                let all = [$((KeptKind::of::<$kind>(), self.$field.synced)),*];
                let missing = all.into_iter().filter(|(kind, synced)| kind.watched && !synced);
                missing.map(|(kind, _)| kind.kind).collect()
            }

            /// Marks every kind as not there yet, or as there.
            pub fn set_synced(&mut self, synced: bool) {
                $(self.$field.synced = synced;)*
            }
        }

        $(impl Kept for $kind {
            fn table(store: &Store) -> &Table<Self> {
                &store.$field
            }
            fn table_mut(store: &mut Store) -> &mut Table<Self> {
                &mut store.$field
            }
            $(fn relations(object: &Object<Self>) -> Vec<(Relation, &str)> {
                let relations: fn(&Object<Self>) -> Vec<(Relation, &str)> = $relations;
                relations(object)
            })?
        })*
    };
}

store! {
    /// Applications under protection.
    drpcs: DRPlacementControl, drpc_relations;
    /// Pairs of clusters.
    policies: DRPolicy, policy_relations;
    /// Clusters.
    clusters: DRCluster, |cluster| vec![(Relation::Profile, cluster.spec.s3_profile_name.as_str()), (Relation::Any, "")];
    /// Placements of Open Cluster Management.
    placements: Placement;
    /// The older placement rules.
    placement_rules: PlacementRule;
    /// What placements decided.
    decisions: PlacementDecision, |decision| decision.meta.label(PLACEMENT_LABEL).map(|name| (Relation::DecisionOf, name)).into_iter().collect();
    /// Argo CD's application sets.
    application_sets: ApplicationSet, application_set_relations;
    /// Clusters as Open Cluster Management knows them.
    managed_clusters: ManagedCluster;
    /// What the hub has looked up on managed clusters.
    views: ManagedClusterView, |view| cluster_of_config(view).map(|cluster| (Relation::ClusterConfig, cluster)).into_iter().collect();
    /// Config maps: Ramen's own, and offline all.
    config_maps: ConfigMap;
    /// Applications on a managed cluster.
    vrgs: VolumeReplicationGroup, vrg_relations;
    /// Recipes for capturing and recovering an application.
    recipes: Recipe;
    /// What a managed cluster is to find out about itself; there is to be one.
    cluster_configs: DRClusterConfig, |_| vec![(Relation::Any, "")];
    /// Secrets, without what is in them; known offline only.
    secrets: Secret;
}

impl Store {
    /// Puts a typed object in.
    pub fn put<K: Kept>(&mut self, object: Object<K>) {
        self.configs.note(&object);
        K::table_mut(self).insert(object.trimmed());
    }

    /// Whether the absence of an object of this name means that it does not exist.
    pub(super) fn holds_all<K: Kept>(&self, _namespace: &str, name: &str) -> bool {
        let partial =
            K::KIND == ConfigMap::KIND && self.only_ramen_config_maps && !Configs::is_ramens(name);
        K::table(self).synced && !partial
    }
}

fn policy_relations(policy: &Object<DRPolicy>) -> Vec<(Relation, &str)> {
    let clusters = policy.spec.dr_clusters.iter();
    let mut relations: Vec<_> = clusters
        .map(|cluster| (Relation::Cluster, cluster.as_str()))
        .collect();
    let mapping = policy.spec.network_mapping_ref.as_ref();
    let mapping = mapping.and_then(|mapping| mapping.name.text());
    relations.extend(mapping.map(|name| (Relation::NetworkMapping, name)));
    relations
}

fn drpc_relations(drpc: &Object<DRPlacementControl>) -> Vec<(Relation, &str)> {
    let mut relations = vec![
        (Relation::Name, drpc.meta.name.as_str()),
        (Relation::Namespace, drpc.meta.namespace.as_str()),
    ];
    relations.extend(
        drpc.spec
            .dr_policy_ref
            .name
            .text()
            .map(|name| (Relation::Policy, name)),
    );
    relations.extend(
        drpc.spec
            .placement_ref
            .name
            .text()
            .map(|name| (Relation::PlacementName, name)),
    );
    relations.extend(
        drpc.meta
            .label(GLOBAL_GROUP)
            .map(|group| (Relation::GlobalGroup, group)),
    );
    relations.extend(
        drpc.meta
            .annotation(LAST_CLUSTER)
            .map(|cluster| (Relation::LastCluster, cluster)),
    );
    let protected = drpc.spec.protected_namespaces.iter().flatten();
    relations.extend(protected.map(|namespace| (Relation::Protects, namespace.as_str())));
    let own = drpc
        .meta
        .annotation(APP_NAMESPACE)
        .unwrap_or(&drpc.meta.namespace);
    relations.push((Relation::AppNamespace, own));
    relations
}

fn vrg_relations(vrg: &Object<VolumeReplicationGroup>) -> Vec<(Relation, &str)> {
    let mut relations = vec![(Relation::Namespace, vrg.meta.namespace.as_str())];
    let profiles = vrg.spec.s3_profiles.iter();
    relations.extend(profiles.map(|profile| (Relation::Profile, profile.as_str())));
    let protection = vrg.spec.kube_object_protection.as_ref();
    let recipe = protection.and_then(|protection| protection.recipe_ref.as_ref());
    relations.extend(
        recipe
            .and_then(|recipe| recipe.name.text())
            .map(|name| (Relation::Recipe, name)),
    );
    relations
}

fn application_set_relations(set: &Object<ApplicationSet>) -> Vec<(Relation, &str)> {
    let mut relations = Vec::new();
    relations.extend(placement_of_set(set).map(|name| (Relation::PlacementName, name)));
    relations.extend(destination(set).map(|name| (Relation::Destination, name)));
    relations
}
