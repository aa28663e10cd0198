//! Whatever comes in, an answer or a plain error comes out: in bounded time, and never a panic.
#![allow(clippy::unwrap_used)]

use std::{
    io::Write,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use proptest::{collection::vec, prelude::*};
use ramen_guard::{
    admission::{
        mutate,
        review::{Review, answer, answer_with_patch},
    },
    api::Doc,
    cli::{
        check::{Given, check},
        rules::explained,
    },
    engine::{Engine, Settings},
    manifest::{load::load_text, pile::Pile, yaml::Limits},
    policy::{self, Profile},
    report::{human, json},
    scenario::{Scenario, scenarios},
    world::Store,
};
use serde_json::{Value, json};

/// What terminals obey.
const ESCAPE: char = '\u{1b}';

/// A change of one node of a value; `at` picks the node.
#[derive(Clone, Debug)]
enum Change {
    Remove {
        at: usize,
    },
    Replace {
        at: usize,
        by: Value,
    },
    Insert {
        at: usize,
        name: String,
        value: Value,
    },
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("\u{1b}[31m\n\r\0".to_owned()),
        Just("~/is immutable\"\\".to_owned()),
        Just("9999999999999999999h".to_owned()),
        Just("10.0.0.0/-1".to_owned()),
        Just("fd00::/129".to_owned()),
        Just("2026-13-45T99:99:99Z".to_owned()),
        Just("ß".repeat(300)),
        Just("guard.ramendr.openshift.io/exempt".to_owned()),
        Just("x until 2999-01-01: y".to_owned()),
        "\\PC{0,12}",
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let name = prop_oneof![word(), Just("name".to_owned()), Just("spec".to_owned())];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name, inner), 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<usize>;
    prop_oneof![
        at().prop_map(|at| Change::Remove { at }),
        (at(), any_value()).prop_map(|(at, by)| Change::Replace { at, by }),
        (at(), word(), any_value()).prop_map(|(at, name, value)| Change::Insert {
            at,
            name,
            value
        }),
    ]
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(fields) => fields.values().map(nodes).sum(),
        _ => 0_usize,
    }
}

/// The node of this number, counted from the top, and whether its parent shall drop it.
fn edit(value: &mut Value, left: &mut usize, change: &Change) -> bool {
    if *left == 0 {
        *left = usize::MAX;
        match (change, value) {
            (Change::Remove { .. }, _) => return true,
            (Change::Replace { by, .. }, value) => *value = by.clone(),
            (Change::Insert { name, value, .. }, Value::Object(fields)) => {
                fields.insert(name.clone(), value.clone());
            }
            (Change::Insert { value, .. }, Value::Array(items)) => items.push(value.clone()),
            (Change::Insert { value: new, .. }, value) => *value = new.clone(),
        }
        return false;
    }
    *left -= 1;
    match value {
        Value::Array(items) => {
            if let Some(gone) = (0..items.len()).find(|at| edit(&mut items[*at], left, change)) {
                items.remove(gone);
            }
        }
        Value::Object(fields) => {
            let gone = fields
                .iter_mut()
                .find_map(|(name, value)| edit(value, left, change).then(|| name.clone()));
            if let Some(gone) = gone {
                fields.remove(&gone);
            }
        }
        _ => {}
    }
    false
}

fn changed(mut value: Value, changes: &[Change]) -> Value {
    for change in changes {
        let (Change::Remove { at } | Change::Replace { at, .. } | Change::Insert { at, .. }) =
            change;
        let mut left = at % nodes(&value);
        edit(&mut value, &mut left, change);
    }
    value
}

fn scenario() -> impl Strategy<Value = &'static Scenario> {
    (0..scenarios().len()).prop_map(|at| &scenarios()[at])
}

fn engine(profile: Profile) -> Engine {
    let mut settings = Settings::default().with_profile(profile);
    settings.exemptions = true;
    Engine::new(settings)
}

/// Everything that the webhook does with a body, and what must hold for every answer.
fn answered(body: &[u8], world: &Store, profile: Profile) {
    let review = match Review::read(body) {
        Ok(review) => review,
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
            return;
        }
    };
    let engine = engine(profile);
    let (verdict, early) = (
        engine.judge(&review.request, world, None),
        engine.judge_early(&review.request),
    );
    let patch = mutate::patch(&review.request);
    for bytes in [
        answer(&review, &verdict),
        answer(&review, &verdict.clone().unconfirmed()),
        answer_with_patch(&review, &early, patch.as_ref()),
    ] {
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        let response = &answer["response"];
        assert_eq!(response["uid"], *review.uid);
        if response["allowed"] == false {
            assert_eq!(response["status"]["code"], 403);
            assert!(!response["status"]["message"].as_str().unwrap().is_empty());
            assert!(response.get("patch").is_none());
        } else {
            assert_eq!(response["allowed"], true);
        }
        let warnings = response["warnings"].as_array().cloned().unwrap_or_default();
        assert!(warnings.len() <= 9);
        for warning in warnings {
            let warning = warning.as_str().unwrap();
            assert!(
                warning.chars().count() <= 200 && !warning.contains(char::is_control),
                "{warning:?}"
            );
        }
    }
    for finding in &verdict.findings {
        assert!(!finding.to_string().contains(char::is_control), "{finding}");
    }
}

fn world<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Store {
    let mut store = Store::default();
    for object in objects {
        if let Ok(doc) = Doc::from_value(object.clone()) {
            // An object that can't be read is not there.
            let _ = store.apply(&doc);
        }
    }
    store
}

fn loaded(text: String) -> Pile {
    load_text("file.yaml", text, &Limits::default()).into()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_answered(body in vec(any::<u8>(), 0..300)) {
        answered(&body, &Store::default(), Profile::Recommended);
    }

    #[test]
    fn any_request_is_answered(request in any_value(), object in any_value()) {
        let mut review = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request });
        answered(review.to_string().as_bytes(), &Store::default(), Profile::Strict);
        review["request"] = json!({
            "uid": "u", "operation": "CREATE", "object": object,
            "kind": { "group": "ramendr.openshift.io", "kind": "DRPlacementControl" },
        });
        answered(review.to_string().as_bytes(), &Store::default(), Profile::Strict);
    }

    #[test]
    fn a_changed_review_is_answered(
        scenario in scenario(),
        changes in vec(change(), 1..6),
        others in vec(change(), 0..4),
    ) {
        let review = changed(scenario.review(), &changes);
        let given = changed(Value::from(scenario.given.clone()), &others);
        let given = given.as_array().cloned().unwrap_or_default();
        answered(review.to_string().as_bytes(), &world(&given), scenario.profile);
    }

    #[test]
    fn a_torn_review_is_answered(scenario in scenario(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = scenario.review().to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        answered(&body, &Store::default(), scenario.profile);
        answered(&body[..at], &Store::default(), scenario.profile);
    }

    #[test]
    fn changed_manifests_are_checked(
        scenario in scenario(),
        changes in vec(change(), 1..6),
        width in 0..200_usize,
        colour in any::<bool>(),
    ) {
        let all = json!([scenario.new, scenario.old, scenario.given]);
        let all = changed(all, &changes);
        let text = |value: &Value| match value {
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| format!("{item:#}")).collect();
                items.join("\n---\n")
            }
            other => other.to_string(),
        };
        let part = |at: usize| loaded(all.get(at).map_or_else(String::new, text));
        let given = Given { inputs: part(0), old: part(1), context: part(2), ..Given::default() };
        let outcome = check(&engine(scenario.profile), given);
        let shown = human(&outcome, colour, Some(width));
        prop_assert!(shown.ends_with('\n'));
        prop_assert!(colour || !shown.contains(ESCAPE));
        let json = json(&outcome);
        prop_assert_eq!(json["summary"]["denied"] == 0, outcome.denied() == 0);
    }

    #[test]
    fn any_text_is_checked(text in "[-a-z:{}\\[\\]&*!|>%@'\"# \t\n\r0-9.,?ß\u{1b}\u{feff}]{0,200}", width in 0..120_usize) {
        let given = Given { inputs: loaded(text), ..Given::default() };
        let outcome = check(&Engine::default(), given);
        human(&outcome, false, Some(width));
        json(&outcome);
    }

    #[test]
    fn any_configuration_is_read_or_refused(
        text in "[-a-z:{}\\[\\]&*!|>%@'\"# \t\n\r0-9.,?ß\u{1b}\u{feff}]{0,200}",
        any in ".{0,200}",
        value in any_value(),
        changes in vec(change(), 0..4),
    ) {
        let legal = json!({
            "profile": "strict", "rules": { "drpc-pvc-overlap": "off" }, "trusted": { "users": ["a"], "groups": [] },
            "exemptions": { "enabled": true }, "ramen": { "namespace": "ramen-system" },
        });
        for text in [text, any, value.to_string(), changed(legal, &changes).to_string()] {
            if let Err(error) = Settings::read(&text) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}

/// Runs the binary with at most 2 GB of memory, and no longer than it may take.
fn bounded(args: &str, input: &[u8]) -> Output {
    let start = Instant::now();
    let binary = assert_cmd::cargo::cargo_bin!("ramen-guard").display();
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -v 2000000; exec '{binary}' {args}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // It may have read enough.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{args} took {:?}",
        start.elapsed()
    );
    output
}

fn bomb() -> String {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (before, name) in ('a'..'y').zip('b'..) {
        let aliases = vec![format!("*{before} "); 10].join(", ");
        text += &format!("{name}: &{name} [{aliases}]\n");
    }
    text
}

#[test]
fn hostile_input_is_refused_in_bounded_time() {
    const BIG: usize = 8 << 20;
    let object = |value: &str| {
        format!(
            r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","operation":"CREATE","kind":{{"group":"ramendr.openshift.io","kind":"DRPolicy"}},"object":{value}}}}}"#
        )
    };
    let deep = "[".repeat(100_000);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("deep list", deep.clone().into_bytes()),
        (
            "deep closed list",
            format!("{deep}{}", "]".repeat(100_000)).into_bytes(),
        ),
        ("deep object", r#"{"a":"#.repeat(100_000).into_bytes()),
        ("deep block", "- ".repeat(100_000).into_bytes()),
        ("deep in a review", object(&deep).into_bytes()),
        (
            "deep in a field",
            object(&format!(r#"{{"spec":{deep}"#)).into_bytes(),
        ),
        ("huge number", object(r#"{"spec":1e99999999}"#).into_bytes()),
        (
            "long number",
            object(&format!(r#"{{"spec":{}}}"#, "9".repeat(100_000))).into_bytes(),
        ),
        ("not UTF-8", b"{\"kind\": \"\xff\xfe\"}".to_vec()),
        ("not UTF-8 in YAML", b"kind: \xff\xfe".to_vec()),
        ("alias bomb", bomb().into_bytes()),
        (
            "alias bomb in a review",
            format!("kind: AdmissionReview\n{}", bomb()).into_bytes(),
        ),
        ("alias to itself", b"a: &a [*a]".to_vec()),
        ("long text", vec![b'a'; BIG + 1]),
        ("many brackets", "[],".repeat(BIG / 3 + 1).into_bytes()),
        ("NUL", vec![0; BIG + 1]),
    ];
    for (name, input) in &cases {
        for args in ["check -", "review -", "review"] {
            let output = bounded(args, input);
            let told = String::from_utf8_lossy(&output.stderr).into_owned()
                + &String::from_utf8_lossy(&output.stdout);
            let lines = told.lines().count();
            // What is no Kubernetes object is left out, and said.
            let left_out = args == "check -" && told.contains(" skipped (1 ");
            assert!(
                output.status.code() == Some(2) || left_out,
                "{name}: {args}: {:?}: {}",
                output.status,
                &told[..told.floor_char_boundary(2000)]
            );
            assert!(
                !told.contains("panicked") && lines < 20 && told.len() < 4000,
                "{name}: {args}: {lines} lines, {} bytes",
                told.len()
            );
        }
    }
}

/// Megabytes in one line, with a finding about every entry or pair.
#[test]
fn large_objects_are_judged() {
    let distinct = |count: usize| {
        (0..count)
            .map(|number| format!("x{number}."))
            .collect::<Vec<_>>()
    };
    let networks =
        (0..200_000).map(|at| format!("10.{}.{}.{}/32", at >> 16, at >> 8 & 255, at & 255));
    for (kind, list, values) in [
        ("DRPolicy", "drClusters", distinct(150_000)),
        ("DRCluster", "cidrs", networks.collect()),
        ("DRCluster", "cidrs", vec!["x".to_owned(); 200_000]),
        (
            "DRPlacementControl",
            "protectedNamespaces",
            distinct(200_000),
        ),
        (
            "DRPlacementControl",
            "protectedNamespaces",
            vec!["a".to_owned(); 200_000],
        ),
    ] {
        let object = |values: &[String]| {
            json!({
                "apiVersion": "ramendr.openshift.io/v1alpha1", "kind": kind,
                "metadata": { "name": "large", "namespace": "shop" }, "spec": { list: values },
            })
        };
        let (half, changed) = (&values[..values.len() / 2], &values[1..values.len() / 2]);
        for (new, old) in [
            (object(&values), None),
            (object(changed), Some(object(half))),
        ] {
            let review = json!({
                "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                "request": {
                    "uid": "u", "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
                    "kind": { "group": "ramendr.openshift.io", "kind": kind },
                    "object": new, "oldObject": old,
                },
            });
            let output = bounded("review", review.to_string().as_bytes());
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{kind}: {told}");
            assert!(
                output.stdout.len() < 100_000,
                "{kind}: {} bytes",
                output.stdout.len()
            );
        }
        let output = bounded("check -", object(&values).to_string().as_bytes());
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{kind}: {:?}",
            output.status
        );
        assert!(
            output.stdout.len() < 200_000,
            "{kind}: {} bytes",
            output.stdout.len()
        );
    }
}

#[test]
fn what_the_contracts_say_is_fit_to_read() {
    let settings = Settings::default();
    for contract in policy::contracts() {
        let id = &contract.id;
        for text in [
            &contract.what,
            &contract.why,
            &contract.fix,
            &contract.source,
        ] {
            assert_eq!(text.trim(), text, "{id}: blanks around it");
            assert!(
                !text.contains("is immutable") && !text.contains("immutable field"),
                "{id}: {text}"
            );
            assert!(
                !text.contains(char::is_control) && !text.contains("  "),
                "{id}: {text:?}"
            );
        }
        let text = explained(contract, &settings);
        for part in [id, &contract.what, &contract.source] {
            assert!(
                text.contains(part.as_str()),
                "{id}: {part} is missing in\n{text}"
            );
        }
        for line in text.lines() {
            assert_eq!(line, line.trim_end(), "{id}: blanks at the end of a line");
        }
    }
}
