//! DRClusterConfig: what the hub tells a managed cluster about itself.
//!
//! In the order of `policies/drclusterconfig.yaml`.

use super::{Case, Report, Rule, judged};
use crate::{
    api::DRClusterConfig,
    golang::{cron, quote},
    world::Relation,
};

judged! {
    DRClusterConfig: &[RULES];
}

const RULES: &[Rule<DRClusterConfig>] = &[
    ("drclusterconfig-cluster-id", cluster_id),
    ("drclusterconfig-singleton", singleton),
    ("drclusterconfig-schedule-format", schedule_format),
];

fn cluster_id(case: &Case<'_, DRClusterConfig>, report: &mut Report) {
    if case.new.spec.cluster_id.is_empty() {
        let what = if case.new.has_spec {
            "is empty"
        } else {
            "is missing with the whole spec"
        };
        report.say("/spec/clusterID", what);
    }
}

/// One that is on its way out makes room: Open Cluster Management deletes and creates again.
fn singleton(case: &Case<'_, DRClusterConfig>, report: &mut Report) {
    let others = case.world.related::<DRClusterConfig>(Relation::Any, "");
    let staying = others.iter().find(|other| !other.meta.is_terminating());
    let Some(other) = staying.or(others.first()) else {
        return;
    };
    let name = &other.meta.name;
    let finding = if staying.is_some() {
        report.say(
            "/metadata/name",
            format!("there is DRClusterConfig \"{name}\" already"),
        )
    } else {
        report
            .advise(
                "/metadata/name",
                format!("DRClusterConfig \"{name}\" is being deleted, and still there"),
            )
            .fix("wait until it is gone")
    };
    finding.because(*other, "/metadata/name");
}

/// Ramen's own tests have a schedule in cron's form.
fn schedule_format(case: &Case<'_, DRClusterConfig>, report: &mut Report) {
    for (index, schedule) in case.new.spec.replication_schedules.iter().enumerate() {
        if !schedule.is_empty() && !is_interval(schedule) && cron::parse(schedule).is_err() {
            report.say(
                format!("/spec/replicationSchedules/{index}"),
                format!("{} is not an interval", quote(schedule)),
            );
        }
    }
}

/// Whether a policy could have this interval.
fn is_interval(text: &str) -> bool {
    let digits = text.strip_suffix(['m', 'h', 'd']).unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
