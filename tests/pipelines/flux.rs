//! What Flux can wait for: the Job of `flux/gate`, and the script that pushes an artifact.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use serde_json::Value;

use crate::{
    BROKEN, SOURCES, passes_and_fails,
    repository::Repository,
    tools::{Ran, Tools, example, text},
    with_tools,
};

/// What Flux builds of `guard/` in this repository: the ConfigMap and the Job.
fn built(tools: &Tools, repository: &Repository) -> (Value, Value) {
    repository.add(&example("flux/gate"), "guard");
    let home = tempfile::tempdir().unwrap();
    // Flux lets a kustomization read what is elsewhere in the same source.
    let mut kustomize = tools.command("kubectl", home.path());
    kustomize.args(["kustomize", "--load-restrictor=LoadRestrictionsNone"]);
    let ran = Ran::of(kustomize.arg(repository.path().join("guard")));
    ran.passed("kustomize");
    let objects: Vec<Value> = serde_saphyr::from_multiple(&ran.stdout).unwrap();
    let find = |kind: &str| {
        objects
            .iter()
            .find(|it| it["kind"] == kind)
            .unwrap()
            .clone()
    };
    (find("ConfigMap"), find("Job"))
}

/// Runs the Job's container, with the ConfigMap mounted as a kubelet does it.
fn run_job(tools: &Tools, repository: &Repository) -> Ran {
    let (map, job) = built(tools, repository);
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(
        pod["volumes"][0]["configMap"]["name"],
        map["metadata"]["name"]
    );
    assert_eq!(pod["automountServiceAccountToken"], false);
    let volume = tempfile::tempdir().unwrap();
    let data = volume.path().join("..2026_01_01_00_00_00.1");
    fs::create_dir(&data).unwrap();
    symlink(&data, volume.path().join("..data")).unwrap();
    for (name, content) in map["data"].as_object().unwrap() {
        fs::write(data.join(name), text(content)).unwrap();
        symlink(format!("..data/{name}"), volume.path().join(name)).unwrap();
    }
    let args = pod["containers"][0]["args"].as_array().unwrap();
    let mut command = tools.command("ramen-guard", volume.path());
    for arg in args {
        match text(arg) {
            "/manifests" => command.arg(volume.path()),
            arg => command.arg(arg),
        };
    }
    Ran::of(&mut command)
}

#[test]
fn the_job_that_others_wait_for() {
    with_tools(|tools| {
        let repository = Repository::new();
        let deployed = repository.head();
        run_job(tools, &repository).passed("the Job");
        let (_, before) = built(tools, &repository);
        repository.make(&BROKEN[0]);
        run_job(tools, &repository).refused("the Job", BROKEN[0].rule);
        // It is another Job, so that Flux makes it anew; an edit of nothing that it checks is none.
        let (_, after) = built(tools, &repository);
        assert_ne!(before["spec"], after["spec"]);
        repository.back_to(&deployed);
        repository.make(&BROKEN[2]);
        assert_eq!(before, built(tools, &repository).1);

        // What waits for it has the same source, or Flux would not compare the revisions.
        let text = fs::read_to_string(example("flux/kustomizations.yaml")).unwrap();
        let [guard, waiting]: [Value; 2] = serde_saphyr::from_multiple::<Value>(&text)
            .unwrap()
            .try_into()
            .unwrap();
        assert_eq!(guard["spec"]["wait"], true);
        assert_eq!(guard["spec"]["sourceRef"], waiting["spec"]["sourceRef"]);
        assert_eq!(
            waiting["spec"]["dependsOn"][0]["name"],
            guard["metadata"]["name"]
        );
        let force = "kustomize.toolkit.fluxcd.io/force";
        assert_eq!(before["metadata"]["annotations"][force], "enabled");
    });
}

/// It calls `flux` only for what passed, and with what was checked. A program that notes what it was told
/// stands in for flux, which can't be built from its Go module.
#[test]
fn what_fails_is_not_pushed() {
    with_tools(|tools| {
        passes_and_fails("push.sh", true, |repository, since| {
            let home = tempfile::tempdir().unwrap();
            let bin = home.path().join("bin");
            fs::create_dir(&bin).unwrap();
            let flux = bin.join("flux");
            let note = "#!/bin/sh\necho \"$@\" >>\"$HOME/told\"\nfor arg; do case $arg in --path=*) cp -r \"${arg#--path=}\" \"$HOME/pushed\" ;; esac; done\n";
            fs::write(&flux, note).unwrap();
            fs::set_permissions(&flux, fs::Permissions::from_mode(0o755)).unwrap();
            let mut command = tools.command("sh", home.path());
            command
                .arg(example("flux/push.sh"))
                .arg("oci://registry.example.com/deployments")
                .args(SOURCES.split(' '))
                .env("PATH", format!("{}:{}", bin.display(), tools.path()))
                .current_dir(repository.path());
            if let Some(since) = since {
                command.env("DEPLOYED", since);
            }
            let ran = Ran::of(&mut command);
            let told = fs::read_to_string(home.path().join("told")).unwrap_or_default();
            assert_eq!(
                told.lines().count(),
                if ran.code == 0 { 2 } else { 0 },
                "{told}"
            );
            if ran.code == 0 {
                let pushed = home.path().join("pushed");
                assert!(told.contains(&repository.head()), "{told}");
                assert!(pushed.join("charts/billing/rendered.yaml").is_file());
                assert!(!pushed.join(".git").exists());
            }
            ran
        });
        let artifact = fs::read_to_string(example("flux/artifact.yaml")).unwrap();
        assert!(artifact.contains("ref: { tag: deployed }"));
    });
}
