//! Scenarios: what proves a rule, and what `explain` shows of it.
//!
//! They stand in `tests/scenarios/<kind>/<rule>.yaml`, are part of the binary, and are run against the
//! rule in Rust, the webhook, `check`, and a real kube-apiserver. Each is a small change of the kind's
//! `base.yaml`, which has a legal object and the objects around it:
//!
//! ```yaml
//! - story: the same cluster twice
//!   refused: /spec/drClusters/1                 # or `warned: POINTER`, or `accepted: true`
//!   new: { spec: { drClusters: [east, east] } } # a merge patch (RFC 7386) of the base object
//! ```
//!
//! What only the text of a manifest shows, or what is a matter of all kinds, has its scenarios in
//! `tests/scenarios/any/`: see [`Written`].

mod example;
mod written;

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    api::Doc,
    engine::{Engine, Request, Settings, User, Verdict},
    policy::{self, Operation, Profile},
    world::Store,
};

pub use example::{Example, Shown, examples_of};
pub use written::{By, Written, written, written_of};

/// The folder of what [`written()`] gives.
const ANY: &str = "any";

/// What a scenario expects of its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The rule says nothing.
    Accepted,
    /// The rule warns about this field.
    Warned(String),
    /// The rule refuses, and blames this field.
    Refused(String),
}

/// One scenario, ready to run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The rule that it is about.
    pub rule: &'static str,
    /// What happens, in a line.
    pub story: String,
    /// What the rule is to say.
    pub expected: Expected,
    /// What is done.
    pub operation: Operation,
    /// The object as it would be; nothing at DELETE.
    pub new: Option<Value>,
    /// The object as it is stored; nothing at CREATE.
    pub old: Option<Value>,
    /// The legal object that it is a small change of.
    pub base: Value,
    /// The other objects.
    pub given: Vec<Value>,
    /// The other objects that are not as they are around the legal one: what they are there, and here.
    pub differing: Vec<(Option<Value>, Option<Value>)>,
    /// Who does it, as a user name.
    pub user: String,
    /// The profile it is about.
    pub profile: Profile,
    /// Whether kube-apiserver itself refuses the object, so that the rule is only seen offline.
    pub offline: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Base {
    object: Value,
    #[serde(default)]
    given: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    story: String,
    #[serde(default)]
    accepted: bool,
    warned: Option<String>,
    refused: Option<String>,
    operation: Option<Operation>,
    #[serde(default)]
    old: Option<Value>,
    #[serde(default)]
    new: Option<Value>,
    #[serde(default)]
    given: BTreeMap<String, Value>,
    user: Option<String>,
    profile: Option<String>,
    #[serde(default)]
    offline: bool,
}

static SCENARIOS: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    let files: BTreeMap<&str, &str> = policy::scenario_files().iter().copied().collect();
    let mut all = Vec::new();
    for (path, text) in &files {
        let Some((folder, file)) = path.split_once('/') else {
            continue;
        };
        if folder == ANY {
            continue;
        }
        let Some(contract) = file.strip_suffix(".yaml").and_then(policy::contract) else {
            continue;
        };
        let base = files
            .get(&*format!("{folder}/base.yaml"))
            .copied()
            .unwrap_or("object: {}");
        // Part of the binary, and read by a test: this cannot fail in the field.
        let base: Base =
            serde_saphyr::from_str(base).unwrap_or_else(|e| panic!("{folder}/base.yaml: {e}"));
        let told: Vec<Told> =
            serde_saphyr::from_str(text).unwrap_or_else(|e| panic!("{path}: {e}"));
        all.extend(told.into_iter().map(|told| made(&contract.id, &base, told)));
    }
    all
});

/// Every scenario, by kind and rule, then in the order of its file.
pub fn scenarios() -> &'static [Scenario] {
    &SCENARIOS
}

/// The scenarios of one rule.
pub fn scenarios_of(rule: &str) -> impl Iterator<Item = &'static Scenario> {
    scenarios()
        .iter()
        .filter(move |scenario| scenario.rule == rule)
}

/// The files of `tests/scenarios/` that are neither a rule's nor a kind's base: a rule's name that is
/// misspelt.
pub fn strays() -> Vec<&'static str> {
    let known = |path: &str| {
        let file = path
            .split_once('/')
            .and_then(|(_, file)| file.strip_suffix(".yaml"));
        file.is_some_and(|file| file == "base" || policy::contract(file).is_some())
    };
    policy::scenario_files()
        .iter()
        .map(|(path, _)| *path)
        .filter(|path| !known(path))
        .collect()
}

fn made(rule: &'static str, base: &Base, told: Told) -> Scenario {
    let operation = told.operation.unwrap_or(if told.old.is_some() {
        Operation::Update
    } else {
        Operation::Create
    });
    let from = patched(&base.object, told.old.as_ref());
    let to = match operation {
        Operation::Create => patched(&base.object, told.new.as_ref()),
        _ => patched(&from, told.new.as_ref()),
    };
    let mut given = base.given.clone();
    for (name, change) in told.given {
        match given.get(&name) {
            _ if change.is_null() => {
                given.remove(&name);
            }
            Some(object) => {
                let object = patched(object, Some(&change));
                given.insert(name, object);
            }
            None => {
                given.insert(name, change);
            }
        }
    }
    let expected = expected(told.accepted, told.warned, told.refused).unwrap_or_else(|| {
        panic!(
            "{rule}: {:?} expects exactly one of accepted, warned and refused",
            told.story
        )
    });
    let here = given
        .keys()
        .filter(|name| base.given.get(*name) != given.get(*name));
    let gone = base.given.keys().filter(|name| !given.contains_key(*name));
    let differing = here.chain(gone);
    let differing = differing
        .map(|name| (base.given.get(name).cloned(), given.get(name).cloned()))
        .collect();
    let profile = told.profile.as_deref().unwrap_or("recommended");
    let profile = Profile::ALL.iter().find(|(name, _)| *name == profile);
    Scenario {
        rule,
        expected,
        operation,
        new: (operation != Operation::Delete).then_some(to),
        old: (operation != Operation::Create).then_some(from),
        base: base.object.clone(),
        given: given.into_values().collect(),
        differing,
        user: told.user.unwrap_or_else(|| "kubernetes-admin".to_owned()),
        profile: profile
            .unwrap_or_else(|| panic!("{rule}: {:?} names no profile", told.story))
            .1,
        offline: told.offline,
        story: told.story,
    }
}

/// What a file says is expected, if it says one thing.
fn expected(accepted: bool, warned: Option<String>, refused: Option<String>) -> Option<Expected> {
    match (accepted, warned, refused) {
        (true, None, None) => Some(Expected::Accepted),
        (false, Some(field), None) => Some(Expected::Warned(field)),
        (false, None, Some(field)) => Some(Expected::Refused(field)),
        _ => None,
    }
}

/// The value after a merge patch (RFC 7386).
fn patched(value: &Value, patch: Option<&Value>) -> Value {
    match patch {
        None => value.clone(),
        Some(Value::Object(changes)) => {
            let mut map = value.as_object().cloned().unwrap_or_else(Map::new);
            for (name, change) in changes {
                if change.is_null() {
                    map.remove(name);
                } else {
                    let changed = patched(map.get(name).unwrap_or(&Value::Null), Some(change));
                    map.insert(name.clone(), changed);
                }
            }
            Value::Object(map)
        }
        Some(other) => other.clone(),
    }
}

impl Scenario {
    /// The verdict on the scenario, by the rules.
    ///
    /// # Panics
    /// When the scenario's objects are not objects, which its file decides.
    pub fn verdict(&self) -> Verdict {
        let mut world = Store::default();
        for object in &self.given {
            let doc = Doc::from_value(object.clone());
            // What can't be read is not part of the world, in a cluster either.
            let _ = doc.map(|doc| world.apply(&doc));
        }
        let engine = Engine::new(Settings::default().with_profile(self.profile));
        if self.offline {
            engine.judge_file(&self.request(), &world)
        } else {
            engine.judge(&self.request(), &world, None)
        }
    }

    /// The scenario as a request to the engine.
    ///
    /// # Panics
    /// When the scenario's objects are not objects, which its file decides.
    pub fn request(&self) -> Request {
        let doc = |value: &Value| {
            Doc::from_value(value.clone()).unwrap_or_else(|e| panic!("{}: {e}", self.story))
        };
        let subject = self
            .new
            .as_ref()
            .or(self.old.as_ref())
            .cloned()
            .unwrap_or_default();
        let text = |pointer: &str| {
            subject
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let group = text("/apiVersion")
            .rsplit_once('/')
            .map_or_else(String::new, |(group, _)| group.to_owned());
        Request {
            operation: self.operation,
            group,
            kind: text("/kind"),
            namespace: text("/metadata/namespace"),
            name: text("/metadata/name"),
            subresource: String::new(),
            new: self.new.as_ref().map(doc),
            old: self.old.as_ref().map(doc),
            user: User {
                name: self.user.clone(),
                groups: vec!["system:authenticated".to_owned()],
            },
            dry_run: false,
        }
        .with_defaults()
    }

    /// The scenario as the `AdmissionReview` that kube-apiserver would send.
    pub fn review(&self) -> Value {
        let request = self.request();
        json!({
            "apiVersion": crate::admission::review::API_VERSION,
            "kind": "AdmissionReview",
            "request": {
                "uid": "00000000-0000-0000-0000-000000000001",
                "kind": { "group": request.group, "version": "v1", "kind": request.kind },
                "name": request.name,
                "namespace": request.namespace,
                "operation": self.operation.name(),
                "userInfo": { "username": self.user, "groups": request.user.groups },
                "object": self.new,
                "oldObject": self.old,
                "dryRun": false,
            }
        })
    }
}
