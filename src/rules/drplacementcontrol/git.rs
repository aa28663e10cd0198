//! What a DRPlacementControl should not have in a file: who syncs it would undo a recovery.

use crate::{
    api::{DRPlacementControl, Meta, Object, Text},
    golang::quote,
    rules::{
        Case, Report, Rule,
        files::{Wave, is_kept, wave},
    },
    world::Placed,
};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[
    ("drpc-action-in-git", action_in_git),
    ("drpc-sync-order", sync_order),
];

/// The fields that say what is done in a recovery, with what they say.
fn recovery(drpc: &Object<DRPlacementControl>) -> Vec<(&'static str, String)> {
    let spec = &drpc.spec;
    let text = |value: &Option<String>| value.text().map(quote);
    let fields = [
        ("action", text(&spec.action)),
        ("failoverCluster", text(&spec.failover_cluster)),
        (
            "dryRun",
            spec.dry_run
                .filter(|dry_run| *dry_run)
                .map(|it| it.to_string()),
        ),
    ];
    let set = fields.into_iter();
    set.filter_map(|(field, value)| Some((field, value?)))
        .collect()
}

fn action_in_git(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let mut fields = recovery(case.new);
    // What the file had already is no news.
    let before = case.old.map(recovery).unwrap_or_default();
    fields.retain(|field| !before.contains(field));
    let Some((first, _)) = fields.first() else {
        return;
    };
    if !is_kept(&case.new.meta) {
        return;
    }
    let shown = fields
        .iter()
        .map(|(field, value)| format!("{field} {value}"));
    let shown: Vec<String> = shown.collect();
    report.say(
        format!("/spec/{first}"),
        format!(
            "a sync would bring back {} after a recovery has changed it",
            shown.join(", ")
        ),
    );
}

fn sync_order(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let own = wave(&case.new.meta);
    let before = |other: &Meta| -> Option<Wave> {
        let other = wave(other);
        (own.order < other.order).then_some(other)
    };
    let message = |other: &Wave, what: &str, name: &str| {
        format!(
            "{} comes before {} of its {what}, {}",
            own.shown(),
            other.shown(),
            quote(name)
        )
    };
    // Whether one application has both is not known; one that says when its DRPlacementControl comes
    // knows of what has to be there before.
    if own.explicit
        && let Some(policy) = case.world.policy_of(case.new).found()
        && let Some(other) = before(&policy.meta)
    {
        report
            .say(&own.pointer, message(&other, "DRPolicy", &policy.meta.name))
            .because(policy, &other.pointer);
    }
    // A placement lives in the same namespace, and nobody keeps it elsewhere.
    match case.world.placement_of(case.new) {
        Placed::Placement(placement) => {
            if let Some(other) = before(&placement.meta) {
                let message = message(&other, "Placement", &placement.meta.name);
                report
                    .say(&own.pointer, message)
                    .because(placement, &other.pointer);
            }
        }
        Placed::Rule(rule) => {
            if let Some(other) = before(&rule.meta) {
                let message = message(&other, "PlacementRule", &rule.meta.name);
                report
                    .say(&own.pointer, message)
                    .because(rule, &other.pointer);
            }
        }
        _ => {}
    }
}
