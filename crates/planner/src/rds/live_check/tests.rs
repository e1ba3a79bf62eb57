#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::fixtures::{finding, inventory, planned, policies, state, step};
use crate::plan::context::Past;
use crate::{Inventory, State};

const DB: &str = "arn:aws:rds:us-east-1:111122223333:db:orders";
const VERIFY: &str = "rds: [{name: r, inTransit: {verify: true, caBundle: /etc/rds.pem}}]";
/// The time of the fixtures' inventory.
const NOW: i64 = 1_750_000_000;

fn database(kind: &str, name: &str, settings: &Value) -> (String, Value) {
    let arn = format!("arn:aws:rds:us-east-1:111122223333:{kind}:{name}");
    let mut base = json!({"arn": arn, "identifier": name, "engine": "postgres", "engineVersion": "16.4", "status": "available",
        "endpoint": {"address": name, "port": 5432}, "storageEncrypted": true});
    if kind == "cluster" {
        base["parameterGroup"] = json!("own");
    }
    for (field, value) in settings.as_object().unwrap() {
        base[field] = value.clone();
    }
    (arn, base)
}

fn of(instances: &[(String, Value)], clusters: &[(String, Value)]) -> Value {
    let map = |all: &[(String, Value)]| Value::Object(all.iter().cloned().collect());
    json!({"dbInstances": map(instances), "dbClusters": map(clusters)})
}

fn wanted(spec: &str, inventory: &Inventory) -> Vec<WantedProbe> {
    let (policies, past) = (policies(spec), Past::default());
    wanted_probes(&Context { policies: &policies, inventory, now: NOW, past: &past })
}

fn names(spec: &str, inventory: &Inventory) -> Vec<String> {
    wanted(spec, inventory).iter().map(|wanted| wanted.endpoint.address.clone()).collect()
}

#[test]
fn members_and_writers_of_clusters_are_looked_at_too() {
    let member = database("db", "ledger-1", &json!({"cluster": "ledger", "engine": "aurora-postgresql"}));
    let ledger = database("cluster", "ledger", &json!({"engine": "aurora-postgresql"}));
    let inventory = inventory(&json!([]), &of(&[database("db", "orders", &json!({})), member], &[ledger]));
    assert_eq!(names(VERIFY, &inventory), ["ledger-1", "orders", "ledger"]);
    let orders = WantedProbe {
        resource: Arn::parse(DB).unwrap(),
        endpoint: DbEndpoint { address: "orders".into(), port: 5432 },
        engine: "postgres".into(),
        ca_bundle: Some("/etc/rds.pem".into()),
    };
    assert_eq!(wanted(VERIFY, &inventory)[1], orders);
    assert!(names("rds: [{name: r, inTransit: {requireTls: true}}]", &inventory).is_empty(), "only where the policy says so");
}

#[test]
fn nobody_knocks_where_nobody_listens() {
    let with = |settings: Value| names(VERIFY, &inventory(&json!([]), &of(&[database("db", "orders", &settings)], &[])));
    for status in ["stopped", "stopping", "starting", "creating", "deleting"] {
        assert!(with(json!({"status": status})).is_empty(), "{status}");
    }
    for status in ["available", "modifying", "backing-up", "storage-optimization"] {
        assert_eq!(with(json!({"status": status})), ["orders"], "{status}");
    }
    assert!(with(json!({"endpoint": null})).is_empty());
    assert!(with(json!({"engine": "docdb"})).is_empty(), "another service's");
}

fn live(tls: &Value, plain: &Value) -> Value {
    json!({"endpoint": {"address": "orders", "port": 5432}, "serverName": "orders", "probedAt": NOW - 60, "tls": tls, "plain": plain})
}

fn session(settings: &Value) -> Value {
    let mut session = json!({"version": "TLS 1.3", "cipherSuite": "TLS13_AES_256_GCM_SHA384", "chain": "verified", "name": "matches",
        "certificate": {"subject": "CN=orders", "issuer": "CN=ca", "names": ["orders"], "notBefore": NOW - 100, "notAfter": NOW + 86_400}});
    for (field, value) in settings.as_object().unwrap() {
        session[field] = value.clone();
    }
    json!({"offered": session})
}

fn judged(settings: &Value, met: &Value) -> crate::plan::Plan {
    let mut more = of(&[database("db", "orders", settings)], &[]);
    more["liveTls"] = json!({DB: met});
    planned(VERIFY, &inventory(&json!([]), &more))
}

#[test]
fn all_that_is_wrong_is_said_together_with_what_to_do() {
    let bad = json!({"chain": {"invalid": {"reason": "it is not signed by the trusted authority whose name it bears"}}, "name": "differs",
        "certificate": {"subject": "CN=x", "issuer": "CN=y", "names": [], "notBefore": 0, "notAfter": NOW - 1}});
    let plan = judged(&json!({}), &live(&session(&bad), &json!("accepted")));
    let message = &finding(&plan, CHECK).message;
    for part in ["not signed by the trusted authority", "has expired", "no name at all (subject CN=x)", "takes connections without TLS"] {
        assert!(message.contains(part), "{message}");
    }
    let todo = &step(&plan, CHECK).gate.as_ref().unwrap().reason;
    for part in ["current RDS bundle", "rds-ca-certificate", "endpoint's name", "rds-require-tls"] {
        assert!(todo.contains(part), "{todo}");
    }
}

#[test]
fn a_certificate_expires_between_two_probes() {
    let met = |until: i64| {
        live(
            &session(
                &json!({"certificate": {"subject": "CN=orders", "issuer": "CN=ca", "names": ["orders"], "notBefore": 0, "notAfter": until}}),
            ),
            &json!("refused"),
        )
    };
    assert_eq!(state(&judged(&json!({}), &met(NOW)), CHECK), State::Compliant);
    assert_eq!(state(&judged(&json!({}), &met(NOW - 1)), CHECK), State::Drifted);
}

#[test]
fn a_weakness_counts_though_something_else_can_not_be_told() {
    let unclear = json!({"unclear": {"reason": "the server answered 53300"}});
    assert_eq!(state(&judged(&json!({}), &live(&session(&json!({})), &unclear)), CHECK), State::Unknown);
    assert_eq!(state(&judged(&json!({}), &live(&session(&json!({"name": "differs"})), &unclear)), CHECK), State::Drifted);
    let broken = json!({"broken": {"reason": "it closed the connection"}});
    assert_eq!(
        state(&judged(&json!({}), &live(&broken, &json!("refused"))), CHECK),
        State::Unknown,
        "a handshake that fails proves nothing"
    );
    assert_eq!(state(&judged(&json!({}), &live(&broken, &json!("accepted"))), CHECK), State::Drifted);
}

#[test]
fn of_mysql_the_parameter_in_force_speaks() {
    let group = |value: &str| json!({"own": {"name": "own", "family": "mysql8.0", "parameters": {"require_secure_transport": {"value": value, "source": "user"}}}});
    let with = |value: &str, status: &str| {
        let settings = json!({"engine": "mysql", "engineVersion": "8.0.39", "parameterGroups": [{"name": "own", "applyStatus": status}]});
        let mut more = of(&[database("db", "orders", &settings)], &[]);
        more["liveTls"] = json!({DB: live(&session(&json!({})), &json!("needsLogin"))});
        more["dbParameterGroups"] = group(value);
        state(&planned(VERIFY, &inventory(&json!([]), &more)), CHECK)
    };
    assert_eq!(with("ON", "in-sync"), State::Compliant);
    assert_eq!(with("OFF", "in-sync"), State::Drifted);
    assert_eq!(with("ON", "pending-reboot"), State::Unknown, "which value is in force, nobody says");
    assert_eq!(with("ON", "applying"), State::Unknown);
}
