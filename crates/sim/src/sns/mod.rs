//! Amazon SNS.
//!
//! A message is taken past the topic's document and key, and then delivered to each subscriber by SNS itself: past the
//! queue's document and the queue's key as `sns.amazonaws.com`. What a subscriber's side refuses is not tried again.
//! What must never happen here: a message that AWS would lose arrives.

mod attributes;
mod deliver;
mod document;
mod errors;
mod outbox;
mod publish;
mod retry;
mod seed;
mod subscriptions;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod topic;
mod topics;

use std::collections::BTreeMap;

pub(crate) use outbox::Posting;
pub use outbox::{Notification, PostResult};
pub(crate) use publish::{Publication, publish};
pub(crate) use seed::tags_of;

use crate::access::{Caller, Document, RequestContext};
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::wire::query::Form;
use crate::wire::xml::Element;
use crate::wire::{Route, query};
use crate::world::{Ask, Origin, World};
use topic::{Subscription, Topic};

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// Topics of one account in one region, by name.
type Topics = BTreeMap<Box<str>, Topic>;

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By account, then by region.
    places: BTreeMap<String, BTreeMap<String, Topics>>,
    /// By ARN, which begins with the topic's.
    subscriptions: BTreeMap<String, Subscription>,
    /// Posts to HTTP endpoints.
    outbox: outbox::Outbox,
}

impl State {
    fn find(&mut self, place: &Place<'_>) -> Option<&mut Topic> {
        self.places.get_mut(place.account)?.get_mut(place.region)?.get_mut(place.name)
    }

    fn look(&self, place: &Place<'_>) -> Option<&Topic> {
        self.places.get(place.account)?.get(place.region)?.get(place.name)
    }

    /// There is a topic of this ARN.
    pub(crate) fn has_topic(&self, arn: &str) -> bool {
        Place::of_arn(arn).and_then(|place| self.look(&place)).is_some()
    }

    fn insert(&mut self, place: &Place<'_>, topic: Topic) {
        let regions = self.places.entry(place.account.to_owned()).or_default();
        regions.entry(place.region.to_owned()).or_default().insert(place.name.into(), topic);
    }

    /// Subscriptions of a topic, by ARN.
    fn of_topic<'a>(&'a self, topic: &str) -> impl Iterator<Item = (&'a str, &'a Subscription)> + use<'a> {
        let prefix = format!("{topic}:");
        let range = self.subscriptions.range(prefix.clone()..);
        range.take_while(move |(arn, _)| arn.starts_with(&prefix)).map(|(arn, subscription)| (arn.as_str(), subscription))
    }
}

/// Where a topic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place<'a> {
    account: &'a str,
    region: &'a str,
    name: &'a str,
}

impl<'a> Place<'a> {
    /// Of a topic's or subscription's ARN.
    fn of_arn(arn: &'a str) -> Option<Self> {
        let mut parts = arn.split(':').skip(2);
        let (service, region, account, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        (service == "sns").then_some(Self { account, region, name })
    }

    fn arn(&self) -> String {
        let Self { account, region, name } = self;
        format!("arn:aws:sns:{region}:{account}:{name}")
    }
}

/// What happens by itself.
#[derive(Debug)]
pub(crate) enum Event {
    /// A message is tried at a subscriber.
    Deliver(Box<deliver::Delivery>),
    /// A confirmation is sent to an endpoint.
    Confirm { subscription: String },
}

pub(crate) fn happen(world: &mut World, event: Event) {
    match event {
        Event::Deliver(delivery) => deliver::attempt(world, *delivery),
        Event::Confirm { subscription } => deliver::ask_for_confirmation(world, &subscription),
    }
}

/// A call with its input.
struct Request<'a> {
    origin: &'a Origin,
    form: Form,
}

impl Request<'_> {
    fn need(&self, member: &str) -> Result<&str, ApiError> {
        self.form.get(member).filter(|value| !value.is_empty()).ok_or_else(|| errors::invalid(member))
    }

    /// The topic that a member names, for a caller that may do this to it.
    fn topic(&self, world: &World, member: &str, action: &str) -> Result<Place<'_>, ApiError> {
        let place = Place::of_arn(self.need(member)?).ok_or_else(|| errors::invalid(member))?;
        permit(world, self.origin, &place, action, RequestContext::new())?;
        Ok(place)
    }

    /// May the caller do this, which is about no topic that exists?
    fn permit_name(&self, world: &World, action: &str, name: &str) -> Result<(), ApiError> {
        let (resource, owner) = (self.origin.arn("sns", name), self.origin.account());
        let ask = Ask { action, resource: &resource, owner, document: None, context: RequestContext::new() };
        world.permit(self.origin, &ask).map_err(errors::denied)
    }
}

/// May the caller do this to a topic that exists?
fn permit(world: &World, origin: &Origin, place: &Place<'_>, action: &str, mut context: RequestContext) -> Result<(), ApiError> {
    let topic = world.sns.look(place).ok_or_else(errors::no_such_topic)?;
    let fresh = topic.policy.is_none().then(|| Document::parse(&topic.policy_text(place.account))).flatten();
    let document = topic.policy.as_ref().map(|policy| &policy.document).or(fresh.as_ref());
    if let Some(owner) = source_owner(&origin.caller) {
        context.insert("aws:sourceowner".to_owned(), vec![owner.to_owned()]);
    }
    let ask = Ask { action, resource: &topic.arn, owner: place.account, document, context };
    world.permit(origin, &ask).map_err(errors::denied)
}

/// `AWS:SourceOwner`, which the default document asks for: the caller's account; of the services, `CloudWatch`'s alarms
/// send it, so that alarms reach topics of their account that nobody prepared. [SNS: Use cases for access control]
fn source_owner(caller: &Caller) -> Option<&str> {
    match caller {
        Caller::Service { name, source_account, .. } if name == "cloudwatch.amazonaws.com" => source_account.as_deref(),
        Caller::Service { .. } | Caller::Anonymous => None,
        Caller::Root { account } | Caller::User { account, .. } | Caller::Role { account, .. } => Some(account),
    }
}

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let request = Request { origin, form: Form::of(call) };
    match dispatch(world, &request, &route.operation) {
        Ok(result) => {
            let metadata = Element::new("ResponseMetadata").text("RequestId", world.uuid());
            let response = Element::new(format!("{}Response", route.operation)).attribute("xmlns", NAMESPACE);
            let result = result.map(|result| result.named(format!("{}Result", route.operation)));
            Reply::new(200, "text/xml", response.children(result).child(metadata).document())
        }
        Err(error) => query::error(&error),
    }
}

/// `None`: the operation has no result.
fn dispatch(world: &mut World, request: &Request<'_>, operation: &str) -> Result<Option<Element>, ApiError> {
    let done = |()| None;
    match operation {
        "CreateTopic" => topics::create(world, request).map(Some),
        "DeleteTopic" => topics::delete(world, request).map(done),
        "ListTopics" => topics::list(world, request).map(Some),
        "TagResource" => topics::tag(world, request).map(Some),
        "UntagResource" => topics::untag(world, request).map(Some),
        "ListTagsForResource" => topics::list_tags(world, request).map(Some),
        "GetTopicAttributes" => attributes::get(world, request).map(Some),
        "SetTopicAttributes" => attributes::set(world, request).map(done),
        "AddPermission" => document::add_permission(world, request).map(done),
        "RemovePermission" => document::remove_permission(world, request).map(done),
        "Subscribe" => subscriptions::subscribe(world, request).map(Some),
        "ConfirmSubscription" => subscriptions::confirm(world, request).map(Some),
        "Unsubscribe" => subscriptions::unsubscribe(world, request).map(done),
        "ListSubscriptions" => subscriptions::list(world, request).map(Some),
        "ListSubscriptionsByTopic" => subscriptions::list_by_topic(world, request).map(Some),
        "GetSubscriptionAttributes" => subscriptions::get_attributes(world, request).map(Some),
        "SetSubscriptionAttributes" => subscriptions::set_attribute(world, request).map(done),
        "Publish" => publish::publish_form(world, request).map(Some),
        "PublishBatch" => publish::publish_batch(world, request).map(Some),
        other => Err(ApiError::unknown_operation(other)),
    }
}

/// `<name><entry><key/><value/></entry>…</name>`.
fn map_of<'a>(name: &'static str, pairs: impl IntoIterator<Item = (&'a str, String)>) -> Element {
    let entry = |(key, value): (&str, String)| Element::new("entry").text("key", key).text("value", value);
    Element::new(name).children(pairs.into_iter().map(entry))
}

/// A page of at most 100 members under `name`, and the token for the next. Tokens name the last item of a page.
fn page<T>(name: &'static str, found: impl Iterator<Item = (String, T)>, write: impl Fn(&str, T) -> Element) -> Element {
    const PAGE: usize = 100;
    let (mut list, mut newest) = (Element::new(name), None);
    for (index, (key, entry)) in found.enumerate() {
        if index == PAGE {
            return Element::default().child(list).maybe("NextToken", newest);
        }
        list = list.child(write(&key, entry).named("member"));
        newest = Some(key);
    }
    Element::default().child(list)
}
