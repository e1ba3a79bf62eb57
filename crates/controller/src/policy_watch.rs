//! The policies in force, and their reload when the files change.
//!
//! Files are read again every few seconds and compared whole: that sees edits, renames and the symlink
//! swap of a Kubernetes `ConfigMap` alike, where watching an inode or a time stamp does not. A new
//! text that is wrong keeps the old policies in force.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use everseal_planner::PolicySet;
use everseal_planner::policy::{self, Diagnostic, Source};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::status::Status;

/// How often the files are read.
pub const READ_EVERY: Duration = Duration::from_secs(3);

/// The policies can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyLoadError {
    /// The files can't be read.
    #[error("the policy can't be read")]
    Read(#[source] io::Error),
    /// They are not valid.
    #[error("the policy is not valid: {}", first_error(.0))]
    Invalid(Vec<Diagnostic>),
}

fn first_error(diagnostics: &[Diagnostic]) -> String {
    let mut errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == policy::Severity::Error);
    let Some(Diagnostic { file, line, column, message, .. }) = errors.next() else { return "no reason is given".to_owned() };
    match errors.count() {
        0 => format!("{file}:{line}:{column}: {message}"),
        more => format!("{file}:{line}:{column}: {message} (and {more} more)"),
    }
}

/// Reads the policy files; the program decides which.
pub type ReadSources = Box<dyn Fn() -> io::Result<Vec<Source>> + Send + Sync>;

/// Watches the policy files.
pub struct PolicyWatch {
    read: ReadSources,
    last: Vec<Source>,
    in_force: watch::Sender<Arc<PolicySet>>,
    clock: Clock,
    metrics: Arc<Metrics>,
    status: Status,
    /// The read error that was reported last, so that it is reported once.
    read_error: Option<String>,
}

impl std::fmt::Debug for PolicyWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicyWatch").field("in_force", &self.in_force.borrow().revision).finish_non_exhaustive()
    }
}

impl PolicyWatch {
    /// Loads the policies for the first time. Returns their warnings too.
    pub fn start(
        read: ReadSources,
        clock: Clock,
        metrics: Arc<Metrics>,
        status: Status,
    ) -> Result<(Self, Vec<Diagnostic>), PolicyLoadError> {
        let sources = read().map_err(PolicyLoadError::Read)?;
        let loaded = policy::load(&sources, clock.now()).map_err(PolicyLoadError::Invalid)?;
        let (in_force, _) = watch::channel(Arc::new(loaded.set));
        let watch = Self { read, last: sources, in_force, clock, metrics, status, read_error: None };
        watch.announce();
        Ok((watch, loaded.warnings))
    }

    /// The policies in force, now and whenever they change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<PolicySet>> {
        self.in_force.subscribe()
    }

    /// Reads the files every `every` until it is stopped.
    pub async fn run(mut self, every: Duration, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => self.look(),
            }
        }
    }

    /// Reads the files once, and puts them in force if they are new and valid.
    pub fn look(&mut self) {
        let sources = match (self.read)() {
            Ok(sources) => sources,
            Err(error) => return self.unreadable(&error),
        };
        let was_unreadable = self.read_error.take().is_some();
        if sources == self.last && !was_unreadable {
            return;
        }
        let loaded = policy::load(&sources, self.clock.now());
        self.last = sources;
        match loaded {
            Ok(loaded) => {
                for warning in &loaded.warnings {
                    tracing::warn!(file = %warning.file, line = warning.line, column = warning.column, "{}", warning.message);
                }
                let is_new = self.in_force.borrow().revision != loaded.set.revision;
                if is_new {
                    tracing::info!(revision = %loaded.set.revision, "the new policy is in force");
                    self.in_force.send_replace(Arc::new(loaded.set));
                }
                self.announce();
            }
            Err(diagnostics) => {
                let revision = self.in_force.borrow().revision.clone();
                for d in &diagnostics {
                    tracing::error!(file = %d.file, line = d.line, column = d.column, path = %d.path, "{}", d.message);
                }
                tracing::error!(%revision, "the new policy is not valid: the old one stays in force");
                self.refused(PolicyLoadError::Invalid(diagnostics).to_string());
            }
        }
    }

    fn unreadable(&mut self, error: &io::Error) {
        let words = format!("the policy can't be read: {error}");
        if self.read_error.as_ref() != Some(&words) {
            tracing::error!("{words}: the old one stays in force");
            self.refused(words.clone());
            self.read_error = Some(words);
        }
    }

    fn refused(&self, words: String) {
        self.metrics.policy_load_failed();
        self.status.policy_refused(words);
    }

    fn announce(&self) {
        let set = self.in_force.borrow();
        let names: Vec<String> = set.policies.iter().map(|policy| policy.metadata.name.clone()).collect();
        self.metrics.policy_loaded(names.iter().map(String::as_str), &set.revision);
        self.status.policies_loaded(names, set.revision.clone());
    }
}

#[cfg(test)]
mod tests;
