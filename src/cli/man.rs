//! `man`: the manual pages.

use std::{fs, path::PathBuf, process::ExitCode};

use super::{command, print};

/// Writes the manual pages into a folder, one a command
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The folder, which is made if it is not there; man looks into /usr/local/share/man/man1, for one
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", args.folder.display());
    fs::create_dir_all(&args.folder).map_err(failed)?;
    clap_mangen::generate_to(command(), &args.folder).map_err(failed)?;
    print(&format!(
        "the manual pages are in {}; `man {}` shows the first\n",
        args.folder.display(),
        args.folder.join("ramen-guard.1").display()
    ))
}
