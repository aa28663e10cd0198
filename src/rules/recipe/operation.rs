//! What operations of hooks have in common: what undoes them, what a failure does, how long they take.

use super::{
    Case, Report, Rule,
    parameters::has,
    steps::{Runs, SCALES, hooks, inverse, operations},
    suggest,
};
use crate::{api::Recipe, golang::quote};

pub(super) const RULES: &[Rule<Recipe>] = &[
    ("recipe-inverse-op", inverse_operation),
    ("recipe-on-error", on_error),
    ("recipe-timeout", timeout),
];

fn inverse_operation(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let known = hooks(recipe);
    let hidden = recipe.hooks.iter().any(|hook| has(&hook.name));
    for (place, hook) in recipe.hooks.iter().enumerate() {
        for operation in operations(hook) {
            let Some(text) = operation.inverse.filter(|text| !has(text)) else {
                continue;
            };
            let at = format!(
                "/spec/hooks/{place}/{}/{}/inverseOp",
                operation.list, operation.index
            );
            let (name, wanted) = inverse(text, &hook.name);
            let Some((_, other)) = known.get(name) else {
                if !hidden {
                    report.say(at, format!("there is no hook {}", quote(name)));
                }
                continue;
            };
            let there = operations(other);
            let mut names: Vec<&str> = there.iter().map(|operation| operation.name).collect();
            if other.type_ == "scale" {
                names.extend(SCALES);
            }
            if !names.iter().any(|name| *name == wanted || has(name)) {
                let message = format!("hook {} has no {}", quote(name), quote(wanted));
                suggest(report.say(at, message), wanted, names.into_iter());
            }
        }
    }
}

fn on_error(case: &Case<'_, Recipe>, report: &mut Report) {
    for (place, hook) in case.new.spec.hooks.iter().enumerate() {
        for operation in operations(hook) {
            let text = operation.on_error.unwrap_or("fail");
            if !["fail", "continue"].contains(&text) && !has(text) {
                report.say(
                    format!(
                        "/spec/hooks/{place}/{}/{}/onError",
                        operation.list, operation.index
                    ),
                    format!("{} means \"fail\"", quote(text)),
                );
            }
        }
    }
}

/// How often Ramen looks whether something is done, seconds: its first look comes after that.
const INTERVAL: i64 = 5;
/// The longest time that Go can count, in seconds.
const LONGEST: i64 = i64::MAX / 1_000_000_000;

/// What is wrong with a time; `waits` says whether something is looked at again and again for that long.
fn timed_out(seconds: i64, waits: bool) -> Option<String> {
    if !(0..=LONGEST).contains(&seconds) {
        Some(format!("{seconds} seconds are over at once"))
    } else if waits && (1..INTERVAL).contains(&seconds) {
        Some(format!(
            "{seconds} s are over before the first look, after {INTERVAL} s"
        ))
    } else {
        None
    }
}

fn timeout(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let runs = Runs::of(recipe);
    for (place, hook) in recipe.hooks.iter().enumerate() {
        let jobs = hook.type_ == "job";
        let own = hook.timeout.unwrap_or_default();
        // A time of its own stands for the hook's.
        let inherited = hook
            .jobs
            .iter()
            .any(|job| job.timeout.unwrap_or_default() == 0);
        let waits = jobs && inherited || hook.type_ == "scale" && runs.operation(hook, "sync");
        if let Some(message) = timed_out(own, waits) {
            report.say(format!("/spec/hooks/{place}/timeout"), message);
        }
        for operation in operations(hook) {
            if let Some(message) = timed_out(operation.timeout, jobs) {
                let at = format!(
                    "/spec/hooks/{place}/{}/{}/timeout",
                    operation.list, operation.index
                );
                report.say(at, message);
            }
        }
    }
}
