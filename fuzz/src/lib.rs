//! What is done with an input, and what must hold for every answer.
//!
//! `fuzz/run` looks for inputs with libFuzzer. `tests/fuzz.rs` and `tests/robust.rs` use the same
//! functions, for what was found and for what is made up.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

pub mod seeds;

use std::path::Path;

use jsonptr::PointerBuf;
use ramen_guard::{
    admission::{
        mutate,
        review::{Review, answer, answer_with_patch},
    },
    api::{self, Doc, RAMEN_CONFIG},
    cli::check::{Given, check as judge_files},
    engine::{Engine, Settings},
    golang,
    manifest::{
        goyaml,
        load::load_text,
        pile::Pile,
        yaml::{Limits, NodeId, documents},
    },
    policy::Profile,
    report::{github, human, json, junit, sarif},
    scenario::scenarios_of,
    world::Store,
};
use serde_json::{Value, json};

/// What is done with an input.
pub type Target = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Target); 7] = [
    ("review", review),
    ("check", check),
    ("yaml", yaml),
    ("config", config),
    ("mapping", mapping),
    ("recipe", recipe),
    ("golang", golang),
];

/// The key of a network mapping in its ConfigMap.
const MAPPINGS: &str = "mappings.yaml";
/// What terminals obey.
const ESCAPE: char = '\u{1b}';

/// An engine that heeds exemptions.
pub fn engine(profile: Profile) -> Engine {
    let mut settings = Settings::default().with_profile(profile);
    settings.exemptions = true;
    Engine::new(settings)
}

/// A world of these objects. One that can't be read is not there.
pub fn world<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Store {
    let mut store = Store::default();
    for object in objects {
        if let Ok(doc) = Doc::from_value(object.clone()) {
            let _ = store.apply(&doc);
        }
    }
    store
}

/// Everything that the webhook does with a body.
pub fn answered(body: &[u8], world: &Store, profile: Profile) {
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

/// The parts of an input, with NUL bytes between them: no text that is read here has one.
fn parts<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut parts = data.splitn(N, |byte| *byte == 0);
    [(); N].map(|()| parts.next().unwrap_or_default())
}

/// The body of a request, and behind a NUL a list of the objects that are there.
pub fn review(data: &[u8]) {
    let [body, given] = parts(data);
    let given: Vec<Value> = serde_json::from_slice(given).unwrap_or_default();
    answered(body, &world(&given), Profile::Strict);
}

/// Files: what is checked, what is stored, what else is there.
pub fn check(data: &[u8]) {
    let [inputs, old, context] = parts(data)
        .map(|part| {
            load_text(
                "file.yaml",
                String::from_utf8_lossy(part),
                &Limits::default(),
            )
        })
        .map(Pile::from);
    let given = Given {
        inputs,
        old,
        context,
        ..Given::default()
    };
    let outcome = judge_files(&engine(Profile::Strict), given);
    for width in [None, Some(data.len() % 120)] {
        let shown = human(&outcome, false, width);
        assert!(
            shown.ends_with('\n') && !shown.contains(ESCAPE),
            "{shown:?}"
        );
    }
    human(&outcome, true, Some(80));
    let json = json(&outcome);
    assert_eq!(json["summary"]["denied"] == 0, outcome.denied() == 0);
    let lines = [junit(&outcome, &[]), github(&outcome, Path::new("/"), &[])];
    for text in lines {
        let obeyed = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(obeyed, None, "{text:?}");
    }
    let results = sarif(&outcome, Path::new("/"));
    let results = results.pointer("/runs/0/results").and_then(Value::as_array);
    assert!(results.is_some_and(|results| results.len() >= outcome.denied()));
}

/// Every value in a value, with its pointer.
fn pointers(value: &Value, pointer: &PointerBuf, found: &mut Vec<PointerBuf>) {
    found.push(pointer.clone());
    let mut below = |token: &str, value: &Value| {
        let mut pointer = pointer.clone();
        pointer.push_back(token);
        pointers(value, &pointer, found);
    };
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                below(&at.to_string(), item);
            }
        }
        Value::Object(fields) => fields.iter().for_each(|(name, value)| below(name, value)),
        _ => {}
    }
}

/// YAML, and the places of what is in it.
pub fn yaml(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    for read in documents(text, &Limits::default()) {
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                assert!(text.get(error.bytes.clone()).is_some(), "{error:?}");
                continue;
            }
        };
        let mut found = Vec::new();
        pointers(&read.value, &PointerBuf::new(), &mut found);
        for pointer in &found {
            let place = read.spans.find(text, NodeId::ROOT, pointer);
            assert!(place.exact, "{pointer}");
            assert!(text.get(read.spans.range(place.node)).is_some());
        }
        // What JSON says is the same in YAML.
        if let Ok(value) = serde_json::from_str::<Value>(text)
            && !has_floats(&value)
        {
            assert_eq!(read.value, value);
        }
    }
    for manifest in load_text("x", text, &Limits::default()).manifests {
        for pointer in ["", "/metadata/name", "/spec", "/spec/a/0", "/items/0"] {
            let pointer = PointerBuf::parse(pointer).unwrap();
            manifest.position(&pointer);
            manifest.key_position(&pointer);
            manifest.position_inside(&pointer, 1..3);
        }
    }
}

/// Floats may lose their spelling.
fn has_floats(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_floats),
        Value::Object(fields) => fields.values().any(has_floats),
        _ => false,
    }
}

/// A request that creates an object, or changes one.
fn request(group: &str, object: &Value, old: Option<&Value>) -> Vec<u8> {
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u", "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
            "kind": { "group": group, "version": "v1", "kind": object["kind"] },
            "name": object["metadata"]["name"], "namespace": object["metadata"]["namespace"],
            "object": object, "oldObject": old,
        },
    });
    review.to_string().into_bytes()
}

/// The object of a rule's first scenario, and what is there beside it.
fn first_scenario(rule: &str) -> (Value, Vec<Value>) {
    let scenario = scenarios_of(rule).next().unwrap();
    (scenario.new.clone().unwrap(), scenario.given.clone())
}

/// A ConfigMap whose text says one thing and said another: written, changed, looked at, and checked as a
/// file that has the text in lines of its own.
fn config_map(object: &Value, given: &[Value], key: &str, data: &[u8]) {
    let [new, old] = parts(data).map(|text| {
        let mut object = object.clone();
        object["data"][key] = String::from_utf8_lossy(text).into();
        object
    });
    answered(&request("", &new, None), &world(given), Profile::Strict);
    let world = world(given.iter().chain([&old]));
    answered(&request("", &new, Some(&old)), &world, Profile::Strict);

    let mut file = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n",
        new["metadata"]
    );
    file += &format!("data:\n  {key}: |\n");
    for line in new["data"][key].as_str().unwrap().split_inclusive('\n') {
        file += &format!("    {line}");
    }
    for given in given {
        file += &format!("\n---\n{given}");
    }
    check(file.as_bytes());
}

/// Ramen's configuration: what it says, and what it said.
pub fn config(data: &[u8]) {
    let [text, _] = parts(data).map(String::from_utf8_lossy);
    match goyaml::read(&text, api::schema("RamenConfig").unwrap()) {
        Ok(read) => {
            let mut found = Vec::new();
            pointers(&read.value, &PointerBuf::new(), &mut found);
            for pointer in &found {
                assert!(text.get(read.range(pointer)).is_some(), "{pointer}");
                assert!(text.get(read.key_range(pointer)).is_some(), "{pointer}");
            }
        }
        Err(error) => {
            assert!(!error.faults.is_empty() && !error.to_string().is_empty());
        }
    }
    let (object, given) = first_scenario("config-s3-endpoint");
    config_map(&object, &given, RAMEN_CONFIG, data);
}

/// The mapping of networks that a DRPolicy names: what it says, and what it said.
pub fn mapping(data: &[u8]) {
    let (object, given) = first_scenario("nm-version");
    config_map(&object, &given, MAPPINGS, data);
}

/// What a Recipe has that is a language of its own: a condition, a command, a selector of names, a
/// parameter's use and its value.
pub fn recipe(data: &[u8]) {
    let [condition, command, selector, used, value] = parts(data).map(String::from_utf8_lossy);
    let (mut object, mut given) = first_scenario("recipe-exec-command");
    let hook = |kind: &str| {
        json!({
            "name": kind, "type": kind, "namespace": "shop", "selectResource": "pod",
            "nameSelector": selector,
            "chks": [{ "name": "c", "condition": condition, "timeout": 1 }],
            "ops": [{ "name": "o", "command": command, "container": "c" }],
        })
    };
    object["spec"]["hooks"] = json!([hook("check"), hook("exec"), hook("scale")]);
    object["spec"]["groups"] =
        json!([{ "name": "g", "type": "resource", "includedNamespaces": [used] }]);
    let sequence = json!([
        { "hook": "check/c" }, { "hook": "exec/o" }, { "hook": "scale/up" }, { "group": "g" }
    ]);
    object["spec"]["workflows"] = json!([
        { "name": "backup", "sequence": sequence }, { "name": "restore", "sequence": sequence }
    ]);
    for other in &mut given {
        if let Some(parameters) = other.pointer_mut("/spec/kubeObjectProtection/recipeParameters") {
            *parameters = json!({ "A": [value], "TABLE": [value, value] });
        }
    }
    let body = request("ramendr.openshift.io", &object, None);
    answered(&body, &world(&given), Profile::Strict);
}

/// A text, read by everything that stands for one of Go's functions.
pub fn golang(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    let _ = golang::base64::decode(text);
    if let Ok(cidr) = golang::cidr::parse(text) {
        assert!(cidr.contains(&cidr) && cidr.overlaps(&cidr));
        let again = golang::cidr::parse(&format!("{}/{}", cidr.network, cidr.prefix)).unwrap();
        assert_eq!((again.network, again.address), (cidr.network, cidr.network));
    }
    let _ = golang::cron::parse(text).map_err(|error| one_line(&error.to_string()));
    let _ = golang::duration::parse(text).map_err(|error| one_line(&error.to_string()));
    let names: usize = golang::expand::names(text).map(str::len).sum();
    let rest = golang::expand::expand(text, |_| "");
    assert!(rest.len() + names <= text.len());
    if golang::names::dns_label(text).is_ok() {
        assert!(golang::names::dns_subdomain(text).is_ok());
        assert!(golang::names::qualified_name(text).is_ok());
        assert!(golang::names::label_value(text).is_ok());
    }
    let _ = golang::regexp::check(text);
    if let Ok(selector) = serde_json::from_str(text) {
        for problem in golang::selector::problems_of(&selector) {
            one_line(&problem.message);
        }
    }
    if let Ok(words) = golang::shlex::split(text) {
        let quoted: Vec<String> = words
            .iter()
            .map(|word| format!("'{}'", word.replace('\'', r#"'"'"'"#)))
            .collect();
        assert_eq!(golang::shlex::split(&quoted.join(" ")), Ok(words));
    }
    match golang::url::parse_request_uri(text) {
        Ok(url) => assert!(url.scheme.len() + url.opaque.len() + url.host.len() <= text.len() * 3),
        Err(error) => one_line(&error.to_string()),
    }
    one_line(&golang::quote(text));
}

#[track_caller]
fn one_line(text: &str) {
    assert!(
        !text.is_empty() && !text.contains(['\n', '\r', ESCAPE]),
        "{text:?}"
    );
}
