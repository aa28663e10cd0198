//! The workflows, and the form of their steps.

use super::{
    Case, Report, Rule,
    parameters::has,
    steps::{Flow, steps, workflow, workflows},
};
use crate::{
    api::{Recipe, RecipeSpec},
    golang::quote,
    report::list,
};

pub(super) const RULES: &[Rule<Recipe>] = &[
    ("recipe-workflow-names", names),
    ("recipe-workflow-pair", pair),
    ("recipe-workflow-needs-group", needs_group),
    ("recipe-workflow-empty", empty),
    ("recipe-sequence-key", key),
    ("recipe-sequence-single-key", single_key),
];

const KEYS: [&str; 2] = ["group", "hook"];

fn is_read(name: &str) -> bool {
    Flow::ALL.iter().any(|flow| flow.name() == name)
}

fn names(case: &Case<'_, Recipe>, report: &mut Report) {
    for (index, workflow) in case.new.spec.workflows.iter().enumerate() {
        let name = &*workflow.name;
        if is_read(name) || has(name) {
            continue;
        }
        let finding = report.say(
            format!("/spec/workflows/{index}/name"),
            format!("{} is never read", quote(name)),
        );
        // What older documents call them.
        let meant = match &*name.to_ascii_lowercase() {
            "backup" | "capture" => Some("backup"),
            "restore" | "recover" => Some("restore"),
            _ => None,
        };
        if let Some(meant) = meant {
            finding.fix(format!("name it \"{meant}\""));
        }
    }
}

/// Whether the name of some workflow is not known yet.
fn open(recipe: &RecipeSpec) -> bool {
    recipe.workflows.iter().any(|workflow| has(&workflow.name))
}

fn pair(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let [backup, restore] = Flow::ALL.map(|flow| workflow(recipe, flow).is_some());
    if backup == restore || open(recipe) {
        return;
    }
    let (there, missing) = if backup {
        (Flow::Backup, Flow::Restore)
    } else {
        (Flow::Restore, Flow::Backup)
    };
    let message = format!("has \"{}\" and no \"{}\"", there.name(), missing.name());
    report.say("/spec/workflows", message);
}

fn needs_group(case: &Case<'_, Recipe>, report: &mut Report) {
    for (flow, index, workflow) in workflows(&case.new.spec) {
        let steps = &workflow.sequence;
        if !steps.is_empty() && !steps.iter().any(|step| step.contains_key("group")) {
            report.say(
                format!("/spec/workflows/{index}/sequence"),
                format!("no step of \"{}\" has a group", flow.name()),
            );
        }
    }
}

fn empty(case: &Case<'_, Recipe>, report: &mut Report) {
    if let Some((index, backup)) = workflow(&case.new.spec, Flow::Backup)
        && backup.sequence.is_empty()
    {
        report.say(
            format!("/spec/workflows/{index}/sequence"),
            "\"backup\" has no steps",
        );
    }
}

fn key(case: &Case<'_, Recipe>, report: &mut Report) {
    for step in steps(&case.new.spec) {
        let mut unknown = step.keys.keys().filter(|key| !KEYS.contains(&&***key));
        if let Some(first) = unknown.next() {
            report.say(
                step.at,
                format!("{} is neither group nor hook", quote(first)),
            );
        }
    }
}

fn single_key(case: &Case<'_, Recipe>, report: &mut Report) {
    for step in steps(&case.new.spec) {
        let message = match step.keys.len() {
            1 => continue,
            0 => "names nothing".to_owned(),
            _ => format!("names {}", list(step.keys.keys().map(String::as_str))),
        };
        report.say(step.at, message);
    }
}
