//! What somebody may send to hurt: each is answered or refused in bounded memory and time.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Runs the binary with at most 2 GB of memory, and no longer than it may take.
fn bounded(args: &str, input: &[u8]) -> Output {
    let start = Instant::now();
    let binary = assert_cmd::cargo::cargo_bin!("ramen-guard").display();
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -v 2000000; exec '{binary}' {args}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // It may have read enough.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{args} took {:?}",
        start.elapsed()
    );
    output
}

/// Lists of lists of lists, by aliases: 10^24 texts.
fn bomb() -> String {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (before, name) in ('a'..'y').zip('b'..) {
        let aliases = vec![format!("*{before} "); 10].join(", ");
        text += &format!("{name}: &{name} [{aliases}]\n");
    }
    text
}

#[test]
fn a_terminal_obeys_no_name_of_a_kind() {
    for kind in [
        r#""apiVersion": "v1", "kind": "\u001b[31m\n\r\u0000""#,
        r#""apiVersion": "\u001b[31m/v1", "kind": "Recipe""#,
    ] {
        let input = format!(r#"{{{kind}, "metadata": {{"name": "a"}}}}"#);
        let said = String::from_utf8(bounded("check -", input.as_bytes()).stdout).unwrap();
        assert!(said.contains(r"\u{1b}"), "{said:?}");
        assert!(!said.trim_end().contains(char::is_control), "{said:?}");
    }
}

#[test]
fn a_terminal_obeys_no_name_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a\u{1b}[31m\n.yaml");
    for text in [
        "a: [",
        "{apiVersion: ramendr.openshift.io/v1alpha1, kind: DRPolicy}",
    ] {
        std::fs::write(&file, text).unwrap();
        let output = bounded(&format!("check '{}'", folder.path().display()), b"");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(r"a\u{1b}[31m\n.yaml"), "{said}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
    }
}

#[test]
fn hostile_input_is_refused_in_bounded_time() {
    const BIG: usize = 8 << 20;
    let object = |value: &str| {
        format!(
            r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","operation":"CREATE","kind":{{"group":"ramendr.openshift.io","kind":"DRPolicy"}},"object":{value}}}}}"#
        )
    };
    let deep = "[".repeat(100_000);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("deep list", deep.clone().into_bytes()),
        (
            "deep closed list",
            format!("{deep}{}", "]".repeat(100_000)).into_bytes(),
        ),
        ("deep object", r#"{"a":"#.repeat(100_000).into_bytes()),
        ("deep block", "- ".repeat(100_000).into_bytes()),
        ("deep in a review", object(&deep).into_bytes()),
        (
            "deep in a field",
            object(&format!(r#"{{"spec":{deep}"#)).into_bytes(),
        ),
        ("huge number", object(r#"{"spec":1e99999999}"#).into_bytes()),
        (
            "long number",
            object(&format!(r#"{{"spec":{}}}"#, "9".repeat(100_000))).into_bytes(),
        ),
        ("not UTF-8", b"{\"kind\": \"\xff\xfe\"}".to_vec()),
        ("not UTF-8 in YAML", b"kind: \xff\xfe".to_vec()),
        ("alias bomb", bomb().into_bytes()),
        (
            "alias bomb in a review",
            format!("kind: AdmissionReview\n{}", bomb()).into_bytes(),
        ),
        ("alias to itself", b"a: &a [*a]".to_vec()),
        ("long text", vec![b'a'; BIG + 1]),
        ("many brackets", "[],".repeat(BIG / 3 + 1).into_bytes()),
        ("NUL", vec![0; BIG + 1]),
    ];
    for (name, input) in &cases {
        for args in ["check -", "review -", "review"] {
            let output = bounded(args, input);
            let told = String::from_utf8_lossy(&output.stderr).into_owned()
                + &String::from_utf8_lossy(&output.stdout);
            let lines = told.lines().count();
            // What is no Kubernetes object is left out, and said.
            let left_out = args == "check -" && told.contains(" skipped (1 ");
            assert!(
                output.status.code() == Some(2) || left_out,
                "{name}: {args}: {:?}: {}",
                output.status,
                &told[..told.floor_char_boundary(2000)]
            );
            assert!(
                !told.contains("panicked") && lines < 20 && told.len() < 4000,
                "{name}: {args}: {lines} lines, {} bytes",
                told.len()
            );
        }
    }
}

/// YAML that is large or deep in every way there is.
fn hostile_yaml() -> Vec<(&'static str, String)> {
    const MANY: usize = 10_000;
    const LONG: usize = 500_000;
    let numbered = |line: &dyn Fn(usize) -> String| (0..MANY).map(line).collect::<String>();
    let mut merges = "a: &a {x: 1}\n".to_owned();
    for (before, name) in ('a'..'y').zip('b'..) {
        let aliases = vec![format!("*{before} "); 10].join(", ");
        merges += &format!("{name}: &{name} {{{name}: 1, <<: [{aliases}]}}\n");
    }
    vec![
        ("alias bomb", bomb()),
        ("merge bomb", merges),
        ("alias to itself", "a: &a [*a]".to_owned()),
        ("merge of itself", "a: &a {<<: *a}".to_owned()),
        ("deep list", "[".repeat(LONG)),
        ("deep closed list", "[".repeat(LONG) + &"]".repeat(LONG)),
        ("deep map", "{a: ".repeat(LONG)),
        ("deep block list", "- ".repeat(LONG)),
        (
            "deep block map",
            (0..2000).map(|at| " ".repeat(at) + "a:\n").collect(),
        ),
        ("deep keys", "? ".repeat(LONG)),
        (
            "long integer",
            format!("maxConcurrentReconciles: {}", "9".repeat(LONG)),
        ),
        (
            "long hexadecimal",
            format!("maxConcurrentReconciles: 0x{}", "f".repeat(LONG)),
        ),
        (
            "long octal",
            format!("maxConcurrentReconciles: 0{}", "7".repeat(LONG)),
        ),
        (
            "long fraction",
            format!("maxConcurrentReconciles: .{}", "1".repeat(LONG)),
        ),
        (
            "large integer",
            "maxConcurrentReconciles: 18446744073709551616".to_owned(),
        ),
        (
            "large exponent",
            "maxConcurrentReconciles: 1e99999999".to_owned(),
        ),
        ("many documents", "---\na\n".repeat(MANY)),
        ("many ends", "...\n".repeat(MANY)),
        ("many keys", numbered(&|at| format!("k{at}: 1\n"))),
        ("one key many times", "a: 1\n".repeat(MANY)),
        (
            "many keys in one line",
            format!("{{{}}}", numbered(&|at| format!("k{at}, "))),
        ),
        ("many anchors", numbered(&|at| format!("- &a{at} x\n"))),
        (
            "many aliases",
            format!("a: &a x\nb:\n{}", "- *a\n".repeat(MANY)),
        ),
        (
            "many merges",
            format!("a: &a {{x: 1}}\nb:\n{}", "  <<: *a\n".repeat(MANY)),
        ),
        ("many tags", "- !!str x\n".repeat(MANY)),
        ("long tag", format!("- !<{}> x\n", "x".repeat(LONG))),
        ("many directives", "%YAML 1.1\n".repeat(MANY)),
        ("many comments", "# x\n".repeat(MANY)),
        ("many lines", format!("a: |\n{}", " x\n".repeat(MANY))),
        (
            "many folded lines",
            format!("a: >\n{}", " x\n\n".repeat(MANY)),
        ),
        ("many quotes", "\"".repeat(LONG + 1)),
        ("many escapes", format!("\"{}\"", "\\u00e9".repeat(LONG))),
        ("many tabs", "\t".repeat(LONG)),
        ("many stars", "*".repeat(LONG)),
        ("many byte order marks", "\u{feff}".repeat(LONG)),
        ("many NULs", "\0".repeat(LONG)),
    ]
}

/// No panic, not many times as much text as there was to read, and one of these exit codes.
#[track_caller]
fn told(name: &str, args: &str, input: &str, codes: &[i32]) -> Output {
    let output = bounded(args, input.as_bytes());
    let told = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    let code = output.status.code();
    assert!(
        code.is_some_and(|code| codes.contains(&code)),
        "{name}: {args}: {:?}: {}",
        output.status,
        &told[..told.floor_char_boundary(2000)]
    );
    assert!(
        !told.contains("panicked") && told.len() < 20_000 + 30 * input.len(),
        "{name}: {args}: {} bytes: {}",
        told.len(),
        &told[..told.floor_char_boundary(2000)]
    );
    output
}

/// As a file, as the `spec` of an object, as what Ramen's configuration says in a file, in a request, and
/// in what is only looked at.
#[test]
fn hostile_yaml_is_read_or_refused_in_bounded_time() {
    let folder = tempfile::tempdir().unwrap();
    let context = folder.path().join("config.json");
    let policy = json!({
        "apiVersion": "ramendr.openshift.io/v1alpha1", "kind": "DRPolicy", "metadata": { "name": "x" },
        "spec": { "drClusters": ["east", "west"], "schedulingInterval": "5m" },
    });
    for (name, text) in hostile_yaml() {
        let checked = |args: &str, input: &str| {
            told(name, args, input, &[0, 1, 2]);
        };
        checked("check -", &text);
        let lines: String = text
            .split_inclusive('\n')
            .map(|line| format!("  {line}"))
            .collect();
        let spec = "apiVersion: ramendr.openshift.io/v1alpha1\nkind: DRPolicy\nmetadata: {name: x}\nspec:\n";
        checked("check -", &format!("{spec}{lines}"));

        let config = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "ramen-hub-operator-config", "namespace": "ramen-system" },
            "data": { "ramen_manager_config.yaml": text },
        });
        checked("check -", &config.to_string());
        std::fs::write(&context, config.to_string()).unwrap();
        let args = format!("check --context '{}' -", context.display());
        told(name, &args, &policy.to_string(), &[0, 1, 2]);
        for old in [None, Some(&config)] {
            let review = json!({
                "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                "request": {
                    "uid": "u", "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
                    "kind": { "group": "", "version": "v1", "kind": "ConfigMap" },
                    "name": "ramen-hub-operator-config", "namespace": "ramen-system",
                    "object": config, "oldObject": old,
                },
            });
            let output = told(name, "review", &review.to_string(), &[0]);
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(answer["response"]["uid"], "u", "{name}");
        }
    }
}

/// Megabytes in one line, with a finding about every entry or pair.
#[test]
fn large_objects_are_judged() {
    let distinct = |count: usize| {
        (0..count)
            .map(|number| format!("x{number}."))
            .collect::<Vec<_>>()
    };
    let networks =
        (0..200_000).map(|at| format!("10.{}.{}.{}/32", at >> 16, at >> 8 & 255, at & 255));
    for (kind, list, values) in [
        ("DRPolicy", "drClusters", distinct(150_000)),
        ("DRCluster", "cidrs", networks.collect()),
        ("DRCluster", "cidrs", vec!["x".to_owned(); 200_000]),
        (
            "DRPlacementControl",
            "protectedNamespaces",
            distinct(200_000),
        ),
        (
            "DRPlacementControl",
            "protectedNamespaces",
            vec!["a".to_owned(); 200_000],
        ),
    ] {
        let object = |values: &[String]| {
            json!({
                "apiVersion": "ramendr.openshift.io/v1alpha1", "kind": kind,
                "metadata": { "name": "large", "namespace": "shop" }, "spec": { list: values },
            })
        };
        let (half, changed) = (&values[..values.len() / 2], &values[1..values.len() / 2]);
        for (new, old) in [
            (object(&values), None),
            (object(changed), Some(object(half))),
        ] {
            let review = json!({
                "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                "request": {
                    "uid": "u", "operation": if old.is_some() { "UPDATE" } else { "CREATE" },
                    "kind": { "group": "ramendr.openshift.io", "kind": kind },
                    "object": new, "oldObject": old,
                },
            });
            let output = bounded("review", review.to_string().as_bytes());
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{kind}: {told}");
            assert!(
                output.stdout.len() < 100_000,
                "{kind}: {} bytes",
                output.stdout.len()
            );
        }
        let output = bounded("check -", object(&values).to_string().as_bytes());
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{kind}: {:?}",
            output.status
        );
        assert!(
            output.stdout.len() < 200_000,
            "{kind}: {} bytes",
            output.stdout.len()
        );
    }
}
