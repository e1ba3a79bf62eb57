use serde_json::{Value, json};

use super::super::ours::{BUCKET_LIMIT, KEY_LIMIT, Refused, is_ours};
use super::super::transport::Protected;
use super::super::{Document, OwnStatement, check_key_text, check_size, deny_old_tls, deny_plain_http, merge, remove_ours};
use super::{bucket, holding, parse, queue, topic};
use crate::policy::model::TlsVersion;

fn foreign() -> Value {
    json!({"Sid": "Deliver", "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::ledger/*", "Condition": {"Bool": {"aws:SecureTransport": true}}, "Unknown": [1, null]})
}

fn ours() -> Value {
    json!({"Sid": "EversealDenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": ["arn:aws:s3:::ledger", "arn:aws:s3:::ledger/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
}

fn add(document: &Document) -> Document {
    merge(Some(document), &[deny_plain_http(Protected::Bucket(&bucket()))], None)
}

fn value(document: &Document) -> Value {
    serde_json::from_str(&document.text()).unwrap()
}

#[test]
fn our_statements_have_the_form_that_checkers_accept() {
    let (bucket, queue, topic) = (bucket(), queue(), topic());
    let body = |own: OwnStatement| Value::Object(own.body).to_string();
    assert_eq!(
        body(deny_plain_http(Protected::Bucket(&bucket))),
        r#"{"Sid":"EversealDenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::ledger","arn:aws:s3:::ledger/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#
    );
    assert_eq!(
        body(deny_plain_http(Protected::Queue(&queue))),
        r#"{"Sid":"EversealDenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:111122223333:orders","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#
    );
    assert_eq!(
        body(deny_plain_http(Protected::Topic(&topic))),
        r#"{"Sid":"EversealDenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"arn:aws:sns:us-east-1:111122223333:alarms","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#
    );
    assert_eq!(
        body(deny_old_tls(&bucket, TlsVersion::V1_3)),
        r#"{"Sid":"EversealDenyOldTls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::ledger","arn:aws:s3:::ledger/*"],"Condition":{"NumericLessThan":{"s3:TlsVersion":"1.3"}}}"#
    );
    assert_eq!(deny_old_tls(&bucket, TlsVersion::V1_2).body["Condition"], json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}));
}

#[test]
fn a_new_document_gets_version_and_id() {
    let own = [deny_plain_http(Protected::Bucket(&bucket()))];
    assert_eq!(value(&merge(None, &own, None)), json!({"Version": "2012-10-17", "Statement": [ours()]}));
    assert!(
        merge(None, &own, Some("everseal")).text().starts_with(r#"{"Version":"2012-10-17","Id":"everseal","Statement":[{"Sid":"Everseal"#)
    );
}

#[test]
fn merging_appends_and_touches_nothing_else() {
    let original = parse(&json!({"Version": "2008-10-17", "Statement": [foreign()], "Id": "theirs"}));
    let merged = merge(Some(&original), &[deny_plain_http(Protected::Bucket(&bucket()))], Some("ours"));
    assert_eq!(merged.text(), format!(r#"{{"Version":"2008-10-17","Statement":[{},{}],"Id":"theirs"}}"#, foreign(), ours()));
    assert!(!merged.equivalent(&original));
    assert_eq!(add(&merged).text(), merged.text());
    assert_eq!(remove_ours(&merged).unwrap().text(), original.text());
}

#[test]
fn a_single_statement_becomes_a_list_only_to_make_room() {
    let single = parse(&json!({"Version": "2012-10-17", "Statement": foreign()}));
    let merged = add(&single);
    assert_eq!(value(&merged)["Statement"], json!([foreign(), ours()]));
    assert!(remove_ours(&merged).unwrap().equivalent(&single));
    let own_single = parse(&json!({"Version": "2012-10-17", "Statement": ours()}));
    assert_eq!(add(&own_single).text(), own_single.text());
    let mut narrowed = ours();
    narrowed["Action"] = json!("s3:GetObject");
    let narrowed = parse(&json!({"Version": "2012-10-17", "Statement": narrowed}));
    assert_eq!(value(&add(&narrowed))["Statement"], ours());
    assert_eq!(merge(Some(&narrowed), &[], None).text(), narrowed.text());
    let old_case = Document::parse(&format!(r#"{{"statement":{}}}"#, foreign())).unwrap();
    assert_eq!(add(&old_case).text(), format!(r#"{{"statement":[{},{}]}}"#, foreign(), ours()));
}

#[test]
fn ours_is_replaced_in_its_place_and_left_alone_where_it_means_the_same() {
    let between = |middle: Value| holding(json!([foreign(), middle, {"Effect": "Allow"}]));
    for (element, changed) in [
        ("Action", json!(["s3:GetObject"])),
        ("Resource", json!("arn:aws:s3:::ledger")),
        ("Condition", json!({"Bool": {"aws:SecureTransport": "true"}})),
        ("Condition", json!({"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:SourceVpce": "vpce-1"}})),
    ] {
        let mut drifted = ours();
        drifted[element] = changed.clone();
        assert_eq!(add(&between(drifted)).text(), between(ours()).text(), "{element} {changed}");
    }
    for (element, same) in [
        ("Action", json!(["S3:*"])),
        ("Principal", json!({"AWS": ["*"]})),
        ("Resource", json!(["arn:aws:s3:::ledger/*", "arn:aws:s3:::ledger"])),
        ("Condition", json!({"Bool": {"aws:SecureTransport": false}})),
        ("Condition", json!({"bool": {"aws:securetransport": ["False"]}})),
    ] {
        let mut rewritten = ours();
        rewritten[element] = same;
        let document = between(rewritten);
        assert_eq!(add(&document).text(), document.text());
    }
}

#[test]
fn piled_up_copies_of_ours_become_one() {
    let mut numbered = ours();
    numbered["Sid"] = json!("EversealDenyInsecureTransportNumber2");
    let piled = holding(json!([ours(), foreign(), ours(), numbered, ours()]));
    assert_eq!(value(&add(&piled))["Statement"], json!([ours(), foreign()]));
    assert_eq!(value(&remove_ours(&piled).unwrap())["Statement"], json!([foreign()]));
}

#[test]
fn a_foreign_statement_with_our_sid_stays_and_ours_gets_a_number() {
    let theirs = json!({"Sid": "EversealDenyInsecureTransport", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::ledger/*"});
    let mut second = ours();
    second["Sid"] = json!("EversealDenyInsecureTransportNumber2");
    let original = holding(json!([theirs]));
    let merged = add(&original);
    assert_eq!(value(&merged)["Statement"], json!([theirs, second]));
    assert_eq!(add(&merged).text(), merged.text());
    assert_eq!(remove_ours(&merged).unwrap().text(), original.text());

    let mut theirs_too = theirs.clone();
    theirs_too["Sid"] = json!("EversealDenyInsecureTransportNumber2");
    let merged = add(&holding(json!([theirs, theirs_too])));
    assert_eq!(value(&merged)["Statement"][2]["Sid"], "EversealDenyInsecureTransportNumber3");

    // Once the foreign one is gone, ours keeps the Sid it has.
    let mut alone = second.clone();
    alone["Action"] = json!("s3:GetObject");
    assert_eq!(value(&add(&holding(json!([alone]))))["Statement"], json!([second]));
}

#[test]
fn higher_tls_is_never_lowered() {
    let bucket = bucket();
    let (low, high) = (deny_old_tls(&bucket, TlsVersion::V1_2), deny_old_tls(&bucket, TlsVersion::V1_3));
    let with_high = merge(None, std::slice::from_ref(&high), None);
    assert_eq!(merge(Some(&with_high), std::slice::from_ref(&low), None), with_high);
    let with_low = merge(None, &[low], None);
    assert_eq!(merge(Some(&with_low), &[high], None), with_high);
}

#[test]
fn grants_on_keys_are_ours_by_sid_and_shape() {
    let grant = |sid: &str, service: &str| {
        let elements = json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}});
        OwnStatement::new(sid, elements.as_object().unwrap().clone())
    };
    let root = json!({"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"});
    let (s3, sns) = (grant("EversealUse1", "s3.amazonaws.com"), grant("EversealUse12", "sns.amazonaws.com"));
    let original = holding(json!([root]));
    let merged = merge(Some(&original), &[s3.clone(), sns.clone()], None);
    assert_eq!(value(&merged)["Statement"], json!([root, s3.body, sns.body]));
    assert_eq!(merge(Some(&merged), &[sns.clone(), s3.clone()], None).text(), merged.text());
    let changed = merge(Some(&merged), &[grant("EversealUse1", "events.amazonaws.com")], None);
    assert_eq!(value(&changed)["Statement"][1]["Principal"], json!({"Service": "events.amazonaws.com"}));
    assert_eq!(value(&changed)["Statement"][2], Value::Object(sns.body));
    assert_eq!(remove_ours(&merged).unwrap().text(), original.text());
}

#[test]
fn a_numbered_grant_keeps_its_principals() {
    let grant = |sid: &str, role: &str| {
        let elements = json!({"Effect": "Allow", "Principal": {"AWS": role}, "Action": ["kms:Decrypt"], "Resource": "*"});
        OwnStatement::new(sid, elements.as_object().unwrap().clone())
    };
    let (x, x2) =
        (grant("EversealUse", "arn:aws:iam::111122223333:role/a"), grant("EversealUseNumber2", "arn:aws:iam::111122223333:role/b"));
    let body = |own: &OwnStatement| Value::Object(own.body.clone());
    // Alone, or beside ours.
    for present in [json!([body(&x2)]), json!([body(&x), body(&x2)])] {
        let merged = value(&merge(Some(&holding(present)), std::slice::from_ref(&x), None))["Statement"].clone();
        assert_eq!(merged.as_array().unwrap().len(), 2);
        assert!(merged.as_array().unwrap().contains(&body(&x2)));
        assert!(merged.as_array().unwrap().contains(&body(&x)));
    }
    // Where somebody else's statement has the plain Sid, the numbered one is ours to keep up to date.
    let theirs = json!({"Sid": "EversealUse", "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"});
    let merged = merge(Some(&holding(json!([theirs]))), std::slice::from_ref(&x), None);
    assert_eq!(merge(Some(&merged), std::slice::from_ref(&x), None).text(), merged.text());
    assert_eq!(merged.bodies().count(), 2);
}

#[test]
fn a_deny_of_ours_that_is_no_copy_stays() {
    let mut wider = ours();
    wider["Sid"] = json!("EversealDenyInsecureTransportNumber2");
    wider["Resource"] = json!("*");
    let document = holding(json!([ours(), wider]));
    assert_eq!(add(&document).text(), document.text());
}

#[test]
fn only_our_shapes_under_our_sid_are_ours() {
    let is = |statement: &Value| is_ours(&holding(statement.clone()).statements().next().unwrap());
    assert!(is(&ours()));
    for (element, foreign) in [
        ("Sid", json!("DenyInsecureTransport")),
        ("Sid", json!("everseal")),
        ("Effect", json!("Allow")),
        ("Effect", json!("deny")),
        ("Principal", json!({"AWS": "111122223333"})),
        ("Principal", json!({"AWS": ["*", "111122223333"]})),
        ("Condition", json!({})),
        ("Condition", json!({"Bool": {"aws:PrincipalIsAWSService": "false"}})),
        ("Comment", json!("kept by hand")),
        ("NotAction", json!("s3:GetObject")),
    ] {
        let mut statement = ours();
        statement[element] = foreign.clone();
        assert!(!is(&statement), "{element} {foreign}");
    }
    for element in ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"] {
        let mut statement = ours();
        statement.as_object_mut().unwrap().remove(element);
        assert!(!is(&statement), "{element}");
    }
}

#[test]
fn nothing_left_is_no_document() {
    let own = [deny_plain_http(Protected::Bucket(&bucket())), deny_old_tls(&bucket(), TlsVersion::V1_2)];
    assert_eq!(remove_ours(&merge(None, &own, None)), None);
    assert_eq!(remove_ours(&parse(&json!({"Statement": ours()}))), None);
    let empty = holding(json!([]));
    assert_eq!(remove_ours(&empty), Some(empty));
}

#[test]
fn limits_are_in_bytes_of_the_text_sent() {
    let base = holding(json!([foreign()]));
    let of_size = |size: usize| {
        let empty = parse(&json!({"Id": "", "Statement": []})).size();
        parse(&json!({"Id": "x".repeat(size - empty), "Statement": []}))
    };
    assert_eq!(check_size(&base, BUCKET_LIMIT), Ok(()));
    assert_eq!(check_size(&of_size(BUCKET_LIMIT), BUCKET_LIMIT), Ok(()));
    assert_eq!(check_size(&of_size(BUCKET_LIMIT + 1), BUCKET_LIMIT), Err(Refused::TooLong { bytes: 20_481, limit: 20_480 }));
    // Two bytes in UTF-8.
    let umlauts = parse(&json!({"Id": "é".repeat(10), "Statement": []}));
    assert_eq!(umlauts.size(), umlauts.text().chars().count() + 10);
}

#[test]
fn key_documents_hold_only_what_kms_takes() {
    assert_eq!(check_key_text("{\t\r\n \u{7f}\u{ff}}"), Ok(()));
    for (text, character) in [("\u{0}", 0), ("\u{b}", 0xb), ("\u{100}", 0x100), ("😀", 0x1F600)] {
        assert_eq!(check_key_text(text), Err(Refused::Character(character)));
    }
    assert_eq!(check_key_text(&"x".repeat(KEY_LIMIT + 1)), Err(Refused::TooLong { bytes: 32_769, limit: 32_768 }));
    assert_eq!(check_key_text("中").unwrap_err().to_string(), "the document holds the character U+4E2D, which a key document may not");
}

#[test]
fn a_hundred_runs_add_nothing() {
    // Cloud Custodian's documented DenyHttp example grew the policy by 186 bytes a run. [cloud-custodian#6145]
    let mut document = add(&holding(json!([foreign()])));
    let first = document.text();
    for _ in 0..100 {
        // S3 gives booleans and numbers back as strings.
        document = Document::parse(&document.text().replace(":true", ":\"true\"")).unwrap();
        document = add(&document);
    }
    assert_eq!(document.text(), first.replace(":true", ":\"true\""));
}
