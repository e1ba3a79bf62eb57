//! How often a call may be made: a token bucket for each operation of a scope.
//!
//! It starts from the rate that AWS publishes, falls by the share of calls that AWS throttles (by half at most, once a
//! second) and recovers slowly: a rare refusal costs little, an overload is left within seconds. Where
//! a region's rate is known only as a range, it rises until AWS throttles or the highest is reached.
//! Where none is published there is no limit until AWS throttles; the limit then found is forgotten
//! once the calls have long outgrown it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Part of the rate that is added each second, once AWS has throttled.
const RECOVERY: f64 = 0.1;
/// The rate falls by no more than this at once.
const LARGEST_CUT: f64 = 0.5;
/// The number of calls in less time than this says nothing of a rate.
const SHORTEST_SAMPLE: f64 = 0.1;
/// Part of the rate that is added each second while AWS never throttled.
const PROBING: f64 = 0.2;
/// A pause counts as this many seconds at most: nobody tried the rate while nothing was called.
const LONGEST_PAUSE: f64 = 5.0;
/// No pace is slower: a call every other second.
const SLOWEST: f64 = 0.5;
/// An unpublished limit is forgotten at this multiple of the rate that it was found at.
const FORGET_AT: f64 = 4.0;

/// The token bucket of one operation in one scope.
#[derive(Debug)]
pub struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    /// The rate never rises above it; `None` = unpublished.
    highest: Option<f64>,
    /// Now, in calls per second; `None` = unlimited.
    rate: Option<f64>,
    /// Calls that may be made now; below zero: calls that wait already.
    tokens: f64,
    refilled: Instant,
    raised: Instant,
    /// When AWS throttled last, and the rate that was too much.
    throttled: Option<(Instant, f64)>,
    /// What happened of late: to know what "unlimited" came to, and which share AWS throttles.
    recent: Recent,
}

/// Calls admitted and answers throttled in the second that runs and in the one before.
#[derive(Debug)]
struct Recent {
    since: Instant,
    calls: u32,
    throttled: u32,
    before: (u32, u32),
}

impl Recent {
    fn turn(&mut self, now: Instant) {
        let passed = now.duration_since(self.since);
        if passed >= Duration::from_secs(1) {
            let before = if passed < Duration::from_secs(2) { (self.calls, self.throttled) } else { (0, 0) };
            *self = Self { since: now, calls: 0, throttled: 0, before };
        }
    }

    /// Calls per second.
    fn rate(&self, now: Instant) -> f64 {
        let sample = now.duration_since(self.since).as_secs_f64().max(SHORTEST_SAMPLE);
        (f64::from(self.calls) / sample).max(f64::from(self.before.0))
    }

    /// The part of all attempts that AWS throttled; a throttled attempt is made again, so it comes on top of the calls.
    fn throttled_share(&self) -> f64 {
        let throttled = f64::from(self.throttled + self.before.1);
        let attempts = f64::from(self.calls + self.before.0) + throttled;
        if attempts > 0.0 { throttled / attempts } else { 0.0 }
    }
}

impl Pace {
    /// First and highest rate, in calls per second.
    pub fn new(published: Option<(u32, u32)>) -> Self {
        let now = Instant::now();
        let (rate, highest) = published.map(|(first, highest)| (f64::from(first), f64::from(highest))).unzip();
        let tokens = rate.unwrap_or_default();
        let recent = Recent { since: now, calls: 0, throttled: 0, before: (0, 0) };
        Self(Mutex::new(State { highest, rate, tokens, refilled: now, raised: now, throttled: None, recent }))
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
        self.state(|state| state.fall(Instant::now()));
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
        self.recent.turn(now);
        self.recent.calls += 1;
        self.rise(now);
        let Some(rate) = self.rate else { return Duration::ZERO };
        let elapsed = now.duration_since(self.refilled).as_secs_f64();
        self.refilled = now;
        self.tokens = (self.tokens + elapsed * rate).min(rate.max(1.0)) - 1.0;
        if self.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-self.tokens / rate) }
    }

    fn rise(&mut self, now: Instant) {
        let Some(rate) = self.rate else { return };
        let quiet = now.duration_since(self.raised).as_secs_f64();
        if quiet < 1.0 {
            return;
        }
        self.raised = now;
        let part = if self.throttled.is_some() { RECOVERY } else { PROBING };
        let risen = rate * (1.0 + part * quiet.min(LONGEST_PAUSE));
        self.rate = match (self.highest, self.throttled) {
            (Some(highest), _) => Some(risen.min(highest)),
            (None, Some((_, too_much))) if risen < too_much * FORGET_AT => Some(risen),
            (None, Some(_) | None) => None,
        };
    }

    /// One burst of throttled answers cuts once.
    fn fall(&mut self, now: Instant) {
        self.recent.turn(now);
        self.recent.throttled += 1;
        if self.throttled.is_some_and(|(at, _)| now.duration_since(at) < Duration::from_secs(1)) {
            return;
        }
        let too_much = self.rate.unwrap_or_else(|| self.recent.rate(now));
        let cut = self.recent.throttled_share().min(LARGEST_CUT);
        self.rate = Some((too_much * (1.0 - cut)).max(SLOWEST));
        self.tokens = self.tokens.min(0.0);
        (self.refilled, self.raised) = (now, now);
        self.throttled = Some((now, too_much));
    }
}
