//! The addresses in a network mapping: whether Ramen can translate each of them, both ways.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv4Addr},
};

use super::{
    Case, Report, Rule,
    networkmapping::{Mapping, User},
};
use crate::{
    api::{ConfigMap, NetworkMappingBlock, networkmapping::RegexRule},
    golang::{
        cidr::{self, Cidr},
        quote, regexp,
    },
    report::list,
    rules::below,
};

pub(super) const RULES: &[Rule<ConfigMap>] = &[
    ("nm-cidr", ranges),
    ("nm-explicit", pairs),
    ("nm-regex", patterns),
];

/// The two clusters that a mapping is between.
type Pair<'a> = [&'a str; 2];
/// What is wrong in a block: where, and what.
type Faults = Vec<(String, String)>;

fn ranges(case: &Case<'_, ConfigMap>, report: &mut Report) {
    judge(case, report, |block, pointer, clusters| {
        ranges_of(&block.cidr, &format!("{pointer}/cidr"), clusters)
    });
}

fn pairs(case: &Case<'_, ConfigMap>, report: &mut Report) {
    judge(case, report, |block, pointer, clusters| {
        let pointer = format!("{pointer}/explicitMappings");
        pairs_of(&block.explicit_mappings, &pointer, clusters)
    });
}

fn patterns(case: &Case<'_, ConfigMap>, report: &mut Report) {
    judge(case, report, |block, pointer, clusters| {
        let pointer = format!("{pointer}/regexMappings");
        patterns_of(&block.regex_mappings, &pointer, clusters)
    });
}

/// Judges each block by the clusters of the policies that name the mapping. Where they have different
/// ones, a mapping can't be right for all, so that nothing is grave.
fn judge(
    case: &Case<'_, ConfigMap>,
    report: &mut Report,
    faults: impl Fn(&NetworkMappingBlock, &str, Pair<'_>) -> Faults,
) {
    let Some(mapping) = Mapping::of(case) else {
        return;
    };
    let mut of: BTreeMap<Pair<'_>, User<'_>> = BTreeMap::new();
    for user in &mapping.users {
        if let Some(clusters) = clusters(user) {
            of.entry(clusters).or_insert(*user);
        }
    }
    let alone = of.len() == 1;
    for (clusters, user) in of {
        for (pointer, block) in mapping.blocks() {
            for (pointer, message) in faults(block, &pointer, clusters) {
                if alone {
                    mapping.blame(report, pointer, message);
                } else {
                    let policy = user.policy.key();
                    report
                        .advise(pointer, format!("{message}, for {policy}"))
                        .because(user.policy, "/spec/drClusters");
                }
            }
        }
    }
}

/// The clusters of a policy, in the order of their names: a mapping goes both ways. Nothing where Ramen
/// does not get as far as the mapping.
fn clusters<'a>(user: &User<'a>) -> Option<Pair<'a>> {
    let [one, other] = &*user.policy.spec.dr_clusters else {
        return None;
    };
    let (one, other) = (one.min(other), one.max(other));
    (one != other && !one.is_empty()).then_some([one, other])
}

/// What is wrong with the keys of something that is to have one a cluster, if anything is.
fn wrong_keys<V>(by_cluster: &BTreeMap<String, V>, pointer: &str, keys: Pair<'_>) -> Faults {
    let missing = keys.iter().filter(|key| !by_cluster.contains_key(**key));
    let mut faults: Faults = missing
        .map(|key| (pointer.to_owned(), format!("has no {}", quote(key))))
        .collect();
    let odd = by_cluster
        .keys()
        .filter(|key| !keys.contains(&key.as_str()));
    faults.extend(odd.map(|key| {
        let message = format!("{} is not one of {}", quote(key), list(keys));
        (below(pointer, key), message)
    }));
    faults
}

/// Source: internal/controller/drpc_networkmapping.go:541-637
fn ranges_of(cidr: &BTreeMap<String, String>, pointer: &str, clusters: Pair<'_>) -> Faults {
    if cidr.is_empty() {
        return Faults::new();
    }
    let mut faults = wrong_keys(cidr, pointer, clusters);
    let mut networks = Vec::new();
    for (cluster, text) in clusters.iter().filter_map(|key| cidr.get_key_value(*key)) {
        if let Ok(network) = cidr::parse(text) {
            networks.push((cluster, text, network));
        } else {
            let message = format!("{} is no network", quote(text));
            faults.push((below(pointer, cluster), message));
        }
    }
    let other: Vec<_> = networks
        .iter()
        .filter(|(_, _, network)| v4(network).is_none())
        .collect();
    for (cluster, text, _) in &other {
        let message = format!("{} is no IPv4 network", quote(text));
        faults.push((below(pointer, cluster), message));
    }
    if let ([(_, _, one), (cluster, text, two)], true) = (&*networks, other.is_empty()) {
        let message = if one.address.is_ipv4() != two.address.is_ipv4() {
            format!(
                "{} is written for the other family of addresses",
                quote(text)
            )
        } else if one.prefix != two.prefix {
            format!(
                "{} has not the length {} of the other network",
                quote(text),
                one.prefix
            )
        } else if one.network == two.network {
            format!("{} is the network of the other cluster too", quote(text))
        } else {
            return faults;
        };
        faults.push((below(pointer, cluster), message));
    }
    faults
}

/// The first address of a network, if that is an IPv4 address, in whatever form.
fn v4(network: &Cidr) -> Option<Ipv4Addr> {
    match network.network {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(address) => address.to_ipv4_mapped(),
    }
}

/// Source: internal/controller/drpc_networkmapping.go:1045-1163
fn pairs_of(rows: &[BTreeMap<String, String>], pointer: &str, clusters: Pair<'_>) -> Faults {
    let mut faults = Faults::new();
    // Where an address was seen first: its cluster.
    let mut seen: HashMap<Ipv4Addr, &str> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        faults.extend(wrong_keys(row, &pointer, clusters));
        let mut own = Vec::new();
        for (cluster, text) in clusters
            .iter()
            .filter_map(|key| Some((*key, row.get(*key)?)))
        {
            let Some(address) = address(text) else {
                let message = format!("{} is no IPv4 address", quote(text));
                faults.push((below(&pointer, cluster), message));
                continue;
            };
            let message = match seen.get(&address) {
                _ if own.contains(&address) => "is the address on the other cluster too",
                Some(before) if *before == cluster => "stands in a row before this one",
                Some(_) => "stands for the other cluster in a row before this one",
                None => {
                    own.push(address);
                    seen.insert(address, cluster);
                    continue;
                }
            };
            faults.push((
                below(&pointer, cluster),
                format!("{} {message}", quote(text)),
            ));
        }
    }
    faults
}

/// An IPv4 address, in whatever form.
fn address(text: &str) -> Option<Ipv4Addr> {
    match text.parse().ok()? {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(address) => address.to_ipv4_mapped(),
    }
}

/// Source: internal/controller/drpc_networkmapping.go:643-708
fn patterns_of(
    by_direction: &BTreeMap<String, Vec<RegexRule>>,
    pointer: &str,
    [one, other]: Pair<'_>,
) -> Faults {
    if by_direction.is_empty() {
        return Faults::new();
    }
    let directions = [format!("{one}-to-{other}"), format!("{other}-to-{one}")];
    let keys = [&*directions[0], &*directions[1]];
    let mut faults = wrong_keys(by_direction, pointer, keys);
    for (direction, rules) in by_direction {
        let pointer = below(pointer, direction);
        if rules.is_empty() && keys.contains(&&**direction) {
            faults.push((pointer.clone(), "is empty".to_owned()));
        }
        for (index, rule) in rules.iter().enumerate() {
            let pointer = format!("{pointer}/{index}");
            for (field, text) in [
                ("pattern", &rule.pattern),
                ("replacement", &rule.replacement),
            ] {
                if text.is_empty() {
                    faults.push((format!("{pointer}/{field}"), "is empty".to_owned()));
                }
            }
            if let Err(error) = regexp::check(&rule.pattern) {
                let message = format!("{} is no pattern: {error}", quote(&rule.pattern));
                faults.push((format!("{pointer}/pattern"), message));
            }
        }
    }
    faults
}
