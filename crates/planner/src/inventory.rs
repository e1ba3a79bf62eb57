//! Everything observed in one scope: plain values, no interpretation.
//!
//! What could not be read is [`Reading::Unreadable`] with its reason; what nobody asked for is
//! [`Reading::NotRead`]. Neither may ever be taken for "absent": a planner that met one of them
//! answers `unknown` or blocks.
//!
//! The type can be saved (`everseal observe`) and planned against offline, so the JSON form is part
//! of what users rely on: a known value stands as itself, an unreadable one as
//! `{"unreadable": {…}}`, one not read is left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Arn, Scope, Service};

pub use crate::firehose::observed::{DeliveryDestination, DeliveryStream, DeliveryStreamDescription, KmsErrorRun, KmsErrors};
pub use crate::kinesis::observed::{DataStream, DataStreamSummary};
pub use crate::kms::observed::{Key, KeyMetadata, KeyRotation};
pub use crate::paths::observed::{Channel, Distribution, EventRule, EventTarget, Origin, PathFacts, Role};
pub use crate::rds::live::LiveTls;
pub use crate::rds::migration::observed::MigrationFacts;
pub use crate::rds::observed::{DbCluster, DbInstance, DbParameterGroup};
pub use crate::rds::proxies::{DbProxy, ProxyClients};
pub use crate::rds::sessions::{PlainClient, SessionCount};
pub use crate::s3::observed::{Bucket, BucketEncryption};
pub use crate::sns::observed::{Subscription, Topic, TopicAttributes};
pub use crate::sqs::observed::{Queue, QueueAttributes};

/// A value as AWS gave it, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reading<T> {
    /// AWS refused or failed to say.
    Unreadable {
        /// Why.
        unreadable: Unreadable,
    },
    /// What AWS said.
    Known(T),
    /// Nobody asked (yet): see [`crate::plan::Plan::wanted_facts`].
    #[default]
    #[serde(skip)]
    NotRead,
}

impl<T> Reading<T> {
    /// Keeps the newer reading, unless nobody asked for it.
    pub(crate) fn refresh(&mut self, newer: Self) {
        if !newer.is_not_read() {
            *self = newer;
        }
    }

    /// The value, where it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unreadable { .. } | Self::NotRead => None,
        }
    }

    /// The value, to be changed, where it is known.
    pub const fn known_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unreadable { .. } | Self::NotRead => None,
        }
    }

    /// The same reading, borrowed.
    pub fn as_ref(&self) -> Reading<&T> {
        match self {
            Self::Known(value) => Reading::Known(value),
            Self::Unreadable { unreadable } => Reading::Unreadable { unreadable: unreadable.clone() },
            Self::NotRead => Reading::NotRead,
        }
    }

    /// The same reading of a part of the value.
    pub fn map<U>(self, part: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Known(value) => Reading::Known(part(value)),
            Self::Unreadable { unreadable } => Reading::Unreadable { unreadable },
            Self::NotRead => Reading::NotRead,
        }
    }

    /// True where nobody asked AWS.
    pub const fn is_not_read(&self) -> bool {
        matches!(self, Self::NotRead)
    }
}

/// Why a value could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unreadable {
    /// The class of the failure.
    pub class: ErrorClass,
    /// The API operation, e.g. `GetBucketPolicy`.
    pub operation: String,
    /// The IAM action that is missing, e.g. `s3:GetBucketPolicy`, where the class is `denied`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_action: Option<String>,
    /// AWS's own words, without secrets.
    pub message: String,
}

/// Every AWS error falls into one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ErrorClass {
    /// A permission is missing or a document denies.
    Denied,
    /// Too many requests.
    Throttled,
    /// The resource is gone or never was.
    NotFound,
    /// Somebody else is changing the resource, or it is not in a state that allows the call.
    Conflict,
    /// The request is wrong and will stay wrong.
    Invalid,
    /// A daily or account limit is used up.
    LimitExceeded,
    /// The service, the network or the endpoint failed: try again later.
    Unavailable,
}

/// Everything observed in one scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inventory {
    /// Where.
    pub scope: Scope,
    /// When the observation began, in seconds since the Unix epoch.
    pub observed_at: i64,
    /// Buckets whose region is the scope's, by ARN. So are all maps below.
    #[serde(default)]
    pub buckets: BTreeMap<Arn, Bucket>,
    /// Queues.
    #[serde(default)]
    pub queues: BTreeMap<Arn, Queue>,
    /// Topics.
    #[serde(default)]
    pub topics: BTreeMap<Arn, Topic>,
    /// All subscriptions of the scope (one paged listing instead of one call per topic).
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub subscriptions: Reading<Vec<Subscription>>,
    /// Firehose streams.
    #[serde(default)]
    pub delivery_streams: BTreeMap<Arn, DeliveryStream>,
    /// Kinesis streams.
    #[serde(default)]
    pub data_streams: BTreeMap<Arn, DataStream>,
    /// DB instances, members of clusters included.
    #[serde(default)]
    pub db_instances: BTreeMap<Arn, DbInstance>,
    /// Aurora and Multi-AZ clusters.
    #[serde(default)]
    pub db_clusters: BTreeMap<Arn, DbCluster>,
    /// Instance parameter groups in use, by name.
    #[serde(default)]
    pub db_parameter_groups: BTreeMap<String, Reading<DbParameterGroup>>,
    /// Cluster parameter groups in use, by name.
    #[serde(default)]
    pub db_cluster_parameter_groups: BTreeMap<String, Reading<DbParameterGroup>>,
    /// RDS proxies, by ARN.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub db_proxies: Reading<BTreeMap<Arn, DbProxy>>,
    /// Keys that the policy lists or that a resource of the scope uses, by key ARN.
    #[serde(default)]
    pub keys: BTreeMap<Arn, Key>,
    /// Alias name (`alias/…`) → ARN of the key behind it. AWS-managed aliases that no key stands
    /// behind yet are left out.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub aliases: Reading<BTreeMap<String, Arn>>,
    /// Keys that Everseal created for an alias and that do not carry it yet (a crash between the two
    /// calls), found by their tag `everseal:alias`: alias name → key ARN. Read only when a listed alias is missing.
    #[serde(default, skip_serializing_if = "Reading::is_not_read")]
    pub keys_awaiting_alias: Reading<BTreeMap<String, Arn>>,
    /// What lies beside the managed resources on data paths.
    #[serde(default, skip_serializing_if = "PathFacts::is_empty")]
    pub path_facts: PathFacts,
    /// What migrations of databases have made so far, and what they must know.
    #[serde(default, skip_serializing_if = "MigrationFacts::is_empty")]
    pub migrations: MigrationFacts,
    /// Sessions of databases (instances on their own, clusters), counted where the policy gives a login and the planner asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sessions: BTreeMap<Arn, Reading<SessionCount>>,
    /// What the last probe of each database's endpoint met, by the ARN of the instance or cluster.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub live_tls: BTreeMap<Arn, Reading<LiveTls>>,
    /// Services whose resources could not be listed at all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unlisted: BTreeMap<Service, Unreadable>,
}

/// What a raw key reference found on a resource stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolvedKey {
    /// A key, by its ARN.
    Key(Arn),
    /// An AWS-managed alias (`alias/aws/…`) that no key stands behind yet.
    AwsManaged(String),
    /// Cannot be resolved from this inventory (alias of another account, unknown alias, aliases unreadable): the raw text.
    Unresolved(String),
}

impl Inventory {
    /// An inventory with nothing in it.
    pub fn empty(scope: Scope, observed_at: i64) -> Self {
        Self {
            scope,
            observed_at,
            buckets: BTreeMap::new(),
            queues: BTreeMap::new(),
            topics: BTreeMap::new(),
            subscriptions: Reading::NotRead,
            delivery_streams: BTreeMap::new(),
            data_streams: BTreeMap::new(),
            db_instances: BTreeMap::new(),
            db_clusters: BTreeMap::new(),
            db_parameter_groups: BTreeMap::new(),
            db_cluster_parameter_groups: BTreeMap::new(),
            db_proxies: Reading::NotRead,
            keys: BTreeMap::new(),
            aliases: Reading::NotRead,
            keys_awaiting_alias: Reading::NotRead,
            path_facts: PathFacts::default(),
            migrations: MigrationFacts::default(),
            sessions: BTreeMap::new(),
            live_tls: BTreeMap::new(),
            unlisted: BTreeMap::new(),
        }
    }

    /// Resolves a key reference as AWS returned it (id, key ARN, alias name or alias ARN), so that
    /// keys are compared by ARN and never by spelling.
    pub fn resolve_key(&self, reference: &str) -> ResolvedKey {
        let scope_prefix = self.scope.arn("kms", "").as_str().to_owned();
        let alias = if reference.starts_with("alias/") {
            reference
        } else if let Some(resource) = reference.strip_prefix(&scope_prefix).filter(|r| r.starts_with("alias/")) {
            resource
        } else if reference.contains(':') {
            return match Arn::parse(reference) {
                Ok(arn) if arn.resource().starts_with("key/") => ResolvedKey::Key(arn),
                _ => ResolvedKey::Unresolved(reference.to_owned()),
            };
        } else {
            return ResolvedKey::Key(self.scope.arn("kms", &format!("key/{reference}")));
        };
        match self.aliases.known().and_then(|aliases| aliases.get(alias)) {
            Some(key) => ResolvedKey::Key(key.clone()),
            None if alias.starts_with("alias/aws/") => ResolvedKey::AwsManaged(alias.to_owned()),
            None => ResolvedKey::Unresolved(reference.to_owned()),
        }
    }

    /// The name a person knows a key by: its first alias, else its ARN.
    pub fn key_name(&self, key: &Arn) -> String {
        let alias = self.aliases.known().and_then(|aliases| aliases.iter().find(|(_, target)| *target == key));
        alias.map_or_else(|| key.to_string(), |(name, _)| name.clone())
    }
}
