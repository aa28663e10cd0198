//! The jobs of `job` hooks.

use serde_json::Value;

use super::{Case, Report, Rule, parameters::has, say_if_run, steps::Runs, suggest};
use crate::{
    api::Recipe,
    golang::quote,
    manifest::yaml::{Limits, documents},
};

pub(super) const RULES: &[Rule<Recipe>] = &[("recipe-job-template", template)];

/// What is wrong with a job's manifest.
enum Unusable {
    /// It is something else.
    NoManifest(&'static str),
    /// It can't be read here.
    Unread(String),
}

/// Reads a manifest as YAML, which JSON is too.
///
/// Source: internal/controller/hooks/job_hook.go:101-113
fn read(text: &str) -> Result<(), Unusable> {
    if let Ok(Value::Object(_)) = serde_json::from_str(text) {
        return Ok(());
    }
    match documents(text, &Limits::default()).into_iter().next() {
        None => Err(Unusable::Unread("is empty".to_owned())),
        Some(Err(error)) => Err(Unusable::Unread(format!("can't be read: {error}"))),
        Some(Ok(read)) => match read.value {
            Value::Object(_) => Ok(()),
            Value::Null => Err(Unusable::Unread("is empty".to_owned())),
            Value::Array(_) => Err(Unusable::NoManifest("is a list")),
            _ => Err(Unusable::NoManifest("is a mere value")),
        },
    }
}

fn template(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let runs = Runs::of(recipe);
    let manifests = || recipe.jobs.iter().flatten().flatten();
    let hooks = recipe.hooks.iter().enumerate();
    for (place, hook) in hooks.filter(|(_, hook)| hook.type_ == "job") {
        for (index, job) in hook.jobs.iter().enumerate() {
            let (name, at) = (&*job.name, format!("/spec/hooks/{place}/jobs/{index}/name"));
            if has(name) {
                continue;
            }
            if recipe.jobs.is_none() {
                // An older CRD drops the field, and then nobody knows what was written.
                let message = format!("there is no spec.jobs that has {}", quote(name));
                report.advise(at, message).fix(
                    "write the Job's manifest into spec.jobs; if it is there, the installed CRD drops it",
                );
                continue;
            }
            let is_run = runs.operation(hook, name);
            match manifests().find(|(known, _)| *known == name) {
                Some((_, text)) if has(text) => {}
                Some((_, text)) => match read(text) {
                    Ok(()) => {}
                    Err(Unusable::NoManifest(what)) => {
                        let message = format!("the manifest of {} {what}", quote(name));
                        say_if_run(report, is_run, at, message);
                    }
                    Err(Unusable::Unread(what)) => {
                        report.advise(at, format!("the manifest of {} {what}", quote(name)));
                    }
                },
                None if manifests().any(|(known, _)| has(known)) => {}
                None => {
                    let message = format!("spec.jobs does not have {}", quote(name));
                    let finding = say_if_run(report, is_run, at, message);
                    suggest(finding, name, manifests().map(|(known, _)| &**known));
                }
            }
        }
    }
}
