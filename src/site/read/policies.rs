//! Policies.

use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicySpec;

use super::{Reading, compiling::Compiling, name_of};
use crate::{
    manifest::load::Manifest,
    policy::{Check, Code, Contract, Gate, Mode, Operation, Scope},
    site::{PREFIX, shape},
};

impl Reading {
    pub(super) fn policy(&mut self, manifest: Manifest) {
        let errors = shape::POLICIES.validate(manifest.raw());
        let before = self.errors.len();
        let Some(mut spec) = self.spec::<ValidatingAdmissionPolicySpec>(&manifest, errors) else {
            self.others.insert(name_of(&manifest), false);
            return;
        };
        let name = name_of(&manifest);
        if self.policies.iter().any(|(known, _)| known.name == name)
            || self.others.contains_key(&name)
        {
            return self.error(
                &manifest,
                "/metadata/name",
                "there is another policy of this name",
            );
        }
        let resources = spec.match_constraints.take().unwrap_or_default();
        let Some(matching) = self.matching(&manifest, "/spec/matchConstraints", resources) else {
            return;
        };
        if !self.kinds.iter().any(|kind| matching.may_be_about(kind)) {
            self.others.insert(name, true);
            return;
        }
        if spec.validations.as_ref().is_none_or(Vec::is_empty)
            && spec.audit_annotations.as_ref().is_none_or(Vec::is_empty)
        {
            return self.error(
                &manifest,
                "/spec",
                "one of validations and auditAnnotations is needed",
            );
        }
        let mut compiling = Compiling {
            params: spec.param_kind.is_some(),
            variables: Vec::new(),
            wrong: Vec::new(),
            missing: None,
        };
        let read = compiling.read(name.clone(), &manifest, matching, spec);
        for (pointer, message) in compiling.wrong {
            self.error(&manifest, &pointer, message);
        }
        if self.errors.len() > before {
            self.others.insert(name, false);
        } else if let Some((pointer, what)) = compiling.missing {
            let message =
                format!("ValidatingAdmissionPolicy \"{name}\" is not evaluated: it needs {what}");
            self.note(&manifest, &pointer, message);
            self.others.insert(name, false);
        } else {
            self.policies.push((read, manifest));
        }
    }
}

/// A site's policy as a rule.
pub(super) fn contract(name: &str, manifest: &Manifest) -> Contract {
    Contract {
        id: format!("{PREFIX}{name}"),
        also: Vec::new(),
        mode: Mode::Deny,
        strict: None,
        crash: false,
        blocks: false,
        on: vec![Operation::Create, Operation::Update, Operation::Delete],
        watches: Vec::new(),
        early: false,
        files: false,
        scope: Scope::Object,
        missing: false,
        terminating: Gate::Usual,
        trusted: Gate::Usual,
        check: Check::Code(Code::Code),
        floor: None,
        what: format!("What ValidatingAdmissionPolicy \"{name}\" of this site says holds."),
        why: "It is a rule of this site.".to_owned(),
        fix: format!("see ValidatingAdmissionPolicy \"{name}\""),
        source: manifest.source.name.clone(),
        kind: String::new(),
        index: usize::MAX,
    }
}
