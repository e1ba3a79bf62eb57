//! What lies beside resources on data paths, read from a real server.

use std::time::Duration;

use everseal_tests::program::{command_at, fresh_folder, run};
use everseal_tests::server::{Emulator, Server};
use serde_json::{Value, json};

const QUEUES: &str = "arn:aws:sqs:us-east-1:123456789012";
const IAM: &str = "arn:aws:iam::123456789012";

fn parsed(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

#[test]
fn without_a_policy_rules_distributions_roles_and_log_targets_are_observed() {
    let server = Server::start(Emulator::Moto);
    let seeded = server.python("paths.py", &[], &Value::Null);
    let ended = run(command_at(&server.url(), &["observe"]), Duration::from_mins(1));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let inventory = &ended.json();
    let facts = &inventory["pathFacts"];

    let rules: Vec<(Value, Value, Value)> = facts["eventRules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (rule["arn"].clone(), rule["enabled"].clone(), rule["targets"].clone()))
        .collect();
    let rule = |name: &str, enabled: bool, targets: Value| {
        (json!(format!("arn:aws:events:us-east-1:123456789012:rule/{name}")), json!(enabled), targets)
    };
    let queue = json!([{ "id": "queue", "arn": format!("{QUEUES}:uploaded"), "deadLetterQueue": format!("{QUEUES}:dead") }]);
    let by_role = json!([{ "id": "1", "arn": format!("{QUEUES}:uploaded"), "role": format!("{IAM}:role/settlement") }]);
    assert_eq!(rules, [rule("uploads", true, queue), rule("nightly", false, json!([])), rule("orders/settled", true, by_role)]);
    assert_eq!(parsed(&facts["eventRules"][0]["pattern"]), seeded["uploaded"]);

    let [distribution] = facts["distributions"].as_array().unwrap().as_slice() else { panic!("{facts}") };
    // moto does not list an origin's access control: the unit tests of the adapter show that it is read.
    let website = json!({ "domain": "site.s3-website-us-east-1.amazonaws.com", "protocolPolicy": "http-only" });
    assert_eq!(distribution["origins"], json!([{ "domain": "uploads.s3.us-east-1.amazonaws.com" }, website]));
    assert_eq!((&distribution["enabled"], &distribution["viewerProtocolPolicies"]), (&json!(true), &json!(["redirect-to-https"])));

    let settlement = &facts["roles"][format!("{IAM}:role/finance/settlement")];
    let policies: Vec<Value> = settlement["policies"].as_array().unwrap().iter().map(parsed).collect();
    assert_eq!(policies, [seeded["settle"].clone(), seeded["put"].clone()], "the inline one, and the attached one's default version");
    assert_eq!(parsed(&settlement["boundary"]), seeded["bound"]);
    assert_eq!(facts["roles"][format!("{IAM}:role/idle")], json!({ "policies": [] }));
    assert_eq!(facts["channels"], json!([]));

    assert_eq!(inventory["buckets"]["arn:aws:s3:::uploads"]["loggingTarget"], "access-logs");
    assert_eq!(inventory["buckets"]["arn:aws:s3:::access-logs"]["loggingTarget"], Value::Null);
}

/// The key's document leaves it to IAM who may use the key: what the roles of delivery streams may do decides.
#[test]
fn a_role_that_a_step_hangs_on_is_read_from_iam_while_planning() {
    let server = Server::start(Emulator::Moto);
    server.python("paths.py", &["lakes"], &Value::Null);
    let policy = fresh_folder("lakes").join("policy.yaml");
    let text = "apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: { name: lakes }\nspec:\n  mode: enforce\n  s3:\n    - { name: lakes, atRest: { algorithm: \"aws:kms\", key: alias/lakes } }\n";
    std::fs::write(&policy, text).unwrap();
    let arguments = ["plan", "--output", "json", "--policy", policy.to_str().unwrap()];
    let ended = run(command_at(&server.url(), &arguments), Duration::from_mins(1));
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let plan = ended.json();
    let gate = |bucket: &str| {
        let steps = plan["steps"].as_array().unwrap();
        steps.iter().find(|step| step["resource"] == format!("arn:aws:s3:::{bucket}")).unwrap_or_else(|| panic!("{plan}"))["gate"].clone()
    };
    assert_eq!(gate("lake-open"), Value::Null);
    let shut = gate("lake-shut");
    assert_eq!(shut["name"], "path");
    let reason = shut["reason"].as_str().unwrap();
    assert!(reason.contains(&format!("{IAM}:role/to-shut")) && reason.contains("do not allow"), "{reason}");
}
