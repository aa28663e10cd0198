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

    async fn ask(&self, ask: Ask) -> Answer {
        let request = http::Request::builder()
            .method(ask.method)
            .uri(&ask.path)
            .header("content-type", "application/json")
            .body(Body::from(ask.body.to_string().into_bytes()))
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

/// The text of `299 - "text"`.
fn warning(header: &str) -> Option<String> {
    let text = header.strip_prefix("299 - \"")?.strip_suffix('"')?;
    Some(text.replace("\\\"", "\"").replace("\\\\", "\\"))
}
