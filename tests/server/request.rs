//! What a request must be, and what comes back.

use std::sync::Once;

use futures::future::join_all;
use http::{Method, Request, StatusCode, Version};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use ramen_guard::admission::server::Limits;
use rustls::{
    ProtocolVersion,
    version::{TLS12, TLS13},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{
    Body, Client, Server, authority, read, review, served_by, soon, started, whole,
};

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
    soon(join_all(reviews)).await;
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

/// A body of unknown length, in pieces.
fn pieces(pieces: Vec<Bytes>) -> Body {
    BodyExt::boxed(StreamBody::new(futures::stream::iter(
        pieces.into_iter().map(|piece| Ok(Frame::data(piece))),
    )))
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
    // What was refused was read nevertheless, so the client could read the answer and go on.
    assert_eq!(http1.post("a").await.0, StatusCode::OK);
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
