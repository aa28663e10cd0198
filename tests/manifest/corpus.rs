//! Manifests from the world, and what the API server said of them.

use ramen_guard::manifest::{
    goyaml,
    load::load_text,
    schema::{SchemaError, SchemaErrorKind},
    yaml::Limits,
};

use super::schema::printed;

/// What a file's first lines say under a heading.
fn noted<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    text.lines()
        .take_while(|line| line.starts_with('#'))
        .find_map(|line| line.strip_prefix(heading))
}

#[test]
fn every_file_is_read() {
    for folder in ["corpus/legal", "corpus/illegal"] {
        let Some(folder) = super::shared(folder) else {
            return;
        };
        for (name, text) in super::yaml_files(&folder) {
            let loaded = load_text(&name, text, &Limits::default());
            assert!(loaded.errors.is_empty(), "{name}: {:?}", loaded.errors);
            assert!(!loaded.manifests.is_empty(), "{name}");
            assert!(loaded.skipped.is_empty(), "{name}: {:?}", loaded.skipped);
        }
    }
}

#[test]
fn says_of_each_object_what_the_server_said() {
    let (Some(crds), Some(corpus)) = (super::crds(), super::shared("corpus")) else {
        return;
    };
    let mut rejected = 0;
    for folder in ["legal", "illegal"] {
        for (name, text) in super::yaml_files(&corpus.join(folder)) {
            let server = noted(&text, "# crd: REJECTED");
            let loaded = load_text(&name, text.as_str(), &Limits::default());
            let kinds = loaded.manifests.iter().filter_map(|manifest| {
                let doc = &manifest.doc;
                let is_it =
                    |group: &str, kind: &str| group == doc.group() && kind == doc.text("kind");
                let (.., schema) = crds.iter().find(|(group, kind, _)| is_it(group, kind))?;
                Some(schema.validate(manifest.raw()))
            });
            // An unknown field is only refused where someone asks for it; and the server was given a name.
            let is_hard = |error: &SchemaError| {
                !matches!(error.kind, SchemaErrorKind::UnknownField { .. })
                    && error.pointer.as_str() != "/metadata/name"
            };
            let said: Vec<String> = kinds
                .flatten()
                .filter(is_hard)
                .map(|error| printed(&error))
                .collect();
            let Some(server) = server else {
                assert!(said.is_empty(), "{folder}/{name}: {said:?}");
                continue;
            };
            rejected += 1;
            assert!(!said.is_empty(), "{folder}/{name}: nothing, for {server}");
            for error in said {
                // The note may break off.
                let listed = server.contains(&error) || server.len() > 300;
                assert!(listed, "{folder}/{name}: {error}, for {server}");
            }
        }
    }
    assert!(rejected > 0);
}

#[test]
fn reads_the_configurations_as_their_names_say() {
    for (folder, unreadable) in [
        ("corpus/legal", None),
        ("corpus/illegal", Some("config-parse")),
    ] {
        let Some(folder) = super::shared(folder) else {
            return;
        };
        for (name, text) in super::yaml_files(&folder) {
            if !name.starts_with("configmap-") {
                continue;
            }
            let loaded = load_text(&name, text.as_str(), &Limits::default());
            let key = "ramen_manager_config.yaml";
            let Some(config) = loaded.manifests[0].doc.value["data"][key].as_str() else {
                continue;
            };
            let read = goyaml::read(config, &super::goyaml::ramen_config());
            let broken = unreadable.is_some_and(|rule| {
                text.lines()
                    .any(|line| line.starts_with("# guard:") && line.contains(rule))
            });
            assert_eq!(read.is_err(), broken, "{name}: {read:?}");
        }
    }
}
