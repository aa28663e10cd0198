//! What `check` and `audit` print: the same findings and exit codes in every format, in forms that others read.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

#[path = "reports/order.rs"]
mod order;
#[path = "reports/read.rs"]
mod read;
#[path = "reports/valid.rs"]
mod valid;

use read::{FORMATS, Read};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fixtures() -> PathBuf {
    root().join("tests/cli/fixtures")
}

/// The folder of manifests that are wrong, if it is there.
fn corpus() -> Option<PathBuf> {
    let corpus = root().join("../shared/corpus/illegal");
    if !corpus.is_dir() {
        eprintln!("there is no corpus beside the project: the tests' own manifests are enough");
        return None;
    }
    Some(corpus)
}

/// What the binary says and its exit code.
fn run(folder: &Path, args: &[&str]) -> (String, i32) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("ramen-guard"))
        .args(args)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "", "{args:?}");
    let code = output.status.code().unwrap();
    (String::from_utf8(output.stdout).unwrap(), code)
}

/// Runs a command in all formats, makes sure that they agree, and gives what each said.
fn in_all(folder: &Path, args: &[&str]) -> (BTreeMap<&'static str, String>, Read, i32) {
    let mut all = BTreeMap::new();
    let mut first: Option<(Read, i32)> = None;
    for format in FORMATS {
        let (text, code) = run(folder, &[args, &["-o", format]].concat());
        let found = Read::of(format, &text, folder);
        match &first {
            None => first = Some((found, code)),
            Some((known, known_code)) => {
                assert_eq!(
                    found, *known,
                    "{args:?}: {format} differs from {}",
                    FORMATS[0]
                );
                assert_eq!(code, *known_code, "{args:?}: {format}");
            }
        }
        all.insert(format, text);
    }
    let (found, code) = first.unwrap();
    (all, found, code)
}

#[test]
fn all_formats_agree() {
    // Arguments, exit code, errors, warnings, inputs that are not read.
    let table: [(&str, i32, [usize; 3]); 12] = [
        ("check clusters.yaml policy.yaml", 0, [0, 0, 0]),
        ("check faulty.yaml", 1, [1, 0, 0]),
        ("check misspelt.yaml", 0, [0, 3, 0]),
        ("check misspelt.yaml --fail-on warn", 3, [0, 3, 0]),
        ("check faulty.yaml --profile observe", 0, [0, 1, 0]),
        ("check broken.yaml", 2, [1, 0, 1]),
        ("check duplicate.yaml", 2, [0, 0, 1]),
        ("check nowhere.yaml clusters.yaml", 2, [0, 0, 1]),
        ("check others.yaml", 0, [0, 0, 0]),
        (
            "check policy-edited.yaml --context faulty.yaml --context others.yaml",
            0,
            [0, 1, 0],
        ),
        ("check misfit.yaml yaml11.yaml", 1, [7, 11, 0]),
        ("audit --state stored.yaml", 1, [1, 7, 0]),
    ];
    for (args, code, counts) in table {
        let words: Vec<&str> = args.split(' ').collect();
        let (_, found, was) = in_all(&fixtures(), &words);
        let unread = found.unread.values().sum();
        let seen = [found.count("error"), found.count("warning"), unread];
        assert_eq!((was, seen), (code, counts), "{args}");
    }
    if let Some(corpus) = corpus() {
        let (_, found, code) = in_all(&corpus, &["check", "."]);
        assert!(found.findings.len() > 50, "{}", found.findings.len());
        assert!(found.count("error") > 20 && found.count("warning") > 20);
        assert_ne!(code, 0);
        let (_, found, code) = in_all(&corpus, &["audit", "--state", "."]);
        assert!(found.count("error") > 20 && code != 0);
    }
}

/// Every file that is wrong is so in every format, each by itself.
#[test]
fn all_formats_agree_file_by_file() {
    use ramen_guard::{cli::check::Given, manifest::pile::Pile, report};
    let engine = ramen_guard::engine::Engine::default();
    let Some(corpus) = corpus() else { return };
    let mut files: Vec<PathBuf> = fs::read_dir(&corpus)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    files.sort();
    let mut seen = 0;
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|it| it == "yaml"))
    {
        let given = Given {
            others: true,
            inputs: Pile::of(std::slice::from_ref(file), &mut std::io::empty()),
            ..Given::default()
        };
        let outcome = ramen_guard::cli::check::check(&engine, given);
        let texts = [
            report::human(&outcome, false, None),
            report::json(&outcome).to_string(),
            report::sarif(&outcome, &corpus).to_string(),
            report::junit(&outcome, &[]),
            report::github(&outcome, &corpus, &[]),
        ];
        let mut read = FORMATS
            .iter()
            .zip(&texts)
            .map(|(format, text)| Read::of(format, text, &corpus));
        let first = read.next().unwrap();
        seen += first.findings.len();
        for other in read {
            assert_eq!(other, first, "{}", file.display());
        }
    }
    assert!(seen > 50, "{seen}");
}

/// What a file, its name, or what is in it says, a terminal, a build server and GitHub must not obey.
#[test]
fn nothing_is_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "apiVersion: ramendr.openshift.io/v1alpha1\nkind: DRPolicy\n\
                   metadata: { name: \"a\\e[31m\\u009b2J\\r\\n::error::x,y:z%0A\\\"'<&>]]>\\u202e\\uFFFE\" }\n\
                   spec: { drClusters: [\"\\e]0;b\\a\", \"\\e]0;b\\a\"], schedulingInterval: \"[a](https://example.com)\" }\n\
                   ---\napiVersion: \"x\\e[1m/v1\"\nkind: \"Se\\e[2Jrvice\\n::error::x##[add-mask]y\"\nmetadata: { name: x }\n";
    let name = "a\u{1b}[31m,b:c%0A\u{9b}1m ü#?.yaml";
    fs::write(folder.path().join(name), hostile).unwrap();
    fs::write(
        folder.path().join(format!("2{name}")),
        "a: \u{1b}[31m\n- \u{1b}]0;x\u{7}",
    )
    .unwrap();
    let (all, found, code) = in_all(folder.path(), &["check", "."]);
    assert_eq!(code, 2);
    assert!(found.count("error") >= 2, "{found:?}");
    for (format, text) in &all {
        let obeyed = text.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(obeyed, None, "{format}: {text}");
    }
    assert!(!all["github"].contains("##["));
    for line in all["github"]
        .lines()
        .filter(|line| line.trim_start().starts_with("::"))
    {
        let command = line.split(' ').next().unwrap();
        assert!(
            ["::error", "::warning", "::notice"].contains(&command),
            "{line}"
        );
        assert!(line.matches("::").count() >= 2);
    }
    let sarif: Value = serde_json::from_str(&all["sarif"]).unwrap();
    let text = sarif.pointer("/runs/0/results").unwrap().to_string();
    assert!(!text.contains("a](https"), "{text}");
    assert!(
        text.contains("%1B%5B31m%2Cb%3Ac%250A%C2%9B1m%20%C3%BC%23%3F.yaml"),
        "{text}"
    );
    valid::check(
        all.iter()
            .map(|(format, text)| (*format, "hostile", text.as_str())),
    );
}

/// A finding is known again when lines move, and told from others like it.
#[test]
fn fingerprints_stay() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faulty.yaml");
    let text = fs::read_to_string(fixtures().join("faulty.yaml")).unwrap()
        + "---\napiVersion: ramendr.openshift.io/v1alpha1\nkind: DRCluster\nmetadata: { name: west }\n\
           spec: { s3ProfileName: p, cidrs: [10.0.0.0/33, 10.0.0.0/34] }\n";
    let prints = |text: &str| {
        fs::write(&file, text).unwrap();
        let (text, _) = run(folder.path(), &["check", ".", "-o", "sarif"]);
        let log: Value = serde_json::from_str(&text).unwrap();
        let results = log
            .pointer("/runs/0/results")
            .unwrap()
            .as_array()
            .unwrap()
            .clone();
        let print = |it: &Value| {
            it["partialFingerprints"]["primaryLocationLineHash"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let line = |it: &Value| {
            it.pointer("/locations/0/physicalLocation/region/startLine")
                .unwrap()
                .as_u64()
                .unwrap()
        };
        let prints: Vec<String> = results.iter().map(print).collect();
        let lines: Vec<u64> = results.iter().map(line).collect();
        (prints, lines)
    };
    let (before, lines) = prints(&text);
    let (after, moved) = prints(&format!("# one\n\n# more\n{text}"));
    assert_eq!(before, after);
    assert_eq!(lines.iter().map(|line| line + 3).collect::<Vec<_>>(), moved);
    assert_eq!(before.len(), 3);
    assert_eq!(
        before
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        3
    );
    // What was released may not change: code hosts keep it.
    assert_eq!(before[0], "f04cd7f15b8e8904:1");
}

#[test]
fn columns_count_characters() {
    let folder = tempfile::tempdir().unwrap();
    let text = "{ apiVersion: ramendr.openshift.io/v1alpha1, kind: DRCluster, metadata: { name: x, annotations: { a: \"ä😀\" } }, spec: { s3ProfileName: p, cidrs: [10.0.0.0/33] } }\n";
    fs::write(folder.path().join("x.yaml"), text).unwrap();
    let (all, ..) = in_all(folder.path(), &["check", "x.yaml"]);
    let log: Value = serde_json::from_str(&all["sarif"]).unwrap();
    let region = log
        .pointer("/runs/0/results/0/locations/0/physicalLocation/region")
        .unwrap();
    let column = text.split("10.0.0.0/33").next().unwrap().chars().count() + 1;
    assert_eq!(
        log.pointer("/runs/0/columnKind").unwrap(),
        "unicodeCodePoints"
    );
    assert_eq!(region["startColumn"], column);
    assert_eq!(region["endColumn"], column + "10.0.0.0/33".len());
}

/// What an object is exempted from is suppressed, and no finding.
#[test]
fn exemptions_are_suppressions() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("config"),
        "exemptions: { enabled: true }\n",
    )
    .unwrap();
    let text = "apiVersion: ramendr.openshift.io/v1alpha1\nkind: DRPolicy\nmetadata:\n  name: x\n  annotations:\n    \
                guard.ramendr.openshift.io/exempt: \"drpolicy-drclusters-distinct until 2999-01-01: a test\"\n\
                spec: { drClusters: [east, east], schedulingInterval: 5m }\n";
    fs::write(folder.path().join("x.yaml"), text).unwrap();
    let (all, found, code) = in_all(folder.path(), &["check", "x.yaml", "--config", "config"]);
    assert_eq!((code, found.count("error")), (0, 0));
    let log: Value = serde_json::from_str(&all["sarif"]).unwrap();
    let results = log.pointer("/runs/0/results").unwrap().as_array().unwrap();
    let suppressed: Vec<&Value> = results
        .iter()
        .filter(|it| !it["suppressions"].is_null())
        .collect();
    assert_eq!(suppressed.len(), 1, "{results:?}");
    assert_eq!(suppressed[0]["ruleId"], "drpolicy-drclusters-distinct");
    assert_eq!(suppressed[0]["suppressions"][0]["kind"], "inSource");
    assert!(all["junit"].contains("exempted: x.yaml:7:"));
    valid::check(
        all.iter()
            .map(|(format, text)| (*format, "exempted", text.as_str())),
    );
}

/// GitHub shows ten of each kind, and whoever reads the log should know.
#[test]
fn github_shows_ten() {
    let folder = tempfile::tempdir().unwrap();
    for (count, told) in [(10, false), (11, true)] {
        let cidrs = vec!["10.0.0.0/33"; count].join(", ");
        let text = format!(
            "apiVersion: ramendr.openshift.io/v1alpha1\nkind: DRCluster\nmetadata: {{ name: x }}\nspec: {{ s3ProfileName: p, cidrs: [{cidrs}] }}\n"
        );
        fs::write(folder.path().join("x.yaml"), text).unwrap();
        let (text, _) = run(folder.path(), &["check", "x.yaml", "-o", "github"]);
        assert_eq!(text.matches("::error ").count(), count);
        assert_eq!(text.contains("GitHub shows the first 10"), told, "{text}");
    }
}

#[test]
fn colour_when_it_is_wanted() {
    let coloured = |args: &str, variables: &[(&str, &str)]| {
        let output = Command::new(assert_cmd::cargo::cargo_bin!("ramen-guard"))
            .args(["check", "faulty.yaml"])
            .args(args.split_whitespace())
            .current_dir(fixtures())
            .env_remove("NO_COLOR")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!coloured("", &[]));
    assert!(coloured("--color always", &[]));
    assert!(coloured("--color always", &[("NO_COLOR", "1")]));
    assert!(coloured("", &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured("", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!coloured("--color never", &[("CLICOLOR_FORCE", "1")]));
    for format in ["json", "sarif", "junit", "github"] {
        assert!(
            !coloured(&format!("--color always -o {format}"), &[]),
            "{format}"
        );
    }
}
