//! `uninstall`: takes the guard away, in the order in which nothing waits for what has gone.

use std::{process::ExitCode, time::Duration};

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};

use super::{
    print,
    takeaway::{self, CLUSTER_RIGHTS, CONFIGURATIONS, POLICIES, RIGHTS, Takeaway},
};
use crate::reconcile::OURS;

/// Until every API server has learnt that it does not call the guard any more.
const LEARNT: Duration = Duration::from_secs(5);

/// Prints, or with --yes does, what takes the guard away for good, its configurations first
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Does it, in the cluster that kubectl would talk to
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    if args.yes {
        super::wait(done())?
    } else {
        print(&printed())
    }
}

fn printed() -> String {
    format!(
        "# First what calls the guard, so that no write waits for one that has gone.\n\
         {}{}\
         sleep {}\n\
         {}{}\
         # With all that is in it: the pods, the certificate, the configuration.\n\
         kubectl delete namespace -l {OURS}\n",
        takeaway::command(&CONFIGURATIONS),
        takeaway::command(&POLICIES),
        LEARNT.as_secs(),
        takeaway::command(&RIGHTS),
        takeaway::command(&CLUSTER_RIGHTS),
    )
}

async fn done() -> Result<ExitCode, String> {
    let mut away = Takeaway::begin().await?;
    away.delete(&CONFIGURATIONS).await;
    away.delete(&POLICIES).await;
    if away.failed {
        print(&away.said)?;
        return Err("the configurations are still there, so the guard stays too".to_owned());
    }
    tokio::time::sleep(LEARNT).await;
    away.delete(&RIGHTS).await;
    away.delete(&CLUSTER_RIGHTS).await;
    let namespaces: Api<Namespace> = Api::all(away.client());
    match namespaces.list(&ListParams::default().labels(OURS)).await {
        Err(error) => away.fail("namespaces", &error.to_string()),
        Ok(found) => {
            for namespace in found {
                let name = namespace.metadata.name.unwrap_or_default();
                match namespaces.delete(&name, &DeleteParams::default()).await {
                    Ok(_) => away.say(&format!("deleted Namespace {name}")),
                    Err(error) => away.fail(&format!("Namespace {name}"), &error.to_string()),
                }
            }
        }
    }
    away.others().await;
    let failed = away.failed;
    print(&away.said)?;
    Ok(ExitCode::from(u8::from(failed)))
}
