//! `explain`: one rule, or the rules of a kind, in the terminal.

use std::{fmt::Write, process::ExitCode};

use anstyle::{AnsiColor, Style};

use super::{Strictness, print_styled, rules, width, wrapped};
use crate::{
    engine::{Settings, conduct, rule_hint},
    policy::{self, Contract, Mode, Operation, Profile},
    report::{field, nearest},
    rules::{kind_named, kind_names},
    scenario::{Example, Shown, examples_of},
};

/// The commit of Ramen's that the rules were read off.
pub const RAMEN: &str = "a78c2e3709bab119237110f8a5483a10dc6d87e1";

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();

/// Explains one rule: what, why, how to fix, and an accepted and a refused example
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The rule's id, as a finding names it; or a kind, whose rules are listed then
    #[arg(value_name = "RULE")]
    rule: String,
    /// Shows every scenario of the rule, not just one that is accepted and one that is not
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    strictness: Strictness,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let settings = args.strictness.settings()?;
    let name = args.rule.trim();
    if let Some(contract) = policy::contract(name) {
        return print_styled(&explained(
            contract,
            &settings,
            args.all,
            width().unwrap_or(80),
        ));
    }
    if let Some(kind) = kind_named(name) {
        let about = policy::contracts_of(kind).collect();
        return print_styled(&rules::table(&about, &settings, width()));
    }
    let ids = policy::contracts().iter().map(|contract| &*contract.id);
    let near = nearest(name, ids.chain(kind_names()));
    Err(format!(
        "there is no rule or kind \"{name}\"{}",
        rule_hint(near)
    ))
}

/// All that there is to say about a rule, in lines of about so many columns; `all` of its examples, or two.
pub fn explained(contract: &Contract, settings: &Settings, all: bool, width: usize) -> String {
    let width = width.min(80);
    let inside = width.saturating_sub(2);
    let mut text = format!("{BOLD}{}{BOLD:#}\n\n", contract.id);
    text += &indented(&wrapped(&contract.what, inside));
    text += "\n";
    let mut fact = |name: &str, value: &str| {
        let value = wrapped(value, width.saturating_sub(9));
        // An address that is too long is left to the terminal, on a line of its own.
        let long = value.lines().any(|line| line.chars().count() + 9 > width);
        let (gap, indent) = if long {
            ("\n  ", "\n  ")
        } else {
            (" ", "\n         ")
        };
        let name = if long {
            name.to_owned()
        } else {
            format!("{name:8}")
        };
        let _ = writeln!(text, "{name}{gap}{}", value.replace('\n', indent));
    };
    fact(
        "Kind",
        &rules::kinds_of(contract).collect::<Vec<_>>().join(", "),
    );
    fact("Mode", &mode(contract, settings));
    fact("Asked", &asked(contract));
    fact("Source", &source_links(&contract.source).join(" "));
    if let Some(page) = settings.page(&contract.id) {
        fact("Page", &page);
    }
    let mut part = |title: &str, body: &str| {
        let _ = write!(text, "\n{BOLD}{title}{BOLD:#}\n{}", indented(body));
    };
    part("Why", &wrapped(&contract.why, inside));
    part("Way out", &wrapped(&contract.fix, inside));
    let told = conduct(contract);
    if !told.is_empty() {
        let lines = told.iter().map(|told| wrapped(told, inside));
        part("Also", &lines.collect::<Vec<_>>().join("\n"));
    }
    let examples = examples_of(&contract.id);
    let first = |accepted: bool| examples.iter().find(|it| it.is_accepted() == accepted);
    let shown: Vec<&Example> = if all {
        examples.iter().collect()
    } else {
        [first(true), first(false)].into_iter().flatten().collect()
    };
    for example in &shown {
        text += &told_example(example, width);
    }
    let more = examples.len() - shown.len();
    if more > 0 {
        let _ = writeln!(text, "\n{more} more with --all");
    }
    text
}

fn mode(contract: &Contract, settings: &Settings) -> String {
    let usual =
        |profile: &(&str, Profile)| format!("{} in {}", contract.mode_in(profile.1), profile.0);
    let profiles: Vec<String> = Profile::ALL.iter().map(usual).collect();
    format!("{} ({})", settings.mode(contract), profiles.join(", "))
}

/// When the rule is asked: the operations, and the fields.
pub(crate) fn asked(contract: &Contract) -> String {
    let fields: Vec<String> = contract.watches.iter().map(|it| field(it)).collect();
    let when = |operation: &Operation| match operation {
        Operation::Update if !fields.is_empty() => {
            format!("UPDATE where one of these changes: {}", fields.join(", "))
        }
        other => other.name().to_owned(),
    };
    // What goes on for long stands last.
    let (last, first): (Vec<&Operation>, Vec<&Operation>) =
        contract.on.iter().partition(|it| **it == Operation::Update);
    let all: Vec<String> = first.into_iter().chain(last).map(when).collect();
    match all.split_last() {
        Some((last, first)) if !first.is_empty() => format!("on {} and {last}", first.join(", ")),
        _ => format!("on {}", all.concat()),
    }
}

/// Where the fact can be read, each place an address where it is one of Ramen's files.
pub fn source_links(source: &str) -> Vec<String> {
    let Some((file, lines)) = source.split_once(':') else {
        let known = ["api/", "config/", "internal/"];
        return vec![if known.iter().any(|folder| source.starts_with(folder)) {
            format!("https://github.com/RamenDR/ramen/tree/{RAMEN}/{source}")
        } else {
            source.to_owned()
        }];
    };
    let link = |lines: &str| {
        let (from, to) = lines.split_once('-').unwrap_or((lines, lines));
        let anchor = if from == to {
            format!("L{from}")
        } else {
            format!("L{from}-L{to}")
        };
        format!("https://github.com/RamenDR/ramen/blob/{RAMEN}/{file}#{anchor}")
    };
    lines.split(',').map(|lines| link(lines.trim())).collect()
}

fn told_example(example: &Example, width: usize) -> String {
    let mut title = example.verdict().replace('`', "");
    title[..1].make_ascii_uppercase();
    let title = wrapped(&format!("{title}: {}", example.story), width);
    let mut text = format!("\n{BOLD}{title}{BOLD:#}\n");
    for shown in &example.shown {
        text += &told_object(shown, width);
    }
    for said in &example.said {
        for line in said.lines() {
            text += &indented(&wrapped(line, width.saturating_sub(2)));
        }
    }
    text
}

fn told_object(shown: &Shown, width: usize) -> String {
    let end = if shown.text.is_empty() { "" } else { ":" };
    let title = format!("{}{end}", shown.title.replace('`', ""));
    let mut text = indented(&wrapped(&title, width.saturating_sub(2)));
    for line in shown.text.lines().map(str::trim_end) {
        let style = match line.as_bytes().first() {
            Some(b'+') if shown.is_diff => GREEN,
            Some(b'-') if shown.is_diff => RED,
            _ => Style::new(),
        };
        let _ = writeln!(text, "{}", format!("    {style}{line}{style:#}").trim_end());
    }
    text
}

fn indented(text: &str) -> String {
    text.trim_end()
        .lines()
        .fold(String::new(), |text, line| text + "  " + line + "\n")
}

/// The colour of a mode.
pub(super) fn style(mode: Mode) -> Style {
    match mode {
        Mode::Deny => AnsiColor::Red.on_default().bold(),
        Mode::Warn => AnsiColor::Yellow.on_default(),
        Mode::Audit | Mode::Off => Style::new().dimmed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_place_in_ramens_repository() {
        let base = format!("https://github.com/RamenDR/ramen/blob/{RAMEN}");
        assert_eq!(source_links("a/b.go:5"), [format!("{base}/a/b.go#L5")]);
        assert_eq!(
            source_links("a/b.go:5-7,9"),
            [format!("{base}/a/b.go#L5-L7"), format!("{base}/a/b.go#L9")]
        );
        assert_eq!(source_links("sigs.k8s.io/yaml"), ["sigs.k8s.io/yaml"]);
    }
}
