//! What the site's own policies make of a request.
//!
//! Of a request that somebody makes they refuse no more than our gates let them: what a recovery, a deletion
//! or a controller needs is warned about. Manifests are judged as kube-apiserver would.

use std::sync::Arc;

use super::{Engine, Request, Verdict, gates::Gates, judge::deleting};
use crate::{
    api::Doc,
    policy::{Mode, Operation},
    report::{Finding, Lowered, Rule},
    site::Objection,
};

impl Engine {
    /// Adds what the site's policies say. `files`: whether the request comes from manifests.
    pub(super) fn ask_site(&self, verdict: &mut Verdict, request: &Request, files: bool) {
        if self.policies.is_empty() || !verdict.known || !request.subresource.is_empty() {
            return;
        }
        let (objections, undecided) = self.policies.judge(request, files);
        verdict.undecided = undecided;
        if objections.is_empty() {
            return;
        }
        for objection in objections {
            verdict
                .findings
                .extend(self.of_site(objection, request, files));
        }
        verdict.findings.sort_by(|a, b| a.order().cmp(&b.order()));
    }

    fn of_site(&self, objection: Objection, request: &Request, files: bool) -> Option<Finding> {
        let observed = self
            .settings
            .site_mode(&objection.contract.id, objection.mode);
        let gate = if objection.missing {
            Some(Lowered::Missing)
        } else if files {
            None
        } else {
            self.spares(&objection, request)
        };
        let (mode, lowered) = match gate {
            Some(gate) if objection.mode == Mode::Deny => {
                let mode = observed.min(Mode::Warn);
                (mode, (mode == Mode::Warn).then_some(gate))
            }
            _ if observed == Mode::Warn && self.settings.observes(&objection.contract.id) => {
                let lowered = objection.mode == Mode::Deny;
                (observed, lowered.then_some(Lowered::Observed))
            }
            _ => (observed, None),
        };
        let fix = format!(
            "{}, bound by \"{}\"",
            objection.contract.fix, objection.binding
        );
        (mode > Mode::Off).then(|| Finding {
            rule: Rule::Site(objection.contract),
            mode,
            pointer: objection.pointer,
            message: objection.message,
            fix: Some(fix),
            related: Vec::new(),
            rests_on: Arc::default(),
            lowered,
        })
    }

    /// Why a request may not be refused.
    fn spares(&self, objection: &Objection, request: &Request) -> Option<Lowered> {
        let update = request.operation == Operation::Update;
        let going = request.operation == Operation::Delete
            || deleting(request.new.as_ref())
            || deleting(request.old.as_ref());
        if going {
            return Some(Lowered::Going);
        }
        if update && stays(request, objection.metadata) {
            return Some(Lowered::Kept);
        }
        Gates::of(request, &self.settings).spares()
    }
}

/// Whether what a policy looks at is as it was. Who looks at metadata is taken to look at labels and
/// annotations; finalizers and owners are a controller's.
fn stays(request: &Request, metadata: bool) -> bool {
    let (Some(new), Some(old)) = (&request.new, &request.old) else {
        return false;
    };
    let fields = |doc: &Doc| {
        let fields = doc.value.as_object().cloned().unwrap_or_default();
        fields
            .into_iter()
            .filter(|(name, _)| name != "metadata")
            .collect::<serde_json::Map<_, _>>()
    };
    let marks = |doc: &Doc| {
        let metadata = doc.value.get("metadata");
        ["labels", "annotations"].map(|name| metadata.and_then(|it| it.get(name)).cloned())
    };
    fields(new) == fields(old) && (!metadata || marks(new) == marks(old))
}
