//! What the API server and `check` make of an object, so that the two can be compared.

use std::collections::BTreeSet;

use ramen_guard::{
    cli::check::{Given, check},
    engine::Engine,
    manifest::{crds::Crds, load::load_text, pile::Pile, yaml::Limits},
    policy::Mode,
    report::{Finding, field},
};
use serde_json::Value;

use super::Trial;
use crate::client::Answer;

/// What somebody makes of an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) accepted: bool,
    unknown: BTreeSet<String>,
    blamed: BTreeSet<String>,
    /// What is wrong with a value in a way for which the server blames no field.
    placeless: BTreeSet<String>,
    /// What is let be, because what is stored has it, too.
    kept: BTreeSet<String>,
    /// Whether nothing was judged that comes after the first thing.
    undecoded: bool,
    /// Word for word.
    pub(super) said: Vec<String>,
}

impl Verdict {
    pub(super) fn of_server(answer: &Answer) -> Self {
        let message = answer.body["message"].as_str().unwrap_or_default();
        let code = answer.code;
        assert!(
            (200..300).contains(&code) || code == 422 || code == 400,
            "{code} {message}"
        );
        let causes = &answer.body["details"]["causes"];
        let fields = causes
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|cause| cause["field"].as_str());
        let unknown = answer.warnings.iter().filter_map(|warning| {
            let field = warning.strip_prefix("unknown field \"")?;
            Some(spelt(field.strip_suffix('"')?))
        });
        Self {
            accepted: code < 300,
            unknown: unknown.collect(),
            blamed: fields
                .filter(|it| !it.contains("<nil>"))
                .map(spelt)
                .collect(),
            placeless: BTreeSet::new(),
            kept: BTreeSet::new(),
            undecoded: code == 400,
            said: vec![message.to_owned()],
        }
    }

    pub(super) fn of_check(engine: &Engine, trial: &Trial<'_>, crds: Crds) -> Self {
        let loaded = |object: &Value| {
            let loaded = load_text("it", object.to_string(), &Limits::default());
            assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
            Pile::from(loaded)
        };
        let given = Given {
            inputs: loaded(&trial.new),
            old: trial.old.as_ref().map(loaded).unwrap_or_default(),
            crds,
            ..Given::default()
        };
        let outcome = check(engine, given);
        assert_eq!(outcome.judged, 1);
        let findings: Vec<&Finding> = outcome
            .objects
            .iter()
            .flat_map(|object| &object.findings)
            .map(|located| &located.finding)
            .collect();
        let (unknown, wrong): (Vec<&Finding>, Vec<&Finding>) = findings
            .iter()
            .copied()
            .partition(|finding| finding.rule.id == "object-unknown-field");
        let (denied, kept): (Vec<&Finding>, Vec<&Finding>) =
            wrong.iter().copied().partition(|it| it.mode == Mode::Deny);
        let (placeless, placed): (Vec<&Finding>, Vec<&Finding>) =
            denied.iter().copied().partition(|it| is_placeless(it));
        let fields = |of: &[&Finding]| of.iter().map(|it| spelt(&field(&it.pointer))).collect();
        Self {
            accepted: denied.is_empty(),
            unknown: unknown
                .iter()
                .map(|it| spelt(&field(&it.pointer)))
                .collect(),
            blamed: fields(&placed),
            placeless: fields(&placeless),
            kept: fields(&kept),
            undecoded: false,
            said: findings.iter().map(ToString::to_string).collect(),
        }
    }

    /// How this differs from what the server says.
    pub(super) fn difference(&self, server: &Self) -> Option<String> {
        // Nothing is ever refused here that the server would take. What the old object has, too, is only
        // warned about, whatever the server makes of it: it may come from Git, and be stored nowhere.
        if self.accepted != server.accepted && (server.accepted || self.kept.is_empty()) {
            return Some(format!("accepted {}", self.accepted));
        }
        // A decoder stops at the first thing, and names no field.
        if server.undecoded {
            return None;
        }
        let is_within = |inner: &str, outer: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        // Of what is in a value of the wrong type `check` says nothing.
        let in_blamed = |field: &&String| self.blamed.iter().any(|it| is_within(field, it));
        let mut unknown = server.unknown.difference(&self.unknown);
        if let Some(field) = unknown.find(|field| !in_blamed(field)) {
            return Some(format!("does not miss {field}"));
        }
        if let Some(field) = self.unknown.difference(&server.unknown).next() {
            return Some(format!("misses {field}"));
        }
        // That a name does not fit follows from what it is made of.
        let mut blamed: BTreeSet<&String> = self.blamed.union(&self.placeless).collect();
        blamed.extend(&self.kept);
        let name = "metadata.name".to_owned();
        if self.blamed.contains("metadata.generateName") {
            blamed.insert(&name);
        }
        if let Some(field) = server.blamed.iter().find(|field| !blamed.contains(field)) {
            return Some(format!("does not blame {field}"));
        }
        let more = self.blamed.difference(&server.blamed).next();
        more.map(|field| format!("blames {field}"))
    }
}

/// What the server says of a value without saying where it stands.
fn is_placeless(finding: &Finding) -> bool {
    [
        "Checked value must be",
        " must validate ",
        " must not validate ",
    ]
    .iter()
    .any(|words| finding.message.contains(words))
}

/// A field as both spell it: entries of maps like fields, and metadata's only as a whole.
fn spelt(field: &str) -> String {
    let field = field.replace("][", ".").replace('[', ".").replace(']', "");
    for whole in ["labels", "annotations", "finalizers", "ownerReferences"] {
        let whole = format!("metadata.{whole}");
        if field.starts_with(&whole) {
            return whole;
        }
    }
    field
}
