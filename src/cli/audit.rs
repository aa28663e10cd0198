//! `audit`: judges what is stored already, those that hold up others first.

use std::{path::PathBuf, process::ExitCode};

use super::{
    Strictness,
    check::{Given, check_in_world, nothing},
    output::{Blocker, Output},
    place::{gravest, place_of, place_of_finding},
    progress::Progress,
    site::Site,
};
use crate::{
    api::Doc,
    engine::{Audited, Engine},
    manifest::{
        load::{self, Manifest},
        pile::Pile,
        yaml::Limits,
    },
    policy::Operation,
    report::{Checked, Located, Other, Outcome, Unread, label},
    rules::readable_kinds,
    site::Undecided,
    world::{Cluster, KeptKind, Store},
};
use jsonptr::Pointer;

/// Objects a page of a list.
const PAGE: u32 = 250;

/// Judges what a cluster already holds; those that hold up others come first
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Manifests that are taken for what is stored, files or folders; else the current cluster is read
    #[arg(long, value_name = "PATH")]
    state: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    site: Site,
    #[command(flatten)]
    strictness: Strictness,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let (policies, errors) = args.site.load();
    let engine = Engine::new(args.strictness.settings()?).with_policies(policies);
    let (mut outcome, world) = if args.state.is_empty() {
        of_cluster(&engine, args.output.names_all())?
    } else {
        let given = Given {
            inputs: Pile::of(&args.state, &mut std::io::stdin().lock()),
            others: args.output.names_all(),
            progress: Progress::for_people(),
            stored: true,
            ..Given::default()
        };
        let (outcome, world) = check_in_world(&engine, given);
        if outcome.judged == 0 && outcome.skipped.is_empty() && outcome.unread.is_empty() {
            return Err(nothing(&args.state));
        }
        (outcome, world)
    };
    args.site.tell(&mut outcome, &engine, &errors);
    let blockers = sort(&engine, &world, &mut outcome);
    args.output.print(&outcome, Some(&blockers))
}

/// Puts those that hold up others first, and says which they are and how many others.
fn sort(engine: &Engine, world: &Store, outcome: &mut Outcome) -> Vec<Blocker> {
    let objects = std::mem::take(&mut outcome.objects);
    let mut weighed: Vec<(Audited, Checked)> = objects
        .into_iter()
        .map(|object| {
            let findings: Vec<_> = object
                .findings
                .iter()
                .map(|it| it.finding.clone())
                .collect();
            let blocks = engine.held_up(&object.kind, &object.namespace, &findings, world);
            let audited = Audited {
                api_version: String::new(),
                kind: object.kind.clone(),
                namespace: object.namespace.clone(),
                name: object.name.clone(),
                uid: String::new(),
                findings,
                undecided: Undecided::new(),
                blocks,
            };
            (audited, object)
        })
        .collect();
    // Stable: of equals, the order of the input stays.
    weighed.sort_by_key(|(audited, _)| audited.gravity());
    let blocking = weighed.iter().take_while(|(audited, _)| audited.blocks > 0);
    let blockers = blocking.map(|(it, _)| (label(&it.kind, &it.namespace, &it.name), it.blocks));
    let blockers = blockers.collect();
    outcome.objects = weighed.into_iter().map(|(_, object)| object).collect();
    blockers
}

/// Judges the current cluster; `others` is whether what passes is named, too.
fn of_cluster(engine: &Engine, others: bool) -> Result<(Outcome, Store), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("the network can't be used: {error}"))?;
    let namespace = &engine.settings.ramen.namespace;
    let audit = async {
        let client = Cluster::client().await?;
        let world = Cluster::snapshot(client.clone(), namespace).await?;
        let mut outcome = Outcome {
            book: engine.settings.book.clone(),
            ..Outcome::default()
        };
        let mut progress = Progress::for_people();
        let kinds = readable_kinds();
        for (done, kind) in kinds.iter().copied().enumerate() {
            progress.step("auditing kind", done + 1, kinds.len());
            let judge = |doc: Doc| {
                let Some(audited) = engine.judge_stored(&doc, &world) else {
                    return;
                };
                outcome.judged += 1;
                outcome.undecided(&audited.undecided);
                if audited.findings.is_empty() {
                    outcome.others.extend(others.then(|| passed(kind, audited)));
                } else {
                    let checked = checked(&doc, kind, audited);
                    outcome.objects.extend(checked);
                }
            };
            if let Err(error) = Cluster::each(&client, kind, namespace, PAGE, judge).await {
                outcome.unread.push(Unread {
                    file: kind.plural.to_owned(),
                    place: None,
                    message: error.to_string(),
                });
            }
        }
        Ok::<_, crate::world::ClusterError>((outcome, world))
    };
    runtime.block_on(audit).map_err(|error| error.to_string())
}

/// What stands for a file: the resource, its namespace and its name.
fn file(kind: KeptKind, audited: &Audited) -> String {
    let parts = [kind.plural, &audited.namespace, &audited.name];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("/")
}

fn passed(kind: KeptKind, audited: Audited) -> Other {
    Other {
        file: file(kind, &audited).into(),
        line: 1,
        kind: audited.kind,
        namespace: audited.namespace,
        name: audited.name,
        skipped: false,
    }
}

/// The object as it would stand in a file, so that findings have lines to show.
fn checked(doc: &Doc, kind: KeptKind, audited: Audited) -> Option<Checked> {
    let manifest = written(&file(kind, &audited), doc)?;
    let (findings, more) = gravest(audited.findings);
    let locate = |finding: crate::report::Finding| Located {
        related: finding
            .related
            .iter()
            .map(|related| (related.clone(), None))
            .collect(),
        place: place_of_finding(&manifest, &finding),
        finding,
    };
    Some(Checked {
        findings: findings.into_iter().map(locate).collect(),
        place: place_of(&manifest, Pointer::root()),
        kind: audited.kind,
        namespace: audited.namespace,
        name: audited.name,
        operation: Operation::Create,
        more,
    })
}

/// The object as YAML; as JSON where that would be read as something else.
fn written(name: &str, doc: &Doc) -> Option<Manifest> {
    let read = |text: String| {
        let mut loaded = load::load_text(name, text, &Limits::default());
        let manifest = loaded.manifests.pop()?;
        (manifest.doc.value == doc.value).then_some(manifest)
    };
    let yaml = serde_saphyr::to_string(&doc.value).ok();
    yaml.and_then(read)
        .or_else(|| read(format!("{:#}", doc.value)))
}
