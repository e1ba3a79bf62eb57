//! Unencrypted databases get encrypted by moving to an encrypted copy: a state machine without a state of its own.
//!
//! Each pass recognises from names, tags and states what stage a migration is in ([`report::Stage`]) and proposes the next
//! single change ([`change::MigrationChange`]) or says what it waits for, or what stops it. Never here: a stage that cannot
//! be left again, a deletion of what the migration did not make (but for the replaced database, long after and with the
//! policy's word), a switch while anybody may still write to the old side.

mod abort;
mod blue_green;
mod build;
mod case;
pub mod change;
pub(crate) mod compare;
mod cutover;
mod decide;
mod family;
mod members;
mod names;
pub mod observed;
pub mod report;
mod status;
mod switch;
#[cfg(test)]
mod tests;

use crate::plan::Context;
use crate::{Arn, Step};

pub(crate) use decide::{fill_in_blocks, judge};
pub(crate) use names::OLD;

/// The steps that give up the migration of `database` (its ARN of now): clients are let in again, the database is noted as
/// left alone, and what the migration made is removed. What AWS is still at work on is removed by the passes that follow.
/// No gate of the policy stops these steps: a person asks for them.
///
/// # Errors
/// In words: nothing is being migrated, it is too late (and what to do instead), or what was made could not be read.
pub fn abort(cx: &Context<'_>, database: &Arn) -> Result<Vec<Step>, String> {
    decide::by_hand(cx, database, |case, old| {
        let noted = old.tag(observed::TAG_ABORTED_AT).is_none().then(|| abort::note(case, old));
        let steps = noted.into_iter().chain(abort::cleaning(case, old));
        Ok(steps.filter(|step| step.change.is_some()).collect())
    })
}

/// The step that lets an aborted migration of `database` begin anew.
///
/// # Errors
/// In words: nothing was aborted, or it could not be read.
pub fn resume(cx: &Context<'_>, database: &Arn) -> Result<Vec<Step>, String> {
    decide::by_hand(cx, database, |case, old| match old.tag(observed::TAG_ABORTED_AT) {
        Some(_) => Ok(vec![abort::resumed(old)]),
        None => Err(format!("the migration of {} was not aborted", case.name())),
    })
}
