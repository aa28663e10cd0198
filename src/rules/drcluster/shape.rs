//! What a cluster says of itself.

use super::{Case, Report, Rule};
use crate::{
    api::{DRCluster, ManagedCluster, S3StoreProfile, Text},
    golang::{names, quote},
    report::nearest,
};

pub(super) const RULES: &[Rule<DRCluster>] = &[
    ("drcluster-spec-removal", crate::rules::spec_removal),
    ("drcluster-region-immutable", region_immutable),
    ("drcluster-region-unset", region_unset),
    ("drcluster-s3profile-empty", profile_empty),
    ("drcluster-s3profile-missing", profile_missing),
    ("drcluster-nos3", no_s3),
    ("drcluster-name", name),
    ("drcluster-managedcluster-missing", managed_cluster_missing),
];

const NO_S3: &str = S3StoreProfile::NONE;
const PROFILE: &str = "/spec/s3ProfileName";

/// Only between two regions: the CRD lets a cluster get its first one.
fn region_immutable(case: &Case<'_, DRCluster>, report: &mut Report) {
    let before = case.old.and_then(|old| old.spec.region.as_ref());
    if let (Some(before), Some(after)) = (before, &case.new.spec.region)
        && before != after
    {
        report.say(
            "/spec/region",
            format!("may not change after creation, and was \"{before}\""),
        );
    }
}

fn region_unset(case: &Case<'_, DRCluster>, report: &mut Report) {
    let before = case.old.and_then(|old| old.spec.region.text());
    if let (Some(before), None) = (before, &case.new.spec.region)
        && case.new.has_spec
    {
        report.say(
            "/spec/region",
            format!("may not be taken away, and was \"{before}\""),
        );
    }
}

fn profile_empty(case: &Case<'_, DRCluster>, report: &mut Report) {
    if case.new.has_spec && case.new.spec.s3_profile_name.is_empty() {
        report.say(PROFILE, "is empty");
    }
}

fn profile_missing(case: &Case<'_, DRCluster>, report: &mut Report) {
    let name = &*case.new.spec.s3_profile_name;
    if name.is_empty() || name == NO_S3 {
        return;
    }
    let Some(config) = case.world.hub_config(case.operator_namespace) else {
        return;
    };
    if config.profiles().any(|profile| profile == name) {
        return;
    }
    let message = format!("{} is no profile of Ramen's configuration", quote(name));
    let finding = report.say(PROFILE, message);
    finding.configured(config, "");
    if let Some(near) = nearest(name, config.profiles()) {
        finding.fix(format!(
            "if it should be \"{near}\", correct it before the DRCluster is stored"
        ));
    }
}

fn no_s3(case: &Case<'_, DRCluster>, report: &mut Report) {
    if case.new.spec.s3_profile_name == NO_S3 {
        report.say(
            PROFILE,
            format!("\"{NO_S3}\" says that there is no S3 store"),
        );
    }
}

fn name(case: &Case<'_, DRCluster>, report: &mut Report) {
    let name = &case.new.meta.name;
    // Where the API server makes the name up there is none yet.
    if let (false, Err(error)) = (name.is_empty(), names::dns_label(name)) {
        report.say(
            "/metadata/name",
            format!("{} can't be a cluster: its name {error}", quote(name)),
        );
    }
}

fn managed_cluster_missing(case: &Case<'_, DRCluster>, report: &mut Report) {
    let name = &case.new.meta.name;
    if !name.is_empty() && case.world.get::<ManagedCluster>("", name).is_missing() {
        report.say(
            "/metadata/name",
            format!("there is no ManagedCluster \"{name}\""),
        );
    }
}
