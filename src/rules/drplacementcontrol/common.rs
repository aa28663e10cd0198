//! What several rules ask of two applications: where they live, and whether they meet.

use crate::{
    api::{ApplicationSet, DRPlacementControl, Object, Text},
    world::{APP_NAMESPACE, Lens, Lookup, Placed},
};

/// Where an application's `VolumeReplicationGroup` is on the managed clusters.
pub(crate) struct Home<'a> {
    /// Its namespace.
    pub(crate) namespace: String,
    /// The `ApplicationSet` that decides it.
    pub(super) set: Option<&'a Object<ApplicationSet>>,
    /// Whether Ramen will come to the same result; otherwise nothing may be refused for it.
    pub(super) certain: bool,
}

/// The namespace of an application's `VolumeReplicationGroup`: what Ramen noted down; else, where a
/// Placement places the application, what the `ApplicationSet` deploys to; else its own.
///
/// Source: internal/controller/drplacementcontrol_controller.go:2331-2395
pub(crate) fn home<'a>(world: &Lens<'a>, drpc: &Object<DRPlacementControl>) -> Home<'a> {
    if let Some(namespace) = drpc.meta.annotation(APP_NAMESPACE) {
        let namespace = namespace.to_owned();
        return Home {
            namespace,
            set: None,
            certain: true,
        };
    }
    let sets = application_sets(world, drpc);
    let [first, others @ ..] = sets.as_slice() else {
        let namespace = drpc.meta.namespace.clone();
        return Home {
            namespace,
            set: None,
            certain: true,
        };
    };
    let placed = matches!(
        world.placement_of(drpc),
        Placed::Placement(_) | Placed::Both(..)
    );
    // Ramen takes whichever comes first in a list that has no order.
    let agreed = others
        .iter()
        .all(|other| destination(other) == destination(first));
    let plain = destination(first).filter(|namespace| !namespace.contains("{{"));
    Home {
        namespace: plain.unwrap_or(&drpc.meta.namespace).to_owned(),
        set: Some(*first),
        certain: placed && agreed && plain.is_some(),
    }
}

/// The `ApplicationSet`s that Ramen would take for the one that deploys an application: none where a
/// `PlacementRule` places it.
pub(super) fn application_sets<'a>(
    world: &Lens<'a>,
    drpc: &Object<DRPlacementControl>,
) -> Vec<&'a Object<ApplicationSet>> {
    let Some(placement) = drpc.spec.placement_ref.name.text() else {
        return Vec::new();
    };
    let sets = world.application_sets_of(placement);
    if sets.is_empty() || matches!(world.placement_of(drpc), Placed::Rule(_)) {
        return Vec::new();
    }
    sets
}

/// The namespace that an `ApplicationSet` deploys to, as it is written there.
pub(super) fn destination(set: &Object<ApplicationSet>) -> Option<&str> {
    set.spec.template.spec.destination.namespace.text()
}

/// Whether two applications can meet on a cluster.
pub(super) enum Meeting<'a> {
    /// On this one, which both policies have.
    On(&'a str),
    /// Their policies have no cluster in common.
    Nowhere,
    /// A policy is missing.
    Unknown,
}

/// Whether two applications can meet on a cluster.
pub(super) fn meeting<'a>(
    world: &Lens<'a>,
    one: &Object<DRPlacementControl>,
    other: &Object<DRPlacementControl>,
) -> Meeting<'a> {
    match (world.policy_of(one), world.policy_of(other)) {
        (Lookup::Found(one), Lookup::Found(other)) => {
            let mut clusters = one.spec.dr_clusters.iter();
            let shared = clusters.find(|cluster| other.spec.dr_clusters.contains(cluster));
            shared.map_or(Meeting::Nowhere, |cluster| Meeting::On(cluster))
        }
        _ => Meeting::Unknown,
    }
}

/// The namespaces that a discovered application lists; empty for one that the hub deploys.
pub(super) fn protected(drpc: &Object<DRPlacementControl>) -> &[String] {
    drpc.spec
        .protected_namespaces
        .as_deref()
        .unwrap_or_default()
}

/// Whether the application is a discovered one.
pub(crate) fn is_discovered(drpc: &Object<DRPlacementControl>) -> bool {
    !protected(drpc).is_empty()
}
