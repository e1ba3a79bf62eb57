//! Rules of the six lists: what they match, and combinations that AWS does not have.

use super::duplicates;
use super::keys::{AwsManaged, judge_reference};
use super::migration;
use super::monitoring;
use crate::plan::select::{Rule, glob};
use crate::policy::model::{
    BucketAlgorithm, BucketAtRest, BucketRule, DataStreamRule, DatabaseAtRest, DatabaseInTransit, DatabaseRule, DeliveryStreamAtRest,
    DeliveryStreamRule, DestinationSpec, ExistingObjects, ExistingObjectsAction, FirehoseKeyType, KeyAtRest, MigrationAction, Mode,
    PlainClients, QueueAtRest, QueueEncryptionKind, QueueRule, Reboot, TopicRule,
};
use crate::policy::place::Place;
use crate::policy::report::Report;
use crate::policy::window::WINDOW_FORM;
use crate::policy::words;

/// Engines of DB instances and clusters [rds:CreateDBInstance].
const ENGINES: &[&str] = &[
    "aurora-mysql",
    "aurora-postgresql",
    "custom-oracle-ee",
    "custom-oracle-ee-cdb",
    "custom-oracle-se2",
    "custom-oracle-se2-cdb",
    "custom-sqlserver-dev",
    "custom-sqlserver-ee",
    "custom-sqlserver-se",
    "custom-sqlserver-web",
    "db2-ae",
    "db2-ce",
    "db2-se",
    "mariadb",
    "mysql",
    "oracle-ee",
    "oracle-ee-cdb",
    "oracle-se2",
    "oracle-se2-cdb",
    "postgres",
    "sqlserver-dev-ee",
    "sqlserver-ee",
    "sqlserver-ex",
    "sqlserver-se",
    "sqlserver-web",
];

/// Certificate authorities that RDS offers [Using SSL/TLS to encrypt a connection].
const AUTHORITIES: &[&str] = &["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"];

/// What every list of rules must be, then `each` rule's own sections.
fn judge_list<R: Rule>(
    report: &mut Report<'_>,
    place: &Place<'_>,
    rules: &[R],
    mode: Mode,
    each: impl Fn(&mut Report<'_>, &Place<'_>, &R),
) {
    for (index, rule) in rules.iter().enumerate() {
        let place = place.item(index);
        if rule.mode() == Some(Mode::Enforce) && mode == Mode::Audit {
            let message = "a rule can only narrow its policy, and this policy is in audit mode: `enforce` has no effect here";
            place.field("mode").warning(report, message);
        }
        let matches = place.field("match");
        for (list, patterns) in [("names", rule.names().unwrap_or_default()), ("exclude", rule.exclude())] {
            for (index, _) in patterns.iter().enumerate().filter(|(_, pattern)| pattern.starts_with("arn:")) {
                matches
                    .field(list)
                    .item(index)
                    .warning(report, "patterns are compared with names, not with ARNs: this one can never match");
            }
        }
        each(report, &place, rule);
    }
    for (index, earlier) in duplicates(rules.iter().map(Rule::name)) {
        let line = place.item(earlier).field("name").at.line;
        let message =
            format!("rule `{}` stands on line {line} already; findings name the rule, so give this one another name", rules[index].name());
        place.item(index).field("name").error(report, message);
    }
}

pub(super) fn buckets(report: &mut Report<'_>, place: &Place<'_>, rules: &[BucketRule], mode: Mode) {
    judge_list(report, place, rules, mode, |report, place, rule| {
        let BucketRule { name: _, matches: _, mode: _, at_rest, in_transit: _, existing_objects, website: _ } = rule;
        if let Some(at_rest) = at_rest {
            bucket_at_rest(report, &place.field("atRest"), at_rest);
        }
        if let Some(ExistingObjects { action: ExistingObjectsAction::Reencrypt }) = existing_objects {
            let message = "this version reports existing objects and does not encrypt them again; until a later one does, `reencrypt` acts as `report`";
            place.field("existingObjects").field("action").warning(report, message);
        }
    });
}

fn bucket_at_rest(report: &mut Report<'_>, place: &Place<'_>, at_rest: &BucketAtRest) {
    let BucketAtRest { algorithm, key, bucket_key, blocked_encryption_types: _ } = at_rest;
    let (key_place, bucket_key_place) = (place.field("key"), place.field("bucketKey"));
    match algorithm {
        BucketAlgorithm::Aes256 => {
            if key.is_some() {
                key_place.error(report, "AES256 takes no key: S3 uses its own; remove `key`, or write `algorithm: aws:kms`");
            }
            if bucket_key.is_some() {
                bucket_key_place.error(
                    report,
                    "a bucket key saves KMS calls, and AES256 makes none; remove `bucketKey`, or write `algorithm: aws:kms`",
                );
            }
        }
        BucketAlgorithm::KmsDsse if bucket_key.is_some() => {
            bucket_key_place.error(report, "S3 has no bucket keys with aws:kms:dsse; remove `bucketKey`");
        }
        BucketAlgorithm::Kms | BucketAlgorithm::KmsDsse => {}
    }
    if let (Some(key), BucketAlgorithm::Kms | BucketAlgorithm::KmsDsse) = (key, algorithm) {
        judge_reference(report, &key_place, key, AwsManaged::Of("s3"));
    }
}

pub(super) fn queues(report: &mut Report<'_>, place: &Place<'_>, rules: &[QueueRule], mode: Mode) {
    judge_list(report, place, rules, mode, |report, place, rule| {
        let QueueRule { name: _, matches: _, mode: _, at_rest, in_transit: _ } = rule;
        let Some(QueueAtRest { encryption, key, data_key_reuse_seconds }) = at_rest else { return };
        let place = place.field("atRest");
        match encryption {
            QueueEncryptionKind::SseKms => match key {
                Some(key) => {
                    let reason = "S3, SNS and EventBridge could not send to the queue any more";
                    judge_reference(report, &place.field("key"), key, AwsManaged::Refused(reason));
                }
                None if place.lacks("key") => {
                    place.error(report, "SSE-KMS needs a key: add `key: alias/…`, or write `encryption: SSE-SQS`");
                }
                None => {}
            },
            QueueEncryptionKind::SseSqs => {
                if key.is_some() {
                    place
                        .field("key")
                        .error(report, "SSE-SQS takes no key: SQS uses its own; remove `key`, or write `encryption: SSE-KMS`");
                }
                if data_key_reuse_seconds.is_some() {
                    let message = "SSE-SQS has no data keys to reuse; remove `dataKeyReuseSeconds`, or write `encryption: SSE-KMS`";
                    place.field("dataKeyReuseSeconds").error(report, message);
                }
            }
        }
    });
}

pub(super) fn topics(report: &mut Report<'_>, place: &Place<'_>, rules: &[TopicRule], mode: Mode) {
    judge_list(report, place, rules, mode, |report, place, rule| {
        let TopicRule { name: _, matches: _, mode: _, at_rest, in_transit: _ } = rule;
        if let Some(KeyAtRest { key }) = at_rest {
            let reason = "S3, CloudWatch and EventBridge could not publish to the topic any more";
            judge_reference(report, &place.field("atRest").field("key"), key, AwsManaged::Refused(reason));
        }
    });
}

pub(super) fn delivery_streams(report: &mut Report<'_>, place: &Place<'_>, rules: &[DeliveryStreamRule], mode: Mode) {
    judge_list(report, place, rules, mode, |report, place, rule| {
        let DeliveryStreamRule { name: _, matches: _, mode: _, at_rest, destination } = rule;
        if let Some(DestinationSpec { require_encryption, key: Some(key) }) = destination {
            let destination = place.field("destination");
            judge_reference(report, &destination.field("key"), key, AwsManaged::Of("s3"));
            if !require_encryption && (destination.field("requireEncryption").exists() || destination.lacks("requireEncryption")) {
                destination.field("key").warning(report, "without `requireEncryption: true` nothing is judged, and the key does nothing");
            }
        }
        let Some(DeliveryStreamAtRest { key_type, key }) = at_rest else { return };
        let place = place.field("atRest");
        match (key_type, key) {
            (FirehoseKeyType::CustomerManagedCmk, Some(key)) => {
                judge_reference(report, &place.field("key"), key, AwsManaged::Refused("CUSTOMER_MANAGED_CMK wants a key of yours"));
            }
            (FirehoseKeyType::CustomerManagedCmk, None) if place.lacks("key") => {
                place.error(report, "CUSTOMER_MANAGED_CMK needs a key: add `key: alias/…`, or write `keyType: AWS_OWNED_CMK`");
            }
            (FirehoseKeyType::AwsOwnedCmk, Some(_)) => {
                place.field("key").error(report, "AWS_OWNED_CMK takes no key; remove `key`, or write `keyType: CUSTOMER_MANAGED_CMK`");
            }
            (FirehoseKeyType::CustomerManagedCmk | FirehoseKeyType::AwsOwnedCmk, None) => {}
        }
    });
}

pub(super) fn data_streams(report: &mut Report<'_>, place: &Place<'_>, rules: &[DataStreamRule], mode: Mode) {
    judge_list(report, place, rules, mode, |report, place, rule| {
        let DataStreamRule { name: _, matches: _, mode: _, at_rest } = rule;
        if let Some(KeyAtRest { key }) = at_rest {
            judge_reference(report, &place.field("atRest").field("key"), key, AwsManaged::Of("kinesis"));
        }
    });
}

pub(super) fn databases(report: &mut Report<'_>, place: &Place<'_>, rules: &[DatabaseRule], mode: Mode) {
    judge_list(report, place, rules, mode, |report, place, rule| {
        let DatabaseRule { name: _, matches, mode: _, at_rest, in_transit } = rule;
        engines(report, &place.field("match").field("engines"), matches.engines.as_deref().unwrap_or_default());
        if let Some(at_rest) = at_rest {
            database_at_rest(report, &place.field("atRest"), at_rest);
        }
        if let Some(in_transit) = in_transit {
            database_in_transit(report, &place.field("inTransit"), in_transit);
        }
    });
}

/// Engines grow: only a pattern that looks like a misspelt one is doubted.
fn engines(report: &mut Report<'_>, place: &Place<'_>, patterns: &[String]) {
    for (index, pattern) in patterns.iter().enumerate() {
        if ENGINES.iter().any(|engine| glob(pattern, engine)) {
            continue;
        }
        if let Some(engine) = words::nearest(pattern, ENGINES.iter().copied()) {
            place.item(index).doubtful(report, format!("`{pattern}` is the name of no engine that RDS offers"), Some(engine));
        }
    }
}

fn database_at_rest(report: &mut Report<'_>, place: &Place<'_>, at_rest: &DatabaseAtRest) {
    let DatabaseAtRest { encrypted, key, migration } = at_rest;
    if !encrypted {
        let message = "`encrypted: false` does nothing: Everseal never removes encryption; remove `atRest`, or write `true`";
        place.field("encrypted").warning(report, message);
    }
    if let Some(key) = key {
        judge_reference(report, &place.field("key"), key, AwsManaged::Of("rds"));
    }
    if let Some(wanted) = migration {
        let at = place.field("migration");
        migration::judge(report, &at, wanted);
        let begins = matches!(wanted.action, MigrationAction::Prepare | MigrationAction::Cutover);
        if begins && *encrypted && key.is_none() && place.lacks("key") {
            at.error(report, "the copy is encrypted with a key: add `key: alias/…` beside `migration`");
        }
    }
}

fn database_in_transit(report: &mut Report<'_>, place: &Place<'_>, in_transit: &DatabaseInTransit) {
    let DatabaseInTransit { require_tls, plain_clients, reboot, window, ca_certificate, verify, ca_bundle, monitoring } = in_transit;
    match (reboot, window) {
        (Reboot::InWindow, None) if place.lacks("window") => {
            let message =
                format!("`reboot: inWindow` needs the window in which databases may be rebooted: add `window:`, for example {WINDOW_FORM}");
            place.field("reboot").error(report, message);
        }
        (Reboot::Never, Some(_)) => {
            let message = "`window` is when databases may be rebooted, and `reboot` is `never`: write `reboot: inWindow`, or remove it";
            place.field("window").warning(report, message);
        }
        (Reboot::InWindow | Reboot::Never, _) => {}
    }
    if let Some(text) = window {
        migration::judge_window(report, place, text);
    }
    if *plain_clients == PlainClients::None && !require_tls {
        let message = "`plainClients: none` vouches for clients that `requireTls: true` would refuse; without that it does nothing";
        place.field("plainClients").warning(report, message);
    }
    if *reboot == Reboot::InWindow && !require_tls && ca_certificate.is_none() {
        let message = "`reboot: inWindow` is for `requireTls` or `caCertificate`; without either of them nothing is rebooted";
        place.field("reboot").warning(report, message);
    }
    if let Some(monitoring) = monitoring {
        let place = place.field("monitoring");
        monitoring::judge(report, &place, monitoring);
        if !require_tls {
            place.warning(report, "sessions are counted before TLS is required: without `requireTls: true` nobody is counted");
        }
    }
    match ca_bundle.as_deref() {
        Some("") => place.field("caBundle").error(report, "`caBundle` is the path of a PEM file"),
        Some(_) if !verify && monitoring.is_none() => {
            place.field("caBundle").warning(report, "`caBundle` is used by `verify: true` and `monitoring` alone");
        }
        Some(_) | None => {}
    }
    let Some(authority) = ca_certificate else { return };
    if !AUTHORITIES.contains(&authority.as_str()) {
        let message = match authority.as_str() {
            "rds-ca-2019" => "rds-ca-2019 expired in August 2024; write one of ".to_owned(),
            other => format!("`{other}` is none of the authorities that RDS is known to offer: "),
        };
        let suggestion = words::nearest(authority, AUTHORITIES.iter().copied()).filter(|_| authority != "rds-ca-2019");
        place.field("caCertificate").doubtful(report, message + &AUTHORITIES.join(", "), suggestion);
    }
}
