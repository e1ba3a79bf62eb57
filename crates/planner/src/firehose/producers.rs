//! `firehose-producer-access`: callers of `PutRecord` may use the stream's customer managed key.
//!
//! Firehose checks them for `kms:GenerateDataKey` and `kms:Decrypt`: on streams made since 2026-04-20 already, on all
//! others from 2027-02-28. A producer who is overlooked fails that day. Who produces is not written on a stream, so only
//! those are judged of whom something says so ([`super::known_producers`]); nobody is guessed.

use super::known_producers::{Producer, known_producers};
use super::observed::DeliveryStreamDescription;
use super::plan::Judged;
use crate::document::{Access, Answer, Document, Principal, Request};
use crate::inventory::{Reading, ResolvedKey};
use crate::kms::needs::statements_to_add;
use crate::kms::why;
use crate::paths::roles::{RoleReading, key_access, role};
use crate::plan::admission::let_users_through;
use crate::plan::draft::{Draft, Remedy, Words};
use crate::plan::keys::KeyUser;
use crate::{Arn, Check};

const CHECK: Check = Check::FirehoseProducerAccess;
/// 2026-04-20 and 2027-02-28, midnight UTC, in seconds since the Unix epoch.
const NEW_STREAMS_SINCE: i64 = 1_776_643_200;
const ALL_STREAMS_FROM: i64 = 1_803_772_800;

/// A producer, and whether the key lets it through.
struct Verdict {
    producer: Producer,
    access: Access,
}

/// Judges the known producers of a stream under a customer managed key.
pub(super) fn judge(judged: &Judged<'_>, draft: &mut Draft) {
    let encryption = &judged.description.encryption;
    let customer = encryption.key_type.as_deref() == Some("CUSTOMER_MANAGED_CMK") && encryption.status == "ENABLED";
    let Some(key) = encryption.kms_key.as_deref().filter(|_| customer && judged.description.stream_type == "DirectPut") else { return };
    let ResolvedKey::Key(arn) = judged.cx.inventory.resolve_key(key) else { return };
    let producers = known_producers(judged.cx, judged.stream, judged.cx.listed_by_arn(&arn), &[&arn], judged.roles);
    if producers.is_empty() {
        return;
    }
    let mut words = Words { expected: format!("{} may use {}", named(&producers), judged.cx.inventory.key_name(&arn)), ..Words::default() };
    words.notes = producers.iter().map(|producer| format!("{} puts records: {}.", name(&producer.user), producer.because)).collect();
    let document = match document(judged, &arn) {
        Ok(document) => document,
        Err(reason) => {
            words.actual = "not known".into();
            words.message = reason;
            return draft.unknown(&judged.subject, CHECK, words);
        }
    };
    let verdicts: Vec<Verdict> = producers.into_iter().map(|producer| verdict(judged, (&document, &arn), producer, draft)).collect();
    let of = |wanted: Answer| -> Vec<Producer> {
        verdicts.iter().filter(|verdict| verdict.access.answer == wanted).map(|verdict| verdict.producer.clone()).collect()
    };
    let (allowed, denied, doubtful) = (of(Answer::Yes), of(Answer::No), of(Answer::CannotTell));
    let because: Vec<&str> = verdicts
        .iter()
        .filter(|verdict| verdict.access.answer == Answer::CannotTell)
        .map(|verdict| verdict.access.because.as_str())
        .collect();
    words.actual = actual(&allowed, &denied, &doubtful);
    if !denied.is_empty() {
        words.message = since_when(judged);
        let remedy = remedy(judged, &arn, &denied, draft);
        draft.drifted(&judged.subject, CHECK, words, vec![remedy]);
    } else if doubtful.is_empty() {
        words.actual.clone_from(&words.expected);
        draft.compliant(&judged.subject, CHECK, words);
    } else {
        words.message =
            format!("Neither the key's document nor what was read of IAM settles it: {}. {}", because.join("; "), since_when(judged));
        draft.unknown(&judged.subject, CHECK, words);
    }
}

fn actual(allowed: &[Producer], denied: &[Producer], doubtful: &[Producer]) -> String {
    let parts = [(denied, "may not use it"), (doubtful, "may or may not use it"), (allowed, "may use it")];
    let said = parts.iter().filter(|(who, _)| !who.is_empty()).map(|(who, what)| format!("{} {what}", named(who)));
    said.collect::<Vec<_>>().join("; ")
}

fn name(user: &KeyUser) -> &str {
    let (Principal::Aws(name) | Principal::Service(name)) = &user.principal;
    name
}

fn named(producers: &[Producer]) -> String {
    producers.iter().map(|producer| name(&producer.user)).collect::<Vec<_>>().join(", ")
}

fn document(judged: &Judged<'_>, key: &Arn) -> Result<Document, String> {
    match judged.cx.inventory.keys.get(key).map(|key| &key.document) {
        Some(Reading::Known(text)) => Document::parse(text).map_err(|error| format!("The key's document can't be understood: {error}.")),
        Some(Reading::Unreadable { unreadable }) => Err(format!("The key's document could not be read: {}.", why(unreadable))),
        Some(Reading::NotRead) | None => Err("The key's document was not read.".to_owned()),
    }
}

/// What decides against it, else what leaves it open. Where that is a role's own policies, they are asked for.
fn verdict(judged: &Judged<'_>, (document, key): (&Document, &Arn), producer: Producer, draft: &mut Draft) -> Verdict {
    let user = &producer.user;
    let role = role(judged.cx.inventory, &user.principal);
    let mut worst = Access { answer: Answer::Yes, delegated: false, because: String::new() };
    for action in &user.actions {
        let request =
            Request { principal: &user.principal, action, resource: key.as_str(), context: &user.context, context_is_complete: false };
        let found = key_access(document, key, &request, &role);
        match found.answer {
            Answer::Yes => {}
            Answer::CannotTell if worst.answer == Answer::No => {}
            Answer::No | Answer::CannotTell => worst = found,
        }
    }
    if let (RoleReading::NotRead(arn), true) = (&role, worst.delegated) {
        draft.wanted_facts.insert(arn.clone());
    }
    Verdict { producer, access: worst }
}

/// Firehose checks the producers of this stream already.
pub(crate) fn are_checked(description: &DeliveryStreamDescription, now: i64) -> bool {
    now >= ALL_STREAMS_FROM || description.created_at.is_some_and(|created| created >= NEW_STREAMS_SINCE)
}

fn since_when(judged: &Judged<'_>) -> String {
    let when = if are_checked(judged.description, judged.cx.now) {
        "Their PutRecord calls fail."
    } else {
        "From 2027-02-28 on their PutRecord calls fail."
    };
    format!("{when} Firehose checks producers for kms:GenerateDataKey and kms:Decrypt on the stream's key.")
}

/// On a key that a policy lists the grants are a step of this plan, which writes the key's document; on any other somebody
/// else's work.
fn remedy(judged: &Judged<'_>, key: &Arn, denied: &[Producer], draft: &mut Draft) -> Remedy {
    let summary = format!("let {} use {}", named(denied), judged.cx.inventory.key_name(key));
    let users: Vec<KeyUser> = denied.iter().map(|producer| producer.user.clone()).collect();
    let ended = "The step of this plan that writes the key's document ends it; nothing else is to be done.";
    let mut remedy = Remedy::manual(summary, ended);
    if let Some(observed) = judged.cx.inventory.keys.get(key) {
        let requirement = let_users_through(judged.cx, draft, observed, &users);
        if requirement.block.is_some() {
            remedy.block.clone_from(&requirement.block);
        } else if !requirement.demands.is_empty() {
            // A rule that only reports is given no grants.
            let statements = statements_to_add(&users).join(", ");
            remedy = Remedy::manual(remedy.summary, format!("In enforce mode Everseal adds to the document of {key}: {statements}"));
        }
        remedy = remedy.requiring(requirement);
    }
    remedy
}

#[cfg(test)]
#[path = "producers_tests.rs"]
mod tests;
