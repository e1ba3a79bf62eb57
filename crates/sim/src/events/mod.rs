//! `EventBridge`: buses, rules, targets, events.
//!
//! An event that a rule matches goes to the rule's targets as `events.amazonaws.com`, past their documents and keys. To
//! queues `EventBridge` says which rule it acts for; to topics it does not, so that a condition on `aws:SourceArn` there
//! shuts it out. What a server can't take is tried again for a day, what is forbidden is not.

mod buses;
mod deliver;
pub(crate) mod pattern;
mod put;
mod rules;
mod seed;
mod targets;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub(crate) use put::{BusEvent, put};

use crate::access::{Document, RequestContext};
use crate::error::ApiError;
use crate::http::{Call, Reply};
use crate::moment::Moment;
use crate::wire::{Route, json as wire};
use crate::world::{Ask, Origin, World};

/// Everything this service holds.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By account, region and name. Each place has a bus `default`, though it is here only once it was used.
    buses: BTreeMap<(String, String, String), Bus>,
}

/// An event bus.
#[derive(Debug, Clone, Default)]
struct Bus {
    created: Moment,
    description: Option<String>,
    /// Its document as written, and parsed.
    policy: Option<(String, Document)>,
    rules: BTreeMap<String, Rule>,
    tags: BTreeMap<String, String>,
}

/// A rule.
#[derive(Debug, Clone)]
struct Rule {
    arn: String,
    /// As written, and parsed.
    pattern: Option<(String, Value)>,
    schedule: Option<String>,
    /// `ENABLED`, `DISABLED` …
    state: String,
    description: Option<String>,
    role: Option<String>,
    /// By id, as written.
    targets: BTreeMap<String, Value>,
    tags: BTreeMap<String, String>,
}

/// Where a bus is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    account: String,
    region: String,
    bus: String,
}

impl Place {
    /// Of a bus's name or ARN, as a request writes it; absent: `default`.
    fn of(written: Option<&str>, origin: &Origin) -> Self {
        let (account, region) = (origin.account().to_owned(), origin.region.clone());
        match written {
            Some(arn) if arn.starts_with("arn:") => Self::of_arn(arn).unwrap_or(Self { account, region, bus: arn.to_owned() }),
            Some(name) => Self { account, region, bus: name.to_owned() },
            None => Self { account, region, bus: "default".to_owned() },
        }
    }

    /// Of `arn:aws:events:region:account:event-bus/name`.
    fn of_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(3);
        let (region, account, bus) = (parts.next()?, parts.next()?, parts.next()?.strip_prefix("event-bus/")?);
        Some(Self { account: account.to_owned(), region: region.to_owned(), bus: bus.to_owned() })
    }

    fn arn(&self) -> String {
        let Self { account, region, bus } = self;
        format!("arn:aws:events:{region}:{account}:event-bus/{bus}")
    }

    /// A rule's ARN: that of the default bus's names no bus.
    fn rule_arn(&self, rule: &str) -> String {
        let Self { account, region, bus } = self;
        if bus == "default" {
            format!("arn:aws:events:{region}:{account}:rule/{rule}")
        } else {
            format!("arn:aws:events:{region}:{account}:rule/{bus}/{rule}")
        }
    }

    fn key(&self) -> (String, String, String) {
        (self.account.clone(), self.region.clone(), self.bus.clone())
    }
}

impl State {
    fn look(&self, place: &Place) -> Option<&Bus> {
        self.buses.get(&place.key())
    }

    /// The bus, if it is there: `default` always is.
    fn find(&mut self, place: &Place) -> Result<&mut Bus, ApiError> {
        if place.bus == "default" {
            return Ok(self.buses.entry(place.key()).or_default());
        }
        self.buses.get_mut(&place.key()).ok_or_else(|| no_such_bus(&place.bus))
    }

    fn rule(&mut self, place: &Place, name: &str) -> Result<&mut Rule, ApiError> {
        let missing = || not_found(format!("Rule {name} does not exist on EventBus {}.", place.bus));
        self.find(place)?.rules.get_mut(name).ok_or_else(missing)
    }
}

fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("ResourceNotFoundException", message)
}

fn no_such_bus(name: &str) -> ApiError {
    not_found(format!("Event bus {name} does not exist."))
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("ValidationException", message)
}

/// What happens by itself.
#[derive(Debug)]
pub(crate) enum Event {
    /// An event is tried at a target.
    Deliver(Box<deliver::Delivery>),
}

pub(crate) fn happen(world: &mut World, event: Event) {
    match event {
        Event::Deliver(delivery) => deliver::attempt(world, *delivery),
    }
}

/// A call with its input.
struct Request<'a> {
    origin: &'a Origin,
    input: Map<String, Value>,
}

impl Request<'_> {
    fn need(&self, name: &str) -> Result<&str, ApiError> {
        wire::text(&self.input, name)
    }

    fn optional(&self, name: &str) -> Option<&str> {
        wire::optional(&self.input, name)
    }

    /// The bus that the request is about.
    fn bus(&self) -> Place {
        Place::of(self.optional("EventBusName"), self.origin)
    }

    /// May the caller do this to a resource of the bus?
    fn permit(&self, world: &World, place: &Place, action: &str, resource: &str) -> Result<(), ApiError> {
        permit(world, self.origin, place, action, resource)
    }
}

fn permit(world: &World, origin: &Origin, place: &Place, action: &str, resource: &str) -> Result<(), ApiError> {
    let document = world.events.look(place).and_then(|bus| bus.policy.as_ref()).map(|(_, document)| document);
    let ask = Ask { action, resource, owner: &place.account, document, context: RequestContext::new() };
    world.permit(origin, &ask).map_err(|denial| ApiError::bad_request("AccessDeniedException", denial.message))
}

pub(crate) fn handle(world: &mut World, origin: &Origin, route: &Route, call: &Call) -> Reply {
    let result = wire::input(call).and_then(|input| dispatch(world, &Request { origin, input }, &route.operation));
    wire::reply(route, result)
}

fn dispatch(world: &mut World, request: &Request<'_>, operation: &str) -> Result<Value, ApiError> {
    match operation {
        "CreateEventBus" => buses::create(world, request),
        "DescribeEventBus" => buses::describe(world, request),
        "ListEventBuses" => buses::list(world, request),
        "DeleteEventBus" => buses::delete(world, request),
        "PutPermission" => buses::put_permission(world, request),
        "RemovePermission" => buses::remove_permission(world, request),
        "TagResource" => buses::tag(world, request),
        "UntagResource" => buses::untag(world, request),
        "ListTagsForResource" => buses::list_tags(world, request),
        "PutRule" => rules::put(world, request),
        "DescribeRule" => rules::describe(world, request),
        "ListRules" => rules::list(world, request),
        "EnableRule" => rules::switch(world, request, "events:EnableRule", "ENABLED"),
        "DisableRule" => rules::switch(world, request, "events:DisableRule", "DISABLED"),
        "DeleteRule" => rules::delete(world, request),
        "PutTargets" => targets::put(world, request),
        "RemoveTargets" => targets::remove(world, request),
        "ListTargetsByRule" => targets::list(world, request),
        "ListRuleNamesByTarget" => targets::list_rule_names(world, request),
        "PutEvents" => put::put_events(world, request),
        other => Err(ApiError::unknown_operation(other)),
    }
}

/// One page of items by name, at most `Limit` (100). Tokens name the last item of a page.
fn page<T>(
    request: &Request<'_>,
    member: &str,
    items: impl Iterator<Item = (String, T)>,
    write: impl Fn(T) -> Value,
) -> Result<Value, ApiError> {
    let limit = match wire::number(&request.input, "Limit") {
        None => 100,
        Some(limit) => usize::try_from(limit).ok().filter(|limit| (1..=100).contains(limit)).ok_or_else(|| {
            invalid(format!(
                "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must be between 1 and 100"
            ))
        })?,
    };
    let after = request.optional("NextToken").unwrap_or_default();
    let mut items = items.skip_while(|(name, _)| !after.is_empty() && name.as_str() <= after).peekable();
    let (mut listed, mut last) = (Vec::new(), String::new());
    for (name, item) in items.by_ref().take(limit) {
        listed.push(write(item));
        last = name;
    }
    let mut output = json!({ member: listed });
    if items.peek().is_some() {
        output["NextToken"] = json!(last);
    }
    Ok(output)
}
