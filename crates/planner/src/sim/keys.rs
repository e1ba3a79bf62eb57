//! Keys and aliases.

use super::{Standing, current};
use crate::inventory::{Key, KeyMetadata, KeyRotation, Reading};
use crate::kms::observed::MultiRegionKey;
use crate::{Arn, Inventory};

/// `RotationPeriodInDays` where AWS names none. [kms:EnableKeyRotation]
const DEFAULT_ROTATION_DAYS: u32 = 365;

pub(super) fn creation_standing(inventory: &Inventory, alias: &str) -> Standing {
    match current(Some(&inventory.aliases)) {
        Ok(aliases) if aliases.contains_key(alias) => Standing::After,
        Ok(_) => match inventory.keys_awaiting_alias.known() {
            Some(awaiting) if awaiting.contains_key(alias) => {
                Standing::Changed(format!("a key that was made for {alias} is there without its alias"))
            }
            Some(_) | None => Standing::Before,
        },
        Err(standing) => standing,
    }
}

/// A replica in another region shows in this scope as a member of its primary's family.
pub(super) fn replication_standing(inventory: &Inventory, primary: &Arn, region: &str) -> Standing {
    match current(inventory.keys.get(primary).map(|key| &key.metadata)) {
        Ok(metadata) => match &metadata.multi_region {
            Some(family) if family.replicas.iter().any(|replica| replica.region() == region) => Standing::After,
            Some(_) => Standing::Before,
            None => Standing::Changed(format!("{primary} is not a multi-Region key")),
        },
        Err(standing) => standing,
    }
}

pub(super) fn alias_standing(inventory: &Inventory, alias: &str, key: &Arn) -> Standing {
    match current(Some(&inventory.aliases)) {
        Ok(aliases) => match aliases.get(alias) {
            Some(now) if now == key => Standing::After,
            Some(now) => Standing::Changed(format!("{alias} now names {now}")),
            None => Standing::Before,
        },
        Err(standing) => standing,
    }
}

pub(super) fn state_standing(inventory: &Inventory, resource: &Arn, before: &str, after: &[&str]) -> Standing {
    match current(inventory.keys.get(resource).map(|key| &key.metadata)) {
        Ok(metadata) if after.contains(&metadata.state.as_str()) => Standing::After,
        Ok(metadata) if metadata.state == before => Standing::Before,
        Ok(metadata) => Standing::Changed(format!("the key is now {}", metadata.state)),
        Err(standing) => standing,
    }
}

pub(super) fn rotation_standing(inventory: &Inventory, resource: &Arn, before: Option<u32>, after: u32) -> Standing {
    let now = match current(inventory.keys.get(resource).map(|key| &key.rotation)) {
        Ok(rotation) => rotation.enabled.then(|| rotation.period_in_days.unwrap_or(DEFAULT_ROTATION_DAYS)),
        Err(standing) => return standing,
    };
    if now == Some(after) {
        Standing::After
    } else if now == before {
        Standing::Before
    } else {
        Standing::Changed("its rotation is not what was planned from".to_owned())
    }
}

pub(super) fn set_state(inventory: &mut Inventory, resource: &Arn, state: &str) {
    if let Some(Reading::Known(metadata)) = inventory.keys.get_mut(resource).map(|key| &mut key.metadata) {
        state.clone_into(&mut metadata.state);
        if state != "PendingDeletion" {
            metadata.deletion_date = None;
        }
    }
}

pub(super) fn rotate(inventory: &mut Inventory, resource: &Arn, days: u32) {
    if let Some(key) = inventory.keys.get_mut(resource) {
        key.rotation = Reading::Known(KeyRotation { enabled: true, period_in_days: Some(days) });
    }
}

fn new_key(inventory: &Inventory, alias: &str, document: &str, multi_region: Option<MultiRegionKey>) -> Key {
    let prefix = if multi_region.is_some() { "mrk-" } else { "" };
    let name = alias.trim_start_matches("alias/").replace('/', "-");
    Key {
        arn: inventory.scope.arn("kms", &format!("key/{prefix}made-for-{name}")),
        metadata: Reading::Known(KeyMetadata {
            state: "Enabled".to_owned(),
            aws_managed: false,
            usage: "ENCRYPT_DECRYPT".to_owned(),
            spec: "SYMMETRIC_DEFAULT".to_owned(),
            origin: "AWS_KMS".to_owned(),
            custom_key_store: false,
            multi_region,
            deletion_date: None,
        }),
        document: Reading::Known(document.to_owned()),
        rotation: Reading::Known(KeyRotation { enabled: false, period_in_days: None }),
    }
}

fn add(inventory: &mut Inventory, alias: &str, key: Key) {
    create_alias(inventory, alias, &key.arn);
    inventory.keys.insert(key.arn.clone(), key);
}

pub(super) fn create(inventory: &mut Inventory, alias: &str, multi_region: bool, document: &str, rotation_period: Option<u32>) {
    let mut key = new_key(inventory, alias, document, None);
    if multi_region {
        key = new_key(inventory, alias, document, Some(MultiRegionKey { primary: key.arn, replicas: Vec::new() }));
        let arn = key.arn.clone();
        if let Reading::Known(KeyMetadata { multi_region: Some(facts), .. }) = &mut key.metadata {
            facts.primary = arn;
        }
    }
    if let Some(days) = rotation_period {
        key.rotation = Reading::Known(KeyRotation { enabled: true, period_in_days: Some(days) });
    }
    add(inventory, alias, key);
}

pub(super) fn replicate(inventory: &mut Inventory, primary: &Arn, alias: &str, document: &str) {
    let facts = MultiRegionKey { primary: primary.clone(), replicas: Vec::new() };
    let mut key = new_key(inventory, alias, document, Some(facts));
    key.arn = inventory.scope.arn("kms", primary.resource());
    add(inventory, alias, key);
}

pub(super) fn replicate_elsewhere(inventory: &mut Inventory, primary: &Arn, region: &str) {
    if let Some(Reading::Known(KeyMetadata { multi_region: Some(family), .. })) =
        inventory.keys.get_mut(primary).map(|key| &mut key.metadata)
    {
        family.replicas.push(Arn::new(primary.partition(), "kms", region, primary.account(), primary.resource()));
    }
}

pub(super) fn create_alias(inventory: &mut Inventory, alias: &str, key: &Arn) {
    if let Reading::Known(aliases) = &mut inventory.aliases {
        aliases.insert(alias.to_owned(), key.clone());
    }
    if let Reading::Known(awaiting) = &mut inventory.keys_awaiting_alias {
        awaiting.remove(alias);
    }
}
