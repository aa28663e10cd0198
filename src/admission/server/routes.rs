//! The webhook's two routes: what a request must be, and what is made of it.
//!
//! Reading, limiting, timing out and catching panics is done here, in one function: layers for the
//! four would be no shorter, and would not say in plain words what was wrong.

use std::{any::Any, fmt::Display, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    routing::post,
};
use futures::FutureExt as _;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes};
use tokio::time::{Instant, timeout_at};

use super::{Limits, Refusal, Reviewer};
use crate::admission::metrics::{Endpoint, Metrics};

/// How much of a refused body is read nevertheless, in multiples of the limit.
const POLITENESS: usize = 4;

type Answer = Response<Full<Bytes>>;

/// What answers reviews.
struct Reviews<R> {
    reviewer: Arc<R>,
    metrics: Arc<Metrics>,
    limits: Limits,
}

/// The webhook's routes.
pub(super) fn router<R: Reviewer>(
    reviewer: Arc<R>,
    metrics: Arc<Metrics>,
    limits: Limits,
) -> Router {
    let refuse = move |status, message| {
        async move |request: Request| {
            let deadline = Instant::now() + limits.request;
            plain(
                refused(
                    request,
                    Refusal::new(status, message),
                    limits.body,
                    deadline,
                )
                .await,
            )
        }
    };
    Router::new()
        .route("/validate", post(validate::<R>))
        .route("/mutate", post(mutate::<R>))
        .fallback(refuse(
            StatusCode::NOT_FOUND,
            "nothing here: reviews go to /validate and /mutate",
        ))
        .method_not_allowed_fallback(refuse(
            StatusCode::METHOD_NOT_ALLOWED,
            "send the review with POST",
        ))
        .with_state(Arc::new(Reviews {
            reviewer,
            metrics,
            limits,
        }))
}

async fn validate<R: Reviewer>(State(reviews): State<Arc<Reviews<R>>>, request: Request) -> Answer {
    reviews.answer(Endpoint::Validate, request).await
}

async fn mutate<R: Reviewer>(State(reviews): State<Arc<Reviews<R>>>, request: Request) -> Answer {
    reviews.answer(Endpoint::Mutate, request).await
}

impl<R: Reviewer> Reviews<R> {
    async fn answer(&self, endpoint: Endpoint, request: Request) -> Answer {
        let begun = Instant::now();
        let answer = self
            .review(endpoint, request, begun + self.limits.request)
            .await;
        self.metrics.took(endpoint, begun.elapsed());
        match answer {
            Ok(body) => respond(StatusCode::OK, "application/json", body),
            Err(refusal) => {
                tracing::debug!(
                    endpoint = endpoint.name(),
                    status = refusal.status.as_u16(),
                    "refused: {refusal}"
                );
                self.metrics.unreadable(endpoint);
                plain(refusal)
            }
        }
    }

    async fn review(
        &self,
        endpoint: Endpoint,
        request: Request,
        deadline: Instant,
    ) -> Result<Bytes, Refusal> {
        let limit = self.limits.body;
        if !is_json(request.headers()) {
            let refusal = Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "send the review as application/json",
            );
            return Err(refused(request, refusal, limit, deadline).await);
        }
        if announced(request.body()) > limit {
            return Err(refused(request, too_large(limit), limit, deadline).await);
        }
        let body = timeout_at(deadline, read(request.into_body(), limit))
            .await
            .map_err(|_| {
                Refusal::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "the body took too long to arrive",
                )
            })??;
        let judged = async {
            match endpoint {
                Endpoint::Validate => self.reviewer.validate(body).await,
                Endpoint::Mutate => self.reviewer.mutate(body).await,
            }
        };
        match timeout_at(deadline, AssertUnwindSafe(judged).catch_unwind()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => {
                tracing::error!(
                    endpoint = endpoint.name(),
                    "a review panicked: {}",
                    said(&*panic)
                );
                Err(Refusal::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the review failed; the guard's log says why",
                ))
            }
            Err(_) => Err(Refusal::new(
                StatusCode::GATEWAY_TIMEOUT,
                "the review took too long",
            )),
        }
    }
}

/// The body's length as far as it is known beforehand, at least 0.
fn announced(body: &impl Body) -> usize {
    body.size_hint().lower().try_into().unwrap_or(usize::MAX)
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the body is larger than {limit} bytes"),
    )
}

/// Reads a body of at most `limit` bytes. What came in one piece is not copied.
async fn read<B>(mut body: B, limit: usize) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let announced = announced(&body);
    let mut first = Bytes::new();
    let mut whole = Vec::new();
    let mut over = 0;
    while !body.is_end_stream()
        && over <= POLITENESS * limit
        && let Some(frame) = body.frame().await
    {
        let frame = frame
            .map_err(|why| Refusal::new(StatusCode::BAD_REQUEST, format!("broken body: {why}")))?;
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        if over > 0 || first.len() + whole.len() + piece.len() > limit {
            over += piece.len();
        } else if first.is_empty() && whole.is_empty() {
            first = piece;
        } else {
            if whole.is_empty() {
                whole.reserve_exact(announced.max(first.len() + piece.len()));
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.extend_from_slice(&piece);
        }
    }
    if over > 0 {
        return Err(too_large(limit));
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.into()
    })
}

/// Refuses a request whose body has not been read. A client that is still sending when the
/// connection closes never gets to read the answer, so most of the body is read and thrown away,
/// unless the client waits to be asked for it.
async fn refused(request: Request, refusal: Refusal, limit: usize, deadline: Instant) -> Refusal {
    if !request.headers().contains_key(header::EXPECT) {
        let mut body = request.into_body();
        let discard = async {
            let mut left = POLITENESS * limit;
            while let Some(Ok(frame)) = body.frame().await
                && left > 0
            {
                left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            }
        };
        // Too slow is as good as done: the answer goes out either way.
        let _ = timeout_at(deadline, discard).await;
    }
    refusal
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn plain(refusal: Refusal) -> Response<Full<Bytes>> {
    let mut message = refusal.message;
    message.push('\n');
    respond(refusal.status, "text/plain; charset=utf-8", message.into())
}

fn respond(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("nothing")
}
