use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use ciborium::Value;
use everseal_planner::inventory::{ErrorClass, Reading};
use everseal_planner::plan::{Reads, Target};
use everseal_planner::rds::migration::observed::{DatabaseActivity, DatabaseSurroundings, ProxyTarget};
use everseal_planner::{Arn, Inventory};

use super::super::{arn, form, marker, refused, xml};
use super::{cbor, cluster, clusters, for_migrations, instance, instances, look, map, nothing, only, operation, text};
use crate::testing::{Answer, Seen};

fn with_gates() -> Reads {
    Reads { gate_facts: true, ..for_migrations() }
}

/// Starts of minutes, counted back from the present one; RDS's metrics come late.
fn minutes_ago(minutes: i64) -> i64 {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    (now / 60 - minutes) * 60
}

/// RPC v2 CBOR writes a timestamp as tag 1 (epoch seconds). [Smithy RPC v2 CBOR: timestamps]
fn result(id: &str, status: &str, points: &[(i64, f64)]) -> Value {
    map(vec![
        ("Id", text(id)),
        ("StatusCode", text(status)),
        ("Timestamps", Value::Array(points.iter().map(|(at, _)| Value::Tag(1, Box::new(Value::Integer((*at).into())))).collect())),
        ("Values", Value::Array(points.iter().map(|(_, value)| Value::Float(*value)).collect())),
    ])
}

fn metrics(results: Vec<Value>, next: Option<&str>) -> Answer {
    let mut fields = vec![("MetricDataResults", Value::Array(results))];
    fields.extend(next.map(|next| ("NextToken", text(next))));
    cbor(&map(fields))
}

fn of<'a>(inventory: &'a Inventory, database: &Arn) -> &'a DatabaseSurroundings {
    &inventory.migrations.databases[database]
}

/// The surroundings of instance `a`, with what `CloudWatch` answers.
async fn activity(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Reading<DatabaseActivity>, Vec<Seen>) {
    let (inventory, seen) = look(&only(&[arn("db:a")]), &with_gates(), move |seen| match operation(seen).as_str() {
        "DescribeDBInstances" => instances(&instance("a", "")),
        "GetMetricData" => answer(seen),
        _ => nothing(seen),
    })
    .await;
    (of(&inventory, &arn("db:a")).activity.clone(), seen)
}

fn id(result: &Value) -> Option<&str> {
    result.as_map()?.iter().find(|(name, _)| name.as_text() == Some("Id"))?.1.as_text()
}

/// Every query gets a result: of instances that are answered for, no minute with a write.
fn told(mut results: Vec<Value>, next: Option<&str>) -> Answer {
    let of_connections: Vec<String> = results.iter().filter_map(|result| id(result)?.strip_prefix('i').map(str::to_owned)).collect();
    results.extend(of_connections.iter().map(|index| result(&format!("w{index}"), "Complete", &[])));
    metrics(results, next)
}

/// An engine's own housekeeping is no writing; more than that is somebody's, though nobody is connected.
#[tokio::test]
async fn writes_without_connections_are_told() {
    let at = minutes_ago(10);
    let quiet = [(at, 0.0), (at + 60, 0.0), (at + 120, 0.0), (at + 180, 0.0)];
    let writes = [(at, 310.0), (at + 60, 10.2), (at + 120, 9.8), (at + 180, 0.4)];
    let (found, seen) = activity(move |_| metrics(vec![result("i0", "Complete", &quiet), result("w0", "Complete", &writes)], None)).await;
    let activity_of = found.known().cloned();
    assert_eq!(activity_of.map(|activity| activity.last_busy_write_at), Some(Some(at + 120)));
    assert!(seen.iter().any(|seen| operation(seen) == "GetMetricData" && seen.body.contains("WriteIOPS")));

    let (found, _) = activity(move |_| metrics(vec![result("i0", "Complete", &quiet), result("w0", "InternalError", &[])], None)).await;
    let Reading::Unreadable { unreadable } = found else { panic!("writes that are not told are not none") };
    assert!(unreadable.message.contains("WriteIOPS"), "{}", unreadable.message);
}

#[tokio::test]
async fn the_last_minutes_of_connections_are_told() {
    let at = minutes_ago(10);
    // Newest first, as CloudWatch answers by default, and over two pages.
    let (found, seen) = activity(move |seen| {
        if seen.body.contains("more") {
            told(vec![result("i0", "Complete", &[(at + 60, 7.0), (at, 2.0)])], None)
        } else {
            told(vec![result("i0", "PartialData", &[(at + 180, 0.0), (at + 120, 0.0)])], Some("more"))
        }
    })
    .await;
    let expected = DatabaseActivity {
        from: at,
        to: at + 240,
        most_connections: 7,
        last_connection_at: Some(at + 120),
        connections_now: 0,
        last_busy_write_at: None,
    };
    assert_eq!(found, Reading::Known(expected));
    let asked: Vec<&Seen> = seen.iter().filter(|seen| operation(seen) == "GetMetricData").collect();
    assert_eq!(asked.len(), 2);
    for word in ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", "Maximum"] {
        assert!(asked[0].body.contains(word), "{word}");
    }
    assert!(!asked[0].body.contains("Unit"), "a unit that does not match would give an empty answer");
}

/// A minute that nobody measured says nothing of connections: what lies before it does not count.
#[tokio::test]
async fn an_interval_is_told_only_as_far_as_it_is_unbroken() {
    let at = minutes_ago(30);
    let points = [(at, 0.0), (at + 60, 3.0), (at + 180, 0.0), (at + 240, 1.0), (at + 300, 0.0)];
    let (found, _) = activity(move |_| told(vec![result("i0", "Complete", &points)], None)).await;
    let expected = DatabaseActivity {
        from: at + 180,
        to: at + 360,
        most_connections: 1,
        last_connection_at: Some(at + 300),
        connections_now: 0,
        last_busy_write_at: None,
    };
    assert_eq!(found, Reading::Known(expected));
}

#[tokio::test]
async fn no_numbers_and_half_numbers_are_never_zero() {
    let at = minutes_ago(10);
    let cases: [(Vec<Value>, ErrorClass, Option<&str>); 4] = [
        (vec![result("i0", "Complete", &[])], ErrorClass::Unavailable, None),
        (vec![], ErrorClass::Unavailable, None),
        (vec![result("i0", "InternalError", &[(at, 0.0)])], ErrorClass::Unavailable, None),
        (vec![result("i0", "Forbidden", &[])], ErrorClass::Denied, Some("cloudwatch:GetMetricData")),
    ];
    for (results, class, missing) in cases {
        let shown = format!("{results:?}");
        let (found, _) = activity(move |_| told(results.clone(), None)).await;
        let Reading::Unreadable { unreadable } = found else { panic!("{shown}") };
        assert_eq!((unreadable.class, unreadable.missing_action.as_deref()), (class, missing), "{shown}");
        assert!(unreadable.message.contains('a'), "{}", unreadable.message);
    }
    let (found, seen) = activity(|_| metrics(Vec::new(), Some("same"))).await;
    assert!(matches!(found, Reading::Unreadable { .. }), "a token that does not move ends the asking");
    assert_eq!(seen.iter().filter(|seen| operation(seen) == "GetMetricData").count(), 2);
}

fn member(name: &str) -> String {
    format!("<DBClusterMember><DBInstanceIdentifier>{name}</DBInstanceIdentifier></DBClusterMember>")
}

async fn of_cluster(members: &'static [&'static str], answer: impl Fn() -> Answer + Send + Sync + 'static) -> DatabaseSurroundings {
    let list: String = members.iter().map(|name| member(name)).collect();
    let (inventory, _) = look(&only(&[arn("cluster:c")]), &with_gates(), move |seen| match operation(seen).as_str() {
        "DescribeDBClusters" => clusters(&cluster("c", &format!("<DBClusterMembers>{list}</DBClusterMembers>"))),
        "GetMetricData" => answer(),
        _ => nothing(seen),
    })
    .await;
    of(&inventory, &arn("cluster:c")).clone()
}

#[tokio::test]
async fn a_cluster_is_connected_where_any_member_is_and_known_where_all_are() {
    let at = minutes_ago(20);
    let found = of_cluster(&["r", "w"], move || {
        // The writer's last minute has not come yet; the reader's first is older.
        let reader = result("i0", "Complete", &[(at, 1.0), (at + 60, 2.0), (at + 120, 0.0), (at + 180, 9.0)]);
        let writer = result("i1", "Complete", &[(at + 60, 3.0), (at + 120, 1.0)]);
        told(vec![reader, writer], None)
    })
    .await;
    let expected = DatabaseActivity {
        from: at + 60,
        to: at + 180,
        most_connections: 5,
        last_connection_at: Some(at + 240),
        connections_now: 1,
        last_busy_write_at: None,
    };
    assert_eq!(found.activity, Reading::Known(expected));

    let found =
        of_cluster(&["r", "w"], move || told(vec![result("i0", "Complete", &[(at, 0.0)]), result("i1", "Complete", &[])], None)).await;
    let Reading::Unreadable { unreadable } = found.activity else { panic!() };
    assert!(unreadable.message.contains("r, w"), "{}", unreadable.message);
    let found = of_cluster(&[], || metrics(Vec::new(), None)).await;
    assert!(matches!(found.activity, Reading::Unreadable { .. }));
}

fn proxy_target(kind: &str, id: &str, cluster: &str) -> String {
    format!(
        "<member><RdsResourceId>{id}</RdsResourceId><Type>{kind}</Type><TrackedClusterId>{cluster}</TrackedClusterId>\
         <Port>5432</Port></member>"
    )
}

fn named(seen: &Seen) -> Answer {
    let asked = form(seen);
    let proxy = asked.get("DBProxyName").map(String::as_str);
    match (operation(seen).as_str(), asked.contains_key("Marker"), proxy) {
        ("DescribeDBInstances", ..) => instances(
            &(instance(
                "a",
                "<DBInstanceAutomatedBackupsReplications><DBInstanceAutomatedBackupsReplication>\
                <DBInstanceAutomatedBackupsArn>arn:aws:rds:us-west-2:111122223333:auto-backup:ab-1</DBInstanceAutomatedBackupsArn>\
                </DBInstanceAutomatedBackupsReplication></DBInstanceAutomatedBackupsReplications>",
            ) + &instance("c", "")),
        ),
        ("DescribeDBClusters", ..) => clusters(&cluster("c", &format!("<DBClusterMembers>{}</DBClusterMembers>", member("a")))),
        ("DescribeDBProxies", false, _) => xml(
            "DescribeDBProxies",
            &format!("<DBProxies><member><DBProxyName>front</DBProxyName></member></DBProxies>{}", marker(Some("m"))),
        ),
        ("DescribeDBProxies", true, _) => {
            let names = ["aurora", "gone"].map(|name| format!("<member><DBProxyName>{name}</DBProxyName></member>")).concat();
            xml("DescribeDBProxies", &format!("<DBProxies>{names}</DBProxies>"))
        }
        ("DescribeDBProxyTargetGroups", _, Some("gone")) => refused(404, "DBProxyNotFoundFault"),
        ("DescribeDBProxyTargetGroups", ..) => {
            xml("DescribeDBProxyTargetGroups", "<TargetGroups><member><TargetGroupName>default</TargetGroupName></member></TargetGroups>")
        }
        ("DescribeDBProxyTargets", _, Some("front")) => {
            xml("DescribeDBProxyTargets", &format!("<Targets>{}</Targets>", proxy_target("RDS_INSTANCE", "a", "")))
        }
        ("DescribeDBProxyTargets", ..) => {
            let targets = proxy_target("TRACKED_CLUSTER", "c", "") + &proxy_target("RDS_INSTANCE", "w", "c");
            xml("DescribeDBProxyTargets", &format!("<Targets>{targets}</Targets>"))
        }
        ("DescribeEventSubscriptions", ..) => {
            let one = |name: &str, kind: &str, sources: &str| {
                format!(
                    "<EventSubscription><CustSubscriptionId>{name}</CustSubscriptionId><SourceType>{kind}</SourceType>\
                     <SourceIdsList>{sources}</SourceIdsList></EventSubscription>"
                )
            };
            let a = "<SourceId>a</SourceId><SourceId>b</SourceId>";
            let list = one("on-a", "db-instance", a)
                + &one("on-snapshot-a", "db-snapshot", a)
                + &one("on-all", "db-instance", "")
                + &one("on-c", "db-cluster", "<SourceId>c</SourceId>");
            xml("DescribeEventSubscriptions", &format!("<EventSubscriptionsList>{list}</EventSubscriptionsList>"))
        }
        ("DescribeAlarms", ..) if seen.body.contains("page-2") => {
            cbor(&map(vec![("MetricAlarms", Value::Array(vec![expression("sum", "a")]))]))
        }
        ("DescribeAlarms", ..) => {
            let alarms = vec![
                alarm("cpu", "DBInstanceIdentifier", "a"),
                alarm("other", "DBInstanceIdentifier", "b"),
                alarm("volume", "DBClusterIdentifier", "c"),
            ];
            cbor(&map(vec![("MetricAlarms", Value::Array(alarms)), ("NextToken", text("page-2"))]))
        }
        _ => nothing(seen),
    }
}

fn dimension(name: &str, value: &str) -> Value {
    Value::Array(vec![map(vec![("Name", text(name)), ("Value", text(value))])])
}

fn alarm(name: &str, kind: &str, database: &str) -> Value {
    map(vec![("AlarmName", text(name)), ("Dimensions", dimension(kind, database))])
}

fn expression(name: &str, database: &str) -> Value {
    let metric = map(vec![("Dimensions", dimension("DBInstanceIdentifier", database))]);
    let stat = map(vec![("Metric", metric), ("Period", Value::Integer(60.into())), ("Stat", text("Sum"))]);
    map(vec![("AlarmName", text(name)), ("Metrics", Value::Array(vec![map(vec![("Id", text("m1")), ("MetricStat", stat)])]))])
}

#[tokio::test]
async fn whatever_names_a_database_is_found() {
    let (inventory, seen) = look(&only(&[arn("db:a"), arn("cluster:c")]), &with_gates(), named).await;
    let target = |proxy: &str| vec![ProxyTarget { proxy: proxy.into(), target_group: "default".into() }];
    let names = |names: &[&str]| Reading::Known(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    let a = of(&inventory, &arn("db:a"));
    assert_eq!(a.proxies, Reading::Known(target("front")));
    assert_eq!(a.event_subscriptions, names(&["on-a"]));
    assert_eq!(a.alarms, names(&["cpu", "sum"]), "also where only an expression names it");
    assert_eq!(a.automated_backup_replications, names(&["arn:aws:rds:us-west-2:111122223333:auto-backup:ab-1"]));
    let c = of(&inventory, &arn("cluster:c"));
    assert_eq!(c.proxies, Reading::Known(target("aurora")), "once, though the cluster and its writer are both told");
    assert_eq!(c.event_subscriptions, names(&["on-c"]));
    assert_eq!(c.alarms, names(&["volume"]), "an instance of the same name is another database");
    for (once, times) in [("DescribeDBProxies", 2), ("DescribeEventSubscriptions", 1), ("DescribeAlarms", 2), ("GetMetricData", 1)] {
        assert_eq!(seen.iter().filter(|seen| operation(seen) == once).count(), times, "{once}: for all databases at once");
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_unreadable_and_the_rest_is_there() {
    let denied = ["DescribeDBProxies", "DescribeDBProxyTargetGroups", "DescribeDBProxyTargets", "DescribeEventSubscriptions"];
    for denied in denied {
        let (inventory, _) =
            look(
                &only(&[arn("db:a")]),
                &with_gates(),
                move |seen| {
                    if operation(seen) == denied { refused(403, "AccessDenied") } else { named(seen) }
                },
            )
            .await;
        let a = of(&inventory, &arn("db:a"));
        let unreadable = match (&a.proxies, &a.event_subscriptions) {
            (Reading::Unreadable { unreadable }, Reading::Known(_)) | (Reading::Known(_), Reading::Unreadable { unreadable }) => unreadable,
            other => panic!("{denied}: {other:?}"),
        };
        assert_eq!(unreadable.missing_action.as_deref(), Some(format!("rds:{denied}").as_str()));
        assert!(a.alarms.known().is_some());
    }
}

#[tokio::test]
async fn only_a_step_that_hangs_on_it_has_it_read() {
    let (inventory, seen) = look(&only(&[arn("db:a")]), &for_migrations(), named).await;
    assert!(inventory.migrations.databases.is_empty());
    assert!(seen.iter().all(|seen| !operation(seen).contains("Prox") && operation(seen) != "GetMetricData"));

    // The TLS gates go by the connections alone.
    let tls = Reads { gate_facts: true, parameter_groups: true, ..Reads::nothing() };
    let (inventory, seen) = look(&only(&[arn("db:a")]), &tls, named).await;
    let a = of(&inventory, &arn("db:a"));
    assert!(!a.activity.is_not_read() && a.proxies.is_not_read() && a.automated_backup_replications.is_not_read());
    assert!(seen.iter().all(|seen| !operation(seen).contains("Prox")));

    // A saved inventory holds what plans of migrations hang on, for those databases alone that may move.
    let sealed = "<StorageEncrypted>true</StorageEncrypted>";
    let (inventory, _) = look(&Target::Everything, &with_gates(), move |seen| match operation(seen).as_str() {
        "DescribeDBInstances" => instances(
            &(instance("open", "") + &instance("sealed", sealed) + &instance("m", "<DBClusterIdentifier>c</DBClusterIdentifier>")),
        ),
        "DescribeDBClusters" => clusters(&cluster("c", "")),
        _ => nothing(seen),
    })
    .await;
    assert_eq!(inventory.migrations.databases.keys().collect::<Vec<_>>(), [&arn("cluster:c"), &arn("db:open")]);
    let gone: BTreeMap<Arn, DatabaseSurroundings> = look(&only(&[arn("db:gone")]), &with_gates(), nothing).await.0.migrations.databases;
    assert!(gone.is_empty());
}

/// The process may die after the old database has left a proxy and before the new one has come: nothing is forgotten.
#[tokio::test]
async fn a_proxy_that_leads_nowhere_is_told_as_one_of_the_database_that_has_left_it() {
    for (value, instance_found, cluster_found) in [("db:a", 1, 0), ("cluster:c", 0, 1), ("db:other", 0, 0), ("", 0, 0)] {
        let (inventory, seen) = look(&only(&[arn("db:a"), arn("cluster:c")]), &with_gates(), move |seen| match operation(seen).as_str() {
            "DescribeDBProxies" => {
                let proxy = format!("<DBProxyName>front</DBProxyName><DBProxyArn>{}</DBProxyArn>", arn("db-proxy:prx-1"));
                xml("DescribeDBProxies", &format!("<DBProxies><member>{proxy}</member></DBProxies>"))
            }
            "DescribeDBProxyTargets" => xml("DescribeDBProxyTargets", "<Targets/>"),
            "ListTagsForResource" if value.is_empty() => xml("ListTagsForResource", ""),
            "ListTagsForResource" => {
                assert_eq!(form(seen)["ResourceName"], arn("db-proxy:prx-1").to_string());
                xml("ListTagsForResource", &super::tag("everseal:leads-to", value))
            }
            _ => named(seen),
        })
        .await;
        let proxies = |database: &Arn| of(&inventory, database).proxies.known().unwrap().len();
        assert_eq!((proxies(&arn("db:a")), proxies(&arn("cluster:c"))), (instance_found, cluster_found), "{value}");
        assert_eq!(seen.iter().filter(|seen| operation(seen) == "ListTagsForResource").count(), 1);
    }
}
