//! The end.

use http::StatusCode;
use ramen_guard::admission::server::Limits;
use tokio::net::TcpStream;

use crate::support::{LONG, SHORT, read, review, soon, started, until, whole};

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
