//! Findings for people: like a compiler's, with the line they are about.

use std::{fmt::Write, io};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Book, Located, Outcome, Place, clip, fold::folded, plain};
use crate::policy::Mode;

/// The width that lines of source are cut to where there is no terminal.
const WIDTH: usize = 140;

/// Renders an outcome; `colour` for a terminal, `width` in columns where it has one.
pub fn human(outcome: &Outcome, colour: bool, width: Option<usize>) -> String {
    let mut text = Vec::new();
    // Nothing can go wrong in memory.
    let _ = write_human(outcome, colour, width, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes what [`human`] renders, finding by finding: there may be very many.
///
/// # Errors
/// Those of `out`.
pub fn write_human(
    outcome: &Outcome,
    colour: bool,
    width: Option<usize>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(width.unwrap_or(WIDTH));
    let mut put = |text: String| {
        let text = match width {
            Some(width) => folded(&text, width),
            None => text,
        };
        out.write_all(text.as_bytes())
    };
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
                .primary_title(format!(
                    "{}: {}",
                    plain(unread.file.clone()),
                    unread.message
                ))
                .elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new()),
        };
        put(format!("{}\n\n", renderer.render(&[group])))?;
    }
    for object in &outcome.objects {
        for located in object
            .findings
            .iter()
            .filter(|located| located.finding.mode >= Mode::Warn)
        {
            let groups = groups(located, &outcome.book);
            put(format!("{}\n\n", renderer.render(&groups)))?;
        }
        if object.more > 0 {
            let more = plural(object.more, "more finding");
            let title = format!("{more} about {}", object.label());
            let note = Group::with_title(Level::NOTE.primary_title(title));
            put(format!("{}\n\n", renderer.render(&[note])))?;
        }
    }
    for note in &outcome.notes {
        if let Some(place) = &note.place {
            let title = Group::with_title(Level::NOTE.primary_title(&*note.message));
            let group = show(title, place, AnnotationKind::Primary, None);
            put(format!("{}\n\n", renderer.render(&[group])))?;
        }
    }
    put(summary(outcome))
}

fn groups<'a>(located: &'a Located, book: &Book) -> Vec<Group<'a>> {
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
            let label = Some(plain(related.key.to_string()));
            group = show(group, place, AnnotationKind::Context, label);
        }
    }
    let mut groups = vec![
        group,
        Group::with_title(Level::HELP.secondary_title(finding.fix())),
    ];
    if let Some(page) = book.page(&finding.rule.id) {
        let note = Level::NOTE.secondary_title(format!("see {page}"));
        groups.push(Group::with_title(note));
    }
    groups
}

/// Adds a place to what is shown.
fn show<'a>(
    group: Group<'a>,
    place: &'a Place,
    kind: AnnotationKind,
    label: Option<String>,
) -> Group<'a> {
    let file = plain(place.file.to_string());
    if place.source.is_empty() {
        let origin = Origin::path(file).line(place.line);
        return group.element(origin.char_column(place.column));
    }
    let annotation = kind.span(place.span.clone()).label(label);
    let snippet = Snippet::source(&*place.source)
        .line_start(place.line)
        .path(file);
    group.element(snippet.annotation(annotation))
}

fn plural(count: usize, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {one}s")
    }
}

/// How much there was, in one line.
pub(super) fn summary(outcome: &Outcome) -> String {
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
            .map(|(kind, count)| format!("{count} {}", clip(kind, 100)))
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
    line = plain(line) + "\n";
    for note in outcome.notes.iter().filter(|note| note.place.is_none()) {
        let _ = writeln!(line, "{}", plain(note.message.clone()));
    }
    line
}
