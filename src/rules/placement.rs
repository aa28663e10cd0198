//! Placement and PlacementRule: where Open Cluster Management puts an application, or Ramen instead.
//!
//! In the order of `policies/placement.yaml`.

use super::{Case, Judged, Report, Rule, annotation, judged, say_of_applications};
use crate::api::{DRPlacementControl, Object, Placement, PlacementRule};

judged! {
    Placement: &[RULES];
    PlacementRule: &[&[("placement-delete-with-drpc", delete_with_drpc)]];
}

const RULES: &[Rule<Placement>] = &[
    ("drpc-placement-scheduling-enabled", scheduling_enabled),
    ("placement-delete-with-drpc", delete_with_drpc),
    ("placement-scheduling-reenabled", scheduling_reenabled),
];

/// The annotation that takes a Placement from Open Cluster Management's scheduler.
pub(super) const SCHEDULING_DISABLE: &str =
    "cluster.open-cluster-management.io/experimental-scheduling-disable";

/// How the annotation leaves the scheduling to Open Cluster Management, if it does: Ramen takes only
/// an absent one, and the very word "false", for that.
///
/// Source: internal/controller/drplacementcontrol_controller.go:1236
pub(super) fn scheduled(placement: &Object<Placement>) -> Option<&'static str> {
    match placement.meta.annotations.get(SCHEDULING_DISABLE) {
        None => Some("is gone"),
        Some("false") => Some("is \"false\""),
        Some(_) => None,
    }
}

/// Where an application names its placement.
const REFERENCE: &str = "/spec/placementRef/name";

/// The applications that refer to a placement, less those whose protection is being ended.
fn applications<'a, K: Judged>(case: &Case<'a, K>) -> Vec<&'a Object<DRPlacementControl>> {
    let meta = &case.new.meta;
    let mut found = case.world.drpcs_on_placement(&meta.namespace, &meta.name);
    found.retain(|drpc| !drpc.meta.is_terminating());
    found
}

fn delete_with_drpc<K: Judged>(case: &Case<'_, K>, report: &mut Report) {
    let applications = applications(case);
    let name = &case.new.meta.name;
    say_of_applications(
        report,
        "/metadata/name",
        &applications,
        REFERENCE,
        |shown| format!("\"{name}\" is the placement of {shown}"),
    );
}

/// The same as seen from the application, for a placement that comes later.
fn scheduling_enabled(case: &Case<'_, Placement>, report: &mut Report) {
    if scheduled(case.new).is_some() {
        say_scheduled(case, report, "leaves the choice to Open Cluster Management");
    }
}

fn scheduling_reenabled(case: &Case<'_, Placement>, report: &mut Report) {
    if let Some(how) = scheduled(case.new) {
        say_scheduled(case, report, how);
    }
}

fn say_scheduled(case: &Case<'_, Placement>, report: &mut Report, what: &str) {
    let pointer = annotation(SCHEDULING_DISABLE);
    let applications = applications(case);
    say_of_applications(report, pointer, &applications, REFERENCE, |shown| {
        format!("{what}, and {shown} refers to the placement")
    });
}
