//! `check`: judges manifests before anything is applied.

use std::{
    collections::{HashMap, HashSet},
    io::IsTerminal,
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use jsonptr::Pointer;

use super::{Format, Strictness, print, site::Site};
use crate::{
    api::{Doc, Key},
    engine::{Engine, Request, User, Verdict},
    manifest::{
        crds::Crds,
        load::{LoadError, Manifest},
        pile::Pile,
        position::{Position, Source},
    },
    policy::Operation,
    report::{Checked, Finding, Located, Outcome, Place, Unread, human, json},
    site::Policies,
    world::{Cluster, Store},
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
    /// How to show what was found
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// What makes the check fail
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,
    #[command(flatten)]
    site: Site,
    #[command(flatten)]
    strictness: Strictness,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum FailOn {
    /// What would be refused
    #[default]
    Deny,
    /// Warnings too
    Warn,
}

/// How many findings about one object are shown.
const FINDINGS: usize = 200;

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
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let (policies, errors) = args.site.load();
    let engine = Engine::new(args.strictness.settings()?).with_policies(policies);
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
    };
    let mut outcome = check(&engine, given);
    if outcome.judged == 0 && outcome.skipped.is_empty() && outcome.unread.is_empty() {
        return Err(nothing(&args.paths));
    }
    args.site.tell(&mut outcome, &engine, &errors);
    let text = match args.output {
        Format::Human => for_people(&outcome),
        Format::Json => format!("{:#}\n", json(&outcome)),
    };
    print(&text)?;
    Ok(ExitCode::from(
        outcome.exit_code(args.fail_on == FailOn::Warn),
    ))
}

/// The outcome for people, as their terminal can show it.
pub(super) fn for_people(outcome: &Outcome) -> String {
    human(
        outcome,
        std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0.into()),
    )
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
        piles: [given.inputs, given.context],
        crds: given.crds,
        policies: engine.policies.clone(),
        ..Check::default()
    };
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
    let mut old: HashMap<Identity, Doc> = HashMap::new();
    for (_, stored) in given.old.iter() {
        check
            .outcome
            .unread
            .extend(stored.errors.iter().map(unread));
        let named = stored
            .manifests
            .iter()
            .map(|old| (identity(&old.doc), old.doc.clone()));
        old.extend(named.filter(|((.., name), _)| !name.is_empty()));
    }
    // What the site's own rules are given may stand beside what is judged.
    let policies = std::mem::take(&mut check.policies);
    let engine = &engine.clone().with_policies(policies);
    for part in 0..check.piles[INPUTS].len() {
        let loaded = check.piles[INPUTS].part(part);
        for manifest in &loaded.manifests {
            check.judge(engine, &world, manifest, old.get(&identity(&manifest.doc)));
        }
    }
    (check.outcome, world)
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

#[derive(Default)]
struct Check {
    outcome: Outcome,
    piles: [Pile; 2],
    crds: Crds,
    policies: Policies,
    /// Where an object was written: which pile, which part of it, which manifest of that.
    places: HashMap<Key, (usize, usize, usize)>,
}

impl Check {
    /// Puts the objects of a pile into the world, and remembers where each was written.
    fn know(&mut self, pile: usize, world: &mut Store) {
        for (part, loaded) in self.piles[pile].iter() {
            self.outcome.unread.extend(loaded.errors.iter().map(unread));
            let objects = loaded.manifests.iter().map(|manifest| &manifest.doc.value);
            self.policies = std::mem::take(&mut self.policies).knowing(objects);
            for (number, manifest) in loaded.manifests.iter().enumerate() {
                // What can't be read is said when the object itself is judged.
                if let Ok(Some(key)) = world.apply(&manifest.doc) {
                    self.places.insert(key, (pile, part, number));
                }
            }
            for skipped in loaded.skipped.iter().filter(|_| pile == INPUTS) {
                let reason = skipped.reason.to_string();
                *self.outcome.skipped.entry(reason).or_default() += 1;
            }
        }
    }

    fn skip(&mut self, what: String) {
        *self.outcome.skipped.entry(what).or_default() += 1;
    }

    fn judge(&mut self, engine: &Engine, world: &Store, manifest: &Manifest, old: Option<&Doc>) {
        let (group, kind, namespace, name) = identity(&manifest.doc);
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
        if !verdict.known {
            let label = if request.group.is_empty() {
                request.kind
            } else {
                format!("{}.{}", request.kind, request.group)
            };
            self.skip(label);
            return;
        }
        self.outcome.judged += 1;
        for (policy, unsure) in &verdict.undecided {
            let key = (policy.clone(), unsure.reason());
            *self.outcome.undecided.entry(key).or_default() += 1;
        }
        if !verdict.findings.is_empty() {
            let checked = self.located(manifest, request, verdict);
            self.outcome.objects.push(checked);
        }
    }

    fn located(&self, manifest: &Manifest, request: Request, verdict: Verdict) -> Checked {
        let locate = |finding: Finding| {
            let related = finding.related.iter().map(|related| {
                let there = self.places.get(&related.key);
                let there = there.and_then(|(pile, part, number)| {
                    let loaded = self.piles[*pile].part(*part);
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

/// The gravest of very many findings, in their order, and how many more there are.
pub(super) fn gravest(mut findings: Vec<Finding>) -> (Vec<Finding>, usize) {
    let more = findings.len().saturating_sub(FINDINGS);
    if more > 0 {
        let mut order: Vec<usize> = (0..findings.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(findings[*at].mode));
        let kept: HashSet<usize> = order.into_iter().take(FINDINGS).collect();
        let mut at = 0..;
        findings.retain(|_| at.next().is_some_and(|at| kept.contains(&at)));
    }
    (findings, more)
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

pub(super) fn place_of(manifest: &Manifest, pointer: &Pointer) -> Place {
    place(&manifest.source, &manifest.position(pointer))
}

/// An unknown field, or one that YAML reads as another, is a matter of its name, not of its value.
pub(super) fn place_of_finding(manifest: &Manifest, finding: &Finding) -> Place {
    const ABOUT_NAMES: [&str; 2] = [
        "object-yaml11-surprise",
        "vrg-recipe-parameter-name-yaml-bool",
    ];
    let rule = &*finding.rule.id;
    let position = if rule.ends_with("-unknown-field") || ABOUT_NAMES.contains(&rule) {
        manifest.key_position(&finding.pointer)
    } else {
        manifest.position(&finding.pointer)
    };
    place(&manifest.source, &position)
}

pub(super) fn place(source: &Source, position: &Position) -> Place {
    const LONG: usize = 4000;
    let line = source.line(position.line);
    let end_column = if position.end_line == position.line {
        position.end_column.max(position.column)
    } else {
        line.trim_end().chars().count() + 1
    };
    let shown = if line.len() > LONG { "" } else { line };
    let byte = |column: usize| {
        let mut columns = shown.char_indices().map(|(at, _)| at);
        columns.nth(column.saturating_sub(1)).unwrap_or(shown.len())
    };
    let start = byte(position.column);
    Place {
        file: Arc::from(&*source.name),
        line: position.line,
        column: position.column,
        end_column,
        source: shown.to_owned(),
        span: start..byte(end_column).max(start),
    }
}

pub(super) fn unread(error: &LoadError) -> Unread {
    let place = error.file.as_ref().zip(error.position.as_ref());
    let help = error
        .help
        .map_or_else(String::new, |help| format!("; {help}"));
    Unread {
        file: error.name.clone(),
        place: place.map(|(source, position)| self::place(source, position)),
        message: format!("{}{help}", error.message),
    }
}
