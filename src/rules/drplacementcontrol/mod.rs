//! DRPlacementControl: one application under protection.
//!
//! In the order of `policies/drplacementcontrol.yaml`, a file a section.

mod action;
mod common;
mod delete;
mod discovered;
mod dryrun;
mod git;
mod group;
mod metadata;
mod placement;
mod policy;
mod recipe;
mod relocate;
mod shape;
mod state;
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
