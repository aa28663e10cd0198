//! What is wrong with a text that should be YAML.

use std::ops::Range;

use granit_parser::{ErrorKind, ScanError};

/// A place where a text is not YAML as kubectl reads it. It displays as the message alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct YamlError {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The way out, where there is a usual one.
    pub help: Option<&'static str>,
    /// The place, in bytes of the whole text. May be empty.
    pub bytes: Range<usize>,
}

impl YamlError {
    pub(crate) fn new(bytes: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            bytes,
        }
    }

    pub(crate) fn help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }
}

/// Where the parser stopped. Its places count from the start of what it was given.
pub(super) fn place(error: &ScanError, base: usize) -> Range<usize> {
    let at = base + error.marker().byte_offset().unwrap_or(0);
    at..at
}

/// Translates what the parser says.
pub(super) fn of_scanner(error: &ScanError, base: usize) -> YamlError {
    let said = YamlError::new(place(error, base), error.info());
    let help = match error.kind() {
        ErrorKind::MappingValueNotAllowed => {
            "quote a value that contains ': ', or check the indentation"
        }
        ErrorKind::UnclosedQuotedScalar => "close the quotation",
        ErrorKind::InvalidIndentation => "check the indentation",
        ErrorKind::UnknownAnchor => "quote text that begins with '*'",
        ErrorKind::UnexpectedCharacter { .. } => "quote text that begins with '%', '@' or '`'",
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            "a name needs a ':' behind it, on the same line"
        }
        _ if said.message.contains("tab") => "indent with spaces",
        _ => return said,
    };
    said.help(help)
}
