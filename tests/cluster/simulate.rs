//! `simulate` on a real hub: what it says, what it may read, and that it changes nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ramen_guard::world::Store;
use serde_json::{Value, json};

use crate::{
    fixtures::{drcluster, drpc, drpolicy, list, with},
    install::commands,
    server::{Cluster, User, until},
};

const NOW: &str = "2026-01-15T10:00:00Z";

/// The binary, with this kubeconfig: its exit code, and what it says.
fn guard(kubeconfig: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
        .arg("simulate")
        .args(args)
        .env("KUBECONFIG", kubeconfig)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Puts objects into the cluster, with their status.
#[track_caller]
fn store(cluster: &Cluster, objects: &[Value]) {
    cluster.apply(User::Admin, &list(objects)).ok();
    let reported: Vec<Value> = objects
        .iter()
        .filter(|object| object.get("status").is_some())
        .map(|object| {
            let metadata = &object["metadata"];
            json!({
                "apiVersion": object["apiVersion"],
                "kind": object["kind"],
                "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
                "status": object["status"],
            })
        })
        .collect();
    let args = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--subresource=status",
        "--validate=ignore",
        "-f",
        "-",
    ];
    let reported = list(&reported).to_string();
    cluster.kubectl(User::Admin, &args, Some(&reported)).ok();
}

fn condition(type_: &str, status: &str) -> Value {
    json!({
        "type": type_, "status": status, "reason": "Reason", "message": "said",
        "observedGeneration": 1, "lastTransitionTime": NOW,
    })
}

/// Two clusters that share their storage, and three applications, under names that nobody else has.
struct Hub<'a> {
    cluster: &'a Cluster,
    name: String,
}

impl<'a> Hub<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        let name = cluster.namespace("simulate");
        let (one, two) = (format!("{name}-one"), format!("{name}-two"));
        let classes =
            json!({"peerClasses": [{"storageClassName": "sc", "clusterIDs": ["a", "b"]}]});
        let policy = with(
            drpolicy(&name),
            json!({
                "spec": {"drClusters": [one, two], "schedulingInterval": ""},
                "status": {"conditions": [condition("Validated", "True")], "sync": classes},
            }),
        );
        let clusters = [&one, &two].map(|name| {
            with(drcluster(name), json!({
                "status": {"phase": "Available", "conditions": [condition("Validated", "True"), condition("Fenced", "False")]},
            }))
        });
        let app = |app: &str, ready: &str| {
            let placement = json!({
                "apiVersion": "cluster.open-cluster-management.io/v1beta1",
                "kind": "Placement",
                "metadata": {"name": app, "namespace": name, "annotations": {
                    "cluster.open-cluster-management.io/experimental-scheduling-disable": "true"}},
                "spec": {"numberOfClusters": 1},
            });
            let drpc = with(
                drpc(&name, app),
                json!({
                    "metadata": {"annotations": {
                        "drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster": one,
                        "drplacementcontrol.ramendr.openshift.io/app-namespace": name,
                    }},
                    "spec": {
                        "drPolicyRef": {"name": name}, "placementRef": {"name": app}, "preferredCluster": one,
                        "pvcSelector": {"matchLabels": {"app": app}},
                    },
                    "status": {
                        "phase": "Deployed", "progression": "Completed", "observedGeneration": 1,
                        "lastUpdateTime": NOW,
                        "conditions": [condition("Available", "True"), condition("PeerReady", ready), condition("Protected", "True")],
                    },
                }),
            );
            [drpc, placement]
        };
        let [a, b, c] = [
            app("well", "True"),
            app("unready", "False"),
            app("third", "True"),
        ];
        let objects = [
            vec![policy],
            clusters.to_vec(),
            a.to_vec(),
            b.to_vec(),
            c.to_vec(),
        ]
        .concat();
        store(cluster, &objects);
        Self { cluster, name }
    }

    /// The resource version of each object that a simulation is about.
    fn versions(&self) -> BTreeMap<String, String> {
        let mut versions = BTreeMap::new();
        for kinds in ["drplacementcontrols,placements", "drpolicies,drclusters"] {
            let found = self.cluster.get_json(&[kinds, "-n", &self.name]);
            for object in found["items"].as_array().unwrap() {
                let metadata = &object["metadata"];
                let name = metadata["name"].as_str().unwrap();
                // Other tests have clusters and policies of their own.
                if metadata["namespace"] == *self.name || name.starts_with(&self.name) {
                    let version = metadata["resourceVersion"].as_str().unwrap();
                    versions.insert(format!("{} {name}", object["kind"]), version.to_owned());
                }
            }
        }
        versions
    }

    /// What is said in JSON, of one simulation; and its exit code.
    #[track_caller]
    fn ask(&self, args: &[&str]) -> (Option<i32>, Value) {
        let args = [args, &["-o", "json", "--now", NOW]].concat();
        let (code, said, error) = guard(&self.cluster.kubeconfig(User::Admin), &args);
        let said: Value =
            serde_json::from_str(&said).unwrap_or_else(|_| panic!("{args:?}: {said}{error}"));
        (code, said["simulations"][0].clone())
    }
}

#[track_caller]
fn row<'a>(said: &'a Value, check: &str) -> &'a Value {
    let mut rows = said["readiness"].as_array().unwrap().iter();
    rows.find(|row| row["check"] == check)
        .unwrap_or_else(|| panic!("no {check}: {said:#}"))
}

#[test]
fn a_hub_is_asked_and_left_as_it_is() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let hub = Hub::new(cluster);
    let before = hub.versions();
    assert_eq!(before.len(), 9, "{before:?}");
    let name = &*hub.name;
    let (one, two) = (format!("{name}-one"), format!("{name}-two"));

    let (code, said) = hub.ask(&["failover", "well", "-n", name]);
    assert_eq!(
        (code, &said["verdict"]),
        (Some(0), &json!("warned")),
        "{said:#}"
    );
    assert_eq!(said["cluster"], *two);
    assert_eq!(
        said["findings"][0]["rule"],
        "drpc-metro-failover-not-fenced"
    );
    assert_eq!(row(&said, "phase")["value"], "Deployed, Completed");
    assert_eq!(row(&said, "fence")["state"], "waits");
    assert_eq!(row(&said, "in-the-way")["state"], "ok", "{said:#}");
    // Nobody has made ManagedClusters, and all of them were listed.
    assert_eq!(
        row(&said, "managed-cluster")["value"],
        format!("there is no ManagedCluster \"{one}\"")
    );

    let (code, said) = hub.ask(&[
        "relocate",
        "unready",
        "-n",
        name,
        "--to",
        &two,
        "--fail-on",
        "warn",
    ]);
    assert_eq!(code, Some(3));
    assert_eq!(row(&said, "peer-ready")["state"], "waits");
    assert_eq!(
        said["patch"],
        json!({"spec": {"action": "Relocate", "preferredCluster": two}})
    );

    let (code, said) = hub.ask(&["failover", "third", "-n", name, "--to", "mars"]);
    assert_eq!((code, &said["allowed"]), (Some(1), &json!(false)));

    let (code, said) = hub.ask(&["fence", &one]);
    assert_eq!(code, Some(0));
    let hit = row(&said, "runs-here")["objects"]
        .as_array()
        .unwrap()
        .iter();
    let hit: Vec<&str> = hit.map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(hit, ["third", "unready", "well"]);

    let (code, _, error) = guard(
        &cluster.kubeconfig(User::Admin),
        &["failover", "wel", "-n", name],
    );
    assert_eq!(code, Some(2));
    assert!(
        error.contains(&format!("did you mean \"{name}/well\"?")),
        "{error}"
    );

    assert_eq!(hub.versions(), before, "something was changed");

    // What is said is what the API server holds: once it is really done, there is nothing left to do.
    let done = json!({"spec": {"action": "Failover", "failoverCluster": two}});
    cluster
        .patch(User::Alice, &["drpc", "well", "-n", name], &done)
        .ok();
    let (code, said) = hub.ask(&["failover", "well", "-n", name, "--to", &two]);
    assert_eq!((code, &said["verdict"]), (Some(0), &json!("unchanged")));
    assert_eq!(row(&said, "status")["state"], "waits");
}

/// To list what is watched is all it takes: no Secret, and no right to change anything.
#[test]
fn listing_is_all_it_takes() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _undisturbed = cluster.undisturbed();
    let hub = Hub::new(cluster);
    let reader = cluster.name("reader");
    let rules: Vec<Value> = Store::kinds()
        .into_iter()
        .filter(|kind| kind.watched)
        .map(|kind| json!({"apiGroups": [kind.group], "resources": [kind.plural], "verbs": ["list"]}))
        .collect();
    assert!(
        rules
            .iter()
            .all(|rule| rule["resources"] != json!(["secrets"]))
    );
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": reader}, "rules": rules,
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": reader},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": reader},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": reader}],
    });
    let as_reader = fs::read_to_string(cluster.kubeconfig(User::Admin)).unwrap();
    let as_reader = as_reader.replace("      token:", &format!("      as: {reader}\n      token:"));
    let kubeconfig = cluster.folder.join(format!("{reader}.kubeconfig"));
    fs::write(&kubeconfig, as_reader).unwrap();
    let ask = || guard(&kubeconfig, &["failover", "well", "-n", &hub.name]);

    let (code, _, error) = ask();
    assert_eq!(code, Some(2));
    assert!(error.contains("forbidden"), "{error}");
    cluster.apply(User::Admin, &list(&[role, binding])).ok();
    let mut last = (None, String::new(), String::new());
    let done = until(|| {
        last = ask();
        last.0 == Some(0)
    });
    assert!(done, "{last:?}");
    assert!(
        last.1.contains("guard: accepted with 1 warning"),
        "{}",
        last.1
    );
}

/// The guide says what works: every command in it is run, on the hub of its example.
#[test]
fn the_guide_says_what_works() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _alone = cluster.alone();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut objects: Vec<Value> = Vec::new();
    for file in ["hub", "apps"] {
        let text = fs::read_to_string(root.join(format!("examples/simulate/{file}.yaml"))).unwrap();
        objects.extend(serde_saphyr::from_multiple::<Value>(&text).unwrap());
    }
    let stamped: Vec<Value> = objects.into_iter().map(stamped).collect();
    let mut namespaces: Vec<&str> = stamped
        .iter()
        .filter_map(|object| object["metadata"]["namespace"].as_str())
        .collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let made = namespaces
        .iter()
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    cluster
        .apply(User::Admin, &list(&made.collect::<Vec<_>>()))
        .ok();
    store(cluster, &stamped);

    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root.join("examples"), folder.path().join("examples")).unwrap();
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_ramen-guard"));
    let path = format!(
        "{}:{}:{}",
        binary.parent().unwrap().display(),
        cluster.programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let guide = fs::read_to_string(root.join("docs/simulate.md")).unwrap();
    let blocks = commands(&guide);
    assert!(blocks.len() >= 7, "only {}", blocks.len());
    let mut said = String::new();
    for block in blocks {
        let shell = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &block])
            .env("PATH", &path)
            .env("KUBECONFIG", cluster.kubeconfig(User::Admin))
            .current_dir(folder.path())
            .output()
            .unwrap();
        said += &String::from_utf8_lossy(&shell.stdout);
        let error = String::from_utf8_lossy(&shell.stderr);
        assert!(shell.status.success(), "{block}\n{said}{error}");
    }
    // What the guide shows is what comes out.
    let shown = guide
        .split("```text\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    for line in shown.unwrap().lines().filter(|line| *line != "...") {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = squeezed(line);
        assert!(
            said.lines().any(|said| squeezed(said) == line),
            "{line:?} is not in\n{said}"
        );
    }
    let owned = list(&stamped).to_string();
    cluster
        .kubectl(
            User::Admin,
            &["delete", "--wait=false", "-f", "-"],
            Some(&owned),
        )
        .ok();
}

/// The object with what the API server wants of each condition.
fn stamped(mut object: Value) -> Value {
    for place in [
        "/status/conditions",
        "/status/resourceConditions/conditions",
    ] {
        let conditions = object.pointer_mut(place).and_then(Value::as_array_mut);
        for condition in conditions.into_iter().flatten() {
            condition["lastTransitionTime"] = NOW.into();
            if condition.get("message").is_none() {
                condition["message"] = "".into();
            }
        }
    }
    object
}
