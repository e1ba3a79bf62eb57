//! Delivery streams and data streams.

use super::{Standing, current, is_key, of_keys, same_key, spelled};
use crate::firehose::observed::{DeliveryDestination, DeliveryStreamDescription, DestinationKind, StreamEncryption};
use crate::inventory::Reading;
use crate::plan::KeyRef;
use crate::{Arn, Inventory};

/// One S3 part of a delivery stream, at one version of the stream.
pub(super) struct Part<'a> {
    pub(super) version_id: &'a str,
    pub(super) destination_id: &'a str,
    pub(super) kind: DestinationKind,
}

impl Part<'_> {
    fn is(&self, destination: &DeliveryDestination) -> bool {
        destination.id == self.destination_id && destination.kind == self.kind
    }
}

fn description<'a>(inventory: &'a Inventory, resource: &Arn) -> Result<&'a DeliveryStreamDescription, Standing> {
    current(inventory.delivery_streams.get(resource).map(|stream| &stream.description))
}

pub(super) fn delivery_standing(inventory: &Inventory, resource: &Arn, before: &StreamEncryption, after: Option<&KeyRef>) -> Standing {
    let now = match description(inventory, resource) {
        Ok(description) => &description.encryption,
        Err(standing) => return standing,
    };
    let key_wanted = match after {
        Some(key) => now.key_type.as_deref() == Some("CUSTOMER_MANAGED_CMK") && is_key(inventory, now.kms_key.as_deref(), key),
        None => now.key_type.as_deref() == Some("AWS_OWNED_CMK"),
    };
    // ENABLING: the call was taken, Firehose works on it.
    if key_wanted && matches!(now.status.as_str(), "ENABLED" | "ENABLING") {
        return Standing::After;
    }
    let unchanged = now.status == before.status
        && now.key_type == before.key_type
        && same_key(inventory, now.kms_key.as_deref(), before.kms_key.as_deref());
    if unchanged { Standing::Before } else { Standing::Changed(format!("its encryption is now {}", status(now))) }
}

fn status(encryption: &StreamEncryption) -> &str {
    if encryption.status.is_empty() { "DISABLED" } else { &encryption.status }
}

pub(super) fn encrypt_delivery(inventory: &mut Inventory, resource: &Arn, after: Option<&KeyRef>) {
    let key = after.map(|key| spelled(inventory, key));
    let key_type = if key.is_some() { "CUSTOMER_MANAGED_CMK" } else { "AWS_OWNED_CMK" };
    if let Some(Reading::Known(description)) = inventory.delivery_streams.get_mut(resource).map(|stream| &mut stream.description) {
        description.encryption =
            StreamEncryption { status: "ENABLED".to_owned(), key_type: Some(key_type.to_owned()), kms_key: key, failure: None };
    }
}

pub(super) fn destination_standing(
    inventory: &Inventory,
    resource: &Arn,
    part: &Part<'_>,
    before: Option<&str>,
    after: &KeyRef,
) -> Standing {
    let description = match description(inventory, resource) {
        Ok(description) => description,
        Err(standing) => return standing,
    };
    let Some(destination) = description.destinations.iter().find(|destination| part.is(destination)) else {
        return Standing::Changed("the destination is not the one that was planned from".to_owned());
    };
    match of_keys(inventory, destination.kms_key.as_deref(), before, after) {
        Standing::Before if description.version_id != part.version_id => {
            Standing::Changed(format!("the stream is now at version {}", description.version_id))
        }
        standing => standing,
    }
}

pub(super) fn encrypt_destination(inventory: &mut Inventory, resource: &Arn, part: &Part<'_>, after: &KeyRef) {
    let key = spelled(inventory, after);
    if let Some(Reading::Known(description)) = inventory.delivery_streams.get_mut(resource).map(|stream| &mut stream.description) {
        for destination in description.destinations.iter_mut().filter(|destination| part.is(destination)) {
            destination.kms_key = Some(key.clone());
        }
    }
}

pub(super) fn data_standing(inventory: &Inventory, resource: &Arn, before: Option<&str>, after: &KeyRef) -> Standing {
    match current(inventory.data_streams.get(resource).map(|stream| &stream.summary)) {
        Ok(now) => of_keys(inventory, now.kms_key.as_deref().filter(|_| now.encrypted), before, after),
        Err(standing) => standing,
    }
}

pub(super) fn encrypt_data(inventory: &mut Inventory, resource: &Arn, after: &KeyRef) {
    let key = spelled(inventory, after);
    if let Some(Reading::Known(summary)) = inventory.data_streams.get_mut(resource).map(|stream| &mut stream.summary) {
        summary.encrypted = true;
        summary.kms_key = Some(key);
    }
}
