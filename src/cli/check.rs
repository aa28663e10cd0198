//! `check`: judges manifests before anything is applied.

use std::{collections::HashMap, io::IsTerminal, path::PathBuf, process::ExitCode, sync::Arc};

use jsonptr::Pointer;

use super::{Strictness, load, print};
use crate::{
    api::{Doc, Key},
    engine::{Engine, Request, User, Verdict},
    manifest::{
        load::{LoadError, Manifest},
        position::{Position, Source},
    },
    policy::Operation,
    report::{Checked, Finding, Located, Outcome, Place, Unread, human, json},
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
    strictness: Strictness,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    #[default]
    Human,
    Json,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum FailOn {
    /// What would be refused
    #[default]
    Deny,
    /// Warnings too
    Warn,
}

/// The group, kind, namespace and name of an object.
type Identity = (String, String, String, String);

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let engine = Engine::new(args.strictness.settings()?);
    let mut world = if args.live {
        live(&engine)?
    } else {
        Store::default()
    };
    let (inputs, context, stored) = (load(&args.paths), load(&args.context), load(&args.old));
    let mut check = Check::default();
    for (loaded, whole) in [(&context, false), (&inputs, true), (&stored, false)] {
        check
            .outcome
            .unread
            .extend(loaded.errors.iter().map(unread));
        for skipped in loaded.skipped.iter().filter(|_| whole) {
            *check
                .outcome
                .skipped
                .entry(skipped.reason.to_string())
                .or_default() += 1;
        }
    }
    // The objects of the run stand in front of what is given as context.
    for manifest in context.manifests.iter().chain(&inputs.manifests) {
        check.know(manifest, &mut world);
    }
    // Nobody keeps ManagedClusters in Git, so that there is none says nothing.
    if !args.live && world.managed_clusters.is_empty() {
        world.managed_clusters.synced = false;
    }
    let old: HashMap<Identity, &Doc> = stored
        .manifests
        .iter()
        .map(|old| (identity(&old.doc), &old.doc))
        .collect();
    for manifest in &inputs.manifests {
        check.judge(
            &engine,
            &world,
            manifest,
            old.get(&identity(&manifest.doc)).copied(),
        );
    }
    if inputs.manifests.is_empty() && inputs.errors.is_empty() && inputs.skipped.is_empty() {
        return Err("there is nothing to check in what was given".to_owned());
    }
    let outcome = check.outcome;
    let text = match args.output {
        Format::Human => human(
            &outcome,
            std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        ),
        Format::Json => format!("{:#}\n", json(&outcome)),
    };
    print(&text)?;
    Ok(ExitCode::from(
        outcome.exit_code(args.fail_on == FailOn::Warn),
    ))
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

#[derive(Default)]
struct Check<'a> {
    outcome: Outcome,
    places: HashMap<Key, &'a Manifest>,
}

impl<'a> Check<'a> {
    /// Puts an object into the world, and remembers where it was written.
    fn know(&mut self, manifest: &'a Manifest, world: &mut Store) {
        // What can't be read is said when the object itself is judged.
        if let Ok(Some(key)) = world.apply(&manifest.doc) {
            self.places.insert(key, manifest);
        }
    }

    fn judge(&mut self, engine: &Engine, world: &Store, manifest: &'a Manifest, old: Option<&Doc>) {
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
        let request = request.with_defaults();
        let verdict = engine.judge_offline(&request, world, manifest.raw());
        if !verdict.known {
            let label = if request.group.is_empty() {
                request.kind
            } else {
                format!("{}.{}", request.kind, request.group)
            };
            *self.outcome.skipped.entry(label).or_default() += 1;
            return;
        }
        self.outcome.judged += 1;
        if !verdict.findings.is_empty() {
            let checked = self.located(manifest, request, verdict);
            self.outcome.objects.push(checked);
        }
    }

    fn located(&self, manifest: &Manifest, request: Request, verdict: Verdict) -> Checked {
        let locate = |finding: Finding| {
            let related = finding.related.iter().map(|related| {
                let there = self.places.get(&related.key);
                (
                    related.clone(),
                    there.map(|there| place_of(there, &related.pointer)),
                )
            });
            Located {
                related: related.collect(),
                place: place_of_finding(manifest, &finding),
                finding,
            }
        };
        Checked {
            kind: request.kind,
            namespace: request.namespace,
            name: request.name,
            operation: request.operation,
            place: place_of(manifest, Pointer::root()),
            findings: verdict.findings.into_iter().map(locate).collect(),
        }
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

fn place_of(manifest: &Manifest, pointer: &Pointer) -> Place {
    place(&manifest.source, &manifest.position(pointer))
}

/// An unknown field is a matter of its name, not of its value.
fn place_of_finding(manifest: &Manifest, finding: &Finding) -> Place {
    let position = if finding.rule.id.ends_with("-unknown-field") {
        manifest.key_position(&finding.pointer)
    } else {
        manifest.position(&finding.pointer)
    };
    place(&manifest.source, &position)
}

fn place(source: &Source, position: &Position) -> Place {
    let line = source.line(position.line);
    let start = line
        .char_indices()
        .nth(position.column.saturating_sub(1))
        .map_or(line.len(), |(at, _)| at);
    let end = if position.end_line == position.line {
        line.char_indices()
            .nth(position.end_column.saturating_sub(1))
            .map_or(line.len(), |(at, _)| at)
    } else {
        line.trim_end().len()
    };
    Place {
        file: Arc::from(&*source.name),
        line: position.line,
        column: position.column,
        source: line.to_owned(),
        span: start..end.max(start),
    }
}

fn unread(error: &LoadError) -> Unread {
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
