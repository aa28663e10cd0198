//! What several rules ask about an application's actions: what is asked for, and what is under way.

use crate::{
    api::{
        Condition, DRCluster, DRPlacementControl, DRPlacementControlStatus, DRPolicy, Object, Text,
        condition,
    },
    rules::Case,
    world::is_metro,
};

/// Brings the application to `failoverCluster`, whatever became of the other cluster.
pub(crate) const FAILOVER: &str = "Failover";
/// Brings the application to `preferredCluster`, without loss.
pub(crate) const RELOCATE: &str = "Relocate";

/// The annotation with the action that Ramen carried out last; empty or absent for none.
pub(super) const LAST_ACTION: &str = "drplacementcontrol.ramendr.openshift.io/last-action";
/// The annotation by which Ramen remembers that a failover is only being tried out.
pub(crate) const TEST_FAILOVER: &str =
    "drplacementcontrol.ramendr.openshift.io/test-failover-dryrun";

/// The step in which a failover that is only tried out stays until the user ends it.
pub(crate) const TESTING: &str = "TestingFailover";
/// The steps in which the cluster that the application has left is cleaned up.
pub(crate) const CLEANING: [&str; 2] = ["Cleaning Up", "WaitOnUserToCleanUp"];

type Drpc = Object<DRPlacementControl>;

/// The action that is asked for; empty for none.
pub(crate) fn action(drpc: &Drpc) -> &str {
    drpc.spec.action.text().unwrap_or_default()
}

/// The cluster that the action brings the application to.
pub(crate) fn target(drpc: &Drpc) -> Option<&str> {
    match action(drpc) {
        FAILOVER => drpc.spec.failover_cluster.text(),
        RELOCATE => drpc.spec.preferred_cluster.text(),
        _ => None,
    }
}

/// Whether the action is only tried out.
pub(crate) fn is_dry_run(drpc: &Drpc) -> bool {
    drpc.spec.dry_run == Some(true)
}

/// At UPDATE the stored object, if the request sets this action in place of another one or none.
pub(super) fn begins<'a>(case: &Case<'a, DRPlacementControl>, wanted: &str) -> Option<&'a Drpc> {
    case.old
        .filter(|old| action(case.new) == wanted && action(old) != wanted)
}

/// As [`begins`], and also if the action stays and is to go to another cluster.
pub(super) fn goes<'a>(case: &Case<'a, DRPlacementControl>, wanted: &str) -> Option<&'a Drpc> {
    case.old.filter(|old| {
        action(case.new) == wanted && (action(old) != wanted || target(old) != target(case.new))
    })
}

/// At UPDATE the stored object, if the request ends a failover that was only tried out.
pub(super) fn ends_dry_run<'a>(case: &Case<'a, DRPlacementControl>) -> Option<&'a Drpc> {
    case.old
        .filter(|old| is_dry_run(old) && !is_dry_run(case.new))
}

/// At UPDATE the stored object, if the request begins to only try a failover out.
pub(super) fn begins_dry_run<'a>(case: &Case<'a, DRPlacementControl>) -> Option<&'a Drpc> {
    case.old
        .filter(|old| !is_dry_run(old) && is_dry_run(case.new))
}

/// The phase, empty for none.
pub(crate) fn phase(status: &DRPlacementControlStatus) -> &str {
    status.phase.text().unwrap_or_default()
}

/// The step of the phase, empty for none.
pub(crate) fn progression(status: &DRPlacementControlStatus) -> &str {
    status.progression.text().unwrap_or_default()
}

/// Whether the hub was lost and came back, and Ramen waits to be told which action the application
/// is in: then every answer is right that fits the clusters, which only the user knows.
///
/// Source: internal/controller/drplacementcontrol_controller.go:2586-2781
pub(crate) fn is_recovering(status: &DRPlacementControlStatus) -> bool {
    match phase(status) {
        "WaitForUser" => true,
        // A restored object has no phase; one that was never looked at has no conditions either.
        "" => !status.conditions.is_empty(),
        _ => progression(status) == "Paused",
    }
}

/// Whether a condition is there and does not hold.
pub(super) fn fails(conditions: &[Condition], type_: &str) -> bool {
    condition(conditions, type_).is_some_and(|condition| !condition.is_true())
}

/// The policy of an application, if its clusters share their storage.
pub(super) fn metro<'a>(case: &Case<'a, DRPlacementControl>) -> Option<&'a Object<DRPolicy>> {
    case.world
        .policy_of(case.new)
        .found()
        .filter(|policy| is_metro(policy))
}

/// Whether Ramen takes a cluster for fenced: it said so after the last change.
///
/// Source: internal/controller/drplacementcontrol.go:879-903
pub(crate) fn is_fenced(cluster: &Object<DRCluster>) -> bool {
    let generation = cluster.meta.generation;
    condition(&cluster.status().conditions, "Fenced").is_some_and(|fenced| {
        // A manifest has no generation.
        fenced.is_true() && (generation == 0 || fenced.observed_generation == Some(generation))
    })
}
