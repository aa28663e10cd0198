//! From files to objects: folders, `-`, multi-document YAML, JSON and `List`s.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use ignore::WalkBuilder;
use jsonptr::PointerBuf;
use serde_json::{Map, Value};

use super::{
    object::split,
    position::{Position, Source},
    yaml::{self, Composed, Duplicate, Limits, NodeId, Spans, Surprise, YamlError},
};

pub use super::object::Manifest;

/// The name of what came through standard input.
pub const STDIN: &str = "<stdin>";

/// More bytes than most manifests have.
const USUAL: usize = 8 << 10;

/// All that was found, in the order of the input.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The objects.
    pub manifests: Vec<Manifest>,
    /// Documents that are not Kubernetes objects.
    pub skipped: Vec<Skipped>,
    /// What could not be read, and duplicate keys.
    pub errors: Vec<LoadError>,
    /// How many files were read, standard input among them.
    pub files: usize,
}

/// A document that is not a Kubernetes object.
#[derive(Debug)]
pub struct Skipped {
    /// The file.
    pub source: Arc<Source>,
    /// Where the document begins.
    pub position: Position,
    /// What it lacks.
    pub reason: SkipReason,
}

/// What makes a document no Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// A list, a string, a number.
    #[error("not an object")]
    NotAnObject,
    /// An object without `kind`.
    #[error("not a Kubernetes object: it has no kind")]
    NoKind,
    /// An object of some kind, but of which group?
    #[error("not a Kubernetes object: {} has no apiVersion", crate::golang::quote(.0))]
    NoApiVersion(String),
}

/// Something that could not be read. It displays as the message alone.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct LoadError {
    /// What to call the file.
    pub name: String,
    /// The file, if it could be read.
    pub file: Option<Arc<Source>>,
    /// The place in it, if there is one.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// The way out, where there is a usual one.
    pub help: Option<&'static str>,
    /// Another place that has to do with it, and what is there.
    pub related: Option<(Position, &'static str)>,
}

/// Reads files, folders and, for `-`, standard input. A path that can't be read is among the errors;
/// nothing stops the rest.
pub fn load(paths: &[PathBuf], stdin: &mut dyn Read, limits: &Limits) -> Loaded {
    let mut loaded = Loaded::default();
    for path in paths {
        if path.as_os_str() == "-" {
            let bytes = read(&mut *stdin, limits);
            loaded.add_bytes(STDIN, bytes, limits);
        } else if path.is_dir() {
            let (files, failed) = files_of(path);
            loaded.errors.extend(failed.errors);
            for file in files {
                loaded.add_file(&file, limits);
            }
        } else {
            loaded.add_file(path, limits);
        }
    }
    loaded
}

/// Reads a text that is already there.
pub fn load_text(name: &str, text: impl Into<Arc<str>>, limits: &Limits) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.add_text(Source::new(name, text), limits);
    loaded
}

/// Reads what is in a file, from wherever that was.
pub(crate) fn load_bytes(name: &str, bytes: Vec<u8>, limits: &Limits) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.add_bytes(name, Ok(bytes), limits);
    loaded
}

/// The text of a file.
pub(super) fn read_file(path: &Path, limits: &Limits) -> Result<String, Box<LoadError>> {
    let bytes = File::open(path).and_then(|mut file| read(&mut file, limits));
    text_of(&path.display().to_string(), bytes)
}

/// All of it, but no more than one byte above the limit, which is enough to see that it is too long.
fn read(input: &mut dyn Read, limits: &Limits) -> io::Result<Vec<u8>> {
    // Most files fit, and are read at one go then.
    let mut bytes = Vec::with_capacity(USUAL);
    let limit = u64::try_from(limits.bytes).unwrap_or(u64::MAX);
    input
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The manifests of a folder and of those in it, by name; what Git ignores and what is hidden is left
/// out, links are followed. And what of it could not be looked at.
pub(super) fn files_of(folder: &Path) -> (Vec<PathBuf>, Loaded) {
    let (mut files, mut failed) = (Vec::new(), Loaded::default());
    let walk = WalkBuilder::new(folder)
        .follow_links(true)
        .ignore(false)
        .git_global(false)
        .sort_by_file_name(Ord::cmp)
        .build();
    for entry in walk {
        match entry {
            Ok(entry) => {
                let is_file = entry.file_type().is_some_and(|kind| !kind.is_dir());
                if is_file && is_manifest(entry.path()) {
                    files.push(entry.into_path());
                }
            }
            Err(error) => failed.add_walk_error(folder, &error),
        }
    }
    (files, failed)
}

impl Loaded {
    fn add_walk_error(&mut self, folder: &Path, error: &ignore::Error) {
        let (mut path, mut inner) = (folder, error);
        loop {
            match inner {
                // A link to a folder above it adds nothing new.
                ignore::Error::Loop { .. } => return,
                ignore::Error::WithPath { path: at, err } => (path, inner) = (at, err),
                ignore::Error::WithDepth { err, .. } => inner = err,
                _ => break,
            }
        }
        // A dead link matters if a manifest should be there.
        if path == folder || path.extension().is_none() || is_manifest(path) {
            let message = match inner {
                ignore::Error::Io(error) => unreadable(error),
                other => other.to_string(),
            };
            self.errors
                .push(LoadError::of_file(path.display().to_string(), message));
        }
    }

    fn add_file(&mut self, path: &Path, limits: &Limits) {
        let bytes = File::open(path).and_then(|mut file| read(&mut file, limits));
        self.add_bytes(&path.display().to_string(), bytes, limits);
    }

    fn add_bytes(&mut self, name: &str, bytes: io::Result<Vec<u8>>, limits: &Limits) {
        match text_of(name, bytes) {
            Ok(text) => self.add_text(Source::new(name, text), limits),
            Err(error) => self.errors.push(*error),
        }
    }

    fn add_text(&mut self, source: Source, limits: &Limits) {
        self.files += 1;
        let source = Arc::new(source);
        let template = source.text.contains("{{");
        for (document, read) in yaml::documents(&source.text, limits)
            .into_iter()
            .enumerate()
        {
            match read {
                Ok(composed) => self.add_document(&source, document, composed),
                Err(error) => self
                    .errors
                    .push(LoadError::of_yaml(&source, error, template)),
            }
        }
    }

    fn add_document(&mut self, source: &Arc<Source>, document: usize, composed: Composed) {
        let Composed {
            value,
            spans,
            surprises,
            duplicates,
            nulls,
            ..
        } = composed;
        let duplicates = duplicates
            .iter()
            .map(|twice| LoadError::of_duplicate(source, twice));
        self.errors.extend(duplicates);
        let place = Place {
            source,
            document,
            spans: &Arc::new(spans),
            nulls,
        };
        self.add_object(&place, None, NodeId::ROOT, value, surprises);
    }

    fn add_object(
        &mut self,
        place: &Place<'_>,
        item: Option<usize>,
        root: NodeId,
        value: Value,
        surprises: Vec<Surprise>,
    ) {
        let mut fields = match object(value) {
            Ok(fields) => fields,
            Err(reason) => {
                let position = place.source.position(place.spans.range(root));
                self.skipped.push(Skipped {
                    source: place.source.clone(),
                    position,
                    reason,
                });
                return;
            }
        };
        if let Some(items) = take_items(&mut fields) {
            self.add_items(place, root, &fields, items, surprises);
            return;
        }
        let (doc, raw) = split(fields, place.nulls);
        self.manifests.push(Manifest {
            source: place.source.clone(),
            document: place.document,
            item,
            doc,
            surprises,
            raw: raw.map(Box::new),
            spans: place.spans.clone(),
            root,
            text: OnceLock::new(),
        });
    }

    fn add_items(
        &mut self,
        place: &Place<'_>,
        list: NodeId,
        fields: &Map<String, Value>,
        items: Vec<Value>,
        mut surprises: Vec<Surprise>,
    ) {
        let Some(node) = place.child(list, "items") else {
            return;
        };
        let nodes: Vec<NodeId> = place.spans.entries(node).collect();
        for (at, (mut item, node)) in items.into_iter().zip(nodes).enumerate() {
            infer_kind(&mut item, fields);
            let prefix = PointerBuf::from_tokens(["items", &at.to_string()]);
            let (own, rest) = surprises
                .into_iter()
                .partition(|surprise: &Surprise| surprise.pointer.starts_with(&prefix));
            surprises = rest;
            let own: Vec<Surprise> = own;
            let own = own.into_iter().map(|mut surprise| {
                if let Some(rest) = surprise.pointer.strip_prefix(&prefix) {
                    surprise.pointer = rest.to_buf();
                }
                surprise
            });
            self.add_object(place, Some(at), node, item, own.collect());
        }
    }
}

/// The document that an object is in.
struct Place<'a> {
    source: &'a Arc<Source>,
    document: usize,
    spans: &'a Arc<Spans>,
    nulls: bool,
}

impl Place<'_> {
    fn child(&self, parent: NodeId, field: &str) -> Option<NodeId> {
        let pointer = PointerBuf::from_tokens([field]);
        let found = self.spans.find(&self.source.text, parent, &pointer);
        found.exact.then_some(found.node)
    }
}

/// The fields of a Kubernetes object, or why it is none.
fn object(value: Value) -> Result<Map<String, Value>, SkipReason> {
    let Value::Object(fields) = value else {
        return Err(SkipReason::NotAnObject);
    };
    let text = |field: &str| {
        fields
            .get(field)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    match (text("kind"), text("apiVersion")) {
        (None, _) => Err(SkipReason::NoKind),
        (Some(kind), None) => Err(SkipReason::NoApiVersion(kind.to_owned())),
        _ => Ok(fields),
    }
}

/// The items of a list. A kind may end in `List` without being one: then it has no items.
fn take_items(fields: &mut Map<String, Value>) -> Option<Vec<Value>> {
    let is_list =
        fields.get("kind")?.as_str()?.ends_with("List") && fields.get("items")?.is_array();
    match is_list.then(|| fields.remove("items"))?? {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

/// In a `DRPolicyList`, an item that does not say so is a `DRPolicy`.
fn infer_kind(item: &mut Value, list: &Map<String, Value>) {
    let text = |field| list.get(field).and_then(Value::as_str).unwrap_or_default();
    let kind = text("kind").strip_suffix("List").unwrap_or_default();
    if let Value::Object(fields) = item
        && !kind.is_empty()
        && !fields.contains_key("apiVersion")
        && !fields.contains_key("kind")
    {
        fields.insert("kind".to_owned(), kind.into());
        fields.insert("apiVersion".to_owned(), text("apiVersion").into());
    }
}

impl LoadError {
    fn of_file(name: String, message: String) -> Self {
        Self {
            name,
            file: None,
            position: None,
            message,
            help: None,
            related: None,
        }
    }

    /// `template`: whether the file has what only a template has.
    fn of_yaml(source: &Arc<Source>, error: YamlError, template: bool) -> Self {
        let help =
            template.then_some("this looks like a template: render it first, with 'helm template'");
        Self {
            name: source.name.clone(),
            position: Some(source.position(error.bytes)),
            file: Some(source.clone()),
            message: error.message,
            help: help.or(error.help),
            related: None,
        }
    }

    fn of_duplicate(source: &Arc<Source>, twice: &Duplicate) -> Self {
        Self {
            name: source.name.clone(),
            position: Some(source.position(twice.second.clone())),
            file: Some(source.clone()),
            message: format!("duplicate key {}", crate::golang::quote(&twice.name)),
            help: Some("remove one of the two: kubectl would take the last"),
            related: Some((source.position(twice.first.clone()), "first here")),
        }
    }
}

/// What was read as text.
fn text_of(name: &str, bytes: io::Result<Vec<u8>>) -> Result<String, Box<LoadError>> {
    let error = |error| LoadError::of_file(name.to_owned(), unreadable(&error));
    let text = String::from_utf8(bytes.map_err(error)?);
    text.map_err(|error| not_utf8(name, error.as_bytes(), &error.utf8_error()).into())
}

/// Whether a file is one by its name.
pub(crate) fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(std::ffi::OsStr::to_str);
    matches!(extension, Some("yaml" | "yml" | "json"))
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => format!("can't read it: {error}"),
    }
}

fn not_utf8(name: &str, bytes: &[u8], error: &std::str::Utf8Error) -> LoadError {
    let at = error.valid_up_to();
    let utf16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    let valid = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let source = Source::new(name, valid);
    LoadError {
        name: name.to_owned(),
        position: Some(source.position(at..at)),
        file: Some(Arc::new(source)),
        message: format!("not UTF-8: byte {:#04x} at offset {at}", bytes[at]),
        help: Some(if utf16 {
            "save it as UTF-8, not as UTF-16"
        } else {
            "save it as UTF-8"
        }),
        related: None,
    }
}
