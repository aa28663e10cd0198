//! The command line: one file a command.

mod review;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{api::Doc, engine::Settings, policy::Profile, world::Store};

#[derive(Parser)]
#[command(name = "ramen-guard", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Review(review::Args),
}

/// Runs the command that the arguments name.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Review(args) => review::run(&args),
    };
    done.unwrap_or_else(|error| {
        anstream::eprintln!("ramen-guard: {error}");
        ExitCode::from(2)
    })
}

/// How strict a command is.
#[derive(clap::Args, Debug)]
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

/// TEMPORARY loader
fn state(paths: &[PathBuf]) -> Result<Store, String> {
    let mut store = Store::default();
    for path in paths {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        for item in value["items"].as_array().cloned().unwrap_or_default() {
            let doc = Doc::from_value(item).map_err(|e| e.to_string())?;
            store.apply(&doc).map_err(|e| e.to_string())?;
        }
    }
    Ok(store)
}
