//! How `check` and `audit` show what they found, and what they make of it.

use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use serde_json::{Value, json};

use crate::report::{Outcome, human, json as for_machines};

/// What is shown, and what fails.
#[derive(clap::Args, Debug)]
pub(super) struct Output {
    /// How to show what was found
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    format: Format,
    /// When to colour what is shown to people
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: When,
    /// What makes the command fail
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    fail_on: FailOn,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    /// For people
    #[default]
    Human,
    /// For machines
    Json,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum When {
    /// On a terminal, unless NO_COLOR says otherwise; everywhere if CLICOLOR_FORCE does
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum FailOn {
    /// What would be refused
    #[default]
    Deny,
    /// Warnings too
    Warn,
}

/// An object that holds up others, and how many.
pub(super) type Blocker = (String, usize);

impl Output {
    /// Whether the objects about which there is nothing to say are named, too.
    pub(super) fn names_all(&self) -> bool {
        false
    }

    /// The outcome as it is to be shown. `blockers` are those that an audit found, the worst first.
    pub(super) fn show(&self, outcome: &Outcome, blockers: Option<&[Blocker]>) -> String {
        match self.format {
            Format::Human => {
                let width = terminal_size::terminal_size_of(std::io::stdout());
                let width = width.map(|(width, _)| width.0.into());
                let said = blockers.unwrap_or_default().iter().map(said);
                human(outcome, self.colour(), width) + &said.collect::<String>()
            }
            Format::Json => {
                let mut value = for_machines(outcome);
                if let Some(blockers) = blockers {
                    let blocker =
                        |(object, others): &Blocker| json!({ "object": object, "others": others });
                    value["blockers"] = blockers.iter().map(blocker).collect::<Value>();
                }
                format!("{value:#}\n")
            }
        }
    }

    pub(super) fn exit_code(&self, outcome: &Outcome) -> ExitCode {
        ExitCode::from(outcome.exit_code(self.fail_on == FailOn::Warn))
    }

    fn colour(&self) -> bool {
        match self.color {
            When::Auto => AutoStream::choice(&std::io::stdout()) != ColorChoice::Never,
            When::Always => true,
            When::Never => false,
        }
    }
}

fn said((object, others): &Blocker) -> String {
    let s = if *others == 1 { "" } else { "s" };
    format!("{object} holds up {others} other application{s}\n")
}
