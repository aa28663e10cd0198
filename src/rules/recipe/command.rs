//! The commands of `exec` hooks, and dollars in them.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;
use serde_json::value::RawValue;

use super::{
    Case, Report, Rule,
    parameters::{self, has},
    say_if_run,
    steps::Runs,
    users::users,
};
use crate::{
    api::{
        Recipe, RecipeSpec, Text,
        recipe::{Hook, Operation},
    },
    golang::{
        expand, quote,
        shlex::{self, ShlexError},
    },
    rules::some,
};

pub(super) const RULES: &[Rule<Recipe>] = &[
    ("recipe-exec-command", command),
    ("recipe-dollar-expansion", dollars),
    ("recipe-exec-failure-ignored", failure_ignored),
];

/// The commands of `exec` hooks: the hook, the operation, and its place.
fn commands(recipe: &RecipeSpec) -> impl Iterator<Item = (&Hook, &Operation, String)> {
    let hooks = recipe.hooks.iter().enumerate();
    let executing = hooks.filter(|(_, hook)| hook.type_ == "exec");
    executing.flat_map(|(place, hook)| {
        let operations = hook.ops.iter().enumerate();
        operations.map(move |(index, op)| (hook, op, format!("/spec/hooks/{place}/ops/{index}")))
    })
}

/// What is wrong with a command.
enum Unusable {
    /// Ramen can't read it.
    Unreadable(&'static str),
    /// It is a list that Ramen does not take for one.
    SplitList,
}

/// Reads a command as Ramen does: a JSON list if it stands in brackets on one line, else as a shell would
/// split it.
///
/// Source: internal/controller/hooks/exec_hook.go:252-270
fn read(command: &str) -> Result<(), Unusable> {
    let is_list = |text: &str| {
        // Strings that are wrong inside are no reason for Go to refuse them.
        let items = serde_json::from_str::<Vec<&RawValue>>(text).ok();
        let word = |item: &&RawValue| item.get().starts_with('"') || item.get() == "null";
        items.is_some_and(|items| items.iter().all(word))
    };
    let trimmed = command.trim_matches(['\t', '\n', '\u{c}', '\r', ' ']);
    let bracketed = trimmed.len() > 1 && trimmed.starts_with('[') && trimmed.ends_with(']');
    if bracketed && !trimmed.contains('\n') {
        return if is_list(command) {
            Ok(())
        } else {
            Err(Unusable::Unreadable("is no JSON list of strings"))
        };
    }
    match shlex::split(command) {
        Err(ShlexError::Quote) => Err(Unusable::Unreadable("has a quote that is not closed")),
        Err(ShlexError::Escape) => Err(Unusable::Unreadable("ends with a backslash")),
        Ok(_) if bracketed && is_list(command) => Err(Unusable::SplitList),
        Ok(_) => Ok(()),
    }
}

fn command(case: &Case<'_, Recipe>, report: &mut Report) {
    let runs = Runs::of(&case.new.spec);
    for (hook, op, at) in commands(&case.new.spec) {
        if has(&op.command) {
            continue;
        }
        let at = format!("{at}/command");
        match read(&op.command) {
            Ok(()) => {}
            Err(Unusable::Unreadable(message)) => {
                say_if_run(report, runs.operation(hook, &op.name), at, message);
            }
            Err(Unusable::SplitList) => {
                report
                    .advise(
                        at,
                        "is a list over several lines, which is split as a shell would",
                    )
                    .fix("write the list on one line");
            }
        }
    }
}

/// What names a parameter that somebody meant: other ones come from a shell or from a slip.
fn is_word(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(word) && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// A path in a condition without the dot behind its dollar.
static UNDOTTED: LazyLock<Regex> = LazyLock::new(|| {
    // The expression is fixed, and a test uses it.
    Regex::new(r"\{\$([A-Za-z_][0-9A-Za-z_]*)[.\[]").unwrap_or_else(|error| panic!("{error}"))
});

/// The names in a string that were hardly meant as parameters of the Recipe.
fn unmeant<'t>(at: &str, text: &'t str) -> BTreeSet<&'t str> {
    let names: BTreeSet<&str> = expand::names(text).collect();
    let is_shell = at.ends_with("/command") || at.starts_with("/spec/jobs/");
    if is_shell {
        return names;
    }
    let undotted: BTreeSet<&str> = if at.ends_with("/condition") {
        let found = UNDOTTED.captures_iter(text);
        found
            .filter_map(|found| Some(found.get(1)?.as_str()))
            .collect()
    } else {
        BTreeSet::new()
    };
    names
        .into_iter()
        .filter(|name| !is_word(name) || undotted.contains(name))
        .collect()
}

/// The parameters that some application has for this Recipe.
fn given<'a>(case: &Case<'a, Recipe>) -> BTreeSet<&'a str> {
    let parameters = users(case).into_iter().filter_map(|group| {
        let protection = group.spec.kube_object_protection.as_ref()?;
        protection.recipe_parameters.as_ref()
    });
    parameters
        .flat_map(|known| known.keys())
        .map(String::as_str)
        .collect()
}

fn dollars(case: &Case<'_, Recipe>, report: &mut Report) {
    let Some(spec) = case.doc.value.get("spec") else {
        return;
    };
    let given = given(case);
    for parameters::Text { at, text, .. } in parameters::texts(spec) {
        if expand::is_open(text) {
            report
                .say(
                    at,
                    "\"${\" is not closed, and takes what follows for its name",
                )
                .fix("close it, or write the dollar in another way");
            continue;
        }
        let unmeant = unmeant(&at, text);
        let names: Vec<&&str> = unmeant
            .iter()
            .filter(|name| !given.contains(**name))
            .collect();
        if !names.is_empty() {
            let shown = some(&names, |name| quote(&format!("${name}")));
            report.say(
                at,
                format!("{shown} becomes nothing, or a parameter of the recipe"),
            );
        }
    }
}

fn failure_ignored(case: &Case<'_, Recipe>, report: &mut Report) {
    for (hook, op, at) in commands(&case.new.spec) {
        let on_error = op.on_error.text().or(hook.on_error.text());
        if on_error != Some("continue") && op.inverse_op.text().is_none() {
            report.say(at, format!("{} may fail unnoticed", quote(&op.name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_commands_as_ramen_does() {
        for (command, sound) in [
            ("ls", true),
            ("", true),
            ("sh -c 'a; b' \\; \"c\\\"d\"", true),
            ("echo $(date)", true),
            ("[ -f /tmp/x ] && rm /tmp/x", true),
            ("[ -f /tmp/x ]", false),
            ("[", true),
            ("[]", true),
            (" [\"a\", \"b\"]\n", true),
            ("[\"a\", null]", true),
            ("[\"\\ud800\"]", true),
            ("[\"a\",]", false),
            ("[\"a\", 1]", false),
            ("[\"a\", [\"b\"]]", false),
            ("[not json]", false),
            ("[\"a\"] [\"b\"]", false),
            ("[\"a\"\u{c}]", false),
            ("[\"a\",\n'b']", true),
            ("echo \\", false),
            ("echo 'a", false),
            ("echo \"a", false),
            ("echo # 'a", true),
        ] {
            let unreadable = matches!(read(command), Err(Unusable::Unreadable(_)));
            assert_eq!(!unreadable, sound, "{command}");
        }
        assert!(matches!(read("[\"a\",\n\"b\"]"), Err(Unusable::SplitList)));
    }

    #[test]
    fn tells_slips_from_parameters() {
        let said = |at: &str, text| unmeant(at, text).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(
            said("/spec/hooks/0/ops/0/command", "echo $A ${B} $1 $(c)"),
            "1 A B"
        );
        assert_eq!(said("/spec/jobs/0/j", "$A"), "A");
        assert_eq!(said("/spec/groups/0/includedNamespaces/0", "$A"), "");
        assert_eq!(said("/spec/groups/0/includedNamespaces/0", "${A.b}"), "A.b");
        assert_eq!(said("/spec/hooks/0/nameSelector", "a$1b"), "1");
        assert_eq!(
            said("/spec/hooks/0/chks/0/condition", "{$a.b} == {$C}"),
            "a"
        );
    }
}
