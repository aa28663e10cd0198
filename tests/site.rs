//! A site's own policies, evaluated here: what `check` and the webhook make of them. What kube-apiserver
//! makes of the same ones is in `tests/cluster/site.rs`.
#![allow(clippy::unwrap_used)]

#[path = "site/table.rs"]
mod table;

use std::{path::PathBuf, sync::Arc};

use hyper::body::Bytes;
use ramen_guard::{
    admission::{
        guard::{Guard, KINDS, World},
        metrics::Metrics,
        server::Reviewer,
    },
    api::Doc,
    cli::check::{Given, check},
    engine::{Engine, Request, Settings, User},
    manifest::{load::load_text, pile::Pile, yaml::Limits},
    policy::{Mode, Operation, Profile},
    report::{Finding, Lowered},
    scenario::scenarios,
    site::{Policies, Unsure},
    world::Store,
};
use serde_json::{Value, json};
use table::{Case, End, cases, neighbours};

/// Policies out of objects, as if they stood in a file.
fn policies(objects: &[Value]) -> Policies {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policies.yaml");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    std::fs::write(&path, list.to_string()).unwrap();
    let (policies, errors) = Policies::load(&[PathBuf::from(&path)]);
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    none(&errors);
    policies
}

fn all_policies() -> Policies {
    let objects: Vec<Value> = cases().iter().flat_map(Case::policy).collect();
    policies(&objects)
}

/// Whether a finding is of a case.
fn is_of(case: &Case, rule: &str) -> bool {
    rule.strip_prefix("policy/site-") == Some(&case.name)
}

/// What came of a case, and what was said about it.
type Ended = (End, Vec<String>, Vec<String>);

fn ended(case: &Case, policies: &Policies, findings: &[&Finding], undecided: bool) -> Ended {
    let own = findings.iter().filter(|it| is_of(case, &it.rule.id));
    let told: Vec<_> = own.filter(|it| it.mode >= Mode::Warn).collect();
    let end = match told.iter().map(|it| it.mode).max() {
        Some(Mode::Deny) => End::Deny,
        Some(_) => End::Warn,
        None if undecided => End::Undecided,
        None if policies.notes.iter().any(|note| {
            note.message
                .contains(&format!("\"site-{}\" is not evaluated", case.name))
        }) =>
        {
            End::Unread
        }
        None => End::Allow,
    };
    let mut said: Vec<String> = told.iter().map(|it| it.message.clone()).collect();
    said.sort();
    (end, said, told.iter().map(|it| it.field()).collect())
}

fn loaded(objects: &[Value]) -> Pile {
    let text: String = objects
        .iter()
        .map(|object| format!("---\n{object}\n"))
        .collect();
    let loaded = load_text("it", text, &Limits::default());
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    loaded.into()
}

fn by_check(case: &Case, at: usize, policies: &Policies) -> Option<Ended> {
    let (old, new) = case.objects(at);
    let given = Given {
        inputs: loaded(&[new?]),
        old: loaded(old.as_slice()),
        context: loaded(&neighbours()),
        ..Given::default()
    };
    let engine = Engine::new(Settings::default()).with_policies(policies.clone());
    let outcome = check(&engine, given);
    let findings = outcome.objects.iter().flat_map(|object| &object.findings);
    let findings: Vec<&Finding> = findings.map(|it| &it.finding).collect();
    let name = format!("site-{}", case.name);
    let undecided = outcome.undecided.keys().any(|(policy, _)| *policy == name);
    Some(ended(case, policies, &findings, undecided))
}

/// The wrong cases, said all at once.
fn none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn compare(case: &Case, at: usize, wanted: End, ended: Ended, wrong: &mut Vec<String>) {
    let ask = &case.asks[at];
    let (end, said, fields) = ended;
    let mut expected = ask.said().unwrap_or_default();
    expected.sort_unstable();
    let silent = matches!(wanted, End::Allow | End::Undecided | End::Unread);
    let same = silent || ask.loose || expected.is_empty() || said == expected;
    let placed = silent
        || ask
            .field
            .as_ref()
            .is_none_or(|field| fields.contains(field));
    if end != wanted || !same || !placed {
        wrong.push(format!(
            "{} {at}: {end:?} instead of {wanted:?}: {said:?} at {fields:?}",
            case.name
        ));
    }
}

#[test]
fn check_says_what_the_table_says() {
    let policies = all_policies();
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for case in cases() {
        for (at, ask) in case.asks.iter().enumerate() {
            assert!(
                ask.since.is_some()
                    || ask.in_check() == ask.then && ask.in_webhook() == ask.then
                    || ask.in_check() == End::None,
                "{}: a difference without a reason",
                case.name
            );
            let Some(ended) = by_check(&case, at, &policies) else {
                assert_eq!(ask.in_check(), End::None, "{}", case.name);
                continue;
            };
            asked += 1;
            compare(&case, at, ask.in_check(), ended, &mut wrong);
        }
    }
    assert!(asked > 100, "{asked}");
    none(&wrong);
}

#[tokio::test]
async fn the_webhook_says_what_the_table_says() {
    let policies = all_policies().knowing(&neighbours());
    let engine = Engine::new(Settings::default()).with_policies(policies.clone());
    let metrics = Arc::new(Metrics::new(KINDS).unwrap());
    let world = World::Manifests(Box::default());
    let guard = Guard::new(engine.clone(), world, Arc::clone(&metrics));
    let mut wrong = Vec::new();
    for case in cases() {
        for (at, ask) in case.asks.iter().enumerate() {
            let review = review(&case, at);
            let answer = guard
                .validate(Bytes::from(review.to_string()))
                .await
                .unwrap();
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            let sent = ramen_guard::admission::review::Review::read(review.to_string().as_bytes());
            let verdict = engine.judge(&sent.unwrap().request, &Store::default(), None);
            let name = format!("site-{}", case.name);
            let undecided = verdict.undecided.contains_key(&name);
            let findings: Vec<&Finding> = verdict.findings.iter().collect();
            compare(
                &case,
                at,
                ask.in_webhook(),
                ended(&case, &policies, &findings, undecided),
                &mut wrong,
            );
            let response = &answer["response"];
            if response["allowed"] != verdict.allowed() {
                wrong.push(format!("{} {at}: {response}", case.name));
            }
            if ask.in_webhook() == End::Deny {
                assert_eq!(response["status"]["code"], 403);
                assert_eq!(response["status"]["reason"], "Forbidden");
            }
        }
    }
    none(&wrong);
    let text = metrics.render().unwrap();
    let line =
        r#"ramen_guard_policies_undecided_total{policy="site-request-options",reason="unkept"} 1"#;
    assert!(text.lines().any(|have| have == line), "{text}");
}

fn review(case: &Case, at: usize) -> Value {
    let ask = &case.asks[at];
    let (old, new) = case.objects(at);
    let some = new.as_ref().or(old.as_ref()).unwrap();
    let operation = match (ask.delete, &old) {
        (true, _) => "DELETE",
        (false, Some(_)) => "UPDATE",
        (false, None) => "CREATE",
    };
    // The API server drops a status that nobody may write.
    let new = new.clone().map(|mut new| {
        new.as_object_mut().unwrap().remove("status");
        new
    });
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "1",
            "kind": {"group": "ramendr.openshift.io", "version": "v1alpha1", "kind": some["kind"]},
            "resource": {"group": "ramendr.openshift.io", "version": "v1alpha1", "resource": "any"},
            "name": some["metadata"]["name"],
            "namespace": some["metadata"]["namespace"],
            "operation": operation,
            "userInfo": {"username": "alice", "groups": ["developers", "system:authenticated"]},
            "object": new,
            "oldObject": old,
            "dryRun": true,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
        },
    })
}

const API: &str = "admissionregistration.k8s.io/v1";

/// A policy about some kind, and its binding.
fn policy(name: &str, resource: &str, spec: &Value) -> [Value; 2] {
    let mut whole = json!({"matchConstraints": {"resourceRules": [{
        "apiGroups": ["ramendr.openshift.io"], "apiVersions": ["v1alpha1"],
        "operations": ["*"], "resources": [resource],
    }]}});
    table::merge(&mut whole, spec);
    [
        json!({"apiVersion": API, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": whole}),
        json!({"apiVersion": API, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]}}),
    ]
}

fn never(name: &str, resource: &str) -> [Value; 2] {
    policy(
        name,
        resource,
        &json!({"validations": [{"expression": "false", "message": "never"}]}),
    )
}

fn drpc(patch: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "ramendr.openshift.io/v1alpha1",
        "kind": "DRPlacementControl",
        "metadata": {"namespace": "shop", "name": "shop", "finalizers": ["a/b"]},
        "spec": {
            "drPolicyRef": {"name": "policy"},
            "placementRef": {"kind": "Placement", "name": "placement"},
            "preferredCluster": "east",
            "pvcSelector": {"matchLabels": {"app": "shop"}},
        },
    });
    table::merge(&mut object, patch);
    object
}

fn request(operation: Operation, new: Option<&Value>, old: Option<&Value>, user: &str) -> Request {
    let doc = |value: &Value| Doc::from_value(value.clone()).unwrap();
    let some = doc(new.or(old).unwrap());
    let meta = some.meta().unwrap();
    Request {
        operation,
        group: some.group().to_owned(),
        kind: some.text("kind").to_owned(),
        namespace: meta.namespace,
        name: meta.name,
        subresource: String::new(),
        new: new.map(doc),
        old: old.map(doc),
        user: User {
            name: user.to_owned(),
            groups: vec!["people".to_owned()],
        },
        dry_run: false,
    }
}

/// What becomes of what one policy says.
fn mode_of(engine: &Engine, request: &Request, rule: &str) -> Option<(Mode, Option<Lowered>)> {
    let verdict = engine.judge(request, &Store::default(), None);
    let mut own = verdict.findings.iter().filter(|it| it.rule.id == rule);
    own.next().map(|it| (it.mode, it.lowered))
}

/// What a recovery, a deletion or a controller needs is never held up.
#[test]
#[allow(clippy::too_many_lines, reason = "it is a table")]
fn the_webhook_keeps_its_gates() {
    let mut objects = never("all", "drplacementcontrols").to_vec();
    let of_labels = json!({"validations": [{"expression": "has(object.metadata.labels)"}]});
    objects.extend(policy("labels", "drplacementcontrols", &of_labels));
    objects.extend(never("clusters", "drclusters"));
    let engine = Engine::new(Settings::default()).with_policies(policies(&objects));
    let (plain, none) = (drpc(&json!({})), json!(null));
    let with = |patch: Value| drpc(&patch);
    let west = with(json!({"spec": {"preferredCluster": "west"}}));
    let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    let failover = with(json!({"spec": {"action": "Failover", "failoverCluster": "west"}}));
    let operator = "system:serviceaccount:ramen-system:ramen-hub-operator";
    let update =
        |new: &Value, old: &Value| request(Operation::Update, Some(new), Some(old), "alice");
    let lowered = |gate| Some((Mode::Warn, Some(gate)));
    let refused = Some((Mode::Deny, None));
    for (story, request, all, labels) in [
        (
            "new",
            request(Operation::Create, Some(&plain), None, "alice"),
            refused,
            refused,
        ),
        ("changed", update(&west, &plain), refused, refused),
        (
            "a failover",
            update(&failover, &plain),
            lowered(Lowered::Recovery),
            lowered(Lowered::Recovery),
        ),
        (
            "a failover is kept",
            update(
                &with(json!({"spec": {"action": "Failover", "preferredCluster": "west"}})),
                &failover,
            ),
            lowered(Lowered::Recovery),
            lowered(Lowered::Recovery),
        ),
        (
            "a failover is taken back",
            update(&plain, &failover),
            lowered(Lowered::Recovery),
            lowered(Lowered::Recovery),
        ),
        (
            "a finalizer goes",
            update(&with(json!({"metadata": {"finalizers": none}})), &plain),
            lowered(Lowered::Kept),
            lowered(Lowered::Kept),
        ),
        (
            "an annotation comes",
            update(
                &with(json!({"metadata": {"annotations": {"a": "b"}}})),
                &plain,
            ),
            lowered(Lowered::Kept),
            refused,
        ),
        (
            "it is deleted",
            request(Operation::Delete, None, Some(&plain), "alice"),
            lowered(Lowered::Going),
            lowered(Lowered::Going),
        ),
        (
            "it is going",
            update(
                &drpc(&{
                    let mut it = going.clone();
                    it["spec"] = json!({"preferredCluster": "west"});
                    it
                }),
                &drpc(&going),
            ),
            lowered(Lowered::Going),
            lowered(Lowered::Going),
        ),
        (
            "the operator",
            request(Operation::Update, Some(&west), Some(&plain), operator),
            lowered(Lowered::Trusted),
            lowered(Lowered::Trusted),
        ),
        (
            "a restore",
            request(
                Operation::Create,
                Some(&with(
                    json!({"metadata": {"annotations": {}, "labels": {"velero.io/restore-name": "r"}}}),
                )),
                None,
                "alice",
            ),
            lowered(Lowered::Restored),
            None,
        ),
    ] {
        assert_eq!(mode_of(&engine, &request, "policy/all"), all, "{story}");
        // At DELETE there is no object to look at, which is an error, and no denial either.
        assert_eq!(
            mode_of(&engine, &request, "policy/labels"),
            labels,
            "{story}"
        );
    }
    let cluster = |fence: Value| {
        json!({"apiVersion": "ramendr.openshift.io/v1alpha1", "kind": "DRCluster", "metadata": {"name": "east"},
            "spec": {"s3ProfileName": "p", "clusterFence": fence}})
    };
    let fenced = update(&cluster(json!("Fenced")), &cluster(json!("Unfenced")));
    assert_eq!(
        mode_of(&engine, &fenced, "policy/clusters"),
        lowered(Lowered::Recovery)
    );
}

/// A policy says the same in both versions that there are; another one is not guessed at.
#[test]
fn the_version_before_v1_is_read() {
    let of_version = |version: &str| {
        let mut objects = never("all", "drplacementcontrols");
        for object in &mut objects {
            object["apiVersion"] = json!(format!("admissionregistration.k8s.io/{version}"));
        }
        objects
    };
    let request = request(Operation::Create, Some(&drpc(&json!({}))), None, "alice");
    for version in ["v1", "v1beta1"] {
        let policies = policies(&of_version(version));
        assert!(policies.notes.is_empty(), "{:?}", policies.notes);
        let engine = Engine::new(Settings::default()).with_policies(policies);
        assert_eq!(
            mode_of(&engine, &request, "policy/all"),
            Some((Mode::Deny, None)),
            "{version}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": of_version("v1alpha1")});
    std::fs::write(folder.path().join("policies.yaml"), list.to_string()).unwrap();
    let (policies, errors) = Policies::load(&[folder.path().to_owned()]);
    assert!(policies.is_empty());
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let wanted =
        "apiVersion: admissionregistration.k8s.io/v1alpha1 is not read, only v1 and v1beta1";
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors.iter().all(|it| it.ends_with(wanted)), "{errors:?}");
}

#[test]
fn the_configuration_has_the_last_word() {
    let policies = policies(&never("all", "drplacementcontrols"));
    let asked = |config: &str| {
        let settings = Settings::read(config).unwrap();
        let engine = Engine::new(settings).with_policies(policies.clone());
        let request = request(Operation::Create, Some(&drpc(&json!({}))), None, "alice");
        mode_of(&engine, &request, "policy/all")
    };
    assert_eq!(asked(""), Some((Mode::Deny, None)));
    assert_eq!(asked("rules: {policy/all: warn}"), Some((Mode::Warn, None)));
    assert_eq!(
        asked("rules: {policy/all: audit}"),
        Some((Mode::Audit, None))
    );
    assert_eq!(asked("rules: {policy/all: off}"), None);
    assert_eq!(
        asked("rules: {policy/other: off}"),
        Some((Mode::Deny, None))
    );
    assert_eq!(
        asked("profile: observe"),
        Some((Mode::Warn, Some(Lowered::Observed)))
    );
    let error = Settings::read("rules: {policy/all: deny}")
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "rules.policy/all: \"deny\" is not one of warn, audit, off"
    );
}

/// What takes too long, or becomes too large, ends, and refuses nobody.
#[test]
fn expressions_can_not_run_away() {
    let many = "[1,2,3,4,5,6,7,8,9,10]";
    let nested = |depth: usize| {
        (0..depth).fold("n9 > 0".to_owned(), |inner, at| {
            format!("{many}.all(n{}, {inner})", 9 - at)
        })
    };
    let doubled = |how: &str| {
        let mut variables = vec![json!({"name": "v0", "expression": "'0123456789'"})];
        variables.extend((1..60).map(|at| {
            let last = format!("variables.v{}", at - 1);
            json!({"name": format!("v{at}"), "expression": how.replace('X', &last)})
        }));
        json!({"variables": variables, "validations": [{"expression": "size(variables.v59) < 5"}]})
    };
    for (story, spec) in [
        ("loops", json!({"validations": [{"expression": nested(9)}]})),
        ("sums", doubled("X + X")),
        ("formats", doubled("'%s%s'.format([X, X])")),
        ("replaces", doubled("X.replace('0', X)")),
        ("joins", doubled("[X, X, X].join(X)")),
        ("lists", doubled("[X, X]")),
        ("maps", doubled("{'a': X, 'b': X}")),
    ] {
        let engine = Engine::new(Settings::default()).with_policies(policies(&policy(
            "slow",
            "drplacementcontrols",
            &spec,
        )));
        let request = request(Operation::Create, Some(&drpc(&json!({}))), None, "alice");
        let start = std::time::Instant::now();
        let verdict = engine.judge(&request, &Store::default(), None);
        let took = start.elapsed();
        assert_eq!(
            verdict.undecided.get("slow"),
            Some(&Unsure::Cost),
            "{story}"
        );
        assert!(verdict.allowed(), "{story}");
        assert!(
            took < std::time::Duration::from_secs(2),
            "{story}: {took:?}"
        );
    }
}

/// The floor is made of policies, too: evaluated here they say what they say in the API server.
#[test]
fn the_floor_reads_as_policies() {
    let text = ramen_guard::floor::manifests(&ramen_guard::floor::policies(&Settings::default()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("floor.yaml");
    std::fs::write(&path, text).unwrap();
    let (policies, errors) = Policies::load(std::slice::from_ref(&path));
    assert!(
        errors.is_empty() && policies.notes.is_empty(),
        "{errors:?} {:?}",
        policies.notes
    );
    let engine = Engine::new(Settings::default()).with_policies(policies);
    let (mut wrong, mut refused) = (Vec::new(), 0);
    for scenario in scenarios() {
        if scenario.operation == Operation::Delete || scenario.profile != Profile::Recommended {
            continue;
        }
        let mut request = scenario.request();
        if request.user.name.is_empty() {
            "alice".clone_into(&mut request.user.name);
        }
        let verdict = engine.judge(&request, &Store::default(), None);
        let site = verdict
            .findings
            .iter()
            .filter(|it| it.rule.id.starts_with("policy/"));
        for finding in site.filter(|it| it.mode == Mode::Deny) {
            refused += 1;
            // Each ends with the rule that it stands for.
            let stands_for = |it: &&Finding| finding.message.contains(&it.rule.id);
            if !verdict.denials().any(|it| stands_for(&it)) {
                wrong.push(format!(
                    "{}: {}: {}",
                    scenario.rule, scenario.story, finding.message
                ));
            }
        }
        if !verdict.undecided.is_empty() {
            wrong.push(format!("{}: {:?}", scenario.story, verdict.undecided));
        }
    }
    assert!(refused > 20, "{refused}");
    none(&wrong);
}
