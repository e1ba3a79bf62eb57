#![allow(clippy::unwrap_used)]

use everseal_planner::policy::{Source, load};
use everseal_planner::rds::observed::{DbCluster, DbInstance};
use serde_json::json;
use zeroize::Zeroizing;

use super::*;

const NOW: i64 = 1_800_000_000;

fn arn(resource: &str) -> Arn {
    Arn::parse(&format!("arn:aws:rds:us-east-1:111122223333:{resource}")).unwrap()
}

fn address(name: &str) -> String {
    format!("{name}.c1abc.us-east-1.rds.amazonaws.com")
}

/// An account in memory: what it holds, and which targets it was asked for.
struct Estate {
    scope: Scope,
    inventory: Inventory,
    secret_reads: Mutex<Vec<String>>,
}

impl Account for Estate {
    fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn observe(&self, target: &Target, _: &Reads) -> Inventory {
        let mut seen = self.inventory.clone();
        if let Target::Resources(arns) = target {
            seen.db_instances.retain(|arn, _| arns.contains(arn));
            seen.db_clusters.retain(|arn, _| arns.contains(arn));
        }
        seen
    }

    async fn apply(&self, _: &Arn, _: &Change) -> Result<(), ApplyError> {
        Ok(())
    }

    async fn kms_error_points(&self, _: &[String], _: i64, _: i64) -> Result<Vec<KmsErrorPoint>, Unreadable> {
        Ok(Vec::new())
    }
}

impl Secrets for Estate {
    async fn secret(&self, id: &str) -> Result<Zeroizing<String>, Unreadable> {
        self.secret_reads.lock().unwrap().push(id.to_owned());
        match id {
            "everseal/databases" => Ok(Zeroizing::new(r#"{"username":"everseal","password":"s3cret"}"#.to_owned())),
            "everseal/empty" => Ok(Zeroizing::new(r#"{"username":"everseal","pin":"s3cret"}"#.to_owned())),
            _ => Err(Unreadable {
                class: ErrorClass::Denied,
                operation: "GetSecretValue".into(),
                missing_action: Some("secretsmanager:GetSecretValue".into()),
                message: "no".into(),
            }),
        }
    }
}

/// Servers: each has as many plain sessions as its name has digits' sum; `down` is out of reach.
#[derive(Debug, Clone, Default)]
struct Servers(Arc<Mutex<Vec<String>>>);

impl CountSessions for Servers {
    async fn count(&self, server: &Server, login: &Login, _: &Arc<Authorities>, now: i64) -> Result<SessionCount, SessionsError> {
        let address = server.endpoint.address.clone();
        assert_eq!(server.server_name, None, "the certificate must bear the endpoint's own name");
        self.0.lock().unwrap().push(format!("{} {login:?}", address.split('.').next().unwrap()));
        if address.starts_with("down") {
            return Err(SessionsError::Unreachable { address, reason: "no route".into() });
        }
        let plain = address.split('.').next().unwrap().chars().filter_map(|c| c.to_digit(10)).sum();
        Ok(SessionCount { plain, tls: 1, looked_at: now, by: Vec::new() })
    }
}

fn instance(name: &str, engine: &str, cluster: Option<&str>) -> DbInstance {
    let endpoint = json!({ "address": address(name), "port": 5432 });
    let json = json!({ "arn": arn(&format!("db:{name}")), "identifier": name, "engine": engine, "engineVersion": "15.4",
        "status": "available", "endpoint": endpoint, "cluster": cluster });
    serde_json::from_value(json).unwrap()
}

fn cluster(name: &str, members: &[&str]) -> DbCluster {
    let members: Vec<_> = members.iter().map(|name| json!({ "instance": name, "parameterGroupStatus": "in-sync" })).collect();
    serde_json::from_value(json!({ "arn": arn(&format!("cluster:{name}")), "identifier": name, "engine": "aurora-postgresql",
        "engineVersion": "15.4", "status": "available", "parameterGroup": "ours", "members": members }))
    .unwrap()
}

/// A bundle that is dropped with the test.
struct Bundle(PathBuf);

impl Bundle {
    fn new() -> Self {
        let certificate = rcgen::generate_simple_self_signed(vec!["rds".to_owned()]).unwrap().cert.pem();
        let path = std::env::temp_dir().join(format!("everseal-bundle-{}-{}.pem", std::process::id(), fastrand::u64(..)));
        std::fs::write(&path, certificate).unwrap();
        Self(path)
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn variable(name: &str) -> Option<String> {
    match name {
        "ORDERS_USERNAME" => Some("watcher".to_owned()),
        "ORDERS_PASSWORD" | "HALF_PASSWORD" => Some("s3cret".to_owned()),
        _ => None,
    }
}

type Watched = (WithSessions<Estate, Servers>, Servers);

fn estate(monitoring: &str, bundle: Option<&Bundle>) -> Watched {
    let text = format!(
        "apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: {{ name: finance }}\nspec:\n  rds:\n    - {{ name: all, \
         inTransit: {{ requireTls: true, monitoring: {monitoring} }} }}\n"
    );
    let policies = Arc::new(load(&[Source { file: "policy".into(), text }], 0).unwrap().set);
    let scope = Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() };
    let mut inventory = Inventory::empty(scope.clone(), NOW);
    let instances = [
        instance("orders-2", "postgres", None),
        instance("down", "mysql", None),
        instance("reports", "sqlserver-ex", None),
        instance("archive", "oracle-ee", None),
        instance("ledger-1", "aurora-postgresql", Some("ledger")),
        instance("ledger-4", "aurora-postgresql", Some("ledger")),
        instance("down-3", "aurora-postgresql", Some("half")),
    ];
    inventory.db_instances = instances.into_iter().map(|one| (one.arn.clone(), one)).collect();
    let clusters = [cluster("ledger", &["ledger-1", "ledger-4"]), cluster("half", &["ledger-1", "down-3"])];
    inventory.db_clusters = clusters.into_iter().map(|one| (one.arn.clone(), one)).collect();
    let servers = Servers::default();
    let counting =
        Counting { policies, ca_bundle: bundle.map(|bundle| bundle.0.clone()), logins: Logins { variable }, by: servers.clone() };
    (WithSessions::new(Estate { scope, inventory, secret_reads: Mutex::default() }, counting), servers)
}

const FROM_SECRET: &str = "{ secretsManager: everseal/databases }";

async fn facts(watched: &Watched, databases: &[&str]) -> Inventory {
    let targets = databases.iter().map(|resource| arn(resource)).collect();
    watched.0.observe(&Target::Resources(targets), &Reads { gate_facts: true, ..Reads::nothing() }).await
}

async fn unknown(watched: &Watched, database: &str) -> Unreadable {
    match facts(watched, &[database]).await.sessions.remove(&arn(database)) {
        Some(Reading::Unreadable { unreadable }) => {
            assert!(!unreadable.message.contains("s3cret"), "{}", unreadable.message);
            unreadable
        }
        other => panic!("{database}: {other:?}"),
    }
}

#[tokio::test]
async fn a_database_that_was_asked_for_is_counted_with_the_policys_login() {
    let bundle = Bundle::new();
    for (monitoring, user) in [(FROM_SECRET, "everseal"), ("{ environment: ORDERS }", "watcher")] {
        let watched = estate(monitoring, Some(&bundle));
        let seen = facts(&watched, &["db:orders-2"]).await;
        let count = SessionCount { plain: 2, tls: 1, looked_at: NOW, by: Vec::new() };
        assert_eq!(seen.sessions, BTreeMap::from([(arn("db:orders-2"), Reading::Known(count))]));
        let asked = watched.1.0.lock().unwrap().clone();
        assert_eq!(asked.len(), 1);
        assert!(asked[0].starts_with("orders-2 ") && asked[0].contains(user) && !asked[0].contains("s3cret"), "{asked:?}");
    }
}

#[tokio::test]
async fn nobody_is_asked_where_no_plan_wants_to_know() {
    let bundle = Bundle::new();
    let watched = estate(FROM_SECRET, Some(&bundle));
    let everything = watched.0.observe(&Target::Everything, &Reads { gate_facts: true, ..Reads::everything() }).await;
    let targets = Target::Resources(BTreeSet::from([arn("db:orders-2")]));
    let look = watched.0.observe(&targets, &Reads { gate_facts: false, ..Reads::everything() }).await;
    let others = facts(&watched, &["db:no-such", "db:ledger-1"]).await;
    for seen in [everything, look, others] {
        assert_eq!(seen.sessions, BTreeMap::new());
    }
    assert!(watched.1.0.lock().unwrap().is_empty());
    assert!(watched.0.account.secret_reads.lock().unwrap().is_empty(), "nor is the secret read");
}

#[tokio::test]
async fn a_cluster_is_the_sum_of_its_members_or_unknown() {
    let bundle = Bundle::new();
    let watched = estate(FROM_SECRET, Some(&bundle));
    let seen = facts(&watched, &["cluster:ledger"]).await;
    let count = SessionCount { plain: 5, tls: 2, looked_at: NOW, by: Vec::new() };
    assert_eq!(seen.sessions, BTreeMap::from([(arn("cluster:ledger"), Reading::Known(count))]));
    assert_eq!(seen.db_instances, BTreeMap::new(), "members are read for their endpoints alone");
    let half = unknown(&watched, "cluster:half").await;
    assert_eq!(
        (half.class, half.message.as_str()),
        (ErrorClass::Unavailable, "down-3.c1abc.us-east-1.rds.amazonaws.com can't be reached (no route)")
    );
}

#[tokio::test(start_paused = true)]
async fn a_database_is_not_asked_again_at_once() {
    let bundle = Bundle::new();
    let watched = estate(FROM_SECRET, Some(&bundle));
    for (after, times) in [(0, 1), (20, 1), (15, 2)] {
        tokio::time::advance(Duration::from_secs(after)).await;
        assert!(facts(&watched, &["db:orders-2"]).await.sessions[&arn("db:orders-2")].known().is_some());
        assert_eq!(watched.1.0.lock().unwrap().len(), times, "{after}");
    }
}

#[tokio::test]
async fn what_can_not_be_asked_says_why() {
    let bundle = Bundle::new();
    let watched = estate(FROM_SECRET, Some(&bundle));
    assert_eq!(unknown(&watched, "db:down").await.message, "down.c1abc.us-east-1.rds.amazonaws.com can't be reached (no route)");
    assert!(unknown(&watched, "db:archive").await.message.contains("oracle-ee"));
    let cases = [
        ("{ secretsManager: everseal/other }", "no"),
        ("{ secretsManager: everseal/empty }", "secret everseal/empty: the secret has no `password`"),
        ("{ environment: HALF }", "the environment variable HALF_USERNAME is not set"),
    ];
    for (monitoring, why) in cases {
        let watched = estate(monitoring, Some(&bundle));
        assert_eq!(unknown(&watched, "db:orders-2").await.message, why);
        assert!(watched.1.0.lock().unwrap().is_empty(), "{monitoring}");
    }
    let denied = unknown(&estate("{ secretsManager: everseal/other }", Some(&bundle)), "db:orders-2").await;
    assert_eq!(denied.missing_action.as_deref(), Some("secretsmanager:GetSecretValue"));
}

#[tokio::test]
async fn without_authorities_to_trust_the_login_is_not_even_read() {
    let watched = estate(FROM_SECRET, None);
    let message = unknown(&watched, "db:orders-2").await.message;
    assert!(message.contains("inTransit.caBundle or --ca-bundle"), "{message}");
    let bundle = Bundle(std::env::temp_dir().join("everseal-no-such-bundle.pem"));
    let elsewhere = estate(FROM_SECRET, Some(&bundle));
    let message = unknown(&elsewhere, "db:orders-2").await.message;
    assert!(message.contains("everseal-no-such-bundle.pem"), "{message}");
    for watched in [watched, elsewhere] {
        assert!(watched.0.account.secret_reads.lock().unwrap().is_empty());
        assert!(watched.1.0.lock().unwrap().is_empty());
    }
}
