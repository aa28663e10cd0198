//! The guard at work behind the shipped configurations: what passes, and what does not.

use serde_json::{Value, json};

use crate::{
    fixtures::{drcluster, drpc, drpolicy, list, with},
    guard::Guard,
    server::{Cluster, User},
    webhooks::{Alone, shipped},
};

/// A cluster with the guard in it.
struct Site<'a> {
    cluster: &'a Cluster,
    /// A namespace, and the name of the policy.
    name: String,
    east: String,
    west: String,
    guard: Guard,
    alone: Alone<'a>,
}

impl<'a> Site<'a> {
    /// `before` is stored when there is no guard yet; it is given the site's name and its clusters.
    fn new(cluster: &'a Cluster, prefix: &str, before: impl Fn(&Self) -> Vec<Value>) -> Self {
        let alone = cluster.alone();
        let name = cluster.namespace(prefix);
        let guard = Guard::start(cluster, &[]);
        let (east, west) = (format!("east-{name}"), format!("west-{name}"));
        let site = Self {
            cluster,
            name,
            east,
            west,
            guard,
            alone,
        };
        let before = before(&site);
        if !before.is_empty() {
            cluster.apply(User::Admin, &list(&before)).ok();
        }
        site.alone.install(&shipped(cluster, "manifests/base"));
        cluster.point_service_at(site.guard.port);
        cluster.set_ca_bundle(&site.guard.authority);
        site
    }

    /// What a DRPlacementControl refers to, and itself.
    fn bundle(&self) -> Vec<Value> {
        let cluster = |name: &str| with(drcluster(name), json!({"spec": {"region": "here"}}));
        let policy = with(
            drpolicy(&self.name),
            json!({"spec": {"drClusters": [self.east, self.west]}}),
        );
        let placement = json!({
            "apiVersion": "cluster.open-cluster-management.io/v1beta1",
            "kind": "Placement",
            "metadata": {
                "name": "placement",
                "namespace": self.name,
                "annotations": {"cluster.open-cluster-management.io/experimental-scheduling-disable": "true"},
            },
            "spec": {"numberOfClusters": 1},
        });
        vec![
            cluster(&self.east),
            cluster(&self.west),
            policy,
            placement,
            self.drpc("app"),
        ]
    }

    fn drpc(&self, name: &str) -> Value {
        let spec =
            json!({"spec": {"drPolicyRef": {"name": self.name}, "preferredCluster": self.east}});
        with(drpc(&self.name, name), spec)
    }

    fn patch(&self, user: User, spec: &Value) -> crate::kubectl::Output {
        self.cluster.patch(
            user,
            &["drpc", "app", "-n", &self.name],
            &json!({"spec": spec}),
        )
    }

    fn stored(&self) -> Value {
        self.cluster.get_json(&["drpc", "app", "-n", &self.name])
    }
}

#[test]
fn a_refused_change_never_makes_kubectl_delete_the_object() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "force", Site::bundle);
    let uid = site.stored()["metadata"]["uid"].clone();
    for change in [
        json!({"spec": {"pvcSelector": {"matchLabels": {"app": "other"}}}}),
        json!({"spec": {"placementRef": {"name": "elsewhere"}}}),
        json!({"spec": {"preferredCluster": "mars"}}),
    ] {
        let changed = with(site.drpc("app"), change).to_string();
        let refused = cluster
            .kubectl(
                User::Alice,
                &["apply", "--force", "-f", "-"],
                Some(&changed),
            )
            .refused("Forbidden");
        assert!(!refused.contains("is immutable"), "{refused}");
        assert_eq!(site.stored()["metadata"]["uid"], uid);
    }
}

#[test]
fn applying_again_changes_nothing() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "again", |_| Vec::new());
    let bundle = list(&site.bundle()).to_string();
    let mut versions = Vec::new();
    for _ in 0..3 {
        cluster
            .kubectl(
                User::Alice,
                &["apply", "--server-side", "-f", "-"],
                Some(&bundle),
            )
            .ok();
        versions.push(site.stored()["metadata"]["resourceVersion"].clone());
    }
    assert_eq!(versions[0], versions[1]);
    assert_eq!(versions[0], versions[2]);
    let label = &site.stored()["metadata"]["labels"]["cluster.open-cluster-management.io/backup"];
    assert_eq!(label, "ramen", "the label is added at creation");
}

#[test]
fn a_bundle_goes_in_in_reverse_order() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "reverse", |_| Vec::new());
    let bundle = site.bundle();
    // Flux runs a dry run of all before it applies any.
    for object in bundle.iter().rev() {
        cluster
            .kubectl(
                User::Alice,
                &["apply", "--dry-run=server", "-f", "-"],
                Some(&object.to_string()),
            )
            .ok();
    }
    for object in bundle.iter().rev() {
        cluster.apply(User::Alice, object).ok();
    }
}

#[test]
fn what_was_stored_before_stays_usable() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "before", |site| {
        let mut bundle = site.bundle();
        let wrong = json!({"spec": {
            "preferredCluster": "mars", "kubeObjectProtection": {"captureInterval": "1d"}, "action": "Relocate"}});
        let app = bundle.pop().expect("the application");
        bundle.push(with(app, wrong));
        bundle
    });
    let app = ["drpc", "app", "-n", &site.name];
    let finalizers = |list: Value| json!({"metadata": {"finalizers": list}});
    for user in [User::Alice, User::Operator] {
        cluster
            .patch(user, &app, &finalizers(json!(["test.invalid/hold"])))
            .ok();
        cluster
            .patch(
                user,
                &app,
                &json!({"metadata": {"labels": {"by": "somebody"}}}),
            )
            .ok();
        cluster.patch(user, &app, &finalizers(json!([]))).ok();
    }
    // Failing over is possible, whatever else is wrong.
    site.patch(
        User::Alice,
        &json!({"action": "Failover", "failoverCluster": site.west}),
    )
    .ok();
    let status = json!({"status": {"phase": "FailingOver"}}).to_string();
    let args = [
        "patch",
        "--type=merge",
        "--subresource=status",
        "-p",
        &status,
    ];
    cluster
        .kubectl(User::Operator, &[&args[..], &app[..]].concat(), None)
        .ok();
    // Putting it right is possible, too; making it worse is not.
    site.patch(
        User::Alice,
        &json!({"kubeObjectProtection": {"captureInterval": "2d"}}),
    )
    .refused("Forbidden");
    site.patch(
        User::Alice,
        &json!({"kubeObjectProtection": {"captureInterval": "5m"}}),
    )
    .ok();
    cluster.delete(User::Alice, &app).ok();
}

#[test]
fn an_application_goes_through_its_life() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "life", Site::bundle);
    let (east, west) = (site.east.clone(), site.west.clone());
    let ran_on = |cluster_name: &str, action: &str| {
        let annotation = |name: &str| format!("drplacementcontrol.ramendr.openshift.io/{name}");
        let annotations = json!({annotation("last-app-deployment-cluster"): cluster_name, annotation("last-action"): action});
        let patch = json!({"metadata": {"annotations": annotations}});
        cluster
            .patch(User::Operator, &["drpc", "app", "-n", &site.name], &patch)
            .ok();
    };
    let testing = |value: Value| {
        let patch = json!({"metadata": {"annotations": {
            "drplacementcontrol.ramendr.openshift.io/test-failover-dryrun": value}}});
        cluster
            .patch(User::Operator, &["drpc", "app", "-n", &site.name], &patch)
            .ok();
    };
    let step = |spec: Value| site.patch(User::Alice, &spec).ok();

    ran_on(&east, "");
    step(json!({"action": "Failover", "failoverCluster": west}));
    ran_on(&west, "Failover");
    step(json!({"action": "Failover", "failoverCluster": east}));
    ran_on(&east, "Failover");
    step(json!({"action": "Relocate", "preferredCluster": west}));
    ran_on(&west, "Relocate");
    step(json!({"action": null}));
    ran_on(&west, "");
    // A test failover that becomes the real one.
    step(json!({"action": "Failover", "failoverCluster": east, "dryRun": true}));
    testing(json!("true"));
    step(json!({"dryRun": false}));
    testing(Value::Null);
    ran_on(&east, "Failover");
    // And one that is taken back.
    step(json!({"failoverCluster": west, "dryRun": true}));
    testing(json!("true"));
    step(json!({"failoverCluster": east, "dryRun": null}));
}

#[test]
fn a_fence_goes_through_its_life() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "fencing", Site::bundle);
    for fence in [
        "Fenced",
        "Unfenced",
        "ManuallyFenced",
        "ManuallyUnfenced",
        "Fenced",
    ] {
        cluster
            .patch(
                User::Alice,
                &["drcluster", &site.east],
                &json!({"spec": {"clusterFence": fence}}),
            )
            .ok();
    }
    cluster
        .patch(
            User::Alice,
            &["drcluster", &site.east],
            &json!({"spec": {"clusterFence": null}}),
        )
        .ok();
}

#[test]
fn the_operator_is_only_refused_what_stops_itself() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "operator", Site::bundle);
    let warned = site.patch(User::Operator, &json!({"preferredCluster": "mars"}));
    assert!(
        warned
            .stderr
            .contains("Warning: drpc-preferred-cluster-in-policy"),
        "{warned:?}"
    );
    warned.ok();
    site.patch(
        User::Operator,
        &json!({"kubeObjectProtection": {"captureInterval": "1d"}}),
    )
    .refused("drpc-captureinterval-not-go-duration");
    // What a backup brings back comes in any order.
    let restored = with(
        site.drpc("restored"),
        json!({"spec": {"drPolicyRef": {"name": "not-yet"}, "action": "Failover"}}),
    );
    cluster.apply(User::Velero, &restored).ok();
}

#[test]
fn the_ways_around_what_may_not_change_are_closed() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "holes", Site::bundle);
    site.patch(User::Alice, &Value::Null)
        .refused("drpc-spec-removal");
    let gone = json!({"spec": null});
    cluster
        .patch(User::Alice, &["drpolicy", &site.name], &gone)
        .refused("drpolicy-spec-removal");
    cluster
        .patch(User::Alice, &["drcluster", &site.east], &gone)
        .refused("drcluster-spec-removal");
    let unset = json!({"spec": {"region": null}});
    cluster
        .patch(User::Alice, &["drcluster", &site.east], &unset)
        .refused("drcluster-region-unset");
}

#[test]
fn a_guard_that_sees_nothing_warns() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "blind", Site::bundle);
    // This one may not read what it asks about.
    let blind = Guard::launch(cluster, User::Nobody, &[]);
    cluster.point_service_at(blind.port);
    cluster.set_ca_bundle(&blind.authority);
    let answer = site.patch(User::Alice, &json!({"preferredCluster": "mars"}));
    assert_eq!(answer.code, 0, "{answer:?}");
    // What the object says by itself is refused all the same.
    site.patch(
        User::Alice,
        &json!({"action": "Failover", "failoverCluster": null}),
    )
    .refused("drpc-failover-cluster-required");
}

#[test]
fn check_looks_the_others_up_in_the_cluster() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let policy = cluster.name("live");
    cluster.apply(User::Admin, &drpolicy(&policy)).ok();
    let check = |preferred: &str| {
        let spec =
            json!({"spec": {"drPolicyRef": {"name": policy}, "preferredCluster": preferred}});
        let file = cluster.folder.join(format!("{policy}-{preferred}.json"));
        std::fs::write(&file, with(drpc("default", "app"), spec).to_string()).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
            .args(["check", "--live"])
            .arg(&file)
            .env("KUBECONFIG", cluster.kubeconfig(User::Admin))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (
            output.status.code(),
            said,
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, said, error) = check("mars");
    assert_eq!(code, Some(1), "{said}{error}");
    assert!(said.contains("drpc-preferred-cluster-in-policy"), "{said}");
    let (code, said, error) = check("east");
    assert_eq!(code, Some(0), "{said}{error}");
    assert!(!said.contains("drpc-drpolicy-missing"), "{said}");
    // One that may not look says so.
    let blind = std::process::Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
        .args(["check", "--live", "examples/first-look"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("KUBECONFIG", cluster.kubeconfig(User::Nobody))
        .output()
        .unwrap();
    assert_eq!(blind.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&blind.stderr).contains("forbidden"));
}
