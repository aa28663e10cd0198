//! Manifests from the world, through `check`: none that is legal is refused, and each configuration gets
//! the findings that its first lines name.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use ramen_guard::{
    cli::check::{Given, check},
    engine::Engine,
    manifest::{load::load_text, yaml::Limits},
    policy::Mode,
    report::Outcome,
};

/// A folder of the corpus; says so and gives nothing where it is not there.
fn corpus(folder: &str) -> Option<Vec<PathBuf>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/corpus")
        .join(folder);
    let Ok(entries) = fs::read_dir(&path) else {
        eprintln!("not run: there is no {}", path.display());
        return None;
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    Some(files)
}

fn checked(path: &Path) -> (String, Outcome) {
    let text = fs::read_to_string(path).unwrap();
    let inputs = load_text(&path.display().to_string(), &*text, &Limits::default()).into();
    let given = Given {
        inputs,
        ..Given::default()
    };
    (text, check(&Engine::default(), given))
}

/// What stands behind `# guard:` in the first lines: how grave, which rule, which field. One in the YAML in
/// a ConfigMap stands behind a `#`.
fn expected(text: &str) -> impl Iterator<Item = (&str, Mode, String)> {
    let head = text.lines().take_while(|line| line.starts_with('#'));
    let lines = head.filter_map(|line| line.strip_prefix("# guard: "));
    lines.map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mode = Mode::ALL.into_iter().find(|mode| mode.name() == words[0]);
        (words[1], mode.unwrap(), words[2].replace('#', ""))
    })
}

#[test]
fn nothing_legal_is_refused() {
    let Some(files) = corpus("legal") else { return };
    assert!(files.len() > 100);
    for path in files {
        let (_, outcome) = checked(&path);
        assert_ne!(
            outcome.exit_code(false),
            1,
            "{}: {outcome:#?}",
            path.display()
        );
    }
}

#[test]
fn of_a_configuration_everything_is_said_and_nothing_else() {
    let (Some(illegal), Some(legal)) = (corpus("illegal"), corpus("legal")) else {
        return;
    };
    let is_config = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("configmap-")
    };
    let mut seen = 0;
    for path in illegal.into_iter().chain(legal).filter(is_config) {
        let (text, outcome) = checked(&path);
        let found = outcome.objects.iter().flat_map(|object| &object.findings);
        let found: BTreeSet<_> = found
            .map(|located| &located.finding)
            .map(|it| (&*it.rule.id, it.mode, it.pointer.as_str().to_owned()))
            .collect();
        assert_eq!(found, expected(&text).collect(), "{}", path.display());
        seen += found.len();
        // A field that is there is pointed at.
        for located in outcome.objects.iter().flat_map(|object| &object.findings) {
            let (place, finding) = (&located.place, &located.finding);
            let field = finding.pointer.last().unwrap().decoded().into_owned();
            let is_unknown = finding.rule.id == "config-unknown-field";
            assert!(
                !is_unknown || place.source.contains(&field),
                "{place:?}: {finding}"
            );
        }
    }
    assert!(seen > 10);
}
