//! The YAML in Ramen's `ConfigMap`s, as `src/manifest/goyaml` reads it, against sigs.k8s.io/yaml with
//! structs like Ramen's: the tables of `tests/manifest`, and texts that are made up.

use std::env;

use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use ramen_guard::{
    api::schema,
    golang::{base64, duration},
    manifest::goyaml,
};
use serde_json::{Value, json};

use super::{oracle, texts::changed, yaml};

/// What the struct `otherTypes` of the Go program looks like.
fn other_types() -> Value {
    let strings = || json!({"type": "string"});
    let config = schema("RamenConfig").unwrap();
    let profile = &config["properties"]["s3StoreProfiles"]["items"];
    json!({"type": "object", "properties": {
        "c": config,
        "i32": {"type": "integer", "format": "int32"},
        "f": {"type": "number"},
        "ps": {"type": "string", "nullable": true},
        "pd": {"type": "string", "format": "duration", "nullable": true},
        "m": {"type": "object", "additionalProperties": strings()},
        "l": {"type": "array", "items": strings()},
        "li": {"type": "array", "items": {"type": "integer"}},
        "b": {"type": "string", "format": "byte"},
        "mp": {"type": "object", "additionalProperties": {"type": "array", "items": profile}},
        "ll": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
    }})
}

/// Whether what we read is what is in Go's struct, to the last field.
fn same(schema: &Value, ours: Option<&Value>, theirs: &Value) -> bool {
    let text = |field: &str| {
        schema
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let ours = ours.filter(|ours| !ours.is_null());
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let pointer = schema["nullable"] == true;
        let Some(theirs) = theirs.as_object() else {
            return pointer && ours.is_none();
        };
        let known = ours.and_then(Value::as_object);
        let known = known.is_none_or(|ours| ours.keys().all(|key| properties.contains_key(key)));
        let field = |name: &str| {
            let mut fields = theirs.iter();
            // A name without a tag is written with a capital letter.
            fields
                .find(|(field, _)| field.eq_ignore_ascii_case(name))
                .map_or(&Value::Null, |(_, value)| value)
        };
        return known
            && (!pointer || ours.is_some())
            && properties.iter().all(|(name, schema)| {
                same(schema, ours.and_then(|ours| ours.get(name)), field(name))
            });
    }
    match (ours, text("type"), text("format")) {
        (None, "boolean", _) => *theirs == false || theirs.is_null(),
        (None, "integer" | "number", _) => theirs.as_f64() == Some(0.0),
        (None, "string", "duration") => theirs.is_null() || *theirs == "0s",
        (None, "string", "byte") | (None, "array" | "object", _) => theirs.is_null(),
        (None, ..) => theirs.is_null() || *theirs == "",
        (Some(Value::String(ours)), _, "duration") => {
            let theirs = theirs.as_str().and_then(|text| duration::parse(text).ok());
            theirs.is_some() && theirs == duration::parse(ours).ok()
        }
        (Some(ours), _, "byte") => {
            let bytes = match ours {
                Value::String(text) => base64::decode(text),
                Value::Array(bytes) => bytes
                    .iter()
                    .map(|byte| u8::try_from(byte.as_u64().unwrap_or(0)).ok())
                    .collect(),
                _ => None,
            };
            bytes.is_some() && bytes == theirs.as_str().and_then(base64::decode)
        }
        (Some(ours), "number", _) => ours.as_f64() == theirs.as_f64(),
        (Some(Value::Array(ours)), ..) => theirs.as_array().is_some_and(|theirs| {
            let mut pairs = ours.iter().zip(theirs);
            ours.len() == theirs.len()
                && pairs.all(|(ours, theirs)| same_entry(&schema["items"], ours, theirs))
        }),
        (Some(Value::Object(ours)), ..) => theirs.as_object().is_some_and(|theirs| {
            let mut pairs = ours.iter();
            ours.len() == theirs.len()
                && pairs.all(|(key, ours)| {
                    let theirs = theirs.get(key);
                    theirs.is_some_and(|theirs| {
                        same_entry(&schema["additionalProperties"], ours, theirs)
                    })
                })
        }),
        // What Kubernetes' own types leave out when it is empty.
        (Some(ours), "string", _) if theirs.is_null() => *ours == "",
        (Some(ours), ..) => ours == theirs,
    }
}

/// The same for what is in a list or a map, where a nil list is as good as an empty one.
fn same_entry(schema: &Value, ours: &Value, theirs: &Value) -> bool {
    let empty = match ours {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    empty && theirs.is_null() || same(schema, Some(ours), theirs)
}

/// What we read and Go refuses: by its error, what is in the text, and why that is bearable.
const LAXER: &[(&str, &str, &str)] = &[
    (
        "did not find expected node content",
        "...",
        "an end without a document is harmless",
    ),
    (
        "did not find expected node content",
        ": ",
        "an entry of a list may be a field without a name; that its key stands again saves it",
    ),
    ("did not find expected key", "- : ", "the same"),
    (
        "found a tab character that violates indentation",
        "[",
        "between brackets a tab may stand in the middle of a plain text",
    ),
    (
        "control characters are not allowed",
        "",
        "they may stand behind the document, where we don't look",
    ),
    (
        "found unknown directive name",
        "%",
        "YAML 1.2 passes over a directive that it does not know",
    ),
];

fn is_laxer(text: &str, error: &str) -> bool {
    LAXER
        .iter()
        .any(|(said, has, _)| error.contains(said) && text.contains(has))
}

/// Asks both about the texts. How many Go takes; `None` without Go.
///
/// Where we are not sure, we say so, and it does not matter who is right; that has to be rare.
fn compare(op: &str, schema: &Value, texts: &[String]) -> Option<usize> {
    let inputs: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    let answers = oracle::ask(op, &inputs)?;
    let (mut wrong, mut unsure) = (Vec::new(), 0);
    for (text, answer) in texts.iter().zip(&answers) {
        let ours = goyaml::read(text, schema);
        let agree = match (&ours, answer) {
            (Ok(ours), Ok(theirs)) => {
                same(schema, Some(&ours.value), theirs) || by_chance(ours, text)
            }
            (Ok(_), Err(error)) => is_laxer(text, error),
            (Err(error), _) if error.faults.iter().any(|fault| !fault.sure) => {
                unsure += 1;
                true
            }
            (Err(_), answer) => answer.is_err(),
        };
        if !agree {
            let ours = ours
                .map(|ours| ours.value)
                .map_err(|error| error.to_string());
            wrong.push(format!("{text:?}\n  we: {ours:?}\n  Go: {}", said(answer)));
        }
    }
    wrong.sort_by_key(String::len);
    let shown = &wrong[..wrong.len().min(25)];
    assert!(
        wrong.is_empty(),
        "{op}: {} of {} differ\n{}",
        wrong.len(),
        texts.len(),
        shown.join("\n")
    );
    assert!(
        unsure <= texts.len() / 10,
        "{op}: unsure of {unsure} of {}",
        texts.len()
    );
    Some(answers.iter().filter(|answer| answer.is_ok()).count())
}

/// Whether keys that are not the same in YAML become one in JSON, such as `1` and `1.0`: then Go takes
/// one of them by chance.
fn by_chance(ours: &goyaml::Embedded, text: &str) -> bool {
    let duplicates = ours.duplicates.iter();
    let mut spellings =
        duplicates.map(|twice| (&text[twice.first.clone()], &text[twice.second.clone()]));
    spellings.any(|(first, second)| first != second)
}

fn said(answer: &Result<Value, String>) -> String {
    match answer {
        Ok(value) => value.to_string(),
        Err(error) => error.clone(),
    }
}

fn rows(table: &str) -> Vec<String> {
    let rows = table
        .lines()
        .map(|line| serde_json::from_str::<(String, Value)>(line).unwrap());
    rows.map(|(text, _)| text).collect()
}

fn compare_all(op: &str, schema: &Value, table: &str) {
    let rows = rows(table);
    if compare(op, schema, &rows).is_none() {
        return;
    }
    // The usual ones are always the same: of a million made up there is one that nobody has thought of.
    let mut runner = match env::var_os("PROPTEST_CASES") {
        Some(_) => TestRunner::default(),
        None => TestRunner::deterministic(),
    };
    let made = prop_oneof![5 => yaml::texts(schema), 3 => changed(rows), 1 => ".{0,12}"];
    let count = super::cases(4000);
    let texts: Vec<String> = (0..count)
        .map(|_| made.new_tree(&mut runner).unwrap().current())
        .collect();
    let taken = compare(op, schema, &texts).unwrap();
    let few = texts.len() / 10;
    assert!(
        taken >= few && texts.len() - taken >= few,
        "{op}: Go takes {taken} of {}",
        texts.len()
    );
}

#[test]
fn configurations() {
    let table = include_str!("../manifest/ramenconfig.jsonl");
    compare_all("ramen-config", schema("RamenConfig").unwrap(), table);
}

#[test]
fn mappings() {
    let table = include_str!("../manifest/networkmapping.jsonl");
    compare_all("network-mapping", schema("NetworkMapping").unwrap(), table);
}

#[test]
fn other_types_of_go() {
    compare_all(
        "other-types",
        &other_types(),
        include_str!("../manifest/gotypes.jsonl"),
    );
}
