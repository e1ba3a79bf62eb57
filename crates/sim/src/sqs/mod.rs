//! Amazon SQS.
//!
//! Both protocols that clients speak lead to the same operations: a form is turned into the JSON input, and the JSON
//! output into XML. A message is encrypted as its queue was when it came in, and keeps that wherever it is moved.
//! Nothing gets into or out of a queue past its document and its key.

mod attributes;
mod batch;
mod document;
mod encryption;
mod errors;
mod fields;
mod form;
mod queue;
mod queues;
mod receive;
mod seed;
mod send;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use queue::QueueCounts;
pub use seed::Received;
pub(crate) use seed::tags_of;
pub(crate) use send::{Message, deliver};

use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::moment::Moment;
use crate::wire::{Protocol, Route, json, query};
use crate::world::{Ask, Origin, World};
use queue::Queue;

/// Queues of one account in one region, by name.
type Queues = BTreeMap<Box<str>, Queue>;

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By account, then by region.
    places: BTreeMap<String, BTreeMap<String, Queues>>,
    /// When a queue of a URL's place was deleted: (account, region, name).
    deleted: BTreeMap<(String, String, String), Moment>,
    /// Queues that can't take anything for a while, as their service is down: by ARN, until when.
    outages: BTreeMap<String, Moment>,
    /// Grows whenever a message comes into any queue: whoever waits for one looks again.
    pub(crate) arrivals: u64,
    /// The receive that was just answered found nothing and is willing to wait.
    pub(crate) poll: Option<Poll>,
}

/// A receive that found nothing and waits. [SQS: Short and long polling]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Poll {
    /// When it is answered at the latest.
    pub(crate) until: Moment,
    /// When something that is hidden now comes back.
    pub(crate) again: Option<Moment>,
}

impl State {
    fn find(&mut self, place: &Place<'_>) -> Option<&mut Queue> {
        self.places.get_mut(place.account)?.get_mut(place.region)?.get_mut(place.name)
    }

    fn look(&self, place: &Place<'_>) -> Option<&Queue> {
        self.places.get(place.account)?.get(place.region)?.get(place.name)
    }

    fn queues(&self, account: &str, region: &str) -> Option<&Queues> {
        self.places.get(account)?.get(region)
    }

    fn insert(&mut self, place: &Place<'_>, queue: Queue) {
        let regions = self.places.entry(place.account.to_owned()).or_default();
        regions.entry(place.region.to_owned()).or_default().insert(place.name.into(), queue);
    }
}

/// Where a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place<'a> {
    account: &'a str,
    region: &'a str,
    name: &'a str,
}

impl<'a> Place<'a> {
    /// Of a queue's URL: its last two parts. The region is that of the request.
    fn of_url(url: &'a str, region: &'a str) -> Option<Self> {
        let mut parts = url.trim_end_matches('/').rsplit('/');
        let (name, account) = (parts.next()?, parts.next()?);
        Some(Self { account, region, name })
    }

    /// Of `arn:aws:sqs:region:account:name`.
    fn of_arn(arn: &'a str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let (service, region, account, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        (service == "sqs").then_some(Self { account, region, name })
    }

    fn arn(&self) -> String {
        let Self { account, region, name } = self;
        format!("arn:aws:sqs:{region}:{account}:{name}")
    }
}

/// A call with its input.
struct Request<'a> {
    origin: &'a Origin,
    call: &'a Call,
    input: Map<String, Value>,
}

impl Request<'_> {
    /// `http://HOST/ACCOUNT/NAME` with the request's own host. [SQS: Queue and message identifiers]
    fn url(&self, account: &str, name: &str) -> String {
        let scheme = if self.call.secure { "https" } else { "http" };
        match self.call.header("host") {
            "" => format!("{scheme}://sqs.{}.amazonaws.com/{account}/{name}", self.origin.region),
            host => format!("{scheme}://{host}/{account}/{name}"),
        }
    }

    /// The queue that `QueueUrl` names, for a caller that may do this to it.
    fn queue(&self, world: &World, action: &str) -> Result<Place<'_>, ApiError> {
        let url = json::optional(&self.input, "QueueUrl").ok_or_else(|| errors::missing("QueueUrl"))?;
        let invalid = || {
            ApiError::new(404, "InvalidAddress", format!("The address {url} is not valid for this endpoint.")).query_code("InvalidAddress")
        };
        let place = Place::of_url(url, &self.origin.region).ok_or_else(invalid)?;
        permit(world, self.origin, &place, action)?;
        Ok(place)
    }

    /// The same for what no document can allow another account to do. [SQS: Actions, "Cross-account permissions don't
    /// apply to this action"]
    fn own_queue(&self, world: &World, action: &str) -> Result<Place<'_>, ApiError> {
        let place = self.queue(world, action)?;
        if self.origin.caller.account() == Some(place.account) {
            return Ok(place);
        }
        let message = format!("User: {} is not authorized to perform: {action} on resource: {}", self.origin.caller.arn(), place.arn());
        Err(errors::denied(crate::access::Denial { explicit: false, message }))
    }
}

/// Is it the name or ARN of a FIFO queue or topic? [SQS: FIFO queue names]
pub(crate) fn is_fifo(name: &str) -> bool {
    name.strip_suffix(".fifo").is_some()
}

/// May the caller do this to a queue that exists?
fn permit(world: &World, origin: &Origin, place: &Place<'_>, action: &str) -> Result<(), ApiError> {
    let queue = world.sqs.look(place).ok_or_else(errors::no_such_queue)?;
    let ask =
        Ask { action, resource: &queue.arn, owner: place.account, document: queue.attributes.document(), context: BTreeMap::default() };
    world.permit(origin, &ask).map_err(errors::denied)
}

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    match route.protocol {
        Protocol::Query => {
            let input = form::input(call, &route.operation);
            let result =
                dispatch(world, &Request { origin, call, input }, &route.operation).map(|output| form::output(&route.operation, &output));
            query::reply(&route.operation, form::NAMESPACE, &world.uuid(), result)
        }
        Protocol::Json10 | Protocol::Json11 | Protocol::Cbor | Protocol::RestXml => {
            if route.operation == "GetQueueAttributes" {
                return attributes::get(world, origin, route, call);
            }
            let result = json::input(call).and_then(|input| dispatch(world, &Request { origin, call, input }, &route.operation));
            json::reply(route, result)
        }
    }
}

fn dispatch(world: &mut World, request: &Request<'_>, operation: &str) -> Result<Value, ApiError> {
    match operation {
        "CreateQueue" => queues::create(world, request),
        "GetQueueUrl" => queues::get_url(world, request),
        "ListQueues" => queues::list(world, request),
        "ListDeadLetterSourceQueues" => queues::list_dead_letter_sources(world, request),
        "DeleteQueue" => queues::delete(world, request),
        "PurgeQueue" => queues::purge(world, request),
        "TagQueue" => queues::tag(world, request),
        "UntagQueue" => queues::untag(world, request),
        "ListQueueTags" => queues::list_tags(world, request),
        "GetQueueAttributes" => attributes::get_value(world, request),
        "SetQueueAttributes" => attributes::set(world, request),
        "AddPermission" => document::add_permission(world, request),
        "RemovePermission" => document::remove_permission(world, request),
        "SendMessage" => send::send(world, request),
        "SendMessageBatch" => batch::send(world, request),
        "ReceiveMessage" => receive::receive(world, request),
        "DeleteMessage" => receive::delete(world, request),
        "DeleteMessageBatch" => batch::delete(world, request),
        "ChangeMessageVisibility" => receive::change_visibility(world, request),
        "ChangeMessageVisibilityBatch" => batch::change_visibility(world, request),
        other => Err(ApiError::unknown_operation(other)),
    }
}
