//! Bindings, and the policies that they are of.

use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicyBindingSpec;
use kube::core::Selector;

use super::{Reading, name_of};
use crate::{
    manifest::load::Manifest,
    policy::Mode,
    report::nearest,
    site::{
        policy::{Binding, ParamRef},
        shape,
    },
};

impl Reading {
    pub(super) fn binding(&mut self, manifest: Manifest) {
        let errors = shape::BINDINGS.validate(manifest.raw());
        let Some(spec) = self.spec::<ValidatingAdmissionPolicyBindingSpec>(&manifest, errors)
        else {
            return;
        };
        let actions = spec.validation_actions.iter().flatten();
        let told = actions.filter(|action| *action == "Deny" || *action == "Warn");
        if told.count() > 1 {
            let message = "Deny and Warn are not taken together, since one would repeat the other";
            return self.error(&manifest, "/spec/validationActions", message);
        }
        if let Some(param) = &spec.param_ref
            && param.name.as_ref().is_none_or(String::is_empty) == param.selector.is_none()
        {
            return self.error(
                &manifest,
                "/spec/paramRef",
                "one of name and selector is needed, and only one",
            );
        }
        self.bindings.push((spec, manifest));
    }

    pub(super) fn bind(&mut self, spec: ValidatingAdmissionPolicyBindingSpec, manifest: &Manifest) {
        let wanted = spec.policy_name.unwrap_or_default();
        let resources = spec.match_resources.unwrap_or_default();
        let Some(matching) = self.matching(manifest, "/spec/matchResources", resources) else {
            return;
        };
        let param = spec.param_ref.map(|param| {
            let selector = param.selector.map(Selector::try_from).transpose();
            selector.map(|selector| ParamRef {
                name: param.name.unwrap_or_default(),
                namespace: param.namespace.unwrap_or_default(),
                selector,
                must: param.parameter_not_found_action.as_deref() == Some("Deny"),
            })
        });
        let param = match param.transpose() {
            Ok(param) => param,
            Err(error) => {
                return self.error(manifest, "/spec/paramRef/selector", error.to_string());
            }
        };
        let modes = spec
            .validation_actions
            .iter()
            .flatten()
            .map(|action| match &**action {
                "Deny" => Mode::Deny,
                "Warn" => Mode::Warn,
                _ => Mode::Audit,
            });
        let binding = Binding {
            name: name_of(manifest),
            mode: modes.max().unwrap_or(Mode::Audit),
            matching,
            param,
        };
        if let Some((policy, _)) = self.policies.iter_mut().find(|(it, _)| it.name == wanted) {
            policy.bindings.push(binding);
        } else if !self.others.contains_key(&wanted) {
            let known = self.policies.iter().map(|(policy, _)| &*policy.name);
            let near = nearest(&wanted, known);
            let hint = near.map_or_else(String::new, |near| format!("; did you mean \"{near}\"?"));
            let message = format!(
                "ValidatingAdmissionPolicyBinding \"{}\" has no effect here: there is no policy \"{wanted}\"{hint}",
                binding.name
            );
            self.note(manifest, "/spec/policyName", message);
        }
    }
}
