//! YAML, manifests, schemas and Ramen's configuration, against what Go makes of the same input.
//!
//! The `.jsonl` files beside these modules are what Go programs gave that call kubectl's, Ramen's
//! and kube-apiserver's own libraries; each module says which.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::format_collect,
    clippy::format_push_string
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use ramen_guard::manifest::{schema::Schema, yaml};
use serde_json::Value;

#[path = "manifest/corpus.rs"]
mod corpus;
#[path = "manifest/goyaml.rs"]
mod goyaml;
#[path = "manifest/load.rs"]
mod load;
#[path = "manifest/properties.rs"]
mod properties;
#[path = "manifest/rules.rs"]
mod rules;
#[path = "manifest/schema.rs"]
mod schema;
#[path = "manifest/yaml.rs"]
mod yaml_table;

/// The rows of a table: one JSON value a line.
fn rows<T: serde::de::DeserializeOwned>(table: &str) -> Vec<T> {
    table
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A folder of shared test material; says so and gives nothing where it is not there.
fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("not run: there is no {}", path.display());
    None
}

/// The YAML files of a folder, by name.
fn yaml_files(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<(String, String)> = entries
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read_to_string(path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

/// The schemas of Ramen's CRDs, by group and kind.
fn crds() -> Option<Vec<(String, String, Schema)>> {
    let files = yaml_files(&shared("crds")?);
    let crds = files.iter().map(|(_, text)| {
        let crd = yaml::documents(text, &yaml::Limits::default())
            .remove(0)
            .unwrap()
            .value;
        let text = |pointer| {
            let value = crd.pointer(pointer).and_then(Value::as_str);
            value.unwrap().to_owned()
        };
        let schema = crd
            .pointer("/spec/versions/0/schema/openAPIV3Schema")
            .unwrap();
        (
            text("/spec/group"),
            text("/spec/names/kind"),
            Schema::compile(schema),
        )
    });
    Some(crds.collect())
}
