//! The work queue of one scope: what to look at next.
//!
//! A key is in the queue at most once. While it is worked on, it is nobody else's: added meanwhile it
//! is only marked, and runs again afterwards. Failures come back after a wait that doubles, with
//! jitter. Change events go before retries, retries before resyncs.

mod backoff;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

pub use backoff::{Backoff, Jitter};
use state::State;

use crate::metrics::QueueMetrics;

/// Which goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Somebody changed it just now.
    Event,
    /// It failed before.
    Retry,
    /// The full pass found something to do.
    Resync,
}

/// What becomes of a key when its work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Nothing is left to do.
    Forget,
    /// It failed: again after a wait that grows with the failures in a row.
    Backoff,
    /// Again after this long; not a failure.
    After(Duration),
}

/// A key that is being worked on. Hand it back with [`WorkQueue::done`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a key that is not handed back is never worked on again"]
pub struct Lease<K> {
    /// What to work on.
    pub key: K,
    /// Why it is due: the most urgent reason it was added for.
    pub priority: Priority,
    /// Failures in a row before this time.
    pub failures: u32,
    since: Instant,
}

/// A de-duplicating queue with one worker per key.
#[derive(Debug)]
pub struct WorkQueue<K> {
    state: Mutex<State<K>>,
    changed: Notify,
    metrics: QueueMetrics,
}

impl<K: Ord + Clone> WorkQueue<K> {
    /// An empty queue.
    pub fn new(backoff: Backoff, jitter: Jitter, metrics: QueueMetrics) -> Self {
        Self { state: Mutex::new(State::new(backoff, jitter)), changed: Notify::new(), metrics }
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the queue under its lock, keeps the depth right and wakes who waits.
    fn change<T>(&self, change: impl FnOnce(&mut State<K>) -> T) -> T {
        let mut state = self.lock();
        let before = state.depth();
        let result = change(&mut state);
        self.metrics.depth.add(state.depth() - before);
        drop(state);
        self.changed.notify_waiters();
        result
    }

    /// Adds a key that is due now. A key that waits for a retry is only brought forward by an event.
    pub fn add(&self, key: K, priority: Priority) {
        if self.change(|state| state.add(key, priority, Instant::now())) {
            self.metrics.adds.inc();
        }
    }

    /// Adds a key that is due later.
    pub fn add_after(&self, key: K, priority: Priority, delay: Duration) {
        if self.change(|state| state.add_after(key, priority, Instant::now() + delay)) {
            self.metrics.adds.inc();
        }
    }

    /// Adds a key that is due after `delay` at the latest: one that waits longer is brought forward, unless it failed before.
    pub fn add_by(&self, key: K, priority: Priority, delay: Duration) {
        if self.change(|state| state.add_by(key, priority, Instant::now() + delay)) {
            self.metrics.adds.inc();
        }
    }

    /// The most urgent key that is due, once there is one; `None` once the queue is closed.
    pub async fn next(&self) -> Option<Lease<K>> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = Instant::now();
            let (lease, due) = self.change_quietly(|state| (state.take(now), state.next_due()));
            if self.lock().closed {
                return None;
            }
            if let Some((lease, waited)) = lease {
                self.metrics.queue_duration.observe(waited.as_secs_f64());
                return Some(lease);
            }
            match due {
                Some(due) => drop(tokio::time::timeout_at(due, changed).await),
                None => changed.await,
            }
        }
    }

    fn change_quietly<T>(&self, change: impl FnOnce(&mut State<K>) -> T) -> T {
        let mut state = self.lock();
        let before = state.depth();
        let result = change(&mut state);
        self.metrics.depth.add(state.depth() - before);
        result
    }

    /// Hands a key back.
    #[allow(clippy::needless_pass_by_value)] // A lease is given up.
    pub fn done(&self, lease: Lease<K>, done: Done) {
        let now = Instant::now();
        self.metrics.work_duration.observe(now.duration_since(lease.since).as_secs_f64());
        if done == Done::Backoff {
            self.metrics.retries.inc();
        }
        self.change(|state| state.done(&lease, done, now));
    }

    /// Nothing is handed out any more.
    pub fn close(&self) {
        self.change(State::close);
    }

    /// Keys that wait and are due.
    pub fn depth(&self) -> usize {
        usize::try_from(self.lock().depth()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
