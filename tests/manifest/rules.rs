//! What kube-apiserver says of rules in CEL: `pkg/apiserver/schema/cel` of k8s.io/apiextensions-apiserver
//! v0.36.3, after pruning and defaulting, on `rules.json`. A row is the stored object or null, the new one,
//! what is refused, what is only warned about.

use ramen_guard::{
    cel::{self, Expression, Variables},
    manifest::schema::{Schema, SchemaErrorKind},
};
use serde_json::{Value, json};

use super::schema::printed;

type Row = (Value, Value, Vec<String>, Vec<String>);

/// A rule that can't be evaluated refuses nothing here, also where the server's could not be either.
fn evaluated(said: Vec<String>) -> Vec<String> {
    let said = said
        .into_iter()
        .filter(|said| !said.contains(" evaluating rule: "));
    let mut said: Vec<String> = said.collect();
    said.sort();
    said
}

#[test]
fn says_what_the_server_says() {
    let schema: Value = serde_json::from_str(include_str!("rules.json")).unwrap();
    let schema = Schema::compile(&schema);
    let table: Vec<Row> = super::rows(include_str!("rules.jsonl"));
    let mut wrong = Vec::new();
    for (old, new, refused, warned) in table {
        let old = (!old.is_null()).then_some(old);
        let errors = schema.validate_change(&new, old.as_ref());
        let said = |stored: bool| {
            let errors = errors.iter().filter(|error| match error.kind {
                SchemaErrorKind::UnknownField { .. } => false,
                SchemaErrorKind::Rule => error.stored == stored,
                _ => !stored && !error.stored,
            });
            let said = errors.map(|error| printed(error).trim_start_matches(": ").to_owned());
            evaluated(said.collect())
        };
        let expected = [refused, warned].map(|said| {
            let said = said.into_iter().map(|said| {
                let (field, what) = said.split_once(": ").unwrap();
                let field = field.replace("<nil>", "").replace("labels[", "labels.");
                let field = field
                    .strip_suffix(']')
                    .filter(|it| it.contains("labels"))
                    .unwrap_or(&field)
                    .to_owned();
                if field.is_empty() {
                    what.to_owned()
                } else {
                    format!("{field}: {what}")
                }
            });
            evaluated(said.collect())
        });
        let found = [said(false), said(true)];
        if found != expected {
            wrong.push(format!(
                "{old:?}\n{new}\n  said     {found:?}\n  expected {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An object is not refused for what the interpreter here lacks.
#[test]
fn what_it_can_not_evaluate_it_lets_pass() {
    for rule in [
        "self.",
        "unheard(self)",
        "type(self) == int",
        "cel.bind(x, self, x == 'a')",
        "dyn(self) == 1",
        "self + 1 == 2",
        "{'a': 1}.missing == 1",
        "[1][5] == 1",
        "1 / 0 == 1",
        "self.matches('(')",
        "self.matches('(?=a)')",
        "duration(self) > duration('1m')",
        "'no boolean'",
    ] {
        let schema = json!({"type": "string", "x-kubernetes-validations": [{"rule": rule, "message": "no"}]});
        assert_eq!(Schema::compile(&schema).validate(&json!("x")), [], "{rule}");
    }
}

/// As kube-apiserver does: of an object with errors of these sorts it asks no rule.
#[test]
fn rules_are_asked_of_objects_that_fit() {
    let schema = Schema::compile(&json!({
        "type": "object",
        "properties": {"a": {"type": "string", "pattern": "^x"}, "b": {"type": "integer"}},
        "x-kubernetes-validations": [{"rule": "!has(self.a) || self.a == 'x'", "message": "a is x"}],
    }));
    let said = |mut object: Value| -> Vec<String> {
        object["metadata"] = json!({"name": "it"});
        schema.validate(&object).iter().map(printed).collect()
    };
    assert_eq!(said(json!({"a": "x", "b": 1})), [""; 0]);
    assert_eq!(said(json!({"a": "xy"})), [": Invalid value: a is x"]);
    assert_eq!(said(json!({"a": "y"})).len(), 2);
    assert_eq!(
        said(json!({"a": "xy", "b": "1"})),
        ["b: Invalid value: \"string\": b in body must be of type integer: \"string\""]
    );
}

/// What a rule here leaves unsaid is said by nobody before the object is applied.
#[test]
fn every_rule_of_ramens_crds_can_be_evaluated() {
    let Some(folder) = super::shared("crds") else {
        return;
    };
    let mut found = 0;
    for (file, text) in super::yaml_files(&folder) {
        let crd = super::yaml::documents(&text, &super::yaml::Limits::default())
            .remove(0)
            .unwrap();
        let mut nodes = vec![&crd.value];
        while let Some(node) = nodes.pop() {
            match node {
                Value::Array(items) => nodes.extend(items),
                Value::Object(fields) => {
                    nodes.extend(fields.values());
                    let rules = fields
                        .get("x-kubernetes-validations")
                        .and_then(Value::as_array);
                    for rule in rules.into_iter().flatten() {
                        let rule = Expression::new(rule["rule"].as_str().unwrap());
                        found += 1;
                        // They are about lists and objects, so that an empty one of either will do.
                        let results = [json!({}), json!([])].map(|value| {
                            let mut scope = Variables::default();
                            scope.set("self", cel::value(&value));
                            rule.evaluate(scope.set("oldSelf", cel::value(&value)))
                        });
                        assert!(results.iter().any(Option::is_some), "{file}: {rule:?}");
                    }
                }
                _ => {}
            }
        }
    }
    assert!(found >= 13, "only {found} rules were found");
}
