//! Reports against the schemas that others read them by.
//!
//! `build.sh` gets the schemas and what checks them from registries. Where there is no Python the test says so;
//! with `RAMEN_GUARD_REQUIRE_PYTHON` set, as in CI, that fails.

use std::{
    env, fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use serde_json::json;

use super::{corpus, fixtures, in_all, root};

/// The folder with the schemas, if it can be had.
fn folder() -> Option<&'static PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let folder = root().join("target/reports");
            let build = Command::new(root().join("tests/reports/build.sh"))
                .arg(&folder)
                .output()
                .unwrap();
            if build.status.success() {
                return Some(folder);
            }
            let why = String::from_utf8_lossy(&build.stderr).into_owned();
            assert!(env::var_os("RAMEN_GUARD_REQUIRE_PYTHON").is_none(), "{why}");
            eprintln!("reports are not held against their schemas: {why}");
            None
        })
        .as_ref()
}

/// Holds reports (format, name, text) against the schemas.
pub(crate) fn check<'a>(reports: impl Iterator<Item = (&'a str, &'a str, &'a str)>) {
    let Some(folder) = folder() else { return };
    let mut input = String::new();
    let mut count = 0;
    for (format, name, text) in reports.filter(|(format, ..)| ["sarif", "junit"].contains(format)) {
        input += &format!(
            "{}\n",
            json!({ "format": format, "name": format!("{name}, {format}"), "text": text })
        );
        count += 1;
    }
    let said = validate(folder, &input);
    assert_eq!(said, format!("checked {count}\n"));
}

fn validate(folder: &PathBuf, input: &str) -> String {
    let mut child = Command::new(folder.join("python/bin/python"))
        .arg(root().join("tests/reports/validate.py"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn reports_fit_their_schemas() {
    let mut reports = Vec::new();
    let mut folders = vec![fixtures(), root().join("examples")];
    folders.extend(corpus());
    for folder in &folders {
        for args in [["check", "."].as_slice(), &["audit", "--state", "."]] {
            let (all, ..) = in_all(folder, args);
            reports.push((format!("{} {}", args[0], folder.display()), all));
        }
    }
    let each = reports.iter().flat_map(|(name, all)| {
        all.iter()
            .map(move |(format, text)| (*format, &**name, &**text))
    });
    check(each);
}

/// The validators do see what is wrong.
#[test]
fn what_does_not_fit_is_seen() {
    let Some(folder) = folder() else { return };
    let sarif = json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": "x" } }, "results": [{ "level": "fatal" }] }] });
    let input = [
        json!({ "format": "sarif", "name": "a", "text": sarif.to_string() }),
        json!({ "format": "junit", "name": "b", "text": "<testsuites><testcase/></testsuites>" }),
        json!({ "format": "junit", "name": "c", "text": "<testsuites name=\"\u{1}\"/>" }),
    ];
    let said = validate(folder, &input.map(|it| it.to_string()).join("\n"));
    for name in ["a: $.runs[0].results[0]", "b: ", "c: "] {
        assert!(said.contains(name), "{said}");
    }
    assert!(fs::exists(folder.join("junit.xsd")).unwrap());
}
