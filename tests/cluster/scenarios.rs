//! Every scenario of the rules, through kubectl and the API server to the real guard.

use std::{collections::BTreeSet, env, thread, time::Duration};

use ramen_guard::{
    api::Doc,
    engine::{Engine, Settings},
    policy::{Operation, Profile},
    scenario::{Expected, Scenario, scenarios},
    world::Store,
};
use serde_json::{Value, json};

use crate::{
    client::{Ask, Client, address},
    guard::Guard,
    kubectl::Output,
    manifests::OPTIONAL,
    server::{Cluster, User, until},
    webhooks::shipped,
};

/// Lets an object stay while it is being deleted.
const HOLD: &str = "test.invalid/hold";

/// How long the guard has to hear of a scenario's objects by its watch, in milliseconds. Where a scenario does
/// not end as it says it is played again, with more time.
const PAUSES: [u64; 4] = [40, 200, 1000, 3000];

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
    let admin = cluster.client(User::Admin);
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
            let complaint = PAUSES.iter().map_while(|pause| {
                let stage = Stage::set(&admin, cluster, scenario);
                thread::sleep(Duration::from_millis(*pause));
                stage.play().err()
            });
            // All of them, or it has ended well.
            let complaints: Vec<String> = complaint.collect();
            if complaints.len() == PAUSES.len() {
                wrong.push(format!(
                    "{}: {}: {}",
                    scenario.rule,
                    scenario.story,
                    complaints.join("\n")
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
    admin: &'a Client,
    cluster: &'a Cluster,
    scenario: &'a Scenario,
    stored: Vec<Value>,
    /// Why it could not be set.
    unset: Option<String>,
}

impl<'a> Stage<'a> {
    fn set(admin: &'a Client, cluster: &'a Cluster, scenario: &'a Scenario) -> Self {
        Self::set_with(admin, cluster, scenario, scenario.given.clone())
    }

    /// Only the object that the scenario is about.
    pub(crate) fn set_bare(
        admin: &'a Client,
        cluster: &'a Cluster,
        scenario: &'a Scenario,
    ) -> Self {
        Self::set_with(admin, cluster, scenario, Vec::new())
    }

    fn set_with(
        admin: &'a Client,
        cluster: &'a Cluster,
        scenario: &'a Scenario,
        mut stored: Vec<Value>,
    ) -> Self {
        stored.extend(scenario.old.clone());
        let subject = scenario.new.as_ref().or(scenario.old.as_ref());
        let namespaces: BTreeSet<&str> = stored
            .iter()
            .chain(subject)
            .filter_map(|object| object.pointer("/metadata/namespace")?.as_str())
            .collect();
        let namespaces = namespaces.into_iter().map(namespace).collect::<Vec<_>>();
        // All but the first time they are there already.
        admin.ask_all(namespaces.iter().map(creation).collect());
        let mut terminating = Vec::new();
        for object in &mut stored {
            if object["metadata"].get("deletionTimestamp").is_some() {
                let metadata = object["metadata"].as_object_mut().expect("metadata");
                metadata.remove("deletionTimestamp");
                match metadata.entry("finalizers").or_insert_with(|| json!([])) {
                    Value::Array(finalizers) => finalizers.push(json!(HOLD)),
                    other => *other = json!([HOLD]),
                }
                terminating.push(at("DELETE", object, "", Value::Null));
            }
        }
        let creations = stored.iter().map(|object| {
            let mut object = object.clone();
            object.as_object_mut().expect("an object").remove("status");
            creation(&object)
        });
        let creations: Vec<Ask> = creations.collect();
        let statuses: Vec<Ask> = stored.iter().filter_map(status).collect();
        let mut stage = Self {
            admin,
            cluster,
            scenario,
            stored,
            unset: None,
        };
        for asks in [creations, statuses, terminating] {
            stage.prepare(&asks);
        }
        stage
    }

    fn prepare(&mut self, asks: &[Ask]) {
        let answers = self.admin.ask_all(asks.to_vec());
        for (ask, answer) in asks.iter().zip(answers) {
            if answer.code >= 300 {
                // What comes after the first failure follows from it.
                let Ask { method, path, .. } = ask;
                let said = format!("the stage can't be set: {method} {path}: {answer:?}");
                self.unset.get_or_insert(said);
            }
        }
    }

    /// Whether the stage is as the scenario says; otherwise why not.
    pub(crate) fn is_set(&self) -> Result<(), String> {
        self.unset.clone().map_or(Ok(()), Err)
    }

    /// What is wrong with what comes of it, if something is.
    fn play(&self) -> Result<(), String> {
        self.is_set()?;
        self.complaint(&self.ask()).map_or(Ok(()), Err)
    }

    pub(crate) fn ask(&self) -> Output {
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
        self.cluster.kubectl(user, verb, Some(&object.to_string()))
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

/// A request about an object that is there, or about a part of it.
fn at(method: &'static str, object: &Value, part: &str, body: Value) -> Ask {
    let (place, name) = address(object);
    let path = format!("{place}/{name}{part}");
    Ask { method, path, body }
}

fn creation(object: &Value) -> Ask {
    let (path, _) = address(object);
    let body = object.clone();
    let method = "POST";
    Ask { method, path, body }
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// Sets the status of an object. A scenario leaves out of it what no rule reads, but the CRDs want.
fn status(object: &Value) -> Option<Ask> {
    let mut status = object.get("status")?.clone();
    complete(&mut status);
    Some(at("PATCH", object, "/status", json!({"status": status})))
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
        let subject = self.scenario.new.as_ref().or(self.scenario.old.as_ref());
        let mut objects = self.stored.clone();
        objects.extend(subject.cloned());
        let gone = objects
            .iter()
            .map(|object| at("DELETE", object, "", Value::Null));
        self.admin.ask_all(gone.collect());
        // The scenario may have added a finalizer to the one that it is about.
        objects.retain(|object| {
            Some(object) == subject || object.pointer("/metadata/finalizers").is_some()
        });
        let free = objects.iter().map(|object| {
            at(
                "PATCH",
                object,
                "",
                json!({"metadata": {"finalizers": null}}),
            )
        });
        self.admin.ask_all(free.collect());
    }
}
