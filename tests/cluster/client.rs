//! The API without kubectl in between, for those who have thousands of questions.

use futures::{StreamExt as _, stream};
use kube::{
    Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::Value;

use crate::server::{Cluster, User};

/// How many questions are under way at a time.
const AT_A_TIME: usize = 16;

/// Whoever asks.
pub(crate) struct Client {
    client: kube::Client,
    runtime: tokio::runtime::Runtime,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Value,
    pub(crate) warnings: Vec<String>,
}

impl Cluster {
    /// A client of this user's.
    pub(crate) fn client(&self, user: User) -> Client {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let file = Kubeconfig::read_from(self.kubeconfig(user)).expect("the kubeconfig");
        let client = runtime.block_on(async {
            let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
            kube::Client::try_from(config.expect("the configuration")).expect("a client")
        });
        Client { client, runtime }
    }
}

impl Client {
    /// Asks all of them, several at a time. The answers come in the order of the questions.
    pub(crate) fn ask_all(&self, asks: Vec<Ask>) -> Vec<Answer> {
        let answers = stream::iter(asks)
            .map(|ask| self.ask(ask))
            .buffered(AT_A_TIME);
        self.runtime.block_on(answers.collect())
    }

    /// A dry run of the creation of an object.
    #[track_caller]
    pub(crate) fn create(&self, object: &Value) {
        let (place, _) = address(object);
        self.ask_one("POST", &place, object);
    }

    /// A dry run of a merge patch of an object.
    #[track_caller]
    pub(crate) fn patch(&self, object: &Value, patch: &Value) {
        let (place, name) = address(object);
        self.ask_one("PATCH", &format!("{place}/{name}"), patch);
    }

    #[track_caller]
    fn ask_one(&self, method: &'static str, path: &str, body: &Value) {
        let path = format!("{path}?dryRun=All");
        let body = body.clone();
        let ask = Ask { method, path, body };
        let answer = self.ask_all(vec![ask.clone()]).remove(0);
        assert!(answer.code < 300, "{ask:?} was refused: {answer:?}");
    }

    async fn ask(&self, ask: Ask) -> Answer {
        let content = if ask.method == "PATCH" {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = http::Request::builder()
            .method(ask.method)
            .uri(&ask.path)
            .header("content-type", content)
            .body(Body::from(match ask.body {
                Value::Null => Vec::new(),
                body => body.to_string().into_bytes(),
            }))
            .expect("a request");
        let response = self.client.send(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let warnings = parts.headers.get_all("warning").iter();
        let warnings = warnings.filter_map(|it| warning(it.to_str().ok()?));
        let bytes = body.collect_bytes().await.expect("a body");
        Answer {
            code: parts.status.as_u16(),
            warnings: warnings.collect(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }
}

/// Where an object is: its place, and its name.
pub(crate) fn address(object: &Value) -> (String, &str) {
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    let api = text(&object["apiVersion"]);
    let mut plural = text(&object["kind"]).to_lowercase();
    match plural.strip_suffix('y') {
        Some(stem) => plural = format!("{stem}ies"),
        None => plural.push('s'),
    }
    let root = if api.contains('/') { "apis" } else { "api" };
    let place = match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("/{root}/{api}/namespaces/{namespace}/{plural}"),
        None => format!("/{root}/{api}/{plural}"),
    };
    (place, object["metadata"]["name"].as_str().expect("a name"))
}

/// The text of `299 - "text"`.
fn warning(header: &str) -> Option<String> {
    let text = header.strip_prefix("299 - \"")?.strip_suffix('"')?;
    Some(text.replace("\\\"", "\"").replace("\\\\", "\\"))
}
