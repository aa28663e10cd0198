//! `--server`: what the API server itself makes of each object, its CRDs, policies and webhooks among it.
//!
//! An object is sent as `kubectl apply --server-side --dry-run=server --force-conflicts` would send it: a
//! server-side apply of all that the manifest says, and of nothing else. A replacement would take away what
//! others have put on the object, such as Ramen's finalizers, and be refused for that; and who owns a field in
//! the cluster is no fault of the manifest's. Nothing is ever stored.

mod answer;
mod field;
mod merge;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use answer::Answer;
use futures::{StreamExt, stream};
use http_body_util::BodyExt;
use kube::{
    Client, Config, Resource,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, ValidationDirective},
    client::Body,
    core::Request,
    discovery::{self, Scope},
};
use serde_json::Value;

use super::{
    identity::{identity, may_be_judged},
    place::place_of,
    wait,
};
use crate::{
    api::{Doc, Kind as _, Secret},
    manifest::{crds::Crds, load::Manifest, pile::Pile},
    report::Unread,
};

/// Who the API server is told applies the objects.
const MANAGER: &str = "ramen-guard-check";
/// How many objects are under way at a time.
const AT_A_TIME: usize = 8;
/// How long an API server may take before it counts as not there.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take for one answer: its webhooks may take theirs.
const READ: Duration = Duration::from_secs(60);

/// What the API server has said of objects, by their places: the part of the input, and the manifest in it.
#[derive(Debug, Default)]
pub struct Answers {
    of: HashMap<(usize, usize), Answer>,
    failed: Vec<Unread>,
}

/// What is asked.
struct Question {
    place: (usize, usize),
    manifest: Value,
    name: String,
    namespace: String,
    /// What can't be asked at all.
    refused: Option<String>,
    served: GroupVersionKind,
    at: Unread,
}

/// How a kind is served, or that it is not.
type Served = HashMap<GroupVersionKind, Result<(ApiResource, Scope), String>>;

impl Answers {
    /// Asks the API server of the current context.
    ///
    /// # Errors
    /// When there is none, or it is not to be reached.
    pub(super) fn get(pile: &Pile, crds: &Crds) -> Result<Self, String> {
        wait(async {
            let mut config = Config::infer().await.map_err(|error| {
                format!("--server: no cluster to talk to: {error}; set KUBECONFIG")
            })?;
            config.connect_timeout = Some(CONNECT);
            config.read_timeout = Some(READ);
            let url = config.cluster_url.to_string();
            let client = Client::try_from(config).map_err(|error| format!("--server: {error}"))?;
            let asking = Self::ask_all(&client, pile, crds).await;
            asking.map_err(|error| format!("--server: {url} can't be reached: {error}"))
        })?
    }

    async fn ask_all(client: &Client, pile: &Pile, crds: &Crds) -> Result<Self, String> {
        let mut answers = Self::default();
        let mut served = Served::new();
        for (part, loaded) in pile.iter() {
            let mut questions = Vec::new();
            for (number, manifest) in loaded.manifests.iter().enumerate() {
                if may_be_judged(&manifest.doc, crds) {
                    let question = Question::of((part, number), manifest);
                    if question.refused.is_none() && !served.contains_key(&question.served) {
                        let found = find(client, &question.served).await?;
                        served.insert(question.served.clone(), found);
                    }
                    questions.push(question);
                }
            }
            let asked = questions.into_iter().map(|question| {
                let served = &served;
                async move { (question.ask(client, served).await, question) }
            });
            let mut asked = stream::iter(asked).buffered(AT_A_TIME);
            while let Some((answer, question)) = asked.next().await {
                let answer = answer?;
                if let Answer::Failed(message) = &answer {
                    let mut failed = question.at;
                    failed.message = format!("the API server can't be asked about it: {message}");
                    answers.failed.push(failed);
                }
                answers.of.insert(question.place, answer);
            }
        }
        Ok(answers)
    }

    /// What could not be asked, so that nobody knows: that is no verdict.
    pub(super) fn take_failed(&mut self) -> Vec<Unread> {
        std::mem::take(&mut self.failed)
    }

    /// Why of some objects nothing can be said yet, and of how many.
    pub(super) fn notes(&self, judged: impl Fn((usize, usize)) -> bool) -> Vec<String> {
        let mut later: BTreeMap<&str, usize> = BTreeMap::new();
        for (place, answer) in &self.of {
            if let Answer::Later(why) = answer
                && judged(*place)
            {
                *later.entry(why).or_default() += 1;
            }
        }
        let note = |(why, count): (&str, usize)| {
            let s = if count == 1 { "" } else { "s" };
            format!("the API server was not asked about {count} object{s}: {why}")
        };
        later.into_iter().map(note).collect()
    }
}

impl Question {
    fn of(place: (usize, usize), manifest: &Manifest) -> Self {
        let doc = &manifest.doc;
        let object = identity(doc);
        let api_version = doc.text("apiVersion");
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let refused = if doc.text("kind") == Secret::KIND && group.is_empty() {
            // The answer would have in it what the cluster has in its own.
            Some("a Secret is not sent".to_owned())
        } else if object.is_nameless() {
            Some("without a name an object can't be applied".to_owned())
        } else {
            None
        };
        Self {
            place,
            manifest: plain(manifest),
            name: object.name,
            namespace: object.namespace,
            refused,
            served: GroupVersionKind::gvk(group, version, doc.text("kind")),
            at: unread(manifest, doc),
        }
    }

    async fn ask(&self, client: &Client, served: &Served) -> Result<Answer, String> {
        if let Some(why) = &self.refused {
            return Ok(Answer::Later(why.clone()));
        }
        let (resource, scope) = match served.get(&self.served) {
            Some(Ok(served)) => served,
            Some(Err(why)) => return Ok(Answer::Later(why.clone())),
            None => return Ok(Answer::Failed("nobody knows the kind".to_owned())),
        };
        let namespace = match scope {
            Scope::Cluster => None,
            Scope::Namespaced if self.namespace.is_empty() => Some(client.default_namespace()),
            Scope::Namespaced => Some(&*self.namespace),
        };
        let params = PatchParams {
            dry_run: true,
            force: true,
            field_manager: Some(MANAGER.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
        };
        let place = Request::new(DynamicObject::url_path(resource, namespace));
        let request = place.patch(&self.name, &params, &Patch::Apply(&self.manifest));
        let request = request.map_err(|error| error.to_string())?;
        let response = client.send(request.map(Body::from)).await;
        let (head, body) = response.map_err(|error| reason(&error))?.into_parts();
        let body = body.collect().await.map_err(|error| reason(&error))?;
        Ok(Answer::read(head.status, &head.headers, &body.to_bytes()))
    }
}

/// How the API server serves a kind.
async fn find(
    client: &Client,
    kind: &GroupVersionKind,
) -> Result<Result<(ApiResource, Scope), String>, String> {
    let not_served = || format!("it has no {} in {}", kind.kind, kind.api_version());
    match discovery::pinned_kind(client, kind).await {
        Ok((resource, capabilities)) => Ok(Ok((resource, capabilities.scope))),
        Err(kube::Error::Discovery(_)) => Ok(Err(not_served())),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Err(not_served())),
        Err(kube::Error::Api(status)) => Err(status.message.clone()),
        Err(error) => Err(reason(&error)),
    }
}

/// The innermost reason, in which there is something for people.
fn reason(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// The object as it is applied: without what only a cluster can know, which would have to be as it is now.
fn plain(manifest: &Manifest) -> Value {
    let mut object = manifest.raw().clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in [
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "selfLink",
        ] {
            metadata.remove(field);
        }
    }
    object
}

fn unread(manifest: &Manifest, doc: &Doc) -> Unread {
    let place = place_of(manifest, jsonptr::Pointer::root());
    Unread {
        file: manifest.source.name.clone(),
        message: doc.text("kind").to_owned(),
        place: Some(place),
    }
}
