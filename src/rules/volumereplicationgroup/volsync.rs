//! The volumes that `VolSync` copies.

use std::collections::{HashMap, HashSet};

use super::{config, is_primary};
use crate::{
    api::{
        ProtectedPVC, Text, VolSyncReplicationDestinationSpec, VolSyncSpec, VolumeReplicationGroup,
    },
    golang::quote,
    rules::{Case, Report, Rule, some},
    world::Config,
};

pub(super) const RULES: &[Rule<VolumeReplicationGroup>] = &[
    ("vrg-scheduling-interval-cron", schedule),
    ("vrg-rdspec-not-volsync", not_volsync),
    ("vrg-rdspec-storage-class", storage_class),
    ("vrg-rdspec-access-modes-direct", direct),
    ("vrg-rdspec-group-namespace", group_namespace),
    ("vrg-rsspec-submariner-disabled", source_without_address),
    ("vrg-mover-config-duplicate", mover_duplicate),
];

const RECEIVERS: &str = "/spec/volSync/rdSpec";
const SOURCES: &str = "/spec/volSync/rsSpec";
/// The annotation that has `VolSync` copy every volume.
const USE_VOLSYNC: &str = "drplacementcontrol.ramendr.openshift.io/use-volsync-for-pvc-protection";
/// The annotation that says whether the clusters reach each other by Submariner.
const SUBMARINER: &str = "drplacementcontrol.ramendr.openshift.io/is-submariner-enabled";
/// The label of volumes that are copied together.
const GROUP: &str = "ramendr.openshift.io/consistency-group";

fn settings<'a>(case: &Case<'a, VolumeReplicationGroup>) -> Option<&'a VolSyncSpec> {
    case.new.spec.vol_sync.as_ref()
}

/// Whether `VolSync` may copy volumes of the object at all.
fn is_possible(case: &Case<'_, VolumeReplicationGroup>) -> bool {
    let off = settings(case).and_then(|settings| settings.disabled) == Some(true);
    case.new.spec.async_.is_some() && !off && !config(case).is_some_and(Config::volsync_disabled)
}

/// Whether `VolSync` is sure to copy some: where it is told of volumes, or the storage has nothing to
/// replicate them with.
fn is_sure(case: &Case<'_, VolumeReplicationGroup>) -> bool {
    let told = settings(case).is_some_and(|settings| {
        [
            settings.rd_spec.as_ref().map_or(0, Vec::len),
            settings.rs_spec.as_ref().map_or(0, Vec::len),
        ]
        .iter()
        .any(|volumes| *volumes > 0)
    });
    let forced = case.new.meta.annotation(USE_VOLSYNC) == Some("true");
    let copies = case.new.spec.async_.as_ref();
    let mut classes = copies.into_iter().flat_map(|copies| &copies.peer_classes);
    let bare =
        classes.any(|class| class.replication_id.text().is_none() && class.offloaded != Some(true));
    is_possible(case) && (told || forced || bare)
}

/// What `VolSync` makes of an interval that Ramen turns into a line of cron.
///
/// Source: internal/controller/volsync/vshandler.go:2243-2297
fn schedule(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let copies = case.new.spec.async_.as_ref();
    let interval = copies.map_or("", |copies| &copies.scheduling_interval);
    let unit = interval.len().saturating_sub(1);
    let (Some(number), Some(unit)) = (interval.get(..unit), interval.get(unit..)) else {
        return;
    };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) || !is_sure(case) {
        return;
    }
    // What is too long for a number is too long for a clock.
    let every = number.parse().unwrap_or(u64::MAX);
    let (line, turn) = match unit {
        "m" => (format!("*/{number} * * * *"), 60),
        "h" => (format!("0 */{number} * * *"), 24),
        "d" => (format!("0 0 */{} * *", every.min(28)), 29),
        _ => return,
    };
    let makes = match every {
        0 => "it can't read",
        _ if every >= turn => match unit {
            "m" => "counts within an hour only",
            "h" => "counts within a day only",
            _ => "is every 28 days",
        },
        _ if unit != "d" && turn % every != 0 => "is not the same time each time",
        _ => return,
    };
    let message = format!(
        "{} becomes \"{line}\" for VolSync, which {makes}",
        quote(interval)
    );
    report.say("/spec/async/schedulingInterval", message);
}

/// The volumes that are received here, each with its place.
fn receivers<'a>(
    case: &Case<'a, VolumeReplicationGroup>,
) -> impl Iterator<Item = (String, &'a ProtectedPVC)> {
    let receivers = settings(case).and_then(|settings| settings.rd_spec.as_ref());
    let volume = |(index, one): (usize, &'a VolSyncReplicationDestinationSpec)| {
        (
            format!("{RECEIVERS}/{index}/protectedPVC"),
            of(one.protected_pvc.as_ref()),
        )
    };
    receivers.into_iter().flatten().enumerate().map(volume)
}

/// The volume that an entry names; one that is left out is one without a name.
fn of(volume: Option<&ProtectedPVC>) -> &ProtectedPVC {
    static NONE: std::sync::LazyLock<ProtectedPVC> =
        std::sync::LazyLock::new(ProtectedPVC::default);
    volume.unwrap_or(&NONE)
}

/// What to call a volume.
fn shown(volume: &ProtectedPVC) -> String {
    let name = volume.name.text().unwrap_or_default();
    quote(&match volume.namespace.text() {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    })
}

fn not_volsync(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    for (place, volume) in receivers(case) {
        if volume.protected_by_vol_sync != Some(true) {
            report.say(
                format!("{place}/protectedByVolSync"),
                format!("is not true for volume {}", shown(volume)),
            );
        }
    }
}

fn storage_class(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    for (place, volume) in receivers(case) {
        if volume.storage_class_name.text().is_none() {
            report.say(
                format!("{place}/storageClassName"),
                format!("is not set for volume {}", shown(volume)),
            );
        }
    }
}

/// A copy that is not a snapshot first needs a volume to go to.
fn direct(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let Some(config) = config(case) else {
        return;
    };
    if config.ramen.vol_sync.destination_copy_method.as_deref() != Some("Direct") {
        return;
    }
    for (place, volume) in receivers(case) {
        let requests = volume.resources.as_ref();
        let sized = requests.is_some_and(|resources| resources.requests.contains_key("storage"));
        for (field, there) in [
            ("accessModes", !volume.access_modes.is_empty()),
            ("resources/requests/storage", sized),
        ] {
            if !there {
                report
                    .say(
                        format!("{place}/{field}"),
                        format!("is not set for volume {}", shown(volume)),
                    )
                    .configured(config, "/volSync/destinationCopyMethod");
            }
        }
    }
}

fn group_namespace(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let mut groups = HashMap::new();
    for (place, volume) in receivers(case) {
        let Some(group) = volume.labels.get(GROUP) else {
            continue;
        };
        let namespace = volume.namespace.text().unwrap_or_default();
        let first = *groups.entry(group).or_insert(namespace);
        if namespace != first {
            let message = format!(
                "{} is not {}, as for the first volume of group {}",
                quote(namespace),
                quote(first),
                quote(group)
            );
            report.say(format!("{place}/namespace"), message);
        }
    }
}

/// Without Submariner each source has to be told where to send to. Which volumes those are is known from
/// the status only, and before there is one it is enough that there may be some.
fn source_without_address(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let off = case.new.meta.annotation(SUBMARINER) == Some("false");
    if !off || !is_primary(case.new) || !is_possible(case) {
        return;
    }
    let sources = settings(case).and_then(|settings| settings.rs_spec.as_deref());
    let sources = sources.unwrap_or_default();
    for (index, source) in sources.iter().enumerate() {
        let tls = source.rsync_tls.as_ref();
        if tls.is_none_or(|tls| tls.address.text().is_none()) {
            let volume = shown(of(source.protected_pvc.as_ref()));
            report.say(
                format!("{SOURCES}/{index}/rsyncTLS"),
                format!("has no address for volume {volume}"),
            );
        }
    }
    let name = |volume: &'_ ProtectedPVC| (volume.namespace.clone(), volume.name.clone());
    let told: HashSet<_> = sources
        .iter()
        .map(|source| name(of(source.protected_pvc.as_ref())))
        .collect();
    let volumes = &case.status().protected_pvcs;
    let missing: Vec<&ProtectedPVC> = volumes
        .iter()
        .filter(|volume| {
            volume.protected_by_vol_sync == Some(true) && !told.contains(&name(volume))
        })
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "has no entry for {}",
            some(&missing, |volume| shown(volume))
        );
        report.say(SOURCES, message);
    } else if volumes.is_empty() && sources.is_empty() && is_sure(case) {
        report.say(
            SOURCES,
            "names no volume, and none is found without Submariner",
        );
    }
}

fn mover_duplicate(case: &Case<'_, VolumeReplicationGroup>, report: &mut Report) {
    let movers = settings(case).map_or(&[][..], |settings| &settings.mover_config);
    let mut seen = HashSet::new();
    for (index, mover) in movers.iter().enumerate() {
        let volume = (&mover.pvc_namespace, &mover.pvc_name);
        if !seen.insert(volume) {
            let volume = quote(&format!("{}/{}", volume.0, volume.1));
            report.say(
                format!("/spec/volSync/moverConfig/{index}"),
                format!("volume {volume} is there twice"),
            );
        }
    }
}
