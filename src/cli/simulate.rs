//! `simulate`: what the guard, and Ramen, would make of an action before anyone takes it.

use std::{io::IsTerminal, path::PathBuf, process::ExitCode};

use clap::Subcommand;

use super::{Format, Strictness, load, output::FailOn, print, wait};
use crate::{
    engine::Engine,
    simulate::{
        Action, Ask, OffsetDateTime, Said, Simulation, Width, World, human, json, simulate,
    },
    world::Cluster,
};

/// Says what the guard, and Ramen, would make of an action, without taking it
///
/// The edited object is judged as a person's change, with all rules; a table then says of what Ramen
/// reported last what it would wait for. Nothing is ever changed, and readiness is advice.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// An application is brought to another cluster, whatever became of the one that it is on
    #[command(after_help = CODES)]
    Failover(Move),
    /// An application is brought to another cluster without loss
    #[command(after_help = CODES)]
    Relocate(Move),
    /// A cluster is kept away from the storage (clusterFence: Fenced)
    #[command(after_help = CODES)]
    Fence(Clusters),
    /// A cluster is let back to the storage (clusterFence: Unfenced)
    #[command(after_help = CODES)]
    Unfence(Clusters),
}

const CODES: &str = "\
Exit codes: 0 the guard would accept all of them; 1 it would refuse one; 2 there is no such object, it is not clear \
where it is to go, or an input can't be read; 3 with --fail-on warn: accepted, but the guard warns, or a row of the \
table is not ok";

#[derive(clap::Args, Debug)]
struct Move {
    /// DRPlacementControls: NAME, or NAMESPACE/NAME. Several are judged one after the other, each as if those before
    /// it were done
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Where they are; else a name is looked for in every namespace
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// The cluster they are to go to; else the one that is clear from the policy, the cluster that they are on, and
    /// preferredCluster
    #[arg(long, value_name = "CLUSTER")]
    to: Option<String>,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args, Debug)]
struct Clusters {
    /// DRClusters. Several are judged one after the other, each as if those before it were done
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args, Debug)]
struct How {
    /// Manifests with their status that are taken for what is stored: files, folders such as a must-gather's, or `-`; else
    /// the current cluster is read
    #[arg(long, value_name = "PATH")]
    state: Vec<PathBuf>,
    /// The time that ages are counted from, such as that of a must-gather: RFC 3339; else now
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<OffsetDateTime>,
    /// How to show what was found
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// What makes the simulation fail
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,
    #[command(flatten)]
    strictness: Strictness,
}

fn time(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &::time::format_description::well_known::Rfc3339)
        .map_err(|_| "it is written like 2026-01-15T10:00:00Z".to_owned())
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let (action, names, place, how) = match &args.what {
        What::Failover(it) => (Action::Failover, &it.names, Some(it), &it.how),
        What::Relocate(it) => (Action::Relocate, &it.names, Some(it), &it.how),
        What::Fence(it) => (Action::Fence, &it.names, None, &it.how),
        What::Unfence(it) => (Action::Unfence, &it.names, None, &it.how),
    };
    let engine = Engine::new(how.strictness.settings()?);
    let mut world = if how.state.is_empty() {
        of_cluster(&engine)?
    } else {
        of_files(&how.state)?
    };
    let now = how.now.unwrap_or_else(OffsetDateTime::now_utc);
    let mut done = Vec::new();
    for name in names {
        let ask = Ask {
            action,
            name,
            namespace: place.and_then(|place| place.namespace.as_deref()),
            to: place.and_then(|place| place.to.as_deref()),
        };
        let one = simulate(&engine, &mut world, &ask, now);
        done.push(one.map_err(|error| crate::report::plain(error.to_string()))?);
    }
    let text = match how.output {
        Format::Human => human(&done, terminal()),
        Format::Json => format!("{:#}\n", json(&done)),
    };
    print(&text)?;
    Ok(ExitCode::from(code(&done, how.fail_on)))
}

fn code(done: &[Simulation], fail_on: FailOn) -> u8 {
    match () {
        () if done.iter().any(|it| it.said == Said::Refused) => 1,
        () if fail_on == FailOn::Warn && done.iter().any(Simulation::has_doubts) => 3,
        () => 0,
    }
}

fn terminal() -> Width {
    let out = std::io::stdout();
    Width {
        colour: out.is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        columns: terminal_size::terminal_size_of(out).map(|(width, _)| width.0.into()),
    }
}

/// The current cluster as it is now.
fn of_cluster(engine: &Engine) -> Result<World, String> {
    let mut world = World::new(true);
    let snapshot = async {
        let client = Cluster::client().await?;
        let namespace = &engine.settings.ramen.namespace;
        Cluster::snapshot_with(client, namespace, |doc| world.keep(doc)).await
    };
    let store = wait(snapshot)?.map_err(|error| error.to_string())?;
    world.store = store;
    world.complete();
    Ok(world)
}

/// What manifests say.
fn of_files(paths: &[PathBuf]) -> Result<World, String> {
    let loaded = load(paths);
    let mut world = World::new(false);
    world.store = super::stored(&loaded)?;
    for manifest in &loaded.manifests {
        world.keep(&manifest.doc);
    }
    world.complete();
    Ok(world)
}
