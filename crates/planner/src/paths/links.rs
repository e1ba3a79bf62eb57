//! Who announces to whom, by target: looked up once for all queues and topics of a scope, because a scope may have as many
//! subscriptions as queues.

use std::collections::BTreeMap;

use crate::{Arn, Inventory};

/// Sources of the scope's queues and topics.
#[derive(Debug)]
pub(crate) struct Links<'a> {
    topics: BTreeMap<&'a str, Vec<&'a Arn>>,
    buckets: BTreeMap<&'a str, Vec<&'a Arn>>,
}

impl<'a> Links<'a> {
    /// The links that an inventory shows.
    pub(crate) fn of(inventory: &'a Inventory) -> Self {
        let mut links = Self { topics: BTreeMap::new(), buckets: BTreeMap::new() };
        for subscription in inventory.subscriptions.known().into_iter().flatten().filter(|one| one.protocol == "sqs") {
            links.topics.entry(&subscription.endpoint).or_default().push(&subscription.topic);
        }
        for bucket in inventory.buckets.values() {
            for target in bucket.notifications.known().into_iter().flat_map(|notifications| &notifications.targets) {
                links.buckets.entry(target.as_str()).or_default().push(&bucket.arn);
            }
        }
        links
    }

    /// Topics that a queue is subscribed to.
    pub(super) fn topics(&self, queue: &Arn) -> impl Iterator<Item = &'a Arn> {
        self.topics.get(queue.as_str()).into_iter().flatten().copied()
    }

    /// Buckets that announce their objects to a queue or topic.
    pub(super) fn buckets(&self, target: &Arn) -> impl Iterator<Item = &'a Arn> {
        self.buckets.get(target.as_str()).into_iter().flatten().copied()
    }
}
