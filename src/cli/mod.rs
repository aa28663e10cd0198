//! The command line: one file a command.

mod again;
mod audit;
mod break_glass;
mod certs;
pub mod check;
mod completions;
pub mod explain;
mod identity;
mod judging;
mod known;
mod man;
mod manifests;
mod output;
mod parallel;
mod place;
mod plugin;
mod policies;
mod progress;
mod review;
mod rules;
mod serve;
mod server;
mod simulate;
mod since;
mod site;
mod takeaway;
mod uninstall;

use std::{
    io::{self, BufWriter, ErrorKind, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{
    FromArgMatches as _, Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};

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
    Simulate(simulate::Args),
    Serve(serve::Args),
    Review(review::Args),
    Rules(rules::Args),
    Explain(explain::Args),
    Manifests(manifests::Args),
    BreakGlass(break_glass::Args),
    Uninstall(uninstall::Args),
    Certs(certs::Args),
    Policies(policies::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// What `check` and `audit` end with.
pub const EXIT_CODES: [(u8, &str); 4] = [
    (0, "nothing is refused"),
    (1, "at least one object is refused"),
    (
        2,
        "the arguments are wrong, an input can't be read, or there is nothing to check",
    ),
    (3, "only warnings, and `--fail-on warn`"),
];

/// All commands, as clap knows them.
pub fn command() -> clap::Command {
    let codes = EXIT_CODES.map(|(code, what)| format!("  {code}  {what}\n"));
    let codes = format!("Exit codes:\n{}", codes.concat());
    // In their order, which `mut_subcommand` would not keep.
    <Cli as clap::CommandFactory>::command().mut_subcommands(|command| match command.get_name() {
        "check" | "audit" => command.after_long_help(codes.clone()),
        _ => command,
    })
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    completions::answer();
    let command = match plugin::role() {
        plugin::Role::Itself => command(),
        plugin::Role::Plugin => command().bin_name(plugin::CALLED),
        plugin::Role::Completer => return plugin::complete(),
    };
    let matches = command.get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let done = match cli.command {
        Command::Check(args) => check::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Review(args) => review::run(&args),
        Command::Rules(args) => rules::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Manifests(args) => manifests::run(&args),
        Command::BreakGlass(args) => break_glass::run(&args),
        Command::Uninstall(args) => uninstall::run(&args),
        Command::Certs(args) => certs::run(&args),
        Command::Policies(args) => policies::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
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

/// As [`print()`], of what is written bit by bit.
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

/// As [`print()`], with colours where a terminal shows them and nobody has said no to them.
fn print_styled(text: &str) -> Result<ExitCode, String> {
    let choice = anstream::AutoStream::choice(&std::io::stdout());
    if choice == anstream::ColorChoice::Never {
        return print(&anstream::adapter::strip_str(text).to_string());
    }
    print(text)
}

/// The columns of the terminal, if standard output is one.
fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0.into())
}

/// The text in lines of at most so many characters, words left whole.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let long = lines[last].chars().count() + 1 + word.chars().count() > width;
        if !lines[last].is_empty() && long {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines.join("\n")
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
    /// Overrides the configuration's profile
    #[arg(long, value_name = "PROFILE", value_parser = profile())]
    profile: Option<Profile>,
}

/// A profile, by its name.
fn profile() -> impl TypedValueParser<Value = Profile> {
    let known = Profile::ALL.map(|(name, _)| name);
    PossibleValuesParser::new(known).map(|name| {
        let mut all = Profile::ALL.iter();
        all.find(|(known, _)| *known == name)
            .map_or_else(Profile::default, |(_, profile)| *profile)
    })
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
    stored(&load(paths))
}

/// As [`state`], of what was read.
fn stored(loaded: &Loaded) -> Result<Store, String> {
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
