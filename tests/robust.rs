//! Whatever comes in, an answer or a plain error comes out: in bounded time, and never a panic.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::{collection::vec, prelude::*};
use ramen_guard::{
    cli::{
        check::{Given, check},
        explain::explained,
    },
    engine::{Engine, Settings},
    manifest::{load::load_text, pile::Pile, yaml::Limits},
    policy::{self, Mode, Profile},
    report::{Outcome, github, human, json, junit, sarif},
    scenario::{Scenario, scenarios},
    world::Store,
};
use serde_json::{Value, json};

#[path = "robust/hostile.rs"]
mod hostile;
#[path = "robust/simulate.rs"]
mod simulate;
#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, dead_code)]
mod targets;

use targets::{answered, engine, world};

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

/// Every format but the first two is what it says that it is.
fn read_by_machines(outcome: &Outcome) {
    let xml = junit(outcome, &[]);
    assert!(roxmltree::Document::parse(&xml).is_ok(), "{xml:?}");
    let text = github(outcome, Path::new("/"), &[]);
    let commands = text.lines().filter(|line| line.starts_with("::error "));
    assert_eq!(
        commands.count(),
        outcome.count(Mode::Deny) + outcome.unread.len()
    );
    for text in [xml, text] {
        assert!(
            !text.contains(|c: char| c.is_control() && c != '\n'),
            "{text:?}"
        );
    }
    let log = sarif(outcome, Path::new("/"));
    let run = &log["runs"][0];
    let errors = run["results"].as_array().unwrap().iter();
    let errors = errors.filter(|it| it["level"] == "error" && it["suppressions"].is_null());
    assert_eq!(errors.count(), outcome.count(Mode::Deny));
    assert_eq!(
        run["invocations"][0]["executionSuccessful"],
        outcome.unread.is_empty()
    );
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
        read_by_machines(&outcome);
    }

    #[test]
    fn any_text_is_checked(text in "[-a-z:{}\\[\\]&*!|>%@'\"# \t\n\r0-9.,?ß\u{1b}\u{feff}]{0,200}", width in 0..120_usize) {
        let given = Given { inputs: loaded(text), ..Given::default() };
        let outcome = check(&Engine::default(), given);
        human(&outcome, false, Some(width));
        json(&outcome);
        read_by_machines(&outcome);
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
        let text = explained(contract, &settings, true, 80);
        let text = anstream::adapter::strip_str(&text).to_string();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let file = contract.source.split(':').next().unwrap_or_default();
        for part in [id, &*contract.what, &*contract.why, &*contract.fix, file] {
            assert!(
                words(&text).contains(&words(part)),
                "{id}: {part} is missing in\n{text}"
            );
        }
        for line in text.lines() {
            assert_eq!(line, line.trim_end(), "{id}: blanks at the end of a line");
        }
    }
}
