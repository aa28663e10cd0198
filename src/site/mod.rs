//! A site's own rules: the ValidatingAdmissionPolicies that its users wrote, evaluated here as kube-apiserver
//! would.
//!
//! Only policies that may be about the kinds which the guard judges are looked at. What can't be known here,
//! such as who will ask or what a namespace is labelled with, refuses nobody: it is said instead.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `asking` | what a policy says, with one of its params |
//! | `budget` | how much work expressions may make |
//! | `expression` | an expression, compiled: `names`, `calls` with loops, and what it amounts to |
//! | `matching` | which requests a policy or a binding is about |
//! | `optional` | optional values |
//! | `policy` | a policy, and with which bindings and params it is asked |
//! | `read` | policies, bindings and their expressions out of manifests |
//! | `request` | what a policy is told of a request |
//! | `shape` | the fields that policies and bindings have |

mod asking;
mod budget;
mod expression;
mod matching;
mod optional;
mod policy;
mod read;
mod request;
mod shape;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};

use serde_json::Value;

use self::{budget::Budget, policy::Policy, request::Subject};
use crate::{
    api::{self, Doc},
    engine::Request,
    manifest::{
        crds::version_of,
        load::{self, LoadError},
        position::{Position, Source},
        yaml::Limits,
    },
    policy::{Contract, Mode},
    report::plain,
    rules::judged_kinds,
    world::KeptKind,
};

/// What the ids of the site's rules begin with; ours have no `/`.
pub const PREFIX: &str = "policy/";

/// The site's policies, and the objects that they ask for.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    asked: Arc<[Policy]>,
    /// Everything that was read, to tell whether it has changed.
    read: Arc<[Value]>,
    /// What policies may be given as params.
    params: Arc<[Value]>,
    namespaces: Arc<HashMap<String, Value>>,
    /// What there is to say about the policies themselves.
    pub notes: Arc<[Note]>,
    /// The names of those that are not asked, too.
    known: Arc<[String]>,
}

impl PartialEq for Policies {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.read, &other.read) || self.read == other.read
    }
}

/// Something about a policy that is no error, and where it stands.
#[derive(Clone, Debug)]
pub struct Note {
    /// The file.
    pub source: Arc<Source>,
    /// The place in it.
    pub position: Position,
    /// What there is to say.
    pub message: String,
}

/// Why it is not known what kube-apiserver would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unsure {
    /// It depends on who makes the request.
    User,
    /// It depends on what the guard does not keep of a request.
    Unkept,
    /// It depends on the namespace, which the manifest does not name.
    Namespace,
    /// It depends on the namespace's own object, which there is not.
    NamespaceObject,
    /// None of its params is there.
    Params,
    /// It takes too long.
    Cost,
}

impl Unsure {
    /// The reason's name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Unkept => "unkept",
            Self::Namespace | Self::NamespaceObject => "namespace",
            Self::Params => "params",
            Self::Cost => "cost",
        }
    }

    /// The reason in words that end a sentence.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::User => "it asks who makes the request",
            Self::Unkept => "it asks for options, uid or extra of the request, which are not kept",
            Self::Namespace => "it asks for the namespace, which the manifest does not name",
            Self::NamespaceObject => {
                "it asks for the Namespace object, which is not among what was given"
            }
            Self::Params => "its params are not among what was given",
            Self::Cost => "it takes too long",
        }
    }
}

/// What one of the site's policies says against a request.
#[derive(Debug)]
pub(crate) struct Objection {
    pub(crate) contract: Arc<Contract>,
    pub(crate) mode: Mode,
    pub(crate) pointer: jsonptr::PointerBuf,
    pub(crate) message: String,
    pub(crate) binding: String,
    /// Whether it rests on something that is missing, and may still come.
    pub(crate) missing: bool,
    /// Whether the policy looks at metadata.
    pub(crate) metadata: bool,
}

/// A policy that was not decided, and why.
pub type Undecided = BTreeMap<String, Unsure>;

/// The kinds that the guard judges.
fn kinds() -> Vec<KeptKind> {
    macro_rules! all {
        ($($kind:ty),*) => { vec![$(KeptKind::of::<$kind>()),*] };
    }
    judged_kinds!(all!)
}

impl Policies {
    /// Reads files and folders. What is wrong does not keep the rest from being read.
    pub fn load(paths: &[PathBuf]) -> (Self, Vec<LoadError>) {
        let mut read = read::Reading::new(kinds());
        for path in paths {
            let nothing: &mut dyn std::io::Read = &mut std::io::empty();
            read.add(
                path,
                load::load(std::slice::from_ref(path), nothing, &Limits::default()),
            );
        }
        let (policies, notes, errors) = read.done();
        let known = policies.iter().map(|policy| policy.name.clone());
        let known = known.chain(read.unasked()).collect();
        let policies = Self {
            known,
            asked: policies.into(),
            read: read.documents.into(),
            notes: notes.into(),
            ..Self::default()
        };
        let own: Vec<Value> = policies.read.to_vec();
        (policies.knowing(own.iter()), errors)
    }

    /// How many policies are asked.
    pub fn len(&self) -> usize {
        self.asked.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// The names of all that were read, asked or not.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }

    /// The same policies, with the params and namespaces among these objects, which stand in front of those
    /// of the same name that are known already.
    #[must_use]
    pub fn knowing<'a>(mut self, objects: impl IntoIterator<Item = &'a Value>) -> Self {
        if self.is_empty() {
            return self;
        }
        let wanted: Vec<&Value> = objects.into_iter().filter(|it| self.wants(it)).collect();
        if wanted.is_empty() {
            return self;
        }
        let mut params: Vec<Value> = self.params.to_vec();
        let mut namespaces = (*self.namespaces).clone();
        for object in wanted {
            let here = place(object);
            if here[..2] == ["v1", "Namespace"] {
                namespaces.insert(here[3].to_owned(), object.clone());
            }
            params.retain(|known| place(known) != here);
            params.push(object.clone());
        }
        self.params = params.into();
        self.namespaces = namespaces.into();
        self
    }

    /// Whether a policy may ask for an object.
    pub(crate) fn wants(&self, object: &Value) -> bool {
        let [version, kind, ..] = place(object);
        let wanted = |policy: &Policy| {
            let wanted = policy.param_kind.as_ref();
            wanted.is_some_and(|it| it.api_version == version && it.kind == kind)
        };
        [version, kind] == ["v1", "Namespace"] || self.asked.iter().any(wanted)
    }

    /// What the policies say against a request, and which of them can't say anything. `files`: whether it
    /// comes from files, so that nobody knows who will make it.
    pub(crate) fn judge(&self, request: &Request, files: bool) -> (Vec<Objection>, Undecided) {
        let (mut objections, mut undecided) = (Vec::new(), Undecided::new());
        let known = |kind: &KeptKind| kind.kind == request.kind && kind.group == request.group;
        let Some(kind) = kinds().into_iter().find(known) else {
            return (objections, undecided);
        };
        let Some(subject) = request.subject() else {
            return (objections, undecided);
        };
        let namespace = if kind.namespaced {
            &*request.namespace
        } else {
            ""
        };
        let subject = Subject {
            request,
            kind,
            version: version_of(subject),
            namespace,
            namespace_object: self.namespaces.get(namespace),
            files,
        };
        let _budget = Budget::new();
        let status = self.asked.iter().any(|policy| policy.mentions.status);
        let context = subject.context(status);
        for policy in self
            .asked
            .iter()
            .filter(|it| it.matching.may_be_about(&kind))
        {
            let said = policy.ask(&subject, &context, &self.params);
            if let Some(unsure) = said.unsure.into_iter().min() {
                undecided.insert(policy.name.clone(), unsure);
            }
            let mut seen: Vec<(Mode, String, String)> = Vec::new();
            for broken in said.broken {
                let message = plain(broken.message);
                let key = (broken.mode, message.clone(), broken.binding.clone());
                if seen.contains(&key) {
                    continue;
                }
                seen.push(key);
                objections.push(Objection {
                    contract: Arc::clone(&policy.contract),
                    mode: broken.mode,
                    pointer: broken.pointer,
                    message,
                    binding: broken.binding,
                    missing: broken.missing,
                    metadata: policy.mentions.metadata,
                });
            }
        }
        (objections, undecided)
    }
}

/// The version, kind, namespace and name of an object.
fn place(object: &Value) -> [&str; 4] {
    [
        "/apiVersion",
        "/kind",
        "/metadata/namespace",
        "/metadata/name",
    ]
    .map(|pointer| {
        let text = object.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default()
    })
}

/// Whether a document is a policy or a binding.
fn is_policy(doc: &Doc) -> bool {
    let kind = doc.text("kind");
    doc.group() == shape::GROUP && (kind == shape::POLICY || kind == shape::BINDING)
}
