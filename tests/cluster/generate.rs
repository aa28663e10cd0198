//! Objects that fit a schema, or do not: made at random, and the same each time.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

/// Numbers that look like chance and are not.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    /// Whether it comes to that, in so many of a hundred cases.
    fn percent(&mut self, cases: usize) -> bool {
        self.below(100) < cases
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Texts that formats and patterns ask for.
const TEXTS: [&str; 22] = [
    "a",
    "abc",
    "5m",
    "1h30m",
    "1Gi",
    "100m",
    "*/5 * * * *",
    "2026-01-15T10:00:00Z",
    "2026-01-15",
    "Zm9v",
    "10.0.0.1",
    "10.0.0.0/16",
    "fd00::1",
    "123e4567-e89b-12d3-a456-426614174000",
    "name",
    "true",
    "https://example.com:8443/x",
    "v1",
    "hook/op",
    "foo",
    "x]",
    "default",
];

/// A limit that the schema sets.
fn limit(schema: &Value, name: &str) -> Option<usize> {
    usize::try_from(schema[name].as_u64()?).ok()
}

fn text_of<'a>(schema: &'a Value, name: &str) -> &'a str {
    schema[name].as_str().unwrap_or_default()
}

/// What may be said to be within a schema: its fields, by name.
fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// A value that fits, mostly.
pub(crate) fn fitting(schema: &Value, dice: &mut Dice, depth: usize) -> Value {
    if let Some(values) = schema["enum"].as_array() {
        return dice.pick(values).clone();
    }
    if schema["x-kubernetes-int-or-string"] == true {
        return if dice.percent(50) {
            json!(1)
        } else {
            json!("1")
        };
    }
    match text_of(schema, "type") {
        "object" => object(schema, dice, depth),
        "array" => list(schema, dice, depth),
        "string" => text(schema, dice),
        "integer" => {
            let bound = |name: &str, or: i64| schema[name].as_i64().unwrap_or(or);
            let (least, most) = (bound("minimum", 0), bound("maximum", 100));
            json!(least + (most - least) / 2)
        }
        "number" => json!(1.5),
        "boolean" => json!(dice.percent(50)),
        _ => json!({"anything": [1, "two"]}),
    }
}

fn object(schema: &Value, dice: &mut Dice, depth: usize) -> Value {
    let mut fields = Map::new();
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    let chance = [80, 60, 40, 30, 20, 10].get(depth).copied().unwrap_or(3);
    for (name, of) in properties(schema) {
        if required.iter().any(|it| it == name) || dice.percent(chance) {
            fields.insert(name.clone(), fitting(of, dice, depth + 1));
        }
    }
    let of = &schema["additionalProperties"];
    if of.is_object() {
        let least = limit(schema, "minProperties").unwrap_or_default();
        for name in ["one", "app.kubernetes.io/name"]
            .iter()
            .take(least + dice.below(2))
        {
            fields.insert((*name).to_owned(), fitting(of, dice, depth + 1));
        }
    }
    Value::Object(fields)
}

fn list(schema: &Value, dice: &mut Dice, depth: usize) -> Value {
    let least = limit(schema, "minItems").unwrap_or_default();
    let count = least.max(dice.below(3));
    let mut items = Vec::new();
    for _ in 0..count {
        let item = fitting(&schema["items"], dice, depth + 1);
        let keys = schema["x-kubernetes-list-map-keys"].as_array();
        let same = |known: &Value| match keys {
            Some(keys) => keys
                .iter()
                .filter_map(Value::as_str)
                .all(|key| known[key] == item[key]),
            None => schema["x-kubernetes-list-type"] == "set" && *known == item,
        };
        if !items.iter().any(same) {
            items.push(item);
        }
    }
    Value::Array(items)
}

fn text(schema: &Value, dice: &mut Dice) -> Value {
    let format = match text_of(schema, "format") {
        "duration" => "5m",
        "date-time" => "2026-01-15T10:00:00Z",
        "date" => "2026-01-15",
        "byte" => "Zm9v",
        "ipv4" => "10.0.0.1",
        "ipv6" => "fd00::1",
        "cidr" => "10.0.0.0/16",
        "uuid" => "123e4567-e89b-12d3-a456-426614174000",
        _ => "",
    };
    if !format.is_empty() {
        return json!(format);
    }
    let pattern = Regex::new(text_of(schema, "pattern")).ok();
    let least = limit(schema, "minLength").unwrap_or_default();
    let most = limit(schema, "maxLength").unwrap_or(usize::MAX);
    let fits = |text: &&&str| {
        let matches = pattern
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(text));
        matches && (least..=most).contains(&text.len())
    };
    let fitting: Vec<&&str> = TEXTS.iter().filter(fits).collect();
    json!(if fitting.is_empty() {
        ""
    } else {
        dice.pick(&fitting)
    })
}

/// A place in an object, and what may stand there.
struct Site<'a> {
    pointer: String,
    schema: &'a Value,
}

/// The places that a schema knows in an object, those that are empty among them.
fn sites<'a>(pointer: String, schema: &'a Value, value: &Value, found: &mut Vec<Site<'a>>) {
    let below = |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
    match value {
        Value::Object(fields) => {
            for (name, of) in properties(schema) {
                // Of these the API server makes what it likes, and metadata has its own mutations.
                let apart = ["apiVersion", "kind", "metadata", "status"];
                if pointer.is_empty() && apart.contains(&name.as_str()) {
                    continue;
                }
                sites(
                    below(name),
                    of,
                    &fields.get(name).cloned().unwrap_or_default(),
                    found,
                );
            }
            let of = &schema["additionalProperties"];
            for (name, value) in fields.iter().filter(|_| of.is_object()) {
                sites(below(name), of, value, found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                sites(below(&at.to_string()), &schema["items"], item, found);
            }
        }
        _ => {}
    }
    if !pointer.is_empty() {
        found.push(Site { pointer, schema });
    }
}

fn table(text: &str) -> Vec<Value> {
    let rows = text.lines().map(serde_json::from_str);
    rows.collect::<Result<_, _>>().expect("JSON")
}

/// Values that fit somewhere, and not elsewhere.
fn strange(dice: &mut Dice) -> Value {
    static VALUES: LazyLock<Vec<Value>> = LazyLock::new(|| table(include_str!("strange.jsonl")));
    dice.pick(&VALUES).clone()
}

/// Changes the object at one place, and says how. One that is stored keeps its name and the like.
pub(crate) fn mutate(object: &mut Value, schema: &Value, stored: bool, dice: &mut Dice) -> String {
    if dice.percent(12) {
        return metadata(object, stored, dice);
    }
    let mut found = Vec::new();
    sites(String::new(), schema, object, &mut found);
    let Some(site) = (!found.is_empty()).then(|| dice.pick(&found)) else {
        return "nothing".to_owned();
    };
    let (what, value) = change(object.pointer(&site.pointer), site.schema, dice);
    let how = format!("{what} at {}", site.pointer);
    put(object, &site.pointer, value);
    how
}

/// What becomes of a value; nothing if it goes.
fn change(now: Option<&Value>, schema: &Value, dice: &mut Dice) -> (&'static str, Option<Value>) {
    let now = now.cloned().unwrap_or_default();
    match (dice.below(10), &now) {
        (0, _) => ("gone", None),
        (1, _) => ("null", Some(Value::Null)),
        (2 | 3, _) => ("strange", Some(strange(dice))),
        (4, _) => ("other", Some(fitting(schema, dice, 2))),
        (_, Value::Object(fields)) => object_change(fields.clone(), schema, dice),
        (_, Value::Array(items)) => list_change(items.clone(), schema, dice),
        (_, Value::String(text)) => text_change(text, schema, dice),
        (_, Value::Number(_)) => {
            let bound = |name: &str| schema[name].as_i64().unwrap_or_default();
            let values = [
                json!(bound("minimum") - 1),
                json!(bound("minimum")),
                json!(bound("maximum") + 1),
                json!(bound("maximum")),
                json!(-5),
                json!(now.as_f64().unwrap_or_default() + 0.5),
                json!(now.to_string()),
            ];
            ("number", Some(dice.pick(&values).clone()))
        }
        (_, Value::Bool(now)) => ("word", Some(json!(now.to_string()))),
        _ => ("new", Some(fitting(schema, dice, 2))),
    }
}

fn object_change(
    mut fields: Map<String, Value>,
    schema: &Value,
    dice: &mut Dice,
) -> (&'static str, Option<Value>) {
    let names: Vec<String> = properties(schema).map(|(name, _)| name.clone()).collect();
    match dice.below(6) {
        0 => {
            let name = if names.is_empty() {
                "unknown"
            } else {
                dice.pick(&names)
            };
            fields.insert(format!("{name}x"), strange(dice));
            ("unknown field", Some(Value::Object(fields)))
        }
        1 => {
            fields.insert(
                "extra".to_owned(),
                json!({"nested": {"deeper": [{"a": 1}]}}),
            );
            ("unknown fields", Some(Value::Object(fields)))
        }
        2 => {
            let present: Vec<String> = fields.keys().cloned().collect();
            if !present.is_empty() {
                fields.remove(dice.pick(&present));
            }
            ("without a field", Some(Value::Object(fields)))
        }
        3 => {
            let present: Vec<String> = fields.keys().cloned().collect();
            if !present.is_empty() {
                let name = dice.pick(&present).clone();
                let value = fields.remove(&name).unwrap_or_default();
                fields.insert(name.to_uppercase(), value);
            }
            ("upper case", Some(Value::Object(fields)))
        }
        4 => ("empty", Some(json!({}))),
        _ => {
            for at in 0..dice.below(40) {
                fields.insert(format!("key-{at}"), strange(dice));
            }
            ("many fields", Some(Value::Object(fields)))
        }
    }
}

fn list_change(
    mut items: Vec<Value>,
    schema: &Value,
    dice: &mut Dice,
) -> (&'static str, Option<Value>) {
    let of = &schema["items"];
    match dice.below(6) {
        0 => ("empty", Some(json!([]))),
        1 => {
            if let Some(first) = items.first().cloned() {
                items.push(first);
            }
            ("twice", Some(Value::Array(items)))
        }
        2 => {
            if let Some(mut twin) = items.first().cloned() {
                mutate_within(&mut twin, of, dice);
                items.push(twin);
            }
            ("nearly twice", Some(Value::Array(items)))
        }
        3 => {
            items.push(strange(dice));
            ("strange item", Some(Value::Array(items)))
        }
        4 => {
            for _ in 0..dice.below(30) {
                items.push(fitting(of, dice, 3));
            }
            ("long list", Some(Value::Array(items)))
        }
        _ => {
            items.push(fitting(of, dice, 2));
            ("one more", Some(Value::Array(items)))
        }
    }
}

fn mutate_within(value: &mut Value, schema: &Value, dice: &mut Dice) {
    let mut found = Vec::new();
    sites(String::new(), schema, value, &mut found);
    if !found.is_empty() {
        let site = dice.pick(&found);
        let (_, new) = change(value.pointer(&site.pointer), site.schema, dice);
        put(value, &site.pointer, new);
    }
}

fn text_change(text: &str, schema: &Value, dice: &mut Dice) -> (&'static str, Option<Value>) {
    let length = |name: &str| limit(schema, name).unwrap_or(64);
    let changed = match dice.below(8) {
        0 => text.to_uppercase(),
        1 => format!(" {text}"),
        2 => format!("{text}\n"),
        3 => String::new(),
        4 => "b".repeat(length("maxLength") + 1),
        5 => "\u{e9}".repeat(length("maxLength")),
        6 => text.chars().rev().collect(),
        _ => "c".repeat(length("minLength").saturating_sub(1)),
    };
    ("text", Some(json!(changed)))
}

/// Puts a value where a pointer leads, or takes it away; objects on the way are made.
fn put(object: &mut Value, pointer: &str, value: Option<Value>) {
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        return;
    };
    let name = name.replace("~1", "/").replace("~0", "~");
    if object.pointer(parent).is_none_or(Value::is_null) {
        if value.is_none() {
            return;
        }
        put(object, parent, Some(json!({})));
    }
    match object.pointer_mut(parent) {
        Some(Value::Object(fields)) => match value {
            Some(value) => drop(fields.insert(name, value)),
            None => drop(fields.remove(&name)),
        },
        Some(Value::Array(items)) => {
            if let Some(at) = name.parse::<usize>().ok().filter(|at| *at < items.len()) {
                match value {
                    Some(value) => items[at] = value,
                    None => drop(items.remove(at)),
                }
            }
        }
        _ => {}
    }
}

/// Changes the metadata in one of the ways that people do, and in some that nobody does.
fn metadata(object: &mut Value, stored: bool, dice: &mut Dice) -> String {
    static CHANGES: LazyLock<Vec<Value>> = LazyLock::new(|| {
        let mut changes = table(include_str!("metadata.jsonl"));
        changes.push(json!(["annotations", {"big": "x".repeat(256 << 10)}]));
        changes
    });
    const OWNED: [&str; 5] = [
        "labels",
        "annotations",
        "finalizers",
        "ownerReferences",
        "nmae",
    ];
    if !stored && dice.percent(2) {
        object["metadata"] = strange(dice);
        return "strange metadata".to_owned();
    }
    let possible: Vec<&Value> = CHANGES
        .iter()
        .filter(|change| !stored || OWNED.iter().any(|field| change[0] == *field))
        .collect();
    let change = *dice.pick(&possible);
    let field = change[0].as_str().unwrap_or_default();
    let value = if dice.percent(8) {
        strange(dice)
    } else {
        change[1].clone()
    };
    let shown: String = value.to_string().chars().take(80).collect();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        if field == "generateName" && dice.percent(70) {
            metadata.remove("name");
        }
        metadata.insert(field.to_owned(), value);
    }
    format!("metadata.{field} = {shown}")
}
