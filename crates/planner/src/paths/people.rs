//! Producers and consumers that no setting shows: whoever a resource's document lets in, and whoever the policy names for
//! its key (`usableBy`).
//!
//! A permission is not a flow. So a service that a document admits for a source whose own settings were read counts only
//! where those settings send; and principals that the policy names for a key are drawn where data begins or ends.

use std::collections::BTreeSet;

use super::build::{Builder, NewHop};
use super::grants::{Grant, grants};
use super::hops::{PUBLISH, PUT_DELIVERY, PUT_RECORD, SEND};
use super::model::{HopKind, Need, NodeKind, Transport, Trouble};
use super::nodes::{self, Asked, kind_of};
use super::sources::{Use, Used, users_behind};
use super::{needs, run::Run};
use crate::document::{Document, Principal, PrincipalPattern};
use crate::plan::keys::KeyUser;
use crate::plan::select::glob;
use crate::policy::model::UsableBy;
use crate::{Arn, Inventory};

const RECEIVE: Use = Use { action: "sqs:ReceiveMessage", needs: &["kms:Decrypt"], verb: "receives from" };
const GET: Use = Use { action: "s3:GetObject", needs: &["kms:Decrypt"], verb: "reads from" };
const PUT: Use = Use { action: "s3:PutObject", needs: &["kms:GenerateDataKey", "kms:Decrypt"], verb: "writes to" };
const GET_RECORDS: Use = Use { action: "kinesis:GetRecords", needs: &["kms:Decrypt"], verb: "reads" };

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

/// Adds whoever the documents of an inventory's buckets, queues and topics let in.
pub(crate) fn add_documented(builder: &mut Builder<'_>, inventory: &Inventory) {
    for bucket in inventory.buckets.values() {
        let document = bucket.document.known().and_then(|text| text.as_deref());
        add_of(builder, inventory, (&bucket.arn, "bucket"), document, &[(PUT, Direction::In), (GET, Direction::Out)]);
    }
    for queue in inventory.queues.values() {
        let document = queue.attributes.known().and_then(|attributes| attributes.document.as_deref());
        add_of(builder, inventory, (&queue.arn, "queue"), document, &[(SEND, Direction::In), (RECEIVE, Direction::Out)]);
    }
    for topic in inventory.topics.values() {
        let document = topic.attributes.known().and_then(|attributes| attributes.document.as_deref());
        add_of(builder, inventory, (&topic.arn, "topic"), document, &[(PUBLISH, Direction::In)]);
    }
}

fn add_of(
    builder: &mut Builder<'_>,
    inventory: &Inventory,
    (arn, kind): (&Arn, &'static str),
    document: Option<&str>,
    actions: &[(Use, Direction)],
) {
    let Some(document) = document.map(Document::parse) else { return };
    let Ok(document) = document else {
        if let Some(node) = builder.graph.nodes.get_mut(arn.as_str()) {
            node.troubles.push(Trouble::unread("its document can't be parsed, so nobody knows who uses it"));
        }
        return;
    };
    let used = Used { arn, kind, inventory };
    for grant in grants(&document) {
        for (using, direction) in actions.iter().filter(|(using, _)| grant.covers(using.action)) {
            match users_behind(&used, &grant, using) {
                Ok(users) => users.into_iter().for_each(|who| add_user(builder, &used, who, *direction)),
                Err(block) => add_anybody(builder, &used, (&grant, *direction), block.reason),
            }
        }
    }
}

/// Somebody whom nobody can name: without a key of the resource's that needs nothing, with one nobody can tell.
fn add_anybody(builder: &mut Builder<'_>, used: &Used<'_>, (grant, direction): (&Grant<'_>, Direction), reason: String) {
    let is_identity = |pattern: &PrincipalPattern<'_>| matches!(pattern, PrincipalPattern::Aws(name) if name.contains(":iam::cloudfront:"));
    let through_cloudfront = grant.principals().iter().all(is_identity);
    if through_cloudfront && used.inventory.path_facts.distributions.known().is_some() {
        return;
    }
    let anybody = format!("anybody (whom the document of {} lets in)", used.name());
    builder.stand_in(&anybody, NodeKind::Anybody, "");
    let unknown = builder.keys.contains_key(used.arn.as_str()).then(|| Trouble::unread(reason));
    builder.add(between(used.arn, &anybody, direction, "").troubled(unknown));
}

fn between(resource: &Arn, other: &str, direction: Direction, by: &str) -> NewHop {
    let (from, to, kind) = match direction {
        Direction::In => (other.to_owned(), resource.to_string(), HopKind::Produce),
        Direction::Out => (resource.to_string(), other.to_owned(), HopKind::Consume),
    };
    NewHop { from, to, kind, by: by.to_owned(), transport: Transport::CallersChoice, needs: Vec::new(), troubles: Vec::new() }
}

fn add_user(builder: &mut Builder<'_>, resource: &Used<'_>, mut user: KeyUser, direction: Direction) {
    let principal = match &user.principal {
        Principal::Aws(name) | Principal::Service(name) => name.clone(),
    };
    let source = user.context.get("aws:sourcearn").and_then(|arns| arns.first()).cloned();
    if is_known(builder, resource, &principal, source.as_deref(), direction) {
        return;
    }
    let is_service = matches!(user.principal, Principal::Service(_));
    let exact = source.filter(|source| !source.contains(['*', '?']) && Arn::parse(source).is_ok());
    let other = exact.unwrap_or_else(|| principal.clone());
    if Arn::parse(&other).is_err() {
        builder.stand_in(&other, NodeKind::Service, "");
    }
    let mut hop = between(resource.arn, &other, direction, if is_service { &principal } else { "" });
    if is_service {
        hop = hop.over(Transport::Tls);
    }
    let need = need_of(builder, resource, &mut user);
    builder.add(hop.needing(need.into_iter().collect()));
}

/// What the user needs of the resource's own key.
fn need_of(builder: &Builder<'_>, resource: &Used<'_>, user: &mut KeyUser) -> Option<Need> {
    let (inventory, key) = builder.keys.get(resource.arn.as_str())?;
    if resource.kind == "bucket" {
        let bucket_key = inventory.buckets.get(resource.arn).and_then(|bucket| bucket.encryption.known());
        let by_bucket = bucket_key.and_then(|rule| rule.as_ref()).is_some_and(|rule| rule.bucket_key);
        let told = if by_bucket { resource.arn.to_string() } else { format!("{}/object", resource.arn) };
        user.context.insert("kms:encryptioncontext:aws:s3:arn".to_owned(), vec![told]);
    }
    Some(needs::judge(&builder.run, inventory, key, user))
}

/// The settings that were read tell whether this user's data flows: the hop is there already, or there is none.
fn is_known(builder: &Builder<'_>, used: &Used<'_>, principal: &str, source: Option<&str>, direction: Direction) -> bool {
    let id = used.arn.as_str();
    let same = |hop: &&super::model::Hop| hop.by == principal;
    let (seen, other): (Vec<&str>, _) = match direction {
        Direction::In => (builder.hops_into(id).filter(same).map(|hop| hop.from.as_str()).collect(), source),
        Direction::Out => (builder.hops_out_of(id).filter(same).map(|hop| hop.to.as_str()).collect(), source),
    };
    match other {
        None => !seen.is_empty(),
        Some(pattern) => seen.iter().any(|arn| glob(pattern, arn)) || settings_were_read(&builder.run, pattern),
    }
}

/// The source is one of the run's own, and its settings say where it sends.
fn settings_were_read(run: &Run<'_>, source: &str) -> bool {
    let Ok(arn) = Arn::parse(source) else { return false };
    match kind_of(&arn) {
        NodeKind::Bucket => {
            let bucket = run.holder(&arn).and_then(|inventory| inventory.buckets.get(&arn));
            bucket.is_some_and(|bucket| bucket.notifications.known().is_some())
        }
        NodeKind::Topic => run.holder(&arn).is_some_and(|inventory| inventory.subscriptions.known().is_some()),
        NodeKind::EventRule => run.inventories.iter().any(|inventory| {
            let here = inventory.scope.account == arn.account() && inventory.scope.region == arn.region();
            here && inventory.path_facts.event_rules.known().is_some()
        }),
        NodeKind::Distribution => run
            .inventories
            .iter()
            .any(|inventory| inventory.scope.account == arn.account() && inventory.path_facts.distributions.known().is_some()),
        NodeKind::Queue
        | NodeKind::DeliveryStream
        | NodeKind::DataStream
        | NodeKind::Channel
        | NodeKind::Function
        | NodeKind::Principal
        | NodeKind::Service
        | NodeKind::Endpoint
        | NodeKind::Anybody
        | NodeKind::Other => false,
    }
}

/// A resource that principals of the policy may stand beside.
struct Listed<'a> {
    arn: Arn,
    usable_by: &'a UsableBy,
    writes: Option<Use>,
    reads: Option<Use>,
    /// Firehose asks its producers for the key only on streams that are young enough, yet.
    enforced: bool,
}

/// Adds the principals that the policy names for the key of a resource: producers where nothing else flows in, consumers
/// where nothing flows on.
pub(crate) fn add_listed(builder: &mut Builder<'_>) {
    let listed = listed(builder);
    let is_side = |kind: HopKind| matches!(kind, HopKind::DeadLetter | HopKind::AccessLog | HopKind::Replication);
    let begins: BTreeSet<String> =
        listed.iter().filter(|one| builder.hops_into(one.arn.as_str()).next().is_none()).map(|one| one.arn.to_string()).collect();
    let ends: BTreeSet<String> = listed
        .iter()
        .filter(|one| builder.hops_out_of(one.arn.as_str()).all(|hop| is_side(hop.kind)))
        .map(|one| one.arn.to_string())
        .collect();
    for one in &listed {
        if let Some(using) = one.writes.filter(|_| begins.contains(one.arn.as_str())) {
            one.usable_by.producers.iter().for_each(|principal| add_principal(builder, one, principal, using, Direction::In));
        }
        if let Some(using) = one.reads.filter(|_| ends.contains(one.arn.as_str())) {
            one.usable_by.consumers.iter().for_each(|principal| add_principal(builder, one, principal, using, Direction::Out));
        }
    }
}

fn add_principal(builder: &mut Builder<'_>, one: &Listed<'_>, principal: &str, using: Use, direction: Direction) {
    let needs = if one.enforced { builder.needs_of(&one.arn, Principal::Aws(principal.to_owned()), &using, None) } else { Vec::new() };
    builder.add(between(&one.arn, principal, direction, "").needing(needs));
}

fn listed<'a>(builder: &Builder<'a>) -> Vec<Listed<'a>> {
    let run = &builder.run;
    let mut listed = Vec::new();
    let mut note = |inventory: &'a Inventory, arn: &Arn, asked: Asked, uses: (Option<Use>, Option<Use>), enforced: bool| {
        let in_use = builder.keys.get(arn.as_str()).map(|(_, key)| key.clone());
        let key = asked.key.or(in_use).and_then(|reference| run.listed_key(inventory, &reference));
        if let Some(usable_by) = key.and_then(|key| key.usable_by.as_ref()) {
            listed.push(Listed { arn: arn.clone(), usable_by, writes: uses.0, reads: uses.1, enforced });
        }
    };
    for inventory in run.inventories {
        for bucket in inventory.buckets.values() {
            note(inventory, &bucket.arn, nodes::asked_of_bucket(run, inventory, bucket), (Some(PUT), Some(GET)), true);
        }
        for queue in inventory.queues.values() {
            note(inventory, &queue.arn, nodes::asked_of_queue(run, inventory, queue), (Some(SEND), Some(RECEIVE)), true);
        }
        for topic in inventory.topics.values() {
            note(inventory, &topic.arn, nodes::asked_of_topic(run, inventory, topic), (Some(PUBLISH), None), true);
        }
        for stream in inventory.delivery_streams.values() {
            let Some(description) = stream.description.known().filter(|description| description.stream_type == "DirectPut") else {
                continue;
            };
            let enforced = crate::firehose::producers::are_checked(description, inventory.observed_at);
            note(inventory, &stream.arn, nodes::asked_of_delivery_stream(run, inventory, stream), (Some(PUT_DELIVERY), None), enforced);
        }
        for stream in inventory.data_streams.values() {
            note(inventory, &stream.arn, nodes::asked_of_data_stream(run, inventory, stream), (Some(PUT_RECORD), Some(GET_RECORDS)), true);
        }
    }
    listed
}
