//! What Ramen notes down on the object, the switches that are annotations, and who owns the object.

use serde_json::{Map, Value};

use crate::{
    api::{Doc, VolumeReplicationGroup},
    golang::quote,
    rules::{Case, Report, Rule, finalizer_removal, protection::flag},
};

pub(super) const RULES: &[Rule<VolumeReplicationGroup>] = &[
    ("vrg-annotation-boolean", flags),
    ("vrg-finalizer-removal", ramens_finalizer),
    ("vrg-manual-edit-of-manifestwork-object", manual_edit),
];

const FINALIZER: &str = "volumereplicationgroups.ramendr.openshift.io/vrg-protection";
/// What switches something on or off.
const FLAGS: [&str; 3] = [
    "drplacementcontrol.ramendr.openshift.io/is-submariner-enabled",
    "drplacementcontrol.ramendr.openshift.io/use-volsync-for-pvc-protection",
    "drplacementcontrol.ramendr.openshift.io/do-not-delete-pvc",
];

fn flags(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    for name in FLAGS {
        flag(case, name, report);
    }
}

fn ramens_finalizer(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    finalizer_removal(case, FINALIZER, report);
}

/// The spec without what is the same when it is left out: Ramen's own types write empty fields.
fn spelt_out(doc: &Doc) -> Value {
    let mut spec = doc.value.get("spec").cloned().unwrap_or_default();
    let is_empty = |value: &Value| value.as_object().is_some_and(Map::is_empty);
    let drop = |map: Option<&mut Value>, fields: &[&str]| {
        if let Some(map) = map.and_then(Value::as_object_mut) {
            map.retain(|name, value| !(fields.contains(&&**name) && is_empty(value)));
        }
    };
    drop(
        spec.get_mut("async"),
        &[
            "replicationClassSelector",
            "volumeSnapshotClassSelector",
            "volumeGroupSnapshotClassSelector",
        ],
    );
    drop(Some(&mut spec), &["volSync"]);
    spec
}

/// In a disaster people do this, and have to be able to.
fn manual_edit(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let owners = case.old.map_or(&[][..], |old| &old.meta.owner_references);
    let work = owners.iter().find(|owner| {
        owner.kind == "AppliedManifestWork"
            && owner
                .api_version
                .starts_with("work.open-cluster-management.io/")
    });
    if let (Some(work), Some(old)) = (work, case.old_doc)
        && spelt_out(old) != spelt_out(case.doc)
    {
        let message = format!(
            "is the hub's, which writes it by AppliedManifestWork {}",
            quote(&work.name)
        );
        report.say("/spec", message);
    }
}
