//! The recipe that says what is captured: whether it is there, and whether the object may protect what
//! it names.

use std::collections::BTreeSet;

use super::{
    config,
    filled::{Parameters, filled, look_up, namespaces, parameters, referred},
    in_operations,
    namespaces::namespaces_of,
    protected, uses_built_in,
};
use crate::{
    api::{Object, Recipe, RecipeSpec, Text, VolumeReplicationGroup},
    golang::quote,
    rules::{
        Case, Report, Rule, below,
        protection::{
            self, CONFIG, NAMESPACES, OPERATIONS, PARAMETERS, Protecting as _, REF, VM_SELECTIONS,
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
        report
            .say(
                NAMESPACES,
                "names none, and the built-in \"vm-recipe\" needs one",
            )
            .because_of(config.key.clone(), OPERATIONS);
    }
}

fn vm_parameters(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let (Some(protection), Some(config)) = (case.new.spec.protection(), built_in(case)) else {
        return;
    };
    let Some(parameters) = &protection.recipe_parameters else {
        report
            .say(
                PARAMETERS,
                "is not set, and the built-in \"vm-recipe\" writes to it",
            )
            .because_of(config.key.clone(), OPERATIONS);
        return;
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
                .because_of(config.key.clone(), OPERATIONS);
        }
    }
}

/// Why Ramen would not let an application use a recipe, and the place in its configuration that says so.
struct Excess {
    message: String,
    configured: &'static str,
    /// Whether the configuration says so itself. What it leaves out the operator may fill in when it
    /// starts.
    certain: bool,
}

/// What a recipe, with its parameters put in, names beyond what an application may protect.
///
/// Source: internal/controller/vrg_recipe.go:292-347
fn excess(
    vrg: &Object<VolumeReplicationGroup>,
    config: &Config,
    recipe: &RecipeSpec,
) -> Option<Excess> {
    let own = &*vrg.meta.namespace;
    let mut named = namespaces(recipe, &namespaces_of(vrg, Some(config)))?;
    named.remove(own);
    if named.is_empty() {
        return None;
    }
    let shown = |named: &BTreeSet<&str>| {
        let named: Vec<&str> = named.iter().copied().collect();
        some(&named, |name| quote(name))
    };
    if !config.multi_namespace() {
        return Some(Excess {
            message: format!(
                "covers {}, while multiNamespace is off in Ramen's configuration",
                shown(&named)
            ),
            configured: "multiNamespace/FeatureEnabled",
            certain: config.ramen.multi_namespace.feature_enabled.is_some(),
        });
    }
    if in_operations(vrg, config) {
        named.retain(|name| !protected(vrg).iter().any(|listed| listed == name));
        return (!named.is_empty()).then(|| Excess {
            message: format!(
                "covers {}, which protectedNamespaces does not name",
                shown(&named)
            ),
            configured: "ramenOpsNamespace",
            certain: true,
        });
    }
    if own == &*config.key.namespace {
        return None;
    }
    Some(Excess {
        message: format!(
            "covers {}, which takes a group in the operations namespace",
            shown(&named)
        ),
        configured: "ramenOpsNamespace",
        certain: config.ops_namespace().is_some(),
    })
}

fn namespaces_of_recipe(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let vrg = case.new;
    let (false, Some(config)) = (vrg.meta.namespace.is_empty(), config(case)) else {
        return;
    };
    let Some(recipe) = referred(case) else {
        return;
    };
    let parameters = parameters(vrg, recipe.object.is_none());
    let Some(excess) = excess_with(vrg, config, recipe.spec, &parameters) else {
        return;
    };
    let message = format!("{} {}", recipe.shown(), excess.message);
    let draft = if excess.certain {
        report.say(REF, message)
    } else {
        report.advise(REF, message)
    };
    draft.because_of(
        config.key.clone(),
        format!("{CONFIG}/{}", excess.configured),
    );
    if let Some(recipe) = recipe.object {
        draft.because(recipe, "/spec");
    }
}

fn excess_with(
    vrg: &Object<VolumeReplicationGroup>,
    config: &Config,
    recipe: &RecipeSpec,
    parameters: &Parameters,
) -> Option<Excess> {
    excess(vrg, config, &filled(recipe, parameters)?)
}

/// A recipe that is new can't have been used yet: whoever refers to it has been told.
fn namespaces_of_changed(case: &Case<'_, Recipe>, report: &mut Report) {
    let meta = &case.new.meta;
    let config = case.world.cluster_operator_config(case.operator_namespace);
    let Some(config) = config.filter(|_| !case.is_create() && !meta.name.is_empty()) else {
        return;
    };
    let users = case
        .world
        .related::<VolumeReplicationGroup>(Relation::Recipe, &meta.name);
    for vrg in users {
        let recipe = vrg.spec.recipe();
        let namespace = recipe.and_then(|recipe| recipe.namespace.text());
        if namespace != Some(&meta.namespace) || uses_built_in(vrg, config) {
            continue;
        }
        let Some(excess) = excess_with(vrg, config, &case.new.spec, &parameters(vrg, false)) else {
            continue;
        };
        let message = format!("for {} it {}", vrg.key(), excess.message);
        let draft = if excess.certain {
            report.say("/spec", message)
        } else {
            report.advise("/spec", message)
        };
        let configured = format!("{CONFIG}/{}", excess.configured);
        draft
            .because(vrg, NAMESPACES)
            .because_of(config.key.clone(), configured);
    }
}
