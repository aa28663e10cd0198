//! `break-glass`: takes the guard out of the way, and has it stay there.

use std::process::ExitCode;

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    print,
    takeaway::{self, CONFIGURATIONS, POLICIES, Takeaway},
};
use crate::{engine::BREAK_GLASS, install::NAMESPACE, reconcile::MANAGER};

/// Prints, or with --yes does, what takes the guard out of the way until it is asked back
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Does it, in the cluster that kubectl would talk to
    #[arg(long)]
    yes: bool,
    /// Why, for who finds the mark later
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    reason: String,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let mark = mark(&args.reason);
    if args.yes {
        super::wait(done(&mark))?
    } else {
        print(&printed(&mark))
    }
}

/// What the mark says: when, and why.
fn mark(reason: &str) -> String {
    let now = OffsetDateTime::now_utc();
    let now = now.replace_nanosecond(0).unwrap_or(now);
    let now = now.format(&Rfc3339).unwrap_or_default();
    format!("{now}: {reason}")
}

fn printed(mark: &str) -> String {
    let mark = mark.replace('\'', r"'\''");
    format!(
        "# Nothing is judged from here on. No webhook can stop this, and it needs nothing of the guard's.\n\
         {}{}\
         # The guard, if it lives, writes nothing while this mark is there.\n\
         kubectl annotate --overwrite namespace {NAMESPACE} {BREAK_GLASS}='{mark}'\n\
         # What applies its manifests from Git puts them back: stop that, too.\n\
         \n{}",
        takeaway::command(&CONFIGURATIONS),
        takeaway::command(&POLICIES),
        back()
    )
}

/// How the guard comes back.
fn back() -> String {
    format!(
        "# To come back: apply the manifests again, then\n\
         #   kubectl annotate namespace {NAMESPACE} {BREAK_GLASS}-\n"
    )
}

async fn done(mark: &str) -> Result<ExitCode, String> {
    let mut away = Takeaway::begin().await?;
    away.delete(&CONFIGURATIONS).await;
    away.delete(&POLICIES).await;
    let api: Api<Namespace> = Api::all(away.client());
    let patch = json!({ "metadata": { "annotations": { BREAK_GLASS: mark } } });
    let params = PatchParams {
        field_manager: Some(format!("{MANAGER}-break-glass")),
        ..PatchParams::default()
    };
    match api.patch(NAMESPACE, &params, &Patch::Merge(patch)).await {
        Ok(_) => away.say(&format!("marked Namespace {NAMESPACE}: {mark}")),
        Err(error) if takeaway::is_missing(&error) => {
            away.say(&format!("there is no Namespace {NAMESPACE} to mark"));
        }
        Err(error) => away.fail(&format!("Namespace {NAMESPACE}"), &error.to_string()),
    }
    away.others().await;
    let failed = away.failed;
    print(&(away.said + &back()))?;
    Ok(ExitCode::from(u8::from(failed)))
}
