//! A stream's own encryption: asked for at once, in force later or failed, and always by a grant of the caller's.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::stream::{EncryptionStatus, Failure, Requested, Source, Status, StreamKey};
use super::{Event, existing, invalid};
use crate::access::Caller;
use crate::error::ApiError;
use crate::kms::{self, GrantRequest, KeyRefusal, KeyUse};
use crate::sts;
use crate::wire::json as input_of;
use crate::world::{self, Origin, World};

/// From ENABLING to ENABLED, from DISABLING to DISABLED.
const CHANGE: Duration = Duration::from_mins(1);
/// Start and Stop calls of one stream. [firehose:StartDeliveryStreamEncryption: "a combined total of 25 times … in a 24 hour period"]
const CALLS: usize = 25;
/// A session that is older cannot make the grant. [firehose:StartDeliveryStreamEncryption]
const SESSION: Duration = Duration::from_hours(6);
const DAY: Duration = Duration::from_hours(24);
/// AWS does not document the context that Firehose uses; it ties a grant to its stream here, and no document can name it.
const CONTEXT: &str = "aws:firehose:arn";

/// `DeliveryStreamEncryptionConfigurationInput`.
pub(super) fn requested(origin: &Origin, given: &Value) -> Result<Requested, ApiError> {
    let Some(given) = given.as_object() else { return Err(invalid("The encryption configuration must be a structure")) };
    let key = input_of::optional(given, "KeyARN");
    match (input_of::text(given, "KeyType")?, key) {
        ("AWS_OWNED_CMK", None) => Ok(Requested::AwsOwned),
        ("AWS_OWNED_CMK", Some(_)) => Err(invalid("KeyARN must not be provided when KeyType is AWS_OWNED_CMK")),
        ("CUSTOMER_MANAGED_CMK", None) => Err(invalid("KeyARN must be provided when KeyType is CUSTOMER_MANAGED_CMK")),
        ("CUSTOMER_MANAGED_CMK", Some(key)) => {
            let mut parts = key.split(':');
            let is_key = parts.next() == Some("arn") && parts.nth(1) == Some("kms");
            if !is_key {
                let message = format!(
                    "1 validation error detected: Value '{key}' at 'deliveryStreamEncryptionConfigurationInput.keyARN' failed to satisfy \
                     constraint: Member must satisfy regular expression pattern: arn:.*:kms:[a-zA-Z0-9\\-]+:\\d{{12}}:(key|alias)/[a-zA-Z_0-9+=,.@\\-_/]+"
                );
                return Err(ApiError::bad_request("ValidationException", message));
            }
            if parts.next() != Some(origin.region.as_str()) {
                return Err(invalid(format!("The KMS key {key} is not in region {}", origin.region)));
            }
            Ok(Requested::Customer(key.to_owned()))
        }
        (other, _) => Err(ApiError::bad_request(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{other}' at 'deliveryStreamEncryptionConfigurationInput.keyType' failed to satisfy \
                 constraint: Member must satisfy enum value set: [AWS_OWNED_CMK, CUSTOMER_MANAGED_CMK]"
            ),
        )),
    }
}

/// The refusal of what only a stream with direct puts can do.
pub(super) fn not_permitted(kind: &str) -> ApiError {
    invalid(format!("This operation is not permitted on {kind} delivery stream type."))
}

pub(super) fn start(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = existing(world, origin, "StartDeliveryStreamEncryption", input)?;
    // Without a configuration the key is one of AWS's own. [firehose:StartDeliveryStreamEncryption]
    let asked =
        input.get("DeliveryStreamEncryptionConfigurationInput").map_or(Ok(Requested::AwsOwned), |given| requested(origin, given))?;
    begin(world, origin, &arn, Some(asked))
}

pub(super) fn stop(world: &mut World, origin: &Origin, input: &Map<String, Value>) -> Result<Value, ApiError> {
    let arn = existing(world, origin, "StopDeliveryStreamEncryption", input)?;
    begin(world, origin, &arn, None)
}

fn begin(world: &mut World, origin: &Origin, arn: &str, asked: Option<Requested>) -> Result<Value, ApiError> {
    let now = world.now();
    let stream = world.firehose.stream_mut(arn)?;
    if !matches!(stream.source, Source::DirectPut) {
        return Err(not_permitted(stream.source.kind()));
    }
    let calls = &mut stream.encryption.calls;
    while calls.front().is_some_and(|call| now.since(*call) >= DAY) {
        calls.pop_front();
    }
    if calls.len() >= CALLS {
        let message = format!("Firehose {} has reached its limit of {CALLS} encryption changes in 24 hours", stream.name);
        return Err(ApiError::bad_request("LimitExceededException", message));
    }
    calls.push_back(now);
    if stream.status != Status::Active || stream.encryption.status.is_changing() {
        let message =
            format!("Firehose {} is {} and its encryption is {}", stream.name, stream.status.text(), stream.encryption.status.text());
        return Err(ApiError::bad_request("ResourceInUseException", message));
    }
    stream.encryption.failure = None;
    stream.encryption.status = if asked.is_some() { EncryptionStatus::Enabling } else { EncryptionStatus::Disabling };
    stream.encryption.requested.clone_from(&asked);
    let event = Event::Encrypted { arn: arn.to_owned(), caller: origin.caller.clone(), requested: asked };
    let after = world.transition(CHANGE);
    world.later(after, world::Event::Firehose(event));
    Ok(json!({}))
}

/// The change takes effect, or fails and leaves what was.
pub(super) fn conclude(world: &mut World, arn: &str, caller: &Caller, asked: Option<Requested>) {
    let new = match asked {
        None => Ok(None),
        Some(Requested::AwsOwned) => Ok(Some(StreamKey::AwsOwned)),
        Some(Requested::Customer(written)) => grant(world, arn, caller, &written).map(Some),
    };
    let Some(stream) = world.firehose.streams.get_mut(arn) else { return };
    let encryption = &mut stream.encryption;
    match new {
        Ok(new) => {
            encryption.status = if new.is_some() { EncryptionStatus::Enabled } else { EncryptionStatus::Disabled };
            if let Some(StreamKey::Customer { written: _, key, grant }) = std::mem::replace(&mut encryption.current, new) {
                encryption.former.push((key, grant));
            }
        }
        Err(failure) => {
            encryption.status = EncryptionStatus::EnablingFailed;
            encryption.failure = Some(failure);
        }
    }
    retire_unneeded(world, arn);
    super::delivery::retry_now(world, arn);
}

/// Firehose's own use of a key, after it was checked that the caller could use it too.
fn grant(world: &mut World, arn: &str, caller: &Caller, written: &str) -> Result<StreamKey, Failure> {
    if world.iam.session_began(caller).is_some_and(|began| world.now().since(began) > SESSION) {
        let details = "The session credentials are more than 6 hours old.".to_owned();
        return Err(Failure { kind: "CREATE_KMS_GRANT_FAILED", details });
    }
    let (region, account) = place(arn);
    for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
        let context = [(CONTEXT, arn)];
        let usage = KeyUse { caller, action, key: written, account, region, via: Some("firehose"), encryption_context: &context };
        kms::use_key(world, &usage).map_err(failure)?;
    }
    let context = [(CONTEXT, arn)];
    let operations = ["GenerateDataKey", "Decrypt"];
    let request =
        GrantRequest { caller, key: written, account, region, via: "firehose", operations: &operations, encryption_context: &context };
    match kms::create_grant(world, &request) {
        Ok((key, grant)) => Ok(StreamKey::Customer { written: written.to_owned(), key, grant }),
        Err(KeyRefusal::AccessDenied(details)) => Err(Failure { kind: "CREATE_KMS_GRANT_FAILED", details }),
        Err(other) => Err(failure(other)),
    }
}

fn failure(refusal: KeyRefusal) -> Failure {
    let (kind, details) = match refusal {
        KeyRefusal::AccessDenied(details) => ("KMS_ACCESS_DENIED", details),
        KeyRefusal::Disabled(details) => ("DISABLED_KMS_KEY", details),
        KeyRefusal::InvalidState(details) => ("INVALID_KMS_KEY", details),
        KeyRefusal::NotFound(details) => ("KMS_KEY_NOT_FOUND", details),
    };
    Failure { kind, details }
}

/// Firehose becomes one of a stream's roles.
pub(super) fn assume(world: &World, arn: &str, role: &str) -> Result<Caller, ApiError> {
    let (_, account) = place(arn);
    sts::assume_as_service(world, &Caller::service("firehose.amazonaws.com", arn, account), role, "AmazonDataFirehose")
}

/// Region and account of a stream's ARN.
pub(super) fn place(arn: &str) -> (&str, &str) {
    let mut parts = arn.split(':').skip(3);
    (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// Firehose itself uses a stream's key.
pub(super) fn use_as_firehose(world: &mut World, arn: &str, action: &str, key: &str) -> Result<(), KeyRefusal> {
    let (region, account) = place(arn);
    let caller = Caller::service("firehose.amazonaws.com", arn, account);
    let context = [(CONTEXT, arn)];
    let usage = KeyUse { caller: &caller, action, key, account, region, via: None, encryption_context: &context };
    let used = kms::use_key(world, &usage).map(|_| ());
    if let Err(refusal) = &used {
        let metric = match refusal {
            KeyRefusal::AccessDenied(_) => "KMSKeyAccessDenied",
            KeyRefusal::Disabled(_) => "KMSKeyDisabled",
            KeyRefusal::InvalidState(_) => "KMSKeyInvalidState",
            KeyRefusal::NotFound(_) => "KMSKeyNotFound",
        };
        super::delivery::count(world, arn, metric, 1.0);
    }
    used
}

/// A producer uses a stream's key through Firehose.
pub(super) fn use_as_caller(world: &mut World, arn: &str, caller: &Caller, key: &str) -> Result<(), KeyRefusal> {
    let (region, account) = place(arn);
    let context = [(CONTEXT, arn)];
    for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
        let usage = KeyUse { caller, action, key, account, region, via: Some("firehose"), encryption_context: &context };
        kms::use_key(world, &usage)?;
    }
    Ok(())
}

/// Former grants end once no stored record needs them.
pub(super) fn retire_unneeded(world: &mut World, arn: &str) {
    let Some(stream) = world.firehose.streams.get_mut(arn).filter(|stream| !stream.encryption.former.is_empty()) else { return };
    let former = std::mem::take(&mut stream.encryption.former);
    let (kept, ended): (Vec<_>, Vec<_>) = former.into_iter().partition(|(key, _)| stream.queues.iter().any(|queue| queue.holds_under(key)));
    stream.encryption.former = kept;
    for (key, grant) in ended {
        kms::retire_grant(world, &key, &grant);
    }
}

/// A stream goes: so do its grants.
pub(super) fn retire_all(world: &mut World, arn: &str) {
    let Some(stream) = world.firehose.streams.get_mut(arn) else { return };
    let mut grants = std::mem::take(&mut stream.encryption.former);
    if let Some(StreamKey::Customer { written: _, key, grant }) = stream.encryption.current.take() {
        grants.push((key, grant));
    }
    for (key, grant) in grants {
        kms::retire_grant(world, &key, &grant);
    }
}
