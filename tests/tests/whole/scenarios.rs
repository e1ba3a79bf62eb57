//! Golden scenarios, in this process and through the real command.

use std::process::Command;

use everseal_tests::binary;
use everseal_tests::scenario::{Outcome, Scenario, all, assert_all, compare, compare_paths, has_unread, judge_in_process};

#[test]
fn scenarios_in_process() {
    assert_all(&all(), judge_in_process);
}

#[test]
fn scenarios_through_the_command() {
    let everseal = binary::everseal();
    assert_all(&all(), |scenario| judge_command(&everseal, scenario));
}

fn judge_command(everseal: &std::path::Path, scenario: &Scenario) -> Vec<String> {
    let output = Command::new(everseal)
        .args(["plan", "--output", "json", "--policy"])
        .arg(scenario.folder.join("policy.yaml"))
        .arg("--inventory")
        .arg(scenario.folder.join("inventory.json"))
        .env_clear()
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let mut wrong = judge_paths_command(everseal, scenario);
    let exit = scenario.expected.exit(has_unread(scenario));
    if output.status.code() != Some(exit) {
        wrong.push(format!("exit code {:?}, expected {exit}; it said:\n{said}", output.status.code()));
    }
    for fragment in scenario.expected.errors.iter().chain(&scenario.expected.warnings) {
        if !said.contains(fragment.as_str()) {
            wrong.push(format!("it did not say `{fragment}`:\n{said}"));
        }
    }
    if scenario.expected.errors.is_empty() {
        match serde_json::from_slice(&output.stdout) {
            Ok(json) => wrong.extend(compare(&scenario.expected, &Outcome::of_json(&json))),
            Err(error) => wrong.push(format!("its output is not JSON ({error}); it said:\n{said}")),
        }
    }
    wrong
}

/// `everseal paths` of a scenario that expects paths.
fn judge_paths_command(everseal: &std::path::Path, scenario: &Scenario) -> Vec<String> {
    if scenario.expected.paths.is_none() {
        return Vec::new();
    }
    let run = |form: &[&str]| {
        let mut command = Command::new(everseal);
        command.arg("paths").args(form).arg("--policy").arg(scenario.folder.join("policy.yaml"));
        command.arg("--inventory").arg(scenario.folder.join("inventory.json")).env_clear().output().unwrap()
    };
    let output = run(&["--json"]);
    let exit = scenario.expected.paths_exit(has_unread(scenario));
    let mut wrong = match serde_json::from_slice(&output.stdout) {
        Ok(json) => compare_paths(&scenario.expected, &json),
        Err(error) => vec![format!("its paths are not JSON ({error}): {}", String::from_utf8_lossy(&output.stderr))],
    };
    if output.status.code() != Some(exit) {
        wrong.push(format!("`paths` ended with {:?}, expected {exit}", output.status.code()));
    }
    let tree = String::from_utf8_lossy(&run(&[]).stdout).into_owned();
    if tree.chars().any(|c| c.is_control() && c != '\n') || !tree.contains("Paths: ") {
        wrong.push(format!("the tree must be plain text with a summary when it is piped:\n{tree}"));
    }
    wrong
}
