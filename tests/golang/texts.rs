//! Texts that are nearly right: changed rows of a table, and pieces put together.

use proptest::{prelude::*, sample::Index, string::string_regex};

/// A change of a text. Places are characters, counted around the end.
#[derive(Clone, Debug)]
enum Edit {
    Remove(Index),
    Repeat(Index),
    Swap(Index),
    Insert(Index, char),
    Replace(Index, char),
    /// What comes before the place, and what comes behind the second in another row.
    Join(Index, Index, Index),
}

/// Characters that parsers trip over, whatever they read.
const NASTY: &[char] = &[
    '\0', '\t', '\n', '\u{b}', '\r', ' ', '\u{7f}', '\u{85}', '\u{a0}', '\u{2028}', '\u{feff}',
    '\u{fffd}', 'é', 'µ', 'ß', 'İ', 'K', 'ſ', '٣', '２', '🚀', '\u{301}',
];

fn edits(rows: &[String]) -> impl Strategy<Value = Edit> + use<> {
    let index = any::<Index>;
    let mut alphabet: Vec<char> = rows.iter().flat_map(|row| row.chars()).collect();
    alphabet.sort_unstable();
    alphabet.dedup();
    let character = move || {
        prop_oneof![
            6 => prop::sample::select(alphabet.clone()),
            1 => prop::sample::select(NASTY),
        ]
    };
    prop_oneof![
        3 => index().prop_map(Edit::Remove),
        1 => index().prop_map(Edit::Repeat),
        1 => index().prop_map(Edit::Swap),
        3 => (index(), character()).prop_map(|(at, c)| Edit::Insert(at, c)),
        3 => (index(), character()).prop_map(|(at, c)| Edit::Replace(at, c)),
        2 => (index(), index(), index()).prop_map(|(at, row, from)| Edit::Join(at, row, from)),
    ]
}

fn edited(text: &str, edit: &Edit, rows: &[String]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    // One more than there are, for what may come last.
    let between = |at: &Index| at.index(chars.len() + 1);
    match edit {
        Edit::Insert(at, c) => {
            let at = between(at);
            chars.insert(at, *c);
        }
        Edit::Join(at, row, from) => {
            let other: Vec<char> = row.get(rows).chars().collect();
            let from = from.index(other.len() + 1);
            chars.truncate(between(at));
            chars.extend(&other[from..]);
        }
        _ if chars.is_empty() => {}
        Edit::Remove(at) => {
            chars.remove(at.index(chars.len()));
        }
        Edit::Repeat(at) => {
            let at = at.index(chars.len());
            chars.insert(at, chars[at]);
        }
        Edit::Swap(at) => {
            let at = at.index(chars.len());
            let next = (at + 1) % chars.len();
            chars.swap(at, next);
        }
        Edit::Replace(at, c) => {
            let at = at.index(chars.len());
            chars[at] = *c;
        }
    }
    chars.into_iter().collect()
}

/// Rows of the table with a few changes.
pub(crate) fn changed(rows: Vec<String>) -> impl Strategy<Value = String> {
    let edits = prop::collection::vec(edits(&rows), 1..4);
    (prop::sample::select(rows.clone()), edits).prop_map(move |(row, edits)| {
        edits
            .iter()
            .fold(row, |text, edit| edited(&text, edit, &rows))
    })
}

/// Pieces in any order.
pub(crate) fn assembled(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 0..10).prop_map(|pieces| pieces.concat())
}

/// What a regular expression describes.
pub(crate) fn shaped(pattern: &str) -> impl Strategy<Value = String> + use<> {
    string_regex(pattern).unwrap()
}
