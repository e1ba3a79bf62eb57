//! Keys on the way in and out.
//!
//! A sender needs `GenerateDataKey` and Decrypt, a consumer Decrypt, each for itself: SQS passes the identity of its
//! caller on, and a service that sends is itself the principal. A data key serves the one principal it was made for
//! until the queue's reuse period is over, and only then is KMS asked again: until then nobody notices what has
//! happened to the key or its document. [SQS: Key management; How does the data key reuse period work]

use std::sync::Arc;

use super::queue::{Encryption, Seal};
use super::{Place, errors};
use crate::access::Caller;
use crate::error::ApiError;
use crate::kms::{self, KeyUse};
use crate::world::{Origin, World};

const GENERATE: &str = "kms:GenerateDataKey";
const DECRYPT: &str = "kms:Decrypt";

/// A queue with encryption takes signed requests over TLS only. Asked of those that touch messages: for the others the
/// guide's sentence would keep everybody from turning encryption off again without TLS, which nobody reports.
/// [SQS: Server-side encryption]
pub(super) fn check_transport(world: &World, origin: &Origin, place: &Place<'_>) -> Result<(), ApiError> {
    let queue = world.sqs.look(place).ok_or_else(errors::no_such_queue)?;
    let open = origin.secure && origin.caller != Caller::Anonymous;
    if open || queue.attributes.encryption == Encryption::Off { Ok(()) } else { Err(errors::insecure()) }
}

/// Encrypts what a caller sends to a queue.
pub(super) fn seal(world: &mut World, caller: &Caller, place: &Place<'_>) -> Result<Seal, ApiError> {
    let queue = world.sqs.look(place).ok_or_else(errors::no_such_queue)?;
    let arn = Arc::clone(&queue.arn);
    let key = match &queue.attributes.encryption {
        Encryption::Off => return Ok(Seal::Plain),
        Encryption::Managed => return Ok(Seal::Managed),
        Encryption::Kms(key) => key.to_string(),
    };
    let reuse = queue.attributes.data_key_reuse();
    let now = world.now();
    let at_hand = (whose(caller), key.clone(), GENERATE);
    if let Some((until, key)) = queue.contents.as_ref().and_then(|contents| contents.data_keys.get(&at_hand))
        && now < *until
    {
        return Ok(Seal::Kms { key: Arc::clone(key), queue: arn });
    }
    ask(world, caller, GENERATE, &key, place, &arn)?;
    let key: Arc<str> = Arc::from(ask(world, caller, DECRYPT, &key, place, &arn)?);
    let contents = world.sqs.find(place).ok_or_else(errors::no_such_queue)?.contents();
    contents.data_keys.retain(|_, (until, _)| now < *until);
    contents.data_keys.insert(at_hand, (now + reuse, Arc::clone(&key)));
    Ok(Seal::Kms { key, queue: arn })
}

/// Decrypts what is in a queue for a consumer: with the message's own key, whatever the queue's is by now.
pub(super) fn open(world: &mut World, caller: &Caller, place: &Place<'_>, seal: &Seal) -> Result<(), ApiError> {
    let (key, arn) = match seal {
        Seal::Plain | Seal::Managed => return Ok(()),
        Seal::Kms { key, queue } => (key, queue),
    };
    let queue = world.sqs.look(place).ok_or_else(errors::no_such_queue)?;
    let reuse = queue.attributes.data_key_reuse();
    let now = world.now();
    let at_hand = (whose(caller), format!("{key} {arn}"), DECRYPT);
    let known = queue.contents.as_ref().and_then(|contents| contents.data_keys.get(&at_hand));
    if known.is_some_and(|(until, _)| now < *until) {
        return Ok(());
    }
    ask(world, caller, DECRYPT, key, place, arn)?;
    let contents = world.sqs.find(place).ok_or_else(errors::no_such_queue)?.contents();
    contents.data_keys.retain(|_, (until, _)| now < *until);
    contents.data_keys.insert(at_hand, (now + reuse, Arc::clone(key)));
    Ok(())
}

fn whose(caller: &Caller) -> String {
    match caller {
        Caller::Service { name, source_arn, source_account } => {
            format!("{name} {} {}", source_arn.as_deref().unwrap_or_default(), source_account.as_deref().unwrap_or_default())
        }
        Caller::Root { .. } | Caller::User { .. } | Caller::Role { .. } | Caller::Anonymous => caller.arn(),
    }
}

fn ask(world: &mut World, caller: &Caller, action: &str, key: &str, place: &Place<'_>, queue: &str) -> Result<String, ApiError> {
    let usage = KeyUse {
        caller,
        action,
        key,
        account: place.account,
        region: place.region,
        via: caller.account().map(|_| "sqs"),
        encryption_context: &[("aws:sqs:arn", queue)],
    };
    kms::use_key(world, &usage).map_err(errors::key_refused)
}
