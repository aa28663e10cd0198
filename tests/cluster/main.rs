//! The guard's manifests, and later the guard, against a real kube-apiserver, with kubectl as the
//! client. [`server`] says how a test gets one.
#![allow(clippy::unwrap_used, reason = "tests fail by it")]

mod assets;
mod client;
mod fixtures;
mod generate;
mod guard;
mod kubectl;
mod link;
mod process;
mod proxy;
mod server;
mod stub;
mod tls;
mod webhooks;

mod bare;
mod certificates;
mod dryrun;
mod failsafe;
mod floor;
mod install;
mod managed;
mod manifests;
mod pipelines;
mod plugin;
mod reconcile;
mod routing;
mod scenarios;
mod schema;
mod served;
mod simulate;
mod site;
mod stopped;
