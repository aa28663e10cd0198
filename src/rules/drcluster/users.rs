//! Who counts on a cluster that goes.

use super::{Case, FINALIZER, Report, Rule, fence, fenced_by_ramen};
use crate::{
    api::DRCluster,
    report::list,
    rules::{finalizer_removal, some},
};

pub(super) const RULES: &[Rule<DRCluster>] = &[
    ("drcluster-delete-in-use", delete_in_use),
    ("drcluster-delete-fenced", delete_fenced),
    ("drcluster-finalizer-removal", ramens_finalizer),
];

fn delete_in_use(case: &Case<'_, DRCluster>, report: &mut Report) {
    let policies = case.world.policies_with(&case.new.meta.name);
    if !policies.is_empty() {
        let shown = some(&policies, |policy| list([&*policy.meta.name]));
        report.advise(
            "/metadata/name",
            format!(
                "\"{}\" is a cluster of DRPolicy {shown}",
                case.new.meta.name
            ),
        );
    }
}

fn delete_fenced(case: &Case<'_, DRCluster>, report: &mut Report) {
    let asked = fence(case.new);
    if fenced_by_ramen(asked) {
        report.advise("/spec/clusterFence", format!("is \"{asked}\""));
    }
}

fn ramens_finalizer(case: &Case<'_, DRCluster>, report: &mut Report) {
    finalizer_removal(case, FINALIZER, report);
}
