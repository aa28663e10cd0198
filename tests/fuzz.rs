//! The targets of `fuzz/` without libFuzzer: what was found, and what fuzzing begins with, is tried, then
//! changed at random for a bounded time. `fuzz/run` looks for more, by what the code does with it.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use proptest::{
    prelude::*,
    sample::Index,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, dead_code)]
mod targets;

/// How long each target takes.
const TIME: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
enum Edit {
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Replace(Index, u8),
    /// A piece of another input.
    Copy(Index, Index, Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let index = any::<Index>;
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..4),
        prop::sample::select(&b" \n\t\0{}[]()\"'\\:,-#&*!|>%@$0179eax~.\xff"[..])
            .prop_map(|byte| vec![byte]),
    ];
    prop_oneof![
        (index(), 1..30_usize).prop_map(|(at, count)| Edit::Remove(at, count)),
        (index(), bytes).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (index(), any::<u8>()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (index(), index(), index(), 1..60_usize)
            .prop_map(|(at, other, from, count)| Edit::Copy(at, other, from, count)),
    ]
}

fn edited(mut input: Vec<u8>, edit: &Edit, inputs: &[Vec<u8>]) -> Vec<u8> {
    let end = |at: usize, count: usize, length: usize| (at + count).min(length);
    match edit {
        Edit::Insert(at, bytes) => {
            let at = at.index(input.len() + 1);
            input.splice(at..at, bytes.iter().copied());
        }
        Edit::Copy(at, other, from, count) => {
            let at = at.index(input.len() + 1);
            let other = other.get(inputs);
            let from = from.index(other.len() + 1);
            let piece = &other[from..end(from, *count, other.len())];
            input.splice(at..at, piece.iter().copied());
        }
        _ if input.is_empty() => {}
        Edit::Remove(at, count) => {
            let at = at.index(input.len());
            let to = end(at, *count, input.len());
            input.drain(at..to);
        }
        Edit::Replace(at, byte) => {
            let at = at.index(input.len());
            input[at] = *byte;
        }
    }
    input
}

/// What of a target was found and kept: `broken-*` did break something once.
fn saved(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(
        !files.is_empty(),
        "there is nothing in {}",
        folder.display()
    );
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Runs a target, and shows the input that breaks it.
fn run(name: &str, target: fn(&[u8]), input: &[u8]) {
    let start = Instant::now();
    if let Err(panic) = std::panic::catch_unwind(|| target(input)) {
        eprintln!("{name}: b\"{}\"", input.escape_ascii());
        std::panic::resume_unwind(panic);
    }
    let took = start.elapsed();
    assert!(
        took < Duration::from_secs(20),
        "{name} took {took:?}: b\"{}\"",
        input.escape_ascii()
    );
}

fn tried(name: &str) {
    let (_, target) = targets::TARGETS
        .into_iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    let saved = saved(name);
    for input in &saved {
        run(name, target, input);
    }
    let seeds = targets::seeds::seeds(name);
    assert!(seeds.len() > 50, "{name} has {} seeds", seeds.len());
    let inputs: Vec<Vec<u8>> = seeds
        .into_iter()
        .map(String::into_bytes)
        .chain(saved)
        .collect();
    let mut runner = TestRunner::new(Config::default());
    let made = (
        prop::sample::select(inputs.clone()),
        prop::collection::vec(edit(), 1..8),
    );
    let start = Instant::now();
    while start.elapsed() < TIME {
        let (input, edits) = made.new_tree(&mut runner).unwrap().current();
        let input = edits
            .iter()
            .fold(input, |input, edit| edited(input, edit, &inputs));
        run(name, target, &input);
    }
}

macro_rules! tests {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            tried(stringify!($name));
        })*

        #[test]
        fn every_target_is_tried() {
            let names = targets::TARGETS.map(|(name, _)| name);
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

tests!(review, check, yaml, config, mapping, recipe, golang);
