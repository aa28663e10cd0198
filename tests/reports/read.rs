//! Reads the formats back.

use std::{collections::BTreeMap, path::Path};

use ramen_guard::report::plain;
use roxmltree::{Document, Node};
use serde_json::Value;

pub(crate) const FORMATS: [&str; 5] = ["human", "json", "sarif", "junit", "github"];

/// Where a finding is, its rule and how grave it is.
type Found = (String, u64, u64, String, String);

/// What a report tells: findings with how often each is there, and what could not be read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Read {
    pub(crate) findings: BTreeMap<Found, usize>,
    pub(crate) unread: BTreeMap<String, usize>,
}

impl Read {
    pub(crate) fn of(format: &str, text: &str, root: &Path) -> Self {
        let mut read = Self::default();
        match format {
            "human" => read.human(text),
            "json" => read.json(&serde_json::from_str(text).unwrap()),
            "sarif" => read.sarif(&serde_json::from_str(text).unwrap()),
            "junit" => read.junit(text),
            "github" => read.github(text),
            _ => panic!("{format}"),
        }
        // What a file is called differs: a path as it was given, one from the root, one that is encoded.
        let named = |file: &str| {
            let file = file.trim_start_matches("./");
            let below = Path::new(file)
                .strip_prefix(root)
                .unwrap_or(Path::new(file));
            plain(below.to_str().unwrap().to_owned())
        };
        Self {
            findings: read
                .findings
                .into_iter()
                .map(|((file, line, column, rule, level), count)| {
                    ((named(&file), line, column, rule, level), count)
                })
                .collect(),
            unread: read
                .unread
                .into_iter()
                .map(|(file, count)| (named(&file), count))
                .collect(),
        }
    }

    pub(crate) fn count(&self, level: &str) -> usize {
        let of = self.findings.iter().filter(|(found, _)| found.4 == level);
        of.map(|(_, count)| count).sum()
    }

    fn add(&mut self, file: &str, line: u64, column: u64, rule: &str, level: &str) {
        let found = (
            file.to_owned(),
            line,
            column,
            rule.to_owned(),
            level.to_owned(),
        );
        *self.findings.entry(found).or_default() += 1;
    }

    fn add_unread(&mut self, file: &str) {
        *self.unread.entry(file.to_owned()).or_default() += 1;
    }

    /// `error[rule]: ...`, and below it ` --> file:line:column`.
    fn human(&mut self, text: &str) {
        let mut open: Option<(String, String)> = None;
        for line in text.lines() {
            if let Some(place) = line.trim_start().strip_prefix("--> ")
                && let Some((level, rule)) = open.take()
            {
                let (file, line, column) = place_of(place);
                if rule.is_empty() {
                    self.add_unread(&file);
                } else {
                    self.add(&file, line, column, &rule, &level);
                }
            }
            let start = line.split(' ').next().unwrap();
            for level in ["error", "warning"] {
                let Some(rest) = start.strip_prefix(level) else {
                    continue;
                };
                if rest == ":" {
                    // An input of which not even a line is known is named in the message.
                    let message = &line[start.len() + 1..];
                    let next = text.split_once(line).unwrap().1.trim_start_matches('\n');
                    if next.trim_start().starts_with("--> ") {
                        open = Some((level.to_owned(), String::new()));
                    } else {
                        self.add_unread(message.split_once(": ").unwrap().0);
                    }
                } else if let Some(rule) =
                    rest.strip_prefix('[').and_then(|it| it.strip_suffix("]:"))
                {
                    open = Some((level.to_owned(), rule.to_owned()));
                }
            }
        }
        assert_eq!(open, None);
    }

    fn json(&mut self, value: &Value) {
        for object in value["objects"].as_array().unwrap() {
            for it in object["findings"].as_array().unwrap() {
                let level = match text(&it["mode"]) {
                    "deny" => "error",
                    "warn" => "warning",
                    _ => continue,
                };
                self.add(
                    text(&it["file"]),
                    number(&it["line"]),
                    number(&it["column"]),
                    text(&it["rule"]),
                    level,
                );
            }
        }
        for it in value["unread"].as_array().unwrap() {
            self.add_unread(text(&it["file"]));
        }
    }

    fn sarif(&mut self, log: &Value) {
        let run = &log["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let rule = &run["tool"]["driver"]["rules"]
                [usize::try_from(number(&result["ruleIndex"])).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
            if !result["suppressions"].is_null() {
                continue;
            }
            let place = &result["locations"][0]["physicalLocation"];
            let region = &place["region"];
            assert!(number(&region["endColumn"]) >= number(&region["startColumn"]));
            self.add(
                &file_of(place),
                number(&region["startLine"]),
                number(&region["startColumn"]),
                text(&result["ruleId"]),
                text(&result["level"]),
            );
        }
        let run = &run["invocations"][0];
        for notice in run["toolExecutionNotifications"].as_array().unwrap() {
            if notice["level"] == "error" {
                self.add_unread(&file_of(&notice["locations"][0]["physicalLocation"]));
            }
        }
        assert_eq!(run["executionSuccessful"], self.unread.is_empty());
    }

    fn junit(&mut self, xml: &str) {
        let document = Document::parse(xml).unwrap();
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "testsuites");
        for suite in elements(root, "testsuite") {
            for case in elements(suite, "testcase") {
                assert_eq!(case.attribute("classname"), suite.attribute("name"));
                for failure in elements(case, "failure") {
                    for line in failure.text().unwrap().lines() {
                        self.line(line, "error");
                    }
                }
                let output = elements(case, "system-out")
                    .into_iter()
                    .flat_map(|it| it.text().unwrap().lines());
                for line in output {
                    if let Some(line) = line.strip_prefix("warning: ") {
                        self.line(line, "warning");
                    }
                }
                for _ in elements(case, "error") {
                    self.add_unread(suite.attribute("name").unwrap());
                }
            }
            assert_counts(suite, true);
        }
        assert_counts(root, false);
    }

    /// `file:line:column: what is wrong (rule)`.
    fn line(&mut self, line: &str, level: &str) {
        let rule = line.rsplit_once(" (").unwrap().1.strip_suffix(')').unwrap();
        let place = line.split(": ").next().unwrap();
        let (file, line, column) = place_of(place);
        self.add(&file, line, column, rule, level);
    }

    fn github(&mut self, text: &str) {
        for line in text.lines() {
            let Some((command, _)) = line
                .strip_prefix("::")
                .and_then(|line| line.split_once("::"))
            else {
                continue;
            };
            let (level, properties) = command.split_once(' ').unwrap();
            let properties: BTreeMap<&str, String> = properties
                .split(',')
                .filter_map(|it| it.split_once('='))
                .map(|(name, value)| (name, decoded(value)))
                .collect();
            if level == "notice" {
                continue;
            }
            if properties["title"] == "not read" {
                self.add_unread(&properties["file"]);
                continue;
            }
            let number = |name: &str| properties[name].parse().unwrap();
            assert!(number("endColumn") >= number("col"));
            self.add(
                &properties["file"],
                number("line"),
                number("col"),
                &properties["title"],
                level,
            );
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn place_of(place: &str) -> (String, u64, u64) {
    let mut parts = place.rsplitn(3, ':');
    let column = parts.next().unwrap().parse().unwrap();
    let line = parts.next().unwrap().parse().unwrap();
    (parts.next().unwrap().to_owned(), line, column)
}

fn file_of(place: &Value) -> String {
    let artifact = &place["artifactLocation"];
    let uri = text(&artifact["uri"]);
    let path = uri.strip_prefix("file://");
    assert!(path.is_none() || artifact["uriBaseId"].is_null());
    decoded(path.unwrap_or(uri))
}

/// A text without its `%41`s. What is no UTF-8 then was none before.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let code = std::str::from_utf8(&tail[..2]).unwrap();
            bytes.push(u8::from_str_radix(code, 16).unwrap());
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn elements<'a>(node: Node<'a, 'a>, name: &str) -> Vec<Node<'a, 'a>> {
    node.children()
        .filter(|child| child.has_tag_name(name))
        .collect()
}

/// The counts are those of what is there.
fn assert_counts(node: Node<'_, '_>, of_suite: bool) {
    let cases: Vec<Node<'_, '_>> = node
        .descendants()
        .filter(|it| it.has_tag_name("testcase"))
        .collect();
    let with = |name: &str| {
        cases
            .iter()
            .filter(|case| !elements(**case, name).is_empty())
            .count()
    };
    let said = |name: &str| node.attribute(name).map(|count| count.parse().unwrap());
    assert_eq!(said("tests"), Some(cases.len()));
    assert_eq!(said("failures"), Some(with("failure")));
    assert_eq!(said("errors"), Some(with("error")));
    assert_eq!(said("skipped"), of_suite.then(|| with("skipped")));
}
