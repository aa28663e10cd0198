//! Findings, and how they are shown.

mod checked;
mod finding;
mod github;
mod human;
mod json;
mod junit;
mod paths;
mod sarif;
mod site;
mod words;
mod yaml;

pub use checked::{Checked, Located, Other, Outcome, Place, Unread, label};
pub use finding::{Finding, Lowered, Related, field};
pub use github::github;
pub use human::{human, write_human};
pub use json::json;
pub use junit::junit;
pub use sarif::sarif;
pub use site::Site;
pub use words::{clip, list, nearest, plain};
pub use yaml::yaml;
