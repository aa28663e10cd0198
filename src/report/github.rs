//! Findings as workflow commands, which GitHub Actions shows beside the lines of a pull request.
//!
//! Source: <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use std::{fmt::Write, path::Path};

use super::{Located, Outcome, Place, human::summary, paths::Address, plain};
use crate::policy::Mode;

/// How many annotations of each kind GitHub takes from a step.
const SHOWN: usize = 10;

/// The outcome as workflow commands, one a line, and a summary. Files below `root` are named relative to it.
/// `notes` are said beside.
pub fn github(outcome: &Outcome, root: &Path, notes: &[String]) -> String {
    let mut text = String::new();
    let (mut errors, mut warnings) = (0, 0);
    for unread in &outcome.unread {
        errors += 1;
        let place = match &unread.place {
            Some(place) => properties(place, root),
            None => format!("file={}", property(Address::of(&unread.file, root).name())),
        };
        let message = data(&unread.message);
        let _ = writeln!(text, "::error {place},title=not read::{message}");
    }
    for located in outcome.objects.iter().flat_map(|object| &object.findings) {
        match located.finding.mode {
            Mode::Deny => errors += 1,
            Mode::Warn => warnings += 1,
            Mode::Audit | Mode::Off => continue,
        }
        annotate(located, root, &mut text);
    }
    for object in outcome.objects.iter().filter(|object| object.more > 0) {
        let more = format!("{} more findings about {}", object.more, object.label());
        let _ = writeln!(
            text,
            "::notice {}::{}",
            properties(&object.place, root),
            data(&more)
        );
    }
    for note in notes {
        let _ = writeln!(text, "::notice ::{}", data(note));
    }
    text += &inert(&summary(outcome));
    if errors > SHOWN || warnings > SHOWN {
        let _ = writeln!(
            text,
            "GitHub shows the first {SHOWN} errors and the first {SHOWN} warnings of a step beside the code; all \
             {errors} errors and {warnings} warnings are in this log"
        );
    }
    text
}

fn annotate(located: &Located, root: &Path, text: &mut String) {
    let finding = &located.finding;
    let level = if finding.mode == Mode::Deny {
        "error"
    } else {
        "warning"
    };
    let field = finding.field();
    let colon = if field.is_empty() { "" } else { ": " };
    let message = format!("{field}{colon}{}; {}", finding.message, finding.fix());
    let _ = writeln!(
        text,
        "::{level} {},title={}::{}",
        properties(&located.place, root),
        property(&finding.rule.id),
        data(&message)
    );
}

/// GitHub's last column is one that is meant, not the one behind it.
fn properties(place: &Place, root: &Path) -> String {
    format!(
        "file={},line={},col={},endColumn={}",
        property(Address::of(&place.file, root).name()),
        place.line,
        place.column,
        place.end_column.saturating_sub(1).max(place.column)
    )
}

/// A text behind the second `::`. What ends a line, or a terminal would obey, is spelt out.
fn data(text: &str) -> String {
    let text = text
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    plain(text)
}

/// A text between the two.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A line that is no command: older ones may stand anywhere in it.
fn inert(line: &str) -> String {
    line.replace("##[", "## [")
}
