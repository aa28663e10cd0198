//! A network mapping as such: whether Ramen can read it, and what it maps.

use std::collections::HashSet;

use super::{Case, Report, Rule, text::faults};
use crate::{
    api::{
        ConfigMap, DRPlacementControl, DRPolicy, Key, NETWORK_MAPPING, NetworkMappingBlock, Object,
        Text,
    },
    golang::quote,
    rules::Draft,
    world::{Lens, Relation},
};

pub(super) const RULES: &[Rule<ConfigMap>] = &[
    ("nm-key-missing", key_missing),
    ("nm-unparsable", unparsable),
    ("nm-version", version),
    ("nm-list-empty", list_empty),
    ("nm-nadref", network),
    ("nm-section", section),
    ("nm-missing-or-deleted", deleted),
];

/// A policy that names a network mapping, and an application under it in the mapping's namespace.
#[derive(Clone, Copy)]
pub(super) struct User<'a> {
    pub(super) policy: &'a Object<DRPolicy>,
    drpc: &'a Object<DRPlacementControl>,
}

impl User<'_> {
    fn stays(&self) -> bool {
        !self.policy.meta.is_terminating() && !self.drpc.meta.is_terminating()
    }
}

/// Who uses a ConfigMap as a network mapping: those that stay first. Nobody else's is one.
pub(super) fn users<'a>(key: &Key, world: &Lens<'a>) -> Vec<User<'a>> {
    let policies = world.related::<DRPolicy>(Relation::NetworkMapping, &key.name);
    if policies.is_empty() {
        return Vec::new();
    }
    let mut drpcs = world.related::<DRPlacementControl>(Relation::Namespace, &key.namespace);
    drpcs.sort_by_key(|drpc| drpc.meta.is_terminating());
    let user = |policy: &'a Object<DRPolicy>| {
        let mut drpcs = drpcs.iter();
        let drpc =
            drpcs.find(|drpc| drpc.spec.dr_policy_ref.name.text() == Some(&policy.meta.name));
        drpc.map(|drpc| User { policy, drpc })
    };
    let mut users: Vec<_> = policies.into_iter().filter_map(user).collect();
    users.sort_by_key(|user| !user.stays());
    users
}

/// A ConfigMap that is a network mapping.
pub(super) struct Mapping<'a> {
    case: &'a Case<'a, ConfigMap>,
    pub(super) users: Vec<User<'a>>,
}

/// The pointer to a field of a mapping.
pub(super) fn at(field: &str) -> String {
    format!("/data/{NETWORK_MAPPING}{field}")
}

impl<'a> Mapping<'a> {
    pub(super) fn of(case: &'a Case<'a, ConfigMap>) -> Option<Self> {
        let users = users(&case.new.key(), case.world);
        (!users.is_empty()).then_some(Self { case, users })
    }

    fn has_text(&self) -> bool {
        self.case.new.spec.data.contains_key(NETWORK_MAPPING)
    }

    /// Its version, where there is a text and Ramen can read it.
    fn version(&self) -> Option<&'a str> {
        let read = self.case.new.spec.network_mapping().as_ref().ok();
        read.filter(|_| self.has_text())
            .map(|read| &*read.says.version)
    }

    /// Its blocks, each with its pointer.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (String, &'a NetworkMappingBlock)> {
        let read = self.case.new.spec.network_mapping().as_ref().ok();
        let blocks = read
            .into_iter()
            .flat_map(|read| &read.says.network_mappings);
        let place = |index| at(&format!("/networkMappings/{index}"));
        blocks
            .enumerate()
            .map(move |(index, block)| (place(index), block))
    }

    /// States what is wrong: grave where an application that stays relies on it.
    pub(super) fn blame<'r>(
        &self,
        report: &'r mut Report,
        pointer: String,
        message: String,
    ) -> &'r mut Draft {
        let user = self.users[0];
        let finding = if user.stays() {
            report.say(pointer, message)
        } else {
            report.advise(pointer, message)
        };
        finding
            .because(user.policy, "/spec/networkMappingRef/name")
            .because(user.drpc, "/spec/drPolicyRef/name")
    }
}

fn key_missing(case: &Case<'_, ConfigMap>, report: &mut Report) {
    if let Some(mapping) = Mapping::of(case).filter(|mapping| !mapping.has_text()) {
        mapping.blame(report, at(""), "is not there".to_owned());
    }
}

fn unparsable(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(mapping) = Mapping::of(case) else {
        return;
    };
    if let Err(error) = case.new.spec.network_mapping() {
        faults(error, &at(""), |fault, pointer, message| {
            let finding = if fault.sure {
                mapping.blame(report, pointer, message)
            } else {
                report.advise(pointer, message)
            };
            if let Some(help) = fault.help {
                finding.fix(help);
            }
        });
    }
}

fn version(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(mapping) = Mapping::of(case) else {
        return;
    };
    let message = match mapping.version() {
        None | Some("v1") => return,
        Some("") => "is not there".to_owned(),
        Some(other) => format!("{} is not \"v1\"", quote(other)),
    };
    mapping.blame(report, at("/version"), message);
}

fn list_empty(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(mapping) = Mapping::of(case) else {
        return;
    };
    if mapping.version().is_some() && mapping.blocks().next().is_none() {
        mapping.blame(report, at("/networkMappings"), "is empty".to_owned());
    }
}

fn network(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(mapping) = Mapping::of(case) else {
        return;
    };
    let mut seen = HashSet::new();
    for (pointer, block) in mapping.blocks() {
        let network = &block.network_ref;
        let (namespace, name) = (&*network.nad_namespace, &*network.nad_name);
        for (field, value) in [("nadNamespace", namespace), ("nadName", name)] {
            if value.is_empty() {
                let pointer = format!("{pointer}/networkRef/{field}");
                mapping.blame(report, pointer, "is empty".to_owned());
            }
        }
        let whole = !namespace.is_empty() && !name.is_empty();
        if whole && !seen.insert((namespace, name)) {
            let network = quote(&format!("{namespace}/{name}"));
            let message = format!("{network} has a block before this one");
            mapping.blame(report, format!("{pointer}/networkRef"), message);
        }
    }
}

fn section(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(mapping) = Mapping::of(case) else {
        return;
    };
    for (pointer, block) in mapping.blocks() {
        if block.cidr.is_empty()
            && block.explicit_mappings.is_empty()
            && block.regex_mappings.is_empty()
        {
            let message = "has neither cidr nor explicitMappings nor regexMappings".to_owned();
            mapping.blame(report, pointer, message);
        }
    }
}

fn deleted(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(mapping) = Mapping::of(case) else {
        return;
    };
    let user = mapping.users[0];
    let message = format!(
        "\"{}\" is the network mapping of {}, for {}",
        case.new.meta.name,
        user.policy.key(),
        user.drpc.key()
    );
    let finding = report.advise("/metadata/name", message);
    finding.because(user.policy, "/spec/networkMappingRef/name");
}
