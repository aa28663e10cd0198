//! The networks of a cluster's nodes: what a fence keeps away from the storage.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Case, Report, Rule, fence, fence_before, holds_fence, peers};
use crate::{
    api::{DRCluster, Object},
    golang::{
        cidr::{self, Cidr},
        quote,
    },
    rules::some,
};

pub(super) const RULES: &[Rule<DRCluster>] = &[
    ("drcluster-cidr-format", format),
    ("drcluster-cidr-too-broad", too_broad),
    ("drcluster-peer-cidr-overlap", overlap),
    ("drcluster-cidrs-undetected", undetected),
    ("drcluster-fence-needs-cidrs", fence_needs),
    ("drcluster-unfence-needs-cidrs", unfence_needs),
    ("drcluster-cidrs-change-while-fenced", changed_while_fenced),
];

/// The networks of a cluster that can be read, each with its place.
fn networks(cluster: &Object<DRCluster>) -> impl Iterator<Item = (String, &str, Cidr)> {
    let written = cluster.spec.cidrs.iter().enumerate();
    written.filter_map(|(index, text)| {
        Some((
            format!("/spec/cidrs/{index}"),
            &**text,
            cidr::parse(text).ok()?,
        ))
    })
}

fn format(case: &Case<'_, DRCluster>, report: &mut Report) {
    for (index, text) in case.new.spec.cidrs.iter().enumerate() {
        if cidr::parse(text).is_err() {
            report.say(
                format!("/spec/cidrs/{index}"),
                format!("{} is not a network", quote(text)),
            );
        }
    }
}

fn too_broad(case: &Case<'_, DRCluster>, report: &mut Report) {
    for (place, text, network) in networks(case.new) {
        if network.prefix == 0 {
            report.say(place, format!("\"{text}\" is every address there is"));
        }
    }
}

fn overlap(case: &Case<'_, DRCluster>, report: &mut Report) {
    let peers = peers(case);
    for (place, text, network) in networks(case.new) {
        for (policy, peer) in &peers {
            let theirs = networks(peer).find(|(_, _, theirs)| network.overlaps(theirs));
            let Some((their_place, their_text, _)) = theirs else {
                continue;
            };
            let name = &peer.meta.name;
            let message =
                format!("\"{text}\" has addresses of \"{their_text}\" of DRCluster \"{name}\"");
            let going = peer.meta.is_terminating() || policy.meta.is_terminating();
            let finding = if going {
                report.advise(&place, message)
            } else {
                report.say(&place, message)
            };
            finding
                .because(*peer, their_place)
                .because(*policy, "/spec/drClusters");
        }
    }
}

/// Ramen compares the texts, not the networks. Without any network it looks at nothing.
fn undetected(case: &Case<'_, DRCluster>, report: &mut Report) {
    let own = &case.new.spec.cidrs;
    let Some(config) = case.world.cluster_config(&case.new.meta.name) else {
        return;
    };
    if own.is_empty() {
        return;
    }
    let details = config
        .pointer("/status/storageAccessDetails")
        .and_then(Value::as_array);
    let detected = details
        .into_iter()
        .flatten()
        .filter_map(|detail| detail.get("cidrs")?.as_array());
    let detected: BTreeSet<&str> = detected.flatten().filter_map(Value::as_str).collect();
    let absent: Vec<&str> = detected
        .into_iter()
        .filter(|text| !own.iter().any(|known| known == text))
        .collect();
    if !absent.is_empty() {
        let shown = some(&absent, |text| format!("\"{text}\""));
        report.advise(
            "/spec/cidrs",
            format!("lacks {shown}, which the storage driver has found"),
        );
    }
}

fn fence_needs(case: &Case<'_, DRCluster>, report: &mut Report) {
    needed(case, "Fenced", report);
}

fn unfence_needs(case: &Case<'_, DRCluster>, report: &mut Report) {
    needed(case, "Unfenced", report);
}

fn needed(case: &Case<'_, DRCluster>, asked: &str, report: &mut Report) {
    if fence(case.new) == asked && case.new.spec.cidrs.is_empty() {
        report.say(
            "/spec/cidrs",
            format!("is empty, and clusterFence is \"{asked}\""),
        );
    }
}

/// Networks that are added after a fence has failed are the cure; then the phase is not a fence's.
fn changed_while_fenced(case: &Case<'_, DRCluster>, report: &mut Report) {
    let Some(old) = case.old else { return };
    if fence_before(case) != "Fenced" || !holds_fence(case.status().phase.as_deref()) {
        return;
    }
    let set = |cluster: &Object<DRCluster>| -> BTreeSet<String> {
        cluster.spec.cidrs.iter().cloned().collect()
    };
    if set(old) != set(case.new) {
        report.advise(
            "/spec/cidrs",
            "are other networks than the fence was made with",
        );
    }
}
