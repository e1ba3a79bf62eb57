//! Rotation by itself. [KMS: Rotate AWS KMS keys]

use serde_json::{Value, json};

use super::key::{self, Family, Key, KeyState};
use super::keys::DAY;
use super::{Input, found, managed, named, usage};
use crate::error::ApiError;
use crate::wire::json as wire;
use crate::world::{Origin, World};

/// Days. [kms:EnableKeyRotation `RotationPeriodInDays`]
const PERIODS: std::ops::RangeInclusive<i64> = 90..=2560;

/// `EnableKeyRotation`; again with another period: changes it.
pub(super) fn enable(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = managed(world, origin, input, "kms:EnableKeyRotation")?;
    let days = wire::number(input, "RotationPeriodInDays").unwrap_or(365);
    let Some(period) = u16::try_from(days).ok().filter(|_| PERIODS.contains(&days)) else {
        let message = format!(
            "1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy constraint: Member must be between 90 and 2560"
        );
        return Err(super::invalid(message));
    };
    let now = world.now();
    let key = settable(found(world, &arn)?)?;
    key.rotation_days = Some(period);
    key.rotation_since = now;
    Ok(Value::Null)
}

/// `DisableKeyRotation`
pub(super) fn disable(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = managed(world, origin, input, "kms:DisableKeyRotation")?;
    settable(found(world, &arn)?)?.rotation_days = None;
    Ok(Value::Null)
}

/// Of a replica rotation is its primary's: it is set there and nowhere else.
fn settable(key: &mut Key) -> Result<&mut Key, ApiError> {
    rotates_at_all(key)?;
    if matches!(key.family, Family::Replica { .. }) {
        let message = format!("{} is a replica: its rotation is set on the primary key.", key.arn());
        return Err(ApiError::bad_request("UnsupportedOperationException", message));
    }
    match key.state {
        KeyState::Disabled => Err(ApiError::bad_request("DisabledException", format!("{} is disabled.", key.arn()))),
        KeyState::Enabled => Ok(key),
        state @ (KeyState::Creating
        | KeyState::PendingDeletion
        | KeyState::PendingReplicaDeletion
        | KeyState::PendingImport
        | KeyState::Unavailable) => Err(usage::invalid_state(&key.arn(), state)),
    }
}

fn rotates_at_all(key: &Key) -> Result<(), ApiError> {
    if key.is_symmetric_encryption() && key.origin == "AWS_KMS" {
        return Ok(());
    }
    let message = format!("{} can't rotate by itself: only symmetric keys with material of KMS's own do.", key.arn());
    Err(ApiError::bad_request("UnsupportedOperationException", message))
}

/// `GetKeyRotationStatus`; false while deletion is pending, whatever is set.
pub(super) fn status(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = named(world, origin, input, "KeyId", "kms:GetKeyRotationStatus")?;
    let key = world.kms.keys.get(&arn).ok_or_else(|| usage::gone(&arn))?;
    rotates_at_all(key)?;
    let deciding = match &key.family {
        Family::Replica { primary } => world.kms.keys.get(&key::arn(&key.account, primary, &key.id)).unwrap_or(key),
        Family::Single | Family::Primary { .. } => key,
    };
    let leaving = matches!(key.state, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion);
    let mut answer = json!({ "KeyId": arn, "KeyRotationEnabled": false });
    if let Some(days) = deciding.rotation_days.filter(|_| !leaving) {
        let period = DAY * u32::from(days);
        let rotations = world.now().since(deciding.rotation_since).as_secs() / period.as_secs() + 1;
        let next = deciding.rotation_since + period * u32::try_from(rotations).unwrap_or(u32::MAX);
        answer["KeyRotationEnabled"] = json!(true);
        answer["RotationPeriodInDays"] = json!(days);
        answer["NextRotationDate"] = json!(next.epoch_seconds());
    }
    Ok(answer)
}
