//! The task of `tekton/task.yaml`: parameters put in as Tekton does, its script run as the file that Tekton makes.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::{
    SOURCES, passes_and_fails,
    repository::Repository,
    tools::{Ran, Tools, example, text, yaml},
    with_tools,
};

fn run(tools: &Tools, repository: &Repository, since: Option<&str>) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let task = yaml(&example("tekton/task.yaml"));
    let params = yaml(&example("tekton/run.yaml"))["spec"]["params"].clone();
    assert_eq!(params[0]["value"], SOURCES);
    let put_in = |value: &str| {
        let mut value = value.replace(
            "$(workspaces.source.path)",
            repository.path().to_str().unwrap(),
        );
        for param in task["spec"]["params"].as_array().unwrap() {
            let name = text(&param["name"]);
            let given = params
                .as_array()
                .unwrap()
                .iter()
                .find(|it| it["name"] == name);
            let said = match (name, since) {
                ("since", Some(since)) => since,
                _ => text(given.map_or(&param["default"], |it| &it["value"])),
            };
            value = value.replace(&format!("$(params.{name})"), said);
        }
        assert!(
            !value.contains("$(params.") && !value.contains("$(workspaces."),
            "{value}"
        );
        value
    };
    let steps = task["spec"]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1);
    let step = &steps[0];
    // What a parameter says is never part of a script.
    assert!(!text(&step["script"]).contains("$("));
    assert!(!put_in(text(&step["image"])).ends_with("latest"));
    let script = home.path().join("script");
    fs::write(&script, text(&step["script"])).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = tools.command(script.to_str().unwrap(), home.path());
    command.current_dir(put_in(text(&step["workingDir"])));
    for variable in step["env"].as_array().unwrap() {
        command.env(text(&variable["name"]), put_in(text(&variable["value"])));
    }
    // Where its empty volume is mounted.
    for name in ["WORK", "HOME"] {
        command.env(name, home.path());
    }
    Ran::of(&mut command)
}

#[test]
fn the_task() {
    with_tools(|tools| {
        passes_and_fails("the task", true, |repository, since| {
            run(tools, repository, since)
        });
    });
}
