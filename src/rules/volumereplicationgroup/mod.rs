//! `VolumeReplicationGroup`: one protected application on one managed cluster.
//!
//! In the order of `policies/volumereplicationgroup.yaml`, a file a section.

mod addresses;
mod metadata;
mod namespaces;
mod parameters;
mod peers;
mod recipe;
mod s3;
mod shape;
mod used;
mod volsync;

use super::{Case, judged, protection::is_built_in};
use crate::{
    api::{Object, VolumeReplicationGroup},
    world::Config,
};

pub(super) use recipe::OF_RECIPES;

judged! {
    VolumeReplicationGroup: &[
        shape::RULES,
        namespaces::RULES,
        recipe::RULES,
        parameters::RULES,
        s3::RULES,
        volsync::RULES,
        peers::RULES,
        addresses::RULES,
        metadata::RULES,
    ];
}

/// What the operator on the managed cluster is configured to do; nothing where nobody knows.
fn config<'a>(case: &Case<'a, VolumeReplicationGroup>) -> Option<&'a Config> {
    case.world.cluster_operator_config(case.operator_namespace)
}

/// Whether the configuration says that an object is in the operations namespace.
fn in_operations(vrg: &Object<VolumeReplicationGroup>, config: &Config) -> bool {
    config.ops_namespace() == Some(&*vrg.meta.namespace)
}

/// Whether the object's recipe is the one that is part of Ramen.
fn uses_built_in(vrg: &Object<VolumeReplicationGroup>, config: &Config) -> bool {
    use super::protection::Protecting as _;

    let recipe = vrg.spec.recipe().zip(config.ops_namespace());
    recipe.is_some_and(|(recipe, operations)| is_built_in(recipe, operations))
}

/// The namespaces that the object lists; none is the same as an empty list, but where a rule says so.
fn protected(vrg: &Object<VolumeReplicationGroup>) -> &[String] {
    vrg.spec.protected_namespaces.as_deref().unwrap_or_default()
}

fn is_primary(vrg: &Object<VolumeReplicationGroup>) -> bool {
    vrg.spec.replication_state == "primary"
}
