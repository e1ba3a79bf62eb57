//! Documents and requests as people and AWS write them, with every freedom of form, and some that nobody should write.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::super::{Document, Principal};

pub(super) const PRINCIPALS: &[&str] = &[
    "arn:aws:iam::111122223333:role/ingest",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::444455556666:user/ann",
    "arn:aws:sts::111122223333:assumed-role/ingest/s",
];
pub(super) const SERVICES: &[&str] = &["s3.amazonaws.com", "sns.amazonaws.com", "logs.us-east-1.amazonaws.com"];
pub(super) const ACTIONS: &[&str] = &["s3:GetObject", "s3:PutObject", "s3:ListBucket", "sqs:SendMessage", "sns:Publish", "kms:Decrypt"];
pub(super) const RESOURCES: &[&str] =
    &["arn:aws:s3:::ledger", "arn:aws:s3:::ledger/in/a", "arn:aws:sqs:us-east-1:111122223333:orders", "arn:aws:s3:::other"];
/// Key (lower case) and the values that requests carry.
pub(super) const KEYS: &[(&str, &[&str])] = &[
    ("aws:securetransport", &["true", "false"]),
    ("aws:sourceaccount", &["111122223333", "444455556666"]),
    ("aws:sourcearn", &["arn:aws:s3:::ledger", "arn:aws:sns:us-east-1:111122223333:t"]),
    ("s3:tlsversion", &["1.1", "1.2", "1.3"]),
    ("aws:sourceip", &["203.0.113.9", "2001:db8::1"]),
    ("aws:currenttime", &["2020-04-01T00:00:00Z"]),
];

fn one_or_many(values: Vec<Value>, as_list: bool) -> Value {
    if values.len() == 1 && !as_list { values.into_iter().next().unwrap_or_default() } else { Value::Array(values) }
}

fn texts(pool: Vec<&'static str>) -> impl Strategy<Value = Value> {
    let most = pool.len().min(3);
    (subsequence(pool, 0..=most), any::<bool>())
        .prop_map(|(texts, as_list)| one_or_many(texts.into_iter().map(Value::from).collect(), as_list))
}

fn principal() -> impl Strategy<Value = Value> {
    let aws = [PRINCIPALS, &["*", "111122223333", "AROAEXAMPLE", "arn:aws:iam::111122223333:role/*"]].concat();
    let services = [SERVICES, &["*"]].concat();
    prop_oneof![
        3 => Just(json!("*")),
        2 => texts(aws.clone()).prop_map(|names| json!({"AWS": names})),
        1 => texts(services.clone()).prop_map(|names| json!({"Service": names})),
        1 => (texts(aws), texts(services)).prop_map(|(aws, services)| json!({"Service": services, "aws": aws})),
        1 => Just(json!({"Federated": "idp", "CanonicalUser": ["79a5"]})),
        1 => Just(json!({"Robot": 7})),
    ]
}

fn action() -> impl Strategy<Value = Value> {
    texts([ACTIONS, &["*", "s3:*", "S3:Get*", "sqs:*", "sns:Pub*", "kms:*", "s3:?etObject"]].concat())
}

fn resource() -> impl Strategy<Value = Value> {
    let patterns =
        ["*", "arn:aws:s3:::*", "arn:aws:s3:::ledger/*", "arn:aws:sqs:*:orders", "arn:aws:s3:::${aws:username}", "arn:aws:*:::ledger", "x"];
    texts([RESOURCES, &patterns].concat())
}

fn condition_line() -> impl Strategy<Value = (String, String, Value)> {
    let bases = vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "ArnLike",
        "ArnNotEquals",
        "Bool",
        "NumericLessThan",
        "NumericGreaterThanEquals",
        "IpAddress",
        "NotIpAddress",
        "DateLessThan",
        "Null",
        "BinaryEquals",
        "bool",
    ];
    let quantifiers = vec!["", "", "", "ForAnyValue:", "ForAllValues:"];
    let operator =
        (select(quantifiers), select(bases), select(vec!["", "", "IfExists"])).prop_map(|(q, base, suffix)| format!("{q}{base}{suffix}"));
    let key = select(vec![
        "aws:SecureTransport",
        "aws:SourceAccount",
        "AWS:SourceArn",
        "s3:TlsVersion",
        "aws:SourceIp",
        "aws:CurrentTime",
        "aws:Other",
    ]);
    let literals = vec![
        json!("true"),
        json!("false"),
        json!(true),
        json!(false),
        json!("111122223333"),
        json!("arn:aws:s3:::*"),
        json!("1.2"),
        json!(1.3),
        json!("203.0.113.0/24"),
        json!("2020-06-01"),
        json!("*"),
        json!("${aws:userid}"),
        json!(null),
    ];
    let values = (vec(select(literals), 0..3), any::<bool>()).prop_map(|(values, as_list)| one_or_many(values, as_list));
    (operator, key, values).prop_map(|(operator, key, values)| (operator, key.to_owned(), values))
}

fn condition() -> impl Strategy<Value = Value> {
    vec(condition_line(), 0..3).prop_map(|lines| {
        let mut block = Map::new();
        for (operator, key, values) in lines {
            let keys = block.entry(operator).or_insert_with(|| json!({}));
            keys[key] = values;
        }
        Value::Object(block)
    })
}

fn statement() -> impl Strategy<Value = Value> {
    let sid = select(vec!["A", "B", "EversealDenyInsecureTransport", "EversealDenyInsecureTransportNumber2", "EversealDenyOldTls", ""]);
    let effect = prop_oneof![6 => select(vec!["Allow", "Deny"]), 1 => Just("deny")];
    let names = (
        select(vec!["Principal", "Principal", "NotPrincipal"]),
        select(vec!["Action", "Action", "NotAction", "action"]),
        select(vec!["Resource", "Resource", "NotResource"]),
    );
    (
        proptest::option::of(sid),
        effect,
        names,
        principal(),
        action(),
        resource(),
        (proptest::option::of(condition()), proptest::bool::weighted(0.05)),
    )
        .prop_map(|(sid, effect, (who, what, on), principal, action, resource, (condition, unknown))| {
            let mut body = Map::new();
            if let Some(sid) = sid {
                body.insert("Sid".into(), json!(sid));
            }
            body.insert("Effect".into(), json!(effect));
            body.insert(who.into(), principal);
            body.insert(what.into(), action);
            body.insert(on.into(), resource);
            if let Some(condition) = condition {
                body.insert("Condition".into(), condition);
            }
            if unknown {
                body.insert("Comment".into(), json!({"nested": [1, {"deep": null}]}));
            }
            Value::Object(body)
        })
}

/// Any document; Sids of ours appear in it on statements of any shape.
pub(super) fn document() -> impl Strategy<Value = Document> {
    let version = select(vec![Some("2012-10-17"), Some("2008-10-17"), None]);
    (version, vec(statement(), 0..5), any::<bool>()).prop_map(|(version, statements, single)| {
        let mut elements = Map::new();
        if let Some(version) = version {
            elements.insert("Version".into(), json!(version));
        }
        let statements = if single && statements.len() == 1 { statements[0].clone() } else { Value::Array(statements) };
        elements.insert("Statement".into(), statements);
        Document::parse(&Value::Object(elements).to_string()).unwrap()
    })
}

/// A document that allows everything and denies much: some are proofs that plain HTTP, HTTPS or old TLS is denied.
pub(super) fn denying() -> impl Strategy<Value = Document> {
    let conditions = vec![
        json!({}),
        json!({"Bool": {"aws:SecureTransport": "false"}}),
        json!({"Bool": {"aws:SecureTransport": ["false"]}, "StringLikeIfExists": {"aws:Other": "*"}}),
        json!({"StringNotEquals": {"aws:SecureTransport": "true"}}),
        json!({"Bool": {"aws:SecureTransport": "true"}}),
        json!({"NumericLessThan": {"s3:TlsVersion": 1.2}}),
        json!({"NumericLessThanEquals": {"s3:TlsVersion": "1.1"}}),
        json!({"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:SourceAccount": "111122223333"}}),
    ];
    let who = vec![json!({"Principal": "*"}), json!({"Principal": {"AWS": "*"}}), json!({"NotPrincipal": {"AWS": PRINCIPALS[0]}})];
    let what = vec![
        json!({"Action": "s3:*"}),
        json!({"Action": ["s3:Get*", "s3:?*"]}),
        json!({"Action": "s3:Get*"}),
        json!({"NotAction": "s3:Get*"}),
        json!({"NotAction": ["s3:Put*", "sqs:*"]}),
    ];
    let on = vec![
        json!({"Resource": "*"}),
        json!({"Resource": "arn:aws:s3:::ledger"}),
        json!({"Resource": "arn:aws:s3:::ledger/*"}),
        json!({"NotResource": "arn:aws:s3:::other"}),
        json!({"NotResource": "arn:aws:s3:::ledger/in/*"}),
    ];
    vec((select(conditions), select(who), select(what), select(on)), 1..5).prop_map(|denies| {
        let mut statements = vec![json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"})];
        for (condition, who, what, on) in denies {
            let mut body = Map::from_iter([("Effect".to_owned(), json!("Deny")), ("Condition".to_owned(), condition)]);
            body.extend([who, what, on].into_iter().filter_map(|part| part.as_object().cloned()).flatten());
            statements.push(Value::Object(body));
        }
        Document::parse(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
    })
}

/// One request, with all that it carries.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) principal: Principal,
    pub(super) action: &'static str,
    pub(super) resource: &'static str,
    pub(super) context: std::collections::BTreeMap<String, Vec<String>>,
    pub(super) complete: bool,
}

pub(super) fn asked() -> impl Strategy<Value = Asked> {
    let principal = prop_oneof![
        select(PRINCIPALS).prop_map(|name| Principal::Aws(name.to_owned())),
        select(SERVICES).prop_map(|name| Principal::Service(name.to_owned())),
    ];
    let keys: Vec<_> =
        KEYS.iter().map(|(key, values)| (Just((*key).to_owned()), proptest::option::weighted(0.7, select(*values)))).collect();
    (principal, select(ACTIONS), select(RESOURCES), keys, any::<bool>()).prop_map(|(principal, action, resource, keys, complete)| {
        let context = keys.into_iter().filter_map(|(key, value)| value.map(|value| (key, vec![value.to_owned()]))).collect();
        Asked { principal, action, resource, context, complete }
    })
}
