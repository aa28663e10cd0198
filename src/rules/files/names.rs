//! Annotations and labels that are almost one that somebody reads.
//!
//! The API server takes any name, and nobody looks at one that is misspelt.

use strsim::damerau_levenshtein;

use crate::rules::{Case, Judged, Report, annotation, label};

/// The annotations that Ramen, Open Cluster Management, Argo CD and the guard read from objects of the
/// kinds that people write.
///
/// Source: internal/controller/drplacementcontrol.go:33-57, drplacementcontrol_controller.go:61-64,
/// drcluster_controller.go:73-80, util/misc.go:31-39
const ANNOTATIONS: [&str; 28] = [
    "drplacementcontrol.ramendr.openshift.io/app-namespace",
    "drplacementcontrol.ramendr.openshift.io/destination-cluster",
    "drplacementcontrol.ramendr.openshift.io/do-not-delete-pvc",
    "drplacementcontrol.ramendr.openshift.io/dr-action-count",
    "drplacementcontrol.ramendr.openshift.io/drpc-name",
    "drplacementcontrol.ramendr.openshift.io/drpc-namespace",
    "drplacementcontrol.ramendr.openshift.io/drpc-uid",
    "drplacementcontrol.ramendr.openshift.io/enable-diff",
    "drplacementcontrol.ramendr.openshift.io/is-cg-enabled",
    "drplacementcontrol.ramendr.openshift.io/is-submariner-enabled",
    "drplacementcontrol.ramendr.openshift.io/last-action",
    "drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster",
    "drplacementcontrol.ramendr.openshift.io/network-mapping",
    "drplacementcontrol.ramendr.openshift.io/test-failover-dryrun",
    "drplacementcontrol.ramendr.openshift.io/use-volsync-for-pvc-protection",
    "drcluster.ramendr.openshift.io/drcluster-name",
    "drcluster.ramendr.openshift.io/storage-clusterid",
    "drcluster.ramendr.openshift.io/storage-driver",
    "drcluster.ramendr.openshift.io/storage-secret-name",
    "drcluster.ramendr.openshift.io/storage-secret-namespace",
    "cluster.open-cluster-management.io/experimental-scheduling-disable",
    "argocd.argoproj.io/compare-options",
    "argocd.argoproj.io/sync-options",
    "argocd.argoproj.io/sync-wave",
    "argocd.argoproj.io/tracking-id",
    "argocd.argoproj.io/hook-delete-policy",
    "guard.ramendr.openshift.io/break-glass",
    "guard.ramendr.openshift.io/exempt",
];

/// Labels, of the same sort.
///
/// Source: internal/controller/util/labels.go:12-21, util/misc.go:44, util/pvcs_util.go:34,
/// volumereplicationgroup_controller.go:605-620
const LABELS: [&str; 14] = [
    "cluster.open-cluster-management.io/backup",
    "drclusterconfigs.ramendr.openshift.io/owner",
    "ramendr.openshift.io/consistency-group",
    "ramendr.openshift.io/created-by-ramen",
    "ramendr.openshift.io/global-vgr",
    "ramendr.openshift.io/groupreplicationid",
    "ramendr.openshift.io/maintenancemodes",
    "ramendr.openshift.io/owner-name",
    "ramendr.openshift.io/owner-namespace",
    "ramendr.openshift.io/owner-namespace-name",
    "ramendr.openshift.io/replicationid",
    "ramendr.openshift.io/storageid",
    "volumereplicationgroups-owner",
    "volumereplicationgroups-owner-namespace",
];

/// The kind's own name for what is known by a wrong one.
#[derive(Debug, PartialEq, Eq)]
enum Slip {
    /// Another name was meant.
    Misspelt(&'static str),
    /// It is read from the annotations.
    Annotation,
}

/// A name and what it is below; nothing is below most.
fn split(name: &str) -> (&str, &str) {
    name.split_once('/').unwrap_or(("", name))
}

/// The name that was meant, if one is near enough. Two that are both read are never mistaken for each
/// other, and what may be somebody else's is let be.
fn meant(name: &str) -> Option<&'static str> {
    const SLIPS: usize = 2;
    const SHORTEST: usize = 6;
    let known = || ANNOTATIONS.into_iter().chain(LABELS);
    if known().any(|other| other == name) {
        return None;
    }
    let (domain, word) = split(name);
    let is_ramens = domain == "ramendr.openshift.io"
        || domain.ends_with(".ramendr.openshift.io")
        || domain.contains("ramen") && domain.ends_with("openshift.io");
    let weighed = known().filter_map(|other| {
        let (near_domain, near_word) = split(other);
        let slips = damerau_levenshtein(&word.to_lowercase(), near_word);
        let strays = damerau_levenshtein(&domain.to_lowercase(), near_domain);
        let same_word =
            slips == 0 && (is_ramens && near_domain.contains("ramendr") || strays <= SLIPS);
        let near = slips <= SLIPS && near_word.len() >= SHORTEST && strays <= SLIPS;
        // A word that is not below anything may be anybody's.
        let owned = !domain.is_empty() || near_word.len() > 3 * SHORTEST;
        ((same_word || near) && owned).then_some((slips + strays, other))
    });
    weighed.min().map(|(_, other)| other)
}

fn slip(name: &str, is_label: bool) -> Option<Slip> {
    if let Some(meant) = meant(name) {
        return Some(Slip::Misspelt(meant));
    }
    let (domain, _) = split(name);
    let ours = domain.ends_with("ramendr.openshift.io");
    (is_label && ours && ANNOTATIONS.contains(&name)).then_some(Slip::Annotation)
}

/// A name that nobody reads, for which a near one is read.
pub(super) fn misspelt<K: Judged>(case: &Case<'_, K>, report: &mut Report) {
    let meta = &case.new.meta;
    let annotations = meta.annotations.names().map(|name| (name, false));
    let labels = meta.labels.names().map(|name| (name, true));
    // What was there before is no news.
    let is_old = |(name, is_label): &(&str, bool)| {
        case.old.is_some_and(|old| {
            let names = if *is_label {
                &old.meta.labels
            } else {
                &old.meta.annotations
            };
            names.contains_key(name)
        })
    };
    for (name, is_label) in annotations.chain(labels).filter(|it| !is_old(it)) {
        let pointer = if is_label {
            label(name)
        } else {
            annotation(name)
        };
        match slip(name, is_label) {
            Some(Slip::Misspelt(meant)) => {
                report
                    .say(pointer, "nobody reads this name")
                    .fix(format!("did you mean \"{meant}\"?"));
            }
            Some(Slip::Annotation) => {
                report
                    .say(pointer, "is read from the annotations, and this is a label")
                    .fix("move it to the annotations");
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_those_of_others_are_let_be() {
        const DO_NOT_DELETE: &str = "drplacementcontrol.ramendr.openshift.io/do-not-delete-pvc";
        for (name, found) in [
            (DO_NOT_DELETE, None),
            (
                "drplacementcontrol.ramendr.openshift.io/do-not-delete-pvcs",
                Some(DO_NOT_DELETE),
            ),
            (
                "drplacementcontrols.ramendr.openshift.io/do-not-delete-pvc",
                Some(DO_NOT_DELETE),
            ),
            (
                "ramendr.openshift.io/do-not-delete-pvc",
                Some(DO_NOT_DELETE),
            ),
            (
                "drplacementcontrol.ramen.openshift.io/do-not-delete-pvc",
                Some(DO_NOT_DELETE),
            ),
            (
                "drpc.ramendr.openshift.io/Do-Not-Delete-PVC",
                Some(DO_NOT_DELETE),
            ),
            ("do-not-delete-pvc", None),
            ("example.com/do-not-delete-pvc", None),
            ("ramen.example.com/do-not-delete-pvc", None),
            (
                concat!("guard.", "ramendr.openshift.io/exmept"),
                Some("guard.ramendr.openshift.io/exempt"),
            ),
            (
                "cluster.open-cluster-management.io/experimental-scheduling-disabled",
                Some("cluster.open-cluster-management.io/experimental-scheduling-disable"),
            ),
            ("cluster.open-cluster-management.io/clusterset", None),
            (
                "argocd.argoproj.io/sync-waves",
                Some("argocd.argoproj.io/sync-wave"),
            ),
            ("argocd.argoproj.io/managed-by", None),
            ("ramendr.openshift.io/something-new", None),
            ("ramendr.openshift.io/owner-name", None),
            (
                "volumereplicationgroup-owner",
                Some("volumereplicationgroups-owner"),
            ),
            ("app", None),
            ("", None),
        ] {
            assert_eq!(meant(name), found, "{name}");
        }
    }

    #[test]
    fn an_annotation_among_the_labels_is_seen() {
        let name = "drplacementcontrol.ramendr.openshift.io/is-cg-enabled";
        assert_eq!(slip(name, true), Some(Slip::Annotation));
        assert_eq!(slip(name, false), None);
        assert_eq!(slip("argocd.argoproj.io/tracking-id", true), None);
    }
}
