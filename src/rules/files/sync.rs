//! What Argo CD, Flux and Helm are told to do with an object when it changes.

use crate::{
    api::{DRCluster, DRPlacementControl, DRPolicy, Kind, Meta, VolumeReplicationGroup},
    golang::quote,
    rules::{Case, Judged, Report, annotation, label},
};

/// What Argo CD is told about one object, a list with commas.
const OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// Makes an object a hook of Argo CD's: the phases of a sync in which it is made.
pub(super) const ARGO_HOOK: &str = "argocd.argoproj.io/hook";
/// When Argo CD deletes a hook.
const ARGO_HOOK_DELETE: &str = "argocd.argoproj.io/hook-delete-policy";
/// Makes an object a hook of Helm's, and of Argo CD's where that renders the chart.
const HELM_HOOK: &str = "helm.sh/hook";
/// When Helm deletes a hook.
const HELM_HOOK_DELETE: &str = "helm.sh/hook-delete-policy";
/// Makes Helm leave an object behind.
const HELM_POLICY: &str = "helm.sh/resource-policy";
/// What Flux is told about one object begins with this.
const FLUX: &str = "kustomize.toolkit.fluxcd.io/";

/// The values of a list with commas, as Argo CD and Helm read it.
pub(super) fn values(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// Whether Argo CD is told something about the object; case counts.
pub(super) fn has_option(meta: &Meta, option: &str) -> bool {
    let options = meta.annotation(OPTIONS).unwrap_or_default();
    values(options).any(|value| value == option)
}

/// Where Flux is told something about the object, in a label or an annotation; case does not count.
///
/// Source: fluxcd/pkg, ssa/utils: `AnyInMetadata`
fn flux(meta: &Meta, name: &str, wanted: &str) -> Option<String> {
    let name = format!("{FLUX}{name}");
    let is = |value: Option<&str>| value.is_some_and(|value| value.eq_ignore_ascii_case(wanted));
    if is(meta.annotation(&name)) {
        return Some(annotation(&name));
    }
    is(meta.label(&name)).then(|| label(&name))
}

/// Whether what syncs the object leaves it alone once it is there.
pub(super) fn is_left_alone(meta: &Meta) -> bool {
    [
        ("ssa", "IfNotPresent"),
        ("ssa", "Ignore"),
        ("reconcile", "disabled"),
    ]
    .iter()
    .any(|(name, value)| flux(meta, name, value).is_some())
}

/// Whether the object stays when its file goes.
pub(super) fn is_never_pruned(meta: &Meta) -> bool {
    has_option(meta, "Prune=false")
        || flux(meta, "prune", "disabled").is_some()
        || flux(meta, "reconcile", "disabled").is_some()
        || meta.annotation(HELM_POLICY) == Some("keep")
}

/// The annotation that makes the object a hook which is deleted for being made anew, and its value.
fn hook(meta: &Meta) -> Option<(&'static str, &str)> {
    let (name, phases, delete) = match meta.annotation(ARGO_HOOK) {
        Some(phases) => (ARGO_HOOK, phases, meta.annotation(ARGO_HOOK_DELETE)),
        None => (
            HELM_HOOK,
            meta.annotation(HELM_HOOK)?,
            meta.annotation(HELM_HOOK_DELETE),
        ),
    };
    // One that is skipped is not made at all, and the tests of a chart run when somebody asks for them.
    let idle = ["Skip", "test", "test-success", "test-failure"];
    let made = values(phases).any(|phase| !idle.contains(&phase));
    let after_failure = ["HookFailed", "hook-failed"];
    let mut deleted = values(delete.unwrap_or_default()).peekable();
    let stays = deleted.peek().is_some() && deleted.all(|policy| after_failure.contains(&policy));
    (made && !stays).then_some((name, phases))
}

/// Something is told to delete the object for making it anew, or to overwrite it.
pub(super) fn replaced<K: Judged>(case: &Case<'_, K>, report: &mut Report) {
    let meta = &case.new.meta;
    // With these goes what Ramen has noted down on them, the protection, or data. The others come back.
    let loses = [
        DRPlacementControl::KIND,
        DRPolicy::KIND,
        DRCluster::KIND,
        VolumeReplicationGroup::KIND,
    ]
    .contains(&K::KIND);
    let mut say = |pointer: String, message: String| {
        if loses {
            report.say(pointer, message);
        } else {
            report.advise(pointer, message);
        }
    };
    let forced = "deletes the object and makes it anew when a change of it is refused";
    if has_option(meta, "Force=true") {
        say(
            annotation(OPTIONS),
            format!("with Force=true Argo CD {forced}"),
        );
    }
    if has_option(meta, "Replace=true") {
        say(
            annotation(OPTIONS),
            "with Replace=true Argo CD overwrites the object, and takes away the finalizers and annotations \
             that Ramen has put there"
                .to_owned(),
        );
    }
    if let Some(pointer) = flux(meta, "force", "enabled") {
        say(pointer, format!("with this Flux {forced}"));
    }
    if let Some((name, phases)) = hook(meta) {
        report.advise(
            annotation(name),
            format!(
                "as a hook ({}) the object is deleted and made anew each time",
                quote(phases)
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(annotations: &[(&str, &str)]) -> Meta {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Meta {
            annotations: annotations.iter().map(pair).collect(),
            ..Meta::default()
        }
    }

    #[test]
    fn options_are_read_as_argo_cd_reads_them() {
        for (options, forced) in [
            ("Force=true", true),
            ("Prune=false, Force=true ,Replace=true", true),
            (",,Force=true", true),
            ("Force=false", false),
            ("force=true", false),
            ("Force= true", false),
            ("Force=true;Prune=false", false),
            ("", false),
        ] {
            assert_eq!(
                has_option(&meta(&[(OPTIONS, options)]), "Force=true"),
                forced,
                "{options:?}"
            );
        }
    }

    #[test]
    fn hooks_are_those_that_are_deleted() {
        for (annotations, found) in [
            (vec![(ARGO_HOOK, "PreSync")], true),
            (vec![(ARGO_HOOK, "Skip")], false),
            (
                vec![(ARGO_HOOK, "Skip"), (HELM_HOOK, "post-install")],
                false,
            ),
            (
                vec![(ARGO_HOOK, "Sync"), (ARGO_HOOK_DELETE, "HookFailed")],
                false,
            ),
            (
                vec![
                    (ARGO_HOOK, "Sync"),
                    (ARGO_HOOK_DELETE, "HookFailed, HookSucceeded"),
                ],
                true,
            ),
            (vec![(HELM_HOOK, "post-install,post-upgrade")], true),
            (vec![(HELM_HOOK, "test")], false),
            (
                vec![
                    (HELM_HOOK, "post-install"),
                    (HELM_HOOK_DELETE, "hook-failed"),
                ],
                false,
            ),
            (vec![], false),
        ] {
            assert_eq!(
                hook(&meta(&annotations)).is_some(),
                found,
                "{annotations:?}"
            );
        }
    }
}
