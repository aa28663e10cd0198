//! What the guard does by itself, beside answering: the only code that writes.
//!
//! Every replica serves, with one certificate that all share. One of them leads, by a Lease, and alone
//! changes anything else. Nothing here is needed for an answer: a guard that may write nothing judges all
//! the same.
//!
//! | module | what it writes |
//! | --- | --- |
//! | `lease` | the Lease that says who leads |
//! | `certificates` | the CA and the serving certificate, in a Secret |
//! | `bundle` | `caBundle` in the guard's own webhook configurations |
//! | `defaults` | the backup label, where it is missing; annotations that a deleted application left behind |
//! | `config` | keys that are missing in the hub operator's configuration |
//! | `audit` | what is wrong with what is stored, in a ConfigMap and in a policy report |
//! | `probe` | nothing: it tries whether the API server reaches the guard, and looks for old webhooks |
//!
//! What it changes for others it says in a log, an Event and a metric, and never against another writer:
//! see `contest`. While the guard's namespace has the mark of `marker`, nothing is written at all.

mod audit;
mod bundle;
mod certificates;
mod config;
mod contest;
mod defaults;
mod leader;
mod lease;
mod marker;
mod probe;
mod status;
mod tell;

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use kube::Client;
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    admission::{certificate::Pair, guard::Guard, metrics::Metrics},
    world::Cluster,
};

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
/// The ConfigMap that says how things stand.
pub const STATUS: &str = "ramen-guard-status";
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
    /// Between two audits of what is stored.
    pub audit: Duration,
    /// Between two tries of the path from the API server to the guard.
    pub probe: Duration,
    /// How long a placement must have belonged to nobody.
    pub grace: Duration,
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
            audit: seconds(600),
            probe: seconds(60),
            grace: seconds(300),
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

/// What the guard does by itself, ready to be started.
pub struct Reconciler {
    client: Client,
    namespace: String,
    pace: Pace,
    marker: Arc<Marker>,
    teller: Arc<Teller>,
    elector: lease::Elector,
    leads: watch::Receiver<bool>,
    keeper: Option<certificates::Keeper>,
}

impl Reconciler {
    /// Gets everything ready, and the certificate to serve; none where it is mounted.
    ///
    /// # Errors
    /// If metrics of these names are there already, or no certificate can be made in memory.
    pub fn new(
        client: &Client,
        options: Options,
        metrics: &Arc<Metrics>,
    ) -> Result<(Self, Option<Certificates>), String> {
        let Options {
            namespace,
            pace,
            lives,
        } = options;
        let identity = identity();
        let marker = Arc::new(Marker::new(client.clone(), &namespace, metrics)?);
        let teller = Arc::new(Teller::new(client.clone(), &identity, metrics)?);
        let (elector, leads) = lease::Elector::new(
            client.clone(),
            &namespace,
            identity,
            pace,
            Arc::clone(&marker),
            metrics,
        )?;
        let (keeper, certificates) = match lives {
            None => (None, None),
            Some(lives) => {
                let both = (Arc::clone(&marker), Arc::clone(&teller));
                let made = certificates::Keeper::new(
                    client.clone(),
                    &namespace,
                    lives,
                    pace,
                    both,
                    metrics,
                )?;
                (Some(made.0), Some(made.1))
            }
        };
        let reconciler = Self {
            client: client.clone(),
            namespace,
            pace,
            marker,
            teller,
            elector,
            leads,
            keeper,
        };
        Ok((reconciler, certificates))
    }

    /// Starts. The tasks end a moment after `stop`, when the Lease has been given back.
    ///
    /// # Errors
    /// If metrics of these names are there already.
    pub fn start(
        self,
        guard: Arc<Guard>,
        world: Arc<Cluster>,
        metrics: &Arc<Metrics>,
        stop: &CancellationToken,
    ) -> Result<JoinSet<()>, String> {
        let mut tasks = JoinSet::new();
        let place = leader::Place {
            client: self.client,
            namespace: self.namespace,
            guard,
            world,
            marker: self.marker,
            teller: self.teller,
        };
        let leader = leader::Leader::new(place, self.pace, metrics)?;
        tasks.spawn(leader.run(self.leads.clone(), stop.clone()));
        if let Some(keeper) = self.keeper {
            tasks.spawn(keeper.run(self.leads, stop.clone()));
        }
        tasks.spawn(self.elector.run(stop.clone()));
        Ok(tasks)
    }
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

/// Whether the API server refused, so that trying again in the same way is of no use.
fn is_refusal(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if (400..500).contains(&status.code) && status.code != 429)
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
