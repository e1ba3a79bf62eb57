//! The graph of data paths as values: resources and whoever sends or reads beside them, and the hops between.
//!
//! Everything here can be shown to anybody who may see the estate: no endpoint's secret gets in
//! ([`super::endpoint`]), and what was not read is said, never guessed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::check::closed_set;

closed_set! {
    /// How a path, a hop or a resource on it stands; the worst is the last.
    PathState {
        /// Encrypted at rest and in transit, and everybody gets through.
        Sealed = "sealed",
        /// Something that decides was not read, or can't be proven.
        Unknown = "unknown",
        /// Data lies or travels somewhere unencrypted.
        Exposed = "exposed",
        /// Data does not get through: a need fails.
        Broken = "broken",
    }
}

closed_set! {
    /// What stands at an end of a hop.
    NodeKind {
        /// A bucket.
        Bucket = "bucket",
        /// A queue.
        Queue = "queue",
        /// A topic.
        Topic = "topic",
        /// A Firehose stream.
        DeliveryStream = "delivery-stream",
        /// A Kinesis stream.
        DataStream = "data-stream",
        /// A Kinesis channel.
        Channel = "channel",
        /// An `EventBridge` rule.
        EventRule = "event-rule",
        /// A `CloudFront` distribution.
        Distribution = "distribution",
        /// A Lambda function.
        Function = "function",
        /// A role, user, session or whole account.
        Principal = "principal",
        /// An AWS service on its own behalf.
        Service = "service",
        /// An address outside AWS: a web hook, a mailbox, a phone.
        Endpoint = "endpoint",
        /// Whoever asks: viewers of a website or distribution, or everybody whom a document lets in.
        Anybody = "anybody",
        /// Any other resource of AWS.
        Other = "other",
    }
}

closed_set! {
    /// How data makes a hop.
    HopKind {
        /// A topic sends to a subscriber.
        Subscription = "subscription",
        /// A bucket announces objects.
        Notification = "notification",
        /// A bucket's events meet an `EventBridge` rule.
        Event = "event",
        /// An `EventBridge` rule sends to its target.
        Target = "target",
        /// Firehose reads a data stream.
        Source = "source",
        /// Firehose or a channel writes to a destination.
        Delivery = "delivery",
        /// A channel reads a data stream.
        Channel = "channel",
        /// A queue or a rule hands on what could not be worked.
        DeadLetter = "dead-letter",
        /// A bucket replicates to another.
        Replication = "replication",
        /// A bucket's access logs go to another.
        AccessLog = "access-log",
        /// `CloudFront` reads from its origin.
        Origin = "origin",
        /// A website or a distribution answers viewers.
        View = "view",
        /// Somebody whom a document or the policy names writes.
        Produce = "produce",
        /// Somebody whom a document or the policy names reads.
        Consume = "consume",
    }
}

closed_set! {
    /// What protects data on a hop.
    Transport {
        /// AWS makes the hop itself, over TLS.
        Tls = "tls",
        /// `CloudFront` signs its requests and sends them over HTTPS alone.
        SignedHttps = "signed-https",
        /// An HTTPS address.
        Https = "https",
        /// As the caller chooses, over TLS wherever the resource's document refuses plain HTTP.
        CallersChoice = "callers-choice",
        /// Plain HTTP.
        PlainHttp = "plain-http",
        /// Mail and phone networks: nobody guarantees encryption.
        NoGuarantee = "no-guarantee",
    }
}

closed_set! {
    /// What a trouble is about.
    TroubleKind {
        /// A resource stores data unencrypted.
        AtRest = "at-rest",
        /// A resource accepts plain HTTP, and the policy asks it to refuse.
        AcceptsHttp = "accepts-http",
        /// A hop goes over plain HTTP.
        InTransit = "in-transit",
        /// Somebody lacks what the hop needs.
        Need = "need",
        /// A setting stops data, whoever may use the key.
        Stopped = "stopped",
        /// Not read, or not provable.
        Unread = "unread",
    }
}

/// Why a resource or hop is not sealed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// What it makes of the path.
    pub state: PathState,
    /// What it is about.
    pub kind: TroubleKind,
    /// What is wrong, in one sentence.
    pub what: String,
    /// What to do; empty where the plan or nobody can.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cure: String,
}

/// A resource, or whoever stands beside resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// The ARN, the service principal, the address without its secrets, or `anybody (…)`.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// How it stores data, in words; empty where that is not judged (people, functions, services).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at_rest: String,
    /// Its key as a person knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why it is not sealed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Trouble>,
}

closed_set! {
    /// Does a principal have what a hop needs?
    NeedState {
        /// Proven.
        Met = "met",
        /// Disproven: the hop does not work.
        Unmet = "unmet",
        /// Neither.
        Unknown = "unknown",
    }
}

/// What a hop needs of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Need {
    /// Who uses the key: the ARN of a role or account, or a service principal.
    pub principal: String,
    /// KMS actions.
    pub actions: Vec<String>,
    /// The key's ARN, or its alias as written where no key is known behind it.
    pub key: String,
    /// What AWS tells KMS of the request, by condition key in lower case: a condition on the key's document must fit.
    pub context: BTreeMap<String, Vec<String>>,
    /// Why the principal needs it, in words.
    pub role: String,
    /// Has it?
    pub state: NeedState,
    /// Which statement or setting decides, in words.
    pub because: String,
    /// The statement that would let the principal through, where one can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
}

/// One arrow: data goes from here to there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    /// The node that data leaves.
    pub from: String,
    /// The node that it arrives at.
    pub to: String,
    /// How.
    pub kind: HopKind,
    /// Who makes it: a role's ARN or a service principal; empty where that is the node itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// What protects data on it.
    pub transport: Transport,
    /// What it needs of keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Need>,
    /// Why it is not sealed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub troubles: Vec<Trouble>,
}

/// Identifies a hop within a graph.
pub type HopId = (String, String, HopKind);

/// Nodes and hops, each once, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Graph {
    /// By id.
    pub nodes: BTreeMap<String, Node>,
    /// By where they begin, where they end, and how.
    #[serde(serialize_with = "hops_as_list")]
    pub hops: BTreeMap<HopId, Hop>,
}

fn hops_as_list<S: serde::Serializer>(hops: &BTreeMap<HopId, Hop>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(hops.values())
}

fn worst(troubles: &[Trouble]) -> PathState {
    troubles.iter().map(|trouble| trouble.state).max().unwrap_or(PathState::Sealed)
}

impl Trouble {
    pub(crate) fn new(state: PathState, kind: TroubleKind, what: impl Into<String>) -> Self {
        Self { state, kind, what: what.into(), cure: String::new() }
    }

    pub(crate) fn unread(what: impl Into<String>) -> Self {
        Self::new(PathState::Unknown, TroubleKind::Unread, what)
    }

    pub(crate) fn cured_by(mut self, cure: impl Into<String>) -> Self {
        self.cure = cure.into();
        self
    }
}

impl Node {
    /// Its own worst trouble.
    pub fn state(&self) -> PathState {
        worst(&self.troubles)
    }

    /// The name a person uses.
    pub fn name(&self) -> &str {
        if self.id.starts_with("arn:") { self.id.rsplit([':', '/']).next().unwrap_or(&self.id) } else { &self.id }
    }
}

impl Hop {
    /// Its own worst trouble.
    pub fn state(&self) -> PathState {
        worst(&self.troubles)
    }

    /// Its place in a graph.
    pub fn id(&self) -> HopId {
        (self.from.clone(), self.to.clone(), self.kind)
    }
}
