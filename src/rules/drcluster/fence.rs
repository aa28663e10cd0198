//! A cluster's fence: whether Ramen can make it, and what becomes of it.
//!
//! Whoever fences a cluster is in the middle of a recovery. The engine lets these rules warn then.

use serde_json::Value;

use super::{Case, Report, Rule, fence, fence_before, fenced_by_ramen, holds_fence, peers};
use crate::{
    api::{DRCluster, DRPlacementControl, Object, Text},
    report::list,
    rules::some,
    world::{Lookup, Relation, is_metro},
};

pub(super) const RULES: &[Rule<DRCluster>] = &[
    ("drcluster-fence-storage-annotations", storage_annotations),
    ("drcluster-fence-no-peer", no_peer),
    ("drcluster-fence-regional", regional),
    ("drcluster-both-fenced", both_fenced),
    ("drcluster-fence-after-manual", after_manual),
    ("drcluster-fence-cleared", cleared),
    ("drcluster-unfence-during-failover", unfence_during_failover),
    ("drcluster-fence-impact", impact),
];

const FENCE: &str = "/spec/clusterFence";
/// What Ramen reads of the storage, in the order that it looks.
pub(crate) const STORAGE: [&str; 4] = [
    "drcluster.ramendr.openshift.io/storage-driver",
    "drcluster.ramendr.openshift.io/storage-secret-name",
    "drcluster.ramendr.openshift.io/storage-secret-namespace",
    "drcluster.ramendr.openshift.io/storage-clusterid",
];

fn storage_annotations(case: &Case<'_, DRCluster>, report: &mut Report) {
    if !fenced_by_ramen(fence(case.new)) {
        return;
    }
    let has_classes = |config: &Value| {
        let classes = config
            .pointer("/status/networkFenceClasses")
            .and_then(Value::as_array);
        classes.is_some_and(|classes| !classes.is_empty())
    };
    let mut configs = peers(case)
        .into_iter()
        .filter_map(|(_, peer)| case.world.cluster_config(&peer.meta.name));
    if configs.any(has_classes) {
        return;
    }
    let annotations = &case.new.meta.annotations;
    let mut missing = STORAGE
        .into_iter()
        .filter(|name| !annotations.contains_key(name));
    if let Some(first) = missing.next() {
        let more = match missing.count() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        report.advise(
            "/metadata/annotations",
            format!("there is no \"{first}\"{more}"),
        );
    }
}

/// Ramen passes over clusters that are missing or going.
fn no_peer(case: &Case<'_, DRCluster>, report: &mut Report) {
    let asked = fence(case.new);
    if !fenced_by_ramen(asked) || !case.world.store().policies.synced {
        return;
    }
    let peers = case.world.peers_of(&case.new.meta.name);
    let usable = |(_, peer): &(_, Lookup<'_, DRCluster>)| match peer {
        Lookup::Found(peer) => !peer.meta.is_terminating(),
        Lookup::Missing => false,
        Lookup::Unknown => true,
    };
    if peers.iter().any(usable) {
        return;
    }
    if peers.is_empty() {
        report.say(
            FENCE,
            format!("\"{asked}\" is done from another cluster, but no DRPolicy names this one"),
        );
    } else {
        let message = format!(
            "\"{asked}\" is done from another cluster, but none of its DRPolicies' is there"
        );
        report
            .say(FENCE, message)
            .fix("create the other DRCluster first");
    }
}

fn regional(case: &Case<'_, DRCluster>, report: &mut Report) {
    if fence(case.new) != "Fenced" {
        return;
    }
    let here = case.new.spec.region.text();
    let others: Vec<_> = case
        .world
        .peers_of(&case.new.meta.name)
        .into_iter()
        .collect();
    if others
        .iter()
        .any(|(_, peer)| matches!(peer, Lookup::Unknown))
    {
        return;
    }
    let others: Vec<_> = others
        .into_iter()
        .filter_map(|(policy, peer)| Some((policy, peer.found()?)))
        .collect();
    let mut usable = others
        .iter()
        .filter(|(_, peer)| !peer.meta.is_terminating())
        .peekable();
    if usable.peek().is_none() {
        return;
    }
    let shared = |policy: &Object<crate::api::DRPolicy>| {
        policy
            .status()
            .sync
            .as_ref()
            .is_some_and(|sync| !sync.peer_classes.is_empty())
    };
    // Two clusters that say no region are in the same one.
    if usable.any(|(policy, peer)| shared(policy) || peer.spec.region.text() == here) {
        return;
    }
    let names = list(others.iter().map(|(policy, _)| &*policy.meta.name));
    let finding = report.say(
        FENCE,
        format!("\"Fenced\" needs shared storage, and DRPolicy {names} found none"),
    );
    for (policy, peer) in others {
        finding
            .because(policy, "/status/sync/peerClasses")
            .because(peer, "/spec/region");
    }
}

fn both_fenced(case: &Case<'_, DRCluster>, report: &mut Report) {
    let asked = fence(case.new);
    if asked != "Fenced" && asked != "ManuallyFenced" {
        return;
    }
    for (policy, peer) in peers(case) {
        let name = &peer.meta.name;
        let (theirs, phase) = (fence(peer), peer.status().phase.as_deref());
        let going = peer.meta.is_terminating() || policy.meta.is_terminating();
        let finding = match theirs {
            "Fenced" if asked == "Fenced" && !going => report.say(
                FENCE,
                format!("DRCluster \"{name}\" is to be fenced already"),
            ),
            "Fenced" | "ManuallyFenced" => report.advise(
                FENCE,
                format!("clusterFence of DRCluster \"{name}\" is \"{theirs}\""),
            ),
            _ if holds_fence(phase) => {
                let phase = phase.unwrap_or_default();
                report.advise(
                    FENCE,
                    format!("DRCluster \"{name}\" is in phase \"{phase}\" still"),
                )
            }
            _ => continue,
        };
        finding
            .because(peer, FENCE)
            .because(policy, "/spec/drClusters");
    }
}

fn after_manual(case: &Case<'_, DRCluster>, report: &mut Report) {
    let phase = case.status().phase.as_deref();
    if fence_before(case) == "ManuallyFenced" && fence(case.new) == "Fenced" && holds_fence(phase) {
        let phase = phase.unwrap_or_default();
        report.advise(
            FENCE,
            format!("was \"ManuallyFenced\", and in phase \"{phase}\" Ramen makes no fence"),
        );
    }
}

fn cleared(case: &Case<'_, DRCluster>, report: &mut Report) {
    let phase = case.status().phase.as_deref();
    if fence_before(case) != "Fenced" || !holds_fence(phase) {
        return;
    }
    let message = match fence(case.new) {
        "" => "is gone, but the fence stays".to_owned(),
        asked @ ("ManuallyUnfenced" | "ManuallyFenced") => {
            format!("\"{asked}\" leaves Ramen's fence where it is")
        }
        _ => return,
    };
    report.advise(FENCE, message);
}

/// Whether a failover from a cluster may still start the application, or leave it running there.
pub(crate) fn failing_over_from(drpc: &Object<DRPlacementControl>, cluster: &str) -> bool {
    let (spec, status) = (&drpc.spec, drpc.status());
    let away = spec.action.text() == Some("Failover")
        && spec.failover_cluster.text().is_some_and(|to| to != cluster);
    let under_way = status.phase.as_deref() == Some("FailingOver")
        || matches!(
            status.progression.as_deref(),
            Some("Cleaning Up" | "WaitOnUserToCleanUp")
        );
    away && under_way
}

fn unfence_during_failover(case: &Case<'_, DRCluster>, report: &mut Report) {
    let fenced = |fence: &str| fence == "Fenced" || fence == "ManuallyFenced";
    if !fenced(fence_before(case)) || fenced(fence(case.new)) {
        return;
    }
    let cluster = &*case.new.meta.name;
    for policy in case
        .world
        .policies_with(cluster)
        .into_iter()
        .filter(|policy| is_metro(policy))
    {
        let mut drpcs = case
            .world
            .related::<DRPlacementControl>(Relation::Policy, &policy.meta.name);
        drpcs.retain(|drpc| failing_over_from(drpc, cluster));
        for drpc in drpcs {
            let message = format!("{} is failing over from this cluster", drpc.key());
            let finding = if drpc.meta.is_terminating() {
                report.advise(FENCE, message)
            } else {
                report.say(FENCE, message)
            };
            finding
                .because(drpc, "/spec/action")
                .because(policy, "/spec/drClusters");
        }
    }
}

/// A failover that is only tried out leaves the application where it is.
fn impact(case: &Case<'_, DRCluster>, report: &mut Report) {
    if fence(case.new) != "Fenced" {
        return;
    }
    let cluster = &*case.new.meta.name;
    let mut drpcs = case
        .world
        .related::<DRPlacementControl>(Relation::LastCluster, cluster);
    drpcs.retain(|drpc| {
        let spec = &drpc.spec;
        let leaves = spec.action.text() == Some("Failover")
            && spec.failover_cluster.text().is_some_and(|to| to != cluster);
        !leaves || spec.dry_run == Some(true)
    });
    if !drpcs.is_empty() {
        let shown = some(&drpcs, |drpc| drpc.key().to_string());
        report.advise(FENCE, format!("cuts off {shown}"));
    }
}
