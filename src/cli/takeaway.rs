//! Taking the guard's objects away: as commands for kubectl, or done here. It needs the API server and
//! nothing of the guard's, and the API server asks no webhook about webhook configurations.

use std::fmt::Write as _;

use kube::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams},
};
use serde_json::Value;

use crate::{api, reconcile::OURS, world::Cluster};

/// A kind of objects that the guard has some of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owned {
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
}

const fn owned(
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
) -> Owned {
    Owned {
        group,
        kind,
        plural,
        namespaced,
    }
}

const ADMISSION: &str = "admissionregistration.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";

/// By which the API server calls the guard. While they are there nothing else may go.
pub(super) const CONFIGURATIONS: [Owned; 2] = [
    owned(
        ADMISSION,
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        false,
    ),
    owned(
        ADMISSION,
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        false,
    ),
];
/// What the API server judges by itself, the bindings first: a policy without one does nothing.
pub(super) const POLICIES: [Owned; 2] = [
    owned(
        ADMISSION,
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        false,
    ),
    owned(
        ADMISSION,
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        false,
    ),
];
/// What the guard may do in the whole cluster.
pub(super) const CLUSTER_RIGHTS: [Owned; 2] = [
    owned(RBAC, "ClusterRoleBinding", "clusterrolebindings", false),
    owned(RBAC, "ClusterRole", "clusterroles", false),
];
/// What it may do in namespaces, its own and Ramen's.
pub(super) const RIGHTS: [Owned; 2] = [
    owned(RBAC, "RoleBinding", "rolebindings", true),
    owned(RBAC, "Role", "roles", true),
];

/// The command that deletes the guard's objects of these kinds.
pub(super) fn command(kinds: &[Owned]) -> String {
    let plurals: Vec<&str> = kinds.iter().map(|kind| kind.plural).collect();
    let everywhere = if kinds.iter().any(|kind| kind.namespaced) {
        " --all-namespaces"
    } else {
        ""
    };
    format!(
        "kubectl delete {}{everywhere} -l {OURS}\n",
        plurals.join(",")
    )
}

/// What is done, step by step, and what could not be.
pub(super) struct Takeaway {
    client: Client,
    pub(super) said: String,
    pub(super) failed: bool,
}

impl Takeaway {
    /// For the cluster that kubectl would talk to.
    pub(super) async fn begin() -> Result<Self, String> {
        let client = Cluster::client().await.map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            said: String::new(),
            failed: false,
        })
    }

    /// Deletes the guard's objects of these kinds. What can't be deleted keeps nothing else from it.
    pub(super) async fn delete(&mut self, kinds: &[Owned]) {
        for kind in kinds {
            let all: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource(kind));
            let found = match all.list(&ListParams::default().labels(OURS)).await {
                Ok(found) => found,
                Err(error) if is_missing(&error) => continue,
                Err(error) => {
                    self.fail(kind.plural, &error.to_string());
                    continue;
                }
            };
            for object in found {
                let name = object.metadata.name.unwrap_or_default();
                let (api, shown) = match object.metadata.namespace {
                    Some(namespace) => (
                        Api::namespaced_with(self.client.clone(), &namespace, &resource(kind)),
                        format!("{} {namespace}/{name}", kind.kind),
                    ),
                    None => (all.clone(), format!("{} {name}", kind.kind)),
                };
                self.delete_one(&api, &name, &shown).await;
            }
        }
    }

    /// Deletes one object, if it is there.
    pub(super) async fn delete_one(&mut self, api: &Api<DynamicObject>, name: &str, shown: &str) {
        match api.delete(name, &DeleteParams::default()).await {
            Ok(_) => self.say(&format!("deleted {shown}")),
            Err(error) if is_missing(&error) => {}
            Err(error) => self.fail(shown, &error.to_string()),
        }
    }

    /// Names the webhooks of others that judge Ramen's kinds: what Ramen itself once left behind refuses
    /// every write when nobody answers there any more.
    pub(super) async fn others(&mut self) {
        for kind in &CONFIGURATIONS {
            let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource(kind));
            let Ok(found) = api.list(&ListParams::default()).await else {
                continue;
            };
            for object in found
                .into_iter()
                .filter(|object| judges_ramen(&object.data))
            {
                let labels = object.metadata.labels.unwrap_or_default();
                let ours = OURS
                    .split_once('=')
                    .is_some_and(|(key, value)| labels.get(key).is_some_and(|it| it == value));
                if !ours {
                    let name = object.metadata.name.unwrap_or_default();
                    self.say(&format!(
                        "left alone: {} {name} judges Ramen's kinds too, and is not the guard's",
                        kind.kind
                    ));
                }
            }
        }
    }

    /// The client that all of this goes through.
    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(super) fn say(&mut self, line: &str) {
        let _ = writeln!(self.said, "{line}");
    }

    pub(super) fn fail(&mut self, what: &str, why: &str) {
        self.failed = true;
        self.say(&format!("FAILED: {what}: {why}"));
    }
}

fn resource(kind: &Owned) -> ApiResource {
    ApiResource {
        group: kind.group.to_owned(),
        version: "v1".to_owned(),
        api_version: format!("{}/v1", kind.group),
        kind: kind.kind.to_owned(),
        plural: kind.plural.to_owned(),
    }
}

/// Whether an object, or its kind, is not there.
pub(super) fn is_missing(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404)
}

fn judges_ramen(configuration: &Value) -> bool {
    let entries = configuration["webhooks"].as_array().into_iter().flatten();
    let mut rules = entries.flat_map(|entry| entry["rules"].as_array().into_iter().flatten());
    rules.any(|rule| {
        let groups = rule["apiGroups"].as_array().into_iter().flatten();
        groups.into_iter().any(|group| group == api::GROUP)
    })
}
