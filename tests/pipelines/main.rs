//! The examples of pipelines in `examples/pipelines`, each run as its pipeline would run it: on a real
//! repository with plain manifests, Kustomize, a chart and Argo CD's applications, which passes, and on changes
//! of it that have to fail.
//!
//! What is not run here, and was by hand: the manifests of Argo CD, Tekton and Flux were held against the CRDs of
//! Argo CD 3.1.0, Tekton 1.3.0 and Flux's controllers 1.10.1 with `check --crds`; the job of GitLab was run by
//! gitlab-ci-local 4.56.2; the action took the program from an image that podman had built; render.sh ran with
//! BusyBox's tools, which the image of the examples has. That image itself was not built: its base is in a registry.
#![allow(clippy::unwrap_used, reason = "tests fail by it")]

mod argocd;
mod flux;
mod formats;
mod github;
mod gitlab;
mod guide;
mod pre_commit;
mod render;
mod repository;
mod tekton;
mod tools;

use repository::{Change, Repository};
use tools::{Ran, Tools};

/// The folders that the examples name.
const SOURCES: &str = "clusters apps/mail apps/shop/overlays/production charts/billing";

/// What each pipeline has to find in what is deployed, whatever it was before.
const BROKEN: [Change; 3] = [
    // In plain manifests.
    Change {
        file: "apps/mail/drpc.yaml",
        from: "preferredCluster: east",
        to: "preferredCluster: east\n  action: Failover\n  failoverCluster: wset",
        rule: "drpc-failover-cluster-in-policy",
    },
    // In a patch of Kustomize's.
    Change {
        file: "apps/shop/overlays/production/cluster.yaml",
        from: "preferredCluster: east",
        to: "preferredCluster: east\n  action: Failover\n  failoverCluster: wset",
        rule: "drpc-failover-cluster-in-policy",
    },
    // In the values of a chart.
    Change {
        file: "charts/billing/values.yaml",
        from: "cluster: west",
        to: "cluster: wset",
        rule: "drpc-preferred-cluster-in-policy",
    },
];

/// What is wrong only as an edit of what is deployed.
const MOVED: [Change; 3] = [
    Change {
        file: "apps/mail/drpc.yaml",
        from: "kind: Placement\n    name: mail",
        to: "kind: Placement\n    name: post",
        rule: "drpc-placementref-immutable",
    },
    Change {
        file: "apps/shop/base/drpc.yaml",
        from: "app: shop",
        to: "app: store",
        rule: "drpc-pvcselector-immutable",
    },
    Change {
        file: "charts/billing/values.yaml",
        from: "placement: billing",
        to: "placement: invoices",
        rule: "drpc-placementref-immutable",
    },
];

/// A pipeline passes what is right and fails what is broken; and, if it can be told what is deployed, an edit
/// that can't be made. `run` gets the repository and the commit that is deployed, if it is to be told.
#[track_caller]
fn passes_and_fails(
    name: &str,
    edits: bool,
    mut run: impl FnMut(&Repository, Option<&str>) -> Ran,
) {
    let repository = Repository::new();
    let deployed = repository.head();
    run(&repository, None).passed(name);
    if edits {
        run(&repository, Some(&deployed)).passed(name);
    }
    for change in &BROKEN {
        repository.make(change);
        run(&repository, None).refused(name, change.rule);
        if edits {
            run(&repository, Some(&deployed)).refused(name, change.rule);
        }
        repository.back_to(&deployed);
    }
    for change in MOVED.iter().filter(|_| edits) {
        repository.make(change);
        run(&repository, None).passed(name);
        run(&repository, Some(&deployed)).refused(name, change.rule);
        repository.back_to(&deployed);
    }
}

/// Runs it with what it takes, or says that it did not run.
fn with_tools(run: impl FnOnce(&Tools)) {
    if let Some(tools) = Tools::get() {
        run(tools);
    }
}
