//! Findings, and how they are shown.

mod finding;
mod words;

pub use finding::{Finding, Lowered, Related, field};
pub use words::{clip, list, nearest};
