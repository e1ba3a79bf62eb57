//! Who must be able to use a delivery stream's keys for data to go on flowing.

use std::collections::BTreeMap;

use super::observed::{DeliveryDestination, DeliveryStream};
use crate::Arn;
use crate::document::Principal;
use crate::plan::context::Context;
use crate::plan::keys::KeyUser;
use crate::policy::model::KeySpec;

/// What Firehose asks of a key for everybody who writes records or delivers them.
/// [Firehose: Data protection; Controlling access, `kms:ViaService`]
const WRITE: [&str; 2] = ["kms:GenerateDataKey", "kms:Decrypt"];

/// The key that a policy in scope lists and whose ARN is `key`.
pub(super) fn listed_key<'a>(cx: &Context<'a>, key: &Arn) -> Option<&'a KeySpec> {
    let aliases = cx.inventory.aliases.known()?;
    cx.policies_in_scope().flat_map(|policy| &policy.spec.keys).find(|listed| aliases.get(&listed.alias) == Some(key))
}

/// Producers that the policy names for a key: whoever calls `PutRecord` needs the stream's key, since 2026-04-20 on new
/// streams and from 2027-02-28 on all of them.
pub(super) fn producers(cx: &Context<'_>, stream: &DeliveryStream, listed: Option<&KeySpec>) -> Vec<KeyUser> {
    let named = listed.and_then(|key| key.usable_by.as_ref()).map(|usable_by| usable_by.producers.as_slice()).unwrap_or_default();
    let endpoint = format!("firehose.{}.amazonaws.com", cx.inventory.scope.region);
    named
        .iter()
        .map(|producer| KeyUser {
            principal: Principal::Aws(producer.clone()),
            actions: WRITE.to_vec(),
            context: through(&endpoint, producer),
            sends_no_source: false,
            role: format!("{producer} (puts records into delivery stream {})", stream.name),
        })
        .collect()
}

/// The role that writes to the bucket of one S3 part.
pub(super) fn delivering_role(cx: &Context<'_>, stream: &DeliveryStream, destination: &DeliveryDestination) -> KeyUser {
    let role = destination.role.as_str();
    KeyUser {
        principal: Principal::Aws(role.to_owned()),
        actions: WRITE.to_vec(),
        context: through(&format!("s3.{}.amazonaws.com", cx.inventory.scope.region), role),
        sends_no_source: false,
        role: format!("{role} (role with which delivery stream {} writes to bucket {})", stream.name, destination.bucket.name()),
    }
}

fn through(endpoint: &str, principal: &str) -> BTreeMap<String, Vec<String>> {
    let mut context = BTreeMap::from([("kms:viaservice".to_owned(), vec![endpoint.to_owned()])]);
    if let Ok(arn) = Arn::parse(principal) {
        context.insert("kms:calleraccount".to_owned(), vec![arn.account().to_owned()]);
    }
    context
}
