//! Being `kubectl ramen-guard`: the same binary under the names that kubectl looks for.

use std::{ffi::OsString, io::Write as _, path::Path, process::ExitCode};

use clap_complete::engine::complete as candidates;

use super::{completions, print};

/// The name of a plugin that kubectl runs for `kubectl ramen-guard`.
const PLUGIN: &str = "kubectl-ramen_guard";
/// The name of what kubectl asks for the completions of that plugin.
const COMPLETER: &str = "kubectl_complete-ramen_guard";
/// How a user calls it.
pub(super) const CALLED: &str = "kubectl ramen-guard";

/// What the binary was called as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// `ramen-guard`, or whatever somebody has named it.
    Itself,
    /// kubectl's plugin.
    Plugin,
    /// What completes kubectl's plugin.
    Completer,
}

/// What the binary was called as, by its name.
pub(super) fn role() -> Role {
    std::env::args_os()
        .next()
        .map_or(Role::Itself, |name| named(Path::new(&name)))
}

fn named(path: &Path) -> Role {
    match path.file_stem().and_then(|name| name.to_str()) {
        Some(PLUGIN) => Role::Plugin,
        Some(COMPLETER) => Role::Completer,
        _ => Role::Itself,
    }
}

/// Answers kubectl, which gives the words behind `kubectl ramen-guard`, the last one unfinished: a line a
/// candidate, and a number that says what a shell does with them.
pub(super) fn complete() -> ExitCode {
    /// Don't offer files: where a file is wanted, it is among the candidates.
    const NO_FILES: u8 = 4;
    /// The word goes on, as the name of a folder does.
    const NO_SPACE: u8 = 2;
    let words: Vec<OsString> = std::iter::once(CALLED.into())
        .chain(std::env::args_os().skip(1))
        .collect();
    let (last, here) = (words.len() - 1, std::env::current_dir().ok());
    let found = candidates(&mut completions::command(), words, last, here.as_deref());
    let found = found.unwrap_or_default();
    let mut text = String::new();
    let mut directive = NO_FILES;
    for candidate in found.iter().filter(|candidate| !candidate.is_hide_set()) {
        let value = candidate.get_value().to_string_lossy();
        if value.ends_with('/') {
            directive |= NO_SPACE;
        }
        text += &value;
        let help = candidate
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        if let Some(first) = help.lines().next() {
            text += "\t";
            text += first;
        }
        text.push('\n');
    }
    text += &format!(":{directive}\n");
    print(&text).unwrap_or_else(|error| {
        let _ = writeln!(anstream::stderr(), "{COMPLETER}: {error}");
        ExitCode::from(2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_is_wanted() {
        for (path, role) in [
            ("ramen-guard", Role::Itself),
            ("/usr/local/bin/kubectl-ramen_guard", Role::Plugin),
            ("kubectl-ramen_guard.exe", Role::Plugin),
            ("./kubectl_complete-ramen_guard", Role::Completer),
            ("guard", Role::Itself),
        ] {
            assert_eq!(named(Path::new(path)), role, "{path}");
        }
    }
}
