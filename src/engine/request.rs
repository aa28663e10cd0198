//! What is to be judged.

use crate::{
    api::{self, Doc},
    manifest::crds::Crds,
    policy::Operation,
};

/// One change of one object, as a front end brings it.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is done.
    pub operation: Operation,
    /// The API group of the object's kind.
    pub group: String,
    /// The object's kind.
    pub kind: String,
    /// The object's namespace as the request states it; a manifest may leave it out.
    pub namespace: String,
    /// The object's name; empty while it has only a `generateName`.
    pub name: String,
    /// The subresource that is addressed, empty for the object itself.
    pub subresource: String,
    /// The object as it would be; nothing at DELETE.
    pub new: Option<Doc>,
    /// The object as it is stored; nothing at CREATE.
    pub old: Option<Doc>,
    /// Who does it.
    pub user: User,
    /// Whether nothing is to be stored.
    pub dry_run: bool,
}

impl Request {
    /// The request with the CRD's defaults filled in on both sides, as kube-apiserver does before it
    /// asks anybody: what was left out and what was spelt out are the same then.
    #[must_use]
    pub fn with_defaults(mut self) -> Self {
        if self.group == api::GROUP {
            for doc in [&mut self.new, &mut self.old].into_iter().flatten() {
                api::apply_defaults(&self.kind, &mut doc.value);
            }
        }
        self
    }

    /// As [`Request::with_defaults`], by these CRDs where they define the kind.
    #[must_use]
    pub fn with_defaults_of(mut self, crds: &Crds) -> Self {
        if crds.find(&self.group, &self.kind).is_none() {
            return self.with_defaults();
        }
        for doc in [&mut self.new, &mut self.old].into_iter().flatten() {
            crds.apply_defaults(doc);
        }
        self
    }

    /// The object that the request is about: the new one, or the one that goes.
    pub fn subject(&self) -> Option<&Doc> {
        self.new.as_ref().or(self.old.as_ref())
    }
}

/// Who makes a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The user's name; a service account's is `system:serviceaccount:NAMESPACE:NAME`.
    pub name: String,
    /// The groups the user is in.
    pub groups: Vec<String>,
}
