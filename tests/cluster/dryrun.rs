//! `check --server`: what the API server makes of manifests, and that nothing comes of asking.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::{
    fixtures::{drcluster, drpc, drpolicy, list, vrg, with},
    guard::Guard,
    server::{Cluster, User, until},
    webhooks::shipped,
};

/// What `check` said.
struct Said {
    code: i32,
    stderr: String,
    value: Value,
}

impl Said {
    /// The rules, modes, fields and messages of what was found.
    fn found(&self) -> Vec<(String, String, String, String)> {
        let objects = self.value["objects"].as_array().into_iter().flatten();
        let findings = objects.flat_map(|object| object["findings"].as_array().expect("findings"));
        let text = |finding: &Value, field: &str| finding[field].as_str().expect("text").to_owned();
        let found = findings.map(|finding| {
            (
                text(finding, "rule"),
                text(finding, "mode"),
                text(finding, "field"),
                text(finding, "message"),
            )
        });
        found.collect()
    }

    /// The same of what the server says, without the messages.
    fn server(&self) -> Vec<(String, String, String)> {
        let found = self.found().into_iter();
        let found = found.filter(|(rule, ..)| rule.starts_with("server-"));
        found
            .map(|(rule, mode, field, _)| (rule, mode, field))
            .collect()
    }

    fn notes(&self) -> String {
        self.value["notes"].to_string()
    }
}

fn check_with(kubeconfig: &Path, objects: &[Value], args: &[&str]) -> Said {
    let folder = tempfile::tempdir().expect("a folder");
    let text: Vec<String> = objects.iter().map(|it| format!("{it:#}")).collect();
    fs::write(folder.path().join("it.yaml"), text.join("\n---\n")).expect("a file");
    let output: Output = Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
        .args(["check", "-o", "json", "--server", "it.yaml"])
        .args(args)
        .current_dir(folder.path())
        .env("KUBECONFIG", kubeconfig)
        .output()
        .expect("it runs");
    Said {
        code: output.status.code().expect("a code"),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        value: serde_json::from_slice(&output.stdout).unwrap_or_default(),
    }
}

fn check(cluster: &Cluster, user: User, objects: &[Value]) -> Said {
    check_with(&cluster.kubeconfig(user), objects, &[])
}

fn denied(field: &str) -> (String, String, String) {
    (
        "server-dry-run".to_owned(),
        "deny".to_owned(),
        field.to_owned(),
    )
}

#[test]
fn what_is_taken_and_what_cannot_be_asked_yet() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let name = cluster.namespace("dry");
    let elsewhere = cluster.name("nowhere");
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s3", "namespace": name},
        "stringData": {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
    });
    let unnamed = json!({
        "apiVersion": "ramendr.openshift.io/v1alpha1", "kind": "DRCluster",
        "metadata": {"generateName": "east-"}, "spec": {"s3ProfileName": "profile"},
    });
    // Its version is not served.
    let later = with(
        drcluster("later"),
        json!({"apiVersion": "ramendr.openshift.io/v9"}),
    );
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": elsewhere}});
    let objects = [
        drpolicy(&name),
        drpc(&name, "app"),
        namespace,
        drpc(&elsewhere, "app"),
        vrg(&elsewhere, "app"),
        unnamed,
        later,
        secret,
    ];
    let said = check(cluster, User::Alice, &objects);
    assert_eq!(said.code, 0, "{} {}", said.stderr, said.value);
    assert_eq!(said.server(), []);
    let notes = said.notes();
    for note in [
        &*format!("was not asked about 2 objects: namespaces \\\"{elsewhere}\\\" not found"),
        "was not asked about 1 object: it has no DRCluster in ramendr.openshift.io/v9",
        "was not asked about 1 object: without a name",
    ] {
        assert!(notes.contains(note), "{note}: {notes}");
    }
    // Nothing was stored.
    for object in [&["drpolicy", &*name][..], &["drpc", "app", "-n", &name]] {
        let found = cluster.kubectl(User::Admin, &[&["get"], object].concat(), None);
        assert!(found.stderr.contains("not found"), "{found:?}");
    }
}

/// What others have put on an object is theirs, and stays.
#[test]
fn what_is_stored_stays_as_it_is() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let name = cluster.namespace("stays");
    let put = json!({"metadata": {
        "finalizers": ["test.invalid/hold"],
        "annotations": {"drplacementcontrol.ramendr.openshift.io/app-namespace": "app"},
    }});
    cluster
        .apply(User::Operator, &with(drpc(&name, "app"), put))
        .ok();
    let before = cluster.get_json(&["drpc", "app", "-n", &name]);
    // Another owner's field, in another version than that of the file.
    let mut edited = with(
        drpc(&name, "app"),
        json!({"spec": {"preferredCluster": "west"}}),
    );
    edited["metadata"]["resourceVersion"] = json!("1");
    edited["metadata"]["uid"] = json!("8283cb24-39a9-4ccd-b028-3807cdfed996");
    let said = check(cluster, User::Alice, &[edited]);
    assert_eq!(
        (said.code, said.server()),
        (0, vec![]),
        "{} {}",
        said.stderr,
        said.value
    );
    assert_eq!(cluster.get_json(&["drpc", "app", "-n", &name]), before);
    // The API server knows what was, though no file says so.
    let other = with(
        drpc(&name, "app"),
        json!({"spec": {"drPolicyRef": {"name": "other"}}}),
    );
    let said = check(cluster, User::Alice, &[other]);
    assert_eq!(
        (said.code, said.server()),
        (1, vec![denied("spec.drPolicyRef")]),
        "{}",
        said.value
    );
    assert_eq!(cluster.get_json(&["drpc", "app", "-n", &name]), before);
}

#[test]
fn what_the_schema_says_is_said_once() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let wrong = with(
        drpolicy("wrong"),
        json!({"spec": {"schedulingInterval": "5 minutes"}}),
    );
    let said = check(cluster, User::Alice, &[wrong]);
    assert_eq!((said.code, said.server()), (1, vec![]), "{}", said.value);
    // What would be dropped without a word is refused to who asks for strictness, as kubectl does.
    let misspelt = with(
        drpolicy("misspelt"),
        json!({"spec": {"schedulingIntervall": "5m"}}),
    );
    let said = check(cluster, User::Alice, &[misspelt]);
    assert_eq!(
        said.server(),
        [denied("spec.schedulingIntervall")],
        "{}",
        said.value
    );
    let findings = said.value["objects"][0]["findings"]
        .as_array()
        .expect("findings");
    let about = findings
        .iter()
        .filter(|it| it["field"] == "spec.schedulingIntervall");
    let about: Vec<_> = about.collect();
    assert_eq!(about.len(), 1, "{}", said.value);
    assert_eq!(about[0]["fix"], "did you mean \"schedulingInterval\"?");
    assert_eq!(
        (&about[0]["file"], &about[0]["line"]),
        (&json!("it.yaml"), &json!(13))
    );
}

/// A policy of the site's, for objects of one name.
fn site_policy(name: &str, target: &str, actions: &[&str]) -> Vec<Value> {
    vec![
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [{
                    "apiGroups": ["ramendr.openshift.io"], "apiVersions": ["*"],
                    "operations": ["CREATE", "UPDATE"], "resources": ["drclusters"],
                }]},
                "matchConditions": [{"name": "one", "expression": format!("object.metadata.name == '{target}'")}],
                "validations": [{"expression": "has(object.spec.region)", "message": "every cluster has a region here"}],
            },
        }),
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": actions},
        }),
    ]
}

#[test]
fn what_a_site_refuses_and_warns_about() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let names = ["refused", "warned"].map(|prefix| cluster.name(prefix));
    for (name, action) in names.iter().zip(["Deny", "Warn"]) {
        let policy = site_policy(name, name, &[action]);
        cluster.apply(User::Admin, &list(&policy)).ok();
    }
    let objects = names.clone().map(|name| drcluster(&name));
    let server = |said: &Said| said.server().len() == 2;
    assert!(until(|| server(&check(cluster, User::Alice, &objects))));
    let said = check(cluster, User::Alice, &objects);
    assert_eq!(said.code, 1);
    let warned = (
        "server-warning".to_owned(),
        "warn".to_owned(),
        String::new(),
    );
    assert_eq!(said.server(), [denied(""), warned.clone()]);
    let messages: Vec<String> = said.found().into_iter().map(|it| it.3).collect();
    assert!(
        messages
            .iter()
            .all(|it| it.contains("every cluster has a region here")),
        "{messages:?}"
    );
    // As with any rule, the site decides what becomes of it.
    let admin = cluster.kubeconfig(User::Alice);
    let observed = check_with(&admin, &objects, &["--profile", "observe"]);
    assert_eq!(observed.code, 0, "{}", observed.value);
    assert_eq!(observed.server()[0].1, "warn");
    for name in &names {
        let kinds = "validatingadmissionpolicies,validatingadmissionpolicybindings";
        cluster.delete(User::Admin, &[kinds, name]).ok();
    }
}

#[test]
fn who_cannot_ask_hears_so() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let said = check(cluster, User::Nobody, &[drpolicy("asked")]);
    assert_eq!((said.code, said.server()), (2, vec![]), "{}", said.stderr);
    let unread = said.value["unread"].to_string();
    assert!(
        unread.contains("can't be asked about it") && unread.contains("cannot patch"),
        "{unread}"
    );

    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("kubeconfig");
    let config = fs::read_to_string(cluster.kubeconfig(User::Admin)).expect("the kubeconfig");
    let server = config
        .lines()
        .find(|line| line.contains("server:"))
        .expect("a server");
    fs::write(
        &nowhere,
        config.replace(server.trim(), "server: https://127.0.0.1:1"),
    )
    .expect("a file");
    let said = check_with(&nowhere, &[drpolicy("asked")], &[]);
    assert_eq!(said.code, 2);
    assert!(
        said.stderr
            .contains("https://127.0.0.1:1/ can't be reached"),
        "{}",
        said.stderr
    );
    let said = check_with(Path::new("/nowhere"), &[drpolicy("asked")], &[]);
    assert_eq!(said.code, 2);
    assert!(
        said.stderr.contains("no cluster to talk to"),
        "{}",
        said.stderr
    );
}

/// The guard in the cluster sees what the files don't have, and is not quoted twice.
#[test]
fn the_guard_in_the_cluster_says_the_same() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let alone = cluster.alone();
    let name = cluster.namespace("dry-guarded");
    cluster.apply(User::Admin, &drpolicy(&name)).ok();
    let guard = Guard::start(cluster, &[]);
    alone.install(&shipped(cluster, "manifests/base"));
    cluster.point_service_at(guard.port);
    cluster.set_ca_bundle(&guard.authority);

    let spec = json!({"spec": {
        "drPolicyRef": {"name": name}, "action": "Failover", "failoverCluster": "elsewhere",
    }});
    let stray = with(drpc(&name, "app"), spec);
    let said = check(cluster, User::Alice, std::slice::from_ref(&stray));
    let server = said.server();
    assert_eq!(said.code, 1);
    assert!(
        server.contains(&denied("spec.failoverCluster")),
        "{}",
        said.value
    );
    // What it knows of the cluster is news, and has its place.
    let missing = ("server-warning", "warn", "spec.drPolicyRef.name");
    let missing = (
        missing.0.to_owned(),
        missing.1.to_owned(),
        missing.2.to_owned(),
    );
    assert!(server.contains(&missing), "{}", said.value);
    let message = &said
        .found()
        .into_iter()
        .find(|it| it.0 == "server-dry-run")
        .expect("it")
        .3;
    assert!(
        message.contains("(drpc-failover-cluster-in-policy)"),
        "{message}"
    );
    // With the policy among the files the rule itself says so.
    let others = [drpolicy(&name), drcluster("east"), drcluster("west")];
    let objects = [&others[..], &[stray]].concat();
    let said = check(cluster, User::Alice, &objects);
    let refused = |said: &Said| said.server().contains(&denied("spec.failoverCluster"));
    assert_eq!((said.code, refused(&said)), (1, false), "{}", said.value);
    // Nor are its warnings said again.
    let spec = json!({"spec": {"drPolicyRef": {"name": name}, "pvcSelector": {}}});
    let said = check(cluster, User::Alice, &[with(drpc(&name, "app"), spec)]);
    let found = said.found();
    let mentions = |it: &&(String, String, String, String)| {
        it.0 == "drpc-pvcselector-empty" || it.3.contains("drpc-pvcselector-empty")
    };
    let mentioned: Vec<_> = found.iter().filter(mentions).collect();
    assert_eq!(mentioned.len(), 1, "{}", said.value);
    assert_eq!((said.code, &*mentioned[0].0), (0, "drpc-pvcselector-empty"));
}
