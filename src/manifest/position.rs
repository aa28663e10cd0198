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
