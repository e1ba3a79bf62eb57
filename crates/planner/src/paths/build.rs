//! Builds the graph: nodes of every inventory first, then every hop that was observed, then whoever documents and the
//! policy name. A hop found twice is one hop with the needs of both.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Graph, Hop, HopKind, Need, Node, NodeKind, Transport, Trouble};
use super::run::Run;
use super::sources::{Use, Used};
use super::{cloudfront, events, hops, needs, nodes, people};
use crate::document::Principal;
use crate::plan::keys::KeyUser;
use crate::{Arn, Inventory, PolicySet};

/// The graph that inventories of one run show together.
pub fn graph(policies: &PolicySet, inventories: &[&Inventory]) -> Graph {
    let mut builder = Builder {
        run: Run::new(policies, inventories),
        graph: Graph::default(),
        keys: BTreeMap::new(),
        inward: BTreeMap::new(),
        outward: BTreeMap::new(),
    };
    for inventory in inventories {
        builder.add_nodes(inventory);
    }
    for inventory in inventories {
        hops::add(&mut builder, inventory);
        events::add(&mut builder, inventory);
        cloudfront::add(&mut builder, inventory);
    }
    for inventory in inventories {
        people::add_documented(&mut builder, inventory);
    }
    people::add_listed(&mut builder);
    let mut graph = builder.graph;
    drop_lonely(&mut graph);
    graph
}

/// A resource that no data flows to or from is on no path.
fn drop_lonely(graph: &mut Graph) {
    let on_paths: BTreeSet<&String> = graph.hops.values().flat_map(|hop| [&hop.from, &hop.to]).collect();
    let lonely: Vec<String> = graph.nodes.keys().filter(|id| !on_paths.contains(id)).cloned().collect();
    for id in lonely {
        graph.nodes.remove(&id);
    }
}

/// A graph while it grows.
pub(crate) struct Builder<'a> {
    pub(crate) run: Run<'a>,
    pub(crate) graph: Graph,
    /// Resources under a KMS key: where they were observed, and the key as written.
    pub(crate) keys: BTreeMap<String, (&'a Inventory, String)>,
    inward: BTreeMap<String, Vec<(String, HopKind)>>,
    outward: BTreeMap<String, Vec<(String, HopKind)>>,
}

/// A hop to be added.
pub(crate) struct NewHop {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kind: HopKind,
    pub(crate) by: String,
    pub(crate) transport: Transport,
    pub(crate) needs: Vec<Need>,
    pub(crate) troubles: Vec<Trouble>,
}

impl NewHop {
    /// A hop that AWS makes itself, over TLS.
    pub(crate) fn aws(from: &Arn, to: &str, kind: HopKind, by: &str) -> Self {
        Self {
            from: from.to_string(),
            to: to.to_owned(),
            kind,
            by: by.to_owned(),
            transport: Transport::Tls,
            needs: Vec::new(),
            troubles: Vec::new(),
        }
    }

    pub(crate) fn needing(mut self, needs: Vec<Need>) -> Self {
        self.needs.extend(needs);
        self
    }

    pub(crate) fn over(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    pub(crate) fn troubled(mut self, trouble: impl IntoIterator<Item = Trouble>) -> Self {
        self.troubles.extend(trouble);
        self
    }
}

impl<'a> Builder<'a> {
    fn add_nodes(&mut self, inventory: &'a Inventory) {
        let run = &self.run;
        let mut seen: Vec<nodes::Seen> = Vec::new();
        seen.extend(inventory.buckets.values().map(|bucket| nodes::bucket(run, inventory, bucket)));
        seen.extend(inventory.queues.values().map(|queue| nodes::queue(run, inventory, queue)));
        seen.extend(inventory.topics.values().map(|topic| nodes::topic(run, inventory, topic)));
        seen.extend(inventory.delivery_streams.values().map(|stream| nodes::delivery_stream(inventory, stream)));
        seen.extend(inventory.data_streams.values().map(|stream| nodes::data_stream(inventory, stream)));
        for nodes::Seen { node, key } in seen {
            if let Some(key) = key {
                self.keys.insert(node.id.clone(), (inventory, key));
            }
            self.graph.nodes.insert(node.id.clone(), node);
        }
    }

    /// Adds a hop, and its ends where nobody has yet.
    pub(crate) fn add(&mut self, new: NewHop) {
        let NewHop { from, to, kind, by, transport, needs, troubles } = new;
        for end in [&from, &to] {
            if !self.graph.nodes.contains_key(end) {
                let node = nodes::elsewhere(&self.run, end);
                self.graph.nodes.insert(end.clone(), node);
            }
        }
        let id = (from.clone(), to.clone(), kind);
        let hop = self.graph.hops.entry(id).or_insert_with(|| {
            self.outward.entry(from.clone()).or_default().push((to.clone(), kind));
            self.inward.entry(to.clone()).or_default().push((from.clone(), kind));
            Hop { from, to, kind, by, transport, needs: Vec::new(), troubles: Vec::new() }
        });
        hop.transport = hop.transport.max(transport);
        for need in needs {
            if !hop.needs.contains(&need) {
                hop.troubles.extend(needs::trouble(&need));
                hop.needs.push(need);
            }
        }
        for trouble in troubles {
            if !hop.troubles.contains(&trouble) {
                hop.troubles.push(trouble);
            }
        }
    }

    /// A node that is no resource of an inventory, with a kind and words of its own.
    pub(crate) fn stand_in(&mut self, id: &str, kind: NodeKind, at_rest: &str) {
        let node = Node { id: id.to_owned(), kind, at_rest: at_rest.to_owned(), key: None, troubles: Vec::new() };
        self.graph.nodes.entry(id.to_owned()).or_insert(node);
    }

    pub(crate) fn hops_into(&self, id: &str) -> impl Iterator<Item = &Hop> {
        let known = self.inward.get(id).map(Vec::as_slice).unwrap_or_default();
        known.iter().filter_map(move |(from, kind)| self.graph.hops.get(&(from.clone(), id.to_owned(), *kind)))
    }

    pub(crate) fn hops_out_of(&self, id: &str) -> impl Iterator<Item = &Hop> {
        let known = self.outward.get(id).map(Vec::as_slice).unwrap_or_default();
        known.iter().filter_map(move |(to, kind)| self.graph.hops.get(&(id.to_owned(), to.clone(), *kind)))
    }

    /// What `principal` needs of a resource's own key; nothing where the resource has none.
    pub(crate) fn needs_of(&self, resource: &Arn, principal: Principal, using: &Use, acts_for: Option<&Arn>) -> Vec<Need> {
        let Some((inventory, key)) = self.keys.get(resource.as_str()) else { return Vec::new() };
        let user = user_of(inventory, resource, principal, using, acts_for);
        vec![needs::judge(&self.run, inventory, key, &user)]
    }

    /// The same of another key than the resource's own.
    pub(crate) fn needs_of_key(&self, key: &str, resource: &Arn, principal: Principal, using: &Use) -> Option<Need> {
        let inventory = self.run.holder(resource).or_else(|| self.run.inventories.first().copied())?;
        let user = user_of(inventory, resource, principal, using, None);
        Some(needs::judge(&self.run, inventory, key, &user))
    }
}

fn noun(resource: &Arn) -> &'static str {
    match nodes::kind_of(resource) {
        NodeKind::Queue => "queue",
        NodeKind::Topic => "topic",
        NodeKind::Bucket => "bucket",
        NodeKind::DeliveryStream => "delivery stream",
        NodeKind::DataStream => "data stream",
        _ => "resource",
    }
}

/// A user of a resource's key, with what AWS certainly tells KMS of it.
fn user_of(inventory: &Inventory, resource: &Arn, principal: Principal, using: &Use, acts_for: Option<&Arn>) -> KeyUser {
    let used = Used { arn: resource, kind: noun(resource), inventory };
    let mut context = match (&principal, acts_for) {
        (Principal::Aws(name), _) => used.forwarded(name),
        // EventBridge sends neither key when it publishes to an encrypted topic. [SNS: Managing keys and costs]
        (Principal::Service(service), _) if service == "events.amazonaws.com" && used.kind == "topic" => BTreeMap::new(),
        (Principal::Service(_), Some(source)) => acting_for(source, &inventory.scope.account),
        (Principal::Service(_), None) => BTreeMap::new(),
    };
    match used.kind {
        "bucket" => {
            let told = told_of_bucket(inventory, resource);
            context.insert("kms:encryptioncontext:aws:s3:arn".to_owned(), vec![told]);
        }
        "data stream" => {
            context.insert("kms:encryptioncontext:aws:kinesis:arn".to_owned(), vec![resource.to_string()]);
        }
        _ => {}
    }
    used.user(principal, using, context)
}

/// A bucket's ARN names no account: it is the one whose inventory holds it, as far as anybody knows.
fn acting_for(source: &Arn, account: &str) -> BTreeMap<String, Vec<String>> {
    let account = if source.account().is_empty() { account } else { source.account() };
    BTreeMap::from([("aws:sourcearn".to_owned(), vec![source.to_string()]), ("aws:sourceaccount".to_owned(), vec![account.to_owned()])])
}

/// S3 tells KMS the bucket's ARN where a bucket key is used, else the object's. [S3 Bucket Keys]
fn told_of_bucket(inventory: &Inventory, bucket: &Arn) -> String {
    let encryption = inventory.buckets.get(bucket).and_then(|bucket| bucket.encryption.known());
    let bucket_key = encryption.and_then(|rule| rule.as_ref()).is_some_and(|rule| rule.bucket_key);
    if bucket_key { bucket.to_string() } else { format!("{bucket}/object") }
}
