//! What fuzzing begins with: the scenarios of the rules, and the tables of the tests.

use std::{env, fs, path::Path};

use ramen_guard::scenario::{Scenario, scenarios};
use serde_json::Value;

/// Where a fuzz target writes its seeds when it starts.
const FOLDER: &str = "RAMEN_GUARD_SEEDS";

/// Writes the seeds of a target where `RAMEN_GUARD_SEEDS` says, if it is set.
pub fn write(target: &str) {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder).join(target);
    fs::create_dir_all(&folder).unwrap();
    for (at, seed) in seeds(target).iter().enumerate() {
        fs::write(folder.join(format!("seed-{at}")), seed).unwrap();
    }
}

/// The seeds of a target.
pub fn seeds(target: &str) -> Vec<String> {
    match target {
        "review" => of_scenarios(|scenario| {
            let given = Value::from(scenario.given.clone());
            vec![format!("{}\0{given}", scenario.review())]
        }),
        "check" => of_scenarios(|scenario| {
            let shown = |value: &Option<Value>| {
                let value = value.as_ref();
                value.map_or_else(String::new, |value| format!("{value:#}"))
            };
            let given: Vec<String> = scenario.given.iter().map(Value::to_string).collect();
            let (new, old) = (shown(&scenario.new), shown(&scenario.old));
            vec![format!("{new}\0{old}\0{}", given.join("\n---\n"))]
        }),
        "yaml" => table(include_str!("../../tests/manifest/kubectl.jsonl"), "/0"),
        "config" => [
            of_scenarios(|scenario| text_of(scenario, "/data/ramen_manager_config.yaml")),
            table(include_str!("../../tests/manifest/ramenconfig.jsonl"), "/0"),
        ]
        .concat(),
        "mapping" => of_scenarios(|scenario| text_of(scenario, "/data/mappings.yaml")),
        "recipe" => recipes(),
        "golang" => [
            include_str!("../../tests/golang/tables/base64.jsonl"),
            include_str!("../../tests/golang/tables/cidr.jsonl"),
            include_str!("../../tests/golang/tables/cron.jsonl"),
            include_str!("../../tests/golang/tables/duration.jsonl"),
            include_str!("../../tests/golang/tables/expand.jsonl"),
            include_str!("../../tests/golang/tables/names.jsonl"),
            include_str!("../../tests/golang/tables/regexp.jsonl"),
            include_str!("../../tests/golang/tables/selector.jsonl"),
            include_str!("../../tests/golang/tables/shlex.jsonl"),
            include_str!("../../tests/golang/tables/url.jsonl"),
        ]
        .iter()
        .flat_map(|text| table(text, ""))
        .collect(),
        _ => Vec::new(),
    }
}

fn of_scenarios(seeds: impl FnMut(&Scenario) -> Vec<String>) -> Vec<String> {
    scenarios().iter().flat_map(seeds).collect()
}

/// A text in the new object of a scenario.
fn text_of(scenario: &Scenario, pointer: &str) -> Vec<String> {
    let text = scenario
        .new
        .as_ref()
        .and_then(|new| new.pointer(pointer)?.as_str());
    text.map(str::to_owned).into_iter().collect()
}

/// What is at a place in each line of a table.
fn table(text: &str, pointer: &str) -> Vec<String> {
    let lines = text.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        plain(line.pointer(pointer).unwrap())
    });
    lines.collect()
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn recipes() -> Vec<String> {
    let conditions = table(
        include_str!("../../tests/golang/conditions.jsonl"),
        "/condition",
    );
    let commands = table(include_str!("../../tests/golang/tables/shlex.jsonl"), "");
    let selectors = table(include_str!("../../tests/golang/tables/regexp.jsonl"), "");
    let uses = table(include_str!("../../tests/golang/tables/expand.jsonl"), "");
    let written = of_scenarios(|scenario| {
        let hooks = scenario
            .new
            .as_ref()
            .and_then(|new| new.pointer("/spec/hooks")?.as_array());
        let hooks = hooks.into_iter().flatten().map(|hook| {
            let text = |pointer: &str| hook.pointer(pointer).map(plain).unwrap_or_default();
            let (condition, command) = (text("/chks/0/condition"), text("/ops/0/command"));
            format!(
                "{condition}\0{command}\0{}\0$TABLE\0orders",
                text("/nameSelector")
            )
        });
        hooks.collect()
    });
    let commands = commands.iter().map(|text| format!("\0{text}\0a.*\0$A\0x"));
    let selectors = selectors.iter().map(|text| format!("\0a\0{text}\0a"));
    let uses = uses.iter().map(|text| format!("\0a\0a\0{text}\0x"));
    let others = commands.chain(selectors).chain(uses);
    conditions
        .into_iter()
        .chain(written)
        .chain(others)
        .collect()
}
