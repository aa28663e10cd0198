//! Scenarios as people read them: what is written, as a difference from what is legal or stored, and what
//! the guard says to it.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::{Expected, Scenario, Written, scenarios_of, written_of};
use crate::{
    policy::{Mode, Operation, Profile},
    report::{Finding, field, yaml},
};

/// Objects of up to this many lines are shown whole.
const WHOLE: usize = 36;
/// How many lines around a change are shown of longer ones.
const AROUND: usize = 4;
/// Who acts where a scenario says nothing.
const USUAL_USER: &str = "kubernetes-admin";

/// One scenario as people read it.
#[derive(Clone, Debug)]
pub struct Example {
    /// What is expected.
    pub expected: Expected,
    /// What happens, in a line.
    pub story: String,
    /// The object, then the others around it that matter.
    pub shown: Vec<Shown>,
    /// What the guard says, as `check` does.
    pub said: Vec<String>,
}

/// One object of an example.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What becomes of it, or what it is there for; ends without a colon.
    pub title: String,
    /// The object as YAML, or what differs in it. Empty where there is nothing to show.
    pub text: String,
    /// Whether the lines of the text begin with `- `, `+ ` or two blanks.
    pub is_diff: bool,
}

/// The scenarios of one rule, in the order of its file.
pub fn examples_of(rule: &str) -> Vec<Example> {
    let judged = scenarios_of(rule).map(Example::of);
    judged
        .chain(written_of(rule).map(Example::of_written))
        .collect()
}

impl Example {
    /// Whether the rule says nothing.
    pub fn is_accepted(&self) -> bool {
        self.expected == Expected::Accepted
    }

    /// What is expected, as a title.
    pub fn verdict(&self) -> String {
        let at = |field: &str| match spelt(field) {
            field if field.is_empty() => String::new(),
            field => format!(", at `{field}`"),
        };
        match &self.expected {
            Expected::Accepted => "accepted".to_owned(),
            Expected::Warned(field) => format!("warned about{}", at(field)),
            Expected::Refused(field) => format!("refused{}", at(field)),
        }
    }

    fn of(scenario: &Scenario) -> Self {
        let mut shown = vec![object(scenario)];
        shown.extend(scenario.differing.iter().filter_map(around));
        let found = scenario.verdict().findings;
        Self {
            expected: scenario.expected.clone(),
            story: scenario.story.clone(),
            shown,
            said: said(&found, scenario.rule),
        }
    }

    fn of_written(written: &Written) -> Self {
        let text = |title: &str, text: &str| Shown {
            title: title.to_owned(),
            text: text.to_owned(),
            is_diff: false,
        };
        let mut shown = Vec::new();
        if let Some(old) = &written.old {
            shown.push(text("What is stored", old));
        }
        shown.push(text("A manifest", &written.manifest));
        if !written.config.is_empty() {
            shown.push(text("With the configuration", &written.config));
        }
        Self {
            expected: written.expected.clone(),
            story: written.story.clone(),
            shown,
            said: said(&written.findings(), written.rule),
        }
    }
}

fn spelt(pointer: &str) -> String {
    jsonptr::Pointer::parse(pointer).map_or_else(|_| pointer.to_owned(), field)
}

/// What the rule says, as `check` does.
fn said(findings: &[Finding], rule: &str) -> Vec<String> {
    let of_rule = findings
        .iter()
        .filter(|finding| finding.rule.id == rule && finding.mode >= Mode::Warn);
    let line = |finding: &Finding| {
        let level = if finding.mode == Mode::Deny {
            "error"
        } else {
            "warning"
        };
        let field = match finding.field() {
            field if field.is_empty() => field,
            field => format!("{field}: "),
        };
        format!(
            "{level}[{rule}]: {field}{}\nhelp: {}",
            finding.message,
            finding.fix()
        )
    };
    of_rule.map(line).collect()
}

/// What happens to the object.
fn object(scenario: &Scenario) -> Shown {
    let name = scenario.new.as_ref().or(scenario.old.as_ref()).map(named);
    let name = name.unwrap_or_default();
    let mut title = match scenario.operation {
        Operation::Create if scenario.new.as_ref() == Some(&scenario.base) => {
            format!("{name} is created")
        }
        Operation::Create => format!("{name} is created; marked is what differs from a plain one"),
        Operation::Update => format!("{name} is changed"),
        Operation::Delete => format!("{name} is deleted"),
    };
    if scenario.user != USUAL_USER {
        title += &format!(", by `{}`", scenario.user);
    }
    if scenario.profile != Profile::default() {
        title += &format!(", in the profile `{}`", scenario.profile.name());
    }
    let (from, to) = match scenario.operation {
        Operation::Create => (Some(&scenario.base), scenario.new.as_ref()),
        _ => (scenario.old.as_ref(), scenario.new.as_ref()),
    };
    let (text, is_diff) = differing(from, to);
    Shown {
        title,
        text,
        is_diff,
    }
}

/// What is different around the object.
fn around((there, here): &(Option<Value>, Option<Value>)) -> Option<Shown> {
    let name = here.as_ref().or(there.as_ref()).map(named)?;
    let title = match (there, here) {
        (_, None) => format!("while there is no {name}"),
        (None, _) => format!("while there is {name}"),
        (Some(_), Some(_)) => format!("while {name} is another"),
    };
    let (text, is_diff) = match here {
        Some(_) => differing(there.as_ref(), here.as_ref()),
        None => (String::new(), false),
    };
    Some(Shown {
        title,
        text,
        is_diff,
    })
}

/// The kind, namespace and name of an object.
fn named(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").unwrap_or_default();
    let name = match text("/metadata/namespace") {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    };
    format!("{} \"{name}\"", text("/kind").unwrap_or("the object"))
}

/// An object as YAML, or what differs in it, and which of the two.
fn differing(from: Option<&Value>, to: Option<&Value>) -> (String, bool) {
    let (from, to) = match (from.map(in_order), to.map(in_order)) {
        (None, None) => return (String::new(), false),
        (Some(only), None) | (None, Some(only)) => return (only, false),
        (Some(from), Some(to)) if from == to => return (to, false),
        (Some(from), Some(to)) => (from, to),
    };
    let diff = TextDiff::from_lines(&from, &to);
    let whole = from.lines().count().max(to.lines().count()) <= WHOLE;
    let radius = if whole { WHOLE * 2 } else { AROUND };
    let mut text = String::new();
    for (number, group) in diff.grouped_ops(radius).iter().enumerate() {
        let begins = group.first().is_some_and(|op| op.old_range().start > 0);
        if number > 0 || begins {
            text += "  ...\n";
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            text += match change.tag() {
                ChangeTag::Equal => "  ",
                ChangeTag::Delete => "- ",
                ChangeTag::Insert => "+ ",
            };
            text += change.value();
        }
    }
    (text, true)
}

/// The object as YAML, its fields in the order in which people write them.
fn in_order(object: &Value) -> String {
    const FIRST: [&str; 3] = ["apiVersion", "kind", "metadata"];
    let Value::Object(map) = object else {
        return yaml(object);
    };
    let first = FIRST.iter().filter_map(|key| map.get_key_value(*key));
    let rest = map.iter().filter(|(key, _)| !FIRST.contains(&key.as_str()));
    first
        .chain(rest)
        .map(|(key, value)| yaml(&serde_json::json!({ key: value })))
        .collect()
}
