//! How far a long run is, for whoever sits before it.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

/// A run that ends before this needs no patience.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often the line changes.
const PACE: Duration = Duration::from_millis(100);

/// One line on standard error that says how far a run is. It comes only when a run takes long, and goes before
/// anything else is written. The default says nothing.
#[derive(Debug, Default)]
pub struct Progress {
    /// When the line is to change next; nothing if nobody looks.
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// For people, if standard error is their terminal.
    pub fn for_people() -> Self {
        let obeys = std::env::var_os("TERM").is_none_or(|kind| kind != "dumb");
        let looked_at = obeys && std::io::stderr().is_terminal();
        Self {
            next: looked_at.then(|| Instant::now() + PATIENCE),
            shown: false,
        }
    }

    /// Says what is done, and how far it is.
    pub(super) fn step(&mut self, what: &str, done: usize, of: usize) {
        if self.next.is_some() && self.is_due(Instant::now()) {
            // Nobody is hurt if it can't be written.
            let _ = write!(std::io::stderr(), "\r\u{1b}[2K{what} {done} of {of}");
        }
    }

    /// Whether the line is to change now.
    fn is_due(&mut self, now: Instant) -> bool {
        if self.next.is_none_or(|next| now < next) {
            return false;
        }
        self.next = Some(now + PACE);
        self.shown = true;
        true
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\u{1b}[2K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_run_says_something_and_not_all_the_time() {
        let begin = Instant::now();
        let mut progress = Progress {
            next: Some(begin + PATIENCE),
            shown: false,
        };
        let due: Vec<u64> = (0..1000)
            .filter(|at| progress.is_due(begin + Duration::from_millis(*at)))
            .collect();
        assert_eq!(due, [500, 600, 700, 800, 900]);
        assert!(progress.shown);
        // What is written here is only what takes the line away.
        progress.shown = false;
        assert!(!Progress::default().is_due(begin + 10 * PATIENCE));
    }
}
