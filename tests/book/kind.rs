//! A page a kind.

use std::collections::BTreeSet;

use ramen_guard::{
    admission::mutate::LABELLED,
    api::{self, BACKUP_LABEL},
    engine::KEYS,
    install::{self, Wanted},
    policy::{self, Contract, Profile},
    report::field,
    rules,
    world::KeptKind,
};
use serde_json::Value;

use super::text::{inline, sentence};

/// The pseudo-kind of rules that are about objects of every kind.
const ANY: &str = "Any";

/// The kinds that have rules, the most used first.
pub(crate) fn names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = rules::kinds().iter().map(|kind| kind.kind).collect();
    names.push(ANY);
    names
}

fn file(kind: &str) -> String {
    kind.to_lowercase()
}

/// A link to a kind's page, which is in this folder.
pub(crate) fn link(kind: &str, folder: &str) -> String {
    let name = if kind == ANY {
        "objects of every kind"
    } else {
        kind
    };
    format!("[{name}]({folder}{}.md)", file(kind))
}

/// The rules that have their place with the kind.
fn own(kind: &str) -> impl Iterator<Item = &'static Contract> {
    policy::contracts()
        .iter()
        .filter(move |contract| contract.kind == kind)
}

/// The kinds and their rules, for the table of contents.
pub(crate) fn contents() -> String {
    let mut text = String::from("- [All rules](rules/index.md)\n");
    for kind in names() {
        let name = if kind == ANY { "Every kind" } else { kind };
        text += &format!("- [{name}](kinds/{}.md)\n", file(kind));
        for contract in own(kind) {
            text += &format!("  - [{id}](rules/{id}.md)\n", id = contract.id);
        }
    }
    text
}

/// The rules of a kind as a table; their pages are in this folder.
pub(crate) fn table(kind: &str, folder: &str) -> String {
    let mut text =
        String::from("| rule | recommended | strict | what holds |\n| --- | --- | --- | --- |\n");
    for contract in policy::contracts_of(kind) {
        text += &format!(
            "| [{id}]({folder}{id}.md) | {} | {} | {} |\n",
            contract.mode_in(Profile::Recommended),
            contract.mode_in(Profile::Strict),
            sentence(&contract.what).replace('\n', " "),
            id = contract.id,
        );
    }
    text
}

/// Every kind's page, by its file's name.
pub(crate) fn pages() -> Vec<(String, String)> {
    let kinds = rules::kinds();
    let mut pages: Vec<(String, String)> = kinds
        .iter()
        .map(|kind| (file(kind.kind), page(kind)))
        .collect();
    pages.push((file(ANY), any()));
    pages
}

fn any() -> String {
    format!(
        "# Objects of every kind\n\nThese rules belong to no one kind.\n\n## Rules\n\n{}",
        table(ANY, "../rules/")
    )
}

fn page(kind: &KeptKind) -> String {
    let group = if kind.group.is_empty() {
        kind.version.to_owned()
    } else {
        format!("{}/{}", kind.group, kind.version)
    };
    let scope = if kind.namespaced {
        "in a namespace"
    } else {
        "of the whole cluster"
    };
    let mut page = format!(
        "# {}\n\n`{group}`, `{}`, {scope}.\n\n## Rules\n\n{}",
        kind.kind,
        kind.plural,
        table(kind.kind, "../rules/")
    );
    page += &format!("\n## What the webhook is asked\n\n{}", watched(kind));
    let fields = fields(kind.kind);
    if !fields.is_empty() {
        page += "\n## The fields that rules look at on UPDATE\n\n";
        page += "An update that leaves all of these alone is allowed before anything is asked.\n\n";
        page += &fields
            .iter()
            .map(|field| format!("- {}\n", inline(field)))
            .collect::<String>();
    }
    page += &format!("\n## What is filled in\n\n{}", filled(kind.kind));
    page
}

fn fields(kind: &str) -> BTreeSet<String> {
    let watches = policy::contracts_of(kind).flat_map(|contract| &contract.watches);
    watches.map(|pointer| field(pointer)).collect()
}

/// An entry of a webhook configuration that the kind comes to.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    overlay: String,
    name: String,
    path: String,
    operations: String,
    fails: String,
    conditions: String,
}

fn watched(kind: &KeptKind) -> String {
    let hub = entries("hub", kind);
    let mut all: Vec<Entry> = hub;
    let overlays = install::overlays();
    for overlay in overlays.into_iter().filter(|overlay| *overlay != "hub") {
        let more = entries(overlay, kind);
        let known: BTreeSet<String> = all.iter().map(|entry| entry.name.clone()).collect();
        all.extend(
            more.into_iter()
                .filter(|entry| !known.contains(&entry.name)),
        );
    }
    let mut text = if all.is_empty() {
        "No entry of the webhook configurations has it: only `check` and `audit` judge it.\n"
            .to_owned()
    } else {
        let mut table = String::from(
            "| entry | installed with | operations | where the guard does not answer | conditions |\n\
             | --- | --- | --- | --- | --- |\n",
        );
        for entry in all {
            table += &format!(
                "| {} ({}) | `{}` | {} | {} | {} |\n",
                inline(&entry.name),
                inline(&entry.path),
                entry.overlay,
                entry.operations,
                entry.fails,
                entry.conditions
            );
        }
        table
    };
    text += if kind.watched {
        "\nIn a cluster the guard watches the kind, for the rules about others that ask about it.\n"
    } else {
        "\nIn a cluster the guard never reads the kind; rules about others know it from files only.\n"
    };
    text
}

fn entries(overlay: &str, kind: &KeptKind) -> Vec<Entry> {
    let wanted = [overlay.to_owned()];
    let objects = install::manifests(&Wanted {
        overlays: &wanted,
        ..Wanted::default()
    });
    let objects = objects.unwrap_or_else(|error| panic!("{overlay}: {error}"));
    let webhooks = objects.iter().filter(|object| {
        let kind = object["kind"].as_str().unwrap_or_default();
        kind.ends_with("WebhookConfiguration")
    });
    let webhooks = webhooks.flat_map(|object| object["webhooks"].as_array().unwrap());
    webhooks
        .filter_map(|webhook| entry(overlay, webhook, kind))
        .collect()
}

fn entry(overlay: &str, webhook: &Value, kind: &KeptKind) -> Option<Entry> {
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let of_kind = |rule: &&Value| {
        texts(&rule["apiGroups"])
            .iter()
            .any(|group| group == kind.group)
            && texts(&rule["resources"]).iter().any(|it| it == kind.plural)
    };
    let rules: Vec<&Value> = webhook["rules"]
        .as_array()?
        .iter()
        .filter(of_kind)
        .collect();
    if rules.is_empty() {
        return None;
    }
    let operations: BTreeSet<String> = rules
        .iter()
        .flat_map(|rule| texts(&rule["operations"]))
        .collect();
    let operations: Vec<String> = operations.into_iter().collect();
    let conditions = webhook["matchConditions"].as_array().into_iter().flatten();
    let conditions: Vec<String> = conditions
        .filter_map(|condition| condition["name"].as_str())
        .map(inline)
        .collect();
    let mut conditions = conditions.join(", ");
    if let Some(labels) = webhook["objectSelector"]["matchLabels"].as_object() {
        for (name, value) in labels {
            let label = inline(&format!("{name}={}", value.as_str().unwrap_or_default()));
            conditions = format!("the label {label}, {conditions}");
        }
    }
    let fails = match webhook["failurePolicy"].as_str() {
        Some("Fail") => "refused",
        _ => "let pass",
    };
    Some(Entry {
        overlay: overlay.to_owned(),
        name: webhook["name"].as_str()?.to_owned(),
        path: webhook["clientConfig"]["service"]["path"]
            .as_str()?
            .to_owned(),
        operations: operations.join(", "),
        fails: fails.to_owned(),
        conditions,
    })
}

fn filled(kind: &str) -> String {
    let mut text = String::new();
    if LABELLED.contains(&kind) {
        let (name, value) = BACKUP_LABEL;
        text += &format!(
            "- The mutating webhook adds the label `{name}: {value}` to a new object that has none of that name. \
             Ramen's operator does the same a moment later.\n"
        );
    }
    let by_itself = match kind {
        kind if LABELLED.contains(&kind) => Some("reconcile.labels"),
        "ConfigMap" => Some("reconcile.ramen-config"),
        "Placement" | "PlacementRule" => Some("reconcile.placements"),
        _ => None,
    };
    if let Some(key) = KEYS.iter().find(|key| Some(key.path) == by_itself) {
        let effect = key.effect.strip_prefix("Whether ").unwrap_or(key.effect);
        let effect = match effect.strip_prefix("it ") {
            Some(rest) => format!("The replica that leads {rest}"),
            None => sentence(effect),
        };
        text += &format!(
            "- {effect} The key `{}` of the [configuration](../configuration.md) switches that off.\n",
            key.path
        );
    }
    let defaults = api::defaults(kind);
    if !defaults.is_empty() {
        text += "- The API server fills in what the CRD says; rules compare what comes out:\n";
        for (tokens, value) in defaults {
            let pointer = tokens
                .iter()
                .map(|token| format!("/{token}"))
                .collect::<String>();
            let pointer = jsonptr::Pointer::parse(&pointer).unwrap();
            text += &format!(
                "  - {}: {}\n",
                inline(&field(pointer)),
                inline(&value.to_string())
            );
        }
    }
    if text.is_empty() {
        text += "Nothing: neither the guard nor the CRD adds anything.\n";
    }
    text
}
