//! An object of any kind: what every Kubernetes object has, and how the guard reads it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{
    Deserialize,
    de::{
        DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
    },
};
use serde_json::{Map, Value, value::RawValue};

use super::Texts;

/// A Kubernetes kind, as far as the guard reads it.
pub trait Kind: Sized + Send + Sync + 'static {
    /// The API group, empty for the core group.
    const GROUP: &'static str;
    /// The version that the types were written for.
    const VERSION: &'static str;
    /// The kind, as `kind:` spells it.
    const KIND: &'static str;
    /// The resource, as an address and a webhook's rules spell it.
    const PLURAL: &'static str;
    /// Whether objects of the kind live in a namespace.
    const NAMESPACED: bool;
    /// What a user writes: for most kinds what is under `spec`.
    type Spec: DeserializeOwned + Default + fmt::Debug + Send + Sync;
    /// What the controller reports.
    type Status: DeserializeOwned + Default + fmt::Debug + Send + Sync;

    /// Whether the guard watches the kind in a cluster. What is not watched is known from files only.
    const WATCHED: bool = true;

    /// Where [`Kind::Spec`] is read from. A `ConfigMap` has no `spec`: its body is the object.
    fn body(object: &Value) -> Option<&Value> {
        object.get("spec")
    }

    /// Where the first tokens of a pointer name a text in the object that is data in itself, and further
    /// ones lead into it: how many tokens that takes, and what the text says, if it can be read.
    fn inner<'a>(_spec: &'a Self::Spec, _tokens: &[String]) -> Option<(usize, Option<&'a Value>)> {
        None
    }

    /// Drops what no rule reads from an object that is kept in memory.
    fn trim(_meta: &mut Meta, _spec: &mut Self::Spec, _status: &mut Self::Status) {}
}

/// Names one object of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The kind; the group follows from it, since the guard knows each of its kinds once.
    pub kind: &'static str,
    /// Empty for a cluster-scoped object.
    pub namespace: Arc<str>,
    /// The object's name.
    pub name: Arc<str>,
}

impl Key {
    /// The key of an object of kind `K`.
    pub fn of<K: Kind>(namespace: &str, name: &str) -> Self {
        let namespace = if K::NAMESPACED { namespace } else { "" };
        Self {
            kind: K::KIND,
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.namespace, &*self.name) {
            ("", name) => write!(f, "{} \"{name}\"", self.kind),
            (namespace, name) => write!(f, "{} \"{namespace}/{name}\"", self.kind),
        }
    }
}

/// The metadata that rules and gates read. `managedFields` is not among it: it is half of a stored
/// object and nobody asks for it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Meta {
    /// `metadata.name`; empty while the API server still has to make it from `generateName`.
    pub name: String,
    /// `metadata.namespace`; empty for cluster-scoped kinds.
    pub namespace: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.generation`, 0 where it is not known.
    pub generation: i64,
    /// `metadata.creationTimestamp`, RFC 3339.
    pub creation_timestamp: Option<String>,
    /// Set when the object is being deleted, RFC 3339.
    pub deletion_timestamp: Option<String>,
    /// `metadata.labels`.
    pub labels: Texts,
    /// `metadata.annotations`.
    pub annotations: Texts,
    /// `metadata.finalizers`.
    pub finalizers: Vec<String>,
    /// `metadata.ownerReferences`.
    pub owner_references: Vec<OwnerReference>,
}

impl Meta {
    /// Whether the object is being deleted.
    pub fn is_terminating(&self) -> bool {
        self.deletion_timestamp.is_some()
    }

    /// The value of an annotation, unless it is absent or empty.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).filter(|value| !value.is_empty())
    }

    /// The value of a label, unless it is absent or empty.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).filter(|value| !value.is_empty())
    }
}

/// One entry of `metadata.ownerReferences`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnerReference {
    /// The owner's group and version.
    pub api_version: String,
    /// The owner's kind.
    pub kind: String,
    /// The owner's name.
    pub name: String,
    /// Whether the owner is the managing controller.
    pub controller: bool,
}

/// A typed object: what a rule is given, and what the world keeps.
#[derive(Debug)]
pub struct Object<K: Kind> {
    /// Its metadata.
    pub meta: Meta,
    /// Its body; the type's default where [`Object::has_spec`] is false.
    pub spec: K::Spec,
    /// Whether the object has a body at all: no CRD of Ramen's requires `spec`.
    pub has_spec: bool,
    has_status: bool,
    /// Apart, because most requests never ask for it.
    status: OnceLock<Box<K::Status>>,
    unread: Option<UnreadStatus>,
}

impl<K: Kind> Object<K> {
    /// Reads a typed object.
    ///
    /// # Errors
    /// A value of another type than the field has. A status that does not fit is not an error: it is
    /// never a reason to refuse anything, and reads as an empty one.
    pub fn read(doc: &Doc) -> Result<Self, ReadError> {
        let meta = doc.meta()?;
        let body = K::body(&doc.value);
        let spec = match body {
            Some(body) => {
                K::Spec::deserialize(body).map_err(|error| ReadError(error.to_string()))?
            }
            None => K::Spec::default(),
        };
        Ok(Self {
            meta,
            spec,
            has_spec: body.is_some(),
            has_status: doc.status.is_some(),
            status: OnceLock::new(),
            unread: doc.status.clone(),
        })
    }

    /// What the controller said last; empty where nothing is known. Read when first asked for.
    pub fn status(&self) -> &K::Status {
        self.status.get_or_init(|| {
            let read = match self.unread.as_ref() {
                Some(UnreadStatus::Text(text)) => serde_json::from_str(text.get()).ok(),
                Some(UnreadStatus::Value(value)) => K::Status::deserialize(value).ok(),
                None => None,
            };
            Box::new(read.unwrap_or_default())
        })
    }

    /// Whether the object carries a status: whether a controller has said anything about it yet.
    pub fn has_status(&self) -> bool {
        self.has_status
    }

    /// The object's key.
    pub fn key(&self) -> Key {
        Key::of::<K>(&self.meta.namespace, &self.meta.name)
    }

    /// The same object with only what rules read, for keeping it in memory.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.status();
        self.unread = None;
        if let Some(mut status) = self.status.take() {
            K::trim(&mut self.meta, &mut self.spec, &mut status);
            self.status = OnceLock::from(status);
        }
        self
    }
}

impl UnreadStatus {
    /// The status, parsed; `null` where it can't be.
    pub fn value(&self) -> Value {
        match self {
            Self::Text(text) => serde_json::from_str(text.get()).unwrap_or_default(),
            Self::Value(value) => value.clone(),
        }
    }
}

/// Why an object could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);

/// An object of any kind as it was sent, less what nobody reads: `metadata.managedFields` is skipped,
/// `status` is set aside unread, and a `null` in an object counts as absent.
#[derive(Clone, Debug, Default)]
pub struct Doc {
    /// The object. Always a JSON object.
    pub value: Value,
    /// Its `status`, not read yet.
    pub status: Option<UnreadStatus>,
}

/// A status that nobody has asked for yet.
#[derive(Clone, Debug)]
pub enum UnreadStatus {
    /// As it was sent.
    Text(Box<RawValue>),
    /// As it was parsed along with the rest.
    Value(Value),
}

impl Doc {
    /// Takes a value that was parsed elsewhere.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn from_value(value: Value) -> Result<Self, ReadError> {
        let Value::Object(mut map) = value else {
            return Err(ReadError("not an object".to_owned()));
        };
        let status = map
            .remove("status")
            .filter(|status| !status.is_null())
            .map(UnreadStatus::Value);
        if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
            metadata.remove("managedFields");
            if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
                annotations.remove(LAST_APPLIED);
            }
        }
        let mut value = Value::Object(map);
        drop_nulls(&mut value);
        Ok(Self { value, status })
    }

    /// Reads an object from JSON.
    ///
    /// # Errors
    /// When it is not JSON, or not a JSON object.
    pub fn from_json(text: &[u8]) -> Result<Self, ReadError> {
        serde_json::from_slice(text).map_err(|error| ReadError(error.to_string()))
    }

    /// The object's metadata.
    ///
    /// # Errors
    /// A value of another type than the field has.
    pub fn meta(&self) -> Result<Meta, ReadError> {
        match self.value.get("metadata") {
            Some(meta) => {
                Meta::deserialize(meta).map_err(|error| ReadError(format!("metadata: {error}")))
            }
            None => Ok(Meta::default()),
        }
    }

    /// A top-level string, such as `kind`; empty where there is none.
    pub fn text(&self, field: &str) -> &str {
        self.value
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The API group of the object, empty for the core group.
    pub fn group(&self) -> &str {
        self.text("apiVersion")
            .rsplit_once('/')
            .map_or("", |(group, _)| group)
    }
}

impl Doc {
    /// Reads an object from any format; [`Doc`]'s own `Deserialize` is for JSON text, where it can set
    /// the status aside without parsing it.
    pub(crate) fn from_any<'de, D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let value = input.deserialize_any(Slim::ALL)?;
        Self::from_value(value).map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Doc {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Root;
        impl<'de> Visitor<'de> for Root {
            type Value = Doc;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Kubernetes object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Doc, A::Error> {
                let (mut map, mut status) = (Map::new(), None);
                while let Some(field) = fields.next_key::<String>()? {
                    match &*field {
                        "status" => status = fields.next_value::<Option<Box<RawValue>>>()?,
                        "metadata" => {
                            insert(&mut map, field, fields.next_value_seed(Slim::METADATA)?);
                        }
                        _ => insert(&mut map, field, fields.next_value_seed(Slim::ALL)?),
                    }
                }
                let status = status
                    .filter(|status| status.get() != "null")
                    .map(UnreadStatus::Text);
                Ok(Doc {
                    value: Value::Object(map),
                    status,
                })
            }
        }
        input.deserialize_map(Root)
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn insert(map: &mut Map<String, Value>, field: String, value: Value) {
    if !value.is_null() {
        map.insert(field, value);
    }
}

/// What `kubectl apply` notes down: the whole object once more, in a string that nobody here reads.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Reads any value, leaving out some of its fields and every `null` field below it.
#[derive(Clone, Copy)]
struct Slim {
    /// A field to leave out.
    skip: Option<&'static str>,
    /// A field in which another one is left out.
    inner: Option<(&'static str, &'static str)>,
}

impl Slim {
    const ALL: Self = Self {
        skip: None,
        inner: None,
    };
    const METADATA: Self = Self {
        skip: Some("managedFields"),
        inner: Some(("annotations", LAST_APPLIED)),
    };

    fn of(self, field: &str) -> Self {
        match self.inner {
            Some((outer, inner)) if outer == field => Self {
                skip: Some(inner),
                inner: None,
            },
            _ => Self::ALL,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Slim {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slim {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Slim::ALL)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(field) = fields.next_key::<String>()? {
            if Some(&*field) == self.skip {
                fields.next_value::<IgnoredAny>()?;
            } else {
                let value = fields.next_value_seed(self.of(&field))?;
                insert(&mut map, field, value);
            }
        }
        Ok(Value::Object(map))
    }
}
