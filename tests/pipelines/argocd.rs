//! The `PreSync` Job and the plugin of `argocd/`: their commands, run as Argo CD and the kubelet would.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::{
    BROKEN, SOURCES, passes_and_fails,
    repository::Repository,
    tools::{Ran, Tools, example, text, yaml},
    with_tools,
};

const REVISION: &str = "guard.example.com/revision";

/// The Job as Argo CD renders the second source of the example's application, at this commit.
fn presync(tools: &Tools, commit: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let application = yaml(&example("argocd/application.yaml"));
    let sources = application["spec"]["sources"].as_array().unwrap();
    let kustomize = &sources[1]["kustomize"];
    // Both are at the same revision, or the wrong one would be checked.
    assert_eq!(sources[0]["repoURL"], sources[1]["repoURL"]);
    assert_eq!(sources[0]["targetRevision"], sources[1]["targetRevision"]);
    assert_eq!(kustomize["commonAnnotationsEnvsubst"], true);
    let annotations = kustomize["commonAnnotations"].to_string();
    let annotations = annotations.replace("$ARGOCD_APP_REVISION", commit);
    for name in ["job.yaml", "kustomization.yaml"] {
        fs::copy(
            example("argocd/presync").join(name),
            folder.path().join(name),
        )
        .unwrap();
    }
    // As `kustomize edit add annotation` does it, which is what Argo CD calls.
    let file = folder.path().join("kustomization.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}commonAnnotations: {annotations}\n")).unwrap();
    let built = Ran::of(
        tools
            .command("kubectl", folder.path())
            .arg("kustomize")
            .arg(folder.path()),
    );
    built.passed("kustomize");
    serde_saphyr::from_str(&built.stdout).unwrap()
}

fn run_job(tools: &Tools, repository: &Repository) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let commit = repository.head();
    let job = presync(tools, &commit);
    let template = &job["spec"]["template"];
    assert_eq!(
        job["metadata"]["annotations"]["argocd.argoproj.io/hook"],
        "PreSync"
    );
    assert_eq!(job["spec"]["backoffLimit"], 0);
    assert_eq!(template["spec"]["automountServiceAccountToken"], false);
    let container = &template["spec"]["containers"][0];
    let words = |field: &str| container[field].as_array().unwrap().iter().map(text);
    let words: Vec<&str> = words("command").chain(words("args")).collect();
    let mut command = tools.command(words[0], home.path());
    command.args(&words[1..]).current_dir("/");
    for variable in container["env"].as_array().unwrap() {
        let name = text(&variable["name"]);
        let annotation = format!("metadata.annotations['{REVISION}']");
        match name {
            "REPOSITORY" => command.env(name, format!("file://{}", repository.path().display())),
            "WORK" | "HOME" => command.env(name, home.path()),
            "REVISION" => {
                assert_eq!(variable["valueFrom"]["fieldRef"]["fieldPath"], annotation);
                command.env(name, text(&template["metadata"]["annotations"][REVISION]))
            }
            _ => command.env(name, text(&variable["value"])),
        };
        if name == "SOURCES" {
            assert_eq!(variable["value"], SOURCES);
        }
    }
    Ran::of(&mut command)
}

#[test]
fn the_job_before_a_sync() {
    with_tools(|tools| {
        passes_and_fails("the Job", false, |repository, _| run_job(tools, repository));
    });
}

/// A branch that has moved on since is not what is about to be applied.
#[test]
fn the_job_checks_the_revision_of_the_sync() {
    with_tools(|tools| {
        let repository = Repository::new();
        let good = repository.head();
        repository.make(&BROKEN[0]);
        repository.git(&["checkout", "--quiet", "--detach", &good]);
        run_job(tools, &repository).passed("the commit before");
        repository.git(&["checkout", "--quiet", "main"]);
        run_job(tools, &repository).refused("the branch", BROKEN[0].rule);
    });
}

/// A command of the plugin, in the folder of an application, with what Argo CD says of it in the environment.
fn plugin(tools: &Tools, name: &str, folder: &Path, context: &str) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let plugin = yaml(&example("argocd/plugin/plugin.yaml"));
    let spec = match name {
        "discover" => &plugin["spec"]["discover"]["find"],
        _ => &plugin["spec"][name],
    };
    let words =
        ["command", "args"].map(|field| spec[field].as_array().cloned().unwrap_or_default());
    let words = words.concat();
    let mut command: Command = tools.command(text(&words[0]), home.path());
    command
        .args(words[1..].iter().map(text))
        .current_dir(folder)
        .env("ARGOCD_APP_NAME", folder.file_name().unwrap())
        .env("ARGOCD_APP_NAMESPACE", "shop")
        .env("ARGOCD_ENV_CONTEXT", context);
    Ran::of(&mut command)
}

#[test]
fn the_plugin() {
    with_tools(|tools| {
        for (index, folder, clusters) in [
            (0, "apps/mail", "../../clusters"),
            (1, "apps/shop/overlays/production", "../../../../clusters"),
            (2, "charts/billing", "../../clusters"),
        ] {
            let repository = Repository::new();
            let path = repository.path().join(folder);
            let found = plugin(tools, "discover", &path, "");
            found.passed("discover");
            assert!(!found.stdout.trim().is_empty(), "{folder}");

            let built = plugin(tools, "generate", &path, clusters);
            built.passed("generate");
            let objects: Vec<Value> = serde_saphyr::from_multiple(&built.stdout).unwrap();
            let kinds: Vec<&str> = objects.iter().map(|it| text(&it["kind"])).collect();
            assert!(
                kinds.contains(&"DRPlacementControl") && kinds.contains(&"Placement"),
                "{kinds:?}"
            );
            assert_eq!(kinds.len(), 2, "{}", built.stdout);

            let change = &BROKEN[index];
            repository.make(change);
            let refused = plugin(tools, "generate", &path, clusters);
            refused.refused("generate", change.rule);
            assert_eq!(refused.stdout, "", "nothing that could be applied");
        }
    });
}

#[test]
fn the_plugin_leaves_what_it_has_no_rules_about() {
    with_tools(|tools| {
        let repository = Repository::new();
        let other = repository.path().join("other");
        fs::create_dir(&other).unwrap();
        let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
        fs::write(other.join("config.yaml"), config).unwrap();
        let found = plugin(tools, "discover", &other, "");
        assert_eq!((found.code, found.stdout.trim()), (0, ""));
        // Where `discover` is left out, an application that names the plugin gets what it would get without.
        let built = plugin(tools, "generate", &other, "");
        built.passed("generate");
        let same: Value = serde_saphyr::from_str(&built.stdout).unwrap();
        assert_eq!(same, serde_saphyr::from_str::<Value>(config).unwrap());
        // What can't be built is no empty application.
        fs::write(other.join("config.yaml"), "a: [\n").unwrap();
        let broken = plugin(tools, "generate", &other, "");
        assert!(broken.code == 2 && broken.stdout.is_empty(), "{broken:?}");
    });
}

/// Argo CD mounts the file from the ConfigMap that the kustomization makes.
#[test]
fn the_plugin_is_mounted() {
    with_tools(|tools| {
        let home = tempfile::tempdir().unwrap();
        let mut kustomize = tools.command("kubectl", home.path());
        let built = Ran::of(kustomize.arg("kustomize").arg(example("argocd/plugin")));
        built.passed("kustomize");
        let map: Value = serde_saphyr::from_str(&built.stdout).unwrap();
        let patch = yaml(&example("argocd/plugin/patch.yaml"));
        let spec = &patch["spec"]["template"]["spec"];
        assert_eq!(
            spec["volumes"][0]["configMap"]["name"],
            map["metadata"]["name"]
        );
        let file = fs::read_to_string(example("argocd/plugin/plugin.yaml")).unwrap();
        assert_eq!(map["data"]["plugin.yaml"], file);
    });
}
