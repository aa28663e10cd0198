//! The guard's own certificate, in a real cluster: made once, vouched for, renewed under load, and left
//! alone where a person says so.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    client::Ask,
    fixtures::drpc,
    guard::Guard,
    proxy::Backend,
    server::{Cluster, User, until},
    webhooks::{Alone, shipped},
};

pub(crate) const NAMESPACE: &str = "ramen-guard-system";
const MARK: &str = "guard.ramendr.openshift.io/break-glass";
/// Five times as fast as usual: a Lease of three seconds, a look every two.
pub(crate) const FAST: &str = "--pace=0.2";

/// A cluster in which the guard has never run.
pub(crate) struct Fresh<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) alone: Alone<'a>,
}

impl<'a> Fresh<'a> {
    pub(crate) fn new(cluster: &'a Cluster) -> Self {
        let alone = cluster.alone();
        let fresh = Self { cluster, alone };
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        cluster.apply(User::Admin, &namespace).ok();
        fresh.clean();
        fresh
    }

    fn clean(&self) {
        let gone = ["delete", "-n", NAMESPACE, "--ignore-not-found"];
        for object in [
            ["secret", "ramen-guard-certificate"],
            ["lease", "ramen-guard"],
            ["configmap", "ramen-guard-status"],
        ] {
            self.admin(&[&gone[..], &object[..]].concat());
        }
        self.mark(false);
    }

    /// Puts the mark of break-glass, or takes it away.
    pub(crate) fn mark(&self, set: bool) {
        let change = if set {
            format!("{MARK}=")
        } else {
            format!("{MARK}-")
        };
        self.admin(&["annotate", "--overwrite", "namespace", NAMESPACE, &change]);
    }

    pub(crate) fn admin(&self, args: &[&str]) -> String {
        self.cluster.kubectl(User::Admin, args, None).ok()
    }

    fn stored(&self, kind: &str, name: &str) -> Option<Value> {
        let args = [
            "get",
            kind,
            name,
            "-n",
            NAMESPACE,
            "-o",
            "json",
            "--ignore-not-found",
        ];
        serde_json::from_str(&self.admin(&args)).ok()
    }

    /// Installs the shipped configurations, with the guard behind them, and waits until all trust it.
    #[track_caller]
    pub(crate) fn install(&self, guard: &Guard) {
        self.cluster.point_service_at(guard.port);
        self.alone.install(&shipped(self.cluster, "manifests/base"));
        let trusted = until(|| {
            bundles(self.cluster)
                .iter()
                .all(|bundle| !bundle.is_empty())
        });
        assert!(
            trusted,
            "no caBundle is written: {:?}",
            bundles(self.cluster)
        );
        self.cluster.settle().unwrap();
    }
}

impl Drop for Fresh<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.clean();
        }
    }
}

/// The `caBundle` of every entry of the guard's configurations, as stored; empty where there is none.
fn bundles(cluster: &Cluster) -> Vec<String> {
    let kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations";
    let all = cluster.get_json(&[kinds, "-l", "app.kubernetes.io/name=ramen-guard"]);
    let configurations = all["items"].as_array().expect("a list");
    let webhooks = configurations
        .iter()
        .flat_map(|configuration| configuration["webhooks"].as_array().into_iter().flatten());
    let bundle = |webhook: &Value| {
        webhook["clientConfig"]["caBundle"]
            .as_str()
            .unwrap_or("")
            .to_owned()
    };
    webhooks.map(bundle).collect()
}

fn leaders(guards: &[Guard]) -> Vec<usize> {
    let leads = |guard: &Guard| guard.metric("ramen_guard_leader") == Some(1.0);
    (0..guards.len()).filter(|at| leads(&guards[*at])).collect()
}

#[test]
fn two_that_start_together_share_a_certificate_and_one_leads() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    let mut guards = vec![Guard::pod(cluster, &[FAST]), Guard::pod(cluster, &[FAST])];
    guards = guards.into_iter().map(Guard::ready).collect();

    let end = |guard: &Guard| {
        guard
            .metric("ramen_guard_certificate_not_after_seconds")
            .expect("an end")
    };
    assert!(
        (end(&guards[0]) - end(&guards[1])).abs() < 0.5,
        "they serve one certificate"
    );
    let made: usize = guards
        .iter()
        .map(|guard| guard.said("a new CA").len())
        .sum();
    assert_eq!(made, 1, "it is made once");
    let secret = fresh
        .stored("secret", "ramen-guard-certificate")
        .expect("the Secret");
    assert_eq!(secret["type"], "kubernetes.io/tls");
    assert_eq!(
        secret["metadata"]["labels"]["app.kubernetes.io/name"],
        "ramen-guard"
    );

    assert!(until(|| leaders(&guards).len() == 1), "nobody leads");
    let first = leaders(&guards)[0];
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(6) {
        assert_eq!(leaders(&guards), [first], "the lead stays");
        thread::sleep(Duration::from_millis(100));
    }
    // Killed: the Lease runs out.
    drop(guards.remove(first));
    assert!(until(|| leaders(&guards) == [0]), "nobody takes over");
    // Asked to end: it is given back at once.
    guards.push(Guard::pod(cluster, &[FAST]).ready());
    assert_eq!(leaders(&guards), [0]);
    guards.remove(0).terminate();
    let holder = fresh.stored("lease", "ramen-guard").expect("the Lease");
    let free = holder["spec"]["holderIdentity"]
        .as_str()
        .is_none_or(str::is_empty);
    assert!(free || leaders(&guards) == [0], "{holder}");
    assert!(
        until(|| leaders(&guards) == [0]),
        "nobody takes over what is free"
    );
    assert_eq!(guards[0].said("a new CA").len(), 0, "what is there is used");
}

#[test]
fn a_renewal_under_load_costs_no_request() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    let namespace = cluster.namespace("renewal");
    cluster.apply(User::Admin, &drpc(&namespace, "app")).ok();
    let guard = Guard::pod(
        cluster,
        &["--pace=0.1", "--ca-life=18", "--certificate-life=9"],
    )
    .ready();
    fresh.install(&guard);

    let (mut ends, mut authorities, mut most) = (BTreeSet::new(), BTreeSet::new(), 0);
    let begin = Instant::now();
    let mut written = 0;
    while begin.elapsed() < Duration::from_secs(30) {
        // Every write is a handshake of its own: what is open is cut.
        cluster.point_service_at(guard.port);
        written += 1;
        let app = ["drpc", "app", "-n", &namespace];
        let other =
            json!({"spec": {"preferredCluster": if written % 2 == 0 { "east" } else { "west" }}});
        cluster.patch(User::Alice, &app, &other).ok();
        let end = |series: &str| guard.metric(series).expect("an end").to_string();
        ends.insert(end("ramen_guard_certificate_not_after_seconds"));
        authorities.insert(end("ramen_guard_ca_not_after_seconds"));
        let all = bundles(cluster);
        for bundle in &all {
            let pem: k8s_openapi::ByteString = serde_json::from_value(json!(bundle)).unwrap();
            most = most.max(String::from_utf8(pem.0).unwrap().matches("BEGIN").count());
        }
    }
    assert!(written > 20, "{written}");
    assert!(ends.len() >= 4, "the certificate is renewed: {ends:?}");
    assert!(authorities.len() >= 2, "the CA is renewed: {authorities:?}");
    assert!(most >= 2, "an old CA stands beside a new one");
    let refused = guard.metric("ramen_guard_tls_handshake_failures_total");
    assert_eq!(refused, Some(0.0), "no API server ever found it wrong");
}

/// As a Deployment does it: a new one first, then the old one is told to end while the endpoints still have it.
#[test]
fn a_rolling_restart_under_load_costs_no_request() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    let namespace = cluster.namespace("rolling");
    cluster.apply(User::Admin, &drpc(&namespace, "app")).ok();
    let start = || Guard::pod(cluster, &[FAST, "--linger=2"]).ready();
    let mut guards = vec![start(), start()];
    fresh.install(&guards[0]);
    cluster.point_service_at(Backend::Either(guards[0].port, guards[1].port));

    let ended = AtomicBool::new(false);
    let asked = thread::scope(|scope| {
        let load: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| ask_until(cluster, &namespace, &ended)))
            .collect();
        for _ in 0..2 {
            guards.push(start());
            let old = guards.remove(0);
            let end = scope.spawn(|| old.terminate());
            // It takes a moment until the endpoints are without it.
            thread::sleep(Duration::from_millis(500));
            cluster.turn_service_to(Backend::Either(guards[0].port, guards[1].port));
            end.join().expect("it ends");
        }
        ended.store(true, Ordering::Relaxed);
        let asked = load
            .into_iter()
            .map(|it| it.join().expect("no request fails"));
        asked.sum::<usize>()
    });
    assert!(asked > 100, "only {asked} requests were made");
}

/// Asks for what is allowed and for what is refused, by dry runs, and says how often.
fn ask_until(cluster: &Cluster, namespace: &str, ended: &AtomicBool) -> usize {
    let client = cluster.client(User::Alice);
    let path = format!(
        "/apis/ramendr.openshift.io/v1alpha1/namespaces/{namespace}/drplacementcontrols/app?dryRun=All"
    );
    let mut asked = 0;
    while !ended.load(Ordering::Relaxed) {
        for (spec, code) in [
            (json!({"preferredCluster": "west"}), 200),
            // Without the guard it would be the CRD that refuses it, with 422.
            (json!({"placementRef": {"name": "another"}}), 403),
        ] {
            let body = json!({"spec": spec});
            let ask = Ask {
                method: "PATCH",
                path: path.clone(),
                body,
            };
            let answer = client.ask_all(vec![ask]).remove(0);
            assert_eq!(answer.code, code, "{spec}: {}", answer.body);
            asked += 1;
        }
    }
    asked
}

#[test]
fn what_vouches_for_the_guard_is_put_back_and_survives_gitops() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    let guard = Guard::pod(cluster, &[FAST]).ready();
    fresh.install(&guard);
    let before = bundles(cluster);

    // Applied again, either way, it stays.
    let mut manifests = shipped(cluster, "manifests/base");
    // All else stays in the cluster, and would stay argocd's.
    manifests.retain(|manifest| manifest["webhooks"].is_array());
    let list = crate::fixtures::list(&manifests).to_string();
    for apply in [
        &["apply", "-f", "-"][..],
        &[
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=argocd",
            "-f",
            "-",
        ],
    ] {
        cluster.kubectl(User::Admin, apply, Some(&list)).ok();
        assert_eq!(bundles(cluster), before, "{apply:?}");
    }
    // An entry that a later version does not ship goes, with what was written into it.
    let mut fewer = manifests.clone();
    let last = fewer.iter_mut().find_map(|manifest| {
        let of = manifest["kind"] == "MutatingWebhookConfiguration";
        of.then(|| manifest["webhooks"].as_array_mut().expect("webhooks").pop())
    });
    assert!(last.flatten().is_some());
    let apply = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=argocd",
        "-f",
        "-",
    ];
    let fewer = crate::fixtures::list(&fewer).to_string();
    cluster.kubectl(User::Admin, &apply, Some(&fewer)).ok();
    assert_eq!(bundles(cluster).len(), before.len() - 1);
    cluster.kubectl(User::Admin, &apply, Some(&list)).ok();
    assert!(until(|| bundles(cluster) == before));

    let managers = cluster.get_json(&[
        "validatingwebhookconfiguration",
        "ramen-guard",
        "--show-managed-fields",
    ]);
    let owned: Vec<String> = managers["metadata"]["managedFields"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["manager"] == "ramen-guard")
        .map(|entry| entry["fieldsV1"].to_string())
        .collect();
    assert_eq!(owned.len(), 1, "{owned:?}");
    assert!(
        owned[0].contains("f:caBundle") && !owned[0].contains("f:failurePolicy"),
        "{owned:?}"
    );

    // Removed by hand, it comes back; removed again and again, it is left.
    let remove = json!([{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]).to_string();
    let args = [
        "patch",
        "validatingwebhookconfiguration",
        "ramen-guard",
        "--type=json",
        "-p",
        &remove,
    ];
    let begin = Instant::now();
    let mut fights = 0;
    while begin.elapsed() < Duration::from_secs(30) {
        if bundles(cluster) == before {
            fights += 1;
            fresh.admin(&args);
        }
        thread::sleep(Duration::from_millis(200));
    }
    // It wrote once when it was installed, and twice more.
    assert_eq!(fights, 3, "{:?}", guard.said("caBundle"));
    assert_eq!(
        guard.said("given-up").len(),
        1,
        "{:?}",
        guard.said("caBundle")
    );
    let given_up = r#"ramen_guard_changes_total{outcome="given-up",what="ca-bundle"}"#;
    assert_eq!(guard.metric(given_up), Some(1.0));
    assert_eq!(guard.metric("ramen_guard_ca_bundle_missing"), Some(1.0));
    let events = fresh.admin(&["get", "events", "-A", "-o", "json"]);
    assert!(events.contains("GaveUp") && events.contains("did not have the guard's CA"));
}

#[test]
fn a_guard_that_is_told_to_keep_its_hands_off_does() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    fresh.mark(true);
    let guard = Guard::pod(cluster, &[FAST]);
    thread::sleep(Duration::from_secs(5));
    assert!(fresh.stored("secret", "ramen-guard-certificate").is_none());
    assert!(fresh.stored("lease", "ramen-guard").is_none());
    assert_eq!(guard.metric("ramen_guard_break_glass"), Some(1.0));
    assert_eq!(guard.said("break-glass").len(), 1);
    assert!(guard.get("/readyz").contains("certificate"));

    fresh.mark(false);
    let guard = guard.ready();
    assert_eq!(guard.metric("ramen_guard_break_glass"), Some(0.0));
    fresh.install(&guard);

    // What a person takes away under the mark stays away.
    fresh.mark(true);
    assert!(until(
        || guard.metric("ramen_guard_break_glass") == Some(1.0)
    ));
    let delete = ["delete", "validatingwebhookconfiguration", "ramen-guard"];
    fresh.admin(&delete);
    let remove = json!([{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]).to_string();
    fresh.admin(&[
        "patch",
        "mutatingwebhookconfiguration",
        "ramen-guard",
        "--type=json",
        "-p",
        &remove,
    ]);
    let version = |kind: &str, name: &str| {
        fresh.stored(kind, name).expect("it is there")["metadata"]["resourceVersion"].clone()
    };
    let lease = version("lease", "ramen-guard");
    thread::sleep(Duration::from_secs(6));
    assert_eq!(version("lease", "ramen-guard"), lease);
    assert!(bundles(cluster).iter().any(String::is_empty));
    let left = cluster.kubectl(User::Admin, &["get", &delete[1..].join("/")], None);
    left.refused("NotFound");
    // It answers all the same.
    assert!(guard.get("/readyz").starts_with("HTTP/1.1 200"));

    fresh.mark(false);
    assert!(until(|| bundles(cluster)
        .iter()
        .all(|bundle| !bundle.is_empty())));
}

#[test]
fn a_certificate_of_no_use_is_made_anew() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    let broken = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "ramen-guard-certificate", "namespace": NAMESPACE, "labels": {"kept": "yes"}},
        "stringData": {"tls.crt": "nothing", "other": "kept"},
    });
    cluster.apply(User::Admin, &broken).ok();
    let guard = Guard::pod(cluster, &[FAST]).ready();
    fresh.install(&guard);
    let secret = fresh
        .stored("secret", "ramen-guard-certificate")
        .expect("the Secret");
    assert_eq!(secret["metadata"]["labels"]["kept"], "yes");
    assert!(
        secret["data"]["other"].is_string(),
        "what is not ours stays"
    );

    // Deleted, it is made again, and what is served meanwhile stays trusted.
    let before = bundles(cluster)[0].clone();
    fresh.admin(&[
        "delete",
        "secret",
        "ramen-guard-certificate",
        "-n",
        NAMESPACE,
    ]);
    let namespace = cluster.namespace("deleted");
    cluster.apply(User::Alice, &drpc(&namespace, "app")).ok();
    let mut written = 0;
    let renewed = until(|| {
        written += 1;
        cluster.point_service_at(guard.port);
        let other =
            json!({"spec": {"preferredCluster": if written % 2 == 0 { "east" } else { "west" }}});
        let app = ["drpc", "app", "-n", &namespace];
        cluster.patch(User::Alice, &app, &other).ok();
        let all = bundles(cluster);
        all.iter().all(|bundle| *bundle != before)
            && guard.said("a new serving certificate").len() == 1
    });
    assert!(renewed, "{:?}", guard.said("certificate"));
}
