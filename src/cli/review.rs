//! `review`: answers one recorded `AdmissionReview` exactly as the webhook would.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use super::{Strictness, print, site::Site, state};
use crate::{
    admission::{
        review::{Review, answer},
        server,
    },
    engine::Engine,
    manifest::yaml::{self, Limits},
};

/// Answers one recorded AdmissionReview exactly as the webhook would
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Manifests of the other objects of the cluster: files or folders
    #[arg(long, value_name = "PATH")]
    state: Vec<PathBuf>,
    /// The AdmissionReview, in JSON or YAML; standard input if none or `-`
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    site: Site,
    #[command(flatten)]
    strictness: Strictness,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let policies = args.site.sound(&args.state)?;
    let engine = Engine::new(args.strictness.settings()?).with_policies(policies);
    let world = state(&args.state)?;
    let body = match args.file.as_deref().filter(|path| path.as_os_str() != "-") {
        Some(path) => File::open(path)
            .map_err(|error| error.to_string())
            .and_then(recording)
            .map_err(|error| format!("{}: {error}", path.display()))?,
        None => recording(io::stdin()).map_err(|error| format!("standard input: {error}"))?,
    };
    let review = Review::read(&as_json(body)?).map_err(|error| error.to_string())?;
    let verdict = engine.judge(&review.request, &world, None);
    for (policy, unsure) in &verdict.undecided {
        // Where nobody listens there is nobody to tell.
        let _ = writeln!(
            anstream::stderr(),
            "ramen-guard: ValidatingAdmissionPolicy \"{policy}\" could not be evaluated: {}",
            unsure.reason()
        );
    }
    let answer = answer(&review, &verdict);
    print(&format!("{}\n", String::from_utf8_lossy(&answer)))
}

/// All of a recording, which may be as long as what the webhook takes.
fn recording(input: impl Read) -> Result<Vec<u8>, String> {
    let limit = server::Limits::default().body;
    let mut body = Vec::new();
    let mut input = input.take(u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1));
    input
        .read_to_end(&mut body)
        .map_err(|error| error.to_string())?;
    if body.len() > limit {
        return Err(format!(
            "longer than {} MiB, which is the most that the webhook takes",
            limit >> 20
        ));
    }
    Ok(body)
}

/// A recording in JSON as it is, one in YAML turned into JSON.
fn as_json(body: Vec<u8>) -> Result<Vec<u8>, String> {
    if body.trim_ascii_start().starts_with(b"{") {
        return Ok(body);
    }
    let text =
        String::from_utf8(body).map_err(|error| format!("the recording is not UTF-8: {error}"))?;
    match yaml::documents(&text, &Limits::default())
        .into_iter()
        .next()
    {
        Some(Ok(composed)) => Ok(composed.value.to_string().into_bytes()),
        Some(Err(error)) => Err(format!("the recording can't be read: {error}")),
        None => Err("there is no AdmissionReview in what was given".to_owned()),
    }
}
