//! What one policy says of a request, with one of its params.
//!
//! Source: k8s.io/apiserver `pkg/admission/plugin/policy/validating` (`validator.go`),
//! `plugin/webhook/matchconditions`.

use jsonptr::PointerBuf;
use kube_cel::cel::{Context, ExecutionError, Value as Cel};

use super::{
    Unsure,
    budget::{Budget, is_too_large},
    expression::{self, Expression},
    policy::{Binding, Broken, Policy, Said, Validation},
    request::Subject,
};
use crate::policy::Mode;

/// The most bytes of a message that an expression makes.
const MESSAGE: usize = 5 * 1024;

/// Why an expression has no result.
enum Failure {
    Error(String),
    Unsure(Unsure),
}

/// A policy that is asked with one of its params.
pub(super) struct Asking<'a> {
    policy: &'a Policy,
    binding: &'a Binding,
    subject: &'a Subject<'a>,
    context: Context<'a>,
    /// The variables that have no value, by their place.
    failures: Vec<(usize, Failure)>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        policy: &'a Policy,
        binding: &'a Binding,
        subject: &'a Subject<'a>,
        context: Context<'a>,
    ) -> Self {
        Self {
            policy,
            binding,
            subject,
            context,
            failures: Vec::new(),
        }
    }

    pub(super) fn ask(&mut self, said: &mut Said) {
        // Conditions are not told about the namespace, and come before all variables.
        self.context
            .add_variable_from_value("namespaceObject", Cel::Null);
        match self.meets_conditions() {
            Ok(true) => {}
            Ok(false) => return,
            Err(Failure::Unsure(unsure)) => return said.unsure.push(unsure),
            Err(Failure::Error(message)) => {
                said.broken.extend(self.failed(message));
                return;
            }
        }
        if let Some(namespace) = self.subject.namespace_value() {
            self.context
                .add_variable_from_value("namespaceObject", namespace);
        }
        self.compute_variables();
        for validation in &self.policy.validations {
            match self.result(&validation.expression) {
                Ok(Cel::Bool(true)) => {}
                Ok(_) => said.broken.push(Broken {
                    mode: self.binding.mode,
                    pointer: pointer(validation),
                    message: self.message(validation),
                    binding: self.binding.name.clone(),
                    missing: false,
                }),
                Err(Failure::Error(message)) => said.broken.extend(self.failed(message)),
                Err(Failure::Unsure(unsure)) => said.unsure.push(unsure),
            }
        }
        for annotation in &self.policy.annotations {
            match self.result(annotation) {
                Err(Failure::Error(message)) => {
                    said.broken.extend(self.failed(message).map(|it| Broken {
                        mode: Mode::Deny,
                        ..it
                    }));
                }
                Err(Failure::Unsure(unsure)) => said.unsure.push(unsure),
                Ok(_) => {}
            }
        }
    }

    /// What becomes of an error.
    fn failed(&self, message: String) -> Option<Broken> {
        self.policy.fails.then(|| Broken {
            mode: self.binding.mode,
            pointer: PointerBuf::default(),
            message,
            binding: self.binding.name.clone(),
            missing: false,
        })
    }

    fn meets_conditions(&self) -> Result<bool, Failure> {
        let (mut errors, mut unsure) = (Vec::new(), None);
        for condition in &self.policy.conditions {
            match self.result(condition) {
                Ok(Cel::Bool(false)) => return Ok(false),
                Ok(_) => {}
                Err(Failure::Error(error)) => errors.push(error),
                Err(Failure::Unsure(why)) => unsure = Some(why),
            }
        }
        match (unsure, errors.len()) {
            (Some(why), _) => Err(Failure::Unsure(why)),
            (None, 0) => Ok(true),
            (None, _) if !self.policy.fails => Ok(false),
            (None, 1) => Err(Failure::Error(errors.swap_remove(0))),
            (None, _) => {
                errors.dedup();
                Err(Failure::Error(format!("[{}]", errors.join(", "))))
            }
        }
    }

    /// Gives the variables their values. One that has none is an error where it is named, and only there.
    fn compute_variables(&mut self) {
        for (at, variable) in self.policy.variables.iter().enumerate() {
            match self.evaluate(&variable.expression) {
                // The next one may hold it twice.
                Ok(value) if is_too_large(&value) => {
                    self.failures.push((at, Failure::Unsure(Unsure::Cost)));
                }
                Ok(value) => {
                    let name = expression::variable(&variable.name);
                    self.context.add_variable_from_value(name, value);
                }
                Err(failure) => self.failures.push((at, failure)),
            }
        }
    }

    fn evaluate(&self, expression: &Expression) -> Result<Cel, Failure> {
        if Budget::is_spent() {
            return Err(Failure::Unsure(Unsure::Cost));
        }
        let result = expression.evaluate(&self.context);
        if Budget::take_spent() {
            return Err(Failure::Unsure(Unsure::Cost));
        }
        result.map_err(|error| self.failure(expression, &error))
    }

    /// What is not known is taken for a reason that there is no result wherever it is asked for.
    fn failure(&self, expression: &Expression, error: &ExecutionError) -> Failure {
        let asks = expression.asks;
        let unsure = match () {
            () if asks.unkept => Some(Unsure::Unkept),
            () if asks.user && !self.subject.knows_user() => Some(Unsure::User),
            () if asks.namespace && self.subject.namespace_value().is_none() => {
                Some(Unsure::NamespaceObject)
            }
            () => None,
        };
        if let Some(unsure) = unsure {
            return Failure::Unsure(unsure);
        }
        let named = |at: &usize| self.failures.iter().find(|(failed, _)| failed == at);
        let mut failed = expression.variables.iter().filter_map(named);
        if let Some((_, Failure::Unsure(unsure))) = failed
            .clone()
            .find(|(_, it)| matches!(it, Failure::Unsure(_)))
        {
            return Failure::Unsure(*unsure);
        }
        let of_variable = matches!(error, ExecutionError::UndeclaredReference(_));
        Failure::Error(match failed.next() {
            Some((at, Failure::Error(error))) if of_variable => {
                let name = &self.policy.variables[*at].name;
                format!("composited variable {name:?} fails to evaluate: {error}")
            }
            _ => expression::said(error),
        })
    }

    /// As [`Asking::evaluate`], with what kube-apiserver says of an error.
    fn result(&self, expression: &Expression) -> Result<Cel, Failure> {
        self.evaluate(expression).map_err(|failure| match failure {
            Failure::Error(error) => Failure::Error(format!(
                "expression '{}' resulted in error: {error}",
                expression.source()
            )),
            unsure @ Failure::Unsure(_) => unsure,
        })
    }

    /// What is wrong, as kube-apiserver says it.
    fn message(&self, validation: &Validation) -> String {
        let computed = validation.message_expression.as_ref();
        let computed = computed.and_then(|expression| match self.evaluate(expression) {
            Ok(Cel::String(text)) => Some(text.trim().to_owned()),
            _ => None,
        });
        let fits =
            |text: &String| !text.is_empty() && text.len() <= MESSAGE && !text.contains('\n');
        let fixed = validation.message.trim();
        match computed.filter(fits) {
            Some(text) => text,
            None if !fixed.is_empty() => fixed.to_owned(),
            None => format!(
                "failed expression: {}",
                validation.expression.source().trim()
            ),
        }
    }
}

/// The field to blame: of a policy that says nothing more, the one that it looks at.
fn pointer(validation: &Validation) -> PointerBuf {
    let silent = validation.message.trim().is_empty() && validation.message_expression.is_none();
    let field = validation.expression.field.as_ref().filter(|_| silent);
    field.map_or_else(PointerBuf::default, PointerBuf::from_tokens)
}
