//! Where an application would go, if nobody says.

use super::{Action, Ask, AskError, Goes, World};
use crate::{
    api::{DRPlacementControl, Doc, Key, Object, Text},
    golang::quote,
    report::{list, plain},
    rules::drplacementcontrol::state::{
        FAILOVER, action, is_dry_run, is_recovering, phase, progression,
    },
    world::Lens,
};

type Drpc = Object<DRPlacementControl>;

/// The cluster that is asked for, else the one that is clear.
///
/// # Errors
/// When none is.
pub(super) fn choose(world: &World, key: &Key, doc: &Doc, ask: &Ask<'_>) -> Result<Goes, AskError> {
    if let Some(to) = ask.to {
        return Ok(Goes {
            to: to.to_owned(),
            because: "--to".to_owned(),
        });
    }
    let lens = Lens::new(&world.store, None, key);
    let drpc = Object::<DRPlacementControl>::read(doc).unwrap_or_else(|_| empty());
    let found = match ask.action {
        Action::Relocate => relocation(&lens, &drpc),
        _ => failover(&lens, &drpc),
    };
    found.map_err(|why| AskError::NoTarget {
        about: key.to_string(),
        why: plain(why),
        choices: choices(world, &lens, &drpc),
    })
}

/// What stands for an application that can't be read: nothing is clear of it.
fn empty() -> Drpc {
    Object::read(&Doc::default()).unwrap_or_else(|_| unreachable!("an empty object can be read"))
}

/// The clusters that can be named with `--to`.
fn choices(world: &World, lens: &Lens<'_>, drpc: &Drpc) -> String {
    let mut names: Vec<&str> = clusters(lens, drpc);
    if names.is_empty() {
        names = world
            .store
            .clusters
            .iter()
            .map(|cluster| &*cluster.meta.name)
            .collect();
        names.sort_unstable();
    }
    if names.is_empty() {
        return "no DRPolicy and no DRCluster is known".to_owned();
    }
    plain(list(names))
}

/// The clusters of an application's policy.
fn clusters<'a>(lens: &Lens<'a>, drpc: &Drpc) -> Vec<&'a str> {
    let policy = lens.policy_of(drpc).found();
    let names = policy.map(|policy| policy.spec.dr_clusters.iter().map(String::as_str));
    names.into_iter().flatten().collect()
}

/// The one other cluster of the policy.
fn other<'a>(lens: &Lens<'a>, drpc: &Drpc, than: &str) -> Option<(&'a str, &'a str)> {
    let policy = lens.policy_of(drpc).found()?;
    match policy.spec.dr_clusters.as_slice() {
        [one, two] if one == than && two != than => Some((two, &policy.meta.name)),
        [one, two] if two == than && one != than => Some((one, &policy.meta.name)),
        _ => None,
    }
}

/// Why the policy names no other cluster.
fn no_other(lens: &Lens<'_>, drpc: &Drpc) -> String {
    let name = quote(drpc.spec.dr_policy_ref.name.text().unwrap_or_default());
    if lens.policy_of(drpc).found().is_some() {
        format!("it is not one of the two clusters of its DRPolicy {name}")
    } else {
        format!("its DRPolicy {name} is not known")
    }
}

fn goes(to: &str, because: String) -> Goes {
    Goes {
        to: to.to_owned(),
        because: plain(because),
    }
}

/// Of a failover that is under way, where it goes; else the other cluster of the policy.
fn failover(lens: &Lens<'_>, drpc: &Drpc) -> Result<Goes, String> {
    let asked = drpc.spec.failover_cluster.text();
    let current = lens.current_cluster(drpc);
    if action(drpc) == FAILOVER
        && let Some(to) = asked
        && (is_dry_run(drpc) || under_way(drpc))
    {
        return Ok(goes(
            to,
            "spec.failoverCluster of the failover that is under way".to_owned(),
        ));
    }
    let (from, how) = match (current, drpc.spec.preferred_cluster.text()) {
        (Some(current), _) => (current, "where the application is"),
        (None, Some(preferred)) if action(drpc).is_empty() => (
            preferred,
            "its preferredCluster, as nothing says where the application is",
        ),
        _ => return Err("nothing says which cluster the application is on".to_owned()),
    };
    if let Some((to, policy)) = other(lens, drpc, from) {
        return Ok(goes(
            to,
            format!(
                "the other cluster of DRPolicy {} than {}, {how}",
                quote(policy),
                quote(from)
            ),
        ));
    }
    match asked {
        Some(to) if to != from && clusters(lens, drpc).is_empty() => Ok(goes(
            to,
            "spec.failoverCluster, as the DRPolicy is not known".to_owned(),
        )),
        _ => Err(format!(
            "the application is on {}, and {}",
            quote(from),
            no_other(lens, drpc)
        )),
    }
}

/// Whether a failover that was asked for is not complete.
fn under_way(drpc: &Drpc) -> bool {
    let status = drpc.status();
    let complete = matches!(progression(status), "Completed" | "");
    !is_recovering(status) && (matches!(phase(status), "Initiating" | "FailingOver") || !complete)
}

/// The `preferredCluster`, unless the application is there.
fn relocation(lens: &Lens<'_>, drpc: &Drpc) -> Result<Goes, String> {
    let current = lens.current_cluster(drpc);
    match (drpc.spec.preferred_cluster.text(), current) {
        (Some(preferred), Some(current)) if preferred == current => Err(format!(
            "the application is on its preferredCluster {} already",
            quote(current)
        )),
        (Some(preferred), _) => Ok(goes(preferred, "spec.preferredCluster".to_owned())),
        (None, Some(current)) => match other(lens, drpc, current) {
            Some((to, policy)) => Ok(goes(
                to,
                format!(
                    "the other cluster of DRPolicy {} than {}, where the application is",
                    quote(policy),
                    quote(current)
                ),
            )),
            None => Err(format!(
                "there is no preferredCluster, the application is on {}, and {}",
                quote(current),
                no_other(lens, drpc)
            )),
        },
        (None, None) => Err(
            "there is no preferredCluster, and nothing says where the application is".to_owned(),
        ),
    }
}
