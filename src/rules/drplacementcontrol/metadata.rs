//! What Ramen notes down on the object, and the switches that are annotations.

use super::state::{LAST_ACTION, TEST_FAILOVER};
use crate::{
    api::{DRPlacementControl, Object},
    golang::quote,
    rules::{Case, Report, Rule, annotation, finalizer_removal, protection::flag},
    world::{APP_NAMESPACE, LAST_CLUSTER},
};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[
    ("drpc-app-namespace-annotation-change", app_namespace),
    ("drpc-operator-annotation-change", operators_notes),
    ("drpc-flag-annotation-value", flag_value),
    ("drpc-network-mapping-annotation", network_mapping),
    ("drpc-finalizer-removal", ramens_finalizer),
];

const FINALIZER: &str = "drpc.ramendr.openshift.io/finalizer";
const NETWORK_MAPPING: &str = "drplacementcontrol.ramendr.openshift.io/network-mapping";
/// What Ramen remembers between two looks at the object.
const NOTES: [&str; 4] = [
    LAST_CLUSTER,
    LAST_ACTION,
    TEST_FAILOVER,
    "drplacementcontrol.ramendr.openshift.io/dr-action-count",
];
/// What switches something on or off.
const FLAGS: [&str; 4] = [
    "drplacementcontrol.ramendr.openshift.io/is-submariner-enabled",
    "drplacementcontrol.ramendr.openshift.io/is-cg-enabled",
    "drplacementcontrol.ramendr.openshift.io/use-volsync-for-pvc-protection",
    "drplacementcontrol.ramendr.openshift.io/enable-diff",
];

/// An annotation of the stored and of the new object, where they differ; empty is absent.
fn change<'a>(
    case: &Case<'a, DRPlacementControl>,
    name: &str,
) -> Option<(Option<&'a str>, Option<&'a str>)> {
    let value = |object: &'a Object<DRPlacementControl>| object.meta.annotation(name);
    let (before, after) = (case.old.and_then(value), value(case.new));
    (before != after).then_some((before, after))
}

fn shown(value: Option<&str>) -> String {
    value.map_or_else(
        || "gone".to_owned(),
        |value| format!("{} now", quote(value)),
    )
}

fn app_namespace(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if let Some((Some(before), after)) = change(case, APP_NAMESPACE) {
        report.say(
            annotation(APP_NAMESPACE),
            format!("was {}, and is {}", quote(before), shown(after)),
        );
    }
}

fn operators_notes(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    for name in NOTES {
        match change(case, name) {
            Some((Some(before), after)) => {
                report.say(
                    annotation(name),
                    format!("was {}, and is {}", quote(before), shown(after)),
                );
            }
            Some((None, Some(after))) => {
                report
                    .say(
                        annotation(name),
                        format!("{} is not Ramen's own note", quote(after)),
                    )
                    .fix("take the annotation away again");
            }
            _ => {}
        }
    }
}

fn flag_value(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    for name in FLAGS {
        if change(case, name).is_some() {
            flag(case, name, report);
        }
    }
}

fn network_mapping(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if case.new.meta.annotation(NETWORK_MAPPING).is_some() {
        report.say(annotation(NETWORK_MAPPING), "is not read by Ramen");
    }
}

fn ramens_finalizer(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    finalizer_removal(case, FINALIZER, report);
}
