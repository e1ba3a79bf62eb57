use std::collections::BTreeMap;

use everseal_planner::inventory::ErrorClass;
use everseal_planner::rds::migration::change::MigrationChange;
use everseal_planner::rds::migration::observed::TAG_OF;

use super::super::{actions, arn, fields, form, pairs, refused, xml};
use super::applying::{KEY, call, done, make, ours, with_tags};
use super::{operation, tag};
use crate::testing::Answer;

fn create() -> MigrationChange {
    let (source, replica) = (arn("db:a").to_string(), arn("db:a-reader").to_string());
    MigrationChange::CreateBlueGreen {
        name: "a-everseal".into(),
        source: source.clone(),
        encrypt: vec![source, replica],
        key: KEY.into(),
        tags: ours(),
        note_refusal: BTreeMap::new(),
    }
}

fn described(more: &str) -> Answer {
    xml(
        "DescribeBlueGreenDeployments",
        &format!(
            "<BlueGreenDeployments><member><BlueGreenDeploymentIdentifier>bgd-1</BlueGreenDeploymentIdentifier>{more}</member></BlueGreenDeployments>"
        ),
    )
}

#[tokio::test]
async fn each_resource_of_the_green_side_gets_the_key() {
    let (action, sent) = call(create()).await;
    assert_eq!(action, "CreateBlueGreenDeployment");
    let (source, replica) = (arn("db:a").to_string(), arn("db:a-reader").to_string());
    let expected = [
        ("BlueGreenDeploymentName", "a-everseal"),
        ("Source", &source),
        ("TargetResourceConfigurations.TargetResourceConfiguration.1.SourceArn", &source),
        ("TargetResourceConfigurations.TargetResourceConfiguration.1.TargetKmsKeyId", KEY),
        ("TargetResourceConfigurations.TargetResourceConfiguration.2.SourceArn", &replica),
        ("TargetResourceConfigurations.TargetResourceConfiguration.2.TargetKmsKeyId", KEY),
    ];
    assert_eq!(sent, with_tags(&expected));
}

#[tokio::test]
async fn a_deployment_that_the_same_migration_has_made_is_done() {
    let (a, b) = (format!("<Source>{}</Source>", arn("db:a")), format!("<Source>{}</Source>", arn("db:b")));
    for (source, of, same) in [(&a, "db-ABC", true), (&a, "db-OTHER", false), (&b, "db-ABC", false)] {
        let there = format!("{source}{}", tag(TAG_OF, of));
        let (outcome, seen) = make(create(), move |seen| match operation(seen).as_str() {
            "DescribeBlueGreenDeployments" => described(&there),
            _ => refused(400, "BlueGreenDeploymentAlreadyExistsFault"),
        })
        .await;
        assert_eq!(outcome.is_ok(), same);
        let asked = form(&seen[1]);
        assert_eq!(
            (asked["Filters.Filter.1.Name"].as_str(), asked["Filters.Filter.1.Values.Value.1"].as_str()),
            ("blue-green-deployment-name", "a-everseal")
        );
        if let Err(error) = outcome {
            assert_eq!(error.class, ErrorClass::Conflict);
            assert!(error.message.contains("was not made by this migration"), "{}", error.message);
        }
    }
}

#[tokio::test]
async fn a_database_that_aws_can_not_deploy_is_told_the_other_way() {
    for code in ["SourceDatabaseNotSupportedFault", "SourceClusterNotSupportedFault"] {
        let error = make(create(), move |_| refused(400, code)).await.0.unwrap_err();
        assert!(error.message.ends_with("set `migration.method: snapshot`"), "{}", error.message);
    }
}

#[tokio::test]
async fn a_refusal_is_noted_on_the_database_where_the_step_asks_for_it() {
    let noting = || {
        let mut change = create();
        if let MigrationChange::CreateBlueGreen { note_refusal, .. } = &mut change {
            note_refusal.insert("everseal:blue-green-refused".into(), "100".into());
        }
        change
    };
    for (code, noted) in [("InvalidParameterCombination", true), ("KMSKeyNotAccessibleFault", false)] {
        let (outcome, seen) = make(noting(), move |seen| match operation(seen).as_str() {
            "CreateBlueGreenDeployment" => refused(400, code),
            _ => done(seen),
        })
        .await;
        assert_eq!(outcome.unwrap_err().code, code, "the step has failed all the same");
        let expected: &[&str] = if noted { &["CreateBlueGreenDeployment", "AddTagsToResource"] } else { &["CreateBlueGreenDeployment"] };
        assert_eq!(actions(&seen), expected);
    }
    let (_, seen) = make(create(), |_| refused(400, "InvalidParameterCombination")).await;
    assert_eq!(actions(&seen), ["CreateBlueGreenDeployment"], "nothing was asked for");
}

#[tokio::test]
async fn a_switch_over_is_bounded() {
    let (action, sent) = call(MigrationChange::SwitchoverBlueGreen { identifier: "bgd-1".into(), timeout: 300 }).await;
    let expected = pairs(&[("BlueGreenDeploymentIdentifier", "bgd-1"), ("SwitchoverTimeout", "300")]);
    assert_eq!((action.as_str(), sent), ("SwitchoverBlueGreenDeployment", expected));
}

fn delete(delete_target: bool) -> MigrationChange {
    MigrationChange::DeleteBlueGreen { identifier: "bgd-1".into(), delete_target }
}

#[tokio::test]
async fn a_finished_deployment_goes_and_both_databases_stay() {
    let (outcome, seen) = make(delete(false), |seen| match operation(seen).as_str() {
        "DescribeBlueGreenDeployments" => described(&format!("<Status>SWITCHOVER_COMPLETED</Status>{}", tag(TAG_OF, "db-ABC"))),
        _ => done(seen),
    })
    .await;
    outcome.unwrap();
    assert_eq!(actions(&seen), ["DescribeBlueGreenDeployments", "DeleteBlueGreenDeployment"]);
    assert_eq!(fields(&seen[1]), pairs(&[("BlueGreenDeploymentIdentifier", "bgd-1")]));
}

/// What AWS builds bears the blue side's tags alone, and only what bears ours may be deleted.
#[tokio::test]
async fn a_green_side_that_nobody_was_switched_to_is_marked_and_goes_with_its_deployment() {
    let (green, reader) = (arn("db:a-green-x1"), arn("db:a-reader-green-x1"));
    let target = |arn: &str| format!("<member><SourceMember>s</SourceMember><TargetMember>{arn}</TargetMember></member>");
    let details = format!(
        "<Status>AVAILABLE</Status><Target>{green}</Target><SwitchoverDetails>{}{}</SwitchoverDetails>{}",
        target(green.as_str()),
        target(reader.as_str()),
        tag(TAG_OF, "db-ABC")
    );
    let (outcome, seen) = make(delete(true), move |seen| match operation(seen).as_str() {
        "DescribeBlueGreenDeployments" => described(&details),
        _ => done(seen),
    })
    .await;
    outcome.unwrap();
    assert_eq!(actions(&seen), ["DescribeBlueGreenDeployments", "AddTagsToResource", "AddTagsToResource", "DeleteBlueGreenDeployment"]);
    let marks = |arn: &str| pairs(&[("ResourceName", arn), ("Tags.Tag.1.Key", TAG_OF), ("Tags.Tag.1.Value", "db-ABC")]);
    assert_eq!((fields(&seen[1]), fields(&seen[2])), (marks(green.as_str()), marks(reader.as_str())));
    assert_eq!(fields(&seen[3]), pairs(&[("BlueGreenDeploymentIdentifier", "bgd-1"), ("DeleteTarget", "true")]));
}

#[tokio::test]
async fn no_side_that_clients_reach_and_no_deployment_of_others_is_deleted() {
    let ours = tag(TAG_OF, "db-ABC");
    let cases = [
        (true, format!("<Status>SWITCHOVER_COMPLETED</Status>{ours}"), "is what clients reach"),
        (true, format!("<Status>SWITCHOVER_IN_PROGRESS</Status>{ours}"), "is what clients reach"),
        (true, "<Status>AVAILABLE</Status>".to_owned(), "no migration has made it"),
        (false, "<Status>SWITCHOVER_COMPLETED</Status>".to_owned(), "no migration has made it"),
    ];
    for (delete_target, there, words) in cases {
        let (outcome, seen) = make(delete(delete_target), move |_| described(&there)).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.class, seen.len()), (ErrorClass::Conflict, 1));
        assert!(error.message.contains(words), "{}", error.message);
    }
    make(delete(true), |_| refused(404, "BlueGreenDeploymentNotFoundFault")).await.0.unwrap();
}
