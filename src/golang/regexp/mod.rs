//! `regexp.Compile`: whether Go can use a regular expression ([`check`]), and what it matches
//! ([`compile`]).
//!
//! Go's syntax is RE2's. Rust's `regex` is near and not the same: it has class operations
//! (`[a&&b]`), `(?x)`, `\u{..}`, `\<` and half boundaries that Go refuses, and it refuses `\Q..\E`, octal
//! escapes, `[a-\n-z]`, a name twice and a `{` of its own, which Go takes. So the syntax is read here.
//! Neither of them has backreferences or looks ahead or behind.
//!
//! Three differences, all on the side of accepting: Go refuses what nests deeper than 1,000 levels
//! and what needs more than 128 MiB; Go 1.25 and 1.26 refuse the scripts whose names have two words
//! (`\p{Old_Italic}`), which Go took before; and a newer Go knows newer scripts. Source:
//! `src/regexp/syntax/parse.go` of Go 1.26.

mod groups;
mod matching;
#[cfg(test)]
mod tests;

pub use matching::compile;

/// Why Go refuses a regular expression. It displays as Go's own error, without the leading
/// `error parsing regexp: `.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: `{at}`")]
pub struct RegexpError {
    /// What is wrong.
    pub what: &'static str,
    /// The part that it is about.
    pub at: String,
}

/// The largest count of a repetition, and of all that are within each other.
const MAX_REPEAT: u32 = 1000;

const ESCAPE: &str = "invalid escape sequence";
const RANGE: &str = "invalid character class range";
const BRACKET: &str = "missing closing ]";
const CLOSE: &str = "missing closing )";
const OPEN: &str = "unexpected )";
const NAME: &str = "invalid named capture";
const PERL: &str = "invalid or unsupported Perl syntax";
const COUNT: &str = "invalid repeat count";
const NESTED: &str = "invalid nested repetition operator";
const NOTHING: &str = "missing argument to repetition operator";
const BACKSLASH: &str = "trailing backslash at end of expression";

fn error(what: &'static str, at: &str) -> RegexpError {
    RegexpError {
        what,
        at: at.to_owned(),
    }
}

/// Checks a regular expression.
///
/// # Errors
/// Only when Go's `regexp.Compile` gives one: see the differences above.
pub fn check(text: &str) -> Result<(), RegexpError> {
    let mut parser = Parser {
        whole: text,
        rest: text,
        names_end: text.rfind(":]").map_or(usize::MAX, |at| text.len() - at),
        open: Vec::new(),
        group: Group::default(),
    };
    // The text from the last operator on, if that is right in front of what comes next.
    let mut operator = None;
    while let Some(c) = parser.rest.chars().next() {
        let before = parser.rest;
        let repeat = match c {
            '*' | '+' | '?' => Some((1, &before[1..])),
            '{' => repeat_count(before)?,
            _ => None,
        };
        operator = if let Some((count, after)) = repeat {
            parser.rest = after.strip_prefix('?').unwrap_or(after);
            parser.repeat(count, before, operator)?;
            Some(before)
        } else {
            parser.item(c)?;
            None
        };
    }
    if parser.open.is_empty() {
        Ok(())
    } else {
        Err(error(CLOSE, text))
    }
}

/// What is known of an open group.
#[derive(Default)]
struct Group {
    /// How often the last item of the branch is repeated: the largest product of counts that are
    /// within each other. `None` where an operator has nothing to repeat.
    last: Option<u32>,
    /// The largest of those of the items before, in all branches.
    most: u32,
}

impl Group {
    fn push(&mut self, count: u32) {
        self.end();
        self.last = Some(count);
    }

    /// The item is no longer the last one.
    fn end(&mut self) {
        self.most = self.most.max(self.last.take().unwrap_or(0));
    }
}

struct Parser<'t> {
    whole: &'t str,
    rest: &'t str,
    /// How much text there is from the last `:]` on.
    names_end: usize,
    open: Vec<Group>,
    group: Group,
}

impl Parser<'_> {
    /// Takes anything but a repetition.
    fn item(&mut self, c: char) -> Result<(), RegexpError> {
        match c {
            '(' if self.rest.starts_with("(?") => return self.special_group(),
            '(' => self.open_group(),
            ')' => {
                self.group.end();
                let outer = self.open.pop().ok_or_else(|| error(OPEN, self.whole))?;
                let inner = std::mem::replace(&mut self.group, outer);
                self.group.push(inner.most.max(1));
            }
            '|' => self.group.end(),
            '[' => {
                self.rest = class(self.rest, self.names_end)?;
                self.group.push(1);
                return Ok(());
            }
            '\\' => return self.backslash(),
            _ => self.group.push(1),
        }
        self.rest = &self.rest[c.len_utf8()..];
        Ok(())
    }

    fn open_group(&mut self) {
        self.open.push(std::mem::take(&mut self.group));
    }

    /// `before` is the text from the operator on, `stacked` from the one right in front of it.
    fn repeat(
        &mut self,
        count: u32,
        before: &str,
        stacked: Option<&str>,
    ) -> Result<(), RegexpError> {
        let wrong = |what, from: &str| Err(error(what, &from[..from.len() - self.rest.len()]));
        if let Some(first) = stacked {
            return wrong(NESTED, first);
        }
        let Some(inner) = self.group.last else {
            return wrong(NOTHING, before);
        };
        let all = inner * count;
        if all > MAX_REPEAT {
            return wrong(COUNT, before);
        }
        self.group.last = Some(all);
        Ok(())
    }

    /// `(?P<name>`, `(?<name>`, `(?flags)` or `(?flags:`.
    fn special_group(&mut self) -> Result<(), RegexpError> {
        let text = self.rest;
        let named = ["(?P<", "(?<"]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))
            .filter(|rest| !rest.is_empty());
        if let Some(rest) = named {
            let (name, after) = rest.split_once('>').ok_or_else(|| error(NAME, text))?;
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(word) {
                return Err(error(NAME, &text[..text.len() - after.len()]));
            }
            self.rest = after;
            self.open_group();
            return Ok(());
        }
        // A minus sign takes a flag behind it.
        let (mut minus, mut flag) = (false, false);
        let mut chars = text[2..].chars();
        while let Some(c) = chars.next() {
            match c {
                'i' | 'm' | 's' | 'U' => flag = true,
                '-' if !minus => (minus, flag) = (true, false),
                ':' | ')' if flag || !minus => {
                    self.rest = chars.as_str();
                    if c == ':' {
                        self.open_group();
                    }
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(error(PERL, &text[..text.len() - chars.as_str().len()]))
    }

    fn backslash(&mut self) -> Result<(), RegexpError> {
        if let Some(quoted) = self.rest.strip_prefix("\\Q") {
            let (literal, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            if !literal.is_empty() {
                self.group.push(1);
            }
            self.rest = after;
            return Ok(());
        }
        let empty = ["\\A", "\\b", "\\B", "\\z"]
            .iter()
            .find_map(|escape| self.rest.strip_prefix(escape));
        self.rest = match empty {
            Some(after) => after,
            None => match group_escape(self.rest)? {
                Some(after) => after,
                None => escape(self.rest)?.1,
            },
        };
        self.group.push(1);
        Ok(())
    }
}

/// How much `{n}`, `{n,}` or `{n,m}` counts against the limit, and what follows it. `None` if it is
/// no repetition, and the brace stands for itself.
fn repeat_count(text: &str) -> Result<Option<(u32, &str)>, RegexpError> {
    let number = |text: &str| {
        let zeros = text.len() > 1 && text.starts_with('0');
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        (!text.is_empty() && digits && !zeros).then(|| text.parse().unwrap_or(u32::MAX))
    };
    let end = text[1..].find(|c: char| c != ',' && !c.is_ascii_digit());
    let Some((inside, after)) = end
        .map(|end| text[1..].split_at(end))
        .and_then(|(inside, rest)| Some((inside, rest.strip_prefix('}')?)))
    else {
        return Ok(None);
    };
    let (min, max) = match inside.split_once(',') {
        None => (number(inside), number(inside)),
        // At least n: none at all counts as one.
        Some((min, "")) => (number(min), number(min).map(|min| min.max(1))),
        Some((min, max)) => (number(min), number(max)),
    };
    let (Some(min), Some(max)) = (min, max) else {
        return Ok(None);
    };
    if min > max || max > MAX_REPEAT {
        return Err(error(COUNT, &text[..text.len() - after.len()]));
    }
    Ok(Some((max, after)))
}

/// What follows `\d` and its like, `\pN` or `\p{Name}`; `None` if it is another escape.
fn group_escape(text: &str) -> Result<Option<&str>, RegexpError> {
    let mut chars = text.chars();
    match chars.nth(1) {
        Some('d' | 'D' | 's' | 'S' | 'w' | 'W') => Ok(Some(chars.as_str())),
        Some('p' | 'P') => {
            let (name, after) = if let Some(rest) = chars.as_str().strip_prefix('{') {
                rest.split_once('}').ok_or_else(|| error(RANGE, text))?
            } else {
                let rest = chars.as_str();
                rest.split_at(rest.chars().next().map_or(0, char::len_utf8))
            };
            if groups::exists(name.strip_prefix('^').unwrap_or(name)) {
                Ok(Some(after))
            } else {
                Err(error(RANGE, &text[..text.len() - after.len()]))
            }
        }
        _ => Ok(None),
    }
}

/// What follows a character class. `names_end` is as much text as
/// there is from the last `:]` on.
fn class(text: &str, names_end: usize) -> Result<&str, RegexpError> {
    let mut rest = &text[1..];
    rest = rest.strip_prefix('^').unwrap_or(rest);
    let mut first = true;
    loop {
        if let Some(after) = rest.strip_prefix(']').filter(|_| !first) {
            return Ok(after);
        }
        first = false;
        if let Some((name, after)) = rest
            .strip_prefix("[:")
            .filter(|rest| rest.len() >= names_end)
            .and_then(|rest| rest.split_once(":]"))
        {
            if !groups::POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
                return Err(error(RANGE, &rest[..rest.len() - after.len()]));
            }
            rest = after;
            continue;
        }
        if rest.starts_with('\\')
            && let Some(after) = group_escape(rest)?
        {
            rest = after;
            continue;
        }
        let (low, mut after) = class_character(rest, text)?;
        // In front of the closing bracket a hyphen is one.
        if let Some(end) = after.strip_prefix('-')
            && !end.is_empty()
            && !end.starts_with(']')
        {
            let high;
            (high, after) = class_character(end, text)?;
            if high < low {
                return Err(error(RANGE, &rest[..rest.len() - after.len()]));
            }
        }
        rest = after;
    }
}

fn class_character<'t>(rest: &'t str, class: &str) -> Result<(u32, &'t str), RegexpError> {
    if rest.starts_with('\\') {
        return escape(rest);
    }
    let mut chars = rest.chars();
    let c = chars.next().ok_or_else(|| error(BRACKET, class))?;
    Ok((u32::from(c), chars.as_str()))
}

/// The number of the character that an escape stands for, and what follows it. Numbers that are no
/// character's are fine.
fn escape(text: &str) -> Result<(u32, &str), RegexpError> {
    let mut chars = text[1..].chars();
    let c = chars.next().ok_or_else(|| error(BACKSLASH, ""))?;
    let rest = chars.as_str();
    let wrong = |rest: &str| Err(error(ESCAPE, &text[..text.len() - rest.len()]));
    match c {
        // One digit that is not 0 would be a backreference.
        '1'..='7' if !rest.starts_with(|c: char| c.is_digit(8)) => wrong(rest),
        '0'..='7' => {
            let more = rest.bytes().take(2);
            let more = more.take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            let (_, after) = rest.split_at(more);
            let digits = &text[1..text.len() - after.len()];
            // No more than three digits.
            Ok((u32::from_str_radix(digits, 8).unwrap_or_default(), after))
        }
        'x' => {
            let digits = match rest.strip_prefix('{') {
                Some(rest) => rest.split_once('}'),
                None => rest.split_at_checked(2),
            };
            let Some((digits, after)) = digits else {
                return wrong(rest);
            };
            let hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = digits.trim_start_matches('0');
            let number = if number.is_empty() { "0" } else { number };
            match u32::from_str_radix(number, 16) {
                Ok(number) if hex && number <= u32::from(char::MAX) => Ok((number, after)),
                _ => wrong(after),
            }
        }
        'a' => Ok((7, rest)),
        'f' => Ok((12, rest)),
        'n' => Ok((10, rest)),
        'r' => Ok((13, rest)),
        't' => Ok((9, rest)),
        'v' => Ok((11, rest)),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok((u32::from(c), rest)),
        _ => wrong(rest),
    }
}
