//! Lines and columns.

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

/// A place in a text, for people and for editors. Everything counts from 1 but the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line it begins on.
    pub line: usize,
    /// The column it begins at, in characters.
    pub column: usize,
    /// The line it ends on.
    pub end_line: usize,
    /// The column behind its last character.
    pub end_column: usize,
    /// The same in bytes of the text.
    pub bytes: Range<usize>,
}

/// A text and where it came from.
#[derive(Debug)]
pub struct Source {
    /// What to call it: a path as it was given or found, or `<stdin>`.
    pub name: String,
    /// All of it.
    pub text: Arc<str>,
    /// Where each line begins; found when first asked for.
    lines: OnceLock<Box<[usize]>>,
}

impl Source {
    /// A text and its name.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            lines: OnceLock::new(),
        }
    }

    /// The place of a range of bytes. What lies behind the end is the end.
    pub fn position(&self, bytes: Range<usize>) -> Position {
        let (line, column) = self.line_and_column(bytes.start);
        let (end_line, end_column) = self.line_and_column(bytes.end.max(bytes.start));
        Position {
            line,
            column,
            end_line,
            end_column,
            bytes,
        }
    }

    /// A line, counted from 1, without its end; empty behind the last one.
    pub fn line(&self, number: usize) -> &str {
        let lines = self.lines();
        let start = number.checked_sub(1).and_then(|at| lines.get(at)).copied();
        let Some(start) = start else {
            return "";
        };
        let end = lines.get(number).copied().unwrap_or(self.text.len());
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }

    fn line_and_column(&self, at: usize) -> (usize, usize) {
        let at = self.text.floor_char_boundary(at.min(self.text.len()));
        let lines = self.lines();
        let line = lines.partition_point(|start| *start <= at);
        let start = lines.get(line.wrapping_sub(1)).copied().unwrap_or(0);
        (line, self.text[start..at].chars().count() + 1)
    }

    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            let breaks = self
                .text
                .bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0)
                .chain(breaks.map(|(at, _)| at + 1))
                .collect()
        })
    }
}

/// Where the parts of a scalar's text stand, when the scalar is a text of its own: the YAML in a
/// `ConfigMap`.
///
/// A literal block (`|`) maps character by character, a folded one (`>`) line by line. In a quoted
/// scalar every place is the scalar's own.
#[derive(Clone, Debug)]
pub struct Inside {
    scalar: Range<usize>,
    /// Where a piece begins in the scalar's text and in the file, and how long it is; in order.
    pieces: Vec<(usize, usize, usize)>,
}

impl Inside {
    /// `scalar` is where it stands in `text`, `decoded` what YAML makes of it.
    pub fn new(text: &str, scalar: Range<usize>, decoded: &str) -> Self {
        let written = text.get(scalar.clone()).unwrap_or_default();
        let mut pieces = Vec::new();
        let mut done = 0;
        let mut at = scalar.start;
        for line in written.split_inclusive('\n') {
            let content = line.trim();
            // Only white space may lie between one line's text and the next one's.
            let gap = decoded[done..]
                .find(|c: char| !c.is_whitespace())
                .unwrap_or(0);
            if !content.is_empty() && decoded[done + gap..].starts_with(content) {
                let start = at + (line.len() - line.trim_start().len());
                pieces.push((done + gap, start, content.len()));
                done += gap + content.len();
            }
            at += line.len();
        }
        Self { scalar, pieces }
    }

    /// The place in the file of a range of the scalar's text.
    pub fn range(&self, inner: Range<usize>) -> Range<usize> {
        let (Some(start), Some(end)) = (self.at(inner.start), self.at(inner.end)) else {
            return self.scalar.clone();
        };
        start..end.max(start)
    }

    fn at(&self, inner: usize) -> Option<usize> {
        let next = self.pieces.partition_point(|(start, _, _)| *start <= inner);
        match next.checked_sub(1).and_then(|piece| self.pieces.get(piece)) {
            Some((start, outer, length)) => Some(outer + (inner - start).min(*length)),
            // White space in front of everything.
            None => self.pieces.first().map(|(_, outer, _)| *outer),
        }
    }
}
