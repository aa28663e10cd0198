//! What the replica that leads does, time and again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    Marker, Pace, Teller,
    audit::Audit,
    config::Completer,
    contest::{Contests, May, TRIES},
    defaults::Defaults,
    is_refusal,
    probe::Probe,
    status::Status,
    tell::{Outcome, What},
    wait,
};
use crate::{
    admission::{guard::Guard, metrics::Metrics},
    world::Cluster,
};

/// Where the leader works, and with what.
pub(super) struct Place {
    pub(super) client: Client,
    pub(super) namespace: String,
    pub(super) guard: Arc<Guard>,
    pub(super) world: Arc<Cluster>,
    pub(super) marker: Arc<Marker>,
    pub(super) teller: Arc<Teller>,
}

/// Something that is to be changed in one object.
pub(super) struct Matter {
    pub(super) what: What,
    pub(super) object: ObjectReference,
    /// What tells it from others of its sort.
    pub(super) id: String,
}

impl Place {
    /// Whether it may be changed; if it is given up, says so.
    pub(super) async fn may_write(&self, contests: &mut Contests, matter: &Matter) -> bool {
        match contests.ask(matter.what, &matter.id, Instant::now()) {
            May::Write => true,
            May::Wait | May::Not => false,
            May::GiveUp => {
                let note =
                    format!("tried {TRIES} times, and it is as it was: left alone from now on");
                let said = self
                    .teller
                    .say(matter.what, Outcome::GivenUp, &matter.object, note);
                said.await;
                false
            }
        }
    }

    /// Notes and says what came of a change. What failed for a moment only is no try.
    pub(super) async fn wrote(
        &self,
        contests: &mut Contests,
        matter: &Matter,
        written: Result<(), kube::Error>,
        note: &str,
    ) {
        let what = matter.what;
        match written {
            Ok(()) => {
                contests.tried(what, &matter.id, Instant::now());
                let said = self
                    .teller
                    .say(what, Outcome::Changed, &matter.object, note);
                said.await;
            }
            // It is gone, or is not any more what it was when it was looked at.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 422) => {
                let (what, id) = (what.name(), &matter.id);
                tracing::debug!(what, id, "changed meanwhile: {}", status.message);
            }
            Err(error) if is_refusal(&error) => {
                contests.tried(what, &matter.id, Instant::now());
                let said = self
                    .teller
                    .say(what, Outcome::Failed, &matter.object, error);
                said.await;
            }
            Err(error) => tracing::warn!(what = what.name(), %error, "can't be changed now"),
        }
    }
}

/// Does it.
pub(super) struct Leader {
    place: Place,
    pace: Pace,
    contests: Contests,
    defaults: Defaults,
    completer: Completer,
    audit: Audit,
    probe: Probe,
    status: Status,
    due: Due,
}

/// When what is done seldom was done last.
#[derive(Default)]
struct Due {
    audit: Option<Instant>,
    probe: Option<Instant>,
}

/// Whether something is due, which it is not before the pause is over.
fn is_due(last: &mut Option<Instant>, pause: Duration) -> bool {
    let due = last.is_none_or(|last| last.elapsed() >= pause);
    if due {
        *last = Some(Instant::now());
    }
    due
}

impl Leader {
    pub(super) fn new(place: Place, pace: Pace, metrics: &Arc<Metrics>) -> Result<Self, String> {
        Ok(Self {
            contests: Contests::new(pace),
            defaults: Defaults::new(pace),
            completer: Completer::default(),
            audit: Audit::new(metrics)?,
            probe: Probe::new(metrics)?,
            status: Status::default(),
            due: Due::default(),
            place,
            pace,
        })
    }

    /// Does it whenever this replica leads, until `stop`.
    pub(super) async fn run(mut self, mut leads: watch::Receiver<bool>, stop: CancellationToken) {
        loop {
            let leading = tokio::select! {
                () = stop.cancelled() => return,
                leading = leads.wait_for(|leads| *leads) => leading.is_ok(),
            };
            if !leading {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                // Whoever leads now does it all from the beginning.
                _ = leads.wait_for(|leads| !*leads) => {
                    self.due = Due::default();
                    self.audit.forget();
                    self.probe.forget();
                    continue;
                }
                () = self.pass() => {}
            }
            wait(self.pace.look, &stop).await;
        }
    }

    async fn pass(&mut self) {
        let settings = self.place.guard.engine().settings.reconcile;
        if self.place.world.ready().is_err() || !self.place.marker.allows_writing().await {
            return;
        }
        let (place, contests) = (&self.place, &mut self.contests);
        if settings.labels {
            self.defaults.label(place, contests).await;
        }
        if settings.placements {
            self.defaults.release(place, contests).await;
        }
        if settings.ramen_config {
            self.completer.complete(place, contests).await;
        }
        contests.forget(Instant::now());
        let mut news = false;
        if settings.probe && is_due(&mut self.due.probe, self.pace.probe) {
            self.status.probe = self.probe.run(place).await;
            news = true;
        }
        if settings.audit && is_due(&mut self.due.audit, self.pace.audit) {
            self.status.audit = self.audit.run(place).await;
            news = true;
        }
        if news {
            self.status.write(place).await;
        }
    }
}
