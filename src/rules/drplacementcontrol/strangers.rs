//! Applications that Ramen can't compare with discovered ones, and which hold those up.

use std::collections::BTreeSet;

use super::{
    common::is_discovered,
    placement::{is_not_ramens, is_scheduled},
};
use crate::{
    api::{DRPlacementControl, Object, Text},
    golang::quote,
    rules::{Case, Report},
    world::{Config, Lens, Placed, Relation},
};

pub(super) fn broken_peer(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let config = case.world.hub_config(case.operator_namespace);
    let Some(operations) = config.and_then(Config::ops_namespace) else {
        return;
    };
    if case.new.meta.namespace == operations {
        if let Some((other, problem)) = broken(case) {
            report
                .say(
                    "/metadata/namespace",
                    format!(
                        "{} holds up discovered applications: {problem}",
                        other.key()
                    ),
                )
                .because(other, "/spec");
        }
        return;
    }
    let Some(problem) =
        policy_missing(case.world, case.new).or_else(|| unresolved(case.world, case.new))
    else {
        return;
    };
    let drpcs = &case.world.store().drpcs;
    let mut lists = drpcs.values(Relation::Protects);
    if lists.any(|namespace| {
        drpcs
            .related(Relation::Protects, namespace)
            .any(|drpc| drpc.meta.namespace == operations)
    }) {
        report
            .say(
                "/metadata/namespace",
                format!("discovered applications will be held up: {problem}"),
            )
            .fix("make what is missing first");
    }
}

/// Another application that Ramen can't compare with this one: of any policy that is missing, or of
/// one that shares a cluster.
fn broken<'a>(
    case: &Case<'a, DRPlacementControl>,
) -> Option<(&'a Object<DRPlacementControl>, String)> {
    let world = case.world;
    let policies: BTreeSet<&str> = world.store().drpcs.values(Relation::Policy).collect();
    for policy in policies {
        if let Some(other) = world
            .related::<DRPlacementControl>(Relation::Policy, policy)
            .first()
            && let Some(problem) = policy_missing(world, other)
        {
            return Some((other, problem));
        }
    }
    let clusters = &world.policy_of(case.new).found()?.spec.dr_clusters;
    let near: BTreeSet<&str> = clusters
        .iter()
        .flat_map(|cluster| world.policies_with(cluster))
        .map(|policy| &*policy.meta.name)
        .collect();
    let others = near
        .into_iter()
        .flat_map(|policy| world.related::<DRPlacementControl>(Relation::Policy, policy));
    others
        .filter(|other| !is_discovered(other))
        .find_map(|other| Some((other, unresolved(world, other)?)))
}

fn policy_missing(world: &Lens<'_>, drpc: &Object<DRPlacementControl>) -> Option<String> {
    let name = drpc.spec.dr_policy_ref.name.text().unwrap_or_default();
    world
        .policy_of(drpc)
        .is_missing()
        .then(|| format!("there is no DRPolicy {}", quote(name)))
}

/// Why Ramen can't tell which namespace an application protects.
fn unresolved(world: &Lens<'_>, drpc: &Object<DRPlacementControl>) -> Option<String> {
    if is_discovered(drpc) {
        return None;
    }
    let name = quote(drpc.spec.placement_ref.name.text().unwrap_or_default());
    let going = drpc.meta.is_terminating();
    match world.placement_of(drpc) {
        Placed::Missing => Some(format!("there is no placement {name}")),
        Placed::Placement(placement) | Placed::Both(placement, _)
            if !going && is_scheduled(placement) =>
        {
            Some(format!("Placement {name} still chooses clusters by itself"))
        }
        Placed::Both(_, rule) if !is_not_ramens(rule) => {
            Some(format!("{name} is both a Placement and a PlacementRule"))
        }
        Placed::Rule(rule) if !going && is_not_ramens(rule) => {
            Some(format!("PlacementRule {name} has another scheduler"))
        }
        _ => None,
    }
}
