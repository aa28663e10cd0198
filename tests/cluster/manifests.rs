//! The manifests themselves.

use std::collections::HashSet;

use ramen_guard::{
    api::{self, Kind},
    policy::{self, Contract, Operation},
};
use serde_json::{Value, json};

use crate::{
    server::{Cluster, User},
    webhooks::{manifest, shipped},
};

const CONFIGURATIONS: [&str; 8] = [
    "manifests/base/validating.yaml",
    "manifests/base/managed.yaml",
    "manifests/base/mutating.yaml",
    "manifests/optional/delete-guard/delete-guard.yaml",
    "manifests/optional/excluded-resources/excluded-resources.yaml",
    "manifests/optional/network-mappings/network-mappings.yaml",
    "manifests/optional/placements/placements.yaml",
    "manifests/optional/s3-secrets/s3-secrets.yaml",
];

/// The folders of what is for who wants it.
pub(crate) const OPTIONAL: [&str; 5] = [
    "manifests/optional/delete-guard",
    "manifests/optional/excluded-resources",
    "manifests/optional/network-mappings",
    "manifests/optional/placements",
    "manifests/optional/s3-secrets",
];

fn webhooks(manifest: &Value) -> &[Value] {
    manifest["webhooks"].as_array().expect("webhooks")
}

/// The expressions of an entry, in order, with spaces where they had line breaks.
fn conditions(webhook: &Value) -> Vec<(String, String)> {
    let conditions = webhook["matchConditions"]
        .as_array()
        .expect("conditions")
        .iter();
    let text = |value: &Value| {
        let words = value.as_str().expect("text").split_whitespace();
        words.collect::<Vec<_>>().join(" ")
    };
    conditions
        .map(|it| (text(&it["name"]), text(&it["expression"])))
        .collect()
}

/// `x` of `!( x )`.
fn negated(expression: &str) -> &str {
    let inner = expression
        .strip_prefix("!( ")
        .and_then(|it| it.strip_suffix(" )"));
    inner.unwrap_or_else(|| panic!("not of the form !( x ): {expression}"))
}

/// No request can reach both entries: the one is, word for word, what the other is not.
#[test]
fn recovery_is_what_strict_leaves_out() {
    let validating = manifest(CONFIGURATIONS[0]);
    let [strict, recovery] = webhooks(&validating) else {
        panic!("two entries")
    };
    let left_out: Vec<_> = conditions(strict)
        .iter()
        .map(|(_, expression)| format!("( {} )", negated(expression)))
        .collect();
    let (name, expression) = conditions(recovery).swap_remove(0);
    assert_eq!((&*name, expression), ("not-strict", left_out.join(" || ")));
}

/// All that is not about those conditions is the same for every entry, but for what it says here.
#[test]
fn entries_are_bounded_and_without_side_effects() {
    let mut said = Vec::new();
    for path in CONFIGURATIONS {
        let manifest = manifest(path);
        assert_eq!(
            manifest["metadata"]["labels"]["app.kubernetes.io/name"],
            "ramen-guard"
        );
        for webhook in webhooks(&manifest) {
            let service = &webhook["clientConfig"]["service"];
            assert_eq!(service["name"], "ramen-guard");
            assert_eq!(service["namespace"], "ramen-guard-system");
            assert_eq!(service["port"], 443);
            // The guard owns it: a key here would be drift.
            assert_eq!(webhook["clientConfig"].get("caBundle"), None);
            assert_eq!(webhook["sideEffects"], "None");
            assert_eq!(webhook["matchPolicy"], "Equivalent");
            // Nor is the guard asked about itself, should it ever be what is in the way.
            assert_eq!(
                webhook["namespaceSelector"]["matchExpressions"],
                json!([{"key": "kubernetes.io/metadata.name", "operator": "NotIn",
                    "values": ["ramen-guard-system"]}])
            );
            for rule in webhook["rules"].as_array().expect("rules") {
                assert_narrow(webhook, rule);
            }
            let name = webhook["name"].as_str().expect("a name").split('.').next();
            let (path, policy) = (&service["path"], &webhook["failurePolicy"]);
            let operations = &webhook["rules"][0]["operations"];
            said.push(format!(
                "{} {path} {policy} {} {operations}",
                name.unwrap_or_default(),
                webhook["timeoutSeconds"]
            ));
        }
    }
    assert_eq!(
        said,
        [
            r#"strict "/validate" "Fail" 3 ["CREATE","UPDATE"]"#,
            r#"recovery "/validate" "Ignore" 3 ["CREATE","UPDATE"]"#,
            r#"managed "/validate" "Ignore" 2 ["CREATE","UPDATE"]"#,
            r#"config "/validate" "Ignore" 2 ["CREATE","UPDATE"]"#,
            r#"mutate "/mutate" "Ignore" 2 ["CREATE","UPDATE"]"#,
            r#"mutate-managed "/mutate" "Ignore" 2 ["UPDATE"]"#,
            r#"unchangeable "/mutate" "Fail" 2 ["UPDATE"]"#,
            r#"delete "/validate" "Ignore" 2 ["DELETE"]"#,
            r#"delete-config "/validate" "Ignore" 2 ["DELETE"]"#,
            r#"excluded-resources "/validate" "Ignore" 2 ["CREATE","UPDATE"]"#,
            r#"network-mappings "/validate" "Ignore" 2 ["CREATE","UPDATE","DELETE"]"#,
            r#"placements "/validate" "Ignore" 2 ["UPDATE","DELETE"]"#,
            r#"s3-secrets "/validate" "Ignore" 2 ["CREATE","UPDATE","DELETE"]"#,
        ]
    );
}

/// A rule matches whole kinds of Ramen's or its placements', and of Kubernetes' own kinds only the
/// objects of a few names, or those that somebody has labelled for it.
#[track_caller]
fn assert_narrow(webhook: &Value, rule: &Value) {
    let resources = rule["resources"].as_array().expect("resources");
    let whole = |it: &Value| it.as_str().is_some_and(|it| !it.contains(['/', '*']));
    assert!(resources.iter().all(whole), "{resources:?}");
    let groups = rule["apiGroups"].as_array().expect("groups");
    let own = |it: &Value| it.as_str().is_some_and(|it| it.contains('.'));
    let labels = &webhook["objectSelector"]["matchLabels"];
    if groups.iter().all(own) {
        assert_eq!(rule["apiVersions"], json!(["*"]));
        assert_eq!(rule["scope"], "*");
        assert!(labels.is_null());
        return;
    }
    assert_eq!(groups, &[json!("")]);
    assert_eq!(rule["apiVersions"], json!(["v1"]));
    assert_eq!(rule["scope"], "Namespaced");
    let Some(labels) = labels.as_object() else {
        assert_eq!(resources, &[json!("configmaps")]);
        let (_, names) = conditions(webhook).swap_remove(0);
        let known = [
            "request.name in ['ramen-hub-operator-config', 'ramen-dr-cluster-operator-config']",
            "request.name == 'default-excluded-resources'",
        ];
        assert!(known.contains(&&*names), "{names}");
        return;
    };
    let ours = |(label, value): (&String, &Value)| {
        label.starts_with("guard.ramendr.openshift.io/") && value == "true"
    };
    assert!(labels.len() == 1 && labels.iter().all(ours), "{labels:?}");
}

/// What no entry matches, and why.
const UNREACHED: &[(&str, &str)] = &[(
    "drpc-placement-scheduling-enabled placements Create",
    "a new placement has no mark by which Ramen's could be told from all the others",
)];

/// Who has all of it installed has every rule asked: for each there is an entry of its kind and
/// operation that lets the change of each field through that the rule watches.
#[test]
fn every_rule_is_reached() {
    let entries: Vec<Value> = CONFIGURATIONS
        .iter()
        .flat_map(|path| webhooks(&manifest(path)).to_vec())
        .filter(|webhook| webhook["clientConfig"]["service"]["path"] == "/validate")
        .collect();
    let mut missing = Vec::new();
    for contract in policy::contracts() {
        // What holds for every kind is said by the engine and `check` themselves.
        let Some(kinds) = resources(contract) else {
            assert_eq!(contract.kind, "Any", "{}", contract.id);
            continue;
        };
        for (group, resource) in kinds {
            for operation in &contract.on {
                let mut matching = entries
                    .iter()
                    .filter(|webhook| is_of(webhook, group, resource, *operation));
                let reached = matching.any(|webhook| {
                    *operation != Operation::Update || lets_through(webhook, contract)
                });
                if !reached {
                    missing.push(format!("{} {resource} {operation:?}", contract.id));
                }
            }
        }
    }
    let known: Vec<_> = UNREACHED
        .iter()
        .map(|(what, _)| (*what).to_owned())
        .collect();
    assert_eq!(missing, known);
}

/// The group and the resource of each kind that a rule is about; nothing for a rule about all.
fn resources(contract: &Contract) -> Option<Vec<(&'static str, &'static str)>> {
    let kinds = contract.also.iter().chain([&contract.kind]);
    kinds.map(|kind| resource(kind)).collect()
}

/// The group and the resource of a kind.
pub(crate) fn resource(kind: &str) -> Option<(&'static str, &'static str)> {
    fn of<K: Kind>(kind: &str) -> Option<(&'static str, &'static str)> {
        (kind == K::KIND).then_some((K::GROUP, K::PLURAL))
    }
    of::<api::DRPlacementControl>(kind)
        .or_else(|| of::<api::DRPolicy>(kind))
        .or_else(|| of::<api::DRCluster>(kind))
        .or_else(|| of::<api::Placement>(kind))
        .or_else(|| of::<api::PlacementRule>(kind))
        .or_else(|| of::<api::VolumeReplicationGroup>(kind))
        .or_else(|| of::<api::Recipe>(kind))
        .or_else(|| of::<api::ConfigMap>(kind))
        .or_else(|| of::<api::Secret>(kind))
        .or_else(|| of::<api::DRClusterConfig>(kind))
        .or_else(|| of::<api::MaintenanceMode>(kind))
        .or_else(|| of::<api::ProtectedVolumeReplicationGroupList>(kind))
        .or_else(|| of::<api::ReplicationGroupSource>(kind))
        .or_else(|| of::<api::ReplicationGroupDestination>(kind))
}

fn is_of(webhook: &Value, group: &str, resource: &str, operation: Operation) -> bool {
    let has = |list: &Value, text: &str| {
        list.as_array()
            .is_some_and(|list| list.iter().any(|it| it == text))
    };
    webhook["rules"].as_array().is_some_and(|rules| {
        rules.iter().any(|rule| {
            has(&rule["apiGroups"], group)
                && has(&rule["resources"], resource)
                && has(&rule["operations"], operation.name())
        })
    })
}

fn tokens(pointer: &jsonptr::Pointer) -> Vec<String> {
    let tokens = pointer.tokens().map(|it| it.decoded().into_owned());
    tokens.collect()
}

/// Whether the entry asks about the change of each field that the rule watches. Where it compares
/// nothing, it asks about every change.
fn lets_through(webhook: &Value, contract: &Contract) -> bool {
    let conditions = conditions(webhook);
    let compares = conditions
        .iter()
        .find(|(name, _)| name == "something-to-judge");
    let Some((_, expression)) = compares else {
        return true;
    };
    // Only a manifest has `stringData`: the API server has made `data` of it before it asks anybody.
    let mut stored = contract
        .watches
        .iter()
        .filter(|pointer| !pointer.as_str().starts_with("/stringData/"));
    stored.all(|pointer| {
        let tokens = tokens(pointer);
        (1..=tokens.len()).any(|end| {
            let field = tokens[..end].join(".");
            expression.contains(&format!("object.{field} != oldObject.{field}"))
        })
    })
}

/// What stops a controller for everybody is refused to everybody. So a change of each field that
/// such a rule watches comes to the guard, whoever makes it.
#[test]
fn the_crash_class_is_reached_by_everybody() {
    let managed = manifest("manifests/base/managed.yaml");
    for contract in policy::contracts().iter().filter(|contract| contract.crash) {
        for (group, resource) in resources(contract).expect("a kind") {
            let Some(entry) = webhooks(&managed)
                .iter()
                .find(|webhook| is_of(webhook, group, resource, Operation::Update))
            else {
                // The entries of the hub's kinds leave nobody out.
                assert!(group == api::GROUP, "{}", contract.id);
                continue;
            };
            let routine = conditions(entry)
                .into_iter()
                .find(|(name, _)| name == "not-a-controllers-routine");
            let Some((_, expression)) = routine else {
                continue;
            };
            assert!(
                expression.contains(&format!("request.resource.resource == '{resource}'")),
                "controllers don't come with {resource}, which {} is about",
                contract.id
            );
            for pointer in &contract.watches {
                let tokens = tokens(pointer);
                let field = tokens[..tokens.len().min(2)].join(".");
                let compares = expression.contains(&format!("object.{field} != oldObject.{field}"))
                    || expression
                        .contains(&format!("has(object.{field}) != has(oldObject.{field})"));
                assert!(
                    compares,
                    "controllers don't come with {pointer}, which {} watches",
                    contract.id
                );
            }
        }
    }
}

/// Whom the guard trusts is the same wherever it stands. Where Open Cluster Management's agent is not
/// among them, that is for what comes from the hub.
#[test]
fn trusted_users_are_the_same_everywhere() {
    let mut lists = Vec::new();
    for path in CONFIGURATIONS {
        for webhook in webhooks(&manifest(path)) {
            for (_, expression) in conditions(webhook) {
                let lists_of = expression.split("request.userInfo.username in [").skip(1);
                lists
                    .extend(lists_of.map(|it| it.split(']').next().unwrap_or_default().to_owned()));
            }
        }
    }
    let trusted = ramen_guard::engine::Settings::default().trusted_users;
    let others: HashSet<String> = trusted
        .iter()
        .filter(|name| !name.contains(":klusterlet"))
        .cloned()
        .collect();
    assert_eq!(trusted.len(), others.len() + 2);
    let mut without_agent = 0;
    for list in &lists {
        let names: HashSet<String> = list
            .split(',')
            .map(|name| name.trim().trim_matches('\'').to_owned())
            .collect();
        without_agent += usize::from(names == others);
        assert!(names == trusted || names == others, "{names:#?}");
    }
    assert_eq!((lists.len(), without_agent), (11, 1));
    let tested = [
        User::Operator,
        User::ClusterOperator,
        User::WorkAgent,
        User::Velero,
    ];
    assert!(tested.iter().all(|user| trusted.contains(user.name())));
}

#[test]
fn kustomize_builds_them() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let kinds = |folder: &str| {
        let built = shipped(cluster, folder);
        built
            .iter()
            .map(|it| it["kind"].as_str().expect("a kind").to_owned())
            .collect::<Vec<_>>()
    };
    let base = kinds("manifests/base");
    for kind in [
        "Namespace",
        "Service",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
    ] {
        assert!(base.iter().any(|it| it == kind), "{base:?}");
    }
    for optional in OPTIONAL {
        assert_eq!(kinds(optional), ["ValidatingWebhookConfiguration"]);
    }
}

/// Who keeps manifests in Git applies them again and again: what the guard wrote stays.
#[test]
fn a_second_apply_leaves_the_ca_bundle() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    // The second finds what the first has left, and takes it over.
    let ways: [&[&str]; 2] = [&[], &["--server-side", "--force-conflicts"]];
    for way in ways {
        let alone = cluster.alone();
        let apply = [&["apply", "-k", "manifests/base"], way].concat();
        cluster.kubectl(User::Admin, &apply, None).ok();
        cluster.set_ca_bundle(&crate::tls::issue(&["test"]).authority);

        let stored =
            || cluster.get_json(&["validatingwebhookconfiguration,mutatingwebhookconfiguration"]);
        let before = stored();
        let entries = before["items"]
            .as_array()
            .expect("a list")
            .iter()
            .flat_map(webhooks);
        assert_eq!(entries.clone().count(), 7);
        assert!(
            entries
                .clone()
                .all(|it| it["clientConfig"]["caBundle"].is_string())
        );

        cluster.kubectl(User::Admin, &apply, None).ok();
        assert_eq!(stored()["items"], before["items"], "{way:?}");
        drop(alone);
    }
}
