//! The conditions of `check` hooks: comparisons, joined by `&&` and `||`, with parentheses.
//!
//! ```text
//! {$.spec.replicas} == {$.status.readyReplicas} && ({$.status.phase} == {Running} || {1} < {2})
//! ```
//!
//! The language is Ramen's own, and Ramen reads a condition when the hook runs. It is looser than it looks:
//! brackets and parentheses are counted wherever they stand, in quotes too, and a path is checked by its
//! characters. What is read here is read in the same way, but without recursion and in time that
//! grows with the text. Source: internal/controller/hooks/json_util.go:24-470

use std::{collections::HashMap, sync::LazyLock};

use regex::RegexSet;

use super::number;

/// A comparison of two operands, each with its brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comparison<'c> {
    /// What is before the operator.
    pub(super) left: &'c str,
    /// What is behind it.
    pub(super) right: &'c str,
}

/// Why Ramen can't use a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong<'c> {
    /// A part, which may be empty, compares nothing.
    NoComparison(&'c str),
    /// This is neither a path nor a value.
    Operand(&'c str),
}

/// Reads a condition into its comparisons, in their order.
///
/// # Errors
/// The first part that Ramen can't use, whatever the object that is checked.
pub(super) fn read(text: &str) -> Result<Vec<Comparison<'_>>, Wrong<'_>> {
    let outline = Outline::of(text);
    let mut comparisons = Vec::new();
    // What is still to be read, the next part last.
    let mut open = vec![Part {
        from: 0,
        to: text.len(),
        depth: Depth::default(),
    }];
    while let Some(part) = open.pop() {
        let part = part.trimmed(text);
        if let Some(inner) = outline.enclosed(text, part) {
            open.push(inner);
        } else if let Some(joint) = outline.joint(part) {
            open.push(Part {
                from: joint + 2,
                ..part
            });
            open.push(Part { to: joint, ..part });
        } else {
            comparisons.push(comparison(&text[part.from..part.to])?);
        }
    }
    Ok(comparisons)
}

/// How many brackets and parentheses are open. Where too many were closed it is less than none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Depth {
    brackets: i64,
    parentheses: i64,
}

impl Depth {
    fn pass(&mut self, byte: u8) {
        match byte {
            b'{' => self.brackets += 1,
            b'}' => self.brackets -= 1,
            b'(' => self.parentheses += 1,
            b')' => self.parentheses -= 1,
            _ => {}
        }
    }
}

/// A part of a condition, and how deep the whole text is where it begins.
#[derive(Clone, Copy, Debug)]
struct Part {
    from: usize,
    to: usize,
    depth: Depth,
}

impl Part {
    fn trimmed(self, text: &str) -> Self {
        let part = text[self.from..self.to].trim_end();
        let to = self.from + part.len();
        Self {
            from: to - part.trim_start().len(),
            to,
            ..self
        }
    }
}

/// What of a text decides where it is taken apart, found in one go.
struct Outline {
    /// Where the parenthesis closes that opens at a place, by that place.
    closes: HashMap<usize, usize>,
    /// The places of `&&` and `||`, by their depth.
    joints: HashMap<Depth, Vec<usize>>,
}

impl Outline {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut closes, mut joints) = (HashMap::new(), HashMap::<_, Vec<usize>>::new());
        let (mut depth, mut opened) = (Depth::default(), Vec::new());
        for (at, byte) in bytes.iter().enumerate() {
            depth.pass(*byte);
            match byte {
                b'(' => opened.push(at),
                b')' => {
                    if let Some(open) = opened.pop() {
                        closes.insert(open, at);
                    }
                }
                b'&' | b'|' if bytes.get(at + 1) == Some(byte) => {
                    joints.entry(depth).or_default().push(at);
                }
                _ => {}
            }
        }
        Self { closes, joints }
    }

    /// What is in the parentheses that a part as a whole stands in.
    fn enclosed(&self, text: &str, part: Part) -> Option<Part> {
        let opens = text[part.from..part.to].starts_with('(');
        if !opens || self.closes.get(&part.from)? + 1 != part.to {
            return None;
        }
        let mut depth = part.depth;
        depth.pass(b'(');
        Some(Part {
            from: part.from + 1,
            to: part.to - 1,
            depth,
        })
    }

    /// The first `&&` or `||` of a part that is as deep as the part itself.
    fn joint(&self, part: Part) -> Option<usize> {
        let joints = self.joints.get(&part.depth)?;
        let first = joints.partition_point(|at| *at < part.from);
        joints.get(first).copied().filter(|at| at + 2 <= part.to)
    }
}

/// The longer of two that begin alike comes first.
const OPERATORS: [&str; 6] = ["==", "!=", ">=", "<=", ">", "<"];

/// Reads a part that nothing takes apart any more.
fn comparison(part: &str) -> Result<Comparison<'_>, Wrong<'_>> {
    let mut depth = Depth::default();
    for (at, byte) in part.bytes().enumerate() {
        depth.pass(byte);
        if depth.brackets != 0 || !b"=!<>".contains(&byte) {
            continue;
        }
        let operator = OPERATORS
            .into_iter()
            .find(|operator| part[at..].starts_with(operator));
        if let Some(operator) = operator {
            let (left, right) = (part[..at].trim(), part[at + operator.len()..].trim());
            let wrong = [left, right].into_iter().find(|text| !is_operand(text));
            return match wrong {
                Some(text) => Err(Wrong::Operand(text)),
                None => Ok(Comparison { left, right }),
            };
        }
    }
    Err(Wrong::NoComparison(part))
}

/// Whether Ramen takes an operand for a path or a value.
fn is_operand(text: &str) -> bool {
    if !(text.starts_with('{') && text.ends_with('}')) {
        return false;
    }
    let inner = text.trim_matches(['{', '}']);
    if is_path(text) {
        PATH.is_match(inner)
    } else {
        (is_value(inner) && !is_lone_quote(inner)) || PATH.is_match(inner)
    }
}

/// Whether Ramen looks an operand up in the object; it compares any other one as it is written.
pub(super) fn is_path(operand: &str) -> bool {
    operand.starts_with("{$")
}

/// Whether an operand is written as a path is, but for a second bracket: then Ramen compares the path's
/// own text.
pub(super) fn is_quoted_path(operand: &str) -> bool {
    operand.starts_with("{{") && operand.trim_matches(['{', '}']).starts_with('$')
}

fn is_value(text: &str) -> bool {
    let quoted = |quote: char| text.starts_with(quote) && text.ends_with(quote);
    let mut bytes = text.bytes();
    let named = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    named || quoted('"') || quoted('\'') || number::is_float(text)
}

/// Whether a quote of a value is both its first and its last one. Ramen takes both off, and panics.
fn is_lone_quote(text: &str) -> bool {
    let text = text.trim();
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    text == "\"" || inner.unwrap_or(text) == "'"
}

/// Which paths Ramen takes: one of the characters that paths are made of; such a one that is compared;
/// one with a filter, whatever else is in it.
static PATH: LazyLock<RegexSet> = LazyLock::new(|| {
    const NAME: &str = r#"^\$[.0-9A-Za-z_\[\]"'()@?=-]+"#;
    const SPACE: &str = r"[\t\n\x0c\r ]*";
    const OTHER: &str = r#"(?:\$[^\t\n\x0c\r ]+|[0-9]+|".*"|'.*'|\{.*\})"#;
    let forms = [
        format!("{NAME}$"),
        format!("{NAME}{SPACE}(?:[=!><]=|[><]){SPACE}{OTHER}$"),
        r"^\$.*\[\?\(@.*\)\].*$".to_owned(),
    ];
    // The expressions are fixed, and a test uses them.
    RegexSet::new(forms).unwrap_or_else(|error| panic!("{error}"))
});

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::{super::path, *};

    /// A condition, and what Ramen's own code makes of it.
    #[derive(Deserialize)]
    struct Judged {
        condition: String,
        refused: bool,
        /// Whether the library that Ramen hands paths to can't read one of them.
        #[serde(default, rename = "badPath")]
        bad_path: bool,
    }

    fn table() -> Vec<Judged> {
        let table = include_str!("../../../tests/golang/conditions.jsonl");
        let rows = table.lines();
        rows.map(|row| serde_json::from_str(row).unwrap()).collect()
    }

    #[test]
    fn refuses_what_ramen_refuses() {
        let rows = table();
        let refused = rows.iter().filter(|row| row.refused).count();
        assert!(refused > 100 && rows.len() - refused > 100);
        let wrong: Vec<&str> = rows
            .iter()
            .filter(|row| read(&row.condition).is_err() != row.refused)
            .map(|row| &*row.condition)
            .collect();
        assert!(wrong.is_empty(), "{} differ: {wrong:#?}", wrong.len());
    }

    #[test]
    fn reads_the_paths_that_ramens_library_reads() {
        let rows = table();
        assert!(rows.iter().filter(|row| row.bad_path).count() > 20);
        for row in rows.iter().filter(|row| !row.refused) {
            let sides = read(&row.condition).unwrap().into_iter();
            let bad = sides
                .flat_map(|found| [found.left, found.right])
                .any(|side| is_path(side) && !path::is_readable(side));
            assert_eq!(bad, row.bad_path, "{}", row.condition);
        }
    }

    #[test]
    fn says_which_part_is_wrong() {
        for (text, wrong) in [
            ("", Wrong::NoComparison("")),
            ("{$.a} = {1}", Wrong::NoComparison("{$.a} = {1}")),
            ("{$.a} == {1} && ( )", Wrong::NoComparison("")),
            ("({$.a} == 1) || {x} == {-}", Wrong::Operand("1")),
            (
                "{$.a} == {1} || ({x} == {Not-Ready})",
                Wrong::Operand("{Not-Ready}"),
            ),
        ] {
            assert_eq!(read(text), Err(wrong), "{text}");
        }
    }

    #[test]
    fn reads_comparisons_in_order() {
        let read = read("(({$.a} == {1}) || {b}!={'c'}) && {{$.d}} >= {e}").unwrap();
        let sides: Vec<_> = read.iter().map(|found| (found.left, found.right)).collect();
        assert_eq!(
            sides,
            [("{$.a}", "{1}"), ("{b}", "{'c'}"), ("{{$.d}}", "{e}")]
        );
        assert!(is_path(sides[0].0) && !is_quoted_path(sides[0].0));
        assert!(is_quoted_path(sides[2].0) && !is_path(sides[2].0));
        assert!(!is_quoted_path("{{1}}"));
    }

    #[test]
    fn takes_no_longer_for_what_is_deep() {
        const SIZE: usize = 1 << 20;
        let time = |text: &str| {
            let began = Instant::now();
            let verdict = read(text).is_ok();
            (verdict, began.elapsed().as_secs())
        };
        let half = SIZE / 2 - 8;
        let deep = format!("{}{{1}}=={{1}}{}", "(".repeat(half), ")".repeat(half));
        let flat = "{1}=={1}&&".repeat(SIZE / 10);
        let left = format!(
            "{}{{1}}=={{1}}{}",
            "(".repeat(SIZE / 8),
            ")&&{1}".repeat(SIZE / 8)
        );
        for (text, sound) in [
            (deep, true),
            (flat, false),
            (left, false),
            ("(".repeat(SIZE), false),
            ("&".repeat(SIZE), false),
            ("{1}=={1}||".repeat(SIZE / 10) + "{1}=={1}", true),
            ("( ".repeat(SIZE / 2), false),
        ] {
            let (verdict, seconds) = time(&text);
            assert_eq!(verdict, sound, "{}", &text[..40]);
            assert!(seconds < 30, "{} took {seconds} s", &text[..40]);
        }
    }

    /// Texts of the pieces that conditions are made of, rightly put together and not.
    fn conditions() -> impl Strategy<Value = String> {
        let term = prop::sample::select(vec![
            "{$.a} == {1}",
            "{$.s[?(@.t==\"R\")].u}!={'x y'}",
            "{x}<{$.b-c['d']}",
            "{$.a} == 1",
            "{$.a(} == {x}",
        ])
        .prop_map(str::to_owned);
        let joined = term.prop_recursive(6, 48, 4, |inner| {
            let operators = prop::sample::select(vec!["&&", "||", " && ", "&", " "]);
            prop_oneof![
                (inner.clone(), operators, inner.clone())
                    .prop_map(|(left, operator, right)| format!("{left}{operator}{right}")),
                inner.clone().prop_map(|inner| format!("( {inner} )")),
                inner.prop_map(|inner| format!("{{{inner}")),
            ]
        });
        prop_oneof![joined, "[{}()&|=<>$.@?'\" \\[\\]a1é-]{0,40}", ".*"]
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_or_refused(text in conditions()) {
            match read(&text) {
                Ok(found) => prop_assert!(!found.is_empty()),
                Err(Wrong::NoComparison(part) | Wrong::Operand(part)) => prop_assert!(text.contains(part)),
            }
        }

        #[test]
        fn what_is_right_stays_right_in_parentheses_and_beside_others(
            terms in prop::collection::vec(prop::sample::select(vec![
                "{$.a} == {1}", "{$.s[?(@.t==\"R\")].u}!={'x y'}", "{x}<{$.b-c['d']}",
            ]), 1..6),
            deep in 0_usize..50,
        ) {
            let joined = terms.join(" || ");
            let text = format!("{}{joined}{} && {joined}", "(".repeat(deep), ")".repeat(deep));
            let found = read(&text).map(|found| found.len());
            prop_assert_eq!(found, Ok(terms.len() * 2));
            let cut = format!("{text} &&");
            prop_assert!(read(&cut).is_err());
        }
    }
}
