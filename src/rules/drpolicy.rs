//! DRPolicy: the pair of clusters that applications are protected between.
//!
//! In the order of `policies/drpolicy.yaml`.

use super::{Case, Report, Rule, judged};
use crate::api::DRPolicy;

judged! {
    DRPolicy: &[RULES];
}

const RULES: &[Rule<DRPolicy>] = &[
    ("drpolicy-spec-removal", super::spec_removal),
    ("drpolicy-drclusters-count", clusters_count),
    ("drpolicy-drclusters-distinct", clusters_distinct),
];

fn clusters_count(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let count = case.new.spec.dr_clusters.len();
    if case.new.has_spec && count != 2 {
        report.say(
            "/spec/drClusters",
            format!("has {count} clusters, and needs two"),
        );
    }
}

fn clusters_distinct(case: &Case<'_, DRPolicy>, report: &mut Report) {
    if let [first, second] = case.new.spec.dr_clusters.as_slice()
        && first == second
    {
        report.say("/spec/drClusters/1", format!("\"{second}\" is there twice"));
    }
}
