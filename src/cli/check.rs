//! `check`: judges manifests before anything is applied.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use jsonptr::Pointer;

use super::{
    Strictness,
    again::{self, First},
    identity::{Identity, identity, may_be_judged},
    output::Output,
    parallel::in_order,
    place::{gravest, place_of, place_of_finding, unread},
    print,
    progress::Progress,
    server::Answers,
    since::{Home, Past, Present, Since},
};
use crate::{
    api::{Doc, Key},
    engine::{Engine, Request, User, Verdict},
    manifest::{
        crds::Crds,
        load::{Loaded, Manifest},
        pile::Pile,
    },
    policy::Operation,
    report::{Checked, Finding, Located, Other, Outcome, Unread},
    world::{Cluster, Entry, Store},
};

/// Validates manifests: files, folders, or `-` for standard input
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Files, folders, or `-`: multi-document YAML, JSON, Lists, rendered Helm and Kustomize output
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Objects that are only looked at: files or folders
    #[arg(long, value_name = "PATH")]
    context: Vec<PathBuf>,
    /// The CRDs that manifests have to fit, instead of those that are built in: files or folders with
    /// CustomResourceDefinitions, such as a cluster's, or another Ramen's. Kinds of other groups that
    /// they define are checked, too
    #[arg(long, value_name = "PATH")]
    crds: Vec<PathBuf>,
    /// Looks the other objects up in the current cluster
    #[arg(long)]
    live: bool,
    /// What is stored: an object that is there too is judged as changed
    #[arg(long, value_name = "PATH")]
    old: Vec<PathBuf>,
    /// What is stored is what this commit has: objects are judged as changed from it, and those that are
    /// nowhere any more as deleted. It is the commit itself, not where the branches parted; for that, give
    /// "$(git merge-base origin/main HEAD)". Needs git and the history
    #[arg(long, value_name = "GIT-REF", conflicts_with = "old")]
    since: Option<String>,
    /// Sends each object through the API server of the current cluster, too, as a dry run: nothing is stored
    #[arg(long)]
    server: bool,
    /// Shows what would be found without the exemptions that objects carry
    #[arg(long)]
    no_exemptions: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    strictness: Strictness,
}

/// What a check is given.
#[derive(Debug, Default)]
pub struct Given {
    /// What is judged.
    pub inputs: Pile,
    /// What is only looked at.
    pub context: Pile,
    /// What is stored: an object that is here too is judged as changed.
    pub old: Pile,
    /// What a commit had of what is judged, if that is what is stored.
    pub since: Option<Since>,
    /// What an API server has said of what is judged, if it was asked.
    pub answers: Option<Answers>,
    /// What a cluster holds, if one was asked.
    pub cluster: Option<Store>,
    /// What kinds have to fit, where it is not what is built in.
    pub crds: Crds,
    /// Whether the outcome is to name the objects about which there is nothing to say.
    pub others: bool,
    /// Where to say how far it is.
    pub progress: Progress,
    /// Whether what is judged is stored already, so that nothing is said about how it is kept in files.
    pub stored: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let mut settings = args.strictness.settings()?;
    settings.unexempted = args.no_exemptions;
    let engine = Engine::new(settings);
    let crds = Crds::read(&args.crds, &mut std::io::stdin().lock());
    let crds = crds.map_err(|error| error.to_string())?;
    let cluster = args.live.then(|| live(&engine)).transpose()?;
    let since = args.since.as_deref();
    let since = since.map(|commit| Since::of(commit, &args.paths, &crds));
    let since = since.transpose()?;
    // What was there and is no more is no mistake: whoever asks Git what has changed hears of that, too.
    let is_gone = |path: &&PathBuf| since.as_ref().is_some_and(|it| it.is_gone(path));
    let paths: Vec<PathBuf> = args
        .paths
        .iter()
        .filter(|it| !is_gone(it))
        .cloned()
        .collect();
    let some_gone = paths.len() < args.paths.len();
    let pile = |paths: &[PathBuf]| Pile::of(paths, &mut std::io::stdin().lock());
    let inputs = pile(&paths);
    let answers = args.server.then(|| Answers::get(&inputs, &crds));
    let given = Given {
        inputs,
        context: pile(&args.context),
        old: pile(&args.old),
        since,
        answers: answers.transpose()?,
        cluster,
        crds,
        others: args.output.names_all(),
        progress: Progress::for_people(),
        ..Given::default()
    };
    let outcome = check(&engine, given);
    let nothing_read = outcome.skipped.is_empty() && outcome.unread.is_empty();
    if outcome.judged == 0 && nothing_read && !some_gone {
        return Err(nothing(&args.paths));
    }
    print(&args.output.show(&outcome, None))?;
    Ok(args.output.exit_code(&outcome))
}

pub(super) fn nothing(paths: &[PathBuf]) -> String {
    let name = |path: &PathBuf| {
        if path.as_os_str() == "-" {
            return "on standard input".to_owned();
        }
        format!("in {}", path.display())
    };
    let names: Vec<String> = paths.iter().map(name).collect();
    format!("nothing to check {}", names.join(", "))
}

/// Judges manifests.
///
/// They are read twice: for the world that they make up, and to be judged in it.
pub fn check(engine: &Engine, given: Given) -> Outcome {
    check_in_world(engine, given).0
}

/// As [`check`], with the world that the manifests make up.
pub(super) fn check_in_world(engine: &Engine, given: Given) -> (Outcome, Store) {
    let live = given.cluster.is_some();
    let mut world = given.cluster.unwrap_or_default();
    let mut check = Check {
        outcome: Outcome::default(),
        piles: [given.inputs, given.context],
        crds: given.crds,
        places: HashMap::new(),
        named: Named::default(),
        old: HashMap::new(),
        answers: given.answers,
        others: given.others,
        progress: given.progress,
        stored: given.stored,
    };
    check.outcome.site = engine.settings.site.clone();
    // The objects of the run stand in front of what is given as context.
    for pile in [CONTEXT, INPUTS] {
        check.know(pile, &mut world);
    }
    // Nobody keeps ManagedClusters in Git, and nobody should keep Secrets there, so that there is none
    // says nothing.
    if !live && world.managed_clusters.is_empty() {
        world.managed_clusters.synced = false;
    }
    if world.secrets.is_empty() {
        world.secrets.synced = false;
    }
    check.know_old(&given.old);
    let mut outcome = std::mem::take(&mut check.outcome);
    if let Some(answers) = &mut check.answers {
        outcome.unread.extend(answers.take_failed());
    }
    let homes = check.homes(given.since.as_ref());
    let past = given.since.as_ref().map(|since| {
        since.compare(&Present {
            places: &check.named.inputs,
            homes: &homes,
            context: &check.named.context,
        })
    });
    let past = past.unwrap_or_default();
    // What is gone is no more to be reckoned with, though the cluster may have it still.
    for gone in &past.gone {
        again::forget(&mut world, &gone.doc);
    }
    let judged = check.judge_all(engine, &world, &past, &homes, &mut outcome);
    if let Some(since) = &given.since {
        check.judge_gone(engine, &world, &past.gone, since, !live, &mut outcome);
    }
    if let Some(answers) = &check.answers {
        outcome
            .notes
            .extend(answers.notes(|place| judged.contains(&place)));
    }
    again::note_exempted(&mut outcome);
    (outcome, world)
}

/// The current cluster as it is now.
fn live(engine: &Engine) -> Result<Store, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("the network can't be used: {error}"))?;
    let snapshot = async {
        Cluster::snapshot(Cluster::client().await?, &engine.settings.ramen.namespace).await
    };
    runtime
        .block_on(snapshot)
        .map_err(|error| error.to_string())
}

/// The places of the piles in [`Check::piles`].
const INPUTS: usize = 0;
const CONTEXT: usize = 1;

struct Check {
    outcome: Outcome,
    piles: [Pile; 2],
    crds: Crds,
    /// Where an object was written: which pile, which part of it, which manifest of that.
    places: HashMap<Key, (usize, usize, usize)>,
    named: Named,
    old: HashMap<Identity, Doc>,
    answers: Option<Answers>,
    others: bool,
    progress: Progress,
    stored: bool,
}

/// Which objects there are, of those that may be judged.
#[derive(Default)]
struct Named {
    /// Where each of the inputs stands: which part, which manifest of that.
    inputs: HashMap<Identity, Vec<(usize, usize)>>,
    context: HashSet<Identity>,
}

/// What a part of a pile gives to the world.
struct Known {
    named: Vec<(usize, Identity)>,
    entries: Vec<(usize, Entry)>,
    skipped: Vec<(String, Option<Other>)>,
    unread: Vec<Unread>,
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
    fn know(&mut self, pile: usize, world: &mut Store) {
        let Self {
            outcome,
            piles,
            places,
            named,
            crds,
            others,
            progress,
            ..
        } = self;
        let parts = &piles[pile];
        let others = *others;
        let mut part = 0;
        let read = |part| Known::of(&parts.part(part), pile == INPUTS, others, crds);
        in_order(parts.len(), read, |known: Known| {
            outcome.unread.extend(known.unread);
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
    fn know_old(&mut self, old: &Pile) {
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

    /// Judges all inputs, and says which of them there was something to say about.
    fn judge_all(
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
                (place, self.judge(engine, world, it, place, &old))
            });
            judged.collect::<Vec<_>>()
        };
        in_order(pieces.len(), judge, |judged| {
            for (place, judged) in judged {
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
    ) -> Judged {
        let identity = identity(&manifest.doc);
        let old = self.old.get(&identity).or_else(past);
        let again = self.first(&identity, place);
        let request = request(identity, Some(&manifest.doc), old).with_defaults_of(&self.crds);
        let mut verdict = engine.judge_offline(&request, world, manifest, &self.crds, !self.stored);
        let other = |skipped| self.others.then(|| other(manifest, skipped));
        if !verdict.known {
            let label = if request.group.is_empty() {
                request.kind
            } else {
                format!("{}.{}", request.kind, request.group)
            };
            return Judged::Skipped(label, other(true));
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
            return Judged::Found(Box::new(checked));
        }
        if verdict.findings.is_empty() {
            return Judged::Passed(other(false));
        }
        Judged::Found(Box::new(self.located(manifest, request, verdict)))
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
            again::soften(&mut verdict, offline);
            if !verdict.findings.is_empty() {
                let checked = self.located(manifest, request, verdict);
                outcome.objects.push(checked);
            }
        }
        again::note_gone(since, count, outcome);
    }

    fn located(&self, manifest: &Manifest, request: Request, verdict: Verdict) -> Checked {
        let locate = |finding: Finding| {
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
                place: place_of_finding(manifest, &finding),
                finding,
            }
        };
        let (findings, more) = gravest(verdict.findings);
        Checked {
            kind: request.kind,
            namespace: request.namespace,
            name: request.name,
            operation: request.operation,
            place: place_of(manifest, Pointer::root()),
            findings: findings.into_iter().map(locate).collect(),
            more,
        }
    }
}

impl Known {
    fn of(loaded: &Loaded, inputs: bool, others: bool, crds: &Crds) -> Self {
        let named = loaded.manifests.iter().enumerate();
        let named = named.filter(|(_, manifest)| may_be_judged(&manifest.doc, crds));
        let named = named.map(|(number, manifest)| (number, identity(&manifest.doc)));
        let read = |(number, manifest): (usize, &Manifest)| {
            // What can't be read is said when the object itself is judged.
            Some((number, Store::read(&manifest.doc).ok()??))
        };
        let skipped = loaded.skipped.iter().filter(|_| inputs).map(|skipped| {
            let reason = skipped.reason.to_string();
            let other = others.then(|| Other {
                kind: reason.clone(),
                namespace: String::new(),
                name: String::new(),
                file: Arc::from(&*skipped.source.name),
                line: skipped.position.line,
                skipped: true,
            });
            (reason, other)
        });
        Self {
            named: named.filter(|(_, it)| !it.is_nameless()).collect(),
            entries: loaded
                .manifests
                .iter()
                .enumerate()
                .filter_map(read)
                .collect(),
            skipped: skipped.collect(),
            unread: loaded.errors.iter().map(unread).collect(),
        }
    }
}

/// An object about which there is nothing to say.
fn other(manifest: &Manifest, skipped: bool) -> Other {
    let object = identity(&manifest.doc);
    Other {
        kind: object.kind,
        namespace: object.namespace,
        name: object.name,
        file: Arc::from(&*manifest.source.name),
        line: manifest.position(Pointer::root()).line,
        skipped,
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
