//! Who puts records into a delivery stream, as far as anything says so.
//!
//! No setting of a stream names its producers, and Firehose has no resource documents. What is known: whom the policy names
//! for the stream's key (`usableBy.producers`), whom the key's document lets in through Firehose, the roles with which
//! EventBridge rules reach the stream, and IAM roles whose policies allow `firehose:PutRecord` or `PutRecordBatch` on it by
//! an action of Firehose's. A role that may put records only because it may do everything (`*`) is not taken for a producer:
//! an administrator would be let use a key that was made to keep administrators out. [firehose:PutRecord]

use std::collections::BTreeMap;

use super::observed::DeliveryStream;
use crate::Arn;
use crate::document::{Answer, Document, Principal, PrincipalPattern, Request};
use crate::paths::grants::grants;
use crate::paths::roles::AccountRole;
use crate::plan::context::Context;
use crate::plan::keys::KeyUser;
use crate::plan::select::glob;
use crate::policy::model::KeySpec;

/// What Firehose asks of a stream's key for everybody who puts records. [Firehose: Data protection]
const WRITE: [&str; 2] = ["kms:GenerateDataKey", "kms:Decrypt"];
const PUTS: [&str; 2] = ["firehose:PutRecord", "firehose:PutRecordBatch"];

/// The role is allowed to put records into `stream`, and by an action of Firehose's.
fn puts(role: &AccountRole, stream: &Arn) -> bool {
    let Some(policies) = role.policies() else { return false };
    let principal = Principal::Aws(role.arn.to_string());
    let context = BTreeMap::new();
    PUTS.iter().any(|action| {
        let request = Request { principal: &principal, action, resource: stream.as_str(), context: &context, context_is_complete: false };
        policies.names_action(action) && policies.allow(&request).answer == Answer::Yes
    })
}

/// Somebody who puts records.
#[derive(Debug, Clone)]
pub(super) struct Producer {
    /// What it needs of the stream's key.
    pub(super) user: KeyUser,
    /// What says so, in words.
    pub(super) because: String,
}

/// The known producers of `stream`, each once. `listed` is the key that a policy lists for it, `keys` are those whose
/// documents may name producers: the one in use, and the one to come.
pub(super) fn known_producers(
    cx: &Context<'_>,
    stream: &DeliveryStream,
    listed: Option<&KeySpec>,
    keys: &[&Arn],
    roles: &[AccountRole],
) -> Vec<Producer> {
    let mut producers: Vec<Producer> = Vec::new();
    let mut add = |name: &str, because: String| {
        let is_same = |known: &Producer| matches!(&known.user.principal, Principal::Aws(known) if known == name);
        if !producers.iter().any(is_same) {
            producers.push(Producer { user: user(cx, stream, name), because });
        }
    };
    for name in listed.and_then(|key| key.usable_by.as_ref()).into_iter().flat_map(|usable_by| &usable_by.producers) {
        add(name, "the policy names it (usableBy.producers)".to_owned());
    }
    for rule in cx.inventory.path_facts.event_rules.known().into_iter().flatten().filter(|rule| rule.enabled) {
        for role in rule.targets.iter().filter(|target| target.arn == stream.arn).filter_map(|target| target.role.as_ref()) {
            add(role.as_str(), format!("EventBridge rule {} puts records with it", rule.arn.name()));
        }
    }
    for key in keys {
        for name in named_by_document(cx, key) {
            add(&name, format!("the document of {} lets it in through Firehose", cx.inventory.key_name(key)));
        }
    }
    for role in roles.iter().filter(|role| puts(role, &stream.arn)) {
        add(role.arn.as_str(), "its IAM policies allow it to put records".to_owned());
    }
    producers
}

fn user(cx: &Context<'_>, stream: &DeliveryStream, name: &str) -> KeyUser {
    KeyUser {
        principal: Principal::Aws(name.to_owned()),
        actions: WRITE.to_vec(),
        context: super::desired::through(&endpoint(cx), name),
        sends_no_source: false,
        role: format!("{name} (puts records into delivery stream {})", stream.name),
    }
}

fn endpoint(cx: &Context<'_>) -> String {
    format!("firehose.{}.amazonaws.com", cx.inventory.scope.region)
}

/// Roles and users whom the document lets use the key through Firehose: that is what producers need it for.
fn named_by_document(cx: &Context<'_>, key: &Arn) -> Vec<String> {
    let text = cx.inventory.keys.get(key).and_then(|key| key.document.known());
    let Some(document) = text.and_then(|text| Document::parse(text).ok()) else { return Vec::new() };
    let endpoint = endpoint(cx);
    let through_firehose = grants(&document).filter(|grant| {
        let uses = WRITE.iter().any(|action| grant.covers(action));
        let services = grant.demands("kms:viaservice");
        uses && services.iter().any(|service| glob(service, &endpoint)) && !services.contains(&"*")
    });
    let mut names = Vec::new();
    for principal in through_firehose.flat_map(|grant| grant.principals()) {
        if let PrincipalPattern::Aws(name) = principal
            && Arn::parse(name).is_ok()
        {
            names.push(name.to_owned());
        }
    }
    names
}
