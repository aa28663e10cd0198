//! The page of metrics, from the registry of a guard that has all its parts.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use ramen_guard::{
    admission::{
        guard::{Guard, KINDS, World},
        metrics::{Described, Metrics},
        world::WorldMetrics,
    },
    engine::Engine,
    reconcile::{Lives, Options, Pace, Reconciler},
    world::Cluster,
};
use tokio_util::sync::CancellationToken;

use super::text::{escaped, inline};

/// The page.
pub(crate) fn page() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         In the text format of Prometheus, at `/metrics` of the port that `--metrics-bind` names (8080). The overlay \
         `monitoring` has a ServiceMonitor, alerts and a dashboard. What only the replica that leads knows is absent, \
         or stays at 0, on the others.\n\n\
         | name | type | labels | what |\n| --- | --- | --- | --- |\n",
    );
    for Described { name, labels, help } in described() {
        let labels: Vec<String> = labels.iter().map(|label| inline(label)).collect();
        page += &format!(
            "| {} | {} | {} | {} |\n",
            inline(&name),
            sort(&name),
            labels.join(", "),
            escaped(&help)
        );
    }
    page
}

/// The names say it, as Prometheus wants them to.
fn sort(name: &str) -> &'static str {
    match name {
        name if name.ends_with("_total") => "counter",
        name if name.ends_with("_duration_seconds") => "histogram",
        _ => "gauge",
    }
}

/// Everything that a guard in a cluster registers. No cluster is asked: nobody answers at this address.
fn described() -> Vec<Described> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
        let client = kube::Client::try_from(config).unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        let metrics = Arc::new(Metrics::new(KINDS).unwrap());
        let world = Cluster::watch(client.clone(), "ramen-system", &stop);
        metrics
            .register(WorldMetrics::new(Arc::clone(&world)).unwrap())
            .unwrap();
        let options = Options {
            namespace: "ramen-guard-system".to_owned(),
            pace: Pace::times(1.0),
            lives: Some(Lives::default()),
        };
        let (reconciler, _) = Reconciler::new(&client, options, &metrics).unwrap();
        let guard = Guard::new(
            Engine::default(),
            World::Cluster(Arc::clone(&world)),
            Arc::clone(&metrics),
        );
        let tasks = reconciler.start(Arc::new(guard), world, &metrics, &stop);
        tasks.unwrap().abort_all();
        metrics.described()
    })
}

/// The names of metrics in the sources.
fn named(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for (at, _) in text.match_indices("\"ramen_guard_") {
                let name = text[at + 1..].split('"').next().unwrap();
                if name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                    names.insert(name.to_owned());
                }
            }
        }
    }
}

#[test]
fn every_metric_is_on_the_page() {
    let mut names = BTreeSet::new();
    named(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut names,
    );
    assert!(names.len() > 20, "{names:?}");
    let described: BTreeSet<String> = described().into_iter().map(|it| it.name).collect();
    let missing: Vec<&String> = names.difference(&described).collect();
    assert!(
        missing.is_empty(),
        "not registered by what the page is made from: {missing:?}"
    );
    // The counted ones of each sort are told by their names.
    let text = Metrics::new(KINDS).unwrap().render().unwrap();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, told) = line.split_once(' ').unwrap();
        assert_eq!(sort(name), told, "{name}");
    }
}
