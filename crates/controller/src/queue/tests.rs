#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;
use crate::clock::Clock;
use crate::testing::{metrics, value};

const BACKOFF: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_mins(1) };

fn queue() -> (Arc<WorkQueue<&'static str>>, prometheus::Registry) {
    let (metrics, registry) = metrics(Clock::system());
    (Arc::new(WorkQueue::new(BACKOFF, Jitter::seeded(7), metrics.queue())), registry)
}

async fn next(queue: &WorkQueue<&'static str>) -> Lease<&'static str> {
    queue.next().await.unwrap()
}

/// What is due right now, `None` where nothing is.
async fn due(queue: &WorkQueue<&'static str>) -> Option<Lease<&'static str>> {
    tokio::time::timeout(Duration::from_millis(1), queue.next()).await.ok().flatten()
}

#[tokio::test(start_paused = true)]
async fn a_key_waits_once_however_often_it_is_added() {
    let (queue, registry) = queue();
    for _ in 0..100 {
        queue.add("a", Priority::Event);
    }
    assert_eq!(value(&registry, "everseal_workqueue_depth", &[("name", "reconcile")]), Some(1.0));
    assert_eq!(value(&registry, "everseal_workqueue_adds_total", &[]), Some(1.0));
    let lease = next(&queue).await;
    queue.done(lease, Done::Forget);
    assert_eq!(due(&queue).await, None);
    assert_eq!(value(&registry, "everseal_workqueue_depth", &[]), Some(0.0));
    assert_eq!(value(&registry, "everseal_workqueue_work_duration_seconds", &[]), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn events_go_before_retries_before_resyncs_and_each_in_turn() {
    let (queue, _) = queue();
    queue.add("resync 1", Priority::Resync);
    queue.add("resync 2", Priority::Resync);
    queue.add("retry", Priority::Retry);
    queue.add("event 1", Priority::Event);
    queue.add("event 2", Priority::Event);
    let mut order = Vec::new();
    for _ in 0..5 {
        order.push(next(&queue).await.key);
    }
    assert_eq!(order, ["event 1", "event 2", "retry", "resync 1", "resync 2"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_moves_a_waiting_key_to_the_front() {
    let (queue, _) = queue();
    queue.add("a", Priority::Resync);
    queue.add("b", Priority::Resync);
    queue.add("b", Priority::Event);
    let first = next(&queue).await;
    assert_eq!((first.key, first.priority), ("b", Priority::Event));
}

#[tokio::test(start_paused = true)]
async fn a_key_in_hand_is_nobody_elses_and_runs_again_if_it_was_added_meanwhile() {
    let (queue, _) = queue();
    queue.add("a", Priority::Resync);
    let lease = next(&queue).await;
    queue.add("a", Priority::Resync);
    queue.add("a", Priority::Event);
    assert_eq!(due(&queue).await, None, "one worker per key");
    queue.done(lease, Done::Forget);
    let again = next(&queue).await;
    assert_eq!((again.key, again.priority), ("a", Priority::Event));
    queue.done(again, Done::Forget);
    assert_eq!(due(&queue).await, None, "once is enough");
}

#[tokio::test(start_paused = true)]
async fn failures_come_back_after_a_wait_that_doubles() {
    let (queue, registry) = queue();
    queue.add("a", Priority::Event);
    for failures in 0..10_u32 {
        let began = Instant::now();
        let lease = next(&queue).await;
        assert_eq!(lease.failures, failures);
        if let Some(earlier) = failures.checked_sub(1) {
            let full = Duration::from_secs(1 << earlier).min(BACKOFF.cap);
            let waited = began.elapsed();
            // The timer's own resolution is a millisecond.
            assert!(waited >= full / 2 && waited <= full + Duration::from_millis(1), "{waited:?} after {failures} failures");
            assert_eq!(lease.priority, Priority::Retry);
        }
        queue.done(lease, Done::Backoff);
    }
    assert_eq!(value(&registry, "everseal_workqueue_retries_total", &[]), Some(10.0));
}

#[tokio::test(start_paused = true)]
async fn a_success_ends_the_row_of_failures() {
    let (queue, _) = queue();
    queue.add("a", Priority::Event);
    let lease = next(&queue).await;
    queue.done(lease, Done::Backoff);
    let lease = next(&queue).await;
    queue.done(lease, Done::Forget);
    queue.add("a", Priority::Event);
    assert_eq!(next(&queue).await.failures, 0);
}

#[tokio::test(start_paused = true)]
async fn only_an_event_cuts_the_wait_for_a_retry_short() {
    let (queue, _) = queue();
    queue.add("a", Priority::Event);
    let lease = next(&queue).await;
    queue.done(lease, Done::Backoff);
    queue.add("a", Priority::Resync);
    assert_eq!(due(&queue).await, None, "a full pass must not defeat the backoff");
    queue.add("a", Priority::Event);
    let lease = due(&queue).await.unwrap();
    assert_eq!((lease.priority, lease.failures), (Priority::Event, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failure_waits_although_a_resync_came_meanwhile() {
    let (queue, _) = queue();
    queue.add("a", Priority::Event);
    let lease = next(&queue).await;
    queue.add("a", Priority::Resync);
    queue.done(lease, Done::Backoff);
    assert_eq!(due(&queue).await, None);
    assert_eq!(next(&queue).await.failures, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_due_later_can_be_brought_forward() {
    let (queue, _) = queue();
    queue.add_after("a", Priority::Resync, Duration::from_mins(5));
    assert_eq!(due(&queue).await, None);
    queue.add("a", Priority::Event);
    let lease = due(&queue).await.unwrap();
    queue.done(lease, Done::After(Duration::from_mins(5)));
    let began = Instant::now();
    let lease = next(&queue).await;
    assert_eq!((began.elapsed().as_secs(), lease.failures), (300, 0));
}

#[tokio::test(start_paused = true)]
async fn a_closed_queue_hands_out_nothing_and_wakes_who_waits() {
    let (queue, registry) = queue();
    let waiting = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.next().await }
    });
    tokio::task::yield_now().await;
    queue.add_after("later", Priority::Resync, Duration::from_secs(5));
    queue.close();
    assert_eq!(waiting.await.unwrap(), None);
    queue.add("a", Priority::Event);
    assert_eq!(queue.next().await, None);
    assert_eq!(value(&registry, "everseal_workqueue_retries_total", &[]), Some(0.0));
}

#[test]
fn a_seed_replays_the_jitter_and_it_is_spread() {
    let draw = |seed| {
        let mut jitter = Jitter::seeded(seed);
        (0..1000).map(|_| jitter.fraction()).collect::<Vec<_>>()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let drawn = draw(3);
    assert!(drawn.iter().all(|fraction| (0.0..1.0).contains(fraction)));
    let below_half = drawn.iter().filter(|fraction| **fraction < 0.5).count();
    assert!((400..600).contains(&below_half), "{below_half} of 1000 below a half");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_waits_for_later_is_brought_forward_but_never_put_off_nor_out_of_its_backoff() {
    let (queue, _) = queue();
    queue.add_after("later", Priority::Resync, Duration::from_hours(1));
    queue.add_by("later", Priority::Retry, Duration::from_secs(10));
    queue.add_by("later", Priority::Retry, Duration::from_secs(30));
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(due(&queue).await, None);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let lease = due(&queue).await.unwrap();
    queue.done(lease, Done::Backoff);
    queue.add_by("later", Priority::Retry, Duration::ZERO);
    assert_eq!(due(&queue).await, None, "what failed waits");
    queue.add_by("new", Priority::Retry, Duration::ZERO);
    assert_eq!(due(&queue).await.map(|lease| lease.key), Some("new"));
}
