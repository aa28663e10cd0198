//! Recipes that people have written, rules that are off or silent by default, and Recipes of a size that
//! nobody writes.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::{Write, stderr},
    path::PathBuf,
    time::Instant,
};

use ramen_guard::{
    api::Doc,
    cli::check::{Given, check},
    engine::{Engine, Request, Settings, User},
    manifest::{load::load_text, yaml::Limits},
    policy::{self, Operation},
    report::{Finding, Outcome},
    world::Store,
};
use serde_json::{Value, json};

/// The Recipes of a folder of the corpus beside the repository, by file name, or `None`, said aloud.
fn corpus(folder: &str) -> Option<Vec<(String, String)>> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus")).join(folder);
    let Ok(entries) = fs::read_dir(&path) else {
        // Past the test harness, which hides what a passing test prints.
        let mut output = stderr().lock();
        writeln!(output, "NOT COMPARED: no folder {}", path.display()).unwrap();
        return None;
    };
    let mut files: Vec<(String, String)> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, _)| name.contains("recipe"))
        .map(|(name, path)| (name, fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    Some(files)
}

fn checked(name: &str, text: &str) -> Outcome {
    let given = Given {
        inputs: load_text(name, text, &Limits::default()).into(),
        context: load_text("context", "", &Limits::default()).into(),
        old: load_text("old", "", &Limits::default()).into(),
        ..Given::default()
    };
    check(&Engine::default(), given)
}

/// What is said about Recipes, as the corpus notes it: mode, rule and pointer.
fn said(outcome: &Outcome) -> Vec<String> {
    let located = outcome.objects.iter().flat_map(|object| &object.findings);
    let mut said: Vec<String> = located
        .map(|located| &located.finding)
        .filter(|finding| finding.rule.kind == "Recipe" && finding.mode >= policy::Mode::Warn)
        .map(|finding| format!("{} {} {}", finding.mode, finding.rule.id, finding.pointer))
        .collect();
    said.sort();
    said
}

#[test]
fn of_recipes_that_people_wrote_exactly_that_is_said_which_their_notes_say() {
    for folder in ["legal", "illegal"] {
        let Some(files) = corpus(folder) else {
            return;
        };
        for (name, text) in files.iter().filter(|(name, _)| name.starts_with("recipe-")) {
            let notes = text
                .lines()
                .filter_map(|line| line.strip_prefix("# guard: "));
            let mut noted: Vec<String> = notes.map(str::to_owned).collect();
            noted.sort();
            assert_eq!(said(&checked(name, text)), noted, "{name}");
        }
    }
}

#[test]
fn the_recipes_of_other_groups_are_not_judged() {
    let Some(files) = corpus("legal") else {
        return;
    };
    let others = files
        .iter()
        .filter(|(name, _)| name.starts_with("othergroup-"));
    for (name, text) in others {
        let outcome = checked(name, text);
        assert_eq!((outcome.judged, outcome.exit_code(true)), (0, 0), "{name}");
    }
}

fn recipe(spec: &Value) -> Value {
    json!({
        "apiVersion": "ramendr.openshift.io/v1alpha1",
        "kind": "Recipe",
        "metadata": { "name": "shop", "namespace": "shop" },
        "spec": spec,
    })
}

fn judged(settings: &str, spec: &Value) -> Vec<Finding> {
    let request = Request {
        operation: Operation::Create,
        group: "ramendr.openshift.io".to_owned(),
        kind: "Recipe".to_owned(),
        namespace: "shop".to_owned(),
        name: "shop".to_owned(),
        subresource: String::new(),
        new: Some(Doc::from_value(recipe(spec)).unwrap()),
        old: None,
        user: User::default(),
        dry_run: false,
    };
    let engine = Engine::new(Settings::read(settings).unwrap());
    engine.judge(&request, &Store::default(), None).findings
}

/// The fields that a rule which says nothing by default blames, once it is asked to.
fn blamed(rule: &str, spec: &Value) -> Vec<String> {
    assert!(
        policy::contract(rule).unwrap().mode < policy::Mode::Warn,
        "{rule}"
    );
    let findings = judged(&format!("rules: {{ {rule}: warn }}"), spec);
    let own = findings
        .into_iter()
        .filter(|finding| finding.rule.id == rule);
    own.map(|finding| finding.pointer.to_string()).collect()
}

#[test]
fn the_rules_that_are_silent_by_default_find_what_they_say() {
    let group = |name: &str, more: Value| {
        let mut group = json!({ "name": name, "type": "resource" });
        let fields = more.as_object().unwrap().clone();
        group.as_object_mut().unwrap().extend(fields);
        group
    };
    let spec = json!({
        "groups": [
            group("bare", json!({})),
            group("said", json!({ "includedNamespaces": ["shop"], "includeClusterResources": false })),
            group("recovered", json!({ "backupRef": "said" })),
            group("unused", json!({})),
        ],
        "workflows": [
            { "name": "backup", "sequence": [{ "group": "bare" }, { "group": "said" }, { "group": "bare" }] },
            { "name": "restore", "sequence": [{ "group": "recovered" }] },
        ],
    });
    assert_eq!(
        blamed("recipe-group-no-included-namespaces", &spec),
        ["/spec/groups/0/includedNamespaces"]
    );
    assert_eq!(
        blamed("recipe-include-cluster-resources", &spec),
        [
            "/spec/groups/0/includeClusterResources",
            "/spec/groups/2/includeClusterResources"
        ]
    );
    let ops = json!([
        { "name": "a", "command": "a" },
        { "name": "b", "command": "b", "inverseOp": "a" },
        { "name": "c", "command": "c", "onError": "continue" },
        { "name": "d", "command": "d", "onError": "fail" },
    ]);
    let hook = |type_: &str, on_error: &str| json!({ "name": type_, "namespace": "shop", "type": type_, "onError": on_error, "ops": ops });
    let hooks = json!({ "hooks": [hook("exec", "fail"), hook("scale", "fail")] });
    assert_eq!(
        blamed("recipe-exec-failure-ignored", &hooks),
        ["/spec/hooks/0/ops/0", "/spec/hooks/0/ops/3"]
    );
    let lenient = json!({ "hooks": [hook("exec", "continue")] });
    assert_eq!(
        blamed("recipe-exec-failure-ignored", &lenient),
        ["/spec/hooks/0/ops/3"]
    );
}

#[test]
fn a_name_that_is_there_twice_is_told_once() {
    let group = json!({ "name": "g", "type": "resource" });
    let text = recipe(&json!({ "appType": "a", "groups": [group, group] })).to_string();
    let outcome = checked("twice", &text);
    let located = outcome.objects.iter().flat_map(|object| &object.findings);
    let refused: Vec<String> = located
        .map(|located| &located.finding)
        .filter(|finding| finding.mode == policy::Mode::Deny)
        .map(|finding| format!("{} {}", finding.rule.id, finding.pointer))
        .collect();
    assert_eq!(refused, ["recipe-duplicate-name /spec/groups/1/name"]);
}

/// Several megabytes, as much as a request may have, and a fault at every turn.
#[test]
fn a_recipe_of_any_size_is_judged_in_time() {
    const MANY: usize = 2000;

    let hooks: Vec<Value> = (0..MANY)
        .map(|number| {
            let type_ = ["exec", "check", "scale", "job"][number % 4];
            let next = format!("h{}/o", number + 1);
            json!({
                "name": format!("h{number}"),
                "namespace": "n",
                "type": type_,
                "timeout": 3,
                "nameSelector": "(",
                "ops": [{ "name": "o", "command": "echo ' $HOME", "inverseOp": next }],
                "chks": [{ "name": "o", "condition": "((({$.a} == b" }],
                "jobs": [{ "name": "o", "inverseOp": next }],
            })
        })
        .collect();
    let groups: Vec<Value> = (0..MANY)
        .map(|number| {
            let backup = format!("g{}", number + 1);
            json!({ "name": format!("g{number}"), "type": "resource", "backupRef": backup })
        })
        .collect();
    let steps: Vec<Value> = (0..MANY)
        .flat_map(|number| {
            [
                json!({ "group": format!("g{number}") }),
                json!({ "hook": format!("h{number}/o") }),
                json!({ "hook": format!("x{number}/o") }),
                json!({ "group": format!("x{number}") }),
            ]
        })
        .collect();
    let spec = json!({
        "groups": groups,
        "hooks": hooks,
        "jobs": [],
        "workflows": [
            { "name": "backup", "failOn": "essential-error", "sequence": steps },
            { "name": "restore", "failOn": "essential-error", "sequence": steps },
        ],
    });
    let began = Instant::now();
    let found = judged("profile: strict", &spec).len();
    let seconds = began.elapsed().as_secs();
    assert!(found > 4 * MANY, "{found}");
    assert!(seconds < 60, "{seconds} s");
}
