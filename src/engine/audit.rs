//! Judging what is stored already: as if it were new, in the world that it is in.

use std::cmp::Reverse;

use super::{Engine, Request, User};
use crate::{
    api::{DRPlacementControl, Doc, Key, Kind},
    policy::{Mode, Operation},
    report::Finding,
    site::Undecided,
    world::{Lens, Store},
};

/// A stored object, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Audited {
    /// Its group and version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace, empty if it has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// By field, then rule.
    pub findings: Vec<Finding>,
    /// The site's policies of which it is not known what they would say.
    pub undecided: Undecided,
    /// How many applications it holds up beside itself.
    pub blocks: usize,
}

impl Audited {
    /// The gravest mode among the findings.
    pub fn worst(&self) -> Mode {
        let modes = self.findings.iter().map(|finding| finding.mode);
        modes.max().unwrap_or(Mode::Off)
    }

    /// What sorts audited objects: what holds up most comes first, then what would be refused.
    pub fn gravity(&self) -> (Reverse<usize>, Reverse<Mode>) {
        (Reverse(self.blocks), Reverse(self.worst()))
    }
}

impl Engine {
    /// Judges a stored object. Nothing if the guard has no rules about it; one that is being deleted is
    /// let be.
    pub fn judge_stored(&self, doc: &Doc, world: &Store) -> Option<Audited> {
        let metadata = doc.meta().unwrap_or_default();
        let request = Request {
            operation: Operation::Create,
            group: doc.group().to_owned(),
            kind: doc.text("kind").to_owned(),
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            subresource: String::new(),
            new: Some(doc.clone()),
            old: None,
            user: User::default(),
            dry_run: false,
        };
        let request = request.with_defaults();
        let mut verdict = self.judge(&request, world, None);
        if !verdict.known {
            return None;
        }
        if metadata.is_terminating() {
            verdict.findings.clear();
        }
        let blocks = self.held_up(&request.kind, &request.namespace, &verdict.findings, world);
        Some(Audited {
            api_version: doc.text("apiVersion").to_owned(),
            kind: request.kind,
            namespace: request.namespace,
            name: request.name,
            uid: metadata.uid,
            findings: verdict.findings,
            undecided: verdict.undecided,
            blocks,
        })
    }

    /// How many other applications an object with these findings holds up.
    ///
    /// What stops a controller stops it for all. And each reconcile of a `DRPlacementControl` looks at all
    /// others, and fails where the policy or the placement of one of a pair can't be read, if either of the
    /// two is in the operations namespace.
    ///
    /// Source: internal/controller/drplacementcontrol_controller.go:3032-3104
    pub fn held_up<'a>(
        &self,
        kind: &str,
        namespace: &str,
        findings: impl IntoIterator<Item = &'a Finding>,
        world: &Store,
    ) -> usize {
        let is_drpc = kind == DRPlacementControl::KIND;
        let others = world.drpcs.len().saturating_sub(is_drpc.into());
        let (mut crash, mut blocks) = (false, false);
        for finding in findings {
            crash |= finding.rule.crash && finding.mode >= Mode::Warn;
            blocks |= finding.rule.blocks;
        }
        if crash {
            return others;
        }
        if !blocks {
            return 0;
        }
        let nobody = Key::of::<DRPlacementControl>("", "");
        let lens = Lens::new(world, None, &nobody);
        let config = lens.hub_config(&self.settings.ramen.namespace);
        let Some(ops) = config.and_then(|config| config.ops_namespace()) else {
            return 0;
        };
        if namespace == ops {
            return others;
        }
        let in_ops = world.drpcs.iter().filter(|drpc| drpc.meta.namespace == ops);
        in_ops.count()
    }
}
