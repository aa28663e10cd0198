//! The Secrets that S3 profiles name. What is in them is nobody's business here, and in a cluster nobody
//! looks for them.

use super::{
    Case, Report, Rule,
    config::{Config, in_profile},
};
use crate::{
    api::{ConfigMap, Key, Secret, Text},
    golang::quote,
    policy::Operation,
    rules::secret::KEYS,
    world::Lookup,
};

pub(super) const RULES: &[Rule<ConfigMap>] = &[
    ("config-s3-secret-ref", name),
    ("config-s3-secret-namespace", namespace),
    ("config-s3-secret-policy-name", policy_name),
    ("config-s3-secret-exists", exists),
    ("config-s3-secret-keys", keys),
];

const NAME: &str = "s3SecretRef/name";

fn name(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    for (index, profile) in config.profiles() {
        if profile.s3_secret_ref.name.is_empty() {
            let user = config.user(index, profile);
            config.blame(report, user, in_profile(index, NAME), "is empty");
        }
    }
}

fn namespace(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = hub_that_hands_out(case) else {
        return;
    };
    let own = &*config.known.key.namespace;
    for (index, profile) in config.profiles() {
        let namespace = profile.s3_secret_ref.namespace.text();
        if let Some(namespace) = namespace.filter(|namespace| *namespace != own) {
            let message = format!(
                "{} is not {}, from where the hub hands out Secrets",
                quote(namespace),
                quote(own)
            );
            report.say(in_profile(index, "s3SecretRef/namespace"), message);
        }
    }
}

fn hub_that_hands_out<'a>(case: &'a Case<'a, ConfigMap>) -> Option<Config<'a>> {
    Config::of(case).filter(|config| config.is_hubs() && config.known.distributes_secrets())
}

/// The longest name of a policy, less the point between namespace and name and a letter of Ramen's.
const LONGEST: usize = 63 - 2;

fn policy_name(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = hub_that_hands_out(case) else {
        return;
    };
    let room = LONGEST.saturating_sub(config.known.key.namespace.len());
    for (index, profile) in config.profiles() {
        let name = &*profile.s3_secret_ref.name;
        if name.len() > room {
            let message = format!("{} has {} characters, {room} fit", quote(name), name.len());
            let user = config.user(index, profile);
            config.blame(report, user, in_profile(index, NAME), &message);
        }
    }
}

/// The Secrets of the profiles that somebody uses, each with its pointer: the one that opens the store
/// and, where that is another one, the one that the hub hands out.
fn used(config: &Config<'_>) -> Vec<(String, Key)> {
    let mut used = Vec::new();
    for (index, profile) in config.profiles() {
        if config.user(index, profile).is_none() {
            continue;
        }
        let secret = config.known.secret_of(profile);
        let copied = config.known.handed_out(profile);
        let copied = copied.filter(|copied| Some(copied) != secret.as_ref());
        let secrets = secret.into_iter().chain(copied);
        used.extend(secrets.map(|secret| (in_profile(index, NAME), secret)));
    }
    used
}

fn exists(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case).filter(|_| case.operation != Operation::Delete) else {
        return;
    };
    for (pointer, secret) in used(&config) {
        let found = case.world.get::<Secret>(&secret.namespace, &secret.name);
        if found.is_missing() {
            report.say(pointer, format!("there is no {secret}"));
        }
    }
}

fn keys(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    for (pointer, secret) in used(&config) {
        let found = case.world.get::<Secret>(&secret.namespace, &secret.name);
        let Lookup::Found(found) = found else {
            continue;
        };
        for key in KEYS.iter().filter(|key| !found.spec.has(key)) {
            report
                .say(&pointer, format!("{secret} has no key {key}"))
                .because(found, "/data");
        }
    }
}
