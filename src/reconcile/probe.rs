//! Whether the API server reaches the guard, tried the way a user's write goes; and whether old webhooks
//! of Ramen's own stand in the way.
//!
//! A new object is made as a dry run. Where it comes back with the label that only the guard adds, the
//! whole path is there: configuration, Service, certificate, answer.

use std::sync::Arc;

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, RuleWithOperations, ValidatingWebhookConfiguration,
};
use kube::{
    Api, ResourceExt as _,
    api::{DynamicObject, ListParams, PostParams},
};
use prometheus::{Gauge, IntGauge};
use serde_json::json;
use time::OffsetDateTime;

use super::leader::Place;
use crate::{
    admission::metrics::Metrics,
    api::{self, BACKUP_LABEL, DRPolicy, Kind as _},
    engine::DOMAIN,
    world::KeptKind,
};

/// The object that is never stored.
const NAME: &str = "ramen-guard-probe";

/// What came of a try.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Probed {
    /// Whether the guard was reached; nothing where nobody can say.
    pub(super) reached: Option<bool>,
    /// In words.
    pub(super) said: String,
    /// Webhook configurations that Ramen itself once had.
    pub(super) left_over: Vec<String>,
}

/// Tries it.
pub(super) struct Probe {
    success: IntGauge,
    last: Gauge,
    left_over: IntGauge,
    before: Option<Probed>,
}

impl Probe {
    pub(super) fn new(metrics: &Arc<Metrics>) -> Result<Self, String> {
        let mut probe = Self {
            success: metrics.gauge(
                "ramen_guard_probe_success",
                "1 if a dry run through the API server reached the guard, 0 if not, -1 if nobody can say; known to the leader.",
            )?,
            last: metrics.seconds(
                "ramen_guard_probe_last_success_seconds",
                "When a dry run through the API server last reached the guard, in seconds since 1970.",
            )?,
            left_over: metrics.gauge(
                "ramen_guard_old_webhooks",
                "Webhook configurations that an old Ramen left behind, and that nobody answers.",
            )?,
            before: None,
        };
        probe.forget();
        Ok(probe)
    }

    /// Nobody can say any more.
    pub(super) fn forget(&mut self) {
        self.success.set(-1);
        self.before = None;
    }

    pub(super) async fn run(&mut self, place: &Place) -> Probed {
        let (reached, said) = reach(place).await;
        let left_over = left_over(place).await;
        let probed = Probed {
            reached,
            said,
            left_over,
        };
        if self.before.as_ref() != Some(&probed) {
            say(&probed);
        }
        let left_over = i64::try_from(probed.left_over.len()).unwrap_or(i64::MAX);
        self.left_over.set(left_over);
        self.success.set(reached.map_or(-1, i64::from));
        if reached == Some(true) {
            #[expect(
                clippy::cast_precision_loss,
                reason = "seconds, exact for the next 200 million years"
            )]
            self.last
                .set(OffsetDateTime::now_utc().unix_timestamp() as f64);
        }
        self.before = Some(probed.clone());
        probed
    }
}

fn say(probed: &Probed) {
    if probed.reached == Some(true) {
        tracing::info!("probe: {}", probed.said);
    } else {
        tracing::warn!("probe: {}", probed.said);
    }
    if !probed.left_over.is_empty() {
        tracing::warn!(
            configurations = ?probed.left_over,
            "webhook configurations of an old Ramen are left, which nobody answers any more: delete them"
        );
    }
}

async fn reach(place: &Place) -> (Option<bool>, String) {
    let kind = KeptKind::of::<DRPolicy>();
    let api: Api<DynamicObject> = Api::all_with(place.client.clone(), &kind.resource());
    let object = json!({
        "apiVersion": kind.resource().api_version,
        "kind": DRPolicy::KIND,
        "metadata": { "name": NAME },
        "spec": { "drClusters": ["probe-a", "probe-b"], "schedulingInterval": "5m" },
    });
    let Ok(object) = serde_json::from_value::<DynamicObject>(object) else {
        return (None, "the probe's object can't be made".to_owned());
    };
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    match api.create(&params, &object).await {
        Ok(made) if made.labels().get(BACKUP_LABEL.0).is_some_and(|it| it == BACKUP_LABEL.1) => {
            (Some(true), "the API server reaches the guard".to_owned())
        }
        Ok(_) => (
            Some(false),
            "the API server does not ask the guard: are the webhook configurations there, with their caBundle?".to_owned(),
        ),
        Err(kube::Error::Api(status)) if is_call_failure(&status.message) => {
            (Some(false), format!("the API server can't reach the guard: {}", status.message))
        }
        // Refused by the guard, for whatever reason.
        Err(kube::Error::Api(status)) if status.message.contains(DOMAIN) => {
            (Some(true), "the API server reaches the guard".to_owned())
        }
        Err(kube::Error::Api(status)) if status.code == 404 => {
            (None, format!("the cluster does not serve {}", DRPolicy::KIND))
        }
        Err(error) => (None, format!("nobody can say whether the API server reaches the guard: {error}")),
    }
}

fn is_call_failure(message: &str) -> bool {
    message.contains("failed calling webhook") && message.contains(DOMAIN)
}

/// Webhooks on Ramen's kinds that its own operator had until 2024, as the scaffolding names them.
async fn left_over(place: &Place) -> Vec<String> {
    let mut found = Vec::new();
    let all = ListParams::default();
    let validating: Api<ValidatingWebhookConfiguration> = Api::all(place.client.clone());
    for configuration in validating.list(&all).await.into_iter().flatten() {
        let hooks = configuration.webhooks.iter().flatten();
        if hooks
            .into_iter()
            .any(|hook| is_old(&hook.name, hook.rules.as_deref()))
        {
            found.push(format!(
                "ValidatingWebhookConfiguration {}",
                configuration.name_any()
            ));
        }
    }
    let mutating: Api<MutatingWebhookConfiguration> = Api::all(place.client.clone());
    for configuration in mutating.list(&all).await.into_iter().flatten() {
        let hooks = configuration.webhooks.iter().flatten();
        if hooks
            .into_iter()
            .any(|hook| is_old(&hook.name, hook.rules.as_deref()))
        {
            found.push(format!(
                "MutatingWebhookConfiguration {}",
                configuration.name_any()
            ));
        }
    }
    found
}

fn is_old(name: &str, rules: Option<&[RuleWithOperations]>) -> bool {
    let ramens = |rule: &RuleWithOperations| {
        let groups = rule.api_groups.iter().flatten();
        groups.into_iter().any(|group| group == api::GROUP)
    };
    name.ends_with(".kb.io") && rules.unwrap_or_default().iter().any(ramens)
}
