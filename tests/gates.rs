//! The gates that are the same for every rule: when a finding may refuse a request, and when not.
#![allow(clippy::unwrap_used)]

use ramen_guard::{
    admission::review::{Review, answer},
    api::Doc,
    engine::{Engine, Request, Settings, Verdict},
    policy::{self, Mode, Operation, Profile, Scope},
    report::Lowered,
    scenario::{Expected, Scenario, scenarios},
    world::{Live, Store},
};
use serde_json::{Value, json};

const OPERATOR: &str = "system:serviceaccount:ramen-system:ramen-hub-operator";
const GOING: &str = "2026-01-15T10:00:00Z";
const NOTED: &str = "drplacementcontrol.ramendr.openshift.io/app-namespace";

/// A request in the making, and what is around it.
#[derive(Clone)]
struct Ask {
    operation: &'static str,
    new: Value,
    old: Value,
    given: Vec<Value>,
    user: &'static str,
    subresource: &'static str,
    dry_run: bool,
    synced: bool,
    settings: Settings,
}

fn create(new: Value) -> Ask {
    Ask {
        operation: "CREATE",
        new,
        old: Value::Null,
        given: world(),
        user: "kubernetes-admin",
        subresource: "",
        dry_run: false,
        synced: true,
        settings: Settings::default(),
    }
}

fn update(old: &Value, new: Value) -> Ask {
    Ask {
        operation: "UPDATE",
        old: old.clone(),
        ..create(new)
    }
}

fn delete(old: &Value) -> Ask {
    Ask {
        operation: "DELETE",
        old: old.clone(),
        ..create(Value::Null)
    }
}

impl Ask {
    fn by(mut self, user: &'static str) -> Self {
        self.user = user;
        self
    }

    fn among(mut self, given: Vec<Value>) -> Self {
        self.given = given;
        self
    }

    fn with(mut self, profile: Profile) -> Self {
        self.settings = self.settings.with_profile(profile);
        self
    }

    fn configured(mut self, text: &str) -> Self {
        self.settings = Settings::read(text).unwrap();
        self
    }

    fn review(&self) -> Review {
        let subject = if self.new.is_null() {
            &self.old
        } else {
            &self.new
        };
        let version = subject["apiVersion"].as_str().unwrap();
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let body = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "1",
                "kind": { "group": group, "version": "v1", "kind": subject["kind"] },
                "name": subject["metadata"]["name"],
                "namespace": subject["metadata"]["namespace"],
                "operation": self.operation,
                "subResource": self.subresource,
                "userInfo": { "username": self.user, "groups": ["system:authenticated"] },
                "object": self.new,
                "oldObject": self.old,
                "dryRun": self.dry_run,
            }
        });
        Review::read(body.to_string().as_bytes()).unwrap()
    }

    fn store(&self) -> Store {
        let mut store = Store::default();
        for object in &self.given {
            store
                .apply(&Doc::from_value(object.clone()).unwrap())
                .unwrap();
        }
        store.set_synced(self.synced);
        store
    }

    fn verdict(&self) -> Verdict {
        Engine::new(self.settings.clone()).judge(&self.review().request, &self.store(), None)
    }

    fn answer(&self) -> Value {
        serde_json::from_slice(&answer(&self.review(), &self.verdict())).unwrap()
    }

    /// What the rule's finding came to, and why it came to less.
    #[track_caller]
    fn finding(&self, rule: &str) -> (Mode, Option<Lowered>) {
        let verdict = self.verdict();
        let found = verdict
            .findings
            .iter()
            .find(|finding| finding.rule.id == rule);
        let found = found.unwrap_or_else(|| panic!("{rule} says nothing"));
        (found.mode, found.lowered)
    }

    #[track_caller]
    fn refused(&self, rule: &str) {
        assert_eq!(self.finding(rule), (Mode::Deny, None), "{rule}");
        assert!(!self.verdict().allowed());
    }

    #[track_caller]
    fn warned(&self, rule: &str, why: Lowered) {
        assert_eq!(self.finding(rule), (Mode::Warn, Some(why)), "{rule}");
        self.allowed();
    }

    #[track_caller]
    fn allowed(&self) {
        let said: Vec<String> = self.verdict().denials().map(ToString::to_string).collect();
        assert!(
            said.is_empty(),
            "{said:#?}\nold: {}\nnew: {}",
            self.old,
            self.new
        );
    }

    #[track_caller]
    fn silent(&self) {
        let said: Vec<String> = self
            .verdict()
            .findings
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(said.is_empty(), "{said:#?}");
    }
}

/// A merge patch (RFC 7386).
fn but(object: &Value, change: Value) -> Value {
    let mut object = object.clone();
    patch(&mut object, change);
    object
}

fn patch(object: &mut Value, change: Value) {
    let Value::Object(changes) = change else {
        *object = change;
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (name, change) in changes {
        if change.is_null() {
            object.as_object_mut().unwrap().remove(&name);
        } else {
            patch(&mut object[name], change);
        }
    }
}

fn ramen(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "ramendr.openshift.io/v1alpha1",
        "kind": kind,
        "metadata": { "name": name },
        "spec": spec,
    })
}

fn drpc() -> Value {
    let spec = json!({
        "placementRef": { "name": "app-placement" },
        "drPolicyRef": { "name": "dr-policy" },
        "pvcSelector": { "matchLabels": { "app": "app" } },
        "preferredCluster": "east",
    });
    but(
        &ramen("DRPlacementControl", "app", &spec),
        json!({ "metadata": { "namespace": "app" } }),
    )
}

fn cluster(name: &str, network: &str) -> Value {
    ramen(
        "DRCluster",
        name,
        &json!({ "s3ProfileName": "s3", "cidrs": [network] }),
    )
}

fn east() -> Value {
    cluster("east", "10.0.0.0/24")
}

fn policy() -> Value {
    ramen(
        "DRPolicy",
        "dr-policy",
        &json!({ "drClusters": ["east", "west"], "schedulingInterval": "5m" }),
    )
}

fn placement() -> Value {
    json!({
        "apiVersion": "cluster.open-cluster-management.io/v1beta1",
        "kind": "Placement",
        "metadata": {
            "name": "app-placement",
            "namespace": "app",
            "annotations": { "cluster.open-cluster-management.io/experimental-scheduling-disable": "true" },
        },
        "spec": { "numberOfClusters": 1 },
    })
}

fn config() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "ramen-hub-operator-config", "namespace": "ramen-system" },
        "data": { "ramen_manager_config.yaml": "ramenOpsNamespace: ramen-ops\nmultiNamespace: { FeatureEnabled: true }\n" },
    })
}

fn world() -> Vec<Value> {
    vec![
        policy(),
        east(),
        cluster("west", "10.0.1.0/24"),
        placement(),
        config(),
    ]
}

/// A world in which whatever can be wrong with another object is.
fn hostile_world() -> Vec<Value> {
    let down = json!([
        { "type": "Validated", "status": "False", "reason": "DRClustersUnavailable" },
        { "type": "Fenced", "status": "True", "observedGeneration": 1 },
    ]);
    let fenced = json!({
        "metadata": { "generation": 1, "deletionTimestamp": GOING },
        "spec": { "clusterFence": "Fenced", "cidrs": ["10.0.0.0/8"] },
        "status": { "phase": "Fenced", "conditions": down },
    });
    let rival = json!({ "metadata": { "name": "rival" }, "spec": { "action": "Relocate" } });
    vec![
        but(
            &policy(),
            json!({
                "metadata": { "deletionTimestamp": GOING },
                "status": { "conditions": down, "sync": { "peerClasses": [{ "clusterIDs": ["e", "w"], "storageID": ["s"] }] } },
            }),
        ),
        but(&east(), fenced.clone()),
        but(&cluster("west", "10.0.1.0/24"), fenced),
        but(
            &placement(),
            json!({ "metadata": { "deletionTimestamp": GOING } }),
        ),
        but(&drpc(), rival),
        config(),
    ]
}

const PROFILES: [Profile; 3] = [Profile::Observe, Profile::Recommended, Profile::Strict];

// The ratchet.

#[test]
fn what_the_stored_object_has_too_warns() {
    let stored = but(
        &east(),
        json!({ "spec": { "cidrs": ["no network", "10.0.0.0/24"] } }),
    );
    let cidrs = |list: Value| update(&stored, but(&stored, json!({ "spec": { "cidrs": list } })));
    let rule = "drcluster-cidr-format";
    // The same thing at another place of the list, and the same place with another thing.
    cidrs(json!(["10.0.0.0/24", "no network"])).warned(rule, Lowered::Stored);
    cidrs(json!(["no network"])).warned(rule, Lowered::Stored);
    cidrs(json!(["nor this", "10.0.0.0/24"])).warned(rule, Lowered::Stored);
    // A new one beside it.
    assert!(!cidrs(json!(["no network", "nor this"])).verdict().allowed());
    cidrs(json!(["10.0.0.0/24"])).silent();
}

#[test]
fn a_stored_object_takes_the_action_it_needs_whatever_else_is_wrong_with_it() {
    let stored = but(
        &drpc(),
        json!({
            "metadata": { "name": "a".repeat(70), "ownerReferences": [{ "kind": "X", "name": "x", "controller": true }] },
            "spec": {
                "preferredCluster": "elsewhere",
                "protectedNamespaces": ["NO NAME", "ramen-ops"],
                "pvcSelector": { "matchExpressions": [{ "key": "a", "operator": "No" }] },
                "kubeObjectProtection": { "captureInterval": "1d", "recipeRef": {}, "kubeObjectSelector": { "matchLabels": { "a b": "" } } },
            },
        }),
    );
    for profile in PROFILES {
        let failover = json!({ "spec": { "action": "Failover", "failoverCluster": "west" } });
        update(&stored, but(&stored, failover))
            .with(profile)
            .allowed();
        let relocate = json!({ "spec": { "action": "Relocate", "preferredCluster": "west" } });
        update(&stored, but(&stored, relocate))
            .with(profile)
            .allowed();
        let marked =
            json!({ "metadata": { "labels": { "a": "b" }, "finalizers": ["example.com/x"] } });
        update(&stored, but(&stored, marked)).with(profile).silent();
    }
}

#[test]
fn what_is_stored_and_can_not_be_read_may_have_had_it_already() {
    let stored = but(&east(), json!({ "spec": { "cidrs": "10.0.0.0/8" } }));
    let wrong = but(&stored, json!({ "spec": { "cidrs": ["?"] } }));
    update(&stored, wrong).warned("drcluster-cidr-format", Lowered::Stored);
    let stored = but(&drpc(), json!({ "spec": { "dryRun": "no" } }));
    let crash =
        json!({ "spec": { "dryRun": false, "kubeObjectProtection": { "captureInterval": "1d" } } });
    update(&stored, but(&stored, crash)).refused("drpc-captureinterval-not-go-duration");
}

// Updates that leave the spec alone; objects that are going.

#[test]
fn an_update_that_leaves_spec_alone_is_allowed() {
    let wrong = [
        but(&drpc(), json!({ "spec": null })),
        but(
            &drpc(),
            json!({ "spec": { "action": "Failover", "dryRun": true, "preferredCluster": "x" } }),
        ),
        but(
            &policy(),
            json!({ "spec": { "drClusters": ["east", "east"] } }),
        ),
        but(
            &east(),
            json!({ "spec": { "cidrs": ["?"], "clusterFence": "Fenced", "s3ProfileName": "" } }),
        ),
    ];
    let change = json!({
        "metadata": {
            "labels": { "a": "b" },
            "annotations": { "a": "b" },
            "finalizers": ["drpc.ramendr.openshift.io/finalizer"],
            "ownerReferences": [{ "kind": "X", "name": "x" }],
        },
        "status": { "phase": "Deployed" },
    });
    for stored in wrong {
        for profile in PROFILES {
            update(&stored, but(&stored, change.clone()))
                .with(profile)
                .silent();
        }
    }
}

#[test]
fn an_object_that_is_going_may_change_all_but_its_spec() {
    let going = but(
        &drpc(),
        json!({
            "metadata": { "deletionTimestamp": GOING, "finalizers": ["drpc.ramendr.openshift.io/finalizer"], "annotations": { NOTED: "app" } },
        }),
    );
    let bare = but(
        &going,
        json!({ "metadata": { "finalizers": [], "annotations": null } }),
    );
    update(&going, bare).silent();
    // A change of the spec is judged as ever, less what the rules except.
    let elsewhere = json!({ "spec": { "preferredCluster": "elsewhere" } });
    update(&going, but(&going, elsewhere)).refused("drpc-preferred-cluster-in-policy");
    update(&going, but(&going, json!({ "spec": null }))).allowed();
    let cluster = but(
        &east(),
        json!({ "metadata": { "deletionTimestamp": GOING }, "spec": { "region": "r" } }),
    );
    update(
        &cluster,
        but(&cluster, json!({ "spec": { "region": null } })),
    )
    .allowed();
}

#[test]
fn an_object_stored_without_spec_may_get_one() {
    for whole in [drpc(), policy(), east()] {
        let bare = but(&whole, json!({ "spec": null }));
        update(&bare, whole.clone()).silent();
        update(
            &bare,
            but(&bare, json!({ "metadata": { "labels": { "a": "b" } } })),
        )
        .silent();
        assert!(!update(&whole, bare).verdict().allowed());
    }
}

// What is never judged.

#[test]
fn subresources_other_kinds_and_other_groups_are_never_judged() {
    let wrong = but(&drpc(), json!({ "spec": null }));
    for subresource in ["status", "scale", "finalizers"] {
        let mut ask = update(&drpc(), wrong.clone());
        ask.subresource = subresource;
        ask.silent();
        assert!(!ask.verdict().known);
    }
    create(but(&wrong, json!({ "apiVersion": "example.com/v1" }))).silent();
    create(but(&wrong, json!({ "kind": "Other" }))).silent();
}

#[test]
fn a_deletion_is_refused_by_nothing_that_is_on_by_default() {
    let used = but(&drpc(), json!({ "status": { "phase": "FailingOver" } }));
    let mut given = hostile_world();
    given.push(used.clone());
    for object in [
        used,
        policy(),
        but(&east(), json!({ "spec": { "clusterFence": "Fenced" } })),
        placement(),
    ] {
        delete(&object).among(given.clone()).allowed();
        let mut nothing = delete(&object);
        nothing.old = object.clone();
        nothing.among(Vec::new()).allowed();
    }
    let in_use = delete(&policy()).among(vec![drpc()]).with(Profile::Strict);
    in_use.refused("drpolicy-delete-in-use");
    in_use
        .clone()
        .by("system:serviceaccount:kube-system:generic-garbage-collector")
        .allowed();
    let going = json!({ "metadata": { "deletionTimestamp": GOING } });
    in_use
        .clone()
        .among(vec![but(&drpc(), going.clone())])
        .silent();
    // It goes already.
    let mut again = in_use;
    again.old = but(&policy(), going);
    again.silent();
}

// Who is at work.

#[test]
fn trusted_users_are_warned_where_others_are_refused() {
    let wrong = but(
        &policy(),
        json!({ "spec": { "drClusters": ["east", "east"] } }),
    );
    create(wrong.clone()).refused("drpolicy-drclusters-distinct");
    for user in [
        OPERATOR,
        "system:serviceaccount:openshift-operators:ramen-hub-operator",
        "system:serviceaccount:open-cluster-management-agent:klusterlet-work-sa",
        "system:serviceaccount:kube-system:generic-garbage-collector",
        "system:serviceaccount:kube-system:namespace-controller",
        "system:serviceaccount:openshift-adp:velero",
    ] {
        create(wrong.clone())
            .by(user)
            .warned("drpolicy-drclusters-distinct", Lowered::Trusted);
    }
    // What others are warned of is only noted down.
    let warned = create(but(
        &policy(),
        json!({ "spec": { "schedulingInterval": "90m" } }),
    ));
    assert_eq!(warned.finding("drpolicy-interval-cron").0, Mode::Warn);
    let trusted = warned.by(OPERATOR).finding("drpolicy-interval-cron");
    assert_eq!(trusted, (Mode::Audit, Some(Lowered::Trusted)));
    let groups = "trusted: { groups: ['system:authenticated'] }";
    create(wrong)
        .configured(groups)
        .warned("drpolicy-drclusters-distinct", Lowered::Trusted);
}

#[test]
fn the_crash_class_is_refused_to_everybody_where_it_is_new() {
    let rule = "drpc-captureinterval-not-go-duration";
    let every = |interval: &str| json!({ "spec": { "kubeObjectProtection": { "captureInterval": interval } } });
    let wrong = but(&drpc(), every("1d"));
    create(wrong.clone()).refused(rule);
    create(wrong.clone()).by(OPERATOR).refused(rule);
    create(but(
        &wrong,
        json!({ "metadata": { "labels": { "velero.io/restore-name": "r" } } }),
    ))
    .refused(rule);
    let failover = json!({ "spec": { "action": "Failover", "failoverCluster": "west" } });
    update(&drpc(), but(&wrong, failover.clone())).refused(rule);
    update(&wrong, but(&wrong, every("2d"))).refused(rule);
    update(&wrong, but(&wrong, failover)).allowed();
    let exempt = json!({ "metadata": { "annotations": { "guard.ramendr.openshift.io/exempt": format!("{rule} until 2999-01-01: no") } } });
    create(but(&wrong, exempt))
        .configured("exemptions: { enabled: true }")
        .refused(rule);
    create(wrong)
        .with(Profile::Observe)
        .warned(rule, Lowered::Observed);
}

#[test]
fn what_is_written_on_a_managed_cluster_warns_its_controllers_and_stops_at_what_stops_them() {
    const CONTROLLERS: [&str; 5] = [
        "system:serviceaccount:ramen-system:ramen-dr-cluster-operator",
        "system:serviceaccount:openshift-dr-system:ramen-dr-cluster-operator",
        "system:serviceaccount:open-cluster-management-agent:klusterlet-work-sa",
        "system:serviceaccount:open-cluster-management-agent:klusterlet",
        "system:serviceaccount:velero:velero",
    ];
    let spec = json!({
        "pvcSelector": { "matchLabels": { "app": "app" } },
        "replicationState": "secondary",
        "s3Profiles": ["NoS3"],
        "sync": {},
    });
    let group = but(
        &ramen("VolumeReplicationGroup", "app", &spec),
        json!({ "metadata": { "namespace": "app" } }),
    );
    let stateless = json!({ "spec": { "replicationState": "Primary" } });
    let days = json!({ "spec": { "kubeObjectProtection": { "captureInterval": "1d" } } });
    let text = |text: &str| json!({ "data": { "ramen_manager_config.yaml": text } });
    let torn = but(&config(), text("s3StoreProfiles: none"));

    let (state, interval, parse) = (
        "vrg-replication-state-enum",
        "vrg-capture-interval-go-duration",
        "config-parse",
    );
    for wrong in [
        create(but(&group, stateless.clone())),
        update(&group, but(&group, stateless)),
    ] {
        wrong.refused(state);
        for user in CONTROLLERS {
            wrong.clone().by(user).warned(state, Lowered::Trusted);
        }
    }
    for (wrong, rule) in [
        (create(but(&group, days.clone())), interval),
        (update(&group, but(&group, days.clone())), interval),
        (create(torn.clone()), parse),
        (update(&config(), torn.clone()), parse),
    ] {
        wrong.refused(rule);
        for user in CONTROLLERS {
            wrong.clone().by(user).refused(rule);
        }
    }
    // What is stored takes a failover, a finalizer and the rest, from everybody.
    let stored = but(&group, days);
    let torn_elsewhere = but(&torn, json!({ "data": { "other": "x" } }));
    for user in [&CONTROLLERS[..], &["kubernetes-admin"]].concat() {
        let failover = json!({ "spec": { "replicationState": "primary", "action": "Failover" } });
        update(&stored, but(&stored, failover)).by(user).allowed();
        let finalizers = json!({ "metadata": { "finalizers": ["a/b"], "labels": { "a": "b" } } });
        update(&stored, but(&stored, finalizers)).by(user).allowed();
        update(&torn, torn_elsewhere.clone()).by(user).allowed();
    }
}

#[test]
fn what_would_stop_a_controller_by_another_object_needs_that_object() {
    let rule = "vrg-ops-namespace-needs-protected-namespaces";
    let operator = json!({ "metadata": { "name": "ramen-dr-cluster-operator-config" } });
    let spec = json!({
        "pvcSelector": {},
        "replicationState": "primary",
        "s3Profiles": [],
        "sync": {},
        "action": "Failover",
    });
    let group = but(
        &ramen("VolumeReplicationGroup", "app", &spec),
        json!({ "metadata": { "namespace": "ramen-ops" } }),
    );
    let wrong = create(group).among(vec![but(&config(), operator)]);
    let agent = "system:serviceaccount:open-cluster-management-agent:klusterlet-work-sa";
    wrong.refused(rule);
    wrong.clone().by(agent).refused(rule);
    let verdict = wrong.verdict();
    assert!(!verdict.to_confirm.is_empty());
    assert!(verdict.unconfirmed().allowed());
    let mut early = wrong.clone();
    early.synced = false;
    early.warned(rule, Lowered::Unconfirmed);
    wrong.among(Vec::new()).allowed();
}

// Other objects: missing, not there yet, being restored, not read afresh.

#[test]
fn a_reference_to_what_is_missing_warns_and_never_refuses() {
    let discovered = but(
        &drpc(),
        json!({
            "metadata": { "namespace": "ramen-ops" },
            "spec": { "protectedNamespaces": ["x"], "kubeObjectProtection": { "recipeRef": { "name": "vm-recipe", "namespace": "ramen-ops" }, "recipeParameters": {} } },
        }),
    );
    let fenced = but(&east(), json!({ "spec": { "clusterFence": "Fenced" } }));
    let begun = but(
        &drpc(),
        json!({ "spec": { "action": "Failover", "failoverCluster": "west" } }),
    );
    for object in [
        drpc(),
        policy(),
        east(),
        discovered,
        fenced,
        begun,
        placement(),
    ] {
        for profile in PROFILES {
            for dry_run in [false, true] {
                let mut ask = create(object.clone()).among(Vec::new()).with(profile);
                ask.dry_run = dry_run;
                ask.allowed();
                let label = json!({ "metadata": { "labels": { "velero.io/backup-name": "b" } } });
                ask.new = but(&ask.new, label);
                ask.allowed();
            }
        }
    }
}

#[test]
fn a_bundle_may_be_created_in_any_order() {
    let bundle = [
        config(),
        east(),
        cluster("west", "10.0.1.0/24"),
        policy(),
        placement(),
        drpc(),
    ];
    for first in 0..bundle.len() {
        for backwards in [false, true] {
            let mut order = bundle.to_vec();
            order.rotate_left(first);
            if backwards {
                order.reverse();
            }
            for at in 0..order.len() {
                let stored = order[..at].to_vec();
                create(order[at].clone())
                    .among(stored)
                    .with(Profile::Strict)
                    .allowed();
            }
        }
    }
}

#[test]
fn what_is_not_cached_yet_never_refuses() {
    let rival = but(&drpc(), json!({ "metadata": { "name": "rival" } }));
    let mut given = world();
    given.push(rival);
    let shared = create(drpc()).among(given);
    shared.refused("drpc-placement-shared");
    let mut early = shared;
    early.synced = false;
    early.warned("drpc-placement-shared", Lowered::Unconfirmed);
    early.given.clear();
    early.allowed();
}

#[test]
fn of_two_configurations_that_differ_neither_refuses() {
    let rule = "drpc-protectednamespaces-outside-opsns";
    let wrong = create(but(
        &drpc(),
        json!({ "spec": { "protectedNamespaces": ["x"] } }),
    ));
    wrong.refused(rule);
    let olm = json!({ "metadata": { "namespace": "openshift-operators" } });
    let among = |change: Value| {
        let mut given = world();
        given.push(but(&but(&config(), olm.clone()), change));
        wrong.clone().among(given)
    };
    among(json!({})).refused(rule);
    for text in [
        "ramenOpsNamespace: app",
        "ramenOpsNamespace: other",
        "",
        "{{",
    ] {
        let change = json!({ "data": { "ramen_manager_config.yaml": text } });
        among(change).warned(rule, Lowered::Unconfirmed);
    }
    // Where there is only that one, it is the one.
    let mut given = world();
    given.retain(|object| object["kind"] != "ConfigMap");
    wrong.clone().among(given.clone()).allowed();
    given.push(but(&config(), olm.clone()));
    wrong.clone().among(given).refused(rule);
}

#[test]
fn a_denial_for_another_object_needs_it_read_afresh() {
    let wrong = create(but(
        &drpc(),
        json!({ "spec": { "preferredCluster": "elsewhere" } }),
    ));
    let verdict = wrong.verdict();
    let keys = verdict.to_confirm.clone();
    assert!(
        keys.iter()
            .any(|key| key.kind == "DRPolicy" && &*key.name == "dr-policy"),
        "{keys:?}"
    );
    let unconfirmed = verdict.unconfirmed();
    assert!(unconfirmed.allowed());
    assert!(
        unconfirmed
            .warnings()
            .any(|finding| finding.lowered == Some(Lowered::Unconfirmed))
    );
    let judge =
        |live: &Live| Engine::default().judge(&wrong.review().request, &wrong.store(), Some(live));
    let mut live = Live {
        keys,
        ..Live::default()
    };
    assert!(judge(&live).allowed(), "the policy is gone meanwhile");
    live.store
        .apply(&Doc::from_value(policy()).unwrap())
        .unwrap();
    let afresh = judge(&live);
    assert!(!afresh.allowed() && afresh.to_confirm.is_empty());
    // The object itself is as fresh as can be.
    let alone = create(but(
        &drpc(),
        json!({ "spec": { "placementRef": { "name": "" } } }),
    ))
    .verdict();
    assert!(!alone.allowed() && alone.to_confirm.is_empty());
}

#[test]
fn what_a_backup_puts_back_is_never_refused() {
    let wrong = [
        but(
            &drpc(),
            json!({ "metadata": { "name": "a".repeat(64) }, "spec": { "action": "Failover", "preferredCluster": "x" } }),
        ),
        but(&drpc(), json!({ "spec": null })),
        but(
            &policy(),
            json!({ "spec": { "drClusters": ["east", "east"] } }),
        ),
        but(
            &east(),
            json!({ "spec": { "cidrs": ["?"], "s3ProfileName": "" } }),
        ),
    ];
    for object in wrong {
        assert!(!create(object.clone()).verdict().allowed());
        for label in ["velero.io/restore-name", "velero.io/backup-name"] {
            let mut restored = object.clone();
            restored["metadata"]["labels"] = json!({ label: "x" });
            for profile in PROFILES {
                create(restored.clone()).with(profile).allowed();
            }
        }
    }
    // Later on the label is a label.
    let restored = but(
        &drpc(),
        json!({ "metadata": { "labels": { "velero.io/restore-name": "x" } } }),
    );
    update(
        &restored,
        but(&restored, json!({ "spec": { "preferredCluster": "x" } })),
    )
    .refused("drpc-preferred-cluster-in-policy");
}

// Recoveries.

#[test]
fn no_status_condition_refuses() {
    let conditions: Vec<Value> = ["Available", "PeerReady", "Protected", "Validated"]
        .iter()
        .map(|name| json!({ "type": name, "status": "False" }))
        .collect();
    let stored = but(
        &drpc(),
        json!({ "status": { "phase": "Deployed", "conditions": conditions } }),
    );
    let mut given = world();
    given[0] = but(
        &given[0],
        json!({ "status": { "conditions": [{ "type": "Validated", "status": "False" }] } }),
    );
    for spec in [
        json!({ "action": "Failover", "failoverCluster": "west" }),
        json!({ "action": "Relocate", "preferredCluster": "west" }),
        json!({ "action": "Failover", "failoverCluster": "west", "dryRun": true }),
    ] {
        let changed = but(&stored, json!({ "spec": spec }));
        update(&stored, changed.clone())
            .among(given.clone())
            .with(Profile::Strict)
            .allowed();
        create(changed)
            .among(given.clone())
            .with(Profile::Strict)
            .allowed();
    }
}

#[test]
fn nothing_but_the_object_and_its_policy_refuses_a_recovery() {
    let stored = but(
        &drpc(),
        json!({ "spec": { "failoverCluster": "west" }, "status": { "phase": "FailingOver" } }),
    );
    let failing = but(&stored, json!({ "spec": { "action": "Failover" } }));
    let strict = |ask: Ask| ask.among(hostile_world()).with(Profile::Strict);
    // An action that is set, kept, or taken back.
    strict(update(&stored, failing.clone())).allowed();
    strict(create(failing.clone())).allowed();
    strict(update(
        &failing,
        but(&failing, json!({ "spec": { "failoverCluster": "east" } })),
    ))
    .allowed();
    strict(update(
        &failing,
        but(
            &failing,
            json!({ "spec": { "protectedNamespaces": ["x"] } }),
        ),
    ))
    .warned("drpc-protectednamespaces-outside-opsns", Lowered::Recovery);
    strict(update(&failing, stored.clone())).allowed();
    // A fence that is set, changed, or taken back, and what it waits for.
    for before in FENCES {
        for after in FENCES {
            let was = but(&east(), json!({ "spec": { "clusterFence": before } }));
            let is = but(&was, json!({ "spec": { "clusterFence": after } }));
            strict(update(&was, is.clone())).allowed();
            strict(create(is)).allowed();
        }
    }
    let fenced = but(&east(), json!({ "spec": { "clusterFence": "Fenced" } }));
    strict(update(
        &fenced,
        but(&fenced, json!({ "spec": { "cidrs": ["10.0.1.0/24"] } })),
    ))
    .allowed();
    // What the object says alone, and that the cluster is none of its policy's.
    let elsewhere = json!({ "spec": { "failoverCluster": "elsewhere" } });
    update(&stored, but(&failing, elsewhere)).refused("drpc-failover-cluster-in-policy");
    let nowhere = json!({ "spec": { "failoverCluster": null } });
    update(&stored, but(&failing, nowhere)).refused("drpc-failover-cluster-required");
    update(&east(), but(&fenced, json!({ "spec": { "cidrs": [] } })))
        .refused("drcluster-fence-needs-cidrs");
}

const FENCES: [Option<&str>; 5] = [
    None,
    Some("Fenced"),
    Some("Unfenced"),
    Some("ManuallyFenced"),
    Some("ManuallyUnfenced"),
];

#[test]
fn every_action_follows_every_other_in_every_phase() {
    let actions = [None, Some("Failover"), Some("Relocate")];
    let phases = [
        "",
        "WaitForUser",
        "Initiating",
        "Deploying",
        "Deployed",
        "FailingOver",
        "FailedOver",
        "Relocating",
        "Relocated",
        "Deleting",
    ];
    let clusters = ["east", "west"];
    for phase in phases {
        for (before, after) in pairs(&actions) {
            for (from, to) in pairs(&clusters) {
                for last in ["", "east", "west"] {
                    let was = but(
                        &drpc(),
                        json!({
                            "metadata": { "annotations": {
                                "drplacementcontrol.ramendr.openshift.io/last-app-deployment-cluster": last,
                            } },
                            "spec": { "action": before, "failoverCluster": from, "preferredCluster": to },
                            "status": { "phase": phase, "progression": "Cleaning Up" },
                        }),
                    );
                    let is = but(
                        &was,
                        json!({ "spec": { "action": after, "failoverCluster": to, "preferredCluster": from } }),
                    );
                    let is = if after.is_none() {
                        but(&is, json!({ "spec": { "action": null } }))
                    } else {
                        is
                    };
                    update(&was, is).with(Profile::Strict).allowed();
                }
            }
        }
    }
}

fn pairs<T: Copy>(all: &[T]) -> Vec<(T, T)> {
    all.iter()
        .flat_map(|one| all.iter().map(move |other| (*one, *other)))
        .collect()
}

// What counts as absent, and as the same.

#[test]
fn null_and_empty_are_absent() {
    let with = |object: Value, pointer: &str, value: &Value| {
        let mut object = object;
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[name] = value.clone();
        object
    };
    let empty = [json!(null), json!(""), json!([]), json!({})];
    for (object, pointer, kinds) in [
        (drpc(), "/spec/failoverCluster", &empty[..2]),
        (drpc(), "/spec/placementRef/namespace", &empty[..2]),
        (drpc(), "/spec/drPolicyRef/kind", &empty[..2]),
        (
            drpc(),
            "/spec/protectedNamespaces",
            &[json!(null), json!([])],
        ),
        (
            drpc(),
            "/spec/kubeObjectProtection",
            &[json!(null), json!({})],
        ),
        (drpc(), "/spec/dryRun", &[json!(null), json!(false)]),
        (drpc(), "/spec/action", &empty[..1]),
        (east(), "/spec/cidrs", &[json!(null), json!([])]),
        (east(), "/spec/region", &empty[..2]),
        (east(), "/spec/clusterFence", &empty[..1]),
        (
            policy(),
            "/spec/replicationClassSelector",
            &[json!(null), json!({})],
        ),
        (
            policy(),
            "/spec/volumeSnapshotClassSelector",
            &[json!(null), json!({})],
        ),
        (
            policy(),
            "/spec/networkMappingRef",
            &[json!(null), json!({}), json!({ "name": "" })],
        ),
    ] {
        for value in kinds {
            let changed = with(object.clone(), pointer, value);
            create(changed.clone()).allowed();
            // A list of networks may go; what the CRD compares may not, but for what it fills in itself.
            if !pointer.contains("Ref/") {
                update(&object, changed.clone()).allowed();
                update(&changed, object.clone()).allowed();
            }
        }
    }
    create(with(drpc(), "/spec", &Value::Null)).refused("drpc-spec-required");
    create(with(drpc(), "/spec/action", &json!(""))).refused("drpc-action-enum");
}

#[test]
fn a_name_that_is_still_to_be_made_is_no_mistake() {
    let mut unnamed = drpc();
    unnamed["metadata"] = json!({ "generateName": "app-", "namespace": "app" });
    create(unnamed).allowed();
    let mut unnamed = east();
    unnamed["metadata"] = json!({ "generateName": "east-" });
    create(unnamed).allowed();
}

#[test]
fn what_a_newer_ramen_has_besides_never_refuses() {
    let more = json!({ "spec": { "newer": { "a": [1] } }, "status": { "newer": 1, "phase": 7 } });
    let other = json!({ "spec": { "preferredCluster": { "name": "east" }, "cidrs": "10.0.0.0/8", "drClusters": { "a": "b" } } });
    for object in [drpc(), policy(), east()] {
        for change in [&more, &other] {
            let newer = but(&object, change.clone());
            create(newer.clone()).with(Profile::Strict).allowed();
            update(
                &newer,
                but(&newer, json!({ "metadata": { "labels": { "a": "b" } } })),
            )
            .silent();
        }
    }
}

// Profiles, overrides, exemptions.

#[test]
fn observe_refuses_nothing_and_counts_what_would_have_been() {
    let rule = "drcluster-cidr-format";
    let wrong = but(&east(), json!({ "spec": { "cidrs": ["?"] } }));
    create(wrong.clone())
        .with(Profile::Observe)
        .warned(rule, Lowered::Observed);
    // What would not have been refused is not counted as if it would.
    let stored = but(&wrong, json!({ "spec": { "cidrs": ["?", "??"] } }));
    update(&stored, wrong.clone())
        .with(Profile::Observe)
        .warned(rule, Lowered::Stored);
    create(wrong.clone())
        .with(Profile::Observe)
        .by(OPERATOR)
        .warned(rule, Lowered::Trusted);
    let exempt = json!({ "metadata": { "annotations": { "guard.ramendr.openshift.io/exempt": format!("{rule} until 2999-01-01: lab") } } });
    let exempted = create(but(&wrong, exempt))
        .configured("{ profile: observe, exemptions: { enabled: true } }");
    assert_eq!(
        exempted.finding(rule),
        (Mode::Audit, Some(Lowered::Exempted))
    );
    create(wrong)
        .configured(&format!(
            "{{ profile: observe, rules: {{ {rule}: deny }} }}"
        ))
        .refused(rule);
}

#[test]
fn strict_refuses_what_the_rules_call_strict() {
    let overlap = but(&east(), json!({ "spec": { "cidrs": ["10.0.1.5/32"] } }));
    let rule = "drcluster-peer-cidr-overlap";
    assert_eq!(create(overlap.clone()).finding(rule), (Mode::Warn, None));
    create(overlap.clone()).with(Profile::Strict).refused(rule);
    create(overlap.clone())
        .configured(&format!("rules: {{ {rule}: deny }}"))
        .refused(rule);
    let off = create(overlap)
        .configured(&format!("rules: {{ {rule}: off }}"))
        .verdict();
    assert!(off.findings.iter().all(|finding| finding.rule.id != rule));
    for contract in policy::contracts() {
        assert!(
            contract.mode_in(Profile::Observe) < Mode::Deny,
            "{}",
            contract.id
        );
        assert!(
            contract.mode_in(Profile::Strict) >= contract.mode_in(Profile::Recommended),
            "{}",
            contract.id
        );
    }
}

#[test]
fn an_exemption_holds_for_its_rules_until_its_day_and_only_if_allowed() {
    let rule = "drcluster-cidr-format";
    let wrong = but(&east(), json!({ "spec": { "cidrs": ["?"] } }));
    let ask = |text: &str, configuration: &str| {
        let exempt =
            json!({ "metadata": { "annotations": { "guard.ramendr.openshift.io/exempt": text } } });
        let mut ask = create(but(&wrong, exempt)).configured(configuration);
        ask.settings.today = "2026-06-15".to_owned();
        ask
    };
    let allowed = "exemptions: { enabled: true }";
    let held = ask(
        &format!("drcluster-nos3, {rule} until 2026-06-15: old lab"),
        allowed,
    );
    held.allowed();
    assert_eq!(held.finding(rule), (Mode::Audit, Some(Lowered::Exempted)));
    for (text, configuration) in [
        (format!("{rule} until 2026-06-14: old lab"), allowed),
        (format!("{rule} until 2026-06-15:"), allowed),
        (format!("{rule}: old lab"), allowed),
        (
            "drcluster-cidr-formats until 2026-06-15: old lab".to_owned(),
            allowed,
        ),
        (format!("{rule} until 2026-06-15: old lab"), ""),
    ] {
        let ask = ask(&text, configuration);
        ask.refused(rule);
        assert_eq!(ask.finding("exemption-invalid").0, Mode::Warn, "{text}");
    }
}

// What is answered.

#[test]
fn a_denial_is_forbidden_and_lists_every_finding() {
    let wrong = create(but(
        &drpc(),
        json!({ "spec": {
        "action": "Failover", "preferredCluster": "x", "placementRef": { "name": "" }, "protectedNamespaces": ["NO", "ok", "NO"],
    } }),
    ));
    let response = &wrong.answer()["response"];
    assert_eq!(
        (&response["allowed"], &response["status"]["code"]),
        (&json!(false), &json!(403))
    );
    assert_eq!(response["status"]["reason"], "Forbidden");
    let causes = response["status"]["details"]["causes"].as_array().unwrap();
    assert_eq!(causes.len(), wrong.verdict().denials().count());
    let message = response["status"]["message"].as_str().unwrap();
    for cause in causes {
        for part in ["reason", "field"] {
            assert!(message.contains(cause[part].as_str().unwrap()), "{message}");
        }
        assert!(!cause["message"].as_str().unwrap().is_empty());
    }
    assert!(
        causes
            .iter()
            .any(|cause| cause["field"] == "spec.protectedNamespaces[0]")
    );
}

#[test]
fn a_denial_never_has_the_words_that_make_clients_delete() {
    for (old, change) in [
        (
            drpc(),
            json!({ "spec": { "placementRef": { "name": "x" }, "drPolicyRef": { "name": "x" }, "pvcSelector": { "matchLabels": { "x": "x" } } } }),
        ),
        (
            policy(),
            json!({ "spec": { "drClusters": ["a", "b"], "schedulingInterval": "1h", "replicationClassSelector": { "matchLabels": { "x": "x" } } } }),
        ),
        (
            but(&east(), json!({ "spec": { "region": "r" } })),
            json!({ "spec": { "region": "s", "s3ProfileName": "x" } }),
        ),
    ] {
        let ask = update(&old, but(&old, change));
        let text = ask.answer().to_string();
        assert!(text.contains("may not change after creation"), "{text}");
        assert!(
            !text.contains("is immutable") && !text.contains("immutable field"),
            "{text}"
        );
        // The phase that comes before the CRD's own refusal says the same.
        let early = Engine::default().judge_early(&ask.review().request);
        assert_eq!(early.denials().count(), ask.verdict().denials().count());
    }
    for contract in policy::contracts() {
        let said = format!("{} {} {}", contract.what, contract.why, contract.fix);
        assert!(
            !said.contains("is immutable") && !said.contains("immutable field"),
            "{}",
            contract.id
        );
    }
}

#[test]
fn a_warning_has_at_most_200_characters_and_there_are_at_most_eight_and_one() {
    let namespaces: Vec<String> = std::iter::repeat_n("n\u{e9}".repeat(200), 30).collect();
    let many = create(but(
        &drpc(),
        json!({ "spec": { "protectedNamespaces": namespaces } }),
    ))
    .with(Profile::Observe);
    let answer = many.answer();
    let warnings = answer["response"]["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 9);
    for warning in &warnings[..8] {
        let (rule, _) = warning.as_str().unwrap().split_once(':').unwrap();
        assert!(policy::contract(rule).is_some(), "{rule}");
    }
    assert!(warnings[8].as_str().unwrap().contains("more"));
    assert!(
        warnings
            .iter()
            .all(|warning| warning.as_str().unwrap().chars().count() <= 200)
    );
}

#[test]
fn the_same_request_has_the_same_answer_whatever_the_order_of_the_world() {
    let rivals = (0..6).map(|n| {
        but(
            &drpc(),
            json!({ "metadata": { "name": format!("rival-{n}") } }),
        )
    });
    let mut given: Vec<Value> = world().into_iter().chain(rivals).collect();
    let wrong = but(
        &drpc(),
        json!({ "spec": { "preferredCluster": "x", "failoverCluster": "y", "protectedNamespaces": ["B", "a", "A"] } }),
    );
    let answer = create(wrong.clone()).among(given.clone()).answer();
    for _ in 0..given.len() {
        given.rotate_left(1);
        assert_eq!(create(wrong.clone()).among(given.clone()).answer(), answer);
    }
    given.reverse();
    let mut tried = create(wrong).among(given);
    tried.dry_run = true;
    assert_eq!(tried.answer(), answer);
}

// Every refusal that the scenarios tell of, against the gates.

/// A request that a scenario says is refused, made into another one.
fn refusals(change: impl Fn(&mut Request)) -> Vec<(&'static Scenario, Request, Store)> {
    let refused = scenarios()
        .iter()
        .filter(|scenario| matches!(scenario.expected, Expected::Refused(_)));
    let made = refused.map(|scenario| {
        let mut request = scenario.request();
        change(&mut request);
        let mut store = Store::default();
        for object in &scenario.given {
            store
                .apply(&Doc::from_value(object.clone()).unwrap())
                .unwrap();
        }
        (scenario, request, store)
    });
    made.collect()
}

/// The rules that refuse a scenario's request, of those that may not.
fn left(
    scenario: &Scenario,
    verdict: &Verdict,
    may: fn(&policy::Contract) -> bool,
) -> Option<String> {
    let left: Vec<String> = verdict
        .denials()
        .filter(|f| !may(&f.rule))
        .map(ToString::to_string)
        .collect();
    (!left.is_empty()).then(|| format!("{}: {}: {left:#?}", scenario.rule, scenario.story))
}

fn none_left(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn strict() -> Engine {
    Engine::new(Settings::default().with_profile(Profile::Strict))
}

#[test]
fn no_refusal_but_a_crash_meets_a_trusted_user_or_a_restore() {
    let trusted = refusals(|request| OPERATOR.clone_into(&mut request.user.name));
    let restored = refusals(|request| {
        if let Some(new) = request
            .new
            .as_mut()
            .filter(|_| request.operation == Operation::Create)
        {
            patch(
                &mut new.value,
                json!({ "metadata": { "labels": { "velero.io/restore-name": "r" } } }),
            );
        }
    });
    let restored = restored
        .into_iter()
        .filter(|(_, request, _)| request.operation == Operation::Create);
    let wrong: Vec<String> = trusted
        .into_iter()
        .chain(restored)
        .filter_map(|(scenario, request, store)| {
            left(scenario, &strict().judge(&request, &store, None), |rule| {
                rule.crash
            })
        })
        .collect();
    none_left(&wrong);
}

#[test]
fn no_refusal_for_another_object_survives_what_can_not_be_read() {
    let object_local = |rule: &policy::Contract| rule.scope == Scope::Object;
    let mut wrong = Vec::new();
    for (scenario, request, store) in refusals(|_| ()) {
        let verdict = strict().judge(&request, &store, None).unconfirmed();
        wrong.extend(left(scenario, &verdict, object_local));
        let mut nothing = Store::default();
        nothing.set_synced(false);
        wrong.extend(left(
            scenario,
            &strict().judge(&request, &nothing, None),
            object_local,
        ));
    }
    none_left(&wrong);
}

#[test]
fn no_refusal_for_another_object_meets_a_recovery() {
    let recovering = refusals(|request| {
        let (kind, new) = (request.kind.clone(), request.new.as_mut());
        let change = match &*kind {
            "DRPlacementControl" => {
                json!({ "spec": { "action": "Failover", "failoverCluster": "west" } })
            }
            _ => json!({ "spec": { "clusterFence": "Fenced" } }),
        };
        if let Some(new) = new.filter(|_| ["DRPlacementControl", "DRCluster"].contains(&&*kind)) {
            patch(&mut new.value, change);
        }
    });
    let wrong: Vec<String> = recovering
        .into_iter()
        .filter(|(_, request, _)| ["DRPlacementControl", "DRCluster"].contains(&&*request.kind))
        .filter_map(|(scenario, request, store)| {
            left(scenario, &strict().judge(&request, &store, None), |rule| {
                rule.scope != Scope::World
            })
        })
        .collect();
    none_left(&wrong);
}

#[test]
fn nothing_is_refused_that_only_marks_a_stored_object_or_that_is_observed() {
    let mut wrong = Vec::new();
    for (scenario, request, store) in refusals(|_| ()) {
        let observe = Engine::new(Settings::default().with_profile(Profile::Observe));
        wrong.extend(left(
            scenario,
            &observe.judge(&request, &store, None),
            |_| false,
        ));
        let Some(stored) = &request.new else { continue };
        let mut marked = request.clone();
        marked.operation = Operation::Update;
        marked.old = Some(stored.clone());
        let mark =
            json!({ "metadata": { "labels": { "a": "b" }, "finalizers": ["example.com/a"] } });
        patch(&mut marked.new.as_mut().unwrap().value, mark);
        wrong.extend(left(
            scenario,
            &strict().judge(&marked, &store, None),
            |_| false,
        ));
    }
    none_left(&wrong);
}

/// The stored object has each fault already; the request writes every other field anew.
#[test]
fn no_fault_that_is_stored_refuses_a_change_of_anything_else() {
    let mut wrong = Vec::new();
    for (scenario, request, store) in refusals(|_| ()) {
        let Some(stored) = request
            .new
            .clone()
            .filter(|new| new.value.get("spec").is_some())
        else {
            continue;
        };
        let changes = match &*request.kind {
            "DRPlacementControl" => vec![
                json!({ "action": "Failover", "failoverCluster": "west" }),
                json!({ "action": "Relocate", "preferredCluster": "west" }),
                json!({ "preferredCluster": "west" }),
                json!({ "failoverCluster": "west" }),
                json!({ "kubeObjectProtection": { "recipeParameters": { "A": ["b"] } } }),
                json!({ "volSyncSpec": { "moverConfig": [] } }),
            ],
            "DRCluster" => FENCES[2..]
                .iter()
                .map(|fence| json!({ "clusterFence": fence }))
                .collect(),
            "DRPolicy" => vec![json!({ "networkMappingRef": { "name": "networks" } })],
            "VolumeReplicationGroup" => vec![
                json!({ "replicationState": "secondary" }),
                json!({ "replicationState": "primary", "action": "Failover" }),
                json!({ "prepareForFinalSync": true, "action": "Relocate" }),
                json!({ "s3Profiles": ["s3"] }),
                json!({ "volSync": { "rdSpec": [] } }),
                json!({ "kubeObjectProtection": { "kubeObjectSelector": {} } }),
            ],
            _ => continue,
        };
        for change in changes {
            let mut changed = request.clone();
            changed.operation = Operation::Update;
            changed.old = Some(stored.clone());
            patch(
                &mut changed.new.as_mut().unwrap().value,
                json!({ "spec": change }),
            );
            // Whoever sets an action beside `dryRun` begins a test, or breaks one off.
            let tested = stored.value.pointer("/spec/dryRun").is_some();
            if !tested {
                wrong.extend(left(
                    scenario,
                    &strict().judge(&changed, &store, None),
                    |_| false,
                ));
            }
        }
    }
    none_left(&wrong);
}
