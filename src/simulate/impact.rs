//! The applications that fencing a cluster, or ending that, would hit or let go on.

use super::{Action, Told, World, others::named, row::Row};
use crate::{
    api::{DRPlacementControl, Key, Object, Text},
    rules::{
        drcluster::fence::failing_over_from,
        drplacementcontrol::state::{RELOCATE, action, is_dry_run, phase, progression, target},
    },
    world::{Lens, is_metro},
};

/// The applications that have to do with a cluster, by namespace and name.
#[derive(Default)]
struct Hit {
    /// They run there, and are not to leave.
    here: Vec<Key>,
    /// They are to leave, and Ramen waits for the fence, or works on it.
    leaving: Vec<Key>,
    /// They are to come.
    coming: Vec<Key>,
    /// They are leaving, and may not be gone there.
    lingering: Vec<Key>,
}

/// Source: internal/controller/drplacementcontrol.go:1025-1038, 1633-1654
pub(super) fn tell(world: &World, lens: &Lens<'_>, name: &str, asked: Action, told: &mut Told) {
    let hit = hit(world, lens, name);
    let rows = if asked == Action::Fence {
        [
            (
                Row::problem as fn(_, String) -> _,
                "runs-here",
                hit.here,
                "they lose their storage until they fail over, or the fence ends",
            ),
            (
                Row::ok,
                "leaving",
                hit.leaving,
                "a failover of theirs goes on once the cluster reports Fenced",
            ),
            (
                Row::problem,
                "coming",
                hit.coming,
                "nothing relocates to a fenced cluster, and what fails over to it finds no storage",
            ),
        ]
        .to_vec()
    } else {
        [
            (
                Row::problem as fn(_, String) -> _,
                "failing-over",
                hit.lingering,
                "their failover from here is not complete: where they still run here, two write to one volume",
            ),
            (
                Row::ok,
                "runs-here",
                hit.here,
                "they get their storage back",
            ),
            (
                Row::ok,
                "coming",
                hit.coming,
                "they go on once the fence is gone",
            ),
        ]
        .to_vec()
    };
    let mut any = false;
    for (row, check, mut keys, then) in rows {
        if keys.is_empty() {
            continue;
        }
        any = true;
        keys.sort();
        told.row(row(check, named(&keys)).then(then).of(keys));
    }
    if !any {
        told.row(Row::ok("applications", "none runs here, comes or leaves"));
    }
}

fn hit(world: &World, lens: &Lens<'_>, name: &str) -> Hit {
    let mut hit = Hit::default();
    for drpc in world.store.drpcs.iter() {
        let policy = lens.policy_of(drpc).found();
        let current = lens.current_cluster(drpc).or_else(|| first_home(drpc));
        let away = target(drpc).is_some_and(|to| to != name);
        let fails_over = drpc.spec.action.text() == Some("Failover") && !is_dry_run(drpc);
        let shares = policy.is_none_or(is_metro);
        if shares && failing_over_from(drpc, name) {
            hit.lingering.push(drpc.key());
        }
        if fails_over && away && shares && waits_here(drpc, current, name) {
            hit.leaving.push(drpc.key());
        } else if current == Some(name) {
            hit.here.push(drpc.key());
        } else if target(drpc) == Some(name) {
            let done = matches!(phase(drpc.status()), "FailedOver" | "Relocated");
            if !done || action(drpc) == RELOCATE {
                hit.coming.push(drpc.key());
            }
        }
    }
    hit
}

/// Where an application is that Ramen has not noted anything about: where it is first put.
fn first_home(drpc: &Object<DRPlacementControl>) -> Option<&str> {
    let preferred = drpc.spec.preferred_cluster.text();
    preferred.filter(|_| drpc.spec.action.text().is_none())
}

/// Whether a failover from a cluster has not gone on from there.
fn waits_here(drpc: &Object<DRPlacementControl>, current: Option<&str>, name: &str) -> bool {
    let waits = progression(drpc.status()) == "WaitForFencing";
    current == Some(name) || (waits && current.is_none())
}
