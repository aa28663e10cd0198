//! The hooks, how steps name them, and what they select.

use super::{
    Case, Report, Rule,
    parameters::has,
    say_if_run,
    steps::{Runs, SCALES, call, hooks, named, operations},
    suggest,
};
use crate::{
    api::{Recipe, Text},
    golang::{quote, regexp},
    report::list,
};

pub(super) const RULES: &[Rule<Recipe>] = &[
    ("recipe-hook-ref-format", reference_format),
    ("recipe-hook-exists", exists),
    ("recipe-hook-op-exists", operation_exists),
    ("recipe-scale-op", scale_operation),
    ("recipe-hook-selector-required", selector_required),
    ("recipe-hook-select-resource", select_resource),
    ("recipe-name-selector", name_selector),
];

fn reference_format(case: &Case<'_, Recipe>, report: &mut Report) {
    for (_, at, text) in named(&case.new.spec, "hook") {
        if call(text).is_some() || has(text) {
            continue;
        }
        let message = match text.matches('/').count() {
            0 => format!("{} names no operation", quote(text)),
            slashes => format!("{} has {slashes} slashes, and one is needed", quote(text)),
        };
        report.say(at, message);
    }
}

fn exists(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let known = hooks(recipe);
    if recipe.hooks.iter().any(|hook| has(&hook.name)) {
        return;
    }
    for (_, at, text) in named(recipe, "hook").filter(|(.., text)| !has(text)) {
        if let Some((name, _)) = call(text)
            && !known.contains_key(name)
        {
            let finding = report.say(at, format!("there is no hook {}", quote(name)));
            suggest(finding, name, recipe.hooks.iter().map(|hook| &*hook.name));
        }
    }
}

fn operation_exists(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let known = hooks(recipe);
    for (_, at, text) in named(recipe, "hook").filter(|(.., text)| !has(text)) {
        let Some((name, wanted)) = call(text) else {
            continue;
        };
        let Some((_, hook)) = known.get(name) else {
            continue;
        };
        let what = match &*hook.type_ {
            "exec" => "ops",
            "check" => "chks",
            "job" => "jobs",
            _ => continue,
        };
        let there = operations(hook);
        let names = || there.iter().map(|operation| operation.name);
        if names().any(|name| name == wanted || has(name)) {
            continue;
        }
        let message = format!(
            "hook {} has no {} in its {what}",
            quote(name),
            quote(wanted)
        );
        suggest(report.say(at, message), wanted, names());
    }
}

fn scale_operation(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let known = hooks(recipe);
    for (_, at, text) in named(recipe, "hook").filter(|(.., text)| !has(text)) {
        if let Some((name, wanted)) = call(text)
            && let Some((_, hook)) = known.get(name)
            && hook.type_ == "scale"
            && !SCALES.contains(&wanted)
        {
            let known = list(SCALES);
            report.say(at, format!("{} is not one of {known}", quote(wanted)));
        }
    }
}

fn selector_required(case: &Case<'_, Recipe>, report: &mut Report) {
    for (index, hook) in case.new.spec.hooks.iter().enumerate() {
        let selects = ["exec", "check", "scale"].contains(&&*hook.type_);
        if selects && hook.label_selector.is_none() && hook.name_selector.text().is_none() {
            report.say(
                format!("/spec/hooks/{index}"),
                format!("{} selects nothing", quote(&hook.name)),
            );
        }
    }
}

/// What the core API has, as a person may write it: Ramen asks for it in the plural or in the singular.
const CORE: [&str; 17] = [
    "bindings",
    "componentstatuses",
    "configmaps",
    "endpoints",
    "events",
    "limitranges",
    "namespaces",
    "nodes",
    "persistentvolumeclaims",
    "persistentvolumes",
    "pods",
    "podtemplates",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "serviceaccounts",
    "services",
];

fn is_core(resource: &str) -> bool {
    let resource = resource.to_ascii_lowercase();
    let plurals = [format!("{resource}s"), format!("{resource}es")];
    CORE.iter()
        .any(|known| *known == resource || plurals.iter().any(|plural| plural == known))
}

/// How bad what is selected is.
enum Unselectable {
    /// It can never be found.
    Never(String),
    /// It is probably not what was meant.
    Perhaps(String),
}

/// What is wrong with the resource that a hook of this type selects.
///
/// Source: internal/controller/hooks/check_hook.go:178-235, scale_hook.go:345-360, exec_pod_lister.go:17-28
fn unselectable(type_: &str, resource: &str) -> Option<Unselectable> {
    use Unselectable::{Never, Perhaps};

    let shown = || quote(resource);
    match type_ {
        "scale" if ["deployment", "statefulset"].contains(&resource) => None,
        "scale" if resource.is_empty() => Some(Never("is needed to scale something".to_owned())),
        "scale" => Some(Never(format!("{} can't be scaled by a hook", shown()))),
        "check" if ["pod", "deployment", "statefulset"].contains(&resource) => None,
        "check" => match *resource.split('/').collect::<Vec<_>>() {
            [""] => Some(Never("is needed to check something".to_owned())),
            [one] if is_core(one) => None,
            [_] => Some(Perhaps(format!("{} is not of the core API", shown()))),
            [_, _, ""] => Some(Never(format!("{} names no resource", shown()))),
            [_, _, _] => None,
            _ => Some(Never(format!("{} is no resource", shown()))),
        },
        "exec" => {
            let known = ["", "pod", "deployment", "statefulset", "daemonset"];
            let unknown = !known.contains(&resource);
            unknown.then(|| Perhaps(format!("{} is taken for \"pod\"", shown())))
        }
        _ => None,
    }
}

fn select_resource(case: &Case<'_, Recipe>, report: &mut Report) {
    let runs = Runs::of(&case.new.spec);
    for (index, hook) in case.new.spec.hooks.iter().enumerate() {
        let resource = hook.select_resource.text().unwrap_or_default();
        if has(resource) {
            continue;
        }
        let at = format!("/spec/hooks/{index}/selectResource");
        let fix = match &*hook.type_ {
            "scale" => "write deployment or statefulset",
            "check" => {
                "write pod, deployment or statefulset, or group/version/plural as in \"apps/v1/daemonsets\""
            }
            _ => "write pod, deployment, statefulset or daemonset",
        };
        let finding = match unselectable(&hook.type_, resource) {
            None => continue,
            Some(Unselectable::Never(message)) => say_if_run(report, runs.hook(hook), at, message),
            Some(Unselectable::Perhaps(message)) => report.advise(at, message),
        };
        finding.fix(fix);
    }
}

/// Every name that Ramen takes for one is a regular expression too.
fn name_selector(case: &Case<'_, Recipe>, report: &mut Report) {
    let runs = Runs::of(&case.new.spec);
    for (index, hook) in case.new.spec.hooks.iter().enumerate() {
        let Some(text) = hook.name_selector.text().filter(|text| !has(text)) else {
            continue;
        };
        let Err(error) = regexp::check(text) else {
            continue;
        };
        let at = format!("/spec/hooks/{index}/nameSelector");
        let message = format!(
            "{} is neither a name nor a regular expression: {error}",
            quote(text)
        );
        match &*hook.type_ {
            "check" | "scale" => say_if_run(report, runs.hook(hook), at, message),
            "exec" => report.advise(at, message),
            _ => continue,
        };
    }
}
