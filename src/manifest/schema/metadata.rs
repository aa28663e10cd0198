//! What kube-apiserver asks of the `metadata` of every object, beyond the types of its fields.
//!
//! Source: `pkg/api/validation/objectmeta.go` of k8s.io/apimachinery v0.36.

use jsonptr::PointerBuf;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{SchemaError, SchemaErrorKind};
use crate::golang::{
    names::{NameError, dns_label, dns_subdomain, label_value, qualified_name},
    quote,
};

/// How much all annotations of an object may hold, in bytes, names included.
const ANNOTATIONS_MAX: usize = 256 << 10;
/// The two finalizers of the garbage collector that exclude each other.
const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// Whose metadata it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A new object's.
    New,
    /// An object's that changes: its name was checked when it was new.
    Stored,
    /// An object's inside of another, which needs no name, and whose name need only fit an address.
    Embedded,
}

/// Checks metadata. Pointers begin at the metadata itself; what has the wrong type is the matter of somebody
/// else.
pub(super) fn check(metadata: &Map<String, Value>, owner: Owner) -> Vec<SchemaError> {
    let mut check = Check::default();
    check.times(metadata);
    check.names(metadata, owner);
    check.labels(metadata);
    check.annotations(metadata);
    check.owner_references(metadata);
    check.finalizers(metadata);
    check.errors
}

#[derive(Default)]
struct Check {
    errors: Vec<SchemaError>,
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A text; a null among others is read as an empty one.
fn text_or_null(value: &Value) -> Option<&str> {
    match value {
        Value::Null => Some(""),
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn list<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    let list = fields.get(name).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn entries<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let map = fields.get(name).and_then(Value::as_object);
    let entries = map.into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.as_str(), text_or_null(value)?)))
}

impl Check {
    fn names(&mut self, metadata: &Map<String, Value>, owner: Owner) {
        if owner == Owner::Stored {
            return;
        }
        let (name, base) = (text(metadata, "name"), text(metadata, "generateName"));
        let fits = |name: &str| match owner {
            Owner::Embedded => path_segment(name),
            Owner::New | Owner::Stored => dns_subdomain(name),
        };
        if !base.is_empty()
            && let Err(error) = fits(&prefix(base))
        {
            self.invalid(&["generateName"], base, error);
        }
        if !name.is_empty() {
            if let Err(error) = fits(name) {
                self.invalid(&["name"], name, error);
            }
        } else if base.is_empty()
            && owner == Owner::New
            && metadata
                .get("name")
                .is_none_or(|name| text_or_null(name).is_some())
        {
            let message = "Required value: name or generateName is required";
            self.say(&["name"], message.to_owned());
        }
        let namespace = text(metadata, "namespace");
        if !namespace.is_empty()
            && let Err(error) = dns_label(namespace)
        {
            self.invalid(&["namespace"], namespace, error);
        }
    }

    fn times(&mut self, metadata: &Map<String, Value>) {
        for field in ["creationTimestamp", "deletionTimestamp"] {
            let Some(time) = metadata.get(field).and_then(Value::as_str) else {
                continue;
            };
            if OffsetDateTime::parse(time, &Rfc3339).is_err() {
                let message = format!("Invalid value: {}: is no time", quote(time));
                self.say(&[field], message);
            }
        }
    }

    fn labels(&mut self, metadata: &Map<String, Value>) {
        for (key, value) in entries(metadata, "labels") {
            if let Err(error) = qualified_name(key) {
                self.invalid(&["labels", key], key, error);
            }
            if let Err(error) = label_value(value) {
                self.invalid(&["labels", key], value, error);
            }
        }
    }

    fn annotations(&mut self, metadata: &Map<String, Value>) {
        let mut size = 0;
        for (key, value) in entries(metadata, "annotations") {
            size += key.len() + value.len();
            if let Err(error) = qualified_name(&key.to_lowercase()) {
                self.invalid(&["annotations", key], key, error);
            }
        }
        if size > ANNOTATIONS_MAX {
            let message = format!("Too long: may not be more than {ANNOTATIONS_MAX} bytes");
            self.say(&["annotations"], message);
        }
    }

    fn owner_references(&mut self, metadata: &Map<String, Value>) {
        let mut controller = None;
        let references = list(metadata, "ownerReferences");
        for (at, reference) in references.iter().enumerate() {
            // One that is there twice counts once.
            if references[..at].contains(reference) {
                continue;
            }
            let empty = Map::new();
            let reference = match reference {
                Value::Object(reference) => reference,
                Value::Null => &empty,
                _ => continue,
            };
            let at = at.to_string();
            let (api, kind, name) = (
                text(reference, "apiVersion"),
                text(reference, "kind"),
                text(reference, "name"),
            );
            // More than one slash says nothing at all.
            let version = match api.split('/').collect::<Vec<_>>()[..] {
                [version] | [_, version] => version,
                _ => "",
            };
            for (field, value, missing) in [
                ("apiVersion", api, version.is_empty()),
                ("kind", kind, kind.is_empty()),
                ("name", name, name.is_empty()),
                ("uid", "", text(reference, "uid").is_empty()),
            ] {
                if missing {
                    let message = format!("Invalid value: {}: must not be empty", quote(value));
                    let place = ["ownerReferences", &at, field];
                    self.say(&place, message);
                }
            }
            if (api, kind) == ("v1", "Event") {
                let message = "Invalid value: an Event may not own anything".to_owned();
                self.say(&["ownerReferences", &at], message);
            }
            if reference.get("controller") == Some(&Value::Bool(true)) {
                if let Some(first) = &controller {
                    let message = format!("Invalid value: true: {first} is the controller already");
                    let place = ["ownerReferences", &at, "controller"];
                    self.say(&place, message);
                } else {
                    controller = Some(format!("{kind} {}", quote(name)));
                }
            }
        }
    }

    fn finalizers(&mut self, metadata: &Map<String, Value>) {
        let finalizers = list(metadata, "finalizers");
        for (at, finalizer) in finalizers.iter().enumerate() {
            let Some(finalizer) = text_or_null(finalizer) else {
                continue;
            };
            if let Err(error) = qualified_name(finalizer) {
                self.invalid(&["finalizers", &at.to_string()], finalizer, error);
            }
        }
        let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
        if has(ORPHAN) && has(FOREGROUND) {
            let message = format!("Invalid value: {ORPHAN} and {FOREGROUND} exclude each other");
            self.say(&["finalizers"], message);
        }
    }

    fn invalid(&mut self, place: &[&str], value: &str, error: NameError) {
        let message = format!("Invalid value: {}: {error}", quote(value));
        self.say(place, message);
    }

    fn say(&mut self, place: &[&str], message: String) {
        self.errors.push(SchemaError {
            pointer: PointerBuf::from_tokens(place.iter().copied()),
            kind: SchemaErrorKind::Metadata,
            message,
            stored: false,
        });
    }
}

/// What stands for the name that is made of a prefix: the last dash is not the last character then.
fn prefix(base: &str) -> String {
    match base.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => {
            let mut name: String = rest.to_owned();
            name.pop();
            name.push('a');
            name
        }
        _ => base.to_owned(),
    }
}

fn path_segment(name: &str) -> Result<(), NameError> {
    const FORM: &str = "must be neither '.' nor '..', and have no '/' and no '%'";
    if matches!(name, "." | "..") || name.contains(['/', '%']) {
        Err(NameError::Form(FORM))
    } else {
        Ok(())
    }
}
