//! Policies and bindings out of manifests, with the place of everything that is wrong.
//!
//! | module | what is in it |
//! | --- | --- |
//! | `bindings` | bindings, and the policies that they are of |
//! | `compiling` | the expressions of a policy |
//! | `policies` | policies |

mod bindings;
mod compiling;
mod policies;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use jsonptr::PointerBuf;
use k8s_openapi::api::admissionregistration::v1::{
    MatchResources, ValidatingAdmissionPolicyBindingSpec,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Note, is_policy, matching::Matching, policy::Policy, shape};
use crate::{
    manifest::{
        crds::version_of,
        load::{LoadError, Loaded, Manifest},
        schema::{SchemaError, SchemaErrorKind},
    },
    report::field,
    world::KeptKind,
};

/// Manifests, while they are read.
pub(super) struct Reading {
    kinds: Vec<KeptKind>,
    /// Every object that was read.
    pub(super) documents: Vec<Value>,
    policies: Vec<(Policy, Manifest)>,
    bindings: Vec<(ValidatingAdmissionPolicyBindingSpec, Manifest)>,
    /// The policies that are not asked: those about other kinds, and those that can't be.
    others: BTreeMap<String, bool>,
    notes: Vec<Note>,
    errors: Vec<LoadError>,
}

impl Reading {
    pub(super) fn new(kinds: Vec<KeptKind>) -> Self {
        Self {
            kinds,
            documents: Vec::new(),
            policies: Vec::new(),
            bindings: Vec::new(),
            others: BTreeMap::new(),
            notes: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Takes in what was found at a path.
    pub(super) fn add(&mut self, path: &Path, loaded: Loaded) {
        let mut found = !loaded.errors.is_empty();
        self.errors.extend(loaded.errors);
        for manifest in loaded.manifests {
            self.documents.push(manifest.doc.value.clone());
            let doc = &manifest.doc;
            if !is_policy(doc) {
                continue;
            }
            found = true;
            if !shape::VERSIONS.contains(&version_of(doc)) {
                let version = version_of(doc);
                let message = format!(
                    "{}/{version} is not read, only v1 and v1beta1",
                    shape::GROUP
                );
                self.error(&manifest, "/apiVersion", message);
            } else if doc.text("kind") == shape::POLICY {
                self.policy(manifest);
            } else {
                self.binding(manifest);
            }
        }
        if !found {
            self.errors.push(LoadError {
                name: path.display().to_string(),
                file: None,
                position: None,
                message: "there is no ValidatingAdmissionPolicy".to_owned(),
                help: None,
                related: None,
            });
        }
    }

    fn error(&mut self, manifest: &Manifest, pointer: &str, message: impl Into<String>) {
        let pointer = PointerBuf::parse(pointer).unwrap_or_default();
        let place = match field(&pointer) {
            place if place.is_empty() => String::new(),
            place => format!("{place}: "),
        };
        let message: String = message.into();
        self.errors.push(LoadError {
            name: manifest.source.name.clone(),
            file: Some(Arc::clone(&manifest.source)),
            position: Some(manifest.position(&pointer)),
            message: format!(
                "{} \"{}\": {place}{message}",
                manifest.doc.text("kind"),
                name_of(manifest)
            ),
            help: None,
            related: None,
        });
    }

    fn note(&mut self, manifest: &Manifest, pointer: &str, message: String) {
        let pointer = PointerBuf::parse(pointer).unwrap_or_default();
        self.notes.push(Note {
            source: Arc::clone(&manifest.source),
            position: manifest.position(&pointer),
            message,
        });
    }

    /// The specification of a policy or a binding, if it fits.
    fn spec<S: DeserializeOwned>(
        &mut self,
        manifest: &Manifest,
        errors: Vec<SchemaError>,
    ) -> Option<S> {
        let fits = errors.is_empty();
        for error in errors {
            let message = match &error.kind {
                SchemaErrorKind::UnknownField {
                    nearest: Some(near),
                } => {
                    format!("there is no such field; did you mean \"{near}\"?")
                }
                SchemaErrorKind::UnknownField { nearest: None } => {
                    "there is no such field".to_owned()
                }
                _ => error.message,
            };
            self.error(manifest, error.pointer.as_str(), message);
        }
        let spec = manifest.doc.value.get("spec").filter(|_| fits)?;
        match S::deserialize(spec) {
            Ok(spec) => Some(spec),
            Err(error) => {
                self.error(manifest, "/spec", error.to_string());
                None
            }
        }
    }

    fn matching(
        &mut self,
        manifest: &Manifest,
        at: &str,
        resources: MatchResources,
    ) -> Option<Matching> {
        match Matching::new(resources) {
            Ok(matching) => Some(matching),
            Err((place, message)) => {
                self.error(manifest, &format!("{at}/{place}"), message);
                None
            }
        }
    }

    /// Brings policies and bindings together.
    pub(super) fn done(&mut self) -> (Vec<Policy>, Vec<Note>, Vec<LoadError>) {
        for (spec, manifest) in std::mem::take(&mut self.bindings) {
            self.bind(spec, &manifest);
        }
        let mut policies = Vec::new();
        for (policy, manifest) in std::mem::take(&mut self.policies) {
            if policy.bindings.is_empty() {
                let message = format!(
                    "ValidatingAdmissionPolicy \"{}\" has no effect: no ValidatingAdmissionPolicyBinding names it",
                    policy.name
                );
                self.note(&manifest, "", message);
                self.others.insert(policy.name, false);
            } else {
                policies.push(policy);
            }
        }
        policies.sort_by(|a, b| a.name.cmp(&b.name));
        (
            policies,
            std::mem::take(&mut self.notes),
            std::mem::take(&mut self.errors),
        )
    }

    /// The names of the policies that are not asked, once all is read.
    pub(super) fn unasked(&self) -> impl Iterator<Item = String> + '_ {
        self.others.keys().cloned()
    }
}

fn name_of(manifest: &Manifest) -> String {
    let name = manifest.doc.value.pointer("/metadata/name");
    name.and_then(Value::as_str).unwrap_or_default().to_owned()
}
