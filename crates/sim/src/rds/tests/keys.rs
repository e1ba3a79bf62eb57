//! Keys of databases: had, lost, had again.

use super::*;
use crate::kms::KeyState;

#[test]
fn encryption_needs_a_key_that_the_caller_may_let_rds_use() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    let encrypted = |key| [("StorageEncrypted", "true"), ("KmsKeyId", key)];
    create(&mut world, "orders", "postgres", &encrypted(key.as_str()));
    let told = instance(&mut world, "orders");
    assert_eq!(told.value("StorageEncrypted"), Some("true"));
    assert_eq!(told.value("StorageEncryptionType"), Some("sse-kms"));
    assert_eq!(told.value("KmsKeyId"), Some(key.as_str()));

    let of_other = world.create_key(OTHER, REGION, None).unwrap();
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    for bad in [key.as_str(), of_other.as_str(), "alias/none"] {
        let members = [
            ("DBInstanceIdentifier", "new"),
            ("DBInstanceClass", "db.t3.medium"),
            ("Engine", "postgres"),
            ("MasterUsername", "root"),
            ("MasterUserPassword", "not-a-secret"),
            ("StorageEncrypted", "true"),
            ("KmsKeyId", bad),
        ];
        assert_eq!(refused(&mut world, "CreateDBInstance", &members), (400, "KMSKeyNotAccessibleFault".to_owned()), "{bad}");
    }
}

#[test]
fn a_database_that_loses_its_key_says_so_after_two_hours_and_can_be_had_back_for_a_week() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    for name in ["one", "two"] {
        create(&mut world, name, "postgres", &[("StorageEncrypted", "true"), ("KmsKeyId", &key)]);
    }
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    pass(&mut world, HOUR);
    assert_eq!(world.db_status(&arn("one")), Some("available"), "not yet");
    pass(&mut world, HOUR);
    assert_eq!(world.db_status(&arn("one")), Some("inaccessible-encryption-credentials-recoverable"));
    assert_eq!(refused(&mut world, "StartDBInstance", &[("DBInstanceIdentifier", "one")]).1, "KMSKeyNotAccessibleFault");
    assert_eq!(refused(&mut world, "ModifyDBInstance", &[("DBInstanceIdentifier", "one")]).1, "InvalidDBInstanceState");
    world.set_key_state(&key, KeyState::Enabled).unwrap();
    ok(&mut world, "StartDBInstance", &[("DBInstanceIdentifier", "one")]);
    pass(&mut world, HOUR * 24 * 7);
    assert_eq!(world.db_status(&arn("one")), Some("available"));
    assert_eq!(world.db_status(&arn("two")), Some("inaccessible-encryption-credentials"), "nobody started it in time");
}

#[test]
fn a_key_that_comes_back_in_time_is_not_missed() {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, None).unwrap();
    create(&mut world, "orders", "postgres", &[("StorageEncrypted", "true"), ("KmsKeyId", &key)]);
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    pass(&mut world, HOUR);
    world.set_key_state(&key, KeyState::Enabled).unwrap();
    pass(&mut world, HOUR * 24);
    assert_eq!(world.db_status(&arn("orders")), Some("available"));
}
