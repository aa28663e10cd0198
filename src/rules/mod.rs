//! The rules that need code, one file or folder a kind.
//!
//! A rule is a function of a [`Case`] that says what it finds to a [`Report`]. It knows no HTTP, no
//! file, no clock; it does not ask who is at work, whether the object is being deleted, or whether the
//! stored object had the fault already: the engine does that for all rules alike.

mod configmap;
pub(crate) mod drcluster;
mod drclusterconfig;
pub(crate) mod drplacementcontrol;
mod drpolicy;
mod files;
mod maintenancemode;
mod placement;
mod protectedvolumereplicationgrouplist;
mod protection;
mod recipe;
mod replicationgroup;
mod secret;
mod unknown;
mod volumereplicationgroup;

use jsonptr::PointerBuf;

use crate::{
    api::{self, DRPlacementControl, Doc, Key, Kind, Object, RAMEN_CONFIG},
    policy::{Contract, Mode, Operation},
    report::Related,
    world::{Config, KeptKind, Lens},
};

/// What a rule is given: one object, what it was, and a view of the others.
pub struct Case<'a, K: Kind> {
    /// What the request does.
    pub operation: Operation,
    /// The object as it would be; at DELETE the object that would go.
    pub new: &'a Object<K>,
    /// At UPDATE the object as it is stored.
    pub old: Option<&'a Object<K>>,
    /// The new object untyped, for rules about fields that the types don't know.
    pub doc: &'a Doc,
    /// The stored object untyped.
    pub old_doc: Option<&'a Doc>,
    /// The other objects.
    pub world: &'a Lens<'a>,
    /// Where Ramen's operator keeps its own objects.
    pub operator_namespace: &'a str,
}

impl<K: Kind> Case<'_, K> {
    /// What the controller said last. An UPDATE of the main resource can't change it.
    pub fn status(&self) -> &K::Status {
        match self.old {
            Some(old) if old.has_status() => old.status(),
            _ => self.new.status(),
        }
    }

    /// Whether the object is new.
    pub fn is_create(&self) -> bool {
        self.operation == Operation::Create
    }
}

/// A rule's code, by the rule's id.
pub type Rule<K> = (&'static str, fn(&Case<'_, K>, &mut Report));

/// A kind that has rules.
pub trait Judged: Kind {
    /// The rules that need code, a list a section, in the order of the kind's file in `policies/`.
    const RULES: &'static [&'static [Rule<Self>]];

    /// The rules with their contracts.
    fn book() -> &'static Book<Self>;

    /// Whether an object is anybody's business here. Of the kinds of others only a few objects are.
    fn concerns(_key: &Key, _world: &Lens<'_>, _operator_namespace: &str) -> bool {
        true
    }
}

/// Calls another macro with every kind that has rules.
macro_rules! judged_kinds {
    ($then:ident!) => {
        $then!(
            api::DRPlacementControl,
            api::DRPolicy,
            api::DRCluster,
            api::Placement,
            api::PlacementRule,
            api::VolumeReplicationGroup,
            api::Recipe,
            api::ConfigMap,
            api::Secret,
            api::DRClusterConfig,
            api::MaintenanceMode,
            api::ProtectedVolumeReplicationGroupList,
            api::ReplicationGroupSource,
            api::ReplicationGroupDestination
        )
    };
}
pub(crate) use judged_kinds;

/// The kinds that have rules, the ones that others hang on first.
pub fn kinds() -> Vec<KeptKind> {
    macro_rules! kinds {
        ($($kind:ty),*) => { vec![$(KeptKind::of::<$kind>()),*] };
    }
    judged_kinds!(kinds!)
}

/// The kinds that have rules and may be read in a cluster, the ones that others hang on first.
pub(crate) fn readable_kinds() -> Vec<KeptKind> {
    let mut kinds = kinds();
    kinds.retain(|kind| kind.watched);
    kinds
}

/// The rules of one kind, each with its contract.
pub struct Book<K: Kind> {
    /// In the order of the kind's file in `policies/`.
    pub entries: Vec<Entry<K>>,
    /// Every field that some rule watches, once, as the tokens of its pointer.
    pub watched: Vec<Vec<String>>,
}

/// One rule of a [`Book`].
pub struct Entry<K: Kind> {
    /// What must hold.
    pub contract: &'static Contract,
    /// How it is checked, where the contract leaves it to code.
    pub code: Option<fn(&Case<'_, K>, &mut Report)>,
    /// The watched fields, as places in [`Book::watched`].
    pub watches: Vec<usize>,
}

impl<K: Judged> Book<K> {
    /// Joins the contracts of the kind with its code.
    pub fn new() -> Self {
        let (mut entries, mut watched) = (Vec::new(), Vec::<Vec<String>>::new());
        for contract in crate::policy::contracts_of(K::KIND) {
            let code = K::RULES
                .iter()
                .copied()
                .flatten()
                .chain(files::Files::<K>::RULES)
                .find(|(id, _)| *id == contract.id)
                .map(|(_, code)| *code);
            let mut watches = Vec::new();
            for pointer in &contract.watches {
                let tokens: Vec<String> = pointer
                    .tokens()
                    .map(|token| token.decoded().into_owned())
                    .collect();
                let place = watched
                    .iter()
                    .position(|seen| *seen == tokens)
                    .unwrap_or_else(|| {
                        watched.push(tokens);
                        watched.len() - 1
                    });
                watches.push(place);
            }
            entries.push(Entry {
                contract,
                code,
                watches,
            });
        }
        Self { entries, watched }
    }
}

impl<K: Judged> Default for Book<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// Gives kinds their [`Judged`]: the named list of rules, and a book made from it once.
macro_rules! judged {
    ($($kind:ty: $rules:expr $(, $concerns:expr)?;)*) => {$(
        impl $crate::rules::Judged for $kind {
            const RULES: &'static [&'static [$crate::rules::Rule<Self>]] = $rules;
            $(
                fn concerns(
                    key: &$crate::api::Key,
                    world: &$crate::world::Lens<'_>,
                    operator_namespace: &str,
                ) -> bool {
                    $concerns(key, world, operator_namespace)
                }
            )?

            fn book() -> &'static $crate::rules::Book<Self> {
                static BOOK: std::sync::LazyLock<$crate::rules::Book<$kind>> =
                    std::sync::LazyLock::new($crate::rules::Book::new);
                &BOOK
            }
        }
    )*};
}
pub(crate) use judged;

/// Takes down what a rule finds.
#[derive(Debug, Default)]
pub struct Report {
    pub(crate) drafts: Vec<Draft>,
}

/// A finding as a rule states it, before the engine's gates.
#[derive(Debug)]
pub struct Draft {
    pub(crate) pointer: PointerBuf,
    pub(crate) message: String,
    pub(crate) fix: Option<String>,
    pub(crate) related: Vec<Related>,
    pub(crate) most: Mode,
}

impl Report {
    /// States a finding about a field; the rule's mode decides what becomes of it.
    ///
    /// `pointer` is a JSON pointer; `message` is lower case, has no full stop, quotes the value and
    /// does not repeat the field.
    pub fn say(&mut self, pointer: impl AsRef<str>, message: impl Into<String>) -> &mut Draft {
        self.push(Mode::Deny, pointer.as_ref(), message.into())
    }

    /// As [`Report::say`], for a case in which the rule never refuses.
    pub fn advise(&mut self, pointer: impl AsRef<str>, message: impl Into<String>) -> &mut Draft {
        self.push(Mode::Warn, pointer.as_ref(), message.into())
    }

    fn push(&mut self, most: Mode, pointer: &str, message: String) -> &mut Draft {
        let pointer = PointerBuf::parse(pointer).unwrap_or_default();
        self.drafts.push(Draft {
            pointer,
            message,
            fix: None,
            related: Vec::new(),
            most,
        });
        let last = self.drafts.len() - 1;
        &mut self.drafts[last]
    }
}

impl Draft {
    /// Says what to do about it, where that is more exact than the contract's `fix`.
    pub fn fix(&mut self, fix: impl Into<String>) -> &mut Self {
        self.fix = Some(fix.into());
        self
    }

    /// Names a place in another object that the finding rests on. A denial is confirmed by reading
    /// that object afresh.
    pub fn because<K: Kind>(&mut self, other: &Object<K>, pointer: impl AsRef<str>) -> &mut Self {
        self.because_of(other.key(), pointer)
    }

    /// As [`Draft::because`], for a field of Ramen's configuration, such as `/ramenOpsNamespace`, or for
    /// all of it.
    pub fn configured(&mut self, config: &Config, field: &str) -> &mut Self {
        self.because_of(config.key.clone(), configured(field))
    }

    /// As [`Draft::because`], for an object that is known by its key only.
    pub fn because_of(&mut self, key: Key, pointer: impl AsRef<str>) -> &mut Self {
        let pointer = PointerBuf::parse(pointer.as_ref()).unwrap_or_default();
        self.related.push(Related { key, pointer });
        self
    }
}

/// The body of a stored object may not go: the API server lets it, and lets any other one come after.
fn spec_removal<K: Kind>(case: &Case<'_, K>, report: &mut Report) {
    if case.old.is_some_and(|old| old.has_spec) && !case.new.has_spec {
        report.say("/spec", "may not be taken away");
    }
}

/// A finalizer of Ramen's goes while the object stays, and nobody cleans up after it.
fn finalizer_removal<K: Kind>(case: &Case<'_, K>, finalizer: &str, report: &mut Report) {
    let has = |object: &Object<K>| object.meta.finalizers.iter().any(|name| name == finalizer);
    if case.old.is_some_and(has) && !has(case.new) {
        report.say("/metadata/finalizers", format!("\"{finalizer}\" is gone"));
    }
}

/// How many of several things a finding names.
const FEW: usize = 3;

/// Says something about the applications that use the object, if there are any, and gives the first
/// few of them, by their field `reference`, as the reason. `message` takes their names.
fn say_of_applications(
    report: &mut Report,
    pointer: impl AsRef<str>,
    applications: &[&Object<DRPlacementControl>],
    reference: &'static str,
    message: impl FnOnce(&str) -> String,
) {
    if applications.is_empty() {
        return;
    }
    let shown = some(applications, |drpc| drpc.key().to_string());
    let finding = report.say(pointer, message(&shown));
    for drpc in applications.iter().take(FEW) {
        finding.because(*drpc, reference);
    }
}

/// The first few of several things, and how many more there are: a message has to stay readable.
fn some<T>(things: &[T], shown: impl Fn(&T) -> String) -> String {
    let few: Vec<String> = things.iter().take(FEW).map(shown).collect();
    match things.len().saturating_sub(FEW) {
        0 => few.join(", "),
        more => format!("{} and {more} more", few.join(", ")),
    }
}

/// The pointer to an annotation.
pub fn annotation(name: &str) -> String {
    below("/metadata/annotations", name)
}

/// The pointer to a label.
pub fn label(name: &str) -> String {
    below("/metadata/labels", name)
}

/// The pointer to a field of Ramen's configuration in its ConfigMap, such as `/ramenOpsNamespace`, or to
/// all of it.
fn configured(field: &str) -> String {
    format!("/data/{RAMEN_CONFIG}{field}")
}

/// The pointer to a field whose name may hold any character.
pub fn below(parent: &str, name: &str) -> String {
    format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Short names of kinds.
const SHORT: [(&str, &str); 5] = [
    ("drpc", "DRPlacementControl"),
    ("vrg", "VolumeReplicationGroup"),
    ("rgs", "ReplicationGroupSource"),
    ("rgd", "ReplicationGroupDestination"),
    // It is the text in one.
    ("RamenConfig", "ConfigMap"),
];

/// The kind that somebody means by its name, in any case, by that of its resource, or by a short one.
pub fn kind_named(name: &str) -> Option<&'static str> {
    let named = |known: &&str| known.eq_ignore_ascii_case(name);
    let short = SHORT.iter().find(|(short, _)| named(short));
    let kinds = || {
        let kind = kinds()
            .into_iter()
            .find(|kind| named(&kind.kind) || named(&kind.plural));
        kind.map(|kind| kind.kind)
    };
    short.map_or_else(kinds, |(_, kind)| Some(*kind))
}

/// Every name that [`kind_named`] knows.
pub fn kind_names() -> Vec<&'static str> {
    let long = kinds()
        .into_iter()
        .flat_map(|kind| [kind.kind, kind.plural]);
    long.chain(SHORT.map(|(short, _)| short)).collect()
}

/// Every rule that has code, by id.
pub fn coded() -> Vec<&'static str> {
    fn ids<K: Judged>() -> impl Iterator<Item = &'static str> {
        let own = K::RULES.iter().copied().flatten();
        own.chain(files::Files::<K>::RULES).map(|(id, _)| *id)
    }
    macro_rules! all {
        ($($kind:ty),*) => { std::iter::empty()$(.chain(ids::<$kind>()))*.collect() };
    }
    judged_kinds!(all!)
}
