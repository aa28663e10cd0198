//! Judging one request.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jsonptr::{Pointer, PointerBuf};
use serde_json::Value;

use super::{
    Request, Settings, exempt,
    gates::{Gates, Standing},
    offline,
    watch::{Changes, differs},
};
use crate::{
    api::{self, Doc, Key, Object},
    manifest::{crds::Crds, load::Manifest},
    policy::{self, Check, Contract, Gate, Mode, Operation},
    report::{Book, Finding, Lowered, list, plain},
    rules::{Case, Draft, Entry, Judged, Report, judged_kinds},
    site::{Policies, Undecided},
    world::{Lens, Live, Store},
};

/// Judges requests by the settings.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    /// How strict, whom to trust, where Ramen lives.
    pub settings: Settings,
    /// The site's own rules.
    pub policies: Policies,
}

/// What the guard makes of a request.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// All findings, by field, then rule; those that are only counted among them.
    pub findings: Vec<Finding>,
    /// The objects that denials rest on and that were not read afresh. Where the world is a cache
    /// they have to be, before the request is refused.
    pub to_confirm: BTreeSet<Key>,
    /// Whether the guard knows the kind at all.
    pub known: bool,
    /// Whether other objects could not be looked at, so that only the object itself was judged.
    pub incomplete: bool,
    /// Where the rules can be read about.
    pub book: Book,
    /// The site's policies of which it is not known what they would say.
    pub undecided: Undecided,
}

impl Verdict {
    /// Whether the request may go on.
    pub fn allowed(&self) -> bool {
        self.denials().next().is_none()
    }

    /// The findings that refuse the request.
    pub fn denials(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.mode == Mode::Deny)
    }

    /// The findings that the user is told of without being stopped.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.mode == Mode::Warn)
    }

    /// The same verdict where what it rests on could not be read afresh: that warns, and never denies.
    #[must_use]
    pub fn unconfirmed(mut self) -> Self {
        let open = |key: &Key| self.to_confirm.contains(key);
        // The findings of a rule share what was read for it.
        let mut rules = HashMap::new();
        for finding in &mut self.findings {
            let read = || finding.rests_on.iter().any(open);
            let rule_open = *rules.entry(finding.rests_on.as_ptr()).or_insert_with(read);
            if finding.mode == Mode::Deny
                && (rule_open || finding.related.iter().any(|related| open(&related.key)))
            {
                finding.mode = Mode::Warn;
                finding.lowered = Some(Lowered::Unconfirmed);
            }
        }
        self.to_confirm.clear();
        self
    }
}

/// Whether a finding says that no rule could be asked.
pub(super) fn is_unreadable(finding: &Finding) -> bool {
    finding.rule.id == "object-unreadable"
}

/// Which rules are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// All that can be asked of an object wherever it is.
    Validating,
    /// Those that only a manifest in a file can break, too.
    File,
    /// Those whose refusal has to come before the CRD's own, see [`Contract::early`].
    Mutating,
}

impl Engine {
    /// An engine with these settings.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            policies: Policies::default(),
        }
    }

    /// The same engine with a site's own rules.
    #[must_use]
    pub fn with_policies(self, policies: Policies) -> Self {
        Self { policies, ..self }
    }

    /// Judges a request. `live` holds objects that were read afresh, see [`Verdict::to_confirm`].
    pub fn judge(&self, request: &Request, world: &Store, live: Option<&Live>) -> Verdict {
        let mut verdict = self.dispatch(request, world, live, Phase::Validating);
        self.ask_site(&mut verdict, request, false);
        verdict
    }

    /// Judges a manifest: as [`Engine::judge`] does, and by its kind's schema, as the API server would
    /// do first. The kinds that `crds` define have theirs from there. `kept` is whether the manifest is
    /// kept in a file, see [`Contract::files`].
    pub fn judge_offline(
        &self,
        request: &Request,
        world: &Store,
        manifest: &Manifest,
        crds: &Crds,
        kept: bool,
    ) -> Verdict {
        let phase = if kept { Phase::File } else { Phase::Validating };
        let mut verdict = self.dispatch(request, world, None, phase);
        if verdict.findings.iter().any(is_unreadable)
            && let Some((rest, wrong)) = offline::emptied(request)
        {
            let mut rest = self.dispatch(&rest, world, None, phase);
            let is_wrong =
                |finding: &Finding| wrong.iter().any(|field| finding.pointer.starts_with(field));
            rest.findings
                .retain(|finding| !is_unreadable(finding) && !is_wrong(finding));
            verdict.findings.append(&mut rest.findings);
        }
        self.ask_site(&mut verdict, request, true);
        offline::add(&mut verdict, request, manifest, &self.settings, crds);
        verdict
    }

    /// Judges what a file holds by all rules, those among them that only a file can break.
    pub fn judge_file(&self, request: &Request, world: &Store) -> Verdict {
        self.dispatch(request, world, None, Phase::File)
    }

    /// Judges a request by the rules whose refusal has to come before the CRD's own.
    pub fn judge_early(&self, request: &Request) -> Verdict {
        self.dispatch(request, &Store::default(), None, Phase::Mutating)
    }

    fn dispatch(
        &self,
        request: &Request,
        world: &Store,
        live: Option<&Live>,
        phase: Phase,
    ) -> Verdict {
        macro_rules! kinds {
            ($($kind:ty),*) => {$(
                if request.kind == <$kind as api::Kind>::KIND && request.group == <$kind as api::Kind>::GROUP {
                    return Judging::<$kind>::new(self, request, world, live, phase).verdict();
                }
            )*};
        }
        if request.subresource.is_empty() {
            judged_kinds!(kinds!);
        }
        Verdict::default()
    }
}

/// An object untyped and typed.
type Both<'a, K> = (&'a Doc, &'a Object<K>);

/// Judging one request about an object of kind `K`.
struct Judging<'a, K: Judged> {
    settings: &'a Settings,
    request: &'a Request,
    world: &'a Store,
    live: Option<&'a Live>,
    phase: Phase,
    gates: Gates,
    book: &'static crate::rules::Book<K>,
}

impl<'a, K: Judged> Judging<'a, K> {
    fn new(
        engine: &'a Engine,
        request: &'a Request,
        world: &'a Store,
        live: Option<&'a Live>,
        phase: Phase,
    ) -> Self {
        let settings = &engine.settings;
        Self {
            settings,
            request,
            world,
            live,
            phase,
            gates: Gates::of(request, settings),
            book: K::book(),
        }
    }

    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict {
            known: true,
            book: self.settings.book.clone(),
            ..Verdict::default()
        };
        let Some(subject) = self.request.subject() else {
            return verdict;
        };
        let key = self.key(subject);
        let lens = Lens::new(self.world, self.live, &key);
        if !K::concerns(&key, &lens, &self.settings.ramen.namespace) {
            return Verdict::default();
        }
        lens.take_notes();
        let asked = self.asked();
        let exempting = self.phase != Phase::Mutating && self.exempting();
        if asked.is_empty() && !exempting {
            return verdict;
        }
        let new = match self.read(subject) {
            Ok(new) => new,
            Err(error) => return self.unreadable(verdict, &error.0),
        };
        let old = self
            .request
            .old
            .as_ref()
            .filter(|_| self.request.operation == Operation::Update);
        // What is stored may be anything. Where it can't be read, nobody knows what it had already.
        let is_stored = old.is_some();
        let old = old.and_then(|doc| Some((doc, self.read(doc).ok()?)));
        let unread = is_stored && old.is_none();
        let changes = old.as_ref().map(|(doc, old)| Changes {
            new: (subject, &new),
            old: (doc, old),
        });
        let mut report = Report::default();
        let exempted = exempt::read(&new.meta, self.settings, &mut report);
        if exempting {
            self.advise(*exempt::CONTRACT, report, &mut verdict);
        }
        for entry in asked {
            let watches = entry.watches.iter().map(|watch| &self.book.watched[*watch]);
            if changes
                .as_ref()
                .is_some_and(|changes| !changes.any(watches.clone()))
            {
                continue;
            }
            let case = self.case(
                (subject, &new),
                old.as_ref().map(|(doc, old)| (*doc, old)),
                &lens,
            );
            let mut drafts = check(entry, &case);
            let (rests_on, incomplete) = lens.take_notes();
            verdict.incomplete |= incomplete;
            if let Some(changes) = &changes {
                drafts.retain(|draft| !changes.spares(watches.clone(), &draft.pointer));
            }
            if drafts.is_empty() {
                continue;
            }
            let rests_on: Arc<[Key]> = rests_on.into();
            let before = Stored::of(self.stored(entry, old.as_ref(), &lens));
            let fresh = |key: &&Key| self.live.is_some_and(|live| live.keys.contains(*key));
            let mut denies = false;
            for draft in drafts {
                let standing = Standing {
                    most: draft.most,
                    stored: unread && !entry.contract.crash
                        || before.has(&draft, entry.contract.crash),
                    unconfirmed: incomplete
                        || (entry.contract.scope != policy::Scope::Object
                            && rests_on.is_empty()
                            && draft.related.is_empty()),
                    exempted: exempted.contains(&&*entry.contract.id),
                };
                let (mode, lowered) = self.gates.apply(entry.contract, self.settings, standing);
                if mode == Mode::Deny {
                    denies = true;
                    let related = draft.related.iter().map(|related| &related.key);
                    let stale = related.filter(|key| !fresh(key));
                    verdict.to_confirm.extend(stale.cloned());
                }
                if mode > Mode::Off {
                    let rests_on = rests_on.clone();
                    verdict
                        .findings
                        .push(finding(entry.contract, draft, mode, lowered, rests_on));
                }
            }
            if denies {
                let stale = rests_on.iter().filter(|key| !fresh(key));
                verdict.to_confirm.extend(stale.cloned());
            }
        }
        verdict.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        verdict
    }

    /// The rules that the request makes run.
    fn asked(&self) -> Vec<&'static Entry<K>> {
        let request = self.request;
        let update = request.operation == Operation::Update;
        let terminating = update && deleting(request.new.as_ref());
        if terminating && body::<K>(request.new.as_ref()) == body::<K>(request.old.as_ref()) {
            return Vec::new();
        }
        // It goes already, and asking once more changes nothing.
        if request.operation == Operation::Delete && deleting(request.old.as_ref()) {
            return Vec::new();
        }
        let changed = if update { self.changed() } else { Vec::new() };
        let asks = |entry: &&Entry<K>| {
            let contract = entry.contract;
            contract.on.contains(&request.operation)
                && self.settings.unobserved(contract) != Mode::Off
                && (self.phase != Phase::Mutating || contract.early)
                && (self.phase == Phase::File || !contract.files)
                && !(terminating && contract.terminating == Gate::Skip)
                && !(self.gates.trusted && contract.trusted == Gate::Skip)
                && (!update || entry.watches.iter().any(|watch| changed[*watch]))
        };
        self.book.entries.iter().filter(asks).collect()
    }

    /// Which of the watched fields differ between old and new.
    fn changed(&self) -> Vec<bool> {
        let value = |doc: &'a Option<Doc>| doc.as_ref().map(|doc| &doc.value);
        let (new, old) = (value(&self.request.new), value(&self.request.old));
        self.book
            .watched
            .iter()
            .map(|tokens| differs(new, old, tokens))
            .collect()
    }

    /// Whether the request makes the object's exemption worth reading.
    fn exempting(&self) -> bool {
        fn value(doc: Option<&Doc>) -> Option<&Value> {
            doc?.value
                .get("metadata")?
                .get("annotations")?
                .get(exempt::EXEMPT)
        }
        let new = value(self.request.new.as_ref());
        let create = self.request.operation == Operation::Create;
        new.is_some() && (create || new != value(self.request.old.as_ref()))
    }

    /// Which object it is, as [`Judging::read`] has it too.
    fn key(&self, subject: &Doc) -> Key {
        let own = |field, given| {
            let metadata = subject.value.get("metadata");
            let own = metadata.and_then(|metadata| metadata.get(field)?.as_str());
            own.filter(|own| !own.is_empty()).unwrap_or(given)
        };
        Key::of::<K>(
            own("namespace", &*self.request.namespace),
            own("name", &*self.request.name),
        )
    }

    fn read(&self, doc: &Doc) -> Result<Object<K>, api::ReadError> {
        let mut object = Object::<K>::read(doc)?;
        let meta = &mut object.meta;
        if !K::NAMESPACED {
            // A manifest may carry one; the API server clears it.
            meta.namespace.clear();
        } else if meta.namespace.is_empty() {
            meta.namespace.clone_from(&self.request.namespace);
        }
        if meta.name.is_empty() {
            meta.name.clone_from(&self.request.name);
        }
        Ok(object)
    }

    fn case<'c>(
        &'c self,
        new: Both<'c, K>,
        old: Option<Both<'c, K>>,
        world: &'c Lens<'c>,
    ) -> Case<'c, K> {
        Case {
            operation: self.request.operation,
            new: new.1,
            old: old.map(|old| old.1),
            doc: new.0,
            old_doc: old.map(|old| old.0),
            world,
            operator_namespace: &self.settings.ramen.namespace,
        }
    }

    /// What the rule says of the stored object, judged as if it stayed as it is.
    fn stored(
        &self,
        entry: &Entry<K>,
        old: Option<&(&Doc, Object<K>)>,
        lens: &Lens<'_>,
    ) -> Vec<Draft> {
        let Some((doc, old)) = old else {
            return Vec::new();
        };
        if self.settings.unobserved(entry.contract) != Mode::Deny {
            return Vec::new();
        }
        let drafts = check(entry, &self.case((doc, old), Some((doc, old)), lens));
        lens.take_notes();
        drafts
    }

    /// The verdict on an object whose fields have other types than ours. The API server has checked it
    /// against the installed CRD, so ours may simply be older: that is worth a warning, no more.
    fn unreadable(&self, mut verdict: Verdict, error: &str) -> Verdict {
        if self.phase != Phase::Mutating
            && let Some(contract) = policy::contract("object-unreadable")
        {
            let mut report = Report::default();
            report.advise(
                "",
                format!("the object can't be read, so no rule was asked: {error}"),
            );
            self.advise(contract, report, &mut verdict);
        }
        verdict
    }

    /// Takes over what the engine itself has to say, which never refuses.
    fn advise(&self, contract: &'static Contract, report: Report, verdict: &mut Verdict) {
        let mode = self.settings.mode(contract).min(Mode::Warn);
        let drafts = report.drafts.into_iter().filter(|_| mode > Mode::Off);
        let findings = drafts.map(|draft| finding(contract, draft, mode, None, Arc::default()));
        verdict.findings.extend(findings);
    }
}

fn finding(
    rule: &'static Contract,
    draft: Draft,
    mode: Mode,
    lowered: Option<Lowered>,
    rests_on: Arc<[Key]>,
) -> Finding {
    let Draft {
        pointer,
        message,
        fix,
        related,
        ..
    } = draft;
    Finding {
        rule: rule.into(),
        mode,
        pointer,
        message: plain(message),
        fix: fix.map(plain),
        related,
        rests_on,
        lowered,
    }
}

/// What a rule says of the stored object, for looking up: an object may have very many findings.
#[derive(Default)]
struct Stored {
    fields: HashMap<PointerBuf, Vec<String>>,
    things: HashSet<(String, String)>,
}

impl Stored {
    fn of(drafts: Vec<Draft>) -> Self {
        let mut stored = Self::default();
        for draft in drafts {
            let thing = (shape(&draft.pointer), draft.message.clone());
            stored.things.insert(thing);
            let messages = stored.fields.entry(draft.pointer).or_default();
            messages.push(draft.message);
        }
        stored
    }

    /// Whether the stored object has the finding too: at the same field, or the same thing at another
    /// place of the same list. What stops a controller for everybody has to be the same to the letter.
    fn has(&self, found: &Draft, exact: bool) -> bool {
        match self.fields.get(&found.pointer) {
            Some(messages) if exact => messages.contains(&found.message),
            Some(_) => true,
            None if exact || self.things.is_empty() => false,
            None => {
                let thing = (shape(&found.pointer), found.message.clone());
                self.things.contains(&thing)
            }
        }
    }
}

/// A pointer without the places in lists.
fn shape(pointer: &Pointer) -> String {
    let tokens = pointer
        .tokens()
        .filter(|token| token.encoded().parse::<usize>().is_err());
    tokens.fold(String::new(), |shape, token| shape + "/" + token.encoded())
}

pub(super) fn deleting(doc: Option<&Doc>) -> bool {
    doc.is_some_and(|doc| doc.value.pointer("/metadata/deletionTimestamp").is_some())
}

fn body<K: api::Kind>(doc: Option<&Doc>) -> Option<&Value> {
    doc.and_then(|doc| K::body(&doc.value))
}

fn resolve<'a>(doc: Option<&'a Doc>, pointer: &Pointer) -> Option<&'a Value> {
    doc.and_then(|doc| pointer.resolve(&doc.value).ok())
}

/// Asks one rule.
fn check<K: Judged>(entry: &Entry<K>, case: &Case<'_, K>) -> Vec<Draft> {
    let mut report = Report::default();
    match &entry.contract.check {
        Check::Code(_) => {
            if let Some(code) = entry.code {
                code(case, &mut report);
            }
        }
        Check::Immutable(fields) => immutable(case, fields, &mut report),
        Check::Required(field) => {
            let value = field.resolve(&case.doc.value).ok();
            // Where the whole body is missing, that is the matter of another rule.
            let asked = case.new.has_spec || field.as_str() == "/spec";
            if asked && value.is_none_or(|value| value.as_str() == Some("")) {
                report.say(field.as_str(), "is required");
            }
        }
        Check::OneOf(one_of) => {
            let value = one_of.field.resolve(&case.doc.value).ok();
            if let Some(value) = value.filter(|value| {
                !one_of
                    .values
                    .iter()
                    .any(|known| value.as_str() == Some(known))
            }) {
                let known = list(one_of.values.iter().map(String::as_str));
                report.say(
                    one_of.field.as_str(),
                    format!("{value} is not one of {known}"),
                );
            }
        }
    }
    report.drafts
}

/// Where a whole body came or went, that is the matter of another rule.
fn immutable<K: Judged>(case: &Case<'_, K>, fields: &[PointerBuf], report: &mut Report) {
    if !case.new.has_spec || case.old.is_none_or(|old| !old.has_spec) {
        return;
    }
    for field in fields {
        if resolve(Some(case.doc), field) != resolve(case.old_doc, field) {
            report.say(field.as_str(), "may not change after creation");
        }
    }
}
