//! When migrations of databases are looked at again: soon while AWS works on one, sooner while clients are cut off, and at the
//! moment when time alone changes what happens next.
//!
//! A migration goes on in steps that take AWS minutes to hours each. Nothing tells when one is done, and nobody wants to wait
//! a whole interval at each of them; a migration that waits for a person costs nothing.

use std::time::Duration;

use everseal_planner::rds::migration::report::{MigrationReport, Stage};

/// While clients are cut off, or names move.
const CUT_OVER: Duration = Duration::from_secs(10);
/// While AWS builds something.
const BUILDING: Duration = Duration::from_secs(30);

/// How soon a migration is looked at again because of its stage; `goes_on`: a step may be made, or AWS is at work.
pub(super) fn of_stage(report: &MigrationReport, goes_on: bool) -> Option<Duration> {
    match report.stage {
        Stage::Isolating | Stage::Switching | Stage::Finishing => Some(CUT_OVER),
        Stage::Snapshotting | Stage::Copying | Stage::Restoring | Stage::Configuring => Some(BUILDING),
        // What was made is being deleted.
        Stage::Aborted if report.copy.is_some() => Some(BUILDING),
        Stage::Planned | Stage::Prepared | Stage::KeepingOld | Stage::Done | Stage::Stuck | Stage::Aborted => goes_on.then_some(BUILDING),
    }
}

/// How soon time changes what happens next. A moment that has passed is not waited for again at once: it was looked at.
pub(super) fn until_it_wakes(report: &MigrationReport, now: i64) -> Option<Duration> {
    let at = report.wakes_at?;
    Some(Duration::from_secs(u64::try_from(at - now).unwrap_or_default()).max(CUT_OVER))
}

/// It is looked at now: its stage asks for that, or a moment that it waited for has come.
pub(super) fn is_due(report: &MigrationReport, goes_on: bool, now: i64) -> bool {
    of_stage(report, goes_on).is_some() || report.wakes_at.is_some_and(|at| at <= now)
}

/// When the next of these migrations is looked at; `None`: the next full pass is soon enough.
pub(super) fn next_look<'a>(migrations: impl Iterator<Item = (&'a MigrationReport, bool)>, now: i64) -> Option<Duration> {
    migrations.flat_map(|(report, goes_on)| [of_stage(report, goes_on), until_it_wakes(report, now)]).flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOON, migration};

    fn look(reports: &[MigrationReport], goes_on: bool) -> Option<u64> {
        next_look(reports.iter().map(|report| (report, goes_on)), NOON).map(|wait| wait.as_secs())
    }

    #[test]
    fn what_moves_is_looked_at_soon_and_what_waits_for_a_person_is_not() {
        for stage in Stage::ALL {
            let wait = look(&[migration("ledger", *stage)], false);
            let wanted = match stage {
                Stage::Isolating | Stage::Switching | Stage::Finishing => Some(10),
                Stage::Snapshotting | Stage::Copying | Stage::Restoring | Stage::Configuring => Some(30),
                Stage::Planned | Stage::Prepared | Stage::KeepingOld | Stage::Done | Stage::Stuck | Stage::Aborted => None,
            };
            assert_eq!(wait, wanted, "{stage}");
        }
        assert_eq!(look(&[migration("ledger", Stage::Prepared)], true), Some(30), "it goes on");
        assert_eq!(look(&[migration("a", Stage::Copying), migration("b", Stage::Switching)], false), Some(10), "the first counts");
        assert_eq!(look(&[], true), None);
    }

    #[test]
    fn an_aborted_one_is_looked_at_until_its_copy_is_gone() {
        let mut report = migration("ledger", Stage::Aborted);
        report.copy = Some("ledger-copy".to_owned());
        assert_eq!(look(&[report], false), Some(30));
    }

    #[test]
    fn a_window_that_opens_is_waited_for_to_the_second_and_is_due_then() {
        let mut report = migration("ledger", Stage::Prepared);
        report.wakes_at = Some(NOON + 3600);
        assert_eq!(look(std::slice::from_ref(&report), false), Some(3600));
        assert!(!is_due(&report, false, NOON + 3599));
        assert!(is_due(&report, false, NOON + 3600));
        report.wakes_at = Some(NOON - 5);
        assert_eq!(look(&[report], false), Some(10), "never a loop without a pause");
    }
}
