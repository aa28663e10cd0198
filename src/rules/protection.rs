//! What a `DRPlacementControl` and the `VolumeReplicationGroup`s that the hub makes of it say in the same
//! words, so that both are judged in the same way.

use super::{Case, Report, annotation};
use crate::{
    api::{
        DRPlacementControlSpec, Kind, KubeObjectProtectionSpec, LabelSelector, RecipeRef, Text,
        Texts, VolumeReplicationGroupSpec,
    },
    golang::{duration, names::LABEL_MAX, quote, selector},
    world::Config,
};

/// Where Ramen's configuration names the operations namespace.
pub(super) const OPERATIONS: &str = "/ramenOpsNamespace";
/// The namespaces that an application in the operations namespace has.
pub(super) const NAMESPACES: &str = "/spec/protectedNamespaces";
/// The reference to a recipe.
pub(super) const REF: &str = "/spec/kubeObjectProtection/recipeRef";
/// What is put into the recipe.
pub(super) const PARAMETERS: &str = "/spec/kubeObjectProtection/recipeParameters";
const INTERVAL: &str = "/spec/kubeObjectProtection/captureInterval";

/// The recipe that is part of Ramen: one for virtual machines.
pub(super) const VM_RECIPE: &str = "vm-recipe";
/// Its parameters that select something.
pub(super) const VM_SELECTIONS: [&str; 3] = [
    "PROTECTED_VMS",
    "K8S_RESOURCE_SELECTOR",
    "PVC_RESOURCE_SELECTOR",
];

/// The body of a kind that says how Kubernetes objects are protected.
pub(super) trait Protecting {
    /// How they are; nothing where only volumes are.
    fn protection(&self) -> Option<&KubeObjectProtectionSpec>;

    /// The recipe that says it.
    fn recipe(&self) -> Option<&RecipeRef> {
        self.protection()?.recipe_ref.as_ref()
    }
}

impl Protecting for DRPlacementControlSpec {
    fn protection(&self) -> Option<&KubeObjectProtectionSpec> {
        self.kube_object_protection.as_deref()
    }
}

impl Protecting for VolumeReplicationGroupSpec {
    fn protection(&self) -> Option<&KubeObjectProtectionSpec> {
        self.kube_object_protection.as_ref()
    }
}

/// Whether a reference leads to the recipe that is part of Ramen, and not to an object: by its name in
/// the operations namespace.
///
/// Source: internal/controller/vrg_recipe.go:192-212
pub(super) fn is_built_in(recipe: &RecipeRef, operations: &str) -> bool {
    recipe.name.text() == Some(VM_RECIPE) && recipe.namespace.text() == Some(operations)
}

// How often.

/// Ramen's own recipe takes the namespaces from the application, which names none.
pub(super) fn say_vm_namespaces(config: &Config, report: &mut Report) {
    report
        .say(
            NAMESPACES,
            "names none, and the built-in \"vm-recipe\" needs one",
        )
        .configured(config, OPERATIONS);
}

/// Ramen writes to the parameters of its own recipe, and there are none.
pub(super) fn say_vm_parameters(config: &Config, report: &mut Report) {
    report
        .say(
            PARAMETERS,
            "is not set, and the built-in \"vm-recipe\" writes to it",
        )
        .configured(config, OPERATIONS);
}

fn interval<'a, K: Kind<Spec: Protecting>>(case: &Case<'a, K>) -> Option<&'a str> {
    case.new.spec.protection()?.capture_interval.as_deref()
}

/// An empty text is no absence here: the operator tries to read it.
pub(super) fn capture_interval<K: Kind<Spec: Protecting>>(case: &Case<'_, K>, report: &mut Report) {
    if let Some(Err(error)) = interval(case).map(duration::parse) {
        report.say(INTERVAL, error.to_string());
    }
}

pub(super) fn capture_interval_nonpositive<K: Kind<Spec: Protecting>>(
    case: &Case<'_, K>,
    report: &mut Report,
) {
    if let Some(text) = interval(case)
        && duration::parse(text).is_ok_and(|nanoseconds| nanoseconds <= 0)
    {
        report.say(INTERVAL, format!("{} is no time at all", quote(text)));
    }
}

// What.

pub(super) fn recipe_name<K: Kind<Spec: Protecting>>(case: &Case<'_, K>, report: &mut Report) {
    let recipe = case.new.spec.recipe();
    if recipe.is_some_and(|recipe| recipe.name.text().is_none()) {
        report.say(
            format!("{REF}/name"),
            "is required where a recipe is referred to",
        );
    }
}

pub(super) fn recipe_namespace<K: Kind<Spec: Protecting>>(case: &Case<'_, K>, report: &mut Report) {
    let recipe = case.new.spec.recipe();
    if recipe.is_some_and(|recipe| recipe.namespace.text().is_none()) {
        report.say(
            format!("{REF}/namespace"),
            "is not set, and Ramen looks nowhere else",
        );
    }
}

/// What is wrong with the label selector at a place, each with its own place.
pub(super) fn selector_problems<'a, K: Kind>(
    case: &'a Case<'_, K>,
    place: &'a str,
) -> impl Iterator<Item = (String, String)> + 'a {
    let found = case.doc.value.pointer(place).map(selector::problems_of);
    let found = found.into_iter().flatten();
    found.map(move |problem| (format!("{place}{}", problem.pointer), problem.message))
}

pub(super) fn pvc_selector<K: Kind>(case: &Case<'_, K>, report: &mut Report) {
    for (place, message) in selector_problems(case, "/spec/pvcSelector") {
        report.say(place, message);
    }
}

/// Nobody reads the selector where there is a recipe.
pub(super) fn object_selector<K: Kind<Spec: Protecting>>(case: &Case<'_, K>, report: &mut Report) {
    let recipe = case.new.spec.recipe().is_some();
    for (place, message) in selector_problems(case, "/spec/kubeObjectProtection/kubeObjectSelector")
    {
        if recipe {
            report.advise(place, message);
        } else {
            report.say(place, message);
        }
    }
}

/// Whether a selector has no conditions.
pub(super) fn selects_all(selector: &LabelSelector) -> bool {
    let labels = selector.match_labels.as_ref().is_none_or(Texts::is_empty);
    labels
        && selector
            .match_expressions
            .as_ref()
            .is_none_or(Vec::is_empty)
}

/// Whether two selectors are sure to select something in common, if they select anything.
pub(super) fn overlap(one: &LabelSelector, other: &LabelSelector) -> bool {
    one == other || selects_all(one) || selects_all(other)
}

// Metadata.

/// Ramen labels volumes with the name.
pub(super) fn name_too_long<K: Kind>(case: &Case<'_, K>, report: &mut Report) {
    let length = case.new.meta.name.len();
    if length > LABEL_MAX {
        report.say(
            "/metadata/name",
            format!("has {length} characters, and may have {LABEL_MAX}"),
        );
    }
}

/// An annotation that switches something has a value that Ramen does not know. Empty is none: the hub
/// writes that itself.
pub(super) fn flag<K: Kind>(case: &Case<'_, K>, name: &str, report: &mut Report) {
    if let Some(value) = case.new.meta.annotation(name)
        && !matches!(value, "true" | "false")
    {
        report.say(
            annotation(name),
            format!("{} is neither \"true\" nor \"false\"", quote(value)),
        );
    }
}
