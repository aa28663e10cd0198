//! What an administrator applies: `manifests/`, which is part of the binary, for a configuration.
//!
//! The files are built as kustomize builds them, so that what is printed is what `kubectl apply -k` of the
//! same folder would apply; a test compares the two.

mod kustomize;

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use crate::{engine::Settings, policy::Profile};

include!(concat!(env!("OUT_DIR"), "/manifests.rs"));

/// The namespace that the guard runs in, and that its webhook configurations name.
pub const NAMESPACE: &str = "ramen-guard-system";
/// Where the hub is, and where managed clusters are: each begins with one of these.
const SITES: [&str; 2] = ["hub", "managed-cluster"];
/// The list in a `matchCondition` of the users that never wait for the guard.
const TRUSTED: &str = "request.userInfo.username in [";
/// The objects that name Ramen's own namespace.
const IN_RAMENS_NAMESPACE: &str = "ramen-guard-ramen-config";

/// What is wanted of the manifests.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    /// Names of [`overlays`], in the order in which they change what is there. Without a site it is a hub.
    pub overlays: &'a [String],
    /// The configuration file's text, and what it says.
    pub config: Option<(&'a str, &'a Settings)>,
    /// The image to run.
    pub image: Option<&'a str>,
}

/// The names of what can be asked for: sites, and what is added to them.
pub fn overlays() -> Vec<&'static str> {
    let folder = |below: &str| {
        let names: BTreeSet<&'static str> = MANIFESTS
            .iter()
            .filter_map(|(path, _)| path.strip_prefix(below)?.split('/').next())
            .collect();
        names
    };
    let mut names = SITES.to_vec();
    names.extend(folder("components/"));
    names.extend(folder("optional/"));
    names
}

/// The manifests, in the order in which they are to be applied: webhook configurations last, so that no
/// write meets one before there is a guard.
///
/// # Errors
/// Two sites, or overlays that don't fit each other.
pub fn manifests(wanted: &Wanted<'_>) -> Result<Vec<Value>, String> {
    let (sites, added): (Vec<&str>, Vec<&str>) = wanted
        .overlays
        .iter()
        .map(String::as_str)
        .partition(|name| SITES.contains(name));
    let site = match sites.as_slice() {
        [] => SITES[0],
        [site] => site,
        _ => return Err(format!("{} are one or the other", sites.join(" and "))),
    };
    let mut objects = kustomize::build(&format!("overlays/{site}"))?;
    let mut observes = false;
    for name in added {
        observes |= name == "observe-only";
        if has(&format!("components/{name}/kustomization.yaml")) {
            kustomize::add(&format!("components/{name}"), &mut objects)?;
        } else {
            objects.extend(kustomize::build(&format!("optional/{name}"))?);
        }
    }
    if let Some((text, settings)) = wanted.config {
        observes |= settings.profile == Profile::Observe;
        configure(&mut objects, text, settings);
    }
    if observes {
        for entry in objects.iter_mut().flat_map(entries) {
            entry["failurePolicy"] = json!("Ignore");
        }
    }
    if let Some(image) = wanted.image {
        for object in objects
            .iter_mut()
            .filter(|object| object["kind"] == "Deployment")
        {
            object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        }
    }
    objects.sort_by_key(is_configuration);
    Ok(objects)
}

fn has(path: &str) -> bool {
    MANIFESTS.iter().any(|(known, _)| *known == path)
}

fn is_configuration(object: &Value) -> bool {
    let kind = object["kind"].as_str().unwrap_or_default();
    kind.ends_with("WebhookConfiguration")
}

/// The entries of a webhook configuration.
fn entries(object: &mut Value) -> impl Iterator<Item = &mut Value> {
    let list = object.get_mut("webhooks").and_then(Value::as_array_mut);
    list.into_iter().flatten()
}

/// Puts a configuration into the manifests: the file itself, and what of it the API server has to know.
fn configure(objects: &mut [Value], text: &str, settings: &Settings) {
    for object in objects {
        let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
        if kind == "ConfigMap" && name == "ramen-guard" {
            object["data"]["config.yaml"] = json!(text);
        } else if name == IN_RAMENS_NAMESPACE {
            object["metadata"]["namespace"] = json!(settings.ramen.namespace);
        }
        for entry in entries(object) {
            let conditions = entry
                .get_mut("matchConditions")
                .and_then(Value::as_array_mut);
            for condition in conditions.into_iter().flatten() {
                if let Some(expression) = condition["expression"].as_str() {
                    condition["expression"] = json!(trusting(expression, settings));
                }
            }
        }
    }
}

/// The expression with the configured users and groups beside those that it trusts already.
fn trusting(expression: &str, settings: &Settings) -> String {
    let mut out = String::new();
    let mut rest = expression;
    while let Some((before, after)) = rest.split_once(TRUSTED) {
        let Some((list, end)) = after.split_once(']') else {
            break;
        };
        let users = format!("{TRUSTED}{}]", longer(list, settings));
        out.push_str(before);
        if settings.trusted_groups.is_empty() {
            out.push_str(&users);
        } else {
            let groups = sorted(&settings.trusted_groups);
            let groups = groups.join(", ");
            out.push_str(&format!(
                "({users} || (has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in [{groups}])))"
            ));
        }
        rest = end;
    }
    out + rest
}

/// The list of the trusted users with those that it does not have yet, laid out as it is.
fn longer(list: &str, settings: &Settings) -> String {
    let known: HashSet<&str> = list.split(',').map(str::trim).collect();
    let names = list.trim_end();
    let (gap, _) = names.split_once('\'').unwrap_or((" ", ""));
    let mut out = names.to_owned();
    for user in sorted(&settings.trusted_users) {
        if !known.contains(&*user) {
            out.push_str(&format!(",{gap}{user}"));
        }
    }
    out + &list[names.len()..]
}

/// Names as CEL writes them.
fn sorted(names: &HashSet<String>) -> Vec<String> {
    let names: BTreeSet<&String> = names.iter().collect();
    names.into_iter().map(|name| cel(name)).collect()
}

/// A text as CEL writes it.
fn cel(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}
