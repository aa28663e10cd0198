//! The HTTPS front over real sockets, with real clients. Nothing here depends on how fast it is,
//! only that things happen within a generous while.

#![allow(clippy::unwrap_used)]

mod certificate;
mod drain;
mod policies;
mod request;
mod slow;
mod support;
