//! Recipe: what is captured of an application, in which order, and what is done in between.
//!
//! In the order of `policies/recipe.yaml`, but that each file has what it takes to judge its rules. Ramen
//! reads the workflows `backup` and `restore` and what they use; the rest of a Recipe may be for somebody
//! else. A string with parameters is not judged: each application has values of its own for them.

mod check;
mod command;
mod condition;
mod field;
mod group;
mod hook;
mod job;
mod number;
mod operation;
pub(in crate::rules) mod parameters;
mod path;
pub(in crate::rules) mod steps;
mod users;
mod workflow;

use super::{Case, Draft, Report, Rule, judged, volumereplicationgroup::OF_RECIPES};
use crate::{api::Recipe, report::nearest};

judged! {
    Recipe: &[
        workflow::RULES,
        group::RULES,
        hook::RULES,
        check::RULES,
        command::RULES,
        operation::RULES,
        field::RULES,
        job::RULES,
        users::RULES,
        OF_RECIPES,
    ];
}

/// Says something about a part of a hook. What no workflow runs may be for somebody else, or for later,
/// and is never a reason to refuse.
fn say_if_run(
    report: &mut Report,
    is_run: bool,
    at: String,
    message: impl Into<String>,
) -> &mut Draft {
    if is_run {
        report.say(at, message)
    } else {
        report.advise(at, message)
    }
}

/// Proposes the name that was probably meant.
fn suggest<'n>(draft: &mut Draft, name: &str, known: impl Iterator<Item = &'n str>) {
    /// Comparing takes time, and no Recipe that a person wrote has more.
    const MOST: usize = 40;

    if let Some(near) = nearest(name, known.take(MOST)) {
        draft.fix(format!("did you mean \"{near}\"?"));
    }
}
