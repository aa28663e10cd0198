//! What a policy says of its clusters, against what is known of them.

use super::{Case, Report, Rule, clusters};
use crate::{
    api::{Condition, DRCluster, DRPolicy, ManagedCluster, Object, Text, condition},
    report::list,
    world::{Lookup, cluster_id, is_zero},
};

pub(super) const RULES: &[Rule<DRPolicy>] = &[
    ("drpolicy-interval-zero", interval_zero),
    ("drpolicy-drcluster-missing", cluster_missing),
    ("drpolicy-drcluster-unvalidated", cluster_unvalidated),
    ("drpolicy-drcluster-terminating", cluster_terminating),
    ("drpolicy-metro-overlap", metro_overlap),
    ("drpolicy-managedcluster-claim", managed_cluster_claim),
    ("drpolicy-s3-secrets", s3_secrets),
];

/// Which clusters of the list are DRClusters; nothing while nobody can say of one of them.
fn found<'a>(case: &Case<'a, DRPolicy>) -> Option<Vec<&'a Object<DRCluster>>> {
    let mut found = Vec::new();
    for (_, name) in clusters(case) {
        match case.world.get::<DRCluster>("", name) {
            Lookup::Found(cluster) => found.push(cluster),
            Lookup::Missing => {}
            Lookup::Unknown => return None,
        }
    }
    Some(found)
}

/// The other policies that have one of the clusters, each once, with the clusters in common.
fn overlapping<'a>(case: &Case<'a, DRPolicy>) -> Vec<(&'a Object<DRPolicy>, Vec<&'a str>)> {
    let mut others: Vec<(&Object<DRPolicy>, Vec<&str>)> = Vec::new();
    for (_, cluster) in clusters(case) {
        for policy in case.world.policies_with(cluster) {
            match others
                .iter_mut()
                .find(|(o, _)| o.meta.name == policy.meta.name)
            {
                Some((_, common)) if common.contains(&cluster) => {}
                Some((_, common)) => common.push(cluster),
                None => others.push((policy, vec![cluster])),
            }
        }
    }
    others
}

fn copies(policy: &Object<DRPolicy>) -> bool {
    let classes = policy.status().async_.as_ref();
    classes.is_some_and(|classes| !classes.peer_classes.is_empty())
}

fn interval_zero(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let interval = &case.new.spec.scheduling_interval;
    if !case.new.has_spec || !is_zero(interval) {
        return;
    }
    let place = "/spec/schedulingInterval";
    if let Some([first, second]) = found(case).as_deref()
        && let (Some(here), Some(there)) = (first.spec.region.text(), second.spec.region.text())
        && here != there
    {
        let message = format!(
            "\"{interval}\" is for shared storage, but the clusters are in regions \"{here}\" and \"{there}\""
        );
        let finding = report.say(place, message);
        finding
            .because(*first, "/spec/region")
            .because(*second, "/spec/region");
        return;
    }
    let copied = overlapping(case)
        .into_iter()
        .find(|(policy, common)| common.len() == 2 && copies(policy));
    if let Some((policy, _)) = copied {
        let name = &policy.meta.name;
        let message = format!(
            "\"{interval}\" is for shared storage, but DRPolicy \"{name}\" found storage of these clusters that is copied"
        );
        report
            .advise(place, message)
            .because(policy, "/status/async/peerClasses");
    }
}

fn cluster_missing(case: &Case<'_, DRPolicy>, report: &mut Report) {
    for (place, name) in clusters(case) {
        if case.world.get::<DRCluster>("", name).is_missing() {
            report.say(place, format!("there is no DRCluster \"{name}\""));
        }
    }
}

/// One validated cluster is enough for Ramen.
fn cluster_unvalidated(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let Some(found) = found(case).filter(|found| !found.is_empty()) else {
        return;
    };
    let validated = |cluster: &&Object<DRCluster>| {
        condition(&cluster.status().conditions, "Validated").is_some_and(Condition::is_true)
    };
    // Of clusters that Ramen has not looked at yet there is nothing to say.
    let looked_at = found.iter().any(|cluster| cluster.has_status());
    if looked_at && !found.iter().any(validated) {
        let names = list(found.iter().map(|cluster| &*cluster.meta.name));
        report.advise(
            "/spec/drClusters",
            format!("Ramen has validated none of {names}"),
        );
    }
}

fn cluster_terminating(case: &Case<'_, DRPolicy>, report: &mut Report) {
    for (place, name) in clusters(case) {
        if let Some(cluster) = case.world.get::<DRCluster>("", name).found()
            && cluster.meta.is_terminating()
        {
            let message = format!("DRCluster \"{name}\" is being deleted");
            report
                .say(place, message)
                .because(cluster, "/metadata/deletionTimestamp");
        }
    }
}

/// What the status of an older policy proves about a cluster.
#[derive(PartialEq)]
enum Shares {
    Yes,
    No,
    Unclear,
}

/// Whether an older policy has found that a cluster's storage is shared: by a storage class of one
/// storage, that names the cluster by its id.
///
/// Source: internal/controller/drplacementcontrol.go:2481-2513
fn shares(case: &Case<'_, DRPolicy>, policy: &Object<DRPolicy>, cluster: &str) -> Shares {
    let Some(sync) = &policy.status().sync else {
        return Shares::No;
    };
    let mut classes = sync
        .peer_classes
        .iter()
        .filter(|class| class.storage_id.len() == 1);
    // Ramen gives up on all of them at the first that names no cluster.
    if classes.clone().any(|class| class.cluster_ids.is_empty()) {
        return Shares::No;
    }
    if classes.clone().next().is_none() {
        return Shares::No;
    }
    let id = case
        .world
        .get::<ManagedCluster>("", cluster)
        .found()
        .and_then(cluster_id);
    match id {
        Some(id) if classes.any(|class| class.cluster_ids.iter().any(|known| known == id)) => {
            Shares::Yes
        }
        Some(_) => Shares::No,
        None => Shares::Unclear,
    }
}

fn metro_overlap(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let place = "/spec/drClusters";
    for (policy, common) in overlapping(case) {
        let name = &policy.meta.name;
        let answers: Vec<Shares> = common
            .iter()
            .map(|cluster| shares(case, policy, cluster))
            .collect();
        let shared = common
            .iter()
            .zip(&answers)
            .find(|(_, answer)| **answer == Shares::Yes);
        if let Some((cluster, _)) = shared {
            let message = format!(
                "the storage of \"{cluster}\" is shared under DRPolicy \"{name}\", so that no other policy may have it"
            );
            let finding = if policy.meta.is_terminating() {
                report.advise(place, message)
            } else {
                report.say(place, message)
            };
            finding.because(policy, "/status/sync/peerClasses");
        } else if answers.contains(&Shares::Unclear) {
            let common = list(common);
            let message = format!(
                "DRPolicy \"{name}\" has {common} too and found shared storage, perhaps theirs"
            );
            report
                .advise(place, message)
                .because(policy, "/status/sync/peerClasses");
        } else if is_zero(&case.new.spec.scheduling_interval) && copies(policy) {
            let common = list(common);
            let message = format!(
                "DRPolicy \"{name}\" has {common} too, so that this policy may not turn out to have shared storage"
            );
            report.advise(place, message).because(policy, place);
        }
    }
}

fn managed_cluster_claim(case: &Case<'_, DRPolicy>, report: &mut Report) {
    for (place, name) in clusters(case) {
        match case.world.get::<ManagedCluster>("", name) {
            Lookup::Missing => {
                report.say(place, format!("there is no ManagedCluster \"{name}\""));
            }
            Lookup::Found(managed) if cluster_id(managed).is_none() => {
                let message = format!("ManagedCluster \"{name}\" has not said its id");
                report
                    .say(place, message)
                    .because(managed, "/status/clusterClaims");
            }
            _ => {}
        }
    }
}

fn s3_secrets(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let Some(config) = case.world.hub_config(case.operator_namespace) else {
        return;
    };
    let Some(found) = found(case).filter(|found| found.len() == 2) else {
        return;
    };
    let profile = |cluster: &&Object<DRCluster>| {
        config
            .profiles()
            .any(|name| name == cluster.spec.s3_profile_name)
    };
    if config.distributes_secrets() && !found.iter().any(profile) {
        let names = list(found.iter().map(|cluster| &*cluster.spec.s3_profile_name));
        let message =
            format!("Ramen's configuration has none of the clusters' S3 profiles {names}");
        let finding = report.say("/spec/drClusters", message);
        for cluster in found {
            finding.because(cluster, "/spec/s3ProfileName");
        }
    }
}
