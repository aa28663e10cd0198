//! One policy, and which of its bindings and params a request is judged with.
//!
//! Source: k8s.io/apiserver `pkg/admission/plugin/policy/validating` (`dispatcher.go`),
//! `plugin/policy/generic/policy_dispatcher.go`.

use std::sync::Arc;

use jsonptr::PointerBuf;
use kube::core::{Selector, SelectorExt};
use kube_cel::cel::{Context, Value as Cel};
use serde_json::Value;

use super::{
    Unsure,
    asking::Asking,
    expression::Expression,
    matching::{Matching, labels},
    request::Subject,
};
use crate::{
    cel,
    policy::{Contract, Mode},
};

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
            let mut context = context.new_inner_scope();
            if self.param_kind.is_some() {
                let param = param.map_or(Cel::Null, cel::value);
                context.add_variable_from_value("params", param);
            }
            Asking::new(self, binding, subject, context).ask(said);
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
