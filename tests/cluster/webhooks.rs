//! Webhook configurations: the shipped ones, and when the API server has learnt of them.

use std::{
    path::Path,
    sync::{PoisonError, RwLockReadGuard, RwLockWriteGuard},
    thread,
    time::{Duration, Instant},
};

use k8s_openapi::ByteString;
use serde_json::{Value, json};

use crate::{
    proxy::Backend,
    server::{Cluster, User},
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

/// The webhook configurations of this test. They go when this is dropped.
pub(crate) struct Installed<'a> {
    cluster: &'a Cluster,
    _alone: RwLockWriteGuard<'a, ()>,
}

impl Cluster {
    /// While this is held there is no webhook.
    pub(crate) fn undisturbed(&self) -> RwLockReadGuard<'_, ()> {
        self.webhooks.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies these manifests as they are, and waits until the API server goes by them. It is all
    /// this test's until the answer is dropped. Nothing is behind the Service at first.
    pub(crate) fn install(&self, manifests: &[Value]) -> Installed<'_> {
        let alone = self
            .webhooks
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let installed = Installed {
            cluster: self,
            _alone: alone,
        };
        self.point_service_at(Backend::Nothing);
        self.apply(
            User::Admin,
            &json!({"apiVersion": "v1", "kind": "List", "items": manifests}),
        )
        .ok();
        self.settle().unwrap();
        installed
    }

    /// Has the API server trust this authority, in PEM, when it calls the guard; as the guard
    /// itself does: under its own name, and nothing but that field.
    pub(crate) fn set_ca_bundle(&self, authority: &str) {
        let bundle = ByteString(authority.as_bytes().to_vec());
        for kind in CONFIGURATIONS {
            let list = self.get_json(&[kind, "-l", OURS]);
            for configuration in list["items"].as_array().expect("a list") {
                let webhooks = configuration["webhooks"].as_array().map_or(0, Vec::len);
                let patch = (0..webhooks).map(|i| {
                    let path = format!("/webhooks/{i}/clientConfig/caBundle");
                    json!({"op": "add", "path": path, "value": bundle})
                });
                let patch = Value::from_iter(patch).to_string();
                let name = configuration["metadata"]["name"].as_str().expect("a name");
                let manager = "--field-manager=ramen-guard";
                let args = ["patch", kind, name, manager, "--type=json", "-p", &patch];
                self.kubectl(User::Admin, &args, None).ok();
            }
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
        let list = |items: [Value; 2]| {
            json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
        };
        let probes = list([
            probe("ValidatingWebhookConfiguration", "settle-validating"),
            probe("MutatingWebhookConfiguration", "settle-mutating"),
        ]);
        let objects = list([object("settle-validating"), object("settle-mutating")]);

        let create = ["create", "-f", "-"];
        let dry_run = ["create", "--dry-run=server", "-f", "-"];
        let delete = ["delete", "-f", "-"];
        self.kubectl(User::Admin, &create, Some(&probes)).ok();
        // Until each refuses its object, and then, with both gone, until none does.
        let known = self.until(|| {
            let said = self.kubectl(User::Admin, &dry_run, Some(&objects)).stderr;
            said.contains("settle-validating.probe.test")
                && said.contains("settle-mutating.probe.test")
        });
        self.kubectl(User::Admin, &delete, Some(&probes)).ok();
        let forgotten =
            self.until(|| self.kubectl(User::Admin, &dry_run, Some(&objects)).code == 0);
        if known && forgotten {
            Ok(())
        } else {
            Err("the API server does not learn of webhook configurations".to_owned())
        }
    }

    fn until(&self, mut holds: impl FnMut() -> bool) -> bool {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if holds() {
                return true;
            }
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        for kind in CONFIGURATIONS {
            let args = ["delete", kind, "-l", OURS];
            let _ = self.cluster.kubectl(User::Admin, &args, None);
        }
        let _ = self.cluster.settle();
        self.cluster.point_service_at(Backend::Nothing);
    }
}
