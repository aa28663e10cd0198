//! A finding: one thing that a rule says about one field of one object.

use std::{
    fmt::{self, Write},
    ops::Deref,
    sync::Arc,
};

use jsonptr::{Pointer, PointerBuf};

use super::plain;
use crate::{
    api::Key,
    policy::{Contract, Mode},
};

/// One thing that a rule says about one field.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// What becomes of it, after all gates.
    pub mode: Mode,
    /// The field that is blamed, as a JSON pointer into the object.
    pub pointer: PointerBuf,
    /// What is wrong there: lower case, no full stop, the value quoted.
    pub message: String,
    /// What to do about it, where that is more exact than the contract's `fix`.
    pub fix: Option<String>,
    /// The other places that it rests on.
    pub related: Vec<Related>,
    /// Every object that the rule has read; its findings share the list.
    pub(crate) rests_on: Arc<[Key]>,
    /// Why it does less than the rule's mode says.
    pub lowered: Option<Lowered>,
}

/// The contract that a finding is about. Those of the site's own policies go with them, when they are read
/// again.
#[derive(Clone, Debug)]
pub enum Rule {
    /// One of ours.
    Ours(&'static Contract),
    /// One of the site's, see [`crate::site`].
    Site(Arc<Contract>),
}

impl Deref for Rule {
    type Target = Contract;

    fn deref(&self) -> &Contract {
        match self {
            Self::Ours(contract) => contract,
            Self::Site(contract) => contract,
        }
    }
}

impl From<&'static Contract> for Rule {
    fn from(contract: &'static Contract) -> Self {
        Self::Ours(contract)
    }
}

/// A place in another object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The object.
    pub key: Key,
    /// The field in it.
    pub pointer: PointerBuf,
}

/// Why a finding does less than its rule's mode says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lowered {
    /// The stored object has it already.
    Stored,
    /// A trusted user is at work.
    Trusted,
    /// The object is being restored from a backup.
    Restored,
    /// Another object is missing, and may still come.
    Missing,
    /// The request is part of a recovery, which waits for nobody.
    Recovery,
    /// The other objects could not be read afresh.
    Unconfirmed,
    /// The profile only observes.
    Observed,
    /// The object is exempted.
    Exempted,
    /// The rule itself only advises in this case.
    Advice,
    /// What the rule looks at stays as it is stored.
    Kept,
    /// The object is being deleted.
    Going,
}

impl Lowered {
    /// The reason's name in logs, metrics and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Trusted => "trusted",
            Self::Restored => "restored",
            Self::Missing => "missing",
            Self::Recovery => "recovery",
            Self::Unconfirmed => "unconfirmed",
            Self::Observed => "observed",
            Self::Exempted => "exempted",
            Self::Advice => "advice",
            Self::Kept => "kept",
            Self::Going => "going",
        }
    }
}

impl Finding {
    /// The field as Kubernetes spells it: `spec.drClusters[1]`.
    pub fn field(&self) -> String {
        field(&self.pointer)
    }

    /// What to do about it.
    pub fn fix(&self) -> &str {
        self.fix.as_deref().unwrap_or(&self.rule.fix)
    }

    /// What sorts findings: by field, then rule.
    pub(crate) fn order(&self) -> (&str, &str, &str) {
        (self.pointer.as_str(), &self.rule.id, &self.message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A site's own policy need not blame a field.
        let field = self.field();
        let colon = if field.is_empty() { "" } else { ": " };
        write!(
            f,
            "{field}{colon}{}; {} ({})",
            self.message,
            self.fix(),
            self.rule.id
        )
    }
}

/// A JSON pointer as Kubernetes spells a field: `/spec/drClusters/1` is `spec.drClusters[1]`, and a
/// name that is more than a word goes into brackets: `metadata.annotations[example.com/a]`.
pub fn field(pointer: &Pointer) -> String {
    let mut text = String::new();
    for token in pointer.tokens() {
        let token = token.decoded();
        let index = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
        let word = token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if index || !word {
            let _ = write!(text, "[{token}]");
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&token);
        }
    }
    plain(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_spelt_as_kubernetes_does() {
        for (pointer, spelt) in [
            ("/spec/drClusters/1", "spec.drClusters[1]"),
            (
                "/metadata/annotations/example.com~1a",
                "metadata.annotations[example.com/a]",
            ),
            (
                "/data/ramen_manager_config.yaml/s3StoreProfiles/0/s3Bucket",
                "data[ramen_manager_config.yaml].s3StoreProfiles[0].s3Bucket",
            ),
            ("", ""),
        ] {
            assert_eq!(field(Pointer::parse(pointer).expect("a pointer")), spelt);
        }
    }
}
