//! The `DRPolicy`, and the clusters that are chosen from it.

use super::state::{FAILOVER, RELOCATE, action};
use crate::{
    api::{Condition, DRCluster, DRPlacementControl, DRPolicy, Object, Text, condition},
    golang::quote,
    report::{list, nearest},
    rules::{Case, Report, Rule},
    world::Placed,
};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[
    ("drpc-drpolicy-missing", policy_missing),
    ("drpc-drpolicy-terminating", policy_terminating),
    ("drpc-drpolicy-not-validated", policy_not_validated),
    ("drpc-drcluster-missing", cluster_missing),
    ("drpc-preferred-cluster-in-policy", preferred_in_policy),
    ("drpc-failover-cluster-in-policy", failover_in_policy),
    ("drpc-failover-cluster-stale", failover_stale),
    ("drpc-failover-cluster-required", failover_required),
    (
        "drpc-relocate-preferred-required",
        relocate_preferred_required,
    ),
    ("drpc-preferred-cluster-required", preferred_required),
    ("drpc-failover-blocked-without-preferred", failover_blocked),
];

const POLICY: &str = "/spec/drPolicyRef/name";
const PREFERRED: &str = "/spec/preferredCluster";
const TARGET: &str = "/spec/failoverCluster";

fn policy_missing(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if let Some(name) = case.new.spec.dr_policy_ref.name.text()
        && case.world.policy_of(case.new).is_missing()
    {
        report.say(POLICY, format!("there is no DRPolicy {}", quote(name)));
    }
}

fn policy_terminating(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if let Some(policy) = case.world.policy_of(case.new).found()
        && policy.meta.is_terminating()
    {
        let message = format!("DRPolicy \"{}\" is being deleted", policy.meta.name);
        report
            .say(POLICY, message)
            .because(policy, "/metadata/deletionTimestamp");
    }
}

fn policy_not_validated(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    // Of a policy that Ramen has not looked at yet there is nothing to say.
    let Some(policy) = case
        .world
        .policy_of(case.new)
        .found()
        .filter(|policy| policy.has_status())
    else {
        return;
    };
    let validated = condition(&policy.status().conditions, "Validated");
    if !validated.is_some_and(Condition::is_true) {
        let why = validated
            .map(|validated| &*validated.reason)
            .filter(|reason| !reason.is_empty());
        let why = why.map_or_else(String::new, |reason| format!(": {reason}"));
        report
            .say(
                POLICY,
                format!(
                    "Ramen has not validated DRPolicy \"{}\"{why}",
                    policy.meta.name
                ),
            )
            .because(policy, "/status/conditions");
    }
}

fn cluster_missing(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(policy) = case.world.policy_of(case.new).found() else {
        return;
    };
    for (index, name) in policy.spec.dr_clusters.iter().enumerate() {
        if case.world.get::<DRCluster>("", name).is_missing() {
            let message = format!(
                "DRPolicy \"{}\" names {}, and there is no such DRCluster",
                policy.meta.name,
                quote(name)
            );
            report
                .say(POLICY, message)
                .because(policy, format!("/spec/drClusters/{index}"));
        }
    }
}

/// The policy, if it is there and does not have the cluster. One without clusters may still get some.
fn without<'a>(case: &Case<'a, DRPlacementControl>, cluster: &str) -> Option<&'a Object<DRPolicy>> {
    let policy = case.world.policy_of(case.new).found()?;
    let clusters = &policy.spec.dr_clusters;
    (!clusters.is_empty() && !clusters.iter().any(|known| known == cluster)).then_some(policy)
}

/// States that a cluster is not one of the policy's, which can't change. Only a policy that goes may
/// come again with other clusters.
fn outside(
    case: &Case<'_, DRPlacementControl>,
    pointer: &str,
    cluster: Option<&str>,
    report: &mut Report,
) {
    let Some(cluster) = cluster else { return };
    let Some(policy) = without(case, cluster) else {
        return;
    };
    let known = || policy.spec.dr_clusters.iter().map(String::as_str);
    let message = format!(
        "{} is not one of {} of DRPolicy \"{}\"",
        quote(cluster),
        list(known()),
        policy.meta.name
    );
    let draft = if policy.meta.is_terminating() {
        report.advise(pointer, message)
    } else {
        report.say(pointer, message)
    };
    if let Some(meant) = nearest(cluster, known()) {
        draft.fix(format!("write \"{meant}\" if that is meant"));
    }
    draft.because(policy, "/spec/drClusters");
}

fn preferred_in_policy(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    outside(
        case,
        PREFERRED,
        case.new.spec.preferred_cluster.text(),
        report,
    );
}

fn failover_in_policy(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if action(case.new) == FAILOVER {
        outside(case, TARGET, case.new.spec.failover_cluster.text(), report);
    }
}

fn failover_stale(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if action(case.new) != FAILOVER {
        outside(case, TARGET, case.new.spec.failover_cluster.text(), report);
    }
}

fn failover_required(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if action(case.new) == FAILOVER && case.new.spec.failover_cluster.text().is_none() {
        report.say(TARGET, "is required by the action \"Failover\"");
    }
}

fn relocate_preferred_required(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if action(case.new) == RELOCATE && case.new.spec.preferred_cluster.text().is_none() {
        report.say(PREFERRED, "is required by the action \"Relocate\"");
    }
}

fn preferred_required(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let spec = &case.new.spec;
    if case.new.has_spec && action(case.new).is_empty() && spec.preferred_cluster.text().is_none() {
        report.say(
            PREFERRED,
            "is not set, so Ramen does not know where to deploy to",
        );
    }
}

/// Where the field was empty before, the failover may not wait for it.
fn failover_blocked(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if action(case.new) != FAILOVER || case.new.spec.preferred_cluster.text().is_some() {
        return;
    }
    let Placed::Placement(placement) = case.world.placement_of(case.new) else {
        return;
    };
    let message = format!(
        "is not set, which keeps Ramen from failing over Placement \"{}\"",
        placement.meta.name
    );
    let draft = match case.old {
        Some(old) if old.spec.preferred_cluster.text().is_none() => {
            report.advise(PREFERRED, message)
        }
        _ => report.say(PREFERRED, message),
    };
    draft.because(placement, "/metadata/name");
}
