//! Recipe.
//!
//! In the order of `policies/recipe.yaml`.

use super::{judged, volumereplicationgroup::OF_RECIPES};
use crate::api::Recipe;

judged! {
    Recipe: &[OF_RECIPES];
}
