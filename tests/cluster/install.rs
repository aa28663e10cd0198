//! What an administrator applies, taken by the real API server; that the guard has the rights it needs
//! and no other; and how it is taken out of the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

use ramen_guard::world::Store;
use serde_json::{Value, json};

use crate::{
    certificates::{FAST, Fresh, NAMESPACE},
    fixtures::{drpolicy, list},
    guard::Guard,
    kubectl::Output,
    server::{Cluster, User, until},
    webhooks::shipped,
};

const OURS: &str = "app.kubernetes.io/name=ramen-guard";
const MARK: &str = "guard.ramendr.openshift.io/break-glass";
const CONFIGURATIONS: &str = "validatingwebhookconfigurations,mutatingwebhookconfigurations";
/// Kinds whose CRDs are not here: they belong to whom the overlay is for.
const FOREIGN: [&str; 2] = ["cert-manager.io", "monitoring.coreos.com"];
const ACCOUNT: &str = "system:serviceaccount:ramen-guard-system:ramen-guard";

/// The binary, for the cluster of the tests.
fn guard(cluster: &Cluster, args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
        .args(args)
        .env("KUBECONFIG", cluster.kubeconfig(User::Admin))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the binary starts")
}

/// What it prints, where it succeeds.
#[track_caller]
fn printed(cluster: &Cluster, args: &[&str]) -> String {
    let output = guard(cluster, args);
    assert!(
        output.status.success(),
        "{args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

fn parsed(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).expect("YAML")
}

/// The folders of a folder of `manifests/`.
fn folders(of: &str) -> BTreeSet<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("manifests")
        .join(of);
    let entries = fs::read_dir(path).expect("the folder is there");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.expect("it can be read").file_name();
        name.to_string_lossy().into_owned()
    };
    entries.map(name).collect()
}

/// Objects by what they are called, with every text's white space made one blank: kustomize lays folded
/// texts out anew.
fn by_name(objects: Vec<Value>) -> BTreeMap<String, Value> {
    fn even(value: &mut Value) {
        match value {
            Value::String(text) => {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            Value::Array(list) => list.iter_mut().for_each(even),
            Value::Object(map) => map.values_mut().for_each(even),
            _ => {}
        }
    }
    let named = objects.into_iter().map(|mut object| {
        even(&mut object);
        let metadata = &object["metadata"];
        let name = format!(
            "{} {}/{}",
            object["kind"], metadata["namespace"], metadata["name"]
        );
        (name, object)
    });
    named.collect()
}

/// The namespaces that Ramen is in, which none of these manifests makes.
fn ramens_namespaces(cluster: &Cluster) {
    let namespace =
        |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let namespaces = list(&["ramen-system", "openshift-operators"].map(namespace));
    cluster.apply(User::Admin, &namespaces).ok();
}

/// Applies the objects of the kinds that are served here. Those of the others, and only those, are not.
#[track_caller]
fn apply(cluster: &Cluster, objects: &[Value], args: &[&str]) -> String {
    let foreign = |object: &&Value| {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        FOREIGN.iter().any(|group| version.starts_with(group))
    };
    for object in objects.iter().filter(foreign) {
        let args = ["apply", "--dry-run=server", "-f", "-"];
        cluster
            .kubectl(User::Admin, &args, Some(&object.to_string()))
            .refused("no matches for kind");
    }
    let known: Vec<Value> = objects.iter().filter(|it| !foreign(it)).cloned().collect();
    let args = [&["apply", "--validate=strict", "-f", "-"], args].concat();
    let input = list(&known).to_string();
    cluster.kubectl(User::Admin, &args, Some(&input)).ok()
}

#[test]
fn the_command_prints_what_kustomize_builds() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    for overlay in folders("overlays") {
        let built = by_name(shipped(cluster, &format!("manifests/overlays/{overlay}")));
        let told = by_name(parsed(&printed(
            cluster,
            &["manifests", "--overlay", &overlay],
        )));
        assert_eq!(
            built.keys().collect::<Vec<_>>(),
            told.keys().collect::<Vec<_>>(),
            "{overlay}"
        );
        for (name, object) in &built {
            assert_eq!(Some(object), told.get(name), "{overlay}: {name}");
        }
    }
    // Each component can be put on each site, and everything at once.
    let mut all = Vec::new();
    for added in folders("components").union(&folders("optional")) {
        for site in ["hub", "managed-cluster"] {
            let args = ["manifests", "--overlay", site, "--overlay", added];
            assert!(!parsed(&printed(cluster, &args)).is_empty());
        }
        all.extend(["--overlay".to_owned(), added.clone()]);
    }
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let told = parsed(&printed(cluster, &[&["manifests"], &all[..]].concat()));
    let is_configuration = |object: &Value| {
        let kind = object["kind"].as_str().unwrap_or_default();
        kind.ends_with("WebhookConfiguration")
    };
    assert!(
        told.is_sorted_by_key(is_configuration),
        "the webhooks come last"
    );
}

#[test]
fn the_api_server_takes_the_base_and_every_overlay() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    ramens_namespaces(cluster);
    let mut folders: Vec<String> = folders("overlays")
        .iter()
        .map(|overlay| format!("manifests/overlays/{overlay}"))
        .collect();
    folders.push("manifests/base".to_owned());
    for folder in folders {
        let objects = shipped(cluster, &folder);
        apply(cluster, &objects, &["--dry-run=server"]);
        let stored = || {
            let told = apply(cluster, &objects, &["-o", "json"]);
            let told: Value = serde_json::from_str(&told).expect("JSON");
            told["items"].clone()
        };
        assert_eq!(
            stored(),
            stored(),
            "{folder}: applying again changes something"
        );
        let owned = ["delete", CONFIGURATIONS, "-l", OURS];
        fresh.admin(&owned);
        forget_rights(cluster);
    }
    drop(fresh);
}

/// Takes away what an overlay gave, so that the next one is seen by itself.
fn forget_rights(cluster: &Cluster) {
    for kinds in [
        "clusterrolebindings,clusterroles",
        "rolebindings,roles,deployments,services,networkpolicies,poddisruptionbudgets,configmaps,serviceaccounts",
    ] {
        let args = ["delete", kinds, "--all-namespaces", "-l", OURS];
        let args = if kinds.starts_with("cluster") {
            [&args[..2], &args[3..]].concat()
        } else {
            args.to_vec()
        };
        cluster.kubectl(User::Admin, &args, None).ok();
    }
}

/// The role that is for reading names just the kinds that are watched.
#[test]
fn the_guard_may_read_just_what_it_watches() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let base = shipped(cluster, "manifests/base");
    let role = base
        .iter()
        .find(|it| it["kind"] == "ClusterRole" && it["metadata"]["name"] == "ramen-guard-world");
    let rules = role.expect("the role")["rules"].as_array().expect("rules");
    let (mut granted, mut listed) = (BTreeSet::new(), BTreeSet::new());
    for rule in rules {
        let group = rule["apiGroups"][0].as_str().expect("a group");
        let watches = rule["verbs"] == json!(["get", "list", "watch"]);
        assert!(watches || rule["verbs"] == json!(["list"]), "{rule}");
        for resource in rule["resources"].as_array().expect("resources") {
            let resource = resource.as_str().expect("a name");
            let name = format!("{resource}.{group}");
            let kinds = if watches { &mut granted } else { &mut listed };
            kinds.insert(name);
            assert_eq!(resource == "configmaps", rule["resourceNames"].is_array());
        }
    }
    let watched = Store::kinds().into_iter().filter(|kind| kind.watched);
    let watched: BTreeSet<String> = watched
        .map(|kind| format!("{}.{}", kind.plural, kind.group))
        .collect();
    assert_eq!(granted, watched);
    // The audit lists every kind of Ramen's.
    let crds = cluster.get_json(&["crd"]);
    let crds = crds["items"].as_array().expect("a list").iter();
    let names = crds.filter_map(|crd| crd["metadata"]["name"].as_str());
    let ramens: BTreeSet<String> = names
        .filter(|name| name.ends_with(".ramendr.openshift.io"))
        .map(str::to_owned)
        .collect();
    let known: BTreeSet<String> = granted.union(&listed).cloned().collect();
    assert!(
        ramens.is_subset(&known) && listed.is_subset(&ramens),
        "{ramens:?}"
    );
}

/// `kubectl auth can-i`, as the guard.
fn can(cluster: &Cluster, question: &str) -> bool {
    let words: Vec<&str> = question.split_whitespace().collect();
    let args = [&["auth", "can-i", "--as", ACCOUNT, "--quiet"], &words[..]].concat();
    let Output { code, stderr, .. } = cluster.kubectl(User::Admin, &args, None);
    assert!(
        code == 0 || stderr.is_empty() || stderr.contains("Warning"),
        "{question}: {stderr}"
    );
    code == 0
}

#[test]
fn the_guard_has_the_rights_it_needs_and_no_other() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    ramens_namespaces(cluster);
    apply(cluster, &shipped(cluster, "manifests/overlays/hub"), &[]);
    fresh.admin(&["delete", CONFIGURATIONS, "-l", OURS]);
    let known = until(|| can(cluster, "list drpolicies.ramendr.openshift.io"));
    assert!(known, "the rights do not arrive");

    for yes in [
        "watch drplacementcontrols.ramendr.openshift.io -A",
        "get configmap/ramen-hub-operator-config -n openshift-operators",
        "watch configmap/ramen-dr-cluster-operator-config -n ramen-system",
        "patch configmap/ramen-hub-operator-config -n ramen-system",
        "patch drpolicies.ramendr.openshift.io",
        "patch drplacementcontrols.ramendr.openshift.io -n app",
        "get secret/ramen-guard-certificate -n ramen-guard-system",
        "update secret/ramen-guard-certificate -n ramen-guard-system",
        "create secrets -n ramen-guard-system",
        "update lease/ramen-guard -n ramen-guard-system",
        "patch validatingwebhookconfiguration/ramen-guard",
        "patch mutatingwebhookconfiguration/ramen-guard",
        "patch validatingwebhookconfiguration/ramen-guard-delete",
        "create events.events.k8s.io -n default",
        "get namespace/ramen-guard-system",
        "list maintenancemodes.ramendr.openshift.io",
        "patch configmap/ramen-guard-status -n ramen-guard-system",
        "patch placementrules.apps.open-cluster-management.io -n app",
        "create drpolicies.ramendr.openshift.io",
    ] {
        assert!(can(cluster, yes), "may not {yes}");
    }
    for no in [
        "get secrets -n ramen-system",
        "get secret/other -n ramen-guard-system",
        "list secrets -n ramen-guard-system",
        "delete secret/ramen-guard-certificate -n ramen-guard-system",
        "list configmaps -n ramen-system",
        "get configmap/other -n ramen-system",
        "patch configmap/ramen-hub-operator-config -n openshift-operators",
        "patch configmap/ramen-dr-cluster-operator-config -n ramen-system",
        "update drpolicies.ramendr.openshift.io",
        "delete drpolicies.ramendr.openshift.io",
        "create drclusters.ramendr.openshift.io",
        "create drplacementcontrols.ramendr.openshift.io -n app",
        "patch configmap/ramen-guard -n ramen-guard-system",
        "patch drplacementcontrols.ramendr.openshift.io -n app --subresource=status",
        "patch volumereplicationgroups.ramendr.openshift.io -n app",
        "create validatingwebhookconfigurations",
        "delete validatingwebhookconfiguration/ramen-guard",
        "patch validatingwebhookconfiguration/other",
        "update lease/other -n ramen-guard-system",
        "patch namespace/ramen-guard-system",
        "get namespace/default",
        "get pods -n ramen-guard-system",
        "patch deployment/ramen-guard -n ramen-guard-system",
        "create clusterrolebindings",
        "impersonate users",
    ] {
        assert!(!can(cluster, no), "may {no}");
    }
    forget_rights(cluster);
    drop(fresh);
}

/// Runs as the account that the manifests make, with the arguments that they give it.
#[test]
fn the_guard_lives_on_the_rights_that_the_manifests_give() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    ramens_namespaces(cluster);
    let objects = shipped(cluster, "manifests/overlays/hub");
    apply(cluster, &objects, &[]);
    let token = fresh.admin(&["create", "token", "ramen-guard", "-n", NAMESPACE]);
    let admin = fs::read_to_string(cluster.kubeconfig(User::Admin)).expect("a kubeconfig");
    let lines = admin.lines().map(|line| match line.split_once("token:") {
        Some((indent, _)) => format!("{indent}token: {}\n", token.trim()),
        None => format!("{line}\n"),
    });
    let kubeconfig = cluster.folder.join("account.kubeconfig");
    fs::write(&kubeconfig, lines.collect::<String>()).expect("it can be written");

    let config = objects
        .iter()
        .find(|it| it["kind"] == "ConfigMap" && it["metadata"]["name"] == "ramen-guard");
    let text = config.expect("the configuration")["data"]["config.yaml"].clone();
    let file = cluster.folder.join("config.yaml");
    fs::write(&file, text.as_str().expect("text")).expect("it can be written");
    let config = format!("--config={}", file.display());
    let guard = Guard::pod_as(cluster, &kubeconfig, &[&config, "--linger=1", FAST]).ready();
    cluster.point_service_at(guard.port);

    let leads = until(|| guard.metric("ramen_guard_leader ") == Some(1.0));
    assert!(leads, "it does not lead: {:?}", guard.said("Lease"));
    let trusted = until(|| guard.metric("ramen_guard_ca_bundle_missing ") == Some(0.0));
    assert!(
        trusted,
        "it does not write caBundle: {:?}",
        guard.said("aBundle")
    );
    cluster.settle().unwrap();
    let name = cluster.name("rights");
    let mut twice = drpolicy(&name);
    twice["spec"]["drClusters"] = json!(["east", "east"]);
    cluster
        .apply(User::Alice, &twice)
        .refused("drpolicy-drclusters-distinct");
    cluster.apply(User::Alice, &drpolicy(&name)).ok();
    let policy = cluster.get_json(&["drpolicy", &name]);
    let label = &policy["metadata"]["labels"]["cluster.open-cluster-management.io/backup"];
    assert_eq!(label, "ramen");
    // What it does now and then, it may do, too.
    let reached = until(|| guard.metric("ramen_guard_probe_success ") == Some(1.0));
    assert!(reached, "the probe fails: {:?}", guard.said("probe"));
    let status = ["configmap", "ramen-guard-status", "-n", NAMESPACE];
    let audited = until(|| {
        let args = [&["get", "-o", "jsonpath={.data.audit}"], &status[..]].concat();
        let told = cluster.kubectl(User::Admin, &args, None).stdout;
        told.starts_with("at ") && !told.contains("not audited")
    });
    assert!(audited, "it does not audit: {:?}", guard.said("can't"));
    assert_eq!(guard.said("orbidden"), Vec::<String>::new());

    fresh.admin(&["delete", CONFIGURATIONS, "-l", OURS]);
    cluster.delete(User::Admin, &["drpolicy", &name]).ok();
    guard.terminate();
    forget_rights(cluster);
    drop(fresh);
}

/// With the users and groups of a configuration no write of theirs waits for the guard.
#[test]
fn who_the_configuration_trusts_does_not_wait_for_the_guard() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let alone = cluster.alone();
    let name = cluster.name("trusted");
    let file = cluster.folder.join("trusting.yaml");
    for (config, passes) in [
        ("trusted: { users: [bob] }", false),
        ("trusted: { users: [\"o'neil\", alice] }", true),
        ("trusted: { groups: [developers, 'it''s \\ odd'] }", true),
        ("profile: observe", true),
    ] {
        fs::write(&file, config).expect("it can be written");
        let file = file.to_str().expect("a plain path");
        let manifests = parsed(&printed(cluster, &["manifests", "--config", file]));
        let configured = manifests
            .iter()
            .find(|it| it["kind"] == "ConfigMap" && it["metadata"]["name"] == "ramen-guard");
        assert_eq!(
            configured.expect("a ConfigMap")["data"]["config.yaml"],
            config
        );
        let configurations: Vec<Value> = manifests
            .into_iter()
            .filter(|it| {
                it["kind"]
                    .as_str()
                    .is_some_and(|kind| kind.ends_with("WebhookConfiguration"))
            })
            .collect();
        alone.install(&configurations);
        let write = cluster.apply(User::Alice, &drpolicy(&name));
        assert_eq!(write.code == 0, passes, "{config}: {}", write.stderr);
        // Whoever else there is waits, unless nobody does.
        let other = cluster.apply(User::Admin, &drpolicy(&cluster.name("waits")));
        assert_eq!(other.code == 0, config.starts_with("profile"), "{config}");
    }
    drop(alone);
}

/// The configurations that are there, by name.
fn configurations(cluster: &Cluster) -> Vec<String> {
    let all = cluster.get_json(&[CONFIGURATIONS, "-l", OURS]);
    let items = all["items"].as_array().expect("a list").iter();
    items
        .map(|it| it["metadata"]["name"].as_str().unwrap_or("").to_owned())
        .collect()
}

#[test]
fn break_glass_takes_a_dead_guard_out_of_the_way() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    let path = format!(
        "{}:{}",
        cluster.programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    for by_hand in [false, true] {
        fresh.mark(false);
        let mut base = shipped(cluster, "manifests/base");
        base.push(legacy());
        fresh.alone.install(&base);
        let name = cluster.name("glass");
        cluster
            .apply(User::Alice, &drpolicy(&name))
            .refused("failed calling webhook");

        let args = ["break-glass", "--reason", "it's the fire drill"];
        let said = if by_hand {
            // The commands that it prints, by a shell.
            let script = printed(cluster, &args);
            let shell = Command::new("sh")
                .args(["-ec", &script])
                .env("PATH", &path)
                .env("KUBECONFIG", cluster.kubeconfig(User::Admin))
                .output()
                .expect("a shell");
            let stderr = String::from_utf8_lossy(&shell.stderr).into_owned();
            assert!(shell.status.success(), "{stderr}");
            String::new()
        } else {
            printed(cluster, &[&args[..], &["--yes"]].concat())
        };

        assert_eq!(configurations(cluster), Vec::<String>::new());
        let namespace = cluster.get_json(&["namespace", NAMESPACE]);
        let mark = namespace["metadata"]["annotations"][MARK].clone();
        let mark = mark.as_str().expect("a mark");
        assert!(mark.ends_with("Z: it's the fire drill"), "{mark}");
        if !by_hand {
            for line in [
                "deleted ValidatingWebhookConfiguration ramen-guard\n",
                "deleted ValidatingWebhookConfiguration ramen-guard-managed\n",
                "deleted MutatingWebhookConfiguration ramen-guard\n",
                "left alone: ValidatingWebhookConfiguration ramen-hub-validating-webhook-configuration judges",
            ] {
                assert!(said.contains(line), "{line:?} is not in {said}");
            }
        }
        fresh.admin(&["delete", "validatingwebhookconfiguration", LEGACY]);
        cluster.settle().unwrap();
        cluster.apply(User::Alice, &drpolicy(&name)).ok();
        cluster.delete(User::Admin, &["drpolicy", &name]).ok();
    }
    fresh.mark(false);
    drop(fresh);
}

/// The commands of a guide: its blocks of `sh`. Those of `console` take more than an API server.
pub(crate) fn commands(guide: &str) -> Vec<String> {
    let (mut blocks, mut open) = (Vec::new(), None);
    for line in guide.lines() {
        let text = line.trim_start();
        match (&mut open, text) {
            (None, "```sh") => open = Some((line.len() - text.len(), String::new())),
            (Some(_), "```") => blocks.extend(open.take().map(|(_, block)| block)),
            (Some((indent, block)), _) => {
                block.push_str(line.get(*indent..).unwrap_or_default());
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

/// The guides say what works: every command in them is run.
#[test]
fn the_guides_say_what_works() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    ramens_namespaces(cluster);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root.join("examples"), folder.path().join("examples"))
        .expect("a link");
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_ramen-guard"));
    let path = format!(
        "{}:{}:{}",
        binary.parent().expect("a folder").display(),
        cluster.programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut run = 0;
    for guide in [
        "install",
        "break-glass",
        "upgrade",
        "gitops",
        "restore",
        "pipelines",
        "shells",
    ] {
        let text = fs::read_to_string(root.join(format!("docs/{guide}.md"))).expect("the guide");
        for block in commands(&text) {
            let shell = Command::new("bash")
                .args(["-euo", "pipefail", "-c", &block])
                .env("PATH", &path)
                .env("KUBECONFIG", cluster.kubeconfig(User::Admin))
                .env("HOME", folder.path())
                .current_dir(folder.path())
                .output()
                .expect("a shell");
            let (stdout, stderr) = (
                String::from_utf8_lossy(&shell.stdout),
                String::from_utf8_lossy(&shell.stderr),
            );
            assert!(
                shell.status.success(),
                "docs/{guide}.md:\n{block}\n{stdout}{stderr}"
            );
            run += 1;
        }
    }
    assert!(run >= 10, "only {run} blocks");
    fresh.admin(&["delete", CONFIGURATIONS, "-l", OURS]);
    forget_rights(cluster);
    fresh.mark(false);
    drop(fresh);
}

/// What Ramen's own webhooks of 2022 to 2024 left behind.
const LEGACY: &str = "ramen-hub-validating-webhook-configuration";

fn legacy() -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": LEGACY},
        "webhooks": [{
            "name": "vdrplacementcontrol.kb.io",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"namespace": "ramen-system", "name": "gone"}},
            "failurePolicy": "Ignore",
            "sideEffects": "None",
            "rules": [{
                "apiGroups": ["ramendr.openshift.io"],
                "apiVersions": ["v1alpha1"],
                "operations": ["CREATE"],
                "resources": ["drplacementcontrols"],
            }],
        }],
    })
}

#[test]
fn uninstall_leaves_nothing_that_anybody_waits_for() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let fresh = Fresh::new(cluster);
    ramens_namespaces(cluster);
    apply(cluster, &shipped(cluster, "manifests/overlays/hub"), &[]);
    let said = printed(cluster, &["uninstall", "--yes"]);
    let order = [
        "deleted ValidatingWebhookConfiguration ramen-guard\n",
        "deleted Role ramen-system/ramen-guard-ramen-config\n",
        "deleted ClusterRole ramen-guard-world\n",
        "deleted Namespace ramen-guard-system\n",
    ];
    let places: Vec<_> = order.iter().map(|line| said.find(line)).collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{said}"
    );
    let left = fresh.admin(&[
        "get",
        "clusterroles,clusterrolebindings,validatingwebhookconfigurations,mutatingwebhookconfigurations",
        "-l",
        OURS,
        "-o",
        "name",
    ]);
    assert_eq!(left, "");
    // Nobody here empties a namespace that goes.
    let kinds =
        "deployments,services,networkpolicies,poddisruptionbudgets,configmaps,serviceaccounts";
    fresh.admin(&["delete", kinds, "-n", NAMESPACE, "-l", OURS]);
    let mut namespace = cluster.get_json(&["namespace", NAMESPACE]);
    assert!(namespace["metadata"]["deletionTimestamp"].is_string());
    namespace["spec"]["finalizers"] = json!([]);
    let finalize = format!("/api/v1/namespaces/{NAMESPACE}/finalize");
    let args = ["replace", "--raw", &finalize, "-f", "-"];
    cluster
        .kubectl(User::Admin, &args, Some(&namespace.to_string()))
        .ok();
    // Again there is nothing to do, and that is no failure.
    assert_eq!(printed(cluster, &["uninstall", "--yes"]), "");
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    cluster.apply(User::Admin, &namespace).ok();
    drop(fresh);
}

/// Every metric that an alert or a panel asks for is one that the guard has.
#[test]
fn monitoring_asks_for_metrics_that_there_are() {
    fn sources(folder: PathBuf, text: &mut String) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                sources(path, text);
            } else {
                text.push_str(&fs::read_to_string(path).expect("text"));
            }
        }
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let (mut code, mut asked) = (String::new(), String::new());
    sources(root.join("src"), &mut code);
    sources(root.join("manifests/components/monitoring"), &mut asked);
    let names: BTreeSet<&str> = asked
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("ramen_guard_"))
        .map(|word| word.strip_suffix("_bucket").unwrap_or(word))
        .collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(code.contains(&format!("\"{name}\"")), "there is no {name}");
    }
    let dashboard = fs::read_to_string(root.join("manifests/components/monitoring/dashboard.yaml"));
    let dashboard: Value = serde_saphyr::from_str(&dashboard.expect("text")).expect("YAML");
    let json = dashboard["data"]["ramen-guard.json"]
        .as_str()
        .expect("JSON");
    let dashboard: Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(dashboard["uid"], "ramen-guard");
}
