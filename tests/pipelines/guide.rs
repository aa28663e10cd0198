//! What docs/pipelines.md tells people to type in a repository of theirs. What it tells them to type at a
//! cluster is run by tests/cluster/install.rs.

use std::{fs, os::unix::fs::symlink};

use crate::{
    BROKEN, MOVED,
    repository::Repository,
    tools::{Ran, root},
    with_tools,
};

/// The blocks of `console`.
fn blocks(guide: &str) -> Vec<&str> {
    let parts = guide.split("```console\n").skip(1);
    parts
        .map(|part| part.split("```").next().unwrap())
        .collect()
}

#[test]
fn the_commands_pass_and_fail() {
    with_tools(|tools| {
        let guide = fs::read_to_string(root().join("docs/pipelines.md")).unwrap();
        let blocks = blocks(&guide);
        assert!(blocks.len() >= 4, "{blocks:?}");
        let home = tempfile::tempdir().unwrap();
        for block in blocks {
            let repository = Repository::new();
            symlink(root().join("examples"), repository.path().join("examples")).unwrap();
            repository.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
            let run = || {
                let _ = fs::remove_dir_all(repository.path().join("rendered"));
                let mut shell = tools.command("bash", home.path());
                shell.args(["-euo", "pipefail", "-c", block]);
                Ran::of(shell.current_dir(repository.path()))
            };
            run().passed(block);
            // Each looks at one of them at least.
            for change in &BROKEN {
                repository.edit(change);
            }
            let ran = run();
            assert_eq!(ran.code, 1, "{block}\n{}", ran.said());
            // What asks about edits finds one in what is broken in no other way.
            repository.back_to("HEAD");
            for change in &MOVED {
                repository.edit(change);
            }
            let ran = run();
            let asks = block.contains("--since");
            assert_eq!(ran.code, i32::from(asks), "{block}\n{}", ran.said());
        }
    });
}
