//! What lives on managed clusters, and ConfigMaps: who waits for the guard, and what passes without it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    fixtures::{config_map, list, managed, vrg, with},
    guard::Guard,
    kubectl::Output,
    manifests::OPTIONAL,
    proxy::Backend,
    routing::Bench,
    server::{Cluster, User},
    webhooks::{Alone, shipped},
};

/// Who writes on a managed cluster: people, Ramen's operator there, OCM's agent, and what restores.
const WRITERS: [User; 4] = [
    User::Alice,
    User::ClusterOperator,
    User::WorkAgent,
    User::Velero,
];
const CONFIGS: [&str; 2] = [
    "ramen-hub-operator-config",
    "ramen-dr-cluster-operator-config",
];

/// The words for kubectl of an object.
fn object(object: &Value) -> [String; 4] {
    let text = |value: &Value| value.as_str().unwrap_or("default").to_owned();
    [
        text(&object["kind"]),
        text(&object["metadata"]["name"]),
        "-n".to_owned(),
        text(&object["metadata"]["namespace"]),
    ]
}

fn patch(cluster: &Cluster, user: User, of: &Value, patch: &Value, dry_run: bool) -> Output {
    let words = object(of);
    let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
    args.extend(dry_run.then_some("--dry-run=server"));
    cluster.patch(user, &args, patch)
}

fn create(cluster: &Cluster, user: User, object: &Value, dry_run: bool) -> Output {
    let mut args = vec!["create", "-f", "-"];
    args.extend(dry_run.then_some("--dry-run=server"));
    cluster.kubectl(user, &args, Some(&object.to_string()))
}

/// An object like this one that is not there yet.
fn another(object: &Value) -> Value {
    let name = object["metadata"]["name"].as_str().expect("a name");
    with(
        object.clone(),
        json!({"metadata": {"name": format!("{name}-new")}}),
    )
}

#[test]
fn a_controller_waits_only_where_it_has_to() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::new(cluster, "managed");
    let objects = managed(&bench.name);
    let stored: Vec<Value> = objects.iter().map(|(object, _)| object.clone()).collect();
    cluster.apply(User::Admin, &list(&stored)).ok();

    let none: [&str; 0] = [];
    for user in WRITERS {
        let client = cluster.client(user);
        for (object, change) in &objects {
            let kind = object["kind"].as_str().expect("a kind");
            let vrg = kind == "VolumeReplicationGroup";
            let waits = match user {
                User::Alice | User::WorkAgent => true,
                _ => vrg,
            };
            let calls = bench.asked(|| client.create(&another(object)));
            let expected: &[_] = if waits { &["/managed CREATE"] } else { &none };
            assert_eq!(calls, expected, "{user:?} creates a {kind}");

            let waits = matches!(user, User::Alice | User::WorkAgent);
            let change = json!({"spec": change});
            let calls = bench.asked(|| client.patch(object, &change));
            let expected: &[_] = if waits { &["/managed UPDATE"] } else { &none };
            assert_eq!(calls, expected, "{user:?} changes the spec of a {kind}");

            let waits = matches!(user, User::Alice | User::WorkAgent) || vrg;
            let gone = json!({"spec": null});
            let calls = bench.asked(|| client.patch(object, &gone));
            let expected: &[_] = if waits { &["/managed UPDATE"] } else { &none };
            assert_eq!(calls, expected, "{user:?} takes away the spec of a {kind}");

            for (metadata, looked_at) in [
                (json!({"labels": {"a": "b"}}), true),
                (json!({"annotations": {"a": "b"}}), true),
                (json!({"finalizers": ["test.invalid/one"]}), true),
                (json!({"ownerReferences": owner()}), false),
            ] {
                let change = json!({"metadata": metadata});
                let calls = bench.asked(|| client.patch(object, &change));
                let waits = user == User::Alice && looked_at;
                let expected: &[_] = if waits { &["/managed UPDATE"] } else { &none };
                assert_eq!(calls, expected, "{user:?} writes {metadata} into a {kind}");
            }
        }
    }
}

fn owner() -> Value {
    json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "1"}])
}

/// The fields that can stop Ramen's operator for every application.
#[test]
fn what_can_stop_a_controller_is_judged_whoever_writes_it() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::new(cluster, "crash");
    let object = vrg(&bench.name, "app");
    cluster.apply(User::Admin, &object).ok();
    for user in WRITERS {
        let client = cluster.client(user);
        for spec in [
            json!({"kubeObjectProtection": {"captureInterval": "1d"}}),
            json!({"kubeObjectProtection": {"recipeRef": {"name": "vm-recipe"}}}),
            json!({"kubeObjectProtection": null}),
            json!({"protectedNamespaces": ["app"]}),
            json!({"protectedNamespaces": []}),
        ] {
            let change = json!({"spec": spec});
            let calls = bench.asked(|| client.patch(&object, &change));
            assert_eq!(calls, ["/managed UPDATE"], "{user:?} writes {change}");
        }
    }
}

#[test]
fn status_and_deletions_of_managed_kinds_reach_nobody() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::new(cluster, "managed-status");
    let none: [&str; 0] = [];
    for (of, _) in managed(&bench.name) {
        cluster.apply(User::Admin, &of).ok();
        let words = object(&of);
        let args: Vec<&str> = words.iter().map(String::as_str).collect();
        let status = [&args[..], &["--subresource=status", "--dry-run=server"]].concat();
        let change = json!({"status": {"state": "Primary"}});
        for user in [User::Alice, User::ClusterOperator] {
            // Not every one of the kinds has each field: what matters is who is asked.
            let calls = bench.asked(|| cluster.patch(user, &status, &change));
            assert_eq!(calls, none, "{user:?} writes the status of {args:?}");
            let delete = [&args[..], &["--dry-run=server"]].concat();
            let calls = bench.calls(|| cluster.delete(user, &delete));
            assert_eq!(calls, none, "{user:?} deletes {args:?}");
        }
    }
}

/// Of all ConfigMaps only those of Ramen's operators are looked at, and then from everybody.
#[test]
fn config_maps_are_known_by_their_names() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::new(cluster, "config");
    let none: [&str; 0] = [];
    let clients = [User::Alice, User::ClusterOperator, User::WorkAgent]
        .map(|user| (user, cluster.client(user)));
    let names = [
        &CONFIGS[..],
        &["default-excluded-resources", "ramen", "other"],
    ]
    .concat();
    for name in names {
        let object = config_map(&bench.name, name);
        cluster.apply(User::Admin, &object).ok();
        let elsewhere = config_map("default", name);
        for (user, client) in &clients {
            let ours = CONFIGS.contains(&name);
            let calls = bench.asked(|| client.create(&elsewhere));
            let expected: &[_] = if ours { &["/config CREATE"] } else { &none };
            assert_eq!(calls, expected, "{user:?} creates {name}");
            for (data, looked_at) in [
                (json!({"data": {"ramen_manager_config.yaml": "{}"}}), ours),
                (json!({"data": {"other": "x"}}), ours),
                (json!({"data": null}), ours),
                (json!({"metadata": {"labels": {"a": "b"}}}), false),
                (
                    json!({"metadata": {"finalizers": ["test.invalid/one"]}}),
                    false,
                ),
            ] {
                let calls = bench.asked(|| client.patch(&object, &data));
                let expected: &[_] = if looked_at {
                    &["/config UPDATE"]
                } else {
                    &none
                };
                assert_eq!(calls, expected, "{user:?} writes {data} into {name}");
            }
        }
    }
}

/// A ConfigMap or a Secret that somebody has labelled is looked at, and no other.
#[test]
fn opted_in_objects_are_known_by_their_label() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let none: [&str; 0] = [];
    for (kind, entry, label) in [
        ("ConfigMap", "network-mappings", "network-mapping"),
        ("Secret", "s3-secrets", "s3-secret"),
    ] {
        let folder = format!("manifests/optional/{entry}");
        // The administrator is the only one here who may write a Secret.
        let bench = Bench::with(cluster, "opted-in", &folder, |_| ());
        let label = format!("guard.ramendr.openshift.io/{label}");
        for (name, value, looked_at) in [
            ("mine", json!("true"), true),
            ("not", json!("false"), false),
            ("bare", Value::Null, false),
        ] {
            let of = json!({
                "apiVersion": "v1",
                "kind": kind,
                "metadata": {"namespace": bench.name, "name": name, "labels": {&label: value}},
                "data": {"one": "Zg=="},
            });
            let of = with(json!({}), of);
            let expect = |operation: &str, asked: bool| -> Vec<String> {
                let call = asked.then(|| format!("/{entry} {operation}"));
                call.into_iter().collect()
            };
            let calls = bench.calls(|| create(cluster, User::Admin, &of, false));
            assert_eq!(calls, expect("CREATE", looked_at), "{kind} {name}");
            let data = json!({"data": {"two": "Zg=="}});
            let calls = bench.calls(|| patch(cluster, User::Admin, &of, &data, true));
            assert_eq!(calls, expect("UPDATE", looked_at), "{kind} {name}");
            let metadata = json!({"metadata": {"annotations": {"a": "b"}}});
            let calls = bench.calls(|| patch(cluster, User::Admin, &of, &metadata, true));
            assert_eq!(calls, none, "{kind} {name}");
            let words = object(&of);
            let args: Vec<&str> = words.iter().map(String::as_str).collect();
            let delete = [&args[..], &["--dry-run=server"]].concat();
            let calls = bench.calls(|| cluster.delete(User::Admin, &delete));
            assert_eq!(calls, expect("DELETE", looked_at), "{kind} {name}");
            if kind == "ConfigMap" {
                let calls = bench.calls(|| patch(cluster, User::Operator, &of, &data, true));
                assert_eq!(calls, none, "the operator writes {name}");
                let calls = bench.calls(|| cluster.delete(User::Operator, &delete));
                assert_eq!(calls, none, "the operator deletes {name}");
            }
        }
    }
}

/// What the CRD would refuse with 422 meets the guard first, which says 403; and so does nothing else.
#[test]
fn a_changed_cluster_id_is_refused_early() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::new(cluster, "cluster-id");
    let of = crate::fixtures::drclusterconfig(&bench.name);
    cluster.apply(User::Admin, &of).ok();
    let asked = |spec: Value| {
        bench.asked(|| patch(cluster, User::Alice, &of, &json!({"spec": spec}), true))
    };
    let changed = asked(json!({"clusterID": "b"}));
    assert_eq!(changed, ["/mutate-managed UPDATE"]);
    assert_eq!(
        asked(json!({"replicationSchedules": []})),
        ["/managed UPDATE"]
    );
    assert_eq!(asked(json!({"clusterID": "a"})), [""; 0]);
}

/// The shipped configurations, all of them, and nobody behind them.
struct Unguarded<'a> {
    cluster: &'a Cluster,
    name: String,
    _alone: Alone<'a>,
}

impl<'a> Unguarded<'a> {
    fn new(cluster: &'a Cluster, prefix: &str) -> Self {
        let alone = cluster.alone();
        let name = cluster.namespace(prefix);
        let mut manifests = shipped(cluster, "manifests/base");
        for folder in OPTIONAL {
            manifests.extend(shipped(cluster, folder));
        }
        alone.install(&manifests);
        Self {
            cluster,
            name,
            _alone: alone,
        }
    }
}

#[test]
fn without_the_guard_everything_of_a_managed_cluster_passes() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Unguarded::new(cluster, "unguarded");
    for user in WRITERS {
        let Unguarded { name, .. } = &site;
        for (of, change) in managed(name) {
            create(cluster, user, &of, false).ok();
            let finalizers = json!({"metadata": {"finalizers": ["test.invalid/one"]}});
            for change in [
                json!({"spec": change}),
                finalizers,
                json!({"metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}}}),
                json!({"metadata": {"finalizers": null}}),
                json!({"spec": null}),
            ] {
                patch(cluster, user, &of, &change, false).ok();
            }
            let words = object(&of);
            let args: Vec<&str> = words.iter().map(String::as_str).collect();
            cluster.delete(user, &args).ok();
        }
        for config in CONFIGS {
            let of = config_map(name, config);
            create(cluster, user, &of, false).ok();
            let broken = json!({"data": {"ramen_manager_config.yaml": "no: yaml: at all"}});
            patch(cluster, user, &of, &broken, false).ok();
            let words = object(&of);
            let args: Vec<&str> = words.iter().map(String::as_str).collect();
            cluster.delete(user, &args).ok();
        }
    }
}

/// A guard that takes the call and never answers: a controller's routine does not notice, and what
/// has to be judged waits for one timeout.
#[test]
fn silence_does_not_slow_a_controller_down() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Unguarded::new(cluster, "hung");
    let objects = managed(&site.name);
    // Created while nobody listens, which takes no time.
    let all: Vec<Value> = objects.iter().map(|(object, _)| object.clone()).collect();
    cluster.apply(User::Admin, &list(&all)).ok();
    cluster.point_service_at(Backend::Silence);

    let timed = |user: User, of: &Value, change: &Value| {
        let begin = Instant::now();
        patch(site.cluster, user, of, change, false).ok();
        begin.elapsed()
    };
    let timeout = Duration::from_secs(2);
    for (of, change) in &objects {
        let finalizers = json!({"metadata": {"finalizers": ["test.invalid/one"]}});
        let took = timed(User::ClusterOperator, of, &finalizers);
        assert!(took < timeout, "a finalizer waits {took:?}: {of}");
        let took = timed(User::ClusterOperator, of, &json!({"spec": change}));
        assert!(took < timeout, "a controller waits {took:?}: {of}");
    }
    let failed_over = json!({"spec": {"replicationState": "primary"}});
    let took = timed(User::WorkAgent, &objects[0].0, &failed_over);
    assert!(took > timeout && took < 2 * timeout, "{took:?}");
}

/// The shipped configurations, and the guard behind them.
struct Guarded<'a> {
    name: String,
    _guard: Guard,
    _alone: Alone<'a>,
}

impl<'a> Guarded<'a> {
    /// With these objects stored before.
    fn new(cluster: &'a Cluster, prefix: &str, stored: impl Fn(&str) -> Vec<Value>) -> Self {
        let alone = cluster.alone();
        let name = cluster.namespace(prefix);
        cluster.apply(User::Admin, &list(&stored(&name))).ok();
        alone.install(&shipped(cluster, "manifests/base"));
        let guard = Guard::start(cluster, &[]);
        cluster.point_service_at(guard.port);
        cluster.set_ca_bundle(&guard.authority);
        Self {
            name,
            _guard: guard,
            _alone: alone,
        }
    }
}

#[test]
fn controllers_are_warned_of_what_others_are_refused() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Guarded::new(cluster, "warned", |name| vec![vrg(name, "app")]);
    let rule = "vrg-replication-state-enum";
    let wrong = json!({"spec": {"replicationState": "Primary"}});
    let stored = vrg(&site.name, "app");
    let new = with(vrg(&site.name, "new"), wrong.clone());

    create(cluster, User::Alice, &new, true).refused(rule);
    patch(cluster, User::Alice, &stored, &wrong, true).refused(rule);
    for user in [User::WorkAgent, User::ClusterOperator, User::Velero] {
        let created = create(cluster, user, &new, true);
        assert!(
            created.stderr.contains(&format!("Warning: {rule}")),
            "{created:?}"
        );
        created.ok();
        let updated = patch(cluster, user, &stored, &wrong, true);
        // Whom it would only hold up is not asked.
        let asked = user == User::WorkAgent;
        assert_eq!(updated.stderr.contains(rule), asked, "{updated:?}");
        updated.ok();
    }
    let refused = patch(cluster, User::Alice, &stored, &wrong, true).refused("Forbidden");
    assert!(!refused.contains("immutable"), "{refused}");
}

#[test]
fn what_stops_a_controller_is_refused_to_everybody() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let days = || json!({"spec": {"kubeObjectProtection": {"captureInterval": "1d"}}});
    let torn = || json!({"data": {"ramen_manager_config.yaml": "s3StoreProfiles: none"}});
    let site = Guarded::new(cluster, "stops", |name| {
        vec![vrg(name, "app"), with(vrg(name, "before"), days())]
    });
    let name = &site.name;
    let _configs = Configs::stored(cluster);
    for user in [&WRITERS[..], &[User::Operator, User::Admin]].concat() {
        let rule = "vrg-capture-interval-go-duration";
        create(cluster, user, &with(vrg(name, "new"), days()), true).refused(rule);
        patch(cluster, user, &vrg(name, "app"), &days(), true).refused(rule);
        for config in CONFIGS {
            let of = config_map(OPERATORS, config);
            patch(cluster, user, &of, &torn(), true).refused("config-parse");
            create(cluster, user, &with(another(&of), torn()), true).ok();
        }
        // What was stored before is not held up.
        let before = vrg(name, "before");
        for change in [
            json!({"spec": {"replicationState": "secondary"}}),
            json!({"metadata": {"finalizers": ["test.invalid/one"], "labels": {"by": "somebody"}}}),
            json!({"spec": {"kubeObjectProtection": {"captureInterval": "24h"}}}),
        ] {
            patch(cluster, user, &before, &change, true).ok();
        }
    }
}

/// Where Ramen's operators are.
const OPERATORS: &str = "ramen-system";

/// The ConfigMaps of Ramen's operators, where they look for them. They go when this is dropped.
struct Configs<'a>(&'a Cluster);

impl<'a> Configs<'a> {
    fn stored(cluster: &'a Cluster) -> Self {
        // Another test may have made it.
        let _ = cluster.kubectl(User::Admin, &["create", "namespace", OPERATORS], None);
        let maps = CONFIGS.map(|config| config_map(OPERATORS, config));
        cluster.apply(User::Admin, &list(&maps)).ok();
        Self(cluster)
    }
}

impl Drop for Configs<'_> {
    fn drop(&mut self) {
        let delete = [&["configmaps", "-n", OPERATORS], &CONFIGS[..]].concat();
        let _ = self.0.delete(User::Admin, &delete);
    }
}
