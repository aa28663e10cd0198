//! DRPolicy: the pair of clusters that applications are protected between.
//!
//! In the order of `policies/drpolicy.yaml`: what a policy says, and what it says it about.

mod clusters;
mod git;
mod shape;
mod users;

use super::{Case, Report, Rule, judged};
use crate::api::DRPolicy;

judged! {
    DRPolicy: &[shape::RULES, clusters::RULES, users::RULES, git::RULES];
}

/// The finalizer with which Ramen makes sure that it can clean up after a policy.
const FINALIZER: &str = "drpolicies.ramendr.openshift.io/ramen";

/// The clusters of a policy that can exist, each with its place in the list.
fn clusters<'a>(case: &Case<'a, DRPolicy>) -> impl Iterator<Item = (String, &'a str)> {
    let clusters = case.new.spec.dr_clusters.iter().enumerate();
    let named = clusters.map(|(index, name)| (format!("/spec/drClusters/{index}"), name.as_str()));
    named.filter(|(_, name)| crate::golang::names::dns_label(name).is_ok())
}
