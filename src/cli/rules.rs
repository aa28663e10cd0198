//! `rules` and `explain`: the rule book in the terminal.

use std::{fmt::Write, process::ExitCode};

use serde_json::{Value, json};

use super::{Format, Strictness, print};
use crate::{
    engine::{Settings, rule_hint},
    policy::{self, Contract, Operation, Profile},
    report::nearest,
    rules::kind_named,
    scenario::{Expected, Scenario, scenarios_of},
};

/// Lists the rules with mode and kind
#[derive(clap::Args, Debug)]
pub(crate) struct RulesArgs {
    /// Only the rules about this kind, as kubectl would know it: Recipe, recipes, vrg
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// As a table, or as JSON
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    #[command(flatten)]
    strictness: Strictness,
}

pub(super) fn rules(args: &RulesArgs) -> Result<ExitCode, String> {
    let settings = args.strictness.settings()?;
    let mut shown: Vec<&Contract> = policy::contracts().iter().collect();
    if let Some(named) = &args.kind {
        let kind = kind_named(named).unwrap_or(named);
        let about = |contract: &&Contract| {
            let kinds = contract.also.iter().chain([&contract.kind]);
            kinds
                .into_iter()
                .any(|known| known.eq_ignore_ascii_case(kind))
        };
        shown.retain(about);
        if shown.is_empty() {
            let near = nearest(
                kind,
                policy::contracts()
                    .iter()
                    .flat_map(|contract| contract.also.iter().chain([&contract.kind]))
                    .map(|kind| &**kind),
            );
            let hint = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
            return Err(format!("there are no rules about \"{named}\"{hint}"));
        }
    }
    let text = match args.output {
        Format::Json => {
            let list: Vec<Value> = shown
                .iter()
                .map(|contract| as_json(contract, &settings))
                .collect();
            format!("{:#}\n", Value::from(list))
        }
        Format::Human => {
            let width = shown
                .iter()
                .map(|contract| contract.id.len())
                .max()
                .unwrap_or_default();
            let kinds = shown
                .iter()
                .map(|contract| contract.kind.len())
                .max()
                .unwrap_or_default();
            let line = |contract: &&Contract| {
                let Contract { id, kind, what, .. } = contract;
                format!(
                    "{id:width$}  {:5}  {kind:kinds$}  {what}\n",
                    settings.mode(contract)
                )
            };
            shown.iter().map(line).collect()
        }
    };
    print(&text)
}

fn as_json(contract: &Contract, settings: &Settings) -> Value {
    json!({
        "id": contract.id,
        "kind": contract.kind,
        "mode": settings.mode(contract).name(),
        "recommended": contract.mode_in(Profile::Recommended).name(),
        "strict": contract.mode_in(Profile::Strict).name(),
        "crash": contract.crash,
        "operations": contract.on.iter().map(|operation| operation.name()).collect::<Vec<_>>(),
        "fields": contract.watches.iter().map(|pointer| pointer.as_str()).collect::<Vec<_>>(),
        "what": contract.what,
        "why": contract.why,
        "fix": contract.fix,
        "source": contract.source,
    })
}

/// Explains one rule: what, why, how to fix, and an accepted and a refused example
#[derive(clap::Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The rule's id, as a finding names it
    #[arg(value_name = "RULE")]
    rule: String,
    #[command(flatten)]
    strictness: Strictness,
}

pub(super) fn explain(args: &ExplainArgs) -> Result<ExitCode, String> {
    let settings = args.strictness.settings()?;
    let Some(contract) = policy::contract(&args.rule) else {
        let near = nearest(
            &args.rule,
            policy::contracts().iter().map(|contract| &*contract.id),
        );
        return Err(format!(
            "there is no rule \"{}\"{}",
            args.rule,
            rule_hint(near)
        ));
    };
    print(&explained(contract, &settings))
}

/// All that there is to say about a rule.
pub fn explained(contract: &Contract, settings: &Settings) -> String {
    let mut text = format!(
        "{} ({})\n\n{}\n",
        contract.id,
        contract.kind,
        contract.what.trim()
    );
    let operations: Vec<&str> = contract
        .on
        .iter()
        .map(|operation| operation.name())
        .collect();
    let _ = writeln!(
        text,
        "\nMode:    {} (strict: {})",
        settings.mode(contract),
        contract.mode_in(Profile::Strict)
    );
    let _ = writeln!(text, "Asked:   on {}", operations.join(", "));
    if contract.crash {
        text += "         of everybody: what it finds stops Ramen's controllers for all objects\n";
    }
    let _ = writeln!(text, "\nWhy\n{}", indented(&wrapped(&contract.why)));
    let _ = writeln!(text, "Way out\n{}", indented(&wrapped(&contract.fix)));
    let _ = writeln!(text, "Source\n{}", indented(&contract.source));
    let accepted = |scenario: &&Scenario| scenario.expected == Expected::Accepted;
    let shown = [
        scenarios_of(&contract.id).find(accepted),
        scenarios_of(&contract.id).find(|s| !accepted(s)),
    ];
    text.extend(shown.into_iter().flatten().map(example));
    text
}

fn example(scenario: &Scenario) -> String {
    let title = match &scenario.expected {
        Expected::Accepted => "Accepted".to_owned(),
        Expected::Warned(field) => format!("Warned about, at {field}"),
        Expected::Refused(field) => format!("Refused, at {field}"),
    };
    let mut text = format!("{title}: {}\n", scenario.story);
    let yaml = |object: &Value| serde_saphyr::to_string(object).unwrap_or_default();
    match (scenario.operation, &scenario.old, &scenario.new) {
        (Operation::Update, Some(old), Some(new)) => {
            let _ = writeln!(
                text,
                "  stored as\n{}  becomes\n{}",
                indented(&indented(&yaml(old))),
                indented(&indented(&yaml(new)))
            );
        }
        (operation, old, new) => {
            let object = new.as_ref().or(old.as_ref()).map(yaml).unwrap_or_default();
            let verb = if operation == Operation::Delete {
                "  deleted\n"
            } else {
                ""
            };
            let _ = writeln!(text, "{verb}{}", indented(&object));
        }
    }
    text
}

fn indented(text: &str) -> String {
    text.trim_end()
        .lines()
        .fold(String::new(), |text, line| text + "  " + line + "\n")
}

/// Text in lines of at most 78 characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + 1 + word.chars().count() > 78 {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines.join("\n")
}
