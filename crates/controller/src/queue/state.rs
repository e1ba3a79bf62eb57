//! The queue's rules without locks and sleeps: every method is told what time it is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::{Backoff, Done, Jitter, Lease, Priority};

#[derive(Debug)]
enum Place {
    /// Due: stands in `ready` under this number, since then.
    Ready { priority: Priority, number: u64, since: Instant },
    /// Not due yet: stands in `delayed`.
    Delayed { priority: Priority, due: Instant, number: u64 },
    /// With a worker; `again` where it was added meanwhile.
    Running { again: Option<Priority> },
}

#[derive(Debug)]
struct Item {
    place: Place,
    failures: u32,
}

#[derive(Debug)]
pub(super) struct State<K> {
    items: BTreeMap<K, Item>,
    ready: BTreeSet<(Priority, u64, K)>,
    delayed: BTreeSet<(Instant, u64, K)>,
    /// First come, first served within a priority.
    number: u64,
    backoff: Backoff,
    jitter: Jitter,
    pub(super) closed: bool,
}

impl<K: Ord + Clone> State<K> {
    pub(super) const fn new(backoff: Backoff, jitter: Jitter) -> Self {
        Self { items: BTreeMap::new(), ready: BTreeSet::new(), delayed: BTreeSet::new(), number: 0, backoff, jitter, closed: false }
    }

    pub(super) fn depth(&self) -> i64 {
        i64::try_from(self.ready.len()).unwrap_or(i64::MAX)
    }

    /// True where this added something that was not waiting already.
    pub(super) fn add(&mut self, key: K, priority: Priority, now: Instant) -> bool {
        let Some(item) = self.items.get_mut(&key) else {
            self.make_ready(key, priority, now, 0);
            return true;
        };
        let failures = item.failures;
        match &mut item.place {
            Place::Running { again } => {
                let first = again.is_none();
                *again = Some(again.map_or(priority, |earlier| earlier.min(priority)));
                first
            }
            Place::Ready { priority: current, number, since } => {
                if priority < *current {
                    let (since, number, current) = (*since, *number, *current);
                    self.ready.remove(&(current, number, key.clone()));
                    self.make_ready(key, priority, since, failures);
                }
                false
            }
            Place::Delayed { due, number, .. } => {
                let waits_for_retry = failures > 0 && priority != Priority::Event;
                if waits_for_retry {
                    return false;
                }
                let at = (*due, *number, key.clone());
                self.delayed.remove(&at);
                self.make_ready(key, priority, now, failures);
                true
            }
        }
    }

    pub(super) fn add_after(&mut self, key: K, priority: Priority, due: Instant) -> bool {
        if self.items.contains_key(&key) {
            return false;
        }
        self.delay(key, priority, due, 0);
        true
    }

    pub(super) fn add_by(&mut self, key: K, priority: Priority, due: Instant) -> bool {
        match self.items.get(&key) {
            Some(Item { place: Place::Delayed { due: later, number, .. }, failures: 0 }) if *later > due => {
                let at = (*later, *number, key.clone());
                self.delayed.remove(&at);
                self.delay(key, priority, due, 0);
                false
            }
            Some(_) => false,
            None => self.add_after(key, priority, due),
        }
    }

    /// The most urgent key that is due, and how long it has waited since it was.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Lease<K>, Duration)> {
        if self.closed {
            return None;
        }
        self.wake(now);
        let (priority, _, key) = self.ready.pop_first()?;
        let item = self.items.get_mut(&key)?;
        let since = match &item.place {
            Place::Ready { since, .. } => *since,
            Place::Delayed { .. } | Place::Running { .. } => now,
        };
        item.place = Place::Running { again: None };
        Some((Lease { key, priority, failures: item.failures, since: now }, now.saturating_duration_since(since)))
    }

    /// When the next delayed key is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.delayed.first().map(|(due, _, _)| *due)
    }

    pub(super) fn done(&mut self, lease: &Lease<K>, done: Done, now: Instant) {
        let Some(Item { place: Place::Running { again }, failures }) = self.items.remove(&lease.key) else { return };
        let failures = if done == Done::Backoff { failures.saturating_add(1) } else { 0 };
        // Only an event may cut a wait after a failure short.
        let at_once = again.filter(|priority| done != Done::Backoff || *priority == Priority::Event);
        if let Some(priority) = at_once {
            self.make_ready(lease.key.clone(), priority, now, failures);
            return;
        }
        match done {
            Done::Forget => {}
            Done::Backoff => {
                let wait = self.backoff.wait(failures, &mut self.jitter);
                self.delay(lease.key.clone(), Priority::Retry, now + wait, failures);
            }
            Done::After(wait) => self.delay(lease.key.clone(), Priority::Resync, now + wait, failures),
        }
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        self.ready.clear();
        self.delayed.clear();
        self.items.clear();
    }

    fn wake(&mut self, now: Instant) {
        while let Some((due, _, _)) = self.delayed.first()
            && *due <= now
            && let Some((due, _, key)) = self.delayed.pop_first()
        {
            let Some(Item { place: Place::Delayed { priority, .. }, failures }) = self.items.get(&key) else { continue };
            let (priority, failures) = (*priority, *failures);
            self.make_ready(key, priority, due, failures);
        }
    }

    fn make_ready(&mut self, key: K, priority: Priority, since: Instant, failures: u32) {
        self.number += 1;
        self.ready.insert((priority, self.number, key.clone()));
        self.items.insert(key, Item { place: Place::Ready { priority, number: self.number, since }, failures });
    }

    fn delay(&mut self, key: K, priority: Priority, due: Instant, failures: u32) {
        self.number += 1;
        self.delayed.insert((due, self.number, key.clone()));
        self.items.insert(key, Item { place: Place::Delayed { priority, due, number: self.number }, failures });
    }
}
