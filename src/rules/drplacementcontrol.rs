//! DRPlacementControl.

use super::judged;
use crate::api::DRPlacementControl;

judged! {
    DRPlacementControl: &[];
}
