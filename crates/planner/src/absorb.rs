//! Taking a partial observation into an inventory: how a change event, a gate's facts and the read after
//! a write reach the one inventory that everything is planned from.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{Bucket, DataStream, DbProxy, DeliveryStream, Key, Queue, Topic};
use crate::{Arn, Inventory, Reading, Service};

/// A resource of which a part may have been read anew.
trait Refresh {
    fn refresh(&mut self, newer: Self);
}

macro_rules! refresh {
    ($name:ident { same: $($same:ident),*; newest: $($newest:ident),*; read: $($read:ident),+ $(,)? }) => {
        impl Refresh for $name {
            fn refresh(&mut self, newer: Self) {
                let Self { $($same: _,)* $($newest,)* $($read),+ } = newer;
                $(self.$newest = $newest;)*
                $(self.$read.refresh($read);)+
            }
        }
    };
}
refresh!(Bucket { same: arn, name; newest: ; read: encryption, document, tags, website, log_delivery_acl, logging_target, replication, notifications, public_access });
refresh!(Queue { same: arn; newest: url; read: attributes, tags });
refresh!(Topic { same: arn; newest: ; read: attributes, tags });
refresh!(DeliveryStream { same: arn, name; newest: ; read: description, tags, kms_errors });
refresh!(DataStream { same: arn, name; newest: ; read: summary, tags });
refresh!(DbProxy { same: arn; newest: name, engine_family, status, require_tls; read: databases, clients });
refresh!(Key { same: arn; newest: ; read: metadata, document, rotation });

impl Inventory {
    /// Takes in what a partial observation of `targets` saw: its resources replace ours, a target that it
    /// did not see is gone; what it did not read (settings, tags, facts) stays as it was. Targets of a
    /// service that could not be listed stay: not seen is not gone.
    pub fn absorb(&mut self, partial: Self, targets: &BTreeSet<Arn>) {
        for target in targets {
            let listed = service_of(target).is_some_and(|service| !partial.unlisted.contains_key(&service));
            if listed && !partial.holds(target) {
                self.forget(target);
            }
        }
        let Self {
            scope: _,
            observed_at,
            buckets,
            queues,
            topics,
            subscriptions,
            delivery_streams,
            data_streams,
            db_instances,
            db_clusters,
            db_parameter_groups,
            db_cluster_parameter_groups,
            db_proxies,
            keys,
            aliases,
            keys_awaiting_alias,
            path_facts,
            migrations,
            sessions,
            live_tls,
            unlisted: _,
        } = partial;
        self.observed_at = self.observed_at.max(observed_at);
        take_in(&mut self.buckets, buckets);
        take_in(&mut self.queues, queues);
        take_in(&mut self.topics, topics);
        take_in(&mut self.delivery_streams, delivery_streams);
        take_in(&mut self.data_streams, data_streams);
        take_in(&mut self.keys, keys);
        self.db_instances.extend(db_instances);
        self.db_clusters.extend(db_clusters);
        self.db_parameter_groups.extend(db_parameter_groups);
        self.db_cluster_parameter_groups.extend(db_cluster_parameter_groups);
        match (&mut self.db_proxies, db_proxies) {
            (Reading::Known(ours), Reading::Known(theirs)) => take_in(ours, theirs),
            (ours, newer) => ours.refresh(newer),
        }
        self.subscriptions.refresh(subscriptions);
        self.aliases.refresh(aliases);
        self.keys_awaiting_alias.refresh(keys_awaiting_alias);
        self.path_facts.refresh(path_facts);
        self.migrations.refresh(migrations);
        self.sessions.extend(sessions.into_iter().filter(|(_, count)| !count.is_not_read()));
        self.live_tls.extend(live_tls.into_iter().filter(|(_, met)| !met.is_not_read()));
    }

    /// The resource is in this inventory. Aliases are never "gone": the listing of aliases says what there is.
    pub fn holds(&self, resource: &Arn) -> bool {
        match resource.service() {
            "s3" => self.buckets.contains_key(resource),
            "sqs" => self.queues.contains_key(resource),
            "sns" => self.topics.contains_key(resource),
            "firehose" => self.delivery_streams.contains_key(resource),
            "kinesis" => self.data_streams.contains_key(resource),
            "rds" => {
                let is_proxy = self.db_proxies.known().is_some_and(|proxies| proxies.contains_key(resource));
                is_proxy || self.db_instances.contains_key(resource) || self.db_clusters.contains_key(resource)
            }
            "kms" => resource.resource().starts_with("alias/") || self.keys.contains_key(resource),
            _ => false,
        }
    }

    /// Drops a resource that does not exist any more.
    pub fn forget(&mut self, resource: &Arn) {
        self.buckets.remove(resource);
        self.queues.remove(resource);
        self.topics.remove(resource);
        self.delivery_streams.remove(resource);
        self.data_streams.remove(resource);
        self.db_instances.remove(resource);
        self.db_clusters.remove(resource);
        if let Reading::Known(proxies) = &mut self.db_proxies {
            proxies.remove(resource);
        }
        self.sessions.remove(resource);
        self.live_tls.remove(resource);
        self.keys.remove(resource);
    }
}

fn take_in<R: Refresh>(ours: &mut BTreeMap<Arn, R>, theirs: BTreeMap<Arn, R>) {
    for (arn, newer) in theirs {
        match ours.get_mut(&arn) {
            Some(resource) => resource.refresh(newer),
            None => {
                ours.insert(arn, newer);
            }
        }
    }
}

/// The service whose resources bear such an ARN.
pub fn service_of(arn: &Arn) -> Option<Service> {
    Service::from_id(arn.service())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Scope;
    use crate::inventory::{ErrorClass, QueueAttributes, Role, SessionCount, Unreadable};

    fn scope() -> Scope {
        Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() }
    }

    fn queue(name: &str) -> Queue {
        let arn = scope().arn("sqs", name);
        Queue { arn, url: format!("http://q/{name}"), attributes: Reading::NotRead, tags: Reading::NotRead }
    }

    fn with_queue(name: &str, attributes: Reading<QueueAttributes>) -> Inventory {
        let mut inventory = Inventory::empty(scope(), 10);
        let mut one = queue(name);
        one.attributes = attributes;
        one.tags = Reading::Known(BTreeMap::from([("team".into(), "a".into())]));
        inventory.queues.insert(one.arn.clone(), one);
        inventory
    }

    #[test]
    fn a_target_that_was_not_seen_is_gone_and_others_stay() {
        let mut ours = with_queue("gone", Reading::NotRead);
        ours.queues.insert(queue("stays").arn.clone(), queue("stays"));
        ours.absorb(Inventory::empty(scope(), 20), &BTreeSet::from([queue("gone").arn]));
        assert_eq!(ours.queues.keys().map(Arn::name).collect::<Vec<_>>(), ["stays"]);
        assert_eq!(ours.observed_at, 20);
    }

    #[test]
    fn a_target_of_a_service_that_could_not_be_listed_stays() {
        let mut ours = with_queue("q", Reading::NotRead);
        let mut partial = Inventory::empty(scope(), 20);
        let why = Unreadable { class: ErrorClass::Denied, operation: "GetQueueUrl".into(), missing_action: None, message: "no".into() };
        partial.unlisted.insert(Service::Sqs, why);
        ours.absorb(partial, &BTreeSet::from([queue("q").arn]));
        assert_eq!(ours.queues.len(), 1);
    }

    #[test]
    fn what_was_not_read_again_is_kept_and_what_was_replaces() {
        let mut ours = with_queue("q", Reading::NotRead);
        let mut partial = Inventory::empty(scope(), 20);
        let mut newer = queue("q");
        newer.attributes = Reading::Known(QueueAttributes { sqs_managed_sse: true, ..QueueAttributes::default() });
        partial.queues.insert(newer.arn.clone(), newer);
        ours.absorb(partial, &BTreeSet::from([queue("q").arn]));
        let after = &ours.queues[&queue("q").arn];
        assert!(after.attributes.known().unwrap().sqs_managed_sse);
        assert_eq!(after.tags.known().unwrap()["team"], "a");
    }

    #[test]
    fn roles_come_a_few_at_a_time_and_an_unreadable_one_is_not_taken_for_unasked() {
        let roles = |names: &[&str]| {
            let mut part = Inventory::empty(scope(), 1);
            let role = |name: &&str| {
                (Arn::new("aws", "iam", "", "1", &format!("role/{name}")), Role { policies: vec![(*name).to_owned()], boundary: None })
            };
            part.path_facts.roles = Reading::Known(names.iter().map(role).collect());
            part
        };
        let mut ours = Inventory::empty(scope(), 1);
        ours.absorb(roles(&["a"]), &BTreeSet::new());
        ours.absorb(roles(&["b"]), &BTreeSet::new());
        ours.absorb(Inventory::empty(scope(), 1), &BTreeSet::new());
        assert_eq!(ours.path_facts, roles(&["a", "b"]).path_facts);
        let mut refused = Inventory::empty(scope(), 1);
        let why = Unreadable { class: ErrorClass::Denied, operation: "GetRole".into(), missing_action: None, message: "no".into() };
        refused.path_facts.roles = Reading::Unreadable { unreadable: why };
        ours.absorb(refused.clone(), &BTreeSet::new());
        assert_eq!(ours.path_facts, refused.path_facts);
    }

    #[test]
    fn sessions_counted_anew_replace_the_count_and_go_with_their_database() {
        let (orders, payments) = (scope().arn("rds", "db:orders"), scope().arn("rds", "db:payments"));
        let count = |plain| Reading::Known(SessionCount { plain, ..SessionCount::default() });
        let mut ours = Inventory::empty(scope(), 1);
        ours.sessions = BTreeMap::from([(orders.clone(), count(3)), (payments.clone(), count(2))]);
        let mut partial = Inventory::empty(scope(), 2);
        partial.sessions = BTreeMap::from([(orders.clone(), count(0)), (payments.clone(), Reading::NotRead)]);
        ours.absorb(partial, &BTreeSet::new());
        assert_eq!(ours.sessions, BTreeMap::from([(orders.clone(), count(0)), (payments.clone(), count(2))]));
        ours.absorb(Inventory::empty(scope(), 3), &BTreeSet::from([orders]));
        assert_eq!(ours.sessions, BTreeMap::from([(payments, count(2))]));
    }

    #[test]
    fn aliases_as_targets_never_drop_keys() {
        let mut ours = Inventory::empty(scope(), 1);
        let key = scope().arn("kms", "key/1");
        ours.keys.insert(
            key.clone(),
            Key { arn: key.clone(), metadata: Reading::NotRead, document: Reading::NotRead, rotation: Reading::NotRead },
        );
        ours.absorb(Inventory::empty(scope(), 2), &BTreeSet::from([scope().arn("kms", "alias/finance")]));
        assert!(ours.keys.contains_key(&key));
    }
}
