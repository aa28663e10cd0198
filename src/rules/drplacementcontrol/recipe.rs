//! What is captured beside the volumes, and what `VolSync` is told.

use super::state::metro;
use crate::{
    api::{DRPlacementControl, KubeObjectProtectionSpec, RecipeRef, Text},
    golang::quote,
    rules::{Case, Report, Rule},
    world::Config,
};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[
    ("drpc-recipe-name-required", name_required),
    ("drpc-recipe-namespace-missing", namespace_missing),
    ("drpc-recipe-name-too-long", name_too_long),
    ("drpc-vm-recipe-nil-params", vm_parameters),
    ("drpc-vm-recipe-needs-protectednamespaces", vm_namespaces),
    (
        "drpc-recipe-params-without-recipe",
        parameters_without_recipe,
    ),
    ("drpc-recipe-and-selector", recipe_and_selector),
    ("drpc-volsyncspec-ignored", volsync_ignored),
    ("drpc-moverconfig-metro", mover_on_metro),
];

/// The recipe that is part of Ramen: one for virtual machines.
const VM_RECIPE: &str = "vm-recipe";
const REF: &str = "/spec/kubeObjectProtection/recipeRef";
const PARAMETERS: &str = "/spec/kubeObjectProtection/recipeParameters";
const OPERATIONS: &str = "/data/ramen_manager_config.yaml/ramenOpsNamespace";

fn protection<'a>(case: &Case<'a, DRPlacementControl>) -> Option<&'a KubeObjectProtectionSpec> {
    case.new.spec.kube_object_protection.as_ref()
}

fn recipe<'a>(case: &Case<'a, DRPlacementControl>) -> Option<&'a RecipeRef> {
    protection(case)?.recipe_ref.as_ref()
}

fn name_required(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if recipe(case).is_some_and(|recipe| recipe.name.text().is_none()) {
        report.say(
            format!("{REF}/name"),
            "is required where a recipe is referred to",
        );
    }
}

fn namespace_missing(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if recipe(case).is_some_and(|recipe| recipe.namespace.text().is_none()) {
        report.say(
            format!("{REF}/namespace"),
            "is not set, and Ramen looks nowhere else",
        );
    }
}

fn name_too_long(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    const LIMIT: usize = 63;

    let length = recipe(case)
        .and_then(|recipe| recipe.name.text())
        .map_or(0, str::len);
    if length > LIMIT {
        report.say(
            format!("{REF}/name"),
            format!("has {length} characters, and {LIMIT} fit into a label"),
        );
    }
}

/// The configuration that makes the recipe the built-in one.
fn built_in<'a>(case: &Case<'a, DRPlacementControl>) -> Option<&'a Config> {
    let recipe = recipe(case).filter(|recipe| recipe.name.text() == Some(VM_RECIPE))?;
    let namespace = recipe.namespace.text()?;
    let config = case.world.hub_config(case.operator_namespace)?;
    (config.ops_namespace() == Some(namespace)).then_some(config)
}

fn vm_parameters(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if protection(case).is_some_and(|protection| protection.recipe_parameters.is_none())
        && let Some(config) = built_in(case)
    {
        report
            .say(
                PARAMETERS,
                "is not set, and the built-in \"vm-recipe\" writes to it",
            )
            .because_of(config.key.clone(), OPERATIONS);
    }
}

fn vm_namespaces(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if case
        .new
        .spec
        .protected_namespaces
        .as_ref()
        .is_none_or(Vec::is_empty)
        && let Some(config) = built_in(case)
    {
        report
            .say(
                "/spec/protectedNamespaces",
                "names none, and the built-in \"vm-recipe\" needs one",
            )
            .because_of(config.key.clone(), OPERATIONS);
    }
}

fn parameters_without_recipe(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let parameters = protection(case).and_then(|protection| protection.recipe_parameters.as_ref());
    if recipe(case).is_none()
        && let Some(first) = parameters.and_then(|parameters| parameters.keys().next())
    {
        report.say(
            PARAMETERS,
            format!("{} is for a recipe, and there is none", quote(first)),
        );
    }
}

fn recipe_and_selector(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if let Some(recipe) = recipe(case)
        && protection(case).is_some_and(|protection| protection.kube_object_selector.is_some())
    {
        let name = quote(recipe.name.text().unwrap_or_default());
        report.say(
            "/spec/kubeObjectProtection/kubeObjectSelector",
            format!("is not read beside the recipe {name}"),
        );
    }
}

fn volsync_ignored(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(volsync) = case.new.spec.vol_sync_spec.as_ref() else {
        return;
    };
    let given = [
        ("disabled", volsync.disabled.is_some()),
        ("rdSpec", volsync.rd_spec.is_some()),
        ("rsSpec", volsync.rs_spec.is_some()),
    ];
    for (field, _) in given.into_iter().filter(|(_, given)| *given) {
        report.say(format!("/spec/volSyncSpec/{field}"), "is not read here");
    }
}

fn mover_on_metro(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let volsync = case.new.spec.vol_sync_spec.as_ref();
    if volsync.is_some_and(|volsync| !volsync.mover_config.is_empty())
        && let Some(policy) = metro(case)
    {
        let message = format!(
            "the clusters of DRPolicy \"{}\" share storage, and nothing is copied",
            policy.meta.name
        );
        report.say("/spec/volSyncSpec/moverConfig", message);
    }
}
