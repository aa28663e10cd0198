//! The recipe that says what is captured: whether it is there, and whether the object may protect what
//! it names.

use std::collections::{BTreeMap, HashSet};

use super::{
    config, in_operations,
    namespaces::namespaces_of,
    protected,
    used::{look_up, parameters, used},
    uses_built_in,
};
use crate::{
    api::{Object, Recipe, Text, VolumeReplicationGroup},
    golang::quote,
    rules::{
        Case, Draft, Report, Rule, below,
        protection::{
            self, NAMESPACES, OPERATIONS, PARAMETERS, Protecting as _, REF, VM_SELECTIONS,
        },
        recipe::{
            parameters::fill,
            steps::{Reach, reach},
        },
        some,
    },
    world::{Config, Relation},
};

pub(super) const RULES: &[Rule<VolumeReplicationGroup>] = &[
    ("vrg-recipe-ref-name-empty", protection::recipe_name),
    (
        "vrg-recipe-ref-namespace-empty",
        protection::recipe_namespace,
    ),
    ("vrg-recipe-exists", exists),
    ("vrg-vm-recipe-protected-namespaces", vm_namespaces),
    ("vrg-vm-recipe-parameters", vm_parameters),
    ("vrg-recipe-namespaces", namespaces_of_recipe),
];

/// The same rules, where it is the Recipe that changes.
pub(in crate::rules) const OF_RECIPES: &[Rule<Recipe>] =
    &[("vrg-recipe-namespaces", namespaces_of_changed)];

fn exists(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    if let Some(recipe) = case.new.spec.recipe()
        && look_up(case).is_some_and(|found| found.is_missing())
    {
        let place = [&recipe.namespace, &recipe.name].map(|part| part.text().unwrap_or_default());
        report.say(
            REF,
            format!("there is no Recipe {}", quote(&place.join("/"))),
        );
    }
}

/// The configuration that makes the recipe the built-in one.
fn built_in<'a>(case: &Case<'a, VolumeReplicationGroup>) -> Option<&'a Config> {
    config(case).filter(|config| uses_built_in(case.new, config))
}

fn vm_namespaces(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    if protected(case.new).is_empty()
        && let Some(config) = built_in(case)
    {
        protection::say_vm_namespaces(config, report);
    }
}

fn vm_parameters(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let (Some(protection), Some(config)) = (case.new.spec.protection(), built_in(case)) else {
        return;
    };
    let Some(parameters) = &protection.recipe_parameters else {
        return protection::say_vm_parameters(config, report);
    };
    for name in VM_SELECTIONS {
        let values = parameters.get(name).into_iter().flatten();
        if values.into_iter().all(String::is_empty) {
            report
                .advise(
                    below(PARAMETERS, name),
                    "has no value, and the built-in \"vm-recipe\" selects by it",
                )
                .fix("name what is selected")
                .configured(config, OPERATIONS);
        }
    }
}

/// Where a recipe names what an application may not protect.
struct Excess<'r> {
    /// What it names, and why that may not be.
    message: String,
    /// The place in Ramen's configuration that says so.
    configured: &'static str,
    /// The place in the recipe.
    at: Option<&'r str>,
    /// Whether the configuration says so itself. What it leaves out the operator may fill in when it
    /// starts.
    certain: bool,
}

/// What a recipe, with its parameters put in, reaches into beyond what an application may protect.
///
/// Source: internal/controller/vrg_recipe.go:292-347
fn excess<'r>(
    vrg: &'r Object<VolumeReplicationGroup>,
    config: &Config,
    reach: &'r Reach<'_>,
) -> Option<Excess<'r>> {
    let own = &*vrg.meta.namespace;
    let named = reach.named.iter();
    let mut named: BTreeMap<&str, Option<&str>> =
        named.map(|(at, name)| (*name, Some(&**at))).collect();
    if reach.own_volumes || reach.own_workflow {
        for name in namespaces_of(vrg, Some(config)) {
            named.entry(name).or_default();
        }
    }
    named.remove(own);
    if !named.is_empty() && !config.multi_namespace() {
        let message = "while multiNamespace is off in Ramen's configuration";
        let certain = config.ramen.multi_namespace.feature_enabled.is_some();
        return said(&named, message, "/multiNamespace/FeatureEnabled", certain);
    }
    if in_operations(vrg, config) {
        let listed: HashSet<&str> = protected(vrg).iter().map(String::as_str).collect();
        named.retain(|name, _| !listed.contains(name));
        return said(
            &named,
            "which protectedNamespaces does not name",
            OPERATIONS,
            true,
        );
    }
    if own == &*config.key.namespace {
        return None;
    }
    let message = "which takes a VolumeReplicationGroup in the operations namespace";
    let certain = config.ops_namespace().is_some();
    said(&named, message, OPERATIONS, certain)
}

fn said<'r>(
    named: &BTreeMap<&'r str, Option<&'r str>>,
    why: &str,
    configured: &'static str,
    certain: bool,
) -> Option<Excess<'r>> {
    let at = *named.values().next()?;
    let names: Vec<&str> = named.keys().copied().collect();
    let message = format!("covers {}, {why}", some(&names, |name| quote(name)));
    Some(Excess {
        message,
        configured,
        at,
        certain,
    })
}

fn namespaces_of_recipe(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let vrg = case.new;
    let (false, Some(config)) = (vrg.meta.namespace.is_empty(), config(case)) else {
        return;
    };
    let Some((filled, recipe)) = used(case).and_then(|used| Some((used.filled()?, used))) else {
        return;
    };
    let Some(reach) = reach(&filled) else {
        return;
    };
    let Some(excess) = excess(vrg, config, &reach) else {
        return;
    };
    let draft = say(report, REF, &recipe.shown(), &excess);
    draft.configured(config, excess.configured);
    if let Some(object) = recipe.object {
        draft.because(object, excess.at.unwrap_or("/spec"));
    }
}

/// A recipe that is new can't have been used yet: whoever refers to it has been told.
fn namespaces_of_changed(case: &Case<'_, Recipe>, report: &mut Report) {
    /// As many applications as one recipe may well have.
    const MOST: usize = 64;

    let meta = &case.new.meta;
    let config = case.world.cluster_operator_config(case.operator_namespace);
    let Some(config) = config.filter(|_| !case.is_create() && !meta.name.is_empty()) else {
        return;
    };
    let mut users = case
        .world
        .related::<VolumeReplicationGroup>(Relation::Recipe, &meta.name);
    users.retain(|vrg| {
        let recipe = vrg.spec.recipe();
        let namespace = recipe.and_then(|recipe| recipe.namespace.text());
        namespace == Some(&meta.namespace) && !uses_built_in(vrg, config)
    });
    for vrg in users.into_iter().take(MOST) {
        let Ok(filled) = fill(&case.new.spec, parameters(vrg)) else {
            continue;
        };
        let Some(reach) = reach(&filled) else {
            continue;
        };
        let Some(excess) = excess(vrg, config, &reach) else {
            continue;
        };
        // What a parameter stands for has no place of its own.
        let written = |place: &&str| case.doc.value.pointer(place).is_some();
        let place = excess.at.filter(written).unwrap_or("/spec");
        say(report, place, &format!("for {} it", vrg.key()), &excess)
            .because(vrg, NAMESPACES)
            .configured(config, excess.configured);
    }
}

fn say<'r>(report: &'r mut Report, place: &str, who: &str, excess: &Excess<'_>) -> &'r mut Draft {
    let message = format!("{who} {}", excess.message);
    if excess.certain {
        report.say(place, message)
    } else {
        report.advise(place, message)
    }
}
