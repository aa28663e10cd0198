//! `check --since`: what a commit had, from real repositories.
#![allow(clippy::unwrap_used, reason = "tests fail by it")]

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

const CLUSTERS: &str = "
apiVersion: ramendr.openshift.io/v1alpha1
kind: DRCluster
metadata: { name: east }
spec: { s3ProfileName: s3-east }
---
apiVersion: ramendr.openshift.io/v1alpha1
kind: DRCluster
metadata: { name: west }
spec: { s3ProfileName: s3-west }
";

fn policy(name: &str, clusters: &str) -> String {
    format!(
        "apiVersion: ramendr.openshift.io/v1alpha1\nkind: DRPolicy\nmetadata:\n  name: {name}\nspec:\n  \
         drClusters: {clusters}\n  schedulingInterval: 5m\n"
    )
}

fn drpc(policy: &str) -> String {
    format!(
        "apiVersion: ramendr.openshift.io/v1alpha1\nkind: DRPlacementControl\nmetadata: {{ name: app, namespace: \
         app }}\nspec:\n  placementRef: {{ kind: Placement, name: app }}\n  drPolicyRef: {{ apiVersion: \
         ramendr.openshift.io/v1alpha1, kind: DRPolicy, name: {policy} }}\n  pvcSelector: {{ matchLabels: {{ a: b }} }}\n  \
         preferredCluster: east\n"
    )
}

/// A repository, and what was asked about it.
struct Repository {
    folder: TempDir,
}

/// What `check` said.
struct Said {
    code: i32,
    stderr: String,
    value: Value,
}

impl Said {
    /// Operation, name and mode of what was found by rules of these names.
    fn about(&self, rule: &str) -> Vec<(String, String, String)> {
        let objects = self.value["objects"].as_array().into_iter().flatten();
        let mut found = Vec::new();
        for object in objects {
            let text = |field: &str| object[field].as_str().unwrap().to_owned();
            for finding in object["findings"].as_array().unwrap() {
                if finding["rule"] == rule {
                    let mode = finding["mode"].as_str().unwrap().to_owned();
                    found.push((text("operation"), text("name"), mode));
                }
            }
        }
        found
    }

    fn notes(&self) -> Vec<&str> {
        let notes = self.value["notes"].as_array().into_iter().flatten();
        notes
            .map(|note| note["message"].as_str().unwrap())
            .collect()
    }
}

fn triple(operation: &str, name: &str, mode: &str) -> (String, String, String) {
    (operation.to_owned(), name.to_owned(), mode.to_owned())
}

const MOVED_POLICY: &str = "drpolicy-drclusters-immutable";

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.write(files);
        repository.commit();
        repository
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = self.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=one"]);
    }

    fn git(&self, args: &[&str]) -> String {
        git(self.path(), args)
    }

    fn check(&self, args: &[&str]) -> Said {
        said(check(self.path(), args, &[]))
    }
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
        .args([
            "-c",
            "commit.gpgsign=false",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn check<S: AsRef<OsStr>>(folder: &Path, args: &[S], env: &[(&str, &OsStr)]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("ramen-guard"))
        .args(["check", "-o", "json"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs(env.iter().copied())
        .output()
        .unwrap()
}

#[allow(clippy::needless_pass_by_value, reason = "it is the result of a call")]
fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        value: serde_json::from_slice(&output.stdout).unwrap_or_default(),
    }
}

#[test]
fn an_edit_is_judged_as_one() {
    let before = policy("pair", "[east, west]");
    let repository = Repository::new(&[("clusters.yaml", CLUSTERS), ("policy.yaml", &before)]);
    let same = repository.check(&[".", "--since", "main"]);
    assert_eq!((same.code, same.notes().len()), (0, 0), "{}", same.value);
    repository.write(&[("policy.yaml", &policy("pair", "[west, east]"))]);
    assert_eq!(repository.check(&["."]).code, 0);
    for reference in ["main", "HEAD", &repository.git(&["rev-parse", "HEAD"])] {
        let edited = repository.check(&[".", "--since", reference]);
        assert_eq!(edited.code, 1);
        let expected = [triple("UPDATE", "pair", "deny")];
        assert_eq!(edited.about(MOVED_POLICY), expected, "{reference}");
    }
    // Committed or not makes no difference, and what was fixed in between is no news.
    repository.commit();
    assert_eq!(repository.check(&[".", "--since", "main"]).code, 0);
    assert_eq!(repository.check(&[".", "--since", "main~1"]).code, 1);
}

#[test]
fn an_object_is_followed_to_another_file() {
    let before = policy("pair", "[east, west]");
    let repository = Repository::new(&[("clusters.yaml", CLUSTERS), ("old.yaml", &before)]);
    repository.remove("old.yaml");
    repository.write(&[("new/policy.yaml", &policy("pair", "[west, east]"))]);
    let expected = [triple("UPDATE", "pair", "deny")];
    // Even where only the new file is asked about, as pre-commit does.
    for paths in [
        &["."][..],
        &["new"],
        &["new/policy.yaml"],
        &["new", "old.yaml"],
    ] {
        let moved = repository.check(&[paths, &["--since", "main"]].concat());
        assert_eq!(
            moved.about(MOVED_POLICY),
            expected,
            "{paths:?}: {}",
            moved.stderr
        );
        assert_eq!(moved.notes(), Vec::<&str>::new(), "{paths:?}");
    }
    // Where it came from is not certain.
    let both = [("a/policy.yaml", &*before), ("b/policy.yaml", &*before)];
    let repository = Repository::new(&both);
    repository.remove("a/policy.yaml");
    repository.remove("b/policy.yaml");
    repository.write(&[("c/policy.yaml", &policy("pair", "[west, east]"))]);
    let unclear = repository.check(&[".", "--since", "main"]);
    assert_eq!(unclear.about(MOVED_POLICY), []);
}

/// Each environment has an object of the same name, and each is compared with its own.
#[test]
fn the_same_name_in_two_folders() {
    let (one, two) = (
        policy("pair", "[east, west]"),
        policy("pair", "[north, south]"),
    );
    let repository = Repository::new(&[("dev/policy.yaml", &one), ("prod/policy.yaml", &two)]);
    for folder in ["dev", "prod", "."] {
        let same = repository.check(&[folder, "--since", "main"]);
        assert_eq!(same.about(MOVED_POLICY), [], "{folder}");
    }
    repository.write(&[("prod/policy.yaml", &one)]);
    assert_eq!(repository.check(&["dev", "--since", "main"]).code, 0);
    let changed = repository.check(&["prod", "--since", "main"]);
    assert_eq!(
        changed.about(MOVED_POLICY),
        [triple("UPDATE", "pair", "deny")]
    );
}

#[test]
fn what_is_gone_is_judged_as_deleted_and_refuses_nothing() {
    let files = [
        ("clusters.yaml", CLUSTERS),
        ("apps/drpc.yaml", &drpc("pair")),
        ("policies/policy.yaml", &policy("pair", "[east, west]")),
    ];
    let repository = Repository::new(&files);
    repository.remove("policies/policy.yaml");
    let gone = repository.check(&[".", "--since", "main", "--profile", "strict"]);
    let expected = [triple("DELETE", "pair", "warn")];
    assert_eq!(
        gone.about("drpolicy-delete-in-use"),
        expected,
        "{}",
        gone.value
    );
    assert_eq!(
        gone.notes(),
        ["1 object of main is gone, judged as deleted"]
    );
    // The paths may be those that Git names as changed.
    let named = repository.check(&[
        "policies/policy.yaml",
        "--since",
        "main",
        "--context",
        "apps",
    ]);
    assert_eq!(
        (named.code, named.about("drpolicy-delete-in-use")),
        (0, expected.to_vec())
    );
    let never = repository.check(&["policies/nothing.yaml", "--since", "main"]);
    assert_eq!(never.code, 2, "{}", never.value);
    // If the application goes as well, there is nothing to say.
    repository.remove("apps/drpc.yaml");
    let both = repository.check(&[".", "--since", "main", "--profile", "strict"]);
    assert_eq!(
        both.notes(),
        ["2 objects of main are gone, judged as deleted"]
    );
    assert_eq!(both.value["summary"]["warnings"], 0, "{}", both.value);
    // All that was asked about may be gone.
    repository.remove("clusters.yaml");
    repository.git(&["rm", "-r", "--quiet", "--cached", "."]);
    let all = repository.check(&["apps", "policies", "clusters.yaml", "--since", "main"]);
    assert_eq!(all.code, 0, "{} {}", all.stderr, all.value);
}

/// A site's own policies are asked about what is gone; that one of them can't say anything is told.
#[test]
fn policies_of_a_site_are_asked_about_what_is_gone() {
    let api = "admissionregistration.k8s.io/v1";
    let asked = |name: &str, expression: &str| {
        format!(
            "apiVersion: {api}\nkind: ValidatingAdmissionPolicy\nmetadata: {{ name: {name} }}\nspec:\n  matchConstraints:\n    \
             resourceRules:\n      - {{ apiGroups: [ramendr.openshift.io], apiVersions: [v1alpha1], operations: [DELETE], \
             resources: [drpolicies] }}\n  validations: [{{ expression: \"{expression}\" }}]\n---\napiVersion: {api}\nkind: \
             ValidatingAdmissionPolicyBinding\nmetadata: {{ name: {name} }}\nspec: {{ policyName: {name}, validationActions: \
             [Deny] }}\n"
        )
    };
    let files = [
        ("clusters.yaml", CLUSTERS),
        ("policy.yaml", &policy("pair", "[east, west]")),
    ];
    let repository = Repository::new(&files);
    repository.remove("policy.yaml");
    let folder = tempfile::tempdir().unwrap();
    let text = [
        asked("kept", "oldObject.metadata.name != 'pair'"),
        asked("who", "request.userInfo.username == 'admin'"),
    ];
    let file = folder.path().join("policies.yaml");
    fs::write(&file, text.join("---\n")).unwrap();
    let file = file.to_str().unwrap();
    let gone = repository.check(&[".", "--since", "main", "--policies", file]);
    assert_eq!(
        (gone.code, gone.about("policy/kept")),
        (0, vec![triple("DELETE", "pair", "warn")]),
        "{}",
        gone.value
    );
    assert_eq!(
        gone.notes(),
        [
            "1 object of main is gone, judged as deleted",
            "ValidatingAdmissionPolicy \"who\" could not be evaluated for 1 object: it asks who makes the request"
        ]
    );
}

#[test]
fn what_is_elsewhere_is_not_gone() {
    let repository = Repository::new(&[
        ("clusters.yaml", CLUSTERS),
        ("apps/policy.yaml", &policy("pair", "[east, west]")),
        (".gitignore", "ignored\n"),
        ("apps/other.yaml", "kind: Other\napiVersion: v1\n"),
    ]);
    repository.remove("apps/policy.yaml");
    repository.write(&[("elsewhere/policy.yaml", &policy("pair", "[east, west]"))]);
    // Not known to Git yet, then known.
    assert_eq!(
        repository.check(&["apps", "--since", "main"]).notes().len(),
        0
    );
    repository.git(&["add", "--all"]);
    assert_eq!(
        repository.check(&["apps", "--since", "main"]).notes().len(),
        0
    );
    repository.remove("elsewhere/policy.yaml");
    assert_eq!(
        repository.check(&["apps", "--since", "main"]).notes().len(),
        1
    );
    // What is only looked at is not gone either.
    let context = tempfile::tempdir().unwrap();
    fs::write(
        context.path().join("policy.yaml"),
        policy("pair", "[east, west]"),
    )
    .unwrap();
    let context = context.path().to_str().unwrap();
    let looked_at = repository.check(&["apps", "--since", "main", "--context", context]);
    assert_eq!(looked_at.notes().len(), 0);
}

/// An object that the API server would never have stored has nothing that may not change.
#[test]
fn what_was_broken_may_be_repaired() {
    let whole = drpc("pair");
    let part = whole.replace("  pvcSelector: { matchLabels: { a: b } }\n", "");
    let repository = Repository::new(&[
        ("part.yaml", &part),
        ("broken.yaml", "a: [\n"),
        ("policy.yaml", &policy("pair", "[east, west]")),
    ]);
    repository.write(&[("part.yaml", &whole), ("broken.yaml", "# nothing\n")]);
    let repaired = repository.check(&[".", "--since", "main"]);
    assert_eq!(repaired.code, 0, "{}", repaired.value);
    let note = "main:broken.yaml can't be read, so what is there now is judged as new";
    assert_eq!(repaired.notes(), [note]);
    // A patch of Kustomize's is no object, and what is rendered from it has not changed.
    let repository = Repository::new(&[("base/patch.yaml", &part)]);
    repository.remove("base/patch.yaml");
    repository.write(&[("rendered/drpc.yaml", &whole)]);
    assert_eq!(repository.check(&["rendered", "--since", "main"]).code, 0);
}

#[test]
fn from_anywhere_in_the_repository() {
    let before = policy("pair", "[east, west]");
    let after = policy("pair", "[west, east]");
    let file = "some where/the \"policy\" ä.yaml";
    let repository = Repository::new(&[(file, &before), ("deep/er/keep.yaml", CLUSTERS)]);
    let tree = tempfile::tempdir().unwrap();
    let tree = tree.path().join("tree");
    repository.git(&[
        "worktree",
        "add",
        "--quiet",
        "-b",
        "other",
        tree.to_str().unwrap(),
    ]);
    for root in [repository.path(), &tree] {
        fs::write(root.join(file), &after).unwrap();
        let from = |folder: &str, path: &OsStr| {
            let args = [path, OsStr::new("--since"), OsStr::new("main")];
            said(check(&root.join(folder), &args, &[])).about(MOVED_POLICY)
        };
        let expected = [triple("UPDATE", "pair", "deny")];
        assert_eq!(from("", OsStr::new(".")), expected);
        assert_eq!(from("", OsStr::new(file)), expected);
        assert_eq!(from("some where", OsStr::new(".")), expected);
        assert_eq!(from("deep/er", OsStr::new("../../some where")), expected);
        assert_eq!(from("/", root.as_os_str()), expected);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text() {
    use std::os::unix::ffi::OsStringExt;

    let repository = Repository::new(&[("clusters.yaml", CLUSTERS)]);
    let name = OsString::from_vec(b"p\xffol\nicy.yaml".to_vec());
    let file = repository.path().join(&name);
    fs::write(&file, policy("pair", "[east, west]")).unwrap();
    repository.commit();
    fs::write(&file, policy("pair", "[west, east]")).unwrap();
    for path in [OsString::from("."), name] {
        let args = [path, "--since".into(), "main".into()];
        let edited = said(check(repository.path(), &args, &[]));
        let expected = [triple("UPDATE", "pair", "deny")];
        assert_eq!(edited.about(MOVED_POLICY), expected, "{}", edited.stderr);
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_as_they_are_on_the_disk() {
    use std::os::unix::fs::symlink;

    let before = policy("pair", "[east, west]");
    let repository =
        Repository::new(&[("base/policy.yaml", &before), ("apps/keep.yaml", CLUSTERS)]);
    symlink("../base", repository.path().join("apps/base")).unwrap();
    symlink("apps", repository.path().join("link")).unwrap();
    repository.commit();
    repository.write(&[("base/policy.yaml", &policy("pair", "[west, east]"))]);
    let expected = [triple("UPDATE", "pair", "deny")];
    for path in ["apps", "link", "apps/base/policy.yaml", "."] {
        let edited = repository.check(&[path, "--since", "main"]);
        assert_eq!(edited.about(MOVED_POLICY)[0], expected[0], "{path}");
        assert_eq!(edited.about("object-duplicate"), [], "{path}");
    }
}

#[test]
fn neither_configuration_nor_hooks_change_what_git_says() {
    let before = policy("pair", "[east, west]");
    let repository = Repository::new(&[("a b/policy.yaml", &before), ("clusters.yaml", CLUSTERS)]);
    repository.write(&[("a b/policy.yaml", &policy("pair", "[west, east]"))]);
    let config = tempfile::tempdir().unwrap();
    let config = config.path().join("config");
    fs::write(
        &config,
        "[color]\nui = always\n[core]\nquotePath = true\nabbrev = 4\nfsmonitor = /nowhere/at/all\npager = false\n\
         [diff]\nexternal = false\nrelative = true\nrenames = copies\nnoprefix = true\norderFile = /nowhere\n\
         [ls]\nshort = true\n[log]\nshowSignature = true\n[alias]\nls-tree = version\n",
    )
    .unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let elsewhere = elsewhere.path().as_os_str();
    let environments: [&[(&str, &OsStr)]; 3] = [
        &[
            ("GIT_CONFIG_GLOBAL", config.as_os_str()),
            ("LANG", OsStr::new("de_DE.UTF-8")),
        ],
        &[
            ("GIT_DIR", OsStr::new(".git")),
            ("GIT_INDEX_FILE", OsStr::new(".git/index")),
        ],
        &[
            ("GIT_DIR", elsewhere),
            ("GIT_WORK_TREE", elsewhere),
            ("GIT_PREFIX", OsStr::new("x/")),
        ],
    ];
    for environment in environments {
        for folder in ["", "a b"] {
            let args = [".", "--since", "main"];
            let edited = said(check(&repository.path().join(folder), &args, environment));
            let expected = [triple("UPDATE", "pair", "deny")];
            assert_eq!(
                edited.about(MOVED_POLICY),
                expected,
                "{environment:?} {}",
                edited.stderr
            );
        }
    }
}

#[test]
fn what_cannot_be_asked() {
    let repository = Repository::new(&[("clusters.yaml", CLUSTERS)]);
    repository.write(&[("clusters.yaml", "# nothing\n---\n")]);
    repository.commit();
    let refused = |folder: &Path, args: &[&str], env: &[(&str, &OsStr)]| {
        let refused = said(check(folder, args, env));
        assert_eq!(refused.code, 2, "{args:?} {}", refused.value);
        refused.stderr
    };
    let here = |args: &[&str]| refused(repository.path(), args, &[]);
    let unknown = here(&[".", "--since", "mian"]);
    assert!(
        unknown.contains("there is no commit \"mian\" in "),
        "{unknown}"
    );
    for name in ["--help", "-1", "main..HEAD", ""] {
        let since = format!("--since={name}");
        let unknown = here(&[".", &since]);
        assert!(unknown.contains("there is no commit"), "{name}: {unknown}");
    }
    assert!(here(&["-", "--since", "main"]).contains("standard input is in no commit"));
    assert!(here(&[".", "--since", "main", "--old", "."]).contains("cannot be used with"));

    let none = tempfile::tempdir().unwrap();
    fs::write(none.path().join("clusters.yaml"), CLUSTERS).unwrap();
    let nowhere = refused(none.path(), &[".", "--since", "main"], &[]);
    assert!(nowhere.contains("is in no Git repository"), "{nowhere}");
    let path = none.path().as_os_str();
    let no_git = refused(
        repository.path(),
        &[".", "--since", "main"],
        &[("PATH", path)],
    );
    assert!(
        no_git.contains("the program git, which is not installed"),
        "{no_git}"
    );

    let clone = |depth: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let from = format!("file://{}", repository.path().display());
        let to = folder.path().to_str().unwrap();
        git(
            none.path(),
            &[&["clone", "--quiet"], depth, &[&from, to]].concat(),
        );
        folder
    };
    let shallow = clone(&["--depth=1"]);
    let stderr = refused(shallow.path(), &[".", "--since", "HEAD~1"], &[]);
    assert!(stderr.contains("fetch-depth: 0"), "{stderr}");
    // As CI checks out a branch.
    let full = clone(&[]);
    git(full.path(), &["checkout", "--quiet", "--detach"]);
    git(full.path(), &["branch", "--quiet", "-D", "main"]);
    let stderr = refused(full.path(), &[".", "--since", "main"], &[]);
    assert!(stderr.contains("did you mean \"origin/main\"?"), "{stderr}");
    assert_eq!(
        said(check(full.path(), &[".", "--since", "origin/main~1"], &[])).code,
        0
    );
}

/// The files are where they were, and nothing was written.
#[test]
fn nothing_is_written() {
    let repository = Repository::new(&[("clusters.yaml", CLUSTERS)]);
    repository.write(&[("clusters.yaml", &CLUSTERS.replace("west", "north"))]);
    let state = |folder: PathBuf| {
        let mut files: Vec<_> = walk(&folder);
        files.sort();
        files
    };
    let before = state(repository.path().to_owned());
    repository.check(&[".", "--since", "main"]);
    assert_eq!(state(repository.path().to_owned()), before);
}

fn walk(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found
}
