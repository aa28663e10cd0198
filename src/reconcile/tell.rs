//! Saying what was changed, and why: in the log, as an Event on the object, and in a metric.

use std::{fmt, sync::Arc};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client, Resource,
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use prometheus::IntCounterVec;

use super::MANAGER;
use crate::{admission::metrics::Metrics, report::clip};

/// The longest note that an Event takes, in bytes.
const NOTE: usize = 1000;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    /// The Secret with the certificate.
    Certificate,
    /// `caBundle` of a webhook configuration.
    CaBundle,
    /// The backup label of an object.
    Label,
    /// The hub operator's configuration.
    RamenConfig,
    /// The annotations of a placement.
    Placement,
}

impl What {
    /// The name in logs and metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::CaBundle => "ca-bundle",
            Self::Label => "label",
            Self::RamenConfig => "ramen-config",
            Self::Placement => "placement",
        }
    }

    /// The name of an Event's action.
    const fn action(self) -> &'static str {
        match self {
            Self::Certificate => "Certify",
            Self::CaBundle => "Vouch",
            Self::Label => "Label",
            Self::RamenConfig => "Complete",
            Self::Placement => "Release",
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was changed.
    Changed,
    /// It could not be changed.
    Failed,
    /// It is changed back again and again, and left alone now.
    GivenUp,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Failed => "failed",
            Self::GivenUp => "given-up",
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::Changed => "Changed",
            Self::Failed => "ChangeFailed",
            Self::GivenUp => "GaveUp",
        }
    }
}

/// Says what was changed.
pub(super) struct Teller {
    recorder: Recorder,
    changes: IntCounterVec,
}

impl Teller {
    pub(super) fn new(
        client: Client,
        identity: &str,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, String> {
        let reporter = Reporter {
            controller: MANAGER.to_owned(),
            instance: Some(identity.to_owned()),
        };
        let changes = metrics.counters(
            "ramen_guard_changes_total",
            "What the guard changed by itself, or could not, or gave up on.",
            &["what", "outcome"],
        )?;
        Ok(Self {
            recorder: Recorder::new(client, reporter),
            changes,
        })
    }

    /// Says it. An Event that can't be written is not worth more than a line in the log.
    pub(super) async fn say(
        &self,
        what: What,
        outcome: Outcome,
        object: &ObjectReference,
        note: impl fmt::Display,
    ) {
        self.changes
            .with_label_values(&[what.name(), outcome.name()])
            .inc();
        let note = note.to_string();
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let (kind, namespace, name) = (
            text(&object.kind),
            text(&object.namespace),
            text(&object.name),
        );
        let (what_name, outcome_name) = (what.name(), outcome.name());
        if outcome == Outcome::Changed {
            tracing::info!(what = what_name, kind, namespace, name, "changed: {note}");
        } else {
            tracing::warn!(
                what = what_name,
                kind,
                namespace,
                name,
                "{outcome_name}: {note}"
            );
        }
        let event = Event {
            type_: if outcome == Outcome::Changed {
                EventType::Normal
            } else {
                EventType::Warning
            },
            reason: outcome.reason().to_owned(),
            note: Some(clip(&note, NOTE / 4)),
            action: what.action().to_owned(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, object).await {
            tracing::debug!(%error, "an Event can't be written");
        }
    }
}

/// How an Event names an object.
pub(super) fn reference<K: Resource<DynamicType = ()>>(object: &K) -> ObjectReference {
    object.object_ref(&())
}
