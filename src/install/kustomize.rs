//! As much of kustomize as `manifests/` uses: resources, components, and patches that name their target.
//! Anything else in a kustomization is an error, which a test would see.

use serde::Deserialize;
use serde_json::Value;

use super::MANIFESTS;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kustomization {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    components: Vec<String>,
    #[serde(default)]
    patches: Vec<Patch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    target: Target,
    patch: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    kind: String,
    name: Option<String>,
}

/// What a patch does: RFC 6902, or taking the whole object away.
#[derive(Deserialize)]
#[serde(untagged)]
enum Change {
    Operations(Vec<Operation>),
    Away {
        #[serde(rename = "$patch")]
        directive: Directive,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Directive {
    Delete,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
enum Operation {
    Test { path: String, value: Value },
    Add { path: String, value: Value },
    Replace { path: String, value: Value },
    Remove { path: String },
}

/// The objects of a folder below `manifests/`.
pub(super) fn build(folder: &str) -> Result<Vec<Value>, String> {
    let mut objects = Vec::new();
    add(folder, &mut objects)?;
    Ok(objects)
}

/// Adds a folder's resources to the objects, and changes all of them as it says.
pub(super) fn add(folder: &str, objects: &mut Vec<Value>) -> Result<(), String> {
    let path = format!("{folder}/kustomization.yaml");
    let kustomization: Kustomization =
        serde_saphyr::from_str(file(&path)?).map_err(|error| format!("{path}: {error}"))?;
    for resource in &kustomization.resources {
        let path = below(folder, resource);
        if std::path::Path::new(resource).extension().is_some() {
            let read: Vec<Value> = serde_saphyr::from_multiple(file(&path)?)
                .map_err(|error| format!("{path}: {error}"))?;
            objects.extend(read.into_iter().filter(|object| !object.is_null()));
        } else {
            objects.extend(build(&path)?);
        }
    }
    for component in &kustomization.components {
        add(&below(folder, component), objects)?;
    }
    for patch in &kustomization.patches {
        change(patch, objects).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(())
}

fn file(path: &str) -> Result<&'static str, String> {
    let found = MANIFESTS.iter().find(|(known, _)| *known == path);
    found
        .map(|(_, text)| *text)
        .ok_or_else(|| format!("there is no {path}"))
}

/// A path as seen from a folder.
fn below(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

fn change(patch: &Patch, objects: &mut Vec<Value>) -> Result<(), String> {
    let wanted = |object: &Value| {
        let name = object["metadata"]["name"].as_str();
        object["kind"] == *patch.target.kind
            && (patch.target.name.is_none() || patch.target.name.as_deref() == name)
    };
    // As kustomize reads it: without what is around it.
    let change: Change =
        serde_saphyr::from_str(patch.patch.trim()).map_err(|error| error.to_string())?;
    match change {
        Change::Away {
            directive: Directive::Delete,
        } => objects.retain(|object| !wanted(object)),
        Change::Operations(operations) => {
            for object in objects.iter_mut().filter(|object| wanted(object)) {
                for operation in &operations {
                    apply(operation, object)?;
                }
            }
        }
    }
    Ok(())
}

fn apply(operation: &Operation, object: &mut Value) -> Result<(), String> {
    let nothing = |path: &str| format!("nothing can be done at {path}");
    match operation {
        Operation::Test { path, value } => match object.pointer(path) {
            Some(found) if found == value => Ok(()),
            found => Err(format!("{path} is {found:?}")),
        },
        Operation::Replace { path, value } => {
            *object.pointer_mut(path).ok_or_else(|| nothing(path))? = value.clone();
            Ok(())
        }
        Operation::Add { path, value } => {
            let (parent, name) = path.rsplit_once('/').ok_or_else(|| nothing(path))?;
            match object.pointer_mut(parent) {
                Some(Value::Array(list)) if name == "-" => list.push(value.clone()),
                Some(Value::Object(map)) => {
                    map.insert(name.replace("~1", "/").replace("~0", "~"), value.clone());
                }
                _ => return Err(nothing(path)),
            }
            Ok(())
        }
        Operation::Remove { path } => {
            let (parent, name) = path.rsplit_once('/').ok_or_else(|| nothing(path))?;
            match (object.pointer_mut(parent), name.parse::<usize>()) {
                (Some(Value::Array(list)), Ok(place)) if place < list.len() => {
                    list.remove(place);
                    Ok(())
                }
                _ => Err(nothing(path)),
            }
        }
    }
}
