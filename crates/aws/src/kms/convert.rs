//! What `DescribeKey`, `ListAliases` and `GetKeyRotationStatus` say, as the planner's values.

use aws_sdk_kms::operation::get_key_rotation_status::GetKeyRotationStatusOutput;
use aws_sdk_kms::types;
use everseal_planner::kms::observed::{KeyMetadata, KeyRotation, MultiRegionKey};
use everseal_planner::{Arn, Scope};

/// The planner's view of a key's metadata.
pub(crate) fn metadata(described: &types::KeyMetadata) -> KeyMetadata {
    let spec = described.key_spec().map(|spec| spec.as_str().to_owned()).unwrap_or_default();
    KeyMetadata {
        state: described.key_state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
        aws_managed: described.key_manager() == Some(&types::KeyManagerType::Aws),
        usage: described.key_usage().map_or_else(|| implied_usage(&spec).to_owned(), |usage| usage.as_str().to_owned()),
        spec,
        origin: described.origin().map(|origin| origin.as_str().to_owned()).unwrap_or_default(),
        custom_key_store: described.custom_key_store_id().is_some(),
        multi_region: described.multi_region_configuration().and_then(multi_region),
        deletion_date: described.deletion_date().map(aws_sdk_kms::primitives::DateTime::secs),
    }
}

/// A symmetric encryption key has no other usage, so its creator need not name one. [kms:CreateKey `KeyUsage`]
fn implied_usage(spec: &str) -> &'static str {
    if spec == "SYMMETRIC_DEFAULT" { "ENCRYPT_DECRYPT" } else { "" }
}

fn multi_region(configuration: &types::MultiRegionConfiguration) -> Option<MultiRegionKey> {
    let arn = |key: &types::MultiRegionKey| key.arn().and_then(|arn| Arn::parse(arn).ok());
    Some(MultiRegionKey {
        primary: configuration.primary_key().and_then(arn)?,
        replicas: configuration.replica_keys().iter().filter_map(arn).collect(),
    })
}

/// Alias and key of one entry; `None` for an AWS-managed alias that no key stands behind yet.
/// An alias always names a key of its own account and region, by id. [kms:AliasListEntry]
pub(crate) fn alias(entry: &types::AliasListEntry, scope: &Scope) -> Option<(String, Arn)> {
    let key = entry.target_key_id()?;
    Some((entry.alias_name()?.to_owned(), scope.arn("kms", &format!("key/{key}"))))
}

/// The planner's view of a key's rotation.
pub(crate) fn rotation(status: &GetKeyRotationStatusOutput) -> KeyRotation {
    KeyRotation {
        enabled: status.key_rotation_enabled(),
        period_in_days: status.rotation_period_in_days().and_then(|days| u32::try_from(days).ok()),
    }
}

/// Keys of this kind can rotate by themselves at all; of others KMS refuses to tell a rotation
/// status. [kms:GetKeyRotationStatus `UnsupportedOperationException`]
pub(crate) fn has_rotation_status(metadata: &KeyMetadata) -> bool {
    !metadata.aws_managed && metadata.spec == "SYMMETRIC_DEFAULT" && metadata.origin == "AWS_KMS" && !metadata.custom_key_store
}
