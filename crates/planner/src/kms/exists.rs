//! `kms-key-exists`: the listed key stands under its alias, of the right kind, with its replicas.
//!
//! A key is created only where it is known that neither the alias nor a half-created key is there: two keys for one
//! alias would split the data. An alias is never moved to another key, because whatever uses it by name would follow.

use std::collections::BTreeMap;

use super::desired::{Home, replica_regions};
use super::document::{Wanted, compare, new_document, refused_by_kms};
use super::grants::{Place, wanted};
use super::observed::{KeyMetadata, creation_tags};
use super::plan::Listed;
use crate::document::Document;
use crate::inventory::Unreadable;
use crate::plan::change::Change;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::keys::{PlannedDocument, creation_step};
use crate::plan::step::{Block, Gate, Risk};
use crate::{Arn, Check, Reading};

/// Judges an alias that no key stands behind in this region.
pub(crate) fn missing(listed: &Listed<'_>, draft: &mut Draft) {
    let subject = listed.subject(&listed.alias_arn);
    let words = |message: String| Words {
        expected: expected(listed),
        actual: format!("no key under {} in {}", listed.key.alias, listed.cx.inventory.scope.region),
        message,
        notes: Vec::new(),
    };
    let alias = &listed.key.alias;
    let remedy = match (&listed.cx.inventory.keys_awaiting_alias, &listed.home) {
        (Reading::Known(awaiting), _) if awaiting.contains_key(alias) => {
            let key = &awaiting[alias];
            plan_known_document(listed, key, draft);
            Remedy::change(
                Change::CreateAlias { alias: alias.clone(), key: key.clone() },
                format!("give {alias} to key {key}, which Everseal created for it and could not finish"),
                format!("aws kms delete-alias --alias-name {alias}"),
            )
        }
        (_, Home::Replica { primary_region }) => elsewhere(
            alias,
            format!(
                "A replica is made from its primary, so the pass over {} makes this one: look for ReplicateKey in its plan. If no such pass runs, add that region to scopes.regions, or create the replica and its alias by hand.",
                if primary_region.is_empty() { "the primary's region" } else { primary_region }
            ),
        ),
        (_, Home::NotHere { primary_region }) => elsewhere(
            alias,
            format!(
                "{alias} is a multi-Region key with its primary in {primary_region}, and {} is not among its replicaRegions. Add {} there, or list a key of its own for this region in another policy.",
                listed.cx.inventory.scope.region, listed.cx.inventory.scope.region
            ),
        ),
        (awaiting, Home::Own { multi_region }) => create(listed, *multi_region, awaiting, draft),
    };
    draft.drifted(&subject, Check::KmsKeyExists, words(format!("Rules that name {alias} wait until the key is there.")), vec![remedy]);
}

fn elsewhere(alias: &str, reason: String) -> Remedy {
    Remedy::manual(format!("{alias} can't be created in this region"), reason)
}

fn expected(listed: &Listed<'_>) -> String {
    let alias = &listed.key.alias;
    match &listed.home {
        Home::Own { multi_region: false } => format!("a symmetric encryption key under {alias}"),
        Home::Own { multi_region: true } if listed.key.replica_regions.is_empty() => format!("a multi-Region key under {alias}"),
        Home::Own { multi_region: true } => {
            format!("a multi-Region key under {alias} with replicas in {}", listed.key.replica_regions.join(", "))
        }
        Home::Replica { .. } | Home::NotHere { .. } => format!("a replica of the multi-Region key under {alias}"),
    }
}

fn create(listed: &Listed<'_>, multi_region: bool, awaiting: &Reading<BTreeMap<String, Arn>>, draft: &mut Draft) -> Remedy {
    let alias = &listed.key.alias;
    let grants = listed.key.usable_by.as_ref().map(|usable_by| wanted(usable_by, listed.place())).unwrap_or_default();
    let document = match new_document(&grants, listed.place()) {
        Ok(document) => document,
        Err(error) => {
            return Remedy::manual(format!("create {alias}"), format!("the document of the new key can't be made from usableBy: {error}"));
        }
    };
    let document = with_demands(listed, document, draft);
    let text = document.text();
    let step = creation_step(listed.cx, alias);
    draft.planned_documents.insert(listed.alias_arn.clone(), PlannedDocument { step, document, grows: true });
    let rotation = listed.key.rotation.as_ref().filter(|rotation| rotation.enabled).map(|rotation| rotation.period_in_days);
    let refused = refused_by_kms(&text);
    let remedy = Remedy::change(
        Change::CreateKey {
            alias: alias.clone(),
            description: listed.key.description.clone(),
            multi_region,
            tags: creation_tags(alias, &listed.policy.metadata.name),
            document: text,
            rotation_period_in_days: rotation,
        },
        format!(
            "create {}{}{}",
            expected(listed),
            rotation.map(|days| format!(", rotated every {days} days")).unwrap_or_default(),
            if multi_region && !listed.key.replica_regions.is_empty() {
                "; its replicas follow in the pass that knows its ARN"
            } else {
                ""
            }
        ),
        format!(
            "the new key holds no data until a resource uses it: schedule its deletion (aws kms schedule-key-deletion) and delete {alias}"
        ),
    );
    let remedy = match refused {
        Some(reason) => remedy.blocked(Gate::DocumentSize, reason),
        None => remedy,
    };
    unless_half_created(listed, remedy, awaiting, draft)
}

/// The new document with what the steps of this plan need, if KMS takes it; a key is better created without than not.
fn with_demands(listed: &Listed<'_>, document: Document, draft: &mut Draft) -> Document {
    let alias = &listed.alias_arn;
    let needs = draft.demands.get(alias).map(|users| super::needs::grants(users)).unwrap_or_default();
    let wanted = Wanted { by_policy: &[], by_paths: &needs };
    let Some(merged) = compare(&document, alias.as_str(), alias.account(), wanted).merged else { return document };
    match refused_by_kms(&merged.text()) {
        None => merged,
        Some(reason) => {
            draft.refused_documents.insert(alias.clone(), Block { name: Gate::DocumentSize, reason });
            document
        }
    }
}

/// A second key for one alias must not be made.
fn unless_half_created(listed: &Listed<'_>, remedy: Remedy, awaiting: &Reading<BTreeMap<String, Arn>>, draft: &mut Draft) -> Remedy {
    let alias = &listed.key.alias;
    match awaiting {
        Reading::Known(_) => remedy,
        Reading::Unreadable { unreadable } => remedy.blocked(
            Gate::Unread,
            format!("it is not known whether a key was already created for {alias} and only lacks its alias ({}), and a second one must not be made", why(unreadable)),
        ),
        Reading::NotRead => {
            draft.wanted_facts.insert(listed.alias_arn.clone());
            remedy.blocked(Gate::Unread, format!("it was not read whether a key was already created for {alias} and only lacks its alias"))
        }
    }
}

/// What follows for those who need the key: its document is known though its alias is not there yet.
fn plan_known_document(listed: &Listed<'_>, key: &Arn, draft: &mut Draft) {
    let text = listed.cx.inventory.keys.get(key).and_then(|key| key.document.known());
    if let Some(document) = text.and_then(|text| Document::parse(text).ok()) {
        let step = creation_step(listed.cx, &listed.key.alias);
        draft.planned_documents.insert(listed.alias_arn.clone(), PlannedDocument { step, document, grows: false });
    }
}

/// Judges an alias that has its key.
pub(crate) fn present(listed: &Listed<'_>, subject: &Subject, metadata: &Reading<KeyMetadata>, draft: &mut Draft) {
    let alias = &listed.key.alias;
    let mut words = Words { expected: expected(listed), actual: format!("{alias} is {}", subject.resource), ..Words::default() };
    let metadata = match metadata {
        Reading::Known(metadata) => metadata,
        Reading::Unreadable { .. } | Reading::NotRead if !listed.home.is_multi_region() => {
            words.notes.push("What kind of key it is could not be read.".to_owned());
            return draft.compliant(subject, Check::KmsKeyExists, words);
        }
        Reading::Unreadable { unreadable } => {
            words.message = format!("The key is there; whether it is a multi-Region key could not be read: {}.", why(unreadable));
            return draft.unknown(subject, Check::KmsKeyExists, words);
        }
        Reading::NotRead => {
            words.message = "The key is there; whether it is a multi-Region key was not read.".into();
            return draft.unknown(subject, Check::KmsKeyExists, words);
        }
    };
    if let Some(reason) = wrong_kind(listed, metadata) {
        words.actual = format!(
            "{alias} is a {} key of kind {} ({})",
            if metadata.multi_region.is_some() { "multi-Region" } else { "single-Region" },
            metadata.spec,
            metadata.usage
        );
        words.message.clone_from(&reason);
        return draft.drifted(
            subject,
            Check::KmsKeyExists,
            words,
            vec![Remedy::manual(format!("{alias} stands for a key of the wrong kind"), reason)],
        );
    }
    let remedies = replicas(listed, subject, metadata, draft);
    if remedies.is_empty() {
        return draft.compliant(subject, Check::KmsKeyExists, words);
    }
    words.actual = format!("{alias} is there without {} of its replicas", remedies.len());
    words.message = "Data that moves to those regions has no key there to be read with.".into();
    draft.drifted(subject, Check::KmsKeyExists, words, remedies);
}

fn wrong_kind(listed: &Listed<'_>, metadata: &KeyMetadata) -> Option<String> {
    let alias = &listed.key.alias;
    if metadata.spec != "SYMMETRIC_DEFAULT" || metadata.usage != "ENCRYPT_DECRYPT" {
        return Some(format!(
            "The key behind {alias} is {} for {}, and S3, SQS, SNS, Firehose, Kinesis and RDS use only symmetric encryption keys. A key's kind can't be changed: name another alias in the policy, or move {alias} to a symmetric key yourself.",
            metadata.spec, metadata.usage
        ));
    }
    (listed.home.is_multi_region() && metadata.multi_region.is_none()).then(|| {
        format!(
            "The key behind {alias} is a single-Region key, and KMS can't turn it into a multi-Region key. Use a new alias for a multi-Region key and move the resources to it, or set multiRegion: false."
        )
    })
}

/// Replicas that are missing, made from here: this scope knows the primary's ARN, theirs do not.
fn replicas(listed: &Listed<'_>, subject: &Subject, metadata: &KeyMetadata, draft: &Draft) -> Vec<Remedy> {
    let (Home::Own { .. }, Some(family)) = (&listed.home, &metadata.multi_region) else { return Vec::new() };
    let there = |region: &str| family.primary.region() == region || family.replicas.iter().any(|replica| replica.region() == region);
    let regions = replica_regions(listed.key, &listed.cx.inventory.scope.region);
    regions
        .into_iter()
        .filter(|region| !there(region))
        .map(|region| replicate(listed, subject, metadata, (&family.primary, region), draft))
        .collect()
}

fn replicate(listed: &Listed<'_>, subject: &Subject, metadata: &KeyMetadata, (primary, region): (&Arn, &str), draft: &Draft) -> Remedy {
    let alias = &listed.key.alias;
    let place = Place { region, ..listed.place() };
    let grants = listed.key.usable_by.as_ref().map(|usable_by| wanted(usable_by, place)).unwrap_or_default();
    let document = match new_document(&grants, place) {
        Ok(document) => document.text(),
        Err(error) => {
            return Remedy::manual(
                format!("replicate {alias} to {region}"),
                format!("the replica's document can't be made from usableBy: {error}"),
            );
        }
    };
    let refused = refused_by_kms(&document);
    let change = Change::ReplicateKey {
        primary: primary.clone(),
        region: region.to_owned(),
        alias: alias.clone(),
        description: listed.key.description.clone(),
        tags: creation_tags(alias, &listed.policy.metadata.name),
        document,
    };
    let undo = format!("schedule the replica's deletion in {region}; the primary stays");
    let mut remedy = Remedy::change(change, format!("replicate {alias} to {region}"), undo).of_part(region).risking(Risk::None);
    if let Some(reason) = refused {
        remedy = remedy.blocked(Gate::DocumentSize, reason);
    }
    if metadata.state == "Enabled" {
        return remedy;
    }
    match draft.healing_steps.get(&subject.resource) {
        Some(steps) => remedy.needing(steps.iter().cloned()),
        None => {
            remedy.blocked(Gate::KeyState, format!("only an Enabled key can be replicated, and {} is {}", subject.resource, metadata.state))
        }
    }
}

/// The words of a failed read.
pub(crate) fn why(unreadable: &Unreadable) -> String {
    let missing = unreadable.missing_action.as_ref().map(|action| format!("; allow {action}")).unwrap_or_default();
    format!("{} failed: {}{missing}", unreadable.operation, unreadable.message)
}
