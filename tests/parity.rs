//! Every front end says the same: `check`, the webhook's answer and the engine, for every scenario and
//! in every order of the input.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use ramen_guard::{
    admission::review::{Review, answer},
    api::Doc,
    cli::check::{Given, check},
    engine::{Engine, Settings, User, Verdict},
    manifest::{
        load::{Loaded, load_text},
        yaml::Limits,
    },
    policy::{Mode, Operation},
    report::{Finding, Lowered, Outcome},
    scenario::{Expected, Scenario, scenarios},
    world::Store,
};
use serde_json::{Value, json};

/// What `check` can't know, by the field of the finding: why a scenario may get another verdict there.
fn unknown_offline(scenario: &Scenario, engine: &Engine) -> Option<&'static str> {
    if scenario.operation == Operation::Delete {
        return Some("a manifest says what shall be, not what shall go");
    }
    if engine.settings.trusted_users.contains(&scenario.user) {
        return Some("who will apply a manifest is not in it");
    }
    let clusters = scenario
        .given
        .iter()
        .any(|object| object["kind"] == "ManagedCluster");
    if !clusters && scenario.rule.contains("managedcluster") {
        return Some("nobody keeps ManagedClusters in Git, so that there is none says nothing");
    }
    None
}

fn engine(scenario: &Scenario) -> Engine {
    Engine::new(Settings::default().with_profile(scenario.profile))
}

fn loaded<'a>(name: &str, objects: impl IntoIterator<Item = &'a Value>) -> Loaded {
    let documents: Vec<String> = objects.into_iter().map(Value::to_string).collect();
    load_text(name, documents.join("\n---\n"), &Limits::default())
}

fn checked(scenario: &Scenario, engine: &Engine) -> Outcome {
    let given = Given {
        inputs: loaded("new", &scenario.new).into(),
        context: loaded("given", &scenario.given).into(),
        old: loaded("old", &scenario.old).into(),
        ..Given::default()
    };
    check(engine, given)
}

fn findings(outcome: &Outcome) -> Vec<&Finding> {
    let located = outcome.objects.iter().flat_map(|object| &object.findings);
    located.map(|located| &located.finding).collect()
}

fn world(scenario: &Scenario) -> Store {
    let mut store = Store::default();
    for object in &scenario.given {
        let doc = Doc::from_value(object.clone()).unwrap();
        store.apply(&doc).unwrap();
    }
    store
}

/// A finding as far as two front ends have to agree.
fn told(finding: &Finding) -> String {
    let related: Vec<String> = finding
        .related
        .iter()
        .map(|related| related.key.to_string())
        .collect();
    let lowered = finding.lowered.map(Lowered::name);
    format!("{} {finding} {lowered:?} {related:?}", finding.mode)
}

/// What the schema, and not a rule, says.
fn is_the_schemas(finding: &Finding) -> bool {
    finding.rule.kind == "Any" && !finding.rule.files && finding.rule.id != "exemption-invalid"
}

#[test]
fn check_says_what_the_scenarios_expect() {
    let (mut wrong, mut left_out) = (Vec::new(), BTreeMap::<&str, BTreeSet<&str>>::new());
    for scenario in scenarios() {
        let engine = engine(scenario);
        if let Some(why) = unknown_offline(scenario, &engine) {
            left_out.entry(why).or_default().insert(scenario.rule);
            continue;
        }
        let outcome = checked(scenario, &engine);
        let all = findings(&outcome);
        let own: Vec<&&Finding> = all
            .iter()
            .filter(|finding| finding.rule.id == scenario.rule && finding.mode >= Mode::Warn)
            .collect();
        let says = |mode: Mode, field: &str| {
            own.iter()
                .any(|finding| finding.mode == mode && finding.pointer.as_str() == field)
        };
        let right = match &scenario.expected {
            Expected::Accepted => own.is_empty(),
            Expected::Warned(field) => {
                says(Mode::Warn, field) && own.iter().all(|finding| finding.mode == Mode::Warn)
            }
            Expected::Refused(field) => says(Mode::Deny, field) && outcome.exit_code(false) == 1,
        };
        // Of the kinds of others, most objects are nobody's business.
        let verdict = engine.judge(&scenario.request(), &world(scenario), None);
        let judged = outcome.judged == usize::from(verdict.known);
        if !right || !judged || !outcome.unread.is_empty() {
            let all: Vec<String> = all.iter().map(|finding| told(finding)).collect();
            wrong.push(format!(
                "{}: {}: expected {:?}, got {all:#?}",
                scenario.rule, scenario.story, scenario.expected
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let few: usize = left_out.values().map(BTreeSet::len).sum();
    assert!(
        few < scenarios().len() / 10,
        "too much is left out: {left_out:#?}"
    );
}

#[test]
fn check_and_the_engine_find_the_same() {
    for scenario in scenarios() {
        if scenario.operation == Operation::Delete {
            continue;
        }
        let engine = engine(scenario);
        let mut world = world(scenario);
        // As `check` has it.
        if world.managed_clusters.is_empty() {
            world.managed_clusters.synced = false;
        }
        if world.secrets.is_empty() {
            world.secrets.synced = false;
        }
        let mut request = scenario.request();
        request.user = User::default();
        let verdict = engine.judge_file(&request, &world);
        let outcome = checked(scenario, &engine);
        let rules = |findings: Vec<&Finding>| -> Vec<String> {
            let findings = findings
                .into_iter()
                .filter(|finding| !is_the_schemas(finding));
            findings.map(told).collect()
        };
        let story = format!("{}: {}", scenario.rule, scenario.story);
        assert_eq!(
            rules(findings(&outcome)),
            rules(verdict.findings.iter().collect()),
            "{story}"
        );
        let schema = findings(&outcome)
            .into_iter()
            .any(|finding| is_the_schemas(finding) && finding.mode == Mode::Deny);
        assert_eq!(
            outcome.denied() == 0,
            verdict.allowed() && !schema,
            "{story}"
        );
    }
}

#[test]
fn the_webhook_and_the_engine_find_the_same() {
    for scenario in scenarios() {
        let engine = engine(scenario);
        let judge = |request| engine.judge(request, &world(scenario), None);
        let review = Review::read(scenario.review().to_string().as_bytes()).unwrap();
        let (sent, direct) = (judge(&review.request), judge(&scenario.request()));
        let all =
            |verdict: &Verdict| -> Vec<String> { verdict.findings.iter().map(told).collect() };
        let story = format!("{}: {}", scenario.rule, scenario.story);
        assert_eq!(all(&sent), all(&direct), "{story}");
        let answer: Value = serde_json::from_slice(&answer(&review, &sent)).unwrap();
        assert_eq!(answer["response"]["allowed"], direct.allowed(), "{story}");
        let causes = &answer["response"]["status"]["details"]["causes"];
        let causes = causes.as_array().map_or(0, Vec::len);
        assert_eq!(causes, direct.denials().count(), "{story}");
    }
}

/// The CRDs have rules of their own, in CEL. Where one of ours is about the same, only ours is heard.
#[test]
fn check_says_what_the_crds_rules_say() {
    let object = |kind: &str, spec: Value| {
        json!({
            "apiVersion": "ramendr.openshift.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": "one"},
            "spec": spec,
        })
    };
    let found = |old: Option<&Value>, new: &Value| {
        let given = Given {
            inputs: loaded("new", [new]).into(),
            old: loaded("old", old).into(),
            ..Given::default()
        };
        let outcome = check(&Engine::default(), given);
        let blaming = findings(&outcome).into_iter().filter(|finding| {
            ["/spec/clusterID", "/spec/drClusters"].contains(&finding.pointer.as_str())
        });
        blaming
            .map(|finding| (finding.rule.id.clone(), finding.mode))
            .collect::<Vec<_>>()
    };
    let [one, two] = ["one", "two"].map(|id| object("DRClusterConfig", json!({"clusterID": id})));
    assert_eq!(found(None, &one), []);
    assert_eq!(found(Some(&one), &one), []);
    let changed = found(Some(&one), &two);
    assert!(matches!(&changed[..], [(_, Mode::Deny)]), "{changed:?}");

    let policy = |clusters: Value| {
        object(
            "DRPolicy",
            json!({"drClusters": clusters, "schedulingInterval": "5m"}),
        )
    };
    let [pair, single] = [policy(json!(["east", "west"])), policy(json!(["east"]))];
    let rule = |id: &str, mode| vec![(id.to_owned(), mode)];
    assert_eq!(
        found(None, &single),
        rule("drpolicy-drclusters-count", Mode::Deny)
    );
    assert_eq!(
        found(Some(&single), &single),
        rule("object-schema", Mode::Warn)
    );
    assert_eq!(
        found(Some(&single), &pair),
        rule("drpolicy-drclusters-immutable", Mode::Deny)
    );
}

fn name(object: &Value) -> String {
    let text = |pointer| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    format!(
        "{} {}/{}",
        text("/kind"),
        text("/metadata/namespace"),
        text("/metadata/name")
    )
}

/// One object of each name that the scenarios have: they name each other in every way.
fn bundle() -> Vec<Value> {
    let mut objects = BTreeMap::new();
    for scenario in scenarios() {
        for object in scenario.new.iter().chain(&scenario.given) {
            objects
                .entry(name(object))
                .or_insert_with(|| object.clone());
        }
    }
    objects.into_values().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_input_makes_no_difference(
        objects in Just(bundle()).prop_shuffle(),
        files in 1..9_usize,
    ) {
        let found = |objects: &[Value], files: usize| {
            let mut inputs = Loaded::default();
            for (number, piece) in objects.chunks(objects.len().div_ceil(files)).enumerate() {
                let file = loaded(&format!("{number}.yaml"), piece);
                inputs.manifests.extend(file.manifests);
                assert!(file.errors.is_empty() && file.skipped.is_empty());
            }
            check(&Engine::default(), Given { inputs: inputs.into(), ..Given::default() })
        };
        let by_object = |outcome: &Outcome| -> BTreeMap<String, Vec<String>> {
            let objects = outcome.objects.iter().map(|object| {
                let findings = object.findings.iter().map(|located| told(&located.finding));
                (format!("{} {}/{}", object.kind, object.namespace, object.name), findings.collect())
            });
            objects.collect()
        };
        let outcome = found(&objects, files);
        prop_assert_eq!(by_object(&outcome), by_object(&found(&bundle(), 1)));
        // Objects come as they stand in the input, findings by field, then rule.
        let order: Vec<String> = objects.iter().map(name).collect();
        let places: Vec<usize> = outcome
            .objects
            .iter()
            .filter_map(|object| {
                let name = format!("{} {}/{}", object.kind, object.namespace, object.name);
                order.iter().position(|known| *known == name)
            })
            .collect();
        prop_assert!(!places.is_empty() && places.is_sorted());
        for object in &outcome.objects {
            let keys = object.findings.iter().map(|located| {
                (located.finding.pointer.as_str(), &*located.finding.rule.id)
            });
            prop_assert!(keys.is_sorted());
        }
    }
}
