//! Whatever is wrong with the guard, a recovery goes on, and what it changes is not lost.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    certificates::{FAST, Fresh},
    fixtures::{drcluster, drpc, drpolicy, list, with},
    guard::Guard,
    link::Link,
    server::{Cluster, User, until, within},
    tls,
    webhooks::shipped,
};

/// Objects that were stored before, and the shipped configurations.
struct Site<'a> {
    cluster: &'a Cluster,
    fresh: Fresh<'a>,
    name: String,
}

impl<'a> Site<'a> {
    fn new(cluster: &'a Cluster, prefix: &str) -> Self {
        let fresh = Fresh::new(cluster);
        let name = cluster.namespace(prefix);
        let held = json!({"metadata": {"finalizers": ["test.ramendr.openshift.io/one"]}});
        let policy = json!({"spec": {"drPolicyRef": {"name": name}}});
        let app = |app: &str| {
            let placement = json!({"spec": {"placementRef": {"name": app}}});
            with(with(drpc(&name, app), policy.clone()), placement)
        };
        let objects = [
            drpolicy(&name),
            with(drcluster(&name), held.clone()),
            with(app("app"), held),
            app("other"),
        ];
        cluster.apply(User::Admin, &list(&objects)).ok();
        Self {
            cluster,
            fresh,
            name,
        }
    }

    /// Installs the configurations with this guard behind them.
    fn install(&self, guard: &Guard) {
        self.fresh
            .alone
            .install(&shipped(self.cluster, "manifests/base"));
        self.cluster.point_service_at(guard.port);
        self.cluster.set_ca_bundle(&guard.authority);
    }

    /// A recovery from its beginning to its end, and what controllers do meanwhile. Each step within the
    /// two timeouts of the configurations.
    #[track_caller]
    fn recovers(&self) {
        let (cluster, name) = (self.cluster, &*self.name);
        let app = ["drpc", "app", "-n", name];
        let site = ["drcluster", name];
        let spec = |spec: Value| json!({"spec": spec});
        let finalizers = |list: Value| json!({"metadata": {"finalizers": list}});
        let app_status = [&app[..], &["--subresource=status"]].concat();
        let steps: [(User, &[&str], Value); 9] = [
            (User::Alice, &site, spec(json!({"clusterFence": "Fenced"}))),
            (
                User::Alice,
                &app,
                spec(json!({"action": "Failover", "failoverCluster": "west"})),
            ),
            (
                User::Operator,
                &app_status,
                json!({"status": {"phase": "FailingOver"}}),
            ),
            (
                User::Operator,
                &app,
                json!({"metadata": {"annotations": {"step": "one"}}}),
            ),
            (
                User::Alice,
                &app,
                spec(json!({"action": null, "failoverCluster": null})),
            ),
            (
                User::Alice,
                &site,
                spec(json!({"clusterFence": "Unfenced"})),
            ),
            (User::Alice, &site, spec(json!({"clusterFence": null}))),
            (
                User::Operator,
                &app,
                finalizers(json!([
                    "test.ramendr.openshift.io/one",
                    "test.ramendr.openshift.io/two"
                ])),
            ),
            (
                User::Operator,
                &app,
                finalizers(json!(["test.ramendr.openshift.io/one"])),
            ),
        ];
        let timed = |what: String, step: &dyn Fn()| {
            let begin = Instant::now();
            step();
            let took = begin.elapsed();
            assert!(took < Duration::from_secs(8), "{what} took {took:?}");
        };
        for (user, object, patch) in &steps {
            timed(format!("{patch}"), &|| {
                drop(cluster.patch(*user, object, patch).ok());
            });
        }
    }

    /// The end of it all.
    #[track_caller]
    fn goes(&self) {
        for object in [
            &["drpc", "app", "-n", &self.name][..],
            &["drcluster", &self.name],
        ] {
            self.cluster.delete(User::Alice, object).ok();
            let released = json!({"metadata": {"finalizers": null}});
            self.cluster.patch(User::Operator, object, &released).ok();
            self.cluster
                .kubectl(User::Alice, &[&["get"], object].concat(), None)
                .refused("NotFound");
        }
    }
}

#[test]
fn with_a_ca_that_nobody_made_the_certificate_of() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "wrong-ca");
    let guard = Guard::start(cluster, &[]);
    site.install(&guard);
    cluster.set_ca_bundle(&tls::issue(&["ramen-guard"]).authority);
    cluster.point_service_at(guard.port);
    site.recovers();
    let refused = guard.metric("ramen_guard_tls_handshake_failures_total");
    assert!(refused.is_some_and(|it| it > 0.0), "the guard was asked");
    site.goes();
}

#[test]
fn with_a_certificate_that_has_ended() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "ended");
    let guard = Guard::pod(cluster, &[FAST, "--certificate-life=12"]).ready();
    site.fresh.install(&guard);
    // Nobody may renew it.
    site.fresh.mark(true);
    let ended = || guard.get("/readyz").contains("expired");
    assert!(
        within(Duration::from_secs(40), ended),
        "{}",
        guard.get("/readyz")
    );
    cluster.point_service_at(guard.port);
    site.recovers();
    // And it comes back by itself once somebody may.
    site.fresh.mark(false);
    assert!(until(|| guard.get("/readyz").starts_with("HTTP/1.1 200")));
    cluster.point_service_at(guard.port);
    let app = ["drpc", "other", "-n", &site.name];
    let west = json!({"spec": {"preferredCluster": "west"}});
    assert!(until(|| cluster.patch(User::Alice, &app, &west).code == 0));
    site.goes();
}

#[test]
fn with_a_world_that_it_may_not_see() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "unsynced");
    let guard = Guard::launch(cluster, User::Nobody, &[]);
    site.install(&guard);
    assert!(guard.get("/readyz").contains("not synced yet"));
    assert_eq!(
        guard.metric(r#"ramen_guard_world_synced{kind="DRPolicy"}"#),
        Some(0.0)
    );
    let failing =
        || guard.metric(r#"ramen_guard_world_watch_failing{kind="DRPolicy"}"#) == Some(1.0);
    assert!(until(failing));
    site.recovers();
    site.goes();
}

#[test]
fn with_a_configuration_that_can_not_be_read() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "broken");
    let file = cluster.folder.join(format!("{}.yaml", site.name));
    fs::write(&file, "rules: {drpc-preferred-cluster-in-policy: off}\n").unwrap();
    let guard = Guard::start(cluster, &[&format!("--config={}", file.display())]);
    site.install(&guard);
    fs::write(&file, "profil: strict\n").unwrap();
    let counted = || {
        guard
            .metric("ramen_guard_config_reload_failures_total")
            .is_some_and(|it| it > 0.0)
    };
    assert!(until(counted));
    site.recovers();
    // The last good one stays in force.
    let app = ["drpc", "other", "-n", &site.name];
    cluster
        .patch(
            User::Alice,
            &app,
            &json!({"spec": {"preferredCluster": "mars"}}),
        )
        .ok();
    let east = json!({"spec": {"preferredCluster": "east"}});
    cluster.patch(User::Alice, &app, &east).ok();
    fs::write(&file, "").unwrap();
    assert!(until(|| guard
        .said("going by the configuration as it is now")
        .len()
        == 1));
    cluster
        .patch(
            User::Alice,
            &app,
            &json!({"spec": {"preferredCluster": "venus"}}),
        )
        .refused("drpc-preferred-cluster-in-policy");
    // What stays as it is, is not taken up again and again.
    thread::sleep(Duration::from_secs(11));
    assert_eq!(
        guard.said("going by the configuration as it is now").len(),
        1
    );
    site.goes();
}

/// The port in a kubeconfig.
fn port_of(kubeconfig: &Path) -> (String, u16) {
    let text = fs::read_to_string(kubeconfig).unwrap();
    let (_, rest) = text.split_once("https://127.0.0.1:").expect("an address");
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let port = digits.parse().expect("a port");
    (text, port)
}

#[test]
fn with_an_api_server_that_goes_and_comes_back() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "cut-off");
    let (text, port) = port_of(&cluster.kubeconfig(User::Admin));
    let link = Link::to(port);
    link.set(false);
    let kubeconfig = cluster.folder.join(format!("{}.kubeconfig", site.name));
    fs::write(
        &kubeconfig,
        text.replace(
            &format!("127.0.0.1:{port}"),
            &format!("127.0.0.1:{}", link.port),
        ),
    )
    .unwrap();

    // It starts without one, alive and not ready.
    let guard = Guard::linked(cluster, &kubeconfig);
    assert!(guard.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(guard.get("/readyz").starts_with("HTTP/1.1 503"));
    site.install(&guard);
    site.recovers();

    link.set(true);
    let ready = || guard.get("/readyz").starts_with("HTTP/1.1 200");
    assert!(
        within(Duration::from_secs(90), ready),
        "{}",
        guard.get("/readyz")
    );
    let app = ["drpc", "other", "-n", &site.name];
    let mars = json!({"spec": {"preferredCluster": "mars"}});
    cluster
        .patch(User::Alice, &app, &mars)
        .refused("drpc-preferred-cluster-in-policy");

    // What can't be confirmed is a warning while it is gone.
    link.set(false);
    let warned = cluster.patch(User::Alice, &app, &mars);
    assert!(
        warned.stderr.contains("drpc-preferred-cluster-in-policy"),
        "{warned:?}"
    );
    warned.ok();
    site.recovers();

    // What changed meanwhile is known when it is back.
    let policy = json!({"metadata": {"name": format!("{}-new", site.name)}, "spec": {"drClusters": ["mars", "venus"]}});
    cluster
        .apply(User::Admin, &with(drpolicy("new"), policy))
        .ok();
    link.set(true);
    let of_new = json!({"spec": {"drPolicyRef": {"name": format!("{}-new", site.name)}, "placementRef": {"name": "new"}, "preferredCluster": "east"}});
    let new = with(drpc(&site.name, "new"), of_new).to_string();
    let create = ["create", "--dry-run=server", "-f", "-"];
    let known = || {
        let said = cluster.kubectl(User::Alice, &create, Some(&new));
        said.stderr.contains("Forbidden")
            && said.stderr.contains("drpc-preferred-cluster-in-policy")
    };
    assert!(within(Duration::from_secs(90), known));
    site.goes();
}
