//! The order of files, and of threads, changes nothing but the order of what is found.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use ramen_guard::{
    cli::check::{Given, check},
    engine::Engine,
    manifest::{load, pile::Pile, yaml::Limits},
    report::{Outcome, human, json, junit},
};
use serde_json::Value;

use super::{fixtures, root};

const SHUFFLES: usize = 100;

/// Enough files that threads share them, with faults here and there.
fn generated(folder: &Path) -> Vec<PathBuf> {
    let write = |number: usize| {
        let cluster = format!("c{}", number % 7);
        let interval = if number.is_multiple_of(5) { "5x" } else { "5m" };
        let text = match number % 3 {
            0 => format!(
                "kind: DRCluster\nmetadata: {{ name: c{number} }}\nspec: {{ s3ProfileName: p{cluster}, cidrs: [10.0.{number}.0/3{}] }}",
                number % 4
            ),
            1 => format!(
                "kind: DRPolicy\nmetadata: {{ name: p{number} }}\nspec: {{ drClusters: [{cluster}, c{}], schedulingInterval: {interval} }}",
                number % 6
            ),
            _ => format!(
                "kind: DRPlacementControl\nmetadata: {{ name: d{number}, namespace: n{} }}\nspec: {{ drPolicyRef: {{ name: p{} }}, placementRef: {{ name: x, kind: Placement }}, pvcSelector: {{}}, preferredCluster: {cluster}, action: Failover }}",
                number % 4,
                number % 9
            ),
        };
        let file = folder.join(format!("{number:03}.yaml"));
        fs::write(
            &file,
            format!("apiVersion: ramendr.openshift.io/v1alpha1\n{text}\n"),
        )
        .unwrap();
        file
    };
    (0..150).map(write).collect()
}

/// Those of the files whose objects are in no other, since of two the last would stand.
fn distinct(files: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    for file in files {
        let loaded = load::load(
            std::slice::from_ref(&file),
            &mut std::io::empty(),
            &Limits::default(),
        );
        let name = |pointer: &str, doc: &Value| doc.pointer(pointer).map(Value::to_string);
        let keys: Vec<_> = loaded
            .manifests
            .iter()
            .map(|it| ["/kind", "/metadata/name"].map(|at| name(at, &it.doc.value)))
            .collect();
        if keys.iter().all(|key| !seen.contains(key)) {
            seen.extend(keys);
            kept.push(file);
        }
    }
    kept
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = generated(folder);
    for folder in [
        fixtures(),
        root().join("../shared/corpus/illegal"),
        root().join("../shared/corpus/legal"),
    ] {
        let entries = fs::read_dir(folder).into_iter().flatten();
        let mut found: Vec<PathBuf> = entries
            .map(|it| it.unwrap().path())
            .filter(|it| it.extension().is_some_and(|it| it == "yaml"))
            .collect();
        found.sort();
        all.extend(found);
    }
    distinct(all)
}

fn outcome(engine: &Engine, files: &[PathBuf]) -> Outcome {
    let given = Given {
        inputs: Pile::of(files, &mut std::io::empty()),
        ..Given::default()
    };
    check(engine, given)
}

fn checked(engine: &Engine, files: &[PathBuf]) -> Value {
    json(&outcome(engine, files))
}

/// What was found, by the object's file and line.
fn by_object(outcome: &Value) -> BTreeMap<(String, u64), Value> {
    let objects = outcome["objects"].as_array().unwrap();
    let key = |it: &Value| {
        (
            it["file"].as_str().unwrap().to_owned(),
            it["line"].as_u64().unwrap(),
        )
    };
    objects.iter().map(|it| (key(it), it.clone())).collect()
}

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

#[test]
fn the_order_of_files_changes_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = files(folder.path());
    let engine = Engine::default();
    let first = checked(&engine, &files);
    let known = by_object(&first);
    assert!(known.len() > 100, "{}", known.len());
    let mut random = Random(1);
    for _ in 0..SHUFFLES {
        random.shuffle(&mut files);
        let outcome = checked(&engine, &files);
        for (place, object) in by_object(&outcome) {
            assert_eq!(Some(&object), known.get(&place), "{place:?}");
        }
        assert_eq!(outcome["summary"], first["summary"]);
        // What is found stands in the order of the files.
        let place = |it: &Value| {
            files
                .iter()
                .position(|file| file.to_str() == it["file"].as_str())
        };
        let places: Vec<_> = outcome["objects"]
            .as_array()
            .unwrap()
            .iter()
            .map(place)
            .collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted());
        let unread = outcome["unread"].as_array().unwrap();
        assert!(unread.iter().map(place).collect::<Vec<_>>().is_sorted());
    }
}

#[test]
fn runs_are_the_same_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let engine = Engine::default();
    let shown = || {
        let outcome = outcome(&engine, &files);
        human(&outcome, false, None) + &junit(&outcome, &[]) + &json(&outcome).to_string()
    };
    let first = shown();
    for _ in 0..20 {
        assert!(shown() == first);
    }
}
