//! Which requests a policy, or its binding, is about.
//!
//! Source: k8s.io/apiserver `pkg/admission/plugin/policy/matching`, `plugin/webhook/predicates`.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::admissionregistration::v1::{MatchResources, NamedRuleWithOperations},
    apimachinery::pkg::apis::meta::v1::LabelSelector,
};
use kube::core::{Selector, SelectorExt};
use serde_json::Value;

use super::{Unsure, request::Subject};
use crate::world::KeptKind;

/// The label that every namespace has, with its name.
pub(super) const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Which requests.
#[derive(Debug, Default)]
pub(super) struct Matching {
    rules: Vec<NamedRuleWithOperations>,
    excluded: Vec<NamedRuleWithOperations>,
    namespaces: Option<Selector>,
    /// Whether only the namespace's name is asked for.
    by_name: bool,
    objects: Option<Selector>,
}

impl Matching {
    /// # Errors
    /// A selector that can't be used: which, and why.
    pub(super) fn new(resources: MatchResources) -> Result<Self, (&'static str, String)> {
        let selector = |selector: Option<LabelSelector>, place: &'static str| {
            let selector = selector.map(Selector::try_from).transpose();
            let selector = selector.map_err(|error| (place, error.to_string()))?;
            Ok::<_, (&'static str, String)>(selector.filter(|selector| !selector.selects_all()))
        };
        let by_name = resources
            .namespace_selector
            .as_ref()
            .is_some_and(asks_only_for_names);
        Ok(Self {
            rules: resources.resource_rules.unwrap_or_default(),
            excluded: resources.exclude_resource_rules.unwrap_or_default(),
            namespaces: selector(resources.namespace_selector, "namespaceSelector")?,
            by_name,
            objects: selector(resources.object_selector, "objectSelector")?,
        })
    }

    /// Whether some request about the kind can match.
    pub(super) fn may_be_about(&self, kind: &KeptKind) -> bool {
        self.rules.is_empty()
            || self.rules.iter().any(|rule| {
                is_in(rule.api_groups.as_deref(), kind.group)
                    && names_resource(rule, kind.plural)
                    && is_of_scope(rule, kind.namespaced)
            })
    }

    /// Whether a request matches. As far as only its kind decides, what is not known of it does not matter.
    pub(super) fn matches(&self, subject: &Subject<'_>) -> Result<bool, Unsure> {
        let one = |rules: &[NamedRuleWithOperations]| rules.iter().any(|rule| takes(rule, subject));
        if one(&self.excluded) || !(self.rules.is_empty() || one(&self.rules)) {
            return Ok(false);
        }
        if let Some(selector) = &self.objects {
            let selected = |object: Option<&Value>| {
                object.is_some_and(|object| selector.matches(&labels(object)))
            };
            if !selected(subject.written()) && !selected(subject.stored()) {
                return Ok(false);
            }
        }
        let Some(selector) = self.namespaces.as_ref().filter(|_| subject.kind.namespaced) else {
            return Ok(true);
        };
        if subject.namespace.is_empty() {
            return Err(Unsure::Namespace);
        }
        let labels = match subject.namespace_object {
            Some(namespace) => labels(namespace),
            None if self.by_name => BTreeMap::new(),
            None => return Err(Unsure::NamespaceObject),
        };
        let name = (NAME_LABEL.to_owned(), subject.namespace.to_owned());
        Ok(selector.matches(&labels.into_iter().chain([name]).collect()))
    }
}

/// Whether a selector goes by the names of namespaces only.
fn asks_only_for_names(selector: &LabelSelector) -> bool {
    let labels = selector.match_labels.iter().flatten();
    let expressions = selector.match_expressions.iter().flatten();
    labels
        .map(|(key, _)| key)
        .chain(expressions.map(|expression| &expression.key))
        .all(|key| key == NAME_LABEL)
}

pub(super) fn labels(object: &Value) -> BTreeMap<String, String> {
    let labels = object.get("metadata").and_then(|it| it.get("labels"));
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    labels
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn takes(rule: &NamedRuleWithOperations, subject: &Subject<'_>) -> bool {
    is_in(rule.api_groups.as_deref(), subject.kind.group)
        && is_in(rule.api_versions.as_deref(), subject.version)
        && is_in(rule.operations.as_deref(), subject.request.operation.name())
        && names_resource(rule, subject.kind.plural)
        && is_of_scope(rule, subject.kind.namespaced)
        && rule
            .resource_names
            .as_ref()
            .is_none_or(|names| names.is_empty() || names.contains(&subject.request.name))
}

fn is_in(list: Option<&[String]>, name: &str) -> bool {
    list.is_some_and(|list| list.iter().any(|known| known == "*" || known == name))
}

/// Whether a rule is about a resource, and not only about what is below it.
fn names_resource(rule: &NamedRuleWithOperations, plural: &str) -> bool {
    let named = |name: &String| {
        let (resource, below) = name.split_once('/').unwrap_or((name, ""));
        (resource == "*" || resource == plural) && (below.is_empty() || below == "*")
    };
    rule.resources.iter().flatten().any(named)
}

fn is_of_scope(rule: &NamedRuleWithOperations, namespaced: bool) -> bool {
    match rule.scope.as_deref() {
        Some("Namespaced") => namespaced,
        Some("Cluster") => !namespaced,
        _ => true,
    }
}
