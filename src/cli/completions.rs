//! `completions`: clap's own.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::print;

/// Prints the completions for a shell
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let mut text = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut super::Cli::command(),
        "ramen-guard",
        &mut text,
    );
    print(&String::from_utf8_lossy(&text))
}
