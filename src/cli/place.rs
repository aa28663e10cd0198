//! Where findings are, in the files that were given.

use std::{collections::HashSet, sync::Arc};

use jsonptr::Pointer;

use crate::{
    manifest::{
        load::{LoadError, Manifest},
        position::{Position, Source},
    },
    report::{Finding, Place, Unread},
};

/// How many findings about one object are shown.
const FINDINGS: usize = 200;

/// The gravest of very many findings, in their order, and how many more there are.
pub(super) fn gravest(mut findings: Vec<Finding>) -> (Vec<Finding>, usize) {
    let more = findings.len().saturating_sub(FINDINGS);
    if more > 0 {
        let mut order: Vec<usize> = (0..findings.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(findings[*at].mode));
        let kept: HashSet<usize> = order.into_iter().take(FINDINGS).collect();
        let mut at = 0..;
        findings.retain(|_| at.next().is_some_and(|at| kept.contains(&at)));
    }
    (findings, more)
}

/// The place of what a pointer names.
pub(super) fn place_of(manifest: &Manifest, pointer: &Pointer) -> Place {
    place(&manifest.source, &manifest.position(pointer))
}

/// An unknown field, or one that YAML reads as another, is a matter of its name, not of its value.
pub(super) fn place_of_finding(manifest: &Manifest, finding: &Finding) -> Place {
    const ABOUT_NAMES: [&str; 3] = [
        "object-metadata-misspelt",
        "object-yaml11-surprise",
        "vrg-recipe-parameter-name-yaml-bool",
    ];
    let rule = &*finding.rule.id;
    let position = if rule.ends_with("-unknown-field") || ABOUT_NAMES.contains(&rule) {
        manifest.key_position(&finding.pointer)
    } else {
        manifest.position(&finding.pointer)
    };
    place(&manifest.source, &position)
}

/// A place as it is shown.
pub(super) fn place(source: &Source, position: &Position) -> Place {
    const LONG: usize = 4000;
    let line = source.line(position.line);
    let end_column = if position.end_line == position.line {
        position.end_column.max(position.column)
    } else {
        line.trim_end().chars().count() + 1
    };
    let shown = if line.len() > LONG { "" } else { line };
    let byte = |column: usize| {
        let mut columns = shown.char_indices().map(|(at, _)| at);
        columns.nth(column.saturating_sub(1)).unwrap_or(shown.len())
    };
    let start = byte(position.column);
    Place {
        file: Arc::from(&*source.name),
        line: position.line,
        column: position.column,
        end_column,
        source: shown.to_owned(),
        span: start..byte(end_column).max(start),
    }
}

/// An input that could not be read.
pub(super) fn unread(error: &LoadError) -> Unread {
    let place = error.file.as_ref().zip(error.position.as_ref());
    let help = error
        .help
        .map_or_else(String::new, |help| format!("; {help}"));
    Unread {
        file: error.name.clone(),
        place: place.map(|(source, position)| self::place(source, position)),
        message: format!("{}{help}", error.message),
    }
}
