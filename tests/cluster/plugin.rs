//! `kubectl ramen-guard`, as the real kubectl finds, runs and completes it. It needs no cluster.

use std::{os::unix::fs::symlink, path::Path, process::Command};

use crate::server::Cluster;

/// kubectl with the plugin in its path.
fn kubectl(programs: &Path, plugins: &Path, args: &[&str]) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new(programs.join("kubectl"))
        .args(args)
        .env("PATH", format!("{}:{path}", plugins.display()))
        .env("KUBECONFIG", plugins.join("no.kubeconfig"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn kubectl_runs_and_completes_the_plugin() {
    // Its programs, not itself.
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let programs = &cluster.programs;
    let folder = tempfile::tempdir().unwrap();
    for name in ["kubectl-ramen_guard", "kubectl_complete-ramen_guard"] {
        symlink(env!("CARGO_BIN_EXE_ramen-guard"), folder.path().join(name)).unwrap();
    }
    let kubectl = |args: &[&str]| kubectl(programs, folder.path(), args);
    let help = kubectl(&["ramen-guard", "--help"]);
    assert!(
        help.contains("Usage: kubectl ramen-guard <COMMAND>"),
        "{help}"
    );
    let rules = kubectl(&["ramen-guard", "rules", "--kind", "drpolicy"]);
    assert!(rules.contains("drpolicy-drclusters-distinct"), "{rules}");
    let offered = kubectl(&[
        "__complete",
        "ramen-guard",
        "explain",
        "drpolicy-drclusters-d",
    ]);
    let offered: Vec<&str> = offered.lines().collect();
    assert!(
        offered[0].starts_with("drpolicy-drclusters-distinct"),
        "{offered:?}"
    );
    assert!(offered.contains(&":4"), "{offered:?}");
}
