//! `check` says of an object what kube-apiserver says of it: accepted or refused, which fields it does
//! not know, and which it blames.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use ramen_guard::{
    cli::check::{Given, check},
    engine::{Engine, Settings},
    manifest::{crds::Crds, load::load_text, yaml::Limits},
    policy::{self, Mode},
    report::{Finding, field},
};
use serde_json::{Value, json};

use crate::{
    client::{Answer, Ask},
    generate::{Dice, fitting, mutate},
    server::{Cluster, User},
};

/// How many objects are sent.
const OBJECTS: usize = 5000;

/// A kind that the API server serves.
struct Kind {
    group: String,
    version: String,
    plural: String,
    kind: String,
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
            kind: text("/spec/names/kind"),
            namespaced: text("/spec/scope") == "Namespaced",
            schema: version["schema"]["openAPIV3Schema"].clone(),
        }
    }

    fn object(&self, namespace: &str, dice: &mut Dice) -> Value {
        let mut object = fitting(&self.schema, dice, 0);
        object["apiVersion"] = json!(format!("{}/{}", self.group, self.version));
        object["kind"] = json!(self.kind);
        object["metadata"] = json!({"name": "it"});
        if self.namespaced {
            object["metadata"]["namespace"] = json!(namespace);
        }
        object
    }

    fn create(&self, namespace: &str, object: &Value) -> Ask {
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
        Ask {
            method: "POST",
            // With a warning for each unknown field the rest is judged, too.
            path: format!(
                "/apis/{group}/{version}/{place}{plural}?dryRun=All&fieldValidation=Warn"
            ),
            body: object.clone(),
        }
    }
}

/// What somebody makes of an object.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    accepted: bool,
    unknown: BTreeSet<String>,
    /// Who blames no field at all has nothing here.
    blamed: BTreeSet<String>,
    /// Word for word.
    said: Vec<String>,
}

impl Verdict {
    fn of_server(answer: &Answer) -> Self {
        let message = answer.body["message"].as_str().unwrap_or_default();
        let code = answer.code;
        assert!(
            (200..300).contains(&code) || code == 422 || code == 400,
            "{code} {message}"
        );
        let causes = &answer.body["details"]["causes"];
        let fields = causes
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|cause| cause["field"].as_str());
        let unknown = answer.warnings.iter().filter_map(|warning| {
            let field = warning.strip_prefix("unknown field \"")?;
            Some(spelt(field.strip_suffix('"')?))
        });
        Self {
            accepted: code < 300,
            unknown: unknown.collect(),
            blamed: fields
                .filter(|it| !it.contains("<nil>"))
                .map(spelt)
                .collect(),
            said: vec![message.to_owned()],
        }
    }

    fn of_check(engine: &Engine, object: &Value, crds: Crds) -> Self {
        let loaded = load_text("it", object.to_string(), &Limits::default());
        assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
        let outcome = check(
            engine,
            Given {
                inputs: loaded.into(),
                crds,
                ..Given::default()
            },
        );
        assert_eq!(outcome.judged, 1);
        let findings: Vec<&Finding> = outcome
            .objects
            .iter()
            .flat_map(|object| &object.findings)
            .map(|located| &located.finding)
            .collect();
        let (unknown, wrong): (Vec<&Finding>, Vec<&Finding>) = findings
            .iter()
            .copied()
            .partition(|finding| finding.rule.id == "object-unknown-field");
        let placed = wrong.iter().filter(|it| !is_placeless(it));
        Self {
            accepted: wrong.iter().all(|finding| finding.mode < Mode::Deny),
            unknown: unknown
                .iter()
                .map(|it| spelt(&field(&it.pointer)))
                .collect(),
            blamed: placed.map(|it| spelt(&field(&it.pointer))).collect(),
            said: findings.iter().map(ToString::to_string).collect(),
        }
    }

    /// How this differs from what the server says. Of a field around another one that is blamed, `check`
    /// says nothing more.
    fn difference(&self, server: &Self) -> Option<String> {
        if self.accepted != server.accepted {
            return Some("verdict".to_owned());
        }
        if self.unknown != server.unknown {
            return Some("unknown fields".to_owned());
        }
        let around = |outer: &String| {
            let below = |inner: &&String| {
                inner
                    .strip_prefix(&**outer)
                    .is_some_and(|it| it.starts_with('.'))
            };
            self.blamed.iter().any(|inner| below(&inner))
        };
        let missed = server
            .blamed
            .difference(&self.blamed)
            .find(|it| !around(it));
        if let Some(missed) = missed {
            return Some(format!("does not blame {missed}"));
        }
        // A decoder stops at the first thing, and names no field.
        let placed = !server.blamed.is_empty();
        let more = self.blamed.difference(&server.blamed).next();
        more.filter(|_| placed).map(|more| format!("blames {more}"))
    }
}

/// What the server says of a value without saying where it stands.
fn is_placeless(finding: &Finding) -> bool {
    [
        "Checked value must be",
        " must validate ",
        " must not validate ",
    ]
    .iter()
    .any(|words| finding.message.contains(words))
}

/// A field as both spell it: entries of maps like fields, and metadata's only as a whole.
fn spelt(field: &str) -> String {
    let field = field.replace("][", ".").replace('[', ".").replace(']', "");
    for whole in ["labels", "annotations", "finalizers", "ownerReferences"] {
        let whole = format!("metadata.{whole}");
        if field.starts_with(&whole) {
            return whole;
        }
    }
    field
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

/// A CRD with all that Ramen's have not.
fn torture(cluster: &Cluster) -> PathBuf {
    let mut schema: Value =
        serde_json::from_str(include_str!("../manifest/schema.json")).expect("JSON");
    let fields = schema["properties"]["spec"]["properties"]
        .as_object_mut()
        .expect("fields");
    let more: Value = serde_json::from_str(include_str!("torture.json")).expect("JSON");
    fields.extend(more.as_object().expect("fields").clone());
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "tortures.test.ramen-guard.invalid"},
        "spec": {
            "group": "test.ramen-guard.invalid",
            "names": {"kind": "Torture", "plural": "tortures"},
            "scope": "Namespaced",
            "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    });
    let path = cluster.folder.join("torture.json");
    fs::write(&path, crd.to_string()).expect("a file");
    cluster.install_crds(std::slice::from_ref(&path));
    path
}

#[test]
fn check_says_what_the_api_server_says() {
    let Some(cluster) = Cluster::shared() else {
        return;
    };
    let torture = torture(cluster);
    let _undisturbed = cluster.undisturbed();
    let namespace = cluster.namespace("schema");
    let client = cluster.client(User::Admin);

    let ramens: Vec<Kind> = documents(&shared("crds"))
        .iter()
        .map(|(_, crd)| Kind::of(crd))
        .filter(|kind| kind.group == "ramendr.openshift.io")
        .collect();
    assert_eq!(ramens.len(), 10);
    let tortured: Value =
        serde_json::from_str(&fs::read_to_string(&torture).expect("a file")).expect("JSON");
    let kinds: Vec<Kind> = ramens.into_iter().chain([Kind::of(&tortured)]).collect();

    // What people have, and what might be had.
    let number = |name: &str, or: usize| {
        env::var(name)
            .ok()
            .and_then(|it| it.parse().ok())
            .unwrap_or(or)
    };
    let mut dice = Dice::new(number("RAMEN_GUARD_SEED", 36) as u64);
    let mut corpus: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let mut cases: Vec<(String, &Kind, Value)> = Vec::new();
    for (name, mut object) in ["corpus/legal", "corpus/illegal"]
        .iter()
        .flat_map(|folder| documents(&shared(folder)))
    {
        let of = |kind: &&Kind| {
            object["kind"] == *kind.kind
                && object["apiVersion"] == format!("{}/{}", kind.group, kind.version)
        };
        let Some(kind) = kinds.iter().find(of) else {
            continue;
        };
        if kind.namespaced {
            object["metadata"]["namespace"] = json!(namespace);
        }
        corpus.entry(&kind.kind).or_default().push(object.clone());
        cases.push((name, kind, object));
    }
    let from_corpus = cases.len();
    assert!(from_corpus > 150, "{from_corpus}");
    while cases.len() < number("RAMEN_GUARD_OBJECTS", OBJECTS) {
        let kind = dice.pick(&kinds);
        let known = corpus.get(&*kind.kind).filter(|_| dice.below(2) == 0);
        let mut object = match known {
            Some(known) => dice.pick(known).clone(),
            None => kind.object(&namespace, &mut dice),
        };
        let changes = dice.below(4);
        let how: Vec<String> = (0..changes)
            .map(|_| mutate(&mut object, &kind.schema, &mut dice))
            .collect();
        cases.push((how.join("; "), kind, object));
    }

    let asks = cases
        .iter()
        .map(|(_, kind, object)| kind.create(&namespace, object));
    let answers = client.ask_all(asks.collect());

    let engine = engine();
    let mut differences: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut refused = 0;
    for ((how, kind, object), answer) in cases.iter().zip(&answers) {
        let server = Verdict::of_server(answer);
        refused += usize::from(!server.accepted);
        let crds = match kind.kind.as_str() {
            "Torture" => Crds::read(std::slice::from_ref(&torture), &mut std::io::empty()),
            _ => Crds::read(&[], &mut std::io::empty()),
        };
        let ours = Verdict::of_check(&engine, object, crds.expect("CRDs"));
        if let Some(what) = ours.difference(&server) {
            let shown: String = object.to_string().chars().take(1500).collect();
            differences.entry(what).or_default().push(format!(
                "{}: {how}\n    {shown}\n    server {server:?}\n    check  {ours:?}",
                kind.kind
            ));
        }
    }
    eprintln!("{} objects, {refused} refused", cases.len());
    assert!(
        differences.is_empty(),
        "{} differ\n{}",
        differences.values().map(Vec::len).sum::<usize>(),
        differences
            .iter()
            .map(|(what, cases)| format!(
                "{what}: {}\n  {}\n",
                cases.len(),
                cases
                    .iter()
                    .take(2)
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("\n  ")
            ))
            .collect::<String>()
    );
}
