//! Notification configuration of a bucket. Destinations are tried with a test event when it is written.

use super::Handler;
use super::announce;
use super::buckets::need;
use super::request::{Request, answer, bucket_mut, malformed_xml};
use crate::error::ApiError;
use crate::http::Reply;
use crate::wire::xml::Element;
use crate::world::World;

/// Where a bucket tells what happens in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Notifications {
    pub(super) targets: Vec<Target>,
    pub(super) event_bridge: bool,
}

/// What kind of destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Queue,
    Topic,
    Function,
}

impl Kind {
    /// Element of a configuration, and of its destination in it.
    const fn elements(self) -> (&'static str, &'static str) {
        match self {
            Self::Queue => ("QueueConfiguration", "Queue"),
            Self::Topic => ("TopicConfiguration", "Topic"),
            Self::Function => ("CloudFunctionConfiguration", "CloudFunction"),
        }
    }
}

/// One destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) id: String,
    pub(super) kind: Kind,
    /// The destination's ARN.
    pub(super) arn: String,
    /// `s3:ObjectCreated:*` …
    pub(super) events: Vec<String>,
    pub(super) prefix: String,
    pub(super) suffix: String,
}

impl Target {
    /// Does it want to hear of this? `event` without `s3:`.
    pub(super) fn wants(&self, event: &str, key: &str) -> bool {
        let heard = self.events.iter().any(|wanted| crate::access::like(wanted.trim_start_matches("s3:"), event));
        heard && key.starts_with(&self.prefix) && key.ends_with(&self.suffix)
    }

    /// One happening could be told to both by one rule, which S3 does not allow.
    fn overlaps(&self, other: &Self) -> bool {
        let either = |a: &str, b: &str, test: fn(&str, &str) -> bool| test(a, b) || test(b, a);
        let like = |a: &str, b: &str| crate::access::like(a, b);
        self.events.iter().any(|one| other.events.iter().any(|two| either(one, two, like)))
            && either(&self.prefix, &other.prefix, |a, b| a.starts_with(b))
            && either(&self.suffix, &other.suffix, |a, b| a.ends_with(b))
    }
}

/// Families of events that S3 knows. [S3: Supported event types]
const EVENTS: &[&str] = &[
    "s3:ObjectCreated:*",
    "s3:ObjectRemoved:*",
    "s3:ObjectRestore:*",
    "s3:ReducedRedundancyLostObject",
    "s3:Replication:*",
    "s3:LifecycleExpiration:*",
    "s3:LifecycleTransition",
    "s3:IntelligentTiering",
    "s3:ObjectTagging:*",
    "s3:ObjectAcl:Put",
    "s3:ObjectAnnotation:*",
];

pub(super) fn handler(operation: &str) -> Option<Handler> {
    match operation {
        "GetBucketNotificationConfiguration" => Some(get),
        "PutBucketNotificationConfiguration" => Some(put),
        _ => None,
    }
}

fn get(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    let bucket = request.on_bucket(world, "s3:GetBucketNotification")?;
    let mut root = Element::new("NotificationConfiguration");
    if let Some(notifications) = &bucket.notifications {
        root = root.children(notifications.targets.iter().map(write));
        if notifications.event_bridge {
            root = root.child(Element::new("EventBridgeConfiguration"));
        }
    }
    Ok(answer(root))
}

fn write(target: &Target) -> Element {
    let Target { id, kind, arn, events, prefix, suffix } = target;
    let (element, destination) = kind.elements();
    let mut root = Element::new(element).text("Id", id).text(destination, arn);
    for event in events {
        root = root.text("Event", event);
    }
    let rules = [("Prefix", prefix), ("Suffix", suffix)].into_iter().filter(|(_, value)| !value.is_empty());
    let rules: Vec<Element> = rules.map(|(name, value)| Element::new("FilterRule").text("Name", name).text("Value", value)).collect();
    if rules.is_empty() { root } else { root.child(Element::new("Filter").child(Element::new("S3Key").children(rules))) }
}

fn put(world: &mut World, request: &Request<'_>) -> Result<Reply, ApiError> {
    request.on_bucket(world, "s3:PutBucketNotification")?;
    let notifications = read(world, &request.document()?)?;
    for (place, one) in notifications.targets.iter().enumerate() {
        if notifications.targets[..place].iter().any(|other| one.overlaps(other)) {
            let message = "Configurations overlap. Configurations on the same bucket cannot share a common event type.";
            return Err(ApiError::bad_request("InvalidArgument", message));
        }
    }
    if request.header("x-amz-skip-destination-validation") != Some("true") {
        try_out(world, request, &notifications)?;
    }
    let empty = notifications == Notifications::default();
    bucket_mut(world, &request.bucket)?.notifications = (!empty).then(|| Box::new(notifications));
    Ok(Reply::empty(200))
}

fn read(world: &mut World, root: &Element) -> Result<Notifications, ApiError> {
    let mut targets = Vec::new();
    for kind in [Kind::Queue, Kind::Topic, Kind::Function] {
        let (element, destination) = kind.elements();
        for configuration in root.all(element) {
            let events: Vec<String> = configuration.all("Event").map(|event| event.content().to_owned()).collect();
            if events.is_empty() {
                return Err(malformed_xml());
            }
            if !events.iter().all(|event| is_event(event)) {
                return Err(ApiError::bad_request("InvalidArgument", "The event is not supported for notifications"));
            }
            let (prefix, suffix) = filter(configuration)?;
            let id = match configuration.value("Id").filter(|id| !id.is_empty()) {
                Some(id) => id.to_owned(),
                None => world.uuid(),
            };
            targets.push(Target { id, kind, arn: need(configuration, destination)?.to_owned(), events, prefix, suffix });
        }
    }
    Ok(Notifications { targets, event_bridge: root.first("EventBridgeConfiguration").is_some() })
}

fn is_event(event: &str) -> bool {
    EVENTS.iter().any(|known| event == *known || (known.ends_with('*') && event.starts_with(known.trim_end_matches('*'))))
}

fn filter(configuration: &Element) -> Result<(String, String), ApiError> {
    let (mut prefix, mut suffix) = (String::new(), String::new());
    let rules = configuration.first("Filter").and_then(|filter| filter.first("S3Key"));
    for rule in rules.into_iter().flat_map(|key| key.all("FilterRule")) {
        let value = need(rule, "Value")?.to_owned();
        match need(rule, "Name")?.to_ascii_lowercase().as_str() {
            "prefix" => prefix = value,
            "suffix" => suffix = value,
            _ => return Err(ApiError::bad_request("InvalidArgument", "filter rule name must be either prefix or suffix")),
        }
    }
    Ok((prefix, suffix))
}

/// Sends a test event to every destination. [s3:PutBucketNotificationConfiguration]
fn try_out(world: &mut World, request: &Request<'_>, notifications: &Notifications) -> Result<(), ApiError> {
    for target in &notifications.targets {
        if let Err(why) = announce::test(world, &request.bucket, target) {
            let message = "Unable to validate the following destination configurations";
            let error = ApiError::bad_request("InvalidArgument", message).detail("ArgumentName1", format!("{}, null", target.arn));
            return Err(error.detail("ArgumentValue1", why));
        }
    }
    Ok(())
}
