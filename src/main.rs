//! The `ramen-guard` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    ramen_guard::cli::run()
}
