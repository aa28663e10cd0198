//! `check`: judges manifests before anything is applied.

use std::{collections::HashMap, ops::Range, path::PathBuf, process::ExitCode, sync::Arc};

use jsonptr::Pointer;

use super::{
    Strictness,
    output::Output,
    parallel::in_order,
    place::{gravest, place_of, place_of_finding, unread},
    progress::Progress,
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
    report::{Checked, Finding, Located, Other, Outcome, Place, Unread},
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
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    strictness: Strictness,
}

/// The group, kind, namespace and name of an object.
type Identity = (String, String, String, String);

/// What a check is given.
#[derive(Debug, Default)]
pub struct Given {
    /// What is judged.
    pub inputs: Pile,
    /// What is only looked at.
    pub context: Pile,
    /// What is stored: an object that is here too is judged as changed.
    pub old: Pile,
    /// What a cluster holds, if one was asked.
    pub cluster: Option<Store>,
    /// What kinds have to fit, where it is not what is built in.
    pub crds: Crds,
    /// Whether the outcome is to name the objects about which there is nothing to say.
    pub others: bool,
    /// Where to say how far it is.
    pub progress: Progress,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let engine = Engine::new(args.strictness.settings()?);
    let crds = Crds::read(&args.crds, &mut std::io::stdin().lock());
    let crds = crds.map_err(|error| error.to_string())?;
    let cluster = args.live.then(|| live(&engine)).transpose()?;
    let pile = |paths| Pile::of(paths, &mut std::io::stdin().lock());
    let given = Given {
        inputs: pile(&args.paths),
        context: pile(&args.context),
        old: pile(&args.old),
        cluster,
        crds,
        others: args.output.names_all(),
        progress: Progress::for_people(),
    };
    let (outcome, world) = check_in_world(&engine, given);
    if outcome.judged == 0 && outcome.skipped.is_empty() && outcome.unread.is_empty() {
        return Err(nothing(&args.paths));
    }
    let code = args.output.print(&outcome, None);
    // The process ends, and nobody needs to take all this apart before.
    std::mem::forget((outcome, world));
    code
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
        old: HashMap::new(),
        others: given.others,
        progress: given.progress,
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
    (check.judge_all(engine, &world), world)
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
    old: HashMap<Identity, Doc>,
    others: bool,
    progress: Progress,
}

/// What a part of a pile gives to the world.
struct Known {
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
            others,
            progress,
            ..
        } = self;
        let parts = &piles[pile];
        let others = *others;
        let mut part = 0;
        let read = |part| Known::of(&parts.part(part), pile == INPUTS, others);
        in_order(parts.len(), read, |known: Known| {
            outcome.unread.extend(known.unread);
            for (number, entry) in known.entries {
                places.insert(entry.put(world), (pile, part, number));
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
                .extend(named.filter(|((.., name), _)| !name.is_empty()));
        }
    }

    /// Judges all inputs.
    fn judge_all(mut self, engine: &Engine, world: &Store) -> Outcome {
        let mut outcome = std::mem::take(&mut self.outcome);
        let mut progress = std::mem::take(&mut self.progress);
        let pieces = self.piles[INPUTS].pieces();
        let mut done = 0;
        let judge = |piece: usize| {
            let (part, range): &(usize, Range<usize>) = &pieces[piece];
            let loaded = self.piles[INPUTS].part(*part);
            let last = range.end.min(loaded.manifests.len());
            let manifests = loaded.manifests.get(range.start..last).unwrap_or_default();
            let judged = manifests.iter().map(|it| self.judge(engine, world, it));
            judged.collect::<Vec<_>>()
        };
        in_order(pieces.len(), judge, |judged| {
            for judged in judged {
                match judged {
                    Judged::Skipped(kind, other) => {
                        outcome.skip(kind, other);
                        continue;
                    }
                    Judged::Passed(other) => outcome.others.extend(other),
                    Judged::Found(checked) => outcome.objects.push(*checked),
                }
                outcome.judged += 1;
            }
            done += 1;
            progress.step("checking", done, pieces.len());
        });
        outcome
    }

    fn judge(&self, engine: &Engine, world: &Store, manifest: &Manifest) -> Judged {
        let identity = identity(&manifest.doc);
        let old = self.old.get(&identity);
        let (group, kind, namespace, name) = identity;
        let request = Request {
            operation: if old.is_some() {
                Operation::Update
            } else {
                Operation::Create
            },
            group,
            kind,
            namespace,
            name,
            subresource: String::new(),
            new: Some(manifest.doc.clone()),
            old: old.cloned(),
            user: User::default(),
            dry_run: false,
        };
        let request = request.with_defaults_of(&self.crds);
        let verdict = engine.judge_offline(&request, world, manifest, &self.crds);
        let other = |skipped| self.others.then(|| other(manifest, skipped));
        if !verdict.known {
            let label = if request.group.is_empty() {
                request.kind
            } else {
                format!("{}.{}", request.kind, request.group)
            };
            return Judged::Skipped(label, other(true));
        }
        if verdict.findings.is_empty() {
            return Judged::Passed(other(false));
        }
        Judged::Found(Box::new(self.located(manifest, request, verdict)))
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

impl Known {
    fn of(loaded: &Loaded, inputs: bool, others: bool) -> Self {
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
    let (_, kind, namespace, name) = identity(&manifest.doc);
    Other {
        kind,
        namespace,
        name,
        file: Arc::from(&*manifest.source.name),
        line: manifest.position(Pointer::root()).line,
        skipped,
    }
}

fn identity(doc: &Doc) -> Identity {
    let metadata = |field: &str| {
        let value = doc
            .value
            .get("metadata")
            .and_then(|metadata| metadata.get(field));
        value
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    (
        doc.group().to_owned(),
        doc.text("kind").to_owned(),
        metadata("namespace"),
        metadata("name"),
    )
}
