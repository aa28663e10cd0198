//! `github.com/google/shlex`: how a text becomes the words of a command. Ramen runs a hook's command with
//! it, unless it is a JSON array.
//!
//! It looks like a shell and is none: a backslash takes any character as it is, inside double quotes
//! too; a `#` at the beginning of a word starts a comment, which ends with the line; nothing else has
//! a meaning, neither `$` nor `|` nor `;`. Words are parted by spaces, tabs and line breaks of ASCII.

/// Why a text can't be split. It displays as the library's own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShlexError {
    /// The text ends right behind a backslash.
    #[error("EOF found after escape character")]
    Escape,
    /// The text ends inside of quotes.
    #[error("EOF found when expecting closing quote")]
    Quote,
}

/// Splits a text into words. A text of spaces and comments has none.
///
/// # Errors
/// Whenever `shlex.Split` gives one: at the end of the text, quotes are open or a backslash has
/// nothing behind it.
pub fn split(text: &str) -> Result<Vec<String>, ShlexError> {
    let mut words = Vec::new();
    let mut chars = text.chars();
    while let Some(first) = chars.next() {
        match first {
            ' ' | '\t' | '\r' | '\n' => {}
            '#' => {
                // Only a line feed ends a comment.
                chars.by_ref().find(|c| *c == '\n');
            }
            first => words.push(word(first, &mut chars)?),
        }
    }
    Ok(words)
}

/// The word that begins with `first`; takes what ends it from `rest`.
fn word(first: char, rest: &mut std::str::Chars<'_>) -> Result<String, ShlexError> {
    let mut word = String::new();
    let mut next = Some(first);
    while let Some(c) = next {
        match c {
            ' ' | '\t' | '\r' | '\n' => break,
            '\\' => word.push(rest.next().ok_or(ShlexError::Escape)?),
            '\'' => loop {
                match rest.next().ok_or(ShlexError::Quote)? {
                    '\'' => break,
                    c => word.push(c),
                }
            },
            '"' => loop {
                match rest.next().ok_or(ShlexError::Quote)? {
                    '"' => break,
                    '\\' => word.push(rest.next().ok_or(ShlexError::Escape)?),
                    c => word.push(c),
                }
            },
            c => word.push(c),
        }
        next = rest.next();
    }
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_the_library_does() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            (" \t\r\n", &[]),
            ("one two", &["one", "two"]),
            ("one \"two three\" four", &["one", "two three", "four"]),
            ("'a b'c\"d e\"", &["a bcd e"]),
            ("''", &[""]),
            ("\"\" ''", &["", ""]),
            (r"a\ b", &["a b"]),
            (r"\\", &["\\"]),
            (r#""a\"b\n""#, &["a\"bn"]),
            (r"'a\'", &["a\\"]),
            ("a#b", &["a#b"]),
            ("a #b 'c", &["a"]),
            ("#a\nb", &["b"]),
            ("#a\rb", &[]),
            ("''#a", &["#a"]),
            (r"\#a", &["#a"]),
            ("a\\\nb", &["a\nb"]),
            ("a\u{a0}b\u{b}c", &["a\u{a0}b\u{b}c"]),
            (
                r"find . -exec ls {} \;",
                &["find", ".", "-exec", "ls", "{}", ";"],
            ),
            (
                "sh -c 'echo $(date) | cat'",
                &["sh", "-c", "echo $(date) | cat"],
            ),
            ("\0", &["\0"]),
        ];
        for (text, words) in table {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(split(text), Ok(words), "{text:?}");
        }
    }

    #[test]
    fn refuses_what_has_no_end() {
        for text in ["\\", "a\\", "a b\\", "\"a\\"] {
            assert_eq!(split(text), Err(ShlexError::Escape), "{text:?}");
        }
        for text in [
            "'", "\"", "it's", "a \"b", "\"a\\\"", "'a\\'b'", "'\"", "#\n'",
        ] {
            assert_eq!(split(text), Err(ShlexError::Quote), "{text:?}");
        }
    }
}
