//! The guard itself: answers reviews by the engine, from a world of manifests or of a cluster.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::StatusCode;
use hyper::body::Bytes;
use tokio::sync::watch;

use super::{
    metrics::{self, Endpoint, Metrics},
    mutate,
    review::{Review, ReviewError, answer, answer_with_patch},
    server::{Refusal, Reviewer},
};
use crate::{
    api,
    engine::{Engine, Request, Verdict},
    policy::{Mode, Operation},
    report::Lowered,
    rules::judged_kinds,
    world::{Cluster, Store},
};

macro_rules! kinds {
    ($($kind:ty),*) => {
        &[$(<$kind as api::Kind>::KIND),*]
    };
}

/// The kinds that are counted by name in metrics: all that are judged.
pub const KINDS: &[&str] = judged_kinds!(kinds!);

/// Where the other objects are looked up.
pub enum World {
    /// In manifests: they are what they are.
    Manifests(Box<Store>),
    /// In a watched cluster: a denial that rests on them is confirmed by reading them afresh.
    Cluster(Arc<Cluster>),
}

/// Answers `AdmissionReview`s.
pub struct Guard {
    engine: ArcSwap<Engine>,
    world: World,
    metrics: Arc<Metrics>,
    /// Whether the certificate is one that clients are told to trust, where that takes time.
    certified: Option<watch::Receiver<bool>>,
}

impl Guard {
    /// A guard that judges by `engine` in `world`.
    pub fn new(engine: Engine, world: World, metrics: Arc<Metrics>) -> Self {
        Self {
            engine: ArcSwap::from_pointee(engine),
            world,
            metrics,
            certified: None,
        }
    }

    /// The same guard, not ready before `certified` says so.
    #[must_use]
    pub fn ready_when(mut self, certified: watch::Receiver<bool>) -> Self {
        self.certified = Some(certified);
        self
    }

    /// Judges by another engine from now on: the configuration has changed.
    pub fn replace(&self, engine: Engine) {
        self.engine.store(Arc::new(engine));
    }

    /// What the guard judges by.
    pub fn engine(&self) -> Arc<Engine> {
        self.engine.load_full()
    }

    async fn judge(&self, request: &Request) -> Verdict {
        let engine = self.engine.load();
        let cluster = match &self.world {
            World::Manifests(store) => return engine.judge(request, store, None),
            World::Cluster(cluster) => cluster,
        };
        let first = engine.judge(request, &cluster.store(), None);
        if first.to_confirm.is_empty() {
            return first;
        }
        let Some(live) = cluster.read(&first.to_confirm).await else {
            return first.unconfirmed();
        };
        // What is read afresh may lead elsewhere; that is not followed any further.
        engine
            .judge(request, &cluster.store(), Some(&live))
            .unconfirmed()
    }

    fn note(&self, endpoint: Endpoint, review: &Review, verdict: &Verdict, patched: bool) {
        let request = &review.request;
        let result = match () {
            () if !verdict.allowed() => metrics::Verdict::Denied,
            () if patched => metrics::Verdict::Patched,
            () if verdict.warnings().next().is_some() => metrics::Verdict::Warned,
            () => metrics::Verdict::Allowed,
        };
        self.metrics
            .request(endpoint, &request.kind, request.operation.name(), result);
        for finding in &verdict.findings {
            self.metrics.finding(finding);
        }
        for (policy, unsure) in &verdict.undecided {
            self.metrics.undecided(policy, unsure.name());
        }
        if verdict.findings.is_empty() {
            return;
        }
        let rules = |mode: Mode| -> Vec<&str> {
            verdict
                .findings
                .iter()
                .filter(|finding| finding.mode == mode)
                .map(|finding| &*finding.rule.id)
                .collect()
        };
        let exempted = verdict.findings.iter();
        let exempted = exempted.filter(|finding| finding.lowered == Some(Lowered::Exempted));
        let exempted: Vec<&str> = exempted.map(|finding| &*finding.rule.id).collect();
        tracing::info!(
            uid = review.uid,
            endpoint = endpoint.name(),
            operation = request.operation.name(),
            kind = request.kind,
            namespace = request.namespace,
            name = request.name,
            user = request.user.name,
            allowed = verdict.allowed(),
            deny = ?rules(Mode::Deny),
            warn = ?rules(Mode::Warn),
            audit = ?rules(Mode::Audit),
            exempted = ?exempted,
            "judged"
        );
    }

    fn read(&self, endpoint: Endpoint, body: &[u8]) -> Result<Review, Refusal> {
        Review::read(body).map_err(|error: ReviewError| {
            self.metrics.unreadable(endpoint);
            Refusal::new(StatusCode::BAD_REQUEST, error.to_string())
        })
    }
}

impl Reviewer for Guard {
    async fn validate(&self, body: Bytes) -> Result<Bytes, Refusal> {
        let review = self.read(Endpoint::Validate, &body)?;
        let verdict = self.judge(&review.request).await;
        self.note(Endpoint::Validate, &review, &verdict, false);
        Ok(answer(&review, &verdict).into())
    }

    async fn mutate(&self, body: Bytes) -> Result<Bytes, Refusal> {
        let review = self.read(Endpoint::Mutate, &body)?;
        let verdict = match review.request.operation {
            Operation::Update => self.engine.load().judge_early(&review.request),
            _ => Verdict::default(),
        };
        let patch = mutate::patch(&review.request);
        self.note(Endpoint::Mutate, &review, &verdict, patch.is_some());
        Ok(answer_with_patch(&review, &verdict, patch.as_ref()).into())
    }

    fn ready(&self) -> Result<(), String> {
        if self.certified.as_ref().is_some_and(|it| !*it.borrow()) {
            return Err("the certificate that all replicas share is not there yet".to_owned());
        }
        match &self.world {
            World::Manifests(_) => Ok(()),
            World::Cluster(cluster) => cluster.ready(),
        }
    }
}
