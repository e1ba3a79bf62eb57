//! Queues and topics.

use super::{Standing, current, of_keys, same_key, spelled};
use crate::inventory::{QueueAttributes, Reading};
use crate::plan::KeyRef;
use crate::plan::change::QueueEncryption;
use crate::{Arn, Inventory};

/// `KmsDataKeyReusePeriodSeconds` where a queue names none. [sqs:SetQueueAttributes]
const DEFAULT_REUSE_SECONDS: u32 = 300;

pub(super) fn queue_standing(inventory: &Inventory, resource: &Arn, before: &QueueEncryption, after: &QueueEncryption) -> Standing {
    let now = match current(inventory.queues.get(resource).map(|queue| &queue.attributes)) {
        Ok(now) => now,
        Err(standing) => return standing,
    };
    if shows(inventory, now, after) {
        Standing::After
    } else if shows(inventory, now, before) {
        Standing::Before
    } else {
        Standing::Changed("its encryption attributes are not what was planned from".to_owned())
    }
}

fn shows(inventory: &Inventory, now: &QueueAttributes, wanted: &QueueEncryption) -> bool {
    let QueueEncryption { kms_key, data_key_reuse_seconds, sqs_managed_sse } = wanted;
    let reuse = data_key_reuse_seconds.is_none_or(|seconds| now.data_key_reuse_seconds.unwrap_or(DEFAULT_REUSE_SECONDS) == seconds);
    // A queue has one mode at a time, and a key decides: emulators go on showing SqsManagedSseEnabled beside it.
    let managed = kms_key.is_some() || now.sqs_managed_sse == *sqs_managed_sse;
    same_key(inventory, now.kms_key.as_deref(), kms_key.as_deref()) && managed && reuse
}

pub(super) fn encrypt_queue(inventory: &mut Inventory, resource: &Arn, after: &QueueEncryption) {
    let QueueEncryption { kms_key, data_key_reuse_seconds, sqs_managed_sse } = after.clone();
    if let Some(Reading::Known(attributes)) = inventory.queues.get_mut(resource).map(|queue| &mut queue.attributes) {
        attributes.kms_key = kms_key;
        attributes.data_key_reuse_seconds = data_key_reuse_seconds.or(attributes.data_key_reuse_seconds);
        attributes.sqs_managed_sse = sqs_managed_sse;
    }
}

pub(super) fn topic_standing(inventory: &Inventory, resource: &Arn, before: Option<&str>, after: &KeyRef) -> Standing {
    match current(inventory.topics.get(resource).map(|topic| &topic.attributes)) {
        Ok(now) => of_keys(inventory, now.kms_key.as_deref(), before, after),
        Err(standing) => standing,
    }
}

pub(super) fn encrypt_topic(inventory: &mut Inventory, resource: &Arn, after: &KeyRef) {
    let key = spelled(inventory, after);
    if let Some(Reading::Known(attributes)) = inventory.topics.get_mut(resource).map(|topic| &mut topic.attributes) {
        attributes.kms_key = Some(key);
    }
}
