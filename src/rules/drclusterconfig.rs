//! DRClusterConfig.
//!
//! In the order of `policies/drclusterconfig.yaml`.

use super::judged;
use crate::api::DRClusterConfig;

judged! {
    DRClusterConfig: &[];
}
