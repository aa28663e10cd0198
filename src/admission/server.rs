//! The HTTPS front of `serve`: connections, limits, timeouts, drain. What a review means is the
//! business of a [`Reviewer`].
//!
//! An API server keeps its connections and sends reviews of some kilobytes over HTTP/1.1 (over
//! HTTP/2 only to a loopback address), so that is the path to keep short: one task a connection,
//! no task or thread switch a request, and a body that came in one piece is not copied.

use std::{io, net::SocketAddr, num::NonZeroUsize, sync::Arc, time::Duration};

use http::StatusCode;
use hyper::body::Bytes;
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::connection::{Port, Stages};
use super::{
    certificate::CertificateError,
    metrics::Metrics,
    tls::{Tls, TlsConfig},
};

mod connection;
mod health;
mod routes;

/// Answers `AdmissionReview`s.
pub trait Reviewer: Send + Sync + 'static {
    /// Answers one that was sent to `POST /validate`; `body` is the request's bytes.
    ///
    /// # Errors
    /// If there is nothing to answer, such as a body that is no review.
    fn validate(&self, body: Bytes) -> impl Future<Output = Result<Bytes, Refusal>> + Send;

    /// Answers one that was sent to `POST /mutate`; `body` is the request's bytes.
    ///
    /// # Errors
    /// If there is nothing to answer, such as a body that is no review.
    fn mutate(&self, body: Bytes) -> impl Future<Output = Result<Bytes, Refusal>> + Send;

    /// Whether answers can be relied on.
    ///
    /// # Errors
    /// What is not ready yet, such as a cache that has not synced.
    fn ready(&self) -> Result<(), String>;
}

/// A review that can't be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The HTTP status, 4xx or 5xx.
    pub status: StatusCode,
    /// What is wrong, in plain text.
    pub message: String,
}

impl Refusal {
    /// A refusal with this status and message.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

/// Where to listen, what to show, and within which bounds.
#[derive(Debug)]
pub struct ServerConfig {
    /// Where reviews are answered, over TLS. Port 0 takes any free one.
    pub bind: SocketAddr,
    /// Where health and metrics are, in plain HTTP; nowhere if `None`.
    pub metrics_bind: Option<SocketAddr>,
    /// The serving certificate.
    pub tls: TlsConfig,
    /// How much and how long.
    pub limits: Limits,
    /// Told what was bound, once, before the first connection is accepted.
    pub bound: Option<oneshot::Sender<Bound>>,
}

/// The addresses that were bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The webhook's.
    pub webhook: SocketAddr,
    /// Health and metrics.
    pub metrics: Option<SocketAddr>,
}

/// What the server bears from its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// Open connections to the webhook's port; more wait in the kernel's queue.
    pub connections: usize,
    /// Requests at a time on one HTTP/2 connection.
    pub streams: u32,
    /// From the connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the handshake to the first request's complete head.
    pub first_request: Duration,
    /// Between two requests. API servers close after 90 s, and must be the first to: who closes
    /// later never cuts off a request that is on its way.
    pub idle: Duration,
    /// From a request's head to its answer.
    pub request: Duration,
    /// How long to go on accepting after the shutdown began, not ready any more, while endpoints
    /// are taken out of the load balancers.
    pub linger: Duration,
    /// How long requests in flight may take to finish after that.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 8 << 20,
            connections: 1024,
            streams: 128,
            handshake: Duration::from_secs(10),
            first_request: Duration::from_secs(30),
            idle: Duration::from_mins(3),
            request: Duration::from_secs(10),
            linger: Duration::ZERO,
            drain: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// What is enough for probes and scrapes.
    fn of_health(self) -> Self {
        Self {
            connections: 64,
            drain: Duration::from_secs(1),
            ..self
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Requests that were still not answered when the time to drain was over.
    pub cut: usize,
}

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The certificate can't be served.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The address can't be listened on.
    #[error("can't listen on {address}: {source}; choose another with {option}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The option that sets it.
        option: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// Serves until `shutdown`, then drains.
///
/// # Errors
/// If the certificate is of no use, or an address can't be bound. After that it only returns when
/// it has shut down.
pub async fn serve<R: Reviewer>(
    config: ServerConfig,
    reviewer: Arc<R>,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> Result<Summary, ServeError> {
    let ServerConfig {
        bind,
        metrics_bind,
        tls,
        limits,
        bound,
    } = config;
    let (tls, follower) = Tls::load(tls, metrics.clone())?;
    let webhook = listen(bind, "--bind").await?;
    let health = match metrics_bind {
        Some(address) => Some(listen(address, "--metrics-bind").await?),
        None => None,
    };
    if let Some(bound) = bound {
        let address = |listener: &TcpListener| listener.local_addr().ok();
        // A caller that does not listen any more does not want to know.
        let _ = bound.send(Bound {
            webhook: address(&webhook).unwrap_or(bind),
            metrics: health.as_ref().and_then(address),
        });
    }

    let (stages, ended) = (Stages::default(), Stages::default());
    // Tasks of their own, so that connections begin on the runtime's workers.
    let mut beside = JoinSet::new();
    beside.spawn(follower.run(ended.closing.clone()));
    if let Some(listener) = health {
        let health = health::router(
            reviewer.clone(),
            tls.clone(),
            metrics.clone(),
            shutdown.clone(),
        );
        let port = Port::new(health, None, limits.of_health(), None, ended.clone());
        beside.spawn(async move {
            Arc::new(port).run(listener).await;
        });
    }
    let reviews = routes::router(reviewer, metrics.clone(), limits);
    let port = Port::new(reviews, Some(tls), limits, Some(metrics), stages.clone());
    let mut port = JoinSet::from_iter([Arc::new(port).run(webhook)]);

    shutdown.cancelled().await;
    stages.leaving.cancel();
    tokio::time::sleep(limits.linger).await;
    stages.closing.cancel();
    let cut = port.join_next().await;
    // Until here probes could still ask, and were told that this one is not ready.
    ended.closing.cancel();
    while beside.join_next().await.is_some() {}
    Ok(Summary {
        cut: cut.and_then(Result::ok).unwrap_or_default(),
    })
}

/// How many threads a runtime needs that serves: one a core that the process may use, but no more
/// than 4. Reviews are short, and each thread costs memory when idle.
pub fn workers() -> NonZeroUsize {
    const MOST: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not 0");
    std::thread::available_parallelism().map_or(NonZeroUsize::MIN, |cores| cores.min(MOST))
}

async fn listen(address: SocketAddr, option: &'static str) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Bind {
            address,
            option,
            source,
        })
}
