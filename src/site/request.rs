//! What a policy is told of a request.
//!
//! Source: k8s.io/apiserver `pkg/admission/plugin/cel` (`condition.go`, `compile.go`).

use kube_cel::cel::Context;
use serde_json::{Map, Value, json};

use super::expression::{FUNCTIONS, REQUEST, USER};
use crate::{api::Doc, cel, engine::Request, policy::Operation, world::KeptKind};

/// A request, and what is known beside it.
pub(super) struct Subject<'a> {
    pub(super) request: &'a Request,
    pub(super) kind: KeptKind,
    pub(super) version: &'a str,
    /// Its namespace; empty where the kind has none, or nobody knows it yet.
    pub(super) namespace: &'a str,
    pub(super) namespace_object: Option<&'a Value>,
    /// Whether it comes from files, of which nobody writes the status.
    pub(super) files: bool,
}

impl<'a> Subject<'a> {
    pub(super) fn written(&self) -> Option<&'a Value> {
        let new = self.request.new.as_ref();
        new.filter(|_| self.request.operation != Operation::Delete)
            .map(|doc| &doc.value)
    }

    pub(super) fn stored(&self) -> Option<&'a Value> {
        let old = self.request.old.as_ref();
        old.filter(|_| self.request.operation != Operation::Create)
            .map(|doc| &doc.value)
    }

    /// The variables that every policy is given.
    pub(super) fn context(&self, status: bool) -> Context<'static> {
        let mut context = FUNCTIONS.new_inner_scope();
        context.add_variable_from_value("object", cel::value(&self.object(status)));
        let old = self.stored().and(self.request.old.as_ref());
        let old = old.map_or(Value::Null, |doc| whole(doc, Some(doc), status));
        context.add_variable_from_value("oldObject", cel::value(&old));
        context.add_variable_from_value(REQUEST, cel::value(&self.request()));
        if self.knows_user() {
            context.add_variable_from_value(USER, cel::value(&self.user()));
        }
        context
    }

    /// Whether it is known who asks: of a manifest, or of what is stored, it is not.
    pub(super) fn knows_user(&self) -> bool {
        let user = &self.request.user;
        !user.name.is_empty() || !user.groups.is_empty()
    }

    /// The namespace's object, as far as it is known.
    pub(super) fn namespace_value(&self) -> Option<cel::Value> {
        if self.kind.namespaced {
            self.namespace_object.map(cel::value)
        } else {
            Some(cel::Value::Null)
        }
    }

    fn object(&self, status: bool) -> Value {
        let Some(doc) = self.written().and(self.request.new.as_ref()) else {
            return Value::Null;
        };
        // Whoever writes the object does not write its status.
        let reported = if self.files {
            self.request.old.as_ref()
        } else {
            Some(doc)
        };
        whole(doc, reported, status)
    }

    fn request(&self) -> Value {
        let Self { request, kind, .. } = self;
        let kind_of = json!({ "group": kind.group, "version": self.version, "kind": kind.kind });
        let resource =
            json!({ "group": kind.group, "version": self.version, "resource": kind.plural });
        let mut fields = Map::from_iter([
            ("uid".to_owned(), json!("")),
            ("requestKind".to_owned(), kind_of.clone()),
            ("requestResource".to_owned(), resource.clone()),
            ("kind".to_owned(), kind_of),
            ("resource".to_owned(), resource),
            ("operation".to_owned(), json!(request.operation.name())),
            ("dryRun".to_owned(), json!(request.dry_run)),
        ]);
        for (name, value) in [("name", &*request.name), ("namespace", self.namespace)] {
            if !value.is_empty() {
                fields.insert(name.to_owned(), json!(value));
            }
        }
        Value::Object(fields)
    }

    fn user(&self) -> Value {
        let user = &self.request.user;
        let mut fields = Map::new();
        if !user.name.is_empty() {
            fields.insert("username".to_owned(), json!(user.name));
        }
        if !user.groups.is_empty() {
            fields.insert("groups".to_owned(), json!(user.groups));
        }
        Value::Object(fields)
    }
}

/// An object with the status that somebody reported, where that is asked for.
fn whole(doc: &Doc, reported: Option<&Doc>, status: bool) -> Value {
    let mut value = doc.value.clone();
    let status = reported
        .and_then(|doc| doc.status.as_ref())
        .filter(|_| status);
    if let (Some(status), Value::Object(fields)) = (status, &mut value) {
        let status = status.value();
        if !status.is_null() {
            fields.insert("status".to_owned(), status);
        }
    }
    value
}
