//! What the guard does by itself, in a real cluster.

use std::{
    fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    certificates::{Fresh, NAMESPACE},
    fixtures::{drcluster, drpc, drpolicy, list, with},
    guard::Guard,
    proxy::Backend,
    server::{Cluster, User, until, within},
};

/// Ten times as fast as usual: a look every second.
const FASTER: &str = "--pace=0.1";
const LABEL: &str = "cluster.open-cluster-management.io/backup";

/// A configuration file for one guard.
fn configuration(cluster: &Cluster, text: &str) -> String {
    let path = cluster
        .folder
        .join(format!("{}.yaml", cluster.name("config")));
    fs::write(&path, text).unwrap();
    format!("--config={}", path.display())
}

fn label(cluster: &Cluster, object: &[&str]) -> Value {
    cluster.get_json(object)["metadata"]["labels"][LABEL].clone()
}

/// What a manager owns of an object.
fn owned(object: &Value, manager: &str) -> Vec<Value> {
    let fields = object["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten();
    let fields = fields.filter(|entry| entry["manager"] == manager);
    fields.map(|entry| entry["fieldsV1"].clone()).collect()
}

fn placement(namespace: &str, name: &str, owner: &str) -> Value {
    json!({
        "apiVersion": "cluster.open-cluster-management.io/v1beta1",
        "kind": "Placement",
        "metadata": {"name": name, "namespace": namespace, "annotations": {
            "drplacementcontrol.ramendr.openshift.io/drpc-name": owner,
            "drplacementcontrol.ramendr.openshift.io/drpc-namespace": namespace,
            "kept": "yes",
        }},
        "spec": {"numberOfClusters": 1},
    })
}

const BY_HAND: &str = "# edited by hand\nramenControllerType:   dr-hub   # as it was\n\
    multiNamespace: {FeatureEnabled: true}\nvolumeUnprotectionEnabled: false\n\
    drClusterOperator:\n    deploymentAutomationEnabled: true\n";

/// Stored before the guard: what lacks something, and beside each what is to be left alone.
fn lacking(cluster: &Cluster, name: &str) {
    let labelled = json!({"metadata": {"labels": {LABEL: "mine"}}});
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "ramen-hub-operator-config", "namespace": name},
        "data": {"ramen_manager_config.yaml": BY_HAND, "other": "kept"}});
    let used = with(
        drpc(name, "used"),
        json!({"spec": {"placementRef": {"name": "used"}}}),
    );
    cluster
        .apply(
            User::Admin,
            &list(&[
                drpolicy(name),
                drcluster(name),
                drpc(name, "app"),
                with(drpc(name, "labelled"), labelled),
                used,
                placement(name, "stale", "gone"),
                placement(name, "owned", "app"),
                placement(name, "used", "gone"),
                with(
                    placement(name, "restored", "gone"),
                    json!({"metadata": {"labels": {"velero.io/restore-name": "hub"}}}),
                ),
                config,
            ]),
        )
        .ok();
}

/// For some looks nobody writes these objects.
#[track_caller]
fn stay(cluster: &Cluster, objects: &[Vec<&str>]) {
    let versions = || {
        let version =
            |object: &Vec<&str>| cluster.get_json(object)["metadata"]["resourceVersion"].clone();
        objects.iter().map(version).collect::<Vec<_>>()
    };
    let before = versions();
    thread::sleep(Duration::from_secs(3));
    assert_eq!(versions(), before);
}

#[test]
fn what_was_stored_before_gets_what_it_lacks_and_nothing_else() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    let name = cluster.namespace("lacking");
    lacking(cluster, &name);
    let before = cluster.get_json(&["drpc", "app", "-n", &name]);
    let off = configuration(
        cluster,
        &format!(
            "ramen: {{namespace: {name}}}\nreconcile: {{labels: false, ramen-config: false, placements: false}}\n"
        ),
    );
    let guard = Guard::pod(cluster, &[FASTER, &off]).ready();
    assert!(until(|| guard
        .metric("ramen_guard_audit_last_seconds")
        .is_some_and(|at| at > 0.0)));
    thread::sleep(Duration::from_secs(3));
    assert_eq!(
        cluster.get_json(&["drpc", "app", "-n", &name]),
        before,
        "all is switched off"
    );
    guard.terminate();

    let on = configuration(cluster, &format!("ramen: {{namespace: {name}}}\n"));
    let guard = Guard::pod(cluster, &[FASTER, &on]).ready();
    for object in [
        &["drpc", "app", "-n", &name][..],
        &["drpolicy", &name],
        &["drcluster", &name],
    ] {
        assert!(until(|| label(cluster, object) == "ramen"), "{object:?}");
    }
    assert_eq!(label(cluster, &["drpc", "labelled", "-n", &name]), "mine");
    let after = cluster.get_json(&["drpc", "app", "-n", &name, "--show-managed-fields"]);
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(
        owned(&after, "ramen-guard"),
        [json!({"f:metadata": {"f:labels": {format!("f:{LABEL}"): {}}}})]
    );

    // Added at the end, and all else as it was, to the byte.
    let text = || {
        cluster.get_json(&["configmap", "ramen-hub-operator-config", "-n", &name])["data"].clone()
    };
    let added = "maxConcurrentReconciles: 50\nleaderElection:\n  leaderElect: true\n  \
        resourceName: hub.ramendr.openshift.io\nretainNamespaceSCCAcrossPeers: true\n";
    let wanted = json!({"ramen_manager_config.yaml": format!("{BY_HAND}{added}"), "other": "kept"});
    assert!(until(|| text() == wanted), "{}", text());

    // What nobody needs any more goes, after a while; what somebody may need stays.
    let left = |placement: &str| {
        cluster.get_json(&["placement", placement, "-n", &name])["metadata"]["annotations"].clone()
    };
    let own = |left: &Value| {
        left.as_object()
            .is_some_and(|all| all.keys().any(|key| key.contains("drpc-name")))
    };
    assert!(own(&left("stale")), "not at once");
    assert!(within(Duration::from_secs(60), || !own(&left("stale"))));
    assert_eq!(left("stale")["kept"], "yes");
    for kept in ["owned", "used", "restored"] {
        assert!(own(&left(kept)), "{kept}");
    }
    for (what, count) in [("label", 3.0), ("ramen-config", 1.0), ("placement", 1.0)] {
        let changed = guard.metric(&format!(
            r#"ramen_guard_changes_total{{outcome="changed",what="{what}"}}"#
        ));
        assert!(changed.is_some_and(|it| it >= count), "{what}: {changed:?}");
    }
    let events = cluster.get_json(&["events", "-n", &name]).to_string();
    for words in ["was missing", "next start would add", "which is gone"] {
        assert!(events.contains(words), "{words}: {events}");
    }
    // Nothing of it is done twice.
    stay(
        cluster,
        &[
            vec!["drpc", "app", "-n", &name],
            vec!["configmap", "ramen-hub-operator-config", "-n", &name],
            vec!["placement", "stale", "-n", &name],
        ],
    );
    drop(fresh);
}

#[test]
fn another_writer_wins_after_three_tries() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _fresh = Fresh::new(cluster);
    let name = cluster.name("fought-over");
    cluster.apply(User::Admin, &drpolicy(&name)).ok();
    let object = ["drpolicy", &*name];
    let guard = Guard::pod(cluster, &[FASTER]).ready();
    let (begin, mut written) = (Instant::now(), Vec::new());
    while begin.elapsed() < Duration::from_secs(20) {
        if label(cluster, &object) == "ramen" {
            written.push(begin.elapsed());
            cluster
                .patch(
                    User::Admin,
                    &object,
                    &json!({"metadata": {"labels": {LABEL: null}}}),
                )
                .ok();
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(written.len(), 3, "{written:?}");
    assert!(
        written[2] + written[0] > 2 * written[1],
        "each later than the one before: {written:?}"
    );
    let given_up = r#"ramen_guard_changes_total{outcome="given-up",what="label"}"#;
    assert_eq!(guard.metric(given_up), Some(1.0));
    // What is gone is not made anew.
    cluster.delete(User::Admin, &object).ok();
    thread::sleep(Duration::from_secs(3));
    cluster
        .kubectl(User::Admin, &[&["get"], &object[..]].concat(), None)
        .refused("NotFound");
}

/// Stored before the guard: one that stops the operator for all, and one that holds up all others.
fn poisoned(cluster: &Cluster, name: &str) {
    let ops = format!("{name}-ops");
    cluster
        .kubectl(User::Admin, &["create", "namespace", &ops], None)
        .ok();
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "ramen-hub-operator-config", "namespace": name},
        "data": {"ramen_manager_config.yaml": format!("ramenOpsNamespace: {ops}\nmaxConcurrentReconciles: 1\n")}});
    let crash = json!({"spec": {"kubeObjectProtection": {"captureInterval": "1d"}}});
    cluster
        .apply(
            User::Admin,
            &list(&[
                config,
                drpc(name, "plain"),
                with(drpc(name, "crash"), crash),
                with(drpc(&ops, "neighbour"), json!({"spec": {"drPolicyRef": {"name": "nowhere"}, "protectedNamespaces": [name]}})),
            ]),
        )
        .ok();
}

#[track_caller]
fn the_command_says_the_same(cluster: &Cluster, name: &str, config: &str) {
    let run = |args: &[&str], user: User| {
        Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
            .args(["audit", config])
            .args(args)
            .env("KUBECONFIG", cluster.kubeconfig(user))
            .output()
            .unwrap()
    };
    let human = run(&[], User::Admin);
    assert_eq!(human.status.code(), Some(1));
    let human = String::from_utf8(human.stdout).unwrap();
    assert!(
        human.contains(&format!("DRPlacementControl \"{name}/crash\" holds up")),
        "{human}"
    );
    assert!(
        human.contains(&format!("drplacementcontrols/{name}/crash:"))
            && human.contains("captureInterval: 1d"),
        "{human}"
    );
    let json = run(&["-o", "json"], User::Admin);
    let value: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(value["blockers"][0]["others"].as_u64() >= value["blockers"][1]["others"].as_u64());
    assert_eq!(run(&[], User::Nobody).status.code(), Some(2));
}

#[test]
fn what_is_stored_is_audited_and_what_blocks_others_comes_first() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    let name = cluster.namespace("audited");
    poisoned(cluster, &name);
    let crds = tempfile::tempdir().unwrap();
    let older = include_str!("reportcrd.yaml");
    fs::write(crds.path().join("older.yaml"), older).unwrap();
    // What came after it has another name, and the same fields.
    let newer = [
        ("wgpolicyk8s.io", "openreports.io"),
        ("v1alpha2", "v1alpha1"),
        ("PolicyReport", "Report"),
        ("policyreport", "report"),
    ]
    .iter()
    .fold(older.to_owned(), |text, (from, to)| text.replace(from, to));
    fs::write(crds.path().join("newer.yaml"), newer).unwrap();
    cluster.install_crds(&[crds.path().to_owned()]);
    let config = configuration(cluster, &format!("ramen: {{namespace: {name}}}\n"));
    let guard = Guard::pod(cluster, &[FASTER, &config]).ready();

    let status = || {
        let args = [
            "get",
            "configmap",
            "ramen-guard-status",
            "-n",
            NAMESPACE,
            "--ignore-not-found",
            "-o",
            "json",
        ];
        serde_json::from_str::<Value>(&fresh.admin(&args)).unwrap_or_default()
    };
    assert!(until(|| status()["data"]["audit"].is_string()));
    let status = status();
    let audit = status["data"]["audit"].as_str().unwrap().to_owned();
    let at = |words: &str| {
        audit
            .find(words)
            .unwrap_or_else(|| panic!("{words} is not in\n{audit}"))
    };
    assert!(
        at(&format!("DRPlacementControl {name}/crash, holds up"))
            < at(&format!("DRPlacementControl {name}/plain")),
        "{audit}"
    );
    assert!(
        at(&format!(
            "DRPlacementControl {name}-ops/neighbour, holds up"
        )) < at(&format!("DRPlacementControl {name}/plain")),
        "{audit}"
    );
    assert!(audit.contains("drpc-captureinterval-not-go-duration"));
    assert!(audit.len() < 256 << 10);
    assert_eq!(
        status["data"]["mutated-fields"],
        "/metadata/labels/cluster.open-cluster-management.io~1backup\n"
    );

    for kind in ["clusterpolicyreport", "clusterreport"] {
        assert!(until(|| cluster
            .kubectl(User::Admin, &["get", kind, "ramen-guard"], None)
            .code
            == 0));
        let report = cluster.get_json(&[kind, "ramen-guard"]);
        let results = report["results"].as_array().unwrap();
        assert!(!results.is_empty() && results.len() <= 300);
        let crash = results
            .iter()
            .find(|result| result["rule"] == "drpc-captureinterval-not-go-duration");
        let crash = crash.expect("the crash is reported");
        assert_eq!(
            (&crash["result"], &crash["severity"]),
            (&json!("fail"), &json!("critical"))
        );
        assert!(crash["resources"][0]["uid"].is_string());
    }

    let findings =
        r#"ramen_guard_audit_findings{mode="deny",rule="drpc-captureinterval-not-go-duration"}"#;
    assert!(guard.metric(findings).is_some_and(|it| it >= 1.0));
    assert!(
        guard
            .metric("ramen_guard_audit_blocking_objects")
            .is_some_and(|it| it >= 2.0)
    );
    assert!(
        guard
            .metric(r#"ramen_guard_world_objects{kind="DRPlacementControl"}"#)
            .is_some_and(|it| it >= 3.0)
    );
    drop(guard);

    the_command_says_the_same(cluster, &name, &config);
    fresh.admin(&["delete", "crd", "clusterpolicyreports.wgpolicyk8s.io"]);
    fresh.admin(&["delete", "crd", "clusterreports.openreports.io"]);
    fresh.admin(&["delete", "drpc", "--all", "-n", &name]);
    fresh.admin(&["delete", "drpc", "--all", "-n", &format!("{name}-ops")]);
}

#[test]
fn the_way_from_the_api_server_is_tried() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    let old = cluster.name("ramen-hub-validating-webhook-configuration");
    let left_over = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": old},
        "webhooks": [{
            "name": "vdrplacementcontrol.kb.io",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"name": "ramen-hub-operator", "namespace": "ramen-system"}},
            "failurePolicy": "Ignore",
            "sideEffects": "None",
            "rules": [{"apiGroups": ["ramendr.openshift.io"], "apiVersions": ["v1alpha1"],
                "operations": ["UPDATE"], "resources": ["nothings"]}],
        }],
    });
    cluster.apply(User::Admin, &left_over).ok();
    let guard = Guard::pod(cluster, &[FASTER]).ready();
    let probe = |wanted: f64| until(|| guard.metric("ramen_guard_probe_success") == Some(wanted));
    assert!(probe(0.0), "there is no configuration");
    assert_eq!(
        guard.said("does not ask the guard").len(),
        1,
        "{:?}",
        guard.said("probe")
    );
    assert_eq!(guard.metric("ramen_guard_old_webhooks"), Some(1.0));
    assert_eq!(guard.said("of an old Ramen").len(), 1);
    fresh.install(&guard);
    assert!(probe(1.0), "{:?}", guard.said("probe"));
    cluster.point_service_at(Backend::Nothing);
    assert!(probe(0.0), "{:?}", guard.said("probe"));
    assert_eq!(
        guard.said("can't reach the guard").len(),
        1,
        "{:?}",
        guard.said("probe")
    );
    cluster.point_service_at(guard.port);
    assert!(probe(1.0), "{:?}", guard.said("probe"));
    let stored = cluster.kubectl(User::Admin, &["get", "drpolicy", "ramen-guard-probe"], None);
    stored.refused("NotFound");
    fresh.admin(&["delete", "validatingwebhookconfiguration", &old]);
}
