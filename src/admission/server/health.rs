//! The plain port beside the webhook: `/healthz`, `/readyz`, `/metrics`.

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use http::{HeaderName, StatusCode, header::CONTENT_TYPE};
use tokio_util::sync::CancellationToken;

use super::Reviewer;
use crate::admission::{metrics, metrics::Metrics, tls::Tls};

/// What the answers rest on.
struct Health<R> {
    reviewer: Arc<R>,
    tls: Arc<Tls>,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
}

impl<R: Reviewer> Health<R> {
    fn ready(&self) -> Result<(), String> {
        if self.shutdown.is_cancelled() {
            return Err("shutting down".to_owned());
        }
        self.tls.ready()?;
        self.reviewer.ready()
    }
}

type Answer = (StatusCode, [(HeaderName, &'static str); 1], String);

/// The plain port's routes.
pub(super) fn router<R: Reviewer>(
    reviewer: Arc<R>,
    tls: Arc<Tls>,
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
) -> Router {
    Router::new()
        .route("/healthz", get(async || text(StatusCode::OK, "ok\n")))
        .route("/readyz", get(readyz::<R>))
        .route("/metrics", get(all_metrics::<R>))
        .with_state(Arc::new(Health {
            reviewer,
            tls,
            metrics,
            shutdown,
        }))
}

async fn readyz<R: Reviewer>(State(health): State<Arc<Health<R>>>) -> Answer {
    match health.ready() {
        Ok(()) => text(StatusCode::OK, "ok\n"),
        Err(why) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {why}\n"),
        ),
    }
}

async fn all_metrics<R: Reviewer>(State(health): State<Arc<Health<R>>>) -> Answer {
    match health.metrics.render() {
        Ok(all) => (StatusCode::OK, [(CONTENT_TYPE, metrics::CONTENT_TYPE)], all),
        Err(why) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("can't collect the metrics: {why}\n"),
        ),
    }
}

fn text(status: StatusCode, body: impl Into<String>) -> Answer {
    (
        status,
        [(CONTENT_TYPE, "text/plain; charset=utf-8")],
        body.into(),
    )
}
