//! The schemas of Ramen's kinds, made from the types.
//!
//! They say what the CRDs say. The derive of `kube` would make them too, but it calls every optional
//! field nullable and loses the types of a quantity; so the types are asked themselves.

use std::sync::OnceLock;

use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde_json::{Map, Value, json};

use super::{
    DRCluster, DRClusterConfig, DRPlacementControl, DRPolicy, MaintenanceMode, NetworkMapping,
    ProtectedVolumeReplicationGroupList, RamenConfig, Recipe, ReplicationGroupDestination,
    ReplicationGroupSource, VolumeReplicationGroup,
};

/// The schema of a kind of Ramen's, `RamenConfig` and `NetworkMapping` included: a structural `openAPIV3Schema` without
/// references. `None` for a kind that is not known.
pub fn schema(kind: &str) -> Option<&'static Value> {
    Some(&made(kind)?.schema)
}

/// The defaults of a kind that lie outside lists and maps: where, as the tokens of a JSON pointer,
/// and what. The API server fills one in where the object around it is present.
pub fn defaults(kind: &str) -> &'static [(Vec<String>, Value)] {
    made(kind).map_or(&[], |made| &made.list)
}

/// Fills in the defaults of a kind as the API server does: in an object or list that is present, a
/// field that is absent, or `null` though it may not be.
pub fn apply_defaults(kind: &str, object: &mut Value) {
    if let Some(made) = made(kind) {
        made.defaults.apply(object);
    }
}

/// A kind and what is made of its type when first asked for.
struct Entry {
    kind: &'static str,
    make: fn() -> Value,
    made: OnceLock<Made>,
}

struct Made {
    schema: Value,
    defaults: Defaults,
    list: Vec<(Vec<String>, Value)>,
}

static ENTRIES: [Entry; 12] = [
    Entry::new("DRPolicy", of_object::<DRPolicy>),
    Entry::new("DRCluster", of_object::<DRCluster>),
    Entry::new("DRPlacementControl", of_object::<DRPlacementControl>),
    Entry::new(
        "VolumeReplicationGroup",
        of_object::<VolumeReplicationGroup>,
    ),
    Entry::new("DRClusterConfig", of_object::<DRClusterConfig>),
    Entry::new("MaintenanceMode", of_object::<MaintenanceMode>),
    Entry::new(
        "ProtectedVolumeReplicationGroupList",
        of_object::<ProtectedVolumeReplicationGroupList>,
    ),
    Entry::new(
        "ReplicationGroupSource",
        of_object::<ReplicationGroupSource>,
    ),
    Entry::new(
        "ReplicationGroupDestination",
        of_object::<ReplicationGroupDestination>,
    ),
    Entry::new("Recipe", of_object::<Recipe>),
    Entry::new("RamenConfig", of::<RamenConfig>),
    Entry::new("NetworkMapping", of::<NetworkMapping>),
];

impl Entry {
    const fn new(kind: &'static str, make: fn() -> Value) -> Self {
        Self {
            kind,
            make,
            made: OnceLock::new(),
        }
    }
}

fn made(kind: &str) -> Option<&'static Made> {
    let entry = ENTRIES.iter().find(|entry| entry.kind == kind)?;
    Some(entry.made.get_or_init(|| {
        let schema = (entry.make)();
        let defaults = Defaults::of(&schema);
        let mut list = Vec::new();
        defaults.list(&mut Vec::new(), &mut list);
        Made {
            schema,
            defaults,
            list,
        }
    }))
}

/// The schema of a type.
fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        settings.transforms = vec![Box::new(NoNull)];
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema.to_value()
}

/// The schema of a custom resource: a root has more than its type, and no CRD of Ramen's requires `spec`.
fn of_object<T: JsonSchema>() -> Value {
    let mut schema = of::<T>();
    if let Some(root) = schema.as_object_mut() {
        root.remove("required");
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (field, type_) in [
            ("apiVersion", "string"),
            ("kind", "string"),
            ("metadata", "object"),
        ] {
            properties.insert(field.to_owned(), json!({ "type": type_ }));
        }
    }
    schema
}

/// Takes `null` out of the types again that an `Option` put there: in a CRD a field that may be
/// absent is not nullable, unless it says so.
#[derive(Clone)]
struct NoNull;

impl Transform for NoNull {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(fields) = schema.as_object_mut() else {
            return;
        };
        if let Some(Value::Array(types)) = fields.get_mut("type") {
            types.retain(|type_| type_ != "null");
            if let [only] = types.as_mut_slice() {
                let only = only.take();
                fields.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(choices)) = fields.get_mut("anyOf") {
            choices.retain(|choice| choice["type"] != "null");
            if let [Value::Object(only)] = choices.as_mut_slice() {
                let only = std::mem::take(only);
                fields.remove("anyOf");
                // What is said of the field goes before what is said of its type.
                for (key, value) in only {
                    fields.entry(key).or_insert(value);
                }
            }
        }
    }
}

/// The part of a schema that has defaults, and nothing else: for most objects there is nothing to walk.
#[derive(Debug, Default)]
pub(crate) struct Defaults {
    value: Option<Value>,
    nullable: bool,
    properties: Vec<(String, Self)>,
    items: Option<Box<Self>>,
    values: Option<Box<Self>>,
}

impl Defaults {
    pub(crate) fn of(schema: &Value) -> Self {
        let below = |key| {
            schema
                .get(key)
                .map(Self::of)
                .filter(Self::is_some)
                .map(Box::new)
        };
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        Self {
            value: schema.get("default").cloned(),
            nullable: schema["nullable"] == true,
            properties: properties
                .map(|(name, schema)| (name.clone(), Self::of(schema)))
                .filter(|(_, defaults)| defaults.is_some())
                .collect(),
            items: below("items"),
            values: below("additionalProperties"),
        }
    }

    fn is_some(&self) -> bool {
        self.value.is_some()
            || !self.properties.is_empty()
            || self.items.is_some()
            || self.values.is_some()
    }

    /// Collects what lies outside lists and maps.
    fn list(&self, at: &mut Vec<String>, found: &mut Vec<(Vec<String>, Value)>) {
        if let Some(value) = &self.value {
            found.push((at.clone(), value.clone()));
        }
        for (name, defaults) in &self.properties {
            at.push(name.clone());
            defaults.list(at, found);
            at.pop();
        }
    }

    pub(crate) fn apply(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, defaults) in &self.properties {
                    defaults.fill(fields, name);
                }
                if let Some(defaults) = &self.values {
                    for value in fields.values_mut() {
                        defaults.replace_null(value);
                        defaults.apply(value);
                    }
                }
            }
            Value::Array(items) => {
                if let Some(defaults) = &self.items {
                    for item in items {
                        defaults.replace_null(item);
                        defaults.apply(item);
                    }
                }
            }
            _ => {}
        }
    }

    fn fill(&self, fields: &mut Map<String, Value>, name: &str) {
        if let Some(value) = fields.get_mut(name) {
            self.replace_null(value);
            self.apply(value);
        } else if let Some(default) = &self.value {
            let mut value = default.clone();
            self.apply(&mut value);
            fields.insert(name.to_owned(), value);
        }
    }

    fn replace_null(&self, value: &mut Value) {
        if let (true, false, Some(default)) = (value.is_null(), self.nullable, &self.value) {
            *value = default.clone();
        }
    }
}
