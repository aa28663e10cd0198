//! The namespaces whose objects are protected, and the one that the object is in.

use std::collections::HashSet;

use super::{config, in_operations, protected};
use crate::{
    api::{Object, VolumeReplicationGroup},
    golang::quote,
    rules::{
        Case, Report, Rule,
        protection::{NAMESPACES, OPERATIONS, Protecting as _, overlap},
        some,
    },
    world::{Config, Relation},
};

pub(super) const RULES: &[Rule<VolumeReplicationGroup>] = &[
    ("vrg-protected-namespaces-admin-ns", outside),
    (
        "vrg-ops-namespace-needs-protected-namespaces",
        namespaces_required,
    ),
    ("vrg-admin-namespace-needs-velero", velero),
    ("vrg-pvc-selector-overlap", volumes_overlap),
];

/// A manifest may have no namespace yet, and a configuration no operations namespace; then nobody can
/// tell.
fn outside(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let own = &*case.new.meta.namespace;
    if protected(case.new).is_empty() || own.is_empty() {
        return;
    }
    if let Some(config) = config(case)
        && let Some(operations) = config.ops_namespace()
        && operations != own
    {
        let message = format!(
            "names some, outside the operations namespace {}",
            quote(operations)
        );
        report
            .say(NAMESPACES, message)
            .configured(config, OPERATIONS);
    }
}

/// Here an empty list is not the same as none: Ramen follows a pointer to the list. Where there is a
/// recipe, that may name all namespaces itself.
fn namespaces_required(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let vrg = case.new;
    let Some(config) = config(case).filter(|config| in_operations(vrg, config)) else {
        return;
    };
    let recipe = vrg.spec.recipe().is_some();
    let draft = match vrg.spec.protected_namespaces.as_deref() {
        None if recipe => report.advise(
            NAMESPACES,
            "is not set, and Ramen's operator needs it unless the recipe names all namespaces",
        ),
        None => report.say(
            NAMESPACES,
            format!(
                "is not set, in the operations namespace {}",
                quote(&vrg.meta.namespace)
            ),
        ),
        Some([]) if !recipe && vrg.spec.protection().is_some() => report
            .advise(NAMESPACES, "is empty, which captures every namespace")
            .fix("name the namespaces of the application"),
        Some(_) => return,
    };
    draft.configured(config, OPERATIONS);
}

/// Whether Velero is there can't be seen from here, only whether Ramen is to use it.
fn velero(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let Some(config) = config(case) else {
        return;
    };
    let here = in_operations(case.new, config) || *case.new.meta.namespace == *config.key.namespace;
    if here && config.ramen.kube_object_protection.disabled == Some(true) {
        report
            .say(
                "/metadata/namespace",
                "is one in which Ramen needs kubeObjectProtection, which is disabled in its configuration",
            )
            .configured(config, "/kubeObjectProtection/disabled");
    }
}

/// Only what is sure to overlap: the same selector, or one that takes everything. A recipe selects the
/// volumes itself.
fn volumes_overlap(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let vrg = case.new;
    let own = &vrg.meta.namespace;
    if !vrg.has_spec || own.is_empty() || vrg.spec.recipe().is_some() {
        return;
    }
    let config = config(case);
    let mine: HashSet<&str> = namespaces_of(vrg, config).into_iter().collect();
    let mut others = case
        .world
        .related::<VolumeReplicationGroup>(Relation::Namespace, own);
    others.retain(|other| {
        !other.meta.is_terminating()
            && other.spec.recipe().is_none()
            && overlap(&vrg.spec.pvc_selector, &other.spec.pvc_selector)
            && namespaces_of(other, config)
                .into_iter()
                .any(|namespace| mine.contains(namespace))
    });
    let Some(first) = others.first() else {
        return;
    };
    let shown = some(&others, |other| other.key().to_string());
    report
        .say(
            "/spec/pvcSelector",
            format!("selects volumes of {shown} too"),
        )
        .because(*first, "/spec/pvcSelector");
}

/// The namespaces whose volumes are protected, as far as no recipe says it.
///
/// Source: internal/controller/vrg_pvc_selector.go:16-26
pub(super) fn namespaces_of<'v>(
    vrg: &'v Object<VolumeReplicationGroup>,
    config: Option<&Config>,
) -> Vec<&'v str> {
    let listed = protected(vrg);
    let in_list = match config {
        Some(config) => in_operations(vrg, config),
        None => !listed.is_empty(),
    };
    if in_list {
        listed.iter().map(String::as_str).collect()
    } else {
        vec![&vrg.meta.namespace]
    }
}
