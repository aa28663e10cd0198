//! Findings as SARIF 2.1.0, which code hosts and editors read.
//!
//! Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use serde_json::{Value, json};

use super::{Book, Checked, Located, Lowered, Outcome, Place, Related, Unread, paths::Address};
use crate::{
    engine::EXEMPT,
    policy::{Contract, Mode},
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What paths in the output are relative to.
const ROOT: &str = "%SRCROOT%";

/// The outcome as a SARIF log of one run. Files below `root` are named relative to it.
///
/// What would be refused is an error, and what is warned about a warning. What an object is exempted from is
/// there too, as suppressed. Inputs that can't be read are notifications of the run. Columns count characters.
pub fn sarif(outcome: &Outcome, root: &Path) -> Value {
    let told = told(outcome);
    let mut rules: Vec<&Contract> = told.iter().map(|(_, it)| &*it.finding.rule).collect();
    // Ours in their order, then the site's.
    rules.sort_by_key(|rule| (rule.index, &*rule.id));
    rules.dedup_by_key(|rule| &*rule.id);
    let places: HashMap<&str, usize> = rules
        .iter()
        .enumerate()
        .map(|(at, rule)| (&*rule.id, at))
        .collect();
    let mut prints = Fingerprints::default();
    let results = told.iter().map(|(object, located)| {
        let mut result = result(object, located, root);
        result["ruleIndex"] = places[&*located.finding.rule.id].into();
        let print = prints.next(object, located, root);
        // The second is the name that GitHub looks for.
        result["partialFingerprints"] =
            json!({ "ramenGuard/v1": print, "primaryLocationLineHash": print });
        result
    });
    let results: Value = results.collect();
    let rules = rules.iter().map(|rule| descriptor(rule, &outcome.book));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Value>(),
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { ROOT: { "description": { "text": "the folder that the guard was run in" } } },
            "invocations": [{
                "executionSuccessful": outcome.unread.is_empty(),
                "toolExecutionNotifications": notifications(outcome, root),
            }],
            "results": results,
            "properties": { "judged": outcome.judged, "skipped": outcome.skipped },
        }],
    })
}

/// What the log tells of: what people are shown, and what objects are exempted from.
fn told(outcome: &Outcome) -> Vec<(&Checked, &Located)> {
    let objects = outcome.objects.iter();
    let all = objects.flat_map(|object| object.findings.iter().map(move |it| (object, it)));
    all.filter(|(_, it)| it.finding.mode >= Mode::Warn || is_exempted(it))
        .collect()
}

fn is_exempted(located: &Located) -> bool {
    located.finding.lowered == Some(Lowered::Exempted)
}

fn level(mode: Mode) -> &'static str {
    match mode {
        Mode::Deny => "error",
        Mode::Warn => "warning",
        Mode::Audit => "note",
        Mode::Off => "none",
    }
}

/// A rule.
fn descriptor(rule: &Contract, book: &Book) -> Value {
    let mut descriptor = json!({
        "id": rule.id,
        "shortDescription": { "text": rule.what },
        "fullDescription": { "text": rule.why },
        "help": {
            "text": format!("{}\n\n{}\n\nWhat to do: {}.", rule.what, rule.why, rule.fix),
            "markdown": format!("**{}**\n\n{}\n\nWhat to do: {}.", rule.what, rule.why, rule.fix),
        },
        "defaultConfiguration": { "enabled": rule.mode != Mode::Off, "level": level(rule.mode) },
        "properties": { "tags": [rule.kind], "source": rule.source },
    });
    if let Some(page) = book.page(&rule.id) {
        descriptor["helpUri"] = page.into();
    }
    descriptor
}

fn result(object: &Checked, located: &Located, root: &Path) -> Value {
    let finding = &located.finding;
    let field = finding.field();
    let mut location = physical(&located.place, root);
    location["logicalLocations"] = json!([logical(object, &field)]);
    let exempted = is_exempted(located);
    let level = level(if exempted {
        finding.rule.mode
    } else {
        finding.mode
    });
    let colon = if field.is_empty() { "" } else { ": " };
    let text = format!("{field}{colon}{}; {}", finding.message, finding.fix());
    let mut result = json!({
        "ruleId": finding.rule.id,
        "level": level,
        "message": { "text": unlinked(&text) },
        "locations": [location],
    });
    if !located.related.is_empty() {
        let related = located.related.iter().zip(1..);
        let related =
            related.map(|((related, place), id)| other(related, place.as_ref(), id, root));
        result["relatedLocations"] = related.collect();
    }
    if exempted {
        let why = format!("exempted by the object's annotation {EXEMPT}");
        result["suppressions"] = json!([{ "kind": "inSource", "justification": why }]);
    }
    if let Some(lowered) = finding.lowered {
        result["properties"] = json!({ "lowered": lowered.name() });
    }
    result
}

/// Another place that a finding rests on.
fn other(related: &Related, place: Option<&Place>, id: usize, root: &Path) -> Value {
    let mut location = place.map_or_else(|| json!({}), |place| physical(place, root));
    let field = super::field(&related.pointer);
    let space = if field.is_empty() { "" } else { " " };
    location["id"] = id.into();
    location["message"] = json!({ "text": unlinked(&format!("{}{space}{field}", related.key)) });
    location
}

/// A place in a file.
fn physical(place: &Place, root: &Path) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": artifact(&place.file, root),
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.line,
            "endColumn": place.end_column,
        },
    }})
}

fn artifact(file: &str, root: &Path) -> Value {
    match Address::of(file, root) {
        Address::Below(path) => json!({ "uri": encoded(&path), "uriBaseId": ROOT }),
        Address::Absolute(path) => json!({ "uri": format!("file://{}", encoded(&path)) }),
        Address::Elsewhere(name) => json!({ "uri": encoded(&name) }),
    }
}

fn logical(object: &Checked, field: &str) -> Value {
    let parts = [&*object.kind, &object.namespace, &object.name, field];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    json!({ "fullyQualifiedName": parts.join("/"), "kind": "resource", "name": object.name })
}

/// A path as a URI may have it.
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(byte.into());
        } else {
            uri += &format!("%{byte:02X}");
        }
    }
    uri
}

/// The text without anything that would be shown as a link: it may have come from anywhere.
fn unlinked(text: &str) -> String {
    text.replace("](", "\\](")
}

fn notifications(outcome: &Outcome, root: &Path) -> Value {
    let unread = outcome.unread.iter().map(|it| unread(it, root));
    let more = outcome.objects.iter().filter(|object| object.more > 0);
    let more = more.map(|object| {
        let text = format!("{} more findings about {}", object.more, object.label());
        let location = physical(&object.place, root);
        json!({ "level": "note", "message": { "text": unlinked(&text) }, "locations": [location] })
    });
    unread.chain(more).collect()
}

fn unread(unread: &Unread, root: &Path) -> Value {
    let nowhere =
        || json!({ "physicalLocation": { "artifactLocation": artifact(&unread.file, root) } });
    let location = unread.place.as_ref();
    let location = location.map_or_else(nowhere, |place| physical(place, root));
    json!({ "level": "error", "message": { "text": unlinked(&unread.message) }, "locations": [location] })
}

/// What a finding is known by from one run to the next: its rule, its object and its field, and not its line.
#[derive(Default)]
struct Fingerprints(BTreeMap<u64, usize>);

impl Fingerprints {
    fn next(&mut self, object: &Checked, located: &Located, root: &Path) -> String {
        let finding = &located.finding;
        let parts = [
            &*finding.rule.id,
            Address::of(&located.place.file, root).name(),
            &object.kind,
            &object.namespace,
            &object.name,
            finding.pointer.as_str(),
        ]
        .map(str::to_owned);
        let hash = hash(&parts);
        let count = self.0.entry(hash).or_default();
        *count += 1;
        format!("{hash:016x}:{count}")
    }
}

/// FNV-1a, which never changes, where the standard library's hashes may.
fn hash(parts: &[String]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
