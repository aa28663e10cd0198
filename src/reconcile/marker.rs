//! The mark by which a person tells the guard to keep its hands off: see [`BREAK_GLASS`].

use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};
use prometheus::IntGauge;

use crate::{admission::metrics::Metrics, engine::BREAK_GLASS};

/// Whether something may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// It may.
    Absent,
    /// It may not.
    Set,
    /// Nobody can say, so it may not.
    Unknown,
}

/// Looks for the mark.
pub(super) struct Marker {
    api: Api<Namespace>,
    namespace: String,
    gauge: IntGauge,
    last: Mutex<Option<Mark>>,
}

impl Marker {
    pub(super) fn new(
        client: Client,
        namespace: &str,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, String> {
        let gauge = metrics.gauge(
            "ramen_guard_break_glass",
            "1 while the guard's namespace is marked, and nothing is written.",
        )?;
        Ok(Self {
            api: Api::all(client),
            namespace: namespace.to_owned(),
            gauge,
            last: Mutex::default(),
        })
    }

    /// Whether the guard may write, read afresh.
    pub(super) async fn allows_writing(&self) -> bool {
        let (mark, why) = match self.api.get_metadata_opt(&self.namespace).await {
            Ok(found) => {
                let annotations = found.and_then(|found| found.metadata.annotations);
                let marked = annotations.is_some_and(|all| all.contains_key(BREAK_GLASS));
                (if marked { Mark::Set } else { Mark::Absent }, String::new())
            }
            Err(error) => (Mark::Unknown, error.to_string()),
        };
        self.say(mark, &why);
        mark == Mark::Absent
    }

    /// Says what is new.
    fn say(&self, mark: Mark, why: &str) {
        self.gauge.set(i64::from(mark == Mark::Set));
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.replace(mark);
        if before == Some(mark) {
            return;
        }
        let namespace = &self.namespace;
        match mark {
            Mark::Set => tracing::warn!(
                namespace,
                "break-glass: the namespace is annotated with {BREAK_GLASS}, so nothing is written until that is gone"
            ),
            Mark::Unknown => tracing::warn!(
                namespace,
                "nothing is written while nobody can say whether the namespace is annotated with {BREAK_GLASS}: {why}"
            ),
            Mark::Absent if before.is_some() => {
                tracing::info!(namespace, "{BREAK_GLASS} is not there, so writing goes on");
            }
            Mark::Absent => {}
        }
    }
}
