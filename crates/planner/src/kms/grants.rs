//! What `usableBy` means in a key document: one statement of ours per service, one for all producers, one for all
//! consumers.
//!
//! The words of `usableBy.services`, and why each is narrowed as it is:
//! - A service that calls KMS as itself (`s3`, `cloudwatch`, `events.rds` …) is let in as a service principal for
//!   resources of the scope's account alone: `aws:SourceAccount`. A policy names no source, so an `aws:SourceArn`
//!   could only be the account's wildcard, which says the same; it is used where the service is documented to send
//!   that key and not the account: `sns`, `cloudtrail`, `cloudfront`. [KMS: Least-privilege permissions; SQS: Key management]
//! - `events` gets no condition: EventBridge sends neither key when it publishes to an encrypted topic, and a
//!   statement that asks for one drops every event. [SNS: Managing keys and costs]
//! - `sqs`, `firehose`, `kinesis` and `rds` never call KMS for an event source as themselves; they pass their caller's identity on. The
//!   words mean "principals of this account, through that service": `kms:ViaService` with `kms:CallerAccount`, as in
//!   the documents of AWS-managed keys. [KMS: Condition keys]
//!
//! What a resource's path needs beside that is in [`super::needs`].
//!
//! Each grant carries a probe: a request that only a statement as general as ours allows. Its account is the scope's, its
//! source is made up, so that a statement for one bucket is not taken for a statement for all.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::document::Principal;
use crate::document::ours::SID_PREFIX;
use crate::policy::model::UsableBy;

/// Producers encrypt under a data key and read it back (multipart uploads, retries).
const WRITE: &[&str] = &["kms:GenerateDataKey", "kms:Decrypt"];
const READ: &[&str] = &["kms:Decrypt"];
/// Stands for any resource or principal in probes: nobody has it, so only a wildcard matches it.
const ANYBODY: &str = "everseal-probe-for-any";

/// Where a key lives: everything that a grant depends on beside the policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) partition: &'a str,
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
}

/// Whom a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grantee {
    /// A role or user, by ARN.
    Aws(String),
    /// A service principal.
    Service(String),
    /// A service principal that acts for this source (`aws:SourceArn`), which may be a pattern.
    ServiceFor {
        /// The principal.
        service: String,
        /// The source.
        source: String,
    },
    /// Everybody; the conditions say who that is.
    Everybody,
}

/// One thing that the document must allow.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// Grants of the same Sid share a statement.
    pub(crate) sid: String,
    pub(crate) grantee: Grantee,
    /// What is asked for, to find out whether the document allows it already.
    pub(crate) actions: Vec<&'static str>,
    /// What the statement says: AWS's own statements for services allow every kind of data key.
    pub(crate) written: Vec<&'static str>,
    /// Beside the source of [`Grantee::ServiceFor`].
    pub(crate) condition: Option<Value>,
    /// Who is asked for, to find out whether the document allows it already.
    pub(crate) probe: Principal,
    pub(crate) context: BTreeMap<String, Vec<String>>,
    /// In words: `producer arn:…`.
    pub(crate) name: String,
}

/// Everything that `usableBy` asks for, in the order of the policy.
pub(crate) fn wanted(usable_by: &UsableBy, place: Place<'_>) -> Vec<Grant> {
    let mut grants = Vec::new();
    for word in &usable_by.services {
        match word.as_str() {
            "sqs" | "firehose" | "kinesis" => grants.push(via(word, "", WRITE, place)),
            "rds" => {
                grants.push(via(word, "", &["kms:DescribeKey"], place));
                grants.push(via(word, "Grants", &["kms:CreateGrant"], place));
            }
            _ => grants.push(service(word, place)),
        }
    }
    for (principals, sid, actions, role) in
        [(&usable_by.producers, "Producers", WRITE, "producer"), (&usable_by.consumers, "Consumers", READ, "consumer")]
    {
        grants.extend(principals.iter().map(|principal| Grant {
            sid: format!("{SID_PREFIX}{sid}"),
            grantee: Grantee::Aws(principal.clone()),
            actions: actions.to_vec(),
            written: actions.to_vec(),
            condition: None,
            probe: Principal::Aws(principal.clone()),
            context: tls(),
            name: format!("{role} {principal}"),
        }));
    }
    grants
}

/// KMS is served over TLS alone, so a statement that denies plain HTTP never meets these requests.
pub(super) fn tls() -> BTreeMap<String, Vec<String>> {
    BTreeMap::from([("aws:securetransport".to_owned(), vec!["true".to_owned()])])
}

fn service(word: &str, place: Place<'_>) -> Grant {
    let Place { partition, account, .. } = place;
    let principal = if word.ends_with(".amazonaws.com") { word.to_owned() } else { format!("{word}.amazonaws.com") };
    let mut context = tls();
    let source = match word {
        "sns" => Some(format!("arn:{partition}:sns:*:{account}:*")),
        "cloudtrail" => Some(format!("arn:{partition}:cloudtrail:*:{account}:trail/*")),
        "cloudfront" => Some(format!("arn:{partition}:cloudfront::{account}:distribution/*")),
        _ => None,
    };
    let (actions, written): (&[&str], &[&str]) = match word {
        "cloudtrail" => {
            (&["kms:GenerateDataKey", "kms:Decrypt", "kms:DescribeKey"], &["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"])
        }
        "cloudfront" => (&["kms:GenerateDataKey", "kms:Decrypt", "kms:Encrypt"], &["kms:GenerateDataKey*", "kms:Decrypt", "kms:Encrypt"]),
        _ => (WRITE, &["kms:GenerateDataKey*", "kms:Decrypt"]),
    };
    let condition = match source {
        Some(pattern) => {
            context.insert("aws:sourcearn".to_owned(), vec![pattern.replace('*', ANYBODY)]);
            Some(json!({ "ArnLike": { "aws:SourceArn": pattern } }))
        }
        None if word == "events" => None,
        None => {
            context.insert("aws:sourceaccount".to_owned(), vec![account.to_owned()]);
            Some(json!({ "StringEquals": { "aws:SourceAccount": account } }))
        }
    };
    Grant {
        sid: format!("{SID_PREFIX}Service{}", title(word)),
        grantee: Grantee::Service(principal.clone()),
        actions: actions.to_vec(),
        written: written.to_vec(),
        condition,
        probe: Principal::Service(principal.clone()),
        context,
        name: format!("service {principal}"),
    }
}

fn via(word: &str, suffix: &str, actions: &[&'static str], place: Place<'_>) -> Grant {
    let Place { partition, account, region } = place;
    let endpoint = format!("{word}.{region}.amazonaws.com");
    let mut context = tls();
    context.insert("kms:viaservice".to_owned(), vec![endpoint.clone()]);
    context.insert("kms:calleraccount".to_owned(), vec![account.to_owned()]);
    let mut condition = json!({ "StringEquals": { "kms:ViaService": endpoint, "kms:CallerAccount": account } });
    if actions.contains(&"kms:CreateGrant") {
        context.insert("kms:grantisforawsresource".to_owned(), vec!["true".to_owned()]);
        condition["Bool"] = json!({ "kms:GrantIsForAWSResource": "true" });
    }
    Grant {
        sid: format!("{SID_PREFIX}Via{}{suffix}", title(word)),
        grantee: Grantee::Everybody,
        actions: actions.to_vec(),
        written: actions.to_vec(),
        condition: Some(condition),
        probe: Principal::Aws(format!("arn:{partition}:iam::{account}:role/{ANYBODY}")),
        context,
        name: format!("principals of account {account} through {word}"),
    }
}

/// `events.rds` → `EventsRds`: Sids are letters and digits.
pub(super) fn title(word: &str) -> String {
    let parts = word.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(|part| part[..1].to_ascii_uppercase() + &part[1..]).collect()
}

impl Grant {
    /// What grants of the same Sid differ in, and their common statement lists: the principal, or the source.
    pub(crate) fn member(&self) -> Option<&str> {
        match &self.grantee {
            Grantee::Aws(principal) => Some(principal),
            Grantee::ServiceFor { service: _, source } => Some(source),
            Grantee::Service(_) | Grantee::Everybody => None,
        }
    }

    /// The statement that grants this to `members`, which grants of the same Sid share.
    pub(crate) fn statement(&self, sid: &str, members: &[String]) -> Map<String, Value> {
        let principal = match &self.grantee {
            Grantee::Aws(_) => json!({ "AWS": one_or_many(members) }),
            Grantee::Service(service) | Grantee::ServiceFor { service, source: _ } => json!({ "Service": service }),
            Grantee::Everybody => json!({ "AWS": "*" }),
        };
        let mut condition = self.condition.clone();
        if let Grantee::ServiceFor { .. } = &self.grantee {
            condition.get_or_insert_with(|| json!({}))["ArnLike"] = json!({ "aws:SourceArn": one_or_many(members) });
        }
        let actions: Vec<String> = self.written.iter().map(|action| (*action).to_owned()).collect();
        let mut body = Map::new();
        body.insert("Sid".to_owned(), json!(sid));
        body.insert("Effect".to_owned(), json!("Allow"));
        body.insert("Principal".to_owned(), principal);
        body.insert("Action".to_owned(), one_or_many(&actions));
        body.insert("Resource".to_owned(), json!("*"));
        if let Some(condition) = condition {
            body.insert("Condition".to_owned(), condition);
        }
        body
    }
}

fn one_or_many(list: &[String]) -> Value {
    if let [one] = list { json!(one) } else { json!(list) }
}
