//! The manifests themselves.

use serde_json::{Value, json};

use crate::{
    server::{Cluster, User},
    webhooks::{manifest, shipped},
};

const CONFIGURATIONS: [&str; 4] = [
    "manifests/base/validating.yaml",
    "manifests/base/mutating.yaml",
    "manifests/optional/delete-guard/delete-guard.yaml",
    "manifests/optional/placements/placements.yaml",
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
            for rule in webhook["rules"].as_array().expect("rules") {
                assert_eq!(rule["apiVersions"], json!(["*"]));
                assert_eq!(rule["scope"], "*");
                let resources = rule["resources"].as_array().expect("resources");
                let whole = |it: &Value| it.as_str().is_some_and(|it| !it.contains(['/', '*']));
                assert!(resources.iter().all(whole), "{resources:?}");
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
            r#"mutate "/mutate" "Ignore" 2 ["CREATE","UPDATE"]"#,
            r#"unchangeable "/mutate" "Fail" 2 ["UPDATE"]"#,
            r#"delete "/validate" "Ignore" 2 ["DELETE"]"#,
            r#"placements "/validate" "Ignore" 2 ["UPDATE","DELETE"]"#,
        ]
    );
}

/// The same expression has the same text wherever it stands.
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
    assert_eq!(lists.len(), 5);
    lists.dedup();
    assert_eq!(lists.len(), 1, "{lists:#?}");
    let names: std::collections::HashSet<String> = lists[0]
        .split(',')
        .map(|name| name.trim().trim_matches('\'').to_owned())
        .collect();
    assert_eq!(
        names,
        ramen_guard::engine::Settings::default().trusted_users
    );
    let tested = [User::Operator, User::WorkAgent, User::Velero];
    assert!(
        tested.iter().all(|user| lists[0].contains(user.name())),
        "{}",
        lists[0]
    );
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
    for optional in [
        "manifests/optional/delete-guard",
        "manifests/optional/placements",
    ] {
        assert_eq!(kinds(optional), ["ValidatingWebhookConfiguration"]);
    }
}

/// Who keeps manifests in Git applies them again and again: what the guard wrote stays.
#[test]
fn a_second_apply_leaves_the_ca_bundle() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    for server_side in ["--server-side=false", "--server-side=true"] {
        let alone = cluster.alone();
        let apply = ["apply", server_side, "-k", "manifests/base"];
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
        assert!(entries.clone().count() == 4);
        assert!(
            entries
                .clone()
                .all(|it| it["clientConfig"]["caBundle"].is_string())
        );

        cluster.kubectl(User::Admin, &apply, None).ok();
        assert_eq!(stored()["items"], before["items"], "{server_side}");
        drop(alone);
    }
}

/// Each way to have the certificate made by others is the shipped manifests with somebody named who
/// writes `caBundle`, and nobody else does.
#[test]
fn certificates_of_others_are_asked_for() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    for (folder, asks) in [
        ("certs/cert-manager", "cert-manager.io/inject-ca-from"),
        (
            "certs/service-ca",
            "service.beta.openshift.io/inject-cabundle",
        ),
    ] {
        let built = shipped(cluster, folder);
        let configurations = built
            .iter()
            .filter(|it| it["webhooks"].is_array())
            .collect::<Vec<_>>();
        assert!(configurations.len() >= 2, "{folder}");
        for configuration in configurations {
            let annotations = &configuration["metadata"]["annotations"];
            assert!(annotations[asks].is_string(), "{folder}: {annotations}");
            for webhook in webhooks(configuration) {
                assert_eq!(webhook["clientConfig"].get("caBundle"), None);
            }
        }
    }
}
