#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use super::*;
use crate::testing::{NOON, SEALED_QUEUES, metrics, value};

const GOOD: &str = "apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: { name: NAME }\nspec:\n";

type Files = Arc<Mutex<Result<String, String>>>;

fn text(name: &str) -> String {
    format!("{}{SEALED_QUEUES}", GOOD.replace("NAME", name))
}

type Started = Result<(PolicyWatch, Vec<Diagnostic>), PolicyLoadError>;

fn start(first: &str) -> (Files, Started, Status, prometheus::Registry) {
    let files: Files = Arc::new(Mutex::new(Ok(first.to_owned())));
    let (metrics, registry) = metrics(Clock::starting_at(NOON));
    let status = Status::new(Clock::starting_at(NOON));
    let read: ReadSources = {
        let files = Arc::clone(&files);
        Box::new(move || {
            let text = files.lock().unwrap().clone().map_err(io::Error::other)?;
            Ok(vec![Source { file: "policy.yaml".to_owned(), text }])
        })
    };
    let watch = PolicyWatch::start(read, Clock::starting_at(NOON), metrics, status.clone());
    (files, watch, status, registry)
}

fn names(watch: &PolicyWatch) -> Vec<String> {
    watch.in_force.borrow().policies.iter().map(|policy| policy.metadata.name.clone()).collect()
}

#[tokio::test]
async fn a_first_policy_that_is_wrong_is_refused() {
    let (_, watch, _, _) = start("apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: { name: x }\nspec: { mod: audit }\n");
    let error = watch.err().unwrap();
    assert!(error.to_string().starts_with("the policy is not valid: policy.yaml:4:"), "{error}");
}

#[tokio::test]
async fn a_new_policy_comes_into_force() {
    let (files, watch, status, registry) = start(&text("one"));
    let mut watch = watch.unwrap().0;
    let mut receiver = watch.subscribe();
    watch.look();
    assert!(!receiver.has_changed().unwrap(), "the same text is no change");
    *files.lock().unwrap() = Ok(text("two"));
    watch.look();
    assert!(receiver.has_changed().unwrap());
    assert_eq!(receiver.borrow_and_update().policies[0].metadata.name, "two");
    assert_eq!(value(&registry, "everseal_policy_info", &[("name", "one")]), None);
    assert_eq!(value(&registry, "everseal_policy_info", &[("name", "two")]), Some(1.0));
    assert_eq!(status.policies().unwrap().names, ["two"]);
}

#[tokio::test]
async fn a_bad_policy_keeps_the_old_one_in_force_and_is_counted_once() {
    let (files, watch, status, registry) = start(&text("one"));
    let mut watch = watch.unwrap().0;
    *files.lock().unwrap() = Ok("spec: [".to_owned());
    for _ in 0..5 {
        watch.look();
    }
    assert_eq!(names(&watch), ["one"]);
    assert_eq!(value(&registry, "everseal_policy_load_errors_total", &[]), Some(1.0));
    assert_eq!(value(&registry, "everseal_policy_last_load_success", &[]), Some(0.0));
    assert_eq!(value(&registry, "everseal_policy_info", &[("name", "one")]), Some(1.0));
    assert!(status.policies().unwrap().load_error.is_some());
    *files.lock().unwrap() = Ok(text("one"));
    watch.look();
    assert_eq!(value(&registry, "everseal_policy_last_load_success", &[]), Some(1.0));
    assert_eq!(status.policies().unwrap().load_error, None);
}

#[tokio::test]
async fn files_that_cannot_be_read_change_nothing() {
    let (files, watch, status, registry) = start(&text("one"));
    let mut watch = watch.unwrap().0;
    let receiver = watch.subscribe();
    *files.lock().unwrap() = Err("permission denied".to_owned());
    watch.look();
    watch.look();
    assert_eq!(names(&watch), ["one"]);
    assert_eq!(value(&registry, "everseal_policy_load_errors_total", &[]), Some(1.0), "the same error is reported once");
    assert_eq!(status.policies().unwrap().load_error.as_deref(), Some("the policy can't be read: permission denied"));
    *files.lock().unwrap() = Ok(text("one"));
    watch.look();
    assert_eq!(value(&registry, "everseal_policy_last_load_success", &[]), Some(1.0));
    assert!(!receiver.has_changed().unwrap(), "the policy is the one that was in force");
}

#[tokio::test]
async fn a_bad_text_that_could_not_be_read_for_a_while_is_still_bad() {
    let (files, watch, _, registry) = start(&text("one"));
    let mut watch = watch.unwrap().0;
    *files.lock().unwrap() = Ok("spec: [".to_owned());
    watch.look();
    *files.lock().unwrap() = Err("gone".to_owned());
    watch.look();
    *files.lock().unwrap() = Ok("spec: [".to_owned());
    watch.look();
    assert_eq!(value(&registry, "everseal_policy_last_load_success", &[]), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn it_looks_again_and_again_until_it_is_stopped() {
    let (files, watch, _, _) = start(&text("one"));
    let watch = watch.unwrap().0;
    let receiver = watch.subscribe();
    let stop = CancellationToken::new();
    let task = tokio::spawn(watch.run(READ_EVERY, stop.clone()));
    *files.lock().unwrap() = Ok(text("two"));
    tokio::time::sleep(READ_EVERY + Duration::from_millis(10)).await;
    assert_eq!(receiver.borrow().policies[0].metadata.name, "two");
    stop.cancel();
    task.await.unwrap();
}
