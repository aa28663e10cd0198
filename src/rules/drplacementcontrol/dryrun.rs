//! Test failovers.

use crate::{api::DRPlacementControl, rules::Rule};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[];
