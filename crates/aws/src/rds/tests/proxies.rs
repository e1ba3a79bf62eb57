//! Proxies and reboots: what is asked, what is sent, and what an answer that is not whole means.

use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::inventory::{DbProxy, ErrorClass, Reading};
use everseal_planner::plan::change::ParameterGroupKind;
use everseal_planner::plan::{Change, Reads, Target};
use everseal_planner::{Arn, Inventory};

use super::{action, actions, arn, fields, form, marker, pairs, refused, xml};
use crate::rds::{apply, observe};
use crate::testing::{Answer, Seen, Wire};

async fn sent(change: &Change) -> Vec<Seen> {
    let wire = Wire::new(|seen| xml(&action(seen), ""));
    apply(&wire.context(), &arn("db:a"), change).await.unwrap();
    wire.seen()
}

#[tokio::test]
async fn a_reboot_has_no_failover_and_a_multi_az_cluster_is_rebooted_as_one() {
    let reboot = |kind| Change::RebootDatabase { kind, database: "a".to_owned() };
    let seen = sent(&reboot(ParameterGroupKind::Instance)).await;
    assert_eq!(actions(&seen), ["RebootDBInstance"]);
    assert_eq!(fields(&seen[0]), pairs(&[("DBInstanceIdentifier", "a"), ("ForceFailover", "false")]));
    let seen = sent(&reboot(ParameterGroupKind::Cluster)).await;
    assert_eq!(actions(&seen), ["RebootDBCluster"]);
    assert_eq!(fields(&seen[0]), pairs(&[("DBClusterIdentifier", "a")]));
}

#[tokio::test]
async fn a_proxy_is_told_to_require_tls_and_nothing_else() {
    let seen = sent(&Change::ProxyTls { proxy: "front".to_owned() }).await;
    assert_eq!(actions(&seen), ["ModifyDBProxy"]);
    assert_eq!(fields(&seen[0]), pairs(&[("DBProxyName", "front"), ("RequireTLS", "true")]));
}

fn proxy_arn(number: u8) -> Arn {
    arn(&format!("db-proxy:prx-{number:017}"))
}

fn proxy(number: u8, name: &str, require_tls: bool) -> String {
    format!(
        "<member><DBProxyName>{name}</DBProxyName><DBProxyArn>{}</DBProxyArn><Status>available</Status>\
         <EngineFamily>POSTGRESQL</EngineFamily><RequireTLS>{require_tls}</RequireTLS></member>",
        proxy_arn(number)
    )
}

fn target(kind: &str, id: &str, cluster: &str) -> String {
    let cluster = if cluster.is_empty() { String::new() } else { format!("<TrackedClusterId>{cluster}</TrackedClusterId>") };
    format!("<member><Type>{kind}</Type><RdsResourceId>{id}</RdsResourceId>{cluster}</member>")
}

fn one_instance() -> Answer {
    let instance = format!(
        "<DBInstance><DBInstanceIdentifier>a</DBInstanceIdentifier><DBInstanceArn>{}</DBInstanceArn><Engine>postgres</Engine></DBInstance>",
        arn("db:a")
    );
    xml("DescribeDBInstances", &format!("<DBInstances>{instance}</DBInstances>"))
}

async fn observed(target: &Target, answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Inventory, Vec<String>) {
    let wire = Wire::new(answer);
    let reads = Reads { proxies: true, ..Reads::nothing() };
    let inventory = observe(&wire.context(), target, &reads).await;
    (inventory, actions(&wire.seen()))
}

fn estate(seen: &Seen) -> Answer {
    let form = form(seen);
    let targets = |list: &str| xml("DescribeDBProxyTargets", &format!("<Targets>{list}</Targets>"));
    match (action(seen).as_str(), form.get("DBProxyName").map(String::as_str), form.get("Marker").map(String::as_str)) {
        ("DescribeDBInstances", ..) => one_instance(),
        ("DescribeDBProxies", _, None) => {
            let first = proxy(1, "alone", false) + &proxy(2, "aurora", true);
            xml("DescribeDBProxies", &format!("<DBProxies>{first}</DBProxies>{}", marker(Some("m1"))))
        }
        ("DescribeDBProxies", _, Some("m1")) => {
            let second = proxy(3, "gone", false) + &proxy(4, "hidden", false);
            xml("DescribeDBProxies", &format!("<DBProxies>{second}</DBProxies>"))
        }
        ("DescribeDBProxyTargets", Some("alone"), _) => targets(&target("RDS_INSTANCE", "a", "")),
        ("DescribeDBProxyTargets", Some("aurora"), _) => {
            targets(&(target("TRACKED_CLUSTER", "ledger", "") + &target("RDS_INSTANCE", "ledger-1", "ledger")))
        }
        ("DescribeDBProxyTargets", Some("gone"), _) => refused(404, "DBProxyNotFoundFault"),
        ("DescribeDBProxyTargets", Some("hidden"), _) => refused(403, "AccessDenied"),
        (other, ..) => xml(other, ""),
    }
}

fn databases(proxy: &DbProxy) -> BTreeSet<&str> {
    proxy.databases.known().unwrap().iter().map(String::as_str).collect()
}

#[tokio::test]
async fn proxies_are_listed_to_the_end_with_the_databases_behind_them() {
    let (inventory, _) = observed(&Target::Everything, estate).await;
    let proxies = inventory.db_proxies.known().unwrap();
    assert_eq!(proxies.keys().collect::<Vec<_>>(), [&proxy_arn(1), &proxy_arn(2), &proxy_arn(4)], "one is gone meanwhile");
    let alone = &proxies[&proxy_arn(1)];
    assert_eq!((alone.name.as_str(), alone.status.as_str(), alone.require_tls), ("alone", "available", false));
    assert_eq!(databases(alone), BTreeSet::from(["db:a"]));
    assert_eq!(databases(&proxies[&proxy_arn(2)]), BTreeSet::from(["cluster:ledger"]), "a member is its cluster's");
    let Reading::Unreadable { unreadable } = &proxies[&proxy_arn(4)].databases else { panic!("what is refused is not empty") };
    assert_eq!(unreadable.missing_action.as_deref(), Some("rds:DescribeDBProxyTargets"));
}

#[tokio::test]
async fn a_partial_look_sees_the_proxies_that_it_is_about() {
    let only = Target::Resources(BTreeSet::from([proxy_arn(2)]));
    let (inventory, _) = observed(&only, estate).await;
    assert_eq!(inventory.db_proxies.known().unwrap().keys().collect::<Vec<_>>(), [&proxy_arn(2)]);
    let (inventory, asked) = observed(&Target::Resources(BTreeSet::from([arn("db:a")])), estate).await;
    assert!(inventory.db_proxies.is_not_read() && !asked.iter().any(|action| action.contains("Proxies")), "{asked:?}");
}

#[tokio::test]
async fn without_databases_nobody_is_asked_and_a_refusal_is_not_none() {
    let (inventory, asked) = observed(&Target::Everything, |seen| xml(&action(seen), "")).await;
    assert_eq!(inventory.db_proxies.known().map(BTreeMap::len), Some(0));
    assert!(!asked.iter().any(|action| action.contains("Proxies")), "{asked:?}");
    let (inventory, _) = observed(&Target::Everything, |seen| match action(seen).as_str() {
        "DescribeDBProxies" => refused(403, "AccessDenied"),
        _ => estate(seen),
    })
    .await;
    let Reading::Unreadable { unreadable } = inventory.db_proxies else { panic!("what is refused is not empty") };
    assert_eq!((unreadable.class, unreadable.missing_action.as_deref()), (ErrorClass::Denied, Some("rds:DescribeDBProxies")));
    // Where the databases could not be listed, there may be proxies of them.
    let (_, asked) = observed(&Target::Everything, |seen| match action(seen).as_str() {
        "DescribeDBInstances" => refused(403, "AccessDenied"),
        _ => estate(seen),
    })
    .await;
    assert!(asked.iter().any(|action| action == "DescribeDBProxies"));
}
