//! A server to talk to, a reviewer that does what it is told, and clients.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::{
    body::{Bytes, Incoming},
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ramen_guard::admission::{
    certificate::{Authority, Pair},
    metrics::Metrics,
    server::{Bound, Limits, Refusal, Reviewer, ServeError, ServerConfig, Summary, serve},
    tls::{Source, TlsConfig},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, oneshot, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::CancellationToken;

pub(crate) const DAY: Duration = Duration::from_hours(24);
/// Nothing takes this long unless it hangs.
pub(crate) const LONG: Duration = Duration::from_secs(20);
/// Timeouts that a test waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(200);
pub(crate) const NAMES: [&str; 2] = ["guard.test", "127.0.0.1"];

/// Does what the body says.
pub(crate) struct Puppet {
    /// A review of `wait` takes one of these.
    pub(crate) permits: Semaphore,
    /// Told when a review waits.
    pub(crate) waiting: watch::Sender<usize>,
    pub(crate) unready: Mutex<Option<String>>,
}

impl Default for Puppet {
    fn default() -> Self {
        Self {
            permits: Semaphore::new(0),
            waiting: watch::Sender::new(0),
            unready: Mutex::default(),
        }
    }
}

impl Reviewer for Puppet {
    async fn validate(&self, body: Bytes) -> Result<Bytes, Refusal> {
        match &*body {
            b"panic" => panic!("the review was told to"),
            b"refuse" => Err(Refusal::new(StatusCode::BAD_REQUEST, "this is no review")),
            b"wait" => {
                self.waiting.send_modify(|waiting| *waiting += 1);
                self.permits.acquire().await.unwrap().forget();
                Ok(Bytes::from_static(b"waited"))
            }
            _ => Ok(body),
        }
    }

    async fn mutate(&self, body: Bytes) -> Result<Bytes, Refusal> {
        Ok(Bytes::from(format!("{} bytes", body.len())))
    }

    fn ready(&self) -> Result<(), String> {
        self.unready.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

/// A server that runs, and what is needed to talk to it.
pub(crate) struct Server {
    pub(crate) bound: Bound,
    pub(crate) puppet: Arc<Puppet>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) ended: JoinHandle<Result<Summary, ServeError>>,
}

impl Server {
    pub(crate) async fn start(tls: TlsConfig, limits: Limits) -> Self {
        let (bound, at) = oneshot::channel();
        let config = ServerConfig {
            bind: loopback(),
            metrics_bind: Some(loopback()),
            tls,
            limits,
            bound: Some(bound),
        };
        let puppet = Arc::new(Puppet::default());
        let metrics = Arc::new(Metrics::new(&[]).unwrap());
        let shutdown = CancellationToken::new();
        let ended = tokio::spawn(serve(
            config,
            puppet.clone(),
            metrics.clone(),
            shutdown.clone(),
        ));
        Self {
            bound: at.await.unwrap(),
            puppet,
            metrics,
            shutdown,
            ended,
        }
    }

    /// Waits until so many reviews wait.
    pub(crate) async fn waits(&self, reviews: usize) {
        let mut waiting = self.puppet.waiting.subscribe();
        soon(waiting.wait_for(|waiting| *waiting >= reviews))
            .await
            .unwrap();
    }

    pub(crate) async fn end(self) -> Summary {
        self.shutdown.cancel();
        soon(self.ended).await.unwrap().unwrap()
    }

    /// What the plain port says.
    pub(crate) async fn plain(&self, path: &str) -> (StatusCode, String) {
        let stream = TcpStream::connect(self.bound.metrics.unwrap())
            .await
            .unwrap();
        let (mut send, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get(path)
            .header("host", "guard")
            .body(whole(""))
            .unwrap();
        let (head, body) = read(send.send_request(request).await.unwrap()).await;
        (head.status, body)
    }
}

/// A client that trusts one CA.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) config: ClientConfig,
    name: &'static str,
}

impl Client {
    pub(crate) fn new(authority: &Authority) -> Self {
        Self::with(authority, None, &[&TLS13, &TLS12])
    }

    /// Trusts a CA of which it has no more than the certificate, in PEM, to vouch for this name.
    pub(crate) fn trusting(ca: &str, name: &'static str) -> Self {
        let client = Self::made(ca, None, &[&TLS13, &TLS12]);
        Self { name, ..client }
    }

    pub(crate) fn with(
        authority: &Authority,
        own: Option<&Pair>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        Self::made(authority.cert_pem(), own, versions)
    }

    fn made(
        ca: &str,
        own: Option<&Pair>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap())
            .unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match own {
            None => config.with_no_client_auth(),
            Some(pair) => config
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(pair.cert_pem.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(pair.key_pem.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        Self {
            config,
            name: NAMES[0],
        }
    }

    pub(crate) async fn tls(
        &self,
        at: SocketAddr,
        alpn: &[&str],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut config = self.config.clone();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(self.name).unwrap();
        let stream = TcpStream::connect(at).await?;
        soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
    }

    pub(crate) async fn http1(&self, server: &Server) -> Http1 {
        let stream = self.tls(server.bound.webhook, &["http/1.1"]).await.unwrap();
        let (send, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Http1(send)
    }

    pub(crate) async fn http2(&self, server: &Server) -> http2::SendRequest<Body> {
        let stream = self
            .tls(server.bound.webhook, &["h2", "http/1.1"])
            .await
            .unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (send, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        send
    }
}

pub(crate) type Body = BoxBody<Bytes, Infallible>;

/// One HTTP/1.1 connection.
pub(crate) struct Http1(pub(crate) http1::SendRequest<Body>);

impl Http1 {
    pub(crate) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> hyper::Result<(http::response::Parts, String)> {
        let sent = async {
            self.0.ready().await?;
            Ok(read(self.0.send_request(request).await?).await)
        };
        soon(sent).await
    }

    /// Posts a review and gives the status and the answer.
    pub(crate) async fn post(&mut self, body: impl Into<Bytes>) -> (StatusCode, String) {
        let (head, answer) = self.send(review(whole(body))).await.unwrap();
        (head.status, answer)
    }
}

pub(crate) async fn read(response: Response<Incoming>) -> (http::response::Parts, String) {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head, String::from_utf8(body.into()).unwrap())
}

pub(crate) fn whole(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).boxed()
}

pub(crate) fn review(body: Body) -> Request<Body> {
    Request::post("https://guard.test/validate?timeout=3s")
        .header("host", "guard.test")
        .header("content-type", "application/json")
        .body(body)
        .unwrap()
}

pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

pub(crate) async fn soon<F: Future>(what: F) -> F::Output {
    timeout(LONG, what).await.expect("it hangs")
}

/// Tries until it holds.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    soon(async {
        while !holds().await {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

pub(crate) fn authority() -> Authority {
    Authority::new("test CA", DAY).unwrap()
}

pub(crate) fn served_by(authority: &Authority) -> TlsConfig {
    TlsConfig::new(Source::given(authority.issue(&NAMES, DAY).unwrap()))
}

pub(crate) async fn started(limits: Limits) -> (Server, Client) {
    let authority = authority();
    (
        Server::start(served_by(&authority), limits).await,
        Client::new(&authority),
    )
}
