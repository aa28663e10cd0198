//! The audit of what is stored: counted in metrics, and for people the gravest first.

use std::{collections::BTreeMap, sync::Arc};

use prometheus::{Gauge, IntGauge, IntGaugeVec};
use time::OffsetDateTime;

use super::leader::Place;
use crate::{
    admission::{certificate::readable, metrics::Metrics},
    api::Doc,
    engine::Audited,
    policy::Mode,
    rules::readable_kinds,
    world::Cluster,
};

/// Objects a page of a list: few, since they are in memory as a whole.
const PAGE: u32 = 100;
/// How many objects are kept with their findings: far more than anybody reads.
const KEPT: usize = 200;

/// What came of an audit.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    /// When it was done, RFC 3339; empty if it never was.
    pub(super) at: String,
    /// The same in seconds since 1970.
    pub(super) seconds: i64,
    /// Objects that were judged.
    pub(super) judged: usize,
    /// Objects that would be refused.
    pub(super) denied: usize,
    /// Objects that there would be a warning about.
    pub(super) warned: usize,
    /// Findings by mode.
    pub(super) findings: BTreeMap<&'static str, usize>,
    /// The gravest, in order.
    pub(super) worst: Vec<Audited>,
    /// How many others have findings, too.
    pub(super) more: usize,
    /// Kinds that can't be listed, and why.
    pub(super) unread: Vec<String>,
}

/// Audits.
pub(super) struct Audit {
    objects: IntGaugeVec,
    findings: IntGaugeVec,
    blocking: IntGauge,
    unread: IntGauge,
    last: Gauge,
    blockers: Vec<String>,
}

impl Audit {
    pub(super) fn new(metrics: &Arc<Metrics>) -> Result<Self, String> {
        Ok(Self {
            objects: metrics.gauges(
                "ramen_guard_audit_objects",
                "Stored objects at the last audit, by what the guard would say if they were new; known to the leader.",
                &["kind", "verdict"],
            )?,
            findings: metrics.gauges(
                "ramen_guard_audit_findings",
                "Findings about stored objects at the last audit.",
                &["rule", "mode"],
            )?,
            blocking: metrics.gauge(
                "ramen_guard_audit_blocking_objects",
                "Stored objects that hold up others.",
            )?,
            unread: metrics.gauge(
                "ramen_guard_audit_unread_kinds",
                "Kinds that could not be listed at the last audit.",
            )?,
            last: metrics.seconds(
                "ramen_guard_audit_last_seconds",
                "When the last audit was done, in seconds since 1970.",
            )?,
            blockers: Vec::new(),
        })
    }

    /// Another one audits now.
    pub(super) fn forget(&mut self) {
        self.objects.reset();
        self.findings.reset();
        self.blocking.set(0);
        self.unread.set(0);
        self.last.set(0.0);
        self.blockers.clear();
    }

    pub(super) async fn run(&mut self, place: &Place) -> Summary {
        let now = OffsetDateTime::now_utc();
        let mut summary = Summary {
            at: readable(now.replace_nanosecond(0).unwrap_or(now)),
            seconds: now.unix_timestamp(),
            ..Summary::default()
        };
        let engine = place.guard.engine();
        let namespace = &engine.settings.ramen.namespace;
        let mut objects = BTreeMap::<(&str, &str), i64>::new();
        let mut findings = BTreeMap::<(String, &str), i64>::new();
        let mut blocking = 0;
        for kind in readable_kinds() {
            let judge = |doc: Doc| {
                let audited = engine.judge_stored(&doc, &place.world.store());
                let Some(audited) = audited else { return };
                summary.judged += 1;
                let verdict = match audited.worst() {
                    Mode::Deny => "denied",
                    Mode::Warn => "warned",
                    Mode::Audit | Mode::Off => "clean",
                };
                summary.denied += usize::from(verdict == "denied");
                summary.warned += usize::from(verdict == "warned");
                *objects.entry((kind.kind, verdict)).or_default() += 1;
                for finding in &audited.findings {
                    let mode = finding.mode.name();
                    *findings.entry((finding.rule.id.clone(), mode)).or_default() += 1;
                    *summary.findings.entry(mode).or_default() += 1;
                }
                blocking += i64::from(audited.blocks > 0);
                summary.keep(audited);
            };
            let read = Cluster::each(&place.client, kind, namespace, PAGE, judge).await;
            if let Err(error) = read {
                summary.unread.push(format!("{}: {error}", kind.plural));
            }
        }
        summary.sort();
        self.objects.reset();
        self.findings.reset();
        for (labels, count) in objects {
            self.objects
                .with_label_values(&[labels.0, labels.1])
                .set(count);
        }
        for (labels, count) in findings {
            self.findings
                .with_label_values(&[&*labels.0, labels.1])
                .set(count);
        }
        self.blocking.set(blocking);
        self.unread
            .set(i64::try_from(summary.unread.len()).unwrap_or(i64::MAX));
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds, exact for the next 200 million years"
        )]
        self.last.set(summary.seconds as f64);
        self.say(&summary);
        summary
    }

    /// Says which hold up others, when that changes.
    fn say(&mut self, summary: &Summary) {
        let blocking = summary.worst.iter().filter(|it| it.blocks > 0);
        let blockers: Vec<String> = blocking
            .map(|it| format!("{} {}/{}", it.kind, it.namespace, it.name))
            .collect();
        if blockers != self.blockers && !blockers.is_empty() {
            tracing::warn!(objects = ?blockers, "stored objects hold up others");
        }
        tracing::debug!(
            judged = summary.judged,
            denied = summary.denied,
            warned = summary.warned,
            "audited"
        );
        self.blockers = blockers;
    }
}

impl Summary {
    /// Keeps an object, if it is among the gravest.
    fn keep(&mut self, audited: Audited) {
        if audited.worst() < Mode::Warn {
            return;
        }
        self.worst.push(audited);
        if self.worst.len() >= 2 * KEPT {
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.worst.sort_by_key(Audited::gravity);
        self.more += self.worst.len().saturating_sub(KEPT);
        self.worst.truncate(KEPT);
    }
}
