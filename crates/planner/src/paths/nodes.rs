//! Resources of an inventory as nodes: how they store data, whether they refuse plain HTTP where the policy asks it, and
//! what of their way on was not read.

use super::model::{Node, NodeKind, PathState, Trouble, TroubleKind};
use super::run::Run;
use crate::document::{Answer, Document, Protected, transport};
use crate::inventory::{Bucket, DataStream, DeliveryStream, Queue, Reading, Topic};
use crate::plan::compare::{unreadable_words, why_unknown};
use crate::plan::select::{Rule, Selection, select};
use crate::policy::model::{Mode, Spec};
use crate::s3::desired::algorithm_words;
use crate::s3::encryption::DEFAULT_KEY;
use crate::{Arn, Inventory, Service};

/// A resource with its key as written, where it has one.
pub(crate) struct Seen {
    pub(crate) node: Node,
    pub(crate) key: Option<String>,
}

impl Seen {
    fn new(arn: &Arn, kind: NodeKind) -> Self {
        Self { node: Node { id: arn.to_string(), kind, at_rest: String::new(), key: None, troubles: Vec::new() }, key: None }
    }

    fn stored(mut self, words: impl Into<String>, key: Option<&str>, inventory: &Inventory) -> Self {
        self.node.at_rest = words.into();
        self.key = key.map(str::to_owned);
        self.node.key = key.map(|key| match inventory.resolve_key(key) {
            crate::inventory::ResolvedKey::Key(arn) => inventory.key_name(&arn),
            crate::inventory::ResolvedKey::AwsManaged(text) | crate::inventory::ResolvedKey::Unresolved(text) => text,
        });
        self
    }

    fn open(mut self, what: impl Into<String>) -> Self {
        let what = what.into();
        self.node.at_rest.clone_from(&what);
        self.node.troubles.push(Trouble::new(PathState::Exposed, TroubleKind::AtRest, what));
        self
    }

    fn unread(mut self, what: impl Into<String>) -> Self {
        if self.node.at_rest.is_empty() {
            "not known".clone_into(&mut self.node.at_rest);
        }
        self.node.troubles.push(Trouble::unread(what));
        self
    }

    fn lacking<T>(mut self, reading: &Reading<T>, what: &str, action: &str) -> Self {
        if reading.known().is_none() {
            let why = why_unknown(reading, action);
            self.node.troubles.push(Trouble::unread(format!("nobody knows {what}: {why}")));
        }
        self
    }
}

/// The kind of a resource that nobody observed, by its ARN.
pub(crate) fn kind_of(arn: &Arn) -> NodeKind {
    match (arn.service(), arn.resource()) {
        ("s3", _) => NodeKind::Bucket,
        ("sqs", _) => NodeKind::Queue,
        ("sns", _) => NodeKind::Topic,
        ("firehose", _) => NodeKind::DeliveryStream,
        ("kinesis", resource) if resource.starts_with("stream/") => NodeKind::DataStream,
        ("kinesis", _) => NodeKind::Channel,
        ("events", resource) if resource.starts_with("rule/") => NodeKind::EventRule,
        ("cloudfront", _) => NodeKind::Distribution,
        ("lambda", _) => NodeKind::Function,
        ("iam" | "sts", _) => NodeKind::Principal,
        _ => NodeKind::Other,
    }
}

/// A node for something that no inventory of the run holds. Whoever stores data and was not read may store it openly.
pub(crate) fn elsewhere(run: &Run<'_>, id: &str) -> Node {
    let arn = Arn::parse(id).ok();
    let kind = arn.as_ref().map_or(NodeKind::Other, kind_of);
    let mut node = Node { id: id.to_owned(), kind, at_rest: String::new(), key: None, troubles: Vec::new() };
    let stores = matches!(
        kind,
        NodeKind::Bucket | NodeKind::Queue | NodeKind::Topic | NodeKind::DeliveryStream | NodeKind::DataStream | NodeKind::Channel
    );
    if let (true, Some(arn)) = (stores, arn) {
        "not known".clone_into(&mut node.at_rest);
        let unlisted = run.inventories.iter().find_map(|inventory| {
            let here = inventory.scope.region == arn.region() && inventory.scope.account == arn.account();
            let service = Service::from_id(arn.service()).filter(|_| here)?;
            inventory.unlisted.get(&service)
        });
        let why = unlisted.map_or_else(
            || "it is not among the resources that were read (another account, another region, or gone)".to_owned(),
            |why| format!("its service could not be listed: {}", unreadable_words(why, "the listing")),
        );
        node.troubles.push(Trouble::unread(format!("nobody knows how it stores data: {why}")));
    }
    node
}

/// What the first matching rule asks: does it want plain HTTP refused, and which key does it name?
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) refuses_http: bool,
    pub(crate) key: Option<String>,
    /// The tags that decide were not read.
    pub(crate) unsure: bool,
    /// The rule and where it stands; none where the resource is unmanaged.
    pub(crate) ruled: Option<Ruled>,
}

/// Names a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruled {
    pub(crate) policy: String,
    pub(crate) rule: String,
    pub(crate) mode: Mode,
}

fn asked<'a, R: Rule + 'a>(
    run: &Run<'a>,
    inventory: &Inventory,
    rules: impl Fn(&'a Spec) -> &'a [R],
    (name, tags): (&str, &Reading<std::collections::BTreeMap<String, String>>),
    of: impl Fn(&R) -> (bool, Option<String>),
) -> Asked {
    let (selected, unsure) = match select(run.policies_in(inventory), rules, name, "", tags) {
        Selection::Rule(selected) => (selected, false),
        Selection::CannotTell(selected, _) => (selected, true),
        Selection::Unmanaged => return Asked::default(),
    };
    let (refuses_http, key) = of(selected.rule);
    let deciding = Ruled { policy: selected.policy.metadata.name.clone(), rule: selected.rule.name().to_owned(), mode: selected.mode() };
    Asked { refuses_http, key, unsure, ruled: Some(deciding) }
}

pub(crate) fn asked_of_bucket(run: &Run<'_>, inventory: &Inventory, bucket: &Bucket) -> Asked {
    asked(
        run,
        inventory,
        |spec| spec.s3.as_slice(),
        (&bucket.name, &bucket.tags),
        |rule| {
            let refuses = rule.in_transit.as_ref().is_some_and(|wanted| wanted.deny_insecure_transport);
            (refuses, rule.at_rest.as_ref().and_then(|wanted| wanted.key.clone()))
        },
    )
}

pub(crate) fn asked_of_queue(run: &Run<'_>, inventory: &Inventory, queue: &Queue) -> Asked {
    asked(
        run,
        inventory,
        |spec| spec.sqs.as_slice(),
        (queue.arn.name(), &queue.tags),
        |rule| {
            let refuses = rule.in_transit.as_ref().is_some_and(|wanted| wanted.deny_insecure_transport);
            (refuses, rule.at_rest.as_ref().and_then(|wanted| wanted.key.clone()))
        },
    )
}

pub(crate) fn asked_of_topic(run: &Run<'_>, inventory: &Inventory, topic: &Topic) -> Asked {
    asked(
        run,
        inventory,
        |spec| spec.sns.as_slice(),
        (topic.arn.name(), &topic.tags),
        |rule| {
            let refuses = rule.in_transit.as_ref().is_some_and(|wanted| wanted.deny_insecure_transport);
            (refuses, rule.at_rest.as_ref().map(|wanted| wanted.key.clone()))
        },
    )
}

pub(crate) fn asked_of_delivery_stream(run: &Run<'_>, inventory: &Inventory, stream: &DeliveryStream) -> Asked {
    asked(
        run,
        inventory,
        |spec| spec.firehose.as_slice(),
        (&stream.name, &stream.tags),
        |rule| (false, rule.at_rest.as_ref().and_then(|wanted| wanted.key.clone())),
    )
}

pub(crate) fn asked_of_data_stream(run: &Run<'_>, inventory: &Inventory, stream: &DataStream) -> Asked {
    asked(
        run,
        inventory,
        |spec| spec.kinesis.as_slice(),
        (&stream.name, &stream.tags),
        |rule| (false, rule.at_rest.as_ref().map(|wanted| wanted.key.clone())),
    )
}

/// Plain HTTP that the policy wants refused and the document does not refuse.
fn accepts_http(mut seen: Seen, asked: &Asked, document: Option<&str>, protected: Protected<'_>) -> Seen {
    if !asked.refuses_http {
        return seen;
    }
    let parsed = document.map(Document::parse).transpose();
    let answer = match &parsed {
        Ok(document) => transport(document.as_ref(), protected).denies_plain_http,
        Err(_) => Answer::CannotTell,
    };
    let trouble = match answer {
        Answer::Yes => return seen,
        Answer::No if !asked.unsure => {
            Trouble::new(PathState::Exposed, TroubleKind::AcceptsHttp, "it accepts plain HTTP, and the policy asks it to refuse")
        }
        Answer::No => Trouble::unread("it accepts plain HTTP, and whether the policy asks it to refuse depends on tags that were not read"),
        Answer::CannotTell => Trouble::unread("nobody can tell from its document whether it refuses plain HTTP, as the policy asks"),
    };
    seen.node.troubles.push(trouble);
    seen
}

pub(crate) fn bucket(run: &Run<'_>, inventory: &Inventory, bucket: &Bucket) -> Seen {
    let seen = Seen::new(&bucket.arn, NodeKind::Bucket);
    let seen = match &bucket.encryption {
        Reading::Known(Some(rule)) => match rule.algorithm.as_str() {
            "AES256" => seen.stored(algorithm_words("AES256"), None, inventory),
            algorithm @ ("aws:kms" | "aws:kms:dsse") => {
                seen.stored(algorithm_words(algorithm), Some(rule.kms_key.as_deref().unwrap_or(DEFAULT_KEY)), inventory)
            }
            younger => seen.unread(format!("its algorithm {younger} is younger than this version of Everseal, which can't judge it")),
        },
        Reading::Known(None) => seen.open("it has no default encryption"),
        unknown => seen.unread(format!("nobody knows its default encryption: {}", why_unknown(unknown, "s3:GetEncryptionConfiguration"))),
    };
    let seen = match &bucket.document {
        Reading::Known(document) => {
            let asked = asked_of_bucket(run, inventory, bucket);
            accepts_http(seen, &asked, document.as_deref(), Protected::Bucket(&bucket.arn))
        }
        unknown => seen.lacking(unknown, "who reads and writes it", "s3:GetBucketPolicy"),
    };
    let seen = seen
        .lacking(&bucket.notifications, "whom it notifies", "s3:GetBucketNotification")
        .lacking(&bucket.replication, "where it replicates to", "s3:GetReplicationConfiguration")
        .lacking(&bucket.logging_target, "where its access logs go", "s3:GetBucketLogging")
        .lacking(&bucket.website, "whether a website is served from it", "s3:GetBucketWebsite")
        .lacking(&inventory.path_facts.distributions, "which CloudFront distributions read it", "cloudfront:ListDistributions");
    match bucket.notifications.known() {
        Some(notifications) if notifications.event_bridge => {
            seen.lacking(&inventory.path_facts.event_rules, "which EventBridge rules take its events", "events:ListRules")
        }
        Some(_) | None => seen,
    }
}

pub(crate) fn queue(run: &Run<'_>, inventory: &Inventory, queue: &Queue) -> Seen {
    let seen = Seen::new(&queue.arn, NodeKind::Queue);
    let Reading::Known(attributes) = &queue.attributes else {
        return seen.unread(format!("nobody knows its settings: {}", why_unknown(&queue.attributes, "sqs:GetQueueAttributes")));
    };
    let seen = match (&attributes.kms_key, attributes.sqs_managed_sse) {
        (Some(key), _) => seen.stored("SSE-KMS", Some(key), inventory),
        (None, true) => seen.stored("SSE-SQS", None, inventory),
        (None, false) => seen.open("it stores messages unencrypted"),
    };
    let asked = asked_of_queue(run, inventory, queue);
    accepts_http(seen, &asked, attributes.document.as_deref(), Protected::Queue(&queue.arn))
}

pub(crate) fn topic(run: &Run<'_>, inventory: &Inventory, topic: &Topic) -> Seen {
    let seen = Seen::new(&topic.arn, NodeKind::Topic).lacking(&inventory.subscriptions, "who subscribes to it", "sns:ListSubscriptions");
    let Reading::Known(attributes) = &topic.attributes else {
        return seen.unread(format!("nobody knows its settings: {}", why_unknown(&topic.attributes, "sns:GetTopicAttributes")));
    };
    let seen = match &attributes.kms_key {
        Some(key) => seen.stored("SSE-KMS", Some(key), inventory),
        None => seen.open("it stores messages without server-side encryption"),
    };
    let asked = asked_of_topic(run, inventory, topic);
    accepts_http(seen, &asked, attributes.document.as_deref(), Protected::Topic(&topic.arn))
}

/// Only a Direct PUT stream stores what it was given; behind a Kinesis stream Firehose buffers in memory.
/// [`firehose:StartDeliveryStreamEncryption`; Data protection in Firehose]
pub(crate) fn delivery_stream(inventory: &Inventory, stream: &DeliveryStream) -> Seen {
    let seen = Seen::new(&stream.arn, NodeKind::DeliveryStream);
    let Reading::Known(description) = &stream.description else {
        return seen.unread(format!("nobody knows its settings: {}", why_unknown(&stream.description, "firehose:DescribeDeliveryStream")));
    };
    let encryption = &description.encryption;
    match (description.stream_type.as_str(), encryption.status.as_str()) {
        ("KinesisStreamAsSource", _) => seen.stored("in memory only", None, inventory),
        ("MSKAsSource" | "DatabaseAsSource", _) => seen.stored("nothing of its own to encrypt", None, inventory),
        ("DirectPut", "ENABLED") => {
            let words = if encryption.kms_key.is_some() { "SSE with a customer managed key" } else { "SSE with a key of AWS's" };
            seen.stored(words, encryption.kms_key.as_deref(), inventory)
        }
        ("DirectPut", "" | "DISABLED" | "DISABLING" | "ENABLING") => seen.open("it stores records unencrypted until they are delivered"),
        ("DirectPut", status) => {
            seen.unread(format!("its encryption is {status}: nobody can tell under which key records are stored, if any"))
        }
        (other, _) => seen.unread(format!("Everseal does not know streams of type {other}")),
    }
}

pub(crate) fn data_stream(inventory: &Inventory, stream: &DataStream) -> Seen {
    let seen = Seen::new(&stream.arn, NodeKind::DataStream).lacking(
        &inventory.path_facts.channels,
        "which channels read it",
        "kinesis:ListChannels",
    );
    match &stream.summary {
        Reading::Known(summary) if summary.encrypted => {
            let seen = seen.stored("SSE-KMS", summary.kms_key.as_deref(), inventory);
            if summary.kms_key.is_some() { seen } else { seen.unread("AWS did not say which key encrypts it") }
        }
        Reading::Known(_) => seen.open("it stores records unencrypted"),
        unknown => seen.unread(format!("nobody knows its settings: {}", why_unknown(unknown, "kinesis:DescribeStreamSummary"))),
    }
}
