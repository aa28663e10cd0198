//! The certificate: at the start, when it changes, and what clients must show; readiness.

use std::{fs, net::SocketAddr, os::unix::fs::symlink, path::Path, sync::Arc, time::Duration};

use http::StatusCode;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ramen_guard::admission::{
    certificate::{Authority, Pair},
    metrics::Metrics,
    server::{Limits, ServerConfig, serve},
    tls::{Source, TlsConfig},
};
use rustls::version::{TLS12, TLS13};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::support::{
    Client, DAY, Http1, NAMES, Puppet, Server, authority, loopback, review, served_by, soon,
    started, until, whole,
};

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
