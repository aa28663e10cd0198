//! The placement, and who else claims it.

use crate::{api::DRPlacementControl, rules::Rule};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[];
