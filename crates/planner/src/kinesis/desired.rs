//! Who must be able to use a data stream's key for data to go on flowing.

use std::collections::BTreeMap;

use crate::Arn;
use crate::Service;
use crate::document::Principal;
use crate::inventory::{DeliveryStream, DeliveryStreamDescription, Reading};
use crate::kms::why;
use crate::plan::context::Context;
use crate::plan::keys::KeyUser;
use crate::plan::step::{Block, Gate};

/// The roles that are known to use the stream: those with which Firehose and channels read it, and those with which
/// `EventBridge` rules write to it. `Err`: it can't be told who reads it.
///
/// Other producers and consumers leave no trace on the stream; the key's delegation to IAM is what serves them.
pub(crate) fn known_users(cx: &Context<'_>, stream: &Arn) -> Result<Vec<KeyUser>, Block> {
    let unread = |reason: String| Err(Block { name: Gate::Unread, reason });
    if let Some(unreadable) = cx.inventory.unlisted.get(&Service::Firehose) {
        return unread(format!(
            "the delivery streams could not be listed ({}), so it is not known which of them read this stream",
            why(unreadable)
        ));
    }
    let mut users = Vec::new();
    for reader in cx.inventory.delivery_streams.values() {
        match &reader.description {
            Reading::Known(description) if description.source_stream.as_ref() == Some(stream) => {
                users.push(reading_role(cx, stream, reader, description)?);
            }
            Reading::Known(_) | Reading::NotRead => {}
            Reading::Unreadable { unreadable } => {
                return unread(format!(
                    "delivery stream {} could not be read ({}), so it is not known whether it reads this stream",
                    reader.name,
                    why(unreadable)
                ));
            }
        }
    }
    users.extend(beside(cx, stream));
    Ok(users)
}

/// Who feeds and reads the stream from outside the managed resources, as far as it was read.
fn beside(cx: &Context<'_>, stream: &Arn) -> Vec<KeyUser> {
    let facts = &cx.inventory.path_facts;
    let mut users = Vec::new();
    for rule in facts.event_rules.known().into_iter().flatten().filter(|rule| rule.enabled) {
        for role in rule.targets.iter().filter(|target| target.arn == *stream).filter_map(|target| target.role.as_ref()) {
            let words = format!("{role} (role with which EventBridge rule {} writes to {})", rule.arn.name(), stream.name());
            users.push(role_user(cx, stream, role, "kms:GenerateDataKey", words));
        }
    }
    for channel in facts.channels.known().into_iter().flatten().filter(|channel| channel.stream == *stream) {
        if let Some(role) = &channel.role {
            let words = format!("{role} (role with which channel {} reads {})", channel.arn.name(), stream.name());
            users.push(role_user(cx, stream, role, "kms:Decrypt", words));
        }
    }
    users
}

/// What KMS sees of a role that reaches the key through Kinesis. [Kinesis: permissions to use user-generated KMS keys]
fn role_user(cx: &Context<'_>, stream: &Arn, role: &Arn, action: &'static str, words: String) -> KeyUser {
    let context = BTreeMap::from([
        ("kms:viaservice".to_owned(), vec![format!("kinesis.{}.amazonaws.com", cx.inventory.scope.region)]),
        ("kms:calleraccount".to_owned(), vec![role.account().to_owned()]),
        ("kms:encryptioncontext:aws:kinesis:arn".to_owned(), vec![stream.to_string()]),
    ]);
    KeyUser { principal: Principal::Aws(role.to_string()), actions: vec![action], context, sends_no_source: false, role: words }
}

fn reading_role(
    cx: &Context<'_>,
    stream: &Arn,
    reader: &DeliveryStream,
    description: &DeliveryStreamDescription,
) -> Result<KeyUser, Block> {
    let Some(role) = &description.source_role else {
        return Err(Block {
            name: Gate::Unread,
            reason: format!("the role with which delivery stream {} reads this stream is not known", reader.name),
        });
    };
    let words = format!("{role} (role with which delivery stream {} reads {})", reader.name, stream.name());
    Ok(role_user(cx, stream, role, "kms:Decrypt", words))
}
