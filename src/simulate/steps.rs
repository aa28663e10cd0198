//! What stands on the way of an action with an application: a test that is under way, and what a person has
//! to do.

use super::{Told, application::Case, row::Row};
use crate::rules::drplacementcontrol::{
    common::is_discovered,
    state::{CLEANING, TEST_FAILOVER, TESTING, is_dry_run, progression},
};

/// Source: internal/controller/drplacementcontrol.go:155-240, 279-371, 783-785
pub(super) fn dry_run(case: &Case<'_>, told: &mut Told) {
    let drpc = case.drpc;
    let tests = drpc.meta.annotation(TEST_FAILOVER) == Some("true")
        || progression(drpc.status()) == TESTING;
    let row = match (is_dry_run(drpc), tests) {
        (false, false) => return,
        (true, _) if !case.is_failover() => Row::problem("test-failover", "spec.dryRun is true")
            .then("Ramen carries nothing but a failover out while it is; take dryRun away first"),
        (true, tests) => {
            let value = if tests {
                "spec.dryRun is true, and a test is under way"
            } else {
                "spec.dryRun is true"
            };
            Row::problem("test-failover", value).then(
                "this is a test only. To take dryRun away and keep the target makes the copy the original, and \
                 what the application wrote since the test began is lost",
            )
        }
        (false, true) => Row::problem("test-failover", "a test is being ended").then(
            "Ramen takes an action that goes to the tested cluster for the wish to keep it, and any other for \
             the wish to go back, which has to be what was before the test",
        ),
    };
    told.row(row);
}

/// What Ramen, or a person, still has to do on the way.
///
/// Source: internal/controller/drplacementcontrol.go:1446-1503, 3450-3470
pub(super) fn on_the_way(case: &Case<'_>, told: &mut Told) {
    if case.is_there() && !case.asks_already() {
        return;
    }
    let discovered = is_discovered(case.drpc);
    let step = progression(case.drpc.status());
    if !case.is_failover() {
        if case.is_there() {
            return;
        }
        let row = if discovered {
            Row::waits("final-sync", "of a discovered application").then(
                "Ramen copies what is left once the application is gone: it waits in WaitOnUserToCleanUp until \
                 you delete it on the cluster that it is on",
            )
        } else {
            Row::ok("final-sync", "will be made").then(
                "Ramen stops the application on the cluster that it is on, copies what is left, and starts it on \
                 the other one: it is away for that long",
            )
        };
        told.row(row);
    } else if CLEANING.contains(&step) && !case.asks_already() {
        let row = Row::problem("clean-up", step);
        told.row(row.then("the cluster that the application left is not cleaned up yet"));
    } else if discovered {
        let row = Row::ok("clean-up", "of a discovered application");
        told.row(row.then(
            "once its old cluster is back, you delete the application there (WaitOnUserToCleanUp); until then \
             nothing is protected",
        ));
    }
}
