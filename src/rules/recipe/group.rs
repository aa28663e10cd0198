//! The groups, and how steps name them.

use std::collections::{BTreeSet, HashSet};

use super::{
    Case, Report, Rule,
    parameters::has,
    steps::{self, Flow, named, workflow},
    suggest,
};
use crate::{
    api::{
        Recipe, RecipeSpec, Text,
        recipe::{Group, Hook},
    },
    golang::quote,
};

pub(super) const RULES: &[Rule<Recipe>] = &[
    ("recipe-sequence-group-exists", exists),
    ("recipe-sequence-volumes-group", volumes_in_sequence),
    ("recipe-group-repeated-in-backup", repeated),
    ("recipe-backup-ref", backup_ref),
    ("recipe-duplicate-name", duplicates),
    ("recipe-essential", essential),
    ("recipe-group-no-included-namespaces", all_namespaces),
    ("recipe-include-cluster-resources", cluster_resources),
];

fn volumes_name(recipe: &RecipeSpec) -> Option<&str> {
    recipe.volumes.as_ref().map(|volumes| &*volumes.name)
}

/// Whether some group's name is not known yet.
fn open(recipe: &RecipeSpec) -> bool {
    let names = recipe.groups.iter().map(|group| &*group.name);
    names.chain(volumes_name(recipe)).any(has)
}

fn exists(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let groups = steps::groups(recipe);
    let volumes = volumes_name(recipe);
    if open(recipe) {
        return;
    }
    for (_, at, name) in named(recipe, "group") {
        if groups.contains_key(name) || volumes == Some(name) || has(name) {
            continue;
        }
        let finding = report.say(at, format!("there is no group {}", quote(name)));
        suggest(
            finding,
            name,
            recipe.groups.iter().map(|group| &*group.name),
        );
    }
}

fn volumes_in_sequence(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let groups = steps::groups(recipe);
    for (_, at, name) in named(recipe, "group") {
        if volumes_name(recipe) == Some(name) && !groups.contains_key(name) {
            report.say(
                at,
                format!("{} is of volumes, not a group of objects", quote(name)),
            );
        }
    }
}

fn repeated(case: &Case<'_, Recipe>, report: &mut Report) {
    let mut seen = HashSet::new();
    for (flow, at, name) in named(&case.new.spec, "group") {
        if flow == Flow::Backup && !seen.insert(name) {
            report.say(at, format!("{} was captured before", quote(name)));
        }
    }
}

fn backup_ref(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let groups = steps::groups(recipe);
    if workflow(recipe, Flow::Backup).is_none() || open(recipe) {
        return;
    }
    let of = |flow| {
        named(recipe, "group")
            .filter(move |(of, ..)| *of == flow)
            .map(|(.., name)| name)
    };
    let captured: HashSet<&str> = of(Flow::Backup)
        .filter(|name| groups.contains_key(name) || has(name))
        .collect();
    if captured.iter().any(|name| has(name)) {
        return;
    }
    let recovered: BTreeSet<usize> = of(Flow::Restore)
        .filter_map(|name| groups.get(name).map(|(index, _)| *index))
        .collect();
    for index in recovered {
        let group = &recipe.groups[index];
        let from = group.backup_ref.text().unwrap_or(&group.name);
        if !captured.contains(from) && !has(from) {
            report.say(
                format!("/spec/groups/{index}/backupRef"),
                format!("\"backup\" does not capture {}", quote(from)),
            );
        }
    }
}

/// The API server refuses these by itself, but a manifest has not met it.
fn duplicates(case: &Case<'_, Recipe>, report: &mut Report) {
    fn say<'r>(at: &str, names: impl Iterator<Item = &'r str>, report: &mut Report) {
        let mut seen = HashSet::new();
        for (index, name) in names.enumerate() {
            if !seen.insert(name) {
                report.say(
                    format!("{at}/{index}/name"),
                    format!("{} is there twice", quote(name)),
                );
            }
        }
    }
    let recipe = &case.new.spec;
    let groups = recipe.groups.iter().map(|group| &*group.name);
    say("/spec/groups", groups, report);
    let hooks = recipe.hooks.iter().map(|hook| &*hook.name);
    say("/spec/hooks", hooks, report);
    let workflows = recipe.workflows.iter().map(|workflow| &*workflow.name);
    say("/spec/workflows", workflows, report);
    for (index, hook) in recipe.hooks.iter().enumerate() {
        let ops = hook.ops.iter().map(|op| &*op.name);
        say(&format!("/spec/hooks/{index}/ops"), ops, report);
        let checks = hook.chks.iter().map(|check| &*check.name);
        say(&format!("/spec/hooks/{index}/chks"), checks, report);
    }
}

/// Of the groups that are recovered Ramen does not ask whether they are essential.
fn essential(case: &Case<'_, Recipe>, report: &mut Report) {
    let recipe = &case.new.spec;
    let (groups, hooks) = (steps::groups(recipe), steps::hooks(recipe));
    for (flow, index, workflow) in steps::workflows(recipe) {
        if workflow.fail_on.as_deref() != Some("essential-error") || workflow.sequence.is_empty() {
            continue;
        }
        let counts = |(key, name): (&String, &String)| {
            let group = |group: &Group| flow == Flow::Backup && group.essential == Some(true);
            let hook = |hook: &Hook| hook.essential == Some(true);
            has(name)
                || match &**key {
                    "group" => groups.get(&**name).is_some_and(|(_, found)| group(found)),
                    "hook" => {
                        let name = steps::call(name).map(|(name, _)| name);
                        let found = name.and_then(|name| hooks.get(name));
                        found.is_some_and(|(_, found)| hook(found))
                    }
                    _ => false,
                }
        };
        if !workflow.sequence.iter().flatten().any(counts) {
            report.say(
                format!("/spec/workflows/{index}/failOn"),
                format!("no step of \"{}\" is essential", flow.name()),
            );
        }
    }
}

/// The groups that some workflow captures or recovers, or only captures, each once, with their places.
fn used<'r>(recipe: &'r RecipeSpec, flows: &[Flow]) -> impl Iterator<Item = (usize, &'r Group)> {
    let groups = steps::groups(recipe);
    let places: BTreeSet<usize> = named(recipe, "group")
        .filter(|(flow, ..)| flows.contains(flow))
        .filter_map(|(.., name)| groups.get(name).map(|(index, _)| *index))
        .collect();
    places
        .into_iter()
        .map(|index| (index, &recipe.groups[index]))
}

fn all_namespaces(case: &Case<'_, Recipe>, report: &mut Report) {
    for (index, group) in used(&case.new.spec, &[Flow::Backup]) {
        if group.included_namespaces.is_empty() {
            report.say(
                format!("/spec/groups/{index}/includedNamespaces"),
                format!("{} is captured from every namespace", quote(&group.name)),
            );
        }
    }
}

fn cluster_resources(case: &Case<'_, Recipe>, report: &mut Report) {
    for (index, group) in used(&case.new.spec, &Flow::ALL) {
        if group.include_cluster_resources.is_none() {
            report.say(
                format!("/spec/groups/{index}/includeClusterResources"),
                format!("{} has no objects without a namespace", quote(&group.name)),
            );
        }
    }
}
