//! `--policies`: a site's own rules, beside ours.

use std::path::PathBuf;

use super::place::{place, unread};
use crate::{
    engine::Engine,
    manifest::{
        load::{self, LoadError},
        yaml::Limits,
    },
    report::{Note, Outcome, nearest},
    site::{PREFIX, Policies},
};

/// A site's own rules.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Site {
    /// The site's own ValidatingAdmissionPolicies with their bindings and params, files or folders: they are
    /// asked beside the rules
    #[arg(long, value_name = "PATH")]
    policies: Vec<PathBuf>,
}

impl Site {
    /// The policies, and what is wrong with the rest.
    pub(super) fn load(&self) -> (Policies, Vec<LoadError>) {
        if self.policies.is_empty() {
            return (Policies::default(), Vec::new());
        }
        Policies::load(&self.policies)
    }

    /// The policies, if nothing is wrong with them; they know the params and namespaces among `state`.
    pub(super) fn sound(&self, state: &[PathBuf]) -> Result<Policies, String> {
        let (policies, errors) = self.load();
        if let Some(error) = errors.first() {
            let place = error.position.as_ref();
            let place = place.map_or_else(String::new, |at| format!(":{}:{}", at.line, at.column));
            return Err(format!("{}{place}: {error}", error.name));
        }
        if policies.is_empty() || state.is_empty() {
            return Ok(policies);
        }
        let loaded = load::load(state, &mut std::io::empty(), &Limits::default());
        Ok(policies.knowing(loaded.manifests.iter().map(|manifest| &manifest.doc.value)))
    }

    /// Adds what there is to say about the policies themselves.
    pub(super) fn tell(&self, outcome: &mut Outcome, engine: &Engine, errors: &[LoadError]) {
        if self.policies.is_empty() {
            return;
        }
        outcome.unread.extend(errors.iter().map(unread));
        let notes = engine.policies.notes.iter().map(|note| Note {
            place: Some(place(&note.source, &note.position)),
            message: note.message.clone(),
        });
        outcome.notes.extend(notes);
        for message in unknown(engine) {
            outcome.note(message);
        }
        for ((policy, reason), count) in std::mem::take(&mut outcome.undecided) {
            let s = if count == 1 { "" } else { "s" };
            outcome.note(format!(
                "ValidatingAdmissionPolicy \"{policy}\" could not be evaluated for {count} object{s}: {reason}"
            ));
        }
    }
}

/// What the configuration says about policies that there are not.
pub(super) fn unknown(engine: &Engine) -> impl Iterator<Item = String> {
    let named = engine.settings.site_rules();
    named.filter_map(|rule| {
        let name = rule.strip_prefix(PREFIX)?;
        let known = || engine.policies.names();
        if known().any(|known| known == name) {
            return None;
        }
        let near = nearest(name, known());
        let hint = near.map_or_else(String::new, |near| {
            format!("; did you mean \"{PREFIX}{near}\"?")
        });
        Some(format!(
            "rules.{rule} of the configuration: there is no such policy{hint}"
        ))
    })
}
