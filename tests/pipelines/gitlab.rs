//! The job of `gitlab/gitlab-ci.yaml`, its script as a runner's shell would run it.

use std::fs;

use serde_json::Value;

use crate::{
    SOURCES, passes_and_fails,
    repository::Repository,
    tools::{Ran, Tools, example, text, yaml},
    with_tools,
};

/// What the job leaves behind, of these names.
const REPORTS: [&str; 3] = [
    "ramen-guard.xml",
    "ramen-guard.sarif",
    "gl-code-quality-report.json",
];

fn run(tools: &Tools, repository: &Repository, since: Option<&str>) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let job = yaml(&example("gitlab/gitlab-ci.yaml"))["ramen-guard"].clone();
    let script: Vec<&str> = job["script"].as_array().unwrap().iter().map(text).collect();
    let mut command = tools.command("sh", home.path());
    command
        .args(["-e", "-c", &script.join("\n")])
        .current_dir(repository.path())
        .env("CI_PROJECT_DIR", home.path());
    for (name, value) in job["variables"].as_object().unwrap() {
        command.env(name, text(value));
    }
    assert_eq!(job["variables"]["SOURCES"], SOURCES);
    if let Some(since) = since {
        command.env("CI_MERGE_REQUEST_DIFF_BASE_SHA", since);
    }
    let ran = Ran::of(&mut command);

    let artifacts = job["artifacts"].to_string();
    assert_eq!(job["artifacts"]["when"], "always");
    let [junit, sarif, quality] = REPORTS.map(|name| {
        assert!(artifacts.contains(name), "{name}");
        fs::read_to_string(home.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}: {ran:?}"))
    });
    let junit = roxmltree::Document::parse(&junit).unwrap();
    let failures = junit.root_element().attribute("failures").unwrap();
    assert_eq!(failures != "0", ran.code == 1, "{ran:?}");
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let quality: Value = serde_json::from_str(&quality).unwrap();
    let (results, issues) = (&sarif["runs"][0]["results"], quality.as_array().unwrap());
    assert_eq!(results.as_array().unwrap().len(), issues.len());
    for (result, issue) in results.as_array().unwrap().iter().zip(issues) {
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(issue["check_name"], result["ruleId"]);
        assert_eq!(issue["location"]["path"], place["artifactLocation"]["uri"]);
        assert_eq!(
            issue["location"]["lines"]["begin"],
            place["region"]["startLine"]
        );
        assert!(text(&issue["fingerprint"]).len() >= 8);
        let critical = issue["severity"] == "critical";
        assert_eq!(critical, result["level"] == "error");
    }
    ran
}

#[test]
fn the_job() {
    with_tools(|tools| {
        passes_and_fails("the job", true, |repository, since| {
            run(tools, repository, since)
        });
    });
}
