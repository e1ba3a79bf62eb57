use std::collections::{BTreeMap, BTreeSet};

use everseal_planner::plan::{Reads, Target};
use everseal_planner::rds::observed::{DbParameter, DbParameterGroup};
use everseal_planner::{Inventory, Reading};

use super::{action, actions, arn, fields, form, marker, pairs, refused, xml};
use crate::rds::observe;
use crate::testing::{Answer, Seen, Wire};

fn row(name: &str, value: Option<&str>, source: &str) -> String {
    let value = value.map_or_else(String::new, |value| format!("<ParameterValue>{value}</ParameterValue>"));
    format!(
        "<Parameter><ParameterName>{name}</ParameterName>{value}<Source>{source}</Source><ApplyType>dynamic</ApplyType>\
         <IsModifiable>true</IsModifiable></Parameter>"
    )
}

fn rows(action: &str, rows: &[String], next: Option<&str>) -> Answer {
    xml(action, &format!("<Parameters>{}</Parameters>{}", rows.concat(), marker(next)))
}

fn groups(list: &[(&str, &str)]) -> Answer {
    let group = |(name, family): &(&str, &str)| {
        format!(
            "<DBParameterGroup><DBParameterGroupName>{name}</DBParameterGroupName><DBParameterGroupFamily>{family}</DBParameterGroupFamily></DBParameterGroup>"
        )
    };
    xml("DescribeDBParameterGroups", &format!("<DBParameterGroups>{}</DBParameterGroups>", list.iter().map(group).collect::<String>()))
}

fn cluster_groups(list: &[(&str, &str)], next: Option<&str>) -> Answer {
    let group = |(name, family): &(&str, &str)| {
        format!(
            "<DBClusterParameterGroup><DBClusterParameterGroupName>{name}</DBClusterParameterGroupName>\
             <DBParameterGroupFamily>{family}</DBParameterGroupFamily></DBClusterParameterGroup>"
        )
    };
    let list: String = list.iter().map(group).collect();
    xml("DescribeDBClusterParameterGroups", &format!("<DBClusterParameterGroups>{list}</DBClusterParameterGroups>{}", marker(next)))
}

/// Instances, each with its parameter group and, where it is a member, its cluster.
fn databases(list: &[(&str, &str, Option<&str>)]) -> Answer {
    let instance = |(name, group, cluster): &(&str, &str, Option<&str>)| {
        let cluster = cluster.map_or_else(String::new, |cluster| format!("<DBClusterIdentifier>{cluster}</DBClusterIdentifier>"));
        format!(
            "<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier><DBInstanceArn>{}</DBInstanceArn><Engine>postgres</Engine>{cluster}\
             <DBParameterGroups><DBParameterGroup><DBParameterGroupName>{group}</DBParameterGroupName>\
             <ParameterApplyStatus>in-sync</ParameterApplyStatus></DBParameterGroup></DBParameterGroups></DBInstance>",
            arn(&format!("db:{name}"))
        )
    };
    xml("DescribeDBInstances", &format!("<DBInstances>{}</DBInstances>", list.iter().map(instance).collect::<String>()))
}

fn no_clusters() -> Answer {
    xml("DescribeDBClusters", "<DBClusters/>")
}

async fn run(target: &Target, answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Inventory, Vec<Seen>) {
    let wire = Wire::new(answer);
    let reads = Reads { parameter_groups: true, ..Reads::nothing() };
    let inventory = observe(&wire.context(), target, &reads).await;
    (inventory, wire.seen())
}

fn parameter(value: Option<&str>, source: &str) -> DbParameter {
    DbParameter { value: value.map(str::to_owned), source: source.into(), apply_type: "dynamic".into(), is_modifiable: true }
}

fn known(group: &str, family: &str, parameters: &[(&str, DbParameter)]) -> Reading<DbParameterGroup> {
    let parameters: BTreeMap<_, _> = parameters.iter().map(|(name, parameter)| ((*name).to_owned(), parameter.clone())).collect();
    Reading::Known(DbParameterGroup { name: group.into(), family: family.into(), parameters })
}

#[tokio::test]
async fn a_default_group_costs_one_call_however_many_databases_use_it() {
    let (inventory, seen) = run(&Target::Everything, |seen| match action(seen).as_str() {
        "DescribeDBInstances" => databases(&[("a", "default.postgres14", None), ("b", "default.postgres14", None)]),
        "DescribeDBClusters" => no_clusters(),
        "DescribeDBParameterGroups" => groups(&[("default.postgres14", "postgres14"), ("default.mysql8.0", "mysql8.0")]),
        _ => rows("DescribeDBParameters", &[row("rds.force_ssl", Some("0"), "system")], None),
    })
    .await;
    assert_eq!(actions(&seen)[2..], ["DescribeDBParameterGroups", "DescribeDBParameters"]);
    let asked = pairs(&[
        ("DBParameterGroupName", "default.postgres14"),
        ("Filters.Filter.1.Name", "parameter-name"),
        ("Filters.Filter.1.Values.Value.1", "rds.force_ssl"),
        ("MaxRecords", "100"),
    ]);
    assert_eq!(fields(&seen[3]), asked);
    let expected = known("default.postgres14", "postgres14", &[("rds.force_ssl", parameter(Some("0"), "system"))]);
    assert_eq!(inventory.db_parameter_groups, BTreeMap::from([("default.postgres14".into(), expected)]));
}

#[tokio::test]
async fn an_edited_group_shows_what_users_set_and_what_decides_tls() {
    let (inventory, seen) = run(&Target::Everything, |seen| match (action(seen).as_str(), form(seen).get("Source").map(String::as_str)) {
        ("DescribeDBInstances", _) => databases(&[("a", "tuned", None)]),
        ("DescribeDBClusters", _) => no_clusters(),
        ("DescribeDBParameterGroups", _) => groups(&[("tuned", "mysql8.0")]),
        ("DescribeDBParameters", Some("user")) => match form(seen).get("Marker") {
            None => rows("DescribeDBParameters", &[row("max_connections", Some("500"), "user")], Some("m")),
            Some(_) => rows("DescribeDBParameters", &[row("wait_timeout", Some("60"), "user")], None),
        },
        _ => rows("DescribeDBParameters", &[row("require_secure_transport", None, "engine-default")], None),
    })
    .await;
    assert_eq!(seen.len(), 6, "two listings, the families, two pages of user parameters, the one that decides TLS");
    let expected = known(
        "tuned",
        "mysql8.0",
        &[
            ("max_connections", parameter(Some("500"), "user")),
            ("require_secure_transport", parameter(None, "engine-default")),
            ("wait_timeout", parameter(Some("60"), "user")),
        ],
    );
    assert_eq!(inventory.db_parameter_groups["tuned"], expected);
}

#[tokio::test]
async fn a_group_in_which_a_user_set_tls_needs_no_second_question() {
    let (inventory, seen) = run(&Target::Everything, |seen| match action(seen).as_str() {
        "DescribeDBInstances" => databases(&[("a", "strict", None)]),
        "DescribeDBClusters" => no_clusters(),
        "DescribeDBParameterGroups" => groups(&[("strict", "postgres15")]),
        _ => rows("DescribeDBParameters", &[row("rds.force_ssl", Some("1"), "user")], None),
    })
    .await;
    assert_eq!(seen.len(), 4);
    assert_eq!(inventory.db_parameter_groups["strict"], known("strict", "postgres15", &[("rds.force_ssl", parameter(Some("1"), "user"))]));
}

#[tokio::test]
async fn where_the_name_filter_is_not_known_the_group_is_read_to_its_end() {
    let (inventory, seen) = run(&Target::Everything, |seen| match action(seen).as_str() {
        "DescribeDBInstances" => databases(&[("a", "default.postgres14", None)]),
        "DescribeDBClusters" => no_clusters(),
        "DescribeDBParameterGroups" => groups(&[("default.postgres14", "postgres14")]),
        _ if form(seen).contains_key("Filters.Filter.1.Name") => refused(400, "InvalidParameterValue"),
        _ if form(seen).contains_key("Marker") => rows("DescribeDBParameters", &[row("rds.force_ssl", Some("1"), "system")], None),
        _ => rows("DescribeDBParameters", &[row("array_nulls", None, "engine-default")], Some("m")),
    })
    .await;
    assert_eq!(seen.len(), 6);
    let expected = known("default.postgres14", "postgres14", &[("rds.force_ssl", parameter(Some("1"), "system"))]);
    assert_eq!(inventory.db_parameter_groups["default.postgres14"], expected);
}

#[tokio::test]
async fn an_answer_that_ignores_the_question_is_sorted_out_here() {
    let everything =
        [row("rds.force_ssl", Some("0"), "system"), row("work_mem", Some("4"), "user"), row("array_nulls", None, "engine-default")];
    let (inventory, seen) = run(&Target::Everything, move |seen| match action(seen).as_str() {
        "DescribeDBInstances" => databases(&[("a", "tuned", None)]),
        "DescribeDBClusters" => no_clusters(),
        "DescribeDBParameterGroups" => groups(&[("tuned", "postgres14")]),
        _ => rows("DescribeDBParameters", &everything, None),
    })
    .await;
    assert_eq!(seen.len(), 4, "the first answer held what the second question would ask");
    let expected =
        known("tuned", "postgres14", &[("rds.force_ssl", parameter(Some("0"), "system")), ("work_mem", parameter(Some("4"), "user"))]);
    assert_eq!(inventory.db_parameter_groups["tuned"], expected);
}

#[tokio::test]
async fn members_of_a_cluster_are_judged_by_its_group_and_oracle_by_none() {
    let (inventory, seen) = run(&Target::Everything, |seen| match action(seen).as_str() {
        "DescribeDBInstances" => databases(&[("w", "default.aurora-mysql8.0", Some("c")), ("ora", "default.oracle-ee-19", None)]),
        "DescribeDBClusters" => xml(
            "DescribeDBClusters",
            &format!(
                "<DBClusters><DBCluster><DBClusterArn>{}</DBClusterArn><DBClusterIdentifier>c</DBClusterIdentifier>\
                 <DBClusterParameterGroup>default.aurora-mysql8.0</DBClusterParameterGroup></DBCluster></DBClusters>",
                arn("cluster:c")
            ),
        ),
        "DescribeDBParameterGroups" => groups(&[("default.oracle-ee-19", "oracle-ee-19"), ("default.aurora-mysql8.0", "aurora-mysql8.0")]),
        "DescribeDBClusterParameterGroups" if !form(seen).contains_key("Marker") => cluster_groups(&[("z", "aurora-mysql8.0")], Some("m")),
        "DescribeDBClusterParameterGroups" => cluster_groups(&[("default.aurora-mysql8.0", "aurora-mysql8.0")], None),
        "DescribeDBClusterParameters" => {
            rows("DescribeDBClusterParameters", &[row("require_secure_transport", Some("OFF"), "system")], None)
        }
        other => panic!("unexpected {other}"),
    })
    .await;
    assert_eq!(
        inventory.db_parameter_groups,
        BTreeMap::from([("default.oracle-ee-19".into(), known("default.oracle-ee-19", "oracle-ee-19", &[]))])
    );
    let expected = known("default.aurora-mysql8.0", "aurora-mysql8.0", &[("require_secure_transport", parameter(Some("OFF"), "system"))]);
    assert_eq!(inventory.db_cluster_parameter_groups, BTreeMap::from([("default.aurora-mysql8.0".into(), expected)]));
    let last = seen.iter().find(|seen| action(seen) == "DescribeDBClusterParameters").unwrap();
    assert_eq!(form(last)["DBClusterParameterGroupName"], "default.aurora-mysql8.0");
}

#[tokio::test]
async fn groups_that_everseal_made_are_read_though_nothing_uses_them_yet() {
    let (inventory, _) = run(&Target::Resources(BTreeSet::from([arn("db:a")])), |seen| match action(seen).as_str() {
        "DescribeDBInstances" => databases(&[("a", "default.postgres14", None)]),
        "DescribeDBParameterGroups" => {
            groups(&[("default.postgres14", "postgres14"), ("everseal-postgres14", "postgres14"), ("other", "postgres14")])
        }
        _ => rows("DescribeDBParameters", &[row("rds.force_ssl", Some("1"), "user")], None),
    })
    .await;
    assert_eq!(inventory.db_parameter_groups.keys().collect::<Vec<_>>(), ["default.postgres14", "everseal-postgres14"]);
}

#[tokio::test]
async fn a_group_as_target_is_read_and_one_that_is_gone_left_out() {
    let targets = Target::Resources(BTreeSet::from([arn("pg:tuned"), arn("pg:gone"), arn("cluster-pg:gone")]));
    let (inventory, seen) = run(&targets, |seen| match action(seen).as_str() {
        "DescribeDBParameterGroups" => groups(&[("tuned", "postgres14")]),
        "DescribeDBClusterParameterGroups" => cluster_groups(&[], None),
        _ => rows("DescribeDBParameters", &[row("rds.force_ssl", Some("1"), "user")], None),
    })
    .await;
    assert_eq!(inventory.db_parameter_groups.keys().collect::<Vec<_>>(), ["tuned"]);
    assert!(inventory.db_cluster_parameter_groups.is_empty());
    assert_eq!(seen.len(), 3, "no database was asked for");
}

#[tokio::test]
async fn groups_that_may_not_be_read_are_unreadable_and_never_look_unset() {
    for (denied, missing) in
        [("DescribeDBParameterGroups", "rds:DescribeDBParameterGroups"), ("DescribeDBParameters", "rds:DescribeDBParameters")]
    {
        let (inventory, _) = run(&Target::Everything, move |seen| match action(seen).as_str() {
            action if action == denied => refused(403, "AccessDenied"),
            "DescribeDBInstances" => databases(&[("a", "default.postgres14", None)]),
            "DescribeDBClusters" => no_clusters(),
            _ => groups(&[("default.postgres14", "postgres14")]),
        })
        .await;
        let Reading::Unreadable { unreadable } = &inventory.db_parameter_groups["default.postgres14"] else { panic!("{denied}") };
        assert_eq!(unreadable.missing_action.as_deref(), Some(missing));
    }
}
