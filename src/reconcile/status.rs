//! How things stand: in a ConfigMap of the guard's own, and where the cluster has such reports, in one
//! policy report. Both are bounded: neither grows with the cluster.

use std::fmt::Write as _;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
};
use serde_json::{Value, json};

use super::{MANAGER, STATUS, audit::Summary, labels, leader::Place, probe::Probed};
use crate::{
    admission::mutate,
    engine::Audited,
    policy::Mode,
    report::{Finding, clip},
};

/// The most objects that the ConfigMap names.
const OBJECTS: usize = 50;
/// The most findings about one of them.
const FINDINGS: usize = 10;
/// The most results of the policy report.
const RESULTS: usize = 300;
/// The longest message.
const MESSAGE: usize = 300;
/// The kinds of cluster-wide policy reports: the older, and what comes after it.
const REPORTS: [(&str, &str, &str, &str); 2] = [
    (
        "wgpolicyk8s.io",
        "v1alpha2",
        "ClusterPolicyReport",
        "clusterpolicyreports",
    ),
    (
        "openreports.io",
        "v1alpha1",
        "ClusterReport",
        "clusterreports",
    ),
];

/// How things stand.
#[derive(Default)]
pub(super) struct Status {
    pub(super) audit: Summary,
    pub(super) probe: Probed,
    trouble: Option<String>,
}

impl Status {
    /// Writes it.
    pub(super) async fn write(&mut self, place: &Place) {
        let mut trouble = Vec::new();
        if let Err(error) = self.write_map(place).await {
            trouble.push(format!("{STATUS}: {error}"));
        }
        if !self.audit.at.is_empty() {
            for report in REPORTS {
                match self.write_report(place, report).await {
                    Ok(()) => {}
                    // The cluster has no such reports.
                    Err(kube::Error::Api(status)) if status.code == 404 => {}
                    Err(error) => trouble.push(format!("{}: {error}", report.3)),
                }
            }
        }
        let trouble = (!trouble.is_empty()).then(|| trouble.join("; "));
        if trouble.is_some() && trouble != self.trouble {
            tracing::warn!(
                "how things stand can't be written: {}",
                trouble.as_deref().unwrap_or_default()
            );
        }
        self.trouble = trouble;
    }

    async fn write_map(&self, place: &Place) -> Result<(), kube::Error> {
        let api: Api<ConfigMap> = Api::namespaced(place.client.clone(), &place.namespace);
        let map = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": STATUS, "namespace": place.namespace, "labels": labels() },
            "data": {
                "audit": self.audited(),
                "probe": self.probed(),
                // What Argo CD's ignoreDifferences lists.
                "mutated-fields": mutate::written_fields().join("\n") + "\n",
            },
        });
        let params = PatchParams::apply(MANAGER).force();
        api.patch(STATUS, &params, &Patch::Apply(&map))
            .await
            .map(drop)
    }

    fn probed(&self) -> String {
        let mut text = String::new();
        if !self.probe.said.is_empty() {
            let _ = writeln!(text, "{}", self.probe.said);
        }
        for old in &self.probe.left_over {
            let _ = writeln!(text, "left behind by an old Ramen, delete it: {old}");
        }
        text
    }

    fn audited(&self) -> String {
        let audit = &self.audit;
        if audit.at.is_empty() {
            return String::new();
        }
        let mut text = format!(
            "at {}: {} objects judged, {} would be refused, {} would be warned about\n",
            audit.at, audit.judged, audit.denied, audit.warned
        );
        for unread in &audit.unread {
            let _ = writeln!(text, "not audited: {}", clip(unread, MESSAGE));
        }
        for object in audit.worst.iter().take(OBJECTS) {
            let name = match &*object.namespace {
                "" => object.name.clone(),
                namespace => format!("{namespace}/{}", object.name),
            };
            let _ = write!(text, "\n{} {name}", object.kind);
            if object.blocks > 0 {
                let _ = write!(text, ", holds up {} others", object.blocks);
            }
            text.push('\n');
            for finding in said(object).take(FINDINGS) {
                let message = clip(&finding.to_string(), MESSAGE);
                let _ = writeln!(text, "  {}: {message}", finding.mode.name());
            }
            let more = said(object).count().saturating_sub(FINDINGS);
            if more > 0 {
                let _ = writeln!(text, "  and {more} more");
            }
        }
        let more = audit.worst.len().saturating_sub(OBJECTS) + audit.more;
        if more > 0 {
            let _ = writeln!(text, "\nand {more} more objects: see `ramen-guard audit`");
        }
        text
    }

    async fn write_report(
        &self,
        place: &Place,
        (group, version, kind, plural): (&str, &str, &str, &str),
    ) -> Result<(), kube::Error> {
        let resource = ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: format!("{group}/{version}"),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        };
        let api: Api<DynamicObject> = Api::all_with(place.client.clone(), &resource);
        let audit = &self.audit;
        let count = |mode: Mode| audit.findings.get(mode.name()).copied().unwrap_or_default();
        let results = audit
            .worst
            .iter()
            .flat_map(|object| said(object).map(move |finding| (object, finding)));
        let results = results
            .take(RESULTS)
            .map(|(object, finding)| self.result(object, finding));
        let report = json!({
            "apiVersion": resource.api_version,
            "kind": kind,
            "metadata": { "name": MANAGER, "labels": labels() },
            "summary": {
                "pass": audit.judged.saturating_sub(audit.denied + audit.warned),
                "fail": count(Mode::Deny),
                "warn": count(Mode::Warn),
                "error": audit.unread.len(),
                "skip": 0,
            },
            "results": results.collect::<Vec<Value>>(),
        });
        let params = PatchParams::apply(MANAGER).force();
        api.patch(MANAGER, &params, &Patch::Apply(&report))
            .await
            .map(drop)
    }

    fn result(&self, object: &Audited, finding: &Finding) -> Value {
        let denied = finding.mode == Mode::Deny;
        let severity = match () {
            () if finding.rule.crash || object.blocks > 0 && finding.rule.blocks => "critical",
            () if denied => "high",
            () => "medium",
        };
        let mut subject = json!({
            "apiVersion": object.api_version,
            "kind": object.kind,
            "name": object.name,
            "uid": object.uid,
        });
        if !object.namespace.is_empty() {
            subject["namespace"] = json!(object.namespace);
        }
        json!({
            "source": MANAGER,
            "policy": MANAGER,
            "rule": finding.rule.id,
            "category": "Disaster recovery",
            "result": if denied { "fail" } else { "warn" },
            "scored": denied,
            "severity": severity,
            "message": clip(&finding.to_string(), MESSAGE),
            "timestamp": { "seconds": self.audit.seconds, "nanos": 0 },
            "resources": [subject],
        })
    }
}

/// What a person is told about an object, the gravest first.
fn said(object: &Audited) -> impl Iterator<Item = &Finding> {
    let of = |mode: Mode| {
        object
            .findings
            .iter()
            .filter(move |finding| finding.mode == mode)
    };
    of(Mode::Deny).chain(of(Mode::Warn))
}
