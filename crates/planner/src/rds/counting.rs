//! Whose sessions are to be counted, where, and with whose login: said here, done elsewhere.
//!
//! Nothing is counted but what a plan asked for by name ([`crate::Plan::facts_to_read`]): a count costs the database a login.
//! A cluster's sessions are those of all its members, each of which is asked by itself.

use std::collections::BTreeSet;

use super::desired::is_of_rds;
use super::observed::{DbCluster, DbEndpoint, DbInstance};
use super::plan::selected;
use crate::plan::{Context, Past};
use crate::policy::PolicySet;
use crate::policy::model::{DatabaseInTransit, Monitoring};
use crate::{Arn, Inventory};

/// A database whose sessions are to be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedCount {
    /// An instance on its own, or a cluster.
    pub database: Arn,
    /// RDS's name of the engine.
    pub engine: String,
    /// Every server of it; or why not all are known, in words.
    pub servers: Result<Vec<DbEndpoint>, String>,
    /// Where the login is found.
    pub monitoring: Monitoring,
    /// The file of trusted authorities that the policy names.
    pub ca_bundle: Option<String>,
}

/// The databases among `asked` whose rule wants TLS and gives a login.
pub fn wanted_counts(policies: &PolicySet, inventory: &Inventory, asked: &BTreeSet<Arn>) -> Vec<WantedCount> {
    let past = Past::default();
    let cx = Context { policies, inventory, now: inventory.observed_at, past: &past };
    let wanted = |arn: &Arn, name: &str, engine: &str, tags: &_, servers: Result<Vec<DbEndpoint>, String>| {
        let in_transit = selected(&cx, name, engine, tags)?.rule.in_transit.as_ref()?;
        let DatabaseInTransit { require_tls: true, monitoring: Some(monitoring), ca_bundle, .. } = in_transit else { return None };
        let (monitoring, ca_bundle) = (monitoring.clone(), ca_bundle.clone());
        is_of_rds(engine).then(|| WantedCount { database: arn.clone(), engine: engine.to_owned(), servers, monitoring, ca_bundle })
    };
    let alone = inventory.db_instances.values().filter(|one| one.cluster.is_none() && asked.contains(&one.arn)).filter_map(|one| {
        let DbInstance { arn, identifier, engine, tags, .. } = one;
        wanted(arn, identifier, engine, tags, server(one).map(|one| vec![one]))
    });
    let clusters = inventory.db_clusters.values().filter(|one| asked.contains(&one.arn)).filter_map(|one| {
        let DbCluster { arn, identifier, engine, tags, .. } = one;
        wanted(arn, identifier, engine, tags, servers(inventory, one))
    });
    alone.chain(clusters).collect()
}

/// Members of the clusters among `asked` that the inventory does not hold: their endpoints are needed first.
pub fn unread_members(inventory: &Inventory, asked: &BTreeSet<Arn>) -> BTreeSet<Arn> {
    let clusters = inventory.db_clusters.values().filter(|cluster| asked.contains(&cluster.arn));
    let members =
        clusters.flat_map(|cluster| &cluster.members).map(|member| inventory.scope.arn("rds", &format!("db:{}", member.instance)));
    members.filter(|member| !inventory.db_instances.contains_key(member)).collect()
}

fn servers(inventory: &Inventory, cluster: &DbCluster) -> Result<Vec<DbEndpoint>, String> {
    let member = |name: &str| {
        let read = inventory.db_instances.values().find(|instance| instance.identifier == name);
        server(read.ok_or_else(|| format!("member {name} could not be read"))?)
    };
    if cluster.members.is_empty() {
        return Err("the cluster has no members".to_owned());
    }
    cluster.members.iter().map(|read| member(&read.instance)).collect()
}

fn server(instance: &DbInstance) -> Result<DbEndpoint, String> {
    instance.endpoint.clone().ok_or_else(|| format!("AWS shows no endpoint of {} yet", instance.identifier))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::policy::{Source, load};

    const RULES: &str = r#"
apiVersion: everseal.io/v1
kind: EncryptionPolicy
metadata: { name: finance }
spec:
  rds:
    - { name: spared, match: { names: ["spared-*"] }, inTransit: { requireTls: false, verify: false } }
    - { name: blind, match: { names: ["blind-*"] }, inTransit: { requireTls: true } }
    - { name: all, inTransit: { requireTls: true, caBundle: /etc/rds.pem, monitoring: { environment: ORDERS } } }
"#;

    fn policies() -> PolicySet {
        load(&[Source { file: "policy".to_owned(), text: RULES.to_owned() }], 0).unwrap().set
    }

    fn arn(resource: &str) -> Arn {
        Arn::parse(&format!("arn:aws:rds:us-east-1:111122223333:{resource}")).unwrap()
    }

    fn endpoint(name: &str) -> DbEndpoint {
        DbEndpoint { address: format!("{name}.c1abc.us-east-1.rds.amazonaws.com"), port: 5432 }
    }

    fn instance(name: &str, engine: &str, cluster: Option<&str>, reachable: bool) -> DbInstance {
        let mut json = json!({ "arn": arn(&format!("db:{name}")), "identifier": name, "engine": engine, "engineVersion": "15.4",
            "status": "available" });
        json["cluster"] = cluster.map_or(serde_json::Value::Null, Into::into);
        if reachable {
            json["endpoint"] = serde_json::to_value(endpoint(name)).unwrap();
        }
        serde_json::from_value(json).unwrap()
    }

    fn cluster(name: &str, members: &[&str]) -> DbCluster {
        let members: Vec<_> = members.iter().map(|name| json!({ "instance": name, "parameterGroupStatus": "in-sync" })).collect();
        let json = json!({ "arn": arn(&format!("cluster:{name}")), "identifier": name, "engine": "aurora-postgresql",
            "engineVersion": "15.4", "status": "available", "parameterGroup": "default.aurora-postgresql15", "members": members });
        serde_json::from_value(json).unwrap()
    }

    fn inventory(instances: Vec<DbInstance>, clusters: Vec<DbCluster>) -> Inventory {
        let mut inventory =
            Inventory::empty(crate::Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() }, 1);
        inventory.db_instances = instances.into_iter().map(|one| (one.arn.clone(), one)).collect();
        inventory.db_clusters = clusters.into_iter().map(|one| (one.arn.clone(), one)).collect();
        inventory
    }

    fn all(inventory: &Inventory) -> BTreeSet<Arn> {
        inventory.db_instances.keys().chain(inventory.db_clusters.keys()).cloned().collect()
    }

    #[test]
    fn only_what_was_asked_for_is_counted_and_only_with_a_login_and_where_tls_is_wanted() {
        let names = ["orders", "spared-orders", "blind-orders"];
        let mut instances: Vec<_> = names.iter().map(|name| instance(name, "postgres", None, true)).collect();
        instances.push(instance("graph", "neptune", None, true));
        let inventory = inventory(instances, Vec::new());
        let wanted = wanted_counts(&policies(), &inventory, &all(&inventory));
        let monitoring = Monitoring { secrets_manager: None, environment: Some("ORDERS".to_owned()) };
        let ca_bundle = Some("/etc/rds.pem".to_owned());
        let orders = WantedCount {
            database: arn("db:orders"),
            engine: "postgres".into(),
            servers: Ok(vec![endpoint("orders")]),
            monitoring,
            ca_bundle,
        };
        assert_eq!(wanted, [orders]);
        assert_eq!(wanted_counts(&policies(), &inventory, &BTreeSet::new()), []);
    }

    #[test]
    fn a_cluster_is_all_its_members_and_a_member_is_nothing_of_its_own() {
        let member = |name: &str, reachable| instance(name, "aurora-postgresql", Some("ledger"), reachable);
        let whole = inventory(vec![member("ledger-1", true), member("ledger-2", true)], vec![cluster("ledger", &["ledger-1", "ledger-2"])]);
        let wanted = wanted_counts(&policies(), &whole, &all(&whole));
        assert_eq!(wanted.len(), 1);
        assert_eq!(wanted[0].database, arn("cluster:ledger"));
        assert_eq!(wanted[0].servers, Ok(vec![endpoint("ledger-1"), endpoint("ledger-2")]));
        assert_eq!(unread_members(&whole, &all(&whole)), BTreeSet::new());
    }

    #[test]
    fn a_cluster_of_which_a_member_is_not_known_is_not_counted_in_part() {
        let member = |name: &str, reachable| instance(name, "aurora-postgresql", Some("ledger"), reachable);
        let cluster = |members: &[&str]| vec![cluster("ledger", members)];
        let asked = BTreeSet::from([arn("cluster:ledger")]);
        let cases = [
            (
                inventory(vec![member("ledger-1", true)], cluster(&["ledger-1", "ledger-2"])),
                "member ledger-2 could not be read",
                vec!["db:ledger-2"],
            ),
            (inventory(vec![member("ledger-1", false)], cluster(&["ledger-1"])), "AWS shows no endpoint of ledger-1 yet", vec![]),
            (inventory(Vec::new(), cluster(&[])), "the cluster has no members", vec![]),
        ];
        for (inventory, why, unread) in cases {
            assert_eq!(wanted_counts(&policies(), &inventory, &asked)[0].servers, Err(why.to_owned()));
            assert_eq!(unread_members(&inventory, &asked), unread.into_iter().map(arn).collect::<BTreeSet<_>>());
            assert_eq!(unread_members(&inventory, &BTreeSet::new()), BTreeSet::new());
        }
    }
}
