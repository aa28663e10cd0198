//! Failover and Relocate.

use super::relocate;
use super::state::{
    CLEANING, FAILOVER, RELOCATE, TEST_FAILOVER, action, begins, ends_dry_run, goes, is_dry_run,
    is_fenced, is_recovering, metro, phase, progression, target,
};
use crate::{
    api::{Condition, DRCluster, DRPlacementControl, Text, condition},
    golang::quote,
    report::list,
    rules::{Case, Report, Rule, label, some},
    world::{GLOBAL_GROUP, LAST_CLUSTER, Relation},
};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[
    ("drpc-action-on-create", action_on_create),
    ("drpc-failover-to-current", failover_to_current),
    ("drpc-relocate-to-current", relocate_to_current),
    (
        "drpc-relocate-with-failovercluster",
        relocate::with_failover_cluster,
    ),
    ("drpc-relocate-peer-not-ready", relocate::peer_not_ready),
    (
        "drpc-relocate-data-not-protected",
        relocate::data_not_protected,
    ),
    (
        "drpc-relocate-cluster-unreachable",
        relocate::cluster_unreachable,
    ),
    ("drpc-relocate-target-fenced", relocate::target_fenced),
    ("drpc-metro-failover-not-fenced", metro_failover_not_fenced),
    ("drpc-failover-target-fenced", failover_target_fenced),
    ("drpc-failover-unprotected", failover_unprotected),
    ("drpc-action-clear", action_clear),
    ("drpc-preferred-change-without-action", preferred_change),
    (
        "drpc-action-switch-to-relocate-midflight",
        switch_to_relocate,
    ),
    ("drpc-target-change-midflight", target_change),
    ("drpc-global-peers-diverge", global_peers_diverge),
    ("drpc-global-label", global_label),
    ("drpc-action-with-policy-terminating", policy_terminating),
];

const ACTION: &str = "/spec/action";
const PREFERRED: &str = "/spec/preferredCluster";
const TARGET: &str = "/spec/failoverCluster";

fn action_on_create(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let action = action(case.new);
    if !action.is_empty() {
        report.say(
            ACTION,
            format!("{} for an application that is new", quote(action)),
        );
    }
}

/// Whether the action goes to where the application is. Ending a tried failover and telling Ramen
/// after a hub recovery where the application was look the same, and mean it.
fn stays<'a>(case: &Case<'a, DRPlacementControl>) -> Option<&'a str> {
    let (Some(old), false) = (case.old, is_recovering(case.status())) else {
        return None;
    };
    let target = target(case.new).filter(|_| !is_dry_run(old) && !is_dry_run(case.new))?;
    case.world
        .current_cluster(case.new)
        .filter(|current| *current == target)
}

fn failover_to_current(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if action(case.new) == FAILOVER
        && let Some(cluster) = stays(case)
    {
        report.say(
            TARGET,
            format!(
                "the application is on {} already, so nothing will fail over",
                quote(cluster)
            ),
        );
    }
}

fn relocate_to_current(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if action(case.new) == RELOCATE
        && let Some(cluster) = stays(case)
    {
        report.say(
            PREFERRED,
            format!(
                "the application is on {} already, so nothing will move",
                quote(cluster)
            ),
        );
    }
}

fn metro_failover_not_fenced(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if goes(case, FAILOVER).is_none() || metro(case).is_none() {
        return;
    }
    let Some(current) = case.world.current_cluster(case.new) else {
        return;
    };
    if target(case.new) != Some(current)
        && let Some(cluster) = case.world.get::<DRCluster>("", current).found()
        && !is_fenced(cluster)
    {
        report
            .say(
                ACTION,
                format!(
                    "cluster {}, where the application is, is not fenced yet",
                    quote(current)
                ),
            )
            .because(cluster, "/status/conditions");
    }
}

/// What is asked for counts; what the status says besides is only worth a warning.
fn failover_target_fenced(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let (Some(_), Some(name)) = (goes(case, FAILOVER), target(case.new)) else {
        return;
    };
    let (Some(_), Some(cluster)) = (metro(case), case.world.get::<DRCluster>("", name).found())
    else {
        return;
    };
    let asked = cluster.spec.cluster_fence.text().unwrap_or_default();
    let message = format!(
        "cluster {} is fenced, and can't reach the storage",
        quote(name)
    );
    if matches!(asked, "Fenced" | "ManuallyFenced") {
        report
            .say(TARGET, message)
            .because(cluster, "/spec/clusterFence");
    } else if condition(&cluster.status().conditions, "Fenced").is_some_and(Condition::is_true) {
        report
            .advise(TARGET, message)
            .because(cluster, "/status/conditions");
    }
}

fn failover_unprotected(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let status = case.status();
    if goes(case, FAILOVER).is_none() || is_dry_run(case.new) || is_recovering(status) {
        return;
    }
    let is_false =
        |name: &&str| condition(&status.conditions, name).is_some_and(|c| c.status == "False");
    let failing: Vec<&str> = ["PeerReady", "Protected"]
        .into_iter()
        .filter(is_false)
        .collect();
    if !failing.is_empty() {
        report.say(
            ACTION,
            format!(
                "the copy may be old or incomplete (not {})",
                failing.join(", not ")
            ),
        );
    }
}

/// Ending a tried failover takes the action back as a matter of course.
fn action_clear(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(old) = case
        .old
        .filter(|old| !action(old).is_empty() && action(case.new).is_empty())
    else {
        return;
    };
    let tried = is_dry_run(old) || case.new.meta.annotations.contains_key(TEST_FAILOVER);
    let waits = !phase(case.status()).is_empty() && is_recovering(case.status());
    let preferred = case.new.spec.preferred_cluster.text();
    if let Some(current) = case.new.meta.annotation(LAST_CLUSTER)
        && !tried
        && !waits
        && Some(current) != preferred
    {
        let prefers = preferred.map_or_else(|| "nothing".to_owned(), quote);
        let message = format!(
            "gone, while the application is on {} and preferredCluster is {prefers}",
            quote(current)
        );
        report.say(ACTION, message).fix(format!(
            "set preferredCluster to {} along with it, or keep the action",
            quote(current)
        ));
    }
}

fn preferred_change(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let (Some(old), Some(preferred)) = (case.old, case.new.spec.preferred_cluster.text()) else {
        return;
    };
    let changed = old.spec.preferred_cluster.text() != Some(preferred);
    if !changed || !action(case.new).is_empty() || phase(case.status()) != "Deployed" {
        return;
    }
    if let Some(current) = case.world.current_cluster(case.new)
        && current != preferred
    {
        let message = format!(
            "{}, while the application is on {} and no action is set",
            quote(preferred),
            quote(current)
        );
        report.say(PREFERRED, message);
    }
}

/// Ending a tried failover may ask for the Relocate that was there before.
fn switch_to_relocate(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    const UNREADY: [&str; 3] = [
        "WaitForReadiness",
        "CleanupReadiness",
        "WaitingForResourceRestore",
    ];

    let Some(old) = begins(case, RELOCATE) else {
        return;
    };
    if action(old) != FAILOVER || ends_dry_run(case).is_some() {
        return;
    }
    let status = case.status();
    let (phase, progression) = (phase(status), progression(status));
    let step = if matches!(phase, "Initiating" | "FailingOver") {
        phase
    } else if CLEANING.contains(&progression) || UNREADY.contains(&progression) {
        progression
    } else {
        return;
    };
    report.say(
        ACTION,
        format!("the failover is not complete ({})", quote(step)),
    );
}

fn target_change(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(old) = case.old.filter(|old| action(old) == action(case.new)) else {
        return;
    };
    let (pointer, under_way) = match action(case.new) {
        FAILOVER => (TARGET, "FailingOver"),
        RELOCATE => (PREFERRED, "Relocating"),
        _ => return,
    };
    let (Some(from), Some(to)) = (target(old), target(case.new)) else {
        return;
    };
    if from != to && phase(case.status()) == under_way {
        report.say(
            pointer,
            format!(
                "from {} to {} while that is under way",
                quote(from),
                quote(to)
            ),
        );
    }
}

/// The members can only be told one after the other: until the last is, they differ. One that takes its
/// action back keeps the others waiting.
fn global_peers_diverge(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let (Some(group), Some(old)) = (case.new.meta.label(GLOBAL_GROUP), case.old) else {
        return;
    };
    let (action, mine) = (action(case.new), target(case.new));
    let taken_back = action.is_empty() && !super::state::action(old).is_empty();
    if mine.is_none() && !taken_back {
        return;
    }
    let mut others = case
        .world
        .related::<DRPlacementControl>(Relation::GlobalGroup, group);
    others.retain(|other| super::state::action(other) != action || target(other) != mine);
    if others.is_empty() {
        return;
    }
    let names = some(&others, |other| {
        list([&*format!("{}/{}", other.meta.namespace, other.meta.name)])
    });
    let group = quote(group);
    let message = match mine {
        Some(mine) => format!(
            "{action} to {} waits until {names} of group {group} ask for the same",
            quote(mine)
        ),
        None => format!("gone, and {names} of group {group} wait until all ask for the same"),
    };
    report.say(ACTION, message);
}

fn global_label(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(before) = case.old.and_then(|old| old.meta.label(GLOBAL_GROUP)) else {
        return;
    };
    let after = case.new.meta.label(GLOBAL_GROUP);
    if after != Some(before) {
        let after = after.map_or_else(
            || "gone".to_owned(),
            |after| format!("changed to {}", quote(after)),
        );
        report.say(
            label(GLOBAL_GROUP),
            format!("group {} {after}", quote(before)),
        );
    }
}

fn policy_terminating(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if case.old.is_some_and(|old| action(old) != action(case.new))
        && let Some(policy) = case.world.policy_of(case.new).found()
        && policy.meta.is_terminating()
    {
        let message = format!(
            "DRPolicy \"{}\" is being deleted, so Ramen will not act",
            policy.meta.name
        );
        report
            .say(ACTION, message)
            .because(policy, "/metadata/deletionTimestamp");
    }
}
