//! Topics as such: made, listed, tagged, deleted.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::topic::Topic;
use super::{Place, Request, attributes, errors, page};
use crate::error::ApiError;
use crate::wire::xml::Element;
use crate::world::World;

/// [sns:TagResource]
const MOST_TAGS: usize = 50;

fn checked_name(name: &str, fifo: bool) -> Result<(), ApiError> {
    let plain = if fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let valid = |plain: &str| !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if plain.is_some_and(valid) && name.len() <= 256 {
        return Ok(());
    }
    Err(errors::invalid(if fifo {
        "Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long."
    } else {
        "Topic Name"
    }))
}

/// The same name again: the same topic, unless an attribute or tag that is given differs. [sns:CreateTopic]
pub(super) fn create(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    let name = request.need("Name")?;
    request.permit_name(world, "sns:CreateTopic", name)?;
    let given = request.form.pairs("Attributes.entry", "key", "value");
    let fifo = given.iter().any(|(name, value)| name == "FifoTopic" && value == "true");
    checked_name(name, fifo)?;
    let tags = tags_of(request);
    if !tags.is_empty() {
        request.permit_name(world, "sns:TagResource", name)?;
    }
    let place = Place { account: request.origin.account(), region: &request.origin.region, name };
    let answer = Element::default().text("TopicArn", place.arn());
    if let Some(existing) = world.sns.look(&place) {
        for (name, value) in given.iter().filter(|(name, _)| name != "FifoTopic") {
            if attributes::read(existing, place.account, name).as_ref() != Some(value) {
                return Err(errors::invalid("Attributes Reason: Topic already exists with different attributes"));
            }
        }
        if tags.iter().any(|(key, value)| existing.tags.get(key) != Some(value)) {
            return Err(errors::invalid("Tags Reason: Topic already exists with different tags"));
        }
        return Ok(answer);
    }
    let mut topic = Topic::new(&place.arn(), fifo);
    for (name, value) in given.iter().filter(|(name, _)| name != "FifoTopic") {
        attributes::write(&mut topic, name, value)?;
    }
    topic.tags = tags;
    world.sns.insert(&place, topic);
    Ok(answer)
}

/// A topic that is not there is deleted without an error. [sns:DeleteTopic]
pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Result<(), ApiError> {
    let arn = request.need("TopicArn")?.to_owned();
    let place = Place::of_arn(&arn).ok_or_else(|| errors::invalid("TopicArn"))?;
    if world.sns.look(&place).is_none() {
        return request.permit_name(world, "sns:DeleteTopic", place.name);
    }
    request.topic(world, "TopicArn", "sns:DeleteTopic")?;
    if let Some(topics) = world.sns.places.get_mut(place.account).and_then(|regions| regions.get_mut(place.region)) {
        topics.remove(place.name);
    }
    let gone: Vec<String> = world.sns.of_topic(&arn).map(|(subscription, _)| subscription.to_owned()).collect();
    for subscription in gone {
        world.sns.subscriptions.remove(&subscription);
    }
    Ok(())
}

pub(super) fn list(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    request.permit_name(world, "sns:ListTopics", "*")?;
    let after = request.form.get("NextToken").unwrap_or_default();
    let topics = world.sns.places.get(request.origin.account()).and_then(|regions| regions.get(&request.origin.region));
    let range = (Bound::Excluded(after), Bound::Unbounded);
    let topics = topics.into_iter().flat_map(|topics| topics.range::<str, _>(range));
    let topics = topics.map(|(name, topic)| (name.to_string(), &topic.arn));
    Ok(page("Topics", topics, |_, arn| Element::default().text("TopicArn", arn)))
}

fn tags_of(request: &Request<'_>) -> BTreeMap<String, String> {
    request.form.pairs("Tags.member", "Key", "Value").into_iter().collect()
}

/// The topic of a tag operation.
fn tagged<'r>(world: &World, request: &'r Request<'_>, action: &str) -> Result<Place<'r>, ApiError> {
    let place = Place::of_arn(request.need("ResourceArn")?).ok_or_else(|| errors::invalid("ResourceArn"))?;
    if world.sns.look(&place).is_none() {
        return Err(ApiError::new(404, "ResourceNotFound", "Resource does not exist"));
    }
    request.topic(world, "ResourceArn", action)
}

pub(super) fn tag(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    let place = tagged(world, request, "sns:TagResource")?;
    let topic = world.sns.find(&place).ok_or_else(errors::no_such_topic)?;
    let mut after = topic.tags.clone();
    after.extend(tags_of(request));
    if after.len() > MOST_TAGS {
        return Err(ApiError::bad_request("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded"));
    }
    topic.tags = after;
    Ok(Element::default())
}

pub(super) fn untag(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    let place = tagged(world, request, "sns:UntagResource")?;
    let topic = world.sns.find(&place).ok_or_else(errors::no_such_topic)?;
    for key in request.form.values("TagKeys.member") {
        topic.tags.remove(&key);
    }
    Ok(Element::default())
}

pub(super) fn list_tags(world: &mut World, request: &Request<'_>) -> Result<Element, ApiError> {
    let place = tagged(world, request, "sns:ListTagsForResource")?;
    let topic = world.sns.look(&place).ok_or_else(errors::no_such_topic)?;
    let member = |(key, value): (&String, &String)| Element::new("member").text("Key", key).text("Value", value);
    Ok(Element::default().child(Element::new("Tags").children(topic.tags.iter().map(member))))
}
