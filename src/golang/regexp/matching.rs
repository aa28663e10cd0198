//! Go's regular expressions, written for Rust's `regex`.
//!
//! The two are close relatives. In Go `\d`, `\w`, `\s` and `\b` know only ASCII, and brackets have no
//! sets within sets.

use regex::Regex;

/// Compiles a pattern; `None` if it can't be.
pub fn compile(pattern: &str) -> Option<Regex> {
    Regex::new(&translate(pattern)).ok()
}

fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    let mut brackets = false;
    // Whether the next character is the first in the brackets, where `]` is a character.
    let mut first = false;
    while let Some(c) = rest.next() {
        let was_first = std::mem::take(&mut first);
        match c {
            '\\' => escape(rest.next(), brackets, &mut out),
            '[' if !brackets => {
                brackets = true;
                first = true;
                out.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
            }
            // `[:alpha:]` stands for itself, any other bracket in brackets is a character.
            '[' if rest.peek() == Some(&':') => {
                out.push('[');
                for c in rest.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '[' => out.push_str("\\["),
            ']' if brackets && was_first => out.push_str("\\]"),
            ']' if brackets => {
                brackets = false;
                out.push(']');
            }
            // Two of them would be a set operation.
            '&' | '~' if brackets => {
                out.push('\\');
                out.push(c);
            }
            '-' if brackets && rest.peek() == Some(&'-') => out.push_str("\\-"),
            c => out.push(c),
        }
    }
    out
}

fn escape(escaped: Option<char>, brackets: bool, out: &mut String) {
    let class = match escaped {
        Some('d') => "0-9",
        Some('w') => "0-9A-Za-z_",
        Some('s') => "\\t\\n\\f\\r ",
        Some('D') => "[^0-9]",
        Some('W') => "[^0-9A-Za-z_]",
        Some('S') => "[^\\t\\n\\f\\r ]",
        Some('b') => "(?-u:\\b)",
        Some('B') => "(?-u:\\B)",
        Some(other) => {
            out.push('\\');
            out.push(other);
            return;
        }
        None => {
            out.push('\\');
            return;
        }
    };
    if !brackets && matches!(escaped, Some('d' | 'w' | 's')) {
        out.push('[');
        out.push_str(class);
        out.push(']');
    } else {
        out.push_str(class);
    }
}
