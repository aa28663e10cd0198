//! The repository that pipelines check.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::tools::{Ran, root};

/// An edit of a file, and the rule that it breaks.
pub(crate) struct Change {
    pub(crate) file: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) rule: &'static str,
}

/// `tests/pipelines/repository` as a repository of Git's.
pub(crate) struct Repository {
    folder: TempDir,
}

impl Repository {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&root().join("tests/pipelines/repository"), folder.path());
        let repository = Self { folder };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit();
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Adds what is elsewhere, a file or a folder.
    pub(crate) fn add(&self, from: &Path, to: &str) {
        let to = self.path().join(to);
        if from.is_dir() {
            copy(from, &to);
        } else {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }

    /// Makes a change, and commits it.
    pub(crate) fn make(&self, change: &Change) {
        self.edit(change);
        self.commit();
    }

    pub(crate) fn edit(&self, change: &Change) {
        let file = self.path().join(change.file);
        let before = fs::read_to_string(&file).unwrap();
        let after = before.replace(change.from, change.to);
        assert_ne!(before, after, "{}", change.file);
        fs::write(file, after).unwrap();
    }

    pub(crate) fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=one"]);
    }

    pub(crate) fn back_to(&self, commit: &str) {
        self.git(&["reset", "--quiet", "--hard", commit]);
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(["-c", "commit.gpgsign=false"])
            .args(args)
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        let ran = Ran::of(&mut git);
        ran.passed(&format!("git {args:?}"));
        ran.stdout.trim().to_owned()
    }
}

/// The files of a folder, by name, with those of the folders in it.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}
