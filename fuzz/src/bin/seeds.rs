//! Writes what fuzzing begins with, a folder for each target: the scenarios of the rules, and the
//! tables of the tests.

#![allow(clippy::unwrap_used)]

use std::{env, fs, path::Path};

use ramen_guard::scenario::scenarios;
use serde_json::Value;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = env::args_os().nth(1).expect("a folder to write to");
    let write = |target: &str, name: &str, inputs: &[String]| {
        let folder = Path::new(&out).join(target);
        fs::create_dir_all(&folder).unwrap();
        for (at, input) in inputs.iter().enumerate() {
            fs::write(folder.join(format!("{name}-{at}")), input).unwrap();
        }
    };
    // The first text of each line of a table, whatever its lines are.
    let table = |path: &str| -> Vec<String> {
        let text = fs::read_to_string(root.join("tests").join(path)).unwrap();
        let lines = text
            .lines()
            .map(|line| match serde_json::from_str(line).unwrap() {
                Value::Array(items) => text_of(&items[0]),
                Value::Object(fields) if fields.contains_key("condition") => {
                    text_of(&fields["condition"])
                }
                other => text_of(&other),
            });
        lines.collect()
    };

    let (mut reviews, mut checks, mut configs, mut mappings, mut recipes) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for scenario in scenarios() {
        let given = Value::from(scenario.given.clone());
        reviews.push(format!("{}\0{given}", scenario.review()));
        let shown =
            |value: Option<&Value>| value.map(|value| format!("{value:#}")).unwrap_or_default();
        let context: Vec<String> = scenario.given.iter().map(Value::to_string).collect();
        checks.push(format!(
            "{}\0{}\0{}",
            shown(scenario.new.as_ref()),
            shown(scenario.old.as_ref()),
            context.join("\n---\n")
        ));
        let new = scenario.new.clone().unwrap_or_default();
        configs.extend(string(&new["data"]["ramen_manager_config.yaml"]));
        mappings.extend(string(&new["data"]["mappings.yaml"]));
        for hook in new["spec"]["hooks"].as_array().into_iter().flatten() {
            let text = |pointer: &str| hook.pointer(pointer).map(text_of).unwrap_or_default();
            recipes.push(format!(
                "{}\0{}\0{}\0$TABLE\0orders",
                text("/chks/0/condition"),
                text("/ops/0/command"),
                text("/nameSelector")
            ));
        }
    }
    write("config", "scenario", &configs);
    write("mapping", "scenario", &mappings);
    write("recipe", "scenario", &recipes);
    write("review", "scenario", &reviews);
    write("check", "scenario", &checks);
    write("yaml", "kubectl", &table("manifest/kubectl.jsonl"));
    write(
        "config",
        "ramenconfig",
        &table("manifest/ramenconfig.jsonl"),
    );
    for name in [
        "base64", "cidr", "cron", "duration", "expand", "names", "regexp", "selector", "shlex",
        "url",
    ] {
        write(
            "golang",
            name,
            &table(&format!("golang/tables/{name}.jsonl")),
        );
    }
    let recipes = table("golang/tables/shlex.jsonl").into_iter();
    let recipes: Vec<String> = recipes
        .map(|text| format!("\0{text}\0a.*\0$A\0x"))
        .collect();
    write("recipe", "command", &recipes);
    write("recipe", "condition", &table("golang/conditions.jsonl"));
    let selectors: Vec<String> = table("golang/tables/regexp.jsonl");
    let selectors: Vec<String> = selectors
        .iter()
        .map(|text| format!("\0a\0{text}\0a"))
        .collect();
    write("recipe", "selector", &selectors);
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
