//! What the policy wants of queues, compared with what AWS says.

use super::anonymous::cut_off_by_encryption;
use super::desired::{Comparison, DesiredEncryption, observed_words};
use super::observed::{Queue, QueueAttributes};
use crate::document::ours::QUEUE_LIMIT;
use crate::document::{Principal, Protected};
use crate::kms::note_on_key_in_use;
use crate::paths::{Links, users_of_moved_queue, users_of_queue};
use crate::plan::admission::shut_out_today;
use crate::plan::change::QueueEncryption;
use crate::plan::compare::{is_aws_managed, tags_unknown, why_unknown};
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::keys::require_key;
use crate::plan::select::Selection;
use crate::plan::step::Risk;
use crate::plan::transit::{Asked, Limits, judge, record};
use crate::plan::{Block, Change, KeyRef};
use crate::policy::model::{InTransit, QueueAtRest, QueueRule};
use crate::{Check, Service};

/// 8,192 bytes and 20 statements. [SQS policy quotas]
const LIMITS: Limits = Limits { bytes: QUEUE_LIMIT, statements: Some(20), id: None };

/// The scope, and who announces to its queues.
struct Linked<'a> {
    cx: &'a Context<'a>,
    links: Links<'a>,
}

/// Judges every queue of the inventory.
pub(crate) fn plan(cx: &Context<'_>, draft: &mut Draft) {
    let linked = Linked { cx, links: Links::of(cx.inventory) };
    for (arn, queue) in &cx.inventory.queues {
        match cx.select(|spec| spec.sqs.as_slice(), arn.name(), "", &queue.tags) {
            Selection::Unmanaged => drop(draft.unmanaged.insert(arn.clone())),
            Selection::CannotTell(selected, why) => {
                draft.managed.insert(arn.clone());
                let subject = Subject::new(arn, Service::Sqs, &cx.inventory.scope, &selected);
                tags_unknown(draft, &subject, "queue", &asked_checks(selected.rule), why.as_ref());
            }
            Selection::Rule(selected) => {
                draft.managed.insert(arn.clone());
                let subject = Subject::new(arn, Service::Sqs, &cx.inventory.scope, &selected);
                judge_queue(&linked, draft, queue, &subject, selected.rule);
            }
        }
    }
}

fn asked_checks(rule: &QueueRule) -> Vec<Check> {
    let QueueRule { name: _, matches: _, mode: _, at_rest, in_transit } = rule;
    let checks = [
        (Check::SqsEncryption, at_rest.is_some()),
        (Check::SqsSecureTransport, in_transit.as_ref().is_some_and(|InTransit { deny_insecure_transport }| *deny_insecure_transport)),
    ];
    checks.into_iter().filter(|(_, asked)| *asked).map(|(check, _)| check).collect()
}

fn judge_queue(linked: &Linked<'_>, draft: &mut Draft, queue: &Queue, subject: &Subject, rule: &QueueRule) {
    let cx = linked.cx;
    let QueueRule { name: _, matches: _, mode: _, at_rest, in_transit } = rule;
    let Some(attributes) = queue.attributes.known() else {
        for check in asked_checks(rule) {
            let expected = match check {
                Check::SqsEncryption => at_rest.as_ref().map(|at_rest| DesiredEncryption::of(cx, at_rest).words()).unwrap_or_default(),
                _ => "refuses plain HTTP".to_owned(),
            };
            let message = why_unknown(&queue.attributes, "sqs:GetQueueAttributes");
            draft.unknown(subject, check, Words { expected, actual: "unknown".to_owned(), message, notes: Vec::new() });
        }
        return;
    };
    if let Some(at_rest) = at_rest {
        encryption(linked, draft, (queue, attributes), subject, at_rest);
    }
    if let Some(InTransit { deny_insecure_transport: true }) = in_transit {
        secure_transport(draft, queue, attributes, subject);
    }
}

fn encryption(
    linked: &Linked<'_>,
    draft: &mut Draft,
    (queue, attributes): (&Queue, &QueueAttributes),
    subject: &Subject,
    at_rest: &QueueAtRest,
) {
    let cx = linked.cx;
    let desired = DesiredEncryption::of(cx, at_rest);
    let before = QueueEncryption {
        kms_key: attributes.kms_key.clone(),
        data_key_reuse_seconds: attributes.data_key_reuse_seconds,
        sqs_managed_sse: attributes.sqs_managed_sse,
    };
    let key_in_use = attributes.kms_key.as_deref().and_then(|key| note_on_key_in_use(cx, key));
    let mut words = Words {
        expected: desired.words(),
        actual: observed_words(cx, &before),
        message: String::new(),
        notes: broken_today(linked, queue, attributes).into_iter().chain(key_in_use).collect(),
    };
    match desired.compare(cx, attributes) {
        Comparison::Compliant => draft.compliant(subject, Check::SqsEncryption, words),
        Comparison::Better => {
            words.notes.push("Better protected than asked: SSE-KMS where SSE-SQS is wanted.".to_owned());
            draft.compliant(subject, Check::SqsEncryption, words);
        }
        Comparison::Unknown(why) => {
            words.message = why;
            draft.unknown(subject, Check::SqsEncryption, words);
        }
        Comparison::Differs { after, waits_for, moves_to_key, block } => {
            words.message = what_follows(&before, moves_to_key);
            words.notes.extend(dead_letter_note(cx, queue, attributes));
            let remedy = remedy(linked, draft, queue, &desired, Switch { before, after, waits_for, moves_to_key, block });
            draft.drifted(subject, Check::SqsEncryption, words, vec![remedy]);
        }
    }
}

struct Switch {
    before: QueueEncryption,
    after: QueueEncryption,
    waits_for: Option<KeyRef>,
    moves_to_key: bool,
    block: Option<Block>,
}

fn remedy(linked: &Linked<'_>, draft: &mut Draft, queue: &Queue, desired: &DesiredEncryption<'_>, switch: Switch) -> Remedy {
    let cx = linked.cx;
    let Switch { before, after, waits_for, moves_to_key, block } = switch;
    let was = observed_words(cx, &before);
    let becomes = if moves_to_key { desired.words() } else { observed_words(cx, &after) };
    let undo = format!("{} Messages that were sent in between keep what they were sent with.", way_back(&before, &was));
    let open_today = before.kms_key.is_none() && !before.sqs_managed_sse;
    let key_today = before.kms_key.clone();
    let change = Change::QueueEncryption { url: queue.url.clone(), before, after, waits_for };
    let mut remedy = Remedy::change(change, format!("encryption: {was} → {becomes}"), undo).risking(Risk::Brief);
    remedy.block = block;
    if let (true, Some((_, wanted))) = (moves_to_key, &desired.key) {
        let (users, cannot_tell) = match users_of_moved_queue(cx, draft, &linked.links, (&queue.arn, key_today.as_deref())) {
            Ok(users) => (users, None),
            Err(block) => (Vec::new(), Some(block)),
        };
        remedy = remedy.requiring(require_key(cx, draft, wanted, &users));
        remedy.block = remedy.block.or(cannot_tell);
    }
    if open_today {
        let document = queue.attributes.known().and_then(|attributes| attributes.document.as_deref());
        remedy.block = remedy.block.or_else(|| cut_off_by_encryption(document));
    }
    remedy
}

/// Turning SSE-KMS off does not turn SSE-SQS on. [Configuring SSE-SQS]
fn way_back(before: &QueueEncryption, was: &str) -> String {
    match (&before.kms_key, before.sqs_managed_sse) {
        (Some(key), _) => format!("SetQueueAttributes with KmsMasterKeyId={key} ({was})."),
        (None, true) => "SetQueueAttributes with an empty KmsMasterKeyId and SqsManagedSseEnabled=true in one call.".to_owned(),
        (None, false) => {
            "SetQueueAttributes with an empty KmsMasterKeyId and SqsManagedSseEnabled=false, which leaves the queue unencrypted.".to_owned()
        }
    }
}

fn what_follows(before: &QueueEncryption, moves_to_key: bool) -> String {
    let follows = match (before.kms_key.is_some(), before.sqs_managed_sse, moves_to_key) {
        (true, _, true) => {
            "Messages are encrypted under another key than the policy names. Those in the queue stay under the old key: keep it for 14 days."
        }
        (true, _, false) => "The queue does not reuse its data keys for as long as the policy says.",
        (false, true, _) => "Messages are encrypted under a key that SQS owns, not under a KMS key.",
        (false, false, _) => "Messages are stored unencrypted. Once encrypted, the queue takes no anonymous and no plain-HTTP requests.",
    };
    follows.to_owned()
}

/// Somebody who can't use the key in use; services can't use an AWS-managed one, and AWS reports that to nobody. [SQS Key management]
fn broken_today(linked: &Linked<'_>, queue: &Queue, attributes: &QueueAttributes) -> Option<String> {
    let Linked { cx, links } = linked;
    let key = attributes.kms_key.as_deref()?;
    let users = users_of_queue(cx, links, &queue.arn).ok()?;
    if !is_aws_managed(cx, key) {
        return shut_out_today(cx, key, &users);
    }
    let producer = users.iter().find(|user| matches!(user.principal, Principal::Service(_)))?;
    Some(format!(
        "This path is silent today: {} can't use {}, whose document can't be edited, so its messages never arrive.",
        producer.role,
        crate::plan::compare::key_words(cx, key)
    ))
}

/// A message keeps its own state, in the queue and in its dead-letter queue. [SQS SSE]
fn dead_letter_note(cx: &Context<'_>, queue: &Queue, attributes: &QueueAttributes) -> Option<String> {
    let sources = cx
        .inventory
        .queues
        .values()
        .filter(|other| other.attributes.known().is_some_and(|attributes| attributes.dead_letter_queue.as_ref() == Some(&queue.arn)));
    let sources: Vec<_> = sources.map(|source| source.arn.name()).collect();
    if !sources.is_empty() {
        return Some(format!(
            "This is the dead-letter queue of {}: messages that come from there keep the encryption of that queue, and are read with its key.",
            sources.join(", ")
        ));
    }
    let dead_letters = attributes.dead_letter_queue.as_ref()?;
    Some(format!(
        "Messages that end in the dead-letter queue {} keep the encryption of this queue: who reads them there needs this queue's key.",
        dead_letters.name()
    ))
}

fn secure_transport(draft: &mut Draft, queue: &Queue, attributes: &QueueAttributes, subject: &Subject) {
    let document = &attributes.document;
    let asked = Asked {
        protected: Protected::Queue(&queue.arn),
        document: document.as_deref(),
        deny_plain_http: true,
        minimum_tls: None,
        limits: LIMITS,
    };
    if let Some(judged) = judge(&asked) {
        record(draft, subject, Check::SqsSecureTransport, judged, |_, merged| {
            (Change::QueueDocument { url: queue.url.clone(), before: document.clone(), after: merged.text.clone() }, None)
        });
    }
}
