//! The API server without the guard: that it works, and what it lets through.

use serde_json::json;

use crate::{
    fixtures::{drcluster, drpc, drpolicy},
    server::{Cluster, User},
};

#[test]
fn serves_the_kinds_of_ramen() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let established = ["crd", "drplacementcontrols.ramendr.openshift.io"];
    let conditions = cluster.get_json(&established)["status"]["conditions"].clone();
    let conditions = conditions.as_array().expect("conditions");
    let holds = |it: &serde_json::Value| it["type"] == "Established" && it["status"] == "True";
    assert!(conditions.iter().any(holds), "{conditions:?}");
}

#[test]
fn takes_legal_objects() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let name = cluster.namespace("legal");

    cluster.apply(User::Alice, &drpolicy(&name)).ok();
    cluster.apply(User::Operator, &drcluster(&name)).ok();
    cluster.apply(User::Velero, &drpc(&name, "app")).ok();
    assert_eq!(
        cluster.get_json(&["drpolicy", &name])["spec"]["schedulingInterval"],
        "5m"
    );
}

#[test]
fn knows_who_asks() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    for user in [User::Alice, User::Operator, User::WorkAgent, User::Velero] {
        let who = cluster
            .kubectl(user, &["auth", "whoami", "-o", "json"], None)
            .ok();
        assert!(who.contains(&format!("\"{}\"", user.name())), "{who}");
        let no = cluster.kubectl(user, &["auth", "can-i", "create", "pods"], None);
        assert_eq!(no.stdout.trim(), "no");
    }
}

/// Without the guard a list that may not change changes in two steps.
#[test]
fn lets_a_removed_spec_come_back_different() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let name = cluster.namespace("two-steps");
    let policy = ["drpolicy", &name];
    cluster.apply(User::Alice, &drpolicy(&name)).ok();

    let other = json!({"spec": {"drClusters": ["mars", "venus"], "schedulingInterval": "5m"}});
    cluster
        .patch(User::Alice, &policy, &other)
        .refused("drClusters is immutable");

    cluster
        .patch(User::Alice, &policy, &json!({"spec": null}))
        .ok();
    assert_eq!(
        cluster.get_json(&policy).get("spec"),
        None,
        "null is stored as absent"
    );
    cluster.patch(User::Alice, &policy, &other).ok();
    assert_eq!(
        cluster.get_json(&policy)["spec"]["drClusters"],
        json!(["mars", "venus"])
    );
}

/// The same with one optional field.
#[test]
fn lets_a_removed_region_come_back_different() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let name = cluster.namespace("region");
    let object = ["drcluster", &name];
    cluster.apply(User::Alice, &drcluster(&name)).ok();

    let region = |it: serde_json::Value| json!({"spec": {"region": it}});
    cluster
        .patch(User::Alice, &object, &region(json!("east")))
        .ok();
    cluster
        .patch(User::Alice, &object, &region(json!("west")))
        .refused("region is immutable");
    cluster
        .patch(User::Alice, &object, &region(json!(null)))
        .ok();
    cluster
        .patch(User::Alice, &object, &region(json!("west")))
        .ok();
}
