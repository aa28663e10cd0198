//! Every scenario of the rules, through kubectl and the API server to the real guard.

use std::{cell::RefCell, collections::BTreeSet, env, thread, time::Duration};

use ramen_guard::{
    api::Doc,
    engine::{Engine, Settings},
    policy::{Operation, Profile},
    scenario::{Expected, Scenario, scenarios},
    world::Store,
};
use serde_json::{Value, json};

use crate::{
    fixtures::list,
    guard::Guard,
    kubectl::Output,
    manifests::OPTIONAL,
    server::{Cluster, User, until},
    webhooks::shipped,
};

/// Lets an object stay while it is being deleted.
const HOLD: &str = "test.invalid/hold";

#[test]
fn every_scenario_ends_as_it_says() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let alone = cluster.alone();
    clear(cluster);
    let mut manifests = shipped(cluster, "manifests/base");
    for optional in OPTIONAL {
        manifests.extend(shipped(cluster, optional));
    }
    for manifest in &mut manifests {
        for webhook in manifest
            .get_mut("webhooks")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            // The administrator sets the stage, which may be what the guard would refuse.
            let condition = json!({"name": "not-the-stage", "expression": "request.userInfo.username != 'admin'"});
            match webhook
                .get_mut("matchConditions")
                .and_then(Value::as_array_mut)
            {
                Some(conditions) => conditions.push(condition),
                None => webhook["matchConditions"] = json!([condition]),
            }
        }
    }
    // For looking into one rule: part of its name.
    let only = env::var("RAMEN_GUARD_SCENARIOS_OF").unwrap_or_default();
    let mut wrong = Vec::new();
    let mut run = 0;
    for (profile, argument) in [
        (Profile::Recommended, "--profile=recommended"),
        (Profile::Strict, "--profile=strict"),
    ] {
        let guard = Guard::start(cluster, &[argument]);
        alone.install(&manifests);
        cluster.point_service_at(guard.port);
        cluster.set_ca_bundle(&guard.authority);
        let chosen = |scenario: &&Scenario| {
            scenario.profile == profile && !scenario.offline && scenario.rule.contains(&*only)
        };
        for scenario in scenarios().iter().filter(chosen) {
            run += 1;
            let stage = Stage::set(cluster, scenario);
            let complaint = stage.unset.borrow_mut().take();
            if let Some(complaint) = complaint.or_else(|| stage.play()) {
                wrong.push(format!(
                    "{}: {}: {complaint}",
                    scenario.rule, scenario.story
                ));
            }
        }
    }
    assert!(
        run > 100 || !only.is_empty(),
        "only {run} scenarios were run"
    );
    assert!(
        wrong.is_empty(),
        "{} of {run} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Takes away what other tests have left: a scenario's world is what it says, and no more.
pub(crate) fn clear(cluster: &Cluster) {
    let kinds = "drplacementcontrols,drpolicies,drclusters,volumereplicationgroups,recipes,drclusterconfigs";
    let _ = cluster.kubectl(
        User::Admin,
        &["delete", kinds, "--all", "-A", "--wait=false"],
        None,
    );
    let left = cluster.get_json(&[kinds, "-A"]);
    for object in left["items"].as_array().into_iter().flatten() {
        release(cluster, object);
    }
    let gone = || {
        cluster.get_json(&[kinds, "-A"])["items"]
            .as_array()
            .is_some_and(Vec::is_empty)
    };
    assert!(until(gone), "other tests' objects stay");
}

/// Takes the finalizers off an object, so that it can go.
fn release(cluster: &Cluster, object: &Value) {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (kind, name, namespace) = (
        text("/kind"),
        text("/metadata/name"),
        text("/metadata/namespace"),
    );
    let patch = json!({"metadata": {"finalizers": null}});
    let _ = cluster.patch(User::Admin, &[&kind, &name, "-n", &namespace], &patch);
}

/// The objects of one scenario in the cluster. They go when this is dropped.
pub(crate) struct Stage<'a> {
    cluster: &'a Cluster,
    scenario: &'a Scenario,
    stored: Vec<Value>,
    /// Why it could not be set.
    pub(crate) unset: RefCell<Option<String>>,
}

impl<'a> Stage<'a> {
    fn set(cluster: &'a Cluster, scenario: &'a Scenario) -> Self {
        let stage = Self::set_with(cluster, scenario, scenario.given.clone());
        // The guard hears of it by its watch.
        thread::sleep(Duration::from_millis(100));
        stage
    }

    /// Only the object that the scenario is about.
    pub(crate) fn set_bare(cluster: &'a Cluster, scenario: &'a Scenario) -> Self {
        Self::set_with(cluster, scenario, Vec::new())
    }

    fn set_with(cluster: &'a Cluster, scenario: &'a Scenario, mut stored: Vec<Value>) -> Self {
        stored.extend(scenario.old.clone());
        let subject = scenario.new.as_ref().or(scenario.old.as_ref());
        let namespaces: BTreeSet<&str> = stored
            .iter()
            .chain(subject)
            .filter_map(|object| object.pointer("/metadata/namespace")?.as_str())
            .collect();
        for namespace in namespaces {
            let _ = cluster.kubectl(User::Admin, &["create", "namespace", namespace], None);
        }
        let mut terminating = Vec::new();
        for object in &mut stored {
            if object["metadata"].get("deletionTimestamp").is_some() {
                let metadata = object["metadata"].as_object_mut().expect("metadata");
                metadata.remove("deletionTimestamp");
                match metadata.entry("finalizers").or_insert_with(|| json!([])) {
                    Value::Array(finalizers) => finalizers.push(json!(HOLD)),
                    other => *other = json!([HOLD]),
                }
                terminating.push(object.clone());
            }
        }
        let stage = Self {
            cluster,
            scenario,
            stored,
            unset: RefCell::default(),
        };
        if !stage.stored.is_empty() {
            let without_status: Vec<Value> = stage
                .stored
                .iter()
                .cloned()
                .map(|mut object| {
                    object.as_object_mut().expect("an object").remove("status");
                    object
                })
                .collect();
            stage.admin(&["create", "-f", "-"], &without_status);
        }
        let statuses: Vec<Value> = stage.stored.iter().filter_map(status).collect();
        if !statuses.is_empty() {
            let args = [
                "apply",
                "--server-side",
                "--force-conflicts",
                "--subresource=status",
                "--validate=ignore",
                "-f",
                "-",
            ];
            stage.admin(&args, &statuses);
        }
        if !terminating.is_empty() {
            stage.admin(&["delete", "--wait=false", "-f", "-"], &terminating);
        }
        stage
    }

    fn admin(&self, args: &[&str], objects: &[Value]) {
        let done = self
            .cluster
            .kubectl(User::Admin, args, Some(&list(objects).to_string()));
        if done.code != 0 {
            // What comes after the first failure follows from it.
            self.unset
                .borrow_mut()
                .get_or_insert(format!("the stage can't be set: {}", done.stderr));
        }
    }

    /// What is wrong with what came of it, or nothing.
    fn play(&self) -> Option<String> {
        // A dry run gets the same answer. The first ones may still meet a guard that does not know the
        // stage.
        let mut complaint = None;
        for _ in 0..20 {
            complaint = self.complaint(&self.ask(&["--dry-run=server"]));
            if complaint.is_none() {
                return self.complaint(&self.ask(&[]));
            }
            thread::sleep(Duration::from_millis(100));
        }
        complaint.map(|complaint| format!("in the dry run: {complaint}"))
    }

    pub(crate) fn ask(&self, extra: &[&str]) -> Output {
        let user = match &*self.scenario.user {
            name if name == User::Operator.name() => User::Operator,
            name if name == User::ClusterOperator.name() => User::ClusterOperator,
            name if name == User::WorkAgent.name() => User::WorkAgent,
            name if name == User::Velero.name() => User::Velero,
            _ => User::Alice,
        };
        let verb: &[&str] = match self.scenario.operation {
            Operation::Create => &["apply", "-f", "-"],
            Operation::Update => &["replace", "-f", "-"],
            Operation::Delete => &["delete", "--wait=false", "-f", "-"],
        };
        let mut object = self
            .scenario
            .new
            .as_ref()
            .or(self.scenario.old.as_ref())
            .cloned()
            .unwrap_or_default();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("deletionTimestamp");
            metadata.remove("uid");
        }
        self.cluster
            .kubectl(user, &[verb, extra].concat(), Some(&object.to_string()))
    }

    fn complaint(&self, done: &Output) -> Option<String> {
        let rule = self.scenario.rule;
        let warned = done.stderr.contains(&format!("Warning: {rule}:"));
        let refused = done.code != 0;
        let by_rule = refused
            && done.stderr.contains("(Forbidden)")
            && done.stderr.contains(&format!("({rule})"));
        let right = match &self.scenario.expected {
            Expected::Accepted => !by_rule && !warned,
            Expected::Warned(_) => !by_rule && warned,
            Expected::Refused(_) => by_rule,
        };
        let agreed = refused == self.is_refused();
        (!right || !agreed).then(|| {
            format!(
                "expected {:?}, got exit code {}: {}",
                self.scenario.expected, done.code, done.stderr
            )
        })
    }

    /// Whether the rules refuse it, this one or another: what the API server says has to agree.
    fn is_refused(&self) -> bool {
        let mut world = Store::default();
        for object in &self.scenario.given {
            world
                .apply(&Doc::from_value(object.clone()).expect("an object"))
                .expect("it is read");
        }
        let engine = Engine::new(Settings::default().with_profile(self.scenario.profile));
        !engine
            .judge(&self.scenario.request(), &world, None)
            .allowed()
    }
}

/// The status of an object, to be applied by itself. A scenario leaves out of it what no rule reads, but
/// the CRDs want.
fn status(object: &Value) -> Option<Value> {
    let mut status = object.get("status")?.clone();
    complete(&mut status);
    let named = |field: &str| object["metadata"].get(field).cloned().unwrap_or_default();
    Some(json!({
        "apiVersion": object["apiVersion"],
        "kind": object["kind"],
        "metadata": {"name": named("name"), "namespace": named("namespace")},
        "status": status,
    }))
}

/// Fills in what the CRDs want of every condition, wherever it is.
fn complete(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for condition in map
                .get_mut("conditions")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                for (field, value) in [
                    ("lastTransitionTime", "2026-01-15T10:00:00Z"),
                    ("message", ""),
                    ("reason", "Told"),
                ] {
                    if condition.get(field).is_none() {
                        condition[field] = json!(value);
                    }
                }
            }
            map.values_mut().for_each(complete);
        }
        Value::Array(items) => items.iter_mut().for_each(complete),
        _ => {}
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        let subject = self
            .scenario
            .new
            .as_ref()
            .or(self.scenario.old.as_ref())
            .cloned()
            .unwrap_or_default();
        let mut objects = self.stored.clone();
        objects.push(subject.clone());
        let text = list(&objects).to_string();
        let gone = ["delete", "--wait=false", "--ignore-not-found", "-f", "-"];
        let _ = self.cluster.kubectl(User::Admin, &gone, Some(&text));
        // The scenario may have added a finalizer to the one that it is about.
        objects.retain(|object| {
            *object == subject || object.pointer("/metadata/finalizers").is_some()
        });
        for object in &objects {
            release(self.cluster, object);
        }
    }
}
