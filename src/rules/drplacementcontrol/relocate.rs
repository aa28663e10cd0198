//! Whether a Relocate that begins can end.

use super::state::{RELOCATE, begins, fails, is_fenced, is_recovering, metro, phase, target};
use crate::{
    api::{DRCluster, DRPlacementControl, ManagedCluster, Text},
    golang::quote,
    rules::{Case, Report},
};

const ACTION: &str = "/spec/action";
const TARGET: &str = "/spec/failoverCluster";

pub(super) fn with_failover_cluster(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let (Some(old), Some(cluster)) = (
        begins(case, RELOCATE),
        case.new.spec.failover_cluster.text(),
    ) else {
        return;
    };
    let changed = old.spec.failover_cluster.text() != Some(cluster);
    let preferred = case.new.spec.preferred_cluster.text();
    if changed && old.spec.preferred_cluster.text() == preferred {
        let goes = preferred.map_or_else(String::new, |preferred| {
            format!(", which is {}", quote(preferred))
        });
        report.say(
            TARGET,
            format!(
                "Relocate goes to preferredCluster{goes}, not to {}",
                quote(cluster)
            ),
        );
    }
}

pub(super) fn peer_not_ready(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let status = case.status();
    let excepted = phase(status) == "Relocating" || is_recovering(status);
    if begins(case, RELOCATE).is_some() && !excepted && fails(&status.conditions, "PeerReady") {
        report.say(
            ACTION,
            "the other cluster is not ready (PeerReady), so the application can't relocate",
        );
    }
}

pub(super) fn data_not_protected(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let status = case.status();
    if begins(case, RELOCATE).is_none() || is_recovering(status) {
        return;
    }
    let group = status
        .resource_conditions
        .as_ref()
        .map(|group| group.conditions.as_slice())
        .unwrap_or_default();
    let own = ["Protected"]
        .into_iter()
        .filter(|name| fails(&status.conditions, name));
    let groups = ["DataReady", "ClusterDataProtected"]
        .into_iter()
        .filter(|name| fails(group, name));
    let failing: Vec<&str> = own.chain(groups).collect();
    if !failing.is_empty() {
        report.say(
            ACTION,
            format!(
                "the application is not protected as a whole ({})",
                failing.join(", ")
            ),
        );
    }
}

pub(super) fn cluster_unreachable(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if begins(case, RELOCATE).is_none() {
        return;
    }
    let Some(policy) = case.world.policy_of(case.new).found() else {
        return;
    };
    for name in &policy.spec.dr_clusters {
        if let Some(cluster) = case.world.get::<ManagedCluster>("", name).found()
            && fails(
                &cluster.status().conditions,
                "ManagedClusterConditionAvailable",
            )
        {
            report
                .say(
                    ACTION,
                    format!("cluster \"{name}\" can't be reached, and Relocate needs both"),
                )
                .because(cluster, "/status/conditions");
        }
    }
}

pub(super) fn target_fenced(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let (Some(_), Some(name)) = (begins(case, RELOCATE), target(case.new)) else {
        return;
    };
    if metro(case).is_some()
        && let Some(cluster) = case.world.get::<DRCluster>("", name).found()
        && is_fenced(cluster)
    {
        report
            .say(
                ACTION,
                format!(
                    "cluster {} is fenced, and nothing relocates there before that ends",
                    quote(name)
                ),
            )
            .because(cluster, "/status/conditions");
    }
}
