//! The rules that need code.
