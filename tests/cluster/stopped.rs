//! The guard is stopped: the shipped configurations are there, and nobody answers.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    fixtures::{drcluster, drpc, drpolicy, list, with},
    kubectl::Output,
    proxy::Backend,
    server::{Cluster, User},
    webhooks::{Alone, shipped},
};

/// What the API server says where a write must not pass unjudged.
const CLOSED: &str = "failed calling webhook \"strict.guard.ramendr.openshift.io\"";

/// An object of each kind, stored before the configurations came and the guard went.
struct Site<'a> {
    cluster: &'a Cluster,
    /// Of the policy, the cluster, and the namespace of the placement control `app`.
    name: String,
    _alone: Alone<'a>,
}

impl<'a> Site<'a> {
    fn new(cluster: &'a Cluster, prefix: &str) -> Self {
        let alone = cluster.alone();
        let name = cluster.namespace(prefix);
        cluster
            .apply(
                User::Admin,
                &list(&[drpolicy(&name), drcluster(&name), drpc(&name, "app")]),
            )
            .ok();
        alone.install(&shipped(cluster, "manifests/base"));
        Self {
            cluster,
            name,
            _alone: alone,
        }
    }

    fn objects(&self) -> [Vec<&str>; 3] {
        [
            vec!["drpc", "app", "-n", &self.name],
            vec!["drcluster", &self.name],
            vec!["drpolicy", &self.name],
        ]
    }

    fn drpc(&self, patch: &Value) -> Output {
        self.cluster
            .patch(User::Alice, &self.objects()[0], &json!({"spec": patch}))
    }

    fn drcluster(&self, patch: &Value) -> Output {
        self.cluster
            .patch(User::Alice, &self.objects()[1], &json!({"spec": patch}))
    }
}

#[test]
fn a_failover_passes_from_beginning_to_end() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "failover");

    site.drpc(&json!({"action": "Failover", "failoverCluster": "west", "dryRun": true}))
        .ok();
    site.drpc(&json!({"dryRun": null})).ok();
    // While it lasts, whatever has to be put right may be.
    site.drpc(&json!({"failoverCluster": "east", "preferredCluster": "west"}))
        .ok();
    site.drpc(&json!({"action": null, "failoverCluster": null}))
        .ok();
}

#[test]
fn a_failover_passes_at_creation() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "recovered");
    let failed_over = json!({"spec": {"action": "Failover", "failoverCluster": "west"}});
    cluster
        .apply(User::Alice, &with(drpc(&site.name, "other"), failed_over))
        .ok();
    let fenced = json!({"spec": {"clusterFence": "Fenced"}});
    let name = format!("{}-fenced", site.name);
    cluster
        .apply(User::Alice, &with(drcluster(&name), fenced))
        .ok();
}

#[test]
fn a_fence_passes_from_beginning_to_end() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "fence");

    site.drcluster(&json!({"clusterFence": "Fenced"})).ok();
    site.drcluster(&json!({"cidrs": ["10.1.0.0/16"]})).ok();
    site.drcluster(&json!({"clusterFence": "Unfenced"})).ok();
    site.drcluster(&json!({"clusterFence": null})).ok();
}

#[test]
fn metadata_status_and_deletion_pass() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "metadata");

    for object in site.objects() {
        let metadata = |patch: Value| {
            cluster
                .patch(User::Alice, &object, &json!({"metadata": patch}))
                .ok()
        };
        metadata(json!({"labels": {"of": "alice"}}));
        metadata(json!({"labels": null}));
        metadata(json!({"annotations": {"of": "alice"}}));
        metadata(json!({"finalizers": ["test.ramendr.openshift.io/one"]}));
        metadata(json!({"ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "1"},
        ]}));

        let status = json!({"status": {"conditions": [], "phase": "Deployed"}});
        let subresource = [&object[..], &["--subresource=status"]].concat();
        cluster.patch(User::Operator, &subresource, &status).ok();

        cluster.delete(User::Alice, &object).ok();
        metadata(json!({"finalizers": null}));
        cluster
            .kubectl(User::Alice, &[&["get"], &object[..]].concat(), None)
            .refused("NotFound");
    }
}

#[test]
fn controllers_and_restores_pass() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "controllers");
    let another = json!({"spec": {"preferredCluster": "west"}});
    let [app, ..] = site.objects();

    for user in [User::Operator, User::WorkAgent, User::Velero] {
        cluster.patch(user, &app, &another).ok();
        cluster.patch(user, &app, &json!({"spec": null})).ok();
        cluster.apply(user, &drpc(&site.name, "app")).ok();
        let made = format!("made-by-{user:?}").to_lowercase();
        cluster.apply(user, &drpc(&site.name, &made)).ok();
    }

    // Whoever restores, under whatever name.
    let restored = json!({"metadata": {"labels": {"velero.io/restore-name": "hub"}}});
    cluster
        .apply(User::Alice, &with(drpc(&site.name, "restored"), restored))
        .ok();
}

#[test]
fn everything_else_waits_for_the_guard() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "closed");

    site.drpc(&json!({"preferredCluster": "west"}))
        .refused(CLOSED);
    site.drpc(&json!({"action": "Relocate"})).refused(CLOSED);
    site.drcluster(&json!({"region": "east"})).refused(CLOSED);
    // Without a spec there is no action either: that is not a recovery.
    for object in site.objects() {
        cluster
            .patch(User::Alice, &object, &json!({"spec": null}))
            .refused(CLOSED);
    }
    for object in [drpolicy("new"), drcluster("new"), drpc(&site.name, "new")] {
        cluster.apply(User::Alice, &object).refused(CLOSED);
        // An administrator is no exception.
        cluster.apply(User::Admin, &object).refused(CLOSED);
    }
}

/// The answer to a closed door is neither 409 nor 422, so nothing is deleted to get past it.
#[test]
fn a_forced_apply_leaves_the_object() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "forced");
    let [app, ..] = site.objects();
    let uid = || cluster.get_json(&app)["metadata"]["uid"].clone();

    let before = uid();
    let changed = with(
        drpc(&site.name, "app"),
        json!({"spec": {"preferredCluster": "west"}}),
    );
    let apply = ["apply", "--force", "-f", "-"];
    cluster
        .kubectl(User::Alice, &apply, Some(&changed.to_string()))
        .refused(CLOSED);
    assert_eq!(uid(), before);

    // What the CRD would refuse with 422 does not get that far.
    for change in [
        json!({"spec": {"placementRef": {"name": "elsewhere"}}}),
        json!({"spec": {"pvcSelector": {"matchLabels": {"app": "other"}}}}),
        json!({"spec": {"drPolicyRef": {"name": "other"}}}),
    ] {
        let changed = with(drpc(&site.name, "app"), change);
        cluster
            .kubectl(User::Alice, &apply, Some(&changed.to_string()))
            .refused("failed calling webhook \"unchangeable.guard.ramendr.openshift.io\"");
        assert_eq!(uid(), before);
    }
}

/// A guard that takes the call and never answers costs no more than its two timeouts.
#[test]
fn silence_holds_a_failover_up_for_seconds() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "silence");
    cluster.point_service_at(Backend::Silence);

    let begin = Instant::now();
    site.drpc(&json!({"action": "Failover", "failoverCluster": "west"}))
        .ok();
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
    // Two seconds to add what is missing, three to judge: the guard was asked, and did not answer.
    assert!(took > Duration::from_secs(4), "{took:?}");

    let begin = Instant::now();
    let finalizers = json!({"metadata": {"finalizers": ["test.ramendr.openshift.io/one"]}});
    cluster
        .patch(User::Operator, &site.objects()[0], &finalizers)
        .ok();
    let took = begin.elapsed();
    assert!(
        took < Duration::from_secs(2),
        "a controller's metadata does not wait: {took:?}"
    );
}

/// The way out when the guard stays away: nothing can stand before it.
#[test]
fn deleting_the_configurations_opens_the_door() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let site = Site::new(cluster, "way-out");
    site.drpc(&json!({"preferredCluster": "west"}))
        .refused(CLOSED);

    let kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations";
    let ours = "app.kubernetes.io/name=ramen-guard";
    cluster
        .kubectl(User::Admin, &["delete", kinds, "-l", ours], None)
        .ok();
    cluster.settle().unwrap();
    site.drpc(&json!({"preferredCluster": "west"})).ok();
}
