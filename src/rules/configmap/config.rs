//! What the rules about Ramen's configuration are given.

use crate::{
    api::{
        ConfigMap, DRCluster, Key, Object, RamenConfig, S3StoreProfile, VolumeReplicationGroup,
        configmap::Text,
    },
    rules::{Case, Draft, Report, configured},
    world::{Config as Known, Configs, Relation},
};

pub(super) const NO_S3: &str = S3StoreProfile::NONE;

/// Whether a ConfigMap is Ramen's own: another one of that name is nobody's business.
pub(super) fn is_config(key: &Key, operator_namespace: &str) -> bool {
    Configs::places(&key.name, operator_namespace).contains(key)
}

/// Whether the ConfigMap of a case is Ramen's own.
pub(super) fn is_ramens(case: &Case<'_, ConfigMap>) -> bool {
    is_config(&case.new.key(), case.operator_namespace)
}

/// A field of an S3 profile.
pub(super) fn in_profile(index: usize, field: &str) -> String {
    configured(&format!("/s3StoreProfiles/{index}/{field}"))
}

/// Ramen's configuration, where Ramen can read it.
pub(super) struct Config<'a> {
    case: &'a Case<'a, ConfigMap>,
    /// As it would be; at DELETE as it is.
    pub(super) text: &'a Text<RamenConfig>,
    /// As it is stored, if that can be read.
    pub(super) old: Option<&'a Text<RamenConfig>>,
    /// What it says, and whose it is.
    pub(super) known: Known,
}

/// Who uses an S3 profile.
#[derive(Clone, Copy)]
pub(super) enum User<'a> {
    /// A cluster on the hub.
    Cluster(&'a Object<DRCluster>),
    /// An application on a managed cluster.
    Application(&'a Object<VolumeReplicationGroup>),
}

impl<'a> Config<'a> {
    /// Nothing for a ConfigMap that is not Ramen's, or that Ramen can't read: that is the matter of
    /// other rules.
    pub(super) fn of(case: &'a Case<'a, ConfigMap>) -> Option<Self> {
        if !is_ramens(case) {
            return None;
        }
        let text = case.new.spec.ramen_config().as_ref().ok()?;
        let old = case
            .old
            .and_then(|old| old.spec.ramen_config().as_ref().ok());
        let known = Known {
            key: case.new.key(),
            ramen: text.says.clone(),
        };
        Some(Self {
            case,
            text,
            old,
            known,
        })
    }

    /// What it says.
    pub(super) fn says(&self) -> &'a RamenConfig {
        &self.text.says
    }

    /// Whether it is the hub operator's.
    pub(super) fn is_hubs(&self) -> bool {
        Configs::is_hubs(&self.known.key.name)
    }

    /// The S3 profiles, each with its place.
    pub(super) fn profiles(&self) -> impl Iterator<Item = (usize, &'a S3StoreProfile)> {
        self.says().s3_store_profiles.iter().enumerate()
    }

    /// The profile of that name in the stored configuration: of several, the first.
    pub(super) fn stored(&self, name: &str) -> Option<&'a S3StoreProfile> {
        let mut stored = self.old?.says.s3_store_profiles.iter();
        stored.find(|profile| profile.s3_profile_name == name)
    }

    /// Who uses a profile: a cluster that stays rather than an application. Of several profiles of a
    /// name Ramen takes the first.
    pub(super) fn user(&self, index: usize, profile: &S3StoreProfile) -> Option<User<'a>> {
        let name = &*profile.s3_profile_name;
        let first = self
            .profiles()
            .find(|(_, other)| other.s3_profile_name == name);
        if first.is_none_or(|(first, _)| first != index) {
            return None;
        }
        self.users(name).into_iter().next()
    }

    /// Who uses the profile of a name: clusters that stay, then applications.
    pub(super) fn users(&self, name: &str) -> Vec<User<'a>> {
        if name.is_empty() || name == NO_S3 {
            return Vec::new();
        }
        let world = self.case.world;
        let clusters = world.related::<DRCluster>(Relation::Profile, name);
        let clusters = clusters
            .into_iter()
            .filter(|cluster| !cluster.meta.is_terminating());
        let vrgs = world.related::<VolumeReplicationGroup>(Relation::Profile, name);
        let vrgs = vrgs.into_iter().filter(|vrg| !vrg.meta.is_terminating());
        clusters
            .map(User::Cluster)
            .chain(vrgs.map(User::Application))
            .collect()
    }

    /// Whether this ConfigMap is the one that counts. Where there is another of its name in the other
    /// place that it may be in, one was left behind, and nobody can tell which.
    fn counts(&self) -> bool {
        let key = &self.known.key;
        let places = Configs::places(&key.name, self.case.operator_namespace);
        let others = places.iter().filter(|place| *place != key);
        others
            .map(|place| {
                self.case
                    .world
                    .get::<ConfigMap>(&place.namespace, &place.name)
            })
            .all(|other| other.found().is_none())
    }

    /// States what is wrong for somebody who uses a profile: that is grave for a cluster, and worth a
    /// warning otherwise.
    pub(super) fn blame<'r>(
        &self,
        report: &'r mut Report,
        user: Option<User<'_>>,
        pointer: String,
        message: &str,
    ) -> &'r mut Draft {
        match user {
            Some(user @ User::Cluster(cluster)) => {
                let draft = self.grave(report, pointer, format!("{message}, and {user} uses it"));
                draft.because(cluster, "/spec/s3ProfileName")
            }
            Some(user @ User::Application(vrg)) => report
                .advise(pointer, format!("{message}, and {user} uses it"))
                .because(vrg, "/spec/s3Profiles"),
            None => report.advise(pointer, message),
        }
    }

    /// States a finding that rests on objects that rely on this configuration.
    pub(super) fn grave<'r>(
        &self,
        report: &'r mut Report,
        pointer: String,
        message: String,
    ) -> &'r mut Draft {
        if self.counts() {
            report.say(pointer, message)
        } else {
            report.advise(pointer, message)
        }
    }
}

impl std::fmt::Display for User<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cluster(cluster) => cluster.key().fmt(f),
            Self::Application(vrg) => vrg.key().fmt(f),
        }
    }
}
