//! One pass over the whole estate: planned, applied, judged by boto3, and quiet afterwards.

use everseal_tests::proxy::count;
use everseal_tests::wire::Call;

use crate::estate::{Estate, WHOLE, open_steps};

fn writes(calls: &[Call]) -> Vec<Call> {
    calls.iter().filter(|call| call.writes).cloned().collect()
}

#[test]
fn an_apply_meets_the_policy_and_the_next_one_writes_nothing() {
    let estate = Estate::seeded("pass", WHOLE);

    let planned = estate.everseal(&["plan", "--output", "json"]);
    assert_eq!(planned.code, Some(2), "drift is there to be found:\n{}", planned.stderr);
    let calls = estate.proxy.take();
    assert_eq!(count(&writes(&calls)), std::collections::BTreeMap::new(), "a plan changes nothing");
    let open = open_steps(&planned.json());
    assert!(open.len() > 100, "the estate needs more than {} changes", open.len());

    let applied = estate.everseal(&["apply", "--yes"]);
    let first = writes(&estate.proxy.take());
    // Every step was made; what gates stop is still drift, which the exit code must not hide.
    assert_eq!(applied.code, Some(2), "stdout:\n{}\nstderr:\n{}", applied.stdout, applied.stderr);

    let after = estate.everseal(&["plan", "--output", "json"]);
    assert_eq!(after.json()["summary"]["unknown"], 0, "everything can be read:\n{}", after.stderr);
    let wrong = estate.judge(&after.json());
    assert!(wrong.is_empty(), "{} wrong after {} writes:\n{}\napply said:\n{}", wrong.len(), first.len(), wrong.join("\n"), applied.stderr);
    assert_eq!(after.code, Some(2), "what gates stop is still drift");

    estate.proxy.take();
    let again = estate.everseal(&["apply", "--yes"]);
    let second = writes(&estate.proxy.take());
    assert!(second.is_empty(), "a second apply wrote: {:?}\n{}", count(&second), again.stderr);

    let changes = everseal_tests::program::run(changes(&estate), std::time::Duration::from_secs(10));
    assert_eq!(changes.code, Some(0), "{}", changes.stderr);
    let recorded = changes.json();
    let recorded = recorded.as_array().or_else(|| recorded["changes"].as_array()).unwrap().len();
    assert!(recorded >= open.len(), "{recorded} changes are recorded, {} were planned", open.len());
}

fn changes(estate: &Estate) -> std::process::Command {
    let mut command = everseal_tests::program::command(&["changes", "--output", "json", "--limit", "1000"]);
    command.env("EVERSEAL_LEDGER", estate.ledger());
    command
}
