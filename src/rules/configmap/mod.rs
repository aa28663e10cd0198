//! ConfigMap: Ramen's configuration, network mappings, and the resources that Velero leaves out.
//!
//! In the order of `policies/ramenconfig.yaml` and `policies/networkmapping.yaml`, but that each file has
//! what it takes to judge its rules: the text as such, single settings, S3 profiles, their Secrets;
//! network mappings as such, and the addresses in them.

mod addresses;
mod config;
mod excluded;
mod networkmapping;
mod profiles;
mod secrets;
mod settings;
mod text;

use super::{Case, Report, Rule, configured, judged};
use crate::{
    api::{ConfigMap, Key},
    world::Lens,
};

judged! {
    ConfigMap: &[
        text::RULES, settings::RULES, profiles::RULES, secrets::RULES, excluded::RULES,
        networkmapping::RULES, addresses::RULES,
    ], concerns;
}

fn concerns(key: &Key, world: &Lens<'_>, operator_namespace: &str) -> bool {
    config::is_config(key, operator_namespace)
        || excluded::is_list(key, operator_namespace)
        || !networkmapping::users(key, world).is_empty()
}
