//! What is known of the world, as metrics: read from it whenever somebody asks.

use std::sync::Arc;

use prometheus::{
    Gauge, GaugeVec, IntGaugeVec, Opts,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use crate::world::Cluster;

/// Counts what a watched cluster holds.
pub struct WorldMetrics {
    cluster: Arc<Cluster>,
    objects: IntGaugeVec,
    synced: IntGaugeVec,
    failing: IntGaugeVec,
    age: GaugeVec,
}

impl WorldMetrics {
    /// The metrics of this cluster.
    ///
    /// # Errors
    /// Never for these names, which a test rules out.
    pub fn new(cluster: Arc<Cluster>) -> Result<Self, prometheus::Error> {
        let numbers = |name, help| IntGaugeVec::new(Opts::new(name, help), &["kind"]);
        Ok(Self {
            cluster,
            objects: numbers(
                "ramen_guard_world_objects",
                "Objects that are kept in memory.",
            )?,
            synced: numbers(
                "ramen_guard_world_synced",
                "1 if these are all that there are in the cluster.",
            )?,
            failing: numbers(
                "ramen_guard_world_watch_failing",
                "1 while the kind can't be watched.",
            )?,
            age: GaugeVec::new(
                Opts::new(
                    "ramen_guard_world_age_seconds",
                    "Since the cluster last told something about the kind; grows while nothing changes.",
                ),
                &["kind"],
            )?,
        })
    }

    fn gauges(&self) -> [&dyn Collector; 4] {
        [&self.objects, &self.synced, &self.failing, &self.age]
    }
}

impl Collector for WorldMetrics {
    fn desc(&self) -> Vec<&Desc> {
        let gauges = self.gauges().into_iter();
        gauges.flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        for watched in self.cluster.watches() {
            let set = |gauge: &IntGaugeVec, value| {
                gauge.with_label_values(&[watched.kind]).set(value);
            };
            set(
                &self.objects,
                i64::try_from(watched.objects).unwrap_or(i64::MAX),
            );
            set(&self.synced, watched.synced.into());
            set(&self.failing, watched.failing.into());
            let age: Gauge = self.age.with_label_values(&[watched.kind]);
            age.set(watched.age.as_secs_f64());
        }
        let gauges = self.gauges().into_iter();
        gauges.flat_map(Collector::collect).collect()
    }
}
