//! What Ramen names after the application, and where it takes the application to live.

use super::{
    common::{Meeting, application_sets, destination, home, meeting},
    placement::{NAME, name},
};
use crate::{
    api::{DRPlacementControl, Object},
    golang::quote,
    report::list,
    rules::{Case, Draft, Report},
    world::{APP_NAMESPACE, Placed, Relation},
};

/// Where Argo CD's `ApplicationSet`s usually are.
const ARGO: [&str; 2] = ["argocd", "openshift-gitops"];

/// What both collisions have in common: two applications whose objects have the same name.
fn collide<'r>(
    case: &Case<'_, DRPlacementControl>,
    other: &Object<DRPlacementControl>,
    message: &str,
    report: &'r mut Report,
) -> Option<&'r mut Draft> {
    let (mine, theirs) = (home(case.world, case.new), home(case.world, other));
    let (place, certain) = match meeting(case.world, case.new, other) {
        Meeting::Nowhere => return None,
        Meeting::On(cluster) => (format!(" on cluster \"{cluster}\""), true),
        Meeting::Unknown => (String::new(), false),
    };
    let message = format!("{message}{place}");
    let draft = if certain && mine.certain && theirs.certain && !other.meta.is_terminating() {
        report.say("/metadata/name", message)
    } else {
        report.advise("/metadata/name", message)
    };
    draft.because(other, "/metadata/name");
    for set in [mine.set, theirs.set].into_iter().flatten() {
        draft.because(set, "/spec/template/spec/destination/namespace");
    }
    Some(draft)
}

pub(super) fn identity_collision(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let own = &case.new.meta;
    if own.name.is_empty() || own.namespace.is_empty() {
        return;
    }
    let mine = home(case.world, case.new);
    for other in case
        .world
        .related::<DRPlacementControl>(Relation::Name, &own.name)
    {
        if home(case.world, other).namespace == mine.namespace {
            let namespace = quote(&mine.namespace);
            let message = format!(
                "{} has the VolumeReplicationGroup of this name in namespace {namespace}",
                other.key()
            );
            collide(case, other, &message, report);
        }
    }
}

/// Every way of cutting the name of the `ManifestWork` in two is another application that would have it.
pub(super) fn manifestwork_collision(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let own = &case.new.meta;
    if own.name.is_empty() || own.namespace.is_empty() {
        return;
    }
    let work = format!("{}-{}", own.name, home(case.world, case.new).namespace);
    for (cut, _) in work.match_indices('-') {
        let (name, namespace) = (&work[..cut], &work[cut + 1..]);
        if name == own.name {
            continue;
        }
        for other in case
            .world
            .related::<DRPlacementControl>(Relation::Name, name)
        {
            if home(case.world, other).namespace == namespace {
                let message = format!("{} has the ManifestWork \"{work}-vrg-mw\" too", other.key());
                collide(case, other, &message, report);
            }
        }
    }
}

/// Once Ramen has noted down where the application lives, it looks at no `ApplicationSet`.
fn is_settled(case: &Case<'_, DRPlacementControl>) -> bool {
    case.new.meta.annotation(APP_NAMESPACE).is_some()
}

pub(super) fn set_ambiguous(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if is_settled(case) {
        return;
    }
    let sets = application_sets(case.world, case.new);
    let Some(first) = sets.first() else { return };
    let differ = sets
        .iter()
        .any(|set| destination(set) != destination(first));
    let message = if differ {
        let namespaces = list(sets.iter().map(|set| destination(set).unwrap_or_default()));
        format!("ApplicationSets of {} deploy to {namespaces}", name(case))
    } else if sets
        .iter()
        .all(|set| set.meta.namespace != case.new.meta.namespace)
    {
        format!(
            "{} asks for {}, but from another namespace",
            first.key(),
            name(case)
        )
    } else {
        return;
    };
    let draft = report.say(NAME, message);
    for set in &sets {
        draft.because(
            set,
            "/spec/generators/0/clusterDecisionResource/labelSelector/matchLabels",
        );
    }
}

pub(super) fn set_not_yet(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    let namespace = &*case.new.meta.namespace;
    let known = case.world.store().application_sets.synced;
    if !known || is_settled(case) || !ARGO.contains(&namespace) {
        return;
    }
    let placed = matches!(
        case.world.placement_of(case.new),
        Placed::Placement(_) | Placed::Both(..)
    );
    if placed && application_sets(case.world, case.new).is_empty() {
        report.say(
            NAME,
            format!(
                "no ApplicationSet asks for {}, in Argo CD's namespace \"{namespace}\"",
                name(case)
            ),
        );
    }
}

pub(super) fn set_destination(case: &Case<'_, DRPlacementControl>, report: &mut Report) {
    if is_settled(case) {
        return;
    }
    for set in application_sets(case.world, case.new) {
        let problem = match destination(set) {
            None => "to no namespace".to_owned(),
            Some(namespace) if namespace.contains("{{") => {
                format!("to {}, which Ramen does not fill in", quote(namespace))
            }
            Some(_) => continue,
        };
        report
            .say(NAME, format!("{} deploys {problem}", set.key()))
            .because(set, "/spec/template/spec/destination/namespace");
    }
}
