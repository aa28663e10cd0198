//! How `check` and `audit` show what they found, and what they make of it.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anstream::{AutoStream, ColorChoice};
use serde_json::Value;

use super::print_by;
use crate::report::{Note, Outcome, github, json, junit, plain, sarif, write_human};

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

    /// Prints the outcome, and says how the command ends. `blockers` are those that an audit found, the worst
    /// first.
    pub(super) fn print(
        &self,
        outcome: &Outcome,
        blockers: Option<&[Blocker]>,
    ) -> Result<ExitCode, String> {
        print_by(|out| self.write(outcome, blockers, out))?;
        let code = outcome.exit_code(self.fail_on == FailOn::Warn);
        Ok(ExitCode::from(code))
    }

    fn write(
        &self,
        outcome: &Outcome,
        blockers: Option<&[Blocker]>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let blocking = || blockers.unwrap_or_default().iter().map(said);
        let notes =
            || -> Vec<String> { outcome.notes.iter().map(noted).chain(blocking()).collect() };
        // Nobody knows better where the files are relative to.
        let root = || std::env::current_dir().unwrap_or_default();
        match self.format {
            Format::Human => {
                let width = terminal_size::terminal_size_of(io::stdout());
                let width = width.map(|(width, _)| width.0.into());
                write_human(outcome, self.colour(), width, out)?;
                blocking().try_for_each(|note| writeln!(out, "{}", plain(note)))
            }
            Format::Json => {
                let mut value = json(outcome);
                if let Some(blockers) = blockers {
                    value["blockers"] = listed(blockers);
                }
                write_json(&value, out)
            }
            Format::Sarif => {
                let mut value = sarif(outcome, &root());
                if let Some(blockers) = blockers {
                    value["runs"][0]["properties"]["blockers"] = listed(blockers);
                }
                write_json(&value, out)
            }
            Format::Junit => out.write_all(junit(outcome, &notes()).as_bytes()),
            Format::Github => out.write_all(github(outcome, &root(), &notes()).as_bytes()),
        }
    }

    fn colour(&self) -> bool {
        match self.color {
            When::Auto => AutoStream::choice(&std::io::stdout()) != ColorChoice::Never,
            When::Always => true,
            When::Never => false,
        }
    }
}

fn noted(note: &Note) -> String {
    match &note.place {
        Some(at) => format!("{}:{}:{}: {}", at.file, at.line, at.column, note.message),
        None => note.message.clone(),
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

fn write_json(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    let mut out = Spelt(out);
    serde_json::to_writer_pretty(&mut out, value)?;
    out.write_all(b"\n")
}

/// Writes JSON, and spells out what it allows of the characters that terminals obey. What it is given ends where
/// a character does.
struct Spelt<'a>(&'a mut dyn Write);

impl Write for Spelt<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let obeyed = |c: char| matches!(c, '\u{7f}'..='\u{9f}');
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        for part in text.split_inclusive(obeyed) {
            match part.chars().next_back().filter(|last| obeyed(*last)) {
                None => self.0.write_all(part.as_bytes())?,
                Some(last) => {
                    let rest = part.strip_suffix(last).unwrap_or(part);
                    write!(self.0, "{rest}\\u{:04x}", u32::from(last))?;
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
