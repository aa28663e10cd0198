//! Request to verdict: which rules are asked, and what becomes of what they find.
//!
//! Judging is pure: no clock, no network, no file. The gates are the same for every rule and every
//! front end, and each is here because its opposite has hurt someone.

mod audit;
mod conduct;
mod exempt;
mod gates;
mod judge;
mod keys;
mod offline;
mod request;
mod settings;
mod site;
mod watch;

pub use audit::Audited;
pub use conduct::{conduct, is_offline};
pub(crate) use exempt::EXEMPT;
pub(crate) use gates::{RESTORE_LABELS, Situation, foreseen};
pub use judge::{Engine, Verdict};
pub use keys::{ConfigKey, KEYS};
pub(crate) use offline::is_whole;
pub use request::{Request, User};
pub(crate) use settings::rule_hint;
pub use settings::{RamenSettings, ReconcileSettings, Settings, SettingsError};

/// What our own annotations and labels are under.
pub const DOMAIN: &str = "guard.ramendr.openshift.io";
/// The annotation on the guard's own namespace that tells it to keep its hands off: while it is there,
/// whatever its value, the guard writes nothing, so that webhook configurations that a person took away
/// stay away.
pub const BREAK_GLASS: &str = "guard.ramendr.openshift.io/break-glass";
