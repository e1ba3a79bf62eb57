//! Replication: copies of new objects, made by a role of the bucket's owner. [S3: Replicating objects]
//!
//! Objects sealed by KMS are copied only where the rule says so. What is not copied is not reported to anybody.

use std::time::Duration;

use super::Event;
use super::Handler;
use super::bucket::{Algorithm, Versioning, arn};
use super::buckets::{change, need};
use super::conditions;
use super::request::{Request, answer, malformed_xml, no_such_bucket, permit};
use super::seal::{self, Purpose, Seal, Wish};
use super::store;
use super::versions::Object;
use crate::access::Caller;
use crate::error::ApiError;
use crate::http::Reply;
use crate::tally::Undelivered;
use crate::wire::xml::Element;
use crate::world::{self, Origin, World};

/// Most objects are copied within 15 minutes, most of those within seconds. [S3: Replication Time Control]
const ON_ITS_WAY: Duration = Duration::from_secs(15);

/// Replication of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replication {
    /// The role that copies.
    role: String,
    rules: Vec<Rule>,
    /// As it was written.
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    enabled: bool,
    priority: i64,
    prefix: String,
    /// The destination's name.
    destination: String,
    /// `SseKmsEncryptedObjects`.
    copies_kms_objects: bool,
    replica_key: Option<String>,
}

/// A copy that is to be made.
#[derive(Debug)]
pub(crate) struct Replica {
    bucket: String,
    key: String,
    version: String,
    rule: Rule,
}

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "GetBucketReplication" => Some(get),
        "PutBucketReplication" => Some(put),
        "DeleteBucketReplication" => Some(delete),
        _ => None,
    }
}

fn get(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetReplicationConfiguration")?;
    let Some(replication) = &bucket.replication else {
        let message = "The replication configuration was not found";
        return Err(ApiError::new(404, "ReplicationConfigurationNotFoundError", message).detail("BucketName", &request.bucket));
    };
    Ok(Reply::new(200, "application/xml", replication.text.clone()))
}

fn put(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.find(world)?;
    let replication = read(&request.document()?)?;
    if bucket.versioning != Versioning::Enabled {
        let message = "Versioning must be 'Enabled' on the bucket to apply a replication configuration";
        return Err(ApiError::bad_request("InvalidRequest", message));
    }
    for rule in &replication.rules {
        let destination = world.s3.buckets.get(&rule.destination);
        if destination.is_none_or(|bucket| bucket.versioning != Versioning::Enabled) {
            let message =
                if destination.is_some() { "Destination bucket must have versioning enabled." } else { "Destination bucket must exist." };
            return Err(ApiError::bad_request("InvalidRequest", message));
        }
    }
    change(world, request, "s3:PutReplicationConfiguration", |bucket| bucket.replication = Some(Box::new(replication)))?;
    Ok(Reply::empty(200))
}

fn delete(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    change(world, request, "s3:PutReplicationConfiguration", |bucket| bucket.replication = None)?;
    Ok(Reply::empty(204))
}

fn read(root: &Element) -> Result<Replication, ApiError> {
    let role = need(root, "Role")?.to_owned();
    if Caller::role(&role, "s3-replication").is_none() {
        return Err(super::request::invalid_argument("Invalid Role specified in replication configuration", "Role", &role));
    }
    let rules: Vec<Rule> = root.all("Rule").map(read_rule).collect::<Result<_, _>>()?;
    if rules.is_empty() {
        return Err(malformed_xml());
    }
    let body = answer(root.clone()).body;
    let text = String::from_utf8(body.to_vec()).map_err(|_| malformed_xml())?;
    Ok(Replication { role, rules, text })
}

fn read_rule(rule: &Element) -> Result<Rule, ApiError> {
    let destination = rule.first("Destination").ok_or_else(malformed_xml)?;
    let name = need(destination, "Bucket")?;
    let copies_kms_objects = rule.at("SourceSelectionCriteria/SseKmsEncryptedObjects/Status") == Some("Enabled");
    let replica_key = destination.at("EncryptionConfiguration/ReplicaKmsKeyID").map(str::to_owned);
    if copies_kms_objects && replica_key.is_none() {
        let message = "Destination must have EncryptionConfiguration with ReplicaKmsKeyID if SseKmsEncryptedObjects is enabled";
        return Err(ApiError::bad_request("InvalidRequest", message));
    }
    let prefix = rule.at("Filter/Prefix").or_else(|| rule.at("Filter/And/Prefix")).or_else(|| rule.value("Prefix"));
    Ok(Rule {
        enabled: match need(rule, "Status")? {
            "Enabled" => true,
            "Disabled" => false,
            _ => return Err(malformed_xml()),
        },
        priority: rule.value("Priority").and_then(|text| text.parse().ok()).unwrap_or(0),
        prefix: prefix.unwrap_or_default().to_owned(),
        destination: name.strip_prefix("arn:aws:s3:::").ok_or_else(malformed_xml)?.to_owned(),
        copies_kms_objects,
        replica_key,
    })
}

/// Puts copies of a new version on the schedule: one for each destination, by the rule that comes first there.
pub(super) fn schedule(world: &mut World, bucket: &str, key: &str, version: Option<&str>) {
    let Some(version) = version else { return };
    let Some(replication) = world.s3.buckets.get(bucket).and_then(|bucket| bucket.replication.as_deref()) else { return };
    let matching = replication.rules.iter().filter(|rule| rule.enabled && key.starts_with(&rule.prefix));
    let mut rules: Vec<Rule> = matching.cloned().collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.priority));
    let mut destinations = std::collections::BTreeSet::new();
    rules.retain(|rule| destinations.insert(rule.destination.clone()));
    for rule in rules {
        let replica = Replica { bucket: bucket.to_owned(), key: key.to_owned(), version: version.to_owned(), rule };
        world.later(ON_ITS_WAY, world::Event::S3(Event::Replicate(Box::new(replica))));
    }
}

/// Makes a copy, or counts it as lost.
pub(super) fn replicate(world: &mut World, replica: &Replica) {
    let (from, to) = (arn(&replica.bucket), arn(&replica.rule.destination));
    match copy(world, replica) {
        Ok(true) => world.tally.delivered(&from, &to),
        Ok(false) => {}
        Err(error) => {
            let at = world.now();
            world.tally.undelivered(Undelivered { at, from, to, why: error.to_string(), lost: true });
        }
    }
}

/// Whether there was anything to copy.
fn copy(world: &mut World, replica: &Replica) -> Result<bool, ApiError> {
    let Replica { bucket, key, version, rule } = replica;
    let Some(source) = world.s3.buckets.get(bucket) else { return Ok(false) };
    let Some(role) = source.replication.as_ref().and_then(|replication| Caller::role(&replication.role, "s3-replication")) else {
        return Ok(false);
    };
    let found = source.objects.get(key).and_then(|versions| versions.get(Some(version)));
    let Some(object) = found.and_then(super::versions::Version::object).cloned() else { return Ok(false) };
    let origin = Origin { caller: role, region: source.region.clone(), secure: true };
    let from = format!("{}/{key}", arn(bucket));
    permit(world, &origin, bucket, ("s3:GetObjectVersionForReplication", &from), conditions::of_connection(&origin))?;
    match &object.seal {
        Seal::Customer { .. } | Seal::Aes256 => {}
        Seal::Kms { .. } if !rule.copies_kms_objects => {
            let message = "the rule does not replicate objects encrypted with SSE-KMS";
            return Err(ApiError::bad_request("InvalidRequest", message));
        }
        Seal::Kms { .. } => seal::open(world, &origin, Purpose { bucket, key, action: "kms:Decrypt" }, &object.seal, None)?,
    }
    let seal = reseal(world, &origin, replica, &object.seal)?;
    let Object { body, headers, .. } = object;
    let etag = store::etag_of(&body, &seal);
    let copy = Object { body, etag, modified: world.now(), seal, headers, is_replica: true };
    store::keep(world, &origin, (&rule.destination, key), copy, "ObjectCreated:Put")?;
    Ok(true)
}

/// A copy of an object sealed by KMS is sealed with the rule's key, any other as the destination says.
fn reseal(world: &mut World, origin: &Origin, replica: &Replica, source: &Seal) -> Result<Seal, ApiError> {
    let Replica { key, rule, .. } = replica;
    let destination = &rule.destination;
    let to = format!("{}/{key}", arn(destination));
    permit(world, origin, destination, ("s3:ReplicateObject", &to), conditions::of_connection(origin))?;
    let wish = match (source, &rule.replica_key) {
        (Seal::Customer { .. }, _) => return Ok(source.clone()),
        (Seal::Kms { dual, .. }, Some(replica_key)) => {
            let algorithm = if *dual { Algorithm::Dsse } else { Algorithm::Kms };
            Wish::Managed { algorithm, kms_key: Some(replica_key.clone()), bucket_key: None }
        }
        (Seal::Aes256 | Seal::Kms { .. }, _) => Wish::Default,
    };
    if !world.s3.buckets.contains_key(destination) {
        return Err(no_such_bucket(destination));
    }
    seal::seal(world, origin, Purpose { bucket: destination, key, action: "kms:Encrypt" }, &wish)
}
