//! Whose it is: what a change finds under a name decides whether it may be made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::fixtures::inventory;
use crate::plan::change::ParameterGroupKind::Instance;
use crate::rds::migration::change::MigrationChange;
use crate::rds::migration::observed::TAG_OF;

fn arn(resource: &str) -> String {
    format!("arn:aws:rds:us-east-1:111122223333:{resource}")
}

fn database(name: &str, id: &str, more: &Value) -> Value {
    let mut db = json!({"arn": arn(&format!("db:{name}")), "identifier": name, "engine": "postgres", "engineVersion": "14.9", "status": "available",
        "resourceId": id, "settings": {"vpcSecurityGroups": ["sg-app"]}});
    for (field, value) in more.as_object().unwrap() {
        db[field] = value.clone();
    }
    db
}

fn snapshot(name: &str, status: &str, tags: &Value) -> Value {
    json!({"arn": arn(&format!("snapshot:{name}")), "identifier": name, "database": "orders", "status": status, "tags": tags})
}

fn world() -> Inventory {
    let databases = [database("orders", "db-ONE", &json!({})), database("taken", "db-TWO", &json!({"tags": {TAG_OF: "db-ONE"}}))];
    let databases: serde_json::Map<String, Value> = databases.into_iter().map(|db| (db["arn"].as_str().unwrap().to_owned(), db)).collect();
    let snapshots = [
        snapshot("ours", "available", &json!({TAG_OF: "db-ONE"})),
        snapshot("foreign", "available", &json!({})),
        snapshot("young", "creating", &json!({TAG_OF: "db-ONE"})),
    ];
    let snapshots: serde_json::Map<String, Value> =
        snapshots.into_iter().map(|one| (one["arn"].as_str().unwrap().to_owned(), one)).collect();
    let facts = json!({"snapshots": snapshots, "blueGreenDeployments": {
        "bgd-1": {"identifier": "bgd-1", "name": "orders-everseal", "source": arn("db:orders"), "status": "AVAILABLE", "tags": {TAG_OF: "db-ONE"}},
        "bgd-2": {"identifier": "bgd-2", "name": "foreign", "source": arn("db:orders"), "status": "AVAILABLE", "tags": {}},
        "bgd-3": {"identifier": "bgd-3", "name": "done", "source": arn("db:orders"), "status": "SWITCHOVER_COMPLETED", "tags": {TAG_OF: "db-ONE"}},
    }});
    inventory(&json!([]), &json!({"dbInstances": databases, "migrations": facts}))
}

fn of(change: MigrationChange) -> Standing {
    standing(&world(), &Arn::parse(&arn("db:orders")).unwrap(), &Change::Migration(Box::new(change)))
}

fn tags(id: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(TAG_OF.to_owned(), id.to_owned())])
}

fn is_changed(standing: &Standing, words: &str) {
    assert!(matches!(standing, Standing::Changed(why) if why.contains(words)), "{standing:?}");
}

#[test]
fn a_rename_goes_by_the_databases_own_id() {
    let rename = |id: &str, from: &str, to: &str| {
        of(MigrationChange::Rename { kind: Instance, resource_id: id.into(), from: from.into(), to: to.into() })
    };
    assert_eq!(rename("db-ONE", "orders", "orders-old-everseal"), Standing::Before);
    assert_eq!(rename("db-ONE", "before", "orders"), Standing::After);
    assert_eq!(rename("db-NONE", "orders", "orders-old-everseal"), Standing::Gone);
    is_changed(&rename("db-TWO", "orders", "orders-old-everseal"), "called taken now");
    is_changed(&rename("db-ONE", "orders", "taken"), "somebody else's name");
}

#[test]
fn a_client_that_came_back_stops_the_rename_of_the_old_database() {
    let mut world = world();
    let orders = Arn::parse(&arn("db:orders")).unwrap();
    let activity = json!({"activity": {"from": 0, "to": 60, "mostConnections": 2, "connectionsNow": 2}});
    world.migrations.databases.insert(orders.clone(), serde_json::from_value(activity).unwrap());
    let rename = |to: &str| {
        Change::Migration(Box::new(MigrationChange::Rename {
            kind: Instance,
            resource_id: "db-ONE".into(),
            from: "orders".into(),
            to: to.into(),
        }))
    };
    is_changed(&standing(&world, &orders, &rename("orders-old-everseal")), "2 connections to orders are open");
    assert_eq!(standing(&world, &orders, &rename("back")), Standing::Before, "the way back is never stopped");
}

#[test]
fn a_deletion_goes_by_the_databases_own_id_and_its_name() {
    let delete = |id: &str, name: &str| {
        of(MigrationChange::DeleteDatabase { kind: Instance, resource_id: id.into(), database: name.into(), final_snapshot: None })
    };
    assert_eq!(delete("db-TWO", "taken"), Standing::Before);
    assert_eq!(delete("db-NONE", "taken"), Standing::After, "gone is what was wanted");
    is_changed(&delete("db-TWO", "orders"), "called taken now");
    let mut unseen = world();
    unseen.db_instances.clear();
    let why = crate::fixtures::denied("DescribeDBInstances", "rds:DescribeDBInstances");
    unseen.unlisted.insert(crate::Service::Rds, serde_json::from_value(why["unreadable"].clone()).unwrap());
    let change =
        MigrationChange::DeleteDatabase { kind: Instance, resource_id: "db-TWO".into(), database: "taken".into(), final_snapshot: None };
    let found = standing(&unseen, &Arn::parse(&arn("db:orders")).unwrap(), &Change::Migration(Box::new(change)));
    assert!(matches!(found, Standing::CannotTell(_)), "not seen is not gone: {found:?}");
}

#[test]
fn what_somebody_else_made_under_the_name_is_not_ours() {
    let take = |name: &str| {
        of(MigrationChange::CreateSnapshot { kind: Instance, database: "orders".into(), snapshot: name.into(), tags: tags("db-ONE") })
    };
    assert_eq!((take("new"), take("young")), (Standing::Before, Standing::After));
    is_changed(&take("foreign"), "not this migration's");
    let copy = |source: &str, target: &str| {
        of(MigrationChange::CopySnapshot { source: source.into(), target: target.into(), key: "k".into(), tags: tags("db-ONE") })
    };
    assert_eq!(copy("ours", "new"), Standing::Before);
    is_changed(&copy("young", "new"), "young is creating");
    is_changed(&copy("none", "new"), "none is gone");
    let restore = |id: &str, instance: &str| {
        let settings = Box::default();
        of(MigrationChange::RestoreInstance { snapshot: "ours".into(), instance: instance.into(), settings, tags: tags(id) })
    };
    assert_eq!((restore("db-ONE", "new"), restore("db-ONE", "taken")), (Standing::Before, Standing::After));
    is_changed(&restore("db-OTHER", "taken"), "not this migration's");
}

#[test]
fn only_what_a_migration_made_is_removed() {
    let snapshot = |name: &str| of(MigrationChange::DeleteSnapshot { kind: Instance, snapshot: name.into() });
    assert_eq!((snapshot("ours"), snapshot("none")), (Standing::Before, Standing::After));
    is_changed(&snapshot("foreign"), "not of a migration");
    let deployment =
        |identifier: &str, delete_target: bool| of(MigrationChange::DeleteBlueGreen { identifier: identifier.into(), delete_target });
    assert_eq!((deployment("bgd-1", true), deployment("bgd-9", true)), (Standing::Before, Standing::After));
    is_changed(&deployment("bgd-2", true), "may be in use");
    is_changed(&deployment("bgd-3", true), "may be in use");
    assert_eq!(deployment("bgd-3", false), Standing::Before);
}

#[test]
fn a_note_of_another_daemon_is_not_written_over() {
    let note = |set: BTreeMap<String, String>, remove: &[&str]| {
        let remove: BTreeSet<String> = remove.iter().map(|tag| (*tag).to_owned()).collect();
        of(MigrationChange::Tags { arn: arn("db:taken"), set, remove })
    };
    assert_eq!(note(tags("db-ONE"), &[]), Standing::After);
    is_changed(&note(tags("db-OTHER"), &[]), "is db-ONE already");
    assert_eq!(note(BTreeMap::new(), &[TAG_OF]), Standing::Before);
    assert_eq!(note(BTreeMap::from([("everseal:x".to_owned(), "1".to_owned())]), &[]), Standing::Before);
}

#[test]
fn groups_are_changed_only_where_they_are_as_planned() {
    let set = |before: &str, after: &str| {
        let (before, after) = ([before.to_owned()].into(), [after.to_owned()].into());
        of(MigrationChange::SecurityGroups { kind: Instance, database: "orders".into(), before, after })
    };
    assert_eq!((set("sg-app", "sg-none"), set("sg-none", "sg-app")), (Standing::Before, Standing::After));
    is_changed(&set("sg-old", "sg-none"), "its security groups are now sg-app");
}

#[test]
fn a_switch_over_is_made_of_an_available_deployment_only() {
    let switch = |identifier: &str| of(MigrationChange::SwitchoverBlueGreen { identifier: identifier.into(), timeout: 300 });
    assert_eq!((switch("bgd-1"), switch("bgd-3"), switch("bgd-9")), (Standing::Before, Standing::After, Standing::Gone));
    let mut world = world();
    if let Reading::Known(all) = &mut world.migrations.blue_green_deployments {
        all.get_mut("bgd-1").unwrap().status = "SWITCHOVER_FAILED".into();
    }
    let change = Change::Migration(Box::new(MigrationChange::SwitchoverBlueGreen { identifier: "bgd-1".into(), timeout: 300 }));
    is_changed(&standing(&world, &Arn::parse(&arn("db:orders")).unwrap(), &change), "SWITCHOVER_FAILED");
}
