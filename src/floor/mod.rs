//! The floor: what holds when nothing of ours runs, as ValidatingAdmissionPolicies.
//!
//! A rule that looks at one object only, and whose check can be said in CEL, is asked by kube-apiserver
//! itself, with the gates that CEL can say too: what is stored already, what nobody changed, who is trusted,
//! what a backup brings back. A policy has the rules of one kind that end alike, because it is the binding
//! that says whether a request is refused. A refusal is 403, as the webhook's is; a policy that fails lets
//! the request pass.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `field` | a field of an object, as CEL asks for it |
//! | `rule` | from a contract to expressions |

mod field;
mod rule;

use std::collections::HashSet;

use jsonptr::Pointer;
use serde::Serialize;
use serde_saphyr::LitString;

use crate::{
    api,
    engine::{EXEMPT, RESTORE_LABELS, Settings},
    policy::{self, Mode, Operation, Scope},
    rules::judged_kinds,
};

pub use rule::is_in;

/// A `ValidatingAdmissionPolicy` and its binding.
#[derive(Debug)]
pub struct Policy {
    /// The kind that it is about.
    pub kind: &'static str,
    /// What becomes of a request that breaks it.
    pub mode: Mode,
    /// The rules that it asks.
    pub rules: Vec<&'static str>,
    asked: Resource<PolicySpec>,
    binding: Resource<BindingSpec>,
}

impl Policy {
    /// The name of the policy, and of its binding.
    pub fn name(&self) -> &str {
        &self.asked.metadata.name
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource<S> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: S,
}

#[derive(Clone, Debug, Serialize)]
struct Metadata {
    name: String,
    labels: Labels,
}

#[derive(Clone, Debug, Serialize)]
struct Labels {
    #[serde(rename = "app.kubernetes.io/name")]
    name: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicySpec {
    failure_policy: &'static str,
    match_constraints: Constraints,
    match_conditions: [Named; 1],
    variables: Vec<Named>,
    validations: Vec<Validation>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Constraints {
    match_policy: &'static str,
    resource_rules: [ResourceRule; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceRule {
    api_groups: [&'static str; 1],
    api_versions: [&'static str; 1],
    operations: Vec<&'static str>,
    resources: [&'static str; 1],
    scope: &'static str,
}

/// An expression with a name: a condition, or a variable.
#[derive(Clone, Debug, Serialize)]
struct Named {
    name: String,
    expression: LitString,
}

impl Named {
    fn new(name: &str, expression: String) -> Self {
        Self {
            name: name.to_owned(),
            expression: LitString(expression),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Validation {
    expression: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_expression: Option<LitString>,
    reason: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BindingSpec {
    policy_name: String,
    validation_actions: [&'static str; 1],
}

/// How kube-apiserver knows a kind.
#[derive(Clone, Copy)]
struct Known {
    kind: &'static str,
    group: &'static str,
    version: &'static str,
    plural: &'static str,
}

/// Ramen's kinds, in the order of the rules.
fn kinds() -> Vec<Known> {
    fn known<K: api::Kind>() -> Known {
        Known {
            kind: K::KIND,
            group: K::GROUP,
            version: K::VERSION,
            plural: K::PLURAL,
        }
    }
    macro_rules! all {
        ($($kind:ty),*) => { vec![$(known::<$kind>()),*] };
    }
    let mut kinds: Vec<Known> = judged_kinds!(all!);
    kinds.retain(|kind| kind.group == api::GROUP);
    kinds
}

/// The policies for these settings: a kind's refusals, then its warnings, then what is only noted down.
pub fn policies(settings: &Settings) -> Vec<Policy> {
    let mut policies = Vec::new();
    for kind in kinds() {
        for mode in [Mode::Deny, Mode::Warn, Mode::Audit] {
            policies.extend(policy(kind, mode, settings));
        }
    }
    policies
}

/// What the floor asks for a rule: the field that is blamed, and what holds of it, in CEL.
pub fn checks(contract: &'static policy::Contract, settings: &Settings) -> Vec<(String, String)> {
    let asked = rule::asked(contract, settings).into_iter();
    asked.map(|asked| asked.check()).collect()
}

/// The policies as a stream of YAML documents for `kubectl apply -f -`.
pub fn manifests(policies: &[Policy]) -> String {
    // Texts, and lists of them: this always serialises.
    let yaml = |policy: &Policy| {
        let documents = [
            serde_saphyr::to_string(&policy.asked).unwrap_or_default(),
            serde_saphyr::to_string(&policy.binding).unwrap_or_default(),
        ];
        documents
            .map(|document| format!("---\n{document}"))
            .concat()
    };
    policies.iter().map(yaml).collect()
}

fn policy(kind: Known, mode: Mode, settings: &Settings) -> Option<Policy> {
    let mut asked = Vec::new();
    for contract in policy::contracts_of(kind.kind).filter(|contract| is_in(contract)) {
        debug_assert_eq!(contract.scope, Scope::Object, "{}", contract.id);
        let ends = rule::asked(contract, settings).into_iter();
        asked.extend(ends.filter(|asked| asked.ends_in(mode)));
    }
    if asked.is_empty() {
        return None;
    }
    let mut rules: Vec<&'static str> = asked.iter().map(|asked| &*asked.contract.id).collect();
    rules.dedup();
    let operations = [Operation::Create, Operation::Update].into_iter();
    let operations = operations
        .filter(|operation| asked.iter().any(|it| it.contract.on.contains(operation)))
        .map(Operation::name);
    let variables = variables(&asked, settings);
    let name = format!("ramen-guard-{}-{}", kind.plural, mode.name());
    let metadata = Metadata {
        name: name.clone(),
        labels: Labels {
            name: "ramen-guard",
        },
    };
    Some(Policy {
        kind: kind.kind,
        mode,
        rules,
        asked: Resource {
            api_version: "admissionregistration.k8s.io/v1",
            kind: "ValidatingAdmissionPolicy",
            metadata: metadata.clone(),
            spec: PolicySpec {
                failure_policy: "Ignore",
                match_constraints: Constraints {
                    match_policy: "Equivalent",
                    resource_rules: [ResourceRule {
                        api_groups: [kind.group],
                        api_versions: [kind.version],
                        operations: operations.collect(),
                        resources: [kind.plural],
                        scope: "*",
                    }],
                },
                match_conditions: [condition(&asked)],
                validations: asked.iter().map(|it| it.validation(mode)).collect(),
                variables,
            },
        },
        binding: Resource {
            api_version: "admissionregistration.k8s.io/v1",
            kind: "ValidatingAdmissionPolicyBinding",
            metadata,
            spec: BindingSpec {
                policy_name: name,
                validation_actions: [match mode {
                    Mode::Deny => "Deny",
                    Mode::Warn => "Warn",
                    Mode::Audit | Mode::Off => "Audit",
                }],
            },
        },
    })
}

/// An update of an object that is being deleted is nobody's business while its spec stays.
fn condition(asked: &[rule::Asked]) -> Named {
    let spec = field::changed(Pointer::from_static("/spec"));
    let is_spec = |pointer: &&Pointer| {
        pointer
            .first()
            .is_some_and(|token| token.decoded() == "spec")
    };
    let mut fields = asked.iter().flat_map(rule::Asked::fields);
    if fields.all(|pointer| is_spec(&pointer)) {
        return Named::new(
            "spec-written",
            format!("request.operation != 'UPDATE' ||\n{spec}"),
        );
    }
    let stays = "!has(object.metadata.deletionTimestamp)";
    Named::new(
        "not-going-anyway",
        format!("request.operation != 'UPDATE' || {stays} ||\n{spec}"),
    )
}

/// What is asked, and before that what several rules ask.
fn variables(asked: &[rule::Asked], settings: &Settings) -> Vec<Named> {
    let rules: Vec<Named> = asked.iter().map(rule::Asked::variable).collect();
    let mut fields: Vec<&Pointer> = Vec::new();
    for field in asked.iter().flat_map(rule::Asked::fields) {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    let changed = fields.into_iter().map(|field| {
        let changed = indented(&field::changed(field));
        Named::new(
            &field::changed_name(field),
            format!("request.operation == 'UPDATE' && (\n{changed}\n)"),
        )
    });
    let mut variables = common(settings);
    variables.extend(changed);
    let used = |variable: &Named| {
        let name = format!("variables.{}", variable.name);
        let whole = |text: &str| {
            let mut places = text.match_indices(&name);
            places.any(|(at, _)| {
                !text[at + name.len()..]
                    .starts_with(|c: char| c == '_' || c.is_ascii_alphanumeric())
            })
        };
        rules.iter().any(|rule| whole(&rule.expression.0))
    };
    variables.retain(used);
    variables.extend(rules);
    variables
}

/// What the gates ask.
fn common(settings: &Settings) -> Vec<Named> {
    let listed = |names: &HashSet<String>| {
        let mut names: Vec<String> = names.iter().map(|name| field::quoted(name)).collect();
        names.sort();
        format!("[\n{}\n]", indented(&names.join(",\n")))
    };
    let mut trusted = format!(
        "request.userInfo.username in {}",
        listed(&settings.trusted_users)
    );
    if !settings.trusted_groups.is_empty() {
        let groups = listed(&settings.trusted_groups);
        trusted += &format!(
            " ||\n(has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in {groups}))"
        );
    }
    let labels = RESTORE_LABELS.map(|label| format!("'{label}' in object.metadata.labels"));
    let restored = format!(
        "request.operation == 'CREATE' && has(object.metadata.labels) &&\n({})",
        labels.join(" || ")
    );
    // Whether its day has passed nobody can tell here; then the webhook refuses what this lets pass.
    let exempted = format!(
        "has(object.metadata.annotations) && '{EXEMPT}' in object.metadata.annotations ?\n\
         object.metadata.annotations['{EXEMPT}'] : ''"
    );
    let going = "request.operation == 'UPDATE' && has(object.metadata.deletionTimestamp)";
    vec![
        Named::new("going", going.to_owned()),
        Named::new("trusted", trusted),
        Named::new("restored", restored),
        Named::new("exempted", exempted),
    ]
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}
