//! Placement and PlacementRule: where Open Cluster Management puts an application, or Ramen instead.
//!
//! In the order of `policies/placement.yaml`.

use super::{Case, Judged, Report, Rule, annotation, judged, some};
use crate::api::{DRPlacementControl, Object, Placement, PlacementRule};

judged! {
    Placement: &[RULES];
    PlacementRule: &[&[("placement-delete-with-drpc", delete_with_drpc)]];
}

const RULES: &[Rule<Placement>] = &[
    ("placement-delete-with-drpc", delete_with_drpc),
    ("placement-scheduling-reenabled", scheduling_reenabled),
];

/// The annotation that takes a Placement from Open Cluster Management's scheduler.
const SCHEDULING_DISABLE: &str =
    "cluster.open-cluster-management.io/experimental-scheduling-disable";

/// The applications that refer to a placement, less those whose protection is being ended.
fn applications<'a, K: Judged>(case: &Case<'a, K>) -> Vec<&'a Object<DRPlacementControl>> {
    let meta = &case.new.meta;
    let mut found = case.world.drpcs_on_placement(&meta.namespace, &meta.name);
    found.retain(|drpc| !drpc.meta.is_terminating());
    found
}

fn delete_with_drpc<K: Judged>(case: &Case<'_, K>, report: &mut Report) {
    let applications = applications(case);
    if applications.is_empty() {
        return;
    }
    let shown = some(&applications, |drpc| drpc.key().to_string());
    let finding = report.say(
        "/metadata/name",
        format!("\"{}\" is the placement of {shown}", case.new.meta.name),
    );
    for drpc in applications.iter().take(3) {
        finding.because(*drpc, "/spec/placementRef/name");
    }
}

/// Ramen only takes an absent annotation, and the very word "false", for scheduling that is on.
fn scheduling_reenabled(case: &Case<'_, Placement>, report: &mut Report) {
    let message = match case
        .new
        .meta
        .annotations
        .get(SCHEDULING_DISABLE)
        .map(String::as_str)
    {
        None => "is gone",
        Some("false") => "is \"false\"",
        Some(_) => return,
    };
    let applications = applications(case);
    if applications.is_empty() {
        return;
    }
    let shown = some(&applications, |drpc| drpc.key().to_string());
    let finding = report.say(
        annotation(SCHEDULING_DISABLE),
        format!("{message}, and {shown} refers to the placement"),
    );
    for drpc in applications.iter().take(3) {
        finding.because(*drpc, "/spec/placementRef/name");
    }
}
