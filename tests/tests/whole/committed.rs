//! Generated files that are committed are what the program generates, and say no more than they should.

use std::collections::BTreeSet;
use std::time::Duration;

use everseal_tests::binary::repository;
use everseal_tests::program::{command, fresh_folder, run};
use serde_json::Value;

fn generated(mode: &str) -> Value {
    let ended = run(command(&["iam-policy", "--mode", mode]), Duration::from_secs(10));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.json()
}

fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter().filter(|statement| statement["Effect"] == "Allow");
    statements.flat_map(|statement| statement["Action"].as_array().unwrap()).map(|action| action.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_committed_iam_policies_are_the_generated_ones() {
    for mode in ["audit", "enforce"] {
        let file = repository().join("deploy/iam").join(mode).with_extension("json");
        let committed: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let hint = format!("everseal iam-policy --mode {mode} > deploy/iam/{mode}.json");
        assert_eq!(committed, generated(mode), "{} is out of date: {hint}", file.display());
    }
}

#[test]
fn audit_only_reads_and_enforce_can_not_destroy() {
    let (audit, enforce) = (actions(&generated("audit")), actions(&generated("enforce")));
    let reads = ["Get", "List", "Describe", "AssumeRole"];
    let writes: Vec<&String> =
        audit.iter().filter(|action| !reads.iter().any(|verb| action.split(':').nth(1).unwrap().starts_with(verb))).collect();
    assert!(writes.is_empty(), "audit may {writes:?}");
    assert!(audit.is_subset(&enforce), "enforcing reads first");
    // AWS-FACTS §14, "never grant".
    let never = [
        "s3:DeleteBucketPolicy",
        "s3:DeleteObject",
        "kms:ScheduleKeyDeletion",
        "kms:DisableKey",
        "firehose:StopDeliveryStreamEncryption",
        "kinesis:StopStreamEncryption",
    ];
    let destroys: Vec<&String> =
        enforce.iter().filter(|action| action.contains('*') || never.iter().any(|never| action.starts_with(never))).collect();
    assert!(destroys.is_empty(), "enforce may {destroys:?}");
}

/// A migration takes away what it made, and a replaced database where the policy says so: both bear its tags.
#[test]
fn databases_and_snapshots_are_deleted_only_by_the_tags_of_a_migration() {
    let policy = generated("enforce");
    let deleting = policy["Statement"].as_array().unwrap().iter().filter(|statement| {
        let actions = statement["Action"].as_array().unwrap();
        actions.iter().any(|action| action.as_str().unwrap().starts_with("rds:DeleteDB"))
    });
    let conditions: Vec<String> = deleting.map(|statement| statement["Condition"].to_string()).collect();
    assert!(!conditions.is_empty());
    for condition in conditions {
        let tagged = ["aws:ResourceTag/everseal:migration-of", "aws:ResourceTag/everseal:replaced-at"];
        assert!(tagged.iter().any(|tag| condition.contains(tag)), "{condition}");
    }
}

#[test]
fn the_readme_shows_a_valid_policy_and_stays_short() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 200);
    let policy = readme.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let file = fresh_folder("readme").join("policy.yaml");
    std::fs::write(&file, policy).unwrap();
    let ended = run(command(&["validate", "--policy", file.to_str().unwrap()]), Duration::from_secs(10));
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
}
