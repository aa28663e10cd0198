//! The `ramen-guard` binary.

use std::process::ExitCode;

/// A review is many small allocations that live for microseconds: a third of judging one, with the
/// C library's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ramen_guard::cli::run()
}
