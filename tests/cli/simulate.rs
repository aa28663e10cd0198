//! Sessions with `simulate`: what a person types before a failover.

use super::*;

const WORLD: &str = "--state simulate --now 2026-01-15T10:00:00Z";

/// Records sessions about the world of the fixtures.
fn record_simulations(name: &str, asked: &[&str]) {
    let told: Vec<String> = asked
        .iter()
        .map(|asked| session(&fixtures(), &format!("simulate {asked} {WORLD}"), ""))
        .collect();
    record(name, &told.join("\n"));
}

#[test]
fn failovers() {
    record_simulations(
        "simulate-failover",
        &[
            // Healthy; its copies are old; where it is already; without a status; without a policy.
            "failover shop",
            "failover cart",
            "failover bank --to west",
            "failover draft",
            "failover orphan --to west",
            // To a cluster of another policy.
            "failover shop --to north",
            // Only a test, and the end of one.
            "failover tried",
        ],
    );
}

#[test]
fn failovers_of_shared_storage() {
    record_simulations(
        "simulate-metro",
        &["failover till", "relocate till --to south"],
    );
    let told = session(
        &fixtures(),
        &format!("simulate failover till {WORLD} --state simulate-fenced.yaml"),
        "",
    );
    record("simulate-metro-fenced", &told);
}

#[test]
fn relocations() {
    record_simulations(
        "simulate-relocate",
        &[
            "relocate bank",
            "relocate shop --to west",
            "relocate shop --to east",
            "relocate found -n ramen-ops --to west",
        ],
    );
}

#[test]
fn fences() {
    record_simulations(
        "simulate-fence",
        &[
            "fence north",
            "fence north south",
            "fence east",
            "unfence south",
        ],
    );
    let told = session(
        &fixtures(),
        &format!("simulate unfence north {WORLD} --state simulate-fenced.yaml"),
        "",
    );
    record("simulate-unfence", &told);
}

#[test]
fn several_are_judged_one_after_the_other() {
    record_simulations(
        "simulate-several",
        &["failover shop bank --to west -o json"],
    );
}

#[test]
fn what_is_not_clear() {
    record_simulations(
        "simulate-unclear",
        &[
            "failover shpo",
            "failover till -n shop",
            "failover twin",
            "failover twin -n twin-c",
            "failover orphan",
            "relocate shop",
            "fence nroth",
            "fence shop/north",
            "failover",
            "failover shop --now yesterday",
            "fence north --to south",
            "failback shop",
        ],
    );
    let told = [
        session(&fixtures(), "simulate failover shop --state nowhere", ""),
        session(
            &fixtures(),
            "simulate failover shop --state broken.yaml",
            "",
        ),
        session(
            &fixtures(),
            "simulate failover shop --state clusters.yaml",
            "",
        ),
        session(
            &fixtures(),
            "simulate failover bank --state stored.yaml --to east",
            "",
        ),
    ];
    record("simulate-state", &told.join("\n"));
}

#[test]
fn simulated_exit_codes() {
    for (asked, code) in [
        ("failover shop", 0),
        ("failover shop --fail-on warn", 0),
        ("failover cart", 0),
        ("failover cart --fail-on warn", 3),
        ("failover cart --fail-on warn -o json", 3),
        ("failover draft --fail-on warn", 3),
        ("failover shop --to north", 1),
        ("failover shop --to north -o json --fail-on warn", 1),
        ("failover shop --to north --profile observe", 0),
        ("failover shop shpo", 2),
        ("fence north --fail-on warn", 3),
    ] {
        let output = run(&format!("simulate {asked} {WORLD}"));
        assert_eq!(
            output.status.code(),
            Some(code),
            "{asked}: {}",
            text(&output.stdout)
        );
        // Whoever can't be told everything is told nothing.
        assert_eq!(output.stdout.is_empty(), code == 2, "{asked}");
    }
    let help = text(&run("simulate failover --help").stdout);
    assert!(
        help.contains("Exit codes: 0 the guard would accept"),
        "{help}"
    );
}

/// What was typed, and when, decides alone: not the order of the files, nor the machine.
#[test]
fn the_same_is_said_of_the_same() {
    let once = run(&format!("simulate failover shop till {WORLD}"));
    let files = "--state simulate/views.yaml --state simulate/hub.yaml --state simulate/apps.yaml";
    for _ in 0..5 {
        let again = run(&format!(
            "simulate failover shop till {files} --now 2026-01-15T11:00:00+01:00"
        ));
        assert_eq!(text(&again.stdout), text(&once.stdout));
    }
}

/// An object's texts can't get at the terminal.
#[test]
fn nothing_is_obeyed() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = std::fs::read_to_string(fixtures().join("simulate/apps.yaml"))
        .unwrap()
        .replace("a volume is degraded", r#""\e[2J\e]0;owned\a\r\x85""#)
        .replace("phase: Deployed", r#"phase: "Dep\e[31mloyed\n""#)
        .replace("preferredCluster: east", r#"preferredCluster: "ea\est""#);
    std::fs::write(folder.path().join("apps.yaml"), hostile).unwrap();
    for asked in [
        "failover cart --to west",
        "relocate cart",
        "failover draft",
        "relocate bank",
    ] {
        for output in ["human", "json"] {
            let args = format!("simulate {asked} --state apps.yaml -o {output}");
            let done = run_in(folder.path(), &args, "");
            let said = text(&done.stdout) + &text(&done.stderr);
            let obeyed = said.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(obeyed, None, "{args}: {said:?}");
        }
    }
}
