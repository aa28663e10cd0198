//! S3 profiles: the stores that clusters leave in what a failover needs.

use super::{
    Case, Report, Rule,
    config::{Config, NO_S3, User, in_profile},
    configured,
};
use crate::{
    api::ConfigMap,
    golang::{quote, url},
    policy::Operation,
};

pub(super) const RULES: &[Rule<ConfigMap>] = &[
    ("config-s3-profile-name", name),
    ("config-s3-profile-unique", unique),
    ("config-s3-profile-reserved", reserved),
    ("config-s3-endpoint", endpoint),
    ("config-s3-endpoint-scheme", scheme),
    ("config-s3-bucket", bucket),
    ("config-s3-region", region),
    ("config-s3-profile-changed-in-use", changed),
    ("config-s3-profile-removed-in-use", removed),
];

const NAME: &str = "s3ProfileName";
const ENDPOINT: &str = "s3CompatibleEndpoint";
const BUCKET: &str = "s3Bucket";

fn name(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    for (index, profile) in config.profiles() {
        if profile.s3_profile_name.is_empty() {
            report.say(in_profile(index, NAME), "is empty");
        }
    }
}

fn unique(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    let mut seen = std::collections::HashSet::new();
    for (index, profile) in config.profiles() {
        let name = &*profile.s3_profile_name;
        if !name.is_empty() && !seen.insert(name) {
            let message = format!("{} is the name of a profile before it", quote(name));
            report.say(in_profile(index, NAME), message);
        }
    }
}

fn reserved(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    for (index, profile) in config.profiles() {
        if profile.s3_profile_name == NO_S3 {
            let message = format!("\"{NO_S3}\" says that there is no S3 store");
            report.say(in_profile(index, NAME), message);
        }
    }
}

/// An endpoint that is not there may still come, unless a cluster waits for it, or somebody adds the
/// profile just so.
fn endpoint(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    for (index, profile) in config.profiles() {
        let text = &*profile.s3_compatible_endpoint;
        let pointer = in_profile(index, ENDPOINT);
        if text.is_empty() {
            let known = config.stored(&profile.s3_profile_name).is_some();
            if case.is_create() || config.old.is_some() && !known {
                report.say(pointer, "is empty");
            } else {
                config.blame(report, config.user(index, profile), pointer, "is empty");
            }
        } else if let Err(error) = url::parse_request_uri(text) {
            report.say(pointer, format!("{} is no URL: {error}", quote(text)));
        }
    }
}

fn scheme(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    for (index, profile) in config.profiles() {
        let text = &*profile.s3_compatible_endpoint;
        let Ok(url) = url::parse_request_uri(text) else {
            continue;
        };
        let lacks = if url.scheme != "http" && url.scheme != "https" {
            "\"http://\" or \"https://\""
        } else if url.host.is_empty() {
            "a host"
        } else {
            continue;
        };
        let message = format!("{} lacks {lacks}", quote(text));
        report.say(in_profile(index, ENDPOINT), message);
    }
}

fn bucket(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    for (index, profile) in config.profiles() {
        if profile.s3_bucket.is_empty() {
            let user = config.user(index, profile);
            config.blame(report, user, in_profile(index, BUCKET), "is empty");
        }
    }
}

fn region(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    for (index, profile) in config.profiles() {
        if profile.s3_region.is_empty() {
            report.say(in_profile(index, "s3Region"), "is empty");
        }
    }
}

fn changed(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    for (index, profile) in config.profiles() {
        let Some(old) = config.stored(&profile.s3_profile_name) else {
            continue;
        };
        for (field, new, old) in [
            (
                ENDPOINT,
                &profile.s3_compatible_endpoint,
                &old.s3_compatible_endpoint,
            ),
            (BUCKET, &profile.s3_bucket, &old.s3_bucket),
        ] {
            // What was not there has nothing in it.
            if new == old || old.is_empty() {
                continue;
            }
            if let Some(user) = config.user(index, profile) {
                let message = format!("was {}, and {user} uses it", quote(old));
                let finding = report.advise(in_profile(index, field), message);
                match user {
                    User::Cluster(cluster) => finding.because(cluster, "/spec/s3ProfileName"),
                    User::Application(vrg) => finding.because(vrg, "/spec/s3Profiles"),
                };
            }
        }
    }
}

/// Each profile that is gone is one finding, whoever uses it: the clusters count.
fn removed(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    let deleted = case.operation == Operation::Delete;
    let before = if deleted {
        config.says()
    } else {
        match config.old {
            Some(old) => &old.says,
            None => return,
        }
    };
    let mut seen = std::collections::HashSet::new();
    for profile in &before.s3_store_profiles {
        let name = &*profile.s3_profile_name;
        let stays = |other: &str| other == name;
        let kept = !deleted && config.known.profiles().any(stays);
        if kept || !seen.insert(name) {
            continue;
        }
        let users = config.users(name);
        let Some(first) = users.first() else { continue };
        let shown = crate::rules::some(&users, User::to_string);
        let message = format!("{} is gone, and {shown} uses it", quote(name));
        let pointer = configured("/s3StoreProfiles");
        match first {
            User::Cluster(cluster) if deleted => report
                .advise(pointer, message)
                .because(*cluster, "/spec/s3ProfileName"),
            User::Cluster(cluster) => config
                .grave(report, pointer, message)
                .because(*cluster, "/spec/s3ProfileName"),
            User::Application(vrg) => report
                .advise(pointer, message)
                .because(*vrg, "/spec/s3Profiles"),
        };
    }
}
