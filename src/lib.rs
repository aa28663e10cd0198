//! ramen-guard: finds what is wrong with `RamenDR`'s custom resources when they are written.
//!
//! A policy says what must hold; a rule checks it; the world is what a rule may ask about. The front
//! ends carry a request in and a verdict out:
//!
//! ```text
//! cli, admission, reconcile  ─►  engine  ─►  rules  ─►  world, api
//! ```
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`api`] | Ramen's kinds and their neighbours as types, with their schemas |
//! | [`policy`] | the rules' contracts, read from `policies/`: mode, operations, why, fix |
//! | [`rules`] | the rules that need code, one file or folder a kind |
//! | [`world`] | what a rule may ask about: from manifests, or watched in a cluster |
//! | [`engine`] | request → findings → verdict: ratchet, trust, modes, exemptions |
//! | [`simulate`] | what would come of an action: the verdict, and what Ramen would wait for |
//! | [`floor`] | what holds without a server of ours: the rules as ValidatingAdmissionPolicies |
//! | [`admission`] | `AdmissionReview` in and out, mutation, the TLS server |
//! | [`cel`] | expressions in CEL, as kube-apiserver evaluates them |
//! | [`reconcile`] | certificates, `caBundle`, defaults, the audit of what is stored: the only code that writes |
//! | [`golang`] | what Go's and Kubernetes' own libraries make of a text: durations, networks, selectors, names |
//! | [`manifest`] | YAML as kubectl reads it, with positions; schemas |
//! | [`scenario`] | the scenarios that prove the rules, which `explain` shows too |
//! | [`install`] | the manifests that an administrator applies |
//! | [`report`] | findings, and how they are shown |
//! | [`site`] | a site's own rules: ValidatingAdmissionPolicies that its users wrote |
//! | [`cli`] | one file a command |

pub mod admission;
pub mod api;
pub mod cel;
pub mod cli;
pub mod engine;
pub mod floor;
pub mod golang;
pub mod install;
pub mod manifest;
pub mod policy;
pub mod reconcile;
pub mod report;
pub mod rules;
pub mod scenario;
pub mod simulate;
pub mod site;
pub mod world;
