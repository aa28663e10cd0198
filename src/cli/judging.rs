//! A check under way: the world that manifests make up, and each of them judged in it.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use jsonptr::Pointer;
use serde_json::Value;

use super::{
    again::{self, First},
    identity::{Identity, identity},
    known::{Known, other},
    parallel::in_order,
    place::{gravest, place_of, place_of_finding, unread},
    progress::Progress,
    server::Answers,
    since::{Home, Past, Present, Since},
};
use crate::{
    api::{Doc, Key},
    engine::{Engine, Request, User, Verdict},
    manifest::{crds::Crds, load::Manifest, pile::Pile},
    policy::Operation,
    report::{Checked, Finding, Located, Other, Outcome, Place},
    site::{Policies, Undecided},
    world::Store,
};

/// The places of the piles in [`Check::piles`].
pub(super) const INPUTS: usize = 0;
pub(super) const CONTEXT: usize = 1;

/// A check under way.
#[derive(Default)]
pub(super) struct Check {
    pub(super) outcome: Outcome,
    pub(super) piles: [Pile; 2],
    pub(super) crds: Crds,
    pub(super) policies: Policies,
    /// What the policies may ask for.
    pub(super) params: Vec<Value>,
    /// Where an object was written: which pile, which part of it, which manifest of that.
    pub(super) places: HashMap<Key, (usize, usize, usize)>,
    pub(super) named: Named,
    pub(super) old: HashMap<Identity, Doc>,
    pub(super) answers: Option<Answers>,
    pub(super) others: bool,
    pub(super) progress: Progress,
    pub(super) stored: bool,
}

/// Which objects there are, of those that may be judged.
#[derive(Default)]
pub(super) struct Named {
    /// Where each of the inputs stands: which part, which manifest of that.
    inputs: HashMap<Identity, Vec<(usize, usize)>>,
    context: HashSet<Identity>,
}

/// What came of judging one manifest.
enum Judged {
    Found(Box<Checked>),
    Passed(Option<Other>),
    /// The guard has no rules about the kind.
    Skipped(String, Option<Other>),
}

impl Check {
    /// Puts the objects of a pile into the world, and remembers where each was written.
    pub(super) fn know(&mut self, pile: usize, world: &mut Store) {
        let Self {
            outcome,
            piles,
            places,
            named,
            crds,
            policies,
            params,
            others,
            progress,
            ..
        } = self;
        let parts = &piles[pile];
        let others = *others;
        let mut part = 0;
        let read = |part| Known::of(&parts.part(part), pile == INPUTS, others, crds, policies);
        in_order(parts.len(), read, |known: Known| {
            outcome.unread.extend(known.unread);
            params.extend(known.params);
            for (number, entry) in known.entries {
                places.insert(entry.put(world), (pile, part, number));
            }
            for (number, identity) in known.named {
                if pile == INPUTS {
                    let places = named.inputs.entry(identity).or_default();
                    places.push((part, number));
                } else {
                    named.context.insert(identity);
                }
            }
            for (reason, other) in known.skipped {
                outcome.skip(reason, other);
            }
            part += 1;
            progress.step("reading", part, parts.len());
        });
    }

    /// Remembers what is stored.
    pub(super) fn know_old(&mut self, old: &Pile) {
        for (_, stored) in old.iter() {
            self.outcome.unread.extend(stored.errors.iter().map(unread));
            let named = stored
                .manifests
                .iter()
                .map(|old| (identity(&old.doc), old.doc.clone()));
            self.old
                .extend(named.filter(|(identity, _)| !identity.is_nameless()));
        }
    }

    /// The file in a repository that each part of the inputs is.
    fn homes(&self, since: Option<&Since>) -> Vec<Option<Home>> {
        let inputs = &self.piles[INPUTS];
        let home = |part| since?.home_of(inputs.path(part)?);
        (0..inputs.len()).map(home).collect()
    }

    /// Judges everything: what there is, and what is gone since a commit.
    pub(super) fn judge_all(
        &mut self,
        engine: &Engine,
        world: &mut Store,
        since: Option<&Since>,
        live: bool,
    ) -> Outcome {
        let mut outcome = std::mem::take(&mut self.outcome);
        if let Some(answers) = &mut self.answers {
            outcome.unread.extend(answers.take_failed());
        }
        let homes = self.homes(since);
        let past = since.map(|since| {
            since.compare(&Present {
                places: &self.named.inputs,
                homes: &homes,
                context: &self.named.context,
            })
        });
        let past = past.unwrap_or_default();
        // What is gone is no more to be reckoned with, though the cluster may have it still.
        for gone in &past.gone {
            again::forget(world, &gone.doc);
        }
        let judged = self.judge_inputs(engine, world, &past, &homes, &mut outcome);
        if let Some(since) = since {
            self.judge_gone(engine, world, &past.gone, since, !live, &mut outcome);
        }
        if let Some(answers) = &self.answers {
            for note in answers.notes(|place| judged.contains(&place)) {
                outcome.note(note);
            }
        }
        again::note_exempted(&mut outcome);
        outcome
    }

    /// Judges all inputs, and says which of them are anybody's business, if somebody wants to know.
    fn judge_inputs(
        &mut self,
        engine: &Engine,
        world: &Store,
        past: &Past<'_>,
        homes: &[Option<Home>],
        outcome: &mut Outcome,
    ) -> HashSet<(usize, usize)> {
        let mut known = HashSet::new();
        let mut progress = std::mem::take(&mut self.progress);
        let pieces = self.piles[INPUTS].pieces();
        let mut done = 0;
        let judge = |piece: usize| {
            let (part, range): &(usize, Range<usize>) = &pieces[piece];
            let loaded = self.piles[INPUTS].part(*part);
            let last = range.end.min(loaded.manifests.len());
            let manifests = loaded.manifests.get(range.start..last).unwrap_or_default();
            let numbered = (range.start..).zip(manifests);
            let judged = numbered.map(|(number, it)| {
                let place = (*part, number);
                let old = || past.of(&identity(&it.doc), homes[*part].as_ref());
                let (judged, undecided) = self.judge(engine, world, it, place, &old);
                (place, judged, undecided)
            });
            judged.collect::<Vec<_>>()
        };
        in_order(pieces.len(), judge, |judged| {
            for (place, judged, undecided) in judged {
                outcome.undecided(&undecided);
                match judged {
                    Judged::Skipped(kind, other) => {
                        outcome.skip(kind, other);
                        continue;
                    }
                    Judged::Passed(other) => outcome.others.extend(other),
                    Judged::Found(checked) => outcome.objects.push(*checked),
                }
                outcome.judged += 1;
                if self.answers.is_some() {
                    known.insert(place);
                }
            }
            done += 1;
            progress.step("checking", done, pieces.len());
        });
        known
    }

    fn judge<'a>(
        &'a self,
        engine: &Engine,
        world: &Store,
        manifest: &Manifest,
        place: (usize, usize),
        past: &dyn Fn() -> Option<&'a Doc>,
    ) -> (Judged, Undecided) {
        let identity = identity(&manifest.doc);
        let old = self.old.get(&identity).or_else(past);
        let again = self.first(&identity, place);
        let request = request(identity, Some(&manifest.doc), old).with_defaults_of(&self.crds);
        let mut verdict = engine.judge_offline(&request, world, manifest, &self.crds, !self.stored);
        let other = |skipped| self.others.then(|| other(manifest, skipped));
        let undecided = std::mem::take(&mut verdict.undecided);
        if !verdict.known {
            let label = if request.group.is_empty() {
                request.kind
            } else {
                format!("{}.{}", request.kind, request.group)
            };
            return (Judged::Skipped(label, other(true)), undecided);
        }
        if let Some(answers) = &self.answers {
            answers.add(&mut verdict, place, manifest.raw(), &engine.settings);
        }
        for finding in &mut verdict.findings {
            engine.exempt(&manifest.doc, finding);
        }
        let again = again.and_then(|first| again::found(&first, manifest, &request, engine));
        if let Some(located) = again {
            let mut checked = self.located(manifest, request, verdict);
            checked.findings.insert(0, located);
            return (Judged::Found(Box::new(checked)), undecided);
        }
        if verdict.findings.is_empty() {
            return (Judged::Passed(other(false)), undecided);
        }
        let checked = self.located(manifest, request, verdict);
        (Judged::Found(Box::new(checked)), undecided)
    }

    /// Where else an object stands, before the place that is asked about.
    fn first(&self, identity: &Identity, place: (usize, usize)) -> Option<First> {
        if self.stored {
            return None;
        }
        let (part, number) = *self.named.inputs.get(identity)?.first()?;
        if (part, number) == place {
            return None;
        }
        let inputs = &self.piles[INPUTS];
        // A link to the file is no second place.
        let real = |part| inputs.path(part).and_then(|path| path.canonicalize().ok());
        if part != place.0 && real(part).is_some_and(|file| real(place.0) == Some(file)) {
            return None;
        }
        let loaded = inputs.other(part);
        let manifest = loaded.manifests.get(number)?;
        Some(First {
            place: place_of(manifest, Pointer::from_static("/metadata/name")),
        })
    }

    /// Judges what is gone since a commit. Whether it is deleted in the cluster, too, is up to what syncs the
    /// files, so that nothing of it is refused; and what is not in the files may be in the cluster.
    fn judge_gone(
        &self,
        engine: &Engine,
        world: &Store,
        gone: &[&Manifest],
        since: &Since,
        offline: bool,
        outcome: &mut Outcome,
    ) {
        let mut count = 0;
        for manifest in gone {
            let request = request(identity(&manifest.doc), None, Some(&manifest.doc));
            let request = request.with_defaults_of(&self.crds);
            let mut verdict = engine.judge(&request, world, None);
            if !verdict.known {
                continue;
            }
            count += 1;
            outcome.judged += 1;
            outcome.undecided(&verdict.undecided);
            again::soften(&mut verdict, offline);
            if !verdict.findings.is_empty() {
                let checked = self.located(manifest, request, verdict);
                outcome.objects.push(checked);
            }
        }
        again::note_gone(since, count, outcome);
    }

    fn located(&self, manifest: &Manifest, request: Request, verdict: Verdict) -> Checked {
        let place = place_of(manifest, Pointer::root());
        let locate = |mut finding: Finding| {
            // Nobody asks any more, and there may be very many findings.
            finding.rests_on = Arc::default();
            let related = finding.related.iter().map(|related| {
                let there = self.places.get(&related.key);
                let there = there.and_then(|(pile, part, number)| {
                    let loaded = self.piles[*pile].other(*part);
                    // The file may have become a shorter one since it was read first.
                    let manifest = loaded.manifests.get(*number)?;
                    Some(place_of(manifest, &related.pointer))
                });
                (related.clone(), there)
            });
            Located {
                related: related.collect(),
                place: Place {
                    file: Arc::clone(&place.file),
                    ..place_of_finding(manifest, &finding)
                },
                finding,
            }
        };
        let (findings, more) = gravest(verdict.findings);
        Checked {
            kind: request.kind,
            namespace: request.namespace,
            name: request.name,
            operation: request.operation,
            findings: findings.into_iter().map(locate).collect(),
            place,
            more,
        }
    }
}

/// What is asked about an object that is new, has changed or has gone.
pub(super) fn request(identity: Identity, new: Option<&Doc>, old: Option<&Doc>) -> Request {
    Request {
        operation: match (new, old) {
            (Some(_), None) => Operation::Create,
            (Some(_), Some(_)) => Operation::Update,
            (None, _) => Operation::Delete,
        },
        group: identity.group,
        kind: identity.kind,
        namespace: identity.namespace,
        name: identity.name,
        subresource: String::new(),
        new: new.cloned(),
        old: old.cloned(),
        user: User::default(),
        dry_run: false,
    }
}
