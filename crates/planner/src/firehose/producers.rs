//! `firehose-producer-access`: callers of `PutRecord` may use the stream's customer managed key.
//!
//! Firehose checks them for `kms:GenerateDataKey` and `kms:Decrypt`: on streams made since 2026-04-20 already, on all
//! others from 2027-02-28. A producer who is overlooked fails that day. Who produces is not written on a stream, so
//! only those are judged whom the policy names for the key; nobody is guessed.

use super::desired::{listed_key, producers};
use super::observed::DeliveryStreamDescription;
use super::plan::Judged;
use crate::document::{Answer, Document, Request, access};
use crate::inventory::{Reading, ResolvedKey};
use crate::kms::needs::statements_to_add;
use crate::kms::why;
use crate::plan::draft::{Draft, Remedy, Words};
use crate::plan::keys::KeyUser;
use crate::{Arn, Check};

const CHECK: Check = Check::FirehoseProducerAccess;
/// 2026-04-20 and 2027-02-28, midnight UTC, in seconds since the Unix epoch.
const NEW_STREAMS_SINCE: i64 = 1_776_643_200;
const ALL_STREAMS_FROM: i64 = 1_803_772_800;

/// Judges the producers that the policy names for the stream's key.
pub(super) fn judge(judged: &Judged<'_>, draft: &mut Draft) {
    let encryption = &judged.description.encryption;
    let customer = encryption.key_type.as_deref() == Some("CUSTOMER_MANAGED_CMK") && encryption.status == "ENABLED";
    let Some(key) = encryption.kms_key.as_deref().filter(|_| customer && judged.description.stream_type == "DirectPut") else { return };
    let ResolvedKey::Key(arn) = judged.cx.inventory.resolve_key(key) else { return };
    let users = producers(judged.cx, judged.stream, listed_key(judged.cx, &arn));
    if users.is_empty() {
        return;
    }
    let mut words =
        Words { expected: format!("{} may use {}", named(users.iter()), judged.cx.inventory.key_name(&arn)), ..Words::default() };
    let document = match document(judged, &arn) {
        Ok(document) => document,
        Err(reason) => {
            words.actual = "not known".into();
            words.message = reason;
            return draft.unknown(&judged.subject, CHECK, words);
        }
    };
    let answers: Vec<(&KeyUser, Answer, String)> = users.iter().map(|user| answer(&document, &arn, user)).collect();
    let denied: Vec<&KeyUser> = answers.iter().filter(|(_, answer, _)| *answer == Answer::No).map(|(user, ..)| *user).collect();
    let doubtful: Vec<&(&KeyUser, Answer, String)> = answers.iter().filter(|(_, answer, _)| *answer == Answer::CannotTell).collect();
    if !denied.is_empty() {
        words.actual = format!("{} may not use it", named(denied.iter().copied()));
        words.message = since_when(judged);
        let remedy = remedy(judged, &arn, &denied, draft);
        return draft.drifted(&judged.subject, CHECK, words, vec![remedy]);
    }
    if doubtful.is_empty() {
        words.actual.clone_from(&words.expected);
        return draft.compliant(&judged.subject, CHECK, words);
    }
    words.actual = format!("not proven for {}", named(doubtful.iter().map(|(user, ..)| *user)));
    let because: Vec<&str> = doubtful.iter().map(|(_, _, because)| because.as_str()).collect();
    words.message = format!("The key's document does not settle it: {}. {}", because.join("; "), since_when(judged));
    draft.unknown(&judged.subject, CHECK, words);
}

fn named<'a>(users: impl Iterator<Item = &'a KeyUser>) -> String {
    users
        .map(|user| match &user.principal {
            crate::document::Principal::Aws(name) | crate::document::Principal::Service(name) => name.as_str(),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

fn document(judged: &Judged<'_>, key: &Arn) -> Result<Document, String> {
    match judged.cx.inventory.keys.get(key).map(|key| &key.document) {
        Some(Reading::Known(text)) => Document::parse(text).map_err(|error| format!("The key's document can't be understood: {error}.")),
        Some(Reading::Unreadable { unreadable }) => Err(format!("The key's document could not be read: {}.", why(unreadable))),
        Some(Reading::NotRead) | None => Err("The key's document was not read.".to_owned()),
    }
}

fn answer<'a>(document: &Document, key: &Arn, user: &'a KeyUser) -> (&'a KeyUser, Answer, String) {
    let mut worst = (user, Answer::Yes, String::new());
    for action in &user.actions {
        let request =
            Request { principal: &user.principal, action, resource: key.as_str(), context: &user.context, context_is_complete: false };
        let found = access(document, key.account(), &request);
        match found.answer {
            Answer::Yes => {}
            Answer::No => return (user, Answer::No, found.because),
            Answer::CannotTell => worst = (user, Answer::CannotTell, found.because),
        }
    }
    worst
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

fn remedy(judged: &Judged<'_>, key: &Arn, denied: &[&KeyUser], draft: &Draft) -> Remedy {
    let summary = format!("let {} use {}", named(denied.iter().copied()), judged.cx.inventory.key_name(key));
    let planned = draft.planned_documents.get(key);
    let cured = planned.filter(|planned| denied.iter().all(|user| answer(&planned.document, key, user).1 == Answer::Yes));
    if let Some(planned) = cured {
        Remedy::manual(summary, "The step of this plan that writes the key's document ends it; nothing else is to be done.")
            .needing([planned.step.clone()])
    } else {
        let statements = statements_to_add(&denied.iter().map(|user| (*user).clone()).collect::<Vec<_>>());
        Remedy::manual(summary, format!("Add to the document of {key}: {}", statements.join(", ")))
    }
}
