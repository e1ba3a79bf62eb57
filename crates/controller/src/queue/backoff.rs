//! How long a failed key waits.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// Doubling waits between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub base: Duration,
    /// The longest.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_secs(1), cap: Duration::from_mins(5) }
    }
}

impl Backoff {
    /// The wait after so many failures in a row: at least half of the doubled value, the rest by chance, so that keys that
    /// failed together do not come back together.
    pub fn wait(&self, failures: u32, jitter: &mut Jitter) -> Duration {
        let doubled = self.base.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(self.cap);
        doubled / 2 + (doubled / 2).mul_f64(jitter.fraction())
    }
}

/// A small generator of even numbers between 0 and 1 (`SplitMix64`): a seed replays it.
#[derive(Debug, Clone)]
pub struct Jitter(u64);

impl Jitter {
    /// The same numbers for the same seed.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Other numbers in every process.
    pub fn random() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }

    /// The next number, from 0 (inclusive) to 1 (exclusive).
    pub fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        f64::from(u32::try_from(z >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
    }
}
