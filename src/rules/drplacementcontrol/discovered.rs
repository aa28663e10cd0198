//! Discovered applications and the operations namespace.

use crate::{api::DRPlacementControl, rules::Rule};

pub(super) const RULES: &[Rule<DRPlacementControl>] = &[];
