//! What only a manifest in a file can get wrong: what tools that sync files are told to do with it, and
//! what should not be kept in a file at all.
//!
//! Only `check` asks these rules. In a cluster the same annotation says no more than how the object came
//! there.

mod kept;
mod names;
mod order;
mod sync;

use std::marker::PhantomData;

use super::{Judged, Rule};

pub(super) use kept::is_kept;
pub(super) use order::{Wave, wave};

/// The rules that are the same for every kind that their contract names.
pub(super) struct Files<K>(PhantomData<K>);

impl<K: Judged> Files<K> {
    /// In the order of `policies/any.yaml`.
    pub(super) const RULES: &'static [Rule<K>] = &[
        ("object-replaced-by-sync", sync::replaced),
        ("object-metadata-misspelt", names::misspelt),
        ("vrg-in-git", kept::in_git),
    ];
}
