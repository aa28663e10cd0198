//! What the guard counts, in the text format that Prometheus reads. Every name begins with
//! `ramen_guard_`, apart from the `process_*` that every program has.
//!
//! Labels have few values: a kind that is not the guard's own, or an operation that Kubernetes does
//! not have, is counted as `other`, so that nobody can grow the series by sending odd reviews.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder, core::Collector, process_collector::ProcessCollector,
};

use crate::report::{Finding, Lowered};

/// The content type of what [`Metrics::render`] gives.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Seconds: a review takes a tenth of a millisecond, one that reads live up to a second, and the
/// API server waits no longer than three.
const BUCKETS: [f64; 14] = [
    50e-6, 100e-6, 200e-6, 400e-6, 800e-6, 1.6e-3, 3.2e-3, 6.4e-3, 12.5e-3, 50e-3, 0.2, 0.8, 1.6,
    3.0,
];
const OPERATIONS: [&str; 4] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];
const OTHER: &str = "other";

/// What a request was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `POST /validate`
    Validate,
    /// `POST /mutate`
    Mutate,
}

impl Endpoint {
    /// The label's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Mutate => "mutate",
        }
    }
}

/// What came of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Allowed, nothing to say.
    Allowed,
    /// Allowed with warnings.
    Warned,
    /// Allowed with a patch.
    Patched,
    /// Denied.
    Denied,
    /// Not answered: the review could not be read, or judging it failed.
    Failed,
}

impl Verdict {
    /// The label's value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Warned => "warned",
            Self::Patched => "patched",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// The metrics of one process, in a registry of their own.
pub struct Metrics {
    registry: Book,
    kinds: &'static [&'static str],
    requests: IntCounterVec,
    findings: IntCounterVec,
    observed: IntCounterVec,
    exempted: IntCounterVec,
    undecided: IntCounterVec,
    durations: [Histogram; 2],
    in_flight: IntGauge,
    connections: IntGauge,
    handshake_failures: IntCounter,
    not_after: Gauge,
    reload_failures: IntCounter,
    config_failures: IntCounter,
    policies_failures: IntCounter,
}

/// What there is to know of a metric before it has any value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Described {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// What it counts.
    pub help: String,
}

/// A registry, and what is in it.
#[derive(Default)]
struct Book {
    registry: Registry,
    described: Mutex<Vec<Described>>,
}

impl Book {
    fn add(&self, metric: Box<dyn Collector>) -> Result<(), prometheus::Error> {
        let described: Vec<Described> = metric
            .desc()
            .into_iter()
            .map(|desc| Described {
                name: desc.fq_name.clone(),
                labels: desc.variable_labels.clone(),
                help: desc.help.clone(),
            })
            .collect();
        self.registry.register(metric)?;
        let mut all = self
            .described
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.extend(described);
        Ok(())
    }
}

impl Metrics {
    /// Makes and registers them. `kinds` are the kinds that are counted by name.
    ///
    /// # Errors
    /// Only if two metrics had the same name, which a test rules out.
    pub fn new(kinds: &'static [&'static str]) -> Result<Self, prometheus::Error> {
        let registry = Book::default();
        let durations = register(
            &registry,
            HistogramVec::new(
                HistogramOpts::new(
                    "ramen_guard_request_duration_seconds",
                    "From a request's head to its answer, the body's arrival included.",
                )
                .buckets(BUCKETS.to_vec()),
                &["endpoint"],
            ),
        )?;
        let version = register(
            &registry,
            IntGaugeVec::new(
                Opts::new(
                    "ramen_guard_build_info",
                    "Always 1; the version is a label.",
                ),
                &["version"],
            ),
        )?;
        version
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1);
        registry.add(Box::new(ProcessCollector::for_self()))?;
        let counter = |name, help| register(&registry, IntCounter::new(name, help));
        let counters = |name, help, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        Ok(Self {
            kinds,
            requests: counters(
                "ramen_guard_requests_total",
                "Reviews, by what came of them.",
                &["kind", "operation", "verdict", "endpoint"],
            )?,
            findings: counters(
                "ramen_guard_findings_total",
                "Findings, by rule and by the mode that was applied.",
                &["rule", "mode"],
            )?,
            observed: counters(
                "ramen_guard_would_have_denied_total",
                "Findings that would have refused the request if the profile did not only observe.",
                &["rule"],
            )?,
            exempted: counters(
                "ramen_guard_exemptions_total",
                "Findings that an annotation on the object exempted it from.",
                &["rule"],
            )?,
            undecided: counters(
                "ramen_guard_policies_undecided_total",
                "Reviews of which it is not known what a policy of the site would say of them.",
                &["policy", "reason"],
            )?,
            durations: [Endpoint::Validate, Endpoint::Mutate]
                .map(|endpoint| durations.with_label_values(&[endpoint.name()])),
            in_flight: register(
                &registry,
                IntGauge::new(
                    "ramen_guard_in_flight",
                    "Requests that are being answered now.",
                ),
            )?,
            connections: register(
                &registry,
                IntGauge::new(
                    "ramen_guard_connections",
                    "Open connections to the webhook's port.",
                ),
            )?,
            handshake_failures: counter(
                "ramen_guard_tls_handshake_failures_total",
                "Connections that never came to speak TLS; a client that does not trust the certificate counts.",
            )?,
            not_after: register(
                &registry,
                Gauge::new(
                    "ramen_guard_certificate_not_after_seconds",
                    "When the serving certificate ends, in seconds since 1970.",
                ),
            )?,
            reload_failures: counter(
                "ramen_guard_certificate_reload_failures_total",
                "Looks at the certificate's files that found them changed and of no use; the old one stays.",
            )?,
            config_failures: counter(
                "ramen_guard_config_reload_failures_total",
                "Times that the configuration could not be read again.",
            )?,
            policies_failures: counter(
                "ramen_guard_policies_reload_failures_total",
                "Times that the site's own policies could not be read again.",
            )?,
            registry,
        })
    }

    /// Lets another part count something of its own, such as reloads of the configuration.
    ///
    /// # Errors
    /// If a metric of that name is registered.
    pub fn register(&self, metric: impl Collector + 'static) -> Result<(), prometheus::Error> {
        self.registry.add(Box::new(metric))
    }

    /// A number of another part's.
    ///
    /// # Errors
    /// If a metric of that name is registered.
    pub fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, String> {
        self.added(IntGauge::new(name, help))
    }

    /// A moment, or a duration, of another part's, in seconds.
    ///
    /// # Errors
    /// If a metric of that name is registered.
    pub fn seconds(&self, name: &str, help: &str) -> Result<Gauge, String> {
        self.added(Gauge::new(name, help))
    }

    /// Numbers of another part's, by labels.
    ///
    /// # Errors
    /// If a metric of that name is registered.
    pub fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, String> {
        self.added(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    /// What another part counts, by labels.
    ///
    /// # Errors
    /// If a metric of that name is registered.
    pub fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec, String> {
        self.added(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn added<C: Collector + Clone + 'static>(
        &self,
        metric: Result<C, prometheus::Error>,
    ) -> Result<C, String> {
        register(&self.registry, metric).map_err(|error| error.to_string())
    }

    /// Counts a review that was answered.
    pub fn request(&self, endpoint: Endpoint, kind: &str, operation: &str, verdict: Verdict) {
        let labels = [
            known(self.kinds, kind),
            known(&OPERATIONS, operation),
            verdict.name(),
            endpoint.name(),
        ];
        self.requests.with_label_values(&labels).inc();
    }

    /// Counts a request of which nobody could say what it was about.
    pub fn unreadable(&self, endpoint: Endpoint) {
        self.request(endpoint, OTHER, OTHER, Verdict::Failed);
    }

    /// Counts a finding, and what it would have been.
    pub fn finding(&self, finding: &Finding) {
        // The ids of rules and the names of modes, never a text from a request.
        let (rule, mode) = (&*finding.rule.id, finding.mode.name());
        self.findings.with_label_values(&[rule, mode]).inc();
        let lowered = match finding.lowered {
            Some(Lowered::Observed) => &self.observed,
            Some(Lowered::Exempted) => &self.exempted,
            _ => return,
        };
        lowered.with_label_values(&[rule]).inc();
    }

    /// Counts a policy of the site that could not be evaluated.
    pub fn undecided(&self, policy: &str, reason: &str) {
        self.undecided.with_label_values(&[policy, reason]).inc();
    }

    /// Records how long an answer took.
    pub fn took(&self, endpoint: Endpoint, duration: Duration) {
        self.durations[endpoint as usize].observe(duration.as_secs_f64());
    }

    /// Requests that are being answered now.
    pub fn in_flight(&self) -> &IntGauge {
        &self.in_flight
    }

    /// Open connections to the webhook's port.
    pub fn connections(&self) -> &IntGauge {
        &self.connections
    }

    /// Handshakes that failed.
    pub fn handshake_failures(&self) -> &IntCounter {
        &self.handshake_failures
    }

    /// Looks at the certificate's files that found something of no use.
    pub fn reload_failures(&self) -> &IntCounter {
        &self.reload_failures
    }

    /// Looks at the configuration file that found something that can't be read.
    pub fn config_failures(&self) -> &IntCounter {
        &self.config_failures
    }

    /// Looks at the site's own policies that found something that can't be read.
    pub fn policies_failures(&self) -> &IntCounter {
        &self.policies_failures
    }

    /// What there is, by name, whether it has values already or not.
    pub fn described(&self) -> Vec<Described> {
        let described = &self.registry.described;
        let mut all = described
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        all.sort();
        all
    }

    /// When the serving certificate ends, in seconds since 1970.
    pub fn certificate_not_after(&self) -> &Gauge {
        &self.not_after
    }

    /// All of them, as text.
    ///
    /// # Errors
    /// If a collector gives a metric that can't be written.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.registry.gather())
    }
}

fn register<C: Collector + Clone + 'static>(
    registry: &Book,
    metric: Result<C, prometheus::Error>,
) -> Result<C, prometheus::Error> {
    let metric = metric?;
    registry.add(Box::new(metric.clone()))?;
    Ok(metric)
}

fn known(names: &'static [&'static str], name: &str) -> &'static str {
    names
        .iter()
        .find(|known| **known == name)
        .copied()
        .unwrap_or(OTHER)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use jsonptr::PointerBuf;

    use super::*;
    use crate::policy::{self, Mode};

    const KINDS: [&str; 2] = ["DRPolicy", "DRPlacementControl"];

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::new(&KINDS).unwrap();
        metrics.request(Endpoint::Validate, "DRPolicy", "CREATE", Verdict::Denied);
        let finding = |mode, lowered| Finding {
            rule: policy::contract("drpolicy-drclusters-distinct")
                .unwrap()
                .into(),
            mode,
            pointer: PointerBuf::default(),
            message: String::new(),
            fix: None,
            related: Vec::new(),
            rests_on: Arc::default(),
            lowered,
        };
        metrics.finding(&finding(Mode::Deny, None));
        metrics.finding(&finding(Mode::Warn, Some(Lowered::Observed)));
        metrics.finding(&finding(Mode::Audit, Some(Lowered::Exempted)));
        metrics.took(Endpoint::Mutate, Duration::from_micros(70));
        metrics.certificate_not_after().set(1.9e9);
        let text = metrics.render().unwrap();
        for line in [
            r#"ramen_guard_requests_total{endpoint="validate",kind="DRPolicy",operation="CREATE",verdict="denied"} 1"#,
            r#"ramen_guard_findings_total{mode="deny",rule="drpolicy-drclusters-distinct"} 1"#,
            r#"ramen_guard_would_have_denied_total{rule="drpolicy-drclusters-distinct"} 1"#,
            r#"ramen_guard_exemptions_total{rule="drpolicy-drclusters-distinct"} 1"#,
            r#"ramen_guard_request_duration_seconds_bucket{endpoint="mutate",le="0.0001"} 1"#,
            r#"ramen_guard_request_duration_seconds_bucket{endpoint="mutate",le="0.00005"} 0"#,
            r#"ramen_guard_request_duration_seconds_count{endpoint="validate"} 0"#,
            "ramen_guard_certificate_not_after_seconds 1900000000",
            "ramen_guard_certificate_reload_failures_total 0",
            "ramen_guard_tls_handshake_failures_total 0",
            "ramen_guard_in_flight 0",
            "ramen_guard_connections 0",
            concat!(
                "ramen_guard_build_info{version=\"",
                env!("CARGO_PKG_VERSION"),
                "\"} 1"
            ),
        ] {
            assert!(
                text.lines().any(|have| have == line),
                "{line} is not in\n{text}"
            );
        }
        assert!(text.contains("process_resident_memory_bytes"));
    }

    #[test]
    fn odd_reviews_do_not_grow_the_series() {
        let metrics = Metrics::new(&KINDS).unwrap();
        for number in 0..100 {
            metrics.request(
                Endpoint::Validate,
                &format!("Kind{number}"),
                &number.to_string(),
                Verdict::Allowed,
            );
        }
        let text = metrics.render().unwrap();
        let series: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("ramen_guard_requests_total{"))
            .collect();
        assert_eq!(
            series,
            [
                r#"ramen_guard_requests_total{endpoint="validate",kind="other",operation="other",verdict="allowed"} 100"#
            ]
        );
    }
}
