//! Tags of everything that has an ARN.

use std::collections::BTreeMap;

use super::filters::identifier;
use super::{Answer, Databases, Place, Request, errors};
use crate::error::ApiError;
use crate::wire::query::Form;
use crate::wire::xml::Element;
use crate::world::World;

/// Tags of one resource. [RDS: Tagging resources]
const MOST: usize = 50;

/// `Tags` of a request. [rds:Tag]
pub(super) fn of(form: &Form) -> Result<Vec<(String, String)>, ApiError> {
    let mut tags = Vec::new();
    for item in form.list("Tags.Tag") {
        let key = item.need("Key")?.to_owned();
        if key.is_empty() || key.chars().count() > 128 || key.starts_with("aws:") || key.starts_with("rds:") {
            return Err(errors::value(format!("Invalid tag key: {key}")));
        }
        put(&mut tags, (key, item.get("Value").unwrap_or_default().to_owned()));
    }
    if tags.len() > MOST { Err(errors::value("A resource can have at most 50 tags.")) } else { Ok(tags) }
}

fn put(tags: &mut Vec<(String, String)>, tag: (String, String)) {
    tags.retain(|(key, _)| *key != tag.0);
    tags.push(tag);
}

/// `TagList`, sorted by key.
pub(super) fn element(tags: &[(String, String)]) -> Element {
    let mut sorted: Vec<_> = tags.iter().collect();
    sorted.sort_unstable();
    Element::new("TagList").children(sorted.iter().map(|(key, value)| Element::new("Tag").text("Key", key).text("Value", value)))
}

pub(super) fn add(world: &mut World, request: &Request<'_>) -> Answer {
    let new = of(&request.form)?;
    let tags = find(world, request)?;
    let mut all = tags.clone();
    for tag in new {
        put(&mut all, tag);
    }
    if all.len() > MOST {
        return Err(errors::value("A resource can have at most 50 tags."));
    }
    *tags = all;
    Ok(Element::default())
}

pub(super) fn remove(world: &mut World, request: &Request<'_>) -> Answer {
    let keys = request.form.values("TagKeys.member");
    let tags = find(world, request)?;
    tags.retain(|(key, _)| !keys.contains(key));
    Ok(Element::default())
}

pub(super) fn list(world: &mut World, request: &Request<'_>) -> Answer {
    Ok(Element::default().child(element(find(world, request)?)))
}

fn find<'w>(world: &'w mut World, request: &Request<'_>) -> Result<&'w mut Vec<(String, String)>, ApiError> {
    let arn = request.form.need("ResourceName")?;
    let mut parts = arn.splitn(7, ':');
    let place = Place { region: parts.nth(3).unwrap_or_default().to_owned(), account: parts.next().unwrap_or_default().to_owned() };
    let kind = parts.next().unwrap_or_default();
    if !arn.starts_with("arn:") || place != request.place {
        return Err(errors::value(format!("Invalid resource name: {arn}")));
    }
    of_resource(world.rds.at(&place), kind, &identifier(arn))
}

fn of_resource<'w>(databases: &'w mut Databases, kind: &str, name: &str) -> Result<&'w mut Vec<(String, String)>, ApiError> {
    let none = |code: &'static str, what: &str| ApiError::new(404, code, format!("{what} {name} not found."));
    match kind {
        "db" => databases.instances.get_mut(name).map(|one| &mut one.tags).ok_or_else(|| errors::instance_not_found(name)),
        "cluster" => databases.clusters.get_mut(name).map(|one| &mut one.tags).ok_or_else(|| errors::cluster_not_found(name)),
        "pg" => databases.instance_groups.get_mut(name).map(|one| &mut one.tags).ok_or_else(|| errors::group_not_found(name)),
        "cluster-pg" => databases.cluster_groups.get_mut(name).map(|one| &mut one.tags).ok_or_else(|| errors::group_not_found(name)),
        "snapshot" => databases.snapshots.get_mut(name).map(|one| &mut one.tags).ok_or_else(|| none("DBSnapshotNotFound", "DBSnapshot")),
        "cluster-snapshot" => {
            let found = databases.cluster_snapshots.get_mut(name).map(|one| &mut one.tags);
            found.ok_or_else(|| none("DBClusterSnapshotNotFoundFault", "DBClusterSnapshot"))
        }
        "es" => {
            let found = databases.subscriptions.get_mut(name).map(|one| &mut one.tags);
            found.ok_or_else(|| none("SubscriptionNotFound", "Subscription"))
        }
        "db-proxy" => {
            let found = databases.proxies.values_mut().find(|one| one.id == name).map(|one| &mut one.tags);
            found.ok_or_else(|| none("DBProxyNotFoundFault", "DBProxy"))
        }
        "deployment" => {
            let found = databases.deployments.get_mut(name).map(|one| &mut one.tags);
            found.ok_or_else(|| none("BlueGreenDeploymentNotFoundFault", "BlueGreenDeployment"))
        }
        "og" => {
            databases.option_groups.get_mut(name).map(|one| &mut one.tags).ok_or_else(|| none("OptionGroupNotFoundFault", "OptionGroup"))
        }
        other => Err(errors::value(format!("Unknown kind of resource: {other}"))),
    }
}

/// Every resource of an account and region, by ARN, with its tags.
pub(crate) fn tags_of(world: &World, account: &str, region: &str) -> Vec<(String, Vec<(String, String)>)> {
    let place = Place { account: account.to_owned(), region: region.to_owned() };
    let Some(databases) = world.rds.places.get(&place) else { return Vec::new() };
    let Databases { instances, clusters, instance_groups, cluster_groups, snapshots, cluster_snapshots, .. } = databases;
    let Databases { option_groups, deployments, subscriptions, proxies, .. } = databases;
    let group = |kind: &'static str, groups: &BTreeMap<String, super::Group>| {
        groups.iter().map(|(name, one)| (place.arn(kind, name), one.tags.clone())).collect::<Vec<_>>()
    };
    let snapshot = |kind: &'static str, snapshots: &BTreeMap<String, super::Snapshot>| {
        snapshots.iter().map(|(name, one)| (place.arn(kind, name), one.tags.clone())).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = instances.iter().map(|(name, one)| (place.arn("db", name), one.tags.clone())).collect();
    all.extend(clusters.iter().map(|(name, one)| (place.arn("cluster", name), one.tags.clone())));
    all.extend([group("pg", instance_groups), group("cluster-pg", cluster_groups)].concat());
    all.extend([snapshot("snapshot", snapshots), snapshot("cluster-snapshot", cluster_snapshots)].concat());
    all.extend(subscriptions.iter().map(|(name, one)| (place.arn("es", name), one.tags.clone())));
    all.extend(proxies.values().map(|one| (place.arn("db-proxy", &one.id), one.tags.clone())));
    all.extend(option_groups.iter().map(|(name, one)| (place.arn("og", name), one.tags.clone())));
    all.extend(deployments.iter().map(|(name, one)| (place.arn("deployment", name), one.tags.clone())));
    all
}
