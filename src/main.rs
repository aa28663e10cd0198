//! The `ramen-guard` binary.
fn main() {}
