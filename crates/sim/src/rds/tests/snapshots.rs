//! Snapshots: taken, copied, restored.

use super::*;

#[test]
fn a_copy_of_a_snapshot_adds_the_encryption_and_the_restored_database_has_it() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    create(&mut world, "orders", "postgres", &[("EngineVersion", "15.4")]);
    group(&mut world, "ours", "postgres15");
    attach(&mut world, "orders", "ours");
    ok(&mut world, "CreateDBSnapshot", &[("DBInstanceIdentifier", "orders"), ("DBSnapshotIdentifier", "plain")]);
    let copy = [("SourceDBSnapshotIdentifier", "plain"), ("TargetDBSnapshotIdentifier", "sealed"), ("KmsKeyId", key.as_str())];
    assert_eq!(refused(&mut world, "CopyDBSnapshot", &copy).1, "InvalidDBSnapshotState", "it is still being created");
    pass(&mut world, HOUR);
    ok(&mut world, "CopyDBSnapshot", &copy);
    pass(&mut world, HOUR);
    let sealed = ok(&mut world, "DescribeDBSnapshots", &[("DBSnapshotIdentifier", "sealed")]);
    assert_eq!(sealed.at("DBSnapshots/DBSnapshot/Encrypted"), Some("true"));
    assert_eq!(sealed.at("DBSnapshots/DBSnapshot/KmsKeyId"), Some(key.as_str()));
    assert_eq!(sealed.at("DBSnapshots/DBSnapshot/Status"), Some("available"));
    ok(&mut world, "RestoreDBInstanceFromDBSnapshot", &[("DBInstanceIdentifier", "orders-new"), ("DBSnapshotIdentifier", "sealed")]);
    pass(&mut world, HOUR);
    let new = instance(&mut world, "orders-new");
    assert_eq!(new.value("StorageEncryptionType"), Some("sse-kms"));
    assert_eq!(new.value("EngineVersion"), Some("15.4"));
    let restored = new.at("DBParameterGroups/DBParameterGroup/DBParameterGroupName");
    assert_eq!(restored, Some("default.postgres15"), "what is not passed falls to the default");

    // The cut-over: the old one moves away, the new one takes its name.
    for (from, to) in [("orders", "orders-old"), ("orders-new", "orders")] {
        ok(
            &mut world,
            "ModifyDBInstance",
            &[("DBInstanceIdentifier", from), ("NewDBInstanceIdentifier", to), ("ApplyImmediately", "true")],
        );
        pass(&mut world, HOUR);
    }
    assert_eq!(instance(&mut world, "orders").value("StorageEncrypted"), Some("true"));
    assert_eq!(instance(&mut world, "orders-old").value("StorageEncrypted"), Some("false"));
    let last = [("DBInstanceIdentifier", "orders-old"), ("FinalDBSnapshotIdentifier", "last")];
    assert_eq!(refused(&mut world, "DeleteDBInstance", &last[..1]).1, "InvalidParameterCombination");
    ok(&mut world, "DeleteDBInstance", &last);
    pass(&mut world, HOUR);
    assert_eq!(world.db_status(&arn("orders-old")), None);
    assert_eq!(ok(&mut world, "DescribeDBSnapshots", &[]).first("DBSnapshots").unwrap().all("DBSnapshot").count(), 3);
}
