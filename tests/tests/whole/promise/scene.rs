//! Lives that chance brings rarely or never: built by hand, one for what keeps data flowing in each of them, judged like
//! all others.

use std::time::Duration;

use everseal_sim::World;
use everseal_sim::fault::{Fault, FaultRule};
use serde_json::{Value, json};

use super::estate::{Estate, HOME, Sealed, everybody, key_document, make_key, role};
use super::pipelines;
use super::policy::EXEMPT;

/// A life that was built by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// A bucket takes access logs, which S3 never writes under a KMS key.
    LogTarget,
    /// A bucket's replication leaves objects under KMS keys behind.
    Replication,
    /// A queue's document holds as many statements as SQS takes.
    CrowdedQueue,
    /// The wanted key is disabled, and nobody lets Everseal enable it.
    DisabledKey,
    /// The wanted key is nobody's to give grants on, and shuts S3 out.
    ForeignKey,
    /// Nobody lets Everseal read the wanted key's document, which shuts S3 out.
    HiddenDocument,
    /// A delivery stream whose wanted key lets nobody make grants: each change of its encryption is taken and then fails.
    StubbornStream,
    /// The wanted key shuts S3 out, and another team sees to its document.
    DocumentOfOthers,
    /// The wanted key does not exist, and another team will make it.
    KeyOfOthers,
    /// The wanted key shuts S3 out until its document is written, and KMS takes seconds to go by it.
    SlowDocument,
    /// The wanted key is disabled, and Everseal may enable it.
    KeyToEnable,
    /// The wanted key will be deleted, and Everseal may keep it.
    KeyToKeep,
    /// A website's bucket, whose visitors come over plain HTTP.
    Website,
    /// A bucket whose public document Block Public Access would not take again.
    PublicBucket,
    /// A queue that lets anybody in, and nobody can tell who comes.
    OpenQueue,
    /// A queue that the policy exempts.
    ExemptQueue,
    /// A bucket that the policy wants looked at only.
    AuditedBucket,
    /// More to do than the policy lets be done in one cycle.
    FewChanges,
}

impl Scene {
    /// Every one.
    pub const ALL: [Self; 18] = [
        Self::LogTarget,
        Self::Replication,
        Self::CrowdedQueue,
        Self::DisabledKey,
        Self::ForeignKey,
        Self::HiddenDocument,
        Self::StubbornStream,
        Self::DocumentOfOthers,
        Self::KeyOfOthers,
        Self::SlowDocument,
        Self::KeyToEnable,
        Self::KeyToKeep,
        Self::Website,
        Self::PublicBucket,
        Self::OpenQueue,
        Self::ExemptQueue,
        Self::AuditedBucket,
        Self::FewChanges,
    ];

    /// Between two passes.
    pub const INTERVAL: Duration = Duration::from_mins(20);

    /// How long producers send: less than a day, in which Firehose forgets no call.
    pub const fn ticks(self) -> u32 {
        if matches!(self, Self::StubbornStream) { 40 } else { 24 }
    }

    /// Faults stop after so many.
    pub const TROUBLED: u32 = 12;

    pub fn faults(self) -> Vec<FaultRule> {
        let hidden = matches!(self, Self::HiddenDocument);
        hidden.then(|| FaultRule::always(Fault::Deny).on("kms", "GetKeyPolicy")).into_iter().collect()
    }

    pub const fn key_propagation(self) -> Duration {
        if matches!(self, Self::SlowDocument) { Duration::from_secs(4) } else { Duration::ZERO }
    }

    pub fn policy(self) -> String {
        let listed = "  keys: [{ alias: alias/data }]\n";
        let healed = "  keys: [{ alias: alias/data, heal: [enable, cancelDeletion] }]\n";
        let buckets = "  s3: [{ name: buckets, atRest: { algorithm: \"aws:kms\", key: alias/data, bucketKey: true } }]\n";
        let queues = "  sqs: [{ name: queues, atRest: { encryption: SSE-KMS, key: alias/data } }]\n";
        let exempt = |arn: &str, check: &str| {
            format!("  exemptions: [{{ resource: \"{arn}\", checks: [{check}], reason: another team sees to it }}]\n")
        };
        let of_keys = |resource: &str, check: &str| exempt(&format!("arn:aws:kms:us-east-1:111122223333:{resource}/*"), check);
        let in_transit = "inTransit: { denyInsecureTransport: true }";
        let spec = match self {
            Self::LogTarget | Self::Replication => format!("{listed}{buckets}"),
            Self::CrowdedQueue => format!("  sqs: [{{ name: queues, {in_transit} }}]\n"),
            Self::Website | Self::PublicBucket => format!("  s3: [{{ name: buckets, {in_transit} }}]\n"),
            Self::ExemptQueue => format!("  sqs: [{{ name: queues, {in_transit} }}]\n{}", exempt(EXEMPT, "sqs-secure-transport")),
            Self::AuditedBucket => format!("  s3: [{{ name: watched, mode: audit, {in_transit} }}]\n"),
            Self::FewChanges => {
                format!(
                    "  s3: [{{ name: b, {in_transit} }}]\n  sqs: [{{ name: q, {in_transit} }}]\n  limits: {{ maxChangesPerCycle: 1 }}\n"
                )
            }
            Self::ForeignKey => queues.to_owned(),
            Self::DisabledKey | Self::HiddenDocument | Self::SlowDocument | Self::OpenQueue => format!("{listed}{queues}"),
            Self::StubbornStream => {
                format!("{listed}  firehose: [{{ name: streams, atRest: {{ keyType: CUSTOMER_MANAGED_CMK, key: alias/data }} }}]\n")
            }
            Self::DocumentOfOthers => format!("{listed}{queues}{}", of_keys("key", "kms-key-document")),
            Self::KeyOfOthers => format!("{listed}{queues}{}", of_keys("alias", "kms-key-exists")),
            Self::KeyToEnable | Self::KeyToKeep => format!("{healed}  kinesis: [{{ name: streams, atRest: {{ key: alias/data }} }}]\n"),
        };
        format!(
            "apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: {{ name: by-hand }}\nspec:\n  mode: enforce\n  scopes: {{ regions: [us-east-1] }}\n{spec}"
        )
    }

    pub fn raise(self, world: &mut World) -> Estate {
        let mut estate = Estate::founded(fastrand::Rng::with_seed(1), world);
        estate.always = Some(Sealed::Default);
        let lay = match self {
            Self::LogTarget => pipelines::logged,
            Self::Replication => pipelines::replicated,
            Self::CrowdedQueue => pipelines::crowded_queue,
            Self::StubbornStream => pipelines::delivery_stream_to_bucket,
            Self::KeyToEnable | Self::KeyToKeep => pipelines::data_stream_to_bucket,
            Self::Website => pipelines::website,
            Self::PublicBucket => pipelines::public_and_blocked,
            Self::OpenQueue => pipelines::open_queue,
            Self::ExemptQueue => pipelines::partner_to_queue,
            Self::DisabledKey
            | Self::ForeignKey
            | Self::HiddenDocument
            | Self::DocumentOfOthers
            | Self::KeyOfOthers
            | Self::SlowDocument
            | Self::AuditedBucket
            | Self::FewChanges => pipelines::bucket_to_queue,
        };
        let name = if self == Self::ExemptQueue { "p1" } else { "p0" };
        let flow = lay(&mut estate, world, name);
        estate.flows.push(flow);
        self.make_wanted_key(&mut estate, world);
        estate
    }

    fn make_wanted_key(self, estate: &mut Estate, world: &mut World) {
        let admin = estate.admin.clone();
        let statements = match self {
            Self::KeyOfOthers
            | Self::CrowdedQueue
            | Self::Website
            | Self::PublicBucket
            | Self::ExemptQueue
            | Self::AuditedBucket
            | Self::FewChanges => return,
            Self::LogTarget | Self::Replication | Self::DisabledKey => everybody(),
            Self::ForeignKey | Self::HiddenDocument | Self::DocumentOfOthers | Self::SlowDocument | Self::OpenQueue => Vec::new(),
            Self::StubbornStream => {
                let no_grants = json!({ "Sid": "NoGrants", "Effect": "Deny", "Principal": { "AWS": format!("arn:aws:iam::{HOME}:root") }, "Action": "kms:CreateGrant", "Resource": "*" });
                vec![no_grants, used_by(&["ingest"])]
            }
            Self::KeyToEnable | Self::KeyToKeep => vec![used_by(&["ingest", "settlement", "p0-firehose"])],
        };
        let key = make_key(world, &admin, "alias/data", &key_document(&statements));
        let change = match self {
            Self::DisabledKey | Self::KeyToEnable => Some("TrentService.DisableKey"),
            Self::KeyToKeep => Some("TrentService.ScheduleKeyDeletion"),
            _ => None,
        };
        if let Some(operation) = change {
            admin.json(world, operation, &json!({ "KeyId": key })).unwrap();
        }
        estate.listed = Some(key);
    }
}

fn used_by(roles: &[&str]) -> Value {
    let roles: Vec<String> = roles.iter().map(|name| role(name)).collect();
    json!({ "Sid": "Roles", "Effect": "Allow", "Principal": { "AWS": roles }, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*" })
}
