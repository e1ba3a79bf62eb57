//! The hops that an inventory shows: where data goes next, and what protects it on the way.
//!
//! Only what was observed is shown: a bucket's notifications, for example, are read only where a gate
//! needs them. Nothing is judged here.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::check::closed_set;
use crate::{Arn, Inventory};
use std::fmt;

use serde::Deserialize;

closed_set! {
    /// How data makes a hop.
    HopKind {
        /// A topic sends to a subscriber.
        Subscription = "subscription",
        /// A bucket announces objects.
        Notification = "notification",
        /// Firehose writes to a bucket.
        Delivery = "delivery",
        /// Firehose reads a data stream.
        Source = "source",
        /// A queue hands on what could not be worked.
        DeadLetter = "dead-letter",
    }
}

/// One arrow: data goes from here to there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    /// The resource that data leaves.
    pub from: Arn,
    /// An ARN, or an endpoint outside AWS (an address's user, password and query are never shown).
    pub to: String,
    /// How.
    pub kind: HopKind,
    /// It goes over plain HTTP. AWS's own hops are always TLS.
    pub plain_http: bool,
}

/// Every hop that the inventory shows, sorted.
pub fn hops(inventory: &Inventory) -> Vec<Hop> {
    let mut hops = BTreeSet::new();
    let mut add = |from: &Arn, to: &str, kind: HopKind, plain_http: bool| {
        hops.insert(Hop { from: from.clone(), to: without_credentials(to), kind, plain_http });
    };
    for subscription in inventory.subscriptions.known().into_iter().flatten() {
        add(&subscription.topic, &subscription.endpoint, HopKind::Subscription, subscription.protocol == "http");
    }
    for bucket in inventory.buckets.values() {
        for target in bucket.notifications.known().into_iter().flat_map(|notifications| &notifications.targets) {
            add(&bucket.arn, target.as_str(), HopKind::Notification, false);
        }
    }
    for stream in inventory.delivery_streams.values() {
        let Some(description) = stream.description.known() else { continue };
        for destination in &description.destinations {
            add(&stream.arn, destination.bucket.as_str(), HopKind::Delivery, false);
        }
        if let Some(source) = &description.source_stream {
            add(source, stream.arn.as_str(), HopKind::Source, false);
        }
    }
    for queue in inventory.queues.values() {
        if let Some(dead_letter) = queue.attributes.known().and_then(|attributes| attributes.dead_letter_queue.as_ref()) {
            add(&queue.arn, dead_letter.as_str(), HopKind::DeadLetter, false);
        }
    }
    hops.into_iter().collect()
}

/// Hops that begin or end at `resource`.
pub fn hops_through<'a>(hops: &'a [Hop], resource: &'a Arn) -> impl Iterator<Item = &'a Hop> {
    hops.iter().filter(move |hop| hop.from == *resource || hop.to == resource.as_str())
}

/// `https://user:secret@host/hook?token=secret` → `https://host/hook`.
fn without_credentials(endpoint: &str) -> String {
    let Some((scheme, rest)) = endpoint.split_once("://") else { return endpoint.to_owned() };
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::inventory::{Reading, Subscription};
    use crate::{Scope, inventory};

    #[test]
    fn subscriptions_and_dead_letters_are_hops_and_secrets_stay_out() {
        let scope = Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() };
        let mut seen = Inventory::empty(scope.clone(), 0);
        let topic = scope.arn("sns", "t");
        let to = |endpoint: &str, protocol: &str| Subscription {
            id: "s".into(),
            topic: topic.clone(),
            protocol: protocol.into(),
            endpoint: endpoint.into(),
        };
        seen.subscriptions =
            Reading::Known(vec![to("http://u:p@example.com/hook?token=t", "http"), to("arn:aws:sqs:us-east-1:111122223333:q", "sqs")]);
        let queue = scope.arn("sqs", "q");
        let attributes = inventory::QueueAttributes { dead_letter_queue: Some(scope.arn("sqs", "dlq")), ..Default::default() };
        seen.queues.insert(
            queue.clone(),
            inventory::Queue { arn: queue.clone(), url: String::new(), attributes: Reading::Known(attributes), tags: Reading::NotRead },
        );
        let hops = hops(&seen);
        let shown: Vec<_> = hops.iter().map(|hop| (hop.to.as_str(), hop.kind, hop.plain_http)).collect();
        assert_eq!(
            shown,
            [
                ("arn:aws:sqs:us-east-1:111122223333:q", HopKind::Subscription, false),
                ("http://example.com/hook", HopKind::Subscription, true),
                ("arn:aws:sqs:us-east-1:111122223333:dlq", HopKind::DeadLetter, false),
            ]
        );
        assert_eq!(hops_through(&hops, &queue).count(), 2);
    }
}
