//! What a DRPolicy in a file says about when it is applied.

use crate::{
    api::{DRCluster, DRPolicy},
    golang::quote,
    rules::{Case, Report, Rule, files::wave},
};

pub(super) const RULES: &[Rule<DRPolicy>] = &[("drpolicy-sync-order", sync_order)];

fn sync_order(case: &Case<'_, DRPolicy>, report: &mut Report) {
    let own = wave(&case.new.meta);
    if !own.explicit {
        return;
    }
    for (index, name) in case.new.spec.dr_clusters.iter().enumerate() {
        let Some(cluster) = case.world.get::<DRCluster>("", name).found() else {
            continue;
        };
        let other = wave(&cluster.meta);
        let again = case.new.spec.dr_clusters[..index].contains(name);
        if own.order < other.order && !again {
            report
                .say(
                    &own.pointer,
                    format!(
                        "{} comes before {} of DRCluster {}",
                        own.shown(),
                        other.shown(),
                        quote(name)
                    ),
                )
                .because(cluster, &other.pointer);
        }
    }
}
