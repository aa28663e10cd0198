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
            body = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => {
            std::io::stdin()
                .read_to_end(&mut body)
                .map_err(|error| format!("standard input: {error}"))?;
        }
    }
    let review = Review::read(&body).map_err(|error| error.to_string())?;
    let verdict = engine.judge(&review.request, &world, None);
    let mut out = std::io::stdout().lock();
    out.write_all(&answer(&review, &verdict))
        .and_then(|()| out.write_all(b"\n"))
        .map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}
