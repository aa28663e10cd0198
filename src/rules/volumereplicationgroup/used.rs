//! The recipe that an application uses, and what is put into it.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use serde_json::json;

use super::{config, protected, uses_built_in};
use crate::{
    api::{Object, Recipe, RecipeSpec, Text, VolumeReplicationGroup},
    rules::{
        Case,
        protection::{Protecting as _, VM_RECIPE},
        recipe::parameters::fill,
    },
    world::{Config, Lookup},
};

/// The values of the parameters, by parameter.
pub(super) type Parameters = BTreeMap<String, Vec<String>>;

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

/// The recipe that an application uses.
pub(super) struct Used<'a> {
    /// The object; nothing for the recipe that is part of Ramen.
    pub(super) object: Option<&'a Object<Recipe>>,
    /// What it says.
    pub(super) spec: &'a RecipeSpec,
    /// What is put into it.
    pub(super) parameters: Cow<'a, Parameters>,
}

impl Used<'_> {
    /// What to call it.
    pub(super) fn shown(&self) -> String {
        match self.object {
            Some(recipe) => recipe.key().to_string(),
            None => format!("the built-in \"{VM_RECIPE}\""),
        }
    }

    /// What it says with the parameters put in; nothing where Ramen can't read that either.
    pub(super) fn filled(&self) -> Option<RecipeSpec> {
        fill(self.spec, &self.parameters).ok()
    }
}

/// The recipe of the object; nothing where there is none, it can't be found, or nobody knows which one
/// is meant.
pub(super) fn used<'a>(case: &Case<'a, VolumeReplicationGroup>) -> Option<Used<'a>> {
    let given = parameters(case.new);
    if config(case).is_some_and(|config| uses_built_in(case.new, config)) {
        let mut all = given.clone();
        let namespaces = all.entry(VM_NAMESPACE.to_owned()).or_default();
        namespaces.extend_from_slice(protected(case.new));
        return Some(Used {
            object: None,
            spec: &BUILT_IN,
            parameters: Cow::Owned(all),
        });
    }
    let recipe = look_up(case)?.found()?;
    Some(Used {
        object: Some(recipe),
        spec: &recipe.spec,
        parameters: Cow::Borrowed(given),
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

/// The parameters that an application gives.
pub(super) fn parameters(vrg: &Object<VolumeReplicationGroup>) -> &Parameters {
    static NONE: Parameters = Parameters::new();

    let protection = vrg.spec.protection();
    let given = protection.and_then(|protection| protection.recipe_parameters.as_ref());
    given.unwrap_or(&NONE)
}
