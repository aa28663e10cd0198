//! `man`: the manual pages.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Command;
use clap_mangen::{
    Man,
    roff::{Inline, Roff, bold, roman},
};

use super::{EXIT_CODES, command, print};

/// Writes the manual pages into a folder, one a command
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The folder, which is made if it is not there; man looks into ~/.local/share/man/man1, for one
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, String> {
    let failed = |error: io::Error| format!("{}: {error}", args.folder.display());
    fs::create_dir_all(&args.folder).map_err(failed)?;
    let mut all = command().disable_help_subcommand(true);
    all.build();
    let mut names = Vec::new();
    let commands = all
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    for command in std::iter::once(&all).chain(commands) {
        let name = match command.get_name() {
            "ramen-guard" => "ramen-guard".to_owned(),
            name => format!("ramen-guard-{name}"),
        };
        let mut text = Vec::new();
        page(command.clone(), &name, &mut text).map_err(failed)?;
        fs::write(args.folder.join(format!("{name}.1")), text).map_err(failed)?;
        names.push(name);
    }
    print(&format!(
        "{} manual pages are in {}: {}\n",
        names.len(),
        args.folder.display(),
        names.join(", ")
    ))
}

/// One page. There is no date in it: the same version is the same page.
fn page(command: Command, name: &str, out: &mut dyn Write) -> io::Result<()> {
    let version = concat!("ramen-guard ", env!("CARGO_PKG_VERSION"));
    writeln!(
        out,
        ".TH {} 1 \"\" \"{version}\" \"ramen-guard\"",
        name.to_uppercase()
    )?;
    let (exits, whole) = (
        command.get_after_long_help().is_some(),
        name == "ramen-guard",
    );
    let man = Man::new(command);
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if whole {
        man.render_subcommands_section(out)?;
    }
    let mut end = Roff::new();
    if exits {
        end.control("SH", ["EXIT STATUS"]);
        for (code, what) in EXIT_CODES {
            end.control("TP", []);
            end.text([bold(code.to_string())]);
            end.text(marked(what));
        }
    }
    end.control("SH", ["SEE ALSO"]);
    let others = if whole {
        "ramen-guard explain RULE, for what a rule is about"
    } else {
        "ramen-guard(1)"
    };
    end.text([roman(others)]);
    end.to_writer(out)
}

/// What stands between back quotes is bold.
fn marked(text: &str) -> Vec<Inline> {
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(at, piece)| {
            if at % 2 == 1 {
                bold(piece)
            } else {
                roman(piece)
            }
        })
        .collect()
}
