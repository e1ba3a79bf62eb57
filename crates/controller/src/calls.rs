//! What the AWS side tells of its own calls: one method per event, so that the adapters know nothing
//! of metrics and the loop knows nothing of the SDK.

use std::time::Duration;

/// Watches calls to AWS. Called on the hot path: implementations must neither block nor fail.
pub trait CallObserver: Send + Sync + 'static {
    /// One request went over the wire and came back, retries counted one by one.
    ///
    /// `code` is `OK` for a success, AWS's error code (`AccessDeniedException`) for a refusal, and
    /// `Timeout` or `Unreachable` where there was no answer.
    fn attempt(&self, service: &'static str, operation: &'static str, code: &str, duration: Duration);

    /// AWS answered that there were too many requests, or our own token bucket made the call wait because of it.
    fn throttled(&self, service: &'static str, operation: &'static str);
}

/// Watches nothing: for the command line, where nobody scrapes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl CallObserver for Unwatched {
    fn attempt(&self, _service: &'static str, _operation: &'static str, _code: &str, _duration: Duration) {}

    fn throttled(&self, _service: &'static str, _operation: &'static str) {}
}
