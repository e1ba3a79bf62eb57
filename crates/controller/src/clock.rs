//! The one place where the loop learns what time it is.
//!
//! Durations and sleeps are tokio's, so tests pause and advance them; wall-clock time is derived
//! from the same source there, and is the system's own in the program.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Wall-clock time in Unix time.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Option<(i64, Instant)>);

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that shows `unix_seconds` now and moves with tokio's time, also when that is paused.
    pub fn starting_at(unix_seconds: i64) -> Self {
        Self(Some((unix_seconds * 1000, Instant::now())))
    }

    /// Seconds since the Unix epoch.
    pub fn now(&self) -> i64 {
        self.now_millis().div_euclid(1000)
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_millis(&self) -> i64 {
        match self.0 {
            #[allow(clippy::disallowed_methods)] // The one place.
            None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)),
            Some((base, start)) => base + i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX / 2),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}
