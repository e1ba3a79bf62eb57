//! The inventory after a step: what the executor compares before and after a write, what overlays a
//! stale read of our own write, and what tests plan again from.
//!
//! Comparison is by meaning: keys by resolved ARN, documents as IAM understands them. A change whose
//! `before` no longer holds is never forced.

mod databases;
mod keys;
mod messaging;
mod migration_calls;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod migration_tests;
mod migrations;
mod reboots;
mod storage;
mod streams;
#[cfg(test)]
mod tests;

use crate::document::Document;
use crate::inventory::{Reading, ResolvedKey};
use crate::plan::{Change, KeyRef};
use crate::{Arn, Inventory};

/// How an inventory stands to a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The change's `before` is what the inventory shows: it may be written.
    Before,
    /// The change's `after` is what the inventory shows already (in meaning): nothing to write.
    After,
    /// Neither: somebody else changed the resource since the plan. The step is stale.
    Changed(String),
    /// The resource is not in the inventory any more.
    Gone,
    /// The inventory does not say (not read, unreadable).
    CannotTell(String),
}

/// Compares an inventory with a change to `resource`.
pub fn standing(inventory: &Inventory, resource: &Arn, change: &Change) -> Standing {
    match change {
        Change::BucketEncryption { bucket: _, before, after, waits_for: _ } => {
            storage::encryption_standing(inventory, resource, before.as_ref(), after)
        }
        Change::BucketDocument { bucket: _, before, after } => storage::document_standing(inventory, resource, before.as_deref(), after),
        Change::QueueEncryption { url: _, before, after, waits_for: _ } => messaging::queue_standing(inventory, resource, before, after),
        Change::QueueDocument { url: _, before, after } => {
            let current =
                inventory.queues.get(resource).map(|queue| queue.attributes.as_ref().map(|attributes| attributes.document.as_deref()));
            of_documents(current.as_ref(), before.as_deref(), after)
        }
        Change::TopicEncryption { before, after } => messaging::topic_standing(inventory, resource, before.as_deref(), after),
        Change::TopicDocument { before, after } => {
            let current =
                inventory.topics.get(resource).map(|topic| topic.attributes.as_ref().map(|attributes| attributes.document.as_deref()));
            of_documents(current.as_ref(), before.as_deref(), after)
        }
        Change::DeliveryStreamEncryption { stream: _, before, after } => {
            streams::delivery_standing(inventory, resource, before, after.as_ref())
        }
        Change::DeliveryDestinationEncryption { stream: _, version_id, destination_id, kind, before, after } => {
            let part = streams::Part { version_id, destination_id, kind: *kind };
            streams::destination_standing(inventory, resource, &part, before.as_deref(), after)
        }
        Change::DataStreamEncryption { before, after } => streams::data_standing(inventory, resource, before.as_deref(), after),
        Change::CreateParameterGroup { kind, name, family: _, description: _, parameters } => {
            databases::creation_standing(inventory, *kind, name, parameters)
        }
        Change::ParameterGroup { kind, name, before, after } => databases::group_standing(inventory, *kind, name, before, after),
        Change::AttachParameterGroup { kind, database: _, before, after } => {
            databases::attachment_standing(inventory, resource, *kind, before, after)
        }
        Change::CaCertificate { instance: _, before, after } => databases::ca_standing(inventory, resource, before.as_deref(), after),
        Change::RebootDatabase { kind, database } => reboots::standing(inventory, resource, *kind, database),
        Change::ProxyTls { proxy: _ } => reboots::proxy_standing(inventory, resource),
        Change::ReplicateKey { primary, region, .. } if *region != inventory.scope.region => {
            keys::replication_standing(inventory, primary, region)
        }
        Change::CreateKey { alias, .. } | Change::ReplicateKey { alias, .. } => keys::creation_standing(inventory, alias),
        Change::CreateAlias { alias, key } => keys::alias_standing(inventory, alias, key),
        Change::KeyDocument { before, after } => {
            let current = inventory.keys.get(resource).map(|key| key.document.as_ref().map(|text| Some(text.as_str())));
            of_documents(current.as_ref(), Some(before), after)
        }
        Change::EnableKey {} => keys::state_standing(inventory, resource, "Disabled", &["Enabled"]),
        Change::CancelKeyDeletion {} => keys::state_standing(inventory, resource, "PendingDeletion", &["Disabled", "Enabled"]),
        Change::KeyRotation { before, after } => keys::rotation_standing(inventory, resource, *before, *after),
        Change::Migration(change) => migrations::standing(inventory, resource, change),
    }
}

/// The inventory as it is once `change` is made to `resource`. A key that is created gets a made-up ARN: good for planning
/// again, never for writing.
pub fn make(inventory: &mut Inventory, resource: &Arn, change: &Change) {
    match change {
        Change::BucketEncryption { bucket: _, before: _, after, waits_for: _ } => storage::encrypt(inventory, resource, after),
        Change::BucketDocument { bucket: _, before: _, after } => {
            if let Some(bucket) = inventory.buckets.get_mut(resource) {
                bucket.document = Reading::Known(Some(after.clone()));
            }
        }
        Change::QueueEncryption { url: _, before: _, after, waits_for: _ } => messaging::encrypt_queue(inventory, resource, after),
        Change::QueueDocument { url: _, before: _, after } => {
            if let Some(Reading::Known(attributes)) = inventory.queues.get_mut(resource).map(|queue| &mut queue.attributes) {
                attributes.document = Some(after.clone());
            }
        }
        Change::TopicEncryption { before: _, after } => messaging::encrypt_topic(inventory, resource, after),
        Change::TopicDocument { before: _, after } => {
            if let Some(Reading::Known(attributes)) = inventory.topics.get_mut(resource).map(|topic| &mut topic.attributes) {
                attributes.document = Some(after.clone());
            }
        }
        Change::DeliveryStreamEncryption { stream: _, before: _, after } => streams::encrypt_delivery(inventory, resource, after.as_ref()),
        Change::DeliveryDestinationEncryption { stream: _, version_id, destination_id, kind, before: _, after } => {
            let part = streams::Part { version_id, destination_id, kind: *kind };
            streams::encrypt_destination(inventory, resource, &part, after);
        }
        Change::DataStreamEncryption { before: _, after } => streams::encrypt_data(inventory, resource, after),
        Change::CreateParameterGroup { kind, name, family, description: _, parameters } => {
            databases::create_group(inventory, *kind, name, family, parameters);
        }
        Change::ParameterGroup { kind, name, before: _, after } => databases::set_parameters(inventory, *kind, name, after),
        Change::AttachParameterGroup { kind: _, database: _, before: _, after } => databases::attach_group(inventory, resource, after),
        Change::CaCertificate { instance: _, before: _, after } => {
            if let Some(instance) = inventory.db_instances.get_mut(resource) {
                instance.ca_certificate = Some(after.clone());
                instance.pending_ca_certificate = None;
            }
        }
        Change::RebootDatabase { kind, database } => reboots::make(inventory, resource, *kind, database),
        Change::ProxyTls { proxy: _ } => {
            if let Some(proxy) = inventory.db_proxies.known_mut().and_then(|proxies| proxies.get_mut(resource)) {
                proxy.require_tls = true;
            }
        }
        Change::CreateKey { alias, description: _, multi_region, tags: _, document, rotation_period_in_days } => {
            keys::create(inventory, alias, *multi_region, document, *rotation_period_in_days);
        }
        Change::CreateAlias { alias, key } => keys::create_alias(inventory, alias, key),
        Change::ReplicateKey { primary, region, alias: _, description: _, tags: _, document: _ } if *region != inventory.scope.region => {
            keys::replicate_elsewhere(inventory, primary, region);
        }
        Change::ReplicateKey { primary, region: _, alias, description: _, tags: _, document } => {
            keys::replicate(inventory, primary, alias, document);
        }
        Change::KeyDocument { before: _, after } => {
            if let Some(key) = inventory.keys.get_mut(resource) {
                key.document = Reading::Known(after.clone());
            }
        }
        Change::EnableKey {} => keys::set_state(inventory, resource, "Enabled"),
        Change::CancelKeyDeletion {} => keys::set_state(inventory, resource, "Disabled"),
        Change::KeyRotation { before: _, after } => keys::rotate(inventory, resource, *after),
        Change::Migration(change) => migration_calls::make(inventory, resource, change),
    }
}

/// The current value of what a change is about, or the standing that its absence means.
fn current<T>(found: Option<&Reading<T>>) -> Result<&T, Standing> {
    match found {
        None => Err(Standing::Gone),
        Some(Reading::Known(value)) => Ok(value),
        Some(Reading::Unreadable { unreadable }) => Err(Standing::CannotTell(format!("{}: {}", unreadable.operation, unreadable.message))),
        Some(Reading::NotRead) => Err(Standing::CannotTell("it was not read".to_owned())),
    }
}

/// Documents are compared by meaning; where one of them can't be parsed, by text.
fn of_documents(found: Option<&Reading<Option<&str>>>, before: Option<&str>, after: &str) -> Standing {
    let now = match current(found) {
        Ok(now) => *now,
        Err(standing) => return standing,
    };
    if now.is_some_and(|now| same_document(now, after)) {
        return Standing::After;
    }
    let unchanged = match (now, before) {
        (None, None) => true,
        (Some(now), Some(before)) => same_document(now, before),
        (Some(_), None) | (None, Some(_)) => false,
    };
    if unchanged { Standing::Before } else { Standing::Changed("its document is not the one that was planned from".to_owned()) }
}

fn same_document(a: &str, b: &str) -> bool {
    a == b
        || match (Document::parse(a), Document::parse(b)) {
            (Ok(a), Ok(b)) => a.equivalent(&b),
            _ => false,
        }
}

/// Two key references as AWS or a step spell them name the same key.
fn same_key(inventory: &Inventory, a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            a == b || matches!((inventory.resolve_key(a), inventory.resolve_key(b)), (ResolvedKey::Key(a), ResolvedKey::Key(b)) if a == b)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn is_key(inventory: &Inventory, now: Option<&str>, wanted: &KeyRef) -> bool {
    match wanted {
        KeyRef::Arn(arn) => same_key(inventory, now, Some(arn.as_str())),
        KeyRef::ToBeCreated { alias } => same_key(inventory, now, Some(alias)),
    }
}

/// How a step spells the key once it is made.
fn spelled(inventory: &Inventory, key: &KeyRef) -> String {
    match key {
        KeyRef::Arn(arn) => arn.to_string(),
        KeyRef::ToBeCreated { alias } => match inventory.resolve_key(alias) {
            ResolvedKey::Key(arn) => arn.to_string(),
            ResolvedKey::AwsManaged(_) | ResolvedKey::Unresolved(_) => alias.clone(),
        },
    }
}

fn of_keys(inventory: &Inventory, now: Option<&str>, before: Option<&str>, after: &KeyRef) -> Standing {
    if is_key(inventory, now, after) {
        Standing::After
    } else if same_key(inventory, now, before) {
        Standing::Before
    } else {
        Standing::Changed(format!("its key is now {}", now.unwrap_or("none")))
    }
}
