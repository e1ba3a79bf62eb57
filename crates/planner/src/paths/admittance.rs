//! Whether a queue or topic lets in the service that sends to it: a service has no IAM policies of its own, so the
//! resource's document alone decides.
//!
//! Only a certain refusal is told. What a condition leaves open is not: S3 and SNS try a destination when it is set, so a
//! hop that is there has worked once. [S3: Granting permissions to publish event notification messages; SNS: Fanout to SQS;
//! `EventBridge`: Using resource-based policies]

use std::collections::BTreeMap;

use serde_json::json;

use super::build::Builder;
use super::hops::{PUBLISH, SEND};
use super::model::{NodeKind, PathState, Trouble, TroubleKind};
use super::nodes::kind_of;
use crate::document::{Answer, Principal, Request, access};
use crate::inventory::Reading;
use crate::{Arn, Inventory};

/// Why `service`, acting for `source`, does not get through to `target`, if that is certain.
pub(crate) fn refusal(builder: &Builder<'_>, service: &str, source: &Arn, target: &Arn) -> Option<Trouble> {
    let action = match kind_of(target) {
        NodeKind::Queue => SEND.action,
        NodeKind::Topic => PUBLISH.action,
        _ => return None,
    };
    let inventory = builder.run.holder(target)?;
    let Reading::Known(document) = document_of(inventory, target)? else { return None };
    let because = match document {
        None => format!("{target} has no document, and a service needs one that lets it in"),
        Some(text) => {
            let document = builder.run.resource_document(target, text);
            let document = document.as_ref().as_ref()?;
            let context = told(source, builder.run.holder(source).unwrap_or(inventory));
            let principal = Principal::Service(service.to_owned());
            let request =
                Request { principal: &principal, action, resource: target.as_str(), context: &context, context_is_complete: false };
            let access = access(document, target.account(), &request);
            if access.answer != Answer::No {
                return None;
            }
            format!("the document of {target} does not let it in: {}", access.because)
        }
    };
    let what = format!("{service} can't send to {target} for {source} ({action}): {because}");
    let cure = format!("Add this statement to the document of {target}: {}", statement(service, action, source, target));
    Some(Trouble::new(PathState::Broken, TroubleKind::Need, what).cured_by(cure))
}

/// `None` where it is no queue and no topic of the inventory.
fn document_of<'a>(inventory: &'a Inventory, target: &Arn) -> Option<Reading<Option<&'a str>>> {
    let queue = inventory.queues.get(target).map(|queue| queue.attributes.as_ref().map(|read| read.document.as_deref()));
    let topic = || inventory.topics.get(target).map(|topic| topic.attributes.as_ref().map(|read| read.document.as_deref()));
    queue.or_else(topic)
}

/// What AWS certainly says of such a request; it sends it over TLS.
fn told(source: &Arn, holder: &Inventory) -> BTreeMap<String, Vec<String>> {
    let account = if source.account().is_empty() { &holder.scope.account } else { source.account() };
    BTreeMap::from([
        ("aws:sourcearn".to_owned(), vec![source.to_string()]),
        ("aws:sourceaccount".to_owned(), vec![account.to_owned()]),
        ("aws:securetransport".to_owned(), vec!["true".to_owned()]),
    ])
}

fn statement(service: &str, action: &str, source: &Arn, target: &Arn) -> String {
    json!({
        "Effect": "Allow",
        "Principal": { "Service": service },
        "Action": action,
        "Resource": target.as_str(),
        "Condition": { "ArnEquals": { "aws:SourceArn": source.as_str() } },
    })
    .to_string()
}
