//! What is put into the recipe, and whether it gets there as it is written.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Value, json};

use super::filled::{Parameters, Referred, fill, parameters, referred, text};
use crate::{
    api::VolumeReplicationGroup,
    golang::{
        expand::{Part, names, parts},
        quote,
    },
    report::clip,
    rules::{Case, Report, Rule, below, protection::PARAMETERS, some},
};

pub(super) const RULES: &[Rule<VolumeReplicationGroup>] = &[
    ("vrg-recipe-parameter-unresolved", unresolved),
    ("vrg-recipe-parameter-multi-value", multi_value),
];

/// How much of a recipe's text a message shows, in characters.
const SHOWN: usize = 40;

/// The recipe of the object, and what is put into it.
fn given<'a>(
    case: &Case<'a, VolumeReplicationGroup>,
) -> Option<(Referred<'a>, Cow<'a, Parameters>)> {
    let recipe = referred(case)?;
    let parameters = parameters(case.new, recipe.object.is_none());
    Some((recipe, parameters))
}

/// What the built-in recipe needs is the matter of another rule.
fn unresolved(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let Some((recipe, parameters)) = given(case) else {
        return;
    };
    let Some(object) = recipe.object else {
        return;
    };
    let text = text(recipe.spec);
    let known = |name: &&str| {
        parameters
            .get(*name)
            .is_some_and(|values| !values.is_empty())
    };
    let open: BTreeSet<&str> = names(&text).filter(|name| !known(name)).collect();
    if open.is_empty() {
        return;
    }
    let open: Vec<&str> = open.into_iter().collect();
    let shown = some(&open, |name| quote(name));
    let message = format!("{} has parameters without a value: {shown}", recipe.shown());
    report.say(PARAMETERS, message).because(object, "/spec");
}

/// Where in the recipe a text stands.
#[derive(Clone, Copy)]
enum Place {
    Element,
    Value,
    Key,
}

/// What comes of a parameter that is more than one plain text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Ramen reads something else than is written.
    Altered,
    /// Ramen can't read the recipe any more.
    Broken,
}

fn multi_value(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let Some((recipe, parameters)) = given(case) else {
        return;
    };
    let special: BTreeSet<&str> = parameters
        .iter()
        .filter(|(_, values)| values.len() > 1 || !values.iter().all(|value| is_plain(value)))
        .map(|(name, _)| &**name)
        .collect();
    if special.is_empty() {
        return;
    }
    let spec = serde_json::to_value(recipe.spec).unwrap_or_default();
    let mut walk = Walk {
        special,
        parameters: &parameters,
        found: BTreeMap::new(),
    };
    walk.value(&spec, Place::Value);
    for (name, (outcome, used)) in walk.found {
        let why = match parameters.get(&name).map_or(0, Vec::len) {
            1 => "quotes, backslashes and control characters are not put in as they are".to_owned(),
            several => {
                format!("{several} values are {several} entries of a list, and nothing else")
            }
        };
        let place = below(PARAMETERS, &name);
        let draft = match outcome {
            Outcome::Broken => report.say(
                place,
                format!(
                    "{} can't be read with it in {}: {why}",
                    recipe.shown(),
                    quote(&clip(&used, SHOWN))
                ),
            ),
            Outcome::Altered => report.advise(
                place,
                format!(
                    "{} reads another text in {}: {why}",
                    recipe.shown(),
                    quote(&clip(&used, SHOWN))
                ),
            ),
        };
        if let Some(object) = recipe.object {
            draft.because(object, "/spec");
        }
    }
}

/// Whether a value is the same between the quotes of a JSON string.
fn is_plain(value: &str) -> bool {
    !value
        .bytes()
        .any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
}

/// Goes through all texts of a recipe.
struct Walk<'p> {
    /// The parameters that are more than one plain text.
    special: BTreeSet<&'p str>,
    parameters: &'p Parameters,
    /// What comes of each, and in which text.
    found: BTreeMap<String, (Outcome, String)>,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value, place: Place) {
        match value {
            Value::String(text) => self.text(text, place),
            Value::Array(list) => list
                .iter()
                .for_each(|value| self.value(value, Place::Element)),
            Value::Object(map) => {
                for (name, value) in map {
                    self.text(name, Place::Key);
                    self.value(value, Place::Value);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, place: Place) {
        let used: BTreeSet<&str> = names(text)
            .filter(|name| self.special.contains(name))
            .collect();
        if used.is_empty() {
            return;
        }
        let Some(outcome) = self.outcome(text, place) else {
            return;
        };
        for name in used {
            let found = (outcome, text.to_owned());
            let worst = self
                .found
                .entry(name.to_owned())
                .or_insert_with(|| found.clone());
            if worst.0 < outcome {
                *worst = found;
            }
        }
    }

    /// What comes of a text with the parameters put in; nothing where that is what one would expect.
    fn outcome(&self, text: &str, place: Place) -> Option<Outcome> {
        let filled = fill(&Value::from(text).to_string(), self.parameters)?;
        let around = |before: &str, after: &str| format!("{before}{filled}{after}");
        let read: Result<Value, _> = serde_json::from_str(&match place {
            Place::Element => around("[", "]"),
            Place::Value => around("{\"\":", "}"),
            Place::Key => around("{", ":0}"),
        });
        let Ok(read) = read else {
            return Some(Outcome::Broken);
        };
        let plain = self.plain(text);
        let expected = match place {
            Place::Element => self
                .whole(text)
                .map(|values| json!(values))
                .or(plain.map(|text| json!([text]))),
            Place::Value => plain.map(|text| json!({ "": text })),
            Place::Key => plain.map(|text| json!({ text: 0 })),
        };
        (expected != Some(read)).then_some(Outcome::Altered)
    }

    /// The values of the one parameter that the text consists of.
    fn whole(&self, text: &str) -> Option<&Vec<String>> {
        let mut parts = parts(text).into_iter();
        match (parts.next(), parts.next()) {
            (Some(Part::Name(name)), None) => self.parameters.get(name),
            _ => None,
        }
    }

    /// The text with one value in place of each parameter; nothing where one has several.
    fn plain(&self, text: &str) -> Option<String> {
        let one = |name: &str| {
            self.parameters
                .get(name)
                .is_none_or(|values| values.len() < 2)
        };
        if !names(text).all(one) {
            return None;
        }
        fill(text, self.parameters)
    }
}
