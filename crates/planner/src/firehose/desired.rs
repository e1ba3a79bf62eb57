//! Who must be able to use a delivery stream's keys for data to go on flowing.

use std::collections::BTreeMap;

use super::observed::{DeliveryDestination, DeliveryStream};
use crate::Arn;
use crate::document::Principal;
use crate::plan::context::Context;
use crate::plan::keys::KeyUser;

/// What Firehose asks of a key for the role that delivers.
/// [Firehose: Data protection; Controlling access, `kms:ViaService`]
const WRITE: [&str; 2] = ["kms:GenerateDataKey", "kms:Decrypt"];

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

/// What KMS sees of a role that reaches a key through a service.
pub(super) fn through(endpoint: &str, principal: &str) -> BTreeMap<String, Vec<String>> {
    let mut context = BTreeMap::from([("kms:viaservice".to_owned(), vec![endpoint.to_owned()])]);
    if let Ok(arn) = Arn::parse(principal) {
        context.insert("kms:calleraccount".to_owned(), vec![arn.account().to_owned()]);
    }
    context
}
