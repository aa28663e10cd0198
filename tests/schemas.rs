//! The types against the CRDs they were written for, and against objects that people have.
//!
//! Both are read from a folder beside the repository. Where it is missing, a test says so and passes.
#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    io::{Write, stderr},
    path::PathBuf,
    sync::Once,
};

use kube::CustomResourceExt;
use ramen_guard::api::{
    ApplicationSet, ConfigMap, DRCluster, DRClusterConfig, DRPlacementControl, DRPolicy, Doc, Kind,
    MaintenanceMode, ManagedCluster, ManagedClusterView, NetworkMapping, Placement,
    PlacementDecision, PlacementRule, ProtectedVolumeReplicationGroupList, RamenConfig, Recipe,
    ReplicationGroupDestination, ReplicationGroupSource, Secret, VolumeReplicationGroup,
    apply_defaults, defaults, schema,
};
use ramen_guard::manifest::goyaml;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// Where a schema differs from the CRD on purpose: kind, difference, reason.
const ON_PURPOSE: &[(&str, &str, &str)] = &[];

/// Runs a check for each kind of Ramen's.
macro_rules! each_kind {
    ($check:ident) => {
        $check::<DRPolicy>();
        $check::<DRCluster>();
        $check::<DRPlacementControl>();
        $check::<VolumeReplicationGroup>();
        $check::<DRClusterConfig>();
        $check::<MaintenanceMode>();
        $check::<ProtectedVolumeReplicationGroupList>();
        $check::<ReplicationGroupSource>();
        $check::<ReplicationGroupDestination>();
        $check::<Recipe>();
    };
}

/// The YAML files of a folder beside the repository, or `None`, said aloud.
fn shared(folder: &str) -> Option<Vec<PathBuf>> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")).join(folder);
    let Ok(entries) = fs::read_dir(&path) else {
        static SAID: Once = Once::new();
        // Past the test harness, which hides what a passing test prints.
        SAID.call_once(|| {
            let mut output = stderr().lock();
            writeln!(output, "NOT COMPARED: no folder {}", path.display()).unwrap();
        });
        return None;
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    files.sort();
    Some(files)
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// The CRD of a kind.
fn upstream(kind: &str) -> Option<Value> {
    let crds = shared("crds")?
        .into_iter()
        .map(|file| yaml(&fs::read_to_string(file).unwrap()));
    let crd = crds
        .into_iter()
        .find(|crd| crd["spec"]["names"]["kind"] == kind);
    Some(crd.unwrap_or_else(|| panic!("no CRD of {kind}")))
}

#[test]
fn schemas_say_what_the_crds_say() {
    let mut found = Vec::new();
    let mut compare = |kind: &'static str| {
        let Some(crd) = upstream(kind) else { return };
        let mut differences = Vec::new();
        let theirs = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        differ("", schema(kind).unwrap(), theirs, &mut differences);
        found.extend(differences.into_iter().map(|difference| (kind, difference)));
    };
    macro_rules! compare {
        ($($kind:ident)*) => { $(compare($kind::KIND);)* };
    }
    compare!(DRPolicy DRCluster DRPlacementControl VolumeReplicationGroup DRClusterConfig MaintenanceMode
        ProtectedVolumeReplicationGroupList ReplicationGroupSource ReplicationGroupDestination Recipe);

    let expected = |kind: &str, text: &str| {
        ON_PURPOSE
            .iter()
            .any(|known| (known.0, known.1) == (kind, text))
    };
    let surprises: Vec<_> = found
        .iter()
        .filter(|(kind, text)| !expected(kind, text))
        .collect();
    assert!(surprises.is_empty(), "not as upstream: {surprises:#?}");
    if shared("crds").is_some() {
        for (kind, text, _) in ON_PURPOSE {
            assert!(
                found
                    .iter()
                    .any(|found| (found.0, &*found.1) == (*kind, *text)),
                "no longer so: {kind}: {text}"
            );
        }
    }
}

/// Collects every difference but descriptions.
fn differ(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    let (Value::Object(our), Value::Object(their)) = (ours, theirs) else {
        if ours != theirs {
            found.push(format!("{path}: {ours} for {theirs}"));
        }
        return;
    };
    for key in our.keys().chain(their.keys()).collect::<BTreeSet<_>>() {
        let (ours, theirs) = (&ours[key], &theirs[key]);
        match &**key {
            "description" => {}
            "properties" => {
                let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
                let (ours, theirs) = (fields(ours), fields(theirs));
                for name in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
                    let at = format!("{path}/{name}");
                    match (ours.get(name), theirs.get(name)) {
                        (Some(ours), Some(theirs)) => differ(&at, ours, theirs, found),
                        (ours, _) => found.push(format!(
                            "{at}: only {}",
                            if ours.is_some() { "here" } else { "there" }
                        )),
                    }
                }
            }
            "items" | "additionalProperties" => differ(&format!("{path}/*"), ours, theirs, found),
            // Sets: their order says nothing.
            "required" | "enum" | "x-kubernetes-validations" if sorted(ours) == sorted(theirs) => {}
            _ if ours == theirs => {}
            _ => found.push(format!("{path}: {key}: {ours} for {theirs}")),
        }
    }
}

#[test]
fn the_comparison_sees_a_difference() {
    let ours = schema("DRPolicy").unwrap();
    for (pointer, other) in [
        ("/properties/spec/required", json!([])),
        (
            "/properties/spec/properties/schedulingInterval/pattern",
            json!(".*"),
        ),
        (
            "/properties/spec/properties/drClusters/items/type",
            json!("integer"),
        ),
        (
            "/properties/spec/properties/drClusters/x-kubernetes-validations/0/message",
            json!(""),
        ),
        (
            "/properties/spec/properties/volumeSnapshotClassSelector",
            json!({}),
        ),
    ] {
        let (mut theirs, mut found) = (ours.clone(), Vec::new());
        differ("", ours, &theirs, &mut found);
        assert_eq!(found, [""; 0]);
        *theirs.pointer_mut(pointer).unwrap() = other;
        differ("", ours, &theirs, &mut found);
        assert!(!found.is_empty(), "{pointer}");
    }
}

fn sorted(list: &Value) -> Vec<String> {
    let mut list: Vec<_> = list
        .as_array()
        .into_iter()
        .flatten()
        .map(Value::to_string)
        .collect();
    list.sort();
    list
}

#[test]
fn kinds_are_named_as_in_the_crds() {
    fn check<K: Kind + CustomResourceExt>() {
        let Some(crd) = upstream(K::KIND) else { return };
        let (spec, ours) = (&crd["spec"], serde_json::to_value(K::crd()).unwrap());
        assert_eq!(
            (&spec["group"], &spec["versions"][0]["name"]),
            (&json!(K::GROUP), &json!(K::VERSION))
        );
        assert_eq!(spec["names"]["plural"], json!(K::PLURAL));
        assert_eq!(spec["scope"] == "Namespaced", K::NAMESPACED, "{}", K::KIND);
        for name in [
            "group",
            "scope",
            "names/kind",
            "names/plural",
            "names/singular",
            "names/shortNames",
        ] {
            let pointer = format!("/spec/{name}");
            assert_eq!(
                ours.pointer(&pointer),
                crd.pointer(&pointer),
                "{} {name}",
                K::KIND
            );
        }
    }
    each_kind!(check);
}

#[test]
fn schemas_are_structural() {
    fn walk(kind: &str, schema: &Value) {
        for key in [
            "$ref",
            "$defs",
            "definitions",
            "oneOf",
            "allOf",
            "not",
            "title",
            "$schema",
        ] {
            assert!(schema.get(key).is_none(), "{kind}: {key} in {schema}");
        }
        assert!(
            schema["type"].is_string() || schema["x-kubernetes-int-or-string"] == true,
            "{kind}: {schema}"
        );
        let properties = schema.get("properties").and_then(Value::as_object);
        let below = ["items", "additionalProperties"]
            .into_iter()
            .filter_map(|key| schema.get(key));
        properties
            .into_iter()
            .flat_map(Map::values)
            .chain(below)
            .for_each(|schema| walk(kind, schema));
    }
    fn check<K: Kind>() {
        walk(K::KIND, schema(K::KIND).unwrap());
    }
    each_kind!(check);
    walk("RamenConfig", schema("RamenConfig").unwrap());
    walk("NetworkMapping", schema("NetworkMapping").unwrap());
    assert!(schema("Deployment").is_none());
}

/// A value for a schema.
fn sample(schema: &Value, leaf: fn(&str) -> Value) -> Value {
    if let Some(Value::Object(properties)) = schema.get("properties") {
        return properties
            .iter()
            .map(|(name, schema)| (name.clone(), sample(schema, leaf)))
            .collect();
    }
    let nested = |key: &str| {
        schema
            .get(key)
            .map(|schema| sample(schema, leaf))
            .filter(|value| !value.is_null())
    };
    match (nested("items"), nested("additionalProperties")) {
        (Some(item), _) => json!([item]),
        (_, Some(value)) => json!({ "any": value }),
        _ => leaf(schema["type"].as_str().unwrap_or("string")),
    }
}

fn part<'a>(kind: &str, field: &str) -> &'a Value {
    &schema(kind).unwrap()["properties"][field]
}

fn read<T: DeserializeOwned>(kind: &str, value: &Value) -> T {
    serde_json::from_value(value.clone())
        .unwrap_or_else(|error| panic!("{kind}: {error} in {value}"))
}

#[test]
fn every_field_is_known_and_kept() {
    // Of the right type, and wrong in every other way.
    fn leaf(type_: &str) -> Value {
        match type_ {
            "boolean" => json!(true),
            "integer" => json!(-7),
            "object" => json!({}),
            _ => json!("?! "),
        }
    }
    fn check<K: Kind>()
    where
        K::Spec: Serialize,
        K::Status: Serialize,
    {
        let (spec, status) = (
            sample(part(K::KIND, "spec"), leaf),
            sample(part(K::KIND, "status"), leaf),
        );
        assert_eq!(json!(read::<K::Spec>(K::KIND, &spec)), spec);
        assert_eq!(json!(read::<K::Status>(K::KIND, &status)), status);
    }
    each_kind!(check);
    let config = sample(schema("RamenConfig").unwrap(), leaf);
    assert_eq!(json!(read::<RamenConfig>("RamenConfig", &config)), config);
    let mapping = sample(schema("NetworkMapping").unwrap(), leaf);
    let read = read::<NetworkMapping>("NetworkMapping", &mapping);
    assert_eq!(json!(read), mapping);
}

#[test]
fn null_is_absent_and_unknown_is_ignored() {
    fn with_unknown(value: &mut Value, schema: &Value) {
        match value {
            Value::Object(fields) if schema.get("properties").is_some() => {
                for (name, value) in fields.iter_mut() {
                    with_unknown(value, &schema["properties"][name]);
                }
                fields.insert("fromTheFuture".to_owned(), json!({ "any": [1, null] }));
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| with_unknown(item, &schema["items"])),
            _ => {}
        }
    }
    fn same<T: DeserializeOwned + Serialize + Default>(kind: &str, schema: &Value) {
        let empty = json!(T::default());
        let nulls = schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::keys);
        let nulls = nulls.map(|name| (name.clone(), Value::Null)).collect();
        assert_eq!(json!(read::<T>(kind, &nulls)), empty, "{kind}: null");
        assert_eq!(json!(read::<T>(kind, &json!({}))), empty, "{kind}: absent");
        // The same at every depth.
        let mut deep = sample(schema, |_| Value::Null);
        deep = if deep.is_null() { json!({}) } else { deep };
        let known = json!(read::<T>(kind, &deep));
        with_unknown(&mut deep, schema);
        assert_eq!(json!(read::<T>(kind, &deep)), known, "{kind}: unknown");
    }
    fn check<K: Kind>()
    where
        K::Spec: Serialize,
        K::Status: Serialize,
    {
        same::<K::Spec>(K::KIND, part(K::KIND, "spec"));
        same::<K::Status>(K::KIND, part(K::KIND, "status"));
    }
    each_kind!(check);
    same::<RamenConfig>("RamenConfig", schema("RamenConfig").unwrap());
    same::<NetworkMapping>("NetworkMapping", schema("NetworkMapping").unwrap());
}

#[test]
fn neighbours_read_null_as_absent() {
    fn check<K: Kind>(spec: &Value, status: &Value) {
        read::<K::Spec>(K::KIND, spec);
        read::<K::Spec>(K::KIND, &json!({ "fromTheFuture": 1 }));
        read::<K::Status>(K::KIND, status);
    }
    check::<Placement>(&json!({ "numberOfClusters": null }), &json!({}));
    check::<PlacementRule>(
        &json!({ "clusterReplicas": null, "schedulerName": null }),
        &json!({}),
    );
    check::<PlacementDecision>(
        &json!({}),
        &json!({ "decisions": [{ "clusterName": null, "reason": null }] }),
    );
    check::<PlacementDecision>(&json!({}), &json!({ "decisions": null }));
    check::<ManagedCluster>(
        &json!({}),
        &json!({ "conditions": null, "clusterClaims": [{ "name": null }] }),
    );
    check::<ApplicationSet>(
        &json!({ "generators": [{ "list": {} }, { "clusterDecisionResource": { "labelSelector": null } }],
            "template": { "spec": { "destination": null } } }),
        &json!({}),
    );
    check::<ManagedClusterView>(
        &json!({ "scope": { "kind": null } }),
        &json!({ "result": null }),
    );
    check::<ConfigMap>(
        &json!({ "metadata": {}, "data": null, "binaryData": null }),
        &json!({}),
    );
    check::<Secret>(
        &json!({ "metadata": {}, "data": { "key": null } }),
        &json!({}),
    );
}

#[test]
fn defaults_are_filled_in_where_the_parent_is() {
    let mut policy = json!({ "spec": { "drClusters": [], "networkMappingRef": {}, "volumeSnapshotClassSelector": null } });
    apply_defaults("DRPolicy", &mut policy);
    let expected = json!({ "spec": { "drClusters": [], "networkMappingRef": { "name": "" },
        "replicationClassSelector": {}, "volumeSnapshotClassSelector": {} } });
    assert_eq!(policy, expected);

    let mut recipe = json!({ "spec": { "hooks": [{ "jobs": [{}, { "forceCreate": true }] }], "workflows": [{}] } });
    apply_defaults("Recipe", &mut recipe);
    let expected = json!({ "spec": {
        "hooks": [{ "onError": "fail", "jobs": [{ "forceCreate": false }, { "forceCreate": true }] }],
        "workflows": [{ "failOn": "any-error" }] } });
    assert_eq!(recipe, expected);

    for kind in ["DRPolicy", "Recipe", "DRCluster", "Deployment"] {
        for untouched in [
            json!({}),
            json!({ "spec": [] }),
            json!({ "spec": "text" }),
            json!(7),
        ] {
            let mut object = untouched.clone();
            apply_defaults(kind, &mut object);
            assert_eq!(object, untouched, "{kind}");
        }
    }
}

#[test]
fn defaults_outside_lists_are_listed() {
    let listed: Vec<_> = defaults("DRPolicy")
        .iter()
        .map(|(at, value)| (at.join("/"), value.to_string()))
        .collect();
    let expected = [
        ("spec/networkMappingRef/name", "\"\""),
        ("spec/replicationClassSelector", "{}"),
        ("spec/volumeSnapshotClassSelector", "{}"),
    ];
    assert_eq!(
        listed,
        expected.map(|(at, value)| (at.to_owned(), value.to_owned()))
    );
    for kind in ["DRPlacementControl", "Recipe", "DRCluster", "Deployment"] {
        assert!(defaults(kind).is_empty(), "{kind}");
    }
}

#[test]
fn legal_objects_lose_nothing() {
    fn check<K: Kind>()
    where
        K::Spec: Serialize,
        K::Status: Serialize,
    {
        for (name, object) in legal() {
            if object["kind"] != K::KIND
                || !object["apiVersion"]
                    .as_str()
                    .unwrap_or_default()
                    .starts_with(K::GROUP)
            {
                continue;
            }
            let object = Doc::from_value(object).unwrap();
            if let Some(spec) = K::body(&object.value) {
                kept(
                    &name,
                    part(K::KIND, "spec"),
                    spec,
                    &json!(read::<K::Spec>(&name, spec)),
                );
            }
            if let Some(status) = &object.status {
                let status = status.value();
                let read = json!(read::<K::Status>(&name, &status));
                kept(&name, part(K::KIND, "status"), &status, &read);
            }
        }
    }
    each_kind!(check);
    let mut configs = 0;
    for (name, object) in legal() {
        if let Some(text) = object
            .pointer("/data/ramen_manager_config.yaml")
            .and_then(Value::as_str)
        {
            let schema = schema("RamenConfig").unwrap();
            let config = goyaml::read(text, schema).unwrap().value;
            kept(
                &name,
                schema,
                &config,
                &json!(read::<RamenConfig>(&name, &config)),
            );
            configs += 1;
        }
    }
    assert!(configs > 0 || shared("corpus/legal").is_none());
}

/// The objects that are known to be legal, by file.
fn legal() -> Vec<(String, Value)> {
    let files = shared("corpus/legal").unwrap_or_default();
    let read = |file: PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(file).unwrap();
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        documents
            .into_iter()
            .map(move |document| (name.clone(), document))
    };
    files.into_iter().flat_map(read).collect()
}

/// Whether everything is still there that the schema knows and that says something.
fn kept(at: &str, schema: &Value, before: &Value, after: &Value) {
    match (before, after) {
        (Value::Object(fields), Value::Object(_)) => {
            for (name, before) in fields {
                let below = schema["properties"]
                    .get(name)
                    .or(schema.get("additionalProperties"));
                let says_nothing = [json!(null), json!([]), json!({}), json!("")].contains(before);
                match (below, after.get(name)) {
                    (Some(schema), Some(after)) => {
                        kept(&format!("{at}/{name}"), schema, before, after);
                    }
                    (Some(_), None) => assert!(says_nothing, "{at}/{name}: {before} is lost"),
                    (None, _) => {}
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len(), "{at}");
            let items = before.iter().zip(after).enumerate();
            items.for_each(|(index, (before, after))| {
                kept(&format!("{at}/{index}"), &schema["items"], before, after);
            });
        }
        (Value::Null, _) => {}
        // A quantity is kept as a text.
        (Value::Number(before), Value::String(after)) => {
            assert_eq!(&before.to_string(), after, "{at}");
        }
        _ => assert_eq!(before, after, "{at}"),
    }
}
