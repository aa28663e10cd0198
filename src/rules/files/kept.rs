//! What is not kept in Git, since others write it.

use super::sync::{is_left_alone, is_never_pruned};
use crate::{
    api::{Kind, Meta, VolumeReplicationGroup},
    rules::{Case, Judged, Report},
};

/// Whether a file says what an object shall be. One with a uid was read from a cluster, and says what
/// it was.
pub(in crate::rules) fn is_kept(meta: &Meta) -> bool {
    meta.uid.is_empty() && !is_left_alone(meta)
}

/// The hub and the operators make these objects, and delete them.
pub(super) fn in_git<K: Judged>(case: &Case<'_, K>, report: &mut Report) {
    let meta = &case.new.meta;
    if !meta.uid.is_empty() {
        return;
    }
    if K::KIND != VolumeReplicationGroup::KIND {
        report.say(
            "/metadata/name",
            format!("a {} is made and deleted by Ramen", K::KIND),
        );
    } else if !is_never_pruned(meta) {
        // Where there is no hub, somebody has to write them. So long as nothing deletes them, that is fine.
        report.say(
            "/metadata/name",
            "a VolumeReplicationGroup is made by Ramen's hub; if a sync deletes it, the application is no \
             longer protected",
        );
    }
}
