//! What kubectl reads: `YAMLOrJSONDecoder` of k8s.io/apimachinery v0.36 over sigs.k8s.io/yaml v1.6.0.

use ramen_guard::manifest::yaml::{Limits, SurpriseKind, documents};
use serde_json::{Value, json};

/// Where this reads differently, and why that is meant or bearable.
const DIFFERENT: &[(&str, &str)] = &[
    // granit-parser reads YAML 1.2, libyaml 1.1; none of these is what people write.
    ("...\n", "an end without a document is harmless"),
    ("...\na: 1\n", "an end without a document is harmless"),
    (
        "a: \u{feff}b\n",
        "a byte order mark inside a document is an accident",
    ),
    ("a: \"x\"#c\n", "a comment needs a space in front of it"),
    ("a: |#c\n  x\n", "a comment needs a space in front of it"),
    (
        "a: {\n\tb: 1\n}\n",
        "a tab does not indent, not even between brackets",
    ),
    (
        "a: \"x\n\ty\"\n",
        "a tab does not indent, not even between quotes",
    ),
    (
        "a: \"x\ny\"\n",
        "the next line of a quoted scalar must be indented",
    ),
    (
        "a: 'x\ny'\n",
        "the next line of a quoted scalar must be indented",
    ),
    ("a: \u{85}x\n", "only LF, CR and CR LF end a line"),
    ("a: \u{2028}x\n", "only LF, CR and CR LF end a line"),
    (
        "a: [?x]\n",
        "libyaml takes the '?' for a key; a mistake either way",
    ),
    // kubectl drops the rest of these without a word, which nobody wants.
    (
        "a: 1\n...\nb: 2\n",
        "what follows the end of a document is lost",
    ),
    (
        " a: 1\nb: 2\n",
        "what follows the end of a document is lost",
    ),
    ("\"a\":1\n", "what follows the end of a document is lost"),
    ("'a':1\n", "what follows the end of a document is lost"),
];

/// All documents, or none if there is an error.
fn read(text: &str) -> Option<Vec<Value>> {
    let documents = documents(text, &Limits::default()).into_iter();
    documents
        .map(|document| document.ok().map(|composed| composed.value))
        .collect()
}

fn one(text: &str) -> Value {
    read(text).unwrap().remove(0)
}

fn message(text: &str) -> String {
    documents(text, &Limits::default())
        .into_iter()
        .find_map(Result::err)
        .unwrap()
        .message
}

#[test]
fn reads_what_kubectl_reads() {
    let table: Vec<(String, Option<Vec<Value>>)> = super::rows(include_str!("kubectl.jsonl"));
    let mut wrong = Vec::new();
    for (text, expected) in &table {
        let same = read(text) == *expected;
        if same == DIFFERENT.iter().any(|(known, _)| known == text) {
            wrong.push(format!("{text:?}: {:?} for {expected:?}", read(text)));
        }
    }
    assert!(table.len() > 400);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_error_in_one_document_does_not_lose_the_others() {
    let text = "a: 1\n---\nb: [1\n---\nc: 3\n---\nd: 'x\n---\n{e: 5}\n";
    let read = documents(text, &Limits::default());
    let values: Vec<Option<Value>> = read
        .iter()
        .map(|read| read.as_ref().ok().map(|read| read.value.clone()))
        .collect();
    assert_eq!(
        values,
        [
            Some(json!({"a": 1})),
            None,
            Some(json!({"c": 3})),
            None,
            Some(json!({"e": 5}))
        ]
    );
    let at: Vec<usize> = read
        .iter()
        .filter_map(|read| Some(read.as_ref().err()?.bytes.start))
        .collect();
    assert!(
        (text.find("b:").unwrap()..text.find("c:").unwrap()).contains(&at[0]),
        "{at:?}"
    );
    assert!(
        (text.find("d:").unwrap()..text.find("{e").unwrap()).contains(&at[1]),
        "{at:?}"
    );
}

#[test]
fn says_what_to_do() {
    assert_eq!(message("a: 1\n\t\nb: 2\n"), "a tab can't indent");
    assert_eq!(message("a: \"\\/\"\n"), "kubectl does not know this escape");
    assert_eq!(
        message("a: 1\n--- b\n"),
        "kubectl reads nothing on a line that begins with '---'"
    );
    assert_eq!(
        message("? [a]\n: b\n"),
        "a list or an object can't be the name of a field"
    );
    assert_eq!(message("~: b\n"), "null can't be the name of a field");
    assert_eq!(message("a: .inf\n"), "inf is not a number that JSON has");
    assert_eq!(message("a: !!int x\n"), "\"x\" is of type !!str, not !!int");
    assert_eq!(
        message(" a: 1\nb: 2\n"),
        "the document has ended, kubectl does not read what follows"
    );
}

#[test]
fn duplicate_keys_are_named_with_both_places() {
    for text in ["a: 1\nb: 2\n\"a\": 3\n", "{\"a\": 1,\n \"b\": 2, \"a\": 3}"] {
        let read = documents(text, &Limits::default()).remove(0).unwrap();
        assert_eq!(read.value, json!({"a": 3, "b": 2}));
        let [duplicate] = &read.duplicates[..] else {
            panic!("{:?}", read.duplicates)
        };
        assert_eq!(duplicate.name, "a");
        assert!(text[duplicate.first.clone()].contains('a') && duplicate.first.start <= 1);
        assert!(text[duplicate.second.clone()].contains('a') && duplicate.second.start > 4);
    }
}

#[test]
fn a_merge_is_no_duplicate() {
    let text = "x: &x {a: 1}\nz:\n  <<: *x\n  a: 2\n";
    let read = documents(text, &Limits::default()).remove(0).unwrap();
    assert_eq!(read.value, json!({"x": {"a": 1}, "z": {"a": 2}}));
    assert_eq!(read.duplicates, []);
}

#[test]
fn names_what_yaml_1_1_makes_of_a_word() {
    let text = "a: yes\nb: {c: [x, off]}\nd: 0644\ny: 1\ne: 'no'\nf: true\ng: 0\nh: 0o17\n";
    let read = documents(text, &Limits::default()).remove(0).unwrap();
    let found: Vec<_> = read
        .surprises
        .iter()
        .map(|found| {
            (
                found.kind,
                found.key,
                found.pointer.as_str(),
                &*found.written,
                &text[found.bytes.clone()],
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (SurpriseKind::Boolean, false, "/a", "yes", "yes"),
            (SurpriseKind::Boolean, false, "/b/c/1", "off", "off"),
            (SurpriseKind::Octal, false, "/d", "0644", "0644"),
            (SurpriseKind::Boolean, true, "", "y", "y"),
            (SurpriseKind::Octal, false, "/h", "0o17", "0o17"),
        ]
    );
    assert_eq!(read.surprises[2].value, json!(420));
}

#[test]
fn a_billion_laughs_are_an_error_soon() {
    let mut laughs = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for (last, next) in "abcdefghijklmn".chars().zip("bcdefghijklmno".chars()) {
        let aliases = vec![format!("*{last}"); 9].join(", ");
        laughs += &format!("{next}: &{next} [{aliases}]\n");
    }
    assert_eq!(
        message(&laughs),
        "the aliases stand for far more than is written"
    );

    // Few values, but long ones.
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        vec!["*a"; 1000].join(", ")
    );
    assert_eq!(
        message(&long),
        "the aliases stand for far more than is written"
    );

    // As many as a file of that size may reasonably have.
    let aliases = format!("a: &a {{b: c}}\nd: [{}]\n", vec!["*a"; 10_000].join(", "));
    assert_eq!(one(&aliases)["d"].as_array().unwrap().len(), 10_000);
}

#[test]
fn merges_that_name_each_other_are_searched_within_bounds() {
    use jsonptr::Pointer;
    use ramen_guard::manifest::yaml::NodeId;

    let mut text = "a: &a {}\n".to_owned();
    for (last, next) in "abcdefghijklmn".chars().zip("bcdefghijklmno".chars()) {
        let aliases = vec![format!("*{last}"); 9].join(", ");
        text += &format!("{next}: &{next} {{<<: [{aliases}]}}\n");
    }
    let read = documents(&text, &Limits::default()).remove(0).unwrap();
    let found = read
        .spans
        .find(&text, NodeId::ROOT, Pointer::from_static("/o/absent"));
    assert!(!found.exact);
}

#[test]
fn nesting_has_an_end() {
    let flow = |depth| format!("a: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&flow(99)).is_some());
    assert_eq!(message(&flow(100)), "nested more than 100 levels deep");
    assert!(read(&flow(100_000)).is_none());
    let json = format!("{{\"a\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    assert!(read(&json).is_none());
    let block: String = (0..200)
        .map(|depth| format!("{}a:\n", "  ".repeat(depth)))
        .collect();
    assert_eq!(message(&block), "nested more than 100 levels deep");
}

#[test]
fn length_has_an_end() {
    let limits = Limits {
        bytes: 10,
        ..Limits::default()
    };
    let read = documents("a: 1234567\n", &limits);
    assert_eq!(
        read[0].as_ref().unwrap_err().message,
        "longer than 10 bytes"
    );
}

#[test]
fn json_is_read_as_json() {
    assert_eq!(one("{\"a\": 1.0}").to_string(), "{\"a\":1.0}");
    assert_eq!(
        one("{\n\t\"a\": \"\\/\\ud83d\\ude00\"\n}"),
        json!({"a": "/\u{1f600}"})
    );
    assert_eq!(read("{\"a\": 1} {\"b\": 2}").unwrap().len(), 2);
    assert_eq!(one("{a: yes}"), json!({"a": true}));
}
