//! The page that specifies the configuration.

use ramen_guard::{
    engine::{ConfigKey, KEYS, Settings, SettingsError},
    policy::{Mode, Profile},
};

use super::text::{code, inline};

/// A configuration that has every key.
const EXAMPLE: &str = "\
profile: recommended
rules:
  drpc-pvc-overlap: off
trusted:
  users: [system:serviceaccount:backup:restorer]
  groups: [storage-admins]
exemptions:
  enabled: false
ramen:
  namespace: ramen-system
reconcile:
  labels: true
  ramen-config: true
  placements: true
  audit: true
  probe: true
book: https://guard.example.com/book
";

/// The page.
pub(crate) fn page() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         One YAML file, which every command takes with `--config FILE`. In a cluster it is the key `config.yaml` of \
         the ConfigMap `ramen-guard`; `ramen-guard manifests --config FILE` puts it there. The guard reads it again \
         when it changes. A file that can't be read leaves the last good one in force, is said in the log, and counts \
         in `ramen_guard_config_reload_failures_total`; `ramen-guard check --config FILE` ends with exit code 2.\n\n\
         Every key may be left out. A key, a rule or a value that does not exist is an error that names the nearest.\n\n\
         All of them:\n\n",
    );
    page += &code("yaml", EXAMPLE);
    page += "\n## Keys\n";
    for key in KEYS {
        page += &section(key);
    }
    page += "\n## Exempting an object\n\n\
             With `exemptions.enabled`, an annotation takes an object out of rules until a day, for a reason. Each use \
             is logged and counted. Nothing is exempted from a rule of the crash class.\n\n";
    page += &code(
        "yaml",
        "metadata:\n  annotations:\n    guard.ramendr.openshift.io/exempt: \"drpc-name-too-long until 2027-03-31: renamed in the spring\"",
    );
    page += "\n## Users that are trusted already\n\n";
    let mut users: Vec<String> = Settings::default().trusted_users.into_iter().collect();
    users.sort();
    page += &users
        .iter()
        .map(|user| format!("- {}\n", inline(user)))
        .collect::<String>();
    page
}

fn section(key: &ConfigKey) -> String {
    let title = key.path.replace('*', "RULE");
    let default = match key.default {
        "" => String::new(),
        default => format!(" Where it is not given: {}.", inline(default)),
    };
    format!(
        "\n### `{title}`\n\n{}\n\nIt is {}.{default}\n",
        key.effect, key.wanted
    )
}

/// A value at the path of a key, as a file.
fn file(path: &str, value: &str) -> String {
    let path = path.replace('*', "drpc-pvc-overlap");
    let mut text = String::new();
    for (depth, name) in path.split('.').enumerate() {
        text += &format!("\n{}{name}:", "  ".repeat(depth));
    }
    format!("{text} {value}\n")
}

#[test]
fn every_key_is_read() {
    for key in KEYS {
        // None of them takes a map of this sort.
        match Settings::read(&file(key.path, "{ a: b }")) {
            Err(SettingsError::Value { place, .. }) => {
                assert_eq!(place, key.path.replace('*', "drpc-pvc-overlap"));
            }
            other => panic!("{}: {other:?}", key.path),
        }
    }
}

#[test]
fn the_defaults_are_those_of_the_page() {
    for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
        let settings = Settings::read(&file(key.path, key.default));
        assert_eq!(settings, Ok(Settings::default()), "{}", key.path);
    }
}

#[test]
fn the_example_has_every_key() {
    Settings::read(EXAMPLE).unwrap();
    for key in KEYS {
        let name = key.path.replace('*', "drpc-pvc-overlap");
        let last = name.rsplit('.').next().unwrap();
        assert!(EXAMPLE.contains(&format!("{last}:")), "{}", key.path);
    }
}

/// What a key may be is what the code takes.
#[test]
fn names_in_the_page_are_all_that_there_are() {
    let wanted = |path: &str| KEYS.iter().find(|key| key.path == path).unwrap().wanted;
    for (name, _) in Profile::ALL {
        assert!(wanted("profile").contains(&format!("`{name}`")), "{name}");
    }
    for mode in Mode::ALL {
        assert!(wanted("rules.*").contains(&format!("`{mode}`")), "{mode}");
    }
}
