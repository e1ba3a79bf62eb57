//! Subscriptions: made, confirmed, listed, set, ended.

use std::collections::BTreeMap;
use std::time::Duration;

use super::topic::Subscription;
use super::{Event, Place, Request, errors, map_of, page, permit};
use crate::access::RequestContext;
use crate::error::ApiError;
use crate::events::pattern;
use crate::wire::xml::Element;
use crate::world::{self, Ask, World};

const PROTOCOLS: &[&str] = &["http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"];

/// Those of which the endpoint's own account needs not confirm what it asks for itself.
const UNCONFIRMED: &[&str] = &["sqs", "lambda", "firehose", "sms", "application"];

/// Sets one attribute. [sns:SetSubscriptionAttributes]
fn write(subscription: &mut Subscription, name: &str, value: &str) -> Result<(), ApiError> {
    match name {
        "FilterPolicy" => {
            subscription.filter = if value.is_empty() || value == "{}" {
                None
            } else {
                let policy = serde_json::from_str(value).map_err(|_| errors::invalid("FilterPolicy: failed to parse JSON."))?;
                pattern::check(&policy).map_err(|reason| errors::invalid(&format!("FilterPolicy: {reason}")))?;
                Some(policy)
            };
        }
        "RawMessageDelivery" if !matches!(value, "true" | "false") => return Err(errors::invalid("RawMessageDelivery")),
        "FilterPolicyScope" if !matches!(value, "MessageAttributes" | "MessageBody") => return Err(errors::invalid("FilterPolicyScope")),
        "RedrivePolicy" if !value.is_empty() => {
            let policy: serde_json::Value =
                serde_json::from_str(value).map_err(|_| errors::invalid("RedrivePolicy: failed to parse JSON."))?;
            let target = policy.get("deadLetterTargetArn").and_then(serde_json::Value::as_str);
            if !target.is_some_and(|target| target.starts_with("arn:") && target.contains(":sqs:")) {
                return Err(errors::invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn"));
            }
        }
        "RawMessageDelivery" | "FilterPolicyScope" | "RedrivePolicy" | "DeliveryPolicy" | "SubscriptionRoleArn" | "ReplayPolicy" => {}
        _ => return Err(errors::invalid("AttributeName")),
    }
    if value.is_empty() {
        subscription.attributes.remove(name);
    } else {
        subscription.attributes.insert(name.to_owned(), value.to_owned());
    }
    Ok(())
}

fn check_endpoint(protocol: &str, endpoint: &str) -> Result<(), ApiError> {
    let service = |name: &str| endpoint.starts_with("arn:") && endpoint.split(':').nth(2) == Some(name);
    let right = match protocol {
        "http" => endpoint.starts_with("http://"),
        "https" => endpoint.starts_with("https://"),
        "sqs" => service("sqs"),
        "lambda" => service("lambda"),
        "firehose" => service("firehose"),
        "email" | "email-json" => endpoint.contains('@'),
        _ => !endpoint.is_empty(),
    };
    if right { Ok(()) } else { Err(errors::invalid(&format!("Endpoint must match the specified protocol: {protocol}"))) }
}

/// The same endpoint again: the same subscription. [sns:Subscribe]
pub(super) fn subscribe(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    let (protocol, endpoint) = (request.need("Protocol")?, request.need("Endpoint")?);
    let place = Place::of_arn(request.need("TopicArn")?).ok_or_else(|| errors::invalid("TopicArn"))?;
    let context = RequestContext::from([
        ("sns:protocol".to_owned(), vec![protocol.to_owned()]),
        ("sns:endpoint".to_owned(), vec![endpoint.to_owned()]),
    ]);
    permit(world, request.origin, &place, "sns:Subscribe", context)?;
    if !PROTOCOLS.contains(&protocol) {
        return Err(errors::invalid(&format!("Amazon SNS does not support this protocol string: {protocol}")));
    }
    check_endpoint(protocol, endpoint)?;
    let mut subscription = Subscription {
        topic: place.arn(),
        protocol: protocol.to_owned(),
        endpoint: endpoint.to_owned(),
        owner: request.origin.account().to_owned(),
        token: None,
        attributes: BTreeMap::new(),
        filter: None,
    };
    for (name, value) in request.form.pairs("Attributes.entry", "key", "value") {
        write(&mut subscription, &name, &value)?;
    }
    if protocol == "firehose" && !subscription.attributes.contains_key("SubscriptionRoleArn") {
        return Err(errors::invalid("SubscriptionRoleArn: required for firehose protocol"));
    }
    let same = |other: &Subscription| other.protocol == protocol && other.endpoint == endpoint;
    let existing = world.sns.of_topic(&subscription.topic).find(|(_, other)| same(other));
    let existing = existing.map(|(arn, other)| (arn.to_owned(), other.token.is_some()));
    let (arn, pending) = match existing {
        Some(known) => known,
        None => add(world, subscription, request.origin.account()),
    };
    let told = if pending && request.form.get("ReturnSubscriptionArn") != Some("true") { "pending confirmation" } else { arn.as_str() };
    Ok(Element::default().text("SubscriptionArn", told))
}

/// Its ARN, and whether it waits to be confirmed.
pub(super) fn add(world: &mut World, mut subscription: Subscription, caller: &str) -> (String, bool) {
    let arn = format!("{}:{}", subscription.topic, world.uuid());
    let endpoint_owner = subscription.endpoint.split(':').nth(4).filter(|_| subscription.endpoint.starts_with("arn:"));
    let confirmed = UNCONFIRMED.contains(&subscription.protocol.as_str()) && endpoint_owner.is_none_or(|owner| owner == caller);
    if !confirmed {
        subscription.token = Some(world.hex(64));
        world.later(Duration::from_millis(100), world::Event::Sns(Event::Confirm { subscription: arn.clone() }));
    }
    world.sns.subscriptions.insert(arn.clone(), subscription);
    (arn, !confirmed)
}

pub(super) fn confirm(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    let (topic, token) = (request.need("TopicArn")?, request.need("Token")?);
    let place = Place::of_arn(topic).ok_or_else(|| errors::invalid("TopicArn"))?;
    world.sns.look(&place).ok_or_else(errors::no_such_topic)?;
    let found = world.sns.of_topic(topic).find(|(_, one)| one.token.as_deref() == Some(token)).map(|(arn, _)| arn.to_owned());
    let arn = found.ok_or_else(|| errors::invalid("Token"))?;
    if let Some(subscription) = world.sns.subscriptions.get_mut(&arn) {
        subscription.token = None;
    }
    Ok(Element::default().text("SubscriptionArn", arn))
}

/// Its owner and the topic's owner may end it. [sns:Unsubscribe]
pub(super) fn unsubscribe(world: &mut World, request: &Request<'_>) -> Result<(), ApiError> {
    let arn = request.need("SubscriptionArn")?;
    let Some(subscription) = world.sns.subscriptions.get(arn) else {
        return if Place::of_arn(arn).is_some() {
            Ok(())
        } else {
            Err(errors::invalid("SubscriptionArn Reason: An ARN must have at least 6 elements"))
        };
    };
    may_touch(world, request, subscription, "sns:Unsubscribe")?;
    let topic = subscription.topic.clone();
    world.sns.subscriptions.remove(arn);
    if let Some(topic) = Place::of_arn(&topic).and_then(|place| world.sns.find(&place)) {
        topic.deleted_subscriptions += 1;
    }
    Ok(())
}

fn may_touch(world: &World, request: &Request<'_>, subscription: &Subscription, action: &str) -> Result<(), ApiError> {
    let account = request.origin.account();
    let owner = if account == subscription.topic_owner() { account } else { &subscription.owner };
    let ask = Ask { action, resource: &subscription.topic, owner, document: None, context: RequestContext::new() };
    world.permit(request.origin, &ask).map_err(errors::denied)
}

fn member(arn: &str, subscription: &Subscription) -> Element {
    let Subscription { topic, protocol, endpoint, owner, token, attributes: _, filter: _ } = subscription;
    let arn = if token.is_some() { "PendingConfirmation" } else { arn };
    let element = Element::default().text("TopicArn", topic).text("Protocol", protocol).text("SubscriptionArn", arn);
    element.text("Owner", owner).text("Endpoint", endpoint)
}

/// The caller's own subscriptions in the region, whosever the topics. [sns:ListSubscriptions]
pub(super) fn list(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    request.permit_name(world, "sns:ListSubscriptions", "*")?;
    let prefix = format!("arn:aws:sns:{}:", request.origin.region);
    let after = request.form.get("NextToken").unwrap_or(&prefix);
    let listed = world.sns.subscriptions.range(after.to_owned()..).skip_while(|(arn, _)| arn.as_str() <= after);
    let listed = listed.take_while(|(arn, _)| arn.starts_with(&prefix));
    let own = listed.filter(|(_, subscription)| subscription.owner == request.origin.account());
    Ok(page("Subscriptions", own.map(|(arn, subscription)| (arn.clone(), subscription)), member))
}

pub(super) fn list_by_topic(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    let place = request.topic(world, "TopicArn", "sns:ListSubscriptionsByTopic")?;
    let after = request.form.get("NextToken").unwrap_or_default();
    let listed = world.sns.of_topic(&place.arn()).skip_while(|(arn, _)| *arn <= after);
    Ok(page("Subscriptions", listed.map(|(arn, subscription)| (arn.to_owned(), subscription)), member))
}

pub(super) fn get_attributes(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    let arn = request.need("SubscriptionArn")?;
    let subscription = world.sns.subscriptions.get(arn).ok_or_else(errors::no_such_subscription)?;
    may_touch(world, request, subscription, "sns:GetSubscriptionAttributes")?;
    let Subscription { topic, protocol, endpoint, owner, token, attributes, filter } = subscription;
    let mut told = vec![
        ("SubscriptionArn", arn.to_owned()),
        ("TopicArn", topic.clone()),
        ("Protocol", protocol.clone()),
        ("Endpoint", endpoint.clone()),
        ("Owner", owner.clone()),
        ("PendingConfirmation", token.is_some().to_string()),
        ("ConfirmationWasAuthenticated", token.is_none().to_string()),
    ];
    if !attributes.contains_key("RawMessageDelivery") {
        told.push(("RawMessageDelivery", "false".to_owned()));
    }
    if filter.is_some() && !attributes.contains_key("FilterPolicyScope") {
        told.push(("FilterPolicyScope", "MessageAttributes".to_owned()));
    }
    told.extend(attributes.iter().map(|(name, value)| (name.as_str(), value.clone())));
    Ok(Element::default().child(map_of("Attributes", told)))
}

pub(super) fn set_attribute(world: &mut World, request: &Request<'_>) -> Result<(), ApiError> {
    let arn = request.need("SubscriptionArn")?;
    let subscription = world.sns.subscriptions.get(arn).ok_or_else(errors::no_such_subscription)?;
    may_touch(world, request, subscription, "sns:SetSubscriptionAttributes")?;
    let mut after = subscription.clone();
    write(&mut after, request.need("AttributeName")?, request.form.get("AttributeValue").unwrap_or_default())?;
    world.sns.subscriptions.insert(arn.to_owned(), after);
    Ok(())
}
