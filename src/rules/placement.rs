//! Placement and PlacementRule.

use super::judged;
use crate::api::{Placement, PlacementRule};

judged! {
    Placement: &[];
    PlacementRule: &[];
}
