//! Small policies and inventories for tests: written as the YAML and JSON that users see.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::plan::context::Past;
use crate::plan::{Context, Gate, Plan, Step, plan};
use crate::policy::model::{EncryptionPolicy, Metadata, Spec};
use crate::{Arn, Check, Finding, Inventory, PolicySet, Reading, State};

pub(crate) const ACCOUNT: &str = "111122223333";
/// The key behind `alias/finance`.
pub(crate) const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001";
pub(crate) const KEY_ID: &str = "0a1b2c3d-0000-4000-8000-000000000001";
/// The key behind `alias/other`.
pub(crate) const OTHER_KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000002";
/// The key behind `alias/aws/sqs`.
pub(crate) const AWS_SQS_KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000003";

/// One enforcing policy with this `spec`.
pub(crate) fn policies(spec: &str) -> PolicySet {
    let mut spec: Spec = serde_yaml::from_str(spec).unwrap();
    spec.mode = crate::policy::model::Mode::Enforce;
    let metadata = Metadata { name: "p".into(), labels: std::collections::BTreeMap::new() };
    let policy = EncryptionPolicy { api_version: "everseal.io/v1".into(), kind: "EncryptionPolicy".into(), metadata, spec };
    PolicySet { policies: vec![policy], revision: "r".into() }
}

/// An IAM document's text.
pub(crate) fn document(statements: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// The document of a key that delegates to IAM and has `statements` besides.
pub(crate) fn key_document(statements: &Value) -> String {
    let root = json!({"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"});
    let all: Vec<Value> = std::iter::once(root).chain(statements.as_array().unwrap().iter().cloned()).collect();
    document(&json!(all))
}

/// Lets a service use the key.
pub(crate) fn grant(service: &str, condition: &Value) -> Value {
    let mut statement =
        json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*"});
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}

/// An inventory with three keys; `key_statements` are those of the key behind `alias/finance`, `more` is laid over the rest.
pub(crate) fn inventory(key_statements: &Value, more: &Value) -> Inventory {
    let metadata = |aws_managed: bool| json!({"state": "Enabled", "awsManaged": aws_managed, "usage": "ENCRYPT_DECRYPT", "spec": "SYMMETRIC_DEFAULT", "origin": "AWS_KMS"});
    let mut all = json!({
        "scope": {"partition": "aws", "account": ACCOUNT, "region": "us-east-1"},
        "observedAt": 1_750_000_000,
        "subscriptions": [],
        "aliases": {"alias/finance": KEY, "alias/other": OTHER_KEY, "alias/aws/sqs": AWS_SQS_KEY},
        "keys": {
            KEY: {"arn": KEY, "metadata": metadata(false), "document": key_document(key_statements)},
            OTHER_KEY: {"arn": OTHER_KEY, "metadata": metadata(false), "document": key_document(&json!([]))},
            AWS_SQS_KEY: {"arn": AWS_SQS_KEY, "metadata": metadata(true)},
        },
    });
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

/// A bucket with nothing that gates stop; `settings` are laid over it.
pub(crate) fn bucket(name: &str, settings: &Value) -> Value {
    let arn = format!("arn:aws:s3:::{name}");
    let mut bucket = json!({
        "arn": arn, "name": name,
        "encryption": {"algorithm": "AES256"}, "document": null,
        "website": false, "logDeliveryAcl": false, "replication": [], "notifications": {},
        "publicAccess": {"policyIsPublic": false, "blockPublicPolicy": true},
    });
    for (key, value) in settings.as_object().unwrap() {
        if value == "unread" {
            bucket.as_object_mut().unwrap().remove(key);
        } else {
            bucket[key] = value.clone();
        }
    }
    json!({ arn: bucket })
}

/// A queue with these attributes.
pub(crate) fn queue(name: &str, attributes: &Value) -> Value {
    let arn = format!("arn:aws:sqs:us-east-1:111122223333:{name}");
    let url = format!("https://sqs.us-east-1.amazonaws.com/111122223333/{name}");
    json!({ arn.clone(): {"arn": arn, "url": url, "attributes": attributes} })
}

/// A topic with these attributes.
pub(crate) fn topic(name: &str, attributes: &Value) -> Value {
    let arn = format!("arn:aws:sns:us-east-1:111122223333:{name}");
    json!({ arn.clone(): {"arn": arn, "attributes": attributes} })
}

/// The inventory with a document on each queue and topic that shows none: it lets in the services that are asked to send there.
pub(crate) fn fed(mut inventory: Inventory) -> Inventory {
    let mut senders: Vec<(String, &str, String)> = Vec::new();
    for bucket in inventory.buckets.values() {
        let targets = bucket.notifications.known().into_iter().flat_map(|notifications| &notifications.targets);
        senders.extend(targets.map(|target| (target.to_string(), "s3", bucket.arn.to_string())));
    }
    for subscription in inventory.subscriptions.known().into_iter().flatten() {
        senders.push((subscription.endpoint.clone(), "sns", subscription.topic.to_string()));
    }
    for rule in inventory.path_facts.event_rules.known().into_iter().flatten() {
        let to = rule.targets.iter().flat_map(|target| std::iter::once(&target.arn).chain(&target.dead_letter_queue));
        senders.extend(to.map(|target| (target.to_string(), "events", rule.arn.to_string())));
    }
    let admitting = |resource: &Arn, action: &str| {
        let statement = |(_, service, source): &(String, &str, String)| {
            json!({"Effect": "Allow", "Principal": {"Service": format!("{service}.amazonaws.com")}, "Action": action,
                "Resource": resource.as_str(), "Condition": {"ArnEquals": {"aws:SourceArn": source}}})
        };
        let statements: Vec<Value> = senders.iter().filter(|(target, _, _)| target == resource.as_str()).map(statement).collect();
        (!statements.is_empty()).then(|| document(&json!(statements)))
    };
    for (arn, queue) in &mut inventory.queues {
        if let Reading::Known(attributes) = &mut queue.attributes {
            attributes.document = attributes.document.take().or_else(|| admitting(arn, "sqs:SendMessage"));
        }
    }
    for (arn, topic) in &mut inventory.topics {
        if let Reading::Known(attributes) = &mut topic.attributes {
            attributes.document = attributes.document.take().or_else(|| admitting(arn, "sns:Publish"));
        }
    }
    inventory
}

/// A reading that AWS denied.
pub(crate) fn denied(operation: &str, action: &str) -> Value {
    json!({"unreadable": {"class": "denied", "operation": operation, "missingAction": action, "message": "no permission"}})
}

/// Plans `inventory` under one enforcing policy.
pub(crate) fn planned(spec: &str, inventory: &Inventory) -> Plan {
    let past = Past::default();
    plan(&Context { policies: &policies(spec), inventory, now: inventory.observed_at, past: &past })
}

/// The one finding of a check.
pub(crate) fn finding(plan: &Plan, check: Check) -> &Finding {
    let mut found = plan.findings.iter().filter(|finding| finding.check == check);
    let one = found.next().unwrap_or_else(|| panic!("no finding {check}"));
    assert!(found.next().is_none(), "several findings {check}");
    one
}

/// The state of a check's one finding.
pub(crate) fn state(plan: &Plan, check: Check) -> State {
    finding(plan, check).state
}

/// The one step of a check.
pub(crate) fn step(plan: &Plan, check: Check) -> &Step {
    let mut found = plan.steps.iter().filter(|step| step.check == check);
    let one = found.next().unwrap_or_else(|| panic!("no step {check}"));
    assert!(found.next().is_none(), "several steps {check}");
    one
}

/// What stops the one step of a check.
pub(crate) fn gate(plan: &Plan, check: Check) -> Option<Gate> {
    step(plan, check).gate.as_ref().map(|block| block.name)
}

/// Why.
pub(crate) fn reason(plan: &Plan, check: Check) -> &str {
    &step(plan, check).gate.as_ref().unwrap().reason
}

/// The one change of a check.
pub(crate) fn change(plan: &Plan, check: Check) -> Value {
    serde_json::to_value(step(plan, check).change.as_ref().unwrap()).unwrap()
}
