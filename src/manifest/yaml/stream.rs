//! Where the documents of a text begin and end, for kubectl.
//!
//! kubectl does not leave that to its YAML library: it cuts at every line that begins with `---`,
//! and reads each piece on its own. So what is wrong with one document does not touch the others.
//! Source: `YAMLReader` in `pkg/util/yaml/decoder.go` of k8s.io/apimachinery v0.36.

use std::ops::Range;

use super::YamlError;

/// One document's text, or a separator that is none.
pub(super) type Piece = Result<Range<usize>, YamlError>;

/// The pieces of a text, in order. A piece may hold nothing.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, line) in separators(text) {
        if at > start {
            pieces.push(Ok(start..at));
        }
        // What the line says besides is lost on kubectl, which is why it refuses it.
        let rest = line[3..].trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            let range = at..at + line.trim_end().len();
            let error = YamlError::new(
                range,
                "kubectl reads nothing on a line that begins with '---'",
            )
            .help("put what follows on a line of its own");
            pieces.push(Err(error));
        }
        start = at + line.len();
    }
    if start < text.len() {
        pieces.push(Ok(start..text.len()));
    }
    pieces
}

/// The lines that begin with `---`, and where they stand.
fn separators(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let at = from + text[from..].find("---")?;
            if at > 0 && text.as_bytes()[at - 1] != b'\n' {
                from = at + 3;
                continue;
            }
            from = text[at..]
                .find('\n')
                .map_or(text.len(), |length| at + length + 1);
            return Some((at, &text[at..from]));
        }
    })
}
