//! Failover and Relocate.

use crate::{api::DRPlacementControl, rules::Rule};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[];
