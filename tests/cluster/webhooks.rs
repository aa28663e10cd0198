//! Webhook configurations: the shipped ones, and when the API server has learnt of them.

use std::{
    path::Path,
    sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard},
};

use k8s_openapi::ByteString;
use serde_json::{Value, json};

use crate::{
    fixtures::list,
    proxy::Backend,
    server::{Cluster, User, until},
};

const CONFIGURATIONS: [&str; 2] = [
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
];
const OURS: &str = "app.kubernetes.io/name=ramen-guard";

/// What a folder of `manifests/` amounts to, as kustomize builds it.
pub(crate) fn shipped(cluster: &Cluster, folder: &str) -> Vec<Value> {
    let built = cluster
        .kubectl(User::Admin, &["kustomize", folder], None)
        .ok();
    serde_saphyr::from_multiple(&built).expect("kustomize prints YAML")
}

/// A manifest of the repository.
pub(crate) fn manifest(path: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(path).expect("the manifest is there");
    serde_saphyr::from_str(&text).expect("the manifest is YAML")
}

/// The cluster for one test alone, which may install webhooks. They go when this is dropped.
pub(crate) struct Alone<'a> {
    cluster: &'a Cluster,
    _others: RwLockWriteGuard<'a, ()>,
}

impl Alone<'_> {
    /// Applies these manifests as they are, and waits until the API server goes by them.
    #[track_caller]
    pub(crate) fn install(&self, manifests: &[Value]) {
        self.cluster.apply(User::Admin, &list(manifests)).ok();
        self.cluster.settle().unwrap();
    }
}

impl Cluster {
    /// While this is held there is no webhook.
    pub(crate) fn undisturbed(&self) -> RwLockReadGuard<'_, ()> {
        self.webhooks.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no other test is at work, and keeps them waiting until the answer is dropped.
    /// There is no webhook at first, and nothing behind the Service.
    pub(crate) fn alone(&self) -> Alone<'_> {
        let others = self
            .webhooks
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        self.point_service_at(Backend::Nothing);
        Alone {
            cluster: self,
            _others: others,
        }
    }

    /// Has the API server trust this authority, in PEM, when it calls the guard; as the guard
    /// itself does: under its own name, and nothing but that field.
    pub(crate) fn set_ca_bundle(&self, authority: &str) {
        let bundle = ByteString(authority.as_bytes().to_vec());
        let list = self.get_json(&[&CONFIGURATIONS.join(","), "-l", OURS]);
        for configuration in list["items"].as_array().expect("a list") {
            let webhooks = configuration["webhooks"].as_array().map_or(0, Vec::len);
            let patch = (0..webhooks).map(|i| {
                let path = format!("/webhooks/{i}/clientConfig/caBundle");
                json!({"op": "add", "path": path, "value": bundle})
            });
            let patch = patch.collect::<Value>().to_string();
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            let (kind, name) = (
                text(&configuration["kind"]),
                text(&configuration["metadata"]["name"]),
            );
            let manager = "--field-manager=ramen-guard";
            let args = ["patch", &kind, &name, manager, "--type=json", "-p", &patch];
            self.kubectl(User::Admin, &args, None).ok();
        }
        self.settle().unwrap();
    }

    /// Waits until the API server goes by the webhook configurations as they are now.
    ///
    /// It learns of them in order. So a later one, which refuses an object that nobody else makes,
    /// tells when the earlier ones are known.
    pub(crate) fn settle(&self) -> Result<(), String> {
        let probe = |kind: &str, name: &str| {
            json!({
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": name},
                "webhooks": [{
                    "name": format!("{name}.probe.test"),
                    "admissionReviewVersions": ["v1"],
                    "clientConfig": {"url": "https://127.0.0.1:1/"},
                    "failurePolicy": "Fail",
                    "sideEffects": "None",
                    "rules": [{
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["configmaps"],
                    }],
                    "matchConditions": [
                        {"name": "probe", "expression": format!("request.name == '{name}'")},
                    ],
                }],
            })
        };
        let object = |name: &str| {
            json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": "default"}})
        };
        let validating = self.name("settle-validating");
        let mutating = self.name("settle-mutating");
        let probes = list(&[
            probe("ValidatingWebhookConfiguration", &validating),
            probe("MutatingWebhookConfiguration", &mutating),
        ]);
        let probes = probes.to_string();
        let objects = list(&[object(&validating), object(&mutating)]).to_string();

        let create = ["create", "-f", "-"];
        let dry_run = ["create", "--dry-run=server", "-f", "-"];
        let delete = ["delete", "-f", "-"];
        self.kubectl(User::Admin, &create, Some(&probes)).ok();
        let known = until(|| {
            let said = self.kubectl(User::Admin, &dry_run, Some(&objects)).stderr;
            [&validating, &mutating]
                .iter()
                .all(|name| said.contains(&format!("{name}.probe")))
        });
        // Nobody waits until these are forgotten: the next ones have other names.
        self.kubectl(User::Admin, &delete, Some(&probes)).ok();
        if known {
            Ok(())
        } else {
            Err("the API server does not learn of webhooks".to_owned())
        }
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        let args = ["delete", &CONFIGURATIONS.join(","), "-l", OURS];
        let _ = self.cluster.kubectl(User::Admin, &args, None);
        let _ = self.cluster.settle();
        self.cluster.point_service_at(Backend::Nothing);
    }
}
