//! Recipe: what is captured of an application, in which order, and what is done in between.
//!
//! In the order of `policies/recipe.yaml`, but that each file has what it takes to judge its rules. Ramen
//! reads the workflows `backup` and `restore` and what they use; the rest of a Recipe may be for somebody
//! else. A string with parameters is not judged: each application has values of its own for them.

mod condition;
mod number;
pub(in crate::rules) mod parameters;
mod path;
pub(in crate::rules) mod steps;

use super::{judged, volumereplicationgroup::OF_RECIPES};
use crate::api::Recipe;

judged! {
    Recipe: &[OF_RECIPES];
}
