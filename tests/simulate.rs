//! `simulate`: what is said of an action, one fact at a time.
#![allow(clippy::unwrap_used)]

use ramen_guard::{
    api::Doc,
    engine::Engine,
    simulate::{
        Action, Ask, AskError, OffsetDateTime, Row, Said, Simulation, State, World, simulate,
    },
};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

const API: &str = "ramendr.openshift.io/v1alpha1";
const NOW: &str = "2026-01-15T10:00:00Z";

fn at(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        let fields = target.as_object_mut().unwrap();
        if value.is_null() {
            fields.remove(&key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), value);
        }
    }
}

fn with(mut object: Value, patch: Value) -> Value {
    merge(&mut object, patch);
    object
}

fn condition(type_: &str, status: &str) -> Value {
    json!({"type": type_, "status": status, "reason": "R", "message": "m", "observedGeneration": 1})
}

/// An application on east, in the best of states.
fn app() -> Value {
    json!({
        "apiVersion": API,
        "kind": "DRPlacementControl",
        "metadata": {
            "name": "app", "namespace": "app", "generation": 1,
            "annotations": {
                "drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster": "east",
                "drplacementcontrol.ramendr.openshift.io/app-namespace": "app",
            },
        },
        "spec": {
            "drPolicyRef": {"name": "policy"}, "placementRef": {"name": "app"},
            "preferredCluster": "east", "pvcSelector": {"matchLabels": {"app": "app"}},
        },
        "status": {
            "phase": "Deployed", "progression": "Completed", "observedGeneration": 1,
            "conditions": [condition("Available", "True"), condition("PeerReady", "True"), condition("Protected", "True")],
            "lastGroupSyncTime": "2026-01-15T09:56:00Z",
            "resourceConditions": {
                "resourceMeta": {"generation": 1},
                "conditions": [condition("DataReady", "True"), condition("ClusterDataProtected", "True")],
            },
        },
    })
}

fn conditions(changed: &[(&str, &str)]) -> Value {
    let all = ["Available", "PeerReady", "Protected"].map(|type_| {
        let status = changed.iter().find(|(it, _)| *it == type_);
        condition(type_, status.map_or("True", |(_, status)| status))
    });
    json!({"status": {"conditions": all}})
}

fn policy(metro: bool) -> Value {
    let classes = json!({"peerClasses": [{"storageClassName": "sc", "clusterIDs": ["a", "b"]}]});
    json!({
        "apiVersion": API,
        "kind": "DRPolicy",
        "metadata": {"name": "policy"},
        "spec": {"drClusters": ["east", "west"], "schedulingInterval": if metro { "" } else { "5m" }},
        "status": {
            "conditions": [condition("Validated", "True")],
            if metro { "sync" } else { "async" }: classes,
        },
    })
}

fn cluster(name: &str) -> Value {
    json!({
        "apiVersion": API,
        "kind": "DRCluster",
        "metadata": {"name": name, "generation": 1, "annotations": {
            "drcluster.ramendr.openshift.io/storage-driver": "d",
            "drcluster.ramendr.openshift.io/storage-secret-name": "n",
            "drcluster.ramendr.openshift.io/storage-secret-namespace": "ns",
            "drcluster.ramendr.openshift.io/storage-clusterid": "id",
        }},
        "spec": {"s3ProfileName": "s3", "cidrs": ["10.0.0.0/24"]},
        "status": {"phase": "Available", "conditions": [condition("Validated", "True"), condition("Fenced", "False")]},
    })
}

fn managed(name: &str, available: &str) -> Value {
    json!({
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": name},
        "status": {"conditions": [condition("ManagedClusterConditionAvailable", available)]},
    })
}

fn group(cluster: &str, spec: &str, state: &str, modes: &[&str]) -> Value {
    json!({
        "apiVersion": "view.open-cluster-management.io/v1beta1",
        "kind": "ManagedClusterView",
        "metadata": {"name": "app-app-vrg-mcv", "namespace": cluster},
        "spec": {"scope": {"kind": "VolumeReplicationGroup", "name": "app", "namespace": "app"}},
        "status": {
            "conditions": [condition("Processing", "True")],
            "result": {
                "metadata": {"generation": 2},
                "spec": {"replicationState": spec},
                "status": {"state": state, "observedGeneration": 2, "protectedPVCs": [
                    {"name": "data", "csiProvisioner": "csi", "replicationID": {"id": "pool", "modes": modes}},
                ]},
            },
        },
    })
}

fn hub(metro: bool) -> Vec<Value> {
    vec![
        app(),
        policy(metro),
        cluster("east"),
        cluster("west"),
        managed("east", "True"),
        managed("west", "True"),
    ]
}

/// A hub with this instead of the object of the same kind and name.
fn but(mut hub: Vec<Value>, others: impl IntoIterator<Item = Value>) -> Vec<Value> {
    for other in others {
        let same = |it: &Value| {
            it["kind"] == other["kind"]
                && it["metadata"]["name"] == other["metadata"]["name"]
                && it["metadata"]["namespace"] == other["metadata"]["namespace"]
        };
        hub.retain(|it| !same(it));
        hub.push(other);
    }
    hub
}

fn world(objects: &[Value], live: bool) -> World {
    let mut world = World::new(live);
    for object in objects {
        let doc = Doc::from_value(object.clone()).unwrap();
        world.store.apply(&doc).unwrap();
        world.keep(&doc);
    }
    world.complete();
    world
}

fn try_ask(
    objects: &[Value],
    action: Action,
    name: &str,
    to: Option<&str>,
) -> Result<Simulation, AskError> {
    let ask = Ask {
        action,
        name,
        namespace: None,
        to,
    };
    simulate(
        &Engine::default(),
        &mut world(objects, false),
        &ask,
        at(NOW),
    )
}

fn ask(objects: &[Value], action: Action, to: Option<&str>) -> Simulation {
    let name = match action {
        Action::Failover | Action::Relocate => "app",
        Action::Fence | Action::Unfence => "east",
    };
    try_ask(objects, action, name, to).unwrap()
}

#[track_caller]
fn row<'a>(simulation: &'a Simulation, check: &str) -> &'a Row {
    let found = simulation.rows.iter().find(|row| row.check == check);
    found.unwrap_or_else(|| panic!("no {check}: {:#?}", simulation.rows))
}

/// The row says this.
#[track_caller]
fn says(simulation: &Simulation, check: &str, state: State, value: &str) {
    let row = row(simulation, check);
    assert_eq!(row.state, state, "{row:#?}");
    assert!(row.value.contains(value), "{row:#?}");
}

fn moved(patch: Value) -> Vec<Value> {
    but(hub(false), [with(app(), patch)])
}

const FAILOVER: Action = Action::Failover;
const RELOCATE: Action = Action::Relocate;

#[test]
fn all_is_well() {
    for (metro, action, to) in [
        (false, FAILOVER, None),
        (false, RELOCATE, Some("west")),
        (true, RELOCATE, Some("west")),
    ] {
        let done = ask(&hub(metro), action, to);
        assert_eq!(done.said, Said::Accepted, "{:?}", done.findings);
        assert!(
            done.rows.iter().all(|row| row.state == State::Ok),
            "{:#?}",
            done.rows
        );
        assert!(!done.has_doubts());
    }
}

#[test]
fn the_target_is_chosen_where_it_is_clear() {
    let annotation = "drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster";
    let nowhere = || json!({"metadata": {"annotations": {annotation: null}}});
    let on = |cluster| json!({"metadata": {"annotations": {annotation: cluster}}});
    let failing = |phase: &str, step: &str| {
        json!({
            "spec": {"action": "Failover", "failoverCluster": "west"},
            "status": {"phase": phase, "progression": step},
        })
    };
    let prefers_none = || json!({"spec": {"preferredCluster": null}});
    let no_policy = || json!({"spec": {"drPolicyRef": {"name": "gone"}}});
    for (patches, action, chosen) in [
        (vec![], FAILOVER, Ok("west")),
        (vec![on("west")], FAILOVER, Ok("east")),
        (vec![nowhere()], FAILOVER, Ok("west")),
        (
            vec![nowhere(), prefers_none()],
            FAILOVER,
            Err("nothing says"),
        ),
        (
            vec![nowhere(), json!({"spec": {"action": "Relocate"}})],
            FAILOVER,
            Err("nothing says"),
        ),
        // What is under way goes where it goes, wherever the application is noted to be.
        (
            vec![failing("FailingOver", "WaitForFencing")],
            FAILOVER,
            Ok("west"),
        ),
        (
            vec![on("west"), failing("FailedOver", "Cleaning Up")],
            FAILOVER,
            Ok("west"),
        ),
        // Once it is complete, the next one goes back.
        (
            vec![on("west"), failing("FailedOver", "Completed")],
            FAILOVER,
            Ok("east"),
        ),
        (
            vec![on("north")],
            FAILOVER,
            Err("not one of the two clusters"),
        ),
        (vec![no_policy()], FAILOVER, Err("\"gone\" is not known")),
        (
            vec![no_policy(), json!({"spec": {"failoverCluster": "west"}})],
            FAILOVER,
            Ok("west"),
        ),
        (vec![], RELOCATE, Err("on its preferredCluster")),
        (
            vec![json!({"spec": {"preferredCluster": "west"}})],
            RELOCATE,
            Ok("west"),
        ),
        (vec![on("west")], RELOCATE, Ok("east")),
        (vec![nowhere()], RELOCATE, Ok("east")),
        (vec![prefers_none()], RELOCATE, Ok("west")),
        (
            vec![prefers_none(), no_policy()],
            RELOCATE,
            Err("\"gone\" is not known"),
        ),
        (
            vec![nowhere(), prefers_none()],
            RELOCATE,
            Err("nothing says"),
        ),
    ] {
        let patch = format!("{patches:?}");
        let app = patches.into_iter().fold(app(), with);
        let done = try_ask(&but(hub(false), [app]), action, "app", None);
        match (done, chosen) {
            (Ok(done), Ok(chosen)) => {
                let goes = done.goes.unwrap();
                assert_eq!(goes.to, chosen, "{patch}: {}", goes.because);
                assert!(!goes.because.is_empty());
            }
            (Err(error @ AskError::NoTarget { .. }), Err(words)) => {
                let error = error.to_string();
                assert!(error.contains(words), "{patch}: {error}");
                assert!(
                    error.ends_with("choose with --to: \"east\", \"west\""),
                    "{error}"
                );
            }
            (done, _) => panic!("{patch}: {done:#?}"),
        }
    }
}

#[test]
fn names_are_found() {
    let other = with(app(), json!({"metadata": {"namespace": "b"}}));
    let objects = but(hub(false), [other]);
    let find = |action, name: &str, namespace| {
        let ask = Ask {
            action,
            name,
            namespace,
            to: None,
        };
        simulate(
            &Engine::default(),
            &mut world(&objects, false),
            &ask,
            at(NOW),
        )
        .map(|it| it.key.to_string())
    };
    assert_eq!(
        find(FAILOVER, "app", None),
        Err(AskError::Several {
            kind: "DRPlacementControl",
            name: "app".to_owned(),
            namespaces: "\"app\", \"b\"".to_owned(),
        })
    );
    assert_eq!(
        find(FAILOVER, "app", Some("b")).unwrap(),
        "DRPlacementControl \"b/app\""
    );
    assert_eq!(
        find(FAILOVER, "b/app", None).unwrap(),
        "DRPlacementControl \"b/app\""
    );
    assert_eq!(
        find(FAILOVER, "b/app", Some("app")).unwrap(),
        "DRPlacementControl \"b/app\""
    );
    for (action, name, namespace, near) in [
        (FAILOVER, "ap", None, Some("app/app")),
        (FAILOVER, "app", Some("c"), Some("app/app")),
        (FAILOVER, "ap", Some("b"), Some("b/app")),
        (FAILOVER, "somethingelse", None, None),
        (Action::Fence, "easst", None, Some("east")),
        (Action::Fence, "app", None, None),
    ] {
        let Err(AskError::Missing { nearest, .. }) = find(action, name, namespace) else {
            panic!("{name} is found");
        };
        assert_eq!(nearest.as_deref(), near, "{name}");
    }
}

#[test]
fn only_what_differs_is_changed() {
    let patch = |objects: &[Value], action, to| ask(objects, action, to).patch;
    assert_eq!(
        patch(&hub(false), FAILOVER, None),
        json!({"spec": {"action": "Failover", "failoverCluster": "west"}})
    );
    assert_eq!(
        patch(&hub(false), RELOCATE, Some("west")),
        json!({"spec": {"action": "Relocate", "preferredCluster": "west"}})
    );
    assert_eq!(
        patch(&hub(false), Action::Fence, None),
        json!({"spec": {"clusterFence": "Fenced"}})
    );
    assert_eq!(
        patch(&hub(false), Action::Unfence, None),
        json!({"spec": {"clusterFence": "Unfenced"}})
    );
    let asked = moved(json!({"spec": {"action": "Failover", "failoverCluster": "west"}}));
    let done = ask(&asked, FAILOVER, Some("west"));
    assert_eq!((done.said, done.patch), (Said::Unchanged, json!({})));
    assert!(done.findings.is_empty());
}

#[test]
fn what_the_guard_refuses_is_refused() {
    let done = ask(&hub(false), FAILOVER, Some("north"));
    assert_eq!(done.said, Said::Refused);
    assert!(
        done.findings
            .iter()
            .any(|it| it.rule.id == "drpc-failover-cluster-in-policy")
    );
}

#[test]
fn phases() {
    for (action, phase, step, state) in [
        (FAILOVER, "Deployed", "Completed", State::Ok),
        (FAILOVER, "Relocated", "Completed", State::Ok),
        (FAILOVER, "Relocated", "Cleaning Up", State::Ok),
        (FAILOVER, "Relocating", "RunningFinalSync", State::Problem),
        (FAILOVER, "Deploying", "CreatingMW", State::Waits),
        (FAILOVER, "WaitForUser", "Paused", State::Waits),
        (FAILOVER, "Deleting", "Deleting", State::Problem),
        (RELOCATE, "FailedOver", "Completed", State::Ok),
        (RELOCATE, "FailedOver", "WaitOnUserToCleanUp", State::Waits),
        (RELOCATE, "FailingOver", "WaitForFencing", State::Waits),
        (RELOCATE, "Relocating", "RunningFinalSync", State::Waits),
        (RELOCATE, "Deployed", "Paused", State::Waits),
        (RELOCATE, "SomethingNew", "", State::Waits),
    ] {
        let patch = json!({"status": {"phase": phase, "progression": step}});
        let done = ask(&moved(patch), action, Some("west"));
        says(&done, "phase", state, phase);
    }
    let silent = ask(&moved(json!({"status": null})), FAILOVER, None);
    for check in ["phase", "available", "peer-ready", "protected", "last-sync"] {
        says(&silent, check, State::Unknown, "");
    }
    assert!(silent.has_doubts());
    let behind = ask(
        &moved(json!({"metadata": {"generation": 7}})),
        FAILOVER,
        None,
    );
    says(
        &behind,
        "status",
        State::Waits,
        "of generation 1, and the object is at 7",
    );
}

/// A failover asks for no condition. A relocation asks for PeerReady, and takes none for yes.
#[test]
fn what_conditions_mean() {
    for (action, type_, status, check, state) in [
        (FAILOVER, "PeerReady", "False", "peer-ready", State::Problem),
        (RELOCATE, "PeerReady", "False", "peer-ready", State::Waits),
        (RELOCATE, "PeerReady", "Unknown", "peer-ready", State::Waits),
        (FAILOVER, "Protected", "False", "protected", State::Problem),
        (
            RELOCATE,
            "Protected",
            "Unknown",
            "protected",
            State::Problem,
        ),
        (FAILOVER, "Available", "False", "available", State::Problem),
        (
            FAILOVER,
            "Available",
            "Unknown",
            "available",
            State::Unknown,
        ),
    ] {
        let done = ask(&moved(conditions(&[(type_, status)])), action, Some("west"));
        says(&done, check, state, &format!("{status} (R: m)"));
        assert!(done.has_doubts());
    }
    let unsaid = moved(json!({"status": {"conditions": [condition("Available", "True")]}}));
    says(
        &ask(&unsaid, RELOCATE, Some("west")),
        "peer-ready",
        State::Ok,
        "not reported",
    );
    says(
        &ask(&unsaid, FAILOVER, None),
        "peer-ready",
        State::Unknown,
        "not reported",
    );
    // Once it is under way, nobody asks again.
    let under_way = with(
        conditions(&[("PeerReady", "False")]),
        json!({"spec": {"action": "Relocate", "preferredCluster": "west"}, "status": {"phase": "Relocating"}}),
    );
    let done = ask(&moved(under_way), RELOCATE, None);
    assert_eq!(done.said, Said::Unchanged);
}

#[test]
fn a_relocation_asks_for_whole_data() {
    for (data, generation, state) in [
        ("True", 1, State::Ok),
        ("False", 1, State::Waits),
        ("True", 2, State::Waits),
    ] {
        let patch = json!({"status": {"resourceConditions": {
            "resourceMeta": {"generation": generation},
            "conditions": [condition("DataReady", data)],
        }}});
        let done = ask(&moved(patch), RELOCATE, Some("west"));
        says(&done, "data-ready", state, data);
        says(
            &done,
            "cluster-data-protected",
            State::Unknown,
            "not reported",
        );
    }
    let failover = ask(&hub(false), FAILOVER, None);
    assert!(failover.rows.iter().all(|row| row.check != "data-ready"));
}

/// Three intervals are allowed, to the second.
#[test]
fn how_old_a_copy_may_be() {
    for (interval, time, state, said) in [
        (
            "5m",
            "2026-01-15T09:56:00Z",
            State::Ok,
            "4 min ago, interval 5m, limit 15m",
        ),
        ("5m", "2026-01-15T09:45:00Z", State::Ok, "15 min ago"),
        (
            "5m",
            "2026-01-15T09:44:59Z",
            State::Problem,
            "15 min 1 s ago",
        ),
        (
            "5m",
            "2026-01-15T10:44:59+01:00",
            State::Problem,
            "15 min 1 s ago",
        ),
        (
            "2h",
            "2026-01-15T05:00:00Z",
            State::Ok,
            "5 h ago, interval 2h, limit 6h",
        ),
        (
            "1d",
            "2026-01-12T09:59:59Z",
            State::Problem,
            "3 days ago, interval 1d, limit 72h",
        ),
        ("5m", "2026-01-15T10:00:30Z", State::Ok, "in 30 s"),
        ("0m", "2026-01-15T09:56:00Z", State::Unknown, "no interval"),
        (
            "99999999999999999999d",
            "2026-01-15T09:56:00Z",
            State::Unknown,
            "no interval",
        ),
        (
            "4000000000d",
            "2026-01-15T09:56:00Z",
            State::Ok,
            "4 min ago",
        ),
        (
            "5m",
            "yesterday",
            State::Unknown,
            "\"yesterday\" is no time",
        ),
    ] {
        let policy = with(
            policy(false),
            json!({"spec": {"schedulingInterval": interval}}),
        );
        let app = with(app(), json!({"status": {"lastGroupSyncTime": time}}));
        let done = ask(&but(hub(false), [policy, app]), FAILOVER, None);
        says(&done, "last-sync", state, said);
    }
    let sized = json!({"status": {"lastGroupSyncBytes": 1536, "lastGroupSyncDuration": "2.5s"}});
    says(
        &ask(&moved(sized), FAILOVER, None),
        "last-sync",
        State::Ok,
        "limit 15m; 1.5 KiB in 2.5s",
    );
    let none = ask(
        &moved(json!({"status": {"lastGroupSyncTime": null}})),
        FAILOVER,
        None,
    );
    says(&none, "last-sync", State::Unknown, "no copy");
    let metro = but(
        hub(true),
        [with(app(), json!({"status": {"lastGroupSyncTime": null}}))],
    );
    says(
        &ask(&metro, FAILOVER, None),
        "last-sync",
        State::Ok,
        "shared storage",
    );
}

#[test]
fn how_old_captures_may_be() {
    for (interval, time, state, said) in [
        (
            Some("10m"),
            "2026-01-15T09:30:00Z",
            State::Ok,
            "interval 10m, limit 30m",
        ),
        (
            Some("10m"),
            "2026-01-15T09:29:59Z",
            State::Problem,
            "30 min 1 s ago",
        ),
        // Five minutes, where nothing is said.
        (
            None,
            "2026-01-15T09:44:59Z",
            State::Problem,
            "interval 5m, limit 15m",
        ),
        (
            Some("-1h"),
            "2026-01-15T09:44:59Z",
            State::Unknown,
            "no interval",
        ),
        (
            Some("x"),
            "2026-01-15T09:44:59Z",
            State::Unknown,
            "no interval",
        ),
    ] {
        let patch = json!({
            "spec": {"kubeObjectProtection": {"captureInterval": interval}},
            "status": {"lastKubeObjectProtectionTime": time},
        });
        says(
            &ask(&moved(patch), FAILOVER, None),
            "kube-objects",
            state,
            said,
        );
    }
    let never = ask(
        &moved(json!({"spec": {"kubeObjectProtection": {"captureInterval": "5m"}}})),
        FAILOVER,
        None,
    );
    says(&never, "kube-objects", State::Unknown, "no capture");
}

/// The clock decides about ages, and about nothing else.
#[test]
fn only_ages_go_by_the_clock() {
    let say = |now: &str| {
        let ask = Ask {
            action: FAILOVER,
            name: "app",
            namespace: None,
            to: None,
        };
        simulate(
            &Engine::default(),
            &mut world(&hub(false), false),
            &ask,
            at(now),
        )
        .unwrap()
    };
    let (then, later) = (say(NOW), say("2036-01-15T10:00:00Z"));
    assert_eq!(row(&later, "last-sync").state, State::Problem);
    for (one, other) in then.rows.iter().zip(&later.rows) {
        assert!(
            one == other || one.check == "last-sync",
            "{one:?} {other:?}"
        );
    }
    say("0001-01-01T00:00:00Z");
    say("9999-12-31T23:59:59-23:59");
}

#[test]
fn policies_that_stop_everything() {
    for (patch, state, said) in [
        (json!({}), State::Ok, "Validated, a copy every 5m"),
        (
            json!({"status": {"conditions": [condition("Validated", "False")]}}),
            State::Problem,
            "not Validated: False",
        ),
        (
            json!({"status": {"conditions": []}}),
            State::Problem,
            "not Validated yet",
        ),
        (json!({"status": null}), State::Unknown, "no status"),
        (
            json!({"metadata": {"deletionTimestamp": NOW}}),
            State::Problem,
            "being deleted",
        ),
    ] {
        let done = ask(
            &but(hub(false), [with(policy(false), patch)]),
            FAILOVER,
            None,
        );
        says(&done, "policy", state, said);
    }
    let gone = ask(
        &moved(json!({"spec": {"drPolicyRef": {"name": "gone"}}})),
        FAILOVER,
        Some("west"),
    );
    says(
        &gone,
        "policy",
        State::Problem,
        "there is no DRPolicy \"gone\"",
    );
}

#[test]
fn shared_storage_is_fenced_first() {
    let fenced = |generation: u64, asked: &str, status: &str, phase: &str| {
        with(
            cluster("east"),
            json!({
                "metadata": {"generation": generation},
                "spec": {"clusterFence": asked},
                "status": {"phase": phase, "conditions": [condition("Validated", "True"), condition("Fenced", status)]},
            }),
        )
    };
    for (east, state, said) in [
        (cluster("east"), State::Waits, "not fenced"),
        (
            fenced(1, "Fenced", "True", "Fenced"),
            State::Ok,
            "fenced (phase Fenced)",
        ),
        (
            fenced(2, "Fenced", "True", "Fenced"),
            State::Waits,
            "not as of its last change",
        ),
        (
            fenced(1, "Fenced", "False", "Fencing"),
            State::Waits,
            "not fenced yet",
        ),
        (
            fenced(1, "ManuallyFenced", "True", "Fenced"),
            State::Ok,
            "fenced",
        ),
    ] {
        let done = ask(&but(hub(true), [east.clone()]), FAILOVER, None);
        says(&done, "fence", state, said);
        // How it would be made is said as long as it is not.
        let means = done.rows.iter().any(|row| row.check == "fenced-from");
        assert_eq!(means, state == State::Waits);
        // Where storage is copied, nobody asks.
        let regional = ask(&but(hub(false), [east]), FAILOVER, None);
        assert!(regional.rows.iter().all(|row| row.check != "fence"));
    }
    // What goes to a fenced cluster.
    let home = with(
        app(),
        json!({"metadata": {"annotations": {
        "drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster": "west"}}}),
    );
    let objects = but(hub(true), [home, fenced(1, "Fenced", "True", "Fenced")]);
    says(
        &ask(&objects, RELOCATE, None),
        "target-fence",
        State::Waits,
        "fenced",
    );
    says(
        &ask(&objects, FAILOVER, None),
        "target-fence",
        State::Problem,
        "fenced",
    );
}

#[test]
fn who_can_be_reached() {
    for (action, lost, state) in [
        (FAILOVER, "east", State::Ok),
        (FAILOVER, "west", State::Problem),
        (RELOCATE, "east", State::Waits),
        (RELOCATE, "west", State::Waits),
    ] {
        let done = ask(
            &but(hub(false), [managed(lost, "Unknown")]),
            action,
            Some("west"),
        );
        let mut rows = done.rows.iter();
        let row = rows
            .find(|row| row.check == "managed-cluster" && row.about == lost)
            .unwrap();
        assert_eq!(row.state, state, "{row:?}");
        assert!(row.value.contains("not available"));
    }
    // Nobody keeps them in files. In a cluster, that there is none says something.
    let objects: Vec<Value> = hub(false)
        .into_iter()
        .filter(|it| it["kind"] != "ManagedCluster")
        .collect();
    let done = ask(&objects, FAILOVER, None);
    assert!(done.rows.iter().all(|row| row.check != "managed-cluster"));
    assert!(
        done.notes
            .iter()
            .any(|note| note.contains("ManagedClusters")),
        "{:?}",
        done.notes
    );
    let ask = Ask {
        action: FAILOVER,
        name: "app",
        namespace: None,
        to: None,
    };
    let live = simulate(
        &Engine::default(),
        &mut world(&objects, true),
        &ask,
        at(NOW),
    )
    .unwrap();
    let mut rows = live.rows.iter();
    let row = rows.find(|row| row.check == "managed-cluster" && row.about == "west");
    let row = row.unwrap();
    assert_eq!(row.state, State::Problem, "{row:?}");
    assert!(row.value.contains("there is no ManagedCluster"), "{row:?}");
}

#[test]
fn groups_as_the_hub_sees_them() {
    let seen = |objects: Vec<Value>| ask(&but(hub(false), objects), FAILOVER, None);
    let east = |modes: &[&str]| group("east", "primary", "Primary", modes);
    for (west, state, said) in [
        (
            group("west", "secondary", "Secondary", &[]),
            State::Ok,
            "secondary",
        ),
        (
            group("west", "secondary", "Primary", &[]),
            State::Waits,
            "to be secondary, and is Primary",
        ),
        (
            group("west", "primary", "Secondary", &[]),
            State::Ok,
            "primary already",
        ),
        (
            with(
                group("west", "secondary", "Secondary", &[]),
                json!({"status": {"result": {"metadata": {"generation": 3}}}}),
            ),
            State::Waits,
            "not as of its last change",
        ),
        (
            with(
                group("west", "secondary", "Secondary", &[]),
                json!({"status": {"conditions": [condition("Processing", "False")]}}),
            ),
            State::Waits,
            "can't see",
        ),
        (
            with(
                group("west", "secondary", "Secondary", &[]),
                json!({"spec": {"scope": {"namespace": "other"}}}),
            ),
            State::Unknown,
            "no view",
        ),
    ] {
        says(&seen(vec![east(&[]), west]), "group-on-target", state, said);
    }
    let west = || group("west", "secondary", "Secondary", &[]);
    says(
        &seen(vec![east(&[]), west()]),
        "storage-maintenance",
        State::Ok,
        "none",
    );
    says(
        &seen(vec![west()]),
        "storage-maintenance",
        State::Unknown,
        "",
    );
    let failover = || vec![east(&["Failover"]), west()];
    says(
        &seen(failover()),
        "storage-maintenance",
        State::Ok,
        "0 of 1 active; not csi pool",
    );
    for (mode, status, state, said) in [
        ("Completed", "True", State::Ok, "1 active"),
        ("Progressing", "False", State::Ok, "0 of 1"),
        ("Error", "False", State::Problem, "in error"),
    ] {
        let active = json!({"status": {"maintenanceModes": [{
            "storageProvisioner": "csi", "targetID": "pool", "state": mode,
            "conditions": [condition("FailoverActivated", status)],
        }]}});
        let objects = [failover(), vec![with(cluster("west"), active)]].concat();
        says(&seen(objects), "storage-maintenance", state, said);
    }
}

#[test]
fn tests_of_a_failover() {
    let tested = json!({
        "spec": {"action": "Failover", "failoverCluster": "west", "dryRun": true},
        "status": {"phase": "FailedOver", "progression": "TestingFailover"},
    });
    let done = ask(&moved(tested.clone()), FAILOVER, None);
    assert_eq!(done.said, Said::Unchanged);
    says(
        &done,
        "test-failover",
        State::Problem,
        "a test is under way",
    );
    says(
        &ask(&moved(tested), RELOCATE, Some("west")),
        "test-failover",
        State::Problem,
        "spec.dryRun is true",
    );
    // A test, and only a test, waits for a copy that is whole and new.
    let stale = with(
        conditions(&[("Protected", "False")]),
        json!({"spec": {"dryRun": true}, "status": {"lastGroupSyncTime": "2026-01-15T08:00:00Z"}}),
    );
    let done = ask(&moved(stale), FAILOVER, None);
    says(&done, "protected", State::Waits, "False");
    says(&done, "last-sync", State::Waits, "2 h ago");
}

#[test]
fn others_of_a_group_have_to_agree() {
    let label = json!({"metadata": {"labels": {"ramendr.openshift.io/global-vgr": "g"}}});
    let other = |name: &str| {
        with(
            with(app(), label.clone()),
            json!({"metadata": {"name": name}, "spec": {
        "placementRef": {"name": name}}}),
        )
    };
    let mut objects = but(
        hub(false),
        [with(app(), label.clone()), other("b"), other("c")],
    );
    says(
        &ask(&objects, FAILOVER, None),
        "global-group",
        State::Waits,
        "2 applications: \"app/b\", \"app/c\"",
    );
    // Those that are named with it count as done.
    let mut all = world(&objects, false);
    let states: Vec<State> = ["b", "c", "app"]
        .iter()
        .map(|name| {
            let ask = Ask {
                action: FAILOVER,
                name,
                namespace: None,
                to: None,
            };
            let done = simulate(&Engine::default(), &mut all, &ask, at(NOW)).unwrap();
            row(&done, "global-group").state
        })
        .collect();
    assert_eq!(states, [State::Waits, State::Waits, State::Ok]);
    objects.retain(|it| it["metadata"]["name"] != "b" && it["metadata"]["name"] != "c");
    says(
        &ask(&objects, FAILOVER, None),
        "global-group",
        State::Ok,
        "0 others",
    );
}

#[test]
fn others_in_the_way() {
    let config = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "ramen-hub-operator-config", "namespace": "ramen-system"},
        "data": {"ramen_manager_config.yaml": "ramenOpsNamespace: ops\nmultiNamespace: {FeatureEnabled: true}\n"},
    });
    let found = |name: &str, namespace: &str| {
        with(
            app(),
            json!({
                "metadata": {"name": name, "namespace": "ops", "annotations": {
                    "drplacementcontrol.ramendr.openshift.io/app-namespace": "ops"}},
                "spec": {"protectedNamespaces": [namespace], "placementRef": {"name": name}},
            }),
        )
    };
    let clash = but(hub(false), [config.clone(), found("found", "app")]);
    let done = ask(&clash, FAILOVER, None);
    says(
        &done,
        "in-the-way",
        State::Problem,
        "is protected by DRPlacementControl \"ops/found\" already",
    );
    let keys: Vec<String> = row(&done, "in-the-way")
        .objects
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(keys, ["DRPlacementControl \"ops/found\""]);
    let apart = but(hub(false), [config, found("found", "elsewhere")]);
    says(
        &ask(&apart, FAILOVER, None),
        "in-the-way",
        State::Ok,
        "no other",
    );
}

#[test]
fn what_a_fence_depends_on() {
    let fence = |patch: Value, action| {
        let done = ask(
            &but(hub(true), [with(cluster("east"), patch)]),
            action,
            None,
        );
        let row = row(&done, "fence");
        (done.said, row.state)
    };
    let set = |asked: Option<&str>, phase: &str, status: &str| json!({"spec": {"clusterFence": asked}, "status": {"phase": phase, "conditions": [condition("Fenced", status)]}});
    let (fenced, open) = (Action::Fence, Action::Unfence);
    for (asked, phase, status, action, said, state) in [
        (None, "Available", "False", fenced, Said::Warned, State::Ok),
        (
            Some("Unfenced"),
            "Unfenced",
            "False",
            fenced,
            Said::Warned,
            State::Ok,
        ),
        (
            Some("Fenced"),
            "Fencing",
            "False",
            fenced,
            Said::Unchanged,
            State::Waits,
        ),
        (
            Some("Fenced"),
            "Fenced",
            "True",
            fenced,
            Said::Unchanged,
            State::Ok,
        ),
        (
            Some("Unfenced"),
            "Fenced",
            "True",
            fenced,
            Said::Warned,
            State::Ok,
        ),
        (
            Some("ManuallyFenced"),
            "Fenced",
            "True",
            fenced,
            Said::Warned,
            State::Problem,
        ),
        (
            Some("ManuallyFenced"),
            "Fenced",
            "True",
            open,
            Said::Accepted,
            State::Problem,
        ),
        (
            Some("Fenced"),
            "Fenced",
            "True",
            open,
            Said::Accepted,
            State::Ok,
        ),
        (
            Some("Unfenced"),
            "Unfencing",
            "True",
            open,
            Said::Unchanged,
            State::Waits,
        ),
        (None, "Available", "False", open, Said::Accepted, State::Ok),
    ] {
        assert_eq!(
            fence(set(asked, phase, status), action),
            (said, state),
            "{asked:?} {phase} {action:?}"
        );
    }
    let done = ask(
        &but(hub(true), [with(cluster("east"), json!({"status": null}))]),
        fenced,
        None,
    );
    says(&done, "fence", State::Unknown, "phase none");
}

#[test]
fn what_a_fence_takes() {
    let fenced = Action::Fence;
    let says_of = |objects: Vec<Value>, check: &str, state, value: &str| {
        says(
            &ask(&but(hub(true), objects), fenced, None),
            check,
            state,
            value,
        );
    };
    let bare = with(
        cluster("east"),
        json!({"metadata": {"annotations": null}, "spec": {"cidrs": null}}),
    );
    says_of(vec![], "networks", State::Ok, "\"10.0.0.0/24\"");
    says_of(vec![bare.clone()], "networks", State::Problem, "names none");
    says_of(vec![bare.clone()], "storage", State::Unknown, "not named");
    let view = |status: Value| {
        json!({
            "apiVersion": "view.open-cluster-management.io/v1beta1", "kind": "ManagedClusterView",
            "metadata": {"name": "config", "namespace": "west"},
            "spec": {"scope": {"kind": "DRClusterConfig", "name": "west"}},
            "status": {"result": {"kind": "DRClusterConfig", "status": status}},
        })
    };
    says_of(
        vec![bare.clone(), view(json!({}))],
        "storage",
        State::Problem,
        "neither",
    );
    let classes = json!({"networkFenceClasses": ["one"]});
    says_of(
        vec![bare, view(classes)],
        "storage",
        State::Ok,
        "NetworkFenceClass \"one\" on \"west\"",
    );
    says_of(
        vec![],
        "fenced-from",
        State::Ok,
        "\"west\", by DRPolicy \"policy\"",
    );
    let mut alone = hub(true);
    alone.retain(|it| it["kind"] != "DRPolicy");
    says(
        &ask(&alone, fenced, None),
        "fenced-from",
        State::Unknown,
        "nothing is known",
    );
    let question = Ask {
        action: fenced,
        name: "east",
        namespace: None,
        to: None,
    };
    let live = simulate(
        &Engine::default(),
        &mut world(&alone, true),
        &question,
        at(NOW),
    )
    .unwrap();
    says(
        &live,
        "fenced-from",
        State::Problem,
        "no DRPolicy has this cluster",
    );
    let other = with(
        cluster("west"),
        json!({"spec": {"clusterFence": "ManuallyFenced"}}),
    );
    says_of(vec![other], "other-fence", State::Problem, "");
}

#[test]
fn whom_a_fence_hits() {
    let app_on = |name: &str, on: &str, patch: Value| {
        let annotation = "drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster";
        let base = json!({
            "metadata": {"name": name, "annotations": {annotation: on}},
            "spec": {"placementRef": {"name": name}},
        });
        with(with(app(), base), patch)
    };
    let failover = |to: &str, phase: &str, step: &str| json!({"spec": {"action": "Failover", "failoverCluster": to}, "status": {"phase": phase, "progression": step}});
    let objects = but(
        hub(true),
        [
            app_on("stays", "east", json!({})),
            app_on("elsewhere", "west", json!({})),
            app_on(
                "leaves",
                "east",
                failover("west", "FailingOver", "WaitForFencing"),
            ),
            app_on(
                "left",
                "west",
                failover("west", "FailedOver", "Cleaning Up"),
            ),
            app_on("gone", "west", failover("west", "FailedOver", "Completed")),
            app_on(
                "comes",
                "west",
                json!({"spec": {"action": "Relocate"}, "status": {"phase": "Initiating"}}),
            ),
            app_on(
                "tries",
                "east",
                with(
                    failover("west", "FailedOver", "TestingFailover"),
                    json!({"spec": {"dryRun": true}}),
                ),
            ),
        ],
    );
    let objects: Vec<Value> = objects
        .into_iter()
        .filter(|it| it["metadata"]["name"] != "app")
        .collect();
    let fence = ask(&objects, Action::Fence, None);
    says(
        &fence,
        "runs-here",
        State::Problem,
        "2 applications: \"app/stays\", \"app/tries\"",
    );
    says(
        &fence,
        "leaving",
        State::Ok,
        "1 application: \"app/leaves\"",
    );
    says(
        &fence,
        "coming",
        State::Problem,
        "1 application: \"app/comes\"",
    );
    let fenced = json!({"spec": {"clusterFence": "Fenced"}, "status": {"phase": "Fenced"}});
    let objects = but(objects, [with(cluster("east"), fenced)]);
    let unfence = ask(&objects, Action::Unfence, None);
    says(
        &unfence,
        "failing-over",
        State::Problem,
        "2 applications: \"app/leaves\", \"app/left\"",
    );
    says(&unfence, "coming", State::Ok, "\"app/comes\"");
    assert!(
        unfence
            .findings
            .iter()
            .any(|it| it.rule.id == "drcluster-unfence-during-failover")
    );
    let many: Vec<Value> = (0..25)
        .map(|n| app_on(&format!("a{n:02}"), "east", json!({})))
        .collect();
    let done = ask(&but(hub(true), many), Action::Fence, None);
    says(
        &done,
        "runs-here",
        State::Problem,
        "26 applications: \"app/a00\"",
    );
    assert!(
        row(&done, "runs-here")
            .value
            .ends_with("\"app/a09\", and 16 more")
    );
    assert_eq!(row(&done, "runs-here").objects.len(), 26);
}

/// What does not fit our types is said, and nothing is made up about it.
#[test]
fn objects_that_cannot_be_read() {
    let mut world = World::new(true);
    let odd = with(app(), json!({"spec": {"pvcSelector": 3}}));
    world.keep(&Doc::from_value(odd).unwrap());
    let spec = with(app(), json!({"metadata": {"name": "text"}, "spec": null}));
    world.keep(&Doc::from_value(with(spec, json!({"spec": "text"}))).unwrap());
    let mut ask = |name, to| {
        let ask = Ask {
            action: FAILOVER,
            name,
            namespace: None,
            to,
        };
        simulate(&Engine::default(), &mut world, &ask, at(NOW))
    };
    assert!(matches!(ask("app", None), Err(AskError::NoTarget { .. })));
    let done = ask("app", Some("west")).unwrap();
    says(&done, "object", State::Unknown, "can't be read");
    assert!(matches!(ask("text", Some("west")), Err(AskError::Unfit(_))));
}
