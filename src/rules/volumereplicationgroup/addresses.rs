//! The addresses that virtual machines are to have on this cluster.

use std::{collections::HashMap, net::IpAddr};

use crate::{
    api::{AddressTranslation, IPTranslationSpec, NetworkTranslation, VolumeReplicationGroup},
    golang::{cidr, quote},
    rules::{Case, Report, Rule},
};

pub(super) const RULES: &[Rule<VolumeReplicationGroup>] = &[
    ("vrg-static-ip-overwrite", overwrite),
    ("vrg-static-ip-network-name", network_name),
    ("vrg-static-ip-address", address),
    ("vrg-static-ip-name-regex", name_regex),
];

/// The virtual machines, each with its place.
fn machines<'a>(
    case: &Case<'a, VolumeReplicationGroup>,
) -> impl Iterator<Item = (String, &'a IPTranslationSpec)> {
    let spec = case.new.spec.static_ip_translation_spec.as_ref();
    let machines = spec.map_or(&[][..], |spec| &spec.ip_translations);
    machines.iter().enumerate().map(|(index, machine)| {
        let place = format!("/spec/staticIPTranslationSpec/ipTranslations/{index}");
        (place, machine)
    })
}

fn networks<'a>(
    place: &str,
    machine: &'a IPTranslationSpec,
) -> impl Iterator<Item = (String, &'a NetworkTranslation)> {
    let networks = machine.networks.iter().enumerate();
    networks.map(move |(index, network)| (format!("{place}/networks/{index}"), network))
}

fn addresses<'a>(
    place: &str,
    network: &'a NetworkTranslation,
) -> impl Iterator<Item = (String, &'a AddressTranslation)> {
    let addresses = network.addresses.iter().enumerate();
    addresses.map(move |(index, address)| (format!("{place}/addresses/{index}"), address))
}

/// Each address replaces what all others have written.
fn overwrite(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let mut written = HashMap::new();
    for (place, machine) in machines(case) {
        let name = (&machine.resource_ref.namespace, &machine.resource_ref.name);
        for (place, network) in networks(&place, machine) {
            for (place, address) in addresses(&place, network) {
                let Some(before) = written.insert(name, &address.target_ip) else {
                    continue;
                };
                let message = format!(
                    "{} takes the place of {}: a virtual machine keeps one address",
                    quote(&address.target_ip),
                    quote(before)
                );
                report.say(place, message);
            }
        }
    }
}

fn network_name(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    for (place, machine) in machines(case) {
        for (place, network) in networks(&place, machine) {
            let name = &network.network_name;
            let parts: Vec<&str> = name.split('/').collect();
            if parts.len() > 2 || parts.contains(&"") {
                report.say(
                    format!("{place}/networkName"),
                    format!("{} is neither a name nor NAMESPACE/NAME", quote(name)),
                );
            }
        }
    }
}

fn address(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    for (place, machine) in machines(case) {
        for (place, network) in networks(&place, machine) {
            for (place, address) in addresses(&place, network) {
                let text = &address.target_ip;
                if text.parse::<IpAddr>().is_err() && cidr::parse(text).is_err() {
                    report.say(
                        format!("{place}/targetIP"),
                        format!("{} is not an address", quote(text)),
                    );
                }
            }
        }
    }
}

/// A dot is legal in the name of a virtual machine, and stands for any character in an expression.
fn name_regex(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    for (place, machine) in machines(case) {
        let name = &machine.resource_ref.name;
        if name.contains([
            '.', '\\', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$',
        ]) {
            report.say(
                format!("{place}/resourceRef/name"),
                format!("{} is read as a regular expression", quote(name)),
            );
        }
    }
}
