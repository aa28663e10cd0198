//! What came of checking manifests: findings with the places that they are about.

use std::{ops::Range, sync::Arc};

use super::{Finding, Related};
use crate::policy::{Mode, Operation};

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the user gave it, or `<stdin>`.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The column behind it, on the same line.
    pub end_column: usize,
    /// The whole line, without its end; nothing of one that is too long to show.
    pub source: String,
    /// What of [`Place::source`] is meant, in bytes.
    pub span: Range<usize>,
}

/// A finding with its places.
#[derive(Clone, Debug)]
pub struct Located {
    /// The finding.
    pub finding: Finding,
    /// Where it is.
    pub place: Place,
    /// The other places that it rests on; without a place where they are not in a file.
    pub related: Vec<(Related, Option<Place>)>,
}

/// One object that was judged, with what was found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The object's kind.
    pub kind: String,
    /// Its namespace, empty if it has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Whether it was judged as new or as changed.
    pub operation: Operation,
    /// Where it begins.
    pub place: Place,
    /// By field, then rule.
    pub findings: Vec<Located>,
    /// How many more findings there are, which are not shown.
    pub more: usize,
}

impl Checked {
    /// Whether a finding of this mode is among them.
    pub fn has(&self, mode: Mode) -> bool {
        self.findings
            .iter()
            .any(|located| located.finding.mode == mode)
    }
}

/// Why an input could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The file, as the user gave it.
    pub file: String,
    /// Where in it, if it is a matter of a place.
    pub place: Option<Place>,
    /// What is wrong, and the way out.
    pub message: String,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The objects about which something was found, in the order of the input.
    pub objects: Vec<Checked>,
    /// How many objects were judged.
    pub judged: usize,
    /// How many objects were left out because the guard has no rules about their kind, by kind.
    pub skipped: std::collections::BTreeMap<String, usize>,
    /// Inputs that could not be read.
    pub unread: Vec<Unread>,
    /// What there is to know beside what was found: about the site's own policies.
    pub notes: Vec<Unread>,
    /// The site's policies of which it is not known what they would say: the name, the reason, of how many
    /// objects.
    pub undecided: std::collections::BTreeMap<(String, &'static str), usize>,
}

impl Outcome {
    /// How many objects would be refused.
    pub fn denied(&self) -> usize {
        self.objects
            .iter()
            .filter(|object| object.has(Mode::Deny))
            .count()
    }

    /// How many of the findings that are shown have this mode.
    pub fn count(&self, mode: Mode) -> usize {
        let findings = self.objects.iter().flat_map(|object| &object.findings);
        findings
            .filter(|located| located.finding.mode == mode)
            .count()
    }

    /// Everything there is to know beside what was found, a line each.
    pub fn notes(&self) -> impl Iterator<Item = (Option<&Place>, String)> {
        let said = self
            .notes
            .iter()
            .map(|note| (note.place.as_ref(), note.message.clone()));
        let undecided = self.undecided.iter().map(|((policy, reason), count)| {
            let s = if *count == 1 { "" } else { "s" };
            (
                None,
                format!(
                    "ValidatingAdmissionPolicy \"{policy}\" could not be evaluated for {count} object{s}: {reason}"
                ),
            )
        });
        said.chain(undecided)
    }

    /// The exit code: 0 nothing to refuse, 1 something to refuse, 2 an input that can't be read, 3 only
    /// warnings where they are to fail.
    pub fn exit_code(&self, fail_on_warnings: bool) -> u8 {
        match () {
            () if !self.unread.is_empty() => 2,
            () if self.denied() > 0 => 1,
            () if fail_on_warnings && self.count(Mode::Warn) > 0 => 3,
            () => 0,
        }
    }
}
