//! `AdmissionReview` in and out, mutation, the TLS server.
