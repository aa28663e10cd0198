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
    let behind = &text[range.end..];
    if style == ScalarStyle::Plain
        && behind.starts_with(':')
        && behind[1..].starts_with([',', '[', ']', '{', '}'])
    {
        let error = YamlError::new(
            range.start..range.end + 1,
            "between brackets, kubectl takes this ':' for text",
        );
        return Err(error.help("put a space behind the ':'").unsure());
    }
    // Without a value it is only an entry.
    let is_name = is_key && text[range.end..].trim_start().starts_with(':');
    if is_name && written.contains(['\n', '\r']) {
        return Err(YamlError::new(
            range.clone(),
            "a name must stand on one line",
        ));
    }
    if style == ScalarStyle::Plain && (written.starts_with(':') || written.contains('?')) {
        let message =
            "between brackets, kubectl takes no plain text that begins with ':' or has a '?'";
        let error = YamlError::new(range.clone(), message).help("quote it");
        // In front it may be the sign of a name.
        let sign = written.starts_with([':', '?']);
        return Err(if sign { error.unsure() } else { error });
    }
    Ok(())
}

/// Refuses what stands in front of a node, or the alias that is the node, if libyaml ends the name of an
/// anchor or a tag somewhere else than the parser does. `from` is where the node before it ended.
pub(super) fn properties(text: &str, from: usize) -> Result<(), YamlError> {
    let mut at = from;
    let mut found = false;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        at = match c {
            '*' => return name(text, at).map(drop),
            '&' => name(text, at)?,
            '!' => tag(text, at)?,
            '#' => next_token(text, at),
            c if c.is_whitespace() || c == '\u{feff}' => at + c.len_utf8(),
            // What the node stands behind.
            '-' | '?' | ':' | ',' | '[' | '{' if !found => at + 1,
            _ => break,
        };
        found |= matches!(c, '&' | '!');
    }
    Ok(())
}

/// Where the name of an anchor ends, or of an alias.
fn name(text: &str, at: usize) -> Result<usize, YamlError> {
    let rest = &text[at + 1..];
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let end = at + 1 + length;
    let next = text[end..].chars().next();
    if length > 0 && next.is_none_or(|c| c.is_whitespace() || ",]}".contains(c)) {
        return Ok(end);
    }
    let message = "the name of an anchor has only letters, digits, '-' and '_'";
    let error = YamlError::new(at..end, message);
    // libyaml may end the name here, and go on.
    let goes_on = length > 0 && next.is_some_and(|c| "?:%@`".contains(c));
    Err(if goes_on { error.unsure() } else { error })
}

/// Where a tag ends.
fn tag(text: &str, at: usize) -> Result<usize, YamlError> {
    let rest = &text[at..];
    if rest.starts_with("!<") {
        return Ok(rest.find('>').map_or(text.len(), |end| at + end + 1));
    }
    let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let brackets = [',', '[', ']', '{', '}'];
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_;/?:@&=+$.!~*'()%".contains(c);
    let error = YamlError::new(at..at + length, "a tag has letters and few signs");
    if !rest[..length]
        .chars()
        .all(|c| is_part(c) || brackets.contains(&c))
    {
        return Err(error);
    }
    // To libyaml they are part of the tag.
    if rest[..length].contains(brackets) {
        return Err(error.help("put a space behind it").unsure());
    }
    Ok(at + length)
}

/// Where the next token begins: Go's reader looks that far, even where it is not part of the document.
pub(super) fn next_token(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(rest) = text.get(at..) {
        let space = rest.len()
            - rest
                .trim_start_matches([' ', '\t', '\n', '\r', '\u{feff}'])
                .len();
        at += space;
        match text.get(at..) {
            Some(rest) if rest.starts_with('#') => {
                at += rest.find(['\n', '\r']).unwrap_or(rest.len());
            }
            _ => break,
        }
    }
    at
}

/// Where a document ends that is all between brackets.
pub(super) fn end_of_brackets(text: &str) -> Option<usize> {
    let mut at = next_token(text, 0);
    while text[at..].starts_with('%') {
        at = next_token(text, at + text[at..].find(['\n', '\r'])?);
    }
    if let Some(rest) = text[at..].strip_prefix("---") {
        at = next_token(text, text.len() - rest.len());
    }
    text[at..].starts_with(['{', '[']).then_some(())?;
    let (mut depth, mut before) = (0_usize, ' ');
    let mut chars = text[at..].char_indices();
    while let Some((offset, c)) = chars.next() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.checked_sub(1)?,
            '"' | '\'' if before.is_whitespace() || "{[,:".contains(before) => {
                while let Some((_, inner)) = chars.next() {
                    match inner {
                        '\\' if c == '"' => drop(chars.next()),
                        inner if inner == c => break,
                        _ => {}
                    }
                }
            }
            '#' if before.is_whitespace() => {
                chars.find(|(_, c)| matches!(c, '\n' | '\r'))?;
            }
            _ => {}
        }
        if depth == 0 {
            return Some(at + offset + 1);
        }
        before = c;
    }
    None
}

/// The text with spaces for the tabs that lines begin with, if there are any: between brackets and between
/// quotes they mean the same to libyaml, and the parser takes only spaces.
pub(super) fn spaces_for_tabs(text: &str) -> Option<String> {
    let mut spaced = String::with_capacity(text.len());
    let mut found = false;
    for line in text.split_inclusive(['\n', '\r']) {
        let rest = line.trim_start_matches([' ', '\t']);
        let indent = &line[..line.len() - rest.len()];
        found |= indent.contains('\t');
        spaced.extend(std::iter::repeat_n(' ', indent.len()));
        spaced += rest;
    }
    found.then_some(spaced)
}

/// Refuses a tab where an indentation may stand: granit-parser takes it where no harm is done,
/// kubectl never does.
pub(super) fn tabs(text: &str, chunk: Range<usize>, spans: &Spans) -> Result<(), YamlError> {
    let source = &text[chunk.clone()];
    if !source.contains('\t') {
        return Ok(());
    }
    let mut start = chunk.start;
    let tabs = source.split_inclusive(['\n', '\r']).filter_map(|line| {
        let mark = if line.starts_with('\u{feff}') { 3 } else { 0 };
        let indent = mark
            + line[mark..]
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
