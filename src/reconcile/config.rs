//! What is missing in the hub operator's configuration: added as the operator's next start would, at the
//! end, and nothing else in the text touched.
//!
//! The operator merges its defaults under what a user wrote, once, when it starts. Until then what is
//! missing is off, or nothing: with no `leaderElection`, and the automation of managed clusters on, the
//! operator even crashes. Only those defaults are added whose absence hurts until the next start; see
//! `defaults` in the specification of the guard for each that is not.
//!
//! Source: internal/controller/ramenconfig.go:64-110

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash as _, Hasher as _},
};

use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Map, Value, json};

use super::{
    MANAGER,
    contest::Contests,
    leader::{Matter, Place},
    tell::What,
};
use crate::{
    api::{self, RAMEN_CONFIG},
    manifest::goyaml,
    world::{HUB_CONFIG, OLM_NAMESPACE},
};

/// A key that may be added, and how it is written.
struct Default {
    key: &'static str,
    lines: &'static str,
    /// Whether the operator writes it whenever it holds: then its absence from a text of the operator's own
    /// means that it was switched off.
    kept: bool,
    /// Whether it is needed in this configuration.
    wanted: fn(&Map<String, Value>) -> bool,
}

const DEFAULTS: [Default; 5] = [
    Default {
        key: "maxConcurrentReconciles",
        lines: "maxConcurrentReconciles: 50\n",
        kept: false,
        wanted: |_| true,
    },
    Default {
        key: "leaderElection",
        lines: "leaderElection:\n  leaderElect: true\n  resourceName: hub.ramendr.openshift.io\n",
        kept: false,
        wanted: |config| {
            let operator = config.get("drClusterOperator");
            operator.is_some_and(|it| it["deploymentAutomationEnabled"] == true)
        },
    },
    Default {
        key: "volumeUnprotectionEnabled",
        lines: "volumeUnprotectionEnabled: true\n",
        kept: true,
        wanted: |_| true,
    },
    Default {
        key: "retainNamespaceSCCAcrossPeers",
        lines: "retainNamespaceSCCAcrossPeers: true\n",
        kept: true,
        wanted: |_| true,
    },
    Default {
        key: "multiNamespace",
        lines: "multiNamespace:\n  FeatureEnabled: true\n  volsyncSupported: true\n",
        kept: true,
        wanted: |_| true,
    },
];

/// A text with what was missing.
#[derive(Debug, PartialEq, Eq)]
struct Completed {
    text: String,
    added: Vec<&'static str>,
}

/// What can be done about a text.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// Nothing is missing, or nobody can say.
    Whole,
    /// Something is, and can't be added without writing the rest anew.
    Rigid(Vec<&'static str>),
    /// Something is.
    Lacking(Completed),
}

/// Adds them.
#[derive(Default)]
pub(super) struct Completer {
    /// The text that was found to be rigid last, so that it is said once.
    rigid: Option<u64>,
}

impl Completer {
    pub(super) async fn complete(&mut self, place: &Place, contests: &mut Contests) {
        let Some((namespace, uid, before)) = hub_config(place) else {
            return;
        };
        let completed = match look(&before) {
            Finding::Whole => return,
            Finding::Rigid(missing) => {
                let mut hasher = DefaultHasher::new();
                before.hash(&mut hasher);
                let text = Some(hasher.finish());
                if std::mem::replace(&mut self.rigid, text) != text {
                    let missing = missing.join(", ");
                    tracing::info!(
                        "{HUB_CONFIG} has no {missing}, which can't be added without writing the rest anew"
                    );
                }
                return;
            }
            Finding::Lacking(completed) => completed,
        };
        let matter = Matter {
            what: What::RamenConfig,
            id: uid.clone(),
            object: ObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("ConfigMap".to_owned()),
                name: Some(HUB_CONFIG.to_owned()),
                namespace: Some(namespace.clone()),
                uid: Some(uid),
                ..ObjectReference::default()
            },
        };
        if !place.may_write(contests, &matter).await {
            return;
        }
        let path = format!("/data/{RAMEN_CONFIG}");
        let patch = json!([
            { "op": "test", "path": path, "value": before },
            { "op": "replace", "path": path, "value": completed.text },
        ]);
        let Ok(patch) = serde_json::from_value(patch) else {
            return;
        };
        let api: Api<ConfigMap> = Api::namespaced(place.client.clone(), &namespace);
        let params = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let written = api
            .patch(HUB_CONFIG, &params, &Patch::Json::<()>(patch))
            .await;
        let note = format!(
            "{} had no {}, which the operator's next start would add: until then it counts as off",
            RAMEN_CONFIG,
            completed.added.join(", ")
        );
        place
            .wrote(contests, &matter, written.map(drop), &note)
            .await;
    }
}

/// The hub operator's ConfigMap: its namespace, uid, and text. Where there are two, one was left behind,
/// and nobody can tell which.
fn hub_config(place: &Place) -> Option<(String, String, String)> {
    let settings = &place.guard.engine().settings;
    let store = place.world.store();
    let mut namespaces = vec![&*settings.ramen.namespace, OLM_NAMESPACE];
    namespaces.dedup();
    let found = namespaces
        .into_iter()
        .filter_map(|namespace| store.config_maps.get(namespace, HUB_CONFIG));
    let found: Vec<_> = found.collect();
    let [map] = found[..] else { return None };
    if map.meta.is_terminating() || map.meta.uid.is_empty() {
        return None;
    }
    let text = map.spec.data.get(RAMEN_CONFIG)?;
    Some((
        map.meta.namespace.clone(),
        map.meta.uid.clone(),
        text.clone(),
    ))
}

/// What is missing in a text.
fn look(text: &str) -> Finding {
    let Some(before) = read(text) else {
        return Finding::Whole;
    };
    let by_operator = is_of_operator(&before);
    let missing = DEFAULTS.iter().filter(|default| {
        !before.contains_key(default.key)
            && (default.wanted)(&before)
            && !(default.kept && by_operator)
    });
    let missing: Vec<&Default> = missing.collect();
    let added: Vec<&str> = missing.iter().map(|default| default.key).collect();
    if added.is_empty() {
        return Finding::Whole;
    }
    let mut completed = text.to_owned();
    if !completed.ends_with('\n') {
        completed.push('\n');
    }
    for default in &missing {
        completed += default.lines;
    }
    // Whatever the text is like, what Ramen reads in it is what it read before, and what was added.
    let whole = read(&completed).is_some_and(|mut after| {
        let all = added
            .iter()
            .all(|key| after.remove(*key).is_some_and(|it| it != Value::Null));
        all && after == before
    });
    if whole {
        Finding::Lacking(Completed {
            text: completed,
            added,
        })
    } else {
        Finding::Rigid(added)
    }
}

/// What Ramen reads in a text; nothing where that fails, says a thing twice, or is nothing.
fn read(text: &str) -> Option<Map<String, Value>> {
    let embedded = goyaml::read(text, api::schema("RamenConfig")?).ok()?;
    match embedded.value {
        Value::Object(map) if embedded.duplicates.is_empty() && !map.is_empty() => Some(map),
        _ => None,
    }
}

/// Whether the operator wrote the text: nobody else spells out what is empty in `leaderElection`.
fn is_of_operator(config: &Map<String, Value>) -> bool {
    let election = config.get("leaderElection");
    election.is_some_and(|it| it["leaseDuration"] == "0s" && it["resourceLock"] == "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(text: &str) -> (Vec<&'static str>, String) {
        match look(text) {
            Finding::Lacking(Completed { text: after, added }) => {
                let tail = after
                    .strip_prefix(text)
                    .expect("what was there stays as it was");
                (added, tail.to_owned())
            }
            Finding::Whole => (Vec::new(), String::new()),
            Finding::Rigid(missing) => (missing, "rigid".to_owned()),
        }
    }

    const ALL: &str = "maxConcurrentReconciles: 5\nvolumeUnprotectionEnabled: false\n\
        retainNamespaceSCCAcrossPeers: false\nmultiNamespace: {}\n";

    #[test]
    fn what_is_missing_is_added_at_the_end() {
        let text = "# by hand\nramenOpsNamespace:   ramen-ops # kept\nmultiNamespace: {FeatureEnabled: true}\n";
        let (keys, tail) = added(text);
        assert_eq!(
            keys,
            [
                "maxConcurrentReconciles",
                "volumeUnprotectionEnabled",
                "retainNamespaceSCCAcrossPeers"
            ]
        );
        assert_eq!(
            tail,
            "maxConcurrentReconciles: 50\nvolumeUnprotectionEnabled: true\nretainNamespaceSCCAcrossPeers: true\n"
        );
        let (_, tail) = added("ramenOpsNamespace: ramen-ops");
        assert!(
            tail.starts_with("\nmaxConcurrentReconciles: 50\n"),
            "{tail}"
        );
    }

    #[test]
    fn what_a_user_wrote_is_never_changed() {
        assert_eq!(look(ALL), Finding::Whole);
        assert_eq!(
            look(&ALL.replace("maxConcurrentReconciles", "MAXCONCURRENTRECONCILES")),
            Finding::Whole
        );
    }

    #[test]
    fn leader_election_is_added_where_its_absence_crashes_the_operator() {
        let automated = format!("{ALL}drClusterOperator: {{deploymentAutomationEnabled: true}}\n");
        assert_eq!(
            added(&automated),
            (
                vec!["leaderElection"],
                "leaderElection:\n  leaderElect: true\n  resourceName: hub.ramendr.openshift.io\n"
                    .to_owned()
            )
        );
        assert_eq!(look(&automated.replace("true", "false")), Finding::Whole);
    }

    /// The operator leaves out what is false, so what it left out was switched off by someone.
    #[test]
    fn what_the_operator_left_out_stays_out() {
        let text = "leaderElection:\n  leaderElect: true\n  leaseDuration: 0s\n  resourceLock: \"\"\n\
            maxConcurrentReconciles: 50\nmultiNamespace: {}\n";
        assert_eq!(look(text), Finding::Whole);
    }

    #[test]
    fn what_can_not_be_read_or_added_to_is_left() {
        for text in [
            "",
            "# nothing\n",
            "a: b: c",
            "- a",
            "maxConcurrentReconciles: '7'",
            "kind: a\nkind: b\n",
        ] {
            assert_eq!(look(text), Finding::Whole, "{text:?}");
        }
        for text in [
            "{\"ramenOpsNamespace\": \"ramen-ops\"}\n",
            "ramenOpsNamespace: a\n---\nother: b\n",
            "  ramenOpsNamespace: a\n",
        ] {
            assert!(
                matches!(look(text), Finding::Rigid(_)),
                "{text:?}: {:?}",
                look(text)
            );
        }
    }
}
