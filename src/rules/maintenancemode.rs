//! MaintenanceMode: the hub asks a cluster's storage to get ready for a failover.
//!
//! In the order of `policies/maintenancemode.yaml`. A failover may wait for the object, so its rules
//! only warn.

use super::{Case, Report, Rule, judged};
use crate::{
    api::{MaintenanceMode, Text},
    golang::quote,
    policy::Operation,
};

judged! {
    MaintenanceMode: &[RULES];
}

const RULES: &[Rule<MaintenanceMode>] = &[
    ("maintenancemode-provisioner", provisioner),
    ("maintenancemode-target-id", target_id),
    ("maintenancemode-modes", modes),
    ("maintenancemode-name", name),
    ("maintenancemode-user-edit", user_edit),
];

const MODES: &str = "/spec/modes";

fn provisioner(case: &Case<'_, MaintenanceMode>, report: &mut Report) {
    if case.new.spec.storage_provisioner.is_empty() {
        report.say("/spec/storageProvisioner", "is empty");
    }
}

fn target_id(case: &Case<'_, MaintenanceMode>, report: &mut Report) {
    if case.new.spec.target_id.text().is_none() {
        report.say("/spec/targetID", "is empty");
    }
}

fn modes(case: &Case<'_, MaintenanceMode>, report: &mut Report) {
    let modes = &case.new.spec.modes;
    if modes.is_empty() {
        report.say(MODES, "is empty");
    }
    for (index, mode) in modes.iter().enumerate() {
        if modes[..index].contains(mode) {
            report.say(
                format!("{MODES}/{index}"),
                format!("{} is there twice", quote(mode)),
            );
        }
    }
}

fn name(case: &Case<'_, MaintenanceMode>, report: &mut Report) {
    let name = &case.new.meta.name;
    // Where the API server makes the name up there is none yet.
    if let Some(target) = case.new.spec.target_id.text()
        && !name.is_empty()
        && name != target
    {
        report.say(
            "/metadata/name",
            format!("{} is not its targetID, {}", quote(name), quote(target)),
        );
    }
}

fn user_edit(case: &Case<'_, MaintenanceMode>, report: &mut Report) {
    if case.operation == Operation::Delete {
        report.say("/metadata/name", "is the hub's to take away");
    } else if case.old.is_some_and(|old| old.spec != case.new.spec) {
        report.say("/spec", "is the hub's to change");
    }
}
