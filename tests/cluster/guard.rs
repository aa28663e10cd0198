//! The real guard, beside the tests, watching the real cluster.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::Command,
};

use serde_json::Value;

use crate::{
    process::Process,
    server::{Cluster, User, until},
};

/// A running guard. It ends when this is dropped.
pub(crate) struct Guard {
    /// Where it answers the API server.
    pub(crate) port: u16,
    /// Its CA, in PEM.
    pub(crate) authority: String,
    metrics: u16,
    _process: Process,
}

impl Guard {
    /// Starts one that watches the cluster, and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(cluster: &Cluster, args: &[&str]) -> Self {
        let guard = Self::launch(cluster, User::Admin, args);
        let ready = until(|| guard.get("/readyz").starts_with("HTTP/1.1 200"));
        assert!(ready, "not ready: {}", guard.get("/readyz"));
        guard
    }

    /// Starts one that watches the cluster as this user, and waits until it listens.
    #[track_caller]
    pub(crate) fn launch(cluster: &Cluster, user: User, args: &[&str]) -> Self {
        let name = cluster.name("guard");
        let (log, ca) = (
            format!("{name}.log"),
            cluster.folder.join(format!("{name}.pem")),
        );
        let process = cluster.spawn(
            Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
                .args([
                    "serve",
                    "--bind=127.0.0.1:0",
                    "--metrics-bind=127.0.0.1:0",
                    "--log-format=json",
                ])
                .arg(format!("--ca-out={}", ca.display()))
                .args(args)
                .env("KUBECONFIG", cluster.kubeconfig(user)),
            &log,
        );
        let log = cluster.folder.join(log);
        let mut listening = None;
        let up = until(|| {
            listening = bound(&log);
            listening.is_some() && ca.exists()
        });
        assert!(up, "the guard does not listen:\n{}", process.log_tail());
        let (port, metrics) = listening.expect("it listens");
        let authority = fs::read_to_string(&ca).expect("the CA is there");
        Self {
            port,
            authority,
            metrics,
            _process: process,
        }
    }

    /// What it says on its second port.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut answer = String::new();
        let asked =
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.metrics)).and_then(|mut stream| {
                write!(
                    stream,
                    "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )?;
                stream.read_to_string(&mut answer)
            });
        asked.map_or_else(|error| error.to_string(), |_| answer)
    }
}

/// The ports of the webhook and of the metrics, once the log says them.
fn bound(log: &PathBuf) -> Option<(u16, u16)> {
    let text = fs::read_to_string(log).ok()?;
    let line = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let fields = line
        .map(|line| line["fields"].clone())
        .find(|fields| fields["message"] == "listening")?;
    let port = |field: &str| {
        let digits = fields[field]
            .as_str()?
            .rsplit_once(':')?
            .1
            .trim_end_matches(')')
            .to_owned();
        digits.parse().ok()
    };
    Some((port("webhook")?, port("metrics")?))
}
