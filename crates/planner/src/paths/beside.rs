//! What only paths need, kept from the last time it was read: reading it costs more than a pass should, and a finding
//! that came and went with it would be worth nothing.
//!
//! It is laid under a fresh inventory for judging paths, and never for planning: gates must not rest on yesterday's facts.

use std::collections::BTreeMap;

use crate::inventory::{Key, PathFacts, Reading, Subscription};
use crate::s3::observed::{BucketNotifications, ReplicationRule};
use crate::{Arn, Inventory};

/// Facts of paths, with the moment when their observation began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// Seconds since the Unix epoch.
    pub read_at: i64,
    path_facts: PathFacts,
    subscriptions: Reading<Vec<Subscription>>,
    buckets: BTreeMap<Arn, OfBucket>,
    keys: BTreeMap<Arn, Key>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct OfBucket {
    document: Reading<Option<String>>,
    website: Reading<bool>,
    replication: Reading<Vec<ReplicationRule>>,
    notifications: Reading<BucketNotifications>,
    logging_target: Reading<Option<String>>,
}

impl Beside {
    /// Takes the facts of paths out of an inventory that was observed with them. What gates rest on as well stays there:
    /// it is fresh.
    pub fn take(inventory: &mut Inventory) -> Option<Self> {
        if !inventory.path_facts.tell_of_paths() {
            return None;
        }
        let path_facts = inventory.path_facts.clone();
        inventory.path_facts.forget_neighbours();
        let of_bucket = |bucket: &crate::inventory::Bucket| OfBucket {
            document: bucket.document.clone(),
            website: bucket.website.clone(),
            replication: bucket.replication.clone(),
            notifications: bucket.notifications.clone(),
            logging_target: bucket.logging_target.clone(),
        };
        Some(Self {
            read_at: inventory.observed_at,
            path_facts,
            subscriptions: inventory.subscriptions.clone(),
            buckets: inventory.buckets.iter().map(|(arn, bucket)| (arn.clone(), of_bucket(bucket))).collect(),
            keys: inventory.keys.clone(),
        })
    }

    /// Fills in what a fresher inventory did not read. Resources that came since are as unread as they are.
    pub fn lay_under(&self, inventory: &mut Inventory) {
        let Self { read_at: _, path_facts, subscriptions, buckets, keys } = self;
        let mut under = path_facts.clone();
        under.refresh(std::mem::take(&mut inventory.path_facts));
        inventory.path_facts = under;
        fill(&mut inventory.subscriptions, subscriptions);
        for (arn, bucket) in &mut inventory.buckets {
            let Some(OfBucket { document, website, replication, notifications, logging_target }) = buckets.get(arn) else { continue };
            fill(&mut bucket.document, document);
            fill(&mut bucket.website, website);
            fill(&mut bucket.replication, replication);
            fill(&mut bucket.notifications, notifications);
            fill(&mut bucket.logging_target, logging_target);
        }
        for (arn, key) in keys {
            let fresh = inventory.keys.entry(arn.clone()).or_insert_with(|| key.clone());
            fill(&mut fresh.metadata, &key.metadata);
            fill(&mut fresh.document, &key.document);
        }
    }
}

fn fill<T: Clone>(fresh: &mut Reading<T>, kept: &Reading<T>) {
    if fresh.is_not_read() {
        fresh.clone_from(kept);
    }
}
