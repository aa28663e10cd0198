//! The world watched in a cluster.
//!
//! Each kind that rules ask about is listed and watched, trimmed to what rules read, and kept in a
//! [`Store`]. Until a kind is there as a whole, its absence means nothing. A kind that the cluster does
//! not serve has no objects; one that may not be read is never whole.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant},
};

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Api, Client, Resource,
    api::{ApiResource, DynamicObject, ListParams},
    core::DynamicResourceScope,
    runtime::{WatchStreamExt, watcher},
};
use serde::{Deserialize, Deserializer};
use tokio_util::sync::CancellationToken;

use super::{Live, Store, config, store::KeptKind};
use crate::api::{ConfigMap, Doc, Key, Kind};

/// How long reading afresh what a denial rests on may take: the API server waits for the answer.
const LIVE_READ: Duration = Duration::from_secs(1);
/// The most objects that are read afresh for one request.
const LIVE_OBJECTS: usize = 16;
/// Objects a page of the first list.
const PAGE: u32 = 100;

/// A cluster whose objects rules ask about.
pub struct Cluster {
    client: Client,
    store: RwLock<Store>,
    heard: Mutex<BTreeMap<&'static str, Heard>>,
    operator_namespace: String,
}

/// When the cluster last told something about a kind.
#[derive(Clone, Copy, Debug)]
struct Heard {
    last: Instant,
    failing: bool,
}

/// How a kind is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The kind.
    pub kind: &'static str,
    /// How many objects of it are kept.
    pub objects: usize,
    /// Whether that is all there are.
    pub synced: bool,
    /// How long ago the cluster last told something about it, or the watch began. Where nothing changes
    /// there is nothing to tell.
    pub age: Duration,
    /// Whether the watch has failed since then.
    pub failing: bool,
}

/// Why the cluster can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No configuration for a client was found, or it is not valid.
    #[error("no cluster to talk to: {0}; set KUBECONFIG, or use --state to read manifests instead")]
    Configuration(#[from] kube::config::InferConfigError),
    /// The client can't be made, or a request failed.
    #[error("the cluster can't be read: {0}")]
    Request(#[from] kube::Error),
}

impl Cluster {
    /// A client for the cluster that the environment names, as kubectl would choose it.
    ///
    /// # Errors
    /// When there is no configuration for one, or it is not valid.
    pub async fn client() -> Result<Client, ClusterError> {
        Ok(Client::try_from(kube::Config::infer().await?)?)
    }

    /// Starts watching. The world is empty at first, and says of itself that it is not whole.
    ///
    /// `operator_namespace` is where the hub operator's `ConfigMap` lives.
    pub fn watch(client: Client, operator_namespace: &str, stop: &CancellationToken) -> Arc<Self> {
        let mut store = Store {
            only_ramen_config_maps: true,
            ..Store::default()
        };
        store.set_synced(false);
        let operator_namespace = operator_namespace.to_owned();
        let cluster = Arc::new(Self {
            client,
            store: RwLock::new(store),
            heard: Mutex::default(),
            operator_namespace,
        });
        for kind in watched() {
            tokio::spawn(
                stop.clone()
                    .run_until_cancelled_owned(Arc::clone(&cluster).follow(kind)),
            );
        }
        cluster
    }

    /// Reads the whole world once.
    ///
    /// # Errors
    /// When a kind can't be listed; one that the cluster does not serve has no objects.
    pub async fn snapshot(client: Client, operator_namespace: &str) -> Result<Store, ClusterError> {
        Self::snapshot_with(client, operator_namespace, |_| ()).await
    }

    /// As [`Cluster::snapshot`], and shows each object as it was sent, before it is trimmed.
    ///
    /// # Errors
    /// As [`Cluster::snapshot`].
    pub async fn snapshot_with(
        client: Client,
        operator_namespace: &str,
        mut see: impl FnMut(&Doc),
    ) -> Result<Store, ClusterError> {
        let mut store = Store {
            only_ramen_config_maps: true,
            ..Store::default()
        };
        // Nothing is known of what is not watched.
        store.set_synced(false);
        for kind in watched() {
            let take = |doc: Doc| {
                see(&doc);
                store.take(kind.kind, &doc);
            };
            Self::each(&client, kind, operator_namespace, PAGE, take).await?;
            store.set_kind_synced(kind.kind, true);
        }
        Ok(store)
    }

    /// Reads every object of a kind once, `page` at a time. Of a kind that the cluster does not serve
    /// there is none.
    ///
    /// # Errors
    /// When the kind can't be listed.
    pub async fn each(
        client: &Client,
        kind: KeptKind,
        operator_namespace: &str,
        page: u32,
        mut take: impl FnMut(Doc),
    ) -> Result<(), ClusterError> {
        for (api, place) in apis(client, kind, operator_namespace) {
            let mut params = ListParams::default().limit(page);
            if let Some((_, name)) = place {
                params = params.fields(&format!("metadata.name={name}"));
            }
            loop {
                let listed = match api.list(&params).await {
                    Ok(listed) => listed,
                    Err(error) if not_served(&error) => break,
                    Err(error) => return Err(error.into()),
                };
                for fetched in listed.items {
                    take(fetched.doc.of(kind));
                }
                match listed.metadata.continue_.filter(|token| !token.is_empty()) {
                    Some(token) => params = params.continue_token(&token),
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// The world as it is known now.
    pub fn store(&self) -> RwLockReadGuard<'_, Store> {
        // A writer that panicked left whole objects behind: each change is one call.
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every kind is there as a whole.
    ///
    /// # Errors
    /// The kinds that are still missing.
    pub fn ready(&self) -> Result<(), String> {
        let missing = self.store().unsynced();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("not synced yet: {}", missing.join(", ")))
        }
    }

    /// How each kind is known now.
    pub fn watches(&self) -> Vec<Watched> {
        let store = self.store();
        let (sizes, unsynced) = (store.sizes(), store.unsynced());
        drop(store);
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |(kind, objects)| {
            let heard = heard.get(kind)?;
            Some(Watched {
                kind,
                objects,
                synced: !unsynced.contains(&kind),
                age: heard.last.elapsed(),
                failing: heard.failing,
            })
        };
        sizes.into_iter().filter_map(known).collect()
    }

    /// Notes that the cluster said something about a kind, or failed to.
    fn hear(&self, kind: &'static str, failing: bool) {
        let now = Instant::now();
        let mut all = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = all.entry(kind).or_insert(Heard { last: now, failing });
        heard.failing = failing;
        if !failing {
            heard.last = now;
        }
    }

    fn change(&self, change: impl FnOnce(&mut Store)) {
        change(&mut self.store.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Reads objects afresh, in time for an answer; nothing where that failed.
    pub async fn read(&self, keys: &BTreeSet<Key>) -> Option<Live> {
        if keys.len() > LIVE_OBJECTS {
            return None;
        }
        let read = |key: Key| async move {
            let kind = watched().find(|kind| kind.kind == key.kind)?;
            let api = api(&self.client, kind, &key.namespace);
            match api.get_opt(&key.name).await {
                Ok(found) => Some((key, found)),
                Err(error) if not_served(&error) => Some((key, None)),
                Err(error) => {
                    tracing::warn!(object = %key, %error, "an object that a denial rests on can't be read");
                    None
                }
            }
        };
        let reads = stream::iter(keys.clone())
            .map(read)
            .buffer_unordered(LIVE_OBJECTS)
            .map(|read| read.ok_or(()));
        let read = tokio::time::timeout(LIVE_READ, reads.try_collect::<Vec<_>>())
            .await
            .ok()?
            .ok()?;
        let mut live = Live::default();
        for (key, found) in read {
            if let Some(found) = found {
                live.store.take(key.kind, &found.doc);
            }
            live.keys.insert(key);
        }
        Some(live)
    }

    async fn follow(self: Arc<Self>, kind: KeptKind) {
        let apis = apis(&self.client, kind, &self.operator_namespace);
        let mut whole = vec![false; apis.len()];
        let places: Vec<_> = apis.iter().map(|(_, place)| place.clone()).collect();
        let streams = apis.into_iter().enumerate().map(|(number, (api, place))| {
            let config = watcher::Config::default().page_size(PAGE);
            let config = match place {
                Some((_, name)) => config.fields(&format!("metadata.name={name}")),
                None => config,
            };
            watcher(api, config)
                .default_backoff()
                .map(move |event| (number, event))
                .boxed()
        });
        let mut events = stream::select_all(streams);
        self.hear(kind.kind, false);
        // Which objects the list under way has named so far. Each is taken in as it comes, so that a large
        // cluster is never in memory as it was sent.
        let mut listed: Vec<HashSet<Key>> = whole.iter().map(|_| HashSet::new()).collect();
        while let Some((place, event)) = events.next().await {
            let absent = matches!(&event, Err(watcher::Error::InitialListFailed(cause)) if not_served(cause));
            self.hear(kind.kind, event.is_err() && !absent);
            match event {
                Ok(watcher::Event::Init) => listed[place].clear(),
                Ok(watcher::Event::InitApply(fetched)) => {
                    listed[place].insert(fetched.key(kind));
                    self.change(|store| store.take(kind.kind, &fetched.doc));
                }
                Ok(watcher::Event::InitDone) => {
                    whole[place] = true;
                    let listed = std::mem::take(&mut listed[place]);
                    // Of a kind that is read in several places each list speaks for its own.
                    let elsewhere = |key: &Key| match &places[place] {
                        Some((namespace, name)) => {
                            *key.namespace != **namespace || *key.name != **name
                        }
                        None => false,
                    };
                    let synced = whole.iter().all(|whole| *whole);
                    self.change(|store| {
                        store.retain(kind.kind, |key| elsewhere(key) || listed.contains(key));
                        store.set_kind_synced(kind.kind, synced);
                    });
                }
                Ok(watcher::Event::Apply(fetched)) => {
                    self.change(|store| store.take(kind.kind, &fetched.doc));
                }
                Ok(watcher::Event::Delete(fetched)) => {
                    let key = fetched.key(kind);
                    self.change(|store| store.remove(&key));
                }
                Err(error) => {
                    if absent {
                        whole[place] = true;
                        let synced = whole.iter().all(|whole| *whole);
                        self.change(|store| store.set_kind_synced(kind.kind, synced));
                        tracing::debug!(kind = kind.kind, "the cluster does not serve this kind");
                    } else {
                        tracing::warn!(kind = kind.kind, %error, "watching failed; trying again");
                    }
                }
            }
        }
    }
}

/// The kinds that are watched.
fn watched() -> impl Iterator<Item = KeptKind> {
    Store::kinds().into_iter().filter(|kind| kind.watched)
}

/// One object that is read by itself: namespace and name.
type Single = (String, &'static str);

/// Where the objects of a kind are read: everywhere, but for config maps, of which only Ramen's own are
/// anybody's business here.
fn apis(
    client: &Client,
    kind: KeptKind,
    operator_namespace: &str,
) -> Vec<(Api<Fetched>, Option<Single>)> {
    if kind.kind == ConfigMap::KIND {
        return config::places(operator_namespace)
            .into_iter()
            .map(|place| (api(client, kind, &place.0), Some(place)))
            .collect();
    }
    vec![(Api::all_with(client.clone(), &kind.resource()), None)]
}

fn api(client: &Client, kind: KeptKind, namespace: &str) -> Api<Fetched> {
    let resource = kind.resource();
    if kind.namespaced && !namespace.is_empty() {
        Api::namespaced_with(client.clone(), namespace, &resource)
    } else {
        Api::all_with(client.clone(), &resource)
    }
}

impl KeptKind {
    /// How the API server names it.
    pub fn resource(self) -> ApiResource {
        let api_version = if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        };
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version,
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }
}

impl Doc {
    /// The items of a list say neither their kind nor its version.
    fn of(mut self, kind: KeptKind) -> Self {
        if let Some(object) = self.value.as_object_mut() {
            object.insert("apiVersion".to_owned(), kind.resource().api_version.into());
            object.insert("kind".to_owned(), kind.kind.into());
        }
        self
    }
}

fn not_served(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

/// An object as it comes from the API server, slimmed while it is parsed.
#[derive(Clone, Debug)]
struct Fetched {
    doc: Doc,
    meta: ObjectMeta,
}

impl Fetched {
    fn key(&self, kind: KeptKind) -> Key {
        let text = |field: &Option<String>| field.as_deref().unwrap_or_default().into();
        Key {
            kind: kind.kind,
            namespace: text(&self.meta.namespace),
            name: text(&self.meta.name),
        }
    }
}

impl<'de> Deserialize<'de> for Fetched {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let doc = Doc::from_any(input)?;
        let text = |field: &str| {
            let value = doc
                .value
                .get("metadata")
                .and_then(|metadata| metadata.get(field));
            value.and_then(serde_json::Value::as_str).map(str::to_owned)
        };
        let meta = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        Ok(Self { doc, meta })
    }
}

impl Resource for Fetched {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::kind(resource)
    }
    fn group(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::group(resource)
    }
    fn version(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::version(resource)
    }
    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::plural(resource)
    }
    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}
