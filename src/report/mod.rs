//! Findings, and how they are shown.

mod checked;
mod finding;
mod human;
mod json;
mod words;
mod yaml;

pub use checked::{Checked, Located, Outcome, Place, Unread};
pub use finding::{Finding, Lowered, Related, Rule, field};
pub use human::human;
pub use json::json;
pub use words::{clip, list, nearest, plain};
pub use yaml::yaml;
