//! Exemptions: an annotation that takes an object out of named rules until a day.

use std::sync::LazyLock;

use super::{Engine, Settings};
use crate::{
    api::{Doc, Meta},
    policy::{self, Contract, Mode},
    report::{Finding, Lowered, nearest},
    rules::{Report, annotation},
};

/// The annotation: `RULE[, RULE]... until YYYY-MM-DD: REASON`.
pub(crate) const EXEMPT: &str = "guard.ramendr.openshift.io/exempt";

/// The rule that speaks about exemptions that don't hold.
pub(super) static CONTRACT: LazyLock<&'static Contract> = LazyLock::new(|| {
    policy::contract("exemption-invalid")
        .expect("policies/any.yaml has it, which a test makes sure of")
});

/// The rules that an object is exempted from; what is wrong with the annotation goes to `report`.
pub(super) fn read(meta: &Meta, settings: &Settings, report: &mut Report) -> Vec<&'static str> {
    let Some(text) = meta.annotation(EXEMPT) else {
        return Vec::new();
    };
    let place = annotation(EXEMPT);
    if !settings.exemptions {
        report.advise(
            &place,
            "exemptions are not allowed by the configuration, so this has no effect",
        );
        return Vec::new();
    }
    let Some((rules, until, _reason)) = parts(text) else {
        report.advise(
            &place,
            format!("\"{text}\" is not of the form RULE[, RULE]... until YYYY-MM-DD: REASON"),
        );
        return Vec::new();
    };
    if until < &*settings.today {
        report.advise(&place, format!("the exemption ended on {until}"));
        return Vec::new();
    }
    let mut exempted = Vec::new();
    for rule in rules {
        match policy::contract(rule) {
            None => {
                let near = nearest(
                    rule,
                    policy::contracts().iter().map(|contract| &*contract.id),
                );
                let hint =
                    near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
                report.advise(&place, format!("there is no rule \"{rule}\"{hint}"));
            }
            Some(contract) if contract.crash => {
                report.advise(
                    &place,
                    format!("nothing is exempted from {rule}: it protects every other object too"),
                );
            }
            Some(_) if settings.unexempted => {}
            Some(contract) => exempted.push(&*contract.id),
        }
    }
    exempted
}

impl Engine {
    /// Takes a finding for one that is left out, if the object is exempted from its rule: of those that are
    /// added to a verdict after the gates.
    pub(crate) fn exempt(&self, object: &Doc, finding: &mut Finding) {
        if finding.mode <= Mode::Audit || finding.rule.crash {
            return;
        }
        let Ok(meta) = object.meta() else { return };
        let exempted = read(&meta, &self.settings, &mut Report::default());
        if exempted.contains(&&*finding.rule.id) {
            finding.mode = Mode::Audit;
            finding.lowered = Some(Lowered::Exempted);
        }
    }
}

fn parts(text: &str) -> Option<(Vec<&str>, &str, &str)> {
    let (rules, rest) = text.split_once(" until ")?;
    let (until, reason) = rest.split_once(':')?;
    let (until, reason) = (until.trim(), reason.trim());
    let shape = until.len() == 10
        && until.bytes().enumerate().all(|(i, byte)| {
            if i == 4 || i == 7 {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
    let rules: Vec<&str> = rules
        .split(',')
        .map(str::trim)
        .filter(|rule| !rule.is_empty())
        .collect();
    (shape && !reason.is_empty() && !rules.is_empty()).then_some((rules, until, reason))
}
