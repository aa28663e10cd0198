//! Request to verdict: which rules are asked, and what becomes of what they find.
//!
//! Judging is pure: no clock, no network, no file. The gates are the same for every rule and every
//! front end, and each is here because its opposite has hurt someone.

mod exempt;
mod gates;
mod judge;
mod offline;
mod request;
mod settings;
mod watch;

pub use judge::{Engine, Verdict};
pub use request::{Request, User};
pub(crate) use settings::rule_hint;
pub use settings::{RamenSettings, Settings, SettingsError};

/// What our own annotations and labels are under.
pub const DOMAIN: &str = "guard.ramendr.openshift.io";
