use std::collections::{BTreeMap, BTreeSet};

use everseal_controller::ApplyError;
use everseal_planner::inventory::ErrorClass;
use everseal_planner::plan::Change;
use everseal_planner::plan::change::ParameterGroupKind::{self, Cluster, Instance};
use everseal_planner::rds::migration::change::MigrationChange;
use everseal_planner::rds::migration::observed::{TAG_OF, TAG_REPLACED_AT};

use super::super::{actions, arn, fields, form, pairs, refused, xml};
use super::{cluster, clusters, instance, instances, operation, tag};
use crate::rds::apply;
use crate::testing::{Answer, Seen, Wire};

pub(super) const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1";

/// Makes a change; also says that each call went out under its own operation's name.
pub(super) async fn make(
    change: MigrationChange,
    answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
) -> (Result<(), ApplyError>, Vec<Seen>) {
    let wire = Wire::new(answer);
    let outcome = apply(&wire.context(), &arn("db:a"), &Change::Migration(Box::new(change))).await;
    wire.counted();
    (outcome, wire.seen())
}

pub(super) fn done(seen: &Seen) -> Answer {
    xml(&operation(seen), "")
}

/// The one call that a change makes.
pub(super) async fn call(change: MigrationChange) -> (String, Vec<(String, String)>) {
    let named = change.action();
    let (outcome, seen) = make(change, done).await;
    outcome.unwrap();
    let [request] = seen.as_slice() else { panic!("{:?}", actions(&seen)) };
    assert_eq!(operation(request), named, "the plan names the call");
    (operation(request), fields(request))
}

pub(super) fn ours() -> BTreeMap<String, String> {
    BTreeMap::from([(TAG_OF.to_owned(), "db-ABC".to_owned()), ("team".to_owned(), "ledger".to_owned())])
}

pub(super) const OUR_TAGS: [(&str, &str); 4] =
    [("Tags.Tag.1.Key", TAG_OF), ("Tags.Tag.1.Value", "db-ABC"), ("Tags.Tag.2.Key", "team"), ("Tags.Tag.2.Value", "ledger")];

/// The fields that a request bears beside our tags.
pub(super) fn with_tags(more: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs(&more.iter().copied().chain(OUR_TAGS).collect::<Vec<_>>())
}

fn snapshot(kind: ParameterGroupKind) -> MigrationChange {
    MigrationChange::CreateSnapshot { kind, database: "a".into(), snapshot: "a-everseal".into(), tags: ours() }
}

fn copy() -> MigrationChange {
    MigrationChange::CopySnapshot { source: "a-everseal".into(), target: "a-everseal-kms".into(), key: KEY.into(), tags: ours() }
}

#[tokio::test]
async fn snapshots_are_taken_and_copied_under_the_key() {
    let (action, sent) = call(snapshot(Instance)).await;
    assert_eq!(action, "CreateDBSnapshot");
    assert_eq!(sent, with_tags(&[("DBInstanceIdentifier", "a"), ("DBSnapshotIdentifier", "a-everseal")]));
    let (action, sent) = call(snapshot(Cluster)).await;
    assert_eq!(action, "CreateDBClusterSnapshot");
    assert_eq!(sent, with_tags(&[("DBClusterIdentifier", "a"), ("DBClusterSnapshotIdentifier", "a-everseal")]));
    let (action, sent) = call(copy()).await;
    assert_eq!(action, "CopyDBSnapshot");
    let expected = [("SourceDBSnapshotIdentifier", "a-everseal"), ("TargetDBSnapshotIdentifier", "a-everseal-kms"), ("KmsKeyId", KEY)];
    assert_eq!(sent, with_tags(&expected));
}

/// Tags of a stack belong to AWS: a call that bears one is refused.
#[tokio::test]
async fn tags_that_aws_has_set_are_not_passed_on() {
    let mut tags = ours();
    tags.insert("aws:cloudformation:stack-name".into(), "ledger".into());
    let change = MigrationChange::CreateSnapshot { kind: Instance, database: "a".into(), snapshot: "s".into(), tags };
    assert_eq!(call(change).await.1, with_tags(&[("DBInstanceIdentifier", "a"), ("DBSnapshotIdentifier", "s")]));
}

fn described(kind: ParameterGroupKind, more: &str) -> Answer {
    match kind {
        Instance => xml("DescribeDBSnapshots", &format!("<DBSnapshots><DBSnapshot>{more}</DBSnapshot></DBSnapshots>")),
        Cluster => xml(
            "DescribeDBClusterSnapshots",
            &format!("<DBClusterSnapshots><DBClusterSnapshot>{more}</DBClusterSnapshot></DBClusterSnapshots>"),
        ),
    }
}

/// The issue: two daemons do not start two migrations.
#[tokio::test]
async fn a_snapshot_that_the_same_migration_has_made_is_done_and_somebody_elses_is_told() {
    let cases = [
        (snapshot(Instance), "DBSnapshotAlreadyExists", Instance, "a-everseal"),
        (snapshot(Cluster), "DBClusterSnapshotAlreadyExistsFault", Cluster, "a-everseal"),
        (copy(), "DBSnapshotAlreadyExists", Instance, "a-everseal-kms"),
    ];
    for (change, exists, kind, name) in cases {
        for (tags, same) in
            [(tag(TAG_OF, "db-ABC"), true), (tag(TAG_OF, "db-OTHER"), false), (tag("team", "db-ABC"), false), (String::new(), false)]
        {
            let (outcome, seen) =
                make(
                    change.clone(),
                    move |seen| {
                        if operation(seen).starts_with("Describe") { described(kind, &tags) } else { refused(400, exists) }
                    },
                )
                .await;
            assert_eq!(outcome.is_ok(), same);
            assert_eq!(seen.len(), 2);
            let identifier = if kind == Instance { "DBSnapshotIdentifier" } else { "DBClusterSnapshotIdentifier" };
            assert_eq!(form(&seen[1])[identifier], name);
            if let Err(error) = outcome {
                assert_eq!((error.class, error.code.as_str()), (ErrorClass::Conflict, exists));
                assert!(error.message.starts_with(name) && error.message.contains("rename or remove it"), "{}", error.message);
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_when_it_is_worth_another_try() {
    let cases = [
        (copy(), 400, "KMSKeyNotAccessibleFault", ErrorClass::Denied, "kms:CreateGrant"),
        (copy(), 400, "SnapshotQuotaExceeded", ErrorClass::LimitExceeded, "quota"),
        (snapshot(Instance), 400, "InvalidDBInstanceState", ErrorClass::Conflict, "refused"),
        (snapshot(Cluster), 400, "InvalidDBClusterStateFault", ErrorClass::Conflict, "refused"),
        (copy(), 400, "InvalidDBSnapshotState", ErrorClass::Conflict, "refused"),
        (snapshot(Instance), 404, "DBInstanceNotFound", ErrorClass::NotFound, "refused"),
    ];
    for (change, status, code, class, words) in cases {
        let (outcome, _) = make(change, move |_| refused(status, code)).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.class, error.code.as_str()), (class, code));
        assert!(error.message.contains(words), "{}", error.message);
    }
    let (outcome, _) = make(copy(), |_| refused(403, "AccessDenied")).await;
    assert_eq!(outcome.unwrap_err().missing_action.as_deref(), Some("rds:CopyDBSnapshot"));
}

#[tokio::test]
async fn only_a_snapshot_of_ours_is_deleted() {
    for (kind, action, identifier) in
        [(Instance, "DeleteDBSnapshot", "DBSnapshotIdentifier"), (Cluster, "DeleteDBClusterSnapshot", "DBClusterSnapshotIdentifier")]
    {
        let change = MigrationChange::DeleteSnapshot { kind, snapshot: "s".into() };
        assert_eq!(change.action(), action);
        let (outcome, seen) = make(change.clone(), move |seen| {
            if operation(seen).starts_with("Describe") { described(kind, &tag(TAG_OF, "db-ABC")) } else { done(seen) }
        })
        .await;
        outcome.unwrap();
        assert_eq!((operation(&seen[1]).as_str(), fields(&seen[1])), (action, pairs(&[(identifier, "s")])));
        let (outcome, seen) = make(change.clone(), move |_| described(kind, "")).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.class, seen.len()), (ErrorClass::Conflict, 1), "AWS was not asked to delete it");
        assert!(error.message.contains("is not deleted"), "{}", error.message);
        let not_found = if kind == Instance { "DBSnapshotNotFound" } else { "DBClusterSnapshotNotFoundFault" };
        make(change, move |_| refused(404, not_found)).await.0.unwrap();
    }
}

#[tokio::test]
async fn tags_are_set_and_taken_away() {
    let change = |set: &[(&str, &str)], remove: &[&str]| MigrationChange::Tags {
        arn: arn("db:a").to_string(),
        set: set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        remove: remove.iter().map(|key| (*key).to_owned()).collect(),
    };
    let name = arn("db:a").to_string();
    let (action, sent) = call(change(&[("everseal:isolated-at", "7")], &[])).await;
    assert_eq!(action, "AddTagsToResource");
    assert_eq!(sent, pairs(&[("ResourceName", &name), ("Tags.Tag.1.Key", "everseal:isolated-at"), ("Tags.Tag.1.Value", "7")]));
    let (action, sent) = call(change(&[], &["everseal:isolated-at", "everseal:security-groups"])).await;
    assert_eq!(action, "RemoveTagsFromResource");
    let keys = [("TagKeys.member.1", "everseal:isolated-at"), ("TagKeys.member.2", "everseal:security-groups"), ("ResourceName", &name)];
    assert_eq!(sent, pairs(&keys));
    let (outcome, seen) = make(change(&[("everseal:replaced-at", "9")], &["everseal:isolated-at"]), done).await;
    outcome.unwrap();
    assert_eq!(actions(&seen), ["AddTagsToResource", "RemoveTagsFromResource"]);
}

fn groups(groups: &[&str]) -> BTreeSet<String> {
    groups.iter().map(|group| (*group).to_owned()).collect()
}

#[tokio::test]
async fn isolating_a_database_sets_off_nothing_else_that_waits_on_it() {
    let change =
        |kind| MigrationChange::SecurityGroups { kind, database: "a".into(), before: groups(&["sg-1"]), after: groups(&["sg-8", "sg-9"]) };
    let wanted = [("VpcSecurityGroupIds.VpcSecurityGroupId.1", "sg-8"), ("VpcSecurityGroupIds.VpcSecurityGroupId.2", "sg-9")];
    let (action, sent) = call(change(Instance)).await;
    assert_eq!((action.as_str(), sent), ("ModifyDBInstance", pairs(&[("DBInstanceIdentifier", "a"), wanted[0], wanted[1]])));
    let (action, sent) = call(change(Cluster)).await;
    let expected = pairs(&[("DBClusterIdentifier", "a"), ("ApplyImmediately", "true"), wanted[0], wanted[1]]);
    assert_eq!((action.as_str(), sent), ("ModifyDBCluster", expected));
}

#[tokio::test]
async fn deletion_protection_goes_on_and_off() {
    for (on, text) in [(true, "true"), (false, "false")] {
        let change = |kind| MigrationChange::DeletionProtection { kind, database: "a".into(), on };
        let (action, sent) = call(change(Instance)).await;
        assert_eq!((action.as_str(), sent), ("ModifyDBInstance", pairs(&[("DBInstanceIdentifier", "a"), ("DeletionProtection", text)])));
        let (action, sent) = call(change(Cluster)).await;
        assert_eq!((action.as_str(), sent), ("ModifyDBCluster", pairs(&[("DBClusterIdentifier", "a"), ("DeletionProtection", text)])));
    }
}

pub(super) fn database(kind: ParameterGroupKind, id: &str, more: &str) -> Answer {
    match kind {
        Instance => instances(&instance("a", &format!("<DbiResourceId>{id}</DbiResourceId>{more}"))),
        Cluster => clusters(&cluster("a", &format!("<DbClusterResourceId>{id}</DbClusterResourceId>{more}"))),
    }
}

#[tokio::test]
async fn a_database_is_renamed_by_its_own_id_and_never_another_that_got_its_name() {
    for (kind, action, from, to) in [
        (Instance, "ModifyDBInstance", "DBInstanceIdentifier", "NewDBInstanceIdentifier"),
        (Cluster, "ModifyDBCluster", "DBClusterIdentifier", "NewDBClusterIdentifier"),
    ] {
        let change = MigrationChange::Rename { kind, resource_id: "id-A".into(), from: "a".into(), to: "a-old".into() };
        let (outcome, seen) =
            make(change.clone(), move |seen| if operation(seen).starts_with("Describe") { database(kind, "id-A", "") } else { done(seen) })
                .await;
        outcome.unwrap();
        assert_eq!(form(&seen[0])[from], "a");
        assert_eq!(
            (operation(&seen[1]).as_str(), fields(&seen[1])),
            (action, pairs(&[(from, "a"), (to, "a-old"), ("ApplyImmediately", "true")]))
        );

        let (outcome, seen) = make(change.clone(), move |_| database(kind, "id-B", "")).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.class, seen.len()), (ErrorClass::Conflict, 1), "nothing was renamed");
        assert!(error.message.contains("id-A") && error.message.contains("id-B"), "{}", error.message);
    }
}

fn delete(kind: ParameterGroupKind, final_snapshot: Option<&str>) -> MigrationChange {
    MigrationChange::DeleteDatabase {
        kind,
        resource_id: "id-A".into(),
        database: "a".into(),
        final_snapshot: final_snapshot.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_copy_of_ours_is_deleted_without_a_last_snapshot() {
    for (kind, action, identifier) in
        [(Instance, "DeleteDBInstance", "DBInstanceIdentifier"), (Cluster, "DeleteDBCluster", "DBClusterIdentifier")]
    {
        let (outcome, seen) = make(delete(kind, None), move |seen| {
            if operation(seen).starts_with("Describe") { database(kind, "id-A", &tag(TAG_OF, "db-ABC")) } else { done(seen) }
        })
        .await;
        outcome.unwrap();
        assert_eq!((operation(&seen[1]).as_str(), fields(&seen[1])), (action, pairs(&[(identifier, "a"), ("SkipFinalSnapshot", "true")])));
        assert_eq!(delete(kind, None).action(), action);
    }
}

#[tokio::test]
async fn what_was_replaced_is_deleted_with_a_last_snapshot_and_keeps_its_backups() {
    for (kind, identifier) in [(Instance, "DBInstanceIdentifier"), (Cluster, "DBClusterIdentifier")] {
        let (outcome, seen) = make(delete(kind, Some("a-final")), move |seen| {
            if operation(seen).starts_with("Describe") { database(kind, "id-A", &tag(TAG_REPLACED_AT, "7")) } else { done(seen) }
        })
        .await;
        outcome.unwrap();
        let expected = [
            (identifier, "a"),
            ("SkipFinalSnapshot", "false"),
            ("FinalDBSnapshotIdentifier", "a-final"),
            ("DeleteAutomatedBackups", "false"),
        ];
        assert_eq!(fields(&seen[1]), pairs(&expected));
    }
}

/// The issue: nothing is ever deleted but what we made, whatever a plan may say.
#[tokio::test]
async fn nothing_else_is_deleted() {
    for kind in [Instance, Cluster] {
        let cases = [
            (delete(kind, None), "id-A", String::new(), "is not deleted"),
            (delete(kind, None), "id-A", tag(TAG_REPLACED_AT, "7"), "is not deleted without a last snapshot"),
            (delete(kind, Some("a-final")), "id-A", String::new(), "is not deleted"),
            (delete(kind, Some("a-final")), "id-B", tag(TAG_REPLACED_AT, "7"), "another database by now"),
            (delete(kind, None), "id-B", tag(TAG_OF, "db-ABC"), "another database by now"),
        ];
        for (change, id, tags, words) in cases {
            let (outcome, seen) = make(change, move |_| database(kind, id, &tags)).await;
            let error = outcome.unwrap_err();
            assert!(seen.iter().all(|seen| operation(seen).starts_with("Describe")), "{:?}", actions(&seen));
            assert_eq!(error.class, ErrorClass::Conflict);
            assert!(error.message.contains(words), "{}", error.message);
        }
        let gone = if kind == Instance { "DBInstanceNotFound" } else { "DBClusterNotFoundFault" };
        make(delete(kind, None), move |_| refused(404, gone)).await.0.unwrap();
    }
}

/// Members of the old cluster bear no tag of ours; the data stays with the cluster.
#[tokio::test]
async fn a_member_is_deleted_only_with_a_cluster_that_was_replaced() {
    let member = |tags: &str| database(Instance, "id-A", &format!("<DBClusterIdentifier>c</DBClusterIdentifier>{tags}"));
    let (outcome, seen) = make(delete(Instance, None), move |seen| match operation(seen).as_str() {
        "DescribeDBInstances" => member(""),
        "DescribeDBClusters" => clusters(&cluster("c", &tag(TAG_REPLACED_AT, "7"))),
        _ => done(seen),
    })
    .await;
    outcome.unwrap();
    assert_eq!(actions(&seen), ["DescribeDBInstances", "DescribeDBClusters", "AddTagsToResource", "DeleteDBInstance"]);
    let marked = pairs(&[("ResourceName", arn("db:a").as_str()), ("Tags.Tag.1.Key", TAG_REPLACED_AT), ("Tags.Tag.1.Value", "7")]);
    assert_eq!(fields(&seen[2]), marked, "the permission to delete hangs on the tag");
    assert_eq!(fields(&seen[3]), pairs(&[("DBInstanceIdentifier", "a"), ("SkipFinalSnapshot", "true")]));

    let (outcome, seen) = make(delete(Instance, None), move |seen| match operation(seen).as_str() {
        "DescribeDBInstances" => member(""),
        _ => clusters(&cluster("c", "")),
    })
    .await;
    let error = outcome.unwrap_err();
    assert_eq!((error.class, seen.len()), (ErrorClass::Conflict, 2));
    assert!(error.message.contains("no migration has replaced"), "{}", error.message);

    let (outcome, seen) = make(delete(Instance, None), move |seen| match operation(seen).as_str() {
        "DescribeDBInstances" => member(&tag(TAG_OF, "cluster-ABC")),
        _ => done(seen),
    })
    .await;
    outcome.unwrap();
    assert_eq!(actions(&seen), ["DescribeDBInstances", "DeleteDBInstance"], "a copy's member is ours itself");
}

const ROLE: &str = "arn:aws:iam::111122223333:role/s3";

fn role(kind: ParameterGroupKind, feature: &str) -> MigrationChange {
    MigrationChange::AddRole { kind, database: "a".into(), feature: feature.into(), role: ROLE.into() }
}

#[tokio::test]
async fn roles_are_associated_once() {
    let (action, sent) = call(role(Instance, "s3Import")).await;
    let expected = pairs(&[("DBInstanceIdentifier", "a"), ("RoleArn", ROLE), ("FeatureName", "s3Import")]);
    assert_eq!((action.as_str(), sent), ("AddRoleToDBInstance", expected));
    let (action, sent) = call(role(Cluster, "")).await;
    assert_eq!((action.as_str(), sent), ("AddRoleToDBCluster", pairs(&[("DBClusterIdentifier", "a"), ("RoleArn", ROLE)])));

    let there = |arn: &str, feature: &str| {
        format!(
            "<AssociatedRoles><DBInstanceRole><RoleArn>{arn}</RoleArn><FeatureName>{feature}</FeatureName></DBInstanceRole></AssociatedRoles>"
        )
    };
    for (roles, same) in
        [(there(ROLE, "s3Import"), true), (there("arn:aws:iam::1:role/x", "s3Import"), false), (there(ROLE, "s3Export"), false)]
    {
        let (outcome, _) = make(role(Instance, "s3Import"), move |seen| match operation(seen).as_str() {
            "DescribeDBInstances" => database(Instance, "id-A", &roles),
            _ => refused(400, "DBInstanceRoleAlreadyExists"),
        })
        .await;
        assert_eq!(outcome.is_ok(), same);
        assert!(outcome.is_ok() || outcome.unwrap_err().class == ErrorClass::Conflict);
    }
}

#[tokio::test]
async fn a_subscription_gets_one_more_source() {
    let change = MigrationChange::SubscribeEvents { subscription: "alerts".into(), database: "a".into() };
    let (action, sent) = call(change).await;
    let expected = pairs(&[("SubscriptionName", "alerts"), ("SourceIdentifier", "a")]);
    assert_eq!((action.as_str(), sent), ("AddSourceIdentifierToSubscription", expected));
}

fn retarget(kind: ParameterGroupKind) -> MigrationChange {
    MigrationChange::RetargetProxy { proxy: "front".into(), target_group: "default".into(), from: "a-old".into(), to: "a".into(), kind }
}

/// The proxy with targets in its one group, and databases that it is refused.
fn proxy(targets: &'static [&'static str], refuses: &'static [&'static str]) -> impl Fn(&Seen) -> Answer + Send + Sync + 'static {
    move |seen| match operation(seen).as_str() {
        "DescribeDBProxies" => {
            assert_eq!(form(seen)["DBProxyName"], "front");
            xml("DescribeDBProxies", &format!("<DBProxies><member><DBProxyArn>{}</DBProxyArn></member></DBProxies>", arn("db-proxy:prx-1")))
        }
        "DescribeDBProxyTargetGroups" => {
            xml("DescribeDBProxyTargetGroups", "<TargetGroups><member><TargetGroupName>default</TargetGroupName></member></TargetGroups>")
        }
        "DescribeDBProxyTargets" => {
            let one = |id: &&str| format!("<member><RdsResourceId>{id}</RdsResourceId><Type>RDS_INSTANCE</Type></member>");
            xml("DescribeDBProxyTargets", &format!("<Targets>{}</Targets>", targets.iter().map(one).collect::<String>()))
        }
        "RegisterDBProxyTargets" if form(seen).get("DBInstanceIdentifiers.member.1").is_some_and(|one| refuses.contains(&one.as_str())) => {
            refused(400, "InvalidDBInstanceState")
        }
        _ => done(seen),
    }
}

/// What was written: the operation, and the database or the tag.
fn written(seen: &[Seen]) -> Vec<String> {
    let what = |seen: &Seen| {
        let sent = form(seen);
        let fields = ["DBInstanceIdentifiers.member.1", "DBClusterIdentifiers.member.1", "Tags.Tag.1.Value", "TagKeys.member.1"];
        let value = fields.iter().find_map(|field| sent.get(*field)).unwrap();
        format!("{} {value}", operation(seen))
    };
    seen.iter().filter(|seen| !operation(seen).starts_with("Describe")).map(what).collect()
}

const NOTED: &str = "AddTagsToResource db:a-old";
const DONE: &str = "RemoveTagsFromResource everseal:leads-to";

#[tokio::test]
async fn a_proxy_leads_to_one_database_and_never_stays_without() {
    let (outcome, seen) = make(retarget(Instance), proxy(&["a-old"], &[])).await;
    outcome.unwrap();
    assert_eq!(written(&seen), [NOTED, "DeregisterDBProxyTargets a-old", "RegisterDBProxyTargets a", DONE]);
    let registered = seen.iter().find(|seen| operation(seen) == "RegisterDBProxyTargets").unwrap();
    let expected = pairs(&[("DBProxyName", "front"), ("TargetGroupName", "default"), ("DBInstanceIdentifiers.member.1", "a")]);
    assert_eq!(fields(registered), expected);
    let noted = seen.iter().find(|seen| operation(seen) == "AddTagsToResource").unwrap();
    let proxy_arn = arn("db-proxy:prx-1").to_string();
    let expected = [("ResourceName", proxy_arn.as_str()), ("Tags.Tag.1.Key", "everseal:leads-to"), ("Tags.Tag.1.Value", "db:a-old")];
    assert_eq!(fields(noted), pairs(&expected));

    let (outcome, seen) = make(retarget(Instance), proxy(&[], &[])).await;
    outcome.unwrap();
    assert_eq!(written(&seen), ["RegisterDBProxyTargets a", DONE], "a start that was cut short is taken up");
    let (outcome, seen) = make(retarget(Instance), proxy(&["a"], &[])).await;
    outcome.unwrap();
    assert_eq!(written(&seen), [DONE]);
}

#[tokio::test]
async fn where_the_new_database_is_refused_the_old_one_comes_back_to_its_proxy() {
    let (outcome, seen) = make(retarget(Instance), proxy(&["a-old"], &["a"])).await;
    let error = outcome.unwrap_err();
    assert_eq!(written(&seen), [NOTED, "DeregisterDBProxyTargets a-old", "RegisterDBProxyTargets a", "RegisterDBProxyTargets a-old"]);
    assert_eq!(error.class, ErrorClass::Conflict);
    assert!(error.message.contains("leads to a-old as before"), "{}", error.message);
    let (outcome, seen) = make(retarget(Instance), proxy(&["a-old"], &["a", "a-old"])).await;
    let message = outcome.unwrap_err().message;
    assert!(message.contains("proxy front leads nowhere: register a or a-old with it by hand"), "{message}");
    assert!(!written(&seen).contains(&DONE.to_owned()), "the tag stays, so that the next pass takes it up");
}

#[tokio::test]
async fn a_proxy_of_a_cluster_gets_a_cluster() {
    let (outcome, seen) = make(retarget(Cluster), |seen| match operation(seen).as_str() {
        "DescribeDBProxyTargets" => xml(
            "DescribeDBProxyTargets",
            "<Targets><member><RdsResourceId>a-old</RdsResourceId><Type>TRACKED_CLUSTER</Type></member>\
             <member><RdsResourceId>w</RdsResourceId><TrackedClusterId>a-old</TrackedClusterId><Type>RDS_INSTANCE</Type></member></Targets>",
        ),
        _ => proxy(&[], &[])(seen),
    })
    .await;
    outcome.unwrap();
    let expected = ["AddTagsToResource cluster:a-old", "DeregisterDBProxyTargets a-old", "RegisterDBProxyTargets a", DONE];
    assert_eq!(written(&seen), expected);
    assert!(seen.iter().all(|seen| !form(seen).contains_key("DBInstanceIdentifiers.member.1")));
}
