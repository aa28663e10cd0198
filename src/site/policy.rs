//! One policy, and what it says of a request.
//!
//! Source: k8s.io/apiserver `pkg/admission/plugin/policy/validating` (`validator.go`, `dispatcher.go`),
//! `plugin/webhook/matchconditions`, `plugin/policy/generic/policy_dispatcher.go`.

use std::sync::Arc;

use jsonptr::PointerBuf;
use kube::core::{Selector, SelectorExt};
use kube_cel::cel::{Context, ExecutionError, Value as Cel};
use serde_json::Value;

use super::{
    Unsure,
    budget::{Budget, is_too_large},
    expression::{self, Expression},
    matching::{Matching, labels},
    request::Subject,
};
use crate::{
    cel,
    policy::{Contract, Mode},
};

/// The most bytes of a message that an expression makes.
const MESSAGE: usize = 5 * 1024;

/// A policy that can be asked.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) name: String,
    pub(super) contract: Arc<Contract>,
    /// Whether a request is refused where the policy fails.
    pub(super) fails: bool,
    pub(super) matching: Matching,
    pub(super) conditions: Vec<Expression>,
    pub(super) variables: Vec<Variable>,
    pub(super) validations: Vec<Validation>,
    pub(super) annotations: Vec<Expression>,
    pub(super) param_kind: Option<ParamKind>,
    pub(super) bindings: Vec<Binding>,
    /// What it mentions, in whatever way.
    pub(super) mentions: Mentions,
}

/// What the texts of a policy mention.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mentions {
    pub(super) metadata: bool,
    pub(super) namespace: bool,
    pub(super) status: bool,
}

#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) expression: Expression,
}

#[derive(Debug)]
pub(super) struct Validation {
    pub(super) expression: Expression,
    pub(super) message: String,
    pub(super) message_expression: Option<Expression>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParamKind {
    pub(super) api_version: String,
    pub(super) kind: String,
}

#[derive(Debug)]
pub(super) struct Binding {
    pub(super) name: String,
    pub(super) mode: Mode,
    pub(super) matching: Matching,
    pub(super) param: Option<ParamRef>,
}

#[derive(Debug)]
pub(super) struct ParamRef {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) selector: Option<Selector>,
    /// Whether it is an error if there are none.
    pub(super) must: bool,
}

/// What a policy says against a request.
pub(super) struct Broken {
    pub(super) mode: Mode,
    pub(super) pointer: PointerBuf,
    pub(super) message: String,
    pub(super) binding: String,
    /// Whether it would not be said if another object came.
    pub(super) missing: bool,
}

/// Why an expression has no result.
enum Failure {
    Error(String),
    Unsure(Unsure),
}

/// What was said about a request.
#[derive(Default)]
pub(super) struct Said {
    pub(super) broken: Vec<Broken>,
    pub(super) unsure: Vec<Unsure>,
}

impl Policy {
    /// Asks about a request, with `params` among these objects.
    pub(super) fn ask(
        &self,
        subject: &Subject<'_>,
        context: &Context<'_>,
        params: &[Value],
    ) -> Said {
        let mut said = Said::default();
        match self.matching.matches(subject) {
            Ok(true) => {}
            Ok(false) => return said,
            Err(unsure) => {
                said.unsure.push(unsure);
                return said;
            }
        }
        for binding in &self.bindings {
            match binding.matching.matches(subject) {
                Ok(true) => self.ask_bound(binding, subject, context, params, &mut said),
                Ok(false) => {}
                Err(unsure) => said.unsure.push(unsure),
            }
        }
        said
    }

    fn ask_bound(
        &self,
        binding: &Binding,
        subject: &Subject<'_>,
        context: &Context<'_>,
        params: &[Value],
        said: &mut Said,
    ) {
        if self.mentions.namespace && subject.kind.namespaced && subject.namespace.is_empty() {
            said.unsure.push(Unsure::Namespace);
            return;
        }
        let configured = |message: &str, missing| Broken {
            mode: Mode::Deny,
            pointer: PointerBuf::default(),
            message: format!("failed to configure binding: {message}"),
            binding: binding.name.clone(),
            missing,
        };
        let given = match self.params(binding, subject, params) {
            Ok(given) => given,
            Err(message) => {
                said.broken
                    .extend(self.fails.then(|| configured(message, false)));
                return;
            }
        };
        if given.is_empty() {
            const NONE: &str =
                "no params found for policy binding with `Deny` parameterNotFoundAction";
            let must = binding.param.as_ref().is_some_and(|param| param.must);
            if must && self.fails {
                said.broken.push(configured(NONE, true));
            } else {
                said.unsure.push(Unsure::Params);
            }
        }
        for param in given {
            let mut asking = Asking {
                policy: self,
                binding,
                subject,
                context: context.new_inner_scope(),
                failures: Vec::new(),
            };
            if self.param_kind.is_some() {
                let param = param.map_or(Cel::Null, cel::value);
                asking.context.add_variable_from_value("params", param);
            }
            asking.ask(said);
        }
    }

    /// The params of a binding: none found, one that is nothing, or some.
    fn params<'p>(
        &self,
        binding: &Binding,
        subject: &Subject<'_>,
        params: &'p [Value],
    ) -> Result<Vec<Option<&'p Value>>, &'static str> {
        let (Some(kind), Some(wanted)) = (&self.param_kind, &binding.param) else {
            return Ok(vec![None]);
        };
        let text = |object: &'p Value, pointer: &str| {
            let text = object.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_default()
        };
        let namespace = match &*wanted.namespace {
            "" => subject.namespace,
            given => given,
        };
        let of_kind = |object: &&'p Value| {
            text(object, "/apiVersion") == kind.api_version && text(object, "/kind") == kind.kind
        };
        let is_config_map = kind.api_version == "v1" && kind.kind == "ConfigMap";
        if is_config_map && namespace.is_empty() {
            return Err(
                "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
            );
        }
        let wanted = |object: &&'p Value| {
            let own = text(object, "/metadata/namespace");
            let here = own == namespace || own.is_empty() && !is_config_map;
            here && match &wanted.selector {
                Some(selector) => selector.matches(&labels(object)),
                None => text(object, "/metadata/name") == wanted.name,
            }
        };
        let found = params.iter().filter(of_kind).filter(wanted);
        Ok(found.map(Some).collect())
    }
}

/// A policy that is asked with one of its params.
struct Asking<'a> {
    policy: &'a Policy,
    binding: &'a Binding,
    subject: &'a Subject<'a>,
    context: Context<'a>,
    /// The variables that have no value, by their place.
    failures: Vec<(usize, Failure)>,
}

impl Asking<'_> {
    fn ask(&mut self, said: &mut Said) {
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
