//! Recorded sessions with the real binary: what was typed, what came out, and the exit code.
//!
//! The recordings are in `tests/cli/`; `INSTA_UPDATE=always cargo test --test cli` makes them anew.
#![allow(clippy::unwrap_used)]

#[path = "cli/simulate.rs"]
mod simulate;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use ramen_guard::policy;
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/fixtures")
}

fn run_in(folder: &Path, args: &str, input: &str) -> Output {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ramen-guard"))
        .args(args.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Whoever does not read it closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn run(args: &str) -> Output {
    run_in(&fixtures(), args, "")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A session as a person would see it.
fn session(folder: &Path, args: &str, input: &str) -> String {
    let output = run_in(folder, args, input);
    format!(
        "$ ramen-guard {args}\n{}{}exit code {}\n",
        text(&output.stdout),
        text(&output.stderr),
        output.status.code().unwrap()
    )
}

fn record(name: &str, told: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("cli");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let version = format!("\"{}\"", regex::escape(env!("CARGO_PKG_VERSION")));
    settings.add_filter(&version, "\"[version]\"");
    settings.bind(|| insta::assert_snapshot!(name, told));
}

/// Records several sessions in one file.
fn record_all(name: &str, sessions: &[&str]) {
    let told: Vec<String> = sessions
        .iter()
        .map(|args| session(&fixtures(), args, ""))
        .collect();
    record(name, &told.join("\n"));
}

#[test]
fn first_look() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let told = session(root, "check examples/first-look", "");
    record("first-look", &told);
    let told = session(root, "check -o json examples/first-look", "");
    record("first-look-json", &told);
}

/// A site's own policies, those that are broken, and those that can't be evaluated.
#[test]
fn policies_of_a_site() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let told = [
        session(
            root,
            "check --policies examples/site-policies examples/first-look",
            "",
        ),
        session(
            &fixtures(),
            "check --policies site-broken.yaml policy.yaml",
            "",
        ),
        session(
            &fixtures(),
            "check --policies site-unknown.yaml policy.yaml",
            "",
        ),
        session(
            &fixtures(),
            "check --policies clusters.yaml policy.yaml",
            "",
        ),
    ];
    record("site", &told.join("\n"));
}

/// The same option of the commands that judge what is stored, and one request.
#[test]
fn policies_of_a_site_elsewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let told = [
        session(
            root,
            "audit --state tests/cli/fixtures/stored.yaml --policies examples/site-policies",
            "",
        ),
        session(
            &fixtures(),
            "review --policies site-clusters.yaml review.json",
            "",
        ),
        session(
            &fixtures(),
            "review --policies site-broken.yaml review.json",
            "",
        ),
    ];
    record("site-elsewhere", &told.join("\n"));
}

#[test]
fn other_formats() {
    record_all(
        "formats",
        &[
            "check -o sarif faulty.yaml",
            "check -o junit faulty.yaml clusters.yaml others.yaml broken.yaml",
            "check -o github faulty.yaml misspelt.yaml nowhere.yaml",
            "audit -o junit --state stored.yaml",
            "audit -o github --state stored.yaml",
            "check -o xml faulty.yaml",
        ],
    );
}

#[test]
fn exit_codes() {
    for (args, code) in [
        ("check clusters.yaml policy.yaml", 0),
        ("check faulty.yaml", 1),
        ("check -o json faulty.yaml", 1),
        ("check broken.yaml", 2),
        ("check -o json broken.yaml", 2),
        ("check misspelt.yaml", 0),
        ("check --fail-on warn misspelt.yaml", 3),
        ("check --fail-on warn -o json misspelt.yaml", 3),
        ("check --fail-on warn faulty.yaml", 1),
        ("check", 2),
        ("check --no-such-flag", 2),
        ("chekc", 2),
        ("--version", 0),
        ("--help", 0),
    ] {
        assert_eq!(run(args).status.code(), Some(code), "{args}");
    }
}

/// What a cluster, or another Ramen, knows is not what is built in.
#[test]
fn other_crds() {
    record_all(
        "crds",
        &[
            "check newer.yaml",
            "check --crds crds newer.yaml",
            "check --crds crds-flawed.yaml newer.yaml",
            "check --crds crds --crds crds-other.yaml newer.yaml",
            "check --crds broken.yaml newer.yaml",
            "check --crds policy.yaml newer.yaml",
            "check --crds nowhere newer.yaml",
        ],
    );
}

#[test]
fn what_cannot_be_read() {
    record_all(
        "unread",
        &[
            "check nowhere.yaml clusters.yaml",
            "check -",
            "check broken.yaml",
            "check duplicate.yaml",
            "check clusters.yaml --context nowhere",
            "check clusters.yaml --old nowhere",
        ],
    );
    let empty = tempfile::tempdir().unwrap();
    let output = run(&format!("check {}", empty.path().display()));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("nothing to check in "));
    for blank in ["---\n# a comment\n", "\n\n", "---\n---\n", "null\n"] {
        let output = run_in(&fixtures(), "check -", blank);
        assert_eq!(output.status.code(), Some(2), "{blank:?}");
        assert!(text(&output.stderr).contains("nothing to check on standard input"));
    }
    let binary = empty.path().join("binary.yaml");
    std::fs::write(&binary, b"kind: \xff\xfe").unwrap();
    let output = run_in(empty.path(), "check .", "");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stdout).contains("binary.yaml:1:7"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn forms_of_input() {
    let clusters = std::fs::read_to_string(fixtures().join("faulty.yaml")).unwrap();
    let told = [
        session(&fixtures(), "check clusters.yaml", ""),
        session(&fixtures(), "check clusters.json", ""),
        session(&fixtures(), "check list.yaml", ""),
        session(&fixtures(), "check -", &clusters),
        session(&fixtures(), "check others.yaml", ""),
        session(&fixtures(), "check yaml11.yaml", ""),
        session(&fixtures(), "check misfit.yaml", ""),
    ];
    record("forms", &told.join("\n"));
}

#[test]
fn objects_that_are_only_looked_at() {
    record_all(
        "context",
        &[
            "check policy-edited.yaml",
            "check policy-edited.yaml --context faulty.yaml --context others.yaml",
        ],
    );
}

#[test]
fn an_edit_is_judged_as_one() {
    record_all(
        "old",
        &[
            "check policy-edited.yaml --old policy.yaml --context clusters.yaml",
            "check faulty-labelled.yaml --old faulty.yaml",
            "check faulty-extended.yaml --old faulty.yaml",
        ],
    );
}

#[test]
fn what_only_files_can_get_wrong() {
    record_all(
        "files",
        &[
            "check gitops.yaml --context clusters.yaml",
            "check clusters.yaml twice.yaml",
            "audit --state gitops.yaml --state clusters.yaml --state twice.yaml",
        ],
    );
    let off = "rules: { object-duplicate: off, object-replaced-by-sync: warn }\n";
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.yaml");
    std::fs::write(&config, off).unwrap();
    let config = config.display();
    let output = run(&format!("check clusters.yaml twice.yaml --config {config}"));
    assert!(
        text(&output.stdout).contains("0 warnings"),
        "{}",
        text(&output.stdout)
    );
    let output = run(&format!("check gitops.yaml --config {config}"));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    // A link to a file is no second place.
    #[cfg(unix)]
    {
        let file = fixtures().join("twice.yaml");
        std::fs::copy(file, folder.path().join("one.yaml")).unwrap();
        std::os::unix::fs::symlink("one.yaml", folder.path().join("two.yaml")).unwrap();
        let output = run_in(folder.path(), "check one.yaml two.yaml", "");
        assert!(
            text(&output.stdout).contains("0 warnings"),
            "{}",
            text(&output.stdout)
        );
    }
}

#[test]
fn exemptions() {
    record_all(
        "exemptions",
        &[
            "check exempt.yaml",
            "check exempt.yaml --config config-exempt.yaml",
            "check exempt.yaml --config config-exempt.yaml --no-exemptions",
        ],
    );
}

#[test]
fn what_is_stored() {
    record_all(
        "audit",
        &[
            "audit --state stored.yaml",
            "audit --state nowhere",
            "audit --state clusters.yaml --state policy.yaml",
        ],
    );
    let output = run("audit --state stored.yaml -o json");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        value["blockers"],
        serde_json::json!([{"object": "DRPlacementControl \"ramen-ops/bank\"", "others": 1}])
    );
    let names = value["objects"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["bank", "shop", "east-west-5m"]);
    for (args, code) in [
        ("audit --state stored.yaml", 1),
        ("audit --state stored.yaml --profile observe", 0),
        ("audit --state misspelt.yaml --fail-on warn", 3),
        ("audit --state broken.yaml", 2),
        ("audit --state nowhere", 2),
    ] {
        assert_eq!(run(args).status.code(), Some(code), "{args}");
    }
}

#[test]
fn certificates_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let make = |args: &str| {
        let output = run_in(folder.path(), &format!("certs out {args}"), "");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let read = |file: &str| std::fs::read_to_string(folder.path().join("out").join(file)).unwrap();
    let said = make("");
    assert!(
        said.contains("ramen-guard.ramen-guard-system.svc that lasts 90 days"),
        "{said}"
    );
    let (authority, certificate) = (read("ca.crt"), read("tls.crt"));
    // Again, by the same CA.
    make("--name guard.example --days 7");
    assert_eq!(read("ca.crt"), authority);
    assert_ne!(read("tls.crt"), certificate);
    // A CA of which half is lost is not made over.
    std::fs::remove_file(folder.path().join("out/ca.key")).unwrap();
    let output = run_in(folder.path(), "certs out", "");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("ca.key"));
    assert_eq!(read("ca.crt"), authority);
}

#[test]
fn how_strict() {
    record_all(
        "strictness",
        &[
            "check faulty.yaml --profile observe",
            "check yaml11.yaml --profile observe -o json",
            "check policy.yaml --profile strict",
            "check faulty.yaml --config config.yaml",
            "check faulty.yaml --config config-key.yaml",
            "check faulty.yaml --config config-rule.yaml",
            "check faulty.yaml --config nowhere.yaml",
            "check faulty.yaml --profile loose",
        ],
    );
}

#[test]
fn the_rule_book() {
    let all = text(&run("rules").stdout);
    let ids: Vec<&str> = all
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let known: Vec<&str> = policy::contracts()
        .iter()
        .map(|contract| &*contract.id)
        .collect();
    assert_eq!(ids, known);
    let json: Value = serde_json::from_slice(&run("rules -o json").stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), known.len());
    for kinds in [
        "Placement placements",
        "PlacementRule placementrules placementrule",
        "DRPolicy drpolicies",
        "DRCluster drclusters",
        "DRPlacementControl drplacementcontrols drpc DRPC",
        "VolumeReplicationGroup volumereplicationgroups vrg",
        "Recipe recipes recipe",
        "ConfigMap configmaps RamenConfig",
        "Secret secrets",
        "DRClusterConfig drclusterconfigs",
        "MaintenanceMode maintenancemodes",
        "ProtectedVolumeReplicationGroupList protectedvolumereplicationgrouplists",
        "ReplicationGroupSource replicationgroupsources rgs",
        "ReplicationGroupDestination replicationgroupdestinations rgd",
    ] {
        let listed = kinds
            .split(' ')
            .map(|kind| text(&run(&format!("rules --kind {kind}")).stdout));
        let listed: Vec<String> = listed.collect();
        let first = listed[0].split(' ').next().unwrap();
        assert!(known.contains(&first), "{kinds}: {listed:?}");
        assert!(
            listed.iter().all(|it| *it == listed[0]),
            "{kinds}: {listed:?}"
        );
    }
    record_all(
        "rules",
        &[
            "rules --kind any",
            "rules --kind DRPolice",
            "explain drpolicy-drclusters-immutable",
            "explain drpolicy-drcluster-immutable",
            "explain something",
        ],
    );
}

#[test]
fn completions() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&format!("completions {shell}"));
        assert!(output.status.success());
        assert!(text(&output.stdout).contains("ramen-guard"), "{shell}");
    }
    assert_eq!(run("completions tcsh").status.code(), Some(2));
}

#[test]
fn reviews() {
    let json = run("review review.json");
    let yaml = run("review review.yaml");
    assert_eq!(text(&json.stdout), text(&yaml.stdout));
    let old = std::fs::read_to_string(fixtures().join("review.json"))
        .unwrap()
        .replace("admission.k8s.io/v1", "admission.k8s.io/v1beta1");
    let told = [
        session(&fixtures(), "review review.json", ""),
        session(&fixtures(), "review -", &old),
        session(&fixtures(), "review clusters.yaml", ""),
        session(&fixtures(), "review", ""),
        session(&fixtures(), "review", "{"),
        session(&fixtures(), "review nowhere.json", ""),
        session(&fixtures(), "review review.json --state broken.yaml", ""),
    ];
    record("review", &told.join("\n"));
}

/// `check <(helm template ...)` and the like: what can be read only once is judged all the same.
#[cfg(unix)]
#[test]
fn a_pipe_among_many_files() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..40 {
        let file = folder.path().join(format!("{number}.yaml"));
        std::fs::copy(fixtures().join("clusters.yaml"), file).unwrap();
    }
    let faulty = std::fs::read_to_string(fixtures().join("faulty.yaml")).unwrap();
    let output = run_in(folder.path(), "check /dev/stdin .", &faulty);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("81 objects checked: 1 error"));
}

/// `head` and the like close the pipe before everything is written.
#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let mut many = String::new();
    for number in 0..3000 {
        many += &format!(
            "apiVersion: ramendr.openshift.io/v1alpha1\nkind: DRCluster\nmetadata: {{ name: c{number} }}\nspec: {{ s3ProfileName: p, cidrs: [10.0.0.0/33] }}\n---\n"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("many.yaml"), many).unwrap();
    for (args, code) in [
        ("check many.yaml", 1),
        ("check -o json many.yaml", 1),
        ("check --profile observe many.yaml", 0),
        ("rules -o json", 0),
        ("completions zsh", 0),
    ] {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ramen-guard"))
            .args(args.split_whitespace())
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stderr), "", "{args}");
        assert_eq!(output.status.code(), Some(code), "{args}");
    }
}
