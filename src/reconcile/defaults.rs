//! Safe defaults on objects that were stored before the guard, or while it was down.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::json;

use super::{
    MANAGER, Pace,
    contest::Contests,
    leader::{Matter, Place},
    tell::What,
};
use crate::{
    api::{
        BACKUP_LABEL, DRCluster, DRPlacementControl, DRPolicy, Key, Kind, Object, Placement,
        PlacementRule,
    },
    world::{DRPC_NAME, DRPC_NAMESPACE, Kept, KeptKind, Relation, Store},
};

/// How many objects of a kind are changed in one go; the others have to wait for the next.
const AT_ONCE: usize = 50;
/// The labels of what a backup brought back, in whatever order.
const RESTORED: [&str; 2] = ["velero.io/restore-name", "velero.io/backup-name"];

/// An object that is to be changed.
#[derive(Clone, Debug)]
struct Target {
    kind: KeptKind,
    key: Key,
    uid: String,
}

impl Target {
    fn of<K: Kind>(object: &Object<K>) -> Self {
        Self {
            kind: KeptKind::of::<K>(),
            key: object.key(),
            uid: object.meta.uid.clone(),
        }
    }

    fn api(&self, place: &Place) -> Api<DynamicObject> {
        let resource = self.kind.resource();
        if self.kind.namespaced {
            Api::namespaced_with(place.client.clone(), &self.key.namespace, &resource)
        } else {
            Api::all_with(place.client.clone(), &resource)
        }
    }

    fn matter(&self, what: What) -> Matter {
        Matter {
            what,
            object: ObjectReference {
                api_version: Some(self.kind.resource().api_version),
                kind: Some(self.kind.kind.to_owned()),
                name: Some(self.key.name.to_string()),
                namespace: self.kind.namespaced.then(|| self.key.namespace.to_string()),
                uid: Some(self.uid.clone()),
                ..ObjectReference::default()
            },
            // What is made anew under the same name is another matter.
            id: format!("{} {}", self.key, self.uid),
        }
    }
}

/// A placement that says it belongs to an application that is not there.
#[derive(Clone, Debug)]
struct Stale {
    target: Target,
    owner: Key,
    /// The annotations as they were seen.
    annotations: Vec<(&'static str, String)>,
}

/// Sets them.
pub(super) struct Defaults {
    grace: Duration,
    /// Since when a placement has belonged to nobody.
    stale: HashMap<Key, Instant>,
}

impl Defaults {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            grace: pace.grace,
            stale: HashMap::new(),
        }
    }

    /// Adds the backup label where there is none.
    pub(super) async fn label(&self, place: &Place, contests: &mut Contests) {
        let targets = {
            let store = place.world.store();
            let mut targets = unlabelled::<DRPlacementControl>(&store);
            targets.extend(unlabelled::<DRPolicy>(&store));
            targets.extend(unlabelled::<DRCluster>(&store));
            targets
        };
        let (label, value) = BACKUP_LABEL;
        let mut done = 0;
        for target in targets {
            if done == AT_ONCE {
                return;
            }
            let matter = target.matter(What::Label);
            if !place.may_write(contests, &matter).await {
                continue;
            }
            done += 1;
            let mut object = json!({
                "apiVersion": target.kind.resource().api_version,
                "kind": target.kind.kind,
                // With its uid, an object that is gone meanwhile is not made anew.
                "metadata": { "name": target.key.name, "uid": target.uid, "labels": { label: value } },
            });
            if target.kind.namespaced {
                object["metadata"]["namespace"] = json!(target.key.namespace);
            }
            // Without force: a label that somebody else set in between stays theirs.
            let params = PatchParams::apply(MANAGER);
            let (api, patch) = (target.api(place), Patch::Apply(&object));
            let written = api.patch(&target.key.name, &params, &patch).await.map(drop);
            let note = format!(
                "{label}: {value} was missing: without it a backup of the hub leaves the object out"
            );
            place.wrote(contests, &matter, written, &note).await;
        }
    }

    /// Takes annotations off placements that name a DRPlacementControl which has long been gone: they keep
    /// others from using the placement.
    pub(super) async fn release(&mut self, place: &Place, contests: &mut Contests) {
        let candidates = {
            let store = place.world.store();
            let mut found = stale::<Placement>(&store);
            found.extend(stale::<PlacementRule>(&store));
            found
        };
        let now = Instant::now();
        let since = std::mem::take(&mut self.stale);
        for stale in candidates {
            let key = stale.target.key.clone();
            let since = since.get(&key).copied().unwrap_or(now);
            self.stale.insert(key, since);
            if now.duration_since(since) < self.grace {
                continue;
            }
            let matter = stale.target.matter(What::Placement);
            if !place.may_write(contests, &matter).await {
                continue;
            }
            // Absence is never concluded from the cache alone.
            let live = place.world.read(&[stale.owner.clone()].into()).await;
            if live.is_none_or(|live| !live.store.drpcs.is_empty()) {
                continue;
            }
            let path = |name: &str| {
                format!(
                    "/metadata/annotations/{}",
                    name.replace('~', "~0").replace('/', "~1")
                )
            };
            let mut patch =
                vec![json!({ "op": "test", "path": "/metadata/uid", "value": stale.target.uid })];
            for (name, value) in &stale.annotations {
                patch.push(json!({ "op": "test", "path": path(name), "value": value }));
                patch.push(json!({ "op": "remove", "path": path(name) }));
            }
            let Ok(patch) = serde_json::from_value(json!(patch)) else {
                continue;
            };
            let params = PatchParams {
                field_manager: Some(MANAGER.to_owned()),
                ..PatchParams::default()
            };
            let api = stale.target.api(place);
            let written = api
                .patch(&stale.target.key.name, &params, &Patch::Json::<()>(patch))
                .await;
            let note = format!(
                "it said that it belongs to {}, which is gone: nobody else could have used it",
                stale.owner
            );
            place
                .wrote(contests, &matter, written.map(drop), &note)
                .await;
        }
    }
}

/// The objects of a kind that don't have the backup label at all, and are not going.
fn unlabelled<K: Kept>(store: &Store) -> Vec<Target> {
    let table = K::table(store);
    let bare = table.iter().filter(|object| {
        let meta = &object.meta;
        !meta.labels.contains_key(BACKUP_LABEL.0) && !meta.is_terminating() && !meta.uid.is_empty()
    });
    let mut targets: Vec<Target> = bare.map(Target::of).collect();
    targets.sort_by(|a, b| a.key.cmp(&b.key));
    targets
}

/// The placements that name a DRPlacementControl which is not there, and that none refers to.
fn stale<K: Kept>(store: &Store) -> Vec<Stale> {
    let mut found = Vec::new();
    for object in K::table(store).iter() {
        let meta = &object.meta;
        let owner = (meta.annotation(DRPC_NAME), meta.annotation(DRPC_NAMESPACE));
        let (Some(name), Some(namespace)) = owner else {
            continue;
        };
        let restored = RESTORED.iter().any(|label| meta.labels.contains_key(label));
        let mut referring = store.drpcs.related(Relation::PlacementName, &meta.name);
        let in_use = store.drpcs.get(namespace, name).is_some()
            || referring.any(|drpc| drpc.meta.namespace == meta.namespace);
        if in_use || restored || meta.is_terminating() || meta.uid.is_empty() {
            continue;
        }
        let annotations = [(DRPC_NAME, name), (DRPC_NAMESPACE, namespace)];
        found.push(Stale {
            target: Target::of(object),
            owner: Key::of::<DRPlacementControl>(namespace, name),
            annotations: annotations
                .map(|(key, value)| (key, value.to_owned()))
                .to_vec(),
        });
    }
    found.sort_by(|a, b| a.target.key.cmp(&b.target.key));
    found
}
