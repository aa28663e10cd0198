//! `AdmissionReview` in and out, mutation, the TLS server.

pub mod mutate;
pub mod review;
