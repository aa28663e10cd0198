//! The floor, evaluated here: it says what the rules in Rust say, for every scenario and at every gate. A
//! real kube-apiserver is asked in `cluster/floor.rs`.
#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use ramen_guard::{
    api::{self, Doc},
    cel::{self, Expression, Variables},
    engine::{Engine, Request, Settings},
    floor::{self, is_in, manifests},
    policy::{self, Check, Contract, Mode, Operation, Profile, Scope},
    report::{Finding, Lowered},
    scenario::{Scenario, scenarios},
    world::Store,
};
use serde_json::{Value, json};

#[path = "floor/variations.rs"]
mod variations;

use variations::variations;

/// A policy as it is printed, ready to be asked.
struct Policy {
    kind: &'static str,
    mode: Mode,
    operations: Vec<String>,
    conditions: Vec<Expression>,
    variables: Vec<(String, Expression)>,
    validations: Vec<Validation>,
}

struct Validation {
    rule: &'static Contract,
    holds: Expression,
    message: String,
    computed: Option<Expression>,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The policies for these settings. Each is followed by its binding.
fn policies(settings: &Settings) -> Vec<Policy> {
    let made = floor::policies(settings);
    let documents: Vec<Value> = serde_saphyr::from_multiple(&manifests(&made)).unwrap();
    assert_eq!(documents.len(), 2 * made.len());
    let pairs = documents.chunks(2).zip(made);
    let policy = |(documents, made): (&[Value], floor::Policy)| {
        let [policy, binding] = documents else {
            panic!("a policy without binding")
        };
        assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
        assert_eq!(policy["spec"]["failurePolicy"], "Ignore");
        let rule = |validation: &Value| {
            let variable = text(&validation["expression"]);
            let name = variable.split([' ', '.']).nth(1).unwrap();
            let known = made.rules.iter().find(|id| {
                let id = id.replace('-', "_");
                name.strip_prefix(&*id).is_some_and(|rest| {
                    rest.trim_start_matches('_').parse::<u8>().is_ok() || rest.is_empty()
                })
            });
            policy::contract(known.unwrap()).unwrap()
        };
        let spec = &policy["spec"];
        let expression = |value: &Value| Expression::new(text(value));
        Policy {
            kind: made.kind,
            mode: match text(&binding["spec"]["validationActions"][0]) {
                "Deny" => Mode::Deny,
                "Warn" => Mode::Warn,
                _ => Mode::Audit,
            },
            operations: list(&spec["matchConstraints"]["resourceRules"][0]["operations"])
                .iter()
                .map(|it| text(it).to_owned())
                .collect(),
            conditions: list(&spec["matchConditions"])
                .iter()
                .map(|it| expression(&it["expression"]))
                .collect(),
            variables: list(&spec["variables"])
                .iter()
                .map(|it| (text(&it["name"]).to_owned(), expression(&it["expression"])))
                .collect(),
            validations: list(&spec["validations"])
                .iter()
                .map(|it| {
                    assert_eq!(it["reason"], "Forbidden");
                    Validation {
                        rule: rule(it),
                        holds: expression(&it["expression"]),
                        message: text(&it["message"]).to_owned(),
                        computed: it.get("messageExpression").map(expression),
                    }
                })
                .collect(),
        }
    };
    pairs.map(policy).collect()
}

/// What the floor makes of a request: for each rule the gravest that becomes of it, and what is said.
type Said = BTreeMap<&'static str, (Mode, String)>;

fn ask(policies: &[Policy], request: &Request) -> Said {
    let object = |doc: &Option<Doc>| {
        doc.as_ref()
            .map_or(cel::Value::Null, |doc| cel::value(&doc.value))
    };
    let user = json!({
        "operation": request.operation.name(),
        "userInfo": {"username": request.user.name, "groups": request.user.groups},
    });
    let mut scope = Variables::default();
    scope.set("object", object(&request.new));
    scope.set("oldObject", object(&request.old));
    scope.set("request", cel::value(&user));
    let evaluated = |expression: &Expression, scope: &Variables| {
        let value = expression.evaluate(scope);
        value.unwrap_or_else(|| panic!("{expression:?} ends in an error for {request:#?}"))
    };
    let holds = |expression: &Expression, scope: &Variables| match evaluated(expression, scope) {
        cel::Value::Bool(held) => held,
        other => panic!("{expression:?} is {other:?}"),
    };
    let mut said = Said::new();
    let concerned = policies.iter().filter(|policy| {
        policy.kind == request.kind
            && policy
                .operations
                .iter()
                .any(|it| it == request.operation.name())
    });
    for policy in concerned {
        if !policy.conditions.iter().all(|it| holds(it, &scope)) {
            continue;
        }
        let mut variables: Vec<(String, cel::Value)> = Vec::new();
        for (name, expression) in &policy.variables {
            variables.push((name.clone(), evaluated(expression, &scope)));
            scope.set("variables", cel::map(variables.iter().cloned()));
        }
        for validation in &policy.validations {
            if holds(&validation.holds, &scope) {
                continue;
            }
            let message = match validation.computed.as_ref().map(|it| evaluated(it, &scope)) {
                None => validation.message.clone(),
                Some(cel::Value::String(message)) => message.to_string(),
                Some(other) => panic!("a message is {other:?}"),
            };
            let before = said.insert(&validation.rule.id, (policy.mode, message));
            assert!(
                before.is_none_or(|(mode, _)| mode == policy.mode),
                "{} ends twice",
                validation.rule.id
            );
        }
    }
    said
}

/// What the rules in Rust make of it, as far as the floor has them and can know.
fn judged(findings: &[Finding]) -> BTreeMap<&str, &Finding> {
    let mut gravest = BTreeMap::<&str, &Finding>::new();
    let own = findings.iter().filter(|finding| {
        let noted = finding.mode == Mode::Audit && finding.lowered.is_some();
        is_in(&finding.rule) && finding.lowered != Some(Lowered::Advice) && !noted
    });
    for finding in own {
        let known = gravest.entry(&finding.rule.id).or_insert(finding);
        if finding.mode > known.mode {
            *known = finding;
        }
    }
    gravest
}

/// Where floor and rules differ about a request, or nothing.
fn differ(settings: &Settings, policies: &[Policy], request: &Request) -> Option<String> {
    let verdict = Engine::new(settings.clone()).judge(request, &Store::default(), None);
    let judged = judged(&verdict.findings);
    let said = ask(policies, request);
    let modes: BTreeMap<&str, Mode> = said
        .iter()
        .map(|(rule, (mode, _))| (*rule, *mode))
        .collect();
    let expected = judged.iter().map(|(rule, finding)| (*rule, finding.mode));
    let expected: BTreeMap<&str, Mode> = expected.collect();
    (modes != expected).then(|| format!("the rules: {expected:?}\n  the floor: {said:#?}"))
}

/// The rules of the floor.
fn rules() -> impl Iterator<Item = &'static Contract> {
    let contracts = policy::contracts().iter();
    contracts.filter(|contract| contract.kind != "Any" && is_in(contract))
}

fn has_floor(scenario: &Scenario) -> bool {
    policy::contract(scenario.rule).is_some_and(is_in)
}

fn settings(profile: Profile) -> Settings {
    Settings::default().with_profile(profile)
}

/// Settings under which one of the rules ends another way.
fn configured(text: &str) -> Settings {
    Settings::read(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Every scenario against every rule of its kind, whether it is about that rule or not.
#[test]
fn the_floor_says_what_the_rules_say() {
    for (name, profile) in Profile::ALL {
        let settings = settings(profile);
        let policies = policies(&settings);
        let mut refused = 0;
        let asked = scenarios()
            .iter()
            .filter(|it| it.operation != Operation::Delete);
        let mut wrong = Vec::new();
        for scenario in asked {
            let request = scenario.request();
            if let Some(difference) = differ(&settings, &policies, &request) {
                wrong.push(format!(
                    "{}: {} ({name}): {difference}",
                    scenario.rule, scenario.story
                ));
            }
            let said = ask(&policies, &request);
            refused += usize::from(said.values().any(|(mode, _)| *mode == Mode::Deny));
        }
        assert!(
            wrong.is_empty(),
            "{} differ:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        assert!(
            (refused > 20) == (profile != Profile::Observe),
            "{name}: {refused} refused"
        );
    }
}

/// The rules that only advise in some case, which the floor leaves to the webhook.
fn advising() -> BTreeSet<String> {
    let engine = Engine::new(settings(Profile::Recommended));
    let findings = scenarios()
        .iter()
        .filter(|it| has_floor(it))
        .flat_map(|scenario| {
            engine
                .judge(&scenario.request(), &Store::default(), None)
                .findings
        });
    let advice = findings.filter(|finding| finding.lowered == Some(Lowered::Advice));
    advice.map(|finding| finding.rule.id.clone()).collect()
}

#[test]
fn the_gates_are_the_same() {
    let advising = advising();
    let mut wrong = Vec::new();
    let mut all = vec![
        ("recommended".to_owned(), settings(Profile::Recommended)),
        ("observe".to_owned(), settings(Profile::Observe)),
        (
            "with exemptions".to_owned(),
            configured("exemptions: {enabled: true}"),
        ),
        (
            "with a trusted group".to_owned(),
            configured("trusted: {groups: [recovery]}"),
        ),
    ];
    for mode in ["warn", "audit", "off", "deny"] {
        let modes: Vec<String> = rules()
            .map(|rule| format!("  {}: {mode}", rule.id))
            .collect();
        all.push((
            format!("all {mode}"),
            configured(&format!("rules:\n{}", modes.join("\n"))),
        ));
    }
    let mut asked = 0;
    for (name, settings) in &all {
        // Where a rule does no more than warn, it can't be told when it would only advise.
        let warns = ["all warn", "all audit"].contains(&&**name);
        let told = |rule: &str| !(warns && advising.contains(rule));
        let policies = policies(settings);
        assert_eq!(policies.is_empty(), name == "all off", "{name}");
        let chosen = scenarios()
            .iter()
            .filter(|it| it.operation != Operation::Delete && has_floor(it) && told(it.rule));
        for scenario in chosen {
            for (how, request) in variations(scenario) {
                asked += 1;
                if let Some(difference) = differ(settings, &policies, &request) {
                    wrong.push(format!(
                        "{}: {}, {how} ({name}): {difference}",
                        scenario.rule, scenario.story
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {asked} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(8)].join("\n")
    );
    assert!(asked > 1000, "only {asked} were asked");
}

/// A refusal by the floor is read by the same people: it names the field and the rule as the webhook does,
/// says the way out, and never what makes Flux delete the object.
#[test]
fn a_refusal_names_field_rule_and_way_out() {
    let settings = settings(Profile::Recommended);
    let policies = policies(&settings);
    for scenario in scenarios().iter().filter(|it| has_floor(it)) {
        let request = scenario.request();
        let verdict = Engine::new(settings.clone()).judge(&request, &Store::default(), None);
        let judged = judged(&verdict.findings);
        for (rule, (mode, message)) in ask(&policies, &request) {
            let contract = policy::contract(rule).unwrap();
            let finding = judged[rule];
            let story = format!("{rule}: {}: {message}", scenario.story);
            assert!(
                !message.contains("is immutable") && !message.contains("immutable field"),
                "{story}"
            );
            assert!(!message.contains('\n'), "{story}");
            assert!(message.contains(&*contract.fix), "{story}");
            if mode == Mode::Deny {
                assert!(
                    message.starts_with(&format!("{}: ", finding.field())),
                    "{story}: {}",
                    finding.field()
                );
                assert!(message.ends_with(&format!(" ({rule})")), "{story}");
                // What follows from the vocabulary has the webhook's own words.
                if contract.floor.is_none() {
                    assert_eq!(message, finding.to_string());
                }
            } else {
                assert!(message.starts_with(&format!("{rule}: ")), "{story}");
            }
        }
    }
}

#[test]
fn every_rule_of_the_floor_looks_at_the_object_only() {
    let kinds: Vec<&str> = rules().map(|rule| &*rule.kind).collect();
    assert!(kinds.len() > 10);
    for rule in rules() {
        assert_eq!(rule.scope, Scope::Object, "{}", rule.id);
        assert!(!rule.missing, "{}", rule.id);
        assert!(
            api::schema(&rule.kind).is_some(),
            "{}: the floor knows only Ramen's kinds",
            rule.id
        );
        let known = matches!(rule.check, Check::Code(_));
        assert_eq!(
            known,
            rule.floor.is_some(),
            "{}: has a floor twice",
            rule.id
        );
        let deletes = rule.on.contains(&Operation::Delete);
        assert!(!deletes, "{}: the floor is never asked at DELETE", rule.id);
    }
    let printed = manifests(&floor::policies(&Settings::default()));
    for rule in rules().filter(|rule| rule.mode > Mode::Off) {
        assert!(printed.contains(&*rule.id), "{} is not in it", rule.id);
    }
}

#[test]
fn the_shipped_policies_are_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/floor/policies.yaml");
    let shipped = fs::read_to_string(&path).unwrap_or_default();
    let (_, policies) = shipped.split_once("---\n").unwrap_or_default();
    let printed = manifests(&floor::policies(&Settings::default()));
    assert!(
        format!("---\n{policies}") == printed,
        "manifests/floor/policies.yaml is not what `ramen-guard policies` prints: run `just floor`"
    );
}
