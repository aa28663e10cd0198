//! DRCluster.

use super::judged;
use crate::api::DRCluster;

judged! {
    DRCluster: &[];
}
