//! The read side against two emulators with the same seed: each difference has its reason here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use everseal_tests::program::{command_at, run};
use everseal_tests::server::{Emulator, Server};
use serde_json::Value;

use crate::estate::{WHOLE, policy};

/// Where the two differ (fragments of the path in the inventory, `$` for its end), and why that is an emulator's doing.
const EXPLAINED: [(&str, &str, &str); 35] = [
    ("/resourceId$", "", "ids are made up; moto gives one to all instances"),
    ("/blueGreenDeployments", "", "ministack does not know DescribeBlueGreenDeployments; an account without any has an empty list"),
    ("/eventSubscriptions$", "", "ministack does not know DescribeEventSubscriptions; an account without any has an empty list"),
    ("/activity/unreadable/", "", "neither speaks CloudWatch's RPC v2 CBOR: moto answers 404, ministack something else"),
    ("/alarms/unreadable/", "", "neither speaks CloudWatch's RPC v2 CBOR: moto answers 404, ministack something else"),
    ("/settings/dbSubnetGroup$", "", "moto shows no subnet group where AWS and ministack have the default one"),
    ("/settings/networkType$", "", "moto shows no network type where AWS and ministack say IPV4"),
    ("/settings/optionGroup$", "", "both name the default option group after a version of their own making"),
    ("/settings/performanceInsightsRetention$", "", "ministack shows a retention though Performance Insights is off"),
    ("/settings/preferred", "Window$", "a window that nobody chose is AWS's choice, and each emulator's"),
    ("/settings/replicaMode$", "", "ministack shows an empty replica mode, which is none"),
    ("/settings/storageThroughput$", "", "ministack shows a throughput of zero, which is none"),
    ("/settings/vpcSecurityGroups$", "", "moto gives a database the default security group as AWS does, ministack none"),
    ("/settings/licenseModel$", "", "moto calls PostgreSQL's licence general-public-license, AWS and ministack postgresql-license"),
    ("/observedAt$", "", "the clock"),
    ("/createdAt$", "", "the clock"),
    ("/deletionDate$", "", "the clock"),
    ("/subscriptions/", "/id$", "subscriptions get random ids"),
    ("/buckets/", "/encryption$", "a new bucket of moto answers 404 for its encryption; AWS and ministack: SSE-S3"),
    (
        "/buckets/",
        "/notifications/",
        "moto wraps a bucket's notifications in an element of another name than AWS's NotificationConfiguration",
    ),
    ("/buckets/", "/publicAccess/", "ministack does not know GetBucketPolicyStatus and lists the bucket instead"),
    ("/aliases/alias/aws/", "", "moto has a key behind every AWS-managed alias, AWS and ministack only where it is in use"),
    ("/sqsManagedSse$", "", "a new queue of moto is under SSE-SQS as AWS's are, one of ministack is not if it was made with a policy"),
    ("/dataKeyReuseSeconds$", "", "ministack leaves the reuse period out where it is the default, AWS and moto give 300"),
    ("/attributes/document/Statement/0/Action", "", "the default topic policies name the same actions in another order"),
    ("/rotation/periodInDays$", "", "moto loses the rotation period, and shows none"),
    ("/destinations/0/id$", "", "ministack numbers destinations over all streams"),
    ("fin-aws-owned/description/encryption/status$", "", "moto shows no status for an encryption that a stream was created with"),
    ("/db", "/endpoint/address$", "moto makes up a name, ministack would start a server on this machine"),
    ("/dbInstances/", "/ca", "moto names an authority that AWS does not know, rds-ca-default"),
    ("/dbInstances/", "fin-aurora-1/kmsKey$", "ministack does not hand a cluster's encryption down to its instances"),
    ("/dbInstances/", "fin-aurora-1/storageEncrypted$", "as above"),
    ("/dbInstances/", "/parameterGroups/0/name$", "both make up names of default groups: AWS's is default.mysql8.0"),
    ("/dbParameterGroups/", "", "moto tells nothing of a parameter but name and value; names of default groups as above"),
    ("/dbClusterParameterGroups/", "/parameters/", "as above"),
];

/// The inventory with everything taken out that differs from run to run: ids become names, documents are compared as documents.
fn observed(emulator: Emulator) -> Value {
    let server = Server::start(emulator);
    server.python("seed.py", &[], &Value::Null);
    let policy = policy(WHOLE);
    let ended = run(command_at(&server.url(), &["observe", "--policy", &policy]), Duration::from_mins(2));
    let inventories = ended.json();
    let mut text = ended.stdout.replace(&server.address().to_string(), "SERVER");
    for inventory in inventories.as_array().unwrap() {
        for (alias, key) in inventory["aliases"].as_object().unwrap() {
            let key = key.as_str().unwrap();
            text = text.replace(key.rsplit('/').next().unwrap(), &alias.replace('/', "-"));
        }
    }
    let mut value = serde_json::from_str(&text).unwrap();
    parse_documents(&mut value);
    value
}

fn parse_documents(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(parse_documents),
        Value::Array(members) => members.iter_mut().for_each(parse_documents),
        Value::String(text) if text.starts_with('{') => *value = serde_json::from_str(text).unwrap(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn both_emulators_are_read_alike() {
    let (moto, ministack) = (observed(Emulator::Moto), observed(Emulator::Ministack));
    let mut different = BTreeMap::new();
    compare("", &moto, &ministack, &mut different);
    let why = |path: &str| EXPLAINED.iter().position(|(one, other, _)| matches(path, one) && matches(path, other));
    let unexplained: Vec<String> =
        different.iter().filter(|(path, _)| why(path).is_none()).map(|(path, (one, other))| format!("{path}: {one} | {other}")).collect();
    assert!(unexplained.is_empty(), "{} differences (moto | ministack):\n{}", unexplained.len(), unexplained.join("\n"));
    let used: BTreeSet<usize> = different.keys().filter_map(|path| why(path)).collect();
    let idle: Vec<&str> = EXPLAINED.iter().enumerate().filter(|(index, _)| !used.contains(index)).map(|(_, (_, _, why))| *why).collect();
    assert!(idle.is_empty(), "no longer different: {idle:?}");
}

fn matches(path: &str, fragment: &str) -> bool {
    fragment.strip_suffix('$').map_or_else(|| path.contains(fragment), |end| path.ends_with(end))
}

fn compare(path: &str, one: &Value, other: &Value, different: &mut BTreeMap<String, (String, String)>) {
    match (one, other) {
        (Value::Object(left), Value::Object(right)) => {
            let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for name in names {
                compare(
                    &format!("{path}/{name}"),
                    left.get(name).unwrap_or(&Value::Null),
                    right.get(name).unwrap_or(&Value::Null),
                    different,
                );
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                compare(&format!("{path}/{index}"), left, right, different);
            }
        }
        _ if one == other => {}
        _ => {
            different.insert(path.to_owned(), (one.to_string(), other.to_string()));
        }
    }
}
