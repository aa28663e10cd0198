//! `manifests`: what an administrator applies, for a configuration.

use std::{path::PathBuf, process::ExitCode};

use super::print;
use crate::{
    engine::Settings,
    install::{self, Wanted},
    report::yaml,
};

/// Prints the install manifests, to pipe into `kubectl apply -f -` or to keep in Git
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// What to install: hub (if no site is given) or managed-cluster, and what is added to it
    #[arg(long = "overlay", value_name = "NAME", value_parser = install::overlays())]
    overlays: Vec<String>,
    /// The configuration file to put in; the users and groups that it trusts never wait for the guard
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The image to run, as it was built and pushed
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let config = match &args.config {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            let settings =
                Settings::read(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            Some((text, settings))
        }
    };
    let wanted = Wanted {
        overlays: &args.overlays,
        config: config
            .as_ref()
            .map(|(text, settings)| (text.as_str(), settings)),
        image: args.image.as_deref(),
    };
    let objects = install::manifests(&wanted)?;
    let mut text = format!(
        "# Made by ramen-guard {} manifests.\n",
        env!("CARGO_PKG_VERSION")
    );
    if args.image.is_none() {
        text +=
            "# The image is called ramen-guard, which no registry has: name yours with --image.\n";
    }
    let documents: Vec<String> = objects.iter().map(yaml).collect();
    print(&(text + &documents.join("---\n")))
}
