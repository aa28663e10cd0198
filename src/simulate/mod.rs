//! What the guard, and Ramen, would make of an action before anyone takes it.
//!
//! An [`Ask`] names an application or a cluster and what is to be done with it. [`simulate`] makes the
//! edited object, has the engine judge it as a person's UPDATE, and reads from what Ramen reported last
//! what it would wait for. It changes nothing outside of the [`World`] that it is given, and reads no
//! clock: that is an argument.
//!
//! What is read from status is advice and no reason for the guard to refuse anything: Ramen looks again
//! itself, and what was true when it was written need not be now.

mod ages;
mod application;
mod cluster;
mod copies;
mod fencing;
mod impact;
mod json;
mod others;
mod row;
mod show;
mod steps;
mod target;
mod views;
mod world;

use serde_json::{Map, Value, json};

use crate::{
    api::{DRCluster, DRPlacementControl, Doc, Key, Kind, Object},
    engine::{Engine, Request, User, Verdict},
    policy::{Mode, Operation},
    report::Finding,
};

pub use json::json;
pub use row::{Row, State};
pub use show::{Width, human};
pub use time::OffsetDateTime;
pub use world::{Named, World};

/// What is said with every simulation.
pub const ADVICE: &str = "readiness is advice: it is what was reported last, and Ramen looks again before it acts. \
Nothing was changed";

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Bring an application to another cluster, whatever became of the one that it is on.
    Failover,
    /// Bring an application to another cluster without loss.
    Relocate,
    /// Keep a cluster away from the storage.
    Fence,
    /// Let it back.
    Unfence,
}

impl Action {
    /// As a user types it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failover => "failover",
            Self::Relocate => "relocate",
            Self::Fence => "fence",
            Self::Unfence => "unfence",
        }
    }

    /// The kind of the objects that it is done with.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Failover | Self::Relocate => DRPlacementControl::KIND,
            Self::Fence | Self::Unfence => DRCluster::KIND,
        }
    }

    /// The field of the spec that asks for it, and its value there.
    const fn field(self) -> (&'static str, &'static str) {
        match self {
            Self::Failover => ("action", "Failover"),
            Self::Relocate => ("action", "Relocate"),
            Self::Fence => ("clusterFence", "Fenced"),
            Self::Unfence => ("clusterFence", "Unfenced"),
        }
    }
}

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What is to be done.
    pub action: Action,
    /// With what: a name, or `NAMESPACE/NAME`.
    pub name: &'a str,
    /// Where that is; wherever there is one of that name if none is given.
    pub namespace: Option<&'a str>,
    /// The cluster that an application is to go to; the one that is clear if none is given.
    pub to: Option<&'a str>,
}

/// Why nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// There is no such object.
    #[error("there is no {kind} \"{name}\"{}", hint(*.others, .nearest.as_deref()))]
    Missing {
        /// The kind.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// How many others of the kind there are.
        others: usize,
        /// The one that is named most like it.
        nearest: Option<String>,
    },
    /// There are several.
    #[error("there is a {kind} \"{name}\" in several namespaces: {namespaces}; choose one with -n")]
    Several {
        /// The kind.
        kind: &'static str,
        /// What was asked for.
        name: String,
        /// Where they are, as a person reads it.
        namespaces: String,
    },
    /// It is not clear where an application is to go.
    #[error("{about}: {why}; choose with --to: {choices}")]
    NoTarget {
        /// The application.
        about: String,
        /// Why it is not clear.
        why: String,
        /// The clusters that there are, as a person reads them.
        choices: String,
    },
    /// The object's `spec` is no mapping.
    #[error("{0}: spec is not an object")]
    Unfit(String),
}

fn hint(others: usize, nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("; did you mean \"{name}\"?"),
        None if others == 0 => ", nor any other".to_owned(),
        None => String::new(),
    }
}

/// What the guard would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// No.
    Refused,
    /// Yes, and something besides.
    Warned,
    /// Yes.
    Accepted,
    /// Nothing: the object says so already.
    Unchanged,
}

impl Said {
    /// For machines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Warned => "warned",
            Self::Accepted => "accepted",
            Self::Unchanged => "unchanged",
        }
    }
}

/// Where an application would go, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goes {
    /// The cluster.
    pub to: String,
    /// Why that one.
    pub because: String,
}

/// What came of an [`Ask`].
#[derive(Clone, Debug)]
pub struct Simulation {
    /// What was asked.
    pub action: Action,
    /// The object.
    pub key: Key,
    /// Where an application would go; nothing for a cluster.
    pub goes: Option<Goes>,
    /// The change that was judged, as a merge patch.
    pub patch: Value,
    /// What the guard would say.
    pub said: Said,
    /// All findings, by field, then rule; those that are only counted among them.
    pub findings: Vec<Finding>,
    /// What Ramen would wait for.
    pub rows: Vec<Row>,
    /// What nothing could be said about, and why.
    pub notes: Vec<String>,
}

impl Simulation {
    /// How many rows are in this state.
    pub fn count(&self, state: State) -> usize {
        self.rows.iter().filter(|row| row.state == state).count()
    }

    /// Whether the guard warns, or not everything is known to be ready.
    pub fn has_doubts(&self) -> bool {
        self.said == Said::Warned || self.rows.iter().any(|row| row.state != State::Ok)
    }
}

/// Says what would come of an action at this time.
///
/// Where the guard would accept it, it counts as done in `world` afterwards: of several, each is judged as
/// if those before it had been.
///
/// # Errors
/// When there is no such object, or more than one, or it is not clear where it is to go.
pub fn simulate(
    engine: &Engine,
    world: &mut World,
    ask: &Ask<'_>,
    now: OffsetDateTime,
) -> Result<Simulation, AskError> {
    let key = world.find(ask)?;
    let Some(doc) = world.doc(&key).cloned() else {
        return Err(world.missing(ask));
    };
    let goes = match ask.action {
        Action::Failover | Action::Relocate => Some(target::choose(world, &key, &doc, ask)?),
        Action::Fence | Action::Unfence => None,
    };
    let patch = patch(ask.action, &doc, goes.as_ref());
    let edited = edited(&doc, &patch).ok_or_else(|| AskError::Unfit(key.to_string()))?;
    let unchanged = edited.value == doc.value;
    let verdict = judge(engine, world, &key, &doc, &edited);
    let mut told = Told::default();
    match ask.action {
        Action::Failover | Action::Relocate => {
            let to = goes.as_ref().map(|goes| &*goes.to);
            application::tell(engine, world, &key, &doc, ask.action, to, now, &mut told);
        }
        Action::Fence | Action::Unfence => {
            fencing::tell(world, &key, &doc, ask.action, &mut told);
        }
    }
    let said = if unchanged {
        Said::Unchanged
    } else if !verdict.allowed() {
        Said::Refused
    } else if verdict.warnings().next().is_some() {
        Said::Warned
    } else {
        Said::Accepted
    };
    if said != Said::Refused {
        world.keep(&edited);
        // It was read already, with another value in two fields.
        let _ = world.store.apply(&edited);
    }
    told.notes.sort();
    told.notes.dedup();
    Ok(Simulation {
        action: ask.action,
        key,
        goes,
        patch,
        said,
        findings: verdict.findings,
        rows: told.rows,
        notes: told.notes,
    })
}

/// What is said about readiness.
#[derive(Debug, Default)]
struct Told {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Told {
    fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Whether something is said about a cluster already.
    fn has(&self, check: &str, about: &str) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|row| row.check == check && row.about == about)
    }
}

/// What a person would change, as a merge patch: only fields that differ.
fn patch(action: Action, doc: &Doc, goes: Option<&Goes>) -> Value {
    let (field, value) = action.field();
    let mut spec = Map::new();
    let mut set = |field: &str, value: &str| {
        let there = doc.value.get("spec").and_then(|spec| spec.get(field));
        if there.and_then(Value::as_str) != Some(value) {
            spec.insert(field.to_owned(), value.into());
        }
    };
    set(field, value);
    if let Some(goes) = goes {
        let place = match action {
            Action::Relocate => "preferredCluster",
            _ => "failoverCluster",
        };
        set(place, &goes.to);
    }
    if spec.is_empty() {
        json!({})
    } else {
        json!({ "spec": spec })
    }
}

/// The object with the patch in it; nothing where its `spec` is no mapping.
fn edited(doc: &Doc, patch: &Value) -> Option<Doc> {
    let mut edited = doc.clone();
    let Some(Value::Object(changes)) = patch.get("spec") else {
        return Some(edited);
    };
    let root = edited.value.as_object_mut()?;
    let spec = root.entry("spec").or_insert_with(|| json!({}));
    spec.as_object_mut()?.extend(changes.clone());
    Some(edited)
}

/// Judges the change as a person's.
fn judge(engine: &Engine, world: &World, key: &Key, old: &Doc, new: &Doc) -> Verdict {
    let request = Request {
        operation: Operation::Update,
        group: new.group().to_owned(),
        kind: key.kind.to_owned(),
        namespace: (*key.namespace).to_owned(),
        name: (*key.name).to_owned(),
        subresource: String::new(),
        new: Some(new.clone()),
        old: Some(old.clone()),
        user: User::default(),
        dry_run: false,
    };
    let mut verdict = engine.judge(&request.with_defaults(), &world.store, None);
    verdict.findings.retain(|finding| finding.mode > Mode::Off);
    verdict
}

/// The object, typed; or a row that says why not.
fn typed<K: Kind>(doc: &Doc, told: &mut Told) -> Option<Object<K>> {
    match Object::<K>::read(doc) {
        Ok(object) => Some(object),
        Err(error) => {
            let row = Row::unknown("object", format!("can't be read: {error}"));
            told.row(row.then("what Ramen makes of it can't be told"));
            None
        }
    }
}
