//! What `check` says of objects that stand in two places, or in none any more.

use std::sync::Arc;

use jsonptr::PointerBuf;

use super::{place::place_of, since::Since};
use crate::{
    api::{Doc, Key},
    engine::{Engine, Request, Verdict},
    manifest::load::Manifest,
    policy::{self, Mode},
    report::{Finding, Located, Lowered, Outcome, Place, Related, plain},
    rules::kind_named,
    world::Store,
};

/// Where an object stands first.
pub(super) struct First {
    pub(super) place: Place,
}

/// What is said of an object that stands elsewhere, too.
pub(super) fn found(
    first: &First,
    manifest: &Manifest,
    request: &Request,
    engine: &Engine,
) -> Option<Located> {
    let rule = policy::contract("object-duplicate")?;
    let mode = engine.settings.mode(rule);
    if mode == Mode::Off {
        return None;
    }
    let pointer = PointerBuf::from_tokens(["metadata", "name"]);
    let key = kind_named(&request.kind).map(|kind| Key {
        kind,
        namespace: Arc::from(&*request.namespace),
        name: Arc::from(&*request.name),
    });
    let related = key.map(|key| Related {
        key,
        pointer: pointer.clone(),
    });
    let Place { file, line, .. } = &first.place;
    let there = |related: &Related| (related.clone(), Some(first.place.clone()));
    let mut finding = Finding {
        rule: rule.into(),
        mode,
        message: plain(format!("the object is in {file}, line {line}, too")),
        fix: None,
        related: related.clone().into_iter().collect(),
        rests_on: Arc::default(),
        lowered: None,
        pointer: pointer.clone(),
    };
    engine.exempt(&manifest.doc, &mut finding);
    Some(Located {
        place: place_of(manifest, &pointer),
        related: related.iter().map(there).collect(),
        finding,
    })
}

/// Takes an object out of the world.
pub(super) fn forget(world: &mut Store, doc: &Doc) {
    // What can't be read was not in it.
    let mut alone = Store::default();
    if let Ok(Some(key)) = alone.apply(doc) {
        world.remove(&key);
    }
}

/// Leaves of what is said about a deletion what files can tell, which refuses nothing.
pub(super) fn soften(verdict: &mut Verdict, offline: bool) {
    verdict
        .findings
        .retain(|finding| !(offline && finding.rule.missing));
    for finding in &mut verdict.findings {
        if finding.mode == Mode::Deny {
            finding.mode = Mode::Warn;
            finding.lowered = Some(Lowered::Advice);
        }
    }
}

fn some(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

/// Says what became of the files of a commit.
pub(super) fn note_gone(since: &Since, count: usize, outcome: &mut Outcome) {
    let commit = &since.reference;
    if count > 0 {
        let gone = if count == 1 { "is" } else { "are" };
        let objects = some(count, "object");
        outcome.note(format!(
            "{objects} of {commit} {gone} gone, judged as deleted"
        ));
    }
    for file in &since.unread {
        outcome.note(format!(
            "{file} can't be read, so what is there now is judged as new"
        ));
    }
}

/// Says how much is left out because of exemptions.
pub(super) fn note_exempted(outcome: &mut Outcome) {
    let located = outcome.objects.iter().flat_map(|object| &object.findings);
    let exempted = located.filter(|it| it.finding.lowered == Some(Lowered::Exempted));
    let count = exempted.count();
    if count > 0 {
        let findings = some(count, "finding");
        outcome.note(format!(
            "{findings} left out by exemptions; --no-exemptions shows them"
        ));
    }
}
