//! The other applications that an action with one would wait for, or that are in its way.

use super::{Action, Told, application::Case, row::Row};
use crate::{
    api::{DRPlacementControl, Doc, Key, Object, Text},
    engine::{Engine, Request, Settings, User},
    golang::quote,
    policy::Operation,
    report::Finding,
    world::{GLOBAL_GROUP, Relation},
};

/// The rules that say of a stored application what is in its way: other applications, and its placement.
/// Ramen meets each when it looks at the application, before it comes to the action.
///
/// Source: internal/controller/drplacementcontrol_controller.go:174-213, 3032-3139
const IN_THE_WAY: [&str; 9] = [
    "drpc-opsns-conflict",
    "drpc-opsns-blocked-by-broken-peer",
    "drpc-placement-shared",
    "drpc-vrg-identity-collision",
    "drpc-manifestwork-name-collision",
    "drpc-pvc-overlap",
    "drpc-placement-missing",
    "drpc-placement-ambiguous",
    "drpc-placement-terminating",
];
/// Those that stop only the action of an application in the operations namespace, or of its opposite.
const STOPPING: [&str; 5] = [
    "drpc-opsns-conflict",
    "drpc-opsns-blocked-by-broken-peer",
    "drpc-placement-missing",
    "drpc-placement-ambiguous",
    "drpc-placement-terminating",
];
/// How many others a row names.
const NAMED: usize = 10;

pub(super) fn tell(engine: &Engine, case: &Case<'_>, doc: &Doc, told: &mut Told) {
    in_the_way(engine, case, doc, told);
    global_group(case, told);
}

/// What the rules would say if the application were new now.
fn in_the_way(engine: &Engine, case: &Case<'_>, doc: &Doc, told: &mut Told) {
    let meta = &case.drpc.meta;
    let request = Request {
        operation: Operation::Create,
        group: doc.group().to_owned(),
        kind: doc.text("kind").to_owned(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        subresource: String::new(),
        new: Some(doc.clone()),
        old: None,
        user: User::default(),
        dry_run: false,
    };
    // What a site has switched off stops Ramen all the same.
    let mut settings = Settings::default();
    settings.ramen.clone_from(&engine.settings.ramen);
    let verdict = Engine::new(settings).judge(&request.with_defaults(), &case.world.store, None);
    let store = &case.world.store;
    if !store.placements.synced && !store.placement_rules.synced {
        let note = "there are no Placements in what was given: nothing is said about the application's own";
        told.notes.push(note.to_owned());
    }
    let findings = verdict.findings.iter();
    let found = findings.filter(|it| IN_THE_WAY.contains(&&*it.rule.id));
    let mut any = false;
    for finding in found {
        any = true;
        told.row(row(finding));
    }
    if !any {
        told.row(Row::ok("in-the-way", "no other application"));
    }
}

fn row(finding: &Finding) -> Row {
    let id = &*finding.rule.id;
    let then = if STOPPING.contains(&id) {
        "each look of Ramen's at the application ends here, before it comes to the action"
    } else {
        "Ramen does not see it, and what both protect goes where the one or the other goes"
    };
    let mut objects: Vec<Key> = finding
        .related
        .iter()
        .map(|related| related.key.clone())
        .collect();
    objects.dedup();
    let value = format!("{}: {}", finding.field(), finding.message);
    Row::problem("in-the-way", value).then(then).of(objects)
}

/// Source: internal/controller/drplacementcontrol_global.go:60-118
fn global_group(case: &Case<'_>, told: &mut Told) {
    let Some(group) = case.drpc.meta.label(GLOBAL_GROUP) else {
        return;
    };
    let agrees = |other: &&Object<DRPlacementControl>| {
        let spec = &other.spec;
        let (action, target) = match case.action {
            Action::Relocate => ("Relocate", &spec.preferred_cluster),
            _ => ("Failover", &spec.failover_cluster),
        };
        spec.action.text() == Some(action) && target.text() == Some(case.target)
    };
    let others = case
        .lens
        .related::<DRPlacementControl>(Relation::GlobalGroup, group);
    let open: Vec<_> = others
        .iter()
        .copied()
        .filter(|other| !agrees(other))
        .collect();
    if open.is_empty() {
        let value = format!(
            "{} others of {} ask for the same",
            others.len(),
            quote(group)
        );
        told.row(Row::ok("global-group", value));
        return;
    }
    let keys: Vec<Key> = open.iter().map(|other| other.key()).collect();
    let row = Row::waits(
        "global-group",
        format!("{} of {}", named(&keys), quote(group)),
    )
    .of(keys);
    told.row(row.then("Ramen stays in WaitOnGlobalAction until they ask for the same"));
}

/// Objects of one kind as a person reads them: how many, and the first of them.
pub(super) fn named(keys: &[Key]) -> String {
    let name = |key: &Key| {
        if key.namespace.is_empty() {
            quote(&key.name)
        } else {
            quote(&format!("{}/{}", key.namespace, key.name))
        }
    };
    let shown: Vec<String> = keys.iter().take(NAMED).map(name).collect();
    let what = if keys.len() == 1 {
        "application"
    } else {
        "applications"
    };
    let more = match keys.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!("{} {what}: {}{more}", keys.len(), shown.join(", "))
}
