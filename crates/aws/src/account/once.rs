//! What is the account's, not a region's: read once per pass, whichever of the account's scopes comes first.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// What was read longer ago than this belongs to an earlier pass.
const FRESH: Duration = Duration::from_mins(1);

/// A value that an account's scopes share. Each scope takes it once: the next time it asks, a new pass has begun.
#[derive(Debug)]
pub(crate) struct OncePerPass<T>(Mutex<Option<Taken<T>>>);

#[derive(Debug)]
struct Taken<T> {
    at: Instant,
    by: BTreeSet<String>,
    value: Arc<T>,
}

impl<T> Default for OncePerPass<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> OncePerPass<T> {
    /// The pass's value for the scope of `region`; `read` makes it where this scope is the first. Scopes that come while
    /// it is made wait for it.
    pub(crate) async fn take(&self, region: &str, read: impl Future<Output = T>) -> Arc<T> {
        let mut shared = self.0.lock().await;
        if let Some(taken) = shared.as_mut()
            && taken.at.elapsed() < FRESH
            && taken.by.insert(region.to_owned())
        {
            return Arc::clone(&taken.value);
        }
        let value = Arc::new(read.await);
        *shared = Some(Taken { at: Instant::now(), by: BTreeSet::from([region.to_owned()]), value: Arc::clone(&value) });
        value
    }
}
