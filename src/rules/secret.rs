//! Secret: what opens an S3 store.
//!
//! In the order of `policies/secret.yaml`. Only the names of the keys are looked at.

use std::collections::BTreeSet;

use super::{Case, Report, Rule, judged, some};
use crate::{
    api::{DRCluster, Key, S3StoreProfile, Secret},
    golang::quote,
    policy::Operation,
    world::{Config, Configs, Lens, Relation},
};

judged! {
    Secret: &[RULES], concerns;
}

const RULES: &[Rule<Secret>] = &[
    ("s3-secret-keys", keys),
    ("s3-secret-delete-referenced", referenced),
    ("config-s3-secret-exists", used),
];

/// The keys that Ramen reads.
pub(super) const KEYS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

fn concerns(key: &Key, world: &Lens<'_>, _operator_namespace: &str) -> bool {
    !world.configs_with_secret(key).is_empty()
}

/// The profiles of Ramen's configurations that need a Secret.
fn profiles<'a>(case: &Case<'a, Secret>) -> Vec<(&'a Config, &'a S3StoreProfile)> {
    let key = case.new.key();
    let mut found = Vec::new();
    for config in case.world.configs_with_secret(&key) {
        let needs = |profile: &&S3StoreProfile| {
            let secrets = [config.secret_of(profile), config.handed_out(profile)];
            secrets.into_iter().flatten().any(|secret| secret == key)
        };
        let profiles = config.ramen.s3_store_profiles.iter().filter(needs);
        found.extend(profiles.map(|profile| (config, profile)));
    }
    found
}

fn shown(profiles: &[(&Config, &S3StoreProfile)]) -> String {
    let names = profiles
        .iter()
        .map(|(_, profile)| &*profile.s3_profile_name);
    // The hub's configuration and a cluster's copy have the same ones.
    let names: BTreeSet<&str> = names.collect();
    some(&Vec::from_iter(names), |name| quote(name))
}

/// On the hub a key that goes cuts off every cluster of the profile. Elsewhere the Secret is a copy.
fn keys(case: &Case<'_, Secret>, report: &mut Report) {
    let mut profiles = profiles(case);
    // The hub's configuration decides.
    profiles.sort_by_key(|(config, _)| !Configs::is_hubs(&config.key.name));
    let Some((config, _)) = profiles.first() else {
        return;
    };
    let grave = case.operation == Operation::Update && Configs::is_hubs(&config.key.name);
    for key in KEYS.iter().filter(|key| !case.new.spec.has(key)) {
        let (pointer, message) = (
            format!("/data/{key}"),
            format!("is not there, and S3 profile {} needs it", shown(&profiles)),
        );
        let finding = if grave {
            report.say(pointer, message)
        } else {
            report.advise(pointer, message)
        };
        finding.configured(config, "");
    }
}

fn referenced(case: &Case<'_, Secret>, report: &mut Report) {
    let profiles = profiles(case);
    let Some((config, _)) = profiles.first() else {
        return;
    };
    let message = format!(
        "\"{}\" is the Secret of S3 profile {}",
        case.new.meta.name,
        shown(&profiles)
    );
    let finding = report.advise("/metadata/name", message);
    finding.configured(config, "");
}

fn used(case: &Case<'_, Secret>, report: &mut Report) {
    if case.operation != Operation::Delete {
        return;
    }
    let profiles = profiles(case);
    let clusters = profiles.iter().flat_map(|(_, profile)| {
        case.world
            .related::<DRCluster>(Relation::Profile, &profile.s3_profile_name)
    });
    let mut clusters: Vec<_> = clusters.collect();
    clusters.sort_by_key(|cluster| &cluster.meta.name);
    clusters.dedup_by_key(|cluster| &cluster.meta.name);
    if let Some(first) = clusters.first() {
        let shown = some(&clusters, |cluster| cluster.key().to_string());
        let name = &case.new.meta.name;
        let finding = report.advise(
            "/metadata/name",
            format!("\"{name}\" opens the S3 store of {shown}"),
        );
        finding.because(*first, "/spec/s3ProfileName");
    }
}
