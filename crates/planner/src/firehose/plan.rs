//! What the policy wants of delivery streams, compared with what AWS says.

use super::observed::DeliveryStream;
use super::{destination, encryption, errors, producers};
use crate::inventory::{DeliveryStreamDescription, Reading};
use crate::kms::why;
use crate::paths::roles::AccountRole;
use crate::plan::context::Context;
use crate::plan::draft::{Draft, Subject, Words};
use crate::plan::select::Selection;
use crate::policy::model::DeliveryStreamRule;
use crate::{Check, Service};

/// A stream under judgement.
pub(super) struct Judged<'a> {
    pub(super) cx: &'a Context<'a>,
    pub(super) stream: &'a DeliveryStream,
    pub(super) description: &'a DeliveryStreamDescription,
    pub(super) subject: Subject,
    /// Roles of the account.
    pub(super) roles: &'a [AccountRole],
}

/// Judges every delivery stream of the inventory.
pub(crate) fn plan(cx: &Context<'_>, draft: &mut Draft) {
    let roles = draft.account_roles(cx.inventory);
    for stream in cx.inventory.delivery_streams.values() {
        let (selected, tags) = match cx.select(|spec| &spec.firehose, &stream.name, "", &stream.tags) {
            Selection::Unmanaged => {
                draft.unmanaged.insert(stream.arn.clone());
                continue;
            }
            Selection::CannotTell(selected, unreadable) => (selected, Some(unreadable)),
            Selection::Rule(selected) => (selected, None),
        };
        draft.managed.insert(stream.arn.clone());
        let subject = Subject::new(&stream.arn, Service::Firehose, &cx.inventory.scope, &selected);
        if let Some(unreadable) = tags {
            let cause = unreadable.map_or_else(|| "they were not read".to_owned(), |unreadable| why(&unreadable));
            unknown(&subject, selected.rule, &format!("The rule goes by tags, and the stream's tags are not known: {cause}."), draft);
            continue;
        }
        match &stream.description {
            Reading::Known(description) => judge(&Judged { cx, stream, description, subject, roles: &roles }, selected.rule, draft),
            Reading::Unreadable { unreadable } => {
                unknown(&subject, selected.rule, &format!("The stream could not be read: {}.", why(unreadable)), draft);
            }
            Reading::NotRead => unknown(&subject, selected.rule, "The stream was not read.", draft),
        }
    }
}

fn judge(judged: &Judged<'_>, rule: &DeliveryStreamRule, draft: &mut Draft) {
    if let Some(at_rest) = &rule.at_rest {
        encryption::judge(judged, at_rest, draft);
        producers::judge(judged, draft);
    }
    if let Some(wanted) = rule.destination.as_ref().filter(|wanted| wanted.require_encryption) {
        destination::judge(judged, wanted, draft);
    }
    errors::judge(judged, draft);
}

fn unknown(subject: &Subject, rule: &DeliveryStreamRule, message: &str, draft: &mut Draft) {
    let words = |expected: &str| Words {
        expected: expected.to_owned(),
        actual: "not known".to_owned(),
        message: message.to_owned(),
        notes: Vec::new(),
    };
    if let Some(at_rest) = &rule.at_rest {
        draft.unknown(subject, Check::FirehoseEncryption, words(&encryption::expected(at_rest)));
    }
    if rule.destination.as_ref().is_some_and(|wanted| wanted.require_encryption) {
        draft.unknown(subject, Check::FirehoseDestinationEncryption, words("every S3 part encrypted with a KMS key"));
    }
}
