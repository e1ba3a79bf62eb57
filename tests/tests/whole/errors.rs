//! Bad input, in words a person can act on, and soon.

use std::time::Duration;

use everseal_tests::program::{Ended, command, command_at, fresh_folder, run};
use everseal_tests::server::free_address;

use crate::estate::{Estate, WHOLE};

const PATIENCE: Duration = Duration::from_secs(10);

fn assert_error(ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code, Some(1), "took {:?}; stdout:\n{}\nstderr:\n{}", ended.took, ended.stdout, ended.stderr);
    let said = ended.stderr.to_lowercase();
    for word in words {
        assert!(said.contains(&word.to_lowercase()), "does not say `{word}`:\n{}", ended.stderr);
    }
    assert!(!said.contains("panicked"), "{}", ended.stderr);
}

/// A policy that names no region of its own.
fn policy_without_region(name: &str) -> String {
    let file = fresh_folder(name).join("policy.yaml");
    std::fs::write(&file, "apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: { name: any }\nspec:\n  sqs:\n    - { name: queues, atRest: { encryption: SSE-SQS } }\n").unwrap();
    file.display().to_string()
}

#[test]
fn no_region() {
    let policy = policy_without_region("no-region");
    let mut command = command(&["plan", "--policy", &policy]);
    command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    assert_error(&run(command, PATIENCE), &["region", "AWS_REGION"]);
}

#[test]
fn no_credentials() {
    let policy = policy_without_region("no-credentials");
    let mut command = command(&["plan", "--policy", &policy]);
    command.env("AWS_REGION", "us-east-1");
    assert_error(&run(command, PATIENCE), &["credentials"]);
}

#[test]
fn unreachable_endpoint() {
    let endpoint = format!("http://{}", free_address());
    for arguments in [["plan", "--policy"], ["apply", "--policy"], ["observe", "--policy"]] {
        let policy = policy_without_region("unreachable");
        let ended = run(command_at(&endpoint, &[arguments[0], arguments[1], &policy]), PATIENCE);
        assert_error(&ended, &[&endpoint.replace("http://", "")]);
    }
}

#[test]
fn an_endpoint_that_never_answers() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let policy = policy_without_region("silent");
    let ended = run(command_at(&endpoint, &["plan", "--policy", &policy]), PATIENCE);
    assert_error(&ended, &[]);
}

#[test]
fn bad_policy() {
    let file = fresh_folder("bad-policy").join("policy.yaml");
    std::fs::write(&file, "apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: { name: any }\nspec:\n  sqss: []\n").unwrap();
    for name in ["plan", "apply", "run", "validate"] {
        let ended = run(command_at("http://127.0.0.1:1", &[name, "--policy", &file.display().to_string()]), PATIENCE);
        assert_error(&ended, &["policy.yaml:5:3", "sqss", "sqs"]);
    }
    let missing = run(command(&["validate", "--policy", "/nonexistent/policy.yaml"]), PATIENCE);
    assert_error(&missing, &["/nonexistent/policy.yaml"]);
}

#[test]
fn unknown_flag() {
    let ended = run(command(&["plan", "--polcy", "x"]), PATIENCE);
    assert_ne!(ended.code, Some(0));
    assert!(ended.stderr.contains("--policy"), "the right flag is not named:\n{}", ended.stderr);
}

#[test]
fn one_account_that_cannot_be_entered_is_its_own_failure() {
    let estate = Estate::seeded("locked-account", WHOLE);
    estate.proxy.decide(|call| (call.operation == "AssumeRole").then_some(everseal_tests::proxy::Fault::Error("AccessDenied", 403)));
    let planned = estate.everseal(&["plan", "--output", "json"]);
    assert!(planned.stderr.contains("222233334444"), "the account is not named:\n{}", planned.stderr);
    let plan = planned.json();
    assert!(plan["findings"].as_array().unwrap().iter().any(|finding| finding["account"] == "123456789012"));
    assert_eq!(planned.code, Some(2), "drift in the first account is still drift");
}
