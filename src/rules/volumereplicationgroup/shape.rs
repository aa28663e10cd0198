//! What the object says by itself: its role, how data is copied, what is selected, its name.

use crate::{
    api::{Object, VolumeReplicationGroup},
    golang::quote,
    rules::{
        Case, Report, Rule,
        protection::{self, selector_problems},
    },
};

pub(super) const RULES: &[Rule<VolumeReplicationGroup>] = &[
    ("vrg-replication-state-enum", replication_state),
    ("vrg-mode-required", mode_required),
    ("vrg-sync-and-async", sync_and_async),
    ("vrg-mode-switch", mode_switch),
    ("vrg-label-selector-valid", selectors),
    (
        "vrg-replication-class-selector-match-expressions",
        match_expressions,
    ),
    (
        "vrg-capture-interval-go-duration",
        protection::capture_interval,
    ),
    (
        "vrg-capture-interval-nonpositive",
        protection::capture_interval_nonpositive,
    ),
    ("vrg-name-label-length", protection::name_too_long),
];

/// The CRD has no enum, so any text is stored, and a spec that is not there is one without a role.
fn replication_state(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    const FIELD: &str = "/spec/replicationState";

    match &*case.new.spec.replication_state {
        "primary" | "secondary" => {}
        "" => {
            report.say(FIELD, "is required");
        }
        other => {
            let message = format!("{} is neither \"primary\" nor \"secondary\"", quote(other));
            report.say(FIELD, message);
        }
    }
}

fn mode_required(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    if case.new.spec.async_.is_none() && case.new.spec.sync.is_none() {
        report.say("/spec", "has neither async nor sync");
    }
}

fn sync_and_async(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    if case.new.spec.async_.is_some() && case.new.spec.sync.is_some() {
        report.say("/spec/sync", "is not read beside async");
    }
}

/// A group that protects nothing yet may become another one.
fn mode_switch(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    fn modes(vrg: &Object<VolumeReplicationGroup>) -> (bool, bool) {
        (vrg.spec.async_.is_some(), vrg.spec.sync.is_some())
    }
    let volumes = case.status().protected_pvcs.len();
    let Some(old) = case.old.filter(|_| volumes > 0) else {
        return;
    };
    let (field, before) = match (modes(old), modes(case.new)) {
        ((true, false), (false, true)) => ("/spec/sync", "async"),
        ((false, true), (true, false)) => ("/spec/async", "sync"),
        _ => return,
    };
    let message =
        format!("takes the place of {before}, under which {volumes} volumes are protected");
    report.say(field, message);
}

fn selectors(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    protection::pvc_selector(case, report);
    protection::object_selector(case, report);
    for place in [
        "/spec/async/volumeSnapshotClassSelector",
        "/spec/async/volumeGroupSnapshotClassSelector",
    ] {
        for (place, message) in selector_problems(case, place) {
            report.say(place, message);
        }
    }
}

fn match_expressions(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let copies = case.new.spec.async_.as_ref();
    let selector = copies.and_then(|copies| copies.replication_class_selector.as_ref());
    let expressions = selector.and_then(|selector| selector.match_expressions.as_deref());
    if expressions.is_some_and(|expressions| !expressions.is_empty()) {
        report.say(
            "/spec/async/replicationClassSelector/matchExpressions",
            "is not read, only matchLabels is",
        );
    }
}
