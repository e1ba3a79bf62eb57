//! When a delivery is tried again that the subscriber's *server* could not take. What the subscriber's side refuses
//! (a document, a key, an endpoint that is gone) is not tried again. [SNS: Message delivery retries]

use std::time::Duration;

/// To AWS's own endpoints: 3 times at once, 2 times a second apart, 10 times from 1 to 20 seconds apart, 100,000 times
/// 20 seconds apart. `attempts`: how many there were. `None`: it is given up.
pub(super) fn to_aws(attempts: u32) -> Option<Duration> {
    match attempts {
        0..=3 => Some(Duration::ZERO),
        4..=5 => Some(Duration::from_secs(1)),
        6..=15 => Some(Duration::from_secs_f64(20_f64.powf(f64::from(attempts - 6) / 9.0))),
        16..=100_015 => Some(Duration::from_secs(20)),
        _ => None,
    }
}

/// To HTTP and HTTPS endpoints, unless a delivery policy says otherwise: 3 times 20 seconds apart.
/// [SNS: Message delivery retries, HTTP/S default]
pub(super) fn to_customer(attempts: u32) -> Option<Duration> {
    (attempts <= 3).then_some(Duration::from_secs(20))
}
