//! One thing that Ramen would look at.

use crate::{api::Key, report::plain};

/// What one thing means for the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing to wait for.
    Ok,
    /// Nobody can say.
    Unknown,
    /// Ramen would wait for it.
    Waits,
    /// Ramen does not wait for it, or waits in vain, and somebody will be sorry.
    Problem,
}

impl State {
    /// Every state, the best first.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Waits, Self::Unknown, Self::Problem];

    /// The state in a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Waits => "waits",
            Self::Problem => "problem",
        }
    }
}

/// One thing that Ramen would look at, and what it does then. All texts are on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is, kebab-case.
    pub check: &'static str,
    /// Which cluster it is about, where there could be several; else empty.
    pub about: String,
    /// What it means for the action.
    pub state: State,
    /// What is the case.
    pub value: String,
    /// What Ramen does, or waits for, then; may be empty.
    pub then: String,
    /// The objects that it is about, where they are others.
    pub objects: Vec<Key>,
}

impl Row {
    /// A row.
    pub fn new(state: State, check: &'static str, value: impl Into<String>) -> Self {
        Self {
            check,
            about: String::new(),
            state,
            value: plain(value.into()),
            then: String::new(),
            objects: Vec::new(),
        }
    }

    /// Nothing to wait for.
    pub fn ok(check: &'static str, value: impl Into<String>) -> Self {
        Self::new(State::Ok, check, value)
    }

    /// Ramen would wait.
    pub fn waits(check: &'static str, value: impl Into<String>) -> Self {
        Self::new(State::Waits, check, value)
    }

    /// Nobody can say.
    pub fn unknown(check: &'static str, value: impl Into<String>) -> Self {
        Self::new(State::Unknown, check, value)
    }

    /// Somebody will be sorry.
    pub fn problem(check: &'static str, value: impl Into<String>) -> Self {
        Self::new(State::Problem, check, value)
    }

    /// What Ramen does, or waits for, then.
    #[must_use]
    pub fn then(mut self, then: impl Into<String>) -> Self {
        self.then = plain(then.into());
        self
    }

    /// The cluster that it is about.
    #[must_use]
    pub fn about(mut self, cluster: &str) -> Self {
        self.about = plain(cluster.to_owned());
        self
    }

    /// The other objects that it is about.
    #[must_use]
    pub fn of(mut self, objects: Vec<Key>) -> Self {
        self.objects = objects;
        self
    }
}
