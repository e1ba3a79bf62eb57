//! What happens next after a failure: a pure function of the error's class and of how often it has
//! happened in a row.

use everseal_planner::inventory::ErrorClass;

/// What becomes of a resource whose work failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Again, after a wait that grows.
    Backoff,
    /// With the next full pass: trying sooner can't help.
    NextResync,
    /// Never: there is nothing left to do it to.
    Forget,
}

/// A permission or key document that was just granted takes a while to hold everywhere
/// [IAM: Troubleshooting, "Changes that I make are not always immediately visible"]: so long it is
/// worth trying again.
const DENIED_TRIES: u32 = 3;

/// Decides; `failures` counts the failures in a row, this one included.
pub const fn next(class: ErrorClass, failures: u32) -> Next {
    match class {
        ErrorClass::Throttled | ErrorClass::Conflict | ErrorClass::Unavailable => Next::Backoff,
        ErrorClass::Denied if failures <= DENIED_TRIES => Next::Backoff,
        // A limit of a day must not be run against over and over (AWS-FACTS §5).
        ErrorClass::Denied | ErrorClass::Invalid | ErrorClass::LimitExceeded => Next::NextResync,
        ErrorClass::NotFound => Next::Forget,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_by_itself_is_tried_again() {
        for class in [ErrorClass::Throttled, ErrorClass::Conflict, ErrorClass::Unavailable] {
            assert_eq!(next(class, 1), Next::Backoff);
            assert_eq!(next(class, 50), Next::Backoff);
        }
    }

    #[test]
    fn a_missing_permission_is_tried_a_few_times_and_then_left_to_the_next_pass() {
        assert_eq!(next(ErrorClass::Denied, 3), Next::Backoff);
        assert_eq!(next(ErrorClass::Denied, 4), Next::NextResync);
    }

    #[test]
    fn what_can_only_fail_again_waits() {
        assert_eq!(next(ErrorClass::Invalid, 1), Next::NextResync);
        assert_eq!(next(ErrorClass::LimitExceeded, 1), Next::NextResync);
        assert_eq!(next(ErrorClass::NotFound, 1), Next::Forget);
    }
}
