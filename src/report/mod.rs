//! Findings, and how they are shown.

mod book;
mod checked;
mod finding;
mod fold;
mod github;
mod human;
mod json;
mod junit;
mod paths;
mod sarif;
mod words;
mod yaml;

pub use book::Book;
pub use checked::{Checked, Located, Note, Other, Outcome, Place, Unread, label};
pub use finding::{Finding, Lowered, Related, Rule, field};
pub use github::github;
pub use human::{human, write_human};
pub use json::json;
pub use junit::junit;
pub use sarif::sarif;
pub use words::{clip, list, nearest, plain};
pub use yaml::yaml;
