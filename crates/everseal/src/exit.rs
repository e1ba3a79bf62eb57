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
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::from(1)
        }
    }
}

/// `everseal plan | head` is not an error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
