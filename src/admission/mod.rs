//! `AdmissionReview` in and out, mutation, the TLS server.

pub mod certificate;
pub mod guard;
pub mod metrics;
pub mod mutate;
pub mod review;
pub mod server;
pub mod tls;
pub mod world;
