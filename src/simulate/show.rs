//! Simulations for people.

use std::fmt::Write;

use annotate_snippets::{
    Group, Level, Renderer,
    renderer::{AnsiColor, Effects, Style},
};

use super::{ADVICE, Row, Said, Simulation, State};
use crate::{
    policy::Mode,
    report::{Finding, plain},
};

/// The width that is filled where there is no terminal.
const WIDTH: usize = 120;
/// The least that a column of text is cut to.
const NARROW: usize = 30;

/// What is shown to: whether it knows colours, and how many columns it has, if that is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Width {
    /// Whether to use colours.
    pub colour: bool,
    /// The columns.
    pub columns: Option<usize>,
}

/// Renders simulations.
pub fn human(simulations: &[Simulation], width: Width) -> String {
    let mut text = String::new();
    for simulation in simulations {
        one(simulation, width, &mut text);
    }
    let _ = writeln!(text, "{ADVICE}.");
    text
}

fn one(simulation: &Simulation, width: Width, text: &mut String) {
    let columns = width.columns.unwrap_or(WIDTH);
    let goes = simulation.goes.as_ref().map_or_else(String::new, |goes| {
        format!(" to cluster \"{}\" ({})", goes.to, goes.because)
    });
    let title = format!("{} of {}{goes}", simulation.action.name(), simulation.key);
    let bold = paint(width, Style::new().effects(Effects::BOLD));
    for line in wrapped(&plain(title), columns) {
        let _ = writeln!(text, "{}{line}{}", bold.0, bold.1);
    }
    if simulation.said != Said::Unchanged {
        let _ = writeln!(text, "change: {}", plain(simulation.patch.to_string()));
    }
    let (colour, verdict) = verdict(simulation);
    let colour = paint(width, colour);
    let _ = writeln!(text, "guard: {}{verdict}{}\n", colour.0, colour.1);
    let renderer = if width.colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(columns);
    for finding in told(simulation) {
        let _ = writeln!(text, "{}\n", renderer.render(&report(finding)));
    }
    table(&simulation.rows, width, text);
    let counts: Vec<String> = State::ALL
        .iter()
        .map(|state| (simulation.count(*state), state.name()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    let _ = writeln!(text, "\nreadiness: {}", counts.join(", "));
    for note in &simulation.notes {
        let lines = wrapped(&plain(note.clone()), columns.saturating_sub(6).max(NARROW));
        for (number, line) in lines.iter().enumerate() {
            let lead = if number == 0 { "note: " } else { "      " };
            let _ = writeln!(text, "{lead}{line}");
        }
    }
    text.push('\n');
}

/// The findings that a person is shown.
fn told(simulation: &Simulation) -> impl Iterator<Item = &Finding> {
    let findings = simulation.findings.iter();
    findings.filter(|finding| finding.mode >= Mode::Warn)
}

fn verdict(simulation: &Simulation) -> (Style, String) {
    let warnings = told(simulation).filter(|it| it.mode == Mode::Warn).count();
    let warnings = match warnings {
        0 => String::new(),
        1 => " with 1 warning".to_owned(),
        many => format!(" with {many} warnings"),
    };
    match simulation.said {
        Said::Refused => (of(State::Problem), format!("refused{warnings}")),
        Said::Warned => (of(State::Waits), format!("accepted{warnings}")),
        Said::Accepted => (of(State::Ok), "accepted".to_owned()),
        Said::Unchanged => (
            of(State::Ok),
            "nothing to judge: the object asks for this already".to_owned(),
        ),
    }
}

/// A finding as `check` shows it, and why.
fn report(finding: &Finding) -> [Group<'_>; 1] {
    let level = if finding.mode == Mode::Deny {
        Level::ERROR
    } else {
        Level::WARNING
    };
    let field = finding.field();
    let title = if field.is_empty() {
        finding.message.clone()
    } else {
        format!("{field}: {}", finding.message)
    };
    let group = Group::with_title(level.primary_title(title).id(&*finding.rule.id));
    [group
        .element(Level::NOTE.message(&*finding.rule.why))
        .element(Level::HELP.message(finding.fix()))]
}

/// A line a row: its state, what it is about, what is the case; below that what Ramen does then.
fn table(rows: &[Row], width: Width, text: &mut String) {
    const STATE: usize = 9;
    let names: Vec<String> = rows.iter().map(name).collect();
    let widest = names.iter().map(|name| name.chars().count()).max();
    let indent = STATE + widest.unwrap_or_default().min(40) + 2;
    let rest = width
        .columns
        .unwrap_or(WIDTH)
        .saturating_sub(indent)
        .max(NARROW);
    for (row, name) in rows.iter().zip(&names) {
        let colour = paint(width, of(row.state));
        let state = row.state.name();
        let pad = " ".repeat(STATE.saturating_sub(state.len()));
        let gap = indent.saturating_sub(STATE + name.chars().count()).max(1);
        let _ = write!(
            text,
            "{}{state}{}{pad}{name}{}",
            colour.0,
            colour.1,
            " ".repeat(gap)
        );
        let mut lines = wrapped(&row.value, rest);
        if !row.then.is_empty() {
            let mut then = wrapped(&row.then, rest.saturating_sub(3));
            for (number, line) in then.iter_mut().enumerate() {
                *line = format!("{}{line}", if number == 0 { "-> " } else { "   " });
            }
            lines.append(&mut then);
        }
        let lines = lines.join(&format!("\n{}", " ".repeat(indent)));
        let _ = writeln!(text, "{}", lines.trim_end());
    }
}

fn name(row: &Row) -> String {
    let check = row.check.replace('-', " ");
    if row.about.is_empty() {
        check
    } else {
        format!("{check} \"{}\"", row.about)
    }
}

/// The colour of a state.
fn of(state: State) -> Style {
    let colour = match state {
        State::Ok => AnsiColor::Green,
        State::Waits => AnsiColor::Yellow,
        State::Unknown => AnsiColor::Cyan,
        State::Problem => AnsiColor::Red,
    };
    Style::new()
        .fg_color(Some(colour.into()))
        .effects(Effects::BOLD)
}

/// What switches a style on and off; nothing where there are no colours.
fn paint(width: Width, style: Style) -> (String, String) {
    if width.colour {
        (style.render().to_string(), style.render_reset().to_string())
    } else {
        (String::new(), String::new())
    }
}

/// A text in lines of this width at most, but for words that are longer. Never without a line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > width {
            lines.push(String::new());
            length = 0;
        }
        let Some(line) = lines.last_mut() else { break };
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += size;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_they_may_be() {
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("  one   two", 3), ["one", "two"]);
        assert_eq!(wrapped("longer than that", 3), ["longer", "than", "that"]);
        assert_eq!(wrapped("äöü äöü", 7), ["äöü äöü"]);
    }

    #[test]
    fn rows_fall_into_columns() {
        let rows = [
            Row::ok("phase", "Deployed"),
            Row::waits("fence", "not fenced")
                .about("east")
                .then("one two three"),
        ];
        let width = |colour| Width {
            colour,
            columns: Some(24 + NARROW),
        };
        let mut text = String::new();
        table(&rows, width(false), &mut text);
        assert_eq!(
            text,
            "\
ok       phase         Deployed
waits    fence \"east\"  not fenced
                       -> one two three
"
        );
        let mut coloured = String::new();
        table(&rows, width(true), &mut coloured);
        assert!(coloured.contains("\u{1b}[32m"), "{coloured:?}");
    }
}
