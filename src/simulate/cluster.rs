//! The two clusters of an action with an application: whether Ramen can use them.

use super::{
    Told, World,
    application::{Case, said},
    fencing,
    row::{Row, State},
};
use crate::{
    api::{DRCluster, ManagedCluster, Object, Text, condition},
    golang::quote,
    rules::{
        drcluster::{fence, holds_fence},
        drplacementcontrol::state::is_fenced,
    },
    world::{Lens, Lookup},
};

/// What a cluster is to an application.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is where the application is.
    Home,
    /// It is where the application is to go.
    Target,
}

pub(super) fn tell(case: &Case<'_>, told: &mut Told) {
    let home = case.home().filter(|home| *home != case.target);
    let both = [
        home.map(|name| (name, Role::Home)),
        Some((case.target, Role::Target)),
    ];
    for (name, role) in both.into_iter().flatten() {
        let needed = role == Role::Target || !case.is_failover();
        let found = case.lens.get::<DRCluster>("", name);
        told.row(drcluster(name, &found, needed));
        if let Some(row) = managed(case.world, case.lens, name, told) {
            told.row(reached(row, case.is_failover(), role));
        }
    }
    if case.metro() == Some(true) {
        metro(case, home, told);
    }
}

/// What a DRCluster reports. Ramen goes by what the DRPolicy says of both.
///
/// Source: internal/controller/drplacementcontrol_controller.go:739-753, 1388-1450
pub(super) fn drcluster(name: &str, found: &Lookup<'_, DRCluster>, needed: bool) -> Row {
    let row = |state, value: String| {
        let state = if needed || state == State::Ok {
            state
        } else {
            State::Ok
        };
        Row::new(state, "dr-cluster", value).about(name)
    };
    let cluster = match found {
        Lookup::Found(cluster) => *cluster,
        Lookup::Missing => {
            let row = Row::problem(
                "dr-cluster",
                format!("there is no DRCluster {}", quote(name)),
            );
            return row
                .about(name)
                .then("Ramen carries out no action where one of a policy's clusters is missing");
        }
        Lookup::Unknown => return Row::unknown("dr-cluster", "nothing is known of it").about(name),
    };
    let value = summary(cluster);
    if cluster.meta.is_terminating() {
        return row(State::Problem, format!("{value}, being deleted"))
            .then("Ramen passes over what is on it");
    }
    match condition(&cluster.status().conditions, "Validated") {
        Some(found) if found.is_true() => row(State::Ok, format!("{value}, Validated")),
        Some(found) => row(
            State::Problem,
            format!("{value}, not Validated: {}", said(found)),
        )
        .then("Ramen goes by the DRPolicy and does not wait for it; what it says may still be in the way"),
        None => row(State::Unknown, format!("{value}, Validated is not reported")),
    }
}

/// The phase of a cluster, and what its fence is to be.
fn summary(cluster: &Object<DRCluster>) -> String {
    let phase = cluster.status().phase.text().unwrap_or("no phase");
    match fence(cluster) {
        "" => phase.to_owned(),
        asked => format!("{phase}, clusterFence {asked}"),
    }
}

/// Whether a managed cluster can be reached, as Open Cluster Management sees it. Nothing where files were
/// given and none of them has one.
pub(super) fn managed(world: &World, lens: &Lens<'_>, name: &str, told: &mut Told) -> Option<Row> {
    const CHECK: &str = "managed-cluster";

    if !world.live && world.store.managed_clusters.is_empty() {
        let note = "there are no ManagedClusters in what was given: nothing is said about whether the clusters \
                    can be reached";
        told.notes.push(note.to_owned());
        return None;
    }
    let row = match lens.get::<ManagedCluster>("", name) {
        Lookup::Missing => {
            Row::problem(CHECK, format!("there is no ManagedCluster {}", quote(name)))
        }
        Lookup::Unknown => Row::unknown(CHECK, "nothing is known of it"),
        Lookup::Found(cluster) => {
            let conditions = &cluster.status().conditions;
            match condition(conditions, "ManagedClusterConditionAvailable") {
                None => Row::unknown(CHECK, "not reported"),
                Some(found) if found.is_true() => Row::ok(CHECK, "available"),
                Some(found) => Row::problem(CHECK, format!("not available: {}", said(found))),
            }
        }
    };
    Some(row.about(name))
}

/// What it means that a cluster can't be reached. What Ramen asks itself is what it can read of the cluster.
///
/// Source: internal/controller/drplacementcontrol.go:850-877, 1277-1283
fn reached(mut row: Row, failover: bool, role: Role) -> Row {
    if row.state == State::Ok {
        return row;
    }
    let then = match (failover, role) {
        (true, Role::Home) => {
            row.state = State::Ok;
            "a failover does not need it"
        }
        (true, Role::Target) => {
            "a failover needs it: nothing starts there before it can be reached"
        }
        (false, _) => {
            if row.state == State::Problem {
                row.state = State::Waits;
            }
            "a relocation needs both clusters, and waits until both can be reached"
        }
    };
    row.then(then)
}

/// Where the clusters share their storage, a failover leaves only a cluster that is fenced, and a
/// relocation goes only to one that is not.
///
/// Source: internal/controller/drplacementcontrol.go:879-903, 1025-1038, 1633-1654
fn metro(case: &Case<'_>, home: Option<&str>, told: &mut Told) {
    let target = case.lens.get::<DRCluster>("", case.target).found();
    if case.is_failover() {
        if let Some(home) = home {
            home_fence(case, home, told);
        }
        if let Some(target) = target.filter(|target| wants_fence(target) || is_fenced(target)) {
            let row = Row::problem("target-fence", fence_state(target)).about(case.target);
            told.row(
                row.then("Ramen goes there all the same, and the application finds no storage"),
            );
        }
        return;
    }
    if case.is_there() {
        return;
    }
    let Some(target) = target else {
        told.row(Row::unknown("target-fence", "nothing is known of it").about(case.target));
        return;
    };
    let row = if is_fenced(target) {
        Row::waits("target-fence", fence_state(target))
            .then("Ramen relocates nothing there until that ends (clusterFence: Unfenced)")
    } else if wants_fence(target) {
        Row::problem("target-fence", fence_state(target))
            .then("once it is fenced, nothing relocates there")
    } else {
        Row::ok("target-fence", fence_state(target))
    };
    told.row(row.about(case.target));
}

fn home_fence(case: &Case<'_>, home: &str, told: &mut Told) {
    let cluster = match case.lens.get::<DRCluster>("", home) {
        Lookup::Found(cluster) => cluster,
        Lookup::Missing => return,
        Lookup::Unknown => {
            told.row(Row::unknown("fence", "nothing is known of it").about(home));
            return;
        }
    };
    if is_fenced(cluster) {
        told.row(Row::ok("fence", fence_state(cluster)).about(home));
        return;
    }
    let then = if wants_fence(cluster) {
        "Ramen stays in WaitForFencing until this DRCluster reports Fenced of its last change"
    } else {
        "Ramen stays in WaitForFencing until this DRCluster reports Fenced: set its clusterFence to Fenced, or \
         to ManuallyFenced once you have cut it off yourself"
    };
    told.row(
        Row::waits("fence", fence_state(cluster))
            .about(home)
            .then(then),
    );
    if fence(cluster) != "ManuallyFenced" {
        fencing::means(case.world, case.lens, cluster, told);
    }
}

/// Whether a cluster is to be fenced, by whomever.
pub(super) fn wants_fence(cluster: &Object<DRCluster>) -> bool {
    matches!(fence(cluster), "Fenced" | "ManuallyFenced")
}

/// How far a cluster's fence is, with the phase where that says more.
fn fence_state(cluster: &Object<DRCluster>) -> String {
    let phase = cluster.status().phase.as_deref();
    let state = reported_fence(cluster);
    match phase.filter(|phase| holds_fence(Some(phase)) || *phase == "Unfencing") {
        Some(phase) => format!("{state} (phase {phase})"),
        None => state,
    }
}

/// What the condition says of a cluster's fence.
pub(super) fn reported_fence(cluster: &Object<DRCluster>) -> String {
    match condition(&cluster.status().conditions, "Fenced") {
        _ if is_fenced(cluster) => "fenced".to_owned(),
        Some(found) if found.is_true() => "fenced, but not as of its last change".to_owned(),
        Some(found) if wants_fence(cluster) => format!("not fenced yet: {}", said(found)),
        Some(_) => "not fenced".to_owned(),
        None => "no fence is reported".to_owned(),
    }
}
