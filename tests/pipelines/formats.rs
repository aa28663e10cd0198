//! Every format of `check` says the same of the same repository, and has the same exit code.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    BROKEN, MOVED, SOURCES,
    repository::Repository,
    tools::{Ran, Tools, text},
    with_tools,
};

/// How often each rule was broken: as an error, and as a warning.
type Findings = BTreeMap<(String, &'static str), usize>;

fn count(found: impl Iterator<Item = (String, &'static str)>) -> Findings {
    let mut findings = Findings::new();
    for finding in found {
        *findings.entry(finding).or_default() += 1;
    }
    findings
}

fn of_json(said: &str) -> Findings {
    let value: Value = serde_json::from_str(said).unwrap();
    let objects = value["objects"].as_array().unwrap();
    let findings = objects
        .iter()
        .flat_map(|it| it["findings"].as_array().unwrap());
    count(findings.map(|finding| {
        let level = if finding["mode"] == "deny" {
            "error"
        } else {
            "warning"
        };
        (text(&finding["rule"]).to_owned(), level)
    }))
}

fn of_sarif(said: &str) -> Findings {
    let value: Value = serde_json::from_str(said).unwrap();
    let results = value["runs"][0]["results"].as_array().unwrap();
    count(results.iter().map(|result| {
        let level = if result["level"] == "error" {
            "error"
        } else {
            "warning"
        };
        (text(&result["ruleId"]).to_owned(), level)
    }))
}

fn of_junit(said: &str) -> Findings {
    let document = roxmltree::Document::parse(said).unwrap();
    let mut found = Vec::new();
    // A case has one failure, which names all that failed it a line each.
    for node in document.descendants() {
        let level = match node.tag_name().name() {
            "failure" => "error",
            "system-out" => "warning",
            _ => continue,
        };
        for line in node.text().unwrap_or_default().lines() {
            if let Some((_, rule)) = line.strip_suffix(')').and_then(|it| it.rsplit_once('(')) {
                found.push((rule.to_owned(), level));
            }
        }
    }
    count(found.into_iter())
}

fn of_lines(said: &str, find: impl Fn(&str) -> Option<(&str, &str)>) -> Findings {
    count(said.lines().filter_map(|line| {
        let (level, rule) = find(line)?;
        let level = if level == "error" { "error" } else { "warning" };
        Some((rule.to_owned(), level))
    }))
}

fn of_github(said: &str) -> Findings {
    of_lines(said, |line| {
        let (level, rest) = line.strip_prefix("::")?.split_once(' ')?;
        let (_, rest) = rest.split_once(",title=")?;
        let (rule, _) = rest.split_once("::")?;
        // A file that can't be read is annotated, too.
        (rule != "not read").then_some((level, rule))
    })
}

fn of_human(said: &str) -> Findings {
    of_lines(said, |line| {
        let (level, rest) = line.split_once('[')?;
        let (rule, _) = rest.split_once("]: ")?;
        ["error", "warning"]
            .contains(&level)
            .then_some((level, rule))
    })
}

fn agree(tools: &Tools, repository: &Repository, args: &[&str], code: i32) -> Findings {
    let home = tempfile::tempdir().unwrap();
    let rendered = home.path().join("rendered");
    let mut render = tools.command("ramen-guard-render", home.path());
    render.args(["--since", "HEAD"]).arg(&rendered);
    render
        .args(SOURCES.split(' '))
        .current_dir(repository.path());
    Ran::of(&mut render).passed("render.sh");
    let said = |format: &str| {
        let mut check = tools.command("ramen-guard", home.path());
        check.args(["check", ".", "--output", format]).args(args);
        let ran = Ran::of(check.current_dir(&rendered));
        assert_eq!(ran.code, code, "{format} {args:?}: {}", ran.said());
        ran.stdout
    };
    let findings = of_json(&said("json"));
    assert_eq!(of_sarif(&said("sarif")), findings);
    assert_eq!(of_junit(&said("junit")), findings);
    assert_eq!(of_github(&said("github")), findings);
    assert_eq!(of_human(&said("human")), findings);
    findings
}

#[test]
fn they_agree() {
    with_tools(|tools| {
        let repository = Repository::new();
        assert!(agree(tools, &repository, &[], 0).is_empty());
        for change in BROKEN.iter().chain(&MOVED) {
            repository.edit(change);
        }
        let edited = agree(tools, &repository, &["--since", "HEAD"], 1);
        for change in BROKEN.iter().chain(&MOVED) {
            assert!(
                edited.contains_key(&(change.rule.to_owned(), "error")),
                "{}",
                change.rule
            );
        }
        let anew = agree(tools, &repository, &[], 1);
        assert!(!anew.contains_key(&(MOVED[0].rule.to_owned(), "error")));
        assert!(anew.contains_key(&("drpc-action-in-git".to_owned(), "warning")));
        // What only warns, under each of the ways to be strict about it.
        let observed = agree(tools, &repository, &["--profile", "observe"], 0);
        assert!(observed.keys().all(|(_, level)| *level == "warning") && !observed.is_empty());
        agree(
            tools,
            &repository,
            &["--profile", "observe", "--fail-on", "warn"],
            3,
        );
        // What can't be read.
        std::fs::write(repository.path().join("clusters/broken.yaml"), "a: [\n").unwrap();
        agree(tools, &repository, &[], 2);
    });
}
