//! The table of policies and of what they make of objects: `cases.yaml`.

#![allow(dead_code, reason = "each of those who use it asks for a part")]

use serde::Deserialize;
use serde_json::{Value, json};

const API: &str = "admissionregistration.k8s.io/v1";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    spec: Value,
    #[serde(default)]
    binding: Value,
    pub(crate) asks: Vec<Ask>,
}

/// One request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    kind: Option<String>,
    namespace: Option<String>,
    pub(crate) create: Option<Value>,
    from: Option<Value>,
    pub(crate) update: Option<Value>,
    #[serde(default)]
    pub(crate) delete: bool,
    pub(crate) then: End,
    says: Option<String>,
    all: Option<Vec<String>>,
    pub(crate) field: Option<String>,
    /// What the webhook, and `check`, make of it where it is something else.
    webhook: Option<End>,
    offline: Option<End>,
    /// Whether an error may be said in other words.
    #[serde(default)]
    pub(crate) loose: bool,
    pub(crate) since: Option<String>,
}

/// What comes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum End {
    Allow,
    Warn,
    Deny,
    /// It is allowed, because it is not known what the policy says.
    Undecided,
    /// It is allowed, because the policy can't be evaluated here at all.
    Unread,
    /// There is no such request.
    None,
}

pub(crate) fn cases() -> Vec<Case> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/site/cases.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

impl Ask {
    pub(crate) fn in_webhook(&self) -> End {
        self.webhook.unwrap_or(self.then)
    }

    pub(crate) fn in_check(&self) -> End {
        self.offline.unwrap_or(self.then)
    }

    /// What is said, if the table tells.
    pub(crate) fn said(&self) -> Option<Vec<&str>> {
        match (&self.says, &self.all) {
            (Some(one), _) => Some(vec![one]),
            (None, Some(all)) => Some(all.iter().map(String::as_str).collect()),
            (None, None) => None,
        }
    }
}

impl Case {
    fn policy_name(&self) -> String {
        format!("site-{}", self.name)
    }

    /// The policy and its binding, which is about the objects of this case only.
    pub(crate) fn policy(&self) -> [Value; 2] {
        let name = self.policy_name();
        let mut spec = json!({
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["ramendr.openshift.io"], "apiVersions": ["v1alpha1"],
                "operations": ["CREATE", "UPDATE"], "resources": ["drplacementcontrols"],
            }]},
        });
        merge(&mut spec, &self.spec);
        let names: Vec<String> = (0..self.asks.len())
            .map(|at| self.object_name(at))
            .collect();
        let mut binding = json!({
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"resourceRules": [{
                "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"],
                "resourceNames": names,
            }]},
        });
        merge(&mut binding, &self.binding);
        [
            json!({"apiVersion": API, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec}),
            json!({
                "apiVersion": API,
                "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": {"name": name},
                "spec": binding,
            }),
        ]
    }

    fn object_name(&self, at: usize) -> String {
        format!("site-{}-{at}", self.name)
    }

    /// The object of an ask: as it is stored, if it is, and as it is to be, if it stays.
    pub(crate) fn objects(&self, at: usize) -> (Option<Value>, Option<Value>) {
        let ask = &self.asks[at];
        let base = base(
            ask.kind.as_deref().unwrap_or("DRPlacementControl"),
            ask.namespace.as_deref().unwrap_or("site-test"),
            &self.object_name(at),
        );
        let merged = |mut object: Value, patch: &Value| {
            merge(&mut object, patch);
            object
        };
        if let Some(patch) = &ask.create {
            return (None, Some(merged(base, patch)));
        }
        let old = ask
            .from
            .as_ref()
            .map_or(base.clone(), |patch| merged(base, patch));
        let new = ask.update.as_ref().map(|patch| merged(old.clone(), patch));
        (Some(old), new)
    }
}

/// What policies ask for beside the object: namespaces, and their params.
pub(crate) fn neighbours() -> Vec<Value> {
    let namespace = |name: &str, labels: Value| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    let map = |namespace: &str, name: &str, cluster: &str| {
        let labels = if name == "site-params" {
            json!({})
        } else {
            json!({"site": "some"})
        };
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"namespace": namespace, "name": name, "labels": labels},
            "data": {"cluster": cluster, "asked": "yes"},
        })
    };
    let mut cluster = base("DRCluster", "", "site-cluster");
    cluster["spec"]["region"] = json!("east");
    vec![
        namespace("site-prod", json!({"env": "prod"})),
        namespace("site-test", json!({})),
        map("site-test", "site-params", "west"),
        map("site-prod", "site-params", "east"),
        map("site-test", "site-one", "west"),
        map("site-test", "site-two", "north"),
        cluster,
    ]
}

fn base(kind: &str, namespace: &str, name: &str) -> Value {
    let spec = match kind {
        "DRPolicy" => json!({"drClusters": ["east", "west"], "schedulingInterval": "5m"}),
        "DRCluster" => json!({"s3ProfileName": "profile", "cidrs": ["10.0.0.0/16"]}),
        _ => json!({
            "drPolicyRef": {"name": "policy"},
            "placementRef": {"kind": "Placement", "name": "placement"},
            "preferredCluster": "east",
            "pvcSelector": {},
        }),
    };
    let mut metadata = json!({"name": name});
    if kind == "DRPlacementControl" {
        metadata["namespace"] = json!(namespace);
    }
    json!({"apiVersion": "ramendr.openshift.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec})
}

/// A merge patch, as RFC 7386 has it.
pub(crate) fn merge(object: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        if !patch.is_null() {
            *object = patch.clone();
        }
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (name, value) in fields {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            merge(&mut object[name], value);
        }
    }
}
