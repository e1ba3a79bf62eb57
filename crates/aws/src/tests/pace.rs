use std::time::Duration;

use tokio::time::{Instant, advance};

use crate::pace::Pace;

/// Seconds that `calls` take.
async fn seconds(pace: &Pace, calls: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        pace.admit().await;
    }
    start.elapsed().as_secs_f64()
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 0.02
}

#[tokio::test(start_paused = true)]
async fn the_published_rate_holds_after_one_second_of_burst() {
    let pace = Pace::new(Some((5, 5)));
    assert!(close(seconds(&pace, 5).await, 0.0));
    assert!(close(seconds(&pace, 20).await, 4.0));
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_share_the_rate() {
    let pace = Pace::new(Some((10, 10)));
    let start = Instant::now();
    futures::future::join_all((0..30).map(|_| pace.admit())).await;
    assert!(close(start.elapsed().as_secs_f64(), 2.0));
}

#[tokio::test(start_paused = true)]
async fn an_unpublished_rate_is_no_limit() {
    let pace = Pace::new(None);
    assert!(close(seconds(&pace, 10_000).await, 0.0));
    assert_eq!(pace.rate(), None);
}

#[tokio::test(start_paused = true)]
async fn throttling_halves_once_for_a_burst() {
    let pace = Pace::new(Some((100, 100)));
    for _ in 0..20 {
        pace.throttled();
    }
    assert_eq!(pace.rate(), Some(50.0));
    advance(Duration::from_secs(1)).await;
    pace.throttled();
    assert_eq!(pace.rate(), Some(25.0));
}

#[tokio::test(start_paused = true)]
async fn the_rate_recovers_slowly_and_never_beyond_the_published_one() {
    let pace = Pace::new(Some((100, 100)));
    pace.throttled();
    advance(Duration::from_secs(1)).await;
    pace.admit().await;
    assert!(close(pace.rate().unwrap(), 55.0), "10 % a second");
    for _ in 0..60 {
        advance(Duration::from_secs(1)).await;
        pace.admit().await;
    }
    assert_eq!(pace.rate(), Some(100.0));
}

#[tokio::test(start_paused = true)]
async fn throttling_finds_the_limit_of_an_unpublished_rate_and_forgets_it_again() {
    let pace = Pace::new(None);
    seconds(&pace, 40).await;
    advance(Duration::from_millis(500)).await;
    pace.throttled();
    assert!(close(pace.rate().unwrap(), 80.0 * 40.0 / 41.0), "80 a second, less the one in 41 that was throttled");
    (0..80).for_each(|_| pace.throttled());
    advance(Duration::from_secs(1)).await;
    pace.throttled();
    assert!(pace.rate().unwrap() < 40.0, "most were throttled, so it falls by half");
    for _ in 0..120 {
        advance(Duration::from_secs(1)).await;
        pace.admit().await;
    }
    assert_eq!(pace.rate(), None);
}

#[tokio::test(start_paused = true)]
async fn no_pace_is_slower_than_a_call_every_other_second() {
    let pace = Pace::new(Some((1, 1)));
    for _ in 0..10 {
        pace.throttled();
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(pace.rate(), Some(0.5));
}

#[tokio::test(start_paused = true)]
async fn a_rate_known_as_a_range_rises_while_aws_does_not_throttle() {
    let pace = Pace::new(Some((30, 900)));
    assert!(seconds(&pace, 100).await < 70.0 / 30.0, "faster than the first rate");
    for _ in 0..60 {
        advance(Duration::from_secs(1)).await;
        pace.admit().await;
    }
    assert_eq!(pace.rate(), Some(900.0));
    pace.throttled();
    assert!(close(pace.rate().unwrap(), 600.0), "a third less: one of the last three attempts was throttled");
}

/// The second that ends is what the share is taken of: `calls` calls, every `every`th of them throttled.
async fn one_second(pace: &Pace, calls: u32, every: u32) {
    for call in 0..calls {
        pace.admit().await;
        if call % every == every - 1 {
            pace.throttled();
        }
    }
    advance(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_rare_refusal_costs_little_and_a_steady_share_does_not_stop_the_work() {
    let rare = Pace::new(None);
    one_second(&rare, 500, 100).await;
    assert!(rare.rate().unwrap() > 400.0, "{:?}", rare.rate());
    let steady = Pace::new(Some((500, 500)));
    let start = Instant::now();
    for _ in 0..10 {
        one_second(&steady, 100, 8).await;
    }
    let took = start.elapsed().as_secs_f64();
    assert!(took < 15.0, "a thousand calls, one in eight refused, in {took} s");
}
