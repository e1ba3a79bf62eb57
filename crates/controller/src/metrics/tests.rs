#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use everseal_planner::Reading;
use everseal_planner::rds::migration::report::Stage;

use super::*;
use crate::testing::{NOON, metrics, migration, scope, value};

/// Every name and label of DESIGN.md §8, `process_*` aside.
const CONTRACT: &[(&str, &[&str])] = &[
    ("everseal_resources", &["account", "region", "service", "state"]),
    ("everseal_drift", &["account", "check", "region", "service"]),
    ("everseal_drift_oldest_seconds", &["account", "check", "region", "service"]),
    ("everseal_reconcile_total", &["result", "service"]),
    ("everseal_reconcile_duration_seconds", &["service"]),
    ("everseal_last_success_timestamp_seconds", &["account", "region", "service"]),
    ("everseal_steps_total", &["check", "outcome", "service"]),
    ("everseal_aws_requests_total", &["code", "operation", "service"]),
    ("everseal_aws_request_duration_seconds", &["operation", "service"]),
    ("everseal_aws_throttles_total", &["operation", "service"]),
    ("everseal_firehose_kms_errors_total", &["account", "delivery_stream", "error", "region"]),
    ("everseal_firehose_data_loss_deadline_timestamp_seconds", &["account", "delivery_stream", "region"]),
    ("everseal_kms_key_state", &["account", "key", "region", "state"]),
    ("everseal_paths", &["state"]),
    ("everseal_rds_certificate_expiry_timestamp_seconds", &["account", "database", "region"]),
    ("everseal_rds_migration_stage", &["account", "database", "region", "stage"]),
    ("everseal_policy_info", &["name", "revision"]),
    ("everseal_policy_load_errors_total", &[]),
    ("everseal_policy_last_load_success", &[]),
    ("everseal_workqueue_depth", &["name"]),
    ("everseal_workqueue_adds_total", &["name"]),
    ("everseal_workqueue_retries_total", &["name"]),
    ("everseal_workqueue_queue_duration_seconds", &["name"]),
    ("everseal_workqueue_work_duration_seconds", &["name"]),
    ("everseal_build_info", &["version"]),
];

fn key(state: Option<&str>) -> Key {
    let arn = scope().arn("kms", "key/1");
    let mut inventory = everseal_planner::Inventory::empty(scope(), NOON);
    inventory.aliases = Reading::Known(BTreeMap::new());
    let change = everseal_planner::plan::Change::CreateKey {
        alias: "alias/x".to_owned(),
        description: String::new(),
        multi_region: false,
        tags: BTreeMap::new(),
        document: "{}".to_owned(),
        rotation_period_in_days: None,
    };
    everseal_planner::sim::make(&mut inventory, &arn, &change);
    let mut key = inventory.keys.into_values().next().unwrap();
    key.arn = arn;
    match (state, &mut key.metadata) {
        (Some(state), Reading::Known(metadata)) => state.clone_into(&mut metadata.state),
        _ => key.metadata = Reading::NotRead,
    }
    key
}

fn use_all(metrics: &Metrics) {
    let scope = scope();
    metrics.planned(&scope, &Tally::default());
    metrics.drift_since(&scope, BTreeMap::new());
    metrics.worked(None, WorkResult::Success, Duration::from_secs(1));
    metrics.succeeded(&scope, Service::S3, NOON);
    metrics.step(Service::S3, Check::S3Encryption, StepOutcome::Applied);
    metrics.attempt("s3", "ListBuckets", "OK", Duration::from_millis(30));
    metrics.throttled("s3", "ListBuckets");
    metrics.watch_stream(&scope, "orders");
    metrics.loss_deadline(&scope, "orders", Some(NOON));
    let key = key(Some("Enabled"));
    metrics.keys(&scope, &BTreeMap::from([(key.arn.clone(), key)]));
    metrics.policy_loaded(["finance"].into_iter(), "abc");
    metrics.paths(&scope, PathTally::default());
    metrics.migrations(&scope, &[migration("ledger", Stage::Copying)]);
    metrics.certificates(&scope, &BTreeMap::from([("ledger".to_owned(), NOON)]));
}

#[tokio::test]
async fn the_end_of_a_certificate_leaves_with_its_database() {
    let (metrics, registry) = metrics(Clock::starting_at(NOON));
    let end = |database: &str| value(&registry, "everseal_rds_certificate_expiry_timestamp_seconds", &[("database", database)]);
    let ends = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), NOON)).collect::<BTreeMap<_, _>>();
    metrics.certificates(&scope(), &ends(&["ledger", "orders"]));
    metrics.certificates(&scope(), &ends(&["ledger"]));
    assert!(end("ledger").is_some() && end("orders").is_none());
    metrics.forget_scope(&scope());
    assert_eq!(end("ledger"), None);
}

#[tokio::test]
async fn a_migration_shows_one_stage_and_its_series_leave_with_it() {
    let (metrics, registry) = metrics(Clock::starting_at(NOON));
    let stage = |database: &str, stage: &str| value(&registry, "everseal_rds_migration_stage", &[("database", database), ("stage", stage)]);
    metrics.migrations(&scope(), &[migration("ledger", Stage::Copying), migration("orders", Stage::Planned)]);
    assert_eq!((stage("ledger", "copying"), stage("ledger", "planned"), stage("orders", "planned")), (Some(1.0), Some(0.0), Some(1.0)));
    metrics.migrations(&scope(), &[migration("ledger", Stage::Restoring)]);
    assert_eq!((stage("ledger", "copying"), stage("ledger", "restoring")), (Some(0.0), Some(1.0)));
    assert_eq!(stage("orders", "planned"), None, "its series are gone");
    let other = Scope { region: "us-east-1".to_owned(), ..scope() };
    metrics.migrations(&other, &[migration("ledger", Stage::Done)]);
    metrics.forget_scope(&scope());
    assert_eq!((stage("ledger", "restoring"), stage("ledger", "done")), (Some(0.0), Some(1.0)), "another scope's stays");
    metrics.migrations(&other, &[]);
    assert_eq!(stage("ledger", "done"), None);
}

#[tokio::test]
async fn paths_of_scopes_are_added_up_and_leave_with_their_scope() {
    let (metrics, registry) = metrics(Clock::starting_at(NOON));
    let other = Scope { region: "us-east-1".to_owned(), ..scope() };
    metrics.paths(&scope(), PathTally { sealed: 2, exposed: 1, blocked: 0, unknown: 7 });
    metrics.paths(&other, PathTally { sealed: 1, exposed: 0, blocked: 3, unknown: 0 });
    let counts = || ["sealed", "exposed", "blocked"].map(|state| value(&registry, "everseal_paths", &[("state", state)]));
    assert_eq!(counts(), [Some(3.0), Some(1.0), Some(3.0)]);
    metrics.paths(&other, PathTally { sealed: 4, ..PathTally::default() });
    assert_eq!(counts(), [Some(6.0), Some(1.0), Some(0.0)]);
    metrics.forget_scope(&scope());
    assert_eq!(counts(), [Some(4.0), Some(0.0), Some(0.0)]);
}

#[tokio::test]
async fn names_and_labels_are_those_that_users_rely_on() {
    let (metrics, registry) = metrics(Clock::starting_at(NOON));
    Metrics::build_info(&registry, "0.1.0").unwrap();
    use_all(&metrics);
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for family in registry.gather().iter().filter(|family| !family.name().starts_with("process_")) {
        assert!(!family.help().is_empty(), "{}", family.name());
        let mut labels: Vec<String> = family.get_metric()[0].get_label().iter().map(|label| label.name().to_owned()).collect();
        labels.sort();
        found.push((family.name().to_owned(), labels));
    }
    let mut wanted: Vec<(String, Vec<String>)> =
        CONTRACT.iter().map(|(name, labels)| ((*name).to_owned(), labels.iter().map(|label| (*label).to_owned()).collect())).collect();
    wanted.sort();
    assert_eq!(found, wanted);
    assert!(value(&registry, "process_resident_memory_bytes", &[]).is_some());
}

#[tokio::test]
async fn counts_that_fall_to_zero_are_shown_as_zero() {
    let (metrics, registry) = metrics(Clock::starting_at(NOON));
    let drift = [("service", "s3"), ("check", "s3-encryption")];
    let mut tally = Tally::default();
    tally.drift.insert((Service::S3, Check::S3Encryption), 3);
    metrics.planned(&scope(), &tally);
    assert_eq!(value(&registry, "everseal_drift", &drift), Some(3.0));
    metrics.planned(&scope(), &Tally::default());
    assert_eq!(value(&registry, "everseal_drift", &drift), Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn the_age_of_drift_is_worked_out_when_it_is_asked_for() {
    let (metrics, registry) = metrics(Clock::starting_at(NOON));
    let oldest = |check| value(&registry, "everseal_drift_oldest_seconds", &[("check", check)]);
    metrics.drift_since(&scope(), BTreeMap::from([((Service::S3, Check::S3Encryption), NOON - 60)]));
    assert_eq!((oldest("s3-encryption"), oldest("sqs-encryption")), (Some(60.0), Some(0.0)));
    tokio::time::advance(Duration::from_secs(40)).await;
    assert_eq!(oldest("s3-encryption"), Some(100.0));
    metrics.drift_since(&scope(), BTreeMap::new());
    assert_eq!(oldest("s3-encryption"), Some(0.0));
}

#[tokio::test]
async fn a_key_is_in_one_state_and_its_series_end_with_it() {
    let (metrics, registry) = metrics(Clock::starting_at(NOON));
    let state = |state| value(&registry, "everseal_kms_key_state", &[("state", state)]);
    let show = |key: Key| metrics.keys(&scope(), &BTreeMap::from([(key.arn.clone(), key)]));
    show(key(Some("Enabled")));
    show(key(Some("PendingDeletion")));
    assert_eq!((state("Enabled"), state("PendingDeletion")), (Some(0.0), Some(1.0)));
    show(key(Some("SomethingYoung")));
    assert_eq!((state("PendingDeletion"), state("Unknown")), (Some(0.0), Some(1.0)));
    show(key(None));
    assert_eq!(state("Unknown"), Some(1.0));
    metrics.keys(&scope(), &BTreeMap::new());
    assert_eq!(state("Unknown"), None);
}

#[tokio::test]
async fn error_codes_are_bounded() {
    let (metrics, registry) = metrics(Clock::starting_at(NOON));
    for code in 0..1000 {
        metrics.attempt("s3", "ListBuckets", &format!("Made{code}"), Duration::ZERO);
    }
    let requests = registry.gather().into_iter().find(|family| family.name() == "everseal_aws_requests_total").unwrap();
    assert_eq!(requests.get_metric().len(), MAX_CODES + 1);
    assert_eq!(value(&registry, "everseal_aws_requests_total", &[]), Some(1000.0));
    assert_eq!(value(&registry, "everseal_aws_requests_total", &[("code", "Other")]), Some(936.0));
}

#[tokio::test]
async fn a_stream_that_leaves_takes_its_series_along() {
    let (metrics, registry) = metrics(Clock::starting_at(NOON));
    metrics.watch_stream(&scope(), "orders");
    metrics.kms_errors(&scope(), "orders", KmsError::NotFound, 5);
    metrics.loss_deadline(&scope(), "orders", Some(NOON));
    let errors = |error| value(&registry, "everseal_firehose_kms_errors_total", &[("error", error)]);
    assert_eq!((errors("KMSKeyNotFound"), errors("KMSKeyDisabled")), (Some(5.0), Some(0.0)));
    metrics.forget_stream(&scope(), "orders");
    assert_eq!(errors("KMSKeyNotFound"), None);
    assert_eq!(value(&registry, "everseal_firehose_data_loss_deadline_timestamp_seconds", &[]), None);
}

#[test]
fn two_sets_of_metrics_do_not_share_a_registry() {
    let registry = Registry::new();
    let _first: Arc<Metrics> = Arc::new(Metrics::register(&registry, Clock::system()).unwrap());
    assert!(Metrics::register(&registry, Clock::system()).is_err());
}
