//! What kubectl's YAML library refuses and granit-parser takes.
//!
//! The one is a libyaml of YAML 1.1, the other reads YAML 1.2. Only what people write is looked for
//! here; the rest stands in `tests/manifest/yaml.rs`.

use std::ops::Range;

use granit_parser::ScalarStyle;

use super::{YamlError, spans::Spans};

/// Refuses the escapes that YAML 1.2 and JSON have and YAML 1.1 does not, in a double-quoted scalar.
pub(super) fn escapes(text: &str, range: &Range<usize>) -> Result<(), YamlError> {
    let bytes = text.as_bytes();
    let mut at = range.start;
    while at + 1 < range.end {
        if bytes[at] != b'\\' {
            at += 1;
            continue;
        }
        let help = match &bytes[at + 1..range.end] {
            [b'/', ..] => "write the '/' without a backslash",
            [
                b'u',
                b'd' | b'D',
                b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F',
                ..,
            ] => "write the character itself, or \\U and eight digits",
            _ => {
                at += 2;
                continue;
            }
        };
        return Err(YamlError::new(at..at + 2, "kubectl does not know this escape").help(help));
    }
    Ok(())
}

/// Refuses a scalar between brackets that libyaml would take apart: plain text ends at a `?` there,
/// and a `:` in front of it is the one behind a name.
pub(super) fn in_brackets(
    text: &str,
    range: &Range<usize>,
    style: ScalarStyle,
    is_key: bool,
) -> Result<(), YamlError> {
    let written = &text[range.clone()];
    if is_key && written.contains('\n') {
        return Err(YamlError::new(
            range.clone(),
            "a name must stand on one line",
        ));
    }
    if style == ScalarStyle::Plain && (written.starts_with(':') || written.contains('?')) {
        let message =
            "between brackets, kubectl takes no plain text that begins with ':' or has a '?'";
        return Err(YamlError::new(range.clone(), message).help("quote it"));
    }
    Ok(())
}

/// Refuses a tab where an indentation may stand: granit-parser takes it where no harm is done,
/// kubectl never does.
pub(super) fn tabs(text: &str, chunk: Range<usize>, spans: &Spans) -> Result<(), YamlError> {
    let source = &text[chunk.clone()];
    if !source.contains('\t') {
        return Ok(());
    }
    let mut start = chunk.start;
    let tabs = source.split_inclusive('\n').filter_map(|line| {
        let indent = line
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'-' | b'?'))
            .count();
        let tab = start + indent;
        start += line.len();
        (line.as_bytes().get(indent) == Some(&b'\t')).then_some(tab)
    });
    match spans.first_outside(text, tabs) {
        Some(tab) => {
            let error = YamlError::new(tab..tab + 1, "a tab can't indent");
            Err(error.help("indent with spaces"))
        }
        None => Ok(()),
    }
}
