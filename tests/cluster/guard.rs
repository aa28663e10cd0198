//! The real guard, beside the tests, watching the real cluster.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
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
    log: PathBuf,
    process: Process,
}

impl Guard {
    /// Starts one that watches the cluster, and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(cluster: &Cluster, args: &[&str]) -> Self {
        Self::launch(cluster, User::Admin, args).ready()
    }

    /// Starts one that watches the cluster as this user, and waits until it listens.
    #[track_caller]
    pub(crate) fn launch(cluster: &Cluster, user: User, args: &[&str]) -> Self {
        Self::with_ca(cluster, &cluster.kubeconfig(user), args)
    }

    /// Starts one that reaches the API server as this file says, and waits until it listens.
    #[track_caller]
    pub(crate) fn linked(cluster: &Cluster, kubeconfig: &Path) -> Self {
        Self::with_ca(cluster, kubeconfig, &[])
    }

    #[track_caller]
    fn with_ca(cluster: &Cluster, kubeconfig: &Path, args: &[&str]) -> Self {
        let ca = cluster.folder.join(format!("{}.pem", cluster.name("ca")));
        let ca_out = format!("--ca-out={}", ca.display());
        let mut guard = Self::spawn(cluster, kubeconfig, &[args, &[&ca_out]].concat(), &[]);
        let written = until(|| ca.exists());
        assert!(written, "no CA is written:\n{}", guard.process.log_tail());
        guard.authority = fs::read_to_string(&ca).expect("the CA is there");
        guard
    }

    /// Starts one as a pod of the guard's own namespace, and waits until it listens. Its certificate is
    /// the shared one.
    #[track_caller]
    pub(crate) fn pod(cluster: &Cluster, args: &[&str]) -> Self {
        Self::pod_as(cluster, &cluster.kubeconfig(User::Admin), args)
    }

    /// The same with the rights of whom this file is for.
    #[track_caller]
    pub(crate) fn pod_as(cluster: &Cluster, kubeconfig: &Path, args: &[&str]) -> Self {
        let name = cluster.name("pod");
        let pod = [("POD_NAMESPACE", "ramen-guard-system"), ("POD_NAME", &name)];
        Self::spawn(cluster, kubeconfig, args, &pod)
    }

    #[track_caller]
    fn spawn(cluster: &Cluster, kubeconfig: &Path, args: &[&str], env: &[(&str, &str)]) -> Self {
        let log = format!("{}.log", cluster.name("guard"));
        let process = cluster.spawn(
            Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
                .args([
                    "serve",
                    "--bind=127.0.0.1:0",
                    "--metrics-bind=127.0.0.1:0",
                    "--log-format=json",
                ])
                .args(args)
                .env_remove("POD_NAMESPACE")
                .envs(env.iter().copied())
                .env("KUBECONFIG", kubeconfig),
            &log,
        );
        let log = cluster.folder.join(log);
        let mut listening = None;
        let up = until(|| {
            listening = bound(&log);
            listening.is_some()
        });
        assert!(up, "the guard does not listen:\n{}", process.log_tail());
        let (port, metrics) = listening.expect("it listens");
        Self {
            port,
            authority: String::new(),
            metrics,
            log,
            process,
        }
    }

    /// Waits until it is ready.
    #[track_caller]
    pub(crate) fn ready(self) -> Self {
        let ready = until(|| self.get("/readyz").starts_with("HTTP/1.1 200"));
        assert!(
            ready,
            "not ready: {}\n{}",
            self.get("/readyz"),
            self.process.log_tail()
        );
        self
    }

    /// The value of a metric, named with its labels if it has any.
    pub(crate) fn metric(&self, series: &str) -> Option<f64> {
        let all = self.get("/metrics");
        let value = all.lines().find_map(|line| line.strip_prefix(series));
        value?.trim().parse().ok()
    }

    /// The messages in its log so far that have these words.
    pub(crate) fn said(&self, words: &str) -> Vec<String> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let messages =
            lines.map(|line| line["fields"]["message"].as_str().unwrap_or("").to_owned());
        messages.filter(|message| message.contains(words)).collect()
    }

    /// Asks it to end, as a kubelet does, and waits until it has.
    #[track_caller]
    pub(crate) fn terminate(mut self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.process.id().to_string()])
            .status();
        assert!(asked.expect("kill runs").success());
        assert!(until(|| self.process.has_ended()), "it does not end");
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
