//! Policies and bindings out of manifests, with the place of everything that is wrong.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use jsonptr::PointerBuf;
use k8s_openapi::api::admissionregistration::v1::{
    MatchResources, ValidatingAdmissionPolicyBindingSpec, ValidatingAdmissionPolicySpec,
};
use kube::core::Selector;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Note, PREFIX,
    expression::{Expression, Names, Problem, Type},
    is_policy,
    matching::Matching,
    policy::{Binding, Mentions, ParamKind, ParamRef, Policy, Validation, Variable},
    shape,
};
use crate::{
    manifest::{
        crds::version_of,
        load::{LoadError, Loaded, Manifest},
        schema::{SchemaError, SchemaErrorKind},
    },
    policy::{Check, Code, Contract, Gate, Mode, Operation, Scope},
    report::{field, nearest},
    world::KeptKind,
};

/// Manifests, while they are read.
pub(super) struct Reading {
    kinds: Vec<KeptKind>,
    /// Every object that was read.
    pub(super) documents: Vec<Value>,
    policies: Vec<(Policy, Manifest)>,
    bindings: Vec<(ValidatingAdmissionPolicyBindingSpec, Manifest)>,
    /// The policies that are not asked: those about other kinds, and those that can't be.
    others: BTreeMap<String, bool>,
    notes: Vec<Note>,
    errors: Vec<LoadError>,
}

impl Reading {
    pub(super) fn new(kinds: Vec<KeptKind>) -> Self {
        Self {
            kinds,
            documents: Vec::new(),
            policies: Vec::new(),
            bindings: Vec::new(),
            others: BTreeMap::new(),
            notes: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Takes in what was found at a path.
    pub(super) fn add(&mut self, path: &Path, loaded: Loaded) {
        let mut found = !loaded.errors.is_empty();
        self.errors.extend(loaded.errors);
        for manifest in loaded.manifests {
            self.documents.push(manifest.doc.value.clone());
            let doc = &manifest.doc;
            if !is_policy(doc) {
                continue;
            }
            found = true;
            if !shape::VERSIONS.contains(&version_of(doc)) {
                let version = version_of(doc);
                let message = format!(
                    "{}/{version} is not read, only v1 and v1beta1",
                    shape::GROUP
                );
                self.error(&manifest, "/apiVersion", message);
            } else if doc.text("kind") == shape::POLICY {
                self.policy(manifest);
            } else {
                self.binding(manifest);
            }
        }
        if !found {
            self.errors.push(LoadError {
                name: path.display().to_string(),
                file: None,
                position: None,
                message: "there is no ValidatingAdmissionPolicy".to_owned(),
                help: None,
                related: None,
            });
        }
    }

    fn error(&mut self, manifest: &Manifest, pointer: &str, message: impl Into<String>) {
        let pointer = PointerBuf::parse(pointer).unwrap_or_default();
        let place = match field(&pointer) {
            place if place.is_empty() => String::new(),
            place => format!("{place}: "),
        };
        let message: String = message.into();
        self.errors.push(LoadError {
            name: manifest.source.name.clone(),
            file: Some(Arc::clone(&manifest.source)),
            position: Some(manifest.position(&pointer)),
            message: format!(
                "{} \"{}\": {place}{message}",
                manifest.doc.text("kind"),
                name_of(manifest)
            ),
            help: None,
            related: None,
        });
    }

    fn note(&mut self, manifest: &Manifest, pointer: &str, message: String) {
        let pointer = PointerBuf::parse(pointer).unwrap_or_default();
        self.notes.push(Note {
            source: Arc::clone(&manifest.source),
            position: manifest.position(&pointer),
            message,
        });
    }

    /// The specification of a policy or a binding, if it fits.
    fn spec<S: DeserializeOwned>(
        &mut self,
        manifest: &Manifest,
        errors: Vec<SchemaError>,
    ) -> Option<S> {
        let fits = errors.is_empty();
        for error in errors {
            let message = match &error.kind {
                SchemaErrorKind::UnknownField {
                    nearest: Some(near),
                } => {
                    format!("there is no such field; did you mean \"{near}\"?")
                }
                SchemaErrorKind::UnknownField { nearest: None } => {
                    "there is no such field".to_owned()
                }
                _ => error.message,
            };
            self.error(manifest, error.pointer.as_str(), message);
        }
        let spec = manifest.doc.value.get("spec").filter(|_| fits)?;
        match S::deserialize(spec) {
            Ok(spec) => Some(spec),
            Err(error) => {
                self.error(manifest, "/spec", error.to_string());
                None
            }
        }
    }

    fn binding(&mut self, manifest: Manifest) {
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

    fn policy(&mut self, manifest: Manifest) {
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

    fn matching(
        &mut self,
        manifest: &Manifest,
        at: &str,
        resources: MatchResources,
    ) -> Option<Matching> {
        match Matching::new(resources) {
            Ok(matching) => Some(matching),
            Err((place, message)) => {
                self.error(manifest, &format!("{at}/{place}"), message);
                None
            }
        }
    }

    /// Brings policies and bindings together.
    pub(super) fn done(&mut self) -> (Vec<Policy>, Vec<Note>, Vec<LoadError>) {
        for (spec, manifest) in std::mem::take(&mut self.bindings) {
            self.bind(spec, &manifest);
        }
        let mut policies = Vec::new();
        for (policy, manifest) in std::mem::take(&mut self.policies) {
            if policy.bindings.is_empty() {
                let message = format!(
                    "ValidatingAdmissionPolicy \"{}\" has no effect: no ValidatingAdmissionPolicyBinding names it",
                    policy.name
                );
                self.note(&manifest, "", message);
                self.others.insert(policy.name, false);
            } else {
                policies.push(policy);
            }
        }
        policies.sort_by(|a, b| a.name.cmp(&b.name));
        (
            policies,
            std::mem::take(&mut self.notes),
            std::mem::take(&mut self.errors),
        )
    }

    /// The names of the policies that are not asked, once all is read.
    pub(super) fn unasked(&self) -> impl Iterator<Item = String> + '_ {
        self.others.keys().cloned()
    }

    fn bind(&mut self, spec: ValidatingAdmissionPolicyBindingSpec, manifest: &Manifest) {
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

fn name_of(manifest: &Manifest) -> String {
    let name = manifest.doc.value.pointer("/metadata/name");
    name.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A policy's expressions, while they are compiled.
struct Compiling {
    params: bool,
    variables: Vec<Variable>,
    wrong: Vec<(String, String)>,
    /// The first thing that can't be had here.
    missing: Option<(String, String)>,
}

impl Compiling {
    fn read(
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

/// A site's policy as a rule.
fn contract(name: &str, manifest: &Manifest) -> Contract {
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
