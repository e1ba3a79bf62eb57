//! Keys come, are looked at, and go.

use std::time::Duration;

use serde_json::{Value, json};

use super::key::{self, Edition, Family, Key, KeyState};
use super::{Input, documents, found, managed, page, paged, permitted, resolve, usage};
use crate::access::RequestContext;
use crate::error::ApiError;
use crate::wire::json as wire;
use crate::world::{Ask, Event, Origin, World};

/// A day.
pub(super) const DAY: Duration = Duration::from_hours(24);

/// Specs of asymmetric and HMAC keys, and the usages each may have. [kms:CreateKey `KeySpec`]
const SPECS: &[(&str, &[&str])] = &[
    ("SYMMETRIC_DEFAULT", &["ENCRYPT_DECRYPT"]),
    ("RSA_2048", &["ENCRYPT_DECRYPT", "SIGN_VERIFY"]),
    ("RSA_3072", &["ENCRYPT_DECRYPT", "SIGN_VERIFY"]),
    ("RSA_4096", &["ENCRYPT_DECRYPT", "SIGN_VERIFY"]),
    ("ECC_NIST_P256", &["SIGN_VERIFY", "KEY_AGREEMENT"]),
    ("ECC_NIST_P384", &["SIGN_VERIFY", "KEY_AGREEMENT"]),
    ("ECC_NIST_P521", &["SIGN_VERIFY", "KEY_AGREEMENT"]),
    ("ECC_SECG_P256K1", &["SIGN_VERIFY"]),
    ("HMAC_224", &["GENERATE_VERIFY_MAC"]),
    ("HMAC_256", &["GENERATE_VERIFY_MAC"]),
    ("HMAC_384", &["GENERATE_VERIFY_MAC"]),
    ("HMAC_512", &["GENERATE_VERIFY_MAC"]),
];

/// Asks IAM alone: where no key has a say yet.
pub(super) fn identity_permits(
    world: &World,
    origin: &Origin,
    action: &str,
    resource: &str,
    context: RequestContext,
) -> Result<(), ApiError> {
    let ask = Ask { action, resource, owner: origin.account(), document: None, context };
    world.permit(origin, &ask).map_err(|denial| usage::denied(&denial.message))
}

/// `CreateKey`
pub(super) fn create(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let spec = wire::optional(input, "KeySpec").or_else(|| wire::optional(input, "CustomerMasterKeySpec")).unwrap_or("SYMMETRIC_DEFAULT");
    let usage = usage_for(spec, wire::optional(input, "KeyUsage"))?;
    let key_origin = wire::optional(input, "Origin").unwrap_or("AWS_KMS");
    if !["AWS_KMS", "EXTERNAL"].contains(&key_origin) {
        let message = format!("Origin {key_origin} needs a custom key store, which the simulator does not have");
        return Err(ApiError::bad_request("UnsupportedOperationException", message));
    }
    let multi_region = input.get("MultiRegion").and_then(Value::as_bool).unwrap_or(false);
    let tags = super::tags::of_request(input)?;
    let mut context = RequestContext::from([
        ("kms:keyspec".to_owned(), vec![spec.to_owned()]),
        ("kms:keyusage".to_owned(), vec![usage.to_owned()]),
        ("kms:keyorigin".to_owned(), vec![key_origin.to_owned()]),
        ("kms:multiregion".to_owned(), vec![multi_region.to_string()]),
    ]);
    for (name, value) in &tags {
        context.insert(format!("aws:requesttag/{}", name.to_ascii_lowercase()), vec![value.clone()]);
    }
    identity_permits(world, origin, "kms:CreateKey", "*", context.clone())?;
    if !tags.is_empty() {
        identity_permits(world, origin, "kms:TagResource", "*", context)?;
    }
    let (document, parsed) = documents::accepted(world, origin, input)?;
    let id = if multi_region { format!("mrk-{}", world.hex(32)) } else { world.uuid() };
    let key = Key {
        account: origin.account().to_owned(),
        region: origin.region.clone(),
        id,
        created: world.now(),
        description: description(input)?,
        usage: usage.to_owned(),
        spec: spec.to_owned(),
        origin: key_origin.to_owned(),
        managed_by: None,
        state: if key_origin == "EXTERNAL" { KeyState::PendingImport } else { KeyState::Enabled },
        deletion: None,
        waiting_days: 0,
        family: if multi_region { Family::Primary { replicas: Vec::new() } } else { Family::Single },
        document,
        editions: vec![Edition { from: world.now(), document: parsed }],
        rotation_days: None,
        rotation_since: world.now(),
        tags,
        grants: Vec::new(),
    };
    let arn = key.arn();
    world.kms.keys.insert(arn.clone(), key);
    Ok(json!({ "KeyMetadata": shown(world, &arn)? }))
}

fn usage_for<'a>(spec: &str, usage: Option<&'a str>) -> Result<&'a str, ApiError> {
    let Some((_, usages)) = SPECS.iter().find(|(name, _)| *name == spec) else {
        let message = format!(
            "1 validation error detected: Value '{spec}' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: {:?}",
            SPECS.iter().map(|(name, _)| *name).collect::<Vec<_>>()
        );
        return Err(super::invalid(message));
    };
    match usage {
        Some(usage) if usages.contains(&usage) => Ok(usage),
        Some(usage) => Err(super::invalid(format!("KeyUsage {usage} is not compatible with KeySpec {spec}"))),
        None if spec == "SYMMETRIC_DEFAULT" => Ok("ENCRYPT_DECRYPT"),
        None => Err(super::invalid("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.".to_owned())),
    }
}

pub(super) fn description(input: &Input) -> Result<String, ApiError> {
    let text = wire::optional(input, "Description").unwrap_or_default();
    if text.len() > 8192 {
        let message = "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192";
        return Err(super::invalid(message.to_owned()));
    }
    Ok(text.to_owned())
}

/// `KeyMetadata` with its multi-Region family. [kms:MultiRegionConfiguration]
pub(super) fn shown(world: &World, arn: &str) -> Result<Value, ApiError> {
    let key = world.kms.keys.get(arn).ok_or_else(|| usage::gone(arn))?;
    let mut metadata = key.metadata();
    let (kind, primary) = match &key.family {
        Family::Single => return Ok(metadata),
        Family::Primary { .. } => ("PRIMARY", key.region.as_str()),
        Family::Replica { primary } => ("REPLICA", primary.as_str()),
    };
    let member = |region: &str| json!({ "Arn": key::arn(&key.account, region, &key.id), "Region": region });
    let replicas = match world.kms.keys.get(&key::arn(&key.account, primary, &key.id)).map(|primary| &primary.family) {
        Some(Family::Primary { replicas }) => replicas.iter().map(|region| member(region)).collect(),
        Some(Family::Single | Family::Replica { .. }) | None => Vec::new(),
    };
    metadata["MultiRegionConfiguration"] = json!({ "MultiRegionKeyType": kind, "PrimaryKey": member(primary), "ReplicaKeys": replicas });
    Ok(metadata)
}

/// `DescribeKey`: by any name, in every state; the alias of a service makes its key.
pub(super) fn describe(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let written = wire::text(input, "KeyId")?;
    let key = resolve::resolve(world, written, origin.account(), &origin.region)?;
    permitted(world, origin, "kms:DescribeKey", &key, written)?;
    Ok(json!({ "KeyMetadata": shown(world, &key)? }))
}

/// `ListKeys`
pub(super) fn list(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    identity_permits(world, origin, "kms:ListKeys", "*", RequestContext::new())?;
    let keys = of_region(world, origin.account(), &origin.region);
    let entry = |key: &Key| (key.arn(), json!({ "KeyId": key.id, "KeyArn": key.arn() }));
    Ok(paged("Keys", page(input, keys.map(entry), (100, 1000))?))
}

/// Keys of an account and region, by ARN.
pub(super) fn of_region<'w>(world: &'w World, account: &str, region: &str) -> impl Iterator<Item = &'w Key> {
    let prefix = key::arn(account, region, "");
    world.kms.keys.range(prefix.clone()..).take_while(move |(arn, _)| arn.starts_with(&prefix)).map(|(_, key)| key)
}

/// `EnableKey`, `DisableKey`: between Enabled and Disabled only. [KMS: Key state table]
pub(super) fn switch(world: &mut World, origin: &Origin, input: &Input, on: bool) -> Result<Value, ApiError> {
    let key = managed(world, origin, input, if on { "kms:EnableKey" } else { "kms:DisableKey" })?;
    let key = found(world, &key)?;
    match key.state {
        KeyState::Enabled | KeyState::Disabled => {
            key.state = if on { KeyState::Enabled } else { KeyState::Disabled };
            Ok(Value::Null)
        }
        // The call is accepted and changes nothing. [KMS: Key state table, note on custom key stores]
        KeyState::Unavailable => Ok(Value::Null),
        state @ (KeyState::Creating | KeyState::PendingDeletion | KeyState::PendingReplicaDeletion | KeyState::PendingImport) => {
            Err(usage::invalid_state(&key.arn(), state))
        }
    }
}

/// `UpdateKeyDescription`
pub(super) fn update_description(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = managed(world, origin, input, "kms:UpdateKeyDescription")?;
    let text = description(input)?;
    let key = found(world, &arn)?;
    usage::staying(key)?;
    key.description = text;
    Ok(Value::Null)
}

/// `ScheduleKeyDeletion`: 7 to 30 days; of a primary, only after its last replica is gone.
pub(super) fn schedule_deletion(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = managed(world, origin, input, "kms:ScheduleKeyDeletion")?;
    let days = wire::number(input, "PendingWindowInDays").unwrap_or(30);
    let days = u64::try_from(days).ok().filter(|days| (7..=30).contains(days)).ok_or_else(|| {
        super::invalid(format!(
            "1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must be between 7 and 30"
        ))
    })?;
    let key = found(world, &arn)?;
    match key.state {
        KeyState::Enabled | KeyState::Disabled | KeyState::PendingImport | KeyState::Unavailable => {}
        state @ (KeyState::Creating | KeyState::PendingDeletion | KeyState::PendingReplicaDeletion) => {
            return Err(usage::invalid_state(&arn, state));
        }
    }
    key.waiting_days = days;
    let mut answer = json!({ "KeyId": arn });
    if matches!(&key.family, Family::Primary { replicas } if !replicas.is_empty()) {
        key.state = KeyState::PendingReplicaDeletion;
    } else {
        answer["DeletionDate"] = json!(wait_for_deletion(world, &arn)?);
    }
    answer["KeyState"] = json!(found(world, &arn)?.state.name());
    answer["PendingWindowInDays"] = json!(days);
    Ok(answer)
}

/// Starts the waiting period. On success: when it ends, in seconds since the epoch.
fn wait_for_deletion(world: &mut World, arn: &str) -> Result<f64, ApiError> {
    let now = world.now();
    let key = found(world, arn)?;
    let wait = DAY * u32::try_from(key.waiting_days).unwrap_or(30);
    key.state = KeyState::PendingDeletion;
    key.deletion = Some(now + wait);
    world.later(wait, Event::Kms(super::Event::Delete { key: arn.to_owned() }));
    Ok((now + wait).epoch_seconds())
}

/// The waiting period is over, unless the deletion was cancelled (and perhaps scheduled anew) meanwhile.
pub(super) fn delete_if_due(world: &mut World, arn: &str) {
    let now = world.now();
    if world.kms.keys.get(arn).is_none_or(|key| key.deletion.is_none_or(|at| now < at)) {
        return;
    }
    let Some(key) = world.kms.keys.remove(arn) else { return };
    let place = resolve::alias_arn(&key.account, &key.region, "");
    world.kms.aliases.retain(|alias, target| target.key != key.id || !alias.starts_with(&place));
    let Family::Replica { primary } = &key.family else { return };
    let primary = key::arn(&key.account, primary, &key.id);
    let Some(head) = world.kms.keys.get_mut(&primary) else { return };
    if let Family::Primary { replicas } = &mut head.family {
        replicas.retain(|region| *region != key.region);
        if replicas.is_empty() && head.state == KeyState::PendingReplicaDeletion {
            // The key is there: it was found a moment ago.
            let _ = wait_for_deletion(world, &primary);
        }
    }
}

/// `CancelKeyDeletion`: the key is Disabled after it.
pub(super) fn cancel_deletion(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = managed(world, origin, input, "kms:CancelKeyDeletion")?;
    let key = found(world, &arn)?;
    match key.state {
        KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => {
            key.state = KeyState::Disabled;
            key.deletion = None;
            Ok(json!({ "KeyId": arn }))
        }
        state @ (KeyState::Creating | KeyState::Enabled | KeyState::Disabled | KeyState::PendingImport | KeyState::Unavailable) => {
            let message = format!("{arn} is not pending deletion: it is {}.", state.words());
            Err(ApiError::bad_request("KMSInvalidStateException", message))
        }
    }
}

/// A replica is there.
pub(super) fn finish_creation(world: &mut World, arn: &str) {
    if let Some(key) = world.kms.keys.get_mut(arn).filter(|key| key.state == KeyState::Creating) {
        key.state = if key.origin == "EXTERNAL" { KeyState::PendingImport } else { KeyState::Enabled };
    }
}

/// `ReplicateKey`: same id and material in another region; everything else is the replica's own.
pub(super) fn replicate(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let arn = managed(world, origin, input, "kms:ReplicateKey")?;
    let region = wire::text(input, "ReplicaRegion")?.to_owned();
    let there = Origin { region: region.clone(), ..origin.clone() };
    identity_permits(world, &there, "kms:CreateKey", "*", RequestContext::new())?;
    let tags = super::tags::of_request(input)?;
    let (document, parsed) = documents::accepted(world, &there, input)?;
    let (now, wait) = (world.now(), world.transition(Duration::from_secs(20)));
    let primary = found(world, &arn)?;
    usage::usable_or_disabled(primary)?;
    let Family::Primary { replicas } = &mut primary.family else {
        let message = format!("{arn} is not a multi-Region primary key.");
        return Err(ApiError::bad_request("UnsupportedOperationException", message));
    };
    let replica = key::arn(&primary.account, &region, &primary.id);
    if region == primary.region || replicas.contains(&region) {
        return Err(ApiError::bad_request("AlreadyExistsException", format!("{replica} already exists.")));
    }
    replicas.push(region.clone());
    replicas.sort();
    let key = Key {
        account: primary.account.clone(),
        region,
        id: primary.id.clone(),
        created: now,
        description: description(input)?,
        usage: primary.usage.clone(),
        spec: primary.spec.clone(),
        origin: primary.origin.clone(),
        managed_by: None,
        state: KeyState::Creating,
        deletion: None,
        waiting_days: 0,
        family: Family::Replica { primary: primary.region.clone() },
        document: document.clone(),
        editions: vec![Edition { from: now, document: parsed }],
        rotation_days: primary.rotation_days,
        rotation_since: now,
        tags: tags.clone(),
        grants: Vec::new(),
    };
    world.kms.keys.insert(replica.clone(), key);
    let shown = shown(world, &replica)?;
    if wait.is_zero() {
        finish_creation(world, &replica);
    } else {
        world.later(wait, Event::Kms(super::Event::Created { key: replica }));
    }
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "TagKey": key, "TagValue": value })).collect();
    Ok(json!({ "ReplicaKeyMetadata": shown, "ReplicaPolicy": document, "ReplicaTags": tags }))
}
