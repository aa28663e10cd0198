//! Places in a scalar that is a text of its own: the YAML in a `ConfigMap`.

use std::{iter::Peekable, ops::Range, str::CharIndices};

/// Where the parts of a scalar's text stand in the file.
///
/// A literal block (`|`) maps character by character, a folded one (`>`) and a plain scalar line by
/// line, a quoted one character by character, where an escape is the place of its backslash.
#[derive(Clone, Debug)]
pub(super) struct Inside {
    scalar: Range<usize>,
    pieces: Vec<Piece>,
}

/// Text that stands in the file as it is.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Where it begins in the scalar's text.
    inner: usize,
    /// Where it begins in the file.
    outer: usize,
    /// How long it is; nothing for what an escape stands for.
    length: usize,
}

impl Inside {
    /// `scalar` is where it stands in `text`, `decoded` what YAML makes of it.
    pub(super) fn new(text: &str, scalar: Range<usize>, decoded: &str) -> Self {
        let written = text.get(scalar.clone()).unwrap_or_default();
        // A block may begin with a quote too, but then it means something else.
        let quoted = Quoted::read(written).filter(|quoted| quoted.decoded == decoded);
        let pieces = match quoted {
            Some(quoted) => quoted.pieces,
            None => lines(written, decoded),
        };
        let in_file = |piece: Piece| Piece {
            outer: scalar.start + piece.outer,
            ..piece
        };
        let pieces = pieces.into_iter().map(in_file).collect();
        Self { scalar, pieces }
    }

    /// The place in the file of a range of the scalar's text.
    pub(super) fn range(&self, inner: Range<usize>) -> Range<usize> {
        let (Some(start), Some(end)) = (self.at(inner.start), self.at(inner.end)) else {
            return self.scalar.clone();
        };
        start..end.max(start)
    }

    fn at(&self, inner: usize) -> Option<usize> {
        let next = self.pieces.partition_point(|piece| piece.inner <= inner);
        match next.checked_sub(1).and_then(|piece| self.pieces.get(piece)) {
            Some(piece) => Some(piece.outer + (inner - piece.inner).min(piece.length)),
            // White space in front of everything.
            None => self.pieces.first().map(|piece| piece.outer),
        }
    }
}

/// The pieces of a block or a plain scalar, a line each.
fn lines(written: &str, decoded: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut done, mut at) = (0, 0);
    for line in written.split_inclusive('\n') {
        let content = line.trim();
        // Only white space may lie between one line's text and the next one's.
        let gap = decoded[done..]
            .find(|c: char| !c.is_whitespace())
            .unwrap_or(0);
        if !content.is_empty() && decoded[done + gap..].starts_with(content) {
            pieces.push(Piece {
                inner: done + gap,
                outer: at + (line.len() - line.trim_start().len()),
                length: content.len(),
            });
            done += gap + content.len();
        }
        at += line.len();
    }
    pieces
}

/// What a quoted scalar says, and the pieces that it says it with.
#[derive(Default)]
struct Quoted {
    decoded: String,
    pieces: Vec<Piece>,
}

type Chars<'a> = Peekable<CharIndices<'a>>;

impl Quoted {
    /// Nothing for what is not quoted, or not as YAML and JSON do.
    fn read(written: &str) -> Option<Self> {
        let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let inner = written.strip_suffix(quote)?.get(1..)?;
        let mut quoted = Self::default();
        let mut chars = inner.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if quote == '"' => quoted.escape(at, &mut chars)?,
                '\'' if quote == '\'' => {
                    chars.next_if(|(_, c)| *c == '\'')?;
                    quoted.push(at, '\'', true);
                }
                ' ' | '\t' | '\r' | '\n' => quoted.space(inner, at, &mut chars),
                c if c == quote => return None,
                c => quoted.push(at, c, true),
            }
        }
        // So far they count from behind the quote.
        for piece in &mut quoted.pieces {
            piece.outer += 1;
        }
        Some(quoted)
    }

    /// Adds a character; `as_is` where the file has it, and not something that stands for it.
    fn push(&mut self, at: usize, c: char, as_is: bool) {
        let inner = self.decoded.len();
        self.decoded.push(c);
        let length = if as_is { c.len_utf8() } else { 0 };
        match self.pieces.last_mut() {
            Some(last)
                if as_is
                    && last.length > 0
                    && last.inner + last.length == inner
                    && last.outer + last.length == at =>
            {
                last.length += length;
            }
            _ => self.pieces.push(Piece {
                inner,
                outer: at,
                length,
            }),
        }
    }

    /// White space as it is, unless it is around the end of a line: one end is a space, more are one
    /// less.
    fn space(&mut self, inner: &str, start: usize, chars: &mut Chars<'_>) {
        let is_space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
        let rest = &inner[start..];
        let run = rest.find(|c| !is_space(c)).unwrap_or(rest.len());
        while chars.next_if(|(at, _)| *at < start + run).is_some() {}
        let run = &rest[..run];
        let ends = run.matches('\n').count();
        match ends {
            0 => run
                .char_indices()
                .for_each(|(at, c)| self.push(start + at, c, true)),
            1 => self.push(start, ' ', false),
            _ => (1..ends).for_each(|_| self.push(start, '\n', false)),
        }
    }

    fn escape(&mut self, at: usize, chars: &mut Chars<'_>) -> Option<()> {
        let (_, c) = chars.next()?;
        let c = match c {
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            't' | '\t' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            'N' => '\u{85}',
            '_' => '\u{a0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            ' ' | '"' | '/' | '\\' | '\'' => c,
            'x' => char::from_u32(code(chars, 2)?)?,
            'u' => match code(chars, 4)? {
                // Half of what JSON writes for a character beyond the first 65536.
                high @ 0xd800..=0xdbff => {
                    chars.next_if(|(_, c)| *c == '\\')?;
                    chars.next_if(|(_, c)| *c == 'u')?;
                    let low = code(chars, 4)?.checked_sub(0xdc00)?;
                    char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)?
                }
                code => char::from_u32(code)?,
            },
            'U' => char::from_u32(code(chars, 8)?)?,
            // The line goes on in the next one.
            '\n' | '\r' => {
                while chars.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
                return Some(());
            }
            _ => return None,
        };
        self.push(at, c, false);
        Some(())
    }
}

fn code(chars: &mut Chars<'_>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0, |code, _| {
        let (_, c) = chars.next()?;
        Some((code << 4) + c.to_digit(16)?)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::manifest::yaml::{self, Limits};

    /// What stands in the file for each word of what a scalar says.
    fn found(written: &str) -> Vec<(String, String)> {
        let text = format!("a: {written}\n");
        let composed = yaml::first(&text, &Limits::default()).unwrap().unwrap();
        let decoded = composed.value["a"].as_str().unwrap().to_owned();
        let pointer = jsonptr::Pointer::from_static("/a");
        let found = composed.spans.find(&text, yaml::NodeId::ROOT, pointer);
        let inside = Inside::new(&text, composed.spans.range(found.node), &decoded);
        decoded
            .split_whitespace()
            .map(|word| {
                let start = word.as_ptr() as usize - decoded.as_ptr() as usize;
                let range = inside.range(start..start + word.len());
                (word.to_owned(), text[range].to_owned())
            })
            .collect()
    }

    #[test]
    fn every_word_is_found_in_every_style() {
        for written in [
            "one two",
            "one\n  two\n\n  three",
            "'one two'",
            "'one\n  two\n\n  three'",
            "\"one two\"",
            "\"one\\ttwo\\nthree\"",
            "\"one\n  two  \n\n\n  three\\n  four\"",
            "\"one\\n\\\n  two \\\n  three\"",
            "\"\\u2028one \\U0001F600 two\\x20three\"",
            "|\n  one\n   two\n\n  three",
            "|+\n  one\n\n\n  two\n\n",
            "|-\n\n  one\n  two",
            "|2\n   one\n  two",
            "|2-\n     one\n  two",
            ">\n  one\n  two\n\n  three\n    four\n  five",
            ">1-\n  one\n two",
            "|\n  \"one\" 'two'\n  three",
            ">\n  'one'\n  \"two\"",
        ] {
            let words = found(written);
            assert!(words.len() > 1, "{written:?}");
            for (word, there) in words {
                let escaped = ["\u{1f600}", "\u{2028}"].contains(&&*word);
                assert!(word == there || escaped, "{written:?}: {word} is {there:?}");
            }
        }
    }

    #[test]
    fn an_escape_is_at_its_backslash() {
        let text = "'it''s' ";
        let inside = Inside::new(text, 0..7, "it's");
        assert_eq!(inside.range(2..3), 3..5);
        assert_eq!(inside.range(3..4), 5..6);
        let text = r#""a\nb\ud83d\ude00c""#;
        let inside = Inside::new(text, 0..text.len(), "a\nb\u{1f600}c");
        assert_eq!(&text[inside.range(0..1)], "a");
        assert_eq!(&text[inside.range(2..3)], "b");
        assert_eq!(&text[inside.range(7..8)], "c");
        assert_eq!(inside.range(3..7).start, 5);
    }
}
