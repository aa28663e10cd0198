//! Findings for machines.

use serde_json::{Value, json};

use super::{Book, Located, Note, Outcome, Place};
use crate::policy::Mode;

/// The outcome as JSON. Objects without findings are only counted.
pub fn json(outcome: &Outcome) -> Value {
    let objects: Vec<Value> = outcome
        .objects
        .iter()
        .map(|object| {
            json!({
                "kind": object.kind,
                "namespace": object.namespace,
                "name": object.name,
                "operation": object.operation.name(),
                "file": &*object.place.file,
                "line": object.place.line,
                "allowed": !object.has(Mode::Deny),
                "findings": object.findings.iter().map(|found| finding(found, &outcome.book)).collect::<Vec<_>>(),
                "more": object.more,
            })
        })
        .collect();
    let unread: Vec<Value> = outcome
        .unread
        .iter()
        .map(|unread| {
            let mut value = unread
                .place
                .as_ref()
                .map_or_else(|| json!({ "file": unread.file }), place);
            value["message"] = Value::from(&*unread.message);
            value
        })
        .collect();
    json!({
        "summary": {
            "judged": outcome.judged,
            "denied": outcome.denied(),
            "errors": outcome.count(Mode::Deny),
            "warnings": outcome.count(Mode::Warn),
            "skipped": outcome.skipped,
        },
        "objects": objects,
        "unread": unread,
        "notes": outcome.notes.iter().map(note).collect::<Vec<_>>(),
    })
}

fn note(note: &Note) -> Value {
    let mut value = note.place.as_ref().map_or_else(|| json!({}), place);
    value["message"] = Value::from(&*note.message);
    value
}

fn finding(located: &Located, book: &Book) -> Value {
    let finding = &located.finding;
    let mut value = place(&located.place);
    let related: Vec<Value> = located
        .related
        .iter()
        .map(|(related, found)| {
            let mut value = found.as_ref().map_or_else(|| json!({}), place);
            value["kind"] = Value::from(related.key.kind);
            value["namespace"] = Value::from(&*related.key.namespace);
            value["name"] = Value::from(&*related.key.name);
            value["field"] = Value::from(super::field(&related.pointer));
            value
        })
        .collect();
    value["rule"] = Value::from(&*finding.rule.id);
    value["mode"] = Value::from(finding.mode.name());
    value["field"] = Value::from(finding.field());
    value["pointer"] = Value::from(finding.pointer.as_str());
    value["message"] = Value::from(&*finding.message);
    value["fix"] = Value::from(finding.fix());
    if let Some(page) = book.page(&finding.rule.id) {
        value["page"] = Value::from(page);
    }
    value["lowered"] = finding
        .lowered
        .map_or(Value::Null, |lowered| Value::from(lowered.name()));
    value["related"] = Value::from(related);
    value
}

fn place(place: &Place) -> Value {
    json!({
        "file": &*place.file,
        "line": place.line,
        "column": place.column,
        "endColumn": place.end_column,
    })
}
