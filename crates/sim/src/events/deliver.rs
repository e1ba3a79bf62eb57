//! Events on their way to targets.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{Event, Place, permit, put};
use crate::access::Caller;
use crate::error::ApiError;
use crate::moment::Moment;
use crate::sns;
use crate::sqs;
use crate::tally::Undelivered;
use crate::world::{self, Origin, World};

/// By default. [`EventBridge`: How `EventBridge` retries delivering events]
const MOST_RETRIES: u64 = 185;
/// Seconds; by default. [`EventBridge`: How `EventBridge` retries delivering events]
const OLDEST: u64 = 86_400;
/// Seconds. The guide says "exponential back off and jitter" and no more; with this ceiling 185 retries take a day.
const LONGEST_PAUSE: u64 = 480;

/// An event on its way to one target.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// ARN.
    pub(super) rule: String,
    /// The rule's account.
    pub(super) account: String,
    /// As the rule has it.
    pub(super) target: Arc<Value>,
    pub(super) event: Arc<Value>,
    /// When the event came in.
    pub(super) since: Moment,
    pub(super) retries: u32,
}

impl Delivery {
    fn text(&self, name: &str) -> Option<&str> {
        self.target.get(name).and_then(Value::as_str)
    }

    fn arn(&self) -> &str {
        self.text("Arn").unwrap_or_default()
    }

    fn limit(&self, name: &str, default: u64) -> u64 {
        self.target.pointer(&format!("/RetryPolicy/{name}")).and_then(Value::as_u64).unwrap_or(default)
    }

    /// What the target gets. [`EventBridge`: Input transformation]
    fn input(&self) -> String {
        if let Some(input) = self.text("Input") {
            return input.to_owned();
        }
        if let Some(path) = self.text("InputPath") {
            return at(&self.event, path).map(Value::to_string).unwrap_or_default();
        }
        let Some(transformer) = self.target.get("InputTransformer") else { return self.event.to_string() };
        let mut text = transformer.get("InputTemplate").and_then(Value::as_str).unwrap_or_default().to_owned();
        for (name, path) in transformer.get("InputPathsMap").and_then(Value::as_object).into_iter().flatten() {
            let value = path.as_str().and_then(|path| at(&self.event, path));
            let value = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            text = text.replace(&format!("<{name}>"), &value.unwrap_or_default());
        }
        text
    }
}

/// `$.detail.bucket.name`.
fn at<'a>(event: &'a Value, path: &str) -> Option<&'a Value> {
    let names = path.strip_prefix('$')?.split('.').filter(|name| !name.is_empty());
    names.into_iter().try_fold(event, |value, name| value.get(name))
}

/// `EventBridge` itself, for a rule.
fn for_rule(delivery: &Delivery, region: &str) -> Origin {
    let caller = Caller::service("events.amazonaws.com", &delivery.rule, &delivery.account);
    Origin { caller, region: region.to_owned(), secure: true }
}

/// One attempt.
pub(super) fn attempt(world: &mut World, delivery: Delivery) {
    let to = delivery.arn().to_owned();
    match send(world, &delivery, &to) {
        Ok(()) => world.tally.delivered(&delivery.rule, &to),
        Err(error) => fail(world, delivery, &error),
    }
}

fn send(world: &mut World, delivery: &Delivery, to: &str) -> Result<(), ApiError> {
    let mut parts = to.split(':').skip(2);
    let (service, region) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let input = delivery.input();
    let role = || {
        let role = delivery.text("RoleArn").and_then(|role| Caller::role(role, "events"));
        role.ok_or_else(|| ApiError::bad_request("NO_PERMISSIONS", "the target has no role"))
    };
    match service {
        "sqs" => {
            let group = delivery.target.pointer("/SqsParameters/MessageGroupId").and_then(Value::as_str).map(str::to_owned);
            let deduplication = group.as_ref().and(delivery.event["id"].as_str()).map(str::to_owned);
            let message = sqs::Message { body: input, group, deduplication, ..sqs::Message::default() };
            sqs::deliver(world, &for_rule(delivery, region), to, message).map(|_| ())
        }
        "sns" => {
            // Without a source: topics and their keys must not ask for one. [SNS: Key management, EventBridge]
            let caller = Caller::Service { name: "events.amazonaws.com".to_owned(), source_arn: None, source_account: None };
            let origin = Origin { caller, region: region.to_owned(), secure: true };
            let publication = sns::Publication { message: input, ..sns::Publication::default() };
            sns::publish(world, &origin, to, publication).map(|_| ())
        }
        "firehose" => world.put_record(&role()?, to, input),
        "kinesis" => world.put_data_record(&role()?, to, input),
        "events" => to_bus(world, delivery, to),
        // Functions, log groups and the like are not simulated: it is taken as said.
        _ => Ok(()),
    }
}

/// To a bus of another account its document has to let the sender in. [`EventBridge`: Sending events between accounts]
fn to_bus(world: &mut World, delivery: &Delivery, to: &str) -> Result<(), ApiError> {
    let place = Place::of_arn(to).ok_or_else(|| ApiError::bad_request("ResourceNotFoundException", format!("{to} is no event bus")))?;
    let role = delivery.text("RoleArn").and_then(|role| Caller::role(role, "events"));
    if place.account != delivery.account || role.is_some() {
        let caller = role.unwrap_or_else(|| Caller::Root { account: delivery.account.clone() });
        let origin = Origin { caller, region: place.region.clone(), secure: true };
        permit(world, &origin, &place, "events:PutEvents", to)?;
    }
    if place.bus != "default" && world.events.look(&place).is_none() {
        return Err(super::no_such_bus(&place.bus));
    }
    put::route(world, &place, &delivery.event);
    Ok(())
}

/// A server that is down is tried again; what is forbidden or gone is not. [`EventBridge`: Dead-letter queues, "missing
/// permissions … the event is sent to the DLQ directly"]
fn fail(world: &mut World, mut delivery: Delivery, error: &ApiError) {
    let retriable = error.status >= 500 || error.code.contains("Throttl");
    let age = world.now().since(delivery.since).as_secs();
    let out_of_retries = u64::from(delivery.retries) >= delivery.limit("MaximumRetryAttempts", MOST_RETRIES);
    let too_old = age >= delivery.limit("MaximumEventAgeInSeconds", OLDEST);
    let again = retriable && !out_of_retries && !too_old;
    let exhausted = if !retriable {
        None
    } else if too_old {
        Some("MaximumEventAgeInSeconds")
    } else {
        Some("MaximumRetryAttempts")
    };
    let saved = !again && to_dead_letter_queue(world, &delivery, error, exhausted);
    world.tally.undelivered(Undelivered {
        at: world.now(),
        from: delivery.rule.clone(),
        to: delivery.arn().to_owned(),
        why: error.to_string(),
        lost: !again && !saved,
    });
    if again {
        let pause = 1_u64.checked_shl(delivery.retries).map_or(LONGEST_PAUSE, |seconds| seconds.min(LONGEST_PAUSE));
        let jitter = world.rng.u64(0..=pause * 100);
        delivery.retries += 1;
        let after = Duration::from_millis(pause * 900 + jitter);
        world.later(after, world::Event::Events(Event::Deliver(Box::new(delivery))));
    }
}

/// As `EventBridge` for the rule, with what went wrong beside it. [`EventBridge`: Dead-letter queues]
fn to_dead_letter_queue(world: &mut World, delivery: &Delivery, error: &ApiError, exhausted: Option<&str>) -> bool {
    let Some(queue) = delivery.target.pointer("/DeadLetterConfig/Arn").and_then(Value::as_str) else { return false };
    let region = queue.split(':').nth(3).unwrap_or_default();
    let attribute = |name: &str, value: &str| (name.to_owned(), "String".to_owned(), value.to_owned());
    let mut attributes = vec![
        attribute("RULE_ARN", &delivery.rule),
        attribute("TARGET_ARN", delivery.arn()),
        attribute("ERROR_CODE", &error.code),
        attribute("ERROR_MESSAGE", &error.message),
        ("RETRY_ATTEMPTS".to_owned(), "Number".to_owned(), delivery.retries.to_string()),
    ];
    attributes.extend(exhausted.map(|condition| attribute("EXHAUSTED_RETRY_CONDITION", condition)));
    let message = sqs::Message { body: delivery.event.to_string(), attributes, ..sqs::Message::default() };
    match sqs::deliver(world, &for_rule(delivery, region), queue, message) {
        Ok(_) => {
            world.tally.delivered(&delivery.rule, queue);
            true
        }
        Err(error) => {
            let (at, from, to) = (world.now(), delivery.rule.clone(), queue.to_owned());
            world.tally.undelivered(Undelivered { at, from, to, why: error.to_string(), lost: true });
            false
        }
    }
}
