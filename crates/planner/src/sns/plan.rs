//! What the policy wants of topics, compared with what AWS says.

use super::desired::{Comparison, DesiredEncryption, observed_words};
use super::observed::{Subscription, Topic, TopicAttributes};
use super::subscriptions;
use crate::document::ours::TOPIC_LIMIT;
use crate::document::{Principal, Protected};
use crate::kms::note_on_key_in_use;
use crate::paths::{Links, users_of_moved_topic, users_of_topic};
use crate::plan::Change;
use crate::plan::admission::shut_out_today;
use crate::plan::change::KeyRef;
use crate::plan::compare::{is_aws_managed, key_words, tags_unknown, why_unknown};
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Remedy, Subject, Words};
use crate::plan::keys::require_key;
use crate::plan::select::Selection;
use crate::plan::step::Risk;
use crate::plan::transit::{Asked, Limits, judge, record};
use crate::policy::model::{KeyAtRest, TopicInTransit, TopicRule};
use crate::{Arn, Check, Service};

/// 30 KB and 100 statements, and SNS wants an `Id`. [SNS policy quotas; SNS API permissions reference]
const LIMITS: Limits = Limits { bytes: TOPIC_LIMIT, statements: Some(100), id: Some("Everseal") };

/// The scope, and who announces to its topics.
struct Linked<'a> {
    cx: &'a Context<'a>,
    links: Links<'a>,
}

/// Judges every topic of the inventory.
pub(crate) fn plan(cx: &Context<'_>, draft: &mut Draft) {
    let linked = Linked { cx, links: Links::of(cx.inventory) };
    for (arn, topic) in &cx.inventory.topics {
        match cx.select(|spec| spec.sns.as_slice(), arn.name(), "", &topic.tags) {
            Selection::Unmanaged => drop(draft.unmanaged.insert(arn.clone())),
            Selection::CannotTell(selected, why) => {
                draft.managed.insert(arn.clone());
                let subject = Subject::new(arn, Service::Sns, &cx.inventory.scope, &selected);
                tags_unknown(draft, &subject, "topic", &asked_checks(selected.rule), why.as_ref());
            }
            Selection::Rule(selected) => {
                draft.managed.insert(arn.clone());
                let subject = Subject::new(arn, Service::Sns, &cx.inventory.scope, &selected);
                judge_topic(&linked, draft, topic, &subject, selected.rule);
            }
        }
    }
}

fn asked_checks(rule: &TopicRule) -> Vec<Check> {
    let TopicRule { name: _, matches: _, mode: _, at_rest, in_transit } = rule;
    let TopicInTransit { deny_insecure_transport, forbid_http_subscriptions } = in_transit.clone().unwrap_or_default();
    let checks = [
        (Check::SnsEncryption, at_rest.is_some()),
        (Check::SnsSecureTransport, deny_insecure_transport),
        (Check::SnsHttpSubscription, forbid_http_subscriptions),
    ];
    checks.into_iter().filter(|(_, asked)| *asked).map(|(check, _)| check).collect()
}

fn judge_topic(linked: &Linked<'_>, draft: &mut Draft, topic: &Topic, subject: &Subject, rule: &TopicRule) {
    let cx = linked.cx;
    let asked = asked_checks(rule);
    let attributes = topic.attributes.known();
    let why = why_unknown(&topic.attributes, "sns:GetTopicAttributes");
    let unknown = |expected: String| Words { expected, actual: "unknown".to_owned(), message: why.clone(), notes: Vec::new() };
    if let Some(at_rest) = &rule.at_rest {
        match attributes {
            Some(attributes) => encryption(linked, draft, (topic, attributes), subject, at_rest),
            None => draft.unknown(subject, Check::SnsEncryption, unknown(DesiredEncryption::of(cx, at_rest).words())),
        }
    }
    if asked.contains(&Check::SnsSecureTransport) {
        match attributes {
            Some(attributes) => secure_transport(draft, topic, attributes, subject),
            None => draft.unknown(subject, Check::SnsSecureTransport, unknown("refuses plain HTTP".to_owned())),
        }
    }
    if asked.contains(&Check::SnsHttpSubscription) {
        http_subscriptions(cx, draft, topic, subject);
    }
}

fn encryption(
    linked: &Linked<'_>,
    draft: &mut Draft,
    (topic, attributes): (&Topic, &TopicAttributes),
    subject: &Subject,
    at_rest: &KeyAtRest,
) {
    let cx = linked.cx;
    let desired = DesiredEncryption::of(cx, at_rest);
    let was = observed_words(cx, attributes.kms_key.as_deref());
    let key_in_use = attributes.kms_key.as_deref().and_then(|key| note_on_key_in_use(cx, key));
    let mut words = Words {
        expected: desired.words(),
        actual: was.clone(),
        message: String::new(),
        notes: broken_today(linked, topic, attributes).into_iter().chain(key_in_use).collect(),
    };
    match desired.compare(cx, attributes) {
        Comparison::Compliant => draft.compliant(subject, Check::SnsEncryption, words),
        Comparison::Unknown(why) => {
            words.message = why;
            draft.unknown(subject, Check::SnsEncryption, words);
        }
        Comparison::Differs => {
            let follows = match attributes.kms_key {
                Some(_) => "Messages are encrypted under another key than the policy names.",
                None => {
                    "Messages are not encrypted under a KMS key. Once they are, the topic takes no anonymous and no plain-HTTP requests."
                }
            };
            words.message = follows.into();
            words.notes.extend(queue_note(cx, &topic.arn));
            let remedy = remedy(linked, draft, topic, &desired, (attributes.kms_key.clone(), &was));
            draft.drifted(subject, Check::SnsEncryption, words, vec![remedy]);
        }
    }
}

fn remedy(
    linked: &Linked<'_>,
    draft: &mut Draft,
    topic: &Topic,
    desired: &DesiredEncryption<'_>,
    (before, was): (Option<String>, &str),
) -> Remedy {
    let cx = linked.cx;
    let (users, cannot_tell) = match users_of_moved_topic(cx, draft, &linked.links, (&topic.arn, before.as_deref())) {
        Ok(users) => (users, None),
        Err(block) => (Vec::new(), Some(block)),
    };
    let summary = format!("encryption: {was} → {}", desired.words());
    // A key that can't be named can't be written: the requirement below blocks that step and says why.
    let after = desired.key.key_ref().unwrap_or_else(|| KeyRef::ToBeCreated { alias: desired.reference.to_owned() });
    let undo = format!("SetTopicAttributes(KmsMasterKeyId) back to: {was}.");
    let mut remedy = Remedy::change(Change::TopicEncryption { before, after }, summary, undo).risking(Risk::Brief);
    remedy = remedy.requiring(require_key(cx, draft, &desired.key, &users));
    remedy.block = remedy.block.or(cannot_tell);
    remedy
}

/// Somebody who can't use the key in use; services can't use an AWS-managed one, and AWS reports that to nobody. [SNS: Managing keys and costs]
fn broken_today(linked: &Linked<'_>, topic: &Topic, attributes: &TopicAttributes) -> Option<String> {
    let Linked { cx, links } = linked;
    let key = attributes.kms_key.as_deref()?;
    let users = users_of_topic(cx, links, &topic.arn).ok()?;
    if !is_aws_managed(cx, key) {
        return shut_out_today(cx, key, &users);
    }
    let publisher = users.iter().find(|user| matches!(user.principal, Principal::Service(_)))?;
    Some(format!(
        "This path is silent today: {} can't use {}, whose document can't be edited, so its messages are dropped.",
        publisher.role,
        key_words(cx, key)
    ))
}

/// What SNS delivers to a queue is encrypted under the queue's key, whatever the topic's is.
fn queue_note(cx: &Context<'_>, topic: &Arn) -> Option<String> {
    let subscriptions = cx.inventory.subscriptions.known()?;
    let queues: Vec<_> = subscriptions
        .iter()
        .filter(|subscription| subscription.topic == *topic && subscription.protocol == "sqs")
        .map(|subscription| subscription.endpoint.rsplit(':').next().unwrap_or_default())
        .collect();
    (!queues.is_empty()).then(|| {
        format!(
            "Deliveries to {} need the queue's own key, not the topic's: a queue under SSE-KMS must let sns.amazonaws.com use its key.",
            queues.join(", ")
        )
    })
}

fn secure_transport(draft: &mut Draft, topic: &Topic, attributes: &TopicAttributes, subject: &Subject) {
    let document = &attributes.document;
    let asked = Asked {
        protected: Protected::Topic(&topic.arn),
        document: document.as_deref(),
        deny_plain_http: true,
        minimum_tls: None,
        limits: LIMITS,
    };
    if let Some(judged) = judge(&asked) {
        record(draft, subject, Check::SnsSecureTransport, judged, |_, merged| {
            (Change::TopicDocument { before: document.clone(), after: merged.text.clone() }, None)
        });
    }
}

fn http_subscriptions(cx: &Context<'_>, draft: &mut Draft, topic: &Topic, subject: &Subject) {
    let Some(all) = cx.inventory.subscriptions.known() else {
        let words = Words {
            expected: "no subscription over plain HTTP".to_owned(),
            actual: "unknown".to_owned(),
            message: why_unknown(&cx.inventory.subscriptions, "sns:ListSubscriptions"),
            notes: Vec::new(),
        };
        return draft.unknown(subject, Check::SnsHttpSubscription, words);
    };
    let own: Vec<&Subscription> = all.iter().filter(|subscription| subscription.topic == topic.arn).collect();
    match subscriptions::judge(&own) {
        Ok(words) => draft.compliant(subject, Check::SnsHttpSubscription, words),
        Err(found) => {
            let (words, remedy) = *found;
            draft.drifted(subject, Check::SnsHttpSubscription, words, vec![remedy]);
        }
    }
}
