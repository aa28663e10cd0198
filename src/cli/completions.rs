//! `completions`: clap's own, with what only the rule book knows.

use std::process::ExitCode;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap_complete::Shell;

use super::{print, rules::kinds_of};
use crate::policy;

/// Prints the completions for a shell
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "ramen-guard", &mut text);
    print(&String::from_utf8_lossy(&text))
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
    super::command()
        .mut_subcommand("explain", |explain| {
            explain.mut_arg("rule", |rule| rule.value_parser(rules))
        })
        .mut_subcommand("rules", |rules| {
            rules.mut_arg("kind", |kind| kind.value_parser(kinds))
        })
}
