//! What can be said of a policy alone.

use serde_json::Value;

use super::{Case, Report, Rule};
use crate::{
    api::DRPolicy,
    golang::{duration, names, quote, selector},
};

pub(super) const RULES: &[Rule<DRPolicy>] = &[
    ("drpolicy-spec-removal", crate::rules::spec_removal),
    ("drpolicy-drclusters-count", clusters_count),
    ("drpolicy-interval-format", interval_format),
    ("drpolicy-drclusters-distinct", clusters_distinct),
    ("drpolicy-drclusters-entry", clusters_entry),
    ("drpolicy-interval-overflow", interval_overflow),
    ("drpolicy-interval-cron", interval_cron),
    ("drpolicy-sync-async-mixed", sync_async_mixed),
    ("drpolicy-selector-invalid", selector_invalid),
];

const INTERVAL: &str = "/spec/schedulingInterval";

/// The number and the unit of an interval that the CRD accepts.
fn parts(interval: &str) -> Option<(&str, char)> {
    let unit = interval
        .chars()
        .last()
        .filter(|unit| ['m', 'h', 'd'].contains(unit))?;
    let digits = &interval[..interval.len() - 1];
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    number.then_some((digits, unit))
}

fn clusters_count(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let count = case.new.spec.dr_clusters.len();
    if case.new.has_spec && count != 2 {
        report.say(
            "/spec/drClusters",
            format!("has {count} clusters, and needs two"),
        );
    }
}

fn interval_format(case: &Case<'_, DRPolicy>, report: &mut Report) {
    if !case.new.has_spec {
        return;
    }
    let interval = &case.new.spec.scheduling_interval;
    if case.doc.value.pointer(INTERVAL).is_none() {
        report.say(INTERVAL, "is required, even if it is empty");
    } else if !interval.is_empty() && parts(interval).is_none() {
        let message = format!("{} is not a whole number and m, h or d", quote(interval));
        report.say(INTERVAL, message);
    }
}

fn clusters_distinct(case: &Case<'_, DRPolicy>, report: &mut Report) {
    if let [first, second] = case.new.spec.dr_clusters.as_slice()
        && first == second
    {
        report.say("/spec/drClusters/1", format!("\"{second}\" is there twice"));
    }
}

fn clusters_entry(case: &Case<'_, DRPolicy>, report: &mut Report) {
    for (index, name) in case.new.spec.dr_clusters.iter().enumerate() {
        if let Err(error) = names::dns_label(name) {
            let message = format!("{} can't be a cluster: its name {error}", quote(name));
            report.say(format!("/spec/drClusters/{index}"), message);
        }
    }
}

/// Go counts minutes and hours in nanoseconds; days, which Go doesn't know, Ramen counts in floating
/// point.
fn interval_overflow(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let interval = &case.new.spec.scheduling_interval;
    let Some((digits, unit)) = parts(interval) else {
        return;
    };
    let readable = match unit {
        'd' => digits.parse::<f64>().is_ok_and(f64::is_finite),
        _ => duration::parse(interval).is_ok(),
    };
    if !readable {
        let shown = crate::report::clip(interval, 30);
        report.say(INTERVAL, format!("\"{shown}\" is more than 292 years"));
    }
}

fn interval_cron(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let interval = &case.new.spec.scheduling_interval;
    let Some((digits, unit)) = parts(interval) else {
        return;
    };
    let (most, instead) = match unit {
        // The sixtieth minute is the next hour's first, so that this one step is right all the same.
        'm' => (60, "once an hour"),
        'h' => (23, "once a day"),
        _ => (28, "every 28 days"),
    };
    let shown = crate::report::clip(interval, 30);
    let message = match digits.parse::<u64>() {
        Ok(0) => format!("\"{shown}\" is no step of a cron schedule, so VolSync would never copy"),
        Ok(number) if number <= most => return,
        _ => format!("VolSync would copy {instead} instead of every \"{shown}\""),
    };
    report.say(INTERVAL, message);
}

/// Only an object that was read from a cluster says so: the API server takes the status off a new one.
fn sync_async_mixed(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let status = case.status();
    let both = [&status.sync, &status.async_];
    if both
        .into_iter()
        .all(|found| found.as_ref().is_some_and(|f| !f.peer_classes.is_empty()))
    {
        report.advise(
            "/status",
            "has storage classes that share their storage and ones that are copied",
        );
    }
}

fn selector_invalid(case: &Case<'_, DRPolicy>, report: &mut Report) {
    for field in [
        "replicationClassSelector",
        "volumeSnapshotClassSelector",
        "volumeGroupSnapshotClassSelector",
    ] {
        let place = format!("/spec/{field}");
        let selector = case.doc.value.pointer(&place).unwrap_or(&Value::Null);
        for problem in selector::problems_of(selector) {
            report.say(format!("{place}{}", problem.pointer), problem.message);
        }
    }
}
