//! The HTTPS front over real sockets, with real clients. Nothing here depends on how fast it is,
//! only that things happen within a generous while.

#![allow(clippy::unwrap_used)]

use std::{
    convert::Infallible,
    fs,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::symlink,
    path::Path,
    sync::{Arc, Mutex, Once},
    time::Duration,
};

use futures::StreamExt as _;
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Bytes, Frame, Incoming},
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
    ClientConfig, ProtocolVersion, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Semaphore, oneshot, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::CancellationToken;

const DAY: Duration = Duration::from_hours(24);
/// Nothing takes this long unless it hangs.
const LONG: Duration = Duration::from_secs(20);
/// Timeouts that a test waits for.
const SHORT: Duration = Duration::from_millis(200);
const NAMES: [&str; 2] = ["guard.test", "127.0.0.1"];

/// Does what the body says.
struct Puppet {
    /// A review of `wait` takes one of these.
    permits: Semaphore,
    /// Told when a review waits.
    waiting: watch::Sender<usize>,
    unready: Mutex<Option<String>>,
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
struct Server {
    bound: Bound,
    puppet: Arc<Puppet>,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
    ended: JoinHandle<Result<Summary, ServeError>>,
}

impl Server {
    async fn start(tls: TlsConfig, limits: Limits) -> Self {
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
    async fn waits(&self, reviews: usize) {
        let mut waiting = self.puppet.waiting.subscribe();
        soon(waiting.wait_for(|waiting| *waiting >= reviews))
            .await
            .unwrap();
    }

    async fn end(self) -> Summary {
        self.shutdown.cancel();
        soon(self.ended).await.unwrap().unwrap()
    }

    /// What the plain port says.
    async fn plain(&self, path: &str) -> (StatusCode, String) {
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
struct Client {
    config: ClientConfig,
}

impl Client {
    fn new(authority: &Authority) -> Self {
        Self::with(authority, None, &[&TLS13, &TLS12])
    }

    fn with(
        authority: &Authority,
        own: Option<&Pair>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(authority.cert_pem().as_bytes()).unwrap())
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
        Self { config }
    }

    async fn tls(&self, at: SocketAddr, alpn: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
        let mut config = self.config.clone();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(NAMES[0]).unwrap();
        let stream = TcpStream::connect(at).await?;
        soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
    }

    async fn http1(&self, server: &Server) -> Http1 {
        let stream = self.tls(server.bound.webhook, &["http/1.1"]).await.unwrap();
        let (send, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Http1(send)
    }

    async fn http2(&self, server: &Server) -> http2::SendRequest<Body> {
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

type Body = BoxBody<Bytes, Infallible>;

/// One HTTP/1.1 connection.
struct Http1(http1::SendRequest<Body>);

impl Http1 {
    async fn send(
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
    async fn post(&mut self, body: impl Into<Bytes>) -> (StatusCode, String) {
        let (head, answer) = self.send(review(whole(body))).await.unwrap();
        (head.status, answer)
    }
}

async fn read(response: Response<Incoming>) -> (http::response::Parts, String) {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head, String::from_utf8(body.into()).unwrap())
}

fn whole(body: impl Into<Bytes>) -> Body {
    Full::new(body.into()).boxed()
}

/// A body of unknown length, in pieces.
fn pieces(pieces: Vec<Bytes>) -> Body {
    BodyExt::boxed(StreamBody::new(
        futures::stream::iter(pieces).map(|piece| Ok(Frame::data(piece))),
    ))
}

fn review(body: Body) -> Request<Body> {
    Request::post("https://guard.test/validate?timeout=3s")
        .header("host", "guard.test")
        .header("content-type", "application/json")
        .body(body)
        .unwrap()
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

async fn soon<F: Future>(what: F) -> F::Output {
    timeout(LONG, what).await.expect("it hangs")
}

/// Tries until it holds.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    soon(async {
        while !holds().await {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

fn authority() -> Authority {
    Authority::new("test CA", DAY).unwrap()
}

fn served_by(authority: &Authority) -> TlsConfig {
    TlsConfig::new(Source::given(authority.issue(&NAMES, DAY).unwrap()))
}

async fn started(limits: Limits) -> (Server, Client) {
    let authority = authority();
    (
        Server::start(served_by(&authority), limits).await,
        Client::new(&authority),
    )
}

// What a review must be

#[tokio::test]
async fn a_connection_is_kept() {
    let (server, client) = started(Limits::default()).await;
    let mut http1 = client.http1(&server).await;
    assert_eq!(http1.post("one").await, (StatusCode::OK, "one".into()));
    assert_eq!(http1.post("").await, (StatusCode::OK, String::new()));
    let mut mutate = review(whole("three"));
    *mutate.uri_mut() = "/mutate".parse().unwrap();
    let (head, answer) = http1.send(mutate).await.unwrap();
    assert_eq!((head.status, answer.as_str()), (StatusCode::OK, "5 bytes"));
    assert_eq!(head.headers["content-type"], "application/json");
    let text = server.metrics.render().unwrap();
    for line in [
        "ramen_guard_connections 1",
        "ramen_guard_in_flight 0",
        r#"ramen_guard_request_duration_seconds_count{endpoint="validate"} 2"#,
        r#"ramen_guard_request_duration_seconds_count{endpoint="mutate"} 1"#,
    ] {
        assert!(
            text.lines().any(|have| have == line),
            "{line} is not in\n{text}"
        );
    }
    assert_eq!(server.end().await.cut, 0);
}

#[tokio::test]
async fn http2_carries_many_reviews_at_once() {
    let (server, client) = started(Limits::default()).await;
    let http2 = client.http2(&server).await;
    let reviews = (0..50).map(|number| {
        let mut http2 = http2.clone();
        async move {
            let body = number.to_string().repeat(9000);
            let (head, answer) = read(
                http2
                    .send_request(review(whole(body.clone())))
                    .await
                    .unwrap(),
            )
            .await;
            assert_eq!(
                (head.status, head.version),
                (StatusCode::OK, Version::HTTP_2)
            );
            assert!(answer == body);
        }
    });
    soon(futures::future::join_all(reviews)).await;
    drop(http2);
    assert_eq!(server.end().await.cut, 0);
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken() {
    let authority = authority();
    let server = Server::start(served_by(&authority), Limits::default()).await;
    for (offered, agreed) in [
        (&TLS12, ProtocolVersion::TLSv1_2),
        (&TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let client = Client::with(&authority, None, &[offered]);
        let stream = client.tls(server.bound.webhook, &[]).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(agreed));
        let mut http1 = client.http1(&server).await;
        assert_eq!(http1.post("hello").await, (StatusCode::OK, "hello".into()));
    }
}

#[tokio::test]
async fn bodies_come_in_any_shape_up_to_the_limit() {
    let (server, client) = started(Limits {
        body: 100_000,
        ..Limits::default()
    })
    .await;
    let mut http1 = client.http1(&server).await;
    let exact = "a".repeat(100_000);
    assert_eq!(
        http1.post(exact.clone()).await,
        (StatusCode::OK, exact.clone())
    );
    let parts = |count| pieces(vec![Bytes::from("a".repeat(10_000)); count]);
    let (head, answer) = http1.send(review(parts(10))).await.unwrap();
    assert!(head.status == StatusCode::OK && answer == exact);

    let too_large = (
        StatusCode::PAYLOAD_TOO_LARGE,
        "the body is larger than 100000 bytes\n".to_owned(),
    );
    let mut http1 = client.http1(&server).await;
    assert_eq!(http1.post("a".repeat(100_001)).await, too_large);
    let mut http1 = client.http1(&server).await;
    let (head, answer) = http1.send(review(parts(11))).await.unwrap();
    assert_eq!((head.status, answer), too_large);
    let mut http2 = client.http2(&server).await;
    let (head, answer) = read(
        http2
            .send_request(review(whole("a".repeat(300_000))))
            .await
            .unwrap(),
    )
    .await;
    assert_eq!((head.status, answer), too_large);
    let text = server.metrics.render().unwrap();
    let counted = r#"ramen_guard_requests_total{endpoint="validate",kind="other",operation="other",verdict="failed"} 3"#;
    assert!(text.contains(counted), "{text}");
}

#[tokio::test]
async fn the_default_limit_is_8_mib() {
    let (server, client) = started(Limits::default()).await;
    let mut http1 = client.http1(&server).await;
    let (status, answer) = http1.post(vec![b'a'; 8 << 20]).await;
    assert!(status == StatusCode::OK && answer.len() == 8 << 20);
    let (status, answer) = http1.post(vec![b'a'; (8 << 20) + 1]).await;
    assert_eq!(
        (status, &*answer),
        (
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is larger than 8388608 bytes\n"
        )
    );
}

#[tokio::test]
async fn a_client_that_asks_first_need_not_send_a_refused_body() {
    let (server, client) = started(Limits::default()).await;
    let mut stream = client
        .tls(server.bound.webhook, &["http/1.1"])
        .await
        .unwrap();
    let head = "POST /validate HTTP/1.1\r\nhost: guard\r\ncontent-type: application/json\r\n\
                content-length: 99999999\r\nexpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn other_requests_are_refused_in_plain_words() {
    let (server, client) = started(Limits::default()).await;
    let mut http1 = client.http1(&server).await;
    let request = |method: Method, path: &str, kind: Option<&str>| {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "guard.test");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        request.body(whole("{}")).unwrap()
    };
    let json = Some("application/json");
    let cases = [
        (
            request(Method::POST, "/validate", None),
            415,
            "send the review as application/json\n",
        ),
        (
            request(Method::POST, "/mutate", Some("text/json")),
            415,
            "send the review as application/json\n",
        ),
        (
            request(Method::POST, "/validate", Some("application/jsonp")),
            415,
            "send the review as application/json\n",
        ),
        (
            request(Method::GET, "/validate", json),
            405,
            "send the review with POST\n",
        ),
        (
            request(Method::PUT, "/mutate", json),
            405,
            "send the review with POST\n",
        ),
        (
            request(Method::POST, "/", json),
            404,
            "nothing here: reviews go to /validate and /mutate\n",
        ),
        (
            request(Method::GET, "/healthz", json),
            404,
            "nothing here: reviews go to /validate and /mutate\n",
        ),
        (
            request(
                Method::POST,
                "/validate",
                Some("Application/JSON; charset=utf-8"),
            ),
            200,
            "{}",
        ),
    ];
    // All on one connection: a refusal does not end it.
    for (request, status, said) in cases {
        let what = format!("{request:?}");
        let (head, answer) = http1.send(request).await.unwrap();
        assert_eq!((head.status.as_u16(), &*answer), (status, said), "{what}");
        if status == 405 {
            assert_eq!(head.headers["allow"], "POST");
        }
    }
    assert_eq!(
        http1.post("refuse").await,
        (StatusCode::BAD_REQUEST, "this is no review\n".into())
    );
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    quiet_panics();
    let (server, client) = started(Limits::default()).await;
    let mut http1 = client.http1(&server).await;
    let failed = (
        StatusCode::INTERNAL_SERVER_ERROR,
        "the review failed; the guard's log says why\n".to_owned(),
    );
    assert_eq!(http1.post("panic").await, failed);
    assert_eq!(
        http1.post("still there").await,
        (StatusCode::OK, "still there".into())
    );
    let mut http2 = client.http2(&server).await;
    let (head, answer) = read(http2.send_request(review(whole("panic"))).await.unwrap()).await;
    assert_eq!((head.status, answer), failed);
    assert!(
        server
            .metrics
            .render()
            .unwrap()
            .contains("ramen_guard_in_flight 0")
    );
}

/// Panics that a test asks for need not fill its output.
fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.to_string().contains("the review was told to") {
                before(panic);
            }
        }));
    });
}

// Slow clients, slow reviews

#[tokio::test]
async fn a_slow_handshake_is_dropped() {
    let (server, client) = started(Limits {
        handshake: SHORT,
        ..Limits::default()
    })
    .await;
    let mut stream = TcpStream::connect(server.bound.webhook).await.unwrap();
    stream.write_all(b"\x16\x03\x01").await.unwrap();
    dropped(&mut stream).await;
    until(async || server.metrics.handshake_failures().get() == 1).await;
    assert_eq!(
        client.http1(&server).await.post("hello").await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_client_that_does_not_speak_tls_is_dropped() {
    let (server, client) = started(Limits::default()).await;
    let mut stream = TcpStream::connect(server.bound.webhook).await.unwrap();
    stream
        .write_all(b"POST /validate HTTP/1.1\r\nhost: guard\r\n\r\n")
        .await
        .unwrap();
    dropped(&mut stream).await;
    assert_eq!(
        client.http1(&server).await.post("hello").await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_slow_head_is_dropped() {
    let (server, client) = started(Limits {
        first_request: SHORT,
        ..Limits::default()
    })
    .await;
    for (alpn, part) in [
        ("http/1.1", &b"POST /validate HTTP/1.1\r\nhost: g"[..]),
        ("http/1.1", b""),
        ("h2", b"PRI * HTTP/2.0"),
        ("h2", b""),
    ] {
        let mut stream = client.tls(server.bound.webhook, &[alpn]).await.unwrap();
        stream.write_all(part).await.unwrap();
        dropped(&mut stream).await;
    }
    until(async || server.metrics.connections().get() == 0).await;
}

#[tokio::test]
async fn an_idle_connection_outlives_the_first_requests_deadline() {
    let first_request = Duration::from_secs(1);
    let (server, client) = started(Limits {
        first_request,
        ..Limits::default()
    })
    .await;
    let mut http1 = client.http1(&server).await;
    assert_eq!(http1.post("one").await.0, StatusCode::OK);
    sleep(first_request * 2).await;
    assert_eq!(http1.post("two").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_connection_that_stays_idle_is_closed() {
    let second = Duration::from_secs(1);
    let limits = Limits {
        first_request: second,
        idle: second,
        ..Limits::default()
    };
    let (server, client) = started(limits).await;
    let mut http1 = client.http1(&server).await;
    assert_eq!(http1.post("one").await.0, StatusCode::OK);
    let mut http2 = client.http2(&server).await;
    let answer = http2.send_request(review(whole("one"))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    until(async || server.metrics.connections().get() == 0).await;
    assert!(http1.send(review(whole("two"))).await.is_err());
}

#[tokio::test]
async fn a_slow_body_is_refused() {
    let (server, client) = started(Limits {
        request: SHORT,
        ..Limits::default()
    })
    .await;
    let mut http1 = client.http1(&server).await;
    let body = futures::stream::iter([Ok(Frame::data(Bytes::from_static(b"half")))])
        .chain(futures::stream::pending());
    let (head, answer) = http1
        .send(review(BodyExt::boxed(StreamBody::new(body))))
        .await
        .unwrap();
    assert_eq!(
        (head.status, &*answer),
        (
            StatusCode::REQUEST_TIMEOUT,
            "the body took too long to arrive\n"
        )
    );
}

#[tokio::test]
async fn a_slow_review_is_given_up() {
    let (server, client) = started(Limits {
        request: SHORT,
        ..Limits::default()
    })
    .await;
    let mut http1 = client.http1(&server).await;
    assert_eq!(
        http1.post("wait").await,
        (
            StatusCode::GATEWAY_TIMEOUT,
            "the review took too long\n".into()
        )
    );
    assert_eq!(http1.post("hello").await.0, StatusCode::OK);
}

#[tokio::test]
async fn connections_over_the_limit_wait_their_turn() {
    let (server, client) = started(Limits {
        connections: 1,
        ..Limits::default()
    })
    .await;
    let mut first = client.http1(&server).await;
    assert_eq!(first.post("first").await.0, StatusCode::OK);
    let second = async { client.http1(&server).await.post("second").await.0 };
    let mut second = Box::pin(second);
    assert!(timeout(2 * SHORT, &mut second).await.is_err());
    drop(first);
    assert_eq!(soon(second).await, StatusCode::OK);
}

/// The server ends the connection.
async fn dropped(stream: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut rest = Vec::new();
    if let Err(why) = soon(stream.read_to_end(&mut rest)).await {
        assert!(
            matches!(
                why.kind(),
                ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof
            ),
            "{why}"
        );
    }
}

// The certificate

/// Puts a pair where kubelet would: behind a symlink that is swapped.
fn mount(folder: &Path, generation: u32, pair: &Pair) {
    let data = folder.join(format!("..{generation}"));
    fs::create_dir(&data).unwrap();
    fs::write(data.join("tls.crt"), &pair.cert_pem).unwrap();
    fs::write(data.join("tls.key"), &pair.key_pem).unwrap();
    let swap = folder.join("..data_tmp");
    symlink(format!("..{generation}"), &swap).unwrap();
    fs::rename(swap, folder.join("..data")).unwrap();
    for file in ["tls.crt", "tls.key"] {
        let _ = symlink(Path::new("..data").join(file), folder.join(file));
    }
}

fn followed(folder: &Path) -> TlsConfig {
    let source = Source::Files {
        cert: folder.join("tls.crt"),
        key: folder.join("tls.key"),
    };
    TlsConfig {
        poll: Duration::from_millis(20),
        ..TlsConfig::new(source)
    }
}

#[tokio::test]
async fn a_new_certificate_serves_new_connections() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (authority(), authority());
    mount(folder.path(), 1, &old.issue(&NAMES, DAY).unwrap());
    let server = Server::start(followed(folder.path()), Limits::default()).await;
    let before = server.metrics.certificate_not_after().get();
    let (trusts_old, trusts_new) = (Client::new(&old), Client::new(&new));
    let (mut http1, mut http2) = (
        trusts_old.http1(&server).await,
        trusts_old.http2(&server).await,
    );
    assert!(trusts_new.tls(server.bound.webhook, &[]).await.is_err());

    mount(folder.path(), 2, &new.issue(&NAMES, DAY / 2).unwrap());
    until(async || trusts_new.tls(server.bound.webhook, &[]).await.is_ok()).await;
    assert!(trusts_old.tls(server.bound.webhook, &[]).await.is_err());
    assert_eq!(http1.post("still there").await.0, StatusCode::OK);
    assert_eq!(
        http2
            .send_request(review(whole("me too")))
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
    assert!(server.metrics.certificate_not_after().get() < before);
    assert_eq!(server.metrics.reload_failures().get(), 0);
}

#[tokio::test]
async fn broken_files_keep_the_old_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority();
    let issue = || authority.issue(&NAMES, DAY).unwrap();
    mount(folder.path(), 0, &issue());
    let server = Server::start(followed(folder.path()), Limits::default()).await;
    let client = Client::new(&authority);
    let garbage = Pair {
        cert_pem: "garbage".into(),
        ..issue()
    };
    let others = Pair {
        key_pem: issue().key_pem,
        ..issue()
    };
    let no_key = Pair {
        key_pem: String::new(),
        ..issue()
    };
    let expired = expired(&authority);
    for (generation, broken) in (1..).zip([garbage, others, no_key, expired]) {
        let failures = server.metrics.reload_failures().get();
        mount(folder.path(), generation, &broken);
        until(async || server.metrics.reload_failures().get() > failures).await;
        assert_eq!(
            client.http1(&server).await.post("hello").await.0,
            StatusCode::OK
        );
    }
    let failures = server.metrics.reload_failures().get();
    fs::remove_file(folder.path().join("..data")).unwrap();
    until(async || server.metrics.reload_failures().get() > failures).await;
    assert_eq!(
        client.http1(&server).await.post("hello").await.0,
        StatusCode::OK
    );
    assert_eq!(server.plain("/readyz").await.0, StatusCode::OK);

    let other = self::authority();
    mount(folder.path(), 9, &other.issue(&NAMES, DAY).unwrap());
    until(async || {
        Client::new(&other)
            .tls(server.bound.webhook, &[])
            .await
            .is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_pair_in_memory_is_replaced() {
    let (old, new) = (authority(), authority());
    let (given, source) = watch::channel(old.issue(&NAMES, DAY).unwrap());
    let server = Server::start(TlsConfig::new(Source::Given(source)), Limits::default()).await;
    assert!(
        Client::new(&old)
            .tls(server.bound.webhook, &[])
            .await
            .is_ok()
    );
    given.send(new.issue(&NAMES, DAY).unwrap()).unwrap();
    until(async || {
        Client::new(&new)
            .tls(server.bound.webhook, &[])
            .await
            .is_ok()
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_served_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let authority = authority();
    let (one, two) = (
        authority.issue(&NAMES, DAY).unwrap(),
        authority.issue(&NAMES, DAY).unwrap(),
    );
    let expired = expired(&authority);
    for (name, content) in [
        ("one.crt", &*one.cert_pem),
        ("one.key", &one.key_pem),
        ("two.key", &two.key_pem),
        ("expired.crt", &expired.cert_pem),
        ("expired.key", &expired.key_pem),
        ("empty", ""),
        ("torn.crt", &one.cert_pem[..300]),
    ] {
        fs::write(at(name), content).unwrap();
    }
    let cases = [
        (
            "one.crt",
            "two.key",
            "the key in DIR/two.key does not belong to the certificate in DIR/one.crt: give",
        ),
        (
            "empty",
            "one.key",
            "no certificate in DIR/empty: it must hold PEM",
        ),
        (
            "one.key",
            "one.key",
            "no certificate in DIR/one.key: it must hold PEM",
        ),
        (
            "one.crt",
            "one.crt",
            "no private key in DIR/one.crt: it must hold",
        ),
        (
            "one.crt",
            "empty",
            "no private key in DIR/empty: it must hold",
        ),
        ("torn.crt", "one.key", "can't use DIR/torn.crt: broken PEM"),
        (
            "missing.crt",
            "one.key",
            "can't read DIR/missing.crt: No such file",
        ),
        (
            "expired.crt",
            "expired.key",
            "the certificate in DIR/expired.crt expired at 20",
        ),
    ];
    for (cert, key, said) in cases {
        let source = Source::Files {
            cert: at(cert),
            key: at(key),
        };
        let why = refused_to_start(TlsConfig::new(source), loopback()).await;
        let why = why.replace(folder.path().to_str().unwrap(), "DIR");
        assert!(why.starts_with(said), "{why}");
    }
    let client_ca = TlsConfig {
        client_ca: Some(at("empty")),
        ..served_by(&authority)
    };
    assert!(
        refused_to_start(client_ca, loopback())
            .await
            .contains("/empty: it must hold PEM")
    );
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_at_the_start() {
    let (server, _) = started(Limits::default()).await;
    let why = refused_to_start(served_by(&authority()), server.bound.webhook).await;
    assert!(
        why.starts_with(&format!("can't listen on {}: ", server.bound.webhook)),
        "{why}"
    );
    assert!(why.ends_with("; choose another with --bind"), "{why}");
}

async fn refused_to_start(tls: TlsConfig, bind: SocketAddr) -> String {
    let config = ServerConfig {
        bind,
        metrics_bind: None,
        tls,
        limits: Limits::default(),
        bound: None,
    };
    let metrics = Arc::new(Metrics::new(&[]).unwrap());
    let served = serve(
        config,
        Arc::new(Puppet::default()),
        metrics,
        CancellationToken::new(),
    );
    soon(served).await.unwrap_err().to_string()
}

/// A pair whose time is over.
fn expired(authority: &Authority) -> Pair {
    special(authority, |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    })
}

/// A pair that the guard itself would not issue.
fn special(authority: &Authority, change: impl FnOnce(&mut rcgen::CertificateParams)) -> Pair {
    let ca_key = rcgen::KeyPair::from_pem(authority.key_pem()).unwrap();
    let issuer = rcgen::Issuer::from_ca_cert_pem(authority.cert_pem(), ca_key).unwrap();
    let mut params = rcgen::CertificateParams::new(NAMES.map(String::from)).unwrap();
    change(&mut params);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    Pair {
        cert_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
    }
}

#[tokio::test]
async fn clients_are_verified_when_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs, strangers) = (authority(), authority(), authority());
    let client_ca = folder.path().join("client-ca.crt");
    fs::write(&client_ca, theirs.cert_pem()).unwrap();
    let tls = TlsConfig {
        client_ca: Some(client_ca.clone()),
        poll: Duration::from_millis(20),
        ..served_by(&ours)
    };
    let server = Server::start(tls, Limits::default()).await;
    let client_of = |authority: &Authority| {
        special(authority, |params| {
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        })
    };
    let (known, unknown) = (client_of(&theirs), client_of(&strangers));
    for version in [&TLS12, &TLS13] {
        let with = |own| Client::with(&ours, own, &[version]);
        assert!(answers(&with(Some(&known)), &server).await);
        assert!(!answers(&with(Some(&unknown)), &server).await);
        assert!(!answers(&with(None), &server).await);
    }
    assert_eq!(server.metrics.handshake_failures().get(), 4);

    // The CA is followed as well.
    fs::write(&client_ca, strangers.cert_pem()).unwrap();
    until(async || answers(&Client::with(&ours, Some(&unknown), &[&TLS13]), &server).await).await;
    assert!(!answers(&Client::with(&ours, Some(&known), &[&TLS13]), &server).await);
}

/// Whether a client gets an answer. With TLS 1.3 it is told that it is refused only after it
/// believes the handshake done.
async fn answers(client: &Client, server: &Server) -> bool {
    let Ok(stream) = client.tls(server.bound.webhook, &["http/1.1"]).await else {
        return false;
    };
    let (send, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    Http1(send).send(review(whole("hello"))).await.is_ok()
}

// Health

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let (server, _) = started(Limits::default()).await;
    assert_eq!(
        server.plain("/healthz").await,
        (StatusCode::OK, "ok\n".into())
    );
    assert_eq!(
        server.plain("/readyz").await,
        (StatusCode::OK, "ok\n".into())
    );
    *server.puppet.unready.lock().unwrap() = Some("the cache of DRPolicy has not synced".into());
    let not_ready = "not ready: the cache of DRPolicy has not synced\n";
    assert_eq!(
        server.plain("/readyz").await,
        (StatusCode::SERVICE_UNAVAILABLE, not_ready.into())
    );
    assert_eq!(server.plain("/healthz").await.0, StatusCode::OK);
    assert_eq!(server.plain("/validate").await.0, StatusCode::NOT_FOUND);
    let (status, metrics) = server.plain("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        metrics.contains("ramen_guard_certificate_not_after_seconds "),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_now_is_not_ready() {
    let authority = authority();
    let now = time::OffsetDateTime::now_utc();
    let lasting = |from: i64, to: i64| {
        let pair = special(&authority, |params| {
            params.not_before = now + time::Duration::seconds(from);
            params.not_after = now + time::Duration::seconds(to);
        });
        TlsConfig::new(Source::given(pair))
    };
    let early = Server::start(lasting(1000, 2000), Limits::default()).await;
    let (status, said) = early.plain("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        said.starts_with("not ready: the serving certificate is not valid before 20"),
        "{said}"
    );

    let short = Server::start(lasting(-1000, 3), Limits::default()).await;
    until(async || {
        short
            .plain("/readyz")
            .await
            .1
            .starts_with("not ready: the serving certificate expired at 20")
    })
    .await;
}

// The end

#[tokio::test]
async fn a_drain_waits_for_what_is_in_flight() {
    let (server, client) = started(Limits::default()).await;
    let (mut http1, mut http2) = (client.http1(&server).await, client.http2(&server).await);
    let mut idle = client.http1(&server).await;
    assert_eq!(idle.post("hello").await.0, StatusCode::OK);
    let over_http1 = tokio::spawn(async move {
        let answer = http1.send(review(whole("wait"))).await.unwrap();
        (answer, http1.send(review(whole("again"))).await)
    });
    let over_http2 = tokio::spawn(async move {
        let answer = read(http2.send_request(review(whole("wait"))).await.unwrap()).await;
        let again = async {
            http2.ready().await?;
            http2.send_request(review(whole("again"))).await
        };
        (answer, again.await)
    });
    server.waits(2).await;

    server.shutdown.cancel();
    until(async || TcpStream::connect(server.bound.webhook).await.is_err()).await;
    assert!(idle.send(review(whole("too late"))).await.is_err());
    assert_eq!(
        server.plain("/readyz").await,
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: shutting down\n".into()
        )
    );
    assert!(!server.ended.is_finished());
    server.puppet.permits.add_permits(2);

    let ((head, answer), again) = soon(over_http1).await.unwrap();
    assert_eq!((head.status, &*answer), (StatusCode::OK, "waited"));
    assert_eq!(head.headers["connection"], "close");
    assert!(again.is_err());
    let ((head, answer), again) = soon(over_http2).await.unwrap();
    assert_eq!((head.status, &*answer), (StatusCode::OK, "waited"));
    assert!(again.is_err());
    let health = server.bound.metrics.unwrap();
    assert_eq!(server.end().await.cut, 0);
    assert!(TcpStream::connect(health).await.is_err());
}

#[tokio::test]
async fn a_drain_has_an_end() {
    let (server, client) = started(Limits {
        drain: SHORT,
        ..Limits::default()
    })
    .await;
    let mut http1 = client.http1(&server).await;
    let mut http2 = client.http2(&server).await;
    let over_http1 = tokio::spawn(async move { http1.send(review(whole("wait"))).await.is_err() });
    let over_http2 =
        tokio::spawn(async move { http2.send_request(review(whole("wait"))).await.is_err() });
    server.waits(2).await;
    assert_eq!(server.end().await.cut, 2);
    assert!(soon(over_http1).await.unwrap());
    assert!(soon(over_http2).await.unwrap());
}

#[tokio::test]
async fn a_lingering_server_sends_its_clients_away() {
    let (server, client) = started(Limits {
        linger: LONG,
        ..Limits::default()
    })
    .await;
    let mut http1 = client.http1(&server).await;
    let (head, _) = http1.send(review(whole("before"))).await.unwrap();
    assert!(!head.headers.contains_key("connection"));
    server.shutdown.cancel();
    until(async || server.plain("/readyz").await.0 == StatusCode::SERVICE_UNAVAILABLE).await;
    // Both a client that was there and one that comes late are served, once.
    for mut http1 in [http1, client.http1(&server).await] {
        let (head, _) = http1.send(review(whole("after"))).await.unwrap();
        assert_eq!(
            (head.status, &head.headers["connection"]),
            (StatusCode::OK, &"close".parse().unwrap())
        );
        assert!(http1.send(review(whole("again"))).await.is_err());
    }
}

#[tokio::test]
async fn a_first_request_on_its_way_is_served_when_the_server_ends() {
    let (server, client) = started(Limits::default()).await;
    let mut http1 = client.http1(&server).await;
    until(async || server.metrics.connections().get() == 1).await;
    server.shutdown.cancel();
    until(async || TcpStream::connect(server.bound.webhook).await.is_err()).await;
    assert_eq!(http1.post("hello").await.0, StatusCode::OK);
    assert_eq!(server.end().await.cut, 0);
}
