//! What the API server says, beside what the rules say.

use std::sync::Arc;

use jsonptr::{Pointer, PointerBuf};
use serde_json::Value;

use super::{
    Answers,
    answer::{Answer, Cause},
    field,
};
use crate::{
    engine::{Settings, Verdict},
    policy::{self, Contract, Mode},
    report::{Finding, Lowered, plain},
};

impl Answers {
    /// Adds what was said of the object at a place to the verdict of the rules. What they have said already
    /// is not said again.
    pub(in crate::cli) fn add(
        &self,
        verdict: &mut Verdict,
        place: (usize, usize),
        object: &Value,
        settings: &Settings,
    ) {
        let Some(Answer::Said { causes, warnings }) = self.of.get(&place) else {
            return;
        };
        for cause in causes {
            refuse(verdict, cause, object, settings);
        }
        for warning in warnings {
            warn(verdict, warning, object, settings);
        }
        verdict.findings.sort_by(|a, b| a.order().cmp(&b.order()));
    }
}

/// What a rule of the server's has for a mode here.
fn mode(rule: &Contract, settings: &Settings) -> (Mode, Option<Lowered>) {
    let mode = settings.mode(rule);
    let observed = mode < settings.unobserved(rule) && settings.unobserved(rule) == Mode::Deny;
    (mode, observed.then_some(Lowered::Observed))
}

/// Whether a finding is none of the API server's.
fn is_ours(finding: &Finding) -> bool {
    !["server-dry-run", "server-warning"].contains(&&*finding.rule.id)
}

fn refuse(verdict: &mut Verdict, cause: &Cause, object: &Value, settings: &Settings) {
    let pointer = field::pointer(&cause.field, object);
    // The guard in the cluster names its rules.
    let same = |finding: &Finding| finding.rule.id == cause.reason && finding.pointer == pointer;
    let says_so = |finding: &Finding| {
        finding.mode == Mode::Deny && (same(finding) || is_about(finding, &pointer))
    };
    let mut ours = verdict.findings.iter().filter(|finding| is_ours(finding));
    if ours.any(says_so) {
        return;
    }
    let Some(rule) = policy::contract("server-dry-run") else {
        return;
    };
    let (mode, lowered) = mode(rule, settings);
    if mode == Mode::Off {
        return;
    }
    // A weaker word on the same field knows the way out.
    let weaker = verdict.findings.iter().position(|finding| {
        !pointer.is_root() && finding.pointer == pointer && is_the_schemas(finding)
    });
    let fix = weaker.map(|at| verdict.findings.remove(at).fix().to_owned());
    let message = match policy::contract(&cause.reason) {
        Some(rule) => format!("{} ({})", cause.message, rule.id),
        None => cause.message.clone(),
    };
    push(verdict, rule, mode, pointer, message, fix, lowered);
}

fn is_the_schemas(finding: &Finding) -> bool {
    ["object-unknown-field", "object-schema"].contains(&&*finding.rule.id)
        || finding.rule.id.ends_with("-unknown-field")
}

/// Whether a finding is about a field, or about one inside it.
fn is_about(finding: &Finding, pointer: &Pointer) -> bool {
    !pointer.is_root() && finding.pointer.starts_with(pointer)
}

fn warn(verdict: &mut Verdict, warning: &str, object: &Value, settings: &Settings) {
    let ours = verdict.findings.iter().filter(|finding| is_ours(finding));
    let unknown = warning
        .strip_prefix("unknown field \"")
        .and_then(|rest| rest.strip_suffix('"'));
    // The guard in the cluster puts its rule in front, and the field.
    let own = warning.split_once(": ");
    let own = own.and_then(|(rule, rest)| Some((policy::contract(rule)?, rest)));
    let rule = own.map(|(rule, _)| rule);
    let own = own.and_then(|(rule, rest)| Some((rule, rest.split_once(": ")?)));
    let own = own.filter(|(_, (field, _))| !field.contains(' '));
    let field = own.map(|(_, (field, _))| field).or(unknown);
    let pointer = field.map_or_else(PointerBuf::new, |field| field::pointer(field, object));
    let message = match own {
        Some((rule, (_, message))) => format!("{message} ({})", rule.id),
        None => warning.to_owned(),
    };
    let mut ours = ours.filter(|finding| finding.mode >= Mode::Warn);
    let is_said = match (rule, unknown) {
        (Some(rule), _) => ours.any(|finding| finding.rule.id == rule.id),
        (None, Some(_)) => ours.any(|finding| finding.pointer == pointer),
        (None, None) => ours.any(|finding| warning.contains(&finding.message)),
    };
    let Some(contract) = policy::contract("server-warning") else {
        return;
    };
    let (mode, lowered) = mode(contract, settings);
    if !is_said && mode > Mode::Off {
        push(verdict, contract, mode, pointer, message, None, lowered);
    }
}

fn push(
    verdict: &mut Verdict,
    rule: &'static Contract,
    mode: Mode,
    pointer: PointerBuf,
    message: String,
    fix: Option<String>,
    lowered: Option<Lowered>,
) {
    verdict.findings.push(Finding {
        rule: rule.into(),
        mode,
        pointer,
        message: plain(message),
        fix,
        related: Vec::new(),
        rests_on: Arc::default(),
        lowered,
    });
}
