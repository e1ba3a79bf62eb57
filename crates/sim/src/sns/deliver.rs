//! Messages on their way out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::outbox::{Kind, Notification};
use super::publish::{Publication, filterable};
use super::topic::Subscription;
use super::{Event, Place, retry};
use crate::access::Caller;
use crate::error::ApiError;
use crate::events::pattern;
use crate::moment::Moment;
use crate::sqs;
use crate::tally::Undelivered;
use crate::world::{self, Origin, World};

/// A message that a topic took.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) topic: Arc<str>,
    pub(super) id: String,
    pub(super) at: Moment,
    pub(super) publication: Publication,
    pub(super) by_protocol: BTreeMap<String, String>,
}

/// A message on its way to one subscriber.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(super) subscription: String,
    pub(super) published: Arc<Published>,
    /// How often it was tried.
    pub(super) attempts: u32,
}

impl Published {
    /// Does it pass a subscription's filter?
    pub(super) fn passes(&self, subscription: &Subscription) -> bool {
        let Some(filter) = &subscription.filter else { return true };
        if subscription.is("FilterPolicyScope", "MessageBody") {
            return serde_json::from_str(&self.publication.message).is_ok_and(|body| pattern::matches(filter, &body));
        }
        pattern::matches(filter, &filterable(&self.publication.attributes))
    }

    fn text(&self, protocol: &str) -> &str {
        self.by_protocol.get(protocol).unwrap_or(&self.publication.message)
    }

    /// The body as a subscriber gets it. [SNS: Message formats]
    fn body(&self, subscription: &str, protocol: &str) -> String {
        let Publication { subject, attributes, .. } = &self.publication;
        let mut body = json!({ "Type": "Notification", "MessageId": self.id, "TopicArn": *self.topic });
        if let Some(subject) = subject {
            body["Subject"] = json!(subject);
        }
        body["Message"] = json!(self.text(protocol));
        body["Timestamp"] = json!(self.at.iso8601());
        sign(&mut body, &self.topic);
        let host = host_of(&self.topic);
        body["UnsubscribeURL"] = json!(format!("{host}/?Action=Unsubscribe&SubscriptionArn={subscription}"));
        if !attributes.is_empty() {
            let values = attributes.iter().map(|(name, kind, value)| (name.clone(), json!({ "Type": kind, "Value": value })));
            body["MessageAttributes"] = pattern::object(values);
        }
        body.to_string()
    }
}

fn host_of(topic: &str) -> String {
    format!("https://sns.{}.amazonaws.com", Place::of_arn(topic).map_or("us-east-1", |place| place.region))
}

/// The members of a signature; nobody can verify it, for the simulator has no certificate of Amazon's.
fn sign(body: &mut Value, topic: &str) {
    body["SignatureVersion"] = json!("1");
    body["Signature"] = json!("U2ltdWxhdGVk");
    body["SigningCertURL"] = json!(format!("{}/SimpleNotificationService-simulated.pem", host_of(topic)));
}

/// SNS itself, for a topic.
fn sns_for(topic: &str, region: &str) -> Origin {
    let account = Place::of_arn(topic).map_or("", |place| place.account);
    Origin { caller: Caller::service("sns.amazonaws.com", topic, account), region: region.to_owned(), secure: true }
}

/// One attempt. A subscription that was ended meanwhile gets nothing.
pub(super) fn attempt(world: &mut World, mut delivery: Delivery) {
    let Some(subscription) = world.sns.subscriptions.get(&delivery.subscription).cloned() else { return };
    delivery.attempts += 1;
    match subscription.protocol.as_str() {
        "sqs" => {
            let outcome = to_queue(world, &delivery, &subscription);
            settle(world, &delivery, &subscription, outcome);
        }
        "http" | "https" => post(world, &delivery, &subscription),
        "firehose" => {
            let outcome = to_delivery_stream(world, &delivery, &subscription);
            settle(world, &delivery, &subscription, outcome);
        }
        // Nobody is at the other end here: it is taken as said.
        _ => settle(world, &delivery, &subscription, Ok(())),
    }
}

fn to_queue(world: &mut World, delivery: &Delivery, subscription: &Subscription) -> Result<(), ApiError> {
    let published = &delivery.published;
    let region = subscription.endpoint.split(':').nth(3).unwrap_or_default();
    let raw = subscription.is("RawMessageDelivery", "true");
    let Publication { attributes, group, deduplication, .. } = &published.publication;
    let fifo = sqs::is_fifo(&subscription.endpoint);
    let message = sqs::Message {
        body: if raw { published.text("sqs").to_owned() } else { published.body(&delivery.subscription, "sqs") },
        attributes: if raw { attributes.clone() } else { Vec::new() },
        group: group.clone().filter(|_| fifo),
        deduplication: if fifo { Some(deduplication.clone().unwrap_or_else(|| published.id.clone())) } else { None },
    };
    sqs::deliver(world, &sns_for(&published.topic, region), &subscription.endpoint, message).map(|_| ())
}

/// As the subscription's role. [SNS: Fanout to Firehose delivery streams]
fn to_delivery_stream(world: &mut World, delivery: &Delivery, subscription: &Subscription) -> Result<(), ApiError> {
    let published = &delivery.published;
    let role = subscription.attributes.get("SubscriptionRoleArn").and_then(|role| Caller::role(role, "sns"));
    let role = role.ok_or_else(|| ApiError::bad_request("InvalidParameter", "the subscription's role is no role"))?;
    let raw = subscription.is("RawMessageDelivery", "true");
    let text = if raw { published.text("firehose").to_owned() } else { published.body(&delivery.subscription, "firehose") };
    world.put_record(&role, &subscription.endpoint, text + "\n")
}

/// Keeps the tally, tries again or gives up.
fn settle(world: &mut World, delivery: &Delivery, subscription: &Subscription, outcome: Result<(), ApiError>) {
    let topic = &delivery.published.topic;
    let error = match outcome {
        Ok(()) => {
            world.tally.delivered(topic, &subscription.endpoint);
            return;
        }
        Err(error) => error,
    };
    let customer = matches!(subscription.protocol.as_str(), "http" | "https");
    let again =
        (error.status >= 500).then(|| if customer { retry::to_customer(delivery.attempts) } else { retry::to_aws(delivery.attempts) });
    let again = again.flatten();
    let saved = again.is_none() && to_dead_letter_queue(world, delivery, subscription);
    world.tally.undelivered(Undelivered {
        at: world.now(),
        from: topic.to_string(),
        to: subscription.endpoint.clone(),
        why: error.to_string(),
        lost: again.is_none() && !saved,
    });
    if let Some(after) = again {
        world.later(after, world::Event::Sns(Event::Deliver(Box::new(delivery.clone()))));
    }
}

/// As SNS itself, so that the dead-letter queue's document and key have to let it in too. [SNS: Dead-letter queues]
fn to_dead_letter_queue(world: &mut World, delivery: &Delivery, subscription: &Subscription) -> bool {
    let Some(queue) = subscription.dead_letter_queue() else { return false };
    let published = &delivery.published;
    let region = queue.split(':').nth(3).unwrap_or_default();
    let fifo = sqs::is_fifo(&queue);
    let message = sqs::Message {
        body: published.body(&delivery.subscription, &subscription.protocol),
        attributes: Vec::new(),
        group: published.publication.group.clone().filter(|_| fifo),
        deduplication: fifo.then(|| published.id.clone()),
    };
    match sqs::deliver(world, &sns_for(&published.topic, region), &queue, message) {
        Ok(_) => {
            world.tally.delivered(&published.topic, &queue);
            true
        }
        Err(error) => {
            let (at, from) = (world.now(), published.topic.to_string());
            world.tally.undelivered(Undelivered { at, from, to: queue, why: error.to_string(), lost: true });
            false
        }
    }
}

/// Puts a notification into the outbox. Where nobody posts, the endpoint is taken to be there and to say 200.
fn post(world: &mut World, delivery: &Delivery, subscription: &Subscription) {
    let raw = subscription.is("RawMessageDelivery", "true");
    let published = &delivery.published;
    let protocol = subscription.protocol.as_str();
    let notification = Notification {
        at: world.now(),
        topic: published.topic.to_string(),
        subscription: delivery.subscription.clone(),
        endpoint: subscription.endpoint.clone(),
        kind: Kind::Notification,
        id: published.id.clone(),
        body: if raw { published.text(protocol).to_owned() } else { published.body(&delivery.subscription, protocol) },
        raw,
    };
    let waits = world.sns.outbox.put(notification, Some(delivery.clone()));
    if !waits {
        settle(world, delivery, subscription, Ok(()));
    }
}

/// What became of a post.
pub(super) fn posted(world: &mut World, delivery: &Delivery, outcome: Result<(), ApiError>) {
    let Some(subscription) = world.sns.subscriptions.get(&delivery.subscription).cloned() else { return };
    settle(world, delivery, &subscription, outcome);
}

/// Sends the endpoint the token with which it confirms. [SNS: Message formats, subscription confirmation]
pub(super) fn ask_for_confirmation(world: &mut World, arn: &str) {
    let Some(subscription) = world.sns.subscriptions.get(arn).cloned() else { return };
    let Some(token) = &subscription.token else { return };
    let topic = &subscription.topic;
    let id = world.uuid();
    let host = host_of(topic);
    let mut body = json!({
        "Type": "SubscriptionConfirmation", "MessageId": id, "Token": token, "TopicArn": topic,
        "Message": format!("You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the SubscribeURL included in this message."),
        "SubscribeURL": format!("{host}/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}"),
        "Timestamp": world.now().iso8601(),
    });
    sign(&mut body, topic);
    match subscription.protocol.as_str() {
        "http" | "https" => {
            let notification = Notification {
                at: world.now(),
                topic: topic.clone(),
                subscription: arn.to_owned(),
                endpoint: subscription.endpoint.clone(),
                kind: Kind::SubscriptionConfirmation,
                id,
                body: body.to_string(),
                raw: false,
            };
            world.sns.outbox.put(notification, None);
        }
        "sqs" => {
            let region = subscription.endpoint.split(':').nth(3).unwrap_or_default();
            let message = sqs::Message { body: body.to_string(), ..sqs::Message::default() };
            // A queue that does not take it never learns of it: the subscription stays pending.
            let _ = sqs::deliver(world, &sns_for(topic, region), &subscription.endpoint, message);
        }
        _ => {}
    }
}
