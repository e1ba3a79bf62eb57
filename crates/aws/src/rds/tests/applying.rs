use std::collections::BTreeMap;

use everseal_controller::ApplyError;
use everseal_planner::inventory::ErrorClass;
use everseal_planner::plan::Change;
use everseal_planner::plan::change::{ParameterGroupKind, ParameterValue};

use super::{action, actions, arn, fields, form, pairs, refused, xml};
use crate::rds::apply;
use crate::testing::{Answer, Seen, Wire};

async fn run(change: &Change, answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> (Result<(), ApplyError>, Vec<Seen>) {
    let wire = Wire::new(answer);
    let outcome = apply(&wire.context(), &arn("db:a"), change).await;
    (outcome, wire.seen())
}

fn done(seen: &Seen) -> Answer {
    xml(&action(seen), "")
}

fn value(value: &str, pending_reboot: bool) -> ParameterValue {
    ParameterValue { value: value.into(), pending_reboot }
}

fn create(kind: ParameterGroupKind, parameters: BTreeMap<String, ParameterValue>) -> Change {
    let (name, family) = ("everseal-postgres14".into(), "postgres14".into());
    Change::CreateParameterGroup { kind, name, family, description: "Copy of default.postgres14".into(), parameters }
}

fn force_ssl() -> BTreeMap<String, ParameterValue> {
    BTreeMap::from([("rds.force_ssl".into(), value("1", false))])
}

#[tokio::test]
async fn a_group_is_created_and_then_filled() {
    let cases = [
        (ParameterGroupKind::Instance, ["CreateDBParameterGroup", "ModifyDBParameterGroup"], "DBParameterGroupName"),
        (ParameterGroupKind::Cluster, ["CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup"], "DBClusterParameterGroupName"),
    ];
    for (kind, expected, name) in cases {
        let (outcome, seen) = run(&create(kind, force_ssl()), done).await;
        outcome.unwrap();
        assert_eq!(actions(&seen), expected);
        let created = pairs(&[
            (name, "everseal-postgres14"),
            ("DBParameterGroupFamily", "postgres14"),
            ("Description", "Copy of default.postgres14"),
        ]);
        assert_eq!(fields(&seen[0]), created);
        let filled = pairs(&[
            (name, "everseal-postgres14"),
            ("Parameters.Parameter.1.ParameterName", "rds.force_ssl"),
            ("Parameters.Parameter.1.ParameterValue", "1"),
            ("Parameters.Parameter.1.ApplyMethod", "immediate"),
        ]);
        assert_eq!(fields(&seen[1]), filled);
    }
}

#[tokio::test]
async fn parameters_go_twenty_at_a_time_each_with_its_own_way_to_apply() {
    let after: BTreeMap<_, _> = (0..45).map(|index| (format!("p{index:02}"), value("x", index % 2 == 1))).collect();
    let change = Change::ParameterGroup { kind: ParameterGroupKind::Instance, name: "tuned".into(), before: BTreeMap::new(), after };
    let (outcome, seen) = run(&change, done).await;
    outcome.unwrap();
    let count = |seen: &Seen| form(seen).keys().filter(|key| key.ends_with(".ParameterName")).count();
    assert_eq!(seen.iter().map(count).collect::<Vec<_>>(), [20, 20, 5]);
    assert_eq!(form(&seen[2])["Parameters.Parameter.1.ParameterName"], "p40");
    assert_eq!(form(&seen[2])["Parameters.Parameter.1.ApplyMethod"], "immediate");
    assert_eq!(form(&seen[2])["Parameters.Parameter.2.ApplyMethod"], "pending-reboot");
}

fn existing(family: &str, description: &str) -> Answer {
    xml(
        "DescribeDBParameterGroups",
        &format!(
            "<DBParameterGroups><DBParameterGroup><DBParameterGroupName>everseal-postgres14</DBParameterGroupName>\
             <DBParameterGroupFamily>{family}</DBParameterGroupFamily><Description>{description}</Description></DBParameterGroup></DBParameterGroups>"
        ),
    )
}

#[tokio::test]
async fn a_group_that_an_earlier_start_made_is_filled_and_somebody_elses_is_not_touched() {
    let cases = [
        ("postgres14", "Copy of default.postgres14", true),
        ("postgres14", "Made by hand", false),
        ("postgres15", "Copy of default.postgres14", false),
    ];
    for (family, description, ours) in cases {
        let (outcome, seen) = run(&create(ParameterGroupKind::Instance, force_ssl()), move |seen| match action(seen).as_str() {
            "CreateDBParameterGroup" => refused(400, "DBParameterGroupAlreadyExists"),
            "DescribeDBParameterGroups" => existing(family, description),
            _ => done(seen),
        })
        .await;
        if ours {
            outcome.unwrap();
            assert_eq!(actions(&seen), ["CreateDBParameterGroup", "DescribeDBParameterGroups", "ModifyDBParameterGroup"]);
        } else {
            let error = outcome.unwrap_err();
            assert_eq!(error.class, ErrorClass::Conflict);
            assert!(error.message.contains("everseal-postgres14"), "{}", error.message);
            assert_eq!(actions(&seen), ["CreateDBParameterGroup", "DescribeDBParameterGroups"]);
        }
    }
}

#[tokio::test]
async fn attaching_a_group_restarts_nothing_and_sets_off_nothing_else() {
    let attach = |kind, database: &str| Change::AttachParameterGroup {
        kind,
        database: database.into(),
        before: "default.postgres14".into(),
        after: "new".into(),
    };
    let (outcome, seen) = run(&attach(ParameterGroupKind::Instance, "a"), done).await;
    outcome.unwrap();
    assert_eq!(actions(&seen), ["ModifyDBInstance"]);
    assert_eq!(fields(&seen[0]), pairs(&[("DBInstanceIdentifier", "a"), ("DBParameterGroupName", "new")]));

    let (outcome, seen) = run(&attach(ParameterGroupKind::Cluster, "c"), done).await;
    outcome.unwrap();
    assert_eq!(actions(&seen), ["ModifyDBCluster"]);
    let expected = pairs(&[("DBClusterIdentifier", "c"), ("DBClusterParameterGroupName", "new"), ("ApplyImmediately", "true")]);
    assert_eq!(fields(&seen[0]), expected);
}

/// The instance with what is pending on it, and whether its engine version takes a certificate while it runs.
fn with_engine(pending: &'static str, while_running: Option<bool>) -> impl Fn(&Seen) -> Answer + Send + Sync + 'static {
    move |seen| match action(seen).as_str() {
        "DescribeDBInstances" => xml(
            "DescribeDBInstances",
            &format!(
                "<DBInstances><DBInstance><DBInstanceIdentifier>a</DBInstanceIdentifier><Engine>postgres</Engine>\
                 <EngineVersion>15.4</EngineVersion><PendingModifiedValues>{pending}</PendingModifiedValues></DBInstance></DBInstances>"
            ),
        ),
        "DescribeDBEngineVersions" => {
            assert_eq!((form(seen)["Engine"].as_str(), form(seen)["EngineVersion"].as_str()), ("postgres", "15.4"));
            let version = while_running.map_or_else(String::new, |yes| {
                format!("<DBEngineVersion><SupportsCertificateRotationWithoutRestart>{yes}</SupportsCertificateRotationWithoutRestart></DBEngineVersion>")
            });
            xml("DescribeDBEngineVersions", &format!("<DBEngineVersions>{version}</DBEngineVersions>"))
        }
        _ => done(seen),
    }
}

#[tokio::test]
async fn a_certificate_authority_is_changed_without_a_restart() {
    let change = Change::CaCertificate { instance: "a".into(), before: Some("rds-ca-2019".into()), after: "rds-ca-rsa2048-g1".into() };
    let basic = [("DBInstanceIdentifier", "a"), ("CACertificateIdentifier", "rds-ca-rsa2048-g1")];
    let cases = [
        ("", Some(true), Some(("ApplyImmediately", "true"))),
        ("<CACertificateIdentifier>rds-ca-rsa2048-g1</CACertificateIdentifier>", Some(true), Some(("ApplyImmediately", "true"))),
        // Somebody's class change waits for the maintenance window: it must not be set off by us.
        ("<DBInstanceClass>db.r6g.large</DBInstanceClass>", Some(true), None),
        ("", Some(false), Some(("CertificateRotationRestart", "false"))),
        ("", None, Some(("CertificateRotationRestart", "false"))),
    ];
    for (pending, while_running, extra) in cases {
        let (outcome, seen) = run(&change, with_engine(pending, while_running)).await;
        outcome.unwrap();
        assert_eq!(actions(&seen), ["DescribeDBInstances", "DescribeDBEngineVersions", "ModifyDBInstance"]);
        let expected: Vec<_> = basic.iter().copied().chain(extra).collect();
        assert_eq!(fields(&seen[2]), pairs(&expected), "{pending} {while_running:?}");
    }
}

#[tokio::test]
async fn the_authority_of_a_multi_az_cluster_is_not_changed_through_a_member() {
    let change = Change::CaCertificate { instance: "a".into(), before: None, after: "rds-ca-rsa2048-g1".into() };
    for (engine, refused) in [("mysql", true), ("aurora-mysql", false)] {
        let (outcome, seen) = run(&change, move |seen| match action(seen).as_str() {
            "DescribeDBInstances" => xml(
                "DescribeDBInstances",
                &format!(
                    "<DBInstances><DBInstance><DBInstanceIdentifier>a</DBInstanceIdentifier><Engine>{engine}</Engine>\
                     <DBClusterIdentifier>c</DBClusterIdentifier></DBInstance></DBInstances>"
                ),
            ),
            _ => done(seen),
        })
        .await;
        assert_eq!(outcome.is_err(), refused, "{engine}");
        assert_eq!(seen.len(), if refused { 1 } else { 3 });
    }
}

#[tokio::test]
async fn a_missing_permission_to_ask_whether_a_restart_follows_is_told() {
    let change = Change::CaCertificate { instance: "a".into(), before: None, after: "rds-ca-rsa2048-g1".into() };
    let (outcome, seen) = run(&change, |seen| match action(seen).as_str() {
        "DescribeDBEngineVersions" => refused(403, "AccessDenied"),
        _ => with_engine("", None)(seen),
    })
    .await;
    assert_eq!(outcome.unwrap_err().missing_action.as_deref(), Some("rds:DescribeDBEngineVersions"));
    assert_eq!(seen.len(), 2);

    let (outcome, seen) = run(&change, |seen| match action(seen).as_str() {
        "DescribeDBEngineVersions" => refused(400, "InvalidParameterValue"),
        _ => with_engine("", None)(seen),
    })
    .await;
    outcome.unwrap();
    assert_eq!(form(seen.last().unwrap())["CertificateRotationRestart"], "false", "where nobody knows, nothing restarts");
}

#[tokio::test]
async fn a_database_in_a_transition_is_a_conflict_and_a_missing_one_is_gone() {
    let change =
        Change::ParameterGroup { kind: ParameterGroupKind::Instance, name: "tuned".into(), before: BTreeMap::new(), after: force_ssl() };
    let (outcome, _) = run(&change, |_| refused(400, "InvalidDBParameterGroupState")).await;
    assert_eq!(outcome.unwrap_err().class, ErrorClass::Conflict);
    let (outcome, _) = run(&change, |_| refused(404, "DBParameterGroupNotFound")).await;
    assert_eq!(outcome.unwrap_err().class, ErrorClass::NotFound);
    let (outcome, _) = run(&change, |_| refused(403, "AccessDenied")).await;
    assert_eq!(outcome.unwrap_err().missing_action.as_deref(), Some("rds:ModifyDBParameterGroup"));
}
