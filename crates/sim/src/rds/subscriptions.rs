//! Event subscriptions: which databases' events go to which topic. They name their sources, and a rename doesn't change
//! that. [rds:CreateEventSubscription and its siblings]

use super::create::check_name;
use super::filters::{Filters, Page, identifier};
use super::{Answer, Databases, Place, Request, errors, tags};
use crate::error::ApiError;
use crate::moment::Moment;
use crate::wire::xml::Element;
use crate::world::World;

/// Kinds of sources. [rds:CreateEventSubscription `SourceType`]
const TYPES: &[&str] = &[
    "blue-green-deployment",
    "custom-engine-version",
    "db-cluster",
    "db-cluster-snapshot",
    "db-instance",
    "db-parameter-group",
    "db-proxy",
    "db-security-group",
    "db-shard-group",
    "db-snapshot",
    "zero-etl",
];

/// An event subscription.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    name: String,
    topic: String,
    source_type: Option<String>,
    sources: Vec<String>,
    categories: Vec<String>,
    enabled: bool,
    created: Moment,
    pub(super) tags: Vec<(String, String)>,
}

fn not_found(name: &str) -> ApiError {
    ApiError::new(404, "SubscriptionNotFound", format!("Subscription {name} not found."))
}

pub(super) fn create(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    let name = form.need("SubscriptionName")?.to_owned();
    check_name("SubscriptionName", &name, 254)?;
    let topic = form.need("SnsTopicArn")?.to_owned();
    check_topic(world, &topic)?;
    let source_type = form.get("SourceType").map(str::to_owned);
    if let Some(wrong) = source_type.as_deref().filter(|kind| !TYPES.contains(kind)) {
        return Err(errors::value(format!("Invalid source type: {wrong}")));
    }
    let sources: Vec<_> = form.values("SourceIds.SourceId").iter().map(|source| identifier(source)).collect();
    let databases = world.rds.at(place);
    match &source_type {
        None if !sources.is_empty() => return Err(errors::combination("SourceType must be specified when SourceIds are.")),
        None => {}
        Some(kind) => sources.iter().try_for_each(|source| check_source(databases, kind, source))?,
    }
    if databases.subscriptions.contains_key(&name) {
        return Err(ApiError::bad_request("SubscriptionAlreadyExist", format!("Subscription {name} already exists.")));
    }
    let subscription = Subscription {
        name: name.clone(),
        topic,
        source_type,
        sources,
        categories: form.values("EventCategories.EventCategory"),
        enabled: form.get("Enabled") != Some("false"),
        created: world.now(),
        tags: tags::of(form)?,
    };
    world.rds.at(place).subscriptions.insert(name.clone(), subscription);
    shown(world, place, &name)
}

fn check_topic(world: &World, topic: &str) -> Result<(), ApiError> {
    if world.sns.has_topic(topic) {
        return Ok(());
    }
    Err(ApiError::new(404, "SNSTopicArnNotFound", format!("The SNS topic {topic} does not exist.")))
}

fn check_source(databases: &Databases, kind: &str, source: &str) -> Result<(), ApiError> {
    let is_there = match kind {
        "db-instance" => databases.instances.contains_key(source),
        "db-cluster" => databases.clusters.contains_key(source),
        "db-snapshot" => databases.snapshots.contains_key(source),
        "db-cluster-snapshot" => databases.cluster_snapshots.contains_key(source),
        "db-parameter-group" => databases.instance_groups.contains_key(source),
        "db-proxy" => databases.proxies.contains_key(source),
        "blue-green-deployment" => databases.deployments.contains_key(source),
        _ => false,
    };
    if is_there { Ok(()) } else { Err(ApiError::new(404, "SourceNotFound", format!("Could not find source {source}."))) }
}

fn find<'w>(world: &'w mut World, request: &Request<'_>) -> Result<&'w mut Subscription, ApiError> {
    let name = request.form.need("SubscriptionName")?;
    world.rds.at(&request.place).subscriptions.get_mut(name).ok_or_else(|| not_found(name))
}

pub(super) fn add_source(world: &mut World, request: &Request<'_>) -> Answer {
    let source = identifier(request.form.need("SourceIdentifier")?);
    let Some(kind) = find(world, request)?.source_type.clone() else {
        return Err(errors::combination("The subscription is for all sources."));
    };
    check_source(world.rds.at(&request.place), &kind, &source)?;
    let subscription = find(world, request)?;
    if !subscription.sources.contains(&source) {
        subscription.sources.push(source);
    }
    let name = subscription.name.clone();
    shown(world, &request.place, &name)
}

pub(super) fn remove_source(world: &mut World, request: &Request<'_>) -> Answer {
    let source = identifier(request.form.need("SourceIdentifier")?);
    let subscription = find(world, request)?;
    let before = subscription.sources.len();
    subscription.sources.retain(|known| *known != source);
    if subscription.sources.len() == before {
        return Err(ApiError::new(404, "SourceNotFound", format!("Could not find source {source}.")));
    }
    let name = subscription.name.clone();
    shown(world, &request.place, &name)
}

pub(super) fn delete(world: &mut World, request: &Request<'_>) -> Answer {
    let name = find(world, request)?.name.clone();
    let told = shown(world, &request.place, &name);
    world.rds.at(&request.place).subscriptions.remove(&name);
    told
}

pub(super) fn describe(world: &mut World, request: &Request<'_>) -> Answer {
    let Request { origin: _, place, form } = request;
    Filters::of(form, &[])?;
    let page = Page::of(form)?;
    let all = &world.rds.at(place).subscriptions;
    if let Some(name) = form.get("SubscriptionName") {
        let subscription = all.get(name).ok_or_else(|| not_found(name))?;
        return Ok(Element::default().child(Element::new("EventSubscriptionsList").child(element(place, subscription))));
    }
    let rows = all.range::<str, _>(page.from()).map(|(name, one)| (name.clone(), element(place, one)));
    Ok(page.listed("EventSubscriptionsList", rows))
}

fn shown(world: &mut World, place: &Place, name: &str) -> Answer {
    let subscription = world.rds.at(place).subscriptions.get(name).ok_or_else(|| not_found(name))?;
    Ok(Element::default().child(element(place, subscription)))
}

fn element(place: &Place, subscription: &Subscription) -> Element {
    let Subscription { name, topic, source_type, sources, categories, enabled, created, tags: _ } = subscription;
    let sources = sources.iter().fold(Element::new("SourceIdsList"), |list, source| list.text("SourceId", source));
    let categories = categories.iter().fold(Element::new("EventCategoriesList"), |list, one| list.text("EventCategory", one));
    Element::new("EventSubscription")
        .text("CustomerAwsId", &place.account)
        .text("CustSubscriptionId", name)
        .text("SnsTopicArn", topic)
        .text("Status", "active")
        .text("SubscriptionCreationTime", created.iso8601())
        .maybe("SourceType", source_type.as_ref())
        .child(sources)
        .child(categories)
        .text("Enabled", enabled)
        .text("EventSubscriptionArn", place.arn("es", name))
}
