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

/// The Firehose roles that read the stream. `Err`: it can't be told who reads it.
///
/// Producers and other consumers leave no trace on the stream; the key's delegation to IAM is what serves them.
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
    Ok(users)
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
    let context = BTreeMap::from([
        ("kms:viaservice".to_owned(), vec![format!("kinesis.{}.amazonaws.com", cx.inventory.scope.region)]),
        ("kms:calleraccount".to_owned(), vec![role.account().to_owned()]),
        ("kms:encryptioncontext:aws:kinesis:arn".to_owned(), vec![stream.to_string()]),
    ]);
    Ok(KeyUser {
        principal: Principal::Aws(role.to_string()),
        actions: vec!["kms:Decrypt"],
        context,
        sends_no_source: false,
        role: format!("{role} (role with which delivery stream {} reads {})", reader.name, stream.name()),
    })
}
