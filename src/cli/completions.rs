//! `completions`: clap's own, with what only the rule book knows.
//!
//! What a shell is given asks the binary, which so offers what this version has: options, files, the names of
//! rules and kinds.

use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap_complete::{CompleteEnv, Shell, env::Shells};

use super::{print, rules::kinds_of};
use crate::policy;

/// The variable with which a shell asks.
const ASKED: &str = "RAMEN_GUARD_COMPLETE";
/// What the binary is called, by a user and by a shell.
const NAME: &str = "ramen-guard";

/// Prints the completions for a shell
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let (shell, shells) = (args.shell.to_string(), Shells::builtins());
    let mut text = Vec::new();
    let written = shells
        .completer(&shell)
        .map(|completer| completer.write_registration(ASKED, NAME, NAME, NAME, &mut text));
    match written {
        Some(Ok(())) => print(&String::from_utf8_lossy(&text)),
        _ => Err(format!("there are no completions for {shell}")),
    }
}

/// Answers a shell, and ends, if one asks.
pub(super) fn answer() {
    CompleteEnv::with_factory(command).var(ASKED).complete();
}

/// All commands, with the rules and kinds where their names are wanted. They are no part of what is parsed:
/// who misspells one is told of the nearest, not of all.
pub(super) fn command() -> clap::Command {
    let contracts = policy::contracts();
    let rules = contracts.iter().map(|contract| {
        let what = contract.what.trim().trim_end_matches('.');
        PossibleValue::new(&*contract.id).help(what)
    });
    let mut kinds: Vec<&'static str> = contracts.iter().flat_map(kinds_of).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let kinds = PossibleValuesParser::new(kinds);
    let rules: PossibleValuesParser = rules.collect::<Vec<_>>().into();
    super::command().mut_subcommands(|command| match command.get_name() {
        "explain" => command.mut_arg("rule", |rule| rule.value_parser(rules.clone())),
        "rules" => command.mut_arg("kind", |kind| kind.value_parser(kinds.clone())),
        _ => command,
    })
}
