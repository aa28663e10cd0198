//! Recipe.
//!
//! In the order of `policies/recipe.yaml`.

use super::judged;
use crate::api::Recipe;

judged! {
    Recipe: &[];
}
