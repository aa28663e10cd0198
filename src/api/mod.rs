//! Ramen's kinds, and the few of their neighbours that a rule asks about, as Rust types.
//!
//! One file a kind, every field of it, the schema derived. Reading is tolerant on purpose: Ramen's
//! API is alpha and grows, so a field that is not known here is ignored, and a `null` is an absence
//! (which is also how kube-apiserver stores it). What a value means is the business of
//! [`crate::rules`]; nothing here knows a rule.

/// Says of a kind what [`Kind`] asks; of Ramen's where no group is given.
macro_rules! kind {
    ($kind:ident, $($rest:tt)*) => {
        kind!($kind: ($crate::api::GROUP) / ($crate::api::VERSION), $($rest)*);
    };
    (
        $kind:ident: $group:tt / $version:tt,
        $plural:literal, namespaced: $namespaced:literal, $spec:ty, $status:ty
    ) => {
        impl $crate::api::Kind for $kind {
            const GROUP: &'static str = $group;
            const VERSION: &'static str = $version;
            const KIND: &'static str = stringify!($kind);
            const PLURAL: &'static str = $plural;
            const NAMESPACED: bool = $namespaced;
            type Spec = $spec;
            type Status = $status;
        }
    };
}

pub mod condition;
pub mod configmap;
pub mod drcluster;
pub mod drclusterconfig;
pub mod drplacementcontrol;
pub mod drpolicy;
mod field;
pub mod maintenancemode;
pub mod networkmapping;
mod object;
pub mod peers;
pub mod protectedpvc;
pub mod protectedvolumereplicationgrouplist;
pub mod protection;
pub mod ramenconfig;
pub mod recipe;
pub mod reference;
pub mod replicationgroupdestination;
pub mod replicationgroupsource;
pub mod schema;
mod selector;
mod texts;
pub mod volsync;
pub mod volumereplicationgroup;

pub use condition::{Condition, condition};
pub use configmap::{ConfigMap, ConfigMapBody, NETWORK_MAPPING, RAMEN_CONFIG, ReadText};
pub use drcluster::{ClusterMaintenanceMode, DRCluster, DRClusterSpec, DRClusterStatus};
pub use drclusterconfig::{
    DRClusterConfig, DRClusterConfigSpec, DRClusterConfigStatus, NetworkAttachment,
    StorageAccessDetail,
};
pub use drplacementcontrol::{
    BACKUP_LABEL, DRPlacementControl, DRPlacementControlSpec, DRPlacementControlStatus,
    PreferredDecision, VRGConditions, VRGResourceMeta,
};
pub use drpolicy::{DRPolicy, DRPolicySpec, DRPolicyStatus, NetworkPeer, PeerClass, PeerClasses};
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;
pub use maintenancemode::{MaintenanceMode, MaintenanceModeSpec, MaintenanceModeStatus};
pub use networkmapping::{NetworkMapping, NetworkMappingBlock};
pub use object::{Doc, Key, Kind, Meta, Object, OwnerReference, ReadError, UnreadStatus};
pub use peers::{
    ApplicationSet, ManagedCluster, ManagedClusterView, Placement, PlacementDecision,
    PlacementRule, Secret,
};
pub use protectedpvc::{Identifier, ProtectedPVC, VolumeResources};
pub use protectedvolumereplicationgrouplist::{
    ProtectedVolumeReplicationGroupList, ProtectedVolumeReplicationGroupListSpec,
    ProtectedVolumeReplicationGroupListStatus,
};
pub use protection::{
    DiscoveredNetwork, DiscoveredResource, Groups, KubeObjectProtectionSpec, RecipeRef,
};
pub use ramenconfig::{RamenConfig, S3StoreProfile};
pub use recipe::{Recipe, RecipeSpec, RecipeStatus};
pub use reference::{
    LocalObjectReference, ObjectReference, ResourceReference, TypedLocalObjectReference,
};
pub use replicationgroupdestination::{
    ReplicationGroupDestination, ReplicationGroupDestinationSpec, ReplicationGroupDestinationStatus,
};
pub use replicationgroupsource::{
    ReplicationGroupSource, ReplicationGroupSourceSpec, ReplicationGroupSourceStatus,
    ReplicationSourceTriggerSpec,
};
pub use schema::{apply_defaults, defaults, schema};
pub use selector::LabelSelector;
pub use texts::Texts;
pub use volsync::{
    MoverConfig, RsyncTLSConfig, VolSyncReplicationDestinationInfo,
    VolSyncReplicationDestinationSpec, VolSyncReplicationSourceSpec, VolSyncSpec,
};
pub use volumereplicationgroup::{
    AddressTranslation, IPTranslationSpec, NetworkTranslation, VolumeReplicationGroup,
    VolumeReplicationGroupSpec, VolumeReplicationGroupStatus,
};

/// The API group of Ramen's kinds.
pub const GROUP: &str = "ramendr.openshift.io";
/// The only version that Ramen serves.
pub const VERSION: &str = "v1alpha1";

/// Reads a field that the schema requires, but that a rule may find absent or `null`: the type's
/// default stands for both.
pub(crate) fn absent_is_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de> + Default,
{
    Ok(<Option<T> as serde::Deserialize>::deserialize(input)?.unwrap_or_default())
}

/// An optional string as Ramen reads it: Go cannot tell `""` from absent.
pub trait Text {
    /// The text, unless it is absent or empty.
    fn text(&self) -> Option<&str>;
}

impl Text for Option<String> {
    fn text(&self) -> Option<&str> {
        self.as_deref().filter(|text| !text.is_empty())
    }
}
