//! How old the copies of an application are, and whether they are whole.

use super::{
    Told, ages,
    application::{Case, said},
    row::{Row, State},
};
use crate::{
    api::{Text, condition},
    golang::duration,
    rules::drplacementcontrol::{dryrun::nanoseconds, state::is_dry_run},
    world::is_zero,
};

/// How often Ramen captures the objects of an application that does not say.
///
/// Source: api/v1alpha1/volumereplicationgroup_types.go:206
const CAPTURES: &str = "5m";
/// How many intervals a copy may be old.
///
/// Source: internal/controller/drplacementcontrol.go:821-846
const PATIENCE: i64 = 3;

pub(super) fn tell(case: &Case<'_>, told: &mut Told) {
    protected(case, told);
    data(case, told);
    volumes(case, told);
    objects(case, told);
    networks(case, told);
}

/// Neither a failover nor a relocation asks for the condition itself, but a test does.
///
/// Source: internal/controller/drplacementcontrol.go:783-785, 796-819
fn protected(case: &Case<'_>, told: &mut Told) {
    let tests = case.is_failover() && is_dry_run(case.drpc);
    let row = match case.condition("Protected") {
        None => Row::unknown("protected", "not reported"),
        Some(found) if found.is_true() => Row::ok("protected", "True"),
        Some(found) => {
            let (state, then) = match (tests, case.is_failover()) {
                _ if case.is_there() => (State::Problem, ""),
                (true, _) => (
                    State::Waits,
                    "a test waits until the application is protected",
                ),
                (_, true) => (
                    State::Problem,
                    "Ramen fails over all the same, to a copy that may be old or incomplete",
                ),
                (_, false) => (
                    State::Problem,
                    "Ramen relocates only what is protected; see data ready",
                ),
            };
            Row::new(state, "protected", said(found)).then(then)
        }
    };
    told.row(row);
}

/// A relocation begins only where the group on the application's cluster says of its last generation that
/// the data is there and what belongs to it is stored.
///
/// Source: internal/controller/drplacementcontrol.go:1330-1338, 1633-1654, 1668-1693
fn data(case: &Case<'_>, told: &mut Told) {
    if case.is_failover() || case.is_there() {
        return;
    }
    let group = case.drpc.status().resource_conditions.as_ref();
    let generation = group.and_then(|group| group.resource_meta.as_ref());
    let generation = generation.map(|meta| meta.generation).filter(|it| *it > 0);
    for (check, type_) in [
        ("data-ready", "DataReady"),
        ("cluster-data-protected", "ClusterDataProtected"),
    ] {
        let found = group.and_then(|group| condition(&group.conditions, type_));
        let then = "Ramen relocates once the application's cluster says that this is done";
        let row = match found {
            None => Row::unknown(check, "not reported").then(then),
            Some(found) if !found.is_true() => Row::waits(check, said(found)).then(then),
            Some(found) if generation.is_some_and(|it| found.observed_generation != Some(it)) => {
                Row::waits(check, "True, but not of the last change").then(then)
            }
            Some(_) => Row::ok(check, "True"),
        };
        told.row(row);
    }
}

/// An interval in whole seconds.
fn seconds(interval: &str) -> Option<i64> {
    let seconds = nanoseconds(interval)? / 1_000_000_000;
    i64::try_from(seconds).ok().filter(|seconds| *seconds > 0)
}

/// A time against its interval: how it stands, and what to say.
fn aged(age: i64, interval: &str, length: Option<i64>) -> (State, String) {
    let Some(length) = length else {
        return (
            State::Unknown,
            format!("{}, no interval to go by", ages::ago(age)),
        );
    };
    let limit = length.saturating_mul(PATIENCE);
    let state = if age > limit {
        State::Problem
    } else {
        State::Ok
    };
    let value = format!(
        "{}, interval {interval}, limit {}",
        ages::ago(age),
        ages::short(limit)
    );
    (state, value)
}

/// Only a test waits for a newer copy.
///
/// Source: internal/controller/drplacementcontrol.go:783-785, 821-846
fn volumes(case: &Case<'_>, told: &mut Told) {
    let status = case.drpc.status();
    let synced = status.last_group_sync_time.text();
    let interval = case.policy.map(|policy| &*policy.spec.scheduling_interval);
    let interval = interval.filter(|interval| !is_zero(interval));
    if case.metro() == Some(true) && (synced.is_none() || interval.is_none()) {
        told.row(Row::ok("last-sync", "shared storage, nothing is copied"));
        return;
    }
    let lost = match (case.is_failover(), is_dry_run(case.drpc)) {
        _ if case.is_there() => "",
        (true, true) => "a test waits for a newer copy",
        (true, false) => "Ramen fails over all the same: what was written since then is lost",
        (false, _) => "the final copy takes the longer, the older this one is",
    };
    let Some(text) = synced else {
        let row = Row::unknown("last-sync", "no copy of all volumes is reported");
        let then = if case.is_failover() && !case.is_there() {
            "Ramen fails over all the same, to whatever the other cluster has"
        } else {
            ""
        };
        told.row(row.then(then));
        return;
    };
    let Some(time) = ages::read(text) else {
        told.row(Row::unknown("last-sync", format!("\"{text}\" is no time")));
        return;
    };
    let length = interval.and_then(seconds);
    let (state, mut value) = aged(
        ages::age(time, case.now),
        interval.unwrap_or_default(),
        length,
    );
    if let Some(bytes) = status.last_group_sync_bytes {
        value += &format!("; {}", ages::bytes(bytes));
    }
    if let Some(took) = status.last_group_sync_duration.text() {
        value += &format!(
            "{} in {took}",
            if status.last_group_sync_bytes.is_some() {
                ""
            } else {
                ";"
            }
        );
    }
    let state = match state {
        State::Problem if case.is_failover() && is_dry_run(case.drpc) => State::Waits,
        state => state,
    };
    told.row(Row::new(state, "last-sync", value).then(if state == State::Ok { "" } else { lost }));
}

/// How old the captured objects are. Ramen waits for none; three intervals are the measure of volumes, too.
///
/// Source: internal/controller/vrg_kubeobjects.go:33-39, drplacementcontrol.go:3158-3163
fn objects(case: &Case<'_>, told: &mut Told) {
    let Some(protection) = &case.drpc.spec.kube_object_protection else {
        return;
    };
    let status = case.drpc.status();
    let row = match status.last_kube_object_protection_time.text() {
        None => Row::unknown("kube-objects", "no capture is reported")
            .then("without one, only volumes come back on the other cluster"),
        Some(text) => match ages::read(text) {
            None => Row::unknown("kube-objects", format!("\"{text}\" is no time")),
            Some(time) => {
                let interval = protection.capture_interval.as_deref().unwrap_or(CAPTURES);
                let length = duration::parse(interval).ok().map(|it| it / 1_000_000_000);
                let length = length.filter(|it| *it > 0);
                let (state, value) = aged(ages::age(time, case.now), interval, length);
                let then = match state {
                    State::Ok => "",
                    _ => "what changed since then does not come back on the other cluster",
                };
                Row::new(state, "kube-objects", value).then(then)
            }
        },
    };
    told.row(row);
}

/// A failover goes on with the addresses that there were.
///
/// Source: internal/controller/drpc_networkmapping.go:266-297
fn networks(case: &Case<'_>, told: &mut Told) {
    if let Some(found) = case.condition("NetworkMappingLoaded") {
        let row = if found.is_true() {
            Row::ok("network-mapping", "loaded")
        } else {
            Row::problem("network-mapping", said(found)).then(
                "Ramen goes on without it: virtual machines keep addresses of the old network",
            )
        };
        told.row(row);
    }
}
