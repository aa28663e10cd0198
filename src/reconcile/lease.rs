//! Who leads: the replica whose name stands in the Lease.
//!
//! As elsewhere in Kubernetes, nobody compares clocks: a Lease that has not changed for its whole length,
//! by the looker's own clock, is free. Two that believe to lead for a moment do no harm, since all that
//! the leader writes is compared with what is stored.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use prometheus::IntGauge;
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{LEASE, MANAGER, Marker, Pace, wait};
use crate::admission::metrics::Metrics;

/// Stands for the lead, and tells whether this replica has it.
pub(super) struct Elector {
    api: Api<Lease>,
    identity: String,
    pace: Pace,
    marker: Arc<Marker>,
    leads: watch::Sender<bool>,
    gauge: IntGauge,
    /// The version of the Lease that was seen last, and when first.
    seen: Option<(String, Instant)>,
    renewed: Option<Instant>,
    trouble: Option<String>,
}

impl Elector {
    pub(super) fn new(
        client: Client,
        namespace: &str,
        identity: String,
        pace: Pace,
        marker: Arc<Marker>,
        metrics: &Arc<Metrics>,
    ) -> Result<(Self, watch::Receiver<bool>), String> {
        let gauge = metrics.gauge(
            "ramen_guard_leader",
            "1 on the replica that leads, and alone changes things.",
        )?;
        let (leads, told) = watch::channel(false);
        let elector = Self {
            api: Api::namespaced(client, namespace),
            identity,
            pace,
            marker,
            leads,
            gauge,
            seen: None,
            renewed: None,
            trouble: None,
        };
        Ok((elector, told))
    }

    /// Stands until `stop`, then gives the lead back.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let begun = Instant::now();
            match timeout(self.pace.lease / 2, self.stand(begun)).await {
                Ok(Ok(leads)) => {
                    self.renewed = leads.then_some(begun);
                    self.trouble = None;
                    self.lead(leads);
                }
                Ok(Err(error)) => self.failed(error.to_string()),
                Err(_) => self.failed("the API server takes too long".to_owned()),
            }
            wait(self.pace.renew, &stop).await;
        }
        if *self.leads.borrow() {
            self.lead(false);
            if let Ok(Err(error)) = timeout(Duration::from_secs(2), self.release()).await {
                tracing::debug!(%error, "the Lease can't be given back; it runs out by itself");
            }
        }
    }

    /// Who can't renew stops leading before anybody else may begin.
    fn failed(&mut self, error: String) {
        if self.trouble.as_ref() != Some(&error) {
            tracing::warn!("the Lease can't be read or renewed: {error}");
            self.trouble = Some(error);
        }
        let age = self.renewed.map(|renewed| renewed.elapsed());
        if age.is_none_or(|age| age > self.pace.lease * 2 / 3) {
            self.lead(false);
        }
    }

    fn lead(&self, leads: bool) {
        self.gauge.set(i64::from(leads));
        let changed = self
            .leads
            .send_if_modified(|now| std::mem::replace(now, leads) != leads);
        if changed {
            let identity = &self.identity;
            tracing::info!(
                identity,
                "{}",
                if leads {
                    "leading"
                } else {
                    "not leading any more"
                }
            );
        }
    }

    /// Takes or renews the Lease if it is ours or free. Whether it is ours then.
    async fn stand(&mut self, now: Instant) -> Result<bool, kube::Error> {
        if !self.marker.allows_writing().await {
            return Ok(false);
        }
        let Some(mut lease) = self.api.get_opt(LEASE).await? else {
            let lease = Lease {
                metadata: ObjectMeta {
                    name: Some(LEASE.to_owned()),
                    labels: Some(super::labels()),
                    ..ObjectMeta::default()
                },
                spec: Some(self.taken(None)),
            };
            return settled(self.api.create(&params(), &lease).await);
        };
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        let since = match &self.seen {
            Some((seen, since)) if *seen == version => *since,
            _ => now,
        };
        self.seen = Some((version, since));
        let before = lease.spec.take().unwrap_or_default();
        let holder = before.holder_identity.as_deref().unwrap_or_default();
        let free = holder.is_empty() || now.duration_since(since) >= self.pace.lease;
        if holder != self.identity && !free {
            return Ok(false);
        }
        lease.spec = Some(self.taken(Some(before)));
        settled(self.api.replace(LEASE, &params(), &lease).await)
    }

    /// What the Lease says when this replica holds it.
    fn taken(&self, before: Option<LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let before = before.unwrap_or_default();
        let ours = before.holder_identity.as_deref() == Some(&self.identity);
        let transitions = before.lease_transitions.unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: Some(whole_seconds(self.pace.lease)),
            acquire_time: before
                .acquire_time
                .filter(|_| ours)
                .or_else(|| Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(transitions.saturating_add(i32::from(!ours))),
            ..LeaseSpec::default()
        }
    }

    async fn release(&self) -> Result<(), kube::Error> {
        if !self.marker.allows_writing().await {
            return Ok(());
        }
        let mut lease = self.api.get(LEASE).await?;
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() == Some(&self.identity) {
            spec.holder_identity = Some(String::new());
            spec.lease_duration_seconds = Some(1);
            settled(self.api.replace(LEASE, &params(), &lease).await)?;
        }
        Ok(())
    }
}

fn params() -> PostParams {
    PostParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PostParams::default()
    }
}

/// Another one was faster: that is no error.
fn settled(written: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match written {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX).max(1)
}
