//! What came of checking manifests: findings with the places that they are about.

use std::{ops::Range, sync::Arc};

use super::{Book, Finding, Related};
use crate::{
    policy::{Mode, Operation},
    site::Undecided,
};

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
    /// What to call it.
    pub fn label(&self) -> String {
        label(&self.kind, &self.namespace, &self.name)
    }

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

/// An object about which there is nothing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The object's kind, or what makes the document no object.
    pub kind: String,
    /// Its namespace, empty if it has none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The file that it is in.
    pub file: Arc<str>,
    /// The line where it begins.
    pub line: usize,
    /// Whether it was left out, because the guard has no rules about its kind.
    pub skipped: bool,
}

/// Something to know beside what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about, if that is a place in a file.
    pub place: Option<Place>,
    /// What there is to know, in one line.
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
    /// What else there is to know of the run.
    pub notes: Vec<Note>,
    /// The objects that passed and those that were left out, if they were asked for.
    pub others: Vec<Other>,
    /// Where the rules can be read about.
    pub book: Book,
    /// The site's policies of which it is not known what they would say: the name, the reason, of how many
    /// objects.
    pub undecided: std::collections::BTreeMap<(String, &'static str), usize>,
}

impl Outcome {
    /// Adds something to know about the run as a whole.
    pub(crate) fn note(&mut self, message: String) {
        self.notes.push(Note {
            place: None,
            message,
        });
    }

    /// Counts an object that is left out, by its kind or what makes it no object.
    pub(crate) fn skip(&mut self, kind: String, other: Option<Other>) {
        *self.skipped.entry(kind).or_default() += 1;
        self.others.extend(other);
    }

    /// Counts the site's policies of which it is not known what they would say of an object.
    pub(crate) fn undecided(&mut self, undecided: &Undecided) {
        for (policy, unsure) in undecided {
            let key = (policy.clone(), unsure.reason());
            *self.undecided.entry(key).or_default() += 1;
        }
    }

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

/// What to call an object: `DRPolicy "metro"`, `DRPlacementControl "shop/bank"`.
pub fn label(kind: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        format!("{kind} \"{name}\"")
    } else {
        format!("{kind} \"{namespace}/{name}\"")
    }
}
