//! Exit codes (DESIGN.md §7): what scripts and pipelines rely on.

use std::io::{self, Write};
use std::process::ExitCode;

/// How a command ended, when it did not end in an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// In sync, or done: 0.
    InSync,
    /// Everything was shown, but something could not be read, so nobody can say "in sync": 1.
    Incomplete,
    /// Drift was found: 2.
    Drift,
    /// A step failed or was stopped: 3.
    StepFailed,
}

/// Prints an error with its causes and turns the outcome into a code.
pub fn code(outcome: anyhow::Result<Outcome>) -> ExitCode {
    match outcome {
        Ok(Outcome::InSync) => ExitCode::SUCCESS,
        Ok(Outcome::Incomplete) => ExitCode::from(1),
        Ok(Outcome::Drift) => ExitCode::from(2),
        Ok(Outcome::StepFailed) => ExitCode::from(3),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}", words(&error));
            ExitCode::from(1)
        }
    }
}

/// An error and its causes; libraries that repeat a cause in their own words are not repeated once more.
pub fn words(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |said, cause| {
        let cause = cause.to_string();
        if said.is_empty() {
            cause
        } else if said.contains(&cause) {
            said
        } else {
            format!("{said}: {cause}")
        }
    })
}

/// `everseal plan | head` is not an error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_named_once() {
        let error = anyhow::anyhow!("no such bucket").context("listing failed: no such bucket").context("the ledger can't be read");
        assert_eq!(words(&error), "the ledger can't be read: listing failed: no such bucket");
    }
}
