//! `check`: judges manifests before anything is applied.

use std::{path::PathBuf, process::ExitCode};

use super::{
    Strictness,
    judging::{CONTEXT, Check, INPUTS},
    output::Output,
    progress::Progress,
    server::Answers,
    since::Since,
    site::Site,
};
use crate::{
    engine::Engine,
    manifest::{crds::Crds, pile::Pile},
    report::Outcome,
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
    site: Site,
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
    let (policies, errors) = args.site.load();
    let mut settings = args.strictness.settings()?;
    settings.unexempted = args.no_exemptions;
    let engine = Engine::new(settings).with_policies(policies);
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
    let (mut outcome, world) = check_in_world(&engine, given);
    let nothing_read = outcome.skipped.is_empty() && outcome.unread.is_empty();
    if outcome.judged == 0 && nothing_read && !some_gone {
        return Err(nothing(&args.paths));
    }
    args.site.tell(&mut outcome, &engine, &errors);
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
        piles: [given.inputs, given.context],
        crds: given.crds,
        policies: engine.policies.clone(),
        answers: given.answers,
        others: given.others,
        progress: given.progress,
        stored: given.stored,
        ..Check::default()
    };
    check.outcome.book = engine.settings.book.clone();
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
    // What the site's own rules are given may stand beside what is judged.
    let policies = std::mem::take(&mut check.policies);
    let policies = policies.knowing(&std::mem::take(&mut check.params));
    let engine = &engine.clone().with_policies(policies);
    let outcome = check.judge_all(engine, &mut world, given.since.as_ref(), live);
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
