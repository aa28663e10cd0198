//! The S3 stores that the application is kept in, and the captures that are named after them.

use std::collections::HashSet;

use super::{config, is_primary, used::used};
use crate::{
    api::{S3StoreProfile, VolumeReplicationGroup},
    golang::{names, quote},
    rules::{
        Case, Report, Rule,
        protection::{Protecting as _, REF},
        recipe::steps::{Flow, groups, named},
    },
};

pub(super) const RULES: &[Rule<VolumeReplicationGroup>] = &[
    ("vrg-s3-profiles-empty-primary", empty_primary),
    ("vrg-s3-profile-known", known),
    ("vrg-s3-profile-nos3-mixed", mixed),
    ("vrg-s3-profile-duplicate", duplicate),
    ("vrg-capture-name-dns", capture_name),
];

const PROFILES: &str = "/spec/s3Profiles";

/// Nothing is stored while a failover is only tried out.
fn empty_primary(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let spec = &case.new.spec;
    if is_primary(case.new) && spec.s3_profiles.is_empty() && spec.dry_run != Some(true) {
        report.say(PROFILES, "names none, and the application runs here");
    }
}

/// The names of stores, each with its place.
fn stores<'a>(
    case: &Case<'a, VolumeReplicationGroup>,
) -> impl Iterator<Item = (usize, &'a String)> {
    let profiles = case.new.spec.s3_profiles.iter().enumerate();
    profiles.filter(|(_, name)| *name != S3StoreProfile::NONE)
}

fn known(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let Some(config) = config(case) else {
        return;
    };
    let known: HashSet<&str> = config.profiles().collect();
    for (index, name) in stores(case).filter(|(_, name)| !known.contains(&***name)) {
        report
            .say(
                format!("{PROFILES}/{index}"),
                format!(
                    "there is no profile {} in Ramen's configuration",
                    quote(name)
                ),
            )
            .configured(config, "/s3StoreProfiles");
    }
}

fn mixed(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let profiles = &case.new.spec.s3_profiles;
    if profiles.iter().any(|name| name == S3StoreProfile::NONE)
        && let Some((_, store)) = stores(case).next()
    {
        report.say(
            PROFILES,
            format!(
                "has \"{}\", which stands for no store, beside {}",
                S3StoreProfile::NONE,
                quote(store)
            ),
        );
    }
}

fn duplicate(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let mut seen = HashSet::new();
    for (index, name) in case.new.spec.s3_profiles.iter().enumerate() {
        if !seen.insert(name) {
            report.say(
                format!("{PROFILES}/{index}"),
                format!("{} is there twice", quote(name)),
            );
        }
    }
}

/// What Velero makes is called after the application, the group of the recipe, and the store. Without a
/// recipe there is one group, without a name.
///
/// Source: internal/controller/vrg_kubeobjects.go:41-57
fn capture_name(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let meta = &case.new.meta;
    if case.new.spec.protection().is_none() {
        return;
    }
    let name = |group: &str, store: &str| {
        format!("{}--{}--0--{group}--{store}", meta.namespace, meta.name)
    };
    let form = |group: &str, store: &str| names::dns_subdomain(&format!("a--{group}--{store}"));
    let recipe = used(case).and_then(|used| Some((used.filled()?, used)));
    let mut longest = "";
    if let Some((filled, recipe)) = &recipe {
        let known = groups(filled);
        let steps = named(filled, "group").filter(|(flow, ..)| *flow == Flow::Backup);
        for (_, at, group) in steps.filter(|(.., group)| known.contains_key(group)) {
            if let Err(error) = form(group, "a") {
                let message = format!(
                    "{} has a group {}, which as part of a capture's name {error}",
                    recipe.shown(),
                    quote(group)
                );
                let draft = report.say(REF, message);
                if let Some(object) = recipe.object {
                    draft.because(object, at);
                }
            } else if group.len() > longest.len() {
                longest = group;
            }
        }
    }
    for (index, store) in stores(case) {
        let place = format!("{PROFILES}/{index}");
        let length = name(longest, store).len();
        if let Err(error) = form("a", store) {
            let message = format!("{}, as part of a capture's name, {error}", quote(store));
            report.say(place, message);
        } else if length > names::SUBDOMAIN_MAX {
            let message = format!(
                "makes for captures whose names have {length} characters; {} is the limit",
                names::SUBDOMAIN_MAX
            );
            report.say(place, message);
        }
    }
}
