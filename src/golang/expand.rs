//! `os.Expand`: where Go sees a variable in a text. Ramen puts a Recipe's parameters in with it, and so
//! takes `$HOME` in a command for one of its own.
//!
//! There is no way to escape a dollar. `$(`, `$.`, `$[`, `$"` and a dollar at the end stay.

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// What stays as it is.
    Text(&'t str),
    /// The name of a variable, from `$NAME`, `${NAME}` or one of the shell's one-character names.
    Name(&'t str),
}

/// The parts of a text, in order; none is empty. A `${` without its end, and `${}`, are in none: Go
/// drops them.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(dollar) = rest.find('$').filter(|at| at + 1 < rest.len()) else {
            parts.push(Part::Text(rest));
            break;
        };
        let (name, width) = name(&rest[dollar + 1..]);
        // A dollar without a name stays.
        let kept = if width == 0 { dollar + 1 } else { dollar };
        if kept > 0 {
            parts.push(Part::Text(&rest[..kept]));
        }
        if !name.is_empty() {
            parts.push(Part::Name(name));
        }
        rest = &rest[dollar + 1 + width..];
    }
    parts
}

/// The names of the variables in a text, in order, as often as they stand there.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    parts(text).into_iter().filter_map(|part| match part {
        Part::Name(name) => Some(name),
        Part::Text(_) => None,
    })
}

/// The text with something in place of each variable.
pub fn expand<T: AsRef<str>>(text: &str, mut value: impl FnMut(&str) -> T) -> String {
    let mut out = String::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Name(name) => out.push_str(value(name).as_ref()),
        }
    }
    out
}

/// Whether anything in a text would not stay as it is.
pub fn changes(text: &str) -> bool {
    let mut kept = 0;
    for part in parts(text) {
        match part {
            Part::Text(text) => kept += text.len(),
            Part::Name(_) => return true,
        }
    }
    kept != text.len()
}

/// Whether a `${` in a text has no end. Where the text is a part of a longer one, Go looks for the end
/// there, and takes everything up to it for the name.
pub fn is_open(text: &str) -> bool {
    let mut rest = text;
    while let Some(dollar) = rest.find('$').filter(|at| at + 1 < rest.len()) {
        let after = &rest[dollar + 1..];
        if after.starts_with('{') && !after.contains('}') {
            return true;
        }
        rest = &after[name(after).1..];
    }
    false
}

/// The name at the beginning of what follows a dollar, and how many bytes that takes up.
fn name(text: &str) -> (&str, usize) {
    let bytes = text.as_bytes();
    let special = |byte: u8| b"*#$@!?-".contains(&byte) || byte.is_ascii_digit();
    match bytes.first() {
        Some(b'{') => {
            if let [_, only, b'}', ..] = bytes
                && special(*only)
            {
                return (&text[1..2], 3);
            }
            text.find('}')
                .map_or(("", 1), |end| (&text[1..end], end + 1))
        }
        Some(byte) if special(*byte) => (&text[..1], 1),
        _ => {
            let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let end = bytes.iter().take_while(|byte| word(byte)).count();
            (&text[..end], end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_as_go_does() {
        for (text, expanded) in [
            ("", ""),
            ("$", "$"),
            ("a$", "a$"),
            ("$a", "<a>"),
            ("$a-b", "<a>-b"),
            ("${a}b", "<a>b"),
            ("${a b}", "<a b>"),
            ("${é}", "<é>"),
            ("$é", "$é"),
            ("$$", "<$>"),
            ("$$a", "<$>a"),
            ("$1a", "<1>a"),
            ("${1}a", "<1>a"),
            ("${12}", "<12>"),
            ("$_x9 y", "<_x9> y"),
            ("${}", ""),
            ("${a", "a"),
            ("${", ""),
            ("$(date)", "$(date)"),
            ("{$.status.phase}", "{$.status.phase}"),
            ("$[0]", "$[0]"),
            ("\"$\"", "\"$\""),
            ("x$y$z", "x<y><z>"),
            ("$?$@$*$#$!$-", "<?><@><*><#><!><->"),
        ] {
            assert_eq!(expand(text, |name| format!("<{name}>")), expanded, "{text}");
        }
    }

    #[test]
    fn tells_what_changes() {
        for (text, changed, open) in [
            ("", false, false),
            ("a$", false, false),
            ("$(date) {$.a} $[0]", false, false),
            ("$a", true, false),
            ("${a}", true, false),
            ("${}", true, false),
            ("${", true, true),
            ("a ${b", true, true),
            ("${a} ${b", true, true),
            ("$${a", true, false),
            ("$a}{", true, false),
        ] {
            assert_eq!((changes(text), is_open(text)), (changed, open), "{text}");
        }
    }

    #[test]
    fn names_variables() {
        let found: Vec<&str> = names("echo $HOME ${X} $(cat $f)").collect();
        assert_eq!(found, ["HOME", "X", "f"]);
    }
}
