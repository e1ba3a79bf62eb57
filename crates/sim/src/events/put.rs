//! Events on their way in.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::deliver::Delivery;
use super::{Event, Place, Request, invalid, no_such_bus, pattern, permit};
use crate::error::ApiError;
use crate::world::{self, World};

/// From a bus to the first attempt at targets: about half a second. [`EventBridge`: What is `EventBridge`, latency]
const FIRST_ATTEMPT: Duration = Duration::from_millis(500);

/// An event on a bus. [`EventBridge`: AWS events reference]
#[derive(Debug, Clone)]
pub(crate) struct BusEvent {
    pub(crate) source: String,
    pub(crate) detail_type: String,
    /// ARNs that it is about.
    pub(crate) resources: Vec<String>,
    pub(crate) detail: serde_json::Value,
}

/// Puts an event on an account's bus; rules that match are worked soon after.
pub(crate) fn put(world: &mut World, account: &str, region: &str, bus: &str, event: BusEvent) {
    let BusEvent { source, detail_type, resources, detail } = event;
    let time = world.now().iso8601();
    let time = time.split('.').next().unwrap_or_default();
    let envelope = json!({
        "version": "0", "id": world.uuid(), "detail-type": detail_type, "source": source, "account": account,
        "time": format!("{time}Z"), "region": region, "resources": resources, "detail": detail,
    });
    let place = Place { account: account.to_owned(), region: region.to_owned(), bus: bus.to_owned() };
    route(world, &place, &Arc::new(envelope));
}

/// Sends an event to the targets of each rule that matches it.
pub(super) fn route(world: &mut World, place: &Place, event: &Arc<Value>) {
    let Some(bus) = world.events.look(place) else { return };
    let matching = bus.rules.values().filter(|rule| rule.state != "DISABLED");
    let matching = matching.filter(|rule| rule.pattern.as_ref().is_some_and(|(_, pattern)| pattern::matches(pattern, event)));
    let now = world.now();
    let deliveries: Vec<Delivery> = matching
        .flat_map(|rule| rule.targets.values().map(|target| (rule.arn.clone(), target.clone())))
        .map(|(rule, target)| Delivery {
            rule,
            account: place.account.clone(),
            target: Arc::new(target),
            event: Arc::clone(event),
            since: now,
            retries: 0,
        })
        .collect();
    for delivery in deliveries {
        world.later(FIRST_ATTEMPT, world::Event::Events(Event::Deliver(Box::new(delivery))));
    }
}

/// Up to ten; each is taken or refused for itself. [events:PutEvents]
pub(super) fn put_events(world: &mut World, request: &Request<'_>) -> Result<Value, ApiError> {
    let entries = request.input.get("Entries").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if entries.is_empty() || entries.len() > 10 {
        return Err(invalid(format!(
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and 10, has {}",
            entries.len()
        )));
    }
    let (mut answers, mut failed) = (Vec::new(), 0);
    for entry in entries {
        match put_entry(world, request, entry) {
            Ok(id) => answers.push(json!({ "EventId": id })),
            // Who may not put events there is refused as a whole.
            Err(error) if error.code == "AccessDeniedException" => return Err(error),
            Err(error) => {
                failed += 1;
                answers.push(json!({ "ErrorCode": error.code, "ErrorMessage": error.message }));
            }
        }
    }
    Ok(json!({ "FailedEntryCount": failed, "Entries": answers }))
}

fn put_entry(world: &mut World, request: &Request<'_>, entry: &Value) -> Result<String, ApiError> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let place = Place::of(text("EventBusName"), request.origin);
    permit(world, request.origin, &place, "events:PutEvents", &place.arn())?;
    let missing = |name: &str| {
        ApiError::bad_request("InvalidArgument", format!("Parameter {name} is not valid. Reason: {name} is a required argument."))
    };
    let source = text("Source").ok_or_else(|| missing("Source"))?;
    let detail_type = text("DetailType").ok_or_else(|| missing("DetailType"))?;
    let detail = text("Detail").ok_or_else(|| missing("Detail"))?;
    if source.starts_with("aws.") {
        return Err(ApiError::bad_request("NotAuthorizedForSourceException", "Not authorized for the source."));
    }
    let detail: Value = serde_json::from_str(detail)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| ApiError::bad_request("MalformedDetail", "Detail is malformed."))?;
    if place.bus != "default" && world.events.look(&place).is_none() {
        return Err(no_such_bus(&place.bus));
    }
    let resources = entry.get("Resources").and_then(Value::as_array).into_iter().flatten();
    let event = BusEvent {
        source: source.to_owned(),
        detail_type: detail_type.to_owned(),
        resources: resources.filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        detail,
    };
    put(world, &place.account, &place.region, &place.bus, event);
    Ok(world.uuid())
}
