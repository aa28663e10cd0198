//! Findings, and how they are shown.

mod checked;
mod finding;
mod fold;
mod human;
mod json;
mod site;
mod words;
mod yaml;

pub use checked::{Checked, Located, Outcome, Place, Unread};
pub use finding::{Finding, Lowered, Related, field};
pub use human::human;
pub use json::json;
pub use site::Site;
pub use words::{clip, list, nearest, plain};
pub use yaml::yaml;
