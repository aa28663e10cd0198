//! Every command in a recorded session: its help, its main use, its commonest mistake; completions as a shell
//! asks for them; the binary as kubectl's plugin; the manual pages.
//!
//! The recordings are in `tests/cli/`; `INSTA_UPDATE=always cargo test --test commands` makes them anew.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use ramen_guard::{cli, policy};

fn binary() -> &'static Path {
    assert_cmd::cargo::cargo_bin!("ramen-guard")
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/fixtures")
}

/// A program in the folder of the fixtures, with no cluster to talk to.
fn run(program: &Path, args: &str) -> Output {
    Command::new(program)
        .args(args.split_whitespace())
        .current_dir(fixtures())
        .env("KUBECONFIG", "nowhere.kubeconfig")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn told(program: &Path, called: &str, args: &str) -> String {
    let output = run(program, args);
    format!(
        "$ {called} {args}\n{}{}exit code {}\n",
        text(&output.stdout),
        text(&output.stderr),
        output.status.code().unwrap()
    )
}

fn sessions(all: &[&str]) -> String {
    let told: Vec<String> = all
        .iter()
        .map(|args| told(binary(), "ramen-guard", args))
        .collect();
    told.join("\n")
}

fn record(name: &str, told: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("cli");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"\d{4}-\d\d-\d\dT[0-9:]+Z", "TIME");
    settings.add_filter(
        concat!("ramen-guard ", env!("CARGO_PKG_VERSION")),
        "ramen-guard VERSION",
    );
    settings.bind(|| insta::assert_snapshot!(name, told));
}

#[test]
fn help() {
    let mut command = cli::command();
    command.build();
    let names = command.get_subcommands().map(clap::Command::get_name);
    let asked: Vec<String> = names
        .filter(|name| *name != "help")
        .map(|name| format!("{name} -h"))
        .collect();
    let mut all = vec!["--help"];
    all.extend(asked.iter().map(String::as_str));
    record("help", &sessions(&all));
}

#[test]
fn mistakes() {
    record(
        "mistakes",
        &sessions(&[
            "chekc clusters.yaml",
            "check",
            "check -o jsn clusters.yaml",
            "check --fail-on wran clusters.yaml",
            "check --contxt clusters.yaml policy.yaml",
            "check --profile strct clusters.yaml",
            "serve --tls-cert tls.crt",
            "serve --bind nowhere",
            "rules --mode dney",
            "rules --kind vgr",
            "explain",
            "explain drpolicy-drcluster-distinct",
            "explain vgr",
            "manifests --overlay hubb",
            "manifests --overlay hub --overlay managed-cluster",
            "certs",
            "policies --config config-key.yaml",
            "completions bahs",
            "man",
        ]),
    );
}

#[test]
fn the_way_out() {
    record(
        "way-out",
        &sessions(&["break-glass", "break-glass --reason because", "uninstall"]),
    );
}

/// Of what is long, the objects: what is in them has its own tests.
#[test]
fn what_is_to_be_applied() {
    let objects = |args: &str| {
        let output = run(binary(), args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let text = text(&output.stdout);
        let mut told = format!("$ ramen-guard {args}\n");
        let mut kind = "";
        for line in text.lines() {
            kind = line.strip_prefix("kind: ").unwrap_or(kind);
            if let Some(name) = line.strip_prefix("  name: ") {
                told += &format!("{kind} {}\n", name.trim_matches('"'));
            }
        }
        told
    };
    let told = [
        objects("manifests --overlay hub --image registry.example.com/ramen-guard:0.1.0"),
        objects("manifests --overlay managed-cluster --overlay observe-only"),
        objects("policies"),
    ];
    record("applied", &told.join("\n"));
}

#[test]
fn explanations() {
    record(
        "explain",
        &sessions(&[
            "explain drpc-captureinterval-not-go-duration",
            "explain drpc-failover-cluster-in-policy --profile observe",
            "explain exemption-invalid --config config-book.yaml",
            "explain drpolicy-drclusters-distinct --all",
            "explain secrets",
            "rules --mode audit",
        ]),
    );
}

/// Where the rule book is, says the configuration.
#[test]
fn links() {
    record(
        "links",
        &sessions(&[
            "check faulty.yaml --config config-book.yaml",
            "review review.json --config config-book.yaml",
            "check faulty.yaml --config config-book-flawed.yaml",
        ]),
    );
    let json = run(
        binary(),
        "check faulty.yaml -o json --config config-book.yaml",
    );
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let finding = &json["objects"][0]["findings"][0];
    let page = format!(
        "https://guard.example.com/book/rules/{}.html",
        finding["rule"].as_str().unwrap()
    );
    assert_eq!(finding["page"], *page);
    let policies = text(&run(binary(), "policies --config config-book.yaml").stdout);
    let refusals = policies
        .lines()
        .filter(|line| line.trim_start().starts_with("message: "));
    assert!(
        refusals
            .filter(|line| line.contains("rules/drpolicy-"))
            .count()
            > 3
    );
}

/// A guard that serves, until it is asked to stop.
#[test]
fn serving() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.crt");
    let mut guard = Command::new(binary())
        .args(["serve", "--state", "clusters.yaml", "--bind", "127.0.0.1:0"])
        .args(["--metrics-bind", "127.0.0.1:0", "--ca-out"])
        .arg(&ca)
        .current_dir(fixtures())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(guard.stdout.take().unwrap()).lines();
    let lines: Vec<String> = lines.take(2).map(Result::unwrap).collect();
    guard.kill().unwrap();
    guard.wait().unwrap();
    assert!(
        fs::read_to_string(&ca)
            .unwrap()
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
    let port: u16 = lines[0]
        .strip_prefix("https://localhost:")
        .and_then(|rest| rest.strip_suffix("/validate")?.parse().ok())
        .unwrap_or_else(|| panic!("{lines:?}"));
    let wanted = format!(
        "curl --cacert {} -H 'Content-Type: application/json' --data-binary @review.json https://localhost:{port}/validate",
        ca.display()
    );
    assert_eq!(lines[1], wanted);
}

/// What bash offers for the words of a line, of which the last is unfinished.
fn offered(words: &[&str]) -> Vec<String> {
    let script = text(&run(binary(), "completions bash").stdout);
    let line = words.join(" ");
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let asked = format!(
        "{script}\nCOMP_WORDS=({})\nCOMP_CWORD={}\nCOMP_LINE='{line}'\nCOMP_POINT={}\n\
         function_name=$(complete -p ramen-guard | sed 's/.*-F \\([^ ]*\\).*/\\1/')\n\
         \"$function_name\" ramen-guard \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        quoted.join(" "),
        words.len() - 1,
        line.len(),
    );
    let folder = binary().parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["--norc", "-c", &asked])
        .current_dir(fixtures())
        .env("PATH", path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes() {
    assert_eq!(offered(&["ramen-guard", "expl"]), ["explain"]);
    assert_eq!(
        offered(&["ramen-guard", "explain", "drpolicy-drclusters-d"]),
        ["drpolicy-drclusters-distinct"]
    );
    let rules = offered(&["ramen-guard", "explain", ""]);
    for contract in policy::contracts() {
        assert!(rules.contains(&contract.id), "{}", contract.id);
    }
    assert_eq!(
        offered(&["ramen-guard", "rules", "--mode", ""]),
        ["deny", "warn", "audit", "off"]
    );
    assert!(offered(&["ramen-guard", "rules", "--kind", "DRP"]).contains(&"DRPolicy".to_owned()));
    assert_eq!(
        offered(&["ramen-guard", "check", "--profile", "st"]),
        ["strict"]
    );
    assert!(offered(&["ramen-guard", "check", "--con"]).contains(&"--context".to_owned()));
}

/// bash is asked above. The others ask the same, in their own way.
#[test]
fn every_shell_has_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = text(&run(binary(), &format!("completions {shell}")).stdout);
        for word in ["RAMEN_GUARD_COMPLETE", "ramen-guard"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        let output = Command::new(binary())
            .args(["--", "ramen-guard", "expl"])
            .env("RAMEN_GUARD_COMPLETE", shell)
            .env("_CLAP_COMPLETE_INDEX", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{shell}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains("explain"), "{shell}");
    }
}

#[test]
fn as_a_plugin_of_kubectls() {
    let folder = tempfile::tempdir().unwrap();
    let link = |name: &str| {
        let path = folder.path().join(name);
        symlink(binary(), &path).unwrap();
        path
    };
    let (plugin, completer) = (
        link("kubectl-ramen_guard"),
        link("kubectl_complete-ramen_guard"),
    );
    let told_by_plugin = |args: &str| told(&plugin, "kubectl ramen-guard", args);
    record(
        "plugin",
        &[
            told_by_plugin("--help"),
            told_by_plugin("explain --help"),
            told_by_plugin("check policy.yaml clusters.yaml"),
            told_by_plugin("check"),
        ]
        .join("\n"),
    );
    let offered = |words: &[&str]| {
        let output = Command::new(&completer)
            .args(words)
            .current_dir(fixtures())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let lines: Vec<String> = text(&output.stdout).lines().map(str::to_owned).collect();
        lines
    };
    let first = offered(&["expl"]);
    assert!(
        first[0].starts_with("explain\tExplains one rule"),
        "{first:?}"
    );
    assert_eq!(first[1..], [":4"]);
    let rules = offered(&["explain", "drpolicy-drclusters-d"]);
    assert_eq!(
        rules,
        [
            "drpolicy-drclusters-distinct\tThe two clusters of a DRPolicy differ",
            ":4"
        ]
    );
    assert_eq!(offered(&["rules", "--mode", "a"]), ["audit", ":4"]);
    let files = offered(&["check", "clus"]);
    assert!(
        files.iter().any(|line| line.starts_with("clusters.yaml")),
        "{files:?}"
    );
    let folders = offered(&["check", "crd"]);
    assert_eq!(folders.last().unwrap(), ":6", "{folders:?}");
    assert_eq!(offered(&["nonsense", ""]).last().unwrap(), ":4");
}

#[test]
fn manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man/man1");
    let output = run(binary(), &format!("man {}", pages.display()));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut command = cli::command();
    command.build();
    let names = command.get_subcommands().map(clap::Command::get_name);
    let names = names
        .filter(|name| *name != "help")
        .map(|name| format!("ramen-guard-{name}"));
    let mut count = 0;
    for name in names.chain(["ramen-guard".to_owned()]) {
        let path = pages.join(format!("{name}.1"));
        let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            page.starts_with(&format!(".TH {} 1 ", name.to_uppercase())),
            "{name}"
        );
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE ALSO"] {
            assert!(
                page.contains(&format!("\n.SH {section}\n"))
                    || page.contains(&format!("\n.SH \"{section}\"\n")),
                "{name}: {section}"
            );
        }
        count += 1;
        // Where there is a reader of such pages, it finds nothing wrong.
        if let Ok(read) = Command::new("mandoc")
            .args(["-T", "lint", "-W", "error"])
            .arg(&path)
            .output()
        {
            assert!(read.status.success(), "{name}: {}", text(&read.stdout));
        }
    }
    assert_eq!(fs::read_dir(&pages).unwrap().count(), count);
    let check = fs::read_to_string(pages.join("ramen-guard-check.1")).unwrap();
    assert!(check.contains("EXIT STATUS"));
}
