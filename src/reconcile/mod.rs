//! What the guard does by itself, beside answering: the only code that writes.
//!
//! Every replica serves, with one certificate that all share. One of them leads, by a Lease, and alone
//! changes anything else. Nothing here is needed for an answer: a guard that may write nothing judges all
//! the same.
//!
//! | module | what it writes |
//! | --- | --- |
//! | [`lease`] | the Lease that says who leads |
//! | [`certificates`] | the CA and the serving certificate, in a Secret |
//! | [`bundle`] | `caBundle` in the guard's own webhook configurations |
//!
//! What it changes for others it says in a log, an Event and a metric, and never against another writer:
//! see [`contest`]. While the guard's namespace has the mark of [`marker`], nothing is written at all.

mod bundle;
mod certificates;
mod contest;
mod lease;
mod marker;
mod tell;

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use kube::Client;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admission::{certificate::Pair, metrics::Metrics};

pub use certificates::{Certificates, Lives};
use marker::Marker;
use tell::Teller;

/// What the guard calls itself where it writes: field manager, reporter of Events, holder of names.
pub const MANAGER: &str = "ramen-guard";
/// The label that all of the guard's own objects have.
pub const OURS: &str = "app.kubernetes.io/name=ramen-guard";
/// The Secret with the CA and the serving certificate.
pub const SECRET: &str = "ramen-guard-certificate";
/// The Lease of the replica that leads.
pub const LEASE: &str = "ramen-guard";
/// The guard's Service: what the certificate is for.
pub const SERVICE: &str = "ramen-guard";

/// Where a pod finds the name of its namespace.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// The namespace that this process runs in; nothing outside of a cluster.
pub fn namespace() -> Option<String> {
    let given = std::env::var("POD_NAMESPACE").ok();
    let found = given.or_else(|| std::fs::read_to_string(NAMESPACE_FILE).ok());
    found
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
}

/// How often things are looked at, and how long they are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long a leader that is not heard of stays the leader.
    pub lease: Duration,
    /// Between two signs of life of the leader.
    pub renew: Duration,
    /// Between two looks at what is to be kept as it should be.
    pub look: Duration,
    /// From a new `caBundle` to the first use of the CA in it: until every API server goes by it.
    pub settle: Duration,
    /// How long something must have stayed as it was left before earlier tries are forgotten.
    pub forget: Duration,
}

impl Pace {
    /// The usual pace times `factor`: less is faster.
    ///
    /// # Panics
    /// If it is negative, not finite, or far too large.
    pub fn times(factor: f64) -> Self {
        let seconds = |seconds: u64| Duration::from_secs(seconds).mul_f64(factor);
        Self {
            lease: seconds(15),
            renew: seconds(5),
            look: seconds(10),
            settle: seconds(10),
            forget: seconds(3600),
        }
    }
}

/// What the reconciler needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The namespace that the guard runs in.
    pub namespace: String,
    /// How fast.
    pub pace: Pace,
    /// How long certificates last, where the guard makes its own; nothing where they are mounted.
    pub lives: Option<Lives>,
}

/// What is started with [`start`].
pub struct Started {
    /// The certificate to serve; nothing where it is mounted.
    pub certificates: Option<Certificates>,
    /// The tasks. They end a moment after `stop`, when the Lease has been given back.
    pub tasks: JoinSet<()>,
}

/// Starts the reconciler.
///
/// # Errors
/// If metrics of these names are there already, or no certificate can be made in memory.
pub fn start(
    client: &Client,
    options: Options,
    metrics: &Arc<Metrics>,
    stop: &CancellationToken,
) -> Result<Started, String> {
    let Options {
        namespace,
        pace,
        lives,
    } = options;
    let identity = identity();
    let marker = Arc::new(Marker::new(client.clone(), &namespace, metrics)?);
    let teller = Arc::new(Teller::new(client.clone(), &identity, metrics)?);
    let mut tasks = JoinSet::new();

    let (elector, leads) = lease::Elector::new(
        client.clone(),
        &namespace,
        identity,
        pace,
        Arc::clone(&marker),
        metrics,
    )?;
    tasks.spawn(elector.run(stop.clone()));

    let certificates = match lives {
        None => None,
        Some(lives) => {
            let (keeper, certificates) = certificates::Keeper::new(
                client.clone(),
                &namespace,
                lives,
                pace,
                (marker, teller),
                metrics,
            )?;
            tasks.spawn(keeper.run(leads, stop.clone()));
            Some(certificates)
        }
    };
    Ok(Started {
        certificates,
        tasks,
    })
}

/// The labels of what the guard makes.
fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([("app.kubernetes.io/name".to_owned(), MANAGER.to_owned())])
}

/// Who this replica is: its pod, and which life of it.
fn identity() -> String {
    let name = std::env::var("POD_NAME").or_else(|_| std::env::var("HOSTNAME"));
    let life = RandomState::new().build_hasher().finish();
    format!("{}_{life:016x}", name.as_deref().unwrap_or(MANAGER))
}

/// Waits for a while, or until the end. Whether it has not come.
async fn wait(duration: Duration, stop: &CancellationToken) -> bool {
    stop.run_until_cancelled(tokio::time::sleep(duration))
        .await
        .is_some()
}

/// A pair that nobody trusts, for a listener that has none yet.
fn stand_in() -> Result<Pair, String> {
    let hour = Duration::from_secs(3600);
    crate::admission::certificate::Authority::new("ramen-guard, not ready", hour)
        .and_then(|authority| authority.issue(&["not-ready.ramen-guard.invalid"], hour))
        .map_err(|error| error.to_string())
}
