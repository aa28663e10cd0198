//! Paths into an object, `{$.status.conditions[?(@.type=="Ready")].status}`: which of them the library
//! can read that Ramen hands them to.
//!
//! It is `k8s.io/client-go/util/jsonpath`, which is narrower than JSONPath elsewhere: no `["a"]`, no `&&` in
//! a filter, no blanks but spaces. Only on the side of accepting is this another one: escapes in quotes are
//! not looked at, nor is what is nested very deep. Source: `util/jsonpath/parser.go` of client-go v0.35.

use super::number;

/// How deep filters are followed into each other.
const DEEPEST: usize = 16;

/// Whether the library can read a text with paths in brackets.
pub(super) fn is_readable(text: &str) -> bool {
    read(text, 0).is_some()
}

/// Reads a text; what is outside of brackets stands for itself.
fn read(text: &str, depth: usize) -> Option<()> {
    let mut path = Path {
        rest: text,
        before: None,
        depth,
        descends: false,
    };
    while let Some(open) = path.rest.find('{') {
        path.skip(open + 1);
        path.descends = false;
        while !path.rest.starts_with('}') {
            path.step()?;
        }
        path.skip(1);
    }
    Some(())
}

/// What is left of a text.
struct Path<'t> {
    rest: &'t str,
    /// The byte before it.
    before: Option<u8>,
    depth: usize,
    /// Whether what was read last is `..`, which can't follow itself.
    descends: bool,
}

/// Whether a character ends a name.
fn ends_name(c: char) -> bool {
    " \t\r\n.,[]$@{}".contains(c)
}

impl<'t> Path<'t> {
    /// Passes over some bytes, and gives them.
    fn skip(&mut self, length: usize) -> &'t str {
        let (skipped, rest) = self.rest.split_at(length);
        self.before = skipped.bytes().last().or(self.before);
        self.rest = rest;
        skipped
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.skip(next.len_utf8());
        Some(next)
    }

    /// Reads the next piece inside of brackets.
    fn step(&mut self) -> Option<()> {
        let descended = std::mem::take(&mut self.descends);
        if self.rest.starts_with("[?(") {
            return self.filter();
        }
        if self.rest.starts_with("..") {
            self.skip(2);
            let next = self.rest.chars().next();
            if next.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                self.name();
            } else {
                self.descends = true;
            }
            return (!descended).then_some(());
        }
        let first = self.rest.chars().next()?;
        match first {
            ' ' | '@' | '$' => {
                self.skip(1);
                self.descends = descended;
            }
            '[' => return self.index(),
            '"' | '\'' => return self.quoted(first),
            '.' => {
                self.skip(1);
                self.name();
            }
            '+' | '-' | '0'..='9' => return self.number(),
            _ if first.is_alphanumeric() || first == '_' => {
                let end = self.rest.find(ends_name).unwrap_or(self.rest.len());
                self.skip(end);
            }
            _ => return None,
        }
        Some(())
    }

    /// A field's name, in which a backslash takes what follows it.
    fn name(&mut self) {
        while let Some(c) = self.rest.chars().next().filter(|c| !ends_name(*c)) {
            self.skip(c.len_utf8());
            if c == '\\' {
                self.next();
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        let sign = usize::from(self.rest.starts_with(['+', '-']));
        let digit = |c: char| c == '.' || c.is_ascii_digit();
        let length = self.rest[sign..].find(|c| !digit(c));
        let end = length.map_or(self.rest.len(), |length| sign + length);
        number::is_float(self.skip(end)).then_some(())
    }

    /// Up to the quote that no backslash stands before.
    fn quoted(&mut self, quote: char) -> Option<()> {
        self.skip(1);
        loop {
            let before = self.before;
            match self.next()? {
                '\n' => return None,
                c if c == quote && before != Some(b'\\') => return Some(()),
                _ => {}
            }
        }
    }

    /// `[0]`, `[1:2]`, `['name']`, `[*]`, or several of them.
    fn index(&mut self) -> Option<()> {
        let end = self.rest.find([']', '\n'])?;
        let text = self.skip(end).strip_prefix('[')?;
        if self.next()? != ']' {
            return None;
        }
        if text.contains(',') {
            return text
                .split(',')
                .try_for_each(|part| self.inner(&format!("[{}]", part.trim_matches(' '))));
        }
        let name = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        if let Some(name) = name.filter(|name| !name.contains('\'')) {
            return self.inner(&format!(".{name}"));
        }
        let number = |part: &str| part.is_empty() || part.parse::<i64>().is_ok();
        let parts: Vec<&str> = text.split(':').collect();
        let plain = parts.iter().all(|part| !part.starts_with('+'));
        (text == "*" || parts.len() <= 3 && plain && parts.into_iter().all(number)).then_some(())
    }

    /// `[?(@.name == "value")]`, or without a comparison.
    fn filter(&mut self) -> Option<()> {
        self.skip(3);
        let text = self.rest;
        let (mut opened, mut closed) = (None, false);
        loop {
            let before = self.before;
            match self.next()? {
                '\n' => return None,
                quote @ ('"' | '\'') => match opened {
                    None => opened = Some(quote),
                    Some(pair) => closed |= quote == pair && before != Some(b'\\'),
                },
                ')' if opened.is_some() == closed => break,
                _ => {}
            }
        }
        let text = &text[..text.len() - self.rest.len() - 1];
        if self.next()? != ']' {
            return None;
        }
        let Some((left, right)) = sides(text) else {
            return self.inner(text);
        };
        self.inner(left)?;
        self.inner(right)
    }

    /// Reads what a filter or an index is made of.
    fn inner(&self, text: &str) -> Option<()> {
        if self.depth == DEEPEST {
            return Some(());
        }
        read(&format!("{{{text}}}"), self.depth + 1)
    }
}

/// The two sides of a comparison; of several characters that compare, the last one may be all there is on
/// the right.
fn sides(text: &str) -> Option<(&str, &str)> {
    let compares = |c: char| "!<>=".contains(c);
    let start = text.find(compares).filter(|start| *start > 0)?;
    let run = text[start..].find(|c| !compares(c));
    let end = run.map_or(text.len() - 1, |run| start + run);
    (end > start).then(|| (&text[..start], &text[end..]))
}
