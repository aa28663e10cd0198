//! What Ramen would make of fencing a cluster, or of ending that.

use super::{
    Action, Told, World,
    application::said,
    cluster::{self, reported_fence},
    impact,
    row::{Row, State},
    typed,
};
use crate::{
    api::{DRCluster, DRPolicy, Doc, Key, Object, Text, condition},
    golang::quote,
    report::list,
    rules::{
        drcluster::{fence, fence::STORAGE},
        drplacementcontrol::state::is_fenced,
    },
    world::{Lens, Lookup},
};

/// Says what is known.
pub(super) fn tell(world: &World, key: &Key, doc: &Doc, action: Action, told: &mut Told) {
    let Some(cluster) = typed::<DRCluster>(doc, told) else {
        return;
    };
    let lens = Lens::new(&world.store, None, key);
    let name = &*cluster.meta.name;
    if cluster.meta.is_terminating() {
        let row = Row::problem("deletion", "it is being deleted");
        told.row(row.then("Ramen cleans up after it, and neither fences it nor ends that"));
    }
    state(&cluster, action, told);
    own(&cluster, told);
    if let Some(mut row) = cluster::managed(world, &lens, name, told) {
        // Who fences a cluster does so because of that.
        if row.state == State::Problem {
            row.state = State::Ok;
        }
        told.row(row);
    }
    means(world, &lens, &cluster, told);
    impact::tell(world, &lens, name, action, told);
}

/// What Ramen does depends on how far it is: a fence that is there is not made again.
///
/// Source: internal/controller/drcluster_controller.go:911-942, 1064-1190, 1822-1844
fn state(cluster: &Object<DRCluster>, action: Action, told: &mut Told) {
    let asked = fence(cluster);
    let phase = cluster.status().phase.text();
    let value = match (asked, phase) {
        ("", phase) => format!("clusterFence is not set, phase {}", phase.unwrap_or("none")),
        (asked, phase) => format!("clusterFence {asked}, phase {}", phase.unwrap_or("none")),
    };
    let (state, then) = match (action, asked, phase) {
        (_, _, None) => (
            State::Unknown,
            "Ramen has not looked at it yet, or what was given leaves the status out",
        ),
        (Action::Fence, "Fenced", Some("Fenced")) => (State::Ok, "it is fenced"),
        (Action::Fence, "Fenced", Some(_)) => (State::Waits, "the fence is being made"),
        (Action::Fence, "Unfenced", Some("Fencing" | "Fenced")) => {
            (State::Ok, "the fence that is there stays")
        }
        (Action::Fence, _, Some("Fencing" | "Fenced")) => (
            State::Problem,
            "in this phase Ramen makes no fence; go through ManuallyUnfenced first",
        ),
        (Action::Fence, ..) => (State::Ok, "Ramen has the other cluster make the fence"),
        (_, "Unfenced", Some("Unfenced")) => (State::Ok, "it is not fenced"),
        (_, "Unfenced", Some(_)) => (State::Waits, "the fence is being taken away"),
        (_, "ManuallyFenced", _) => (
            State::Problem,
            "Ramen made no fence that it could take away: ManuallyUnfenced is the way back",
        ),
        (_, _, Some("Unfencing" | "Unfenced")) => {
            (State::Ok, "in this phase Ramen takes nothing away any more")
        }
        (_, _, Some("Fencing" | "Fenced")) => {
            (State::Ok, "Ramen has the other cluster take the fence away")
        }
        _ => (
            State::Ok,
            "there is no fence to take away; Ramen has the other cluster look all the same",
        ),
    };
    let found = condition(&cluster.status().conditions, "Fenced");
    let value = match found {
        Some(_) => format!("{value}, {}", reported_fence(cluster)),
        None => value,
    };
    told.row(Row::new(state, "fence", value).then(then));
    let seen = found.and_then(|found| found.observed_generation);
    let generation = cluster.meta.generation;
    if let Some(seen) = seen.filter(|seen| *seen < generation) {
        let value = format!("of generation {seen}, and the object is at {generation}");
        let row = Row::waits("status", value);
        told.row(
            row.then(
                "Ramen has not come to the end of the last change; what it reports may be old",
            ),
        );
    }
}

/// A cluster that is not valid can be fenced: that comes before what is checked.
///
/// Source: internal/controller/drcluster_controller.go:430-467
fn own(cluster: &Object<DRCluster>, told: &mut Told) {
    let row = match condition(&cluster.status().conditions, "Validated") {
        None => return,
        Some(found) if found.is_true() => Row::ok("validated", "True"),
        Some(found) => {
            Row::ok("validated", said(found)).then("Ramen sees to the fence before that")
        }
    };
    told.row(row);
}

/// What it takes to fence a cluster: networks, another cluster that does it, and knowledge of the storage.
///
/// Source: internal/controller/drcluster_controller.go:1341-1438, 1753-1820
pub(super) fn means(world: &World, lens: &Lens<'_>, cluster: &Object<DRCluster>, told: &mut Told) {
    let name = &*cluster.meta.name;
    networks(cluster, told);
    let (policy, peer) = match peer(lens, cluster) {
        Peer::Found(policy, peer) => (policy, peer),
        Peer::None(why) => {
            let row = Row::problem("fenced-from", why).about(name);
            told.row(row.then("Ramen tries again and again, and says so in its log only"));
            return;
        }
        Peer::Unknown => {
            told.row(Row::unknown("fenced-from", "nothing is known of it").about(name));
            return;
        }
    };
    let from = &*peer.meta.name;
    let value = format!("{}, by DRPolicy {}", quote(from), quote(&policy.meta.name));
    told.row(Row::ok("fenced-from", value).about(name));
    if !told.has("managed-cluster", from)
        && let Some(row) = cluster::managed(world, lens, from, told)
    {
        let then = "the fence is made there, when it can be reached";
        let mut row = if row.state == State::Ok {
            row
        } else {
            row.then(then)
        };
        if row.state == State::Problem {
            row.state = State::Waits;
        }
        told.row(row);
    }
    if cluster::wants_fence(peer) || is_fenced(peer) {
        let row = Row::problem("other-fence", reported_fence(peer)).about(from);
        told.row(row.then(
            "the cluster that makes the fence is to be fenced itself: both lose the storage",
        ));
    }
    storage(world, lens, cluster, from, told);
}

fn networks(cluster: &Object<DRCluster>, told: &mut Told) {
    let name = &*cluster.meta.name;
    let cidrs = &cluster.spec.cidrs;
    if cidrs.is_empty() {
        let row = Row::problem("networks", "spec.cidrs names none").about(name);
        told.row(row.then("Ramen makes no fence without"));
        return;
    }
    let checked = condition(&cluster.status().conditions, "CIDRsValidated");
    let row = match checked.filter(|found| !found.is_true()) {
        Some(found) => Row::problem("networks", said(found))
            .then("Ramen fences what spec.cidrs names; the rest of the cluster keeps the storage"),
        None => Row::ok("networks", list(cidrs.iter().map(String::as_str))),
    };
    told.row(row.about(name));
}

enum Peer<'a> {
    Found(&'a Object<DRPolicy>, &'a Object<DRCluster>),
    None(String),
    Unknown,
}

/// The cluster that fences another one: of the first policy that has both, shares storage, or is in one
/// region.
///
/// Source: internal/controller/drcluster_controller.go:1341-1438
fn peer<'a>(lens: &Lens<'a>, cluster: &Object<DRCluster>) -> Peer<'a> {
    let all = lens.peers_of(&cluster.meta.name);
    if all.is_empty() {
        return if lens.store().policies.synced {
            Peer::None("no DRPolicy has this cluster".to_owned())
        } else {
            Peer::Unknown
        };
    }
    let mut unknown = false;
    for (policy, peer) in all {
        let peer = match peer {
            Lookup::Found(peer) if !peer.meta.is_terminating() => peer,
            Lookup::Unknown => {
                unknown = true;
                continue;
            }
            _ => continue,
        };
        let sync = policy.status().sync.as_ref();
        let shares = sync.is_some_and(|sync| !sync.peer_classes.is_empty());
        if shares || peer.spec.region.text() == cluster.spec.region.text() {
            return Peer::Found(policy, peer);
        }
    }
    if unknown {
        Peer::Unknown
    } else {
        Peer::None("no DRPolicy of this cluster has another one that shares its storage".to_owned())
    }
}

/// The storage is named by the fence classes of the cluster that makes the fence, or by annotations.
///
/// Source: internal/controller/drcluster_controller.go:1001-1062, 1753-1820
fn storage(
    world: &World,
    lens: &Lens<'_>,
    cluster: &Object<DRCluster>,
    from: &str,
    told: &mut Told,
) {
    const CHECK: &str = "storage";
    let annotated = STORAGE
        .iter()
        .all(|name| cluster.meta.annotations.contains_key(name));
    let config = lens.cluster_config(from);
    let classes =
        config.and_then(|config| config.pointer("/status/networkFenceClasses")?.as_array());
    let names: Vec<&str> = classes
        .into_iter()
        .flatten()
        .filter_map(|it| it.as_str())
        .collect();
    let row = if !names.is_empty() {
        let value = format!("NetworkFenceClass {} on {}", list(names), quote(from));
        let then = if annotated {
            ""
        } else {
            "Ramen uses those that fit a storage class there; where none does it needs the annotations about the \
             storage, which are not there"
        };
        Row::ok(CHECK, value).then(then)
    } else if config.is_some() && !annotated {
        Row::problem(CHECK, "neither a NetworkFenceClass nor annotations name it")
            .then("Ramen makes no fence without (FenceError)")
    } else if config.is_none() && world.live {
        let value = format!(
            "the hub has not seen the DRClusterConfig of {}",
            quote(from)
        );
        Row::unknown(CHECK, value)
            .then("Ramen looks at it first, and makes no fence before it has it")
    } else if annotated {
        Row::ok(CHECK, "named by annotations")
    } else {
        Row::unknown(CHECK, "not named by annotations")
            .then("a NetworkFenceClass there has to; the view of its DRClusterConfig was not given")
    };
    told.row(row.about(&cluster.meta.name));
}
