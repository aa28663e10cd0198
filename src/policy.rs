//! The rules' contracts: what must hold, when, how strictly, why, and what to do about it.
//!
//! They stand in `policies/<kind>.yaml`, in the order in which a user meets them, and are part of the
//! binary. What a contract leaves to code is a function of the same name in [`crate::rules`]; a test
//! holds the two together.

use std::{collections::HashMap, fmt, sync::LazyLock};

use jsonptr::PointerBuf;
use serde::Deserialize;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// What becomes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The rule is not asked.
    Off,
    /// Counted and logged, not shown to the user.
    Audit,
    /// Shown to the user, who is not stopped.
    Warn,
    /// The request is refused.
    Deny,
}

impl Mode {
    /// The mode's name in configuration, metrics and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }

    /// The modes, as a configuration may name them.
    pub const ALL: [Self; 4] = [Self::Deny, Self::Warn, Self::Audit, Self::Off];
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How strict the guard is as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Nothing is refused; what would have been is warned about and counted.
    Observe,
    /// What stops the operator and what is provably wrong is refused, the rest is warned about.
    #[default]
    Recommended,
    /// What the rules call strict is refused too.
    Strict,
}

impl Profile {
    /// The profiles, as a configuration may name them.
    pub const ALL: [(&str, Self); 3] = [
        ("observe", Self::Observe),
        ("recommended", Self::Recommended),
        ("strict", Self::Strict),
    ];

    /// The profile's name.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, profile)| *profile == self)
            .map_or("", |(name, _)| name)
    }
}

/// What a request does to the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    /// The object is new.
    Create,
    /// The object changes.
    Update,
    /// The object goes.
    Delete,
}

impl Operation {
    /// As an `AdmissionReview` spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// What a rule looks at, which decides what it may do to a recovery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Only the object itself, old and new.
    #[default]
    Object,
    /// Whether a cluster is one of its policy's: the one fact about another object that may refuse a
    /// recovery.
    Membership,
    /// Other objects.
    World,
}

/// How a contract is checked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// The fields may not change after creation, neither by being set nor by being dropped.
    Immutable(Vec<PointerBuf>),
    /// The field must be there and not empty.
    Required(PointerBuf),
    /// The field, where it is set, must be one of these.
    OneOf(OneOf),
    /// The function of the same name in [`crate::rules`].
    #[serde(untagged)]
    Code(Code),
}

/// The word `code` in a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Code {
    /// See [`Check::Code`].
    Code,
}

/// The parameters of [`Check::OneOf`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneOf {
    /// The field.
    pub field: PointerBuf,
    /// What it may be.
    pub values: Vec<String>,
}

/// A check in CEL, as `kube-apiserver` asks it by itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// What holds, of `object` and, on UPDATE, `oldObject`. It may not end in an error: a field is only
    /// named where `has()` makes sure of it.
    pub holds: String,
    /// The field that is blamed where it does not hold.
    pub field: PointerBuf,
    /// What is wrong with the field, as a rule says it; an expression in braces stands for its value.
    pub says: String,
}

/// What the guard does with a finding where one of its gates has a say of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// The gate's ordinary effect.
    #[default]
    Usual,
    /// The rule is not asked.
    Skip,
}

/// One rule, as `policies/` states it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a line of its own in a contract"
)]
pub struct Contract {
    /// The rule's name, kebab-case; it never changes its meaning once released.
    pub id: String,
    /// The other kinds that it is about in the same words.
    #[serde(default)]
    pub also: Vec<String>,
    /// The mode in the profile `recommended`.
    pub mode: Mode,
    /// The mode in the profile `strict`, where it is another one.
    pub strict: Option<Mode>,
    /// Whether what it finds stops Ramen's controllers for everybody: then it holds for every user.
    #[serde(default)]
    pub crash: bool,
    /// Whether what it finds holds up other objects than its own, though not all of them.
    #[serde(default)]
    pub blocks: bool,
    /// Whether only a manifest in a file can break it: then only `check` asks.
    #[serde(default)]
    pub files: bool,
    /// The operations it is asked at.
    pub on: Vec<Operation>,
    /// The fields whose change makes the rule run on UPDATE.
    #[serde(default)]
    pub watches: Vec<PointerBuf>,
    /// Whether the CRD itself refuses what the rule refuses, with a code that makes `kubectl apply
    /// --force` delete the object: then the mutating phase, which comes before, refuses it too.
    #[serde(default)]
    pub early: bool,
    /// What the rule looks at.
    #[serde(default)]
    pub scope: Scope,
    /// Whether it finds that another object is missing, which by itself never refuses an UPDATE.
    #[serde(default)]
    pub missing: bool,
    /// Whether the rule is asked about an object that is being deleted.
    #[serde(default)]
    pub terminating: Gate,
    /// Whether the rule is asked about what Ramen's own controllers and other trusted users do.
    #[serde(default)]
    pub trusted: Gate,
    /// How it is checked.
    pub check: Check,
    /// The same check in CEL, where it is part of the floor that holds without a server and does not
    /// follow from [`Contract::check`].
    pub floor: Option<Floor>,
    /// What must hold, in one line.
    pub what: String,
    /// What Ramen does otherwise.
    pub why: String,
    /// What to do about it.
    pub fix: String,
    /// Where the fact stands in Ramen's sources, `file:line`.
    pub source: String,
    /// The kind it is about; set when the file is read.
    #[serde(skip)]
    pub kind: String,
    /// Its place among all contracts; set when the files are read.
    #[serde(skip)]
    pub index: usize,
}

impl Contract {
    /// The mode that a profile gives the rule.
    pub fn mode_in(&self, profile: Profile) -> Mode {
        match profile {
            Profile::Observe => self.mode.min(Mode::Warn),
            Profile::Recommended => self.mode,
            Profile::Strict => self.strict.unwrap_or(self.mode),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    kind: String,
    rules: Vec<Contract>,
}

static CONTRACTS: LazyLock<Vec<Contract>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for (path, text) in POLICIES {
        // The files are part of the binary, and a test reads each: this cannot fail in the field.
        let file: PolicyFile =
            serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("policies/{path}: {error}"));
        for mut contract in file.rules {
            contract.kind.clone_from(&file.kind);
            contract.index = all.len();
            if let Check::Immutable(fields) = &contract.check {
                contract.early = true;
                contract.watches.clone_from(fields);
            }
            all.push(contract);
        }
    }
    all
});

static BY_ID: LazyLock<HashMap<&'static str, &'static Contract>> = LazyLock::new(|| {
    contracts()
        .iter()
        .map(|contract| (contract.id.as_str(), contract))
        .collect()
});

/// Every rule's contract, by kind, then in the order of its file.
pub fn contracts() -> &'static [Contract] {
    &CONTRACTS
}

/// The contract of one rule.
pub fn contract(id: &str) -> Option<&'static Contract> {
    BY_ID.get(id).copied()
}

/// The contracts about one kind, in the order of their file.
pub fn contracts_of(kind: &str) -> impl Iterator<Item = &'static Contract> {
    contracts().iter().filter(move |contract| {
        contract.kind == kind || contract.also.iter().any(|also| also == kind)
    })
}

/// The files of `tests/scenarios/`: path below it, text.
pub(crate) fn scenario_files() -> &'static [(&'static str, &'static str)] {
    SCENARIOS
}
