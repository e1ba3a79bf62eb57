//! Buckets.

use std::collections::BTreeSet;

use super::{Standing, current, of_documents, same_key};
use crate::inventory::{BucketEncryption, Reading};
use crate::{Arn, Inventory};

pub(super) fn encryption_standing(
    inventory: &Inventory,
    resource: &Arn,
    before: Option<&BucketEncryption>,
    after: &BucketEncryption,
) -> Standing {
    let now = match current(inventory.buckets.get(resource).map(|bucket| &bucket.encryption)) {
        Ok(now) => now.as_ref(),
        Err(standing) => return standing,
    };
    if now.is_some_and(|now| same_encryption(inventory, now, after)) {
        return Standing::After;
    }
    let unchanged = match (now, before) {
        (None, None) => true,
        (Some(now), Some(before)) => same_encryption(inventory, now, before),
        (Some(_), None) | (None, Some(_)) => false,
    };
    if unchanged {
        Standing::Before
    } else {
        let algorithm = now.map_or("none", |now| now.algorithm.as_str());
        Standing::Changed(format!("its default encryption is now {algorithm}, not what was planned from"))
    }
}

fn same_encryption(inventory: &Inventory, a: &BucketEncryption, b: &BucketEncryption) -> bool {
    let BucketEncryption { algorithm, kms_key, bucket_key, blocked_encryption_types } = a;
    let none = BTreeSet::new();
    *algorithm == b.algorithm
        && same_key(inventory, kms_key.as_deref(), b.kms_key.as_deref())
        && *bucket_key == b.bucket_key
        && blocked_encryption_types.as_ref().unwrap_or(&none) == b.blocked_encryption_types.as_ref().unwrap_or(&none)
}

pub(super) fn document_standing(inventory: &Inventory, resource: &Arn, before: Option<&str>, after: &str) -> Standing {
    let found = inventory.buckets.get(resource).map(|bucket| bucket.document.as_ref().map(|text| text.as_deref()));
    of_documents(found.as_ref(), before, after)
}

pub(super) fn encrypt(inventory: &mut Inventory, resource: &Arn, after: &BucketEncryption) {
    if let Some(bucket) = inventory.buckets.get_mut(resource) {
        bucket.encryption = Reading::Known(Some(after.clone()));
    }
}
