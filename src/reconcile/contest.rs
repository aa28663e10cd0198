//! Not fighting: who changes something back wants it so.
//!
//! What is to be changed is tried three times, each later than the one before; then it is left alone for
//! as long as it stays different, and that is said. What has stayed as it was left for an hour is a new
//! matter.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{Pace, tell::What};

/// How often something is tried.
pub(super) const TRIES: u32 = 3;

/// Whether something may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum May {
    /// Now.
    Write,
    /// Later.
    Wait,
    /// Not any more, and that has not been said yet.
    GiveUp,
    /// Not any more.
    Not,
}

#[derive(Debug)]
struct Tried {
    count: u32,
    written: Instant,
    wanted: Instant,
    said: bool,
}

/// What has been tried so far.
#[derive(Debug)]
pub(super) struct Contests {
    tried: HashMap<(What, String), Tried>,
    look: Duration,
    forget: Duration,
}

impl Contests {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            tried: HashMap::new(),
            look: pace.look,
            forget: pace.forget,
        }
    }

    /// Whether a change that is wanted may be made.
    pub(super) fn ask(&mut self, what: What, object: &str, now: Instant) -> May {
        let Some(tried) = self.tried.get_mut(&(what, object.to_owned())) else {
            return May::Write;
        };
        tried.wanted = now;
        if tried.count < TRIES {
            let due = tried.written + self.look * 2_u32.pow(tried.count - 1);
            return if now >= due { May::Write } else { May::Wait };
        }
        if std::mem::replace(&mut tried.said, true) {
            May::Not
        } else {
            May::GiveUp
        }
    }

    /// Notes a try.
    pub(super) fn tried(&mut self, what: What, object: &str, now: Instant) {
        let entry = self.tried.entry((what, object.to_owned()));
        let tried = entry.or_insert(Tried {
            count: 0,
            written: now,
            wanted: now,
            said: false,
        });
        tried.count += 1;
        tried.written = now;
        tried.wanted = now;
    }

    /// Forgets what has not been wanted for long: it has stayed as it was left.
    pub(super) fn forget(&mut self, now: Instant) {
        self.tried
            .retain(|_, tried| now.duration_since(tried.wanted) < self.forget);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: (What, &str) = (What::CaBundle, "DRPolicy/one");

    #[test]
    fn a_fight_ends_after_three_tries_and_is_said_once() {
        let pace = Pace::times(1.0);
        let mut contests = Contests::new(pace);
        let mut now = Instant::now();
        let mut writes = 0;
        let mut given_up = 0;
        for _ in 0..100 {
            now += pace.look;
            match contests.ask(LABEL.0, LABEL.1, now) {
                May::Write => {
                    writes += 1;
                    contests.tried(LABEL.0, LABEL.1, now);
                }
                May::GiveUp => given_up += 1,
                May::Wait | May::Not => {}
            }
            contests.forget(now);
        }
        assert_eq!((writes, given_up), (TRIES, 1));
    }

    #[test]
    fn each_try_waits_longer() {
        let pace = Pace::times(1.0);
        let mut contests = Contests::new(pace);
        let begin = Instant::now();
        contests.tried(LABEL.0, LABEL.1, begin);
        let ask = |contests: &mut Contests, looks: u32| {
            contests.ask(LABEL.0, LABEL.1, begin + pace.look * looks)
        };
        assert_eq!(ask(&mut contests, 0), May::Wait);
        assert_eq!(ask(&mut contests, 1), May::Write);
        contests.tried(LABEL.0, LABEL.1, begin + pace.look);
        assert_eq!(ask(&mut contests, 2), May::Wait);
        assert_eq!(ask(&mut contests, 3), May::Write);
        assert_eq!(
            contests.ask(LABEL.0, "DRPolicy/other", begin),
            May::Write,
            "others are other matters"
        );
    }

    #[test]
    fn what_stayed_as_it_was_left_is_forgotten() {
        let pace = Pace::times(1.0);
        let mut contests = Contests::new(pace);
        let begin = Instant::now();
        for _ in 0..TRIES {
            contests.tried(LABEL.0, LABEL.1, begin);
        }
        contests.forget(begin + pace.forget / 2);
        assert_eq!(contests.ask(LABEL.0, LABEL.1, begin), May::GiveUp);
        contests.forget(begin + pace.forget * 2);
        assert_eq!(contests.ask(LABEL.0, LABEL.1, begin), May::Write);
    }
}
