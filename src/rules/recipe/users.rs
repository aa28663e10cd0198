//! Who uses a Recipe.

use super::{Case, Report, Rule};
use crate::{
    api::{Object, Recipe, Text, VolumeReplicationGroup},
    rules::{
        protection::{OPERATIONS, VM_RECIPE},
        some,
    },
    world::{Config, Relation},
};

pub(super) const RULES: &[Rule<Recipe>] = &[
    ("recipe-reserved-name", reserved_name),
    ("recipe-delete-referenced", delete_referenced),
];

/// The configuration by which the one that is part of Ramen stands in for this Recipe.
fn replaced<'a>(case: &Case<'a, Recipe>) -> Option<&'a Config> {
    let meta = &case.new.meta;
    if meta.name != VM_RECIPE {
        return None;
    }
    let config = case
        .world
        .cluster_operator_config(case.operator_namespace)?;
    (config.ops_namespace() == Some(&*meta.namespace)).then_some(config)
}

fn reserved_name(case: &Case<'_, Recipe>, report: &mut Report) {
    if let Some(config) = replaced(case) {
        let message = format!("\"{VM_RECIPE}\" of this namespace is built into Ramen");
        report
            .say("/metadata/name", message)
            .configured(config, OPERATIONS);
    }
}

/// The applications that name the Recipe.
pub(super) fn users<'a>(case: &Case<'a, Recipe>) -> Vec<&'a Object<VolumeReplicationGroup>> {
    let meta = &case.new.meta;
    let mut groups = case
        .world
        .related::<VolumeReplicationGroup>(Relation::Recipe, &meta.name);
    groups.retain(|group| {
        let protection = group.spec.kube_object_protection.as_ref();
        let recipe = protection.and_then(|protection| protection.recipe_ref.as_ref());
        let namespace = recipe.and_then(|recipe| recipe.namespace.text());
        namespace == Some(&*meta.namespace)
    });
    groups
}

fn delete_referenced(case: &Case<'_, Recipe>, report: &mut Report) {
    let groups = users(case);
    if groups.is_empty() || replaced(case).is_some() {
        return;
    }
    let shown = some(&groups, |group| group.key().to_string());
    let finding = report.say("/metadata/name", format!("is used by {shown}"));
    for group in groups.iter().take(3) {
        finding.because(*group, "/spec/kubeObjectProtection/recipeRef");
    }
}
