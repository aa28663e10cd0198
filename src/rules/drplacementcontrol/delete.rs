//! Deleting: what Ramen needs for cleaning up after an application.

use super::state::{CLEANING, TESTING, fails, phase, progression};
use crate::{
    api::{DRCluster, DRPlacementControl, ManagedCluster, Text},
    golang::quote,
    rules::{Case, Report, Rule},
    world::Lookup,
};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[
    ("drpc-delete-dependencies-missing", dependencies_missing),
    ("drpc-delete-midaction", mid_action),
    ("drpc-delete-cluster-unreachable", cluster_unreachable),
];

const POLICY: &str = "/spec/drPolicyRef/name";

fn dependencies_missing(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    match case.world.policy_of(case.new) {
        Lookup::Missing => {
            let name = quote(case.new.spec.dr_policy_ref.name.text().unwrap_or_default());
            report.say(POLICY, format!("there is no DRPolicy {name} any more"));
        }
        Lookup::Found(policy) => {
            for (index, name) in policy.spec.dr_clusters.iter().enumerate() {
                if case.world.get::<DRCluster>("", name).is_missing() {
                    report
                        .say(
                            POLICY,
                            format!("there is no DRCluster {} any more", quote(name)),
                        )
                        .because(policy, format!("/spec/drClusters/{index}"));
                }
            }
        }
        Lookup::Unknown => {}
    }
}

fn mid_action(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let status = case.status();
    let (phase, progression) = (phase(status), progression(status));
    let under_way = if matches!(phase, "FailingOver" | "Relocating") {
        phase
    } else if progression == TESTING || CLEANING.contains(&progression) {
        progression
    } else {
        return;
    };
    report.say(
        "/spec/action",
        format!(
            "the application is in the middle of something ({})",
            quote(under_way)
        ),
    );
}

fn cluster_unreachable(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(policy) = case.world.policy_of(case.new).found() else {
        return;
    };
    for name in &policy.spec.dr_clusters {
        if let Some(managed) = case.world.get::<ManagedCluster>("", name).found()
            && fails(
                &managed.status().conditions,
                "ManagedClusterConditionAvailable",
            )
        {
            report
                .say(POLICY, format!("cluster {} can't be reached", quote(name)))
                .because(managed, "/status/conditions");
        } else if let Some(cluster) = case.world.get::<DRCluster>("", name).found()
            && cluster.meta.is_terminating()
        {
            report
                .say(
                    POLICY,
                    format!("DRCluster {} is being deleted", quote(name)),
                )
                .because(cluster, "/metadata/deletionTimestamp");
        }
    }
}
