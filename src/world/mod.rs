//! What a rule may ask about: the other objects of the cluster.
//!
//! A [`Store`] keeps them, indexed by what rules ask for; it is filled from manifests or from a
//! watched cluster. A rule sees it through a [`Lens`], which writes down what was read, so that a
//! denial that rests on another object can be confirmed by reading that object afresh.

mod cluster;
mod config;
mod lens;
mod relations;
mod store;
mod table;

pub use cluster::{Cluster, ClusterError, Watched};
pub use config::{Config, Configs, HUB as HUB_CONFIG, OLM_NAMESPACE};
pub use lens::{Lens, Live, Lookup};
pub use relations::{Placed, cluster_id, is_metro, is_zero};
pub use store::{
    APP_NAMESPACE, DRPC_NAME, DRPC_NAMESPACE, Entry, GLOBAL_GROUP, Kept, KeptKind, LAST_CLUSTER,
    Store,
};
pub use table::{Relation, Table};
