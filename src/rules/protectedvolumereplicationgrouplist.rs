//! ProtectedVolumeReplicationGroupList: asks what an S3 store holds.
//!
//! In the order of `policies/protectedvolumereplicationgrouplist.yaml`.

use super::{Case, Report, Rule, judged};
use crate::{api::ProtectedVolumeReplicationGroupList, golang::quote, report::nearest};

judged! {
    ProtectedVolumeReplicationGroupList: &[RULES];
}

const RULES: &[Rule<ProtectedVolumeReplicationGroupList>] = &[
    ("pvrgl-profile-empty", profile_empty),
    ("pvrgl-profile-known", profile_known),
    ("pvrgl-spec-change-ignored", spec_change_ignored),
];

const PROFILE: &str = "/spec/s3ProfileName";

fn profile_empty(case: &Case<'_, ProtectedVolumeReplicationGroupList>, report: &mut Report) {
    if case.new.spec.s3_profile_name.is_empty() {
        report.say(PROFILE, "is empty");
    }
}

fn profile_known(case: &Case<'_, ProtectedVolumeReplicationGroupList>, report: &mut Report) {
    let name = &*case.new.spec.s3_profile_name;
    let config = case.world.cluster_operator_config(case.operator_namespace);
    let Some(config) = config.filter(|_| !name.is_empty()) else {
        return;
    };
    if config.profiles().any(|profile| profile == name) {
        return;
    }
    let finding = report.say(
        PROFILE,
        format!("{} is no profile of Ramen's configuration", quote(name)),
    );
    finding.configured(config, "");
    if let Some(near) = nearest(name, config.profiles()) {
        finding.fix(format!("write \"{near}\" if that is meant"));
    }
}

/// Ramen looks at nothing but whether there is a status.
fn spec_change_ignored(case: &Case<'_, ProtectedVolumeReplicationGroupList>, report: &mut Report) {
    let Some(old) = case.old.filter(|old| old.has_status()) else {
        return;
    };
    if old.spec.s3_profile_name != case.new.spec.s3_profile_name {
        let before = quote(&old.spec.s3_profile_name);
        report.say(
            PROFILE,
            format!("{before} has answered already, and no other store will"),
        );
    }
}
