//! YAML as kubectl reads it, with positions; schemas.

pub mod yaml;
