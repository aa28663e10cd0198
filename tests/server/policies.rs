//! `serve --policies`: the real binary takes over the site's policies when their files change, and keeps the
//! last good ones when they are broken.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use http::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{Client, Http1, read, soon, whole};

/// The guard looks at the files every ten seconds; a busy machine takes longer.
const LONG: Duration = Duration::from_mins(2);

/// A process that ends when this is dropped.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A guard in a process of its own.
struct Guard {
    _process: Ending,
    client: Client,
    webhook: SocketAddr,
    metrics: SocketAddr,
}

impl Guard {
    async fn start(folder: &Path, policies: &Path) -> Self {
        let (ca, log) = (folder.join("ca.pem"), folder.join("log"));
        fs::create_dir(folder.join("state")).unwrap();
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
        fs::write(folder.join("state/shop.yaml"), namespace.to_string()).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_ramen-guard"))
            .args(["serve", "--bind=127.0.0.1:0", "--metrics-bind=127.0.0.1:0"])
            .arg("--log-format=json")
            .args(["--state".as_ref(), folder.join("state").as_path()])
            .args(["--policies".as_ref(), policies])
            .args(["--ca-out".as_ref(), ca.as_path()])
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut process = Ending(process);
        let mut listens = None;
        eventually("it listens", async || {
            assert_eq!(process.0.try_wait().unwrap(), None, "{}", text(&log));
            listens =
                listening(&log).filter(|_| text(&ca).ends_with("-----END CERTIFICATE-----\n"));
            listens.is_some()
        })
        .await;
        let (webhook, metrics) = listens.unwrap();
        Self {
            _process: process,
            client: Client::trusting(&text(&ca), "localhost"),
            webhook,
            metrics,
        }
    }

    /// Why a new DRCluster is refused; nothing if it is not.
    async fn refusal(&self) -> Option<String> {
        let review = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "1",
                "kind": {"group": "ramendr.openshift.io", "version": "v1alpha1", "kind": "DRCluster"},
                "name": "east",
                "operation": "CREATE",
                "userInfo": {"username": "alice", "groups": ["system:authenticated"]},
                "object": {
                    "apiVersion": "ramendr.openshift.io/v1alpha1",
                    "kind": "DRCluster",
                    "metadata": {"name": "east"},
                    "spec": {"s3ProfileName": "s3-east"},
                },
            },
        });
        let stream = self.client.tls(self.webhook, &["http/1.1"]).await.unwrap();
        let (send, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (status, answer) = Http1(send).post(review.to_string()).await;
        assert!(status.is_success(), "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let response = &answer["response"];
        if response["allowed"] == true {
            return None;
        }
        Some(response["status"]["message"].as_str().unwrap().to_owned())
    }

    async fn refuses_with(&self, words: &str) -> bool {
        let refusal = self.refusal().await;
        refusal.is_some_and(|message| message.contains(words))
    }

    /// How often the policies could not be read again.
    async fn failures(&self) -> f64 {
        let stream = TcpStream::connect(self.metrics).await.unwrap();
        let (mut send, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("/metrics").header("host", "guard");
        let request = request.body(whole("")).unwrap();
        let (_, all) = read(soon(send.send_request(request)).await.unwrap()).await;
        let value = all
            .lines()
            .find_map(|line| line.strip_prefix("ramen_guard_policies_reload_failures_total "));
        value.unwrap().parse().unwrap()
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Where it listens, once the log says so.
fn listening(log: &Path) -> Option<(SocketAddr, SocketAddr)> {
    let text = text(log);
    let lines = text.lines();
    let line = lines
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["fields"]["message"] == "listening")?;
    let at = |field: &str| {
        let text = line["fields"][field].as_str()?;
        let text = text.strip_prefix("Some(").unwrap_or(text);
        text.trim_end_matches(')').parse().ok()
    };
    Some((at("webhook")?, at("metrics")?))
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let tried = timeout(LONG, async {
        while !holds().await {
            sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(tried.await.is_ok(), "never: {what}");
}

/// A policy against every DRCluster, and its binding.
fn saying(message: &str) -> String {
    let api = "admissionregistration.k8s.io/v1";
    let policy = json!({
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "never"},
        "spec": {
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["ramendr.openshift.io"], "apiVersions": ["v1alpha1"],
                "operations": ["CREATE"], "resources": ["drclusters"],
            }]},
            "validations": [{"expression": "false", "message": message}],
        },
    });
    let binding = json!({
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "never"},
        "spec": {"policyName": "never", "validationActions": ["Deny"]},
    });
    format!("{policy}\n---\n{binding}\n")
}

/// Puts a file in place at once, so that nobody reads half of it.
fn put(folder: &Path, text: &str) {
    let new = folder.join(".new");
    fs::write(&new, text).unwrap();
    fs::rename(new, folder.join("policies.yaml")).unwrap();
}

#[tokio::test]
async fn changed_policies_are_taken_over_and_broken_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("policies");
    fs::create_dir(&policies).unwrap();
    put(&policies, &saying("as it was first"));
    let guard = Guard::start(folder.path(), &policies).await;
    assert!(guard.refuses_with("as it was first").await);

    put(&policies, &saying("as it is now"));
    let taken = async || guard.refuses_with("as it is now").await;
    eventually("the changed policy is in force", taken).await;
    assert!(guard.failures().await < 1.0);

    // An expression that the API server would not take either.
    put(
        &policies,
        &saying("broken").replace("\"false\"", "\"objct == null\""),
    );
    eventually("the broken policy is counted", async || {
        guard.failures().await >= 1.0
    })
    .await;
    assert!(guard.refuses_with("as it is now").await);
    // So it stays, and the count goes on while it is broken.
    let before = guard.failures().await;
    eventually("it is counted again", async || {
        guard.failures().await > before
    })
    .await;
    assert!(guard.refuses_with("as it is now").await);

    put(&policies, &saying("as it was mended"));
    let taken = async || guard.refuses_with("as it was mended").await;
    eventually("the mended policy is in force", taken).await;
    let rest = guard.failures().await;

    // A folder that lost its policies is broken, too: they are not all off because a mount is empty.
    fs::remove_file(policies.join("policies.yaml")).unwrap();
    eventually("the empty folder is counted", async || {
        guard.failures().await > rest
    })
    .await;
    assert!(guard.refuses_with("as it was mended").await);
}
