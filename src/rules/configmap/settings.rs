//! Single settings of Ramen's configuration.

use super::{
    Case, Report, Rule,
    config::{Config, is_config},
    configured,
};
use crate::{
    api::{
        ConfigMap, DRCluster, DRPlacementControl, Key, Object, RamenConfig, Text,
        VolumeReplicationGroup,
    },
    golang::quote,
    rules::some,
    world::{Configs, Relation},
};

pub(super) const RULES: &[Rule<ConfigMap>] = &[
    ("config-controller-type", controller_type),
    ("config-max-concurrent", max_concurrent),
    ("config-leader-election-nil", leader_election),
    ("config-explicit-false-lost", explicit_false),
    ("config-dr-cluster-operator-overwritten", overwritten),
    ("config-volsync-copy-method", copy_method),
    ("config-ops-namespace-change-in-use", ops_namespace),
    ("config-multinamespace-disable-in-use", multi_namespace),
    ("config-delete", delete),
];

/// Every value is right. Whoever switches this rule on learns that nobody reads it.
fn controller_type(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let config = Config::of(case);
    let given = config.and_then(|config| config.says().ramen_controller_type.text());
    if let Some(given) = given {
        report.advise(
            configured("/ramenControllerType"),
            format!("{} is not read", quote(given)),
        );
    }
}

fn max_concurrent(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let config = Config::of(case);
    let number = config.and_then(|config| config.says().max_concurrent_reconciles);
    let message = match number {
        Some(0) => "0 means 1".to_owned(),
        Some(number) if number < 0 => format!("{number} is no number of objects"),
        _ => return,
    };
    report.say(configured("/maxConcurrentReconciles"), message);
}

fn deploys(config: &RamenConfig) -> bool {
    let operator = &config.dr_cluster_operator;
    operator.deployment_automation_enabled.unwrap_or_default()
}

/// A new configuration gets the section when the operator starts; one that is there loses it.
fn leader_election(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case).filter(Config::is_hubs) else {
        return;
    };
    if !deploys(config.says()) || config.says().leader_election.is_some() {
        return;
    }
    let pointer = configured("/leaderElection");
    let had = |old: &RamenConfig| old.leader_election.is_some();
    if config.old.is_some_and(|old| had(&old.says)) {
        report.say(pointer, "is gone, and deploymentAutomationEnabled needs it");
    } else {
        report.advise(
            pointer,
            "is not there, and deploymentAutomationEnabled needs it",
        );
    }
}

fn explicit_false(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    let says = config.says();
    let (operator, namespaces) = (&says.dr_cluster_operator, &says.multi_namespace);
    for (field, value) in [
        (
            "/drClusterOperator/deploymentAutomationEnabled",
            operator.deployment_automation_enabled,
        ),
        (
            "/drClusterOperator/s3SecretDistributionEnabled",
            operator.s3_secret_distribution_enabled,
        ),
        ("/multiNamespace/FeatureEnabled", namespaces.feature_enabled),
        (
            "/multiNamespace/volsyncSupported",
            namespaces.volsync_supported,
        ),
        (
            "/volumeUnprotectionEnabled",
            says.volume_unprotection_enabled,
        ),
        (
            "/retainNamespaceSCCAcrossPeers",
            says.retain_namespace_scc_across_peers,
        ),
    ] {
        if value == Some(false) {
            report.say(
                configured(field),
                "false becomes true at the second start of the operator",
            );
        }
    }
    if says.ramen_ops_namespace.as_deref() == Some("") {
        report.say(
            configured("/ramenOpsNamespace"),
            "\"\" becomes a namespace at the second start of the operator",
        );
    }
}

fn overwritten(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case).filter(Config::is_hubs) else {
        return;
    };
    let Some(old) = config.old else { return };
    let [new, old] = [config.says(), &old.says].map(|config| {
        let operator = &config.dr_cluster_operator;
        [
            ("channelName", operator.channel_name.text()),
            ("packageName", operator.package_name.text()),
            ("namespaceName", operator.namespace_name.text()),
            ("catalogSourceName", operator.catalog_source_name.text()),
            (
                "catalogSourceNamespaceName",
                operator.catalog_source_namespace_name.text(),
            ),
            (
                "clusterServiceVersionName",
                operator.cluster_service_version_name.text(),
            ),
        ]
    });
    for ((field, new), (_, old)) in new.into_iter().zip(old) {
        if new != old {
            let message = match new {
                Some(new) => format!("{} lasts until the operator starts", quote(new)),
                None => "comes back when the operator starts".to_owned(),
            };
            report.say(configured(&format!("/drClusterOperator/{field}")), message);
        }
    }
}

fn copy_method(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let config = Config::of(case);
    let method = config.and_then(|config| config.says().vol_sync.destination_copy_method.text());
    if let Some(method) = method.filter(|method| !["Snapshot", "Direct"].contains(method)) {
        report.say(
            configured("/volSync/destinationCopyMethod"),
            format!("{} is not \"Snapshot\" or \"Direct\"", quote(method)),
        );
    }
}

/// The discovered applications of a namespace on the hub, those that stay first, and how many stay.
fn discovered<'a>(
    case: &Case<'a, ConfigMap>,
    namespace: &str,
) -> (Vec<&'a Object<DRPlacementControl>>, usize) {
    let mut drpcs = case
        .world
        .related::<DRPlacementControl>(Relation::Namespace, namespace);
    drpcs.sort_by_key(|drpc| drpc.meta.is_terminating());
    let stay = drpcs
        .iter()
        .filter(|drpc| !drpc.meta.is_terminating())
        .count();
    (drpcs, stay)
}

fn protects_namespaces(drpc: &Object<DRPlacementControl>) -> bool {
    let namespaces = drpc.spec.protected_namespaces.as_ref();
    namespaces.is_some_and(|namespaces| !namespaces.is_empty())
}

/// Says what a change does to the discovered applications of a namespace: grave where some stay.
fn say_of_discovered(
    config: &Config<'_>,
    report: &mut Report,
    pointer: &str,
    (drpcs, stay): &(Vec<&Object<DRPlacementControl>>, usize),
    message: &str,
) {
    let Some(first) = drpcs.first() else { return };
    let message = format!("{message} {}", some(drpcs, |drpc| drpc.key().to_string()));
    let finding = if *stay > 0 {
        config.grave(report, configured(pointer), message)
    } else {
        report.advise(configured(pointer), message)
    };
    finding.because(*first, "/spec/protectedNamespaces");
}

fn ops_namespace(case: &Case<'_, ConfigMap>, report: &mut Report) {
    let Some(config) = Config::of(case) else {
        return;
    };
    let before = config
        .old
        .and_then(|old| old.says.ramen_ops_namespace.text());
    let now = config.says().ramen_ops_namespace.text();
    let Some(before) = before.filter(|before| now != Some(before)) else {
        return;
    };
    let message = match now {
        Some(now) => format!(
            "{} takes the place of {}, where there is",
            quote(now),
            quote(before)
        ),
        None => format!("is gone, and in {} there is", quote(before)),
    };
    let (mut drpcs, _) = discovered(case, before);
    drpcs.retain(|drpc| protects_namespaces(drpc));
    let stay = drpcs.iter().filter(|drpc| !drpc.meta.is_terminating());
    let found = (drpcs.clone(), stay.count());
    say_of_discovered(&config, report, "/ramenOpsNamespace", &found, &message);
    let vrgs = case
        .world
        .related::<VolumeReplicationGroup>(Relation::Namespace, before);
    if found.0.is_empty()
        && let Some(first) = vrgs.first()
    {
        let shown = some(&vrgs, |vrg| vrg.key().to_string());
        let finding = report.advise(
            configured("/ramenOpsNamespace"),
            format!("{message} {shown}"),
        );
        finding.because(*first, "/spec/protectedNamespaces");
    }
}

fn multi_namespace(case: &Case<'_, ConfigMap>, report: &mut Report) {
    const FIELD: &str = "/multiNamespace/FeatureEnabled";
    let Some(config) = Config::of(case) else {
        return;
    };
    let on = |config: &RamenConfig| config.multi_namespace.feature_enabled.unwrap_or_default();
    let Some(old) = config.old.filter(|old| on(&old.says)) else {
        return;
    };
    if on(config.says()) {
        return;
    }
    let ops = old.says.ramen_ops_namespace.text();
    let (drpcs, _) = ops.map(|ops| discovered(case, ops)).unwrap_or_default();
    // Ramen refuses all of them. Only those that protect other namespaces can't do without.
    let stay = drpcs
        .iter()
        .filter(|drpc| protects_namespaces(drpc) && !drpc.meta.is_terminating());
    let found = (drpcs.clone(), stay.count());
    let message = "is off, and there is";
    say_of_discovered(&config, report, FIELD, &found, message);
    let mut vrgs: Vec<_> = ops
        .into_iter()
        .chain([&*config.known.key.namespace])
        .flat_map(|namespace| {
            case.world
                .related::<VolumeReplicationGroup>(Relation::Namespace, namespace)
        })
        .collect();
    vrgs.retain(|vrg| {
        let protection = vrg.spec.kube_object_protection.as_ref();
        protection.is_some_and(|protection| protection.recipe_ref.is_some())
    });
    if found.0.is_empty()
        && let Some(first) = vrgs.first()
    {
        let shown = some(&vrgs, |vrg| vrg.key().to_string());
        let finding = report.advise(configured(FIELD), format!("{message} {shown}"));
        finding.because(*first, "/spec/kubeObjectProtection/recipeRef");
    }
}

fn delete(case: &Case<'_, ConfigMap>, report: &mut Report) {
    const NAME: &str = "/metadata/name";
    let key = case.new.key();
    if !is_config(&key, case.operator_namespace) {
        return;
    }
    let store = case.world.store();
    if !Configs::is_hubs(&key.name) {
        if !store.vrgs.is_empty() {
            let message = format!("\"{}\" is what applications here need", key.name);
            report.advise(NAME, message);
        }
        return;
    }
    let clusters = case.world.related::<DRCluster>(Relation::Any, "");
    let cluster = clusters
        .iter()
        .find(|cluster| !cluster.meta.is_terminating());
    // Of applications without a cluster any will do.
    let drpcs = store
        .drpcs
        .iter()
        .filter(|drpc| !drpc.meta.is_terminating());
    let drpc = drpcs.min_by_key(|drpc| (&drpc.meta.namespace, &drpc.meta.name));
    let drpc = drpc.and_then(|drpc| {
        let there = case
            .world
            .get::<DRPlacementControl>(&drpc.meta.namespace, &drpc.meta.name);
        there.found()
    });
    let needs = |user: &Key| format!("\"{}\" is what {user} needs", key.name);
    match (cluster, drpc) {
        (Some(cluster), _) => {
            let finding = report.say(NAME, needs(&cluster.key()));
            finding.because(*cluster, "/spec/s3ProfileName");
        }
        (None, Some(drpc)) => {
            let finding = report.say(NAME, needs(&drpc.key()));
            finding.because(drpc, "/spec/drPolicyRef");
        }
        (None, None) if !clusters.is_empty() => {
            report.advise(NAME, needs(&clusters[0].key()));
        }
        (None, None) => {}
    }
}
