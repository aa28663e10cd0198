//! Long lines on a narrow terminal, broken between words.

/// What the lines begin with that are words and no source.
const WORDS: [&str; 4] = ["error", "warning", "help: ", "note: "];
/// What the rest of a broken line begins with.
const REST: &str = "\n  ";

/// The text with its titles and hints in lines of at most so many columns, as far as words allow. A name or
/// an address is never broken: a terminal that does so itself still knows it as one.
pub(super) fn folded(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let told = plain(line);
        let words = WORDS.iter().any(|word| told.starts_with(word)) || told.contains(" checked: ");
        if words && told.chars().count() > width {
            fold(line, width, &mut out);
        } else {
            out.push_str(line);
        }
    }
    out
}

/// The line without colours.
fn plain(line: &str) -> String {
    anstream::adapter::strip_str(line.trim_end_matches('\n')).to_string()
}

fn fold(line: &str, width: usize, out: &mut String) {
    let mut column = 0;
    for (number, word) in line.split(' ').enumerate() {
        let long = plain(word).chars().count();
        if number > 0 && column + 1 + long > width {
            out.push_str(REST);
            column = REST.len() - 1;
        } else if number > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += long;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_and_source_stays_as_it_is() {
        let text = "error[a-rule]: spec.field: \"x\" is not one of these\n   | source that is much longer than that\nhelp: https://example.com/a/very/long/address\n";
        assert_eq!(
            folded(text, 24),
            "error[a-rule]:\n  spec.field: \"x\" is not\n  one of these\n   | source that is much longer than that\nhelp:\n  https://example.com/a/very/long/address\n"
        );
        assert_eq!(folded(text, 80), text);
    }

    #[test]
    fn colours_have_no_width() {
        let text = "\u{1b}[1m\u{1b}[31merror[a]\u{1b}[0m: four words of text\n";
        assert_eq!(folded(text, 29), text);
        assert!(folded(text, 24).contains("of\n  text"));
    }
}
