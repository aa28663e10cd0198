//! ConfigMap: Ramen's configuration, network mappings, and the resources that Velero leaves out.
//!
//! In the order of `policies/ramenconfig.yaml` and `policies/networkmapping.yaml`.

use super::judged;
use crate::{
    api::{ConfigMap, Key},
    world::{Configs, Lens},
};

judged! {
    ConfigMap: &[], concerns;
}

fn concerns(key: &Key, _world: &Lens<'_>, _operator_namespace: &str) -> bool {
    Configs::is_ramens(&key.name)
}
