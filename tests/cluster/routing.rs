//! Which requests reach which entry of the shipped configurations.
//!
//! Both entries of the validating configuration call `/validate`, so the guard can't tell them
//! apart, and need not. Here each calls a path of its own, and a stub remembers them; all else is
//! as shipped.

use serde_json::{Value, json};

use crate::{
    fixtures::{config_map, drcluster, drpc, drpolicy, list, managed, vrg, with},
    kubectl::Output,
    manifests::OPTIONAL,
    server::{Cluster, User},
    stub::Stub,
    webhooks::{Alone, shipped},
};

/// Who judges a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// The entry that fails closed.
    Strict,
    /// The entry that fails open.
    Recovery,
    /// Neither.
    None,
}
use Entry::{None as Nobody, Recovery, Strict};

/// The configurations, with a stub behind them, and objects that were stored before.
pub(crate) struct Bench<'a> {
    cluster: &'a Cluster,
    /// Of the namespace, and the first part of the names of what is not in one.
    pub(crate) name: String,
    stub: Stub,
    alone: Alone<'a>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(cluster: &'a Cluster, prefix: &str) -> Self {
        Self::with(cluster, prefix, "manifests/base", |_| ())
    }

    pub(crate) fn with(
        cluster: &'a Cluster,
        prefix: &str,
        folder: &str,
        change: impl Fn(&mut Value),
    ) -> Self {
        let alone = cluster.alone();
        let name = cluster.namespace(prefix);
        let (objects, terminating): (Vec<_>, Vec<_>) = stored(&name).into_iter().unzip();
        cluster.apply(User::Admin, &list(&objects)).ok();
        let leaving = objects
            .iter()
            .zip(&terminating)
            .filter(|(_, leaving)| **leaving);
        let leaving: Vec<_> = leaving.map(|(object, _)| object.clone()).collect();
        let delete = ["delete", "--wait=false", "-f", "-"];
        cluster
            .kubectl(User::Admin, &delete, Some(&list(&leaving).to_string()))
            .ok();

        let mut manifests = shipped(cluster, folder);
        for manifest in &mut manifests {
            for webhook in manifest["webhooks"].as_array_mut().into_iter().flatten() {
                let name = webhook["name"].as_str().expect("a name");
                let path = format!("/{}", name.split('.').next().expect("a first part"));
                webhook["clientConfig"]["service"]["path"] = json!(path);
                change(webhook);
            }
        }
        alone.install(&manifests);
        let stub = Stub::start();
        cluster.point_service_at(stub.port);
        cluster.set_ca_bundle(&stub.authority);
        Self {
            cluster,
            name,
            stub,
            alone,
        }
    }

    /// The path and the operation of each call that a request made. It was allowed.
    #[track_caller]
    pub(crate) fn calls(&self, ask: impl FnOnce() -> Output) -> Vec<String> {
        self.asked(|| {
            let output = ask();
            assert_eq!(output.code, 0, "{output:?}");
            output
        })
    }

    /// The same, whether it was allowed or not.
    pub(crate) fn asked<T>(&self, ask: impl FnOnce() -> T) -> Vec<String> {
        self.stub.take();
        ask();
        let calls = self.stub.take();
        calls
            .iter()
            .map(|call| format!("{} {}", call.path, call.operation))
            .collect()
    }

    /// Whom a request was routed to. It was allowed, and all saw that it was a dry run.
    #[track_caller]
    fn route(&self, ask: impl FnOnce() -> Output) -> (Entry, bool) {
        self.stub.take();
        ask().ok();
        let calls = self.stub.take();
        let count = |path: &str| calls.iter().filter(|call| call.path == path).count();
        let entry = match (count("/strict"), count("/recovery")) {
            (1, 0) => Strict,
            (0, 1) => Recovery,
            (0, 0) => Nobody,
            _ => panic!("more than one call: {calls:?}"),
        };
        assert!(calls.iter().all(|call| call.dry_run), "{calls:?}");
        let mutate = count("/mutate");
        assert!(mutate < 2, "{calls:?}");
        (entry, mutate == 1)
    }
}

/// What there is before: the object, and whether it is being deleted.
fn stored(name: &str) -> Vec<(Value, bool)> {
    let app = |app: &str, patch: Value| with(drpc(name, app), patch);
    let cluster = |it: &str, patch: Value| with(drcluster(&format!("{name}-{it}")), patch);
    let policy = |it: &str, patch: Value| with(drpolicy(&format!("{name}-{it}")), patch);
    let action = |action: &str| json!({"spec": {"action": action}});
    let fence = |fence: &str| json!({"spec": {"clusterFence": fence}});
    let empty = json!({"spec": null});
    let held = json!({"metadata": {"finalizers": ["test.ramendr.openshift.io/one"]}});
    vec![
        (app("plain", json!({})), false),
        (app("failover", action("Failover")), false),
        (app("relocate", action("Relocate")), false),
        (app("empty", empty.clone()), false),
        (app("leaving", held.clone()), true),
        (
            app("leaving-failover", with(action("Failover"), held.clone())),
            true,
        ),
        (
            app("leaving-empty", with(empty.clone(), held.clone())),
            true,
        ),
        (cluster("plain", json!({})), false),
        (cluster("fenced", fence("Fenced")), false),
        (cluster("unfenced", fence("Unfenced")), false),
        (cluster("empty", empty.clone()), false),
        (
            cluster("leaving", with(fence("Fenced"), held.clone())),
            true,
        ),
        (policy("plain", json!({})), false),
        (policy("empty", empty), false),
        (policy("leaving", held), true),
    ]
}

#[test]
fn creations() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::new(cluster, "creations");
    let app = |patch: Value| with(drpc(&bench.name, "new"), patch);
    let site = |patch: Value| with(drcluster("new"), patch);
    let policy = |patch: Value| with(drpolicy("new"), patch);
    let label = |label: &str| json!({"metadata": {"labels": {label: "hub"}}});
    let empty = json!({"spec": null});

    let table = [
        (User::Alice, app(json!({})), Strict),
        (User::Alice, app(empty.clone()), Strict),
        (
            User::Alice,
            app(json!({"spec": {"action": "Relocate"}})),
            Strict,
        ),
        (
            User::Alice,
            app(json!({"spec": {"action": "Failover"}})),
            Recovery,
        ),
        (User::Alice, app(label("velero.io/restore-name")), Recovery),
        (User::Alice, app(label("velero.io/backup-name")), Recovery),
        (User::Alice, app(label("velero.io/other")), Strict),
        (User::Alice, site(json!({})), Strict),
        (User::Alice, site(empty.clone()), Strict),
        (
            User::Alice,
            site(json!({"spec": {"clusterFence": "Unfenced"}})),
            Recovery,
        ),
        (
            User::Alice,
            site(json!({"spec": {"clusterFence": "Fenced"}})),
            Recovery,
        ),
        (User::Alice, policy(json!({})), Strict),
        (User::Alice, policy(empty.clone()), Strict),
        (User::Admin, app(json!({})), Strict),
        (User::Operator, app(json!({})), Recovery),
        (User::Operator, app(empty), Recovery),
        (User::WorkAgent, app(json!({})), Recovery),
        (User::Velero, policy(json!({})), Recovery),
    ];
    for (user, object, entry) in table {
        let create = ["create", "--dry-run=server", "-f", "-"];
        let routed = bench.route(|| cluster.kubectl(user, &create, Some(&object.to_string())));
        assert_eq!(routed, (entry, true), "{user:?} creates {object}");
    }
}

/// An update writes spec, or it does not; what adds defaults sees the former only.
#[test]
fn updates() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::new(cluster, "updates");

    let spec = |patch: Value| json!({"spec": patch});
    let elsewhere = || spec(json!({"preferredCluster": "west"}));
    let action = |action: Value| spec(json!({"action": action}));
    let fence = |fence: Value| spec(json!({"clusterFence": fence}));
    let cidrs = || spec(json!({"cidrs": ["10.1.0.0/16"]}));
    let new = |object: Value| spec(object["spec"].clone());
    let app = || drpc(&bench.name, "app");
    let gone = || json!({"spec": null});

    let table = [
        ("drpc/plain", elsewhere(), Strict),
        ("drpc/plain", action(json!("Relocate")), Strict),
        ("drpc/plain", action(json!("Failover")), Recovery),
        ("drpc/plain", gone(), Strict),
        ("drpc/failover", elsewhere(), Recovery),
        ("drpc/failover", spec(json!({"dryRun": true})), Recovery),
        ("drpc/failover", action(json!("Relocate")), Strict),
        ("drpc/failover", action(json!(null)), Recovery),
        (
            "drpc/failover",
            spec(json!({"action": null, "preferredCluster": "west"})),
            Recovery,
        ),
        ("drpc/failover", gone(), Strict),
        ("drpc/relocate", elsewhere(), Strict),
        ("drpc/relocate", action(json!("Failover")), Recovery),
        ("drpc/relocate", action(json!(null)), Recovery),
        ("drpc/empty", new(app()), Strict),
        (
            "drpc/empty",
            new(with(app(), action(json!("Failover")))),
            Recovery,
        ),
        ("drpc/leaving", elsewhere(), Strict),
        ("drpc/leaving", action(json!("Failover")), Recovery),
        ("drpc/leaving-failover", action(json!(null)), Recovery),
        ("drpc/leaving-failover", gone(), Strict),
        ("drpc/leaving-empty", new(app()), Strict),
        ("drcluster/plain", cidrs(), Strict),
        ("drcluster/plain", spec(json!({"region": "east"})), Strict),
        ("drcluster/plain", fence(json!("Fenced")), Recovery),
        ("drcluster/plain", fence(json!("ManuallyFenced")), Recovery),
        ("drcluster/plain", gone(), Strict),
        ("drcluster/fenced", fence(json!("Unfenced")), Recovery),
        ("drcluster/fenced", fence(json!(null)), Recovery),
        ("drcluster/fenced", cidrs(), Recovery),
        ("drcluster/fenced", gone(), Strict),
        ("drcluster/unfenced", fence(json!("Fenced")), Recovery),
        ("drcluster/unfenced", cidrs(), Recovery),
        ("drcluster/empty", new(drcluster("it")), Strict),
        (
            "drcluster/empty",
            spec(json!({"s3ProfileName": "s", "clusterFence": "Fenced"})),
            Recovery,
        ),
        ("drcluster/leaving", fence(json!(null)), Recovery),
        ("drcluster/leaving", gone(), Strict),
        (
            "drpolicy/plain",
            spec(json!({"networkMappingRef": {"name": "map"}})),
            Strict,
        ),
        ("drpolicy/plain", gone(), Strict),
        ("drpolicy/empty", new(drpolicy("it")), Strict),
        ("drpolicy/leaving", gone(), Strict),
    ];
    for (object, patch, entry) in table {
        let routed = bench.patch(User::Alice, object, &patch);
        assert_eq!(routed, (entry, true), "alice patches {object} with {patch}");
        let routed = bench.patch(User::Operator, object, &patch);
        assert_eq!(
            routed,
            (Recovery, true),
            "the operator patches {object} with {patch}"
        );
    }
}

#[test]
fn updates_of_metadata() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::new(cluster, "metadata");

    let owner = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "1"}]);
    let watched = [
        json!({"labels": {"a": "b"}}),
        json!({"annotations": {"a": "b"}}),
        json!({"finalizers": ["test.ramendr.openshift.io/one", "test.ramendr.openshift.io/two"]}),
        json!({"ownerReferences": owner}),
    ];
    for object in [
        "drpc/plain",
        "drpc/failover",
        "drpc/empty",
        "drpc/leaving",
        "drpc/leaving-empty",
        "drcluster/fenced",
        "drcluster/leaving",
        "drpolicy/empty",
        "drpolicy/leaving",
    ] {
        let leaving = object.contains("leaving");
        for patch in &watched {
            // A new finalizer on what is being deleted is an error of its own.
            if leaving && patch.get("finalizers").is_some() {
                continue;
            }
            let patch = json!({"metadata": patch});
            let routed = bench.patch(User::Alice, object, &patch);
            assert_eq!(
                routed,
                (Recovery, false),
                "alice patches {object} with {patch}"
            );
        }

        let all = json!({"metadata": {"labels": {"a": "b"}, "finalizers": null}});
        let routed = bench.patch(User::Operator, object, &all);
        assert_eq!(
            routed,
            (Nobody, false),
            "the operator patches {object} with {all}"
        );

        let removed = json!({"metadata": {"finalizers": null}});
        let entry = if leaving { Recovery } else { Nobody };
        let routed = bench.patch(User::Alice, object, &removed);
        assert_eq!(
            routed,
            (entry, false),
            "alice removes the finalizers of {object}"
        );

        let nothing = bench.patch(User::Alice, object, &json!({}));
        assert_eq!(
            nothing,
            (Nobody, false),
            "alice changes nothing of {object}"
        );
    }
}

#[test]
fn status_and_deletions_reach_nobody() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::new(cluster, "status");
    for object in [
        "drpc/plain",
        "drpc/leaving-empty",
        "drcluster/fenced",
        "drpolicy/empty",
    ] {
        let object = bench.object(object);
        let object = object.each_ref().map(String::as_str);
        let status = [&object[..], &["--subresource=status", "--dry-run=server"]].concat();
        let patch = json!({"status": {"phase": "Deployed", "conditions": []}});
        let routed = bench.route(|| cluster.patch(User::Alice, &status, &patch));
        assert_eq!(routed, (Nobody, false), "{object:?}");

        let dry_run = [&object[..], &["--dry-run=server"]].concat();
        let routed = bench.route(|| cluster.delete(User::Alice, &dry_run));
        assert_eq!(routed, (Nobody, false), "{object:?}");
    }
}

/// Should someone add DELETE to the rules, no expression fails, and no deletion fails closed.
#[test]
fn deletions_would_fail_open() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::with(cluster, "deletions", "manifests/base", |webhook| {
        webhook["rules"][0]["operations"] = json!(["CREATE", "UPDATE", "DELETE"]);
    });
    for (object, _) in stored(&bench.name) {
        let kind = object["kind"].as_str().expect("a kind");
        let name = object["metadata"]["name"].as_str().expect("a name");
        for user in [User::Alice, User::Operator] {
            let args = [kind, name, "-n", &bench.name, "--dry-run=server"];
            let routed = bench.route(|| cluster.delete(user, &args));
            assert_eq!(routed, (Recovery, false), "{user:?} deletes {kind} {name}");
        }
    }
}

/// Each expression alone, where an error refuses the request: none fails, whatever is absent and
/// whoever asks. (In a list one that is false hides the error of another.)
#[test]
fn no_expression_ever_fails() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    for folder in ["manifests/base"].iter().chain(&OPTIONAL) {
        let bench = Bench::with(cluster, "expressions", folder, |_| ());
        let mut manifests = shipped(cluster, folder);
        for manifest in &mut manifests {
            let Some(webhooks) = manifest["webhooks"].as_array_mut() else {
                continue;
            };
            *webhooks = webhooks.iter().flat_map(one_by_one).collect();
        }
        let others = others(&bench.name);
        cluster.apply(User::Admin, &list(&others)).ok();
        bench.alone.install(&manifests);
        cluster.set_ca_bundle(&bench.stub.authority);

        let stored = stored(&bench.name).into_iter().map(|(object, _)| object);
        let stored: Vec<Value> = stored.chain(others).collect();
        bench.stub.take();
        for user in [User::Admin, User::ClusterOperator] {
            let may = |object: &&Value| user == User::Admin || object["kind"] != "Secret";
            let stored: Vec<Value> = stored.iter().filter(may).cloned().collect();
            write_all_ways(cluster, user, &stored);
        }
        assert!(!bench.stub.take().is_empty(), "nobody was asked: {folder}");
    }
}

/// Dry runs of whatever may become of these stored objects. All are allowed.
#[track_caller]
fn write_all_ways(cluster: &Cluster, user: User, stored: &[Value]) {
    let changed = |patch: &Value| -> Vec<_> {
        stored
            .iter()
            .map(|object| with(object.clone(), patch.clone()))
            .collect()
    };
    let bodies = stored.iter().map(|object| {
        let spec = |other: Value| with(object.clone(), json!({"spec": other["spec"]}));
        match (object["kind"].as_str(), &object["spec"]) {
            (Some("ConfigMap" | "Secret"), _) => with(object.clone(), json!({"data": null})),
            (Some("DRPolicy"), Value::Null) => spec(drpolicy("it")),
            (Some("DRCluster"), Value::Null) => spec(drcluster("it")),
            (Some("DRPlacementControl"), Value::Null) => spec(drpc("it", "it")),
            (Some("VolumeReplicationGroup"), Value::Null) => spec(vrg("it", "it")),
            // A placement may only be an empty one.
            (_, Value::Null) | (Some("Placement" | "PlacementRule"), _) => object.clone(),
            _ => with(object.clone(), json!({"spec": null})),
        }
    });
    let renamed = stored.iter().map(|object| {
        let name = object["metadata"]["name"].as_str().expect("a name");
        with(
            object.clone(),
            json!({"metadata": {"name": format!("{name}-new")}}),
        )
    });
    let generated = stored.iter().map(|object| {
        let metadata = json!({"name": null, "generateName": "generated-"});
        with(object.clone(), json!({"metadata": metadata}))
    });
    for (verb, objects) in [
        ("create", renamed.collect()),
        ("create", generated.collect()),
        ("replace", bodies.collect()),
        (
            "replace",
            changed(&json!({"metadata": {"labels": {"a": "b"}}})),
        ),
        (
            "replace",
            changed(&json!({"metadata": {"finalizers": null}})),
        ),
        ("delete", stored.to_vec()),
    ] {
        let args = [verb, "--dry-run=server", "-f", "-"];
        cluster
            .kubectl(user, &args, Some(&list(&objects).to_string()))
            .ok();
    }
}

/// What there is beside [`stored`]: what lives on managed clusters, whole and without a body, and
/// the kinds of others, known by name, by label, by annotation, or not at all.
fn others(name: &str) -> Vec<Value> {
    let mut others = Vec::new();
    for (object, _) in managed(name) {
        let own = object["metadata"]["name"].as_str().expect("a name");
        let empty = json!({"metadata": {"name": format!("{own}-empty")}, "spec": null});
        others.extend([object.clone(), with(object, empty)]);
    }
    let names = [
        "ramen-hub-operator-config",
        "default-excluded-resources",
        "other",
    ];
    for of in names {
        let map = config_map(name, of);
        others.extend([
            map.clone(),
            with(
                map,
                json!({"metadata": {"name": format!("{of}-empty")}, "data": null}),
            ),
        ]);
    }
    for (kind, label) in [("ConfigMap", "network-mapping"), ("Secret", "s3-secret")] {
        let label = format!("guard.ramendr.openshift.io/{label}");
        for (own, data) in [("labelled", json!({"a": "Zg=="})), ("hollow", Value::Null)] {
            let metadata = json!({"namespace": name, "name": own, "labels": {&label: "true"}});
            let object = json!({"apiVersion": "v1", "kind": kind, "metadata": metadata});
            others.push(with(object, json!({"data": data})));
        }
    }
    for (api, kind) in PLACEMENTS {
        let placement = |own: &str, annotations: Value| {
            let metadata = json!({"namespace": name, "name": own, "annotations": annotations});
            let object = json!({"apiVersion": api, "kind": kind, "spec": {}});
            with(object, json!({"metadata": metadata}))
        };
        others.push(placement("bare", Value::Null));
        let taken = json!({"drplacementcontrol.ramendr.openshift.io/drpc-name": "app"});
        others.push(placement("taken", taken));
    }
    others
}

const PLACEMENTS: [(&str, &str); 2] = [
    ("cluster.open-cluster-management.io/v1beta1", "Placement"),
    ("apps.open-cluster-management.io/v1", "PlacementRule"),
];

/// An entry that fails closed for each of its conditions.
fn one_by_one(webhook: &Value) -> Vec<Value> {
    let conditions = webhook["matchConditions"]
        .as_array()
        .expect("conditions")
        .iter();
    let alone = |(i, condition): (usize, &Value)| {
        let name = webhook["name"].as_str().expect("a name");
        let mut rules = webhook["rules"].clone();
        for rule in rules.as_array_mut().expect("rules") {
            rule["operations"] = json!(["CREATE", "UPDATE", "DELETE"]);
        }
        let mut alone = webhook.clone();
        alone["name"] = json!(format!("only-{i}.{name}"));
        alone["failurePolicy"] = json!("Fail");
        alone["rules"] = rules;
        alone["matchConditions"] = json!([condition]);
        alone
    };
    conditions.enumerate().map(alone).collect()
}

/// What is off by default asks once, and only where it should.
#[test]
fn opted_in_deletions() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::with(cluster, "delete", "manifests/optional/delete-guard", |_| ());
    for (object, leaving) in stored(&bench.name) {
        let kind = object["kind"].as_str().expect("a kind");
        let name = object["metadata"]["name"].as_str().expect("a name");
        let args = [kind, name, "-n", &bench.name, "--dry-run=server"];
        let calls = bench.calls(|| cluster.delete(User::Alice, &args));
        let expected: &[_] = if leaving { &[] } else { &["/delete DELETE"] };
        assert_eq!(calls, expected, "alice deletes {kind} {name}");
        let calls = bench.calls(|| cluster.delete(User::Operator, &args));
        assert_eq!(calls, [""; 0], "the operator deletes {kind} {name}");
    }
}

#[test]
fn opted_in_placements() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let bench = Bench::with(
        cluster,
        "placement",
        "manifests/optional/placements",
        |_| (),
    );
    let disabled = "cluster.open-cluster-management.io/experimental-scheduling-disable";
    let taken = "drplacementcontrol.ramendr.openshift.io/drpc-name";
    for (api, kind) in PLACEMENTS {
        for (name, annotations, seen) in [
            ("foreign", json!({"a": "b"}), false),
            ("bare", json!(null), false),
            ("disabled", json!({disabled: "true"}), true),
            ("taken", json!({taken: "app"}), true),
        ] {
            let object = json!({
                "apiVersion": api,
                "kind": kind,
                "metadata":
                    {"namespace": bench.name, "name": name, "annotations": annotations},
                "spec": {},
            });
            let none: [&str; 0] = [];
            let create = ["create", "-f", "-"];
            let created = || cluster.kubectl(User::Alice, &create, Some(&object.to_string()));
            assert_eq!(bench.calls(created), none, "{kind} {name}");

            let args = [kind, name, "-n", &bench.name, "--dry-run=server"];
            let enabled = json!({"metadata": {"annotations": null}});
            let expected: &[_] = if seen { &["/placements UPDATE"] } else { &[] };
            let updated = bench.calls(|| cluster.patch(User::Alice, &args, &enabled));
            assert_eq!(updated, expected, "{kind} {name}");

            let expected: &[_] = if seen { &["/placements DELETE"] } else { &[] };
            let deleted = bench.calls(|| cluster.delete(User::Alice, &args));
            assert_eq!(deleted, expected, "{kind} {name}");
            let deleted = bench.calls(|| cluster.delete(User::Operator, &args));
            assert_eq!(deleted, none, "{kind} {name}");
        }
    }
}

impl Bench<'_> {
    /// The words for kubectl of `kind/name`.
    fn object(&self, object: &str) -> [String; 4] {
        let (kind, name) = object.split_once('/').expect("kind/name");
        let scoped = kind == "drpc" || kind == "drplacementcontrol";
        let name = if scoped {
            name.to_owned()
        } else {
            format!("{}-{name}", self.name)
        };
        [kind.to_owned(), name, "-n".to_owned(), self.name.clone()]
    }

    #[track_caller]
    fn patch(&self, user: User, object: &str, patch: &Value) -> (Entry, bool) {
        let object = self.object(object);
        let [kind, name, n, namespace] = object.each_ref().map(String::as_str);
        let args = [kind, name, n, namespace, "--dry-run=server"];
        self.route(|| self.cluster.patch(user, &args, patch))
    }
}
