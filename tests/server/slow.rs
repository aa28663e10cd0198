//! Slow clients, idle clients, slow reviews.

use std::{io::ErrorKind, time::Duration};

use futures::{StreamExt as _, stream};
use http::StatusCode;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use ramen_guard::admission::server::Limits;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{SHORT, review, soon, started, until, whole};

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
    let body =
        stream::iter([Ok(Frame::data(Bytes::from_static(b"half")))]).chain(stream::pending());
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
async fn dropped(stream: &mut (impl AsyncRead + Unpin)) {
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
