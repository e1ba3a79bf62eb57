//! Reads aliases and keys: each key once a pass, however many resources use it and under whatever name.
//!
//! Documents and rotation are read only of keys that policies list, that are targets themselves, or that a
//! gate asks about. AWS-managed keys have neither to manage; keys of other accounts show only their metadata.

use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::inventory::{ErrorClass, Key, KeyMetadata, ResolvedKey};
use everseal_planner::plan::{Reads, Target};
use everseal_planner::{Arn, Inventory, Reading, Scope, Service, Unreadable};
use futures::{StreamExt, stream};

use super::{convert, operations, unfinished};
use crate::call::ScopeContext;
use crate::error::AwsError;
use crate::operation::{Api, Operation};

/// Aliases of one page, the most that AWS gives. [kms:ListAliases]
const PAGE: i32 = 100;

/// What of a key is read besides its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Depth {
    document: bool,
    rotation: bool,
}

/// Reads aliases and keys into `inventory`: the aliases that the policies list (`reads.listed_aliases`)
/// and every distinct key among `references`, raw as resources bear them (id, key ARN, alias name,
/// alias ARN), the key and alias ARNs of a partial observation's targets included. Each key is read
/// once however many references name it.
pub async fn observe(ctx: &ScopeContext, target: &Target, reads: &Reads, references: &BTreeSet<String>, inventory: &mut Inventory) {
    if wants_aliases(target, references) {
        inventory.aliases = match aliases(ctx).await {
            Ok(aliases) => Reading::Known(aliases),
            Err(error) => {
                let unreadable = Unreadable::from(error);
                inventory.unlisted.insert(Service::Kms, unreadable.clone());
                Reading::Unreadable { unreadable }
            }
        };
    }
    let mut keys = keys_to_read(inventory, target, reads, references);
    let missing = missing_aliases(inventory, target, reads);
    if let Some(missing) = missing {
        inventory.keys_awaiting_alias = match unfinished::keys_awaiting(ctx, &missing).await {
            Ok(found) => {
                keys.extend(found.values().map(|key| (key.clone(), Depth { document: true, rotation: true })));
                Reading::Known(found)
            }
            Err(error) => Reading::Unreadable { unreadable: error.into() },
        };
    }
    let read = keys.into_iter().map(|(arn, depth)| read(ctx, arn, depth));
    let read: Vec<Key> = stream::iter(read).buffer_unordered(Api::Kms.in_flight()).collect().await;
    inventory.keys.extend(read.into_iter().map(|key| (key.arn.clone(), key)));
}

/// A partial observation whose references are key ARNs and ids needs no listing to resolve them.
fn wants_aliases(target: &Target, references: &BTreeSet<String>) -> bool {
    match target {
        Target::Everything => true,
        Target::Resources(_) => references.iter().any(|reference| reference.starts_with("alias/") || reference.contains(":alias/")),
    }
}

/// Alias name → key, of the whole scope.
async fn aliases(ctx: &ScopeContext) -> Result<BTreeMap<String, Arn>, AwsError> {
    let (mut aliases, mut marker) = (BTreeMap::new(), None);
    loop {
        let request = ctx.kms().list_aliases().limit(PAGE).set_marker(marker);
        let page = ctx.call(&operations::LIST_ALIASES, request.send()).await?;
        aliases.extend(page.aliases().iter().filter_map(|entry| convert::alias(entry, ctx.scope())));
        if !page.truncated || page.next_marker.is_none() {
            return Ok(aliases);
        }
        marker = page.next_marker;
    }
}

/// Each distinct key with the depth that the deepest of its reasons asks for.
fn keys_to_read(inventory: &Inventory, target: &Target, reads: &Reads, references: &BTreeSet<String>) -> BTreeMap<Arn, Depth> {
    let mut keys: BTreeMap<Arn, Depth> = BTreeMap::new();
    let mut add = |key: Arn, depth: Depth| {
        let known = keys.entry(key).or_default();
        known.document |= depth.document;
        known.rotation |= depth.rotation;
    };
    let whole = Depth { document: true, rotation: true };
    for reference in references {
        if let ResolvedKey::Key(key) = inventory.resolve_key(reference) {
            let depth = if is_target(target, reference) { whole } else { Depth { document: reads.gate_facts, rotation: false } };
            add(key, depth);
        }
    }
    if *target == Target::Everything {
        for (alias, key) in inventory.aliases.known().into_iter().flatten() {
            // With gate facts and every resource asked for there is no policy to say which keys matter: all do.
            let listed = if reads.gate_facts && reads.listed_aliases.is_empty() {
                !alias.starts_with("alias/aws/")
            } else {
                reads.listed_aliases.contains(alias)
            };
            if listed {
                add(key.clone(), whole);
            }
        }
    }
    keys
}

fn is_target(target: &Target, reference: &str) -> bool {
    match target {
        Target::Everything => false,
        Target::Resources(arns) => arns.iter().any(|arn| arn.as_str() == reference),
    }
}

/// Listed aliases without a key, among what was asked for; `None` where that is not known or not asked.
fn missing_aliases(inventory: &Inventory, target: &Target, reads: &Reads) -> Option<BTreeSet<String>> {
    let aliases = inventory.aliases.known()?;
    let asked: BTreeSet<String> = match target {
        Target::Everything => reads.listed_aliases.clone(),
        Target::Resources(arns) => arns
            .iter()
            .filter(|arn| arn.service() == "kms" && arn.resource().starts_with("alias/"))
            .map(|arn| arn.resource().to_owned())
            .filter(|alias| reads.listed_aliases.contains(alias))
            .collect(),
    };
    if asked.is_empty() {
        return None;
    }
    Some(asked.into_iter().filter(|alias| !aliases.contains_key(alias)).collect())
}

async fn read(ctx: &ScopeContext, arn: Arn, depth: Depth) -> Key {
    let metadata = if arn.region() == ctx.scope().region {
        match describe(ctx, arn.as_str()).await {
            Ok((_, metadata)) => Reading::Known(metadata),
            Err(error) => Reading::Unreadable { unreadable: error.into() },
        }
    } else {
        let message = format!(
            "the key is in region {}, the resource in {}: services use keys of their own region only",
            arn.region(),
            ctx.scope().region
        );
        unreadable(&operations::DESCRIBE_KEY, ErrorClass::Invalid, message)
    };
    let (document, rotation) = match &metadata {
        Reading::Known(metadata) if !metadata.aws_managed => {
            futures::join!(document(ctx, &arn, depth), rotation(ctx, &arn, metadata, depth))
        }
        Reading::Known(_) | Reading::NotRead => (Reading::NotRead, Reading::NotRead),
        // Asked for and not to be had, for the same reason: not "nobody asked".
        Reading::Unreadable { unreadable } => (likewise(unreadable, depth.document), likewise(unreadable, depth.rotation)),
    };
    Key { arn, metadata, document, rotation }
}

/// ARN and metadata of the key that `reference` (key ARN, id or alias) names.
pub(super) async fn describe(ctx: &ScopeContext, reference: &str) -> Result<(Arn, KeyMetadata), AwsError> {
    let operation = &operations::DESCRIBE_KEY;
    let output = ctx.call(operation, ctx.kms().describe_key().key_id(reference).send()).await?;
    let described = output.key_metadata().ok_or_else(|| AwsError::incomplete(operation, "the key's metadata"))?;
    let arn = Arn::parse(described.arn().unwrap_or_default()).map_err(|error| AwsError::incomplete(operation, &error.to_string()))?;
    Ok((arn, convert::metadata(described)))
}

async fn document(ctx: &ScopeContext, key: &Arn, depth: Depth) -> Reading<String> {
    let operation = &operations::GET_KEY_POLICY;
    if !depth.document {
        return Reading::NotRead;
    }
    if !is_own(key, ctx.scope()) {
        let message = format!("the key belongs to account {}: only that account can read or change its document", key.account());
        return unreadable(operation, ErrorClass::Denied, message);
    }
    let request = ctx.kms().get_key_policy().key_id(key.as_str()).policy_name("default");
    match ctx.call(operation, request.send()).await {
        Ok(output) => output
            .policy
            .map_or_else(|| Reading::Unreadable { unreadable: AwsError::incomplete(operation, "the document").into() }, Reading::Known),
        Err(error) => Reading::Unreadable { unreadable: error.into() },
    }
}

async fn rotation(
    ctx: &ScopeContext,
    key: &Arn,
    metadata: &KeyMetadata,
    depth: Depth,
) -> Reading<everseal_planner::kms::observed::KeyRotation> {
    if !depth.rotation || !is_own(key, ctx.scope()) || !convert::has_rotation_status(metadata) {
        return Reading::NotRead;
    }
    let request = ctx.kms().get_key_rotation_status().key_id(key.as_str());
    match ctx.call(&operations::GET_KEY_ROTATION_STATUS, request.send()).await {
        Ok(status) => Reading::Known(convert::rotation(&status)),
        Err(error) => Reading::Unreadable { unreadable: error.into() },
    }
}

fn likewise<T>(unreadable: &Unreadable, asked: bool) -> Reading<T> {
    if asked { Reading::Unreadable { unreadable: unreadable.clone() } } else { Reading::NotRead }
}

fn is_own(key: &Arn, scope: &Scope) -> bool {
    key.account() == scope.account
}

fn unreadable<T>(operation: &Operation, class: ErrorClass, message: String) -> Reading<T> {
    Reading::Unreadable { unreadable: Unreadable { class, operation: operation.name.to_owned(), missing_action: None, message } }
}
