//! The examples of pipelines that are Kubernetes' objects: the API server takes them, and an audit has the
//! rights that it needs, and no other.

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};

use crate::{
    fixtures::drpolicy,
    server::{Cluster, User, until},
    webhooks::{manifest, shipped},
};

const NAMESPACE: &str = "ramen-guard-audit";
const ACCOUNT: &str = "system:serviceaccount:ramen-guard-audit:ramen-guard-audit";

#[test]
fn the_api_server_takes_the_jobs() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let namespace = cluster.namespace("jobs");
    let mut presync = shipped(cluster, "examples/pipelines/argocd/presync");
    assert_eq!(presync.len(), 1);
    let mut gate = manifest("examples/pipelines/flux/gate/job.yaml");
    for job in [&mut presync[0], &mut gate] {
        job["metadata"]["namespace"] = json!(namespace);
        let pod = &job["spec"]["template"]["spec"];
        let image = pod["containers"][0]["image"].as_str().expect("an image");
        assert!(image.ends_with(":0.1.0"), "{image}");
        let args = ["create", "--validate=strict", "-f", "-"];
        cluster
            .kubectl(User::Admin, &args, Some(&job.to_string()))
            .ok();
    }
}

/// A kubeconfig with a token of this account, as a pod would have it mounted.
fn kubeconfig(cluster: &Cluster, folder: &std::path::Path) -> PathBuf {
    let token = cluster
        .kubectl(
            User::Admin,
            &["create", "token", "ramen-guard-audit", "-n", NAMESPACE],
            None,
        )
        .ok();
    let admin = fs::read_to_string(cluster.kubeconfig(User::Admin)).expect("a kubeconfig");
    let mut config: Value = serde_saphyr::from_str(&admin).expect("YAML");
    config["users"][0]["user"] = json!({ "token": token.trim() });
    let path = folder.join("kubeconfig");
    fs::write(&path, config.to_string()).expect("it can be written");
    path
}

#[test]
fn an_audit_has_the_rights_that_it_needs_and_no_other() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    // Other tests have stored what an audit finds something about.
    let alone = cluster.alone();
    let objects = shipped(cluster, "examples/pipelines/audit");
    let args = [
        "apply",
        "--validate=strict",
        "-k",
        "examples/pipelines/audit",
    ];
    cluster.kubectl(User::Admin, &args, None).ok();
    let cron = objects.iter().find(|it| it["kind"] == "CronJob");
    let pod = &cron.expect("a CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(container["image"], "registry.example.com/ramen-guard:0.1.0");
    assert_eq!(pod["serviceAccountName"], "ramen-guard-audit");

    let can = |args: &[&str]| {
        let as_account = format!("--as={ACCOUNT}");
        let args = [&["auth", "can-i"], args, &["-A", &as_account]].concat();
        cluster.kubectl(User::Admin, &args, None).code == 0
    };
    assert!(until(|| can(&["list", "drpolicies"])), "it gets its rights");
    for args in [
        ["get", "secrets"],
        ["list", "secrets"],
        ["list", "configmaps"],
        ["create", "drpolicies"],
        ["patch", "drplacementcontrols"],
        ["delete", "drplacementcontrols"],
        ["watch", "drpolicies"],
    ] {
        assert!(!can(&args), "{args:?}");
    }

    let folder = tempfile::tempdir().expect("a folder");
    let kubeconfig = kubeconfig(cluster, folder.path());
    let args = container["args"].as_array().expect("arguments");
    let audit = || {
        let output = Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
            .args(args.iter().map(|it| it.as_str().expect("text")))
            .args(["-o", "json"])
            .env("KUBECONFIG", &kubeconfig)
            .output()
            .expect("the binary starts");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let said = serde_json::from_slice::<Value>(&output.stdout);
        let said = said.unwrap_or_else(|error| panic!("{error}: {stderr}"));
        (output.status.code(), said)
    };
    let about = |said: &Value, name: &str| {
        let objects = said["objects"].as_array().expect("objects");
        let of = objects.iter().filter(|it| it["name"] == name);
        of.map(|it| it["allowed"] == false).collect::<Vec<_>>()
    };
    // Everything could be read: nothing is unread, which would be the exit code 2.
    let (code, said) = audit();
    assert_ne!(code, Some(2), "{said}");
    // What a cluster holds since before the guard.
    let name = cluster.name("audited");
    let mut bad = drpolicy(&name);
    bad["spec"]["drClusters"] = json!(["east", "east"]);
    cluster.apply(User::Admin, &bad).ok();
    let (code, said) = audit();
    assert_eq!((code, about(&said, &name)), (Some(1), vec![true]), "{said}");
    cluster.delete(User::Admin, &["drpolicy", &name]).ok();
    cluster
        .kubectl(
            User::Admin,
            &[
                "delete",
                "clusterrole,clusterrolebinding",
                "ramen-guard-audit",
            ],
            None,
        )
        .ok();
    drop(alone);
}
