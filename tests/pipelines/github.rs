//! The action in `action.yml`, with what the workflow of the example gives it, step by step as a runner would.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{
    BROKEN, SOURCES, passes_and_fails,
    repository::Repository,
    tools::{Ran, Tools, example, missing, root, text, yaml},
    with_tools,
};

/// What the runner keeps of a job.
struct Runner<'a> {
    tools: &'a Tools,
    temp: tempfile::TempDir,
    inputs: Vec<(String, String)>,
    path: String,
}

impl<'a> Runner<'a> {
    /// With the inputs of the example's workflow, for a pull request that begins at this commit.
    fn new(tools: &'a Tools, since: Option<&str>) -> Self {
        let workflow = yaml(&example("github/workflow.yaml"));
        let steps = workflow["jobs"]["check"]["steps"].as_array().unwrap();
        let own = steps
            .iter()
            .find(|step| step["id"] == "guard")
            .expect("the step with the action");
        let action = yaml(&root().join("action.yml"));
        let mut inputs = Vec::new();
        for (name, input) in action["inputs"].as_object().unwrap() {
            let given = own["with"].get(name).or(input.get("default"));
            let value = match text(given.expect("a value")) {
                "${{ github.event.pull_request.base.sha }}" => since.unwrap_or_default(),
                value => value,
            };
            assert!(!value.contains("${{"), "{value}");
            inputs.push((name.clone(), value.to_owned()));
        }
        Self {
            tools,
            temp: tempfile::tempdir().unwrap(),
            inputs,
            path: tools.path(),
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        let input = self.inputs.iter_mut().find(|(known, _)| known == name);
        value.clone_into(&mut input.expect("an input").1);
    }

    fn step(&mut self, step: &Value, workspace: &Path) -> Ran {
        assert_eq!(step["shell"], "bash");
        let file = |name: &str| self.temp.path().join(name);
        let script = file("script.sh");
        fs::write(&script, text(&step["run"])).unwrap();
        for name in ["output", "path"] {
            fs::write(file(name), "").unwrap();
        }
        let mut command = self.tools.command("bash", self.temp.path());
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(script)
            .current_dir(workspace)
            .env("PATH", &self.path)
            .env("GITHUB_ACTION_PATH", root())
            .env("GITHUB_WORKSPACE", workspace)
            .env("GITHUB_OUTPUT", file("output"))
            .env("GITHUB_PATH", file("path"))
            .env("RUNNER_TEMP", self.temp.path());
        for (name, value) in step["env"].as_object().unwrap() {
            let input = text(value).strip_prefix("${{ inputs.").expect("an input");
            let input = input.strip_suffix(" }}").unwrap();
            let known = self.inputs.iter().find(|(name, _)| name == input);
            command.env(name, &known.expect("an input that there is").1);
        }
        let ran = Ran::of(&mut command);
        for line in fs::read_to_string(file("path")).unwrap().lines() {
            self.path = format!("{line}:{}", self.path);
        }
        ran
    }

    /// All steps, up to one that fails.
    fn run(&mut self, repository: &Repository) -> Ran {
        let action = yaml(&root().join("action.yml"));
        let mut last = None;
        for step in action["runs"]["steps"].as_array().unwrap() {
            let ran = self.step(step, repository.path());
            if ran.code != 0 {
                return ran;
            }
            last = Some(ran);
        }
        last.unwrap()
    }
}

#[test]
fn the_action() {
    with_tools(|tools| {
        passes_and_fails("the action", true, |repository, since| {
            let mut runner = Runner::new(tools, since);
            let ran = runner.run(repository);
            // The findings are there for the step that uploads them, whether it failed or not.
            let output = fs::read_to_string(runner.temp.path().join("output")).unwrap();
            let sarif = output.trim().strip_prefix("sarif=").expect("the output");
            let sarif = fs::read_to_string(sarif).unwrap();
            let sarif: Value = serde_json::from_str(&sarif).unwrap();
            let results = sarif["runs"][0]["results"].as_array().unwrap();
            let errors = results.iter().filter(|result| result["level"] == "error");
            assert_eq!(errors.count() > 0, ran.code == 1);
            ran
        });
    });
}

#[test]
fn an_annotation_is_beside_the_line() {
    with_tools(|tools| {
        let repository = Repository::new();
        repository.make(&BROKEN[0]);
        let ran = Runner::new(tools, None).run(&repository);
        let file = fs::read_to_string(repository.path().join(BROKEN[0].file)).unwrap();
        let line = 1 + file.lines().position(|it| it.contains("wset")).unwrap();
        let begin = format!("::error file=apps/mail/drpc.yaml,line={line},");
        assert!(ran.stdout.contains(&begin), "{}", ran.stdout);
    });
}

#[test]
fn what_the_action_is_given() {
    with_tools(|tools| {
        let repository = Repository::new();
        // Warnings fail where somebody wants them to.
        let misspelt =
            "metadata:\n  annotations:\n    ramendr.openshift.io/do-not-delete-pvc: \"true\"";
        let drpc = repository.path().join("apps/mail/drpc.yaml");
        let text = fs::read_to_string(&drpc).unwrap();
        fs::write(&drpc, text.replace("metadata:", misspelt)).unwrap();
        let mut runner = Runner::new(tools, None);
        runner.run(&repository).passed("warnings");
        runner.set("args", "--fail-on warn");
        assert_eq!(runner.run(&repository).code, 3);
        // What isn't there is no pass.
        let mut runner = Runner::new(tools, None);
        runner.set("paths", "clusters nowhere");
        assert_eq!(runner.run(&repository).code, 2);
        // Without the program and without an image.
        let mut runner = Runner::new(tools, None);
        runner.set("image", "");
        runner.path = "/usr/bin:/bin".to_owned();
        let ran = runner.run(&repository);
        assert!(ran.code == 2 && ran.stdout.contains("::error"), "{ran:?}");
    });
}

#[test]
fn actionlint_finds_nothing() {
    with_tools(|tools| {
        let Some(actionlint) = tools.built("actionlint") else {
            return missing("there is no actionlint");
        };
        let home = tempfile::tempdir().unwrap();
        let workflow = example("github/workflow.yaml");
        let mut lint = tools.command(actionlint.to_str().unwrap(), home.path());
        lint.args(["-no-color", "-shellcheck=", "-pyflakes="])
            .arg(&workflow);
        Ran::of(&mut lint).passed("actionlint");
        // It does look.
        let text = fs::read_to_string(workflow).unwrap();
        let wrong = home.path().join("wrong.yaml");
        fs::write(&wrong, text.replace("runs-on:", "runs-at:")).unwrap();
        let mut lint = tools.command(actionlint.to_str().unwrap(), home.path());
        assert_eq!(Ran::of(lint.arg("-no-color").arg(wrong)).code, 1);
        assert!(text.contains(&format!("paths: {SOURCES}")));
    });
}
