//! The command line: one file a command.

mod again;
mod audit;
mod break_glass;
mod certs;
pub mod check;
mod completions;
mod identity;
mod judging;
mod known;
mod manifests;
mod output;
mod parallel;
mod place;
mod policies;
mod progress;
mod review;
pub mod rules;
mod serve;
mod server;
mod since;
mod takeaway;
mod uninstall;

use std::{
    io::{self, BufWriter, ErrorKind, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::{
    engine::Settings,
    manifest::{
        load::{self, Loaded},
        yaml::Limits,
    },
    policy::Profile,
    world::Store,
};

#[derive(Parser)]
#[command(name = "ramen-guard", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Audit(audit::Args),
    Serve(serve::Args),
    Review(review::Args),
    Rules(rules::RulesArgs),
    Explain(rules::ExplainArgs),
    Manifests(manifests::Args),
    BreakGlass(break_glass::Args),
    Uninstall(uninstall::Args),
    Certs(certs::Args),
    Policies(policies::Args),
    Completions(completions::Args),
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Check(args) => check::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Review(args) => review::run(&args),
        Command::Rules(args) => rules::rules(&args),
        Command::Explain(args) => rules::explain(&args),
        Command::Manifests(args) => manifests::run(&args),
        Command::BreakGlass(args) => break_glass::run(&args),
        Command::Uninstall(args) => uninstall::run(&args),
        Command::Certs(args) => certs::run(&args),
        Command::Policies(args) => policies::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    done.unwrap_or_else(|error| {
        // Where nobody listens there is nobody to tell.
        let _ = writeln!(anstream::stderr(), "ramen-guard: {error}");
        ExitCode::from(2)
    })
}

/// Writes a command's result. A reader that has had enough, such as `head`, is no failure.
fn print(text: &str) -> Result<ExitCode, String> {
    print_by(|out| out.write_all(text.as_bytes()))
}

/// As [`print`], of what is written bit by bit.
fn print_by(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<ExitCode, String> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("standard output: {error}"))
        }
        Err(_) => {
            // What is left would only fail again.
            let _ = out.into_parts();
            Ok(ExitCode::SUCCESS)
        }
        Ok(()) => Ok(ExitCode::SUCCESS),
    }
}

/// Runs what talks to a cluster.
fn wait<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("nothing can be started: {error}"))?;
    Ok(runtime.block_on(work))
}

/// How a command shows its result.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people
    #[default]
    Human,
    /// For machines
    Json,
}

/// How strict a command is.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Strictness {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Overrides the configuration's profile: observe, recommended or strict
    #[arg(long, value_name = "PROFILE", value_parser = profile)]
    profile: Option<Profile>,
}

fn profile(name: &str) -> Result<Profile, String> {
    let found = Profile::ALL.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, profile)| *profile)
        .ok_or_else(|| "it is one of observe, recommended, strict".to_owned())
}

impl Strictness {
    fn settings(&self) -> Result<Settings, String> {
        let settings = match &self.config {
            None => Settings::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                Settings::read(&text).map_err(|error| format!("{}: {error}", path.display()))?
            }
        };
        Ok(match self.profile {
            Some(profile) => settings.with_profile(profile),
            None => settings,
        })
    }
}

/// Reads files, folders and, for `-`, standard input.
fn load(paths: &[PathBuf]) -> Loaded {
    load::load(paths, &mut std::io::stdin().lock(), &Limits::default())
}

/// The world that manifests describe.
fn state(paths: &[PathBuf]) -> Result<Store, String> {
    let loaded = load(paths);
    if let Some(error) = loaded.errors.first() {
        let place = error
            .position
            .as_ref()
            .map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
        return Err(format!("{}{place}: {error}", error.name));
    }
    let mut store = Store::default();
    for manifest in &loaded.manifests {
        store.apply(&manifest.doc).map_err(|error| {
            let at = manifest.position(jsonptr::Pointer::root());
            format!(
                "{}:{}:{}: {error}",
                manifest.source.name, at.line, at.column
            )
        })?;
    }
    Ok(store)
}
