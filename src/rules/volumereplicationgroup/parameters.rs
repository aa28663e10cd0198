//! What is put into the recipe, and whether it gets there as it is written.

use std::collections::{BTreeMap, BTreeSet};

use jsonptr::Pointer;
use serde_json::{Value, json};

use super::used::{Parameters, Used, used};
use crate::{
    api::VolumeReplicationGroup,
    golang::{
        expand::{Part, names, parts},
        quote,
    },
    report::field,
    rules::{
        Case, Report, Rule, below,
        protection::PARAMETERS,
        recipe::parameters::{LONGEST, Role, Text, put_in, texts},
        some,
    },
};

pub(super) const RULES: &[Rule<VolumeReplicationGroup>] = &[
    ("vrg-recipe-parameter-unresolved", unresolved),
    ("vrg-recipe-parameter-multi-value", multi_value),
];

/// What the built-in recipe needs is the matter of another rule.
fn unresolved(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let Some(recipe) = used(case) else {
        return;
    };
    let Some(object) = recipe.object else {
        return;
    };
    let spec = serde_json::to_value(recipe.spec).unwrap_or_default();
    let texts = texts(&spec);
    let mut open = BTreeMap::new();
    for text in &texts {
        for name in names(text.text) {
            if recipe.parameters.get(name).is_none_or(Vec::is_empty) {
                open.entry(name).or_insert(&text.at);
            }
        }
    }
    let Some(first) = open.values().next() else {
        return;
    };
    let all: Vec<&str> = open.keys().copied().collect();
    let shown = some(&all, |name| quote(name));
    let message = format!("{} has parameters without a value: {shown}", recipe.shown());
    report.say(PARAMETERS, message).because(object, first);
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
    let Some(recipe) = used(case) else {
        return;
    };
    let special = special(&recipe.parameters);
    if special.is_empty() {
        return;
    }
    let spec = serde_json::to_value(recipe.spec).unwrap_or_default();
    for (name, (outcome, at)) in outcomes(&recipe, &special, &texts(&spec)) {
        let why = match recipe.parameters.get(name).map_or(0, Vec::len) {
            1 => "quotes, backslashes and control characters are put in as they are".to_owned(),
            several => format!("{several} values are as many entries of a list"),
        };
        let at = Pointer::parse(&at).map(field).unwrap_or_default();
        let shown = recipe.shown();
        let place = below(PARAMETERS, name);
        let draft = match outcome {
            Outcome::Broken => report.say(place, format!("breaks {at} of {shown}: {why}")),
            Outcome::Altered => {
                report.advise(place, format!("is another text in {at} of {shown}: {why}"))
            }
        };
        if let Some(object) = recipe.object {
            draft.because(object, "/spec");
        }
    }
}

/// The parameters that are more than one plain text.
fn special(parameters: &Parameters) -> BTreeSet<&str> {
    let plain = |value: &String| {
        let mut bytes = value.bytes();
        !bytes.any(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
    };
    parameters
        .iter()
        .filter(|(_, values)| values.len() > 1 || !values.iter().all(plain))
        .map(|(name, _)| &**name)
        .collect()
}

/// The worst that comes of each special parameter, and where.
fn outcomes<'p>(
    recipe: &Used<'_>,
    special: &BTreeSet<&'p str>,
    texts: &[Text<'_>],
) -> BTreeMap<&'p str, (Outcome, String)> {
    let mut found = BTreeMap::<&str, (Outcome, String)>::new();
    let mut left = LONGEST;
    for text in texts {
        let used: BTreeSet<&str> = names(text.text)
            .filter_map(|name| special.get(name).copied())
            .collect();
        if used.is_empty() {
            continue;
        }
        let json = Value::from(text.text).to_string();
        let Some(filled) = put_in(&json, &recipe.parameters, left) else {
            break;
        };
        left -= filled.len();
        let Some(outcome) = outcome(text, &filled, &recipe.parameters) else {
            continue;
        };
        for name in used {
            let worst = found.get(name).map(|(outcome, _)| *outcome);
            if worst.is_none_or(|worst| worst < outcome) {
                found.insert(name, (outcome, text.at.clone()));
            }
        }
    }
    found
}

/// What comes of a text, as JSON with the parameters put in; nothing where that is what one would expect.
fn outcome(text: &Text<'_>, filled: &str, parameters: &Parameters) -> Option<Outcome> {
    let (before, after) = match text.role {
        Role::Element => ("[", "]"),
        Role::Value => ("{\"\":", "}"),
        Role::Name => ("{", ":0}"),
    };
    let Ok(read) = serde_json::from_str::<Value>(&format!("{before}{filled}{after}")) else {
        return Some(Outcome::Broken);
    };
    let plain = plain(text.text, parameters);
    let expected = match text.role {
        Role::Element => match whole(text.text, parameters) {
            Some(values) => Some(json!(values)),
            None => plain.map(|text| json!([text])),
        },
        Role::Value => plain.map(|text| json!({ "": text })),
        Role::Name => plain.map(|text| json!({ text: 0 })),
    };
    (expected != Some(read)).then_some(Outcome::Altered)
}

/// The values of the one parameter that a text consists of.
fn whole<'p>(text: &str, parameters: &'p Parameters) -> Option<&'p Vec<String>> {
    match parts(text).as_slice() {
        [Part::Name(name)] => parameters.get(*name),
        _ => None,
    }
}

/// The text with one value in place of each parameter; nothing where one has several.
fn plain(text: &str, parameters: &Parameters) -> Option<String> {
    let one = |name: &str| parameters.get(name).is_none_or(|values| values.len() < 2);
    if names(text).all(one) {
        put_in(text, parameters, LONGEST)
    } else {
        None
    }
}
