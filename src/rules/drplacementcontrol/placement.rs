//! The placement, and who else claims it.

use super::group;
use crate::{
    api::{DRPlacementControl, Kind, Meta, Object, Placement, PlacementRule, Text},
    golang::quote,
    rules::{
        Case, Report, Rule, annotation,
        placement::{SCHEDULING_DISABLE, scheduled},
    },
    world::{DRPC_NAME, DRPC_NAMESPACE, Placed},
};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[
    ("drpc-placement-missing", missing),
    ("drpc-placement-scheduling-enabled", scheduling_enabled),
    ("drpc-placementrule-scheduler", rule_scheduler),
    ("drpc-placement-ambiguous", ambiguous),
    ("drpc-placement-cluster-count", cluster_count),
    ("drpc-placement-terminating", terminating),
    ("drpc-placement-owned-by-other", owned_by_other),
    ("drpc-placement-shared", shared),
    ("drpc-foreign-controller-owner", foreign_controller),
    ("drpc-vrg-identity-collision", group::identity_collision),
    (
        "drpc-manifestwork-name-collision",
        group::manifestwork_collision,
    ),
    ("drpc-placement-name-too-long", name_too_long),
    ("drpc-appset-ambiguous", group::set_ambiguous),
    ("drpc-appset-not-yet", group::set_not_yet),
    ("drpc-appset-destination", group::set_destination),
];

const REF: &str = "/spec/placementRef";
pub(super) const NAME: &str = "/spec/placementRef/name";

/// The name of the placement, in quotes.
pub(super) fn name(case: &Case<'_, DRPlacementControl>) -> String {
    quote(case.new.spec.placement_ref.name.text().unwrap_or_default())
}

fn missing(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if matches!(case.world.placement_of(case.new), Placed::Missing) {
        let namespace = &case.new.meta.namespace;
        report.say(
            REF,
            format!(
                "there is no Placement or PlacementRule {} in namespace \"{namespace}\"",
                name(case)
            ),
        );
    }
}

/// Whether Open Cluster Management chooses the cluster.
pub(super) fn is_scheduled(placement: &Object<Placement>) -> bool {
    !placement.meta.is_terminating() && scheduled(placement).is_some()
}

/// Whether Ramen refuses a `PlacementRule` for its scheduler.
pub(super) fn is_not_ramens(rule: &Object<PlacementRule>) -> bool {
    !rule.meta.is_terminating() && rule.spec.scheduler_name.text() != Some("ramen")
}

fn scheduling_enabled(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if let Placed::Placement(placement) | Placed::Both(placement, _) =
        case.world.placement_of(case.new)
        && is_scheduled(placement)
    {
        report
            .say(
                REF,
                format!("Placement {} still chooses clusters by itself", name(case)),
            )
            .because(placement, annotation(SCHEDULING_DISABLE));
    }
}

/// Beside a Placement a `PlacementRule` with another scheduler is passed over.
fn rule_scheduler(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if let Placed::Rule(rule) = case.world.placement_of(case.new)
        && is_not_ramens(rule)
    {
        let scheduler = quote(rule.spec.scheduler_name.text().unwrap_or_default());
        report
            .say(
                REF,
                format!(
                    "PlacementRule {} has scheduler {scheduler}, not \"ramen\"",
                    name(case)
                ),
            )
            .because(rule, "/spec/schedulerName");
    }
}

fn ambiguous(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if let Placed::Both(placement, rule) = case.world.placement_of(case.new)
        && !is_not_ramens(rule)
    {
        report
            .say(
                NAME,
                format!("{} is both a Placement and a PlacementRule", name(case)),
            )
            .because(placement, "/metadata/name")
            .because(rule, "/metadata/name");
    }
}

fn cluster_count(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    fn check<K: Kind>(
        report: &mut Report,
        (object, field): (&Object<K>, &str),
        count: Option<i64>,
        name: &str,
    ) {
        if count != Some(1) && !object.meta.is_terminating() {
            let count = count.map_or_else(|| "all".to_owned(), |count| count.to_string());
            report
                .say(
                    REF,
                    format!("{} {name} asks for {count} clusters, not for 1", K::KIND),
                )
                .because(object, field);
        }
    }
    let name = name(case);
    match case.world.placement_of(case.new) {
        Placed::Placement(placement) | Placed::Both(placement, _) => {
            check(
                report,
                (placement, "/spec/numberOfClusters"),
                placement.spec.number_of_clusters,
                &name,
            );
        }
        Placed::Rule(rule) => check(
            report,
            (rule, "/spec/clusterReplicas"),
            rule.spec.cluster_replicas,
            &name,
        ),
        Placed::Missing | Placed::Unknown => {}
    }
}

fn terminating(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    fn check<K: Kind>(report: &mut Report, object: &Object<K>, name: &str) {
        if object.meta.is_terminating() {
            report
                .say(REF, format!("{} {name} is being deleted", K::KIND))
                .because(object, "/metadata/deletionTimestamp");
        }
    }
    match case.world.placement_of(case.new) {
        Placed::Placement(placement) | Placed::Both(placement, _) => {
            check(report, placement, &name(case));
        }
        Placed::Rule(rule) => check(report, rule, &name(case)),
        Placed::Missing | Placed::Unknown => {}
    }
}

/// A placement that is being deleted is not compared, and the next one of its name has no mark.
fn owned_by_other(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    fn check<K: Kind>(report: &mut Report, object: &Object<K>, own: &Meta, name: &str) {
        let Some(owner) = object.meta.annotation(DRPC_NAME) else {
            return;
        };
        let namespace = object.meta.annotation(DRPC_NAMESPACE).unwrap_or_default();
        if object.meta.is_terminating()
            || own.name.is_empty()
            || (owner == own.name && namespace == own.namespace)
        {
            return;
        }
        report
            .say(
                NAME,
                format!(
                    "{} {name} is marked as DRPlacementControl \"{namespace}/{owner}\"'s",
                    K::KIND
                ),
            )
            .because(object, annotation(DRPC_NAME));
    }
    let own = &case.new.meta;
    match case.world.placement_of(case.new) {
        Placed::Placement(placement) | Placed::Both(placement, _) => {
            check(report, placement, own, &name(case));
        }
        Placed::Rule(rule) => check(report, rule, own, &name(case)),
        Placed::Missing | Placed::Unknown => {}
    }
}

fn shared(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(placement) = case.new.spec.placement_ref.name.text() else {
        return;
    };
    let others = case
        .world
        .drpcs_on_placement(&case.new.meta.namespace, placement);
    let staying = others.iter().find(|other| !other.meta.is_terminating());
    if let Some(other) = staying {
        report
            .say(
                NAME,
                format!(
                    "{} is the placement of {} already",
                    quote(placement),
                    other.key()
                ),
            )
            .because(other, NAME);
    } else if let Some(going) = others.first() {
        report
            .advise(
                NAME,
                format!(
                    "{} is the placement of {}, which is being deleted",
                    quote(placement),
                    going.key()
                ),
            )
            .fix("wait until the other one is gone")
            .because(going, NAME);
    }
}

/// One owner reference with the placement's name, of whatever kind, is all that Ramen looks for. At an
/// update it has set its own already.
fn foreign_controller(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let owners = &case.new.meta.owner_references;
    let Some(placement) = case.new.spec.placement_ref.name.text() else {
        return;
    };
    if owners.iter().any(|owner| owner.name == placement) {
        return;
    }
    for (index, owner) in owners
        .iter()
        .enumerate()
        .filter(|(_, owner)| owner.controller)
    {
        let place = format!("/metadata/ownerReferences/{index}");
        let message = format!(
            "{} {} controls the object already",
            owner.kind,
            quote(&owner.name)
        );
        if case.is_create() {
            report.say(place, message);
        } else {
            report.advise(place, message);
        }
    }
}

/// The name of a `PlacementRule` goes into no label.
fn name_too_long(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    const LABEL: usize = 63;

    let reference = &case.new.spec.placement_ref;
    let length = reference.name.text().map_or(0, str::len);
    if length <= LABEL {
        return;
    }
    let says_placement = reference.kind.text() == Some(Placement::KIND);
    let message = format!("has {length} characters; a Placement's may have {LABEL}");
    match case.world.placement_of(case.new) {
        Placed::Placement(placement) | Placed::Both(placement, _) => {
            report
                .say(NAME, message)
                .because(placement, "/metadata/name");
        }
        Placed::Missing if says_placement => {
            report.say(NAME, message);
        }
        Placed::Rule(_) | Placed::Missing | Placed::Unknown => {
            report.advise(NAME, message);
        }
    }
}
