//! DRCluster: a managed cluster that takes part in disaster recovery.
//!
//! In the order of `policies/drcluster.yaml`, but that each file has what it takes to judge its rules:
//! what a cluster says of itself, its networks, its fence, and who counts on it.

pub(crate) mod fence;
mod networks;
mod shape;
mod users;

use super::{Case, Report, Rule, judged};
use crate::api::{DRCluster, DRPolicy, Object, Text};

judged! {
    DRCluster: &[shape::RULES, networks::RULES, fence::RULES, users::RULES];
}

/// The finalizer with which Ramen makes sure that it can clean up after a cluster.
const FINALIZER: &str = "drclusters.ramendr.openshift.io/ramen";

/// What `clusterFence` asks for, absent or not.
pub(crate) fn fence(cluster: &Object<DRCluster>) -> &str {
    cluster.spec.cluster_fence.text().unwrap_or_default()
}

/// Whether Ramen is to do something to the storage: then it needs networks and another cluster.
fn fenced_by_ramen(fence: &str) -> bool {
    fence == "Fenced" || fence == "Unfenced"
}

/// What `clusterFence` asked for before an UPDATE.
fn fence_before<'a>(case: &Case<'a, DRCluster>) -> &'a str {
    case.old.map_or("", fence)
}

/// Whether Ramen has gone about a fence, so that it makes no other one.
///
/// Source: internal/controller/drcluster_controller.go:1822-1831
pub(crate) fn holds_fence(phase: Option<&str>) -> bool {
    matches!(phase, Some("Fencing" | "Fenced"))
}

/// The other clusters of the policies that have this one, as far as they are there, each once.
fn peers<'a>(case: &Case<'a, DRCluster>) -> Vec<(&'a Object<DRPolicy>, &'a Object<DRCluster>)> {
    let mut peers: Vec<(&Object<DRPolicy>, &Object<DRCluster>)> = Vec::new();
    for (policy, peer) in case.world.peers_of(&case.new.meta.name) {
        let Some(peer) = peer.found() else { continue };
        // Of two policies of the same clusters, one that stays says more than one that goes.
        match peers
            .iter_mut()
            .find(|(_, known)| known.meta.name == peer.meta.name)
        {
            Some((known, _)) if known.meta.is_terminating() => *known = policy,
            Some(_) => {}
            None => peers.push((policy, peer)),
        }
    }
    peers
}
