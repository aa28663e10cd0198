//! Findings as JUnit XML, which build servers read: a suite a file, a case an object.

use std::{collections::BTreeMap, fmt::Write};

use super::{Checked, Located, Lowered, Other, Outcome, Place, Unread, checked::label};
use crate::policy::Mode;

/// The outcome as JUnit XML, with a suite for each file, by name. It needs [`Outcome::others`] to name the
/// objects that passed.
///
/// What would be refused fails; what is warned about is in the case's output; an input that can't be read is an
/// error. `notes` are said beside.
pub fn junit(outcome: &Outcome, notes: &[String]) -> String {
    let suites = suites(outcome);
    let all = suites.values().flatten();
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let _ = writeln!(
        text,
        "<testsuites name=\"ramen-guard\" {}>",
        counts(all, false)
    );
    for (file, cases) in &suites {
        let counts = counts(cases.iter(), true);
        let _ = writeln!(text, "  <testsuite name={} {counts}>", quoted(file));
        for case in cases {
            case.write(file, &mut text);
        }
        text += "  </testsuite>\n";
    }
    if !notes.is_empty() {
        let _ = writeln!(
            text,
            "  <testsuite name=\"notes\" {}>\n    <system-out>{}</system-out>\n  </testsuite>",
            counts([].into_iter(), true),
            escaped(&notes.join("\n"), false)
        );
    }
    text + "</testsuites>\n"
}

/// The cases by their files, in the order of their lines.
fn suites(outcome: &Outcome) -> BTreeMap<&str, Vec<Case>> {
    let mut suites: BTreeMap<&str, Vec<Case>> = BTreeMap::new();
    for unread in &outcome.unread {
        suites
            .entry(&unread.file)
            .or_default()
            .push(Case::unread(unread));
    }
    for object in &outcome.objects {
        let cases = suites.entry(&object.place.file).or_default();
        cases.push(Case::checked(object));
    }
    for other in &outcome.others {
        suites
            .entry(&other.file)
            .or_default()
            .push(Case::other(other));
    }
    for cases in suites.values_mut() {
        cases.sort_by_key(|case| case.line);
    }
    suites
}

/// One object, or one reason why there is none.
struct Case {
    line: usize,
    name: String,
    end: End,
    output: String,
}

enum End {
    Passed,
    Skipped(String),
    Failed {
        kind: String,
        message: String,
        text: String,
    },
    Error(String),
}

impl Case {
    fn unread(unread: &Unread) -> Self {
        let place = unread.place.as_ref();
        let line = place.map_or(0, |place| place.line);
        let name = place.map_or_else(
            || "the file".to_owned(),
            |place| format!("line {}", place.line),
        );
        let place = place.map_or_else(|| unread.file.clone(), at);
        Self {
            line,
            name: format!("{name} can be read"),
            end: End::Error(format!("{place}: {}", unread.message)),
            output: String::new(),
        }
    }

    fn other(other: &Other) -> Self {
        let (name, end) = if other.name.is_empty() && other.skipped {
            (
                format!("the document at line {}", other.line),
                End::Skipped(other.kind.clone()),
            )
        } else if other.skipped {
            let why = format!("there are no rules about {}", other.kind);
            (
                label(&other.kind, &other.namespace, &other.name),
                End::Skipped(why),
            )
        } else {
            (
                label(&other.kind, &other.namespace, &other.name),
                End::Passed,
            )
        };
        Self {
            line: other.line,
            name,
            end,
            output: String::new(),
        }
    }

    fn checked(object: &Checked) -> Self {
        let of = |mode: Mode| {
            object
                .findings
                .iter()
                .filter(move |it| it.finding.mode == mode)
        };
        let denials: Vec<String> = of(Mode::Deny).map(line).collect();
        let exempted = |it: &&Located| it.finding.lowered == Some(Lowered::Exempted);
        let mut output: Vec<String> = of(Mode::Warn)
            .map(|it| format!("warning: {}", line(it)))
            .collect();
        output.extend(
            of(Mode::Audit)
                .filter(exempted)
                .map(|it| format!("exempted: {}", line(it))),
        );
        if object.more > 0 {
            output.push(format!("{} more findings", object.more));
        }
        let end = match of(Mode::Deny).next() {
            None => End::Passed,
            Some(first) => End::Failed {
                kind: first.finding.rule.id.clone(),
                message: match denials.len() {
                    1 => first.finding.to_string(),
                    count => format!("{} (and {} more)", first.finding, count - 1),
                },
                text: denials.join("\n"),
            },
        };
        Self {
            line: object.place.line,
            name: object.label(),
            end,
            output: output.join("\n"),
        }
    }

    fn write(&self, file: &str, text: &mut String) {
        let _ = write!(
            text,
            "    <testcase name={} classname={}",
            quoted(&self.name),
            quoted(file)
        );
        if matches!(self.end, End::Passed) && self.output.is_empty() {
            *text += "/>\n";
            return;
        }
        *text += ">\n";
        let _ = match &self.end {
            End::Passed => Ok(()),
            End::Skipped(why) => writeln!(text, "      <skipped message={}/>", quoted(why)),
            End::Error(why) => {
                writeln!(
                    text,
                    "      <error type=\"unread\" message={}/>",
                    quoted(why)
                )
            }
            End::Failed {
                kind,
                message,
                text: lines,
            } => writeln!(
                text,
                "      <failure type={} message={}>{}</failure>",
                quoted(kind),
                quoted(message),
                escaped(lines, false)
            ),
        };
        if !self.output.is_empty() {
            let output = escaped(&self.output, false);
            let _ = writeln!(text, "      <system-out>{output}</system-out>");
        }
        *text += "    </testcase>\n";
    }
}

/// How many cases there are, and how they ended; only suites say how many were skipped.
fn counts<'a>(cases: impl Iterator<Item = &'a Case>, of_suite: bool) -> String {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.end {
            End::Passed => {}
            End::Skipped(_) => skipped += 1,
            End::Failed { .. } => failures += 1,
            End::Error(_) => errors += 1,
        }
    }
    let mut counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    if of_suite {
        let _ = write!(counts, " skipped=\"{skipped}\"");
    }
    counts
}

fn line(located: &Located) -> String {
    format!("{}: {}", at(&located.place), located.finding)
}

fn at(place: &Place) -> String {
    format!("{}:{}:{}", place.file, place.line, place.column)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text, true))
}

/// A text as XML 1.0 may have it, which knows no control characters, however they are written.
fn escaped(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' if attribute => out += "&quot;",
            '\n' if attribute => out += "&#10;",
            '\n' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}
