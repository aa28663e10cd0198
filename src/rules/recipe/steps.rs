//! What Ramen makes of a Recipe's workflows: which groups and hooks they use, and which namespaces follow.
//!
//! It reads two workflows, by their names, and of a name the first one. What no step of theirs uses is
//! never looked at.
//!
//! Source: internal/controller/vrg_kubeobjects.go:1082-1403

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::api::{
    RecipeSpec, Text,
    recipe::{Group, Hook, Workflow},
};

/// A workflow that Ramen reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum Flow {
    /// What is captured.
    Backup,
    /// What is recovered.
    Restore,
}

impl Flow {
    /// Both.
    pub(in crate::rules) const ALL: [Self; 2] = [Self::Backup, Self::Restore];

    /// The workflow's name.
    pub(in crate::rules) const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
        }
    }
}

/// A workflow that Ramen reads, and its place in the list.
pub(in crate::rules) fn workflow(recipe: &RecipeSpec, flow: Flow) -> Option<(usize, &Workflow)> {
    let mut workflows = recipe.workflows.iter().enumerate();
    workflows.find(|(_, workflow)| workflow.name == flow.name())
}

/// The workflows that Ramen reads, in the order of the list.
pub(in crate::rules) fn workflows(
    recipe: &RecipeSpec,
) -> impl Iterator<Item = (Flow, usize, &Workflow)> {
    let mut found: Vec<_> = Flow::ALL
        .into_iter()
        .filter_map(|flow| workflow(recipe, flow).map(|(index, found)| (flow, index, found)))
        .collect();
    found.sort_by_key(|(_, index, _)| *index);
    found.into_iter()
}

/// A step of a workflow that Ramen reads.
#[derive(Clone, Debug)]
pub(in crate::rules) struct Step<'r> {
    /// Which workflow it is in.
    pub(in crate::rules) flow: Flow,
    /// Its place in the object.
    pub(in crate::rules) at: String,
    /// What it says: `group` or `hook`, and a name.
    pub(in crate::rules) keys: &'r BTreeMap<String, String>,
}

/// The steps of both workflows.
pub(in crate::rules) fn steps(recipe: &RecipeSpec) -> impl Iterator<Item = Step<'_>> {
    workflows(recipe).flat_map(|(flow, workflow, found)| {
        let steps = found.sequence.iter().enumerate();
        steps.map(move |(index, keys)| Step {
            flow,
            at: format!("/spec/workflows/{workflow}/sequence/{index}"),
            keys,
        })
    })
}

/// What the steps of both workflows say under one key: the step's workflow, the place and the name.
pub(in crate::rules) fn named<'r>(
    recipe: &'r RecipeSpec,
    key: &'static str,
) -> impl Iterator<Item = (Flow, String, &'r str)> {
    steps(recipe).filter_map(move |step| {
        let name = step.keys.get(key)?;
        Some((step.flow, format!("{}/{key}", step.at), name.as_str()))
    })
}

/// The hook and the operation that a step names, if it names them as Ramen wants it: with one slash.
pub(in crate::rules) fn call(text: &str) -> Option<(&str, &str)> {
    let (hook, operation) = text.split_once('/')?;
    (!operation.contains('/')).then_some((hook, operation))
}

/// Things by their names, of a name the first one, each with its place in its list.
pub(in crate::rules) type ByName<'r, T> = HashMap<&'r str, (usize, &'r T)>;

fn by_name<'r, T>(things: &'r [T], name: impl Fn(&'r T) -> &'r str) -> ByName<'r, T> {
    let mut found = ByName::with_capacity(things.len());
    for (index, thing) in things.iter().enumerate() {
        found.entry(name(thing)).or_insert((index, thing));
    }
    found
}

/// The groups by name.
pub(in crate::rules) fn groups(recipe: &RecipeSpec) -> ByName<'_, Group> {
    by_name(&recipe.groups, |group| &group.name)
}

/// The hooks by name.
pub(in crate::rules) fn hooks(recipe: &RecipeSpec) -> ByName<'_, Hook> {
    by_name(&recipe.hooks, |hook| &hook.name)
}

/// One of the things that a hook can do, from the list that Ramen reads for a hook of its type.
#[derive(Clone, Copy, Debug)]
pub(in crate::rules) struct Operation<'r> {
    /// The list's name.
    pub(in crate::rules) list: &'static str,
    /// The place in the list.
    pub(in crate::rules) index: usize,
    /// What a step calls it.
    pub(in crate::rules) name: &'r str,
    /// What a failure does.
    pub(in crate::rules) on_error: Option<&'r str>,
    /// How long it may take, seconds; 0 where it does not say.
    pub(in crate::rules) timeout: i64,
    /// What undoes it.
    pub(in crate::rules) inverse: Option<&'r str>,
}

/// What a hook can do. A `scale` hook has no list.
pub(in crate::rules) fn operations(hook: &Hook) -> Vec<Operation<'_>> {
    let ops = hook.ops.iter().enumerate().map(|(index, op)| Operation {
        list: "ops",
        index,
        name: &op.name,
        on_error: op.on_error.text(),
        timeout: op.timeout.unwrap_or_default(),
        inverse: op.inverse_op.text(),
    });
    let checks = hook
        .chks
        .iter()
        .enumerate()
        .map(|(index, check)| Operation {
            list: "chks",
            index,
            name: &check.name,
            on_error: check.on_error.text(),
            timeout: check.timeout.unwrap_or_default(),
            inverse: None,
        });
    let jobs = hook.jobs.iter().enumerate().map(|(index, job)| Operation {
        list: "jobs",
        index,
        name: &job.name,
        on_error: job.on_error.text(),
        timeout: job.timeout.unwrap_or_default(),
        inverse: job.inverse_op.text(),
    });
    match &*hook.type_ {
        "exec" => ops.collect(),
        "check" => checks.collect(),
        "job" => jobs.collect(),
        _ => Vec::new(),
    }
}

/// What a `scale` hook can do.
pub(in crate::rules) const SCALES: [&str; 3] = ["up", "down", "sync"];

/// The hook and the operation that `inverseOp` names: `hook/operation`, or one of the same hook, with or
/// without a slash before it.
///
/// Source: internal/controller/hooks/common/inverse_op.go:14-38
pub(in crate::rules) fn inverse<'t>(text: &'t str, own: &'t str) -> (&'t str, &'t str) {
    match text.split_once('/') {
        Some(("", operation)) => (own, operation),
        Some((hook, operation)) => (hook, operation),
        None => (own, text),
    }
}

/// Which operations of which hooks Ramen may run: those that a step names, and those that undo them.
#[derive(Debug, Default)]
pub(in crate::rules) struct Runs<'r>(BTreeSet<(&'r str, &'r str)>);

impl<'r> Runs<'r> {
    /// Of a Recipe. What is behind a parameter is left out.
    pub(in crate::rules) fn of(recipe: &'r RecipeSpec) -> Self {
        let hooks = hooks(recipe);
        let mut open: Vec<_> = named(recipe, "hook")
            .filter_map(|(_, _, text)| call(text))
            .collect();
        let mut runs = BTreeSet::new();
        while let Some((name, operation)) = open.pop() {
            if !runs.insert((name, operation)) {
                continue;
            }
            let Some((_, hook)) = hooks.get(name) else {
                continue;
            };
            let found = operations(hook)
                .into_iter()
                .find(|known| known.name == operation);
            let undo = found.and_then(|found| found.inverse);
            open.extend(undo.map(|undo| inverse(undo, name)));
        }
        Self(runs)
    }

    /// Whether an operation is run.
    pub(in crate::rules) fn operation(&self, hook: &Hook, operation: &str) -> bool {
        self.0.contains(&(&*hook.name, operation))
    }

    /// Whether a hook is run.
    pub(in crate::rules) fn hook(&self, hook: &Hook) -> bool {
        let mut from = self.0.range((&*hook.name, "")..);
        from.next().is_some_and(|(name, _)| *name == hook.name)
    }
}

/// The namespaces that a Recipe reaches into.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::rules) struct Reach<'r> {
    /// Those that it names, each with its place in the object, an empty one too.
    pub(in crate::rules) named: Vec<(String, &'r str)>,
    /// Whether its volumes name none: then those of the application are meant.
    pub(in crate::rules) own_volumes: bool,
    /// Whether it has not both workflows: then one or both are of all objects of the application.
    pub(in crate::rules) own_workflow: bool,
}

/// The namespaces of a Recipe whose parameters are filled in, as far as they are certain; nothing where
/// Ramen can't use the Recipe for another reason.
///
/// Source: internal/controller/vrg_recipe.go:329-347
pub(in crate::rules) fn reach(recipe: &RecipeSpec) -> Option<Reach<'_>> {
    let (groups, hooks) = (groups(recipe), hooks(recipe));
    let volumes = recipe.volumes.as_ref();
    let mut reach = Reach {
        own_workflow: workflows(recipe).count() < Flow::ALL.len(),
        ..Reach::default()
    };
    match volumes.map(|volumes| volumes.included_namespaces.as_slice()) {
        None | Some([]) => reach.own_volumes = true,
        Some(names) => {
            let at = "/spec/volumes/includedNamespaces";
            reach.named.extend(listed(at, names));
        }
    }
    let (mut groups_seen, mut hooks_seen) = (BTreeSet::new(), BTreeSet::new());
    for step in steps(recipe) {
        // Of several keys Ramen takes any one.
        let certain = step.keys.len() == 1;
        for (key, name) in step.keys {
            match &**key {
                "group" => match groups.get(&**name) {
                    Some((index, group)) if certain && groups_seen.insert(*index) => {
                        let at = format!("/spec/groups/{index}/includedNamespaces");
                        reach.named.extend(listed(&at, &group.included_namespaces));
                    }
                    Some(_) => {}
                    None if volumes.is_some_and(|volumes| volumes.name == *name) => {}
                    None => return None,
                },
                "hook" => {
                    let (index, hook) = hooks.get(call(name)?.0)?;
                    if certain && hooks_seen.insert(*index) {
                        let at = format!("/spec/hooks/{index}/namespace");
                        reach.named.push((at, &hook.namespace));
                    }
                }
                _ => return None,
            }
        }
    }
    for (_, _, workflow) in workflows(recipe) {
        let sequence = &workflow.sequence;
        if !sequence.is_empty() && !sequence.iter().any(|step| step.contains_key("group")) {
            return None;
        }
    }
    Some(reach)
}

fn listed<'r>(at: &str, namespaces: &'r [String]) -> impl Iterator<Item = (String, &'r str)> {
    let namespaces = namespaces.iter().enumerate();
    namespaces.map(move |(index, name)| (format!("{at}/{index}"), name.as_str()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn recipe(spec: Value) -> RecipeSpec {
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn only_what_the_two_workflows_use_counts() {
        let spec = recipe(json!({
            "volumes": { "name": "data", "type": "volume", "includedNamespaces": ["v"] },
            "groups": [
                { "name": "used", "includedNamespaces": ["a", "b"] },
                { "name": "unused", "includedNamespaces": ["c"] },
            ],
            "hooks": [
                { "name": "h", "namespace": "n", "type": "exec", "ops": [{ "name": "o", "command": "c" }] },
                { "name": "unused", "namespace": "m", "type": "exec" },
            ],
            "workflows": [
                { "name": "other", "sequence": [{ "group": "unused" }, { "hook": "unused/o" }, { "x": "y" }] },
                { "name": "backup", "sequence": [{ "group": "data" }, { "group": "used" }, { "hook": "h/o" }] },
            ],
        }));
        let reach = reach(&spec).unwrap();
        let named: Vec<&str> = reach.named.iter().map(|(_, name)| *name).collect();
        assert_eq!(named, ["v", "a", "b", "n"]);
        assert_eq!(reach.named[2].0, "/spec/groups/0/includedNamespaces/1");
        assert!(reach.own_workflow && !reach.own_volumes);
    }

    #[test]
    fn a_recipe_that_ramen_refuses_reaches_nowhere() {
        let group = json!([{ "name": "g" }]);
        for steps in [
            json!([{ "group": "nowhere" }]),
            json!([{ "group": "g" }, { "hook": "nowhere/o" }]),
            json!([{ "group": "g" }, { "hook": "h" }]),
            json!([{ "group": "g", "workflow": "w" }]),
            json!([{}]),
        ] {
            let workflows = json!([{ "name": "restore", "sequence": steps }]);
            let spec = recipe(json!({ "groups": group, "workflows": workflows }));
            assert_eq!(reach(&spec), None, "{steps}");
        }
        let reach = |spec| reach(&recipe(spec)).map(|reach| reach.named.len());
        let either = json!([{ "group": "g", "hook": "h/o" }]);
        let spec = json!({
            "groups": [{ "name": "g", "includedNamespaces": ["a"] }],
            "hooks": [{ "name": "h", "namespace": "b" }],
            "workflows": [{ "name": "restore", "sequence": either }],
        });
        assert_eq!(reach(spec), Some(0), "nobody knows which of the two");
        assert_eq!(reach(json!({})), Some(0));
        let empty = json!({ "workflows": [{ "name": "backup", "sequence": [] }] });
        assert_eq!(reach(empty), Some(0));
    }

    #[test]
    fn what_undoes_an_operation_is_run_too() {
        let spec = recipe(json!({
            "hooks": [
                { "name": "h", "type": "exec", "ops": [
                    { "name": "a", "command": "c", "inverseOp": "b" },
                    { "name": "b", "command": "c", "inverseOp": "/c" },
                    { "name": "c", "command": "c", "inverseOp": "i/d" },
                    { "name": "e", "command": "c", "inverseOp": "i/f" },
                ] },
                { "name": "i", "type": "job", "jobs": [{ "name": "d", "inverseOp": "h/a" }] },
                { "name": "ii", "type": "scale" },
            ],
            "workflows": [{ "name": "restore", "sequence": [{ "hook": "h/a" }, { "hook": "ii/up/down" }] }],
        }));
        let runs = Runs::of(&spec);
        let run = |hook: usize| {
            let names = ["a", "b", "c", "d", "e", "f", "up"].into_iter();
            let run = names.filter(|name| runs.operation(&spec.hooks[hook], name));
            run.collect::<String>()
        };
        assert_eq!(
            (run(0), run(1), run(2)),
            ("abc".to_owned(), "d".to_owned(), String::new())
        );
        assert!(runs.hook(&spec.hooks[1]) && !runs.hook(&spec.hooks[2]));
    }
}
