//! `rules`: the rule book in the terminal, as a table.

use std::{fmt::Write as _, process::ExitCode};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};

use super::{Format, Strictness, explain::style, print, print_styled, width, wrapped};
use crate::{
    engine::{Settings, conduct, is_offline},
    floor,
    policy::{self, Contract, Mode, Profile},
    report::nearest,
    rules::{kind_named, kind_names},
};

/// What a terminal has to have beside the names for a line a rule.
const ROOM: usize = 50;

/// Lists the rules with mode and kind
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Only the rules about this kind, as kubectl would know it: Recipe, recipes, vrg
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only the rules that have this mode, in the configuration or profile that is given
    #[arg(long, value_name = "MODE", value_parser = mode())]
    mode: Option<Mode>,
    /// As a table, or as JSON
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    #[command(flatten)]
    strictness: Strictness,
}

/// A mode, by its name.
fn mode() -> impl TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(Mode::ALL.map(Mode::name)).map(|name| {
        let mut all = Mode::ALL.into_iter();
        all.find(|mode| mode.name() == name).unwrap_or(Mode::Off)
    })
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let settings = args.strictness.settings()?;
    let mut shown: Vec<&Contract> = policy::contracts().iter().collect();
    if let Some(named) = &args.kind {
        let kind = kind_named(named).unwrap_or(named);
        shown.retain(|contract| kinds_of(contract).any(|known| known.eq_ignore_ascii_case(kind)));
        if shown.is_empty() {
            let near = nearest(kind, kind_names());
            let hint = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
            return Err(format!("there are no rules about \"{named}\"{hint}"));
        }
    }
    if let Some(mode) = args.mode {
        shown.retain(|contract| settings.mode(contract) == mode);
    }
    match args.output {
        Format::Json => {
            let list = shown.iter().map(|contract| as_json(contract, &settings));
            print(&format!("{:#}\n", list.collect::<Value>()))
        }
        Format::Human => print_styled(&table(&shown, &settings, width())),
    }
}

/// The kinds that a rule is about.
pub(super) fn kinds_of(contract: &Contract) -> impl Iterator<Item = &str> {
    let kinds = std::iter::once(&contract.kind).chain(&contract.also);
    kinds.map(String::as_str)
}

/// A line a rule; where a terminal is too narrow for that, a rule and below it what it says.
pub(super) fn table(rules: &Vec<&Contract>, settings: &Settings, width: Option<usize>) -> String {
    let longest = |of: fn(&Contract) -> usize| rules.iter().map(|rule| of(rule)).max();
    let ids = longest(|rule| rule.id.len()).unwrap_or_default();
    let kinds = longest(|rule| rule.kind.len()).unwrap_or_default();
    let narrow = width.filter(|width| *width < ids + kinds + ROOM);
    let mut text = String::new();
    for contract in rules {
        let Contract { id, kind, what, .. } = contract;
        let mode = settings.mode(contract);
        let style = style(mode);
        let _ = match narrow {
            None => writeln!(
                text,
                "{id:ids$}  {style}{mode:5}{style:#}  {kind:kinds$}  {what}"
            ),
            Some(width) => {
                let what = wrapped(what, width.saturating_sub(7)).replace('\n', "\n       ");
                writeln!(text, "{id}\n {style}{mode:5}{style:#} {what}")
            }
        };
    }
    text
}

fn as_json(contract: &Contract, settings: &Settings) -> Value {
    json!({
        "id": contract.id,
        "kind": contract.kind,
        "also": contract.also,
        "mode": settings.mode(contract).name(),
        "recommended": contract.mode_in(Profile::Recommended).name(),
        "strict": contract.mode_in(Profile::Strict).name(),
        "crash": contract.crash,
        "operations": contract.on.iter().map(|operation| operation.name()).collect::<Vec<_>>(),
        "fields": contract.watches.iter().map(|pointer| pointer.as_str()).collect::<Vec<_>>(),
        "what": contract.what,
        "why": contract.why,
        "fix": contract.fix,
        "source": contract.source,
        "conduct": conduct(contract),
        "floor": floor::is_in(contract),
        "offline": is_offline(contract),
        "page": settings.page(&contract.id),
    })
}
