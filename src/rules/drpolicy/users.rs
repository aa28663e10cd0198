//! What a policy means to the applications under it.

use super::{Case, FINALIZER, Report, Rule};
use crate::{
    api::{ConfigMap, DRPlacementControl, DRPolicy, Object, Text},
    rules::{finalizer_removal, say_of_applications, some},
    world::Relation,
};

pub(super) const RULES: &[Rule<DRPolicy>] = &[
    ("drpolicy-networkmapping-cm-missing", mapping_missing),
    ("drpolicy-networkmapping-toggle-live", mapping_changed),
    ("drpolicy-delete-in-use", delete_in_use),
    ("drpolicy-finalizer-removal", ramens_finalizer),
];

/// Where an application names its policy.
const REFERENCE: &str = "/spec/drPolicyRef/name";

/// The applications under a policy, less those whose protection is being ended.
fn applications<'a>(case: &Case<'a, DRPolicy>) -> Vec<&'a Object<DRPlacementControl>> {
    let mut found = case
        .world
        .related::<DRPlacementControl>(Relation::Policy, &case.new.meta.name);
    found.retain(|drpc| !drpc.meta.is_terminating());
    found
}

/// The ConfigMap that a policy maps networks with; an empty name is none.
fn mapping<'a>(case: &Case<'a, DRPolicy>) -> Option<&'a str> {
    case.new.spec.network_mapping_ref.as_ref()?.name.text()
}

fn mapping_missing(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let Some(name) = mapping(case) else { return };
    let mut namespaces: Vec<&str> = applications(case)
        .iter()
        .map(|drpc| &*drpc.meta.namespace)
        .collect();
    namespaces.dedup();
    namespaces.retain(|namespace| case.world.get::<ConfigMap>(namespace, name).is_missing());
    if !namespaces.is_empty() {
        let shown = some(&namespaces, |namespace| format!("\"{namespace}\""));
        report.say(
            "/spec/networkMappingRef/name",
            format!("there is no ConfigMap \"{name}\" in namespace {shown}"),
        );
    }
}

fn mapping_changed(case: &Case<'_, DRPolicy>, report: &mut Report) {
    if let Some(name) = mapping(case) {
        let pointer = "/spec/networkMappingRef/name";
        say_of_applications(report, pointer, &applications(case), REFERENCE, |shown| {
            format!("\"{name}\" is new to {shown}")
        });
    }
}

// One application that is still there is enough, so that no more than a few need to be read afresh.
fn delete_in_use(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let applications = applications(case);
    let name = &case.new.meta.name;
    say_of_applications(
        report,
        "/metadata/name",
        &applications,
        REFERENCE,
        |shown| format!("\"{name}\" is used by {shown}"),
    );
}

fn ramens_finalizer(case: &Case<'_, DRPolicy>, report: &mut Report) {
    finalizer_removal(case, FINALIZER, report);
}
