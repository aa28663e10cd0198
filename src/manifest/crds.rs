//! The CRDs of some cluster, or of another Ramen, instead of those that the guard was built with.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use jsonptr::{Pointer, PointerBuf};
use serde_json::Value;

use super::{
    load::{self, LoadError, Manifest},
    schema::{self, Schema},
    yaml::Limits,
};
use crate::{
    api::{Doc, schema::Defaults},
    golang::quote,
};

/// The group of CRDs, and its only version.
const GROUP: &str = "apiextensions.k8s.io";
const VERSION: &str = "v1";

/// Kinds, by group and name.
#[derive(Clone, Debug, Default)]
pub struct Crds {
    kinds: Arc<Kinds>,
}

type Kinds = BTreeMap<(String, String), Crd>;

/// A kind.
#[derive(Debug)]
pub struct Crd {
    versions: Vec<Version>,
    /// The definition, and where it stands: another one of the kind has to be the same.
    spec: Value,
    place: String,
}

/// A version of a kind that a cluster would serve.
#[derive(Debug)]
pub struct Version {
    name: String,
    /// What its objects have to fit.
    pub schema: Schema,
    defaults: Defaults,
}

/// Why CRDs can't be used, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct CrdError {
    /// The file, with line and column where there are any.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

impl Crds {
    /// Reads files and folders, and standard input for `-`. What is no CRD is passed over.
    ///
    /// # Errors
    /// The first thing that can't be read; a path without any CRD; and a kind that two CRDs define in
    /// different ways.
    pub fn read(paths: &[PathBuf], stdin: &mut dyn Read) -> Result<Self, CrdError> {
        let mut kinds = Kinds::new();
        for path in paths {
            let loaded = load::load(std::slice::from_ref(path), stdin, &Limits::default());
            if let Some(error) = loaded.errors.first() {
                return Err(CrdError::of_load(error));
            }
            let mut found = false;
            for manifest in loaded.manifests.iter().filter(|it| is_crd(&it.doc)) {
                found = true;
                add(&mut kinds, manifest)?;
            }
            if !found {
                return Err(CrdError {
                    place: name_of(path),
                    message: "there is no CustomResourceDefinition".to_owned(),
                });
            }
        }
        Ok(Self {
            kinds: Arc::new(kinds),
        })
    }

    /// The definition of a kind, if it is among them.
    pub fn find(&self, group: &str, kind: &str) -> Option<&Crd> {
        if self.kinds.is_empty() {
            return None;
        }
        self.kinds.get(&(group.to_owned(), kind.to_owned()))
    }

    /// Fills in the defaults of an object's kind; nothing if the kind is not among them.
    pub fn apply_defaults(&self, doc: &mut Doc) {
        let version = self
            .find(doc.group(), doc.text("kind"))
            .and_then(|crd| crd.version(version_of(doc)));
        if let Some(version) = version {
            version.defaults.apply(&mut doc.value);
        }
    }
}

fn add(kinds: &mut Kinds, manifest: &Manifest) -> Result<(), CrdError> {
    let read = Reading { manifest };
    let (group, kind) = (
        read.text("/spec/group")?.to_owned(),
        read.text("/spec/names/kind")?.to_owned(),
    );
    let crd = read.crd()?;
    match kinds.entry((group, kind)) {
        Entry::Vacant(place) => {
            place.insert(crd);
        }
        Entry::Occupied(known) if known.get().spec == crd.spec => {}
        Entry::Occupied(known) => {
            let (group, kind) = known.key();
            let message = format!(
                "{kind} of {group} is defined in another way in {}",
                known.get().place
            );
            return Err(read.error("/spec", message));
        }
    }
    Ok(())
}

impl Crd {
    /// The version of that name, if it is served.
    pub fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.name == name)
    }

    /// The names of the versions that are served, in the order of the definition.
    pub fn versions(&self) -> impl Iterator<Item = &str> {
        self.versions.iter().map(|version| &*version.name)
    }
}

/// The version in an object's `apiVersion`.
pub fn version_of(doc: &Doc) -> &str {
    let version = doc.text("apiVersion");
    version
        .rsplit_once('/')
        .map_or(version, |(_, version)| version)
}

fn is_crd(doc: &Doc) -> bool {
    doc.group() == GROUP && doc.text("kind") == "CustomResourceDefinition"
}

fn name_of(path: &Path) -> String {
    if path.as_os_str() == "-" {
        load::STDIN.to_owned()
    } else {
        path.display().to_string()
    }
}

impl CrdError {
    fn of_load(error: &LoadError) -> Self {
        let place = error.position.as_ref();
        let place = place.map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
        Self {
            place: format!("{}{place}", error.name),
            message: error.message.clone(),
        }
    }
}

/// One CRD, while it is read.
struct Reading<'a> {
    manifest: &'a Manifest,
}

impl<'a> Reading<'a> {
    fn crd(&self) -> Result<Crd, CrdError> {
        let version = version_of(&self.manifest.doc);
        if version != VERSION {
            let message = format!("{GROUP}/{version} is not read, only {GROUP}/{VERSION}");
            return Err(self.error("/apiVersion", message));
        }
        let versions = self.get("/spec/versions").and_then(Value::as_array);
        let versions = versions.filter(|versions| !versions.is_empty());
        let count = versions
            .ok_or_else(|| self.error("/spec/versions", "a list of versions is missing"))?
            .len();
        let mut served = Vec::new();
        for at in 0..count {
            served.extend(self.version(&format!("/spec/versions/{at}"))?);
        }
        if served.is_empty() {
            return Err(self.error("/spec/versions", "no version is served"));
        }
        Ok(Crd {
            versions: served,
            spec: self.get("/spec").cloned().unwrap_or_default(),
            place: self.place("/spec"),
        })
    }

    /// The version at this place, if it is served.
    fn version(&self, at: &str) -> Result<Option<Version>, CrdError> {
        let name = self.text(&format!("{at}/name"))?.to_owned();
        if self.get(&format!("{at}/served")) == Some(&Value::Bool(false)) {
            return Ok(None);
        }
        let pointer = format!("{at}/schema/openAPIV3Schema");
        let given = self
            .get(&pointer)
            .ok_or_else(|| self.error(&pointer, "the schema is missing"))?;
        if let Err((below, message)) = schema::well_formed(given) {
            return Err(self.error(&format!("{pointer}{below}"), message));
        }
        let status = self.get(&format!("{at}/subresources/status")).is_some();
        Ok(Some(Version {
            name,
            schema: Schema::compile(given).with_status(!status),
            defaults: Defaults::of(given),
        }))
    }

    fn get(&self, pointer: &str) -> Option<&'a Value> {
        self.manifest.doc.value.pointer(pointer)
    }

    fn text(&self, pointer: &str) -> Result<&'a str, CrdError> {
        let text = self.get(pointer).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).ok_or_else(|| {
            let name = pointer.rsplit('/').next().unwrap_or_default();
            self.error(pointer, format!("a {name} is missing"))
        })
    }

    fn place(&self, pointer: &str) -> String {
        let pointer = PointerBuf::parse(pointer).unwrap_or_default();
        let at = self.manifest.position(&pointer);
        format!("{}:{}:{}", self.manifest.source.name, at.line, at.column)
    }

    fn error(&self, pointer: &str, message: impl Into<String>) -> CrdError {
        let name = Pointer::from_static("/metadata/name");
        let name = name.resolve(&self.manifest.doc.value).ok();
        let name = name.and_then(Value::as_str).map(quote).unwrap_or_default();
        let message: String = message.into();
        CrdError {
            place: self.place(pointer),
            message: format!("the CustomResourceDefinition {name} can't be used: {message}"),
        }
    }
}
