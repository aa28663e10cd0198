//! ReplicationGroupSource and ReplicationGroupDestination.
//!
//! In the order of `policies/replicationgroup.yaml`.

use super::judged;
use crate::api::{ReplicationGroupDestination, ReplicationGroupSource};

judged! {
    ReplicationGroupSource: &[];
    ReplicationGroupDestination: &[];
}
