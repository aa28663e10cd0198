//! VolumeReplicationGroup.
//!
//! In the order of `policies/volumereplicationgroup.yaml`.

use super::judged;
use crate::api::VolumeReplicationGroup;

judged! {
    VolumeReplicationGroup: &[];
}
