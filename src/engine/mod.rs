//! Request to verdict.
