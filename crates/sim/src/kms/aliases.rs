//! Aliases: other names of keys, each of one account and region.

use serde_json::{Value, json};

use super::key::{Alias, Key};
use super::resolve::{AWS_ALIAS, alias_arn, resolve};
use super::{Input, keys, page, paged, permitted, usage};
use crate::access::RequestContext;
use crate::error::ApiError;
use crate::wire::json as wire;
use crate::world::{Origin, World};

/// [KMS: Resource quotas]
const PER_KEY: usize = 50;

/// The name of a customer's alias. [kms:CreateAlias `AliasName`]
fn name(input: &Input) -> Result<&str, ApiError> {
    let name = wire::text(input, "AliasName")?;
    let rest = name.strip_prefix("alias/").unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte);
    if rest.is_empty() || name.len() > 256 || !rest.bytes().all(allowed) {
        let message = format!(
            "1 validation error detected: Value '{name}' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^alias/[a-zA-Z0-9/_-]+$"
        );
        return Err(super::invalid(message));
    }
    if name.starts_with(AWS_ALIAS) {
        return Err(ApiError::bad_request("InvalidAliasNameException", format!("{name} is reserved for AWS")));
    }
    Ok(name)
}

/// Aliases of a key, sorted.
pub(super) fn names_of(world: &World, key: &Key) -> Vec<String> {
    let place = alias_arn(&key.account, &key.region, "");
    let of_place = world.kms.aliases.range(place.clone()..).take_while(|(arn, _)| arn.starts_with(&place));
    of_place.filter(|(_, alias)| alias.key == key.id).map(|(arn, _)| arn[place.len()..].to_owned()).collect()
}

/// Asks for an action on the alias (IAM) and on a key (its document). [KMS: Controlling access to aliases]
fn permitted_on_both(world: &World, origin: &Origin, action: &str, alias: &str, key: &str) -> Result<(), ApiError> {
    keys::identity_permits(world, origin, action, alias, RequestContext::new())?;
    permitted(world, origin, action, key, key)
}

fn target(world: &mut World, origin: &Origin, input: &Input) -> Result<String, ApiError> {
    let written = wire::text(input, "TargetKeyId")?;
    if written.contains("alias/") {
        return Err(super::invalid("Aliases must refer to keys. Not aliases".to_owned()));
    }
    let key = resolve(world, written, origin.account(), &origin.region)?;
    match world.kms.keys.get(&key) {
        Some(found) if found.account == origin.account() => Ok(key),
        _ => Err(usage::gone(&key)),
    }
}

/// `CreateAlias`
pub(super) fn create(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let alias = alias_arn(origin.account(), &origin.region, name(input)?);
    let arn = target(world, origin, input)?;
    permitted_on_both(world, origin, "kms:CreateAlias", &alias, &arn)?;
    create_unasked(world, origin, input)?;
    Ok(Value::Null)
}

/// The same without a word about permission.
pub(super) fn create_unasked(world: &mut World, origin: &Origin, input: &Input) -> Result<(), ApiError> {
    let alias = alias_arn(origin.account(), &origin.region, name(input)?);
    let arn = target(world, origin, input)?;
    if world.kms.aliases.contains_key(&alias) {
        return Err(ApiError::bad_request("AlreadyExistsException", format!("An alias with the name {alias} already exists")));
    }
    let key = world.kms.keys.get(&arn).ok_or_else(|| usage::gone(&arn))?;
    usage::staying(key)?;
    if names_of(world, key).len() >= PER_KEY {
        return Err(ApiError::bad_request("LimitExceededException", format!("{arn} has {PER_KEY} aliases already")));
    }
    let (key, now) = (key.id.clone(), world.now());
    world.kms.aliases.insert(alias, Alias { key, created: now, updated: now });
    Ok(())
}

/// `UpdateAlias`: from one key to another of the same kind.
pub(super) fn update(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let alias = alias_arn(origin.account(), &origin.region, name(input)?);
    let arn = target(world, origin, input)?;
    let former = of_alias(world, origin, &alias)?;
    permitted_on_both(world, origin, "kms:UpdateAlias", &alias, &former)?;
    permitted(world, origin, "kms:UpdateAlias", &arn, &arn)?;
    let (old, new) = (world.kms.keys.get(&former), world.kms.keys.get(&arn).ok_or_else(|| usage::gone(&arn))?);
    if old.is_some_and(|old| old.usage != new.usage || old.spec != new.spec) {
        let message = format!("Alias {alias} cannot be changed from {former} to {arn}: they are of different kinds");
        return Err(ApiError::bad_request("ValidationException", message));
    }
    let (key, now) = (new.id.clone(), world.now());
    if let Some(found) = world.kms.aliases.get_mut(&alias) {
        found.key = key;
        found.updated = now;
    }
    Ok(Value::Null)
}

/// `DeleteAlias`
pub(super) fn delete(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    let alias = alias_arn(origin.account(), &origin.region, name(input)?);
    let key = of_alias(world, origin, &alias)?;
    permitted_on_both(world, origin, "kms:DeleteAlias", &alias, &key)?;
    world.kms.aliases.remove(&alias);
    Ok(Value::Null)
}

/// The ARN of the key behind an alias.
fn of_alias(world: &World, origin: &Origin, alias: &str) -> Result<String, ApiError> {
    let found = world.kms.aliases.get(alias);
    let found = found.ok_or_else(|| ApiError::bad_request("NotFoundException", format!("Alias {alias} is not found.")))?;
    Ok(super::key::arn(origin.account(), &origin.region, &found.key))
}

/// `ListAliases`, all or of one key.
pub(super) fn list(world: &mut World, origin: &Origin, input: &Input) -> Result<Value, ApiError> {
    keys::identity_permits(world, origin, "kms:ListAliases", "*", RequestContext::new())?;
    let of_key = match wire::optional(input, "KeyId") {
        Some(_) => {
            let key = super::managed(world, origin, input, "kms:ListAliases")?;
            Some(super::found(world, &key)?.id.clone())
        }
        None => None,
    };
    let place = alias_arn(origin.account(), &origin.region, "");
    let here = world.kms.aliases.range(place.clone()..).take_while(|(arn, _)| arn.starts_with(&place));
    let wanted = here.filter(|(_, alias)| of_key.as_ref().is_none_or(|key| *key == alias.key));
    let entry = |(arn, alias): (&String, &Alias)| {
        let entry = json!({
            "AliasName": arn[place.len()..],
            "AliasArn": arn,
            "TargetKeyId": alias.key,
            "CreationDate": alias.created.epoch_seconds(),
            "LastUpdatedDate": alias.updated.epoch_seconds(),
        });
        (arn.clone(), entry)
    };
    Ok(paged("Aliases", page(input, wanted.map(entry), (50, 100))?))
}
