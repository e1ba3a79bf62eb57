//! KMS keys of databases: RDS works with a grant that the caller's rights let it make.
//! [RDS: AWS KMS key management; caller needs `kms:CreateGrant` and `kms:DescribeKey`]

use crate::error::ApiError;
use crate::kms::{self, GrantRequest, KeyState, KeyUse};
use crate::world::{Origin, World};

/// What RDS's grant on a key allows. [RDS: AWS KMS key management]
const OPERATIONS: &[&str] =
    &["Encrypt", "Decrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo", "CreateGrant", "RetireGrant", "DescribeKey"];

/// Makes the grant. On success: the key's ARN and the grant's id.
pub(super) fn grant(world: &mut World, origin: &Origin, key: &str, resource_id: &str) -> Result<(String, String), ApiError> {
    let (account, region) = (origin.account().to_owned(), origin.region.clone());
    let describe = KeyUse {
        caller: &origin.caller,
        action: "kms:DescribeKey",
        key,
        account: &account,
        region: &region,
        via: Some("rds"),
        encryption_context: &[],
    };
    let request = GrantRequest {
        caller: &origin.caller,
        key,
        account: &account,
        region: &region,
        via: "rds",
        operations: OPERATIONS,
        encryption_context: &[("aws:rds:db-id", resource_id)],
    };
    let granted = kms::use_key(world, &describe).and_then(|_| kms::create_grant(world, &request));
    granted.map_err(|_| not_accessible(key))
}

/// [rds: `KMSKeyNotAccessibleFault`]
pub(super) fn not_accessible(key: &str) -> ApiError {
    let message = format!("The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it.");
    ApiError::bad_request("KMSKeyNotAccessibleFault", message)
}

/// RDS can reach data under the key.
pub(super) fn is_usable(world: &World, key: &str) -> bool {
    world.key_state(key) == Some(KeyState::Enabled)
}
