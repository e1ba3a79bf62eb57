//! Messages on their way in: past the topic's document and its key.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::deliver::{Delivery, Published};
use super::{Event, Place, Request, errors, permit};
use crate::access::{Caller, RequestContext};
use crate::error::ApiError;
use crate::events::pattern;
use crate::kms::{self, KeyUse};
use crate::wire::query::Form;
use crate::wire::xml::Element;
use crate::world::{self, Origin, World};

/// A data key serves its principal so long. [SNS: Key management, "data key reuse … five minutes"]
const DATA_KEY_REUSE: Duration = Duration::from_mins(5);
/// [sns:Publish]
const DEDUPLICATION: Duration = Duration::from_mins(5);
/// Bytes. [sns:Publish]
const MOST_BYTES: usize = 262_144;
/// From being taken to being tried at subscribers.
const FIRST_ATTEMPT: Duration = Duration::from_millis(20);

/// What is published.
#[derive(Debug, Clone, Default)]
pub(crate) struct Publication {
    pub(crate) message: String,
    pub(crate) subject: Option<String>,
    /// Message attributes: name → (data type, value).
    pub(crate) attributes: Vec<(String, String, String)>,
    /// FIFO topics only.
    pub(crate) group: Option<String>,
    /// FIFO topics only.
    pub(crate) deduplication: Option<String>,
}

/// Publishes for a caller, service or not: checks the topic's document and its key, and schedules delivery to every
/// subscriber. On success: the message's id.
pub(crate) fn publish(world: &mut World, origin: &Origin, topic: &str, publication: Publication) -> Result<String, ApiError> {
    let place = Place::of_arn(topic).ok_or_else(|| errors::invalid("TopicArn"))?;
    permit(world, origin, &place, "sns:Publish", RequestContext::new())?;
    take(world, origin, &place, publication, BTreeMap::new())
}

/// `by_protocol`: texts that take the message's place for subscribers of a protocol.
fn take(
    world: &mut World,
    origin: &Origin,
    place: &Place<'_>,
    publication: Publication,
    by_protocol: BTreeMap<String, String>,
) -> Result<String, ApiError> {
    let topic = world.sns.look(place).ok_or_else(errors::no_such_topic)?;
    if topic.kms_key.is_some() && (!origin.secure || origin.caller == Caller::Anonymous) {
        return Err(errors::insecure());
    }
    check(&publication, topic.fifo)?;
    encrypt(world, &origin.caller, place)?;
    let id = world.uuid();
    let now = world.now();
    let topic = world.sns.find(place).ok_or_else(errors::no_such_topic)?;
    if topic.fifo.is_some() {
        let key = publication.deduplication.clone().unwrap_or_else(|| publication.message.clone());
        topic.recent.retain(|_, (until, _)| now < *until);
        if let Some((_, earlier)) = topic.recent.get(&key) {
            return Ok(earlier.clone());
        }
        topic.recent.insert(key, (now + DEDUPLICATION, id.clone()));
    }
    let published = Arc::new(Published { topic: Arc::clone(&topic.arn), id: id.clone(), at: now, publication, by_protocol });
    let subscribers = world.sns.of_topic(&published.topic);
    let subscribers = subscribers.filter(|(_, one)| one.token.is_none() && published.passes(one)).map(|(arn, _)| arn.to_owned());
    for subscription in subscribers.collect::<Vec<_>>() {
        let delivery = Delivery { subscription, published: Arc::clone(&published), attempts: 0 };
        world.later(FIRST_ATTEMPT, world::Event::Sns(Event::Deliver(Box::new(delivery))));
    }
    Ok(id)
}

fn check(publication: &Publication, fifo: Option<bool>) -> Result<(), ApiError> {
    let Publication { message, subject, attributes, group, deduplication } = publication;
    if message.is_empty() {
        return Err(errors::invalid("Empty message"));
    }
    let size = message.len() + attributes.iter().map(|(name, kind, value)| name.len() + kind.len() + value.len()).sum::<usize>();
    if size > MOST_BYTES {
        return Err(errors::invalid("Message too long"));
    }
    if subject.as_ref().is_some_and(|subject| subject.is_empty() || subject.chars().count() > 100 || subject.contains(['\n', '\r'])) {
        return Err(errors::invalid("Subject"));
    }
    match fifo {
        Some(_) if group.is_none() => Err(errors::invalid("The MessageGroupId parameter is required for FIFO topics")),
        Some(false) if deduplication.is_none() => Err(errors::invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        )),
        None if deduplication.is_some() => Err(errors::invalid(
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type",
        )),
        Some(_) | None => Ok(()),
    }
}

/// The publisher needs `GenerateDataKey` and Decrypt, for itself. [SNS: Key management, permissions]
fn encrypt(world: &mut World, caller: &Caller, place: &Place<'_>) -> Result<(), ApiError> {
    let topic = world.sns.look(place).ok_or_else(errors::no_such_topic)?;
    let Some(key) = topic.kms_key.as_ref().map(ToString::to_string) else { return Ok(()) };
    let now = world.now();
    let at_hand = (format!("{caller:?}"), key.clone());
    if topic.data_keys.get(&at_hand).is_some_and(|until| now < *until) {
        return Ok(());
    }
    let arn = Arc::clone(&topic.arn);
    for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
        let usage = KeyUse {
            caller,
            action,
            key: &key,
            account: place.account,
            region: place.region,
            via: caller.account().map(|_| "sns"),
            encryption_context: &[("aws:sns:topicArn", &arn)],
        };
        kms::use_key(world, &usage).map_err(errors::key_refused)?;
    }
    let topic = world.sns.find(place).ok_or_else(errors::no_such_topic)?;
    topic.data_keys.retain(|_, until| now < *until);
    topic.data_keys.insert(at_hand, now + DATA_KEY_REUSE);
    Ok(())
}

/// Message attributes as a filter sees them. [SNS: Filter policy, attribute-based]
pub(super) fn filterable(attributes: &[(String, String, String)]) -> Value {
    pattern::object(attributes.iter().filter_map(|(name, kind, value)| {
        let value = match kind.as_str() {
            "Number" | "String.Array" => serde_json::from_str(value).ok()?,
            kind if kind.starts_with("Binary") => return None,
            _ => Value::String(value.clone()),
        };
        Some((name.clone(), value))
    }))
}

/// A publication as a form writes it, and texts by protocol where it has them.
fn of_form(form: &Form) -> Result<(Publication, BTreeMap<String, String>), ApiError> {
    let mut by_protocol = BTreeMap::new();
    let mut message = form.get("Message").unwrap_or_default().to_owned();
    if form.get("MessageStructure") == Some("json") {
        let parsed: Map<String, Value> =
            serde_json::from_str(&message).map_err(|_| errors::invalid("Message Structure - JSON message body failed to parse"))?;
        let texts = parsed.into_iter().filter_map(|(protocol, text)| Some((protocol, text.as_str()?.to_owned())));
        by_protocol = texts.collect();
        message =
            by_protocol.remove("default").ok_or_else(|| errors::invalid("Message Structure - No default entry in JSON message body"))?;
    }
    let attribute = |entry: &Form| {
        let value = entry.get("Value.StringValue").or_else(|| entry.get("Value.BinaryValue"));
        Some((entry.get("Name")?.to_owned(), entry.get("Value.DataType")?.to_owned(), value?.to_owned()))
    };
    let owned = |name: &str| form.get(name).map(str::to_owned);
    let publication = Publication {
        message,
        subject: owned("Subject"),
        attributes: form.list("MessageAttributes.entry").iter().filter_map(attribute).collect(),
        group: owned("MessageGroupId"),
        deduplication: owned("MessageDeduplicationId"),
    };
    Ok((publication, by_protocol))
}

pub(super) fn publish_form(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    let form = &request.form;
    if form.get("PhoneNumber").is_some() {
        // To a telephone, past every topic: it is taken and nobody hears of it.
        request.permit_name(world, "sns:Publish", "*")?;
        return Ok(Element::default().text("MessageId", world.uuid()));
    }
    let member = if form.get("TopicArn").is_some() { "TopicArn" } else { "TargetArn" };
    let place = request.topic(world, member, "sns:Publish")?;
    let (publication, by_protocol) = of_form(form)?;
    let id = take(world, request.origin, &place, publication, by_protocol)?;
    Ok(Element::default().text("MessageId", id))
}

pub(super) fn publish_batch(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    let place = request.topic(world, "TopicArn", "sns:Publish")?;
    let entries = request.form.list("PublishBatchRequestEntries.member");
    let refused = |code: &'static str, message: &str| Err(ApiError::bad_request(code, message));
    if entries.is_empty() {
        return refused("EmptyBatchRequest", "The batch request doesn't contain any entries.");
    }
    if entries.len() > 10 {
        return refused("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.");
    }
    let ids: std::collections::BTreeSet<&str> = entries.iter().filter_map(|entry| entry.get("Id")).collect();
    if ids.len() < entries.len() {
        return refused("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.");
    }
    let (mut successful, mut failed) = (Element::new("Successful"), Element::new("Failed"));
    for entry in &entries {
        let member = Element::new("member").text("Id", entry.get("Id").unwrap_or_default());
        let taken = of_form(entry).and_then(|(publication, texts)| take(world, request.origin, &place, publication, texts));
        match taken {
            Ok(id) => successful = successful.child(member.text("MessageId", id)),
            Err(error) => {
                let member = member.text("Code", &error.code).text("Message", &error.message);
                failed = failed.child(member.text("SenderFault", error.status < 500));
            }
        }
    }
    Ok(Element::default().child(successful).child(failed))
}
