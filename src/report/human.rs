//! Findings for people: like a compiler's, with the line they are about.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Located, Outcome, Place};
use crate::policy::Mode;

/// The width that lines of source are cut to where there is no terminal.
const WIDTH: usize = 140;

/// Renders an outcome; `colour` for a terminal, `width` in columns where it has one.
pub fn human(outcome: &Outcome, colour: bool, width: Option<usize>) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(width.unwrap_or(WIDTH));
    let mut text = String::new();
    for unread in &outcome.unread {
        let title = Level::ERROR.primary_title(&*unread.message);
        let group = match &unread.place {
            Some(place) => show(
                Group::with_title(title),
                place,
                AnnotationKind::Primary,
                None,
            ),
            None => Level::ERROR
                .primary_title(format!("{}: {}", unread.file, unread.message))
                .elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new()),
        };
        let _ = writeln!(text, "{}\n", renderer.render(&[group]));
    }
    for object in &outcome.objects {
        for located in object
            .findings
            .iter()
            .filter(|located| located.finding.mode >= Mode::Warn)
        {
            let _ = writeln!(text, "{}\n", renderer.render(&groups(located)));
        }
        if object.more > 0 {
            let title = format!(
                "{} about {} \"{}\"",
                plural(object.more, "more finding"),
                object.kind,
                object.name
            );
            let note = Group::with_title(Level::NOTE.primary_title(title));
            let _ = writeln!(text, "{}\n", renderer.render(&[note]));
        }
    }
    for (place, message) in outcome.notes() {
        let title = Group::with_title(Level::NOTE.primary_title(message));
        let group = match place {
            Some(place) => show(title, place, AnnotationKind::Primary, None),
            None => title,
        };
        let _ = writeln!(text, "{}\n", renderer.render(&[group]));
    }
    text += &summary(outcome);
    text
}

fn groups(located: &Located) -> Vec<Group<'_>> {
    let finding = &located.finding;
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
    let title = level.primary_title(title).id(&*finding.rule.id);
    let mut group = show(
        Group::with_title(title),
        &located.place,
        AnnotationKind::Primary,
        None,
    );
    for (related, place) in &located.related {
        if let Some(place) = place {
            let label = Some(related.key.to_string());
            group = show(group, place, AnnotationKind::Context, label);
        }
    }
    vec![
        group,
        Group::with_title(Level::HELP.secondary_title(finding.fix())),
    ]
}

/// Adds a place to what is shown.
fn show<'a>(
    group: Group<'a>,
    place: &'a Place,
    kind: AnnotationKind,
    label: Option<String>,
) -> Group<'a> {
    if place.source.is_empty() {
        let origin = Origin::path(&*place.file).line(place.line);
        return group.element(origin.char_column(place.column));
    }
    let annotation = kind.span(place.span.clone()).label(label);
    let snippet = Snippet::source(&*place.source)
        .line_start(place.line)
        .path(&*place.file);
    group.element(snippet.annotation(annotation))
}

fn plural(count: usize, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

fn summary(outcome: &Outcome) -> String {
    let mut line = format!(
        "{} checked: {}, {}",
        plural(outcome.judged, "object"),
        plural(outcome.count(Mode::Deny), "error"),
        plural(outcome.count(Mode::Warn), "warning"),
    );
    if !outcome.skipped.is_empty() {
        let kinds: Vec<String> = outcome
            .skipped
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        let skipped = outcome.skipped.values().sum();
        let _ = write!(
            line,
            "; {} of other kinds skipped ({})",
            plural(skipped, "object"),
            kinds.join(", ")
        );
    }
    if !outcome.unread.is_empty() {
        let _ = write!(line, "; {} not read", plural(outcome.unread.len(), "input"));
    }
    let notes = outcome.notes().count();
    if notes > 0 {
        let _ = write!(line, "; {}", plural(notes, "note"));
    }
    line + "\n"
}
