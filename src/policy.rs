//! The rules' contracts.
