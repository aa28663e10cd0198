//! Trying a failover out: `dryRun`.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::state::{
    FAILOVER, LAST_ACTION, RELOCATE, TEST_FAILOVER, TESTING, action, begins_dry_run, ends_dry_run,
    is_dry_run, metro, phase, progression,
};
use crate::{
    api::{Condition, DRPlacementControl, Text, condition},
    golang::{duration, quote},
    rules::{Case, Report, Rule},
    world::LAST_CLUSTER,
};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[
    ("drpc-dryrun-needs-failover", needs_failover),
    ("drpc-dryrun-target-is-current", target_is_current),
    ("drpc-dryrun-not-ready", not_ready),
    ("drpc-dryrun-metro", on_metro),
    ("drpc-dryrun-midflight", midflight),
    ("drpc-dryrun-promotion", promotion),
    ("drpc-dryrun-revert-mismatch", revert_mismatch),
];

const DRY_RUN: &str = "/spec/dryRun";
const ACTION: &str = "/spec/action";
const PREFERRED: &str = "/spec/preferredCluster";
const TARGET: &str = "/spec/failoverCluster";

/// Taking the action back first and `dryRun` after it is the safe order of the two: refusing that
/// would make people take `dryRun` back first, which makes the copy the original.
fn needs_failover(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if !is_dry_run(case.new) || action(case.new) == FAILOVER {
        return;
    }
    let message = match action(case.new) {
        "" => "only goes with the action \"Failover\", and no action is set".to_owned(),
        other => format!(
            "only goes with the action \"Failover\", not with {}",
            quote(other)
        ),
    };
    if case.old.is_some_and(is_dry_run) {
        report
            .advise(DRY_RUN, message)
            .fix("take dryRun away too, to end the test");
    } else {
        report.say(DRY_RUN, message);
    }
}

fn target_is_current(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if !is_dry_run(case.new) {
        return;
    }
    let tested = case.old.is_some_and(is_dry_run);
    let target = case.new.spec.failover_cluster.text();
    match (target, case.new.meta.annotation(LAST_CLUSTER)) {
        (Some(target), Some(current)) if target == current => {
            let draft = report.say(
                TARGET,
                format!("the application is on {} already", quote(current)),
            );
            if tested {
                let back = way_back(case.new.meta.annotation(LAST_ACTION), current);
                draft.fix(format!("to end the test, take dryRun away and {back}"));
            }
        }
        // Taking back the rest of the test first is as safe as taking back its action.
        (None, None) if tested && action(case.new) != FAILOVER => {
            report
                .advise(TARGET, "is not set")
                .fix("take dryRun away too, to end the test");
        }
        (None, None) => {
            report
                .say(TARGET, "is not set, so there is nothing to try out")
                .fix("name the cluster to try");
        }
        _ => {}
    }
}

fn not_ready(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let status = case.status();
    if begins_dry_run(case).is_none() || (status.conditions.is_empty() && phase(status).is_empty())
    {
        return;
    }
    if !condition(&status.conditions, "Protected").is_some_and(Condition::is_true) {
        report.say(
            DRY_RUN,
            "the application is not protected, and the test waits until it is",
        );
    } else if is_lagging(case) {
        let synced = status.last_group_sync_time.text().unwrap_or_default();
        report.say(
            DRY_RUN,
            format!("the last copy is of {synced}, and the test waits for a newer one"),
        );
    }
}

/// Whether the last copy was too old for a test already when the status was written. Where the policy
/// names no time between two copies, any copy is.
///
/// Source: internal/controller/drplacementcontrol.go:821-846
fn is_lagging(case: &Case<'_, DRPlacementControl>) -> bool {
    const PATIENCE: i128 = 3;

    let status = case.status();
    let Some(policy) = case.world.policy_of(case.new).found() else {
        return false;
    };
    let (Some(synced), Some(interval)) = (
        time(status.last_group_sync_time.as_ref()),
        nanoseconds(&policy.spec.scheduling_interval),
    ) else {
        return false;
    };
    let lag = time(status.last_update_time.as_ref())
        .map(|written| (written - synced).whole_nanoseconds());
    interval == 0 || lag.is_some_and(|lag| lag > PATIENCE * interval)
}

fn time(text: Option<&String>) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text?, &Rfc3339).ok()
}

/// A scheduling interval: a Go duration, or days.
pub(crate) fn nanoseconds(interval: &str) -> Option<i128> {
    const DAY: i128 = 24 * 60 * 60 * 1_000_000_000;

    match interval.strip_suffix('d') {
        _ if interval.is_empty() => Some(0),
        Some(days) => days.parse::<u32>().ok().map(|days| i128::from(days) * DAY),
        None => duration::parse(interval).ok().map(i128::from),
    }
}

fn on_metro(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if begins_dry_run(case).is_some()
        && let Some(policy) = metro(case)
    {
        let message = format!(
            "the clusters of DRPolicy \"{}\" share storage: the test waits until the application is cut off",
            policy.meta.name
        );
        report.say(DRY_RUN, message);
    }
}

/// A denial needs what the objects say: a failover to that very cluster was asked for, and Ramen has
/// not noted it as done. Putting `dryRun` back right after it was lost is no mistake.
fn midflight(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(old) = begins_dry_run(case) else {
        return;
    };
    let target = old.spec.failover_cluster.text();
    let same = target.is_some() && target == case.new.spec.failover_cluster.text();
    if action(old) != FAILOVER
        || action(case.new) != FAILOVER
        || old.meta.annotations.contains_key(TEST_FAILOVER)
    {
        return;
    }
    match phase(case.status()) {
        "FailingOver" | "Initiating" => {
            let message = "a real failover is under way";
            let noted = old.meta.annotation(LAST_CLUSTER);
            if same && noted.is_some() && noted != target {
                report.say(DRY_RUN, message);
            } else {
                report.advise(DRY_RUN, message);
            }
        }
        "FailedOver" if same => {
            report.advise(
                DRY_RUN,
                "the application has failed over to that cluster already",
            );
        }
        _ => {}
    }
}

/// Whether the request ends a test: nothing, perhaps (the status says so), or surely (Ramen's own
/// annotation does).
fn exit(case: &Case<'_, DRPlacementControl>) -> Option<bool> {
    ends_dry_run(case)?;
    let noted = case.new.meta.annotations.contains_key(TEST_FAILOVER);
    let seen = case
        .old
        .is_some_and(|old| old.meta.annotations.contains_key(TEST_FAILOVER))
        || progression(case.status()) == TESTING;
    (noted || seen).then_some(noted)
}

/// Whether the object asks for the failover that was only tried out.
fn is_promotion(case: &Case<'_, DRPlacementControl>) -> bool {
    let target = case.new.spec.failover_cluster.text();
    action(case.new) == FAILOVER
        && target.is_some()
        && target != case.new.meta.annotation(LAST_CLUSTER)
}

fn promotion(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if exit(case).is_some() && is_promotion(case) {
        let target = case.new.spec.failover_cluster.text().unwrap_or_default();
        let message = format!(
            "this makes the test on {} the real one: data since the test began is lost",
            quote(target)
        );
        let draft = report.say(DRY_RUN, message);
        if let Some(current) = case.new.meta.annotation(LAST_CLUSTER) {
            draft.fix(format!(
                "to end the test instead, {}",
                way_back(case.new.meta.annotation(LAST_ACTION), current)
            ));
        }
    }
}

/// What the object has to ask for, so that Ramen takes a test back.
fn way_back(last: Option<&str>, current: &str) -> String {
    match last {
        Some(FAILOVER) => format!(
            "set action \"Failover\" and failoverCluster {}",
            quote(current)
        ),
        Some(RELOCATE) => format!(
            "set action \"Relocate\" and preferredCluster {}",
            quote(current)
        ),
        _ => "take action away in the same change".to_owned(),
    }
}

/// Ramen ends a test only if the object asks again for what it asked for before.
///
/// Source: internal/controller/drplacementcontrol.go:314-371
fn revert_mismatch(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(certain) = exit(case) else { return };
    if is_promotion(case) {
        return;
    }
    let last = case.new.meta.annotation(LAST_ACTION);
    let Some(current) = case.new.meta.annotation(LAST_CLUSTER) else {
        report
            .advise(
                DRY_RUN,
                "Ramen has not noted where the application was, and can't end the test",
            )
            .fix("keep dryRun until the annotation last-app-deployment-cluster is back");
        return;
    };
    let (wanted, pointer, given) = match last {
        None => ("", "", None),
        Some(FAILOVER) => (FAILOVER, TARGET, case.new.spec.failover_cluster.text()),
        Some(RELOCATE) => (RELOCATE, PREFERRED, case.new.spec.preferred_cluster.text()),
        Some(other) => {
            report.advise(
                DRY_RUN,
                format!(
                    "the annotation last-action is {}, which is no action",
                    quote(other)
                ),
            );
            return;
        }
    };
    let (pointer, message) = if action(case.new) != wanted {
        (
            ACTION,
            format!(
                "was {} before the test, and is {} now",
                named(wanted),
                named(action(case.new))
            ),
        )
    } else if !pointer.is_empty() && given != Some(current) {
        (
            pointer,
            format!(
                "was {} before the test, and is {} now",
                quote(current),
                named(given.unwrap_or_default())
            ),
        )
    } else {
        return;
    };
    let draft = if certain {
        report.say(pointer, message)
    } else {
        report.advise(pointer, message)
    };
    draft.fix(format!("to end the test, {}", way_back(last, current)));
}

fn named(value: &str) -> String {
    if value.is_empty() {
        "not set".to_owned()
    } else {
        quote(value)
    }
}
