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
    let mut presync = shipped(cluster, "examples/pipelines/argocd/presync");
    assert_eq!(presync.len(), 1);
    let mut gate = manifest("examples/pipelines/flux/gate/job.yaml");
    for job in [&mut presync[0], &mut gate] {
        job["metadata"]["namespace"] = json!(cluster.namespace("job"));
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

/// The rules of a ClusterRole, each without one of the things that it lets an account list.
fn lessened(rules: &[Value]) -> Vec<(String, Vec<Value>)> {
    let mut found = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let field = match rule.get("resourceNames") {
            Some(_) => "resourceNames",
            None => "resources",
        };
        let things = rule[field].as_array().expect("a list");
        for thing in things {
            let mut less = rules.to_vec();
            let rest: Vec<&Value> = things.iter().filter(|it| *it != thing).collect();
            if rest.is_empty() {
                less.remove(index);
            } else {
                less[index][field] = json!(rest);
            }
            found.push((thing.to_string(), less));
        }
    }
    found
}

/// The command of the CronJob, as its account.
struct Audit {
    args: Vec<String>,
    kubeconfig: PathBuf,
}

impl Audit {
    /// Its exit code, and what it printed, if that is more than an error.
    fn run(&self) -> (Option<i32>, Value) {
        let output = Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
            .args(&self.args)
            .args(["-o", "json"])
            .env("KUBECONFIG", &self.kubeconfig)
            .output()
            .expect("the binary starts");
        let said = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (output.status.code(), said)
    }
}

#[test]
fn an_audit_has_the_rights_that_it_needs_and_no_other() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let alone = cluster.alone();
    let objects = shipped(cluster, "examples/pipelines/audit");
    let of_kind = |kind: &str| objects.iter().find(|it| it["kind"] == kind).expect(kind);
    let args = [
        "apply",
        "--validate=strict",
        "-k",
        "examples/pipelines/audit",
    ];
    cluster.kubectl(User::Admin, &args, None).ok();
    let pod = &of_kind("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(container["image"], "registry.example.com/ramen-guard:0.1.0");
    assert_eq!(pod["serviceAccountName"], "ramen-guard-audit");

    let can = |args: &[&str]| {
        let account = format!("--as={ACCOUNT}");
        let args = [&["auth", "can-i"], args, &["-A", &account]].concat();
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
    let args = container["args"].as_array().expect("arguments");
    let audit = Audit {
        args: args
            .iter()
            .map(|it| it.as_str().expect("text").to_owned())
            .collect(),
        kubeconfig: kubeconfig(cluster, folder.path()),
    };
    // Everything can be read, and what was stored before the guard is found.
    let name = cluster.name("audited");
    let mut bad = drpolicy(&name);
    bad["spec"]["drClusters"] = json!(["east", "east"]);
    cluster.apply(User::Admin, &bad).ok();
    let (code, said) = audit.run();
    let found = said["objects"].as_array().expect("objects");
    let found = found.iter().find(|it| it["name"] == name.as_str());
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(found.expect("the policy")["allowed"], false);
    cluster.delete(User::Admin, &["drpolicy", &name]).ok();

    // And nothing could be left out.
    let role = ["clusterrole", "ramen-guard-audit"];
    let rules = of_kind("ClusterRole")["rules"].as_array().expect("rules");
    let may = |rules: &[Value]| {
        let patch = json!({ "rules": rules });
        cluster.patch(User::Admin, &role, &patch).ok();
    };
    for (thing, less) in lessened(rules) {
        may(&less);
        assert!(until(|| audit.run().0 == Some(2)), "{thing} is not needed");
        may(rules);
        assert!(until(|| audit.run().0 != Some(2)), "it gets its rights");
    }
    let both = "clusterrole,clusterrolebinding";
    cluster
        .delete(User::Admin, &[both, "ramen-guard-audit"])
        .ok();
    drop(alone);
}
