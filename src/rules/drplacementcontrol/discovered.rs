//! Discovered applications, the operations namespace they are protected from, and volumes that two
//! applications claim.

use std::collections::BTreeSet;

use super::{
    common::{Meeting, home, is_discovered, meeting, protected},
    strangers,
};
use crate::{
    api::{DRPlacementControl, Object},
    golang::quote,
    rules::{
        Case, Report, Rule,
        protection::{
            NAMESPACES, OPERATIONS, Protecting as _, VM_SELECTIONS, is_built_in, overlap,
        },
    },
    world::{Config, Lens, Relation, is_metro},
};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[
    ("drpc-opsns-feature-disabled", feature_disabled),
    (
        "drpc-opsns-protectednamespaces-required",
        namespaces_required,
    ),
    ("drpc-opsns-protects-itself", protects_itself),
    ("drpc-protectednamespaces-outside-opsns", outside),
    ("drpc-opsns-conflict", conflict),
    ("drpc-opsns-blocked-by-broken-peer", strangers::broken_peer),
    ("drpc-opsns-no-kubeobjectprotection", no_object_protection),
    ("drpc-retain-scc-disabled", retain_scc),
    ("drpc-opsns-volsync", volsync),
    ("drpc-pvc-overlap", pvc_overlap),
];

/// Ramen's configuration, where it says that the object is in the operations namespace.
fn in_operations<'a>(case: &Case<'a, DRPlacementControl>) -> Option<&'a Config> {
    let config = case.world.hub_config(case.operator_namespace)?;
    let here = config.ops_namespace() == Some(&*case.new.meta.namespace);
    here.then_some(config)
}

fn feature_disabled(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if let Some(config) = in_operations(case)
        && !config.multi_namespace()
    {
        report
            .say(
                "/metadata/namespace",
                "discovered applications are switched off in Ramen's configuration",
            )
            .configured(config, "/multiNamespace/FeatureEnabled");
    }
}

fn namespaces_required(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if let Some(config) = in_operations(case)
        && case.new.has_spec
        && !is_discovered(case.new)
    {
        let namespace = &case.new.meta.namespace;
        report
            .say(
                NAMESPACES,
                format!("names none, in the operations namespace \"{namespace}\""),
            )
            .configured(config, OPERATIONS);
    }
}

fn protects_itself(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(config) = in_operations(case) else {
        return;
    };
    let own = &case.new.meta.namespace;
    for (index, _) in protected(case.new)
        .iter()
        .enumerate()
        .filter(|(_, namespace)| *namespace == own)
    {
        report
            .say(
                format!("{NAMESPACES}/{index}"),
                format!("\"{own}\" is the operations namespace itself"),
            )
            .configured(config, OPERATIONS);
    }
}

/// Without an operations namespace the configuration may only be unfinished: the operator fills in its
/// own when it starts.
fn outside(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(config) = case.world.hub_config(case.operator_namespace) else {
        return;
    };
    let own = &*case.new.meta.namespace;
    if !is_discovered(case.new) || own.is_empty() {
        return;
    }
    let draft = match config.ops_namespace() {
        Some(operations) if operations == own => return,
        Some(operations) => report.say(
            NAMESPACES,
            format!(
                "names some, outside the operations namespace {}",
                quote(operations)
            ),
        ),
        None => report
            .advise(
                NAMESPACES,
                "names some, while Ramen's configuration has no operations namespace",
            )
            .fix("set ramenOpsNamespace in Ramen's configuration"),
    };
    draft.configured(config, OPERATIONS);
}

/// An update never refuses: two applications may be exchanging a namespace, one after the other.
fn conflict(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let drpc = case.new;
    let config = case.world.hub_config(case.operator_namespace);
    let Some(operations) = config.and_then(Config::ops_namespace) else {
        return;
    };
    if !drpc.has_spec || drpc.meta.namespace.is_empty() {
        return;
    }
    if is_discovered(drpc) {
        for (index, namespace) in protected(drpc).iter().enumerate() {
            clash(
                case,
                operations,
                namespace,
                &format!("{NAMESPACES}/{index}"),
                report,
            );
        }
    } else {
        clash(
            case,
            operations,
            &home(case.world, drpc).namespace,
            NAMESPACES,
            report,
        );
    }
}

/// States the applications that protect a namespace which this one protects too.
fn clash(
    case: &Case<'_, DRPlacementControl>,
    operations: &str,
    namespace: &str,
    place: &str,
    report: &mut Report,
) {
    let here = case.new.meta.namespace == operations;
    let mine = home(case.world, case.new);
    let settled = is_discovered(case.new) || mine.certain;
    for other in protectors(case.world, namespace) {
        let theirs = home(case.world, other);
        let there = other.meta.namespace == operations;
        if !(here || there) || independent(case.new, other, operations) {
            continue;
        }
        let (cluster, certain) = match meeting(case.world, case.new, other) {
            Meeting::Nowhere => continue,
            Meeting::On(cluster) => (format!(" on cluster \"{cluster}\""), true),
            Meeting::Unknown => (String::new(), false),
        };
        let certain = certain && settled && (is_discovered(other) || theirs.certain);
        let message = format!(
            "{} is protected by {} already{cluster}",
            quote(namespace),
            other.key()
        );
        let draft = if case.is_create() && certain && !other.meta.is_terminating() {
            report.say(place, message)
        } else {
            report.advise(place, message)
        };
        draft.because(other, NAMESPACES);
        for set in [mine.set, theirs.set].into_iter().flatten() {
            draft.because(set, "/spec/template/spec/destination/namespace");
        }
    }
}

/// The other applications that protect a namespace: those that list it, and those that live there.
fn protectors<'a>(world: &Lens<'a>, namespace: &str) -> Vec<&'a Object<DRPlacementControl>> {
    let mut found = world.related::<DRPlacementControl>(Relation::Protects, namespace);
    found.extend(dwellers(world, namespace));
    found
}

/// The other applications that the hub deploys to a namespace.
fn dwellers<'a>(world: &Lens<'a>, namespace: &str) -> Vec<&'a Object<DRPlacementControl>> {
    let mut found = world.drpcs_that_may_live_in(namespace);
    found.retain(|drpc| !is_discovered(drpc) && home(world, drpc).namespace == namespace);
    found
}

/// Whether two applications are virtual machines of one namespace, selected one by one.
///
/// Source: internal/controller/drplacementcontrol_controller.go:3147-3199
fn independent(
    one: &Object<DRPlacementControl>,
    other: &Object<DRPlacementControl>,
    operations: &str,
) -> bool {
    let built_in = |drpc: &Object<DRPlacementControl>| {
        let recipe = drpc.spec.recipe();
        recipe.is_some_and(|recipe| is_built_in(recipe, operations))
    };
    built_in(one)
        && built_in(other)
        && VM_SELECTIONS
            .iter()
            .all(|name| values(one, name).is_disjoint(&values(other, name)))
}

fn values<'d>(drpc: &'d Object<DRPlacementControl>, parameter: &str) -> BTreeSet<&'d str> {
    let protection = drpc.spec.protection();
    let parameters = protection.and_then(|protection| protection.recipe_parameters.as_ref());
    let values = parameters.and_then(|parameters| parameters.get(parameter));
    values.into_iter().flatten().map(String::as_str).collect()
}

fn no_object_protection(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if is_discovered(case.new) && case.new.spec.kube_object_protection.is_none() {
        report.say(
            "/spec/kubeObjectProtection",
            "is not there, so only volumes are protected",
        );
    }
}

fn retain_scc(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let config = case.world.hub_config(case.operator_namespace);
    if let Some(config) = config
        && case.new.spec.retain_namespace_scc_across_peers == Some(true)
        && is_discovered(case.new)
        && !config.retain_scc()
    {
        report
            .say(
                "/spec/retainNamespaceSCCAcrossPeers",
                "is off in Ramen's configuration",
            )
            .configured(config, "/retainNamespaceSCCAcrossPeers");
    }
}

/// Nothing is lost where `VolSync` is not used anyway.
fn volsync(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(config) = in_operations(case) else {
        return;
    };
    let metro = case.world.policy_of(case.new).found().is_some_and(is_metro);
    if !config.volsync_supported() && !config.volsync_disabled() && !metro {
        report
            .say(
                "/spec/volSyncSpec",
                "VolSync is switched off for discovered applications in Ramen's configuration",
            )
            .configured(config, "/multiNamespace/volsyncSupported");
    }
}

/// Only what is sure to overlap: the same selector, or one that takes everything. Discovered
/// applications are the matter of another rule, and a recipe selects the volumes itself.
fn pvc_overlap(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let drpc = case.new;
    let own = &drpc.meta.namespace;
    if !drpc.has_spec
        || own.is_empty()
        || is_discovered(drpc)
        || drpc.spec.recipe().is_some()
        || in_operations(case).is_some()
    {
        return;
    }
    let namespace = home(case.world, drpc).namespace;
    for other in dwellers(case.world, &namespace) {
        if other.meta.is_terminating() || other.spec.recipe().is_some() {
            continue;
        }
        if overlap(&drpc.spec.pvc_selector, &other.spec.pvc_selector)
            && let Meeting::On(cluster) = meeting(case.world, drpc, other)
        {
            let message = format!(
                "selects volumes of {} too, in namespace {} of cluster \"{cluster}\"",
                other.key(),
                quote(&namespace)
            );
            report
                .say("/spec/pvcSelector", message)
                .because(other, "/spec/pvcSelector");
        }
    }
}
