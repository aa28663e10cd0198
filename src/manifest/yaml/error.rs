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
    /// Whether Go refuses it too. Where the parser knows only YAML 1.2, that is not said.
    pub(crate) sure: bool,
}

impl YamlError {
    pub(crate) fn new(bytes: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            bytes,
            sure: true,
        }
    }

    /// Where Go may read it.
    pub(crate) fn unsure(mut self) -> Self {
        self.sure = false;
        self
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

/// Translates what the parser says of `source`, which begins at `base`.
pub(super) fn of_scanner(error: &ScanError, source: &str, base: usize) -> YamlError {
    let said = YamlError::new(place(error, base), error.info());
    let sure = match error.kind() {
        ErrorKind::UnknownAnchor | ErrorKind::SimpleKeyExpected => !has_tight_alias(source),
        // Behind an anchor or a tag there may be nothing, and that is a document.
        ErrorKind::MisplacedFlowCollectionEnd => !source.trim_start().starts_with(['&', '!']),
        // libyaml takes the line for the quotation's, and that goes on to the end.
        ErrorKind::InvalidQuotedScalarIndent => {
            let rest = source.get(place(error, 0).start..);
            rest.is_some_and(|rest| !rest.contains(['"', '\'']))
        }
        // Behind a quotation libyaml takes a comment without a space in front of it, and no text.
        ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            let next = source
                .get(place(error, 0).start..)
                .and_then(|rest| rest.chars().next());
            next.is_some_and(|c| c.is_alphanumeric() || c == '"' || c == '\'')
        }
        // libyaml knows one more.
        ErrorKind::UnknownQuotedScalarEscape => {
            let rest = source.get(place(error, 0).start..);
            rest.is_some_and(|rest| !rest.contains("\\'"))
        }
        kind => is_sure(kind),
    };
    let said = if sure { said } else { said.unsure() };
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

/// Whether an alias may be the name of a field without a space in front of the ':', which the parser
/// takes for part of the alias.
fn has_tight_alias(source: &str) -> bool {
    source.split('*').skip(1).any(|rest| {
        let name = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        name.is_some_and(|end| end > 0 && rest[end..].starts_with(':'))
    })
}

/// Whether libyaml surely refuses what the parser refuses. In other ways YAML 1.2 is the stricter one.
fn is_sure(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::MappingValueNotAllowed
            | ErrorKind::MappingKeyNotAllowed
            | ErrorKind::BlockSequenceEntryNotAllowed
            | ErrorKind::BlockEntryInFlowCollection
            | ErrorKind::UnclosedQuotedScalar
            | ErrorKind::UnclosedFlowCollection { .. }
            | ErrorKind::MismatchedFlowCollectionEnd { .. }
            | ErrorKind::UnexpectedCharacter { .. }
            | ErrorKind::InvalidSimpleKey
            | ErrorKind::ExpectedNodeContent
            | ErrorKind::ExpectedBlockMappingKey
            | ErrorKind::ExpectedBlockSequenceEntry
            | ErrorKind::ExpectedFlowMappingSeparator
            | ErrorKind::ExpectedFlowSequenceSeparator
            | ErrorKind::UnexpectedEofImplicitFlowMapping
            | ErrorKind::UnexpectedEofBlockSequence
            | ErrorKind::UnexpectedEofBlockMapping
            | ErrorKind::FlowMappingValueAdjacentCollection
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::InvalidQuotedScalarHexEscape
    )
}
