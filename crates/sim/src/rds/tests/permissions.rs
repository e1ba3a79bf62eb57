//! Who may: roles that are passed, what a deployment does for its caller, service control policies.

use serde_json::json;

use super::*;
use crate::testing;
use crate::user::User;

/// A role of the account that may do these, and the access key of a session of it.
fn session(world: &mut World, actions: &str) -> String {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}]}}"#
    );
    let role = world.create_role(ACCOUNT, "everseal", &trust).unwrap();
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#);
    world.put_role_policy(ACCOUNT, "everseal", "all", &policy).unwrap();
    User::administrator(ACCOUNT, REGION).assume(world, &role).unwrap().access_key
}

#[test]
fn a_role_is_passed_only_by_who_may() {
    let mut world = world();
    create(&mut world, "orders", "postgres", &[]);
    let role = ("RoleArn", "arn:aws:iam::111122223333:role/import");
    let members = [("DBInstanceIdentifier", "orders"), role, ("FeatureName", "s3Import")];
    let monitor = [
        ("DBInstanceIdentifier", "orders"),
        ("MonitoringInterval", "60"),
        ("MonitoringRoleArn", "arn:aws:iam::111122223333:role/monitoring"),
    ];
    let key = session(&mut world, r#""rds:*""#);
    assert_eq!(call(&mut world, &key, "AddRoleToDBInstance", &members).unwrap_err(), (403, "AccessDenied".to_owned()));
    assert_eq!(call(&mut world, &key, "ModifyDBInstance", &monitor).unwrap_err(), (403, "AccessDenied".to_owned()));
    let key = session(&mut world, r#""rds:*","iam:PassRole""#);
    call(&mut world, &key, "AddRoleToDBInstance", &members).unwrap();
    call(&mut world, &key, "ModifyDBInstance", &monitor).unwrap();
}

#[test]
fn a_deployment_needs_what_it_does_to_databases() {
    let mut world = world();
    create(&mut world, "orders", "mysql", &[]);
    let source = arn("orders");
    let members = [("BlueGreenDeploymentName", "x"), ("Source", source.as_str())];
    let key = session(&mut world, r#""rds:CreateBlueGreenDeployment","rds:SwitchoverBlueGreenDeployment""#);
    assert_eq!(call(&mut world, &key, "CreateBlueGreenDeployment", &members).unwrap_err().0, 403);
    let create =
        r#""rds:CreateBlueGreenDeployment","rds:SwitchoverBlueGreenDeployment","rds:AddTagsToResource","rds:CreateDBInstanceReadReplica""#;
    let key = session(&mut world, create);
    let made = call(&mut world, &key, "CreateBlueGreenDeployment", &members).unwrap();
    pass(&mut world, HOUR);
    let id = made.at("BlueGreenDeployment/BlueGreenDeploymentIdentifier").unwrap();
    let switch = [("BlueGreenDeploymentIdentifier", id)];
    assert_eq!(call(&mut world, &key, "SwitchoverBlueGreenDeployment", &switch).unwrap_err().0, 403);
    let key = session(&mut world, &format!(r#"{create},"rds:ModifyDBInstance","rds:PromoteReadReplica""#));
    call(&mut world, &key, "SwitchoverBlueGreenDeployment", &switch).unwrap();
}

#[test]
fn a_key_that_the_caller_may_not_use_encrypts_no_copy() {
    let mut world = world();
    let kms = world.create_key(ACCOUNT, REGION, None).unwrap();
    create(&mut world, "orders", "mysql", &[]);
    ok(&mut world, "CreateDBSnapshot", &[("DBInstanceIdentifier", "orders"), ("DBSnapshotIdentifier", "plain")]);
    pass(&mut world, HOUR);
    let copy = [("SourceDBSnapshotIdentifier", "plain"), ("TargetDBSnapshotIdentifier", "sealed"), ("KmsKeyId", kms.as_str())];
    for (actions, may) in
        [(r#""rds:*""#, false), (r#""rds:*","kms:DescribeKey""#, false), (r#""rds:*","kms:DescribeKey","kms:CreateGrant""#, true)]
    {
        let key = session(&mut world, actions);
        let copied = call(&mut world, &key, "CopyDBSnapshot", &copy);
        let refused = copied.err().map(|(_, code)| code);
        assert_eq!(refused.as_deref(), (!may).then_some("KMSKeyNotAccessibleFault"), "{actions}");
    }
}

/// A policy that many organizations have. A restore has no `StorageEncrypted` of its own, so it is taken for unencrypted, and
/// stopped although its snapshot is encrypted. [aws/aws-sdk-go-v2#2678]
#[test]
fn a_service_control_policy_against_unencrypted_databases_stops_restores_too() {
    let mut world = world();
    world.create_organization(OTHER);
    world.join_organization(ACCOUNT, "member");
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    create(&mut world, "orders", "mysql", &[("StorageEncrypted", "true"), ("KmsKeyId", &key)]);
    ok(&mut world, "CreateDBSnapshot", &[("DBInstanceIdentifier", "orders"), ("DBSnapshotIdentifier", "sealed")]);
    pass(&mut world, HOUR);
    let actions = ["rds:CreateDBInstance", "rds:RestoreDBInstanceFromDBSnapshot"];
    let deny = json!({
        "Effect": "Deny", "Action": actions, "Resource": "*", "Condition": { "Bool": { "rds:StorageEncrypted": "false" } },
    });
    let content = json!({ "Version": "2012-10-17", "Statement": [deny] }).to_string();
    let policy = json!({ "Type": "SERVICE_CONTROL_POLICY", "Name": "sealed", "Description": "", "Content": content });
    let organizations = |world: &mut World, operation: &str, input: &serde_json::Value| {
        testing::json(world, OTHER, REGION, &format!("AWSOrganizationsV20161128.{operation}"), input).unwrap()
    };
    let id = organizations(&mut world, "CreatePolicy", &policy)["Policy"]["PolicySummary"]["Id"].clone();
    organizations(&mut world, "AttachPolicy", &json!({ "PolicyId": id, "TargetId": ACCOUNT }));
    let restore = [("DBInstanceIdentifier", "orders-new"), ("DBSnapshotIdentifier", "sealed")];
    assert_eq!(refused(&mut world, "RestoreDBInstanceFromDBSnapshot", &restore), (403, "AccessDenied".to_owned()));
    create(&mut world, "more", "mysql", &[("StorageEncrypted", "true"), ("KmsKeyId", &key)]);
}
