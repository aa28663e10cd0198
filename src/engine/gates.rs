//! When a finding may refuse a request: the gates that are the same for every rule.

use serde_json::Value;

use super::{Request, Settings};
use crate::{
    policy::{Contract, Mode, Operation, Scope},
    report::Lowered,
};

/// Labels that mark an object which a backup tool is putting back.
pub(crate) const RESTORE_LABELS: [&str; 2] = ["velero.io/restore-name", "velero.io/backup-name"];

/// What of a request decides about its findings.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a gate of its own")]
pub(super) struct Gates {
    pub(super) trusted: bool,
    restored: bool,
    recovery: bool,
    create: bool,
    dry_run: bool,
}

/// What is known about one finding when the gates are applied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// The most the rule would do in this case.
    pub(super) most: Mode,
    /// Whether the stored object has the same finding.
    pub(super) stored: bool,
    /// Whether the world could not answer what the rule asked, or a denial names nothing it rests on.
    pub(super) unconfirmed: bool,
    /// Whether the object is exempted from the rule.
    pub(super) exempted: bool,
}

/// What makes less of a finding, as far as that can be told before there is a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Situation {
    /// Nothing does.
    Plain,
    /// A trusted user asks.
    Trusted,
    /// The stored object has the fault already.
    Stored,
    /// A backup tool puts the object back.
    Restored,
    /// The object is exempted from the rule.
    Exempted,
}

/// What becomes of a finding of an object-local rule in a situation.
pub(crate) fn foreseen(contract: &Contract, settings: &Settings, situation: Situation) -> Mode {
    let gates = Gates {
        trusted: situation == Situation::Trusted,
        restored: situation == Situation::Restored,
        recovery: false,
        create: situation == Situation::Restored,
        dry_run: false,
    };
    let standing = Standing {
        most: Mode::Deny,
        stored: situation == Situation::Stored,
        unconfirmed: false,
        exempted: situation == Situation::Exempted,
    };
    gates.apply(contract, settings, standing).0
}

impl Gates {
    pub(super) fn of(request: &Request, settings: &Settings) -> Self {
        let user = &request.user;
        let trusted = settings.trusted_users.contains(&user.name)
            || user
                .groups
                .iter()
                .any(|group| settings.trusted_groups.contains(group));
        let new = request.new.as_ref().map(|doc| &doc.value);
        let old = request.old.as_ref().map(|doc| &doc.value);
        let create = request.operation == Operation::Create;
        let labels = new.and_then(|new| new.pointer("/metadata/labels"));
        let restored = create
            && RESTORE_LABELS
                .iter()
                .any(|label| labels.is_some_and(|labels| labels.get(label).is_some()));
        let recovery = new.is_some_and(|new| is_recovery(&request.kind, old, new));
        Self {
            trusted,
            restored,
            recovery,
            create,
            dry_run: request.dry_run,
        }
    }

    /// Why a request may not be refused, whatever a rule of the site says.
    pub(super) fn spares(&self) -> Option<Lowered> {
        match () {
            () if self.trusted => Some(Lowered::Trusted),
            () if self.restored => Some(Lowered::Restored),
            () if self.recovery => Some(Lowered::Recovery),
            () => None,
        }
    }

    /// What becomes of a finding, and which gate made it less than the rule's mode.
    pub(super) fn apply(
        &self,
        contract: &Contract,
        settings: &Settings,
        standing: Standing,
    ) -> (Mode, Option<Lowered>) {
        let (mode, gate) = self.gated(contract, settings.unobserved(contract), standing);
        // Only what would have been refused counts as observed.
        match settings.mode(contract) {
            observed if mode == Mode::Deny && observed < mode => {
                (observed, Some(Lowered::Observed))
            }
            _ => (mode, gate),
        }
    }

    /// What becomes of a finding of a rule that has this mode.
    fn gated(
        &self,
        contract: &Contract,
        mode: Mode,
        standing: Standing,
    ) -> (Mode, Option<Lowered>) {
        let full = mode.min(standing.most);
        // What stops a controller for everybody is refused to everybody, unless it is stored already.
        if contract.crash && standing.most == Mode::Deny {
            return match full {
                Mode::Deny if standing.stored => (Mode::Warn, Some(Lowered::Stored)),
                Mode::Deny if standing.unconfirmed => (Mode::Warn, Some(Lowered::Unconfirmed)),
                _ => (full, None),
            };
        }
        if standing.exempted {
            return (Mode::Audit.min(full), Some(Lowered::Exempted));
        }
        if self.trusted {
            let lower = if full == Mode::Deny {
                Mode::Warn
            } else {
                full.min(Mode::Audit)
            };
            return (lower, (lower < full).then_some(Lowered::Trusted));
        }
        let gate = if full < Mode::Deny {
            (standing.most < mode).then_some(Lowered::Advice)
        } else if standing.stored {
            Some(Lowered::Stored)
        } else if self.restored {
            Some(Lowered::Restored)
        } else if contract.missing && (!self.create || self.dry_run) {
            Some(Lowered::Missing)
        } else if self.recovery && contract.scope == Scope::World {
            Some(Lowered::Recovery)
        } else if standing.unconfirmed {
            Some(Lowered::Unconfirmed)
        } else {
            None
        };
        (
            if gate.is_some() {
                full.min(Mode::Warn)
            } else {
                full
            },
            gate,
        )
    }
}

/// Whether a request fails over, fences, or takes an action back: what nobody may hold up. What is
/// changed while a cluster is to be fenced, such as its networks, may be what the fence waits for.
fn is_recovery(kind: &str, old: Option<&Value>, new: &Value) -> bool {
    fn text<'a>(object: Option<&'a Value>, field: &str) -> Option<&'a str> {
        let value = object?.get("spec")?.get(field)?.as_str()?;
        (!value.is_empty()).then_some(value)
    }
    match kind {
        "DRPlacementControl" | "VolumeReplicationGroup" => {
            let (before, after) = (text(old, "action"), text(Some(new), "action"));
            after == Some("Failover") || (after.is_none() && before.is_some())
        }
        "DRCluster" => {
            let (before, after) = (text(old, "clusterFence"), text(Some(new), "clusterFence"));
            before != after || matches!(after, Some("Fenced" | "ManuallyFenced"))
        }
        _ => false,
    }
}
