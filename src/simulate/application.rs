//! What Ramen would make of an action with an application: what it reported last about it.

use time::OffsetDateTime;

use super::{
    Action, Told, World, cluster, copies, others,
    row::{Row, State},
    steps, typed, views,
};
use crate::{
    api::{Condition, DRPlacementControl, DRPolicy, Doc, Key, Object, condition},
    engine::Engine,
    golang::quote,
    rules::drplacementcontrol::state::{
        FAILOVER, RELOCATE, TESTING, action, is_recovering, phase, progression, target,
    },
    world::{LAST_CLUSTER, Lens, Lookup, is_metro, is_zero},
};
/// An action with an application, and what is known of it.
pub(super) struct Case<'a> {
    pub(super) world: &'a World,
    pub(super) lens: &'a Lens<'a>,
    pub(super) drpc: &'a Object<DRPlacementControl>,
    pub(super) action: Action,
    /// Where it is to go.
    pub(super) target: &'a str,
    /// Where it is.
    pub(super) current: Option<&'a str>,
    pub(super) policy: Option<&'a Object<DRPolicy>>,
    pub(super) now: OffsetDateTime,
}

impl<'a> Case<'a> {
    pub(super) fn condition(&self, type_: &str) -> Option<&'a Condition> {
        condition(&self.drpc.status().conditions, type_)
    }

    pub(super) fn is_failover(&self) -> bool {
        self.action == Action::Failover
    }

    /// Whether the clusters share their storage; nothing where nobody knows the policy.
    pub(super) fn metro(&self) -> Option<bool> {
        self.policy.map(is_metro)
    }

    /// Whether Ramen waits to be told what the application was doing when the hub was lost.
    pub(super) fn recovers(&self) -> bool {
        is_recovering(self.drpc.status())
    }

    /// Whether it asks for the action already.
    pub(super) fn asks_already(&self) -> bool {
        let wanted = if self.is_failover() {
            FAILOVER
        } else {
            RELOCATE
        };
        action(self.drpc) == wanted && target(self.drpc) == Some(self.target)
    }

    /// Whether the application is where it is to go.
    pub(super) fn is_there(&self) -> bool {
        self.current == Some(self.target)
    }

    /// The cluster that a failover leaves: where the application is, else the other one of the policy.
    ///
    /// Source: internal/controller/drplacementcontrol.go:963-982
    pub(super) fn home(&self) -> Option<&'a str> {
        self.current.or_else(|| {
            let mut clusters = self.policy?.spec.dr_clusters.iter();
            clusters
                .find(|name| *name != self.target)
                .map(String::as_str)
        })
    }
}

/// Says what is known.
#[allow(clippy::too_many_arguments, reason = "each is another thing")]
pub(super) fn tell(
    engine: &Engine,
    world: &World,
    key: &Key,
    doc: &Doc,
    action: Action,
    to: Option<&str>,
    now: OffsetDateTime,
    told: &mut Told,
) {
    let Some(drpc) = typed::<DRPlacementControl>(doc, told) else {
        return;
    };
    let lens = Lens::new(&world.store, None, key);
    let policy = lens.policy_of(&drpc);
    let lost = policy_row(&drpc, &policy);
    let case = Case {
        world,
        lens: &lens,
        drpc: &drpc,
        action,
        target: to.unwrap_or_default(),
        current: lens.current_cluster(&drpc),
        policy: policy.found(),
        now,
    };
    deletion(&case, told);
    current(&case, told);
    reported(&case, told);
    available(&case, told);
    told.row(lost);
    peer_ready(&case, told);
    copies::tell(&case, told);
    cluster::tell(&case, told);
    views::tell(&case, told);
    steps::dry_run(&case, told);
    others::tell(engine, &case, doc, told);
    steps::on_the_way(&case, told);
}

fn deletion(case: &Case<'_>, told: &mut Told) {
    if case.drpc.meta.is_terminating() {
        let row = Row::problem("deletion", "it is being deleted");
        told.row(row.then("Ramen cleans up after it, and carries no action out"));
    }
}

/// Source: internal/controller/drplacementcontrol.go:740-776, 1296-1320
fn current(case: &Case<'_>, told: &mut Told) {
    let Some(current) = case.current else {
        let row = Row::unknown("current-cluster", "nothing says which it is");
        let first = "Ramen takes what it chose first, else the other cluster of the policy";
        told.row(row.then(first));
        return;
    };
    let noted = case.drpc.meta.annotation(LAST_CLUSTER).is_some();
    let how = if noted {
        ""
    } else {
        ", by the placement's decision"
    };
    let value = format!("{}{how}", quote(current));
    if !case.is_there() {
        told.row(Row::ok("current-cluster", value));
    } else if case.asks_already() {
        let row = Row::ok("current-cluster", value);
        told.row(row.then("the action has brought it there"));
    } else if case.recovers() {
        let row = Row::ok("current-cluster", value);
        told.row(row.then("Ramen is told that the application has been brought there"));
    } else {
        let (phase, moves) = if case.is_failover() {
            ("FailedOver", "fails over")
        } else {
            ("Relocated", "moves")
        };
        let row = Row::problem("current-cluster", value);
        told.row(row.then(format!(
            "that is the target: nothing {moves}, and Ramen reports {phase}"
        )));
    }
}

/// The phase, and whether it is about the object as it is.
fn reported(case: &Case<'_>, told: &mut Told) {
    let status = case.drpc.status();
    if !case.drpc.has_status() || (phase(status).is_empty() && status.conditions.is_empty()) {
        let row = Row::unknown("phase", "there is no status");
        told.row(
            row.then("Ramen has not looked at it yet, or what was given leaves the status out"),
        );
        return;
    }
    told.row(phase_row(case));
    let generation = case.drpc.meta.generation;
    if let Some(seen) = status.observed_generation
        && generation > seen
    {
        let value = format!("of generation {seen}, and the object is at {generation}");
        let row = Row::waits("status", value);
        told.row(row.then("Ramen has not looked at the last change; what it reports may be old"));
    }
}

/// Source: internal/controller/drplacementcontrol.go:3284-3298; docs/drpc-crd.md
fn phase_row(case: &Case<'_>) -> Row {
    let status = case.drpc.status();
    let (phase, step) = (phase(status), progression(status));
    let value = match (phase, step) {
        ("", "") => "none".to_owned(),
        (phase, "") => phase.to_owned(),
        (phase, step) => format!("{phase}, {step}"),
    };
    if case.recovers() {
        let then = "the hub was recovered: Ramen goes on if the action fits what it finds on the clusters, \
                    else it waits for another one";
        return Row::waits("phase", value).then(then);
    }
    let settled = matches!(step, "Completed" | "");
    let (state, then) = match phase {
        "Deployed" | "FailedOver" | "Relocated" if settled => (State::Ok, ""),
        "FailedOver" if step == TESTING => (State::Ok, "a failover is being tried out"),
        "FailedOver" | "Relocated" if case.asks_already() => (
            State::Waits,
            "the action is not complete: what the application left has to be cleaned up",
        ),
        "FailedOver" | "Relocated" | "Deployed" if case.is_failover() => (
            State::Ok,
            "the last action is not complete; a failover does not wait for that",
        ),
        "Relocating" if case.is_failover() => (
            State::Problem,
            "a failover ends the relocation that is under way; what was not copied yet is lost",
        ),
        "FailingOver" | "Initiating" if case.is_failover() && case.asks_already() => {
            (State::Waits, "the failover is under way")
        }
        "FailingOver"
            if case.is_failover()
                && case.drpc.spec.failover_cluster.as_deref() != Some(case.target) =>
        {
            (
                State::Problem,
                "a failover to another cluster is under way, and both may end up with the application",
            )
        }
        "Deleting" => (State::Problem, "Ramen cleans up, and carries no action out"),
        "FailingOver" => (State::Waits, "the failover has to be complete first"),
        "Relocating" => (State::Waits, "the relocation is under way"),
        "FailedOver" | "Relocated" | "Deployed" => {
            (State::Waits, "the last action has to be complete first")
        }
        _ => (State::Waits, "something else is under way"),
    };
    Row::new(state, "phase", value).then(then)
}

/// Nothing waits for the condition. But where a reconcile ended with an error, the next one does too.
///
/// Source: internal/controller/drplacementcontrol_controller.go:133-230, 292-305
fn available(case: &Case<'_>, told: &mut Told) {
    let Some(found) = case.condition("Available") else {
        told.row(Row::unknown("available", "not reported"));
        return;
    };
    let row = match &*found.status {
        "True" => Row::ok("available", "True"),
        "False" => {
            let then = match &*found.reason {
                "Error" => {
                    "Ramen's last look at the application ended here, before it came to any action"
                }
                _ => "Ramen does not wait for it",
            };
            Row::problem("available", said(found)).then(then)
        }
        _ => Row::unknown("available", said(found)),
    };
    told.row(row);
}

/// A condition with what it says.
pub(super) fn said(condition: &Condition) -> String {
    let parts = [&condition.reason, &condition.message];
    let parts: Vec<&str> = parts
        .into_iter()
        .map(String::as_str)
        .filter(|it| !it.is_empty())
        .collect();
    let status = match &*condition.status {
        "" => "no status",
        status => status,
    };
    if parts.is_empty() {
        status.to_owned()
    } else {
        format!("{status} ({})", parts.join(": "))
    }
}

/// A policy that is not valid, or that goes, stops all its applications.
///
/// Source: internal/controller/drplacementcontrol_controller.go:700-720, util/drpolicy_util.go:52-64
fn policy_row(drpc: &Object<DRPlacementControl>, policy: &Lookup<'_, DRPolicy>) -> Row {
    const STOPS: &str = "Ramen carries no action out under it";

    let named = drpc.spec.dr_policy_ref.name.as_deref().unwrap_or_default();
    let policy = match policy {
        Lookup::Found(policy) => *policy,
        Lookup::Missing => {
            let row = Row::problem("policy", format!("there is no DRPolicy {}", quote(named)));
            return row.then(STOPS);
        }
        Lookup::Unknown => return Row::unknown("policy", "nothing is known of it"),
    };
    let name = quote(&policy.meta.name);
    if policy.meta.is_terminating() {
        return Row::problem("policy", format!("{name} is being deleted")).then(STOPS);
    }
    let kind = if is_metro(policy) {
        "shared storage".to_owned()
    } else if is_zero(&policy.spec.scheduling_interval) {
        "copies, and no interval".to_owned()
    } else {
        format!("a copy every {}", policy.spec.scheduling_interval)
    };
    match condition(&policy.status().conditions, "Validated") {
        Some(found) if found.is_true() => Row::ok("policy", format!("{name}, Validated, {kind}")),
        Some(found) => {
            Row::problem("policy", format!("{name}, not Validated: {}", said(found))).then(STOPS)
        }
        None if policy.has_status() => {
            Row::problem("policy", format!("{name}, not Validated yet")).then(STOPS)
        }
        None => Row::unknown("policy", format!("{name} has no status")),
    }
}

/// A failover does not ask. A relocation asks unless it is under way, and takes no answer for yes.
///
/// Source: internal/controller/drplacementcontrol.go:714-794, 1340-1342, 1580-1590
fn peer_ready(case: &Case<'_>, told: &mut Told) {
    let found = case.condition("PeerReady");
    let asks = !case.is_failover() && phase(case.drpc.status()) != "Relocating" && !case.recovers();
    let row = match found {
        None if case.drpc.has_status() && asks => {
            Row::ok("peer-ready", "not reported").then("Ramen takes that for ready")
        }
        None => Row::unknown("peer-ready", "not reported"),
        Some(found) if found.is_true() => Row::ok("peer-ready", "True"),
        Some(found) if asks => Row::waits("peer-ready", said(found))
            .then("Ramen relocates nothing until the other cluster is cleaned up"),
        Some(found) if case.asks_already() => Row::waits("peer-ready", said(found))
            .then("until then nothing is copied to the other cluster, and nothing relocates"),
        Some(found) => {
            let then = if case.is_failover() {
                "Ramen fails over all the same; the other cluster may have no whole copy"
            } else {
                "Ramen does not wait for it now"
            };
            Row::problem("peer-ready", said(found)).then(then)
        }
    };
    told.row(row);
}
