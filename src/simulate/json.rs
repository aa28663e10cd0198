//! Simulations for machines.

use serde_json::{Map, Value, json};

use super::{ADVICE, Row, Said, Simulation, State};
use crate::{
    api::Key,
    report::{Finding, Lowered, field},
};

/// The simulations as JSON, in their order.
pub fn json(simulations: &[Simulation]) -> Value {
    let count = |said: Said| simulations.iter().filter(|it| it.said == said).count();
    let states: Map<String, Value> = State::ALL
        .iter()
        .map(|state| {
            let rows: usize = simulations.iter().map(|it| it.count(*state)).sum();
            (state.name().to_owned(), rows.into())
        })
        .collect();
    json!({
        "summary": {
            "simulated": simulations.len(),
            "refused": count(Said::Refused),
            "warned": count(Said::Warned),
            "accepted": count(Said::Accepted),
            "unchanged": count(Said::Unchanged),
            "readiness": states,
        },
        "advice": ADVICE,
        "simulations": simulations.iter().map(one).collect::<Vec<_>>(),
    })
}

fn one(simulation: &Simulation) -> Value {
    let goes = simulation.goes.as_ref();
    json!({
        "action": simulation.action.name(),
        "kind": simulation.key.kind,
        "namespace": &*simulation.key.namespace,
        "name": &*simulation.key.name,
        "cluster": goes.map(|goes| &*goes.to),
        "because": goes.map(|goes| &*goes.because),
        "patch": simulation.patch,
        "verdict": simulation.said.name(),
        "allowed": simulation.said != Said::Refused,
        "findings": simulation.findings.iter().map(finding).collect::<Vec<_>>(),
        "readiness": simulation.rows.iter().map(row).collect::<Vec<_>>(),
        "notes": simulation.notes,
    })
}

fn finding(finding: &Finding) -> Value {
    let related: Vec<Value> = finding
        .related
        .iter()
        .map(|related| {
            let mut value = object(&related.key);
            value["field"] = field(&related.pointer).into();
            value
        })
        .collect();
    json!({
        "rule": finding.rule.id,
        "mode": finding.mode.name(),
        "field": finding.field(),
        "pointer": finding.pointer.as_str(),
        "message": finding.message,
        "why": finding.rule.why,
        "fix": finding.fix(),
        "lowered": finding.lowered.map(Lowered::name),
        "related": related,
    })
}

fn row(row: &Row) -> Value {
    json!({
        "check": row.check,
        "cluster": Some(&*row.about).filter(|about| !about.is_empty()),
        "state": row.state.name(),
        "value": row.value,
        "then": Some(&*row.then).filter(|then| !then.is_empty()),
        "objects": row.objects.iter().map(object).collect::<Vec<_>>(),
    })
}

fn object(key: &Key) -> Value {
    json!({ "kind": key.kind, "namespace": &*key.namespace, "name": &*key.name })
}
