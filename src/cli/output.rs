//! How `check` and `audit` show what they found, and what they make of it.

use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use serde_json::Value;

use crate::report::{Outcome, github, human, json, junit, plain, sarif};

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
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
    /// JUnit XML, for build servers
    Junit,
    /// Workflow commands, for GitHub Actions
    Github,
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
pub(super) enum FailOn {
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
        self.format == Format::Junit
    }

    /// The outcome as it is to be shown. `blockers` are those that an audit found, the worst first.
    pub(super) fn show(&self, outcome: &Outcome, blockers: Option<&[Blocker]>) -> String {
        let notes = || -> Vec<String> { blockers.unwrap_or_default().iter().map(said).collect() };
        // Nobody knows better where the files are relative to.
        let root = || std::env::current_dir().unwrap_or_default();
        match self.format {
            Format::Human => {
                let width = terminal_size::terminal_size_of(std::io::stdout());
                let width = width.map(|(width, _)| width.0.into());
                let notes = notes().into_iter().map(|note| plain(note) + "\n");
                human(outcome, self.colour(), width) + &notes.collect::<String>()
            }
            Format::Json => {
                let mut value = json(outcome);
                if let Some(blockers) = blockers {
                    value["blockers"] = listed(blockers);
                }
                written(&value)
            }
            Format::Sarif => {
                let mut value = sarif(outcome, &root());
                if let Some(blockers) = blockers {
                    value["runs"][0]["properties"]["blockers"] = listed(blockers);
                }
                written(&value)
            }
            Format::Junit => junit(outcome, &notes()),
            Format::Github => github(outcome, &root(), &notes()),
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
    format!("{object} holds up {others} other application{s}")
}

fn listed(blockers: &[Blocker]) -> Value {
    let blocker =
        |(object, others): &Blocker| serde_json::json!({ "object": object, "others": others });
    blockers.iter().map(blocker).collect()
}

/// The value as text. JSON allows some of the characters that terminals obey.
fn written(value: &Value) -> String {
    let text = format!("{value:#}\n");
    let obeyed = |c: char| matches!(c, '\u{7f}'..='\u{9f}');
    if !text.contains(obeyed) {
        return text;
    }
    let spelt = |c: char| {
        if obeyed(c) {
            format!("\\u{:04x}", u32::from(c))
        } else {
            c.to_string()
        }
    };
    text.chars().map(spelt).collect()
}
