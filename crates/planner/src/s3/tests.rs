//! Buckets: what is compared, what is written, what stops a write.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::fixtures::{
    KEY, KEY_ID, OTHER_KEY, bucket, change, denied, document, finding, gate, grant, inventory, planned, reason, state, step,
};
use crate::plan::{Gate, Plan};
use crate::{Arn, Check, State};

const ENC: Check = Check::S3Encryption;
const TLS: Check = Check::S3SecureTransport;
const KMS_RULE: &str = "s3: [{name: r, atRest: {algorithm: 'aws:kms', key: alias/finance}}]";
const AES_RULE: &str = "s3: [{name: r, atRest: {algorithm: AES256}}]";
const HTTPS_RULE: &str = "s3: [{name: r, inTransit: {denyInsecureTransport: true}}]";

fn plan(rule: &str, settings: &Value) -> Plan {
    plan_with(rule, settings, &json!([]), &json!({}))
}

fn plan_with(rule: &str, settings: &Value, key_statements: &Value, more: &Value) -> Plan {
    let mut all = json!({"buckets": bucket("data", settings)});
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    planned(rule, &inventory(key_statements, &all))
}

fn encrypted(encryption: &Value) -> Value {
    json!({ "encryption": encryption })
}

fn after(plan: &Plan) -> Value {
    change(plan, ENC)["bucketEncryption"]["after"].clone()
}

mod encryption {
    use super::*;

    #[test]
    fn better_protected_is_compliant() {
        let dsse = json!({"algorithm": "aws:kms:dsse", "kmsKey": KEY});
        let kms = json!({"algorithm": "aws:kms", "kmsKey": KEY});
        for (rule, observed) in [(KMS_RULE, &dsse), (AES_RULE, &dsse), (AES_RULE, &kms)] {
            let plan = plan(rule, &encrypted(observed));
            assert_eq!(state(&plan, ENC), State::Compliant, "{rule} {observed}");
            assert!(finding(&plan, ENC).notes[0].contains("Better protected"));
            assert!(plan.steps.is_empty());
        }
    }

    #[test]
    fn every_spelling_of_a_key_is_the_same_key() {
        for spelling in [KEY, KEY_ID, "alias/finance", "arn:aws:kms:us-east-1:111122223333:alias/finance"] {
            let plan = plan(KMS_RULE, &encrypted(&json!({"algorithm": "aws:kms", "kmsKey": spelling})));
            assert_eq!(state(&plan, ENC), State::Compliant, "{spelling}");
        }
    }

    #[test]
    fn another_key_is_drift_only_where_the_rule_names_one() {
        let other = encrypted(&json!({"algorithm": "aws:kms", "kmsKey": OTHER_KEY, "bucketKey": true}));
        let drifted = plan(KMS_RULE, &other);
        assert_eq!(after(&drifted), json!({"algorithm": "aws:kms", "kmsKey": KEY, "bucketKey": true}));
        assert_eq!(gate(&drifted, ENC), None);
        assert!(finding(&drifted, ENC).actual.contains("alias/other"));
        let any = plan("s3: [{name: r, atRest: {algorithm: 'aws:kms'}}]", &other);
        assert_eq!(state(&any, ENC), State::Compliant);
    }

    #[test]
    fn no_key_means_the_key_of_s3() {
        let unnamed = encrypted(&json!({"algorithm": "aws:kms"}));
        assert_eq!(state(&plan("s3: [{name: r, atRest: {algorithm: 'aws:kms'}}]", &unnamed), ENC), State::Compliant);
        assert_eq!(state(&plan("s3: [{name: r, atRest: {algorithm: 'aws:kms', key: alias/aws/s3}}]", &unnamed), ENC), State::Compliant);
        let named = plan(KMS_RULE, &unnamed);
        assert_eq!(state(&named, ENC), State::Drifted);
        assert!(finding(&named, ENC).actual.contains("alias/aws/s3"));
    }

    #[test]
    fn a_dsse_bucket_with_another_key_gets_the_key_and_keeps_both_layers() {
        let plan = plan(KMS_RULE, &encrypted(&json!({"algorithm": "aws:kms:dsse", "kmsKey": OTHER_KEY})));
        assert_eq!(after(&plan), json!({"algorithm": "aws:kms:dsse", "kmsKey": KEY, "bucketKey": false}));
    }

    #[test]
    fn dsse_has_no_bucket_key_to_demand() {
        let rule = "s3: [{name: r, atRest: {algorithm: 'aws:kms', key: alias/finance, bucketKey: true}}]";
        let plan = plan(rule, &encrypted(&json!({"algorithm": "aws:kms:dsse", "kmsKey": KEY})));
        assert_eq!(state(&plan, ENC), State::Compliant);
    }

    #[test]
    fn younger_algorithms_are_unknown_and_untouched() {
        for algorithm in ["aws:fsx", "aws:backup"] {
            let plan = plan(KMS_RULE, &encrypted(&json!({"algorithm": algorithm})));
            assert_eq!(state(&plan, ENC), State::Unknown);
            assert!(plan.steps.is_empty());
        }
    }

    #[test]
    fn nothing_configured_is_drift_and_not_unknown() {
        let plan = plan(AES_RULE, &encrypted(&json!(null)));
        assert_eq!(after(&plan), json!({"algorithm": "AES256", "bucketKey": false}));
        assert_eq!(change(&plan, ENC)["bucketEncryption"]["before"], json!(null));
        assert_eq!(gate(&plan, ENC), None);
    }

    #[test]
    fn what_could_not_be_read_is_unknown() {
        let unreadable = plan(AES_RULE, &encrypted(&denied("GetBucketEncryption", "s3:GetEncryptionConfiguration")));
        assert_eq!(state(&unreadable, ENC), State::Unknown);
        assert!(finding(&unreadable, ENC).message.contains("Allow s3:GetEncryptionConfiguration"));
        assert!(unreadable.steps.is_empty());
        assert_eq!(state(&plan(AES_RULE, &encrypted(&json!("unread"))), ENC), State::Unknown);
    }

    #[test]
    fn unmanaged_settings_are_carried_over() {
        let observed = json!({"algorithm": "AES256", "blockedEncryptionTypes": ["SSE-C"]});
        assert_eq!(
            after(&plan(KMS_RULE, &encrypted(&observed))),
            json!({"algorithm": "aws:kms", "kmsKey": KEY, "bucketKey": false, "blockedEncryptionTypes": ["SSE-C"]})
        );
    }

    #[test]
    fn blocked_types_are_added_and_never_taken_away() {
        let rule = "s3: [{name: r, atRest: {algorithm: AES256, blockedEncryptionTypes: [SSE-C]}}]";
        for (before, wanted) in
            [(json!(null), json!(["SSE-C"])), (json!(["NONE"]), json!(["SSE-C"])), (json!(["SSE-X"]), json!(["SSE-C", "SSE-X"]))]
        {
            let mut observed = json!({"algorithm": "aws:kms", "kmsKey": "alias/other", "bucketKey": true});
            if !before.is_null() {
                observed["blockedEncryptionTypes"] = before;
            }
            let plan = plan(rule, &encrypted(&observed));
            // The alias is written back as the key's ARN: S3 looks an alias up in the account of whoever asks.
            assert_eq!(
                after(&plan),
                json!({"algorithm": "aws:kms", "kmsKey": OTHER_KEY, "bucketKey": true, "blockedEncryptionTypes": wanted})
            );
            assert_eq!(gate(&plan, ENC), None);
        }
        let more = encrypted(&json!({"algorithm": "AES256", "blockedEncryptionTypes": ["SSE-C", "SSE-X"]}));
        assert_eq!(state(&plan(rule, &more), ENC), State::Compliant);
        assert_eq!(state(&plan(AES_RULE, &more), ENC), State::Compliant);
    }

    #[test]
    fn a_key_that_can_not_be_resolved_is_neither_compared_nor_written_back() {
        let foreign = json!({"algorithm": "aws:kms", "kmsKey": "arn:aws:kms:us-east-1:999999999999:alias/theirs"});
        assert_eq!(state(&plan(KMS_RULE, &encrypted(&foreign)), ENC), State::Unknown);
        let block = plan("s3: [{name: r, atRest: {algorithm: 'aws:kms', blockedEncryptionTypes: [SSE-C]}}]", &encrypted(&foreign));
        assert_eq!(gate(&block, ENC), Some(Gate::Unread));
        // An alias of this account that does not exist is certainly not the wanted key.
        let gone = json!({"algorithm": "aws:kms", "kmsKey": "alias/gone"});
        assert_eq!(state(&plan(KMS_RULE, &encrypted(&gone)), ENC), State::Drifted);
    }

    #[test]
    fn an_unknown_wanted_key_stops_the_step() {
        let rule = "s3: [{name: r, atRest: {algorithm: 'aws:kms', key: alias/nowhere}}]";
        assert_eq!(gate(&plan(rule, &json!({})), ENC), Some(Gate::KeyState));
        assert_eq!(gate(&plan(rule, &encrypted(&json!({"algorithm": "aws:kms", "kmsKey": KEY}))), ENC), Some(Gate::KeyState));
    }

    #[test]
    fn unreadable_aliases_are_no_drift_of_the_key() {
        let more = json!({"aliases": denied("ListAliases", "kms:ListAliases")});
        let plan = plan_with(KMS_RULE, &encrypted(&json!({"algorithm": "aws:kms", "kmsKey": KEY})), &json!([]), &more);
        assert_eq!(state(&plan, ENC), State::Unknown);
    }

    #[test]
    fn a_key_to_be_created_is_waited_for() {
        let spec = format!("keys: [{{alias: alias/new}}]\n{}", KMS_RULE.replace("alias/finance", "alias/new"));
        let plan = plan(&spec, &json!({}));
        let change = change(&plan, ENC);
        assert_eq!(change["bucketEncryption"]["waitsFor"], json!({"toBeCreated": {"alias": "alias/new"}}));
        assert!(step(&plan, ENC).needs.iter().any(|need| need.0.contains("alias/new")));
    }

    #[test]
    fn bucket_key_is_compared_where_the_rule_says_so() {
        let rule = "s3: [{name: r, atRest: {algorithm: 'aws:kms', bucketKey: true}}]";
        let off = encrypted(&json!({"algorithm": "aws:kms", "kmsKey": KEY}));
        assert_eq!(after(&plan(rule, &off)), json!({"algorithm": "aws:kms", "kmsKey": KEY, "bucketKey": true}));
        assert!(finding(&plan(rule, &off), ENC).notes.iter().any(|note| note.contains("kms:EncryptionContext:aws:s3:arn")));
        assert_eq!(state(&plan("s3: [{name: r, atRest: {algorithm: 'aws:kms'}}]", &off), ENC), State::Compliant);
    }
}

mod encryption_gates {
    use super::*;

    fn allow_put(principal: &Value) -> Value {
        json!({"document": document(&json!([{"Effect": "Allow", "Principal": principal, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::data/*"}]))})
    }

    #[test]
    fn a_plain_bucket_is_switched() {
        let plan = plan(KMS_RULE, &json!({}));
        assert_eq!(gate(&plan, ENC), None);
        assert_eq!(after(&plan), json!({"algorithm": "aws:kms", "kmsKey": KEY, "bucketKey": false}));
    }

    #[test]
    fn a_website_bucket_is_not_switched_to_a_key() {
        let website = json!({"website": true});
        assert_eq!(gate(&plan(KMS_RULE, &website), ENC), Some(Gate::Website));
        let allowed = "s3: [{name: r, atRest: {algorithm: 'aws:kms', key: alias/finance}, website: {public: enforce}}]";
        assert_eq!(gate(&plan(allowed, &website), ENC), None);
        // Where the policy gives the website up, nobody needs to know whether there is one.
        assert!(plan(allowed, &json!({"website": "unread"})).wanted_facts.is_empty());
        // SSE-S3 is transparent to anonymous readers.
        let mut unset = website;
        unset["encryption"] = json!(null);
        assert_eq!(gate(&plan(AES_RULE, &unset), ENC), None);
    }

    #[test]
    fn log_targets_that_take_sse_s3_only_are_not_switched() {
        assert_eq!(gate(&plan(KMS_RULE, &json!({"logDeliveryAcl": true})), ENC), Some(Gate::LogTarget));
        for principal in [
            json!({"Service": "logging.s3.amazonaws.com"}),
            json!({"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}),
            json!({"AWS": "arn:aws:iam::127311923021:root"}),
            json!({"AWS": ["127311923021"]}),
        ] {
            let plan = plan(KMS_RULE, &allow_put(&principal));
            assert_eq!(gate(&plan, ENC), Some(Gate::LogTarget), "{principal}");
            assert!(reason(&plan, ENC).contains("AES256"));
        }
        let mut target = allow_put(&json!({"Service": "logging.s3.amazonaws.com"}));
        target["encryption"] = json!(null);
        assert_eq!(gate(&plan(AES_RULE, &target), ENC), None);
    }

    #[test]
    fn flow_logs_need_the_key_to_let_them_in() {
        let logs = allow_put(&json!({"Service": "delivery.logs.amazonaws.com"}));
        let shut = plan(KMS_RULE, &logs);
        assert_eq!(gate(&shut, ENC), Some(Gate::Path));
        assert!(reason(&shut, ENC).contains("\"Service\":\"delivery.logs.amazonaws.com\""));
        let open = plan_with(KMS_RULE, &logs, &json!([grant("delivery.logs.amazonaws.com", &json!(null))]), &json!({}));
        assert_eq!(gate(&open, ENC), None);
    }

    #[test]
    fn cloud_trail_needs_its_statement() {
        let trail = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main";
        let statement = json!({
            "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::data/AWSLogs/111122223333/*", "Condition": {"StringEquals": {"aws:SourceArn": trail}}
        });
        let bucket = json!({"document": document(&json!([statement]))});
        let key = grant(
            "cloudtrail.amazonaws.com",
            &json!({
                "StringEquals": {"aws:SourceArn": trail},
                "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*:111122223333:trail/*"}
            }),
        );
        assert_eq!(gate(&plan(KMS_RULE, &bucket), ENC), Some(Gate::Path));
        assert_eq!(gate(&plan_with(KMS_RULE, &bucket, &json!([key]), &json!({})), ENC), None);
    }

    #[test]
    fn replication_that_leaves_kms_objects_behind_stops_the_switch() {
        let rule =
            |covers: bool| json!({"replication": [{"id": "dr", "destination": "arn:aws:s3:::copy", "replicatesKmsObjects": covers}]});
        let blocked = plan(KMS_RULE, &rule(false));
        assert_eq!(gate(&blocked, ENC), Some(Gate::Replication));
        assert!(reason(&blocked, ENC).contains("dr"));
        let covered = plan(KMS_RULE, &rule(true));
        assert_eq!(gate(&covered, ENC), None);
        assert!(finding(&covered, ENC).notes.iter().any(|note| note.contains("replication role")));
    }

    #[test]
    fn facts_that_nobody_read_are_asked_for_and_the_step_waits() {
        for fact in ["website", "logDeliveryAcl", "replication", "document"] {
            let plan = plan(KMS_RULE, &json!({fact: "unread"}));
            assert_eq!(gate(&plan, ENC), Some(Gate::Unread), "{fact}");
            assert!(plan.wanted_facts.contains(&Arn::parse("arn:aws:s3:::data").unwrap()), "{fact}");
        }
        // Nothing is asked for where there is no step, or where the step can't hurt.
        let unread = json!({"website": "unread", "logDeliveryAcl": "unread", "replication": "unread", "encryption": {"algorithm": "aws:kms", "kmsKey": KEY}});
        assert!(plan(KMS_RULE, &unread).wanted_facts.is_empty());
        let unset = json!({"website": "unread", "logDeliveryAcl": "unread", "replication": "unread", "encryption": null});
        assert!(plan(AES_RULE, &unset).wanted_facts.is_empty());
    }

    #[test]
    fn facts_that_can_not_be_read_are_not_asked_for_again() {
        let plan = plan(KMS_RULE, &json!({"website": denied("GetBucketWebsite", "s3:GetBucketWebsite")}));
        assert_eq!(gate(&plan, ENC), Some(Gate::Unread));
        assert!(reason(&plan, ENC).contains("Allow s3:GetBucketWebsite"));
        assert!(plan.wanted_facts.is_empty());
    }

    #[test]
    fn a_public_bucket_has_readers_whom_no_key_can_name() {
        let public = json!({"document": document(&json!([{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}]))});
        assert_eq!(gate(&plan(KMS_RULE, &public), ENC), Some(Gate::KeyUse));
    }

    #[test]
    fn a_document_that_can_not_be_parsed_stops_the_switch() {
        assert_eq!(gate(&plan(KMS_RULE, &json!({"document": "not json"})), ENC), Some(Gate::Unread));
    }

    #[test]
    fn the_firehose_role_must_get_through() {
        let arn = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
        let role = "arn:aws:iam::111122223333:role/firehose";
        let streams = json!({arn: {"arn": arn, "name": "orders", "description": {
            "streamType": "DirectPut", "status": "ACTIVE", "versionId": "1",
            "destinations": [{"id": "d", "kind": "extendedS3", "bucket": "arn:aws:s3:::data", "role": role}]
        }}});
        let more = json!({"deliveryStreams": streams});
        let shut = plan_with(KMS_RULE, &json!({}), &json!([]), &more);
        assert_eq!(gate(&shut, ENC), Some(Gate::Path));
        assert!(reason(&shut, ENC).contains("delivery stream orders"));
        let allow =
            json!({"Effect": "Allow", "Principal": {"AWS": role}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"});
        assert_eq!(gate(&plan_with(KMS_RULE, &json!({}), &json!([allow]), &more), ENC), None);
        // The sample role's condition names the objects; with a bucket key S3 names the bucket.
        let mut narrow = allow;
        narrow["Condition"] = json!({"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::data/*"}});
        assert_eq!(gate(&plan_with(KMS_RULE, &json!({}), &json!([narrow]), &more), ENC), None);
        let with_bucket_key = KMS_RULE.replace("alias/finance}", "alias/finance, bucketKey: true}");
        assert_eq!(gate(&plan_with(&with_bucket_key, &json!({}), &json!([narrow]), &more), ENC), Some(Gate::Path));
    }

    #[test]
    fn turning_the_bucket_key_on_minds_conditions_on_the_object() {
        let rule = "s3: [{name: r, atRest: {algorithm: 'aws:kms', bucketKey: true}}]";
        let observed = encrypted(&json!({"algorithm": "aws:kms", "kmsKey": KEY}));
        let statement = |values: Value| {
            json!([{
                "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/firehose"}, "Action": "kms:GenerateDataKey", "Resource": "*",
                "Condition": {"StringLike": {"kms:EncryptionContext:aws:s3:arn": values}}
            }])
        };
        let on_objects = plan_with(rule, &observed, &statement(json!("arn:aws:s3:::data/in/*")), &json!({}));
        assert_eq!(gate(&on_objects, ENC), Some(Gate::Path));
        assert!(reason(&on_objects, ENC).contains("arn:aws:s3:::data/in/*"));
        for values in [json!(["arn:aws:s3:::data", "arn:aws:s3:::data/*"]), json!("arn:aws:s3:::data*"), json!("arn:aws:s3:::elsewhere/*")]
        {
            assert_eq!(gate(&plan_with(rule, &observed, &statement(values.clone()), &json!({})), ENC), None, "{values}");
        }
    }

    #[test]
    fn turning_the_bucket_key_on_minds_the_keys_of_streams_too() {
        let rule = "s3: [{name: r, atRest: {algorithm: 'aws:kms', bucketKey: true}}]";
        let arn = "arn:aws:firehose:us-east-1:111122223333:deliverystream/orders";
        let condition = json!({"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::data/*"}});
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/f"}, "Action": "kms:Decrypt", "Resource": "*", "Condition": condition});
        let more = json!({"deliveryStreams": {arn: {"arn": arn, "name": "orders", "description": {
            "streamType": "DirectPut", "status": "ACTIVE", "versionId": "1",
            "destinations": [{"id": "d", "kind": "extendedS3", "bucket": "arn:aws:s3:::data", "role": "arn:aws:iam::111122223333:role/f", "kmsKey": KEY}]
        }}}});
        let plan = plan_with(rule, &encrypted(&json!({"algorithm": "aws:kms", "kmsKey": OTHER_KEY})), &json!([statement]), &more);
        assert_eq!(gate(&plan, ENC), Some(Gate::Path));
    }

    #[test]
    fn a_key_document_that_nobody_read_is_asked_for() {
        let mut inventory =
            inventory(&json!([]), &json!({"buckets": bucket("data", &encrypted(&json!({"algorithm": "aws:kms", "kmsKey": KEY})))}));
        let key = Arn::parse(KEY).unwrap();
        inventory.keys.get_mut(&key).unwrap().document = crate::Reading::NotRead;
        let plan = planned("s3: [{name: r, atRest: {algorithm: 'aws:kms', bucketKey: true}}]", &inventory);
        assert_eq!(gate(&plan, ENC), Some(Gate::Unread));
        assert!(plan.wanted_facts.contains(&key));
    }

    #[test]
    fn the_default_key_of_s3_serves_no_other_account() {
        let reader = json!({"document": document(&json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}]))});
        let rule = "s3: [{name: r, atRest: {algorithm: 'aws:kms'}}]";
        assert_eq!(gate(&plan(rule, &reader), ENC), Some(Gate::Path));
        assert_eq!(gate(&plan(rule, &json!({})), ENC), None);
    }

    #[test]
    fn a_disabled_key_takes_no_bucket() {
        let mut inventory = inventory(&json!([]), &json!({"buckets": bucket("data", &json!({}))}));
        let mut metadata = inventory.keys[&Arn::parse(KEY).unwrap()].metadata.known().unwrap().clone();
        metadata.state = "Disabled".into();
        inventory.keys.get_mut(&Arn::parse(KEY).unwrap()).unwrap().metadata = crate::Reading::Known(metadata);
        assert_eq!(gate(&planned(KMS_RULE, &inventory), ENC), Some(Gate::KeyState));
    }
}

mod transport {
    use super::*;

    fn deny(condition: &Value) -> Value {
        json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"], "Condition": condition})
    }

    fn with_statements(statements: &Value) -> Value {
        json!({ "document": document(statements) })
    }

    fn after(plan: &Plan) -> Value {
        serde_json::from_str(change(plan, TLS)["bucketDocument"]["after"].as_str().unwrap()).unwrap()
    }

    #[test]
    fn no_document_gets_one_with_the_statement_that_checkers_want() {
        let plan = plan(HTTPS_RULE, &json!({}));
        assert_eq!(gate(&plan, TLS), None);
        assert_eq!(
            after(&plan),
            json!({"Version": "2012-10-17", "Statement": [{
                "Sid": "EversealDenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}
            }]})
        );
    }

    #[test]
    fn a_denying_document_is_compliant_whatever_its_form() {
        for condition in [json!({"Bool": {"aws:SecureTransport": "false"}}), json!({"Bool": {"AWS:securetransport": false}})] {
            assert_eq!(state(&plan(HTTPS_RULE, &with_statements(&json!([deny(&condition)]))), TLS), State::Compliant, "{condition}");
        }
        let odd = plan(HTTPS_RULE, &with_statements(&deny(&json!({"BoolIfExists": {"aws:SecureTransport": ["false"]}}))));
        assert_eq!(state(&odd, TLS), State::Compliant);
        assert!(finding(&odd, TLS).notes[0].contains("s3-bucket-ssl-requests-only"));
    }

    #[test]
    fn a_narrower_deny_is_completed_and_kept() {
        let narrow = deny(&json!({"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalOrgID": "o-1"}}));
        let plan = plan(HTTPS_RULE, &with_statements(&json!([narrow])));
        assert_eq!(state(&plan, TLS), State::Drifted);
        assert_eq!(after(&plan)["Statement"][0], narrow);
        assert_eq!(after(&plan)["Statement"][1]["Sid"], "EversealDenyInsecureTransport");
    }

    #[test]
    fn an_object_form_statement_is_kept() {
        let single = json!({"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/r"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"});
        let plan = plan(HTTPS_RULE, &with_statements(&single));
        assert_eq!(after(&plan)["Statement"][0], single);
        assert_eq!(after(&plan)["Statement"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn old_tls_is_refused_by_a_statement_of_its_own() {
        let rule = "s3: [{name: r, inTransit: {denyInsecureTransport: true, minimumTlsVersion: '1.2'}}]";
        let half = plan(rule, &with_statements(&json!([deny(&json!({"Bool": {"aws:SecureTransport": "false"}}))])));
        assert_eq!(finding(&half, TLS).actual, "accepts old TLS versions");
        assert_eq!(after(&half)["Statement"][1]["Condition"], json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}));
        let full = plan(rule, &with_statements(&after(&half)["Statement"]));
        assert_eq!(state(&full, TLS), State::Compliant);
        assert_eq!(after(&plan(rule, &json!({})))["Statement"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_website_is_cut_off_only_where_the_policy_says_so() {
        let website = json!({"website": true});
        let blocked = plan(HTTPS_RULE, &website);
        assert_eq!(gate(&blocked, TLS), Some(Gate::Website));
        assert!(reason(&blocked, TLS).contains("does not read whether CloudFront"));
        let fronted = "s3: [{name: r, inTransit: {denyInsecureTransport: true}, website: {behindCloudFront: enforce}}]";
        assert_eq!(gate(&plan(fronted, &website), TLS), Some(Gate::Website));
        let enforced = "s3: [{name: r, inTransit: {denyInsecureTransport: true}, website: {public: enforce}}]";
        assert_eq!(gate(&plan(enforced, &website), TLS), None);
        // A website endpoint speaks no TLS at all: refusing old versions of it takes nothing away.
        assert_eq!(gate(&plan("s3: [{name: r, inTransit: {minimumTlsVersion: '1.2'}}]", &website), TLS), None);
    }

    #[test]
    fn block_public_access_refuses_a_public_document() {
        let theirs = document(
            &json!([{"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}]),
        );
        let public = json!({"document": theirs, "publicAccess": {"policyIsPublic": true, "blockPublicPolicy": true}});
        assert_eq!(gate(&plan(HTTPS_RULE, &public), TLS), Some(Gate::PublicAccessBlock));
        let unblocked = json!({"document": theirs, "publicAccess": {"policyIsPublic": true, "blockPublicPolicy": false}});
        assert_eq!(gate(&plan(HTTPS_RULE, &unblocked), TLS), None);
        // Where there is no document, ours is the whole of it: nothing to ask for.
        let none = plan(HTTPS_RULE, &json!({"publicAccess": "unread"}));
        assert_eq!((gate(&none, TLS), none.wanted_facts.len()), (None, 0));
        let unread = plan(HTTPS_RULE, &json!({"document": theirs, "publicAccess": "unread"}));
        assert_eq!(gate(&unread, TLS), Some(Gate::Unread));
        assert_eq!(unread.wanted_facts.len(), 1);
    }

    #[test]
    fn a_document_that_would_grow_too_large_stays() {
        // 20 KB is the limit: 20,400 bytes leave no room for a statement of some 230.
        let filler = json!({"Sid": "A".repeat(20_400 - 180), "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"});
        let plan = plan(HTTPS_RULE, &with_statements(&json!([filler])));
        assert_eq!(gate(&plan, TLS), Some(Gate::DocumentSize));
        assert!(reason(&plan, TLS).contains("20480"));
    }

    #[test]
    fn what_can_not_be_parsed_or_read_is_unknown_and_stays() {
        for document in [json!("{\"Statement\": [}"), denied("GetBucketPolicy", "s3:GetBucketPolicy"), json!("unread")] {
            let plan = plan(HTTPS_RULE, &json!({ "document": document }));
            assert_eq!(state(&plan, TLS), State::Unknown, "{document}");
            assert!(plan.steps.is_empty());
        }
    }

    #[test]
    fn a_document_that_locks_everybody_out_is_said_to() {
        let all = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]});
        let plan = plan(HTTPS_RULE, &with_statements(&json!([all])));
        assert_eq!(state(&plan, TLS), State::Compliant);
        assert!(finding(&plan, TLS).notes.iter().any(|note| note.contains("nobody can use this bucket")));
    }
}

#[test]
fn existing_objects_are_said_not_to_be_examined() {
    let plan = plan("s3: [{name: r, existingObjects: {action: report}}]", &json!({}));
    assert_eq!(state(&plan, Check::S3ExistingObjects), State::Unknown);
    assert!(finding(&plan, Check::S3ExistingObjects).message.contains("not examined by this version"));
    assert_eq!(plan.findings.len(), 1);
}

#[test]
fn absent_sections_are_unmanaged_and_so_is_a_bucket_without_a_rule() {
    let nothing = plan("s3: [{name: r, inTransit: {denyInsecureTransport: false}}]", &encrypted(&json!(null)));
    assert!(nothing.findings.is_empty() && nothing.steps.is_empty());
    assert!(nothing.unmanaged.iter().all(|arn| arn.service() != "s3"));
    let elsewhere = plan("s3: [{name: r, match: {names: [other-*]}, atRest: {algorithm: AES256}}]", &json!({}));
    assert!(elsewhere.findings.is_empty() && elsewhere.unmanaged.contains(&Arn::parse("arn:aws:s3:::data").unwrap()));
}

#[test]
fn tags_that_are_not_known_make_every_check_unknown() {
    let rule = "s3: [{name: r, match: {tags: {c: d}}, atRest: {algorithm: AES256}, inTransit: {denyInsecureTransport: true}}]";
    let plan = plan(rule, &json!({"encryption": null, "tags": denied("GetResources", "tag:GetResources")}));
    assert_eq!(plan.findings.len(), 2);
    assert!(plan.findings.iter().all(|finding| finding.state == State::Unknown && finding.message.contains("Allow tag:GetResources")));
    assert!(plan.steps.is_empty());
}

#[test]
fn delivery_streams_are_read_where_buckets_may_move_to_a_key() {
    let scope = crate::Scope { partition: "aws".into(), account: "111122223333".into(), region: "us-east-1".into() };
    for (at_rest, wanted) in [
        ("{algorithm: 'aws:kms', key: alias/finance}", true),
        ("{algorithm: 'aws:kms:dsse', key: alias/finance}", true),
        ("{algorithm: AES256}", false),
    ] {
        let policies = crate::fixtures::policies(&format!("s3: [{{name: r, atRest: {at_rest}}}]"));
        let reads = crate::plan::Reads::for_policies(&policies, &scope);
        assert_eq!(reads.services.contains(&crate::Service::Firehose), wanted, "{at_rest}");
    }
}

#[test]
fn a_bucket_under_a_key_that_does_not_work_says_so() {
    let mut inventory = crate::fixtures::inventory(
        &json!([]),
        &json!({"buckets": crate::fixtures::bucket("data", &json!({"encryption": {"algorithm": "aws:kms", "kmsKey": crate::fixtures::KEY}}))}),
    );
    let key = crate::Arn::parse(crate::fixtures::KEY).unwrap();
    let crate::Reading::Known(metadata) = &mut inventory.keys.get_mut(&key).unwrap().metadata else { panic!() };
    metadata.state = "PendingDeletion".into();
    let plan = crate::fixtures::planned("s3: [{name: r, atRest: {algorithm: 'aws:kms', key: alias/finance}}]", &inventory);
    let notes = &crate::fixtures::finding(&plan, crate::Check::S3Encryption).notes;
    assert!(notes.iter().any(|note| note.contains("alias/finance, is PendingDeletion")), "{notes:?}");
}

#[test]
fn a_policy_that_names_a_deleted_role_can_not_be_written() {
    let statement = json!([{"Effect": "Allow", "Principal": {"AWS": "AROAEXAMPLEID00000001"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}]);
    let buckets = crate::fixtures::bucket("data", &json!({"document": crate::fixtures::document(&statement)}));
    let inventory = crate::fixtures::inventory(&json!([]), &json!({"buckets": buckets}));
    let plan = crate::fixtures::planned("s3: [{name: r, inTransit: {denyInsecureTransport: true}}]", &inventory);
    let check = crate::Check::S3SecureTransport;
    assert_eq!(crate::fixtures::gate(&plan, check), Some(crate::plan::Gate::Manual));
    assert!(crate::fixtures::reason(&plan, check).contains("AROAEXAMPLEID00000001"));
}
