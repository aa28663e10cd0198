//! The hooks, by the real pre-commit. The hook that Rust builds is the same command as the one that is
//! installed; it is not built here.

use std::{fs, process::Command};

use crate::{
    BROKEN, MOVED,
    repository::Repository,
    tools::{Ran, Tools, example, missing, root, yaml},
    with_tools,
};

/// The part of the project that the hooks are made of, as a repository.
fn hooks() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = root();
    for file in [
        ".pre-commit-hooks.yaml",
        "examples/pipelines/render.sh",
        "examples/pipelines/pre-commit/rendered.sh",
    ] {
        let to = folder.path().join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from.join(file), to).unwrap();
    }
    for args in [
        &["init", "--quiet", "--initial-branch=main"] as &[&str],
        &["add", "--all"],
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.com",
            "commit",
            "--quiet",
            "--message=one",
        ],
        &["tag", "v0.1.0"],
    ] {
        let mut git = Command::new("git");
        git.env("GIT_CONFIG_GLOBAL", "/dev/null")
            .current_dir(folder.path());
        Ran::of(git.args(args)).passed("git");
    }
    folder
}

struct Commits<'a> {
    tools: &'a Tools,
    repository: Repository,
    home: tempfile::TempDir,
    _hooks: tempfile::TempDir,
}

impl<'a> Commits<'a> {
    fn new(tools: &'a Tools) -> Option<Self> {
        let Some(pre_commit) = tools.built("venv/bin/pre-commit") else {
            missing("there is no pre-commit");
            return None;
        };
        let hooks = hooks();
        let repository = Repository::new();
        let config = fs::read_to_string(example("pre-commit/pre-commit-config.yaml")).unwrap();
        let local = config.replace(
            "https://git.example.com/ramen-guard",
            hooks.path().to_str().unwrap(),
        );
        assert_ne!(config, local);
        fs::write(repository.path().join(".pre-commit-config.yaml"), local).unwrap();
        repository.commit();
        let home = tempfile::tempdir().unwrap();
        let commits = Self {
            tools,
            repository,
            home,
            _hooks: hooks,
        };
        let mut install = commits.command(pre_commit.to_str().unwrap());
        Ran::of(install.arg("install")).passed("pre-commit install");
        Some(commits)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = self.tools.command(program, self.home.path());
        command
            .current_dir(self.repository.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("PRE_COMMIT_HOME", self.home.path().join("cache"));
        command
    }

    /// `git commit` of all there is.
    fn commit(&self) -> Ran {
        self.repository.git(&["add", "--all"]);
        let mut git = self.command("git");
        let name = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        Ran::of(git.args(name).args(["commit", "--message=two"]))
    }
}

#[test]
fn a_commit_that_breaks_something_is_not_made() {
    with_tools(|tools| {
        let Some(commits) = Commits::new(tools) else {
            return;
        };
        let repository = &commits.repository;
        let deployed = repository.head();
        let placement = repository.path().join("apps/mail/placement.yaml");
        let text = fs::read_to_string(&placement).unwrap();
        fs::write(&placement, text + "# nothing\n").unwrap();
        commits.commit().passed("a comment");
        repository.back_to(&deployed);
        for change in BROKEN.iter().chain(&MOVED) {
            repository.edit(change);
            commits.commit().refused(change.file, change.rule);
            assert_eq!(repository.head(), deployed, "{}", change.file);
            repository.back_to(&deployed);
        }
    });
}

/// Only what is committed is judged, and the others are looked at.
#[test]
fn part_of_the_files() {
    with_tools(|tools| {
        let Some(commits) = Commits::new(tools) else {
            return;
        };
        let repository = &commits.repository;
        // Something is wrong already, and somebody edits another file.
        repository.git(&["config", "core.hooksPath", "/dev/null"]);
        repository.make(&BROKEN[0]);
        repository.git(&["config", "--unset", "core.hooksPath"]);
        let placement = repository.path().join("apps/mail/placement.yaml");
        let text = fs::read_to_string(&placement).unwrap();
        fs::write(&placement, text + "# nothing\n").unwrap();
        commits.commit().passed("another file");
    });
}

#[test]
fn both_ways_to_get_the_program_are_the_same_hook() {
    let hooks = yaml(&root().join(".pre-commit-hooks.yaml"));
    let [built, installed, _] = hooks.as_array().unwrap().as_slice() else {
        panic!("{hooks}");
    };
    for field in ["entry", "args", "files", "exclude", "require_serial"] {
        assert_eq!(built[field], installed[field], "{field}");
    }
}
