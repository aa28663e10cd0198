//! `review`: answers one recorded `AdmissionReview` exactly as the webhook would.

use std::{
    io::{Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use super::{Strictness, state};
use crate::{
    admission::review::{Review, answer},
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
    strictness: Strictness,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let engine = Engine::new(args.strictness.settings()?);
    let world = state(&args.state)?;
    let mut body = Vec::new();
    match args.file.as_deref().filter(|path| path.as_os_str() != "-") {
        Some(path) => {
            body = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        None => {
            std::io::stdin()
                .read_to_end(&mut body)
                .map_err(|error| format!("standard input: {error}"))?;
        }
    }
    let review = Review::read(&as_json(body)?).map_err(|error| error.to_string())?;
    let verdict = engine.judge(&review.request, &world, None);
    let mut out = std::io::stdout().lock();
    out.write_all(&answer(&review, &verdict))
        .and_then(|()| out.write_all(b"\n"))
        .map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
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
