//! The conditions that `check` hooks wait for.

use super::{
    Case, Report, Rule,
    condition::{self, Comparison, Wrong},
    parameters::has,
    path, say_if_run,
    steps::Runs,
};
use crate::{
    api::{
        Recipe, RecipeSpec,
        recipe::{Check, Hook},
    },
    golang::quote,
    report::clip,
};

pub(super) const RULES: &[Rule<Recipe>] = &[
    ("recipe-check-condition", condition),
    ("recipe-check-condition-brace", brace),
];

/// How much of a condition a message shows.
const SHOWN: usize = 60;

/// A condition that a hook may wait for.
struct Awaited<'r> {
    hook: &'r Hook,
    check: &'r Check,
    at: String,
    text: &'r str,
}

/// Every condition that is known already.
fn conditions(recipe: &RecipeSpec) -> impl Iterator<Item = Awaited<'_>> {
    let hooks = recipe.hooks.iter().enumerate();
    let checking = hooks.filter(|(_, hook)| hook.type_ == "check");
    let awaited = checking.flat_map(|(place, hook)| {
        let checks = hook.chks.iter().enumerate();
        checks.map(move |(index, check)| Awaited {
            hook,
            check,
            at: format!("/spec/hooks/{place}/chks/{index}/condition"),
            text: check.condition.as_deref().unwrap_or_default(),
        })
    });
    awaited.filter(|awaited| !has(awaited.text))
}

fn sides<'c>(comparisons: &[Comparison<'c>]) -> impl Iterator<Item = &'c str> {
    comparisons
        .iter()
        .flat_map(|found| [found.left, found.right])
}

fn condition(case: &Case<'_, Recipe>, report: &mut Report) {
    let runs = Runs::of(&case.new.spec);
    for awaited in conditions(&case.new.spec) {
        match condition::read(awaited.text) {
            Ok(read) => {
                let mut sides = sides(&read);
                let bad = sides.find(|side| condition::is_path(side) && !path::is_readable(side));
                if let Some(bad) = bad {
                    let message = format!("{} can't be read as a path", shown(bad));
                    let finding = report.advise(awaited.at, message);
                    finding.fix("write a path as kubectl's jsonpath has it: ['name'], one comparison in a filter");
                }
            }
            Err(wrong) => {
                let is_run = runs.operation(awaited.hook, &awaited.check.name);
                say_if_run(report, is_run, awaited.at, message(wrong, awaited.text));
            }
        }
    }
}

fn shown(text: &str) -> String {
    quote(&clip(text, SHOWN))
}

fn message(wrong: Wrong<'_>, text: &str) -> String {
    match wrong {
        Wrong::NoComparison(_) if text.trim().is_empty() => "is empty".to_owned(),
        Wrong::NoComparison("") => "a comparison is missing".to_owned(),
        Wrong::NoComparison(part) => format!("{} compares nothing", shown(part)),
        Wrong::Operand("") => "a comparison has only one side".to_owned(),
        Wrong::Operand(part) => format!("{} is neither a path nor a value", shown(part)),
    }
}

fn brace(case: &Case<'_, Recipe>, report: &mut Report) {
    for awaited in conditions(&case.new.spec) {
        let read = condition::read(awaited.text).unwrap_or_default();
        if let Some(side) = sides(&read).find(|side| condition::is_quoted_path(side)) {
            let message = format!("{} is compared as it is written", shown(side));
            report.say(awaited.at, message);
        }
    }
}
