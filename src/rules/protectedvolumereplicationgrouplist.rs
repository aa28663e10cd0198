//! ProtectedVolumeReplicationGroupList.
//!
//! In the order of `policies/protectedvolumereplicationgrouplist.yaml`.

use super::judged;
use crate::api::ProtectedVolumeReplicationGroupList;

judged! {
    ProtectedVolumeReplicationGroupList: &[];
}
