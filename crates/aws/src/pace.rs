//! How often a call may be made: a token bucket for each operation of a scope.
//!
//! It starts from the rate that AWS publishes, halves when AWS throttles and recovers slowly. Where
//! none is published there is no limit until AWS throttles; the limit then found is forgotten again
//! once the calls have long outgrown it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Part of the rate that comes back each second after throttling.
const RECOVERY_PER_SECOND: f64 = 0.05;
/// No pace is slower: a call every other second.
const SLOWEST: f64 = 0.5;
/// An unpublished limit is forgotten at this multiple of the rate that it was found at.
const FORGET_AT: f64 = 4.0;

/// The token bucket of one operation in one scope.
#[derive(Debug)]
pub struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    published: Option<f64>,
    /// Now, in calls per second; `None` = unlimited.
    rate: Option<f64>,
    /// The rate at which AWS throttled last.
    throttled_at: f64,
    /// Calls that may be made now; below zero: calls that wait already.
    tokens: f64,
    refilled: Instant,
    halved: Option<Instant>,
    /// Calls in the second that began at `.0`, to know what "unlimited" came to.
    second: (Instant, u32),
}

impl Pace {
    /// Starts at the published rate.
    pub fn new(published: Option<u32>) -> Self {
        let now = Instant::now();
        let published = published.map(f64::from);
        let tokens = published.unwrap_or_default();
        Self(Mutex::new(State { published, rate: published, throttled_at: 0.0, tokens, refilled: now, halved: None, second: (now, 0) }))
    }

    /// Waits until a call may be made.
    pub async fn admit(&self) {
        let wait = self.state(|state| state.take(Instant::now()));
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }

    /// AWS throttled a call.
    pub fn throttled(&self) {
        self.state(|state| state.halve(Instant::now()));
    }

    /// Calls per second that are allowed now; `None` = any number.
    pub fn rate(&self) -> Option<f64> {
        self.state(|state| state.rate)
    }

    fn state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // Plain numbers: a panic elsewhere leaves nothing half done.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn take(&mut self, now: Instant) -> Duration {
        let (second, calls) = self.second;
        self.second = if now.duration_since(second) < Duration::from_secs(1) { (second, calls + 1) } else { (now, 1) };
        self.recover(now);
        let Some(rate) = self.rate else { return Duration::ZERO };
        let elapsed = now.duration_since(self.refilled).as_secs_f64();
        self.refilled = now;
        self.tokens = (self.tokens + elapsed * rate).min(rate.max(1.0)) - 1.0;
        if self.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-self.tokens / rate) }
    }

    fn recover(&mut self, now: Instant) {
        let (Some(rate), Some(halved)) = (self.rate, self.halved) else { return };
        let quiet = now.duration_since(halved).as_secs_f64();
        if quiet < 1.0 {
            return;
        }
        self.halved = Some(now);
        let faster = rate * (1.0 + RECOVERY_PER_SECOND * quiet);
        match self.published {
            Some(published) if faster >= published => (self.rate, self.halved) = (self.published, None),
            None if faster >= self.throttled_at * FORGET_AT => (self.rate, self.halved) = (None, None),
            Some(_) | None => self.rate = Some(faster),
        }
    }

    /// One burst of throttled answers halves once.
    fn halve(&mut self, now: Instant) {
        if self.halved.is_some_and(|halved| now.duration_since(halved) < Duration::from_secs(1)) {
            return;
        }
        let rate = self.rate.unwrap_or_else(|| f64::from(self.second.1));
        self.throttled_at = rate;
        self.rate = Some((rate / 2.0).max(SLOWEST));
        self.tokens = self.tokens.min(0.0);
        self.refilled = now;
        self.halved = Some(now);
    }
}
