//! `check` says of an object what kube-apiserver says of it: accepted or refused, which fields it does
//! not know, and which it blames.

mod verdict;

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    time::Instant,
};

use ramen_guard::{
    api,
    engine::{Engine, Settings},
    manifest::{crds::Crds, yaml::Limits},
    policy,
};
use serde_json::{Value, json};

use verdict::Verdict;

use crate::{
    client::{Ask, Client},
    generate::{Dice, fitting, mutate},
    server::{Cluster, User, crd_files, say, until},
};

/// How many new objects are sent, and how many changes of stored ones.
const NEW: usize = 3500;
const CHANGED: usize = 2000;

/// A kind that the API server serves.
struct Kind {
    group: String,
    version: String,
    plural: String,
    name: String,
    namespaced: bool,
    schema: Value,
}

impl Kind {
    fn of(crd: &Value) -> Self {
        let text = |pointer: &str| {
            let value = crd.pointer(pointer).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let versions = crd["spec"]["versions"].as_array().expect("versions");
        let at = versions.iter().position(|it| it["storage"] == true);
        let version = &versions[at.expect("a stored version")];
        Self {
            group: text("/spec/group"),
            version: version["name"].as_str().expect("a name").to_owned(),
            plural: text("/spec/names/plural"),
            name: text("/spec/names/kind"),
            namespaced: text("/spec/scope") == "Namespaced",
            schema: version["schema"]["openAPIV3Schema"].clone(),
        }
    }

    fn object(&self, namespace: &str, dice: &mut Dice) -> Value {
        let mut object = fitting(&self.schema, dice, 0);
        object["apiVersion"] = json!(format!("{}/{}", self.group, self.version));
        object["kind"] = json!(self.name);
        object["metadata"] = json!({"name": "it"});
        if self.namespaced {
            object["metadata"]["namespace"] = json!(namespace);
        }
        object
    }

    /// Where its objects are.
    fn place(&self, namespace: &str) -> String {
        let Self {
            group,
            version,
            plural,
            ..
        } = self;
        let place = if self.namespaced {
            format!("namespaces/{namespace}/")
        } else {
            String::new()
        };
        format!("/apis/{group}/{version}/{place}{plural}")
    }
}

/// Something that somebody wants to store.
struct Trial<'a> {
    /// What was done to an object that fits.
    how: String,
    kind: &'a Kind,
    old: Option<Value>,
    new: Value,
}

impl Trial<'_> {
    /// The question whether it may be. With a warning for each unknown field the rest is judged, too.
    fn ask(&self, namespace: &str) -> Ask {
        let place = self.kind.place(namespace);
        let (method, path) = match &self.old {
            None => ("POST", place),
            Some(old) => {
                let name = old["metadata"]["name"].as_str().expect("a name");
                ("PUT", format!("{place}/{name}"))
            }
        };
        Ask {
            method,
            path: format!("{path}?dryRun=All&fieldValidation=Warn"),
            body: self.new.clone(),
        }
    }
}

/// Only what the schemas say.
fn engine() -> Engine {
    let rules = policy::contracts().iter().map(|contract| &*contract.id);
    let off = rules
        .filter(|id| !["object-schema", "object-unknown-field"].contains(id))
        .map(|id| format!("  {id}: off\n"));
    let settings = format!("rules:\n{}", off.collect::<String>());
    Engine::new(Settings::read(&settings).expect("settings"))
}

fn shared(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(folder)
}

/// The documents of the YAML files of a folder, with the names of the files.
fn documents(folder: &Path) -> Vec<(String, Value)> {
    let loaded = ramen_guard::manifest::load::load(
        &[folder.to_owned()],
        &mut std::io::empty(),
        &Limits::default(),
    );
    let named = loaded.manifests.iter().map(|manifest| {
        let name = manifest.source.name.rsplit('/').next().unwrap_or_default();
        (name.to_owned(), manifest.raw().clone())
    });
    named.collect()
}

/// A CRD with all that Ramen's have not. Its file says all; what is installed does so only if it is
/// `strict`.
fn torture(cluster: &Cluster, name: &str, strict: bool) -> PathBuf {
    let mut schema: Value =
        serde_json::from_str(include_str!("../manifest/schema.json")).expect("JSON");
    let fields = schema["properties"]["spec"]["properties"]
        .as_object_mut()
        .expect("fields");
    let more: Value = serde_json::from_str(include_str!("torture.json")).expect("JSON");
    fields.extend(more.as_object().expect("fields").clone());
    let rules: Value = serde_json::from_str(include_str!("../manifest/rules.json")).expect("JSON");
    fields.insert("ruled".to_owned(), rules["properties"]["spec"].clone());
    let crd = |schema: Value| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{name}s.test.ramen-guard.invalid")},
            "spec": {
                "group": "test.ramen-guard.invalid",
                "names": {"kind": format!("{}{}", name[..1].to_uppercase(), &name[1..]), "plural": format!("{name}s")},
                "scope": "Namespaced",
                "versions": [{
                    "name": "v1",
                    "served": true,
                    "storage": true,
                    "schema": {"openAPIV3Schema": schema},
                }],
            },
        })
    };
    let loose = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let path = cluster.folder.join(format!("{name}.json"));
    if !strict {
        fs::write(&path, crd(loose).to_string()).expect("a file");
        cluster.install_crds(std::slice::from_ref(&path));
    }
    fs::write(&path, crd(schema).to_string()).expect("a file");
    if strict {
        cluster.install_crds(std::slice::from_ref(&path));
    }
    path
}

/// Installs the CRD as its file has it, and waits until it is what objects have to fit.
fn tighten(cluster: &Cluster, torture: &Path) {
    cluster.install_crds(&[torture.to_owned()]);
    let kind = Kind::of(&documents(torture)[0].1);
    let client = cluster.client(User::Admin);
    let wrong = Trial {
        how: String::new(),
        old: None,
        new: json!({
            "apiVersion": format!("{}/{}", kind.group, kind.version),
            "kind": kind.name,
            "metadata": {"name": "wrong"},
            "spec": 1,
        }),
        kind: &kind,
    };
    let tight = until(|| client.ask_all(vec![wrong.ask("default")])[0].code == 422);
    assert!(tight, "the CRD is not replaced");
}

/// The files of all CRDs that are installed.
fn crds(torture: &Path) -> Vec<PathBuf> {
    let files = crd_files().expect("the CRDs that are installed");
    files.into_iter().chain([torture.to_owned()]).collect()
}

/// The kinds that the API server serves, as often as they are to be tried.
fn kinds(torture: &Path) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for path in crds(torture) {
        for (_, crd) in documents(&path) {
            let times = if crd["spec"]["group"] == api::GROUP {
                3
            } else {
                1
            };
            kinds.extend((0..times).map(|_| Kind::of(&crd)));
        }
    }
    assert!(kinds.len() > 30, "{}", kinds.len());
    kinds
}

/// What people have: the name of the file, the kind, and the object, in this namespace.
fn corpus<'a>(kinds: &'a [Kind], namespace: &str) -> Vec<Trial<'a>> {
    let files = ["corpus/legal", "corpus/illegal"]
        .iter()
        .flat_map(|folder| documents(&shared(folder)));
    let mut corpus = Vec::new();
    for (how, mut new) in files {
        let of = |kind: &&Kind| {
            new["kind"] == *kind.name
                && new["apiVersion"] == format!("{}/{}", kind.group, kind.version)
        };
        let Some(kind) = kinds.iter().find(of) else {
            continue;
        };
        if kind.namespaced {
            new["metadata"]["namespace"] = json!(namespace);
        }
        let old = None;
        corpus.push(Trial {
            how,
            kind,
            old,
            new,
        });
    }
    assert!(corpus.len() > 150, "{}", corpus.len());
    corpus
}

fn number(name: &str, or: usize) -> usize {
    let given = env::var(name).ok().and_then(|it| it.parse().ok());
    given.unwrap_or(or)
}

fn changed(object: &mut Value, kind: &Kind, stored: bool, times: usize, dice: &mut Dice) -> String {
    let how: Vec<String> = (0..times)
        .map(|_| mutate(object, &kind.schema, stored, dice))
        .collect();
    how.join("; ")
}

/// An object without what nobody has written.
fn shown(object: &Value) -> String {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object.to_string().chars().take(3000).collect()
}

/// Asks both about all of these, and says where they differ.
#[track_caller]
fn compare(client: &Client, namespace: &str, trials: &[Trial<'_>], torture: &Path) {
    let begin = Instant::now();
    let asks = trials.iter().map(|trial| trial.ask(namespace)).collect();
    let answers = client.ask_all(asks);
    let asked = begin.elapsed();

    let engine = engine();
    let given = Crds::read(&crds(torture), &mut std::io::empty()).expect("CRDs");
    let mut differences: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut refused = 0;
    for (trial, answer) in trials.iter().zip(&answers) {
        let server = Verdict::of_server(answer);
        refused += usize::from(!server.accepted);
        // Ramen's kinds are built in.
        let crds = if trial.kind.group == api::GROUP {
            Crds::default()
        } else {
            given.clone()
        };
        let ours = Verdict::of_check(&engine, trial, crds);
        if let Some(what) = ours.difference(&server) {
            differences.entry(what).or_default().push(format!(
                "{}: {}\n    old {}\n    new {}\n    server {}\n    check  {}",
                trial.kind.name,
                trial.how,
                trial.old.as_ref().map(shown).unwrap_or_default(),
                shown(&trial.new),
                server.said.join("\n           "),
                ours.said.join("\n           "),
            ));
        }
    }
    say(&format!(
        "{} objects, {refused} refused; {asked:.1?} of {:.1?} there",
        trials.len(),
        begin.elapsed()
    ));
    let shown = differences.iter().map(|(what, cases)| {
        let few: Vec<&str> = cases.iter().take(2).map(String::as_str).collect();
        format!("{what}: {}\n  {}\n", cases.len(), few.join("\n  "))
    });
    assert!(differences.is_empty(), "{}", shown.collect::<String>());
}

#[test]
fn check_says_of_new_objects_what_the_api_server_says() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let torture = torture(cluster, "torture", true);
    let _undisturbed = cluster.undisturbed();
    let namespace = cluster.namespace("schema");
    let kinds = kinds(&torture);
    let mut dice = Dice::new(number("RAMEN_GUARD_SEED", 36) as u64);

    // What people have, and what might be had.
    let mut trials = corpus(&kinds, &namespace);
    let known: Vec<(&Kind, Value)> = trials.iter().map(|it| (it.kind, it.new.clone())).collect();
    while trials.len() < number("RAMEN_GUARD_OBJECTS", NEW) {
        let (kind, mut new) = if dice.below(3) == 0 {
            dice.pick(&known).clone()
        } else {
            let kind = dice.pick(&kinds);
            (kind, kind.object(&namespace, &mut dice))
        };
        let times = dice.below(4);
        let how = changed(&mut new, kind, false, times, &mut dice);
        let old = None;
        trials.push(Trial {
            how,
            kind,
            old,
            new,
        });
    }
    compare(&cluster.client(User::Admin), &namespace, &trials, &torture);
}

/// What is stored already is let be, and what may not change is not.
#[test]
fn check_says_of_changes_what_the_api_server_says() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    // Objects from before the CRD was as strict as it is.
    let torture = torture(cluster, "ratchet", false);
    let _undisturbed = cluster.undisturbed();
    let namespace = cluster.namespace("schema-changes");
    let kinds = kinds(&torture);
    let client = cluster.client(User::Admin);
    let mut dice = Dice::new(number("RAMEN_GUARD_SEED", 36) as u64);

    let mut wanted = corpus(&kinds, &namespace);
    for _ in 0..60 {
        let kind = dice.pick(&kinds);
        let mut new = kind.object(&namespace, &mut dice);
        let times = if kind.group.starts_with("ramendr") {
            0
        } else {
            4
        };
        let how = changed(&mut new, kind, true, times, &mut dice);
        let old = None;
        wanted.push(Trial {
            how,
            kind,
            old,
            new,
        });
    }
    for (at, trial) in wanted.iter_mut().enumerate() {
        trial.new["metadata"]["name"] = json!(format!("{namespace}-{at}"));
    }
    let create = wanted.iter().map(|trial| Ask {
        method: "POST",
        path: trial.kind.place(&namespace),
        body: trial.new.clone(),
    });
    let created = client.ask_all(create.collect());
    tighten(cluster, &torture);
    let stored: Vec<_> = wanted
        .iter()
        .zip(created)
        .filter(|(_, answer)| answer.code == 201)
        .collect();
    let get = stored.iter().map(|(trial, answer)| Ask {
        method: "GET",
        path: format!(
            "{}/{}",
            trial.kind.place(&namespace),
            answer.body["metadata"]["name"].as_str().expect("a name")
        ),
        body: Value::Null,
    });
    let olds = client.ask_all(get.collect());
    let stored: Vec<(&Kind, Value)> = stored
        .iter()
        .zip(olds)
        .map(|((trial, _), old)| (trial.kind, old.body))
        .collect();
    assert!(stored.len() > 100, "{}", stored.len());

    let mut trials = Vec::new();
    while trials.len() < number("RAMEN_GUARD_OBJECTS", CHANGED) {
        let (kind, old) = dice.pick(&stored).clone();
        let mut new = old.clone();
        let times = 1 + dice.below(2);
        let how = changed(&mut new, kind, true, times, &mut dice);
        let old = Some(old);
        trials.push(Trial {
            how,
            kind,
            old,
            new,
        });
    }
    compare(&client, &namespace, &trials, &torture);
}
