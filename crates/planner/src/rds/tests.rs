//! Rules of AWS-FACTS §8 as tests.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::desired::{Default, TlsSwitch, copy_of, is_on, tls_switch};
use crate::fixtures::{KEY, KEY_ID, OTHER_KEY, finding, gate, inventory, planned, reason, state, step};
use crate::plan::change::ParameterGroupKind::{self, Cluster, Instance};
use crate::plan::{Change, Gate, Plan, Risk};
use crate::{Check, State};

const DB: &str = "arn:aws:rds:us-east-1:111122223333:db:orders";
const CLUSTER: &str = "arn:aws:rds:us-east-1:111122223333:cluster:ledger";
const ENC: Check = Check::RdsEncryption;
const TLS: Check = Check::RdsRequireTls;
const CA: Check = Check::RdsCaCertificate;
const REQUIRE: &str = "rds: [{name: r, inTransit: {requireTls: true}}]";

fn overlay(mut base: Value, settings: &Value) -> Value {
    for (name, value) in settings.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}

fn instance(settings: &Value) -> Value {
    let base = json!({"arn": DB, "identifier": "orders", "engine": "postgres", "engineVersion": "14.9", "status": "available", "class": "db.t3.medium",
        "storageEncrypted": false, "parameterGroups": [{"name": "own", "applyStatus": "in-sync"}]});
    overlay(base, settings)
}

fn cluster(settings: &Value) -> Value {
    let base = json!({"arn": CLUSTER, "identifier": "ledger", "engine": "aurora-mysql", "engineVersion": "8.0.mysql_aurora.3.05.2", "status": "available",
        "storageEncrypted": false, "parameterGroup": "own", "members": [{"instance": "ledger-1", "writer": true, "parameterGroupStatus": "in-sync"}]});
    overlay(base, settings)
}

fn group(name: &str, family: &str, parameters: &Value) -> Value {
    json!({ name: {"name": name, "family": family, "parameters": parameters} })
}

fn judged(rule: &str, settings: &Value, parameters: &Value) -> Plan {
    let more = json!({"dbInstances": {DB: instance(settings)}, "dbParameterGroups": group("own", "postgres14", parameters)});
    planned(rule, &inventory(&json!([]), &more))
}

fn judged_cluster(rule: &str, settings: &Value, parameters: &Value) -> Plan {
    let more = json!({"dbClusters": {CLUSTER: cluster(settings)}, "dbClusterParameterGroups": group("own", "aurora-mysql8.0", parameters)});
    planned(rule, &inventory(&json!([]), &more))
}

fn parameter(engine: &str, version: &str, cluster: bool) -> (ParameterGroupKind, &'static str, Default, bool) {
    match tls_switch(engine, version, cluster) {
        TlsSwitch::Parameter { kind, name, on: _, default, needs_reboot } => (kind, name, default, needs_reboot),
        other => panic!("{engine} {version}: {other:?}"),
    }
}

mod engines {
    use super::*;

    #[test]
    fn each_engine_has_its_parameter_group_and_default() {
        for (engine, version, cluster, kind, name, default, reboot) in [
            ("postgres", "14.9", false, Instance, "rds.force_ssl", Default::Off, false),
            ("postgres", "15.0", false, Instance, "rds.force_ssl", Default::On, false),
            ("postgres", "17.2", true, Cluster, "rds.force_ssl", Default::On, false),
            ("aurora-postgresql", "16.9", true, Cluster, "rds.force_ssl", Default::Off, false),
            ("aurora-postgresql", "17.4", true, Cluster, "rds.force_ssl", Default::On, false),
            ("mysql", "5.7.44", false, Instance, "require_secure_transport", Default::Off, false),
            ("mysql", "8.0.35", false, Instance, "require_secure_transport", Default::Off, false),
            ("mysql", "8.4.3", false, Instance, "require_secure_transport", Default::NotDocumented, false),
            ("aurora-mysql", "5.7.mysql_aurora.2.11.3", true, Cluster, "require_secure_transport", Default::Off, false),
            ("aurora-mysql", "8.0.mysql_aurora.3.05.2", true, Cluster, "require_secure_transport", Default::Off, false),
            ("mariadb", "10.5.20", false, Instance, "require_secure_transport", Default::Off, false),
            ("mariadb", "11.4.3", false, Instance, "require_secure_transport", Default::Off, false),
            ("mariadb", "11.8.2", false, Instance, "require_secure_transport", Default::On, false),
            ("sqlserver-ex", "15.00.4335", false, Instance, "rds.force_ssl", Default::Off, true),
            ("sqlserver-web", "16.00.4085", false, Instance, "rds.force_ssl", Default::Off, true),
        ] {
            assert_eq!(parameter(engine, version, cluster), (kind, name, default, reboot), "{engine} {version}");
        }
    }

    #[test]
    fn where_no_parameter_decides_a_person_does() {
        for (engine, version) in [
            ("mariadb", "10.4.29"),
            ("mysql", "5.6.51"),
            ("aurora", "5.6.10a"),
            ("oracle-ee", "19.0"),
            ("db2-se", "11.5"),
            ("custom-sqlserver-ee", "15.00"),
        ] {
            assert!(matches!(tls_switch(engine, version, false), TlsSwitch::ByHand(_)), "{engine}");
        }
        assert_eq!(tls_switch("something-new", "1.0", false), TlsSwitch::UnknownEngine);
    }

    #[test]
    fn names_of_copies_are_names_that_rds_takes() {
        assert_eq!(copy_of("default.postgres14"), "everseal-default-postgres14");
        assert_eq!(copy_of("default.sqlserver-ex-15.0"), "everseal-default-sqlserver-ex-15-0");
        assert_eq!(copy_of("default.aurora-mysql8.0"), "everseal-default-aurora-mysql8-0");
    }

    #[test]
    fn spellings_of_on() {
        assert!(["1", "ON", "on", "true", "TRUE"].into_iter().all(is_on));
        assert!(!["0", "OFF", "", "10"].into_iter().any(is_on));
    }
}

mod tls {
    use super::*;

    fn off() -> Value {
        json!({"rds.force_ssl": {"value": "0", "source": "user", "applyType": "dynamic", "isModifiable": true}})
    }

    fn on() -> Value {
        json!({"rds.force_ssl": {"value": "1", "source": "user"}})
    }

    #[test]
    fn a_group_of_the_users_is_set_in_place() {
        let plan = judged(REQUIRE, &json!({}), &off());
        let Some(Change::ParameterGroup { kind, name, before, after }) = &step(&plan, TLS).change else { panic!() };
        assert_eq!((*kind, name.as_str()), (Instance, "own"));
        assert_eq!(before["rds.force_ssl"].as_deref(), Some("0"));
        assert_eq!((after["rds.force_ssl"].value.as_str(), after["rds.force_ssl"].pending_reboot), ("1", false));
    }

    #[test]
    fn a_right_value_counts_only_in_force() {
        for (status, wanted) in [
            ("in-sync", State::Compliant),
            ("pending-reboot", State::Drifted),
            ("applying", State::Unknown),
            ("failed-to-apply", State::Drifted),
            ("pending-database-upgrade", State::Drifted),
        ] {
            let plan = judged(REQUIRE, &json!({"parameterGroups": [{"name": "own", "applyStatus": status}]}), &on());
            assert_eq!(state(&plan, TLS), wanted, "{status}");
            if wanted == State::Drifted {
                assert_eq!(gate(&plan, TLS), Some(Gate::Manual), "{status}: nobody is rebooted");
            }
        }
    }

    #[test]
    fn a_cluster_obeys_its_cluster_group_and_every_member() {
        let secure = json!({"require_secure_transport": {"value": "ON"}});
        assert_eq!(state(&judged_cluster(REQUIRE, &json!({}), &secure), TLS), State::Compliant);
        let lagging = json!({"members": [{"instance": "a", "parameterGroupStatus": "in-sync"}, {"instance": "b", "parameterGroupStatus": "pending-reboot"}]});
        assert_eq!(state(&judged_cluster(REQUIRE, &lagging, &secure), TLS), State::Drifted);
        let plan = judged_cluster(REQUIRE, &json!({}), &json!({}));
        let Some(Change::ParameterGroup { kind, after, .. }) = &step(&plan, TLS).change else { panic!() };
        assert_eq!((*kind, after["require_secure_transport"].value.as_str()), (Cluster, "ON"));
    }

    #[test]
    fn a_default_group_of_a_cluster_is_copied_as_a_cluster_group() {
        let more = json!({"dbClusters": {CLUSTER: cluster(&json!({"parameterGroup": "default.aurora-mysql8.0"}))},
            "dbClusterParameterGroups": group("default.aurora-mysql8.0", "aurora-mysql8.0", &json!({}))});
        let plan = planned(REQUIRE, &inventory(&json!([]), &more));
        let actions: Vec<_> = plan.steps.iter().map(|step| (step.action.as_str(), step.risk)).collect();
        assert_eq!(actions, [("CreateDBClusterParameterGroup", Risk::None), ("ModifyDBCluster", Risk::Brief)]);
        assert_eq!(plan.steps[1].needs, [plan.steps[0].id.clone()]);
    }

    #[test]
    fn a_group_is_attached_to_available_databases_only() {
        let more = json!({"dbInstances": {DB: instance(&json!({"status": "stopped", "parameterGroups": [{"name": "default.postgres14", "applyStatus": "in-sync"}]}))},
            "dbParameterGroups": group("default.postgres14", "postgres14", &json!({}))});
        let plan = planned(REQUIRE, &inventory(&json!([]), &more));
        let gates: Vec<_> = plan.steps.iter().map(|step| step.gate.as_ref().map(|block| block.name)).collect();
        assert_eq!(gates, [None, Some(Gate::NotReady)]);
    }

    /// Two databases of one group; `rules` decides whether the other agrees.
    fn shared(rules: &str) -> Plan {
        let other = "arn:aws:rds:us-east-1:111122223333:db:reports";
        let second = instance(&json!({"arn": other, "identifier": "reports"}));
        let quiet = json!({"activity": {"from": 1_749_990_000, "to": 1_749_999_960, "mostConnections": 0, "connectionsNow": 0}});
        let more = json!({"dbInstances": {DB: instance(&json!({})), other: second}, "dbParameterGroups": group("own", "postgres14", &off()),
            "dbProxies": {}, "migrations": {"databases": {DB: quiet, other: quiet}}});
        planned(rules, &inventory(&json!([]), &more))
    }

    fn gate_of_orders(plan: &Plan) -> Option<Gate> {
        plan.steps.iter().find(|step| step.resource.as_str() == DB).unwrap().gate.as_ref().map(|block| block.name)
    }

    #[test]
    fn a_shared_group_is_changed_only_where_all_are_meant() {
        assert_eq!(gate_of_orders(&shared(REQUIRE)), None);
        let only = "rds: [{name: r, match: {names: [orders]}, inTransit: {requireTls: true}}]";
        assert_eq!(gate_of_orders(&shared(only)), Some(Gate::Manual));
        let audited = "rds: [{name: a, match: {names: [reports]}, mode: audit, inTransit: {requireTls: true}}, {name: r, inTransit: {requireTls: true}}]";
        assert_eq!(gate_of_orders(&shared(audited)), Some(Gate::Manual));
        let exempt = "{rds: [{name: r, inTransit: {requireTls: true}}], exemptions: [{resource: '*:db:reports', checks: [rds-require-tls], reason: old clients}]}";
        assert_eq!(gate_of_orders(&shared(exempt)), Some(Gate::Manual));
    }

    #[test]
    fn an_unnamed_group_is_unknown() {
        let plan = judged(REQUIRE, &json!({"parameterGroups": []}), &on());
        assert_eq!(state(&plan, TLS), State::Unknown);
        assert!(plan.steps.is_empty());
    }

    #[test]
    fn the_wire_is_not_judged_unprobed() {
        let plan = judged("rds: [{name: r, inTransit: {verify: true}}]", &json!({}), &on());
        assert_eq!(state(&plan, Check::RdsTlsLive), State::Unknown);
        assert!(plan.findings.iter().all(|finding| finding.check != TLS));
    }
}

mod storage {
    use super::*;

    const ENCRYPTED: &str = "rds: [{name: r, atRest: {encrypted: true}}]";
    const WITH_KEY: &str = "rds: [{name: r, atRest: {encrypted: true, key: alias/finance}}]";

    #[test]
    fn the_type_decides_and_the_boolean_only_without_it() {
        for (settings, wanted) in [
            (json!({"storageEncrypted": false, "storageEncryptionType": "sse-rds"}), State::Compliant),
            (json!({"storageEncrypted": true, "storageEncryptionType": "none"}), State::Drifted),
            (json!({"storageEncrypted": true}), State::Compliant),
            (json!({"storageEncrypted": false}), State::Drifted),
            (json!({"storageEncrypted": true, "storageEncryptionType": "sse-new"}), State::Unknown),
        ] {
            assert_eq!(state(&judged_cluster(ENCRYPTED, &settings, &json!({})), ENC), wanted, "{settings}");
        }
    }

    #[test]
    fn a_named_key_is_compared_by_arn() {
        for (key, wanted) in
            [(KEY, State::Compliant), (KEY_ID, State::Compliant), ("alias/finance", State::Compliant), (OTHER_KEY, State::Drifted)]
        {
            let plan = judged(WITH_KEY, &json!({"storageEncrypted": true, "storageEncryptionType": "sse-kms", "kmsKey": key}), &json!({}));
            assert_eq!(state(&plan, ENC), wanted, "{key}");
        }
        let unnamed = judged(WITH_KEY, &json!({"storageEncrypted": true}), &json!({}));
        assert_eq!(state(&unnamed, ENC), State::Unknown);
    }

    #[test]
    fn nothing_is_migrated_and_the_way_fits_the_engine() {
        for (engine, version, there, not_there) in [
            ("postgres", "14.9", "blue/green", "RestoreDBClusterFromSnapshot"),
            ("mariadb", "10.6", "blue/green", "RestoreDBClusterFromSnapshot"),
            ("oracle-ee", "19.0", "CopyDBSnapshot", "TargetKmsKeyId"),
        ] {
            let plan = judged(ENCRYPTED, &json!({"engine": engine, "engineVersion": version}), &json!({}));
            assert_eq!(gate(&plan, ENC), Some(Gate::Manual));
            assert!(reason(&plan, ENC).contains(there) && !reason(&plan, ENC).contains(not_there), "{engine}: {}", reason(&plan, ENC));
        }
        let multi_az = judged_cluster(ENCRYPTED, &json!({"engine": "mysql", "engineVersion": "8.0.35"}), &json!({}));
        assert!(reason(&multi_az, ENC).contains("RestoreDBClusterFromSnapshot"));
    }

    #[test]
    fn a_lost_key_is_said() {
        for status in ["inaccessible-encryption-credentials-recoverable", "inaccessible-encryption-credentials"] {
            let plan = judged(ENCRYPTED, &json!({"status": status, "storageEncrypted": true}), &json!({}));
            assert!(finding(&plan, ENC).notes[0].contains("key"), "{status}");
        }
    }

    #[test]
    fn only_true_asks_for_anything() {
        assert!(judged("rds: [{name: r, atRest: {encrypted: false}}]", &json!({}), &json!({})).findings.is_empty());
    }
}

mod authority {
    use super::*;

    const PIN: &str = "rds: [{name: r, inTransit: {caCertificate: rds-ca-rsa4096-g1}}]";

    #[test]
    fn another_authority_is_changed_with_a_word_on_restarts() {
        let plan = judged(PIN, &json!({"caCertificate": "rds-ca-rsa2048-g1"}), &json!({}));
        let step = step(&plan, CA);
        assert_eq!((step.gate.as_ref(), step.risk), (None, Risk::Disruptive));
        assert!(step.summary.contains("restart"));
    }

    #[test]
    fn a_stronger_authority_stays_and_a_weaker_does_not() {
        let weaker_wanted = "rds: [{name: r, inTransit: {caCertificate: rds-ca-rsa2048-g1}}]";
        for strong in ["rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"] {
            assert_eq!(state(&judged(weaker_wanted, &json!({"caCertificate": strong}), &json!({})), CA), State::Compliant, "{strong}");
        }
        assert_eq!(state(&judged(PIN, &json!({"caCertificate": "rds-ca-ecc384-g1"}), &json!({})), CA), State::Drifted);
    }

    #[test]
    fn the_authority_of_a_multi_az_cluster_is_the_clusters() {
        for (engine, stopped) in [("postgres", Some(Gate::Manual)), ("aurora-postgresql", None)] {
            let member = json!({"engine": engine, "cluster": "ledger", "caCertificate": "rds-ca-2019"});
            assert_eq!(gate(&judged(PIN, &member, &json!({})), CA), stopped, "{engine}");
        }
    }

    #[test]
    fn an_unnamed_authority_is_unknown() {
        let plan = judged(PIN, &json!({}), &json!({}));
        assert_eq!(state(&plan, CA), State::Unknown);
        assert!(plan.steps.is_empty());
    }
}

#[test]
fn a_member_of_a_cluster_that_was_not_read_is_unknown() {
    let rule = "rds: [{name: r, atRest: {encrypted: true}, inTransit: {requireTls: true}}]";
    let plan = judged(rule, &json!({"engine": "aurora-mysql", "cluster": "ledger"}), &json!({}));
    assert_eq!((state(&plan, ENC), state(&plan, TLS)), (State::Unknown, State::Unknown));
    assert!(finding(&plan, TLS).message.contains("ledger"));
    assert!(plan.steps.is_empty());
}
