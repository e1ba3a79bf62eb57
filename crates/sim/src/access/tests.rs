//! The judge, case by case. Each expectation is a sentence of the IAM user guide.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::{Access, Caller, Document, Identity, RequestContext};

const ACCOUNT: &str = "111122223333";
const OTHER: &str = "444455556666";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:orders";
const ROLE: &str = "arn:aws:iam::111122223333:role/ingest";

fn document(statements: &[Value]) -> Document {
    Document::parse(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string()).unwrap()
}

fn role() -> Caller {
    Caller::role(ROLE, "batch").unwrap()
}

fn ask(caller: &Caller, context: &[(&str, &[&str])], decide: impl Fn(&Access<'_>) -> bool) -> bool {
    let context: RequestContext =
        context.iter().map(|(key, values)| ((*key).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())).collect();
    decide(&Access { caller, action: "sqs:SendMessage", resource: QUEUE, owner: ACCOUNT, context: &context })
}

/// Does a queue's document alone let the caller send?
fn lets(caller: &Caller, statements: &[Value], context: &[(&str, &[&str])]) -> bool {
    let document = document(statements);
    ask(caller, context, |access| access.decide(Some(&document), Identity::default()).is_ok())
}

fn statement(effect: &str, principal: &Value) -> Value {
    json!({ "Effect": effect, "Principal": principal, "Action": "sqs:SendMessage", "Resource": QUEUE })
}

#[test]
fn principals_of_an_allow() {
    let user = Caller::User { account: ACCOUNT.to_owned(), arn: format!("arn:aws:iam::{ACCOUNT}:user/ann") };
    let service = Caller::service("s3.amazonaws.com", "arn:aws:s3:::b", ACCOUNT);
    let root = Caller::Root { account: ACCOUNT.to_owned() };
    for (principal, of_role, of_user, of_service, of_anonymous) in [
        (json!("*"), true, true, true, true),
        (json!({ "AWS": "*" }), true, true, true, true),
        (json!({ "AWS": ROLE }), true, false, false, false),
        (json!({ "AWS": [format!("arn:aws:iam::{ACCOUNT}:user/ann"), ROLE] }), true, true, false, false),
        (json!({ "AWS": format!("arn:aws:sts::{ACCOUNT}:assumed-role/ingest/batch") }), true, false, false, false),
        (json!({ "AWS": format!("arn:aws:sts::{ACCOUNT}:assumed-role/ingest/other") }), false, false, false, false),
        // The account's IAM policies decide then, and here there are none.
        (json!({ "AWS": ACCOUNT }), false, false, false, false),
        (json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }), false, false, false, false),
        (json!({ "Service": "s3.amazonaws.com" }), false, false, true, false),
        (json!({ "Service": "sns.amazonaws.com" }), false, false, false, false),
        (json!({ "Federated": "cognito-identity.amazonaws.com" }), false, false, false, false),
        (json!("arn:aws:iam::111122223333:role/ingest"), false, false, false, false),
    ] {
        for (caller, expected) in [(&role(), of_role), (&user, of_user), (&service, of_service), (&Caller::Anonymous, of_anonymous)] {
            assert_eq!(lets(caller, &[statement("Allow", &principal)], &[]), expected, "{principal} {caller:?}");
        }
        assert!(lets(&root, &[statement("Allow", &principal)], &[]), "the root user may everything in its account");
    }
}

#[test]
fn a_deny_for_an_account_is_for_everybody_in_it() {
    let everybody = statement("Allow", &json!("*"));
    for (principal, denied) in [
        (json!({ "AWS": ACCOUNT }), true),
        (json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:root") }), true),
        (json!({ "AWS": OTHER }), false),
        (json!({ "AWS": ROLE }), true),
        (json!({ "Service": "s3.amazonaws.com" }), false),
    ] {
        assert_eq!(!lets(&role(), &[everybody.clone(), statement("Deny", &principal)], &[]), denied, "{principal}");
    }
}

/// "You must also specify the account ARN of the not-denied principal."
#[test]
fn not_principal_spares_only_with_the_account() {
    let everybody = statement("Allow", &json!("*"));
    let but = |principals: Value| json!({ "Effect": "Deny", "NotPrincipal": principals, "Action": "sqs:*", "Resource": "*" });
    let account = format!("arn:aws:iam::{ACCOUNT}:root");
    for (principals, spared) in [
        (json!({ "AWS": [ROLE, account] }), true),
        (json!({ "AWS": ROLE }), false),
        (json!({ "AWS": account }), false),
        (json!({ "AWS": "*" }), true),
        (json!({ "Service": "s3.amazonaws.com" }), false),
    ] {
        assert_eq!(lets(&role(), &[everybody.clone(), but(principals.clone())], &[]), spared, "{principals}");
    }
    let service = Caller::service("s3.amazonaws.com", "arn:aws:s3:::b", ACCOUNT);
    assert!(lets(&service, &[everybody, but(json!({ "Service": "s3.amazonaws.com" }))], &[]));
}

/// [Condition operators; Set operators]: operator, wanted, what the request carries, whether it holds.
#[test]
fn conditions() {
    let table: &[(&str, Value, Option<&[&str]>, bool)] = &[
        ("StringEquals", json!("a"), Some(&["a"]), true),
        ("StringEquals", json!("a"), Some(&["A"]), false),
        ("StringEquals", json!(["a", "b"]), Some(&["b"]), true),
        ("StringEquals", json!("a*"), Some(&["ab"]), false),
        ("StringEquals", json!("a"), None, false),
        ("StringEqualsIfExists", json!("a"), None, true),
        ("StringEqualsIfExists", json!("a"), Some(&["b"]), false),
        ("StringNotEquals", json!("a"), None, true),
        ("StringNotEquals", json!(["a", "b"]), Some(&["b"]), false),
        ("StringNotEquals", json!(["a", "b"]), Some(&["c"]), true),
        ("StringEqualsIgnoreCase", json!("a"), Some(&["A"]), true),
        ("StringLike", json!("a?c*"), Some(&["abcd"]), true),
        ("StringLike", json!("a?c"), Some(&["ac"]), false),
        ("StringNotLike", json!("a*"), Some(&["ab"]), false),
        ("stringlike", json!("a*"), Some(&["ab"]), true),
        ("Bool", json!("true"), Some(&["true"]), true),
        ("Bool", json!(false), Some(&["false"]), true),
        ("Bool", json!("false"), None, false),
        ("BoolIfExists", json!("false"), None, true),
        ("Null", json!("true"), None, true),
        ("Null", json!("true"), Some(&["x"]), false),
        ("Null", json!("false"), Some(&["x"]), true),
        ("Null", json!(false), None, false),
        ("NumericLessThan", json!("1.2"), Some(&["1.1"]), true),
        ("NumericLessThan", json!(1.2), Some(&["1.2"]), false),
        ("NumericLessThanEquals", json!(1.2), Some(&["1.2"]), true),
        ("NumericGreaterThanEquals", json!("10"), Some(&["9"]), false),
        ("NumericLessThan", json!("1.2"), None, false),
        ("DateGreaterThan", json!("2020-04-01T00:00:00Z"), Some(&["2026-11-24T00:00:00Z"]), true),
        ("DateLessThan", json!("2020-06-01"), Some(&["2020-05-31T23:59:59Z"]), true),
        ("DateLessThanEquals", json!("2020-04-01T00:00:00Z"), Some(&["1585699200"]), true),
        ("IpAddress", json!("203.0.113.0/24"), Some(&["203.0.113.9"]), true),
        ("IpAddress", json!("203.0.113.0/24"), Some(&["203.0.114.9"]), false),
        ("NotIpAddress", json!(["203.0.113.0/24", "2001:db8::/32"]), Some(&["2001:db8::1"]), false),
        // Each of the six parts is matched by itself.
        ("ArnLike", json!("arn:aws:s3:::reports*"), Some(&["arn:aws:s3:::reports-2026"]), true),
        ("ArnLike", json!("arn:aws:sns:*:111122223333:*"), Some(&["arn:aws:sns:us-east-1:111122223333:t"]), true),
        ("ArnLike", json!("arn:aws:sns:*"), Some(&["arn:aws:sns:us-east-1:111122223333:t"]), false),
        ("ArnEquals", json!("arn:aws:sns:*:*:t"), Some(&["arn:aws:sns:us-east-1:111122223333:t"]), true),
        ("ArnNotLike", json!("arn:aws:s3:::reports*"), Some(&["arn:aws:s3:::other"]), true),
        ("ArnNotEquals", json!("arn:aws:s3:::reports"), None, true),
        ("ForAnyValue:StringEquals", json!(["a", "b"]), Some(&["x", "b"]), true),
        ("ForAnyValue:StringEquals", json!(["a", "b"]), Some(&["x", "y"]), false),
        ("ForAnyValue:StringEquals", json!("a"), None, false),
        ("ForAnyValue:StringNotEquals", json!("a"), None, false),
        ("ForAllValues:StringEquals", json!(["a", "b"]), Some(&["a", "b"]), true),
        ("ForAllValues:StringEquals", json!(["a", "b"]), Some(&["a", "x"]), false),
        ("ForAllValues:StringEquals", json!("a"), None, true),
        ("ForAllValues:StringLike", json!("a*"), Some(&["ab", "ac"]), true),
        ("StringNothing", json!("a"), Some(&["a"]), false),
    ];
    for (operator, wanted, carried, expected) in table {
        let mut allow = statement("Allow", &json!("*"));
        allow["Condition"] = json!({ *operator: { "Test:Key": wanted } });
        let context: Vec<(&str, &[&str])> = carried.map(|values| ("test:key", values)).into_iter().collect();
        assert_eq!(lets(&role(), &[allow], &context), *expected, "{operator} {wanted} {carried:?}");
    }
}

#[test]
fn operators_and_keys_are_joined_by_and() {
    let mut allow = statement("Allow", &json!("*"));
    allow["Condition"] = json!({ "StringEquals": { "k:a": "1", "k:b": "2" }, "Bool": { "k:c": "true" } });
    let all: &[(&str, &[&str])] = &[("k:a", &["1"]), ("k:b", &["2"]), ("k:c", &["true"])];
    assert!(lets(&role(), std::slice::from_ref(&allow), all));
    for left_out in 0..3 {
        let some: Vec<_> = all.iter().enumerate().filter(|(index, _)| *index != left_out).map(|(_, pair)| *pair).collect();
        assert!(!lets(&role(), std::slice::from_ref(&allow), &some), "{left_out}");
    }
}

#[test]
fn variables_stand_for_the_requests_values_in_new_documents_only() {
    let text = |version: &str| {
        let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "arn:aws:sqs:us-east-1:${aws:PrincipalAccount}:orders" });
        Document::parse(&json!({ "Version": version, "Statement": statement }).to_string()).unwrap()
    };
    for (version, allowed) in [("2012-10-17", true), ("2008-10-17", false)] {
        let document = text(version);
        let lets = ask(&role(), &[], |access| access.decide(Some(&document), Identity::default()).is_ok());
        assert_eq!(lets, allowed, "{version}");
    }
    let absent = json!({ "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": { "StringNotEquals": { "aws:PrincipalAccount": "${aws:Nothing}" } } });
    assert!(!lets(&role(), &[statement("Allow", &json!("*")), absent], &[]), "a variable without a value matches nothing");
}

/// [Policy evaluation logic]: in one account either side may allow, from another both must; a Deny on either side wins.
#[test]
fn the_documents_that_have_a_say() {
    let (yes, no) =
        (json!({ "Effect": "Allow", "Action": "sqs:*", "Resource": "*" }), json!({ "Effect": "Deny", "Action": "sqs:*", "Resource": "*" }));
    let foreign = Caller::role("arn:aws:iam::444455556666:role/ingest", "batch").unwrap();
    for (resource, own, same_account, cross_account) in [
        (None, None, false, false),
        (Some("Allow"), None, true, false),
        (None, Some(&yes), true, false),
        (Some("Allow"), Some(&yes), true, true),
        (Some("Deny"), Some(&yes), false, false),
        (Some("Allow"), Some(&no), false, false),
    ] {
        let statements: Vec<Value> = resource.map(|effect| statement(effect, &json!("*"))).into_iter().collect();
        let queue = document(&statements);
        let policies: Vec<Document> = own.map(|statement| document(std::slice::from_ref(statement))).into_iter().collect();
        for (caller, expected) in [(&role(), same_account), (&foreign, cross_account)] {
            let identity = Identity { policies: &policies, boundary: None };
            let decided = ask(caller, &[], |access| access.decide(Some(&queue), identity).is_ok());
            assert_eq!(decided, expected, "{resource:?} {own:?} {caller:?}");
        }
    }
}

/// [Permissions boundaries]: they limit identity policies and what a document gives to the role, not to its session.
#[test]
fn what_a_boundary_limits() {
    let policies = [document(&[json!({ "Effect": "Allow", "Action": "*", "Resource": "*" })])];
    let boundary = document(&[json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "*" })]);
    let identity = Identity { policies: &policies, boundary: Some(&boundary) };
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/ingest/batch");
    for (principal, allowed) in [(None, false), (Some(ROLE), false), (Some(session.as_str()), true), (Some("*"), true)] {
        let statements: Vec<Value> = principal.map(|name| statement("Allow", &json!({ "AWS": name }))).into_iter().collect();
        let queue = document(&statements);
        assert_eq!(ask(&role(), &[], |access| access.decide(Some(&queue), identity).is_ok()), allowed, "{principal:?}");
    }
}

#[test]
fn what_is_no_document() {
    for text in
        ["", "[]", "{}", r#"{"Statement":[1]}"#, r#"{"Statement":{"Effect":"allow","Action":"*"}}"#, r#"{"Statement":[{"Action":"*"}]}"#]
    {
        assert!(Document::parse(text).is_none(), "{text}");
    }
}
