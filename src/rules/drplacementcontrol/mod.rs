//! DRPlacementControl: one application under protection.
//!
//! In the order of `policies/drplacementcontrol.yaml`, a file a section.

mod action;
pub(crate) mod common;
mod delete;
mod discovered;
pub(crate) mod dryrun;
mod git;
mod group;
mod metadata;
mod placement;
mod policy;
mod recipe;
mod relocate;
mod shape;
pub(crate) mod state;
mod strangers;

use super::judged;
use crate::api::DRPlacementControl;

judged! {
    DRPlacementControl: &[
        shape::RULES,
        placement::RULES,
        policy::RULES,
        action::RULES,
        dryrun::RULES,
        discovered::RULES,
        recipe::RULES,
        metadata::RULES,
        delete::RULES,
        git::RULES,
    ];
}
