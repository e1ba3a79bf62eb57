//! What is looked at: protection, foreign statements, and what the program wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use everseal_planner::PolicySet;
use everseal_planner::policy::model::Mode;
use everseal_sim::world::JournalEntry;
use everseal_sim::{Moment, User, World};
use http::Method;
use serde_json::{Value, json};

use super::estate::{Estate, HOME};
use super::policy::EXEMPT;

/// How well a resource is protected: more is better.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Protection {
    /// 0 none, 1 the service's or AWS's own key, 2 an AWS-managed key, 3 a customer's key.
    pub at_rest: u8,
    /// Its document denies plain HTTP.
    pub tls: bool,
}

/// A resource as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub protection: Protection,
    /// The key's name on it.
    pub key: Option<String>,
    /// Statements of its document that are not Everseal's, in their order.
    pub foreign: Vec<Value>,
}

/// Everything of an estate, by ARN; keys by their ARN too.
pub fn look(estate: &Estate, world: &mut World) -> BTreeMap<String, Seen> {
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    for arn in &estate.resources {
        let service = arn.split(':').nth(2).unwrap();
        let name = arn.rsplit([':', '/']).next().unwrap();
        let (key, managed, document) = match service {
            "s3" => bucket(&estate.admin, world, name),
            "sqs" => queue(&estate.admin, world, name),
            "sns" => topic(&estate.admin, world, arn),
            "firehose" => delivery_stream(&estate.admin, world, name),
            "kinesis" => data_stream(&estate.admin, world, name),
            other => panic!("no eye for {other}"),
        };
        let statements = statements(document.as_deref());
        let protection = Protection { at_rest: rank(key.as_deref(), managed), tls: statements.iter().any(denies_plain_http) };
        seen.insert(arn.clone(), Seen { protection, key, foreign: foreign(statements) });
    }
    for key in [Some(&estate.legacy), estate.listed.as_ref()].into_iter().flatten() {
        let answer = estate.admin.json(world, "TrentService.GetKeyPolicy", &json!({ "KeyId": key, "PolicyName": "default" })).unwrap();
        let statements = statements(answer["Policy"].as_str());
        seen.insert(key.clone(), Seen { protection: Protection { at_rest: 0, tls: false }, key: None, foreign: foreign(statements) });
    }
    seen
}

fn rank(key: Option<&str>, managed: bool) -> u8 {
    match key {
        Some(key) if key.contains("alias/aws/") => 2,
        Some(_) => 3,
        None => u8::from(managed),
    }
}

type Facts = (Option<String>, bool, Option<String>);

fn bucket(admin: &User, world: &mut World, name: &str) -> Facts {
    let path = format!("/{name}");
    let reply = admin.s3(world, (Method::GET, &path, "encryption"), "").unwrap();
    let answer = everseal_sim::wire::xml::Element::parse(&reply.body).unwrap();
    let rule = "Rule/ApplyServerSideEncryptionByDefault";
    let algorithm = answer.at(&format!("{rule}/SSEAlgorithm")).unwrap_or_default().to_owned();
    let key = answer.at(&format!("{rule}/KMSMasterKeyID")).map(str::to_owned);
    let key = if algorithm.starts_with("aws:kms") { key.or(Some("alias/aws/s3".to_owned())) } else { None };
    let document = admin.s3(world, (Method::GET, &path, "policy"), "").ok().map(|reply| String::from_utf8_lossy(&reply.body).into_owned());
    (key, algorithm == "AES256", document)
}

fn queue(admin: &User, world: &mut World, name: &str) -> Facts {
    let url = admin.json(world, "AmazonSQS.GetQueueUrl", &json!({ "QueueName": name })).unwrap();
    let ask = json!({ "QueueUrl": url["QueueUrl"], "AttributeNames": ["All"] });
    let answer = admin.json(world, "AmazonSQS.GetQueueAttributes", &ask).unwrap();
    let text = |name: &str| answer["Attributes"][name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    (text("KmsMasterKeyId"), text("SqsManagedSseEnabled").as_deref() == Some("true"), text("Policy"))
}

fn topic(admin: &User, world: &mut World, arn: &str) -> Facts {
    let answer = admin.query(world, "sns", "GetTopicAttributes", &[("TopicArn", arn)]).unwrap();
    let attributes = answer.first("GetTopicAttributesResult").and_then(|result| result.first("Attributes")).unwrap();
    let value = |name: &str| {
        let entry = attributes.all("entry").find(|entry| entry.value("key") == Some(name))?;
        entry.value("value").filter(|text| !text.is_empty()).map(str::to_owned)
    };
    (value("KmsMasterKeyId"), false, value("Policy"))
}

fn delivery_stream(admin: &User, world: &mut World, name: &str) -> Facts {
    let answer = admin.json(world, "Firehose_20150804.DescribeDeliveryStream", &json!({ "DeliveryStreamName": name })).unwrap();
    let encryption = &answer["DeliveryStreamDescription"]["DeliveryStreamEncryptionConfiguration"];
    // Under a customer's key a failed change keeps the old key, and a running one is not there yet.
    let key = encryption["KeyARN"].as_str().map(str::to_owned);
    let on = matches!(encryption["Status"].as_str(), Some("ENABLED" | "ENABLING" | "ENABLING_FAILED"));
    (key.filter(|_| on), on, None)
}

fn data_stream(admin: &User, world: &mut World, name: &str) -> Facts {
    let answer = admin.json(world, "Kinesis_20131202.DescribeStreamSummary", &json!({ "StreamName": name })).unwrap();
    (answer["StreamDescriptionSummary"]["KeyId"].as_str().map(str::to_owned), false, None)
}

fn statements(document: Option<&str>) -> Vec<Value> {
    let Some(document) = document else { return Vec::new() };
    let document: Value = serde_json::from_str(document).unwrap();
    match &document["Statement"] {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    }
}

/// Statements of Everseal's are those whose Sid says so, and the one that every checker wants under AWS's own name.
fn foreign(statements: Vec<Value>) -> Vec<Value> {
    statements.into_iter().filter(|statement| !statement["Sid"].as_str().unwrap_or_default().starts_with("Everseal")).collect()
}

fn denies_plain_http(statement: &Value) -> bool {
    statement["Effect"] == "Deny" && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
}

/// What became worse between two looks.
pub fn fallen(before: &BTreeMap<String, Seen>, after: &BTreeMap<String, Seen>) -> Vec<String> {
    let mut worse = Vec::new();
    for (arn, was) in before {
        let Some(is) = after.get(arn) else {
            worse.push(format!("{arn} is gone"));
            continue;
        };
        if is.protection.at_rest < was.protection.at_rest || (was.protection.tls && !is.protection.tls) {
            worse.push(format!("protection of {arn} fell from {was:?} to {is:?}"));
        }
        if is.foreign != was.foreign {
            worse.push(format!("statements of others on {arn} changed from {:?} to {:?}", was.foreign, is.foreign));
        }
    }
    worse
}

/// What the policy wants left alone and was changed all the same: resources of a rule in audit mode, and exempt ones.
pub fn touched(policies: &PolicySet, before: &BTreeMap<String, Seen>, after: &BTreeMap<String, Seen>) -> Vec<String> {
    let spec = &policies.policies[0].spec;
    let audited = spec.s3.first().is_some_and(|rule| rule.mode == Some(Mode::Audit));
    let exempt = spec.exemptions.iter().any(|exemption| exemption.resource == EXEMPT);
    let prefix = EXEMPT.trim_end_matches('*');
    let left_alone = |arn: &&String| (audited && arn.starts_with("arn:aws:s3:::p0-")) || (exempt && arn.starts_with(prefix));
    let changed = before.keys().filter(left_alone).filter(|arn| before.get(*arn) != after.get(*arn));
    changed.map(|arn| format!("{arn} was changed, though the policy wants it left alone")).collect()
}

/// Writes that AWS refused though no fault struck them: steps that should never have been made.
pub fn refused(journal: &[JournalEntry]) -> Vec<String> {
    let refused = journal.iter().filter(|entry| !entry.reads() && !entry.struck && entry.access_key == HOME);
    refused
        .filter(|entry| entry.status.is_some_and(|status| (400..500).contains(&status)))
        // An answer was lost or a read was old: the next call finds the work done or under way, and that is nobody's fault.
        .filter(|entry| !struck_before(journal, entry))
        .map(|entry| format!("{} was refused at {}: {} {}", entry.operation, entry.at.0, text(&entry.request.1), text(&entry.answer)))
        .collect()
}

/// A fault struck a call of the same service shortly before.
fn struck_before(journal: &[JournalEntry], entry: &JournalEntry) -> bool {
    let recent = |other: &&JournalEntry| other.at <= entry.at && entry.at.since(other.at) <= Duration::from_mins(2);
    journal.iter().filter(recent).any(|other| other.struck && other.service == entry.service)
}

/// Firehose takes 25 changes of a stream's encryption a day; the program makes no more than 20, the rest is a person's.
const CALLS_A_DAY: usize = 20;
const DAY: Duration = Duration::from_hours(24);

/// Calls that left people less than was promised of what AWS takes in 24 hours.
pub fn overdrawn(journal: &[JournalEntry]) -> Vec<String> {
    let mut calls: BTreeMap<&[u8], Vec<Moment>> = BTreeMap::new();
    // A call that a fault struck is sent again by the SDK, for the same step.
    let counted = |entry: &&JournalEntry| entry.operation == "StartDeliveryStreamEncryption" && !entry.struck;
    for entry in journal.iter().filter(counted) {
        calls.entry(&entry.request.1).or_default().push(entry.at);
    }
    let too_many = |times: &&Vec<Moment>| times.windows(CALLS_A_DAY + 1).any(|day| day[CALLS_A_DAY].since(day[0]) < DAY);
    calls
        .iter()
        .filter(|(_, times)| too_many(times))
        .map(|(stream, times)| format!("more than {CALLS_A_DAY} of {} calls in 24 hours: {}", times.len(), text(stream)))
        .collect()
}

/// Cycles in which more was changed than the policy allows. A cycle begins with a listing of everything.
pub fn beyond_limits(policies: &PolicySet, journal: &[JournalEntry], resources: usize) -> Vec<String> {
    let limits = &policies.policies[0].spec.limits;
    let share = limits.max_changes_percent.map(|percent| (resources * percent as usize / 100).max(1));
    let most = limits.max_changes_per_cycle.map_or(usize::MAX, |most| most as usize);
    let mut beyond = Vec::new();
    for cycle in journal.split(|entry| entry.operation == "ListQueues") {
        // What belongs to the making of a key is one change; a write that is sent again is the same.
        let counts = |entry: &&JournalEntry| {
            !entry.reads()
                && entry.service != "sts"
                && !["CreateAlias", "EnableKeyRotation"].contains(&entry.operation.as_str())
                && entry.status.is_some_and(|status| status < 300)
        };
        let changes: BTreeSet<_> = cycle.iter().filter(counts).map(|entry| (&entry.operation, &entry.request)).collect();
        if changes.len() > most {
            let made: Vec<&String> = changes.iter().map(|(operation, _)| *operation).collect();
            beyond.push(format!("{} changes in a cycle, where the policy allows {most}: {made:?}", changes.len()));
        }
        // One resource may need two changes, its encryption's and its document's.
        if let Some(share) = share.filter(|share| changes.len() > share * 2) {
            beyond.push(format!("{} changes in a cycle, where the policy allows {share} resources", changes.len()));
        }
    }
    beyond
}

pub fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}
