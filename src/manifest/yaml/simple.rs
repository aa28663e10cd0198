//! The YAML that people and tools write most: one key or entry a line.
//!
//! Blocks of keys and entries, scalars on one line (plain or in quotes without escapes), literal
//! texts, comments, `{}` and `[]`, all of it in ASCII. That is most of all manifests, and it can be
//! read several times as fast as YAML at large. Anything else, and anything that is wrong, is left
//! to the parser: where this reads a text, it reads it as [`super::compose`] does, to the last
//! place, which a test holds it to.

use std::ops::Range;

use serde_json::{Map, Value};

use super::{
    Composed, Limits,
    scalar::{self, Scalar},
    spans::{NodeKind, Spans},
};

/// The longest key that may stand without a `?`.
const KEY_MAX: usize = 1000;

/// Reads the document of `text[chunk]` if it is as simple as that, and not empty.
pub(super) fn read(text: &str, chunk: Range<usize>, limits: &Limits) -> Option<Composed> {
    let bytes = &text.as_bytes()[..chunk.end];
    if !bytes[chunk.start..]
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n'))
    {
        return None;
    }
    let mut reader = Reader {
        text,
        bytes,
        at: chunk.start,
        here: None,
        end: chunk.start,
        depth: limits.depth,
        spans: Spans::with_capacity(chunk.len()),
        nulls: false,
    };
    let first = reader.peek()?;
    let value = reader.block(first, 0)?;
    if reader.peek().is_some() {
        return None;
    }
    Some(Composed {
        value,
        spans: reader.spans,
        surprises: Vec::new(),
        duplicates: Vec::new(),
        non_finite: Vec::new(),
        unusable_keys: Vec::new(),
        nulls: reader.nulls,
    })
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    /// The start of the next line.
    at: usize,
    /// What is next, if it was looked at or stands within a line.
    here: Option<Content>,
    /// Where the last scalar or bracket ended.
    end: usize,
    depth: usize,
    spans: Spans,
    nulls: bool,
}

/// Something other than space and comments: its column and its place.
#[derive(Clone, Copy)]
struct Content {
    column: usize,
    at: usize,
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Whether a line ends here, or a space comes.
    fn is_gap(&self, at: usize) -> bool {
        matches!(self.byte(at), None | Some(b' ' | b'\n'))
    }

    fn skip_spaces(&self, mut at: usize) -> usize {
        while self.byte(at) == Some(b' ') {
            at += 1;
        }
        at
    }

    fn line_end(&self, at: usize) -> usize {
        let rest = &self.bytes[at..];
        rest.iter()
            .position(|byte| *byte == b'\n')
            .map_or(self.bytes.len(), |length| at + length)
    }

    /// The next content, without taking it.
    fn peek(&mut self) -> Option<Content> {
        while self.here.is_none() {
            let start = self.at;
            let at = self.skip_spaces(start);
            match self.byte(at)? {
                b'\n' => self.at = at + 1,
                b'#' => self.at = self.line_end(at) + 1,
                _ => {
                    let column = at - start;
                    self.here = Some(Content { column, at });
                }
            }
            if self.at >= self.bytes.len() && self.here.is_none() {
                return None;
            }
        }
        self.here
    }

    /// What follows is within the line.
    fn stay(&mut self, content: Content, at: usize) -> Content {
        let content = Content {
            column: content.column + (at - content.at),
            at,
        };
        self.here = Some(content);
        content
    }

    /// The rest of the line holds nothing but a comment: goes to the next one.
    fn finish_line(&mut self, at: usize) -> Option<()> {
        let next = self.skip_spaces(at);
        match self.byte(next) {
            None | Some(b'\n') => self.at = next + 1,
            Some(b'#') if next > at => self.at = self.line_end(next) + 1,
            _ => return None,
        }
        self.at = self.at.min(self.bytes.len());
        self.here = None;
        Some(())
    }

    fn block(&mut self, first: Content, depth: usize) -> Option<Value> {
        if depth >= self.depth {
            return None;
        }
        if self.byte(first.at) == Some(b'-') && self.is_gap(first.at + 1) {
            self.list(first, depth)
        } else {
            self.object(first, depth)
        }
    }

    fn list(&mut self, first: Content, depth: usize) -> Option<Value> {
        let node = self.spans.push(NodeKind::Sequence, first.at..first.at);
        let mut items = Vec::new();
        while let Some(entry) = self.peek() {
            let is_entry = self.byte(entry.at) == Some(b'-') && self.is_gap(entry.at + 1);
            if entry.column < first.column || entry.column == first.column && !is_entry {
                break;
            }
            if entry.column > first.column {
                return None;
            }
            let start = self.skip_spaces(entry.at + 1);
            let item = match self.byte(start) {
                None | Some(b'\n' | b'#') => {
                    self.finish_line(entry.at + 1)?;
                    let below = self.peek().filter(|below| below.column > entry.column)?;
                    self.block(below, depth + 1)?
                }
                Some(_) if self.opens_block(start) => {
                    let inner = self.stay(entry, start);
                    self.block(inner, depth + 1)?
                }
                Some(_) => self.scalar(start, entry.column, depth)?,
            };
            items.push(item);
        }
        self.spans.close(node, self.end);
        Some(Value::Array(items))
    }

    /// Whether an entry or a key begins here.
    fn opens_block(&self, at: usize) -> bool {
        self.byte(at) == Some(b'-') && self.is_gap(at + 1) || self.key(at).is_some()
    }

    fn object(&mut self, first: Content, depth: usize) -> Option<Value> {
        let node = self.spans.push(NodeKind::Mapping, first.at..first.at);
        let mut fields = Map::new();
        while let Some(entry) = self.peek() {
            if entry.column < first.column {
                break;
            }
            if entry.column > first.column {
                return None;
            }
            let (written, name) = self.key(entry.at)?;
            if fields.contains_key(name) {
                return None;
            }
            let name = name.to_owned();
            self.spans.push_key(written.clone(), None);
            let value = self.value(entry, written.end, depth)?;
            fields.insert(name, value);
        }
        self.spans.close(node, self.end);
        Some(Value::Object(fields))
    }

    /// A key that is a string, its place and its name. A `:` and a gap follow it.
    fn key(&self, at: usize) -> Option<(Range<usize>, &str)> {
        let (written, name) = match self.byte(at)? {
            quote @ (b'"' | b'\'') => {
                let end = self.quoted(at, quote)?;
                (at..end, at + 1..end - 1)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'/' | b'0'..=b'9' => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./".contains(byte);
                let end = at
                    + self.bytes[at..]
                        .iter()
                        .take_while(|byte| is_part(byte))
                        .count();
                (at..end, at..end)
            }
            _ => return None,
        };
        let ends = self.byte(written.end) == Some(b':') && self.is_gap(written.end + 1);
        let plain = written.start == name.start;
        let name = &self.text[name];
        let is_text = !plain || scalar::plain(name) == Scalar::Text;
        (ends && is_text && written.len() <= KEY_MAX).then_some((written, name))
    }

    /// Where a quoted scalar ends that has no escapes and stands on one line.
    fn quoted(&self, at: usize, quote: u8) -> Option<usize> {
        let mut end = at + 1;
        loop {
            match self.byte(end)? {
                b'\\' if quote == b'"' => return None,
                b'\n' => return None,
                byte if byte == quote => break,
                _ => end += 1,
            }
        }
        // Twice the quote would be one.
        (self.byte(end + 1) != Some(quote)).then_some(end + 1)
    }

    /// The value of a key, which ends at `colon`.
    fn value(&mut self, key: Content, colon: usize, depth: usize) -> Option<Value> {
        let start = self.skip_spaces(colon + 1);
        if !matches!(self.byte(start), None | Some(b'\n' | b'#')) {
            return self.scalar(start, key.column, depth);
        }
        self.finish_line(colon + 1)?;
        match self.peek() {
            Some(below) if below.column > key.column => self.block(below, depth + 1),
            Some(below)
                if below.column == key.column
                    && self.byte(below.at) == Some(b'-')
                    && self.is_gap(below.at + 1) =>
            {
                self.block(below, depth + 1)
            }
            _ => {
                self.nulls = true;
                self.end = colon;
                self.spans.push(NodeKind::Null, colon..colon);
                Some(Value::Null)
            }
        }
    }

    /// A scalar on one line, or a literal block, in a collection that is indented by `indent`.
    fn scalar(&mut self, at: usize, indent: usize, depth: usize) -> Option<Value> {
        let value = match self.byte(at)? {
            quote @ (b'"' | b'\'') => {
                let end = self.quoted(at, quote)?;
                self.leaf(NodeKind::Text, at..end)?;
                Value::String(self.text[at + 1..end - 1].to_owned())
            }
            b'{' | b'[' if depth + 1 >= self.depth => return None,
            b'{' if self.byte(at + 1) == Some(b'}') => {
                self.leaf(NodeKind::Mapping, at..at + 2)?;
                Value::Object(Map::new())
            }
            b'[' if self.byte(at + 1) == Some(b']') => {
                self.leaf(NodeKind::Sequence, at..at + 2)?;
                Value::Array(Vec::new())
            }
            b'|' => return self.literal(at, indent),
            _ => self.plain(at)?,
        };
        // What is indented further would be part of it, or wrong.
        match self.peek() {
            Some(next) if next.column > indent => None,
            _ => Some(value),
        }
    }

    /// A value without parts that ends its line.
    fn leaf(&mut self, kind: NodeKind, range: Range<usize>) -> Option<()> {
        self.end = range.end;
        self.finish_line(range.end)?;
        self.spans.push(kind, range);
        Some(())
    }

    fn plain(&mut self, at: usize) -> Option<Value> {
        let begins = match self.byte(at)? {
            b'-' => !self.is_gap(at + 1),
            byte => byte.is_ascii_alphanumeric() || b"_/.+(=<$~^;".contains(&byte),
        };
        if !begins {
            return None;
        }
        let line = &self.bytes[at..self.line_end(at)];
        let mut length = line.len();
        for (offset, byte) in line.iter().enumerate() {
            match byte {
                b':' if self.is_gap(at + offset + 1) => return None,
                b'#' if line[..offset].ends_with(b" ") => {
                    length = offset;
                    break;
                }
                _ => {}
            }
        }
        let length = line[..length].trim_ascii_end().len();
        let written = &self.text[at..at + length];
        let read = scalar::plain(written);
        let surprises = matches!(
            read,
            Scalar::Bool { legacy: true, .. } | Scalar::Int { octal: true, .. }
        );
        if surprises {
            return None;
        }
        let value = read.to_json(written)?;
        self.nulls |= value.is_null();
        self.leaf(read.into(), at..at + length)?;
        Some(value)
    }

    /// A text of its own lines: `|` or `|-`, every line indented, the first one not empty.
    fn literal(&mut self, at: usize, indent: usize) -> Option<Value> {
        let strip = self.byte(at + 1) == Some(b'-');
        let head = at + 1 + usize::from(strip);
        if self.byte(head) != Some(b'\n') {
            return None;
        }
        let start = self.skip_spaces(head + 1);
        let margin = start - (head + 1);
        if margin <= indent || matches!(self.byte(start), None | Some(b'\n')) {
            return None;
        }
        let mut text = String::new();
        let mut line = head + 1;
        // How long the text is up to the last line that is not empty.
        let mut length = 0;
        while line < self.bytes.len() {
            let content = self.skip_spaces(line);
            let end = self.line_end(line);
            if end == self.bytes.len() {
                return None;
            }
            if content == end && end <= line + margin {
                text.push('\n');
            } else if content < line + margin {
                break;
            } else {
                text.push_str(&self.text[line + margin..end]);
                text.push('\n');
                length = text.len();
            }
            line = end + 1;
        }
        text.truncate(length - usize::from(strip));
        self.at = line;
        self.here = None;
        let next = self.peek();
        if next.is_some_and(|next| next.column > indent) {
            return None;
        }
        self.end = start + self.text[start..line].trim_end().len();
        self.spans.push(NodeKind::Text, start..self.end);
        Some(Value::String(text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::compose, *};

    /// Whether it was simple; if so, the parser must have read the same.
    fn agrees(text: &str) -> bool {
        let limits = Limits::default();
        let Some(read) = read(text, 0..text.len(), &limits) else {
            return false;
        };
        let parsed = compose::compose(text, 0..text.len(), &limits, true);
        let parsed = parsed.expect(text).expect(text);
        assert_eq!(read.value, parsed.value, "{text:?}");
        assert_eq!(read.spans, parsed.spans, "{text:?}");
        assert_eq!(read.nulls, parsed.nulls, "{text:?}");
        assert!(
            parsed.surprises.is_empty() && parsed.duplicates.is_empty(),
            "{text:?}"
        );
        assert!(parsed.non_finite.is_empty(), "{text:?}");
        true
    }

    #[test]
    fn reads_what_is_simple() {
        for text in [
            "a: 1\n",
            "# c\n\na: b # c\nc: 'd'\n\"e\": \"f\"   # c\n\n# c\n",
            "a:\n  b:\n    c: x y z\n  d: {}\ne: []\n",
            "a:\n- b\n- c: d\n  e: f\n-   - g\n    - h\n",
            "a:\n  # c\n  - 1.5\n  -\n    b: c\n",
            "a:\nb: ~\nc: # c\n\nd:\n",
            "a: |\n  x: 1\n    y # c\n\n  z\n\nb: |-\n    x\n\n\n",
            "a:\n- b: |\n    x\n  c: d\n",
            "a: |\n  x\n  \nb: c\n",
            "a: -5\nb: -x\nc: a:b#c?d\nd: http://x:80/y?z=1#f\n",
            "- a\n- b",
            "a: b",
        ] {
            assert!(agrees(text), "{text:?}");
        }
    }

    #[test]
    fn leaves_the_rest() {
        for text in [
            "",
            "# c\n",
            "a",
            "a: yes\n",
            "a: 010\n",
            "a: &x b\n",
            "a: [b]\n",
            "a: \"\\n\"\n",
            "a: 'b''c'\n",
            "a: b\n  c\n",
            "a: b: c\n",
            " a: b\nc: d\n",
            "a: b\na: c\n",
            "yes: a\n",
            "a: >\n  b\n",
            "a: |\n\n  b\n",
            "a: |\n b",
            "a: \u{e9}\n",
            "a:\tb\n",
            "a: b\r\n",
            "a: \"b\" c\n",
            "a: b\n...\n",
            "%YAML 1.1\n",
            "a: - b\n",
        ] {
            assert!(!agrees(text), "{text:?}");
        }
    }

    #[test]
    fn agrees_on_what_kubectl_was_asked() {
        let table = include_str!("../../../tests/manifest/kubectl.jsonl");
        for line in table.lines() {
            let (text, _): (String, Value) = serde_json::from_str(line).expect("a row");
            agrees(&text);
        }
    }

    fn line() -> impl Strategy<Value = String> {
        let indent = prop::sample::select(vec!["", "", "  ", "  ", "    ", " "]);
        let head = prop::sample::select(vec![
            "", "a: ", "b: ", "c:", "\"d\": ", "- ", "- - ", "- e: ", "-", "f: |", "f: |-", "# ",
            "'g': ", "? ", "&x ",
        ]);
        let tail = prop::sample::select(vec![
            "", "x", "1", "'y'", "\"z\"", "{}", "[]", "x # c", "x #", "# c", "-", "- x", "a: b",
            "~", "  x  ", "*x", "0.5", "a b", "x:", "...", "yes", "|", ">", "\\", "'", "{a}", "#",
            "x#y", " ", "%", "a'b",
        ]);
        (indent, head, tail).prop_map(|(indent, head, tail)| format!("{indent}{head}{tail}\n"))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn agrees_on_anything(lines in prop::collection::vec(line(), 0..8), whole in any::<bool>()) {
            let text = lines.concat();
            agrees(if whole { &text } else { text.trim_end_matches('\n') });
        }
    }
}
