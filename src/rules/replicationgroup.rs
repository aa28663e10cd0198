//! ReplicationGroupSource and ReplicationGroupDestination: the two ends of a consistency group that
//! VolSync copies.
//!
//! In the order of `policies/replicationgroupsource.yaml`, then of
//! `policies/replicationgroupdestination.yaml`.

use super::{Case, Judged, Report, Rule, judged, label};
use crate::{
    api::{ReplicationGroupDestination, ReplicationGroupSource, Text},
    golang::{cron, quote},
};

judged! {
    ReplicationGroupSource: &[SOURCE];
    ReplicationGroupDestination: &[DESTINATION];
}

const SOURCE: &[Rule<ReplicationGroupSource>] = &[
    ("replicationgroup-owner-label", owner_label),
    ("rgs-schedule-cron", schedule_cron),
];

const DESTINATION: &[Rule<ReplicationGroupDestination>] = &[
    ("replicationgroup-owner-label", owner_label),
    ("replicationgroup-rdspec-not-volsync", not_volsync),
];

/// The labels by which Ramen finds the VolumeReplicationGroup: its name, and its namespace.
///
/// Source: internal/controller/util/misc.go:50-51
const OWNER: [&str; 2] = [
    "volumereplicationgroups-owner",
    "volumereplicationgroups-owner-namespace",
];

fn owner_label<K: Judged>(case: &Case<'_, K>, report: &mut Report) {
    for name in OWNER {
        if case.new.meta.label(name).is_none() {
            report.say(label(name), "is missing");
        }
    }
}

fn schedule_cron(case: &Case<'_, ReplicationGroupSource>, report: &mut Report) {
    let trigger = case.new.spec.trigger.as_ref();
    if let Some(schedule) = trigger.and_then(|trigger| trigger.schedule.text())
        && let Err(error) = cron::parse(schedule)
    {
        report.say(
            "/spec/trigger/schedule",
            format!("{} is no schedule: {error}", quote(schedule)),
        );
    }
}

fn not_volsync(case: &Case<'_, ReplicationGroupDestination>, report: &mut Report) {
    for (index, volume) in case.new.spec.rd_specs.iter().enumerate() {
        let pvc = volume.protected_pvc.as_ref();
        if !pvc.is_some_and(|pvc| pvc.protected_by_vol_sync.unwrap_or_default()) {
            let name = pvc.and_then(|pvc| pvc.name.text());
            let name = name.map_or_else(String::new, |name| format!(" of {}", quote(name)));
            report.say(
                format!("/spec/rdSpecs/{index}/protectedPVC/protectedByVolSync"),
                format!("is not true{name}"),
            );
        }
    }
}
