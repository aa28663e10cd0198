//! What a manifest is judged by beside the rules: its kind's schema, as the API server would do first.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use serde_json::Value;

use super::{Request, Verdict};
use crate::{
    api,
    manifest::schema::{Schema, SchemaError, SchemaErrorKind},
    policy::{self, Contract, Mode},
    report::{Finding, Lowered},
};

/// The schema of a kind of Ramen's, compiled when first asked for.
fn schema(kind: &str) -> Option<&'static Schema> {
    static COMPILED: LazyLock<Mutex<HashMap<String, &'static Schema>>> =
        LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(schema) = compiled.get(kind) {
        return Some(schema);
    }
    // One for each kind, for as long as the process lives.
    let schema: &'static Schema = Box::leak(Box::new(Schema::compile(api::schema(kind)?)));
    compiled.insert(kind.to_owned(), schema);
    Some(schema)
}

/// Adds what the schema says to the verdict of the rules. Where a rule blames the same field, it says
/// it better. `raw` is the object as it was written, with its nulls.
pub(super) fn add(verdict: &mut Verdict, request: &Request, raw: &Value) {
    let Some(schema) = (request.group == api::GROUP)
        .then(|| schema(&request.kind))
        .flatten()
    else {
        return;
    };
    verdict.known = true;
    let errors = schema.validate(raw);
    if errors.is_empty() {
        return;
    }
    // The schema says better what is wrong than the reading that failed of it.
    verdict
        .findings
        .retain(|finding| finding.rule.id != "object-unreadable");
    // As the API server does, what is stored already is let be.
    let stored = request
        .old
        .as_ref()
        .map(|old| schema.validate(&old.value))
        .unwrap_or_default();
    for error in errors {
        let unknown = matches!(error.kind, SchemaErrorKind::UnknownField { .. });
        let said = |finding: &Finding| {
            if unknown {
                finding.pointer == error.pointer
            } else {
                finding.mode == Mode::Deny && finding.pointer.starts_with(&error.pointer)
            }
        };
        if verdict.findings.iter().any(said) {
            continue;
        }
        let contract = policy::contract(if unknown {
            "object-unknown-field"
        } else {
            "object-schema"
        });
        if let Some(contract) = contract {
            let known = stored.contains(&error);
            verdict.findings.push(finding(contract, error, known));
        }
    }
    verdict.findings.sort_by(|a, b| a.order().cmp(&b.order()));
}

fn finding(rule: &'static Contract, error: SchemaError, stored: bool) -> Finding {
    let fix = match &error.kind {
        SchemaErrorKind::UnknownField {
            nearest: Some(nearest),
        } => Some(format!("did you mean \"{nearest}\"?")),
        SchemaErrorKind::Required => Some("add the field".to_owned()),
        _ => None,
    };
    Finding {
        rule,
        mode: if stored {
            rule.mode.min(Mode::Warn)
        } else {
            rule.mode
        },
        message: match error.kind {
            SchemaErrorKind::UnknownField { .. } => "the kind has no such field".to_owned(),
            _ => error.message,
        },
        pointer: error.pointer,
        fix,
        related: Vec::new(),
        rests_on: Vec::new(),
        lowered: stored.then_some(Lowered::Stored),
    }
}
