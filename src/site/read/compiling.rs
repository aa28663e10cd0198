//! The expressions of a policy.

use std::sync::Arc;

use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicySpec;
use serde_json::Value;

use super::policies::contract;
use crate::{
    manifest::load::Manifest,
    site::{
        expression::{Expression, Names, Problem, Type},
        matching::Matching,
        policy::{Mentions, ParamKind, Policy, Validation, Variable},
    },
};

/// A policy's expressions, while they are compiled.
pub(super) struct Compiling {
    pub(super) params: bool,
    pub(super) variables: Vec<Variable>,
    pub(super) wrong: Vec<(String, String)>,
    /// The first thing that can't be had here.
    pub(super) missing: Option<(String, String)>,
}

impl Compiling {
    pub(super) fn read(
        &mut self,
        name: String,
        manifest: &Manifest,
        matching: Matching,
        spec: ValidatingAdmissionPolicySpec,
    ) -> Policy {
        let conditions = spec.match_conditions.into_iter().flatten().enumerate();
        let conditions = conditions.filter_map(|(at, condition)| {
            let at = format!("/spec/matchConditions/{at}/expression");
            self.compile(&at, &condition.expression, Type::Bool, false)
        });
        let conditions = conditions.collect();
        for (at, variable) in spec.variables.into_iter().flatten().enumerate() {
            self.variable(
                &format!("/spec/variables/{at}"),
                variable.name,
                &variable.expression,
            );
        }
        let mut validations = Vec::new();
        for (at, validation) in spec.validations.into_iter().flatten().enumerate() {
            let at = format!("/spec/validations/{at}");
            let expression = self.compile(
                &format!("{at}/expression"),
                &validation.expression,
                Type::Bool,
                true,
            );
            let message_expression = validation
                .message_expression
                .filter(|it| !it.trim().is_empty());
            let message_expression = message_expression.and_then(|source| {
                self.compile(
                    &format!("{at}/messageExpression"),
                    &source,
                    Type::Text,
                    true,
                )
            });
            validations.extend(expression.map(|expression| Validation {
                expression,
                message: validation.message.unwrap_or_default(),
                message_expression,
            }));
        }
        let annotations = spec.audit_annotations.into_iter().flatten().enumerate();
        let annotations = annotations.filter_map(|(at, annotation)| {
            let at = format!("/spec/auditAnnotations/{at}/valueExpression");
            self.compile(&at, &annotation.value_expression, Type::Text, true)
        });
        let annotations = annotations.collect();
        let text = manifest
            .doc
            .value
            .get("spec")
            .map(ToString::to_string)
            .unwrap_or_default();
        let expressions = text.as_str();
        Policy {
            contract: Arc::new(contract(&name, manifest)),
            name,
            fails: spec.failure_policy.as_deref() != Some("Ignore"),
            matching,
            conditions,
            variables: std::mem::take(&mut self.variables),
            validations,
            annotations,
            param_kind: spec.param_kind.map(|kind| ParamKind {
                api_version: kind.api_version.unwrap_or_default(),
                kind: kind.kind.unwrap_or_default(),
            }),
            bindings: Vec::new(),
            mentions: Mentions {
                metadata: expressions.contains("metadata"),
                namespace: mentions_namespace(manifest),
                status: expressions.contains("status"),
            },
        }
    }

    fn variable(&mut self, at: &str, name: String, source: &str) {
        let mut chars = name.chars();
        let is_name = chars
            .next()
            .is_some_and(|c| c == '_' || c.is_ascii_alphabetic())
            && chars.all(|c| c == '_' || c.is_ascii_alphanumeric());
        if !is_name {
            let message = format!("\"{name}\" is not a name that an expression can have");
            return self.wrong.push((format!("{at}/name"), message));
        }
        if self.variables.iter().any(|known| known.name == name) {
            let message = format!("there is a variable \"{name}\" already");
            return self.wrong.push((format!("{at}/name"), message));
        }
        let compiled = self.compile(&format!("{at}/expression"), source, Type::Any, true);
        // What is wrong with a variable is not said again of everything that names it.
        let stand_in = || {
            let names = Names {
                params: false,
                variables: None,
            };
            Expression::compile("null", Type::Any, names).ok()
        };
        let expression = compiled.or_else(stand_in);
        self.variables
            .extend(expression.map(|expression| Variable { name, expression }));
    }

    fn compile(
        &mut self,
        at: &str,
        source: &str,
        wanted: Type,
        variables: bool,
    ) -> Option<Expression> {
        let names = Names {
            params: self.params,
            variables: variables.then_some(&self.variables[..]),
        };
        match Expression::compile(source, wanted, names) {
            Ok(expression) => Some(expression),
            Err(Problem::Wrong(message)) => {
                self.wrong.push((at.to_owned(), message));
                None
            }
            Err(Problem::Missing(what)) => {
                self.missing.get_or_insert((at.to_owned(), what));
                None
            }
        }
    }
}

/// Whether an expression mentions a namespace, of whatever.
fn mentions_namespace(manifest: &Manifest) -> bool {
    fn any(value: &Value, in_expression: bool) -> bool {
        match value {
            Value::String(text) => in_expression && text.contains("namespace"),
            Value::Array(items) => items.iter().any(|item| any(item, in_expression)),
            Value::Object(fields) => fields.iter().any(|(name, value)| {
                let is_expression = matches!(&**name, "expression" | "valueExpression");
                any(value, in_expression || is_expression)
            }),
            _ => false,
        }
    }
    any(&manifest.doc.value, false)
}
