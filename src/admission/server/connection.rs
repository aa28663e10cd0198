//! One port: accepting, the handshake, and each connection from its first request to its end.

use std::{
    convert::Infallible,
    error::Error,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HeaderValue, Request, Response, Version, header::CONNECTION};
use hyper::{
    body::{Body, Bytes, Incoming},
    rt::{Read, Write},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use prometheus::IntGauge;
use tokio::{
    io::BufReader,
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::Service;

use super::Limits;
use crate::admission::{metrics::Metrics, tls::Tls};

/// Room for a whole TLS record. rustls reads 4 KiB at a time: without a buffer below it, a review
/// of 9 KB costs three system calls instead of one.
const READ_AHEAD: usize = 18 << 10;
/// HTTP/2 pings that find out whether an idle client is still there.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_ANSWER: Duration = Duration::from_secs(20);
/// What a connection that has not asked anything yet gets when the port closes.
const LAST_CHANCE: Duration = Duration::from_secs(1);
/// After accepting failed, for want of file descriptors for instance.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// How far a shutdown has come.
#[derive(Clone, Default)]
pub(super) struct Stages {
    /// Clients are asked to go elsewhere: answers over HTTP/1 say `connection: close`.
    pub(super) leaving: CancellationToken,
    /// Nothing is accepted any more, and connections end after what is in flight.
    pub(super) closing: CancellationToken,
}

/// What all connections of one port share.
pub(super) struct Port<S> {
    service: S,
    tls: Option<Arc<Tls>>,
    limits: Limits,
    metrics: Option<Arc<Metrics>>,
    stages: Stages,
    http1: Builder<TokioExecutor>,
    http2: Builder<TokioExecutor>,
    in_flight: AtomicUsize,
}

impl<S, B> Port<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    /// A port that answers with `service`: over TLS if `tls` is given, counting in `metrics` if they
    /// are.
    pub(super) fn new(
        service: S,
        tls: Option<Arc<Tls>>,
        limits: Limits,
        metrics: Option<Arc<Metrics>>,
        stages: Stages,
    ) -> Self {
        let builder = Builder::new(TokioExecutor::new());
        let mut http1 = builder.clone().http1_only();
        // hyper's own timeout runs between two requests as well. See `Limits::idle` for why that
        // must be long, and `Watch` for what is done instead.
        http1
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(None);
        let mut http2 = builder.http2_only();
        http2
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_ANSWER);
        Self {
            service,
            tls,
            limits,
            metrics,
            stages,
            http1,
            http2,
            in_flight: AtomicUsize::new(0),
        }
    }

    /// Accepts until the port closes, then drains. Returns how many requests were cut off.
    pub(super) async fn run(self: Arc<Self>, listener: TcpListener) -> usize {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = self.stages.closing.cancelled() => break,
                Some(ended) = open.join_next() => if let Err(why) = ended {
                    tracing::error!("a connection ended badly: {why}");
                },
                accepted = listener.accept(), if open.len() < self.limits.connections => match accepted {
                    Ok((stream, peer)) => drop(open.spawn(self.clone().connection(stream, peer))),
                    Err(why) => {
                        tracing::warn!("can't accept a connection: {why}");
                        sleep(ACCEPT_AGAIN).await;
                    }
                },
            }
        }
        drop(listener);
        let all_ended = async { while open.join_next().await.is_some() {} };
        let _ = timeout(self.limits.drain, all_ended).await;
        let cut = self.in_flight.load(Relaxed);
        open.shutdown().await;
        cut
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        let _open = self
            .metrics
            .as_ref()
            .map(|metrics| Counted::new(metrics.connections().clone()));
        // Without it an answer can wait for the acknowledgement of the one before.
        if let Err(why) = stream.set_nodelay(true) {
            tracing::debug!(%peer, "gone before it was served: {why}");
            return;
        }
        let Some(tls) = &self.tls else {
            return self.http(&self.http1, TokioIo::new(stream), peer).await;
        };
        let stream = BufReader::with_capacity(READ_AHEAD, stream);
        let shaken = timeout(self.limits.handshake, tls.acceptor().accept(stream)).await;
        match shaken {
            Ok(Ok(stream)) => {
                let chosen = stream.get_ref().1.alpn_protocol();
                let http2 = chosen == Some(b"h2");
                let builder = if http2 { &self.http2 } else { &self.http1 };
                return self.http(builder, TokioIo::new(stream), peer).await;
            }
            // Somebody who wanted to speak with us, unlike a probe of the port.
            Ok(Err(why)) if refused_us(&why) => tracing::warn!(
                %peer, "a client does not accept the serving certificate; does it trust the right CA? {why}"
            ),
            Ok(Err(why)) => tracing::debug!(%peer, "the TLS handshake failed: {why}"),
            Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
        }
        if let Some(metrics) = &self.metrics {
            metrics.handshake_failures().inc();
        }
    }

    /// Answers requests until the client leaves, is idle or slow for too long, or the port closes.
    async fn http<T>(self: &Arc<Self>, builder: &Builder<TokioExecutor>, io: T, peer: SocketAddr)
    where
        T: Read + Write + Unpin + 'static,
    {
        let doings = Arc::new(Doings::default());
        let service = service_fn(|request: Request<Incoming>| {
            let begun = Begun::new(self.clone(), doings.clone());
            let over_http1 = request.version() < Version::HTTP_2;
            let answer = self.service.clone().call(request);
            async move {
                let mut response = answer.await?;
                if over_http1 && begun.port.stages.leaving.is_cancelled() {
                    response
                        .headers_mut()
                        .insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            }
        });
        let mut connection = pin!(builder.serve_connection(io, service));
        let mut closing = pin!(self.stages.closing.cancelled());
        let mut alarm = pin!(sleep(self.limits.first_request));
        let mut watch = Watch::new(doings.clone(), self.limits.idle);
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(why) = ended {
                        tracing::debug!(%peer, "connection ended: {why}");
                    }
                    return;
                }
                () = closing.as_mut(), if !watch.closing => {
                    if watch.close() {
                        connection.as_mut().graceful_shutdown();
                    } else {
                        alarm.as_mut().reset(Instant::now() + LAST_CHANCE);
                    }
                }
                () = alarm.as_mut() => {
                    let Some((farewell, patience)) = watch.look() else { return };
                    if farewell {
                        connection.as_mut().graceful_shutdown();
                    }
                    alarm.as_mut().reset(Instant::now() + patience);
                }
            }
        }
    }
}

/// Whether the client ended the handshake and said so.
fn refused_us(why: &io::Error) -> bool {
    why.get_ref()
        .and_then(|why| why.downcast_ref::<rustls::Error>())
        .is_some_and(|why| matches!(why, rustls::Error::AlertReceived(_)))
}

/// Says when a connection has been quiet for too long. It looks at how many requests there were
/// since it last looked, so that a request costs no timer.
struct Watch {
    doings: Arc<Doings>,
    idle: Duration,
    seen: usize,
    farewell: bool,
    closing: bool,
}

impl Watch {
    fn new(doings: Arc<Doings>, idle: Duration) -> Self {
        Self {
            doings,
            idle,
            seen: 0,
            farewell: false,
            closing: false,
        }
    }

    /// The port closes: whether the connection can be told at once. One that was never asked
    /// anything can't: its first request may be on its way.
    fn close(&mut self) -> bool {
        self.closing = true;
        self.doings.begun.load(Relaxed) > 0
    }

    /// Whether to say farewell, and when to look again; `None` if that is over, because the client
    /// sent half a head, or is gone.
    fn look(&mut self) -> Option<(bool, Duration)> {
        let begun = self.doings.begun.load(Relaxed);
        let quiet = begun == self.seen && self.doings.in_flight.load(Relaxed) == 0;
        if quiet && self.farewell {
            return None;
        }
        self.seen = begun;
        self.farewell = quiet;
        Some((
            quiet || self.closing,
            if quiet { LAST_CHANCE } else { self.idle },
        ))
    }
}

/// What one connection has been asked, for its watch.
#[derive(Default)]
struct Doings {
    begun: AtomicUsize,
    in_flight: AtomicUsize,
}

/// One request, from its head until its answer is on its way or nobody waits for it any more.
struct Begun<S> {
    port: Arc<Port<S>>,
    doings: Arc<Doings>,
}

impl<S> Begun<S> {
    fn new(port: Arc<Port<S>>, doings: Arc<Doings>) -> Self {
        doings.begun.fetch_add(1, Relaxed);
        doings.in_flight.fetch_add(1, Relaxed);
        port.in_flight.fetch_add(1, Relaxed);
        if let Some(metrics) = &port.metrics {
            metrics.in_flight().inc();
        }
        Self { port, doings }
    }
}

impl<S> Drop for Begun<S> {
    fn drop(&mut self) {
        self.doings.in_flight.fetch_sub(1, Relaxed);
        self.port.in_flight.fetch_sub(1, Relaxed);
        if let Some(metrics) = &self.port.metrics {
            metrics.in_flight().dec();
        }
    }
}

/// Counts up, and down again when dropped.
struct Counted(IntGauge);

impl Counted {
    fn new(gauge: IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
