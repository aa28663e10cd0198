//! What is captured beside the volumes, and what `VolSync` is told.

use super::state::metro;
use crate::{
    api::{DRPlacementControl, Text},
    golang::{names::LABEL_MAX, quote},
    rules::{
        Case, Report, Rule,
        protection::{self, PARAMETERS, Protecting as _, REF, is_built_in},
    },
    world::Config,
};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[
    ("drpc-recipe-name-required", protection::recipe_name),
    (
        "drpc-recipe-namespace-missing",
        protection::recipe_namespace,
    ),
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

fn name_too_long(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let recipe = case.new.spec.recipe();
    let length = recipe
        .and_then(|recipe| recipe.name.text())
        .map_or(0, str::len);
    if length > LABEL_MAX {
        report.say(
            format!("{REF}/name"),
            format!("has {length} characters, and {LABEL_MAX} fit into a label"),
        );
    }
}

/// The configuration that makes the recipe the built-in one.
fn built_in<'a>(case: &Case<'a, DRPlacementControl>) -> Option<&'a Config> {
    let recipe = case.new.spec.recipe()?;
    let config = case.world.hub_config(case.operator_namespace)?;
    is_built_in(recipe, config.ops_namespace()?).then_some(config)
}

fn vm_parameters(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let protection = case.new.spec.protection();
    if protection.is_some_and(|protection| protection.recipe_parameters.is_none())
        && let Some(config) = built_in(case)
    {
        protection::say_vm_parameters(config, report);
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
        protection::say_vm_namespaces(config, report);
    }
}

fn parameters_without_recipe(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let protection = case.new.spec.protection();
    let parameters = protection.and_then(|protection| protection.recipe_parameters.as_ref());
    if case.new.spec.recipe().is_none()
        && let Some(first) = parameters.and_then(|parameters| parameters.keys().next())
    {
        report.say(
            PARAMETERS,
            format!("{} is for a recipe, and there is none", quote(first)),
        );
    }
}

fn recipe_and_selector(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let protection = case.new.spec.protection();
    if let Some(recipe) = case.new.spec.recipe()
        && protection.is_some_and(|protection| protection.kube_object_selector.is_some())
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
