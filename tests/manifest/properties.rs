//! What holds of any text and of any value.

use jsonptr::PointerBuf;
use proptest::prelude::*;
use ramen_guard::manifest::{
    goyaml,
    load::load_text,
    schema::Schema,
    yaml::{Limits, NodeId, documents},
};
use serde_json::{Map, Value, json};

/// Text that has the marks of YAML in it.
fn yamlish() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b: ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        ": ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "\"",
        "'",
        "&a ",
        "*a",
        "<<: ",
        "!!int ",
        "! ",
        "|\n",
        ">-\n",
        "#",
        " # ",
        "---\n",
        "...\n",
        "%YAML",
        "\t",
        "\r\n",
        "yes",
        "0644",
        "1.5",
        ".inf",
        "~",
        "\\",
        "\u{feff}",
        "é",
        "\u{2028}",
        "{\"a\": 1}",
        "@",
        "`",
        "\0",
    ]);
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// Values as manifests have them. Integers and strings only, since floats lose their spelling.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        "[a-zé\u{1f600}\n\t\"\\\\']{0,8}".prop_map(Value::from),
        prop::sample::select(vec![
            "yes", "null", "0644", "1e3", "-", "---", "a: b", " a ", "#", "", "<<", "~", "\u{85}"
        ])
        .prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z0-9./_é:# -]{0,8}|<<|yes", inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A value as block YAML, its scalars as JSON.
fn block(value: &Value, indent: usize, out: &mut String) {
    let margin = " ".repeat(indent);
    let nested = |value: &Value| {
        matches!(value, Value::Array(items) if !items.is_empty())
            || matches!(value, Value::Object(fields) if !fields.is_empty())
    };
    let mut entry = |head: String, value: &Value| {
        out.push_str(&margin);
        out.push_str(&head);
        if nested(value) {
            out.push('\n');
            block(value, indent + 2, out);
        } else {
            out.push_str(&format!(" {value}\n"));
        }
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                entry("-".to_owned(), item);
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            fields
                .iter()
                .for_each(|(name, value)| entry(format!("{}:", json!(name)), value));
        }
        value => out.push_str(&format!("{margin}{value}\n")),
    }
}

/// Every value in a value, with its pointer.
fn all<'a>(value: &'a Value, pointer: &PointerBuf, found: &mut Vec<(PointerBuf, &'a Value)>) {
    found.push((pointer.clone(), value));
    let mut below = |token: String, value: &'a Value| {
        let mut pointer = pointer.clone();
        pointer.push_back(token.as_str());
        all(value, &pointer, found);
    };
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, item)| below(at.to_string(), item)),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| below(name.clone(), value)),
        _ => {}
    }
}

/// What a text means on its own.
fn alone(text: &str) -> Option<Value> {
    match documents(text, &Limits::default()).into_iter().next() {
        None => Some(Value::Null),
        Some(read) => read.ok().map(|read| read.value),
    }
}

fn reads_back(text: &str, expected: &Value) -> Result<(), TestCaseError> {
    let read = documents(text, &Limits::default());
    if expected.is_null() {
        prop_assert!(read.is_empty() || read[0].is_ok());
        return Ok(());
    }
    let read = read
        .into_iter()
        .next()
        .unwrap()
        .map_err(|error| TestCaseError::fail(format!("{error:?} in {text:?}")))?;
    prop_assert_eq!(&read.value, expected, "{:?}", text);
    let mut values = Vec::new();
    all(expected, &PointerBuf::new(), &mut values);
    for (pointer, value) in values {
        let found = read.spans.find(text, NodeId::ROOT, &pointer);
        prop_assert!(found.exact, "{} in {:?}", pointer, text);
        let place = read.spans.range(found.node);
        let written = &text[place.clone()];
        // A block's lines are indented like its first one, which begins within a line.
        let start = text[..place.start].rfind('\n').map_or(0, |at| at + 1);
        let margin = " ".repeat(place.start - start);
        prop_assert_eq!(
            alone(&format!("{margin}{written}")),
            Some(value.clone()),
            "{} in {:?}",
            pointer,
            text
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![yamlish(), ".*"]) {
        for read in documents(&text, &Limits::default()) {
            match read {
                Ok(read) => {
                    for (pointer, _) in {
                        let mut found = Vec::new();
                        all(&read.value, &PointerBuf::new(), &mut found);
                        found
                    } {
                        let found = read.spans.find(&text, NodeId::ROOT, &pointer);
                        prop_assert!(found.exact, "{} in {:?}", pointer, text);
                        prop_assert!(text.get(read.spans.range(found.node)).is_some());
                    }
                }
                Err(error) => prop_assert!(text.get(error.bytes.clone()).is_some(), "{error:?} in {text:?}"),
            }
        }
    }

    #[test]
    fn any_manifest_is_loaded_or_not(text in yamlish(), kind in "A|List|", inner in yamlish()) {
        let text = format!("apiVersion: v1\nkind: {kind}\nitems: [{text}]\nspec: {inner}\n");
        for manifest in load_text("x", text.as_str(), &Limits::default()).manifests {
            for pointer in ["", "/spec", "/spec/a", "/items/0", "/spec/0/a"] {
                let pointer = PointerBuf::parse(pointer).unwrap();
                manifest.position(&pointer);
                manifest.key_position(&pointer);
                manifest.position_inside(&pointer, 1..3);
            }
        }
    }

    #[test]
    fn any_configuration_is_read_or_refused(text in yamlish(), key in "kind|volSync|s3StoreProfiles|metrics") {
        let schema = super::goyaml::ramen_config();
        let _ = goyaml::read(&text, &schema);
        let _ = goyaml::read(&format!("{key}: {text}"), &schema);
    }

    #[test]
    fn what_is_written_is_read_back(value in value()) {
        reads_back(&value.to_string(), &value)?;
        let mut text = String::new();
        block(&value, 0, &mut text);
        reads_back(&text, &value)?;
    }

    #[test]
    fn any_schema_judges_any_value(schema in value(), value in value()) {
        Schema::compile(&schema).validate(&value);
        let fields: Map<String, Value> = Map::from_iter([("a".to_owned(), schema)]);
        Schema::compile(&json!({"type": "object", "properties": fields})).validate(&json!({"a": value}));
    }
}
