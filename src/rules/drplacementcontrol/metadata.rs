//! Annotations, labels and finalizers that Ramen reads.

use crate::{api::DRPlacementControl, rules::Rule};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[];
