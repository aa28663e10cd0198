//! What the hub has seen of an application's `VolumeReplicationGroup`s on the managed clusters.

use serde::Deserialize;

use super::{Told, application::Case, row::Row};
use crate::{
    api::{
        Condition, DRCluster, VolumeReplicationGroupSpec, VolumeReplicationGroupStatus, condition,
    },
    rules::drplacementcontrol::common::home,
};

/// A `VolumeReplicationGroup` as a view has it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Group {
    metadata: Metadata,
    spec: VolumeReplicationGroupSpec,
    status: VolumeReplicationGroupStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    generation: i64,
}

impl Group {
    fn is_primary(&self) -> bool {
        self.spec.replication_state == "primary"
    }
}

/// What a view says.
enum Seen {
    /// The hub looks, and has this.
    Group(Box<Group>),
    /// The hub looks, and has nothing.
    Nothing,
    /// There is no view.
    NoView,
}

pub(super) fn tell(case: &Case<'_>, told: &mut Told) {
    if case.is_there() {
        return;
    }
    if !case.world.live && case.world.store.views.is_empty() {
        let note = "there are no ManagedClusterViews in what was given: nothing is said about the \
                    VolumeReplicationGroups on the clusters";
        told.notes.push(note.to_owned());
        return;
    }
    let target = seen(case, case.target);
    if case.is_failover() {
        secondary(case, &target, told);
    }
    if case.is_failover() && case.metro() == Some(false) {
        let home = case.home().filter(|home| *home != case.target);
        let home = home.map_or(Seen::NoView, |home| seen(case, home));
        maintenance(case, &home, told);
    }
}

/// Source: internal/controller/util/mcv_util.go:120-171
fn seen(case: &Case<'_>, cluster: &str) -> Seen {
    let namespace = home(case.lens, case.drpc).namespace;
    let is_group = |kind: &str| {
        let kind = kind.to_lowercase();
        kind == "volumereplicationgroup" || kind == "volumereplicationgroups"
    };
    let mut views: Vec<_> = case
        .world
        .store
        .views
        .iter()
        .filter(|view| {
            let scope = &view.spec.scope;
            let mut names = [&scope.kind, &scope.resource].into_iter().flatten();
            view.meta.namespace == cluster
                && names.any(|name| is_group(name))
                && scope.name.as_deref() == Some(&*case.drpc.meta.name)
                && scope.namespace.as_deref() == Some(&*namespace)
        })
        .collect();
    views.sort_by(|a, b| a.meta.name.cmp(&b.meta.name));
    let Some(view) = views.first() else {
        return Seen::NoView;
    };
    let status = view.status();
    let processed = condition(&status.conditions, "Processing").is_none_or(Condition::is_true);
    let group = status.result.as_ref().filter(|_| processed);
    match group.map(Group::deserialize) {
        Some(Ok(group)) => Seen::Group(Box::new(group)),
        _ => Seen::Nothing,
    }
}

fn unseen(case: &Case<'_>) -> &'static str {
    if case.world.live {
        "the hub does not look at the VolumeReplicationGroup"
    } else {
        "no view of the VolumeReplicationGroup was given"
    }
}

/// A failover goes only to a cluster whose group is secondary through and through, or primary already.
///
/// Source: internal/controller/drplacementcontrol.go:850-877
fn secondary(case: &Case<'_>, target: &Seen, told: &mut Told) {
    const CHECK: &str = "group-on-target";
    let then = "Ramen does not begin the failover until the group on the target is secondary";
    let row = match target {
        Seen::NoView => Row::unknown(CHECK, unseen(case)),
        Seen::Nothing => Row::waits(CHECK, "the hub can't see one").then(then),
        Seen::Group(group) if group.is_primary() => Row::ok(CHECK, "primary already"),
        Seen::Group(group) => {
            let state = group.status.state.as_deref().unwrap_or_default();
            let seen = group.status.observed_generation.unwrap_or_default();
            if state != "Secondary" {
                let state = if state.is_empty() { "no state" } else { state };
                Row::waits(CHECK, format!("to be secondary, and is {state}")).then(then)
            } else if seen != group.metadata.generation {
                Row::waits(CHECK, "secondary, but not as of its last change").then(then)
            } else {
                Row::ok(CHECK, "secondary")
            }
        }
    };
    told.row(row.about(case.target));
}

/// Some storage has to be told of a failover first: what each volume of the last known primary names.
///
/// Source: internal/controller/drplacementcontrol.go:1046-1121, 1200-1255
fn maintenance(case: &Case<'_>, home: &Seen, told: &mut Told) {
    const CHECK: &str = "storage-maintenance";
    let Seen::Group(group) = home else {
        let row = Row::unknown(CHECK, unseen(case)).about(case.target);
        told.row(row.then("Ramen looks in the S3 store which storage has to be made ready first"));
        return;
    };
    let mut needed: Vec<(&str, &str)> = Vec::new();
    for volume in &group.status.protected_pvcs {
        let id = volume.replication_id.as_ref();
        if let Some(id) = id.filter(|id| id.modes.iter().any(|mode| mode == "Failover")) {
            let one = (
                volume.csi_provisioner.as_deref().unwrap_or_default(),
                &*id.id,
            );
            if !needed.contains(&one) {
                needed.push(one);
            }
        }
    }
    if !group.is_primary() || needed.is_empty() {
        told.row(Row::ok(CHECK, "none is needed").about(case.target));
        return;
    }
    let cluster = case.lens.get::<DRCluster>("", case.target).found();
    let modes = cluster.map(|cluster| cluster.status().maintenance_modes.as_slice());
    let mode = |(driver, target): &(&str, &str)| {
        let mut modes = modes.unwrap_or_default().iter();
        modes.find(|it| it.storage_provisioner == *driver && it.target_id == *target)
    };
    let active = |one: &&(&str, &str)| {
        let found = mode(one).and_then(|it| condition(&it.conditions, "FailoverActivated"));
        found.is_some_and(Condition::is_true)
    };
    let open: Vec<_> = needed.iter().filter(|one| !active(one)).collect();
    let Some((driver, id)) = open.first() else {
        let value = format!("{} active", needed.len());
        told.row(Row::ok(CHECK, value).about(case.target));
        return;
    };
    let value = format!(
        "{} of {} active; not {driver} {id}",
        needed.len() - open.len(),
        needed.len()
    );
    let fails = |one: &&(&str, &str)| mode(one).is_some_and(|it| it.state == "Error");
    let row = if open.iter().copied().any(|one| fails(&one)) {
        Row::problem(CHECK, format!("{value}, in error"))
    } else {
        Row::ok(CHECK, value)
    };
    let then = "Ramen asks the storage for it on the way, and stays in WaitForStorageMaintenanceActivation until it \
                is active";
    told.row(row.then(then).about(case.target));
}
