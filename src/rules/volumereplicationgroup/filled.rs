//! A Recipe as Ramen reads it for one application: with the application's parameters put in.
//!
//! Ramen writes the spec down as JSON, puts the values of the parameters into that text, whatever they
//! are, and reads it again. So a parameter may be in any string, several values make several strings
//! of one, and a quote ends a string early.
//!
//! Source: internal/controller/vrg_recipe.go:192-262

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde_json::json;

use super::{config, protected, uses_built_in};
use crate::{
    api::{Object, Recipe, RecipeSpec, Text, VolumeReplicationGroup},
    golang::expand::{Part, parts},
    rules::{
        Case,
        protection::{Protecting as _, VM_RECIPE},
    },
    world::{Config, Lookup},
};

/// The values of the parameters, by parameter.
pub(super) type Parameters = BTreeMap<String, Vec<String>>;

/// The longest text that is put together here. What is longer does not fit into any object.
const LONGEST: usize = 8 << 20;
/// The parameter of the built-in recipe that Ramen itself puts the protected namespaces in.
const VM_NAMESPACE: &str = "VM_NAMESPACE";

/// The recipe that is part of Ramen, as far as it has parameters or is asked about.
///
/// Source: internal/controller/core/recipes.go
static BUILT_IN: LazyLock<RecipeSpec> = LazyLock::new(|| {
    let selecting = |parameter: &str| {
        let key = "ramendr.openshift.io/k8s-resource-selector";
        json!({ "matchExpressions": [{ "key": key, "operator": "In", "values": [parameter] }] })
    };
    let sequence = json!([{ "group": "vm-backup" }]);
    let spec = json!({
        "appType": "vm-app",
        "groups": [{
            "name": "vm-backup",
            "type": "resource",
            "backupRef": "vm-backup",
            "includedNamespaces": ["${VM_NAMESPACE}"],
            "labelSelector": selecting("${K8S_RESOURCE_SELECTOR}"),
        }],
        "volumes": {
            "name": "vm-volumes",
            "type": "volume",
            "includedNamespaces": ["${VM_NAMESPACE}"],
            "labelSelector": selecting("${PVC_RESOURCE_SELECTOR}"),
        },
        "workflows": [
            { "name": "backup", "sequence": sequence },
            { "name": "restore", "sequence": sequence },
        ],
    });
    serde_json::from_value(spec).unwrap_or_default()
});

/// The recipe that an application refers to.
pub(super) struct Referred<'a> {
    /// The object; nothing for the recipe that is part of Ramen.
    pub(super) object: Option<&'a Object<Recipe>>,
    /// What it says.
    pub(super) spec: &'a RecipeSpec,
}

impl Referred<'_> {
    /// What to call it.
    pub(super) fn shown(&self) -> String {
        match self.object {
            Some(recipe) => recipe.key().to_string(),
            None => format!("the built-in \"{VM_RECIPE}\""),
        }
    }
}

/// The recipe of the object; nothing where there is none, it can't be found, or nobody knows which one
/// is meant.
pub(super) fn referred<'a>(case: &Case<'a, VolumeReplicationGroup>) -> Option<Referred<'a>> {
    if config(case).is_some_and(|config| uses_built_in(case.new, config)) {
        return Some(Referred {
            object: None,
            spec: &BUILT_IN,
        });
    }
    let recipe = look_up(case)?.found()?;
    Some(Referred {
        object: Some(recipe),
        spec: &recipe.spec,
    })
}

/// Looks for the recipe that the object names. One that may be the built-in one is not looked for.
pub(super) fn look_up<'a>(case: &Case<'a, VolumeReplicationGroup>) -> Option<Lookup<'a, Recipe>> {
    let recipe = case.new.spec.recipe()?;
    let (namespace, name) = (recipe.namespace.text()?, recipe.name.text()?);
    let config = config(case);
    let operations = config.and_then(Config::ops_namespace);
    if name == VM_RECIPE && operations.is_none_or(|operations| operations == namespace) {
        return None;
    }
    Some(case.world.get(namespace, name))
}

/// The parameters of an application, with what Ramen adds.
pub(super) fn parameters<'v>(
    vrg: &'v Object<VolumeReplicationGroup>,
    built_in: bool,
) -> Cow<'v, Parameters> {
    static NONE: Parameters = Parameters::new();

    let given = vrg.spec.protection();
    let given = given.and_then(|protection| protection.recipe_parameters.as_ref());
    let given = given.unwrap_or(&NONE);
    if !built_in {
        return Cow::Borrowed(given);
    }
    let mut all = given.clone();
    let namespaces = all.entry(VM_NAMESPACE.to_owned()).or_default();
    namespaces.extend_from_slice(protected(vrg));
    Cow::Owned(all)
}

/// The spec as JSON, as Go would write it.
pub(super) fn text(spec: &RecipeSpec) -> String {
    let text = serde_json::to_string(spec).unwrap_or_default();
    // These are in strings only, and Go takes no risks with them.
    ["<", ">", "&"]
        .into_iter()
        .zip(["\\u003c", "\\u003e", "\\u0026"])
        .fold(text, |text, (from, to)| text.replace(from, to))
}

/// The text with the parameters put in; nothing where that would be very long.
pub(super) fn fill(text: &str, parameters: &Parameters) -> Option<String> {
    let mut filled = String::new();
    for part in parts(text) {
        match part {
            Part::Text(text) => filled.push_str(text),
            Part::Name(name) => {
                let values = parameters.get(name).map_or(&[][..], Vec::as_slice);
                for (number, value) in values.iter().enumerate() {
                    filled.push_str(if number > 0 { "\",\"" } else { "" });
                    filled.push_str(value);
                }
            }
        }
        if filled.len() > LONGEST {
            return None;
        }
    }
    Some(filled)
}

/// The spec with the parameters put in; nothing where the result can't be read.
pub(super) fn filled(spec: &RecipeSpec, parameters: &Parameters) -> Option<RecipeSpec> {
    serde_json::from_str(&fill(&text(spec), parameters)?).ok()
}

/// A workflow that Ramen uses. It uses no other one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Workflow {
    Backup,
    Restore,
}

impl Workflow {
    const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
        }
    }
}

/// What the steps of a workflow come to.
#[derive(Debug, Default)]
pub(super) struct Steps<'r> {
    /// The names of the groups.
    pub(super) groups: Vec<&'r str>,
    /// The namespaces of groups and hooks.
    pub(super) namespaces: BTreeSet<&'r str>,
}

/// The steps of a workflow, if the recipe has it; `Err` where Ramen can't use them. Of a step with
/// several keys Ramen takes any, so that nothing is sure of it.
///
/// Source: internal/controller/vrg_kubeobjects.go:1085-1350, 1383-1403
pub(super) fn steps(recipe: &RecipeSpec, which: Workflow) -> Result<Option<Steps<'_>>, ()> {
    let workflow = recipe.workflows.iter();
    let Some(workflow) = workflow.clone().find(|one| one.name == which.name()) else {
        return Ok(None);
    };
    let sequence = &workflow.sequence;
    if !sequence.is_empty() && !sequence.iter().any(|step| step.contains_key("group")) {
        return Err(());
    }
    let mut steps = Steps::default();
    for step in sequence {
        let sure = step.len() == 1;
        for (kind, name) in step {
            match &**kind {
                "group" => {
                    let group = recipe.groups.iter().find(|group| group.name == *name);
                    match group {
                        Some(group) if sure => {
                            steps.groups.push(&group.name);
                            let namespaces = group.included_namespaces.iter();
                            steps.namespaces.extend(namespaces.map(String::as_str));
                        }
                        Some(_) => {}
                        None if recipe.volumes.as_ref().is_some_and(|it| it.name == *name) => {}
                        None => return Err(()),
                    }
                }
                "hook" => {
                    let hook = name.split_once('/').filter(|(_, rest)| !rest.contains('/'));
                    let (hook, _) = hook.ok_or(())?;
                    let hook = recipe.hooks.iter().find(|one| one.name == hook).ok_or(())?;
                    if sure {
                        steps.namespaces.insert(&hook.namespace);
                    }
                }
                _ => return Err(()),
            }
        }
    }
    Ok(Some(steps))
}

/// The namespaces that Ramen would read from or write to; nothing where it can't use the recipe.
/// `own` are those of the application, which stand in for what the recipe leaves open.
pub(super) fn namespaces<'r>(recipe: &'r RecipeSpec, own: &[&'r str]) -> Option<BTreeSet<&'r str>> {
    let volumes = recipe.volumes.iter();
    let volumes = volumes.flat_map(|volumes| &volumes.included_namespaces);
    let mut all: BTreeSet<&str> = volumes.map(String::as_str).collect();
    if all.is_empty() {
        all.extend(own);
    }
    for which in [Workflow::Backup, Workflow::Restore] {
        match steps(recipe, which).ok()? {
            Some(steps) => all.extend(steps.namespaces),
            None => all.extend(own),
        }
    }
    Some(all)
}
