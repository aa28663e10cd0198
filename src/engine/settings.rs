//! How strict the guard is, whom it trusts, and where Ramen lives: the configuration file.

use std::{
    collections::{BTreeMap, HashSet},
    sync::LazyLock,
};

use serde_json::{Map, Value};

use super::keys;
use crate::{
    policy::{self, Contract, Mode, Profile},
    report::{Book, nearest},
    site,
};

/// The users that are never refused, but for what stops a controller for everybody: Ramen's
/// operators, the OCM work agent, Kubernetes' own clean-up, and the restorers of backups.
const TRUSTED: &[&str] = &[
    "system:serviceaccount:ramen-system:ramen-hub-operator",
    "system:serviceaccount:ramen-system:ramen-dr-cluster-operator",
    "system:serviceaccount:openshift-operators:ramen-hub-operator",
    "system:serviceaccount:openshift-dr-system:ramen-dr-cluster-operator",
    "system:serviceaccount:open-cluster-management-agent:klusterlet-work-sa",
    "system:serviceaccount:open-cluster-management-agent:klusterlet",
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:serviceaccount:kube-system:namespace-controller",
    "system:kube-controller-manager",
    "system:serviceaccount:velero:velero",
    "system:serviceaccount:openshift-adp:velero",
    "system:serviceaccount:open-cluster-management-backup:velero",
    "system:serviceaccount:open-cluster-management-backup:cluster-backup-chart-clusterbackup",
];

/// The configuration, checked and resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The profile.
    pub profile: Profile,
    /// Users that are never refused, but for the crash class.
    pub trusted_users: HashSet<String>,
    /// Groups that are never refused, but for the crash class.
    pub trusted_groups: HashSet<String>,
    /// Whether an annotation may exempt an object from rules.
    pub exemptions: bool,
    /// Whether exemptions that hold are to have no effect, for seeing what they cover.
    pub unexempted: bool,
    /// Where Ramen lives.
    pub ramen: RamenSettings,
    /// What the guard does by itself, beside answering.
    pub reconcile: ReconcileSettings,
    /// Where the rule book can be read, if anybody has put it somewhere.
    pub book: Book,
    /// Today, `YYYY-MM-DD`: what the end date of an exemption is compared with. Judging reads no clock.
    pub today: String,
    modes: Vec<Mode>,
    overrides: BTreeMap<&'static str, Mode>,
    /// The most that becomes of what the site's own rules say.
    site: BTreeMap<String, Mode>,
}

/// Where Ramen lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RamenSettings {
    /// The namespace of the operator and its `ConfigMap`.
    pub namespace: String,
}

/// What the guard does by itself. Its certificate is no choice: without one nobody believes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the configuration"
)]
pub struct ReconcileSettings {
    /// Adds the backup label to objects that were stored without it.
    pub labels: bool,
    /// Adds defaults that are missing in the hub operator's configuration.
    pub ramen_config: bool,
    /// Takes annotations off placements whose DRPlacementControl is gone.
    pub placements: bool,
    /// Judges what is stored, and reports it.
    pub audit: bool,
    /// Tries whether the API server reaches the guard.
    pub probe: bool,
}

impl Default for ReconcileSettings {
    fn default() -> Self {
        Self {
            labels: true,
            ramen_config: true,
            placements: true,
            audit: true,
            probe: true,
        }
    }
}

impl ReconcileSettings {
    /// The keys under `reconcile`, and what each switches.
    fn switches(&mut self) -> [(&'static str, &mut bool); 5] {
        [
            ("labels", &mut self.labels),
            ("ramen-config", &mut self.ramen_config),
            ("placements", &mut self.placements),
            ("audit", &mut self.audit),
            ("probe", &mut self.probe),
        ]
    }

    fn read(section: &Map<String, Value>) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        known("reconcile", section)?;
        for (key, switch) in settings.switches() {
            if let Some(value) = section.get(key) {
                *switch = value
                    .as_bool()
                    .ok_or_else(|| wrong(&format!("reconcile.{key}"), value, "true or false"))?;
            }
        }
        Ok(settings)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            profile: Profile::Recommended,
            trusted_users: TRUSTED.iter().map(|user| (*user).to_owned()).collect(),
            trusted_groups: HashSet::new(),
            exemptions: false,
            unexempted: false,
            ramen: RamenSettings {
                namespace: "ramen-system".to_owned(),
            },
            reconcile: ReconcileSettings::default(),
            book: Book::default(),
            today: today(),
            modes: Vec::new(),
            overrides: BTreeMap::new(),
            site: BTreeMap::new(),
        }
        .resolved()
    }
}

/// Today's date in UTC, `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

/// What is wrong with a configuration, and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is not YAML, or not a mapping.
    #[error("the configuration can't be read: {0}")]
    Syntax(String),
    /// A key that the configuration doesn't have.
    #[error("{place}: there is no such key{}", hint(.nearest.as_ref()))]
    UnknownKey {
        /// Where it stands, such as `trusted.user`.
        place: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// A rule that doesn't exist.
    #[error("rules.{rule}: there is no such rule{}", rule_hint(.nearest.as_deref()))]
    UnknownRule {
        /// The name that was given.
        rule: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// A value that the key can't have.
    #[error("{place}: {value} is not {wanted}{}", hint(.nearest.as_ref()))]
    Value {
        /// Where it stands.
        place: String,
        /// What was given.
        value: String,
        /// What it may be.
        wanted: String,
        /// The nearest of what it may be, if it is one of a few.
        nearest: Option<String>,
    },
}

fn hint(nearest: Option<&String>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"))
}

/// What to say to whoever names a rule that there is not.
pub(crate) fn rule_hint(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("; did you mean \"{name}\"?"),
        None => "; `ramen-guard rules` lists them".to_owned(),
    }
}

impl Settings {
    /// The mode of a rule.
    pub fn mode(&self, contract: &Contract) -> Mode {
        // The site's own rules stand in no list of ours.
        let mode = self.modes.get(contract.index);
        mode.copied().unwrap_or(contract.mode)
    }

    /// What the rule's mode would be if the profile did not merely observe.
    pub(crate) fn unobserved(&self, contract: &Contract) -> Mode {
        let observed =
            self.profile == Profile::Observe && !self.overrides.contains_key(&*contract.id);
        if observed {
            contract.mode
        } else {
            self.mode(contract)
        }
    }

    /// Where a rule's page of the rule book is, if the configuration says where the book is.
    pub fn page(&self, rule: &str) -> Option<String> {
        self.book.page(rule)
    }

    /// What becomes of what one of the site's rules says, whose binding would have it in this mode.
    pub(crate) fn site_mode(&self, id: &str, bound: Mode) -> Mode {
        let most = self.site.get(id).copied().unwrap_or(match self.profile {
            Profile::Observe => Mode::Warn,
            Profile::Recommended | Profile::Strict => Mode::Deny,
        });
        bound.min(most)
    }

    /// Whether it is the profile alone that lets nothing of one of the site's rules be refused.
    pub(crate) fn observes(&self, id: &str) -> bool {
        self.profile == Profile::Observe && !self.site.contains_key(id)
    }

    /// The site's rules that the configuration names.
    pub(crate) fn site_rules(&self) -> impl Iterator<Item = &str> {
        self.site.keys().map(String::as_str)
    }

    /// The same settings with another profile.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self.resolved()
    }

    fn resolved(mut self) -> Self {
        let mode = |contract: &Contract| {
            self.overrides
                .get(&*contract.id)
                .copied()
                .unwrap_or_else(|| contract.mode_in(self.profile))
        };
        self.modes = policy::contracts().iter().map(mode).collect();
        self
    }

    /// Reads a configuration file. Users and groups that it trusts are trusted beside the built-in
    /// ones: taking one of those away would refuse a recovery.
    ///
    /// # Errors
    /// Text that is not YAML, and keys, rules or values that don't exist, with the nearest name.
    pub fn read(text: &str) -> Result<Self, SettingsError> {
        let value: Value = if text.trim().is_empty() {
            Value::Null
        } else {
            serde_saphyr::from_str(text).map_err(|e| SettingsError::Syntax(e.to_string()))?
        };
        let mut settings = Self::default();
        let empty = Map::new();
        let root = mapping(&value, "the configuration", &empty)?;
        known("", root)?;
        if let Some(value) = root.get("profile") {
            settings.profile = one_of("profile", value, &Profile::ALL)?;
        }
        let modes = Mode::ALL.map(|mode| (mode.name(), mode));
        for (rule, value) in section(root, "rules", &empty)? {
            if rule
                .strip_prefix(site::PREFIX)
                .is_some_and(|name| !name.is_empty())
            {
                // What more than its binding says would become of it is for the binding to say.
                let mode = one_of(&format!("rules.{rule}"), written(value), &modes[1..])?;
                settings.site.insert(rule.clone(), mode);
                continue;
            }
            let contract = policy::contract(rule).ok_or_else(|| SettingsError::UnknownRule {
                rule: rule.clone(),
                nearest: nearest(
                    rule,
                    policy::contracts().iter().map(|contract| &*contract.id),
                )
                .map(str::to_owned),
            })?;
            settings.overrides.insert(
                &contract.id,
                one_of(&format!("rules.{rule}"), written(value), &modes)?,
            );
        }
        let trusted = section(root, "trusted", &empty)?;
        known("trusted", trusted)?;
        settings
            .trusted_users
            .extend(texts(trusted, "trusted", "users")?);
        settings
            .trusted_groups
            .extend(texts(trusted, "trusted", "groups")?);
        let exemptions = section(root, "exemptions", &empty)?;
        known("exemptions", exemptions)?;
        if let Some(value) = exemptions.get("enabled") {
            settings.exemptions = value
                .as_bool()
                .ok_or_else(|| wrong("exemptions.enabled", value, "true or false"))?;
        }
        let ramen = section(root, "ramen", &empty)?;
        known("ramen", ramen)?;
        if let Some(value) = ramen.get("namespace") {
            let name = value.as_str().filter(|name| !name.is_empty());
            name.ok_or_else(|| wrong("ramen.namespace", value, "the name of a namespace"))?
                .clone_into(&mut settings.ramen.namespace);
        }
        settings.reconcile = ReconcileSettings::read(section(root, "reconcile", &empty)?)?;
        if let Some(value) = root.get("book").filter(|value| !value.is_null()) {
            let book = value.as_str().and_then(Book::at);
            settings.book =
                book.ok_or_else(|| wrong("book", value, "an address that begins with https://"))?;
        }
        Ok(settings.resolved())
    }
}

/// A mode as it was meant: YAML 1.1 reads `off` as false.
fn written(value: &Value) -> &Value {
    static OFF: LazyLock<Value> = LazyLock::new(|| Value::from("off"));
    if *value == Value::Bool(false) {
        &OFF
    } else {
        value
    }
}

fn mapping<'a>(
    value: &'a Value,
    place: &str,
    empty: &'a Map<String, Value>,
) -> Result<&'a Map<String, Value>, SettingsError> {
    match value {
        Value::Null => Ok(empty),
        Value::Object(map) => Ok(map),
        other => Err(wrong(place, other, "a mapping")),
    }
}

fn section<'a>(
    root: &'a Map<String, Value>,
    key: &str,
    empty: &'a Map<String, Value>,
) -> Result<&'a Map<String, Value>, SettingsError> {
    root.get(key)
        .map_or(Ok(empty), |value| mapping(value, key, empty))
}

fn known(place: &str, map: &Map<String, Value>) -> Result<(), SettingsError> {
    let keys = keys::below(place);
    match map.keys().find(|key| !keys.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(SettingsError::UnknownKey {
            place: if place.is_empty() {
                key.clone()
            } else {
                format!("{place}.{key}")
            },
            nearest: nearest(key, keys).map(str::to_owned),
        }),
    }
}

fn one_of<T: Copy>(place: &str, value: &Value, names: &[(&str, T)]) -> Result<T, SettingsError> {
    let found = value
        .as_str()
        .and_then(|text| names.iter().find(|(name, _)| *name == text));
    found.map(|(_, found)| *found).ok_or_else(|| {
        let wanted: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let near = value
            .as_str()
            .and_then(|text| nearest(text, wanted.iter().copied()));
        SettingsError::Value {
            place: place.to_owned(),
            value: value.to_string(),
            wanted: format!("one of {}", wanted.join(", ")),
            nearest: near.map(str::to_owned),
        }
    })
}

fn texts(map: &Map<String, Value>, section: &str, key: &str) -> Result<Vec<String>, SettingsError> {
    let Some(value) = map.get(key).filter(|value| !value.is_null()) else {
        return Ok(Vec::new());
    };
    let list = value.as_array().and_then(|list| {
        list.iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect()
    });
    list.ok_or_else(|| wrong(&format!("{section}.{key}"), value, "a list of names"))
}

fn wrong(place: &str, value: &Value, wanted: &str) -> SettingsError {
    SettingsError::Value {
        place: place.to_owned(),
        value: value.to_string(),
        wanted: wanted.to_owned(),
        nearest: None,
    }
}
