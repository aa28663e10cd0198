//! What the object says by itself: references, selectors, durations, names.

use std::{collections::HashSet, sync::LazyLock};

use kube::CustomResourceExt;
use serde_json::Value;

use super::common::{application_sets, protected};
use crate::{
    api::{DRPlacementControl, Text},
    golang::{
        names::{self, LABEL_MAX},
        quote,
    },
    rules::{
        Case, Report, Rule,
        protection::{self, NAMESPACES, Protecting as _, selects_all},
        some,
        unknown::unknown_fields,
    },
    world::{APP_NAMESPACE, Config, is_metro},
};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[
    ("drpc-spec-removal", crate::rules::spec_removal),
    ("drpc-placementref-namespace-mismatch", placement_namespace),
    ("drpc-placementref-kind", placement_kind),
    ("drpc-drpolicyref-kind", policy_kind),
    ("drpc-pvcselector-invalid", protection::pvc_selector),
    ("drpc-pvcselector-empty", pvc_selector_empty),
    (
        "drpc-kubeobjectselector-invalid",
        protection::object_selector,
    ),
    (
        "drpc-captureinterval-not-go-duration",
        protection::capture_interval,
    ),
    (
        "drpc-captureinterval-nonpositive",
        protection::capture_interval_nonpositive,
    ),
    ("drpc-protectednamespaces-entry", namespaces_entry),
    ("drpc-protectednamespaces-duplicate", namespaces_duplicate),
    ("drpc-protectednamespaces-change", namespaces_change),
    ("drpc-unknown-field", unknown),
    ("drpc-name-too-long", protection::name_too_long),
    ("drpc-derived-name-too-long", derived_name_too_long),
    ("drpc-volsync-policy-name", volsync_policy_name),
];

/// A manifest may have no namespace yet; then nobody can tell.
fn placement_namespace(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let own = &case.new.meta.namespace;
    if let Some(namespace) = case.new.spec.placement_ref.namespace.text()
        && !own.is_empty()
        && namespace != own
    {
        report.say(
            "/spec/placementRef/namespace",
            format!(
                "{} is not the namespace of the DRPlacementControl, \"{own}\"",
                quote(namespace)
            ),
        );
    }
}

fn placement_kind(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if let Some(kind) = case.new.spec.placement_ref.kind.text()
        && !["Placement", "PlacementRule"].contains(&kind)
    {
        report.say(
            "/spec/placementRef/kind",
            format!(
                "{} is neither \"Placement\" nor \"PlacementRule\", and is not read",
                quote(kind)
            ),
        );
    }
}

fn policy_kind(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if let Some(kind) = case.new.spec.dr_policy_ref.kind.text()
        && kind != "DRPolicy"
    {
        report.say(
            "/spec/drPolicyRef/kind",
            format!("{} is not \"DRPolicy\", and is not read", quote(kind)),
        );
    }
}

/// A recipe selects the volumes itself, and a discovered application has its namespaces to itself.
fn pvc_selector_empty(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let spec = &case.new.spec;
    let written = case.doc.value.pointer("/spec/pvcSelector").is_some();
    if written
        && selects_all(&spec.pvc_selector)
        && protected(case.new).is_empty()
        && spec.recipe().is_none()
    {
        report.say(
            "/spec/pvcSelector",
            "is empty, which selects every volume of the namespace",
        );
    }
}

fn namespaces_entry(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    for (index, namespace) in protected(case.new).iter().enumerate() {
        if let Err(error) = names::dns_label(namespace) {
            report.say(
                format!("{NAMESPACES}/{index}"),
                format!("{} {error}", quote(namespace)),
            );
        }
    }
}

fn namespaces_duplicate(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let mut seen = HashSet::new();
    for (index, namespace) in protected(case.new).iter().enumerate() {
        if !seen.insert(namespace) {
            report.say(
                format!("{NAMESPACES}/{index}"),
                format!("{} is there twice", quote(namespace)),
            );
        }
    }
}

/// In another order the list says the same.
fn namespaces_change(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let Some(old) = case.old.filter(|old| old.has_spec && case.new.has_spec) else {
        return;
    };
    let (before, after) = (protected(old), protected(case.new));
    let only = |these: &[String], those: &[String]| {
        let those: HashSet<&String> = those.iter().collect();
        let only = these.iter().filter(|namespace| !those.contains(namespace));
        some(&only.collect::<Vec<_>>(), |namespace| quote(namespace))
    };
    let message = match (only(before, after), only(after, before)) {
        (gone, new) if gone.is_empty() && new.is_empty() => return,
        (gone, new) if new.is_empty() => format!("{gone} no longer protected"),
        (gone, new) if gone.is_empty() => format!("{new} newly protected"),
        (gone, new) => format!("{gone} no longer protected, {new} newly"),
    };
    report.say(NAMESPACES, message);
}

fn unknown(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
        let crd = serde_json::to_value(DRPlacementControl::crd()).unwrap_or_default();
        crd.pointer("/spec/versions/0/schema/openAPIV3Schema")
            .cloned()
            .unwrap_or_default()
    });
    unknown_fields(&SCHEMA, &case.doc.value, report);
}

/// Beyond `ROOMY` what Open Cluster Management puts before the name may be too much.
fn derived_name_too_long(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    const ROOMY: usize = 180;
    const LONGEST: usize = 253;

    let meta = &case.new.meta;
    let noted = meta.annotation(APP_NAMESPACE);
    let length = meta.name.len() + 1 + noted.unwrap_or(&meta.namespace).len() + "-vrg-mw".len();
    if length <= ROOMY || meta.name.is_empty() {
        return;
    }
    let message = format!(
        "makes for a ManifestWork whose name has {length} characters; {LONGEST} is the limit"
    );
    // An ApplicationSet may deploy to a namespace with another name.
    if length > LONGEST && (noted.is_some() || application_sets(case.world, case.new).is_empty()) {
        report.say("/metadata/name", message);
    } else {
        report.advise("/metadata/name", message);
    }
}

/// Ramen leaves the policy's name as it is where it finds no room for a shortened one. Where `VolSync` is
/// not used, there is no such policy.
fn volsync_policy_name(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    const ROOM: usize = 62;
    const SHORTEST: usize = 13;

    let meta = &case.new.meta;
    let length = meta.namespace.len() + 1 + meta.name.len() + "-vs-secret".len();
    if ROOM.saturating_sub(meta.namespace.len()) > SHORTEST
        || length <= LABEL_MAX
        || meta.name.is_empty()
    {
        return;
    }
    let metro = case.world.policy_of(case.new).found().is_some_and(is_metro);
    let config = case.world.hub_config(case.operator_namespace);
    if !metro && !config.is_some_and(Config::volsync_disabled) {
        let message = format!(
            "needs {length} characters with \"-vs-secret\" and the namespace; {LABEL_MAX} is the limit"
        );
        report.say("/metadata/name", message);
    }
}
