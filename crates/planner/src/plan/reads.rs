//! What has to be read so that a scope can be planned: as little as the policies allow.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::context::policies_in;
use super::select::Rule;
use crate::policy::model::{BucketAlgorithm, BucketAtRest, Spec};
use crate::{Arn, PolicySet, Scope, Service};

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
    /// Parameter groups in use by instances and clusters, and those of ours (named `everseal-…`).
    pub parameter_groups: bool,
    /// RDS proxies and the databases behind them.
    pub proxies: bool,
    /// Snapshots and blue/green deployments of migrations.
    pub migrations: bool,
    /// Services whose resources' tags are asked for by a rule.
    pub tags_of: BTreeSet<Service>,
    /// Aliases of keys that the policies list: their documents and rotation are read.
    pub listed_aliases: BTreeSet<String>,
    /// Also read what only gates need (website, logging, replication, notifications, public access, documents of
    /// buckets; documents of keys; connections of databases and proxies).
    pub gate_facts: bool,
    /// Also read what only paths need: [`crate::inventory::PathFacts`], and notifications, replication and log targets
    /// of every bucket.
    pub path_facts: bool,
}

impl Reads {
    /// What the policies that hold in `scope` need, without gate facts.
    pub fn for_policies(policies: &PolicySet, scope: &Scope) -> Self {
        let mut reads = Self::nothing();
        for policy in policies_in(policies, scope) {
            reads.add(&policy.spec);
        }
        reads
    }

    /// Nothing at all.
    pub const fn nothing() -> Self {
        Self {
            services: BTreeSet::new(),
            bucket_encryption: false,
            bucket_documents: false,
            subscriptions: false,
            parameter_groups: false,
            proxies: false,
            migrations: false,
            tags_of: BTreeSet::new(),
            listed_aliases: BTreeSet::new(),
            gate_facts: false,
            path_facts: false,
        }
    }

    /// All there is: for `everseal observe` without a policy.
    pub fn everything() -> Self {
        Self {
            services: Service::ALL.iter().copied().collect(),
            bucket_encryption: true,
            bucket_documents: true,
            subscriptions: true,
            parameter_groups: true,
            proxies: true,
            migrations: true,
            tags_of: Service::ALL.iter().copied().collect(),
            listed_aliases: BTreeSet::new(),
            gate_facts: true,
            path_facts: true,
        }
    }

    /// Also everything that paths need: resources of every service that data flows through, whether a rule matches them or
    /// not, and whatever stands beside them.
    #[must_use]
    pub fn with_paths(mut self) -> Self {
        self.services.extend(Service::ALL.iter().copied().filter(|service| *service != Service::Rds));
        self.with_path_facts()
    }

    /// Also what paths need of the services that are read anyway.
    #[must_use]
    pub fn with_path_facts(mut self) -> Self {
        let (buckets, topics) = (self.services.contains(&Service::S3), self.services.contains(&Service::Sns));
        self.bucket_encryption |= buckets;
        self.bucket_documents |= buckets;
        self.subscriptions |= topics;
        self.gate_facts = true;
        self.path_facts = true;
        self
    }

    fn add(&mut self, spec: &Spec) {
        let Spec { mode: _, scopes: _, keys, s3, sqs, sns, firehose, kinesis, rds, exemptions: _, limits: _ } = spec;
        self.listed_aliases.extend(keys.iter().map(|key| key.alias.clone()));
        let at_rest = !keys.is_empty()
            || s3.iter().any(|rule| rule.at_rest.is_some())
            || sqs.iter().any(|rule| rule.at_rest.is_some())
            || sns.iter().any(|rule| rule.at_rest.is_some())
            || firehose.iter().any(|rule| rule.at_rest.is_some() || rule.destination.is_some())
            || kinesis.iter().any(|rule| rule.at_rest.is_some())
            || rds.iter().any(|rule| rule.at_rest.is_some());
        if at_rest {
            self.services.insert(Service::Kms);
        }
        self.add_rules(Service::S3, s3);
        self.add_rules(Service::Sqs, sqs);
        self.add_rules(Service::Sns, sns);
        self.add_rules(Service::Firehose, firehose);
        self.add_rules(Service::Kinesis, kinesis);
        self.add_rules(Service::Rds, rds);
        // A stream's destination is judged by its bucket where it names no key, and by its source where that is a Kinesis
        // stream; a data stream's readers must be let use its key.
        if firehose.iter().any(|rule| rule.destination.as_ref().is_some_and(|wanted| wanted.require_encryption)) {
            self.services.insert(Service::S3);
            self.bucket_encryption = true;
        }
        if firehose.iter().any(|rule| rule.at_rest.is_some()) {
            self.services.insert(Service::Kinesis);
        }
        // Roles of delivery streams reach a data stream or a bucket through IAM alone: only the streams show them.
        let moves_buckets = |at_rest: &BucketAtRest| at_rest.algorithm != BucketAlgorithm::Aes256 || at_rest.bucket_key.is_some();
        if kinesis.iter().any(|rule| rule.at_rest.is_some()) || s3.iter().any(|rule| rule.at_rest.as_ref().is_some_and(moves_buckets)) {
            self.services.insert(Service::Firehose);
        }
        self.bucket_encryption |= s3.iter().any(|rule| rule.at_rest.is_some());
        self.bucket_documents |= s3.iter().any(|rule| rule.in_transit.is_some());
        self.subscriptions |= sns.iter().any(|rule| rule.in_transit.as_ref().is_some_and(|wanted| wanted.forbid_http_subscriptions));
        // Also where the policy only reports: a migration that was begun is still told of, and can be aborted.
        self.migrations |= rds.iter().any(|rule| rule.at_rest.as_ref().is_some_and(|wanted| wanted.migration.is_some()));
        let require_tls = rds.iter().any(|rule| rule.in_transit.as_ref().is_some_and(|wanted| wanted.require_tls));
        self.parameter_groups |= rds.iter().any(|rule| rule.in_transit.as_ref().is_some_and(|wanted| wanted.require_tls || wanted.verify));
        self.proxies |= require_tls;
    }

    fn add_rules<R: Rule>(&mut self, service: Service, rules: &[R]) {
        if !rules.is_empty() {
            self.services.insert(service);
        }
        if rules.iter().any(|rule| !rule.tags().is_empty()) {
            self.tags_of.insert(service);
        }
    }
}
