//! Scenarios of rules that belong to no one kind: manifests as they were written.
//!
//! They stand in `tests/scenarios/any/<rule>.yaml`:
//!
//! ```yaml
//! - story: a name that YAML 1.1 takes for a boolean
//!   warned: /metadata/labels/true    # or `refused: POINTER`, or `accepted: true`
//!   manifest: |                      # as it lies in a file
//!     ...
//! ```

use std::sync::LazyLock;

use serde::Deserialize;

use super::{ANY, Expected, expected};
use crate::{
    cli::check::{self, Given},
    engine::{Engine, Request, Settings, User},
    manifest::{
        load::{Loaded, load_text},
        pile::Pile,
        yaml::Limits,
    },
    policy::{self, Operation},
    report::Finding,
    world::Store,
};

/// Who judges a manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// `ramen-guard check`
    #[default]
    Check,
    /// The webhook, to which the API server sends it as a new object.
    Webhook,
}

/// A scenario that is a manifest as it was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The rule that it is about.
    pub rule: &'static str,
    /// What is written, in a line.
    pub story: String,
    /// What the rule is to say.
    pub expected: Expected,
    /// The text of the file.
    pub manifest: String,
    /// What is stored, if it is a change.
    pub old: Option<String>,
    /// Who judges it.
    pub by: By,
    /// The configuration.
    pub config: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    story: String,
    #[serde(default)]
    accepted: bool,
    warned: Option<String>,
    refused: Option<String>,
    manifest: String,
    old: Option<String>,
    #[serde(default)]
    by: By,
    #[serde(default)]
    config: String,
}

static WRITTEN: LazyLock<Vec<Written>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for (path, text) in policy::scenario_files() {
        let file = path
            .strip_prefix(ANY)
            .and_then(|file| file.strip_prefix('/'));
        let rule = file.and_then(|file| file.strip_suffix(".yaml"));
        let Some(contract) = rule.and_then(policy::contract) else {
            continue;
        };
        // Part of the binary, and read by a test: this cannot fail in the field.
        let told: Vec<Told> =
            serde_saphyr::from_str(text).unwrap_or_else(|e| panic!("{path}: {e}"));
        all.extend(told.into_iter().map(|told| made(&contract.id, told)));
    }
    all
});

fn made(rule: &'static str, told: Told) -> Written {
    let expected = expected(told.accepted, told.warned, told.refused);
    Written {
        rule,
        expected: expected.unwrap_or_else(|| {
            panic!(
                "{rule}: {:?} expects exactly one of accepted, warned and refused",
                told.story
            )
        }),
        story: told.story,
        manifest: told.manifest,
        old: told.old,
        by: told.by,
        config: told.config,
    }
}

/// Every such scenario, by rule, then in the order of its file.
pub fn written() -> &'static [Written] {
    &WRITTEN
}

/// The scenarios of one rule.
pub fn written_of(rule: &str) -> impl Iterator<Item = &'static Written> {
    written().iter().filter(move |written| written.rule == rule)
}

impl Written {
    /// What is found in the manifest, by all rules.
    ///
    /// # Panics
    /// When the configuration can't be read, which the scenario's file decides.
    pub fn findings(&self) -> Vec<Finding> {
        let settings =
            Settings::read(&self.config).unwrap_or_else(|e| panic!("{}: {e}", self.story));
        let engine = Engine::new(settings);
        let load = |text: &str| load_text("manifest.yaml", text.to_owned(), &Limits::default());
        match self.by {
            By::Check => {
                let given = Given {
                    inputs: Pile::from(load(&self.manifest)),
                    old: self
                        .old
                        .as_deref()
                        .map(load)
                        .map(Pile::from)
                        .unwrap_or_default(),
                    ..Given::default()
                };
                let outcome = check::check(&engine, given);
                let objects = outcome.objects.into_iter();
                let findings = objects.flat_map(|object| object.findings);
                findings.map(|located| located.finding).collect()
            }
            By::Webhook => {
                let judge = |request| engine.judge(&request, &Store::default(), None).findings;
                requests(load(&self.manifest)).flat_map(judge).collect()
            }
        }
    }
}

/// The manifests as new objects.
fn requests(loaded: Loaded) -> impl Iterator<Item = Request> {
    loaded.manifests.into_iter().map(|manifest| {
        let text = |pointer: &str| {
            let value = manifest.doc.value.pointer(pointer);
            value
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Request {
            operation: Operation::Create,
            group: manifest.doc.group().to_owned(),
            kind: text("/kind"),
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
            subresource: String::new(),
            new: Some(manifest.doc.clone()),
            old: None,
            user: User::default(),
            dry_run: false,
        }
    })
}
