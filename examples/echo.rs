//! A bare echo on the server that `serve` uses: what the network, TLS and HTTP cost, with nothing
//! judged. Benchmarks compare the guard with it.
//!
//! It listens on the loopback address only, says where and which CA to trust, and ends with Ctrl-C.

#![allow(clippy::print_stdout, reason = "an example talks to whoever starts it")]

use std::{
    error::Error,
    fs,
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use hyper::body::Bytes;
use ramen_guard::admission::{
    certificate::Authority,
    metrics::Metrics,
    server::{self, Limits, Refusal, Reviewer, ServerConfig},
    tls::{Source, TlsConfig},
};
use tokio::{runtime, signal, sync::oneshot};
use tokio_util::sync::CancellationToken;

const DAY: Duration = Duration::from_hours(24);
const ANSWER: &[u8] = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","allowed":true}}"#;

/// Answers every review alike, on the server that the guard uses
#[derive(Clone, Copy, Parser)]
struct Options {
    /// The port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Sends the request's body back instead of an answer
    #[arg(long)]
    echo_body: bool,
    /// Threads that serve
    #[arg(long, default_value_t = server::workers())]
    workers: NonZeroUsize,
}

struct Echo {
    body: bool,
}

impl Reviewer for Echo {
    async fn validate(&self, body: Bytes) -> Result<Bytes, Refusal> {
        Ok(if self.body {
            body
        } else {
            Bytes::from_static(ANSWER)
        })
    }

    async fn mutate(&self, body: Bytes) -> Result<Bytes, Refusal> {
        self.validate(body).await
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    runtime::Builder::new_multi_thread()
        .worker_threads(options.workers.get())
        .enable_all()
        .build()?
        .block_on(run(options))
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let authority = Authority::new("echo", DAY)?;
    let pair = authority.issue(&["localhost", "127.0.0.1"], DAY)?;
    let folder = tempfile::tempdir()?;
    let ca = folder.path().join("ca.crt");
    fs::write(&ca, authority.cert_pem())?;

    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let (bound, addresses) = oneshot::channel();
    let config = ServerConfig {
        bind: loopback(options.port),
        metrics_bind: Some(loopback(0)),
        tls: TlsConfig::new(Source::given(pair)),
        limits: Limits::default(),
        bound: Some(bound),
    };
    let shutdown = CancellationToken::new();
    let on_signal = shutdown.clone();
    tokio::spawn(async move {
        if signal::ctrl_c().await.is_ok() {
            on_signal.cancel();
        }
    });
    tokio::spawn(async move {
        if let Ok(at) = addresses.await {
            println!("https://{}/validate trusting {}", at.webhook, ca.display());
            println!("http://{}/metrics", at.metrics.unwrap_or(at.webhook));
        }
    });
    let echo = Arc::new(Echo {
        body: options.echo_body,
    });
    let summary = server::serve(config, echo, Arc::new(Metrics::new(&[])?), shutdown).await?;
    println!("{} requests cut off", summary.cut);
    Ok(())
}
