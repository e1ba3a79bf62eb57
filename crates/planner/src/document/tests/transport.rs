use serde_json::{Map, Value, json};

use super::super::transport::{Protected, denies_tls_below, transport};
use super::super::{Answer, Document, deny_old_tls, deny_plain_http};
use super::{bucket, holding, parse, queue, topic};
use crate::policy::model::TlsVersion;

/// AWS's own statement, with some elements changed (`null` takes one out).
fn deny(changes: Value) -> Value {
    let mut statement = json!({
        "Sid": "AllowSSLRequestsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::ledger", "arn:aws:s3:::ledger/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    });
    let elements: &mut Map<String, Value> = statement.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            elements.remove(name)
        } else {
            elements.insert(name.clone(), value.clone())
        };
    }
    statement
}

fn verdict(statements: Value) -> Answer {
    transport(Some(&holding(statements)), Protected::Bucket(&bucket())).denies_plain_http
}

fn condition(block: Value) -> Value {
    json!({"Condition": block})
}

#[test]
fn accepts_every_form_that_denies_plain_http() {
    let accepted = [
        json!({}),
        json!({"Principal": {"AWS": "*"}}),
        json!({"Principal": {"AWS": ["*"]}}),
        json!({"Principal": {"AWS": ["arn:aws:iam::111122223333:root", "*"]}}),
        json!({"Principal": {"Service": "s3.amazonaws.com", "AWS": "*"}}),
        json!({"Action": ["s3:*"]}),
        json!({"Action": "*"}),
        json!({"Action": "S3:*"}),
        json!({"Action": "s3:**"}),
        json!({"Action": "s?:*"}),
        json!({"Action": ["s3:GetObject", "s3:*"]}),
        json!({"Action": null, "NotAction": []}),
        json!({"Action": null, "NotAction": "sqs:*"}),
        json!({"Resource": "*"}),
        json!({"Resource": ["*"]}),
        json!({"Resource": "arn:aws:s3:::*"}),
        json!({"Resource": "arn:aws:s3:::ledger*"}),
        json!({"Resource": ["arn:aws:s3:::ledger/*", "arn:aws:s3:::ledger", "arn:aws:s3:::other"]}),
        json!({"Resource": ["arn:aws:s3:::led*", "arn:aws:s3:::ledger/?*"]}),
        json!({"Resource": ["arn:*:s3:::ledger", "arn:*:s3:::ledger/*"]}),
        json!({"Resource": null, "NotResource": "arn:aws:s3:::other"}),
        json!({"Resource": null, "NotResource": ["arn:aws:s3:::other", "arn:aws:s3:::other/*"]}),
        json!({"Condition": null}),
        condition(json!({"Bool": {"aws:SecureTransport": false}})),
        condition(json!({"Bool": {"aws:SecureTransport": ["false"]}})),
        condition(json!({"Bool": {"aws:SecureTransport": [false]}})),
        condition(json!({"Bool": {"aws:SecureTransport": "False"}})),
        condition(json!({"Bool": {"AWS:SECURETRANSPORT": "false"}})),
        condition(json!({"bool": {"aws:securetransport": "false"}})),
        condition(json!({"BoolIfExists": {"aws:SecureTransport": "false"}})),
        condition(json!({"StringEquals": {"aws:SecureTransport": "false"}})),
        condition(json!({"StringEqualsIfExists": {"aws:SecureTransport": "false"}})),
        condition(json!({"StringEqualsIgnoreCase": {"aws:SecureTransport": "FALSE"}})),
        condition(json!({"StringNotEquals": {"aws:SecureTransport": "true"}})),
        condition(json!({"StringLike": {"aws:SecureTransport": "fals?"}})),
        condition(json!({"ForAnyValue:Bool": {"aws:SecureTransport": "false"}})),
        condition(json!({"ForAllValues:Bool": {"aws:SecureTransport": "false"}})),
        condition(json!({"Null": {"aws:SecureTransport": "false"}})),
        condition(json!({"Bool": {"aws:SecureTransport": ["true", "false"]}})),
        condition(json!({"Bool": {"aws:SecureTransport": "false"}, "Null": {"aws:SecureTransport": "false"}})),
        condition(json!({"Bool": {"aws:SecureTransport": "false"}, "StringLikeIfExists": {"aws:PrincipalOrgID": "*"}})),
        condition(json!({})),
    ];
    for changes in accepted {
        assert_eq!(verdict(json!([deny(changes.clone())])), Answer::Yes, "list, {changes}");
        assert_eq!(verdict(deny(changes.clone())), Answer::Yes, "object, {changes}");
    }
}

#[test]
fn element_names_in_any_case_count() {
    let document = r#"{"version":"2012-10-17","statement":{"effect":"Deny","principal":{"aws":"*"},"ACTION":"s3:*",
        "resource":"*","condition":{"BOOL":{"aws:securetransport":"false"}}}}"#;
    let verdict = transport(Some(&Document::parse(document).unwrap()), Protected::Bucket(&bucket()));
    assert_eq!(verdict.denies_plain_http, Answer::Yes);
}

#[test]
fn rejects_what_lets_some_plain_http_through() {
    use Answer::{CannotTell, No};
    let rejected = [
        (json!({"Effect": "Allow", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}), No),
        (json!({"Effect": "Allow"}), No),
        (json!({"Effect": "deny"}), CannotTell),
        (json!({"Effect": null}), CannotTell),
        (json!({"Principal": {"AWS": "111122223333"}}), No),
        (json!({"Principal": {"Service": "s3.amazonaws.com"}}), No),
        (json!({"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}}), CannotTell),
        (json!({"Principal": null}), No),
        (json!({"Principal": null, "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/admin"}}), CannotTell),
        (json!({"Principal": null, "NotPrincipal": {"AWS": "*"}}), No),
        (json!({"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}}), CannotTell),
        (json!({"Action": "s3:GetObject"}), No),
        (json!({"Action": ["s3:Get*", "s3:Put*", "s3:List*", "s3:Delete*"]}), No),
        (json!({"Action": "sqs:*"}), No),
        (json!({"Action": null}), No),
        (json!({"Action": null, "NotAction": "s3:GetObject"}), CannotTell),
        (json!({"Action": null, "NotAction": "s3:*"}), No),
        (json!({"NotAction": "s3:GetObject"}), CannotTell),
        (json!({"Action": 7}), CannotTell),
        (json!({"Resource": "arn:aws:s3:::ledger"}), No),
        (json!({"Resource": "arn:aws:s3:::ledger/*"}), No),
        (json!({"Resource": ["arn:aws:s3:::ledger", "arn:aws:s3:::ledger/in/*"]}), No),
        (json!({"Resource": ["arn:aws:s3:::ledger", "arn:aws:s3:::ledger/*.csv"]}), No),
        (json!({"Resource": ["arn:aws:s3:::ledgers", "arn:aws:s3:::ledgers/*"]}), No),
        (json!({"Resource": ["arn:aws:s3:::Ledger", "arn:aws:s3:::Ledger/*"]}), No),
        (json!({"Resource": "arn:aws:*:::ledger*"}), CannotTell),
        (json!({"Resource": "arn:aws:s3:::${aws:PrincipalTag/bucket}*"}), CannotTell),
        (json!({"Resource": null}), No),
        (json!({"Resource": null, "NotResource": "arn:aws:s3:::ledger/public/*"}), CannotTell),
        (json!({"Resource": null, "NotResource": "arn:aws:s3:::ledger"}), No),
        (condition(json!({"Bool": {"aws:SecureTransport": "true"}})), No),
        (condition(json!({"Bool": {"aws:SecureTransport": "no"}})), CannotTell),
        (condition(json!({"Bool": {"aws:SecureTransport": []}})), CannotTell),
        (condition(json!({"Bool": {"aws:SecureTransport": null}})), CannotTell),
        (condition(json!({"Bool": {"aws:SecureTransport": {}}})), CannotTell),
        (condition(json!({"Bool": "false"})), CannotTell),
        (condition(json!({"Boolean": {"aws:SecureTransport": "false"}})), CannotTell),
        (condition(json!({"Bool": {"s3:SecureTransport": "false"}})), CannotTell),
        (condition(json!({"StringEquals": {"aws:SecureTransport": "False"}})), No),
        (condition(json!({"StringNotEquals": {"aws:SecureTransport": "false"}})), No),
        (condition(json!({"Null": {"aws:SecureTransport": "true"}})), No),
        (condition(json!({"NumericEquals": {"aws:SecureTransport": "0"}})), CannotTell),
        (condition(json!({"StringEquals": {"aws:SecureTransport": "${aws:username}"}})), CannotTell),
        (condition(json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}})), CannotTell),
        (condition(json!({"Bool": {"aws:SecureTransport": "false"}, "NumericLessThan": {"s3:TlsVersion": "1.2"}})), CannotTell),
        (condition(json!({"Bool": {"aws:SecureTransport": "false", "aws:PrincipalIsAWSService": "false"}})), CannotTell),
        (condition(json!({"Bool": {"aws:SecureTransport": "false", "aws:PrincipalIsAWSService": "true"}})), No),
        (condition(json!({"Bool": {"aws:SecureTransport": "false"}, "StringNotEquals": {"aws:SourceVpce": "vpce-1"}})), CannotTell),
        (condition(json!({"Bool": {"aws:SecureTransport": "false"}, "StringLike": {"aws:PrincipalOrgID": "*"}})), CannotTell),
        (condition(json!({"Bool": {"aws:SecureTransport": "false"}, "IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})), CannotTell),
        (json!({"Purpose": "an element that IAM does not have"}), CannotTell),
    ];
    for (changes, expected) in rejected {
        let document = holding(json!([deny(changes.clone())]));
        let verdict = transport(Some(&document), Protected::Bucket(&bucket()));
        assert_eq!(verdict.denies_plain_http, expected, "{changes}");
        assert!(!verdict.gap.is_empty(), "{changes}");
        assert!(!verdict.form_checkers_agree, "{changes}");
    }
}

#[test]
fn several_statements_cover_together() {
    let bucket_only = || deny(json!({"Sid": "A", "Resource": "arn:aws:s3:::ledger"}));
    let objects_only = || deny(json!({"Sid": "B", "Resource": "arn:aws:s3:::ledger/*"}));
    assert_eq!(verdict(json!([bucket_only(), objects_only()])), Answer::Yes);
    assert_eq!(verdict(json!([bucket_only(), bucket_only()])), Answer::No);
    let all_but_reads = deny(json!({"Action": null, "NotAction": ["s3:Get*"]}));
    let reads = deny(json!({"Action": "s3:Get*"}));
    let some_reads = deny(json!({"Action": "s3:GetObject*"}));
    let all_but_writes = deny(json!({"Action": null, "NotAction": ["s3:Put*"]}));
    let all_but_get_acl = deny(json!({"Action": null, "NotAction": ["s3:Get*Acl"]}));
    assert_eq!(verdict(json!([all_but_reads, reads])), Answer::Yes);
    assert_eq!(verdict(json!([all_but_reads, some_reads])), Answer::CannotTell);
    assert_eq!(verdict(json!([all_but_reads, all_but_writes])), Answer::Yes);
    assert_eq!(verdict(json!([all_but_reads, all_but_get_acl])), Answer::CannotTell);
    let reads_of_bucket = deny(json!({"Action": "s3:Get*", "Resource": "arn:aws:s3:::ledger"}));
    assert_eq!(verdict(json!([all_but_reads, reads_of_bucket])), Answer::CannotTell);
    // Each for half of the callers: unproven, although together they are all.
    let in_org = deny(condition(json!({"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:PrincipalOrgID": "o-1"}})));
    let not_in_org = deny(condition(json!({"Bool": {"aws:SecureTransport": "false"}, "StringNotEquals": {"aws:PrincipalOrgID": "o-1"}})));
    assert_eq!(verdict(json!([in_org, not_in_org])), Answer::CannotTell);
}

#[test]
fn an_allow_beside_the_deny_changes_nothing() {
    let allow = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::ledger/*"});
    assert_eq!(verdict(json!([allow, deny(json!({}))])), Answer::Yes);
}

#[test]
fn queues_want_every_action_and_topics_publishing() {
    let one = |action: &str, resource: &str| {
        holding(json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}))
    };
    let queue_arn = queue();
    let topic_arn = topic();
    for (action, resource, expected) in [
        ("sqs:*", queue_arn.as_str(), Answer::Yes),
        ("SQS:*", queue_arn.as_str(), Answer::Yes),
        ("*", "*", Answer::Yes),
        ("sqs:*", "arn:aws:sqs:*:*:orders", Answer::Yes),
        ("sqs:*", "arn:aws:sqs:*", Answer::Yes),
        ("sqs:SendMessage", queue_arn.as_str(), Answer::No),
        ("sqs:*", "arn:aws:sqs:us-east-1:111122223333:orders-dlq", Answer::No),
        ("sqs:*", "arn:aws:sqs:*:orders", Answer::CannotTell),
    ] {
        let verdict = transport(Some(&one(action, resource)), Protected::Queue(&queue_arn));
        assert_eq!(verdict.denies_plain_http, expected, "{action} {resource}");
    }
    for (action, expected) in [
        ("sns:Publish", Answer::Yes),
        ("SNS:Publish", Answer::Yes),
        ("sns:Pub*", Answer::Yes),
        ("sns:Subscribe", Answer::No),
        ("sqs:*", Answer::No),
    ] {
        let verdict = transport(Some(&one(action, topic_arn.as_str())), Protected::Topic(&topic_arn));
        assert_eq!(verdict.denies_plain_http, expected, "{action}");
    }
}

#[test]
fn lock_outs_are_seen() {
    let locks = |statements: Value| transport(Some(&holding(statements)), Protected::Bucket(&bucket())).locks_out_https;
    assert_eq!(locks(json!([deny(json!({}))])), Answer::No);
    assert_eq!(locks(json!([deny(json!({"Condition": null}))])), Answer::Yes);
    assert_eq!(locks(json!([deny(condition(json!({"Bool": {"aws:SecureTransport": "true"}})))])), Answer::Yes);
    assert_eq!(locks(json!([deny(condition(json!({"Bool": {"aws:SecureTransport": ["true", "false"]}})))])), Answer::Yes);
    assert_eq!(locks(json!([deny(condition(json!({"Null": {"aws:SecureTransport": "false"}})))])), Answer::Yes);
    assert_eq!(locks(json!([deny(json!({"Condition": null, "Resource": "arn:aws:s3:::ledger/*"}))])), Answer::Yes);
    assert_eq!(locks(json!([deny(json!({"Condition": null, "Action": "s3:DeleteBucket"}))])), Answer::No);
    assert_eq!(locks(json!([deny(condition(json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}})))])), Answer::No);
    assert_eq!(locks(json!([deny(condition(json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}})))])), Answer::CannotTell);
    assert_eq!(locks(json!([])), Answer::No);
}

#[test]
fn form_checkers_want_aws_s_own_form() {
    let agrees = |statements: Value| transport(Some(&holding(statements)), Protected::Bucket(&bucket())).form_checkers_agree;
    for changes in [json!({}), json!({"Principal": {"AWS": "*"}}), json!({"Action": ["s3:*"]}), json!({"Sid": null})] {
        assert!(agrees(json!([deny(changes.clone())])), "{changes}");
    }
    for changes in [
        condition(json!({"Bool": {"aws:SecureTransport": false}})),
        condition(json!({"Bool": {"aws:SecureTransport": ["false"]}})),
        condition(json!({"BoolIfExists": {"aws:SecureTransport": "false"}})),
        condition(json!({"Bool": {"aws:SecureTransport": "false", "aws:PrincipalIsAWSService": "false"}})),
        condition(json!({"Bool": {"aws:securetransport": "false"}})),
        json!({"Resource": "*"}),
        json!({"Resource": "arn:aws:s3:::ledger/*"}),
        json!({"Action": "*"}),
        json!({"Principal": {"AWS": ["*"]}}),
        json!({"Condition": null}),
    ] {
        assert!(!agrees(json!([deny(changes.clone())])), "{changes}");
    }
    // AWS Config can't evaluate a value with more than five policy variables.
    let variables =
        |count| deny(json!({"Sid": "B", "Effect": "Allow", "Resource": format!("arn:aws:s3:::ledger/{}", "${aws:userid}".repeat(count))}));
    assert!(agrees(json!([deny(json!({})), variables(5)])));
    assert!(!agrees(json!([deny(json!({})), variables(6)])));
}

#[test]
fn our_own_statement_satisfies_every_verdict() {
    let (bucket, queue, topic) = (bucket(), queue(), topic());
    for protected in [Protected::Bucket(&bucket), Protected::Queue(&queue), Protected::Topic(&topic)] {
        let document = super::super::merge(None, &[deny_plain_http(protected)], Some("id"));
        let verdict = transport(Some(&document), protected);
        assert_eq!(verdict.denies_plain_http, Answer::Yes);
        assert_eq!(verdict.locks_out_https, Answer::No);
        assert!(verdict.form_checkers_agree);
        assert_eq!(verdict.gap, "");
    }
    let document = super::super::merge(None, &[deny_old_tls(&bucket, TlsVersion::V1_3)], None);
    assert_eq!(denies_tls_below(Some(&document), &bucket, TlsVersion::V1_3), Answer::Yes);
    assert_eq!(transport(Some(&document), Protected::Bucket(&bucket)).locks_out_https, Answer::No);
}

#[test]
fn gaps_say_what_to_do() {
    let gap = |document: Option<Document>| transport(document.as_ref(), Protected::Bucket(&bucket())).gap;
    let of = |changes: Value| gap(Some(holding(json!([deny(changes)]))));
    let prefix = "plain HTTP is not denied to everybody for the bucket itself and the objects in it: ";
    assert_eq!(gap(None), "the bucket has no policy, so nothing denies plain HTTP");
    assert_eq!(gap(Some(holding(json!([])))), format!("{prefix}no statement denies requests with aws:SecureTransport \"false\""));
    assert_eq!(
        of(json!({"Resource": "arn:aws:s3:::ledger"})),
        "plain HTTP is not denied to everybody for the objects in it: statement `AllowSSLRequestsOnly` does not cover the objects in it"
    );
    assert_eq!(of(json!({"Sid": null, "Principal": {"AWS": "111122223333"}})), format!("{prefix}statement 1 is not for every principal"));
    assert_eq!(of(json!({"Action": "s3:GetObject"})), format!("{prefix}statement `AllowSSLRequestsOnly` covers only s3:GetObject"));
    assert_eq!(of(json!({"Action": null, "NotAction": "s3:Get*"})), format!("{prefix}statement `AllowSSLRequestsOnly` spares s3:Get*"));
    assert_eq!(
        of(condition(json!({"Bool": {"aws:SecureTransport": "false", "aws:PrincipalIsAWSService": "false"}}))),
        format!(
            "{prefix}statement `AllowSSLRequestsOnly` also requires `Bool aws:PrincipalIsAWSService`, so it misses requests that don't meet that"
        )
    );
    assert_eq!(
        of(json!({"Effect": "Allow", "Condition": {"Bool": {"aws:SecureTransport": "true"}}})),
        format!("{prefix}statement `AllowSSLRequestsOnly` only allows HTTPS; a Deny is needed, because other permissions still allow HTTP")
    );
    assert_eq!(of(json!({"Purpose": 1})), format!("{prefix}statement `AllowSSLRequestsOnly` has an element `Purpose` that can't be read"));
}

#[test]
fn old_tls_is_compared_as_numbers() {
    use Answer::{CannotTell, No, Yes};
    let judge = |block: Value, version| denies_tls_below(Some(&holding(json!([deny(condition(block))]))), &bucket(), version);
    for (block, at_least_1_2, at_least_1_3) in [
        (json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}), Yes, No),
        (json!({"NumericLessThan": {"s3:TlsVersion": 1.2}}), Yes, No),
        (json!({"NumericLessThan": {"s3:TlsVersion": ["1.2"]}}), Yes, No),
        (json!({"NumericLessThan": {"S3:tlsversion": "1.20"}}), Yes, No),
        (json!({"NumericLessThan": {"s3:TlsVersion": "1.3"}}), Yes, Yes),
        (json!({"NumericLessThan": {"s3:TlsVersion": "2"}}), Yes, Yes),
        (json!({"NumericLessThanEquals": {"s3:TlsVersion": "1.1"}}), Yes, No),
        (json!({"NumericLessThanIfExists": {"s3:TlsVersion": "1.2"}}), Yes, No),
        (json!({"NumericLessThan": {"s3:TlsVersion": "1.1"}}), No, No),
        (json!({"NumericLessThan": {"s3:TlsVersion": "TLSv1.2"}}), CannotTell, CannotTell),
        (json!({"StringNotEquals": {"s3:TlsVersion": ["1.2", "1.3"]}}), CannotTell, CannotTell),
        (json!({"NumericGreaterThan": {"s3:TlsVersion": "1.2"}}), No, No),
        // In one block with plain HTTP it never fires.
        (json!({"Bool": {"aws:SecureTransport": "false"}, "NumericLessThan": {"s3:TlsVersion": "1.2"}}), No, No),
        (json!({"Bool": {"aws:SecureTransport": "true"}, "NumericLessThan": {"s3:TlsVersion": "1.2"}}), Yes, No),
        (json!({"Bool": {"aws:SecureTransport": "false"}}), No, No),
        (json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}, "StringEquals": {"aws:SourceVpce": "vpce-1"}}), CannotTell, No),
        (json!({}), Yes, Yes),
    ] {
        assert_eq!(judge(block.clone(), TlsVersion::V1_2), at_least_1_2, "1.2 {block}");
        assert_eq!(judge(block.clone(), TlsVersion::V1_3), at_least_1_3, "1.3 {block}");
    }
    assert_eq!(denies_tls_below(None, &bucket(), TlsVersion::V1_2), No);
    let objects = deny(json!({"Resource": "arn:aws:s3:::ledger/*", "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}}));
    assert_eq!(denies_tls_below(Some(&holding(objects)), &bucket(), TlsVersion::V1_2), No);
}

#[test]
fn variables_are_text_in_the_old_language() {
    let resource = json!({"Resource": ["arn:aws:s3:::ledger", "arn:aws:s3:::ledger/*", "arn:aws:s3:::${aws:username}"]});
    let old = parse(&json!({"Version": "2008-10-17", "Statement": [deny(json!({"Resource": "arn:aws:s3:::*${aws:username}"}))]}));
    assert_eq!(transport(Some(&old), Protected::Bucket(&bucket())).denies_plain_http, Answer::No);
    assert_eq!(verdict(json!([deny(resource)])), Answer::Yes);
}

#[test]
fn other_partitions_and_hostile_names_are_no_trouble() {
    let china = crate::Arn::parse("arn:aws-cn:s3:::ledger").unwrap();
    let document = holding(json!([deny(json!({"Resource": ["arn:aws-cn:s3:::ledger", "arn:aws-cn:s3:::ledger/*"]}))]));
    assert_eq!(transport(Some(&document), Protected::Bucket(&china)).denies_plain_http, Answer::Yes);
    assert_eq!(transport(Some(&document), Protected::Bucket(&bucket())).denies_plain_http, Answer::No);
    let stars = "*".repeat(2_000);
    assert_eq!(verdict(json!([deny(json!({"Resource": format!("{stars}x"), "Action": format!("{stars}y")}))])), Answer::No);
}
