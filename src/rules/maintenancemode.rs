//! MaintenanceMode.
//!
//! In the order of `policies/maintenancemode.yaml`.

use super::judged;
use crate::api::MaintenanceMode;

judged! {
    MaintenanceMode: &[];
}
