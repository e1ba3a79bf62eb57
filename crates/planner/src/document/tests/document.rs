use serde_json::{Value, json};

use super::super::{Document, Effect, PrincipalPattern, Selector};
use super::{holding, parse};

#[test]
fn text_comes_back_in_its_order() {
    for text in [
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"z","Effect":"Allow","Zebra":{"b":1,"a":[]},"Principal":"*"}],"Id":"x","Extra":null}"#,
        r#"{"Statement":{"Effect":"Deny","Condition":{"Bool":{"aws:SecureTransport":false}}},"Version":"2008-10-17"}"#,
        r#"{"Statement":[]}"#,
    ] {
        assert_eq!(Document::parse(text).unwrap().text(), text);
    }
    let spaced = "{ \"Statement\" : [\n ] }\n";
    assert_eq!(Document::parse(spaced).unwrap().text(), r#"{"Statement":[]}"#);
}

#[test]
fn text_holds_only_characters_that_kms_takes() {
    let document = parse(&json!({"Id": "tab\t é ÿ Ā 中 😀 \u{1}", "Statement": []}));
    assert_eq!(document.text(), "{\"Id\":\"tab\\t é ÿ \\u0100 \\u4e2d \\ud83d\\ude00 \\u0001\",\"Statement\":[]}");
    assert_eq!(Document::parse(&document.text()).unwrap(), document);
    assert_eq!(document.size(), document.text().len());
}

#[test]
fn what_is_not_a_document_is_refused() {
    for (text, reason) in [
        ("", "EOF"),
        ("[]", "not a JSON object"),
        ("null", "not a JSON object"),
        ("{}", "exactly one Statement"),
        (r#"{"Statement":[],"statement":[]}"#, "exactly one Statement"),
        (r#"{"Statement":"Allow"}"#, "neither an object nor a list"),
        (r#"{"Statement":[{},"x"]}"#, "neither an object nor a list"),
        (r#"{"Statement":[{"Effect":"Deny","Effect":"Allow"}]}"#, "the key `Effect` appears twice"),
    ] {
        let error = Document::parse(text).unwrap_err().to_string();
        assert!(error.starts_with("not an IAM document: ") && error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn a_view_reads_every_element() {
    let document = holding(json!([{
        "Sid": "Deliver", "Effect": "Allow",
        "Principal": {"Service": ["s3.amazonaws.com"], "AWS": ["111122223333", "arn:aws:iam::444455556666:role/x"],
            "Federated": "idp", "CanonicalUser": "79a5"},
        "NotAction": "sqs:Purge*", "Resource": ["a", "b"],
        "Condition": {"StringEquals": {"aws:SourceAccount": ["1", 2, true]}, "Bool": {"aws:SecureTransport": false}},
    }]));
    let view = document.statements().next().unwrap();
    assert_eq!((view.sid, view.effect), (Some("Deliver"), Some(Effect::Allow)));
    assert_eq!(
        view.principals.members(),
        [
            PrincipalPattern::Service("s3.amazonaws.com"),
            PrincipalPattern::Account("111122223333"),
            PrincipalPattern::Aws("arn:aws:iam::444455556666:role/x"),
            PrincipalPattern::Federated("idp"),
            PrincipalPattern::CanonicalUser("79a5"),
        ]
    );
    assert_eq!(view.services().collect::<Vec<_>>(), ["s3.amazonaws.com"]);
    assert_eq!(view.actions, Selector::NotIn(vec!["sqs:Purge*"]));
    assert_eq!(view.resources, Selector::In(vec!["a", "b"]));
    let lines: Vec<_> = view.conditions.iter().map(|line| (line.operator, line.key, line.values.join(","))).collect();
    assert_eq!(lines, [("StringEquals", "aws:SourceAccount", "1,2,true".into()), ("Bool", "aws:SecureTransport", "false".into())]);
    assert!(view.unread.is_empty());
    assert_eq!(view.name(0), "statement `Deliver`");
}

#[test]
fn a_view_keeps_what_it_cannot_read() {
    let document =
        holding(json!({"Sid": 1, "Effect": "Perhaps", "Principal": {"AWS": 5}, "Action": "a", "NotAction": "b", "Condition": []}));
    let view = document.statements().next().unwrap();
    let unread: Vec<&str> = view.unread.iter().map(|(name, _)| *name).collect();
    assert_eq!(unread, ["Sid", "Effect", "Principal", "NotAction", "Condition"]);
    assert_eq!(view.name(0), "statement 1");
}

fn equivalent(a: Value, b: Value) -> bool {
    let (a, b) = (parse(&a), parse(&b));
    assert_eq!(a.equivalent(&b), b.equivalent(&a));
    assert!(a.equivalent(&a) && b.equivalent(&b));
    a.equivalent(&b)
}

#[test]
fn documents_of_one_meaning_are_equivalent() {
    let base = || {
        json!({"Version": "2012-10-17", "Id": "policy", "Statement": [
            {"Sid": "A", "Effect": "Deny", "Principal": "*", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
             "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Sid": "B", "Effect": "Allow", "Principal": {"AWS": ["111122223333"]}, "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*",
             "Condition": {"NumericLessThan": {"x:y": "5"}, "StringEquals": {"a:b": ["c", "d"]}}},
        ]})
    };
    let other_form = json!({"statement": [
        {"Resource": ["*"], "Effect": "Allow", "Principal": {"aws": "arn:aws:iam::111122223333:root"}, "Action": ["S3:putobject", "s3:GetObject"],
         "Condition": {"stringequals": {"A:B": ["d", "c", "d"]}, "NumericLessThan": {"x:y": [5]}}, "Sid": "B"},
        {"sid": "A", "effect": "Deny", "principal": {"AWS": "*"}, "action": "s3:*", "resource": ["arn:aws:s3:::b/*", "arn:aws:s3:::b"],
         "condition": {"Bool": {"aws:SecureTransport": [false]}}},
    ], "version": "2012-10-17", "ID": "policy"});
    assert!(equivalent(base(), other_form));
    let object = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}});
    let list =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": {"AWS": ["*"]}, "Action": "*", "Resource": "*"}]});
    assert!(equivalent(object, list));
    assert!(equivalent(json!({"Statement": []}), json!({"Version": "2008-10-17", "Statement": []})));
}

#[test]
fn documents_of_another_meaning_are_not() {
    let base = || {
        json!({"Version": "2012-10-17", "Id": "policy", "Statement": [
            {"Sid": "A", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
             "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-a"}}},
        ]})
    };
    let edits: [(&str, Value); 14] = [
        ("/Version", json!("2008-10-17")),
        ("/Id", json!("Policy")),
        ("/Statement/0/Sid", json!("B")),
        ("/Statement/0/Effect", json!("Deny")),
        ("/Statement/0/Principal", json!({"AWS": "444455556666"})),
        ("/Statement/0/Principal", json!({"Service": "111122223333"})),
        ("/Statement/0/Principal", json!({"AWS": "arn:aws:iam::111122223333:role/x"})),
        ("/Statement/0/Action", json!(["s3:GetObject", "s3:PutObject"])),
        ("/Statement/0/Resource", json!("arn:aws:s3:::B/*")),
        ("/Statement/0/Condition", json!({})),
        ("/Statement/0/Condition", json!({"StringNotEquals": {"aws:SourceVpce": "vpce-a"}})),
        ("/Statement/0/Condition", json!({"StringEquals": {"aws:SourceVpc": "vpce-a"}})),
        ("/Statement/0/Condition", json!({"StringEquals": {"aws:SourceVpce": "VPCE-A"}})),
        ("/Statement/0/Condition", json!({"StringEquals": {"aws:SourceVpce": ["vpce-a", "vpce-b"]}})),
    ];
    for (pointer, value) in edits {
        let mut changed = base();
        *changed.pointer_mut(pointer).unwrap() = value.clone();
        assert!(!equivalent(base(), changed), "{pointer} {value}");
    }
    let mut negated = base();
    let statement = negated["Statement"][0].as_object_mut().unwrap();
    let action = statement.remove("Action").unwrap();
    statement.insert("NotAction".into(), action);
    assert!(!equivalent(base(), negated));
    let mut twice = base();
    let copy = twice["Statement"][0].clone();
    twice["Statement"].as_array_mut().unwrap().push(copy);
    assert!(!equivalent(base(), twice));
    let mut extra = base();
    extra["Statement"][0]["Comment"] = json!("x");
    assert!(!equivalent(base(), extra));
}
