//! What other tools got wrong with documents, by their public threads. (Growth run after run, and a statement in object
//! form, are in `ours`.)

use serde_json::json;

use super::super::transport::{Protected, transport};
use super::super::{Answer, Document, Principal, Request, access, deny_plain_http, merge, remove_ours};
use super::{bucket, holding, queue};
use crate::Arn;

/// aws-config-rules `SQS_TRANSIT_ENCRYPTION_CHECK` searches the text for `"aws:SecureTransport":"true"`: an Allow passes, AWS's
/// documented Deny fails. prowler PR#12519 copied the same logic.
#[test]
fn the_verdict_on_a_queue_is_not_a_text_search() {
    let queue = queue();
    let judge = |effect: &str, secure: &str| {
        let statement = json!({"Effect": effect, "Principal": "*", "Action": "sqs:*", "Resource": queue.as_str(),
            "Condition": {"Bool": {"aws:SecureTransport": secure}}});
        transport(Some(&holding(json!([statement]))), Protected::Queue(&queue)).denies_plain_http
    };
    assert_eq!(judge("Allow", "true"), Answer::No);
    assert_eq!(judge("Deny", "false"), Answer::Yes);
    assert_eq!(judge("Deny", "true"), Answer::No);
}

/// aws-guard-rules-registry#243: a Deny of one action, or for one part, passes there.
#[test]
fn a_deny_of_something_is_not_a_deny_of_everything() {
    for (action, resource) in [("s3:GetObject", "*"), ("s3:*", "arn:aws:s3:::ledger/*"), ("s3:*", "arn:aws:s3:::ledger")] {
        let statement = json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
        let verdict = transport(Some(&holding(json!([statement]))), Protected::Bucket(&bucket()));
        assert_ne!(verdict.denies_plain_http, Answer::Yes, "{action} {resource}");
    }
}

/// cloud-custodian#10098: statements cannot be removed from a queue; and its example is not known by its Sid.
#[test]
fn what_was_added_to_a_queue_can_be_taken_out() {
    let queue = queue();
    let theirs = json!({"Sid": "DenyHttp", "Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue.as_str()});
    let original = holding(json!([theirs]));
    let merged = merge(Some(&original), &[deny_plain_http(Protected::Queue(&queue))], None);
    assert_ne!(merged, original);
    assert_eq!(remove_ours(&merged), Some(original));
}

/// hashicorp/terraform-provider-aws PR#43135: one owner overwrites what the other wrote; Flowpipe drops the policy's Id.
#[test]
fn everything_of_the_other_owner_stays() {
    let text = r#"{"Id":"PolicyForCloudFront","Version":"2008-10-17","Statement":[{"Sid":"1","Effect":"Allow","Principal":{"CanonicalUser":"79a5"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::ledger/*"}]}"#;
    let merged = merge(Some(&Document::parse(text).unwrap()), &[deny_plain_http(Protected::Bucket(&bucket()))], None).text();
    assert!(merged.starts_with(text.strip_suffix("]}").unwrap()), "{merged}");
}

/// go-to-k/cdk-real-drift#715: a rogue grant hides behind a well-known Sid.
#[test]
fn a_rogue_grant_under_our_sid_is_not_taken_for_ours() {
    let rogue = json!({"Sid": "EversealDenyInsecureTransport", "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"});
    let document = holding(json!([rogue]));
    assert_eq!(transport(Some(&document), Protected::Bucket(&bucket())).denies_plain_http, Answer::No);
    assert_eq!(remove_ours(&document), Some(document.clone()));
    let merged = merge(Some(&document), &[deny_plain_http(Protected::Bucket(&bucket()))], None);
    assert_eq!(transport(Some(&merged), Protected::Bucket(&bucket())).denies_plain_http, Answer::Yes);
}

/// automated-security-response-on-aws#65, Flowpipe `put_s3_bucket_policy`: the partition is hard-coded.
#[test]
fn our_statement_is_of_the_resources_partition() {
    let bucket = Arn::parse("arn:aws-us-gov:s3:::ledger").unwrap();
    let own = deny_plain_http(Protected::Bucket(&bucket));
    assert_eq!(own.body["Resource"], json!(["arn:aws-us-gov:s3:::ledger", "arn:aws-us-gov:s3:::ledger/*"]));
    assert_eq!(transport(Some(&merge(None, &[own], None)), Protected::Bucket(&bucket)).denies_plain_http, Answer::Yes);
}

/// ACK community#1967, #2070: the policy is rewritten on each pass, because AWS gives it back in another form.
#[test]
fn what_aws_gives_back_is_what_we_sent() {
    let sent = holding(json!([{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": ["kms:Decrypt"], "Resource": ["*"],
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": true}}}]));
    let returned = holding(
        json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}),
    );
    assert!(sent.equivalent(&returned));
}

/// The founding article names `sqs.amazonaws.com` where the source service calls: S3 can't use such a key.
#[test]
fn the_principal_of_an_event_source_is_the_source() {
    let key = "arn:aws:kms:us-east-1:111122223333:key/1";
    let context = std::collections::BTreeMap::from([("aws:sourceaccount".to_owned(), vec!["111122223333".to_owned()])]);
    let s3 = Principal::Service("s3.amazonaws.com".to_owned());
    for (named, expected) in [("sqs.amazonaws.com", Answer::No), ("s3.amazonaws.com", Answer::Yes)] {
        let statement =
            json!({"Effect": "Allow", "Principal": {"Service": named}, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*"});
        for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
            let request = Request { principal: &s3, action, resource: key, context: &context, context_is_complete: false };
            assert_eq!(access(&holding(json!([statement])), "111122223333", &request).answer, expected);
        }
    }
}
