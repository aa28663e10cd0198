//! The storage classes that the clusters have in common, which the hub writes.

use std::collections::HashSet;

use crate::{
    api::{PeerClass, Text, VolumeReplicationGroup},
    golang::quote,
    rules::{Case, Report, Rule},
};

pub(super) const RULES: &[Rule<VolumeReplicationGroup>] = &[
    ("vrg-peerclass-storage-id-empty", storage_id),
    ("vrg-peerclass-duplicate-storage-class", duplicate),
    ("vrg-peerclass-offloaded-mixed", mixed),
];

/// The classes of both modes, each mode with its place.
fn classes<'a>(case: &Case<'a, VolumeReplicationGroup>) -> [(&'static str, &'a [PeerClass]); 2] {
    let spec = &case.new.spec;
    let copied = spec.async_.as_ref().map(|copies| &*copies.peer_classes);
    let shared = spec.sync.as_ref().map(|shared| &*shared.peer_classes);
    [
        ("/spec/async/peerClasses", copied.unwrap_or_default()),
        ("/spec/sync/peerClasses", shared.unwrap_or_default()),
    ]
}

fn storage_id(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    for (place, classes) in classes(case) {
        for (index, class) in classes.iter().enumerate() {
            if class.storage_id.is_empty() {
                let name = quote(class.storage_class_name.text().unwrap_or_default());
                report.say(
                    format!("{place}/{index}/storageID"),
                    format!("names no storage of storage class {name}"),
                );
            }
        }
    }
}

fn duplicate(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    for (place, classes) in classes(case) {
        let mut seen = HashSet::new();
        for (index, class) in classes.iter().enumerate() {
            let name = class.storage_class_name.text();
            if let Some(name) = name.filter(|name| !seen.insert(*name)) {
                report.say(
                    format!("{place}/{index}/storageClassName"),
                    format!("{} is there twice", quote(name)),
                );
            }
        }
    }
}

/// Which of the classes the volumes have is not known here.
fn mixed(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let [(place, classes), _] = classes(case);
    let some = |is: fn(&PeerClass) -> bool| classes.iter().any(is) && !classes.iter().all(is);
    let global: HashSet<&str> = classes
        .iter()
        .filter(|class| class.global == Some(true))
        .map(|class| class.group_replication_id.text().unwrap_or_default())
        .collect();
    let message = if some(|class| class.offloaded == Some(true)) {
        "has classes whose storage replicates by itself, and others"
    } else if some(|class| class.global == Some(true)) {
        "has classes that are replicated for all namespaces at once, and others"
    } else if global.len() > 1 {
        "has classes that are replicated for all namespaces at once, in several groups"
    } else {
        return;
    };
    report.say(place, message);
}
