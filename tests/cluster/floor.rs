//! The floor in a real kube-apiserver, with no webhook of ours: it says what the rules in Rust say.

use std::{collections::BTreeSet, env, fs, path::Path, process::Command};

use ramen_guard::{
    engine::{Engine, Settings},
    floor::is_in,
    policy::{self, Mode, Operation, Profile},
    report::{Finding, Lowered},
    scenario::{Scenario, scenarios},
    world::Store,
};
use serde_json::{Value, json};

use crate::{
    fixtures::{drcluster, drpc, drpolicy, list, with},
    scenarios::{Stage, clear},
    server::{Cluster, User, until},
    webhooks::shipped,
};

const KINDS: &str = "validatingadmissionpolicies,validatingadmissionpolicybindings";
const OURS: &str = "app.kubernetes.io/name=ramen-guard";

/// Policies that are installed. They go when this is dropped.
struct Floor<'a> {
    cluster: &'a Cluster,
    policies: Vec<Value>,
}

impl<'a> Floor<'a> {
    fn install(cluster: &'a Cluster, policies: Vec<Value>) -> Self {
        let floor = Self { cluster, policies };
        floor.lay();
        floor
    }

    /// Applies the policies as they are, and waits until the API server goes by them.
    #[track_caller]
    fn lay(&self) {
        self.cluster.apply(User::Admin, &list(&self.policies)).ok();
        settle(self.cluster).unwrap();
    }

    fn lift(&self) {
        let args = ["delete", KINDS, "-l", OURS];
        let _ = self.cluster.kubectl(User::Admin, &args, None);
        let _ = settle(self.cluster);
    }
}

impl Drop for Floor<'_> {
    fn drop(&mut self) {
        self.lift();
    }
}

/// What the command prints, as objects.
fn printed(args: &[&str]) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
        .arg("policies")
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_saphyr::from_multiple(&String::from_utf8(output.stdout).unwrap()).unwrap()
}

/// Waits until the API server goes by the policies as they are now. It takes over all that it knows of at
/// once: so a later one, which refuses an object that nobody else makes, tells when.
pub(crate) fn settle(cluster: &Cluster) -> Result<(), String> {
    let name = cluster.name("settle-floor");
    let metadata = json!({"name": name});
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": metadata,
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"],
            }]},
            "matchConditions": [{"name": "probe", "expression": format!("request.name == '{name}'")}],
            "validations": [{"expression": "false", "message": "settled"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": metadata,
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    });
    let probes = list(&[policy, binding]).to_string();
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"}})
    .to_string();
    cluster
        .kubectl(User::Admin, &["create", "-f", "-"], Some(&probes))
        .ok();
    let dry_run = ["create", "--dry-run=server", "-f", "-"];
    let known = until(|| {
        let said = cluster.kubectl(User::Admin, &dry_run, Some(&object));
        said.stderr.contains("settled")
    });
    cluster.kubectl(User::Admin, &["delete", "-f", "-"], Some(&probes));
    if known {
        Ok(())
    } else {
        Err("the API server does not learn of policies".to_owned())
    }
}

/// What the rules of the floor find in Rust.
fn judged(scenario: &Scenario) -> Vec<Finding> {
    let engine = Engine::new(Settings::default().with_profile(scenario.profile));
    let verdict = engine.judge(&scenario.request(), &Store::default(), None);
    let findings = verdict.findings.into_iter();
    findings.filter(|finding| is_in(&finding.rule)).collect()
}

/// What is wrong with what the API server says, or nothing.
fn complaint(scenario: &Scenario, stage: &Stage<'_>) -> Option<String> {
    let done = stage.ask();
    let findings = judged(scenario);
    let ids = |mode| -> BTreeSet<&str> {
        let of_mode = findings.iter().filter(|finding| finding.mode == mode);
        of_mode.map(|finding| &*finding.rule.id).collect()
    };
    let (denied, warned) = (ids(Mode::Deny), ids(Mode::Warn));
    let refused = done.code != 0;
    let by_floor = done.stderr.contains("ValidatingAdmissionPolicy")
        && refused
        && done.stderr.contains("denied request");
    let forbidden = done.stderr.contains("(Forbidden)") || done.stderr.contains(" is forbidden: ");
    let mut wrong = Vec::new();
    if by_floor != refused && !by_floor {
        // The CRD comes first. What it refuses too the floor need not.
        let early = denied
            .iter()
            .any(|id| policy::contract(id).is_some_and(|contract| contract.early));
        if !(early || scenario.offline || denied.is_empty()) {
            wrong.push("refused by the CRD, and not by the floor".to_owned());
        }
    } else if refused == denied.is_empty() {
        wrong.push(format!("the rules deny {denied:?}"));
    } else if refused {
        let named = denied
            .iter()
            .any(|id| done.stderr.contains(&format!("({id})")));
        if !named || !forbidden {
            wrong.push(format!("not Forbidden by one of {denied:?}"));
        }
    } else {
        for finding in findings
            .iter()
            .filter(|finding| finding.lowered != Some(Lowered::Advice))
        {
            let id = &finding.rule.id;
            if finding.mode == Mode::Warn && !done.stderr.contains(&format!("{id}: ")) {
                wrong.push(format!("no warning of {id}"));
            }
        }
        if !warned.contains(scenario.rule) && done.stderr.contains(scenario.rule) {
            wrong.push("a warning that the rules do not give".to_owned());
        }
    }
    (!wrong.is_empty()).then(|| {
        format!(
            "{}: exit code {}: {}",
            wrong.join(", "),
            done.code,
            done.stderr
        )
    })
}

#[test]
fn every_scenario_ends_as_the_rules_say() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _alone = cluster.alone();
    clear(cluster);
    // For looking into one rule: part of its name.
    let only = env::var("RAMEN_GUARD_SCENARIOS_OF").unwrap_or_default();
    let admin = cluster.client(User::Admin);
    let (mut wrong, mut run, mut refused) = (Vec::new(), 0, 0);
    for (name, profile) in Profile::ALL {
        let floor = Floor::install(cluster, printed(&["--profile", name]));
        let chosen = scenarios().iter().filter(|scenario| {
            let in_floor = policy::contract(scenario.rule).is_some_and(is_in);
            let changes = scenario.operation != Operation::Delete;
            scenario.profile == profile && in_floor && changes && scenario.rule.contains(&*only)
        });
        for scenario in chosen {
            run += 1;
            let mut stage = Stage::set_bare(&admin, cluster, scenario);
            if stage.is_set().is_err() {
                // What is stored may be what the floor refuses.
                drop(stage);
                floor.lift();
                stage = Stage::set_bare(&admin, cluster, scenario);
                floor.lay();
            }
            let unset = stage.is_set().err();
            if let Some(complaint) = unset.or_else(|| complaint(scenario, &stage)) {
                wrong.push(format!(
                    "{}: {}: {complaint}",
                    scenario.rule, scenario.story
                ));
            }
            refused += usize::from(judged(scenario).iter().any(|it| it.mode == Mode::Deny));
        }
    }
    assert!(
        run > 50 && refused > 15 || !only.is_empty(),
        "only {run} scenarios were run, {refused} refused"
    );
    assert!(
        wrong.is_empty(),
        "{} of {run} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// 422 and 409 make `kubectl apply --force` delete the object and make it anew.
#[test]
fn a_forced_apply_leaves_the_object() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let _alone = cluster.alone();
    let name = cluster.namespace("forced");
    let application = with(
        drpc(&name, "app"),
        json!({"spec": {"kubeObjectProtection": {"captureInterval": "1h"}}}),
    );
    let stored = [
        with(drcluster(&name), json!({"spec": {"region": "east"}})),
        drpolicy(&name),
        application.clone(),
    ];
    cluster.apply(User::Alice, &list(&stored)).ok();
    let uids = || -> Vec<Value> {
        let objects = stored.iter().map(|object| {
            let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let namespace = format!("--namespace={}", text("/metadata/namespace"));
            cluster.get_json(&[text("/kind"), text("/metadata/name"), &namespace])["metadata"]["uid"].clone()
        });
        objects.collect()
    };
    let before = uids();
    let _floor = Floor::install(cluster, shipped(cluster, "manifests/floor"));
    let without_spec = |object: &Value| {
        let mut object = object.clone();
        object.as_object_mut().unwrap().remove("spec");
        object
    };
    for (object, rule) in [
        (drcluster(&name), "drcluster-region-unset"),
        (without_spec(&stored[0]), "drcluster-spec-removal"),
        (without_spec(&stored[1]), "drpolicy-spec-removal"),
        (without_spec(&stored[2]), "drpc-spec-removal"),
        (
            with(
                application.clone(),
                json!({"spec": {"kubeObjectProtection": {"captureInterval": "1d"}}}),
            ),
            "drpc-captureinterval-not-go-duration",
        ),
        (
            with(application.clone(), json!({"spec": {"action": "Failover"}})),
            "drpc-failover-cluster-required",
        ),
    ] {
        let forced = ["apply", "--force", "-f", "-"];
        let said = cluster
            .kubectl(User::Alice, &forced, Some(&object.to_string()))
            .refused(&format!("({rule})"));
        assert!(
            said.contains("(Forbidden)") || said.contains("is forbidden"),
            "{said}"
        );
        assert_eq!(uids(), before, "{rule}: the object was made anew");
    }
}

/// kube-apiserver knows the types of a CRD's fields, and says which expressions don't fit them: of a policy
/// only a controller does, but of a CRD's own rules the API server itself. So the expressions are made rules
/// of a CRD whose objects hold what a policy is given.
#[test]
fn the_expressions_fit_the_types_of_the_crds() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/crds");
    let config = cluster.folder.join("floor.yaml");
    fs::write(
        &config,
        "exemptions: {enabled: true}\ntrusted: {groups: [recovery]}\n",
    )
    .unwrap();
    let policies = printed(&["--config", config.to_str().unwrap()]);
    let mut checked = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let crd: Value = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let plural = crd["spec"]["names"]["plural"].as_str().unwrap();
        for policy in policies.iter().filter(|it| {
            it["kind"] == "ValidatingAdmissionPolicy"
                && it["spec"]["matchConstraints"]["resourceRules"][0]["resources"][0] == plural
        }) {
            let expressions = expressions(policy);
            assert!(!expressions.is_empty());
            checked.insert(plural.to_owned());
            assert_eq!(
                type_errors(cluster, &crd, policy, &expressions),
                [""; 0],
                "{plural}"
            );
            // So that the absence of errors says something.
            let wrong = [("self.object.spec == 1".to_owned(), "wrong".to_owned())];
            assert_eq!(
                type_errors(cluster, &crd, policy, &wrong).len(),
                1,
                "{plural}"
            );
        }
    }
    assert!(checked.len() >= 3, "{checked:?}");
}

/// What a policy is given, as a rule of a CRD is: both objects have one type.
const GIVEN: [(&str, &str); 4] = [
    ("oldObject", "oldSelf.object"),
    ("object", "self.object"),
    ("request", "self.request"),
    ("variables", "self.variables"),
];

/// Every expression of a policy, as a rule of a CRD, and where it stands.
fn expressions(policy: &Value) -> Vec<(String, String)> {
    let spec = &policy["spec"];
    let mut found = Vec::new();
    let mut take = |list: &str, field: &str, after: &dyn Fn(&Value) -> &'static str| {
        for (at, entry) in spec[list].as_array().into_iter().flatten().enumerate() {
            if let Some(expression) = entry[field].as_str() {
                let expression = GIVEN
                    .iter()
                    .fold(expression.to_owned(), |text, (name, by)| {
                        replaced(&text, name, by)
                    });
                found.push((
                    format!("({expression}){}", after(entry)),
                    format!("{list}[{at}].{field}"),
                ));
            }
        }
    };
    take("matchConditions", "expression", &|_| "");
    take("variables", "expression", &|entry| {
        if is_boolean(entry) { "" } else { " != '-'" }
    });
    take("validations", "expression", &|_| "");
    take("validations", "messageExpression", &|_| " != '-'");
    found
}

/// Whether a variable says yes or no, rather than what becomes of the request.
fn is_boolean(variable: &Value) -> bool {
    let name = variable["name"].as_str().unwrap();
    ["trusted", "restored", "going"].contains(&name) || name.starts_with("changed")
}

/// The text with a word replaced wherever it stands by itself.
fn replaced(text: &str, word: &str, by: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '\'';
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let alone = !out
            .chars()
            .chain(before.chars())
            .next_back()
            .is_some_and(part)
            && !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        out += before;
        out += if alone { by } else { word };
        rest = after;
    }
    out + rest
}

/// Which of the expressions don't fit the types.
fn type_errors(
    cluster: &Cluster,
    crd: &Value,
    policy: &Value,
    expressions: &[(String, String)],
) -> Vec<String> {
    let string = || json!({"type": "string", "maxLength": 300});
    let texts = || json!({"type": "object", "additionalProperties": string()});
    let mut object = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
    object["properties"]
        .as_object_mut()
        .unwrap()
        .remove("status");
    object["properties"]["metadata"] = json!({"type": "object", "properties": {
        "name": string(), "namespace": string(), "labels": texts(), "annotations": texts(),
        "deletionTimestamp": {"type": "string", "format": "date-time"},
    }});
    let variables = policy["spec"]["variables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| {
            let schema = if is_boolean(variable) {
                json!({"type": "boolean"})
            } else {
                string()
            };
            (variable["name"].as_str().unwrap().to_owned(), schema)
        });
    let variables: serde_json::Map<String, Value> = variables.collect();
    let rules: Vec<Value> = expressions
        .iter()
        .map(|(expression, place)| json!({"rule": expression, "message": place}))
        .collect();
    let given = json!({
        "type": "object",
        "properties": {
            "object": object,
            "request": {"type": "object", "properties": {
                "operation": string(),
                "userInfo": {"type": "object", "properties": {
                    "username": string(), "groups": {"type": "array", "items": string()},
                }},
            }},
            "variables": {"type": "object", "properties": variables},
        },
        "x-kubernetes-validations": rules,
    });
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "floors.test.invalid"},
        "spec": {
            "group": "test.invalid",
            "names": {"kind": "Floor", "plural": "floors"},
            "scope": "Cluster",
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": given},
            }}}],
        },
    });
    let create = ["create", "--dry-run=server", "-f", "-"];
    let said = cluster
        .kubectl(User::Admin, &create, Some(&crd.to_string()))
        .stderr;
    // It says too that texts without a longest length might cost a lot.
    let errors = said
        .lines()
        .filter(|line| line.contains("compilation failed") || line.contains("undeclared"));
    let other = said.contains("is invalid") || said.is_empty();
    assert!(other, "{said}");
    errors.map(str::to_owned).collect()
}
