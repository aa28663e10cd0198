//! `policies`: the rules that hold without a server of ours.

use std::process::ExitCode;

use super::{Strictness, print};
use crate::floor::{manifests, policies};

/// Prints the object-local rules as ValidatingAdmissionPolicies with their bindings
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    strictness: Strictness,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let settings = args.strictness.settings()?;
    print(&manifests(&policies(&settings)))
}
