#![allow(clippy::unwrap_used)]

use super::*;
use crate::queue::Jitter;
use crate::testing::{NOON, customer_key_stream, inventory, unreadable};
use everseal_planner::inventory::ErrorClass;

const ERROR: KmsError = KmsError::AccessDenied;

fn streams(names: &[&str]) -> Inventory {
    let mut inventory = inventory(&[]);
    inventory.delivery_streams.extend(names.iter().map(|name| {
        let stream = customer_key_stream(name);
        (stream.arn.clone(), stream)
    }));
    inventory
}

fn point(minutes_from_noon: i64, count: u64) -> KmsErrorPoint {
    KmsErrorPoint { stream: "orders".to_owned(), error: ERROR, at: NOON + minutes_from_noon * 60, count }
}

/// Polls at a time and lets CloudWatch answer with what it shows of the window.
fn poll(watch: &mut KmsErrorWatch, inventory: &Inventory, minutes_from_noon: i64, shown: &[KmsErrorPoint]) -> u64 {
    for query in watch.queries(inventory, NOON + minutes_from_noon * 60) {
        let points = shown.iter().filter(|point| (query.from..query.to).contains(&point.at)).cloned().collect();
        watch.take_in(&query, Ok(points));
    }
    watch.drain_increases().iter().map(|increase| increase.count).sum()
}

fn run(watch: &KmsErrorWatch) -> Option<(i64, i64, u64)> {
    let runs = watch.streams["orders"].runs();
    runs.first().map(|run| ((run.first_at - NOON) / 60, (run.last_at - NOON) / 60, run.count))
}

#[test]
fn the_window_ends_some_minutes_ago_on_a_full_minute() {
    let mut watch = KmsErrorWatch::starting(NOON);
    let queries = watch.queries(&streams(&["orders", "audit"]), NOON + 17);
    // 12:00:17 less 150 s is 11:57:47.
    let to = NOON - 3 * 60;
    assert_eq!(queries, [Query { streams: vec!["audit".to_owned(), "orders".to_owned()], from: to - 24 * 3600, to }]);
}

#[test]
fn later_polls_read_the_last_hour_again_and_nothing_older() {
    let mut watch = KmsErrorWatch::starting(NOON);
    let inventory = streams(&["orders"]);
    poll(&mut watch, &inventory, 0, &[]);
    let queries = watch.queries(&inventory, NOON + 300);
    assert_eq!((queries[0].from, queries[0].to), (NOON - 180 - 3600, NOON + 300 - 180));
}

#[test]
fn only_streams_with_a_customer_managed_key_are_asked_for() {
    let mut inventory = streams(&["orders", "plain"]);
    for stream in inventory.delivery_streams.values_mut().filter(|stream| stream.name == "plain") {
        let Reading::Known(description) = &mut stream.description else { unreachable!() };
        description.encryption.key_type = Some("AWS_OWNED_CMK".to_owned());
    }
    let mut watch = KmsErrorWatch::starting(NOON);
    assert_eq!(watch.queries(&inventory, NOON)[0].streams, ["orders"]);
    watch.dress(&mut inventory);
    assert!(inventory.delivery_streams.values().all(|stream| stream.kms_errors.is_not_read()));
}

#[test]
fn late_and_grown_points_are_counted_once() {
    let mut watch = KmsErrorWatch::starting(NOON);
    let inventory = streams(&["orders"]);
    assert_eq!(poll(&mut watch, &inventory, 10, &[point(2, 5)]), 5);
    assert_eq!(poll(&mut watch, &inventory, 15, &[point(2, 5)]), 0, "seen before");
    assert_eq!(poll(&mut watch, &inventory, 20, &[point(2, 8)]), 3, "grown");
    assert_eq!(poll(&mut watch, &inventory, 25, &[point(1, 4), point(2, 8)]), 4, "late");
    assert_eq!(run(&watch), Some((1, 2, 12)));
}

#[test]
fn a_failed_poll_is_made_up_for_by_the_next_however_long_it_failed() {
    let mut watch = KmsErrorWatch::starting(NOON);
    let inventory = streams(&["orders"]);
    poll(&mut watch, &inventory, 5, &[]);
    for minutes in (10..300).step_by(5) {
        for query in watch.queries(&inventory, NOON + minutes * 60) {
            watch.take_in(&query, Err(unreadable(ErrorClass::Throttled)));
        }
    }
    assert_eq!(poll(&mut watch, &inventory, 300, &[point(20, 7), point(290, 1)]), 8);
}

#[test]
fn unreadable_is_unknown_and_not_zero() {
    let mut watch = KmsErrorWatch::starting(NOON);
    let mut inventory = streams(&["orders"]);
    let reading = |watch: &KmsErrorWatch, inventory: &mut Inventory| {
        watch.dress(inventory);
        inventory.delivery_streams.values().next().unwrap().kms_errors.clone()
    };
    assert_eq!(reading(&watch, &mut inventory), Reading::NotRead);
    assert!(watch.unread(&inventory));
    let query = watch.queries(&inventory, NOON).remove(0);
    watch.take_in(&query, Err(unreadable(ErrorClass::Denied)));
    assert_eq!(reading(&watch, &mut inventory), Reading::Unreadable { unreadable: unreadable(ErrorClass::Denied) });
    poll(&mut watch, &inventory, 5, &[point(1, 1)]);
    let deadline = watch.loss_deadline("orders");
    let query = watch.queries(&inventory, NOON + 600).remove(0);
    watch.take_in(&query, Err(unreadable(ErrorClass::Denied)));
    assert_eq!(watch.loss_deadline("orders"), deadline, "a deadline does not go away because nobody can look");
    poll(&mut watch, &inventory, 15, &[point(1, 1)]);
    let known = KmsErrors { current: vec![KmsErrorRun { error: ERROR, count: 1, first_at: NOON + 60, last_at: NOON + 60 }] };
    assert_eq!(reading(&watch, &mut inventory), Reading::Known(known));
}

#[test]
fn data_is_lost_a_day_after_the_first_error_of_the_current_run() {
    let mut watch = KmsErrorWatch::starting(NOON);
    let inventory = streams(&["orders"]);
    let shown = [point(1, 1), point(20, 1), point(45, 1)];
    poll(&mut watch, &inventory, 50, &shown);
    assert_eq!(watch.loss_deadline("orders"), Some(NOON + 60 + 24 * 3600));
    poll(&mut watch, &inventory, 70, &shown);
    assert_eq!(run(&watch), Some((1, 45, 3)), "22 minutes of silence: the key may still be broken");
    poll(&mut watch, &inventory, 80, &shown);
    assert_eq!((run(&watch), watch.loss_deadline("orders")), (None, None), "31 minutes of silence: the run has ended");
    poll(&mut watch, &inventory, 200, &[point(190, 2)]);
    assert_eq!(watch.loss_deadline("orders"), Some(NOON + 190 * 60 + 24 * 3600), "a new run, a new day");
}

#[test]
fn a_restart_finds_the_run_again_and_counts_nothing_that_the_process_before_has_counted() {
    let mut watch = KmsErrorWatch::starting(NOON);
    let shown = [point(-500, 3), point(-480, 3), point(-470, 1), point(-20, 4), point(2, 6)];
    assert_eq!(poll(&mut watch, &streams(&["orders"]), 10, &shown), 6);
    assert_eq!(run(&watch), Some((-20, 2, 10)), "the silence of hours in between ended the earlier run");
}

#[test]
fn a_stream_that_leaves_and_comes_back_is_not_counted_twice() {
    let mut watch = KmsErrorWatch::starting(NOON);
    assert_eq!(poll(&mut watch, &streams(&["orders"]), 10, &[point(2, 6)]), 6);
    assert_eq!(poll(&mut watch, &streams(&[]), 15, &[]), 0);
    assert_eq!(watch.drain_gone(), ["orders"]);
    assert_eq!(poll(&mut watch, &streams(&["orders"]), 30, &[point(2, 6), point(20, 1)]), 1);
}

/// One data point that CloudWatch comes to show: late, and then growing.
struct Arriving {
    at: i64,
    shown_from: i64,
    first: u64,
    grows_at: i64,
    last: u64,
}

impl Arriving {
    fn draw(jitter: &mut Jitter, minute: i64) -> Self {
        let mut upto = |most: i64| {
            let drawn = jitter.fraction() * f64::from(i32::try_from(most).unwrap());
            #[allow(clippy::cast_possible_truncation)]
            let whole = drawn as i64;
            whole
        };
        let at = NOON + minute * 60;
        // No later than what is read again: 50 minutes, plus a poll's distance.
        let shown_from = at + upto(25) * 60;
        let grows_at = shown_from + upto(20) * 60;
        let first = upto(5).unsigned_abs() + 1;
        Self { at, shown_from, first, grows_at, last: first + upto(4).unsigned_abs() }
    }

    fn shown(&self, now: i64) -> Option<KmsErrorPoint> {
        let count = if now >= self.grows_at { self.last } else { self.first };
        (now >= self.shown_from).then(|| KmsErrorPoint { stream: "orders".to_owned(), error: ERROR, at: self.at, count })
    }
}

/// Whatever the order in which points arrive and grow, and whichever polls fail: the total is the truth.
#[test]
fn nothing_is_lost_and_nothing_is_counted_twice() {
    for seed in 0..60 {
        let mut jitter = Jitter::seeded(seed);
        let inventory = streams(&["orders"]);
        let mut watch = KmsErrorWatch::starting(NOON);
        let density = jitter.fraction();
        let mut points = Vec::new();
        for minute in 0..600 {
            if jitter.fraction() < density {
                points.push(Arriving::draw(&mut jitter, minute));
            }
        }
        let (mut total, mut now) = (0, NOON);
        while now < NOON + 700 * 60 {
            now += 60 + i64::from(jitter.fraction() < 0.5) * 240;
            let mut shown: Vec<KmsErrorPoint> = points.iter().filter_map(|point| point.shown(now)).collect();
            if jitter.fraction() < 0.5 {
                shown.reverse();
            }
            let fails = jitter.fraction() < 0.1;
            for query in watch.queries(&inventory, now) {
                let seen = shown.iter().filter(|point| (query.from..query.to).contains(&point.at)).cloned().collect();
                watch.take_in(&query, if fails { Err(unreadable(ErrorClass::Throttled)) } else { Ok(seen) });
            }
            total += watch.drain_increases().iter().map(|increase| increase.count).sum::<u64>();
        }
        let settled: Vec<KmsErrorPoint> = points.iter().filter_map(|point| point.shown(i64::MAX)).collect();
        total += poll(&mut watch, &inventory, 701, &settled);
        let truth: u64 = points.iter().map(|point| point.last).sum();
        assert_eq!(total, truth, "seed {seed}");
        assert_eq!(run(&watch).map(|run| run.2), true_run(&points), "the current run, seed {seed}");
    }
}

/// Errors of the run that is going on when the window ends at minute 698, worked out by walking backwards.
fn true_run(points: &[Arriving]) -> Option<u64> {
    let mut end = NOON + 698 * 60;
    let mut count = None;
    for point in points.iter().rev() {
        if end - (point.at + 60) >= RUN_ENDS_AFTER_SECONDS {
            break;
        }
        count = Some(count.unwrap_or(0) + point.last);
        end = point.at;
    }
    count
}
