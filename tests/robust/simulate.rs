//! Whatever a hub holds, `simulate` says something about it: the same every time, and nothing that a
//! terminal obeys.

use ramen_guard::{
    api::{DRCluster, DRPlacementControl, Doc, Key},
    policy::Mode,
    simulate::{self, Action, Ask, AskError, OffsetDateTime, Said, Simulation, Width, World},
};

use super::*;

const ACTIONS: [Action; 4] = [
    Action::Failover,
    Action::Relocate,
    Action::Fence,
    Action::Unfence,
];

fn hub(objects: &[Value], live: bool) -> World {
    let mut world = World::new(live);
    for object in objects {
        if let Ok(doc) = Doc::from_value(object.clone()) {
            // What does not fit can be named all the same.
            let _ = world.store.apply(&doc);
            world.keep(&doc);
        }
    }
    world.complete();
    world
}

/// The objects of a scenario, the one that it is about among them.
fn objects(scenario: &Scenario) -> Vec<Value> {
    let subject = [&scenario.old, &scenario.new];
    let mut objects = scenario.given.clone();
    objects.extend(subject.into_iter().flatten().cloned());
    objects
}

fn named(world: &World, action: Action) -> Vec<Key> {
    match action {
        Action::Failover | Action::Relocate => {
            world.named::<DRPlacementControl>().cloned().collect()
        }
        Action::Fence | Action::Unfence => world.named::<DRCluster>().cloned().collect(),
    }
}

/// Asks about everything that can be named, and holds what must hold of each answer.
fn ask_all(
    given: &[Value],
    to: Option<&str>,
    live: bool,
    engine: &Engine,
    now: OffsetDateTime,
) -> usize {
    let mut said = 0;
    for action in ACTIONS {
        for key in named(&hub(given, live), action) {
            let namespace = Some(&*key.namespace).filter(|it| !it.is_empty());
            let ask = Ask {
                action,
                name: &key.name,
                namespace,
                to,
            };
            let run = || simulate::simulate(engine, &mut hub(given, live), &ask, now);
            match (run(), run()) {
                (Ok(one), Ok(two)) => {
                    said += 1;
                    holds(one, two);
                }
                (Err(one), Err(two)) => {
                    assert_eq!(one, two);
                    assert!(matches!(
                        one,
                        AskError::NoTarget { .. }
                            | AskError::Unfit(_)
                            | AskError::Missing { .. }
                            | AskError::Several { .. }
                    ));
                }
                (one, two) => panic!("{one:?} {two:?}"),
            }
        }
    }
    said
}

fn holds(one: Simulation, two: Simulation) {
    let denies = one.findings.iter().any(|it| it.mode == Mode::Deny);
    assert_eq!(denies, one.said == Said::Refused, "{one:?}");
    assert!(!one.rows.is_empty());
    let (one, two) = ([one], [two]);
    assert_eq!(simulate::json(&one), simulate::json(&two));
    for columns in [None, Some(0), Some(72)] {
        let width = Width {
            colour: false,
            columns,
        };
        let text = simulate::human(&one, width);
        assert_eq!(text, simulate::human(&two, width));
        let obeyed = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(obeyed, None, "{text:?}");
    }
}

fn noon() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_768_478_400).unwrap()
}

/// Every scenario's world, with every action, to one place or another.
#[test]
fn every_world_can_be_simulated() {
    let engine = Engine::default();
    let mut said = 0;
    let targets = [None, Some("west"), Some("mars"), None, Some("east")];
    for (scenario, to) in scenarios().iter().zip(targets.iter().cycle()) {
        said += ask_all(&objects(scenario), *to, false, &engine, noon());
    }
    assert!(said > 1_000, "only {said}");
}

fn status() -> impl Strategy<Value = Value> {
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
    let steps = [
        "",
        "Completed",
        "Cleaning Up",
        "WaitOnUserToCleanUp",
        "WaitForFencing",
        "Paused",
        "TestingFailover",
        "RunningFinalSync",
    ];
    let condition = || prop::sample::select(vec!["True", "False", "Unknown", "", "x"]);
    let time = prop_oneof![
        Just("2026-01-15T11:56:00Z".to_owned()),
        Just("9999-12-31T23:59:59-23:59".to_owned()),
        Just("0000-01-01T00:00:00+23:59".to_owned()),
        word(),
    ];
    let phase = prop::sample::select(phases.to_vec());
    let step = prop::sample::select(steps.to_vec());
    (phase, step, [condition(), condition(), condition(), condition()], time, any::<i64>()).prop_map(
        |(phase, step, found, time, number)| {
            let types = ["Available", "PeerReady", "Protected", "Fenced"];
            let conditions: Vec<Value> = types
                .iter()
                .zip(found)
                .map(|(type_, status)| json!({"type": type_, "status": status, "observedGeneration": number}))
                .collect();
            json!({
                "phase": phase, "progression": step, "conditions": conditions,
                "lastGroupSyncTime": time, "lastKubeObjectProtectionTime": time,
                "lastGroupSyncBytes": number, "observedGeneration": number,
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_world_can_be_simulated(
        scenario in scenario(),
        status in status(),
        changes in vec(change(), 0..6),
        to in prop_oneof![Just(None), Just(Some("west".to_owned())), word().prop_map(Some)],
        live in any::<bool>(),
        seconds in -60_000_000_000_i64..200_000_000_000,
    ) {
        let mut given = objects(scenario);
        for object in &mut given {
            if object["kind"] == "DRPlacementControl" || object["kind"] == "DRCluster" {
                object["status"] = status.clone();
            }
        }
        let given = changed(Value::from(given), &changes);
        let given = given.as_array().cloned().unwrap_or_default();
        let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        let engine = Engine::new(Settings::default().with_profile(scenario.profile));
        ask_all(&given, to.as_deref(), live, &engine, now);
    }
}
