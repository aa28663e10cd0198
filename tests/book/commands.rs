//! The page of commands: what `--help` says of each.

use clap::Command;
use ramen_guard::cli;

use super::text::{code, sentence};

/// The columns of the help texts.
const WIDTH: usize = 96;

/// The page.
pub(crate) fn page() -> String {
    let mut page = String::from(
        "# Commands\n\n\
         Called as `ramen-guard COMMAND`, or, under the name of a plugin, `kubectl ramen-guard COMMAND`: see \
         [Shells, manual pages, kubectl](shells.md). `ramen-guard COMMAND --help` says what stands here, \
         `-h` the same in short.\n\n\
         | command | what it does |\n| --- | --- |\n",
    );
    let mut all = cli::command().term_width(WIDTH);
    all.build();
    let commands: Vec<Command> = visible(&all).cloned().collect();
    for command in &commands {
        let name = command.get_name();
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        page += &format!("| [{name}](#{name}) | {} |\n", sentence(&about));
    }
    page += &exit_codes();
    for mut command in commands {
        page += &format!("\n## {}\n\n", command.get_name());
        let help = command.render_long_help().to_string();
        let help: Vec<&str> = help.lines().map(str::trim_end).collect();
        page += &code("text", &help.join("\n"));
    }
    page
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

fn exit_codes() -> String {
    let rows = cli::EXIT_CODES.map(|(code, what)| format!("| {code} | {what} |\n"));
    format!(
        "\n## Exit codes\n\n\
         Of `check` and `audit`, whatever the output format:\n\n\
         | code | what |\n| --- | --- |\n{}\n\
         All other commands end with 0, or with 2 if they could not do what was asked. `review` ends with 0 whenever \
         it could answer, whatever the answer.\n",
        rows.concat()
    )
}
