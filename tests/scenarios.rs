//! Every scenario against the rule in Rust and the webhook's answer; the files against each other.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use ramen_guard::{
    admission::review::{Review, answer},
    engine::{Engine, Settings, Verdict},
    policy::{self, Check, Mode},
    report::{Finding, Lowered},
    scenario::{self, Expected, Scenario, scenarios, scenarios_of, written, written_of},
    world::Store,
};
use serde_json::Value;

fn world(scenario: &Scenario) -> Store {
    let mut store = Store::default();
    for object in &scenario.given {
        store
            .apply(&ramen_guard::api::Doc::from_value(object.clone()).unwrap())
            .unwrap();
    }
    store
}

fn engine(scenario: &Scenario) -> Engine {
    Engine::new(Settings::default().with_profile(scenario.profile))
}

fn of<'a>(scenario: &Scenario, verdict: &'a Verdict) -> Vec<&'a Finding> {
    verdict
        .findings
        .iter()
        .filter(|finding| finding.rule.id == scenario.rule && finding.mode >= Mode::Warn)
        .collect()
}

/// Whether the scenario is about what only a file can break.
fn of_files(scenario: &Scenario) -> bool {
    policy::contract(scenario.rule).unwrap().files
}

/// What is wrong with a verdict, or nothing.
fn complaint(scenario: &Scenario, verdict: &Verdict) -> Option<String> {
    let found = of(scenario, verdict);
    let blamed = |mode: Mode, field: &str| {
        found
            .iter()
            .any(|f| f.mode == mode && f.pointer.as_str() == field)
    };
    let right = match &scenario.expected {
        Expected::Accepted => found.is_empty(),
        Expected::Warned(field) => {
            blamed(Mode::Warn, field) && found.iter().all(|f| f.mode == Mode::Warn)
        }
        Expected::Refused(field) => blamed(Mode::Deny, field),
    };
    let said: Vec<String> = verdict
        .findings
        .iter()
        .map(|f| format!("{} {} {f}", f.mode, f.pointer))
        .collect();
    (!right).then(|| {
        format!(
            "{}: {}: expected {:?}, got {said:#?}",
            scenario.rule, scenario.story, scenario.expected
        )
    })
}

/// Whether the rule would have refused a scenario, had it not been a recovery, which no other object
/// refuses.
fn only_recoveries(rule: &str) -> bool {
    scenarios_of(rule).any(|scenario| {
        let verdict = engine(scenario).judge(&scenario.request(), &world(scenario), None);
        of(scenario, &verdict)
            .iter()
            .any(|finding| finding.lowered == Some(Lowered::Recovery))
    })
}

#[test]
fn the_rules_say_what_the_scenarios_expect() {
    let wrong: Vec<String> = scenarios()
        .iter()
        .filter_map(|scenario| {
            let (engine, world) = (engine(scenario), world(scenario));
            let request = scenario.request();
            let verdict = if of_files(scenario) {
                engine.judge_file(&request, &world)
            } else {
                engine.judge(&request, &world, None)
            };
            complaint(scenario, &verdict)
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        scenarios().len(),
        wrong.join("\n")
    );
}

/// Manifests as they were written, for the rules of no one kind.
#[test]
fn the_rules_of_all_kinds_say_what_is_expected() {
    for scenario in written() {
        let found = scenario.findings();
        let found: Vec<&Finding> = found
            .iter()
            .filter(|finding| finding.rule.id == scenario.rule && finding.mode >= Mode::Warn)
            .collect();
        let (mode, field) = match &scenario.expected {
            Expected::Accepted => {
                assert!(found.is_empty(), "{scenario:?}: {found:?}");
                continue;
            }
            Expected::Warned(field) => (Mode::Warn, field),
            Expected::Refused(field) => (Mode::Deny, field),
        };
        assert!(!found.is_empty(), "{scenario:?}");
        for finding in found {
            assert_eq!(
                (finding.mode, finding.pointer.as_str()),
                (mode, &**field),
                "{scenario:?}"
            );
        }
    }
}

#[test]
fn the_webhook_answers_what_the_scenarios_expect() {
    for scenario in scenarios() {
        let review = Review::read(scenario.review().to_string().as_bytes()).unwrap();
        let verdict = engine(scenario).judge(&review.request, &world(scenario), None);
        let answer: Value = serde_json::from_slice(&answer(&review, &verdict)).unwrap();
        let response = &answer["response"];
        let story = format!("{}: {}", scenario.rule, scenario.story);
        if of_files(scenario) {
            assert_eq!(
                of(scenario, &verdict).len(),
                0,
                "{story}: asked in a cluster"
            );
            assert!(scenario.offline, "{story}: no API server is asked");
        } else if let Expected::Refused(_) = scenario.expected {
            assert_eq!(response["allowed"], false, "{story}");
            assert_eq!(response["status"]["code"], 403, "{story}");
            let message = response["status"]["message"].as_str().unwrap();
            assert!(message.contains(scenario.rule), "{story}: {message}");
            // Flux and others delete an object when they read these words.
            assert!(
                !message.contains("is immutable") && !message.contains("immutable field"),
                "{story}: {message}"
            );
            let causes = response["status"]["details"]["causes"].as_array().unwrap();
            assert!(
                causes.iter().any(|cause| cause["reason"] == scenario.rule),
                "{story}"
            );
        }
        for warning in response["warnings"].as_array().unwrap_or(&Vec::new()) {
            assert!(
                warning.as_str().unwrap().chars().count() <= 200,
                "{story}: {warning}"
            );
        }
        assert!(
            response["warnings"]
                .as_array()
                .is_none_or(|warnings| warnings.len() <= 9),
            "{story}"
        );
    }
}

#[test]
fn judging_an_object_that_stays_as_it_is_says_nothing() {
    for scenario in scenarios() {
        let mut request = scenario.request();
        if request.new.is_none() {
            continue;
        }
        request.operation = policy::Operation::Update;
        request.old.clone_from(&request.new);
        let verdict = engine(scenario).judge_file(&request, &world(scenario));
        assert!(
            verdict.findings.is_empty(),
            "{}: {}: {:?}",
            scenario.rule,
            scenario.story,
            verdict.findings
        );
    }
}

#[test]
fn every_rule_has_a_contract_code_and_scenarios() {
    assert_eq!(
        scenario::strays(),
        Vec::<&str>::new(),
        "scenario files that name no rule"
    );
    let coded: BTreeSet<&str> = ramen_guard::rules::coded().into_iter().collect();
    for contract in policy::contracts() {
        let id = &contract.id;
        // What an API server says is tried on a real one, in tests/cluster/dryrun.rs.
        if id.starts_with("server-") {
            continue;
        }
        // The engine and `check` say the others themselves.
        if contract.kind != "Any" || !contract.also.is_empty() && contract.files {
            let by_code = matches!(contract.check, Check::Code(_));
            assert_eq!(
                by_code,
                coded.contains(&**id),
                "{id}: its contract says code, or src/rules/ has some"
            );
            let updates = contract.on.contains(&policy::Operation::Update);
            assert!(
                !updates || !contract.watches.is_empty(),
                "{id}: on UPDATE, but watches nothing"
            );
        }
        let expects = |wanted: fn(&Expected) -> bool| {
            scenarios_of(id).any(|scenario| wanted(&scenario.expected))
                || written_of(id).any(|scenario| wanted(&scenario.expected))
        };
        assert!(
            expects(|e| *e == Expected::Accepted),
            "{id} has no accepted scenario"
        );
        let strictest = contract.mode.max(contract.strict.unwrap_or(Mode::Off));
        if strictest == Mode::Deny {
            let refused = expects(|e| matches!(e, Expected::Refused(_)));
            assert!(
                refused || only_recoveries(id),
                "{id} denies, but no scenario is refused"
            );
        } else if strictest == Mode::Warn {
            assert!(
                expects(|e| matches!(e, Expected::Warned(_))),
                "{id} warns, but no scenario is warned about"
            );
        }
        for text in [
            &contract.what,
            &contract.why,
            &contract.fix,
            &contract.source,
        ] {
            assert!(!text.trim().is_empty(), "{id} leaves something out");
        }
        assert!(
            !contract.fix.ends_with('.'),
            "{id}: its fix ends a sentence of the answer, without a full stop"
        );
    }
    let contracts: BTreeSet<&str> = policy::contracts()
        .iter()
        .map(|contract| contract.id.as_str())
        .collect();
    assert_eq!(
        contracts.len(),
        policy::contracts().len(),
        "an id is there twice"
    );
    for id in coded {
        assert!(contracts.contains(id), "{id} has code, but no contract");
    }
}
