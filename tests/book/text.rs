//! Texts as Markdown.

use std::fs;

/// A text of a contract: what Markdown would take for markup is spelt out, but for code.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for (number, piece) in text.trim().split('`').enumerate() {
        if number > 0 {
            out.push('`');
        }
        if number % 2 == 1 {
            out += piece;
            continue;
        }
        for c in piece.chars() {
            match c {
                '<' => out += "&lt;",
                '*' | '_' | '[' | ']' | '\\' | '|' | '#' | '~' => {
                    out.push('\\');
                    out.push(c);
                }
                c => out.push(c),
            }
        }
    }
    out
}

/// The same as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let text = escaped(text);
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    let whole = first.unwrap_or_default() + chars.as_str();
    if whole.ends_with(['.', '?', '!', ':']) {
        whole
    } else {
        whole + "."
    }
}

/// A block of code, whatever is in it.
pub(crate) fn code(language: &str, text: &str) -> String {
    // mdBook would take it for a command of its own.
    assert!(!text.contains("{{#"), "{text}");
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!(
        "{fence}{language}\n{}\n{fence}\n",
        text.trim_end_matches('\n')
    )
}

/// A text in a line of code, in a table or elsewhere.
pub(crate) fn inline(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// `certs/README.md` as a page of the book: the site has only what is in `docs/`.
pub(crate) fn certificates() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/certs/README.md");
    fs::read_to_string(path).unwrap()
}
