use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Access, Answer, Document, Principal, Request, access};
use super::{holding, parse, queue};
use Answer::{CannotTell, No, Yes};

const OWNER: &str = "111122223333";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ROLE: &str = "arn:aws:iam::111122223333:role/ingest";

fn context(keys: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    keys.iter().map(|(key, values)| ((*key).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())).collect()
}

fn aws(name: &str) -> Principal {
    Principal::Aws(name.to_owned())
}

fn service(name: &str) -> Principal {
    Principal::Service(name.to_owned())
}

fn ask(document: &Document, principal: &Principal, action: &str) -> Access {
    let request = Request { principal, action, resource: KEY, context: &context(&[]), context_is_complete: false };
    access(document, OWNER, &request)
}

fn root() -> Value {
    json!({"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"})
}

fn allow(principal: Value) -> Value {
    json!({"Sid": "Use", "Effect": "Allow", "Principal": principal, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"})
}

#[test]
fn an_account_root_statement_leaves_it_to_iam() {
    let document = holding(json!([root()]));
    let of = |name: &str| ask(&document, &aws(name), "kms:Decrypt");
    for name in [ROLE, "arn:aws:iam::111122223333:user/ann", "arn:aws:sts::111122223333:assumed-role/ingest/session"] {
        let answer = of(name);
        assert_eq!((answer.answer, answer.delegated), (CannotTell, true), "{name}");
        assert_eq!(answer.because, "statement `Root` leaves it to the IAM policies of the principal's account");
    }
    for name in ["arn:aws:iam::111122223333:root", "111122223333"] {
        assert_eq!((of(name).answer, of(name).delegated), (Yes, false), "{name}");
    }
    for name in ["arn:aws:iam::444455556666:role/ingest", "arn:aws:iam::444455556666:root"] {
        assert_eq!((of(name).answer, of(name).delegated), (No, false), "{name}");
    }
    let by_service = ask(&document, &service("s3.amazonaws.com"), "kms:Decrypt");
    assert_eq!((by_service.answer, by_service.delegated, by_service.because.as_str()), (No, false, "no statement allows it"));
    let account_id = holding(json!([{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}]));
    assert!(ask(&account_id, &aws(ROLE), "kms:Decrypt").delegated);
}

#[test]
fn delegation_follows_action_conditions_and_denies() {
    let mut narrowed = root();
    narrowed["Action"] = json!("kms:Describe*");
    assert_eq!(ask(&holding(json!([narrowed])), &aws(ROLE), "kms:Decrypt").answer, No);
    let deny = json!({"Sid": "Stop", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"});
    let denied = ask(&holding(json!([root(), deny])), &aws(ROLE), "kms:Decrypt");
    assert_eq!((denied.answer, denied.delegated, denied.because.as_str()), (No, false, "statement `Stop` denies it"));
    let maybe = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": {"Bool": {"aws:ViaAWSService": "false"}}});
    let possible = ask(&holding(json!([root(), maybe])), &aws(ROLE), "kms:Decrypt");
    assert_eq!((possible.answer, possible.delegated), (CannotTell, false));
    assert_eq!(possible.because, "statement 2 may deny it: that depends on what is not known of the request");
    let named = ask(&holding(json!([root(), allow(json!({"AWS": ROLE}))])), &aws(ROLE), "kms:Decrypt");
    assert_eq!((named.answer, named.delegated, named.because.as_str()), (Yes, false, "statement `Use` allows it"));
}

#[test]
fn outside_kms_the_owner_account_decides_for_itself() {
    let document = holding(json!([]));
    let queue = queue();
    let ask = |name: &str, action: &str| {
        let request =
            Request { principal: &aws(name), action, resource: queue.as_str(), context: &context(&[]), context_is_complete: true };
        access(&document, OWNER, &request)
    };
    assert_eq!((ask(ROLE, "sqs:SendMessage").answer, ask(ROLE, "sqs:SendMessage").delegated), (CannotTell, true));
    assert_eq!(ask("arn:aws:iam::444455556666:role/x", "sqs:SendMessage").answer, No);
    assert_eq!(ask(ROLE, "kms:Decrypt").answer, No);
}

#[test]
fn principals_are_who_they_say() {
    let session = "arn:aws:sts::111122223333:assumed-role/ingest/i-0";
    for (named, caller, expected) in [
        (json!({"AWS": ROLE}), aws(ROLE), Yes),
        (json!({"AWS": [ROLE]}), aws(session), Yes),
        (json!({"AWS": "arn:aws:iam::111122223333:role/team/ingest"}), aws(session), Yes),
        (json!({"AWS": "arn:aws:iam::111122223333:role/team/ingest"}), aws(ROLE), No),
        (json!({"AWS": "arn:aws:iam::111122223333:role/other"}), aws(session), No),
        (json!({"AWS": "arn:aws:iam::444455556666:role/ingest"}), aws(session), No),
        (json!({"AWS": session}), aws(ROLE), CannotTell),
        (json!({"AWS": session}), aws(session), Yes),
        (json!({"AWS": session}), aws("arn:aws:sts::111122223333:assumed-role/ingest/other"), No),
        (json!({"AWS": "arn:aws:iam::111122223333:user/ann"}), aws("arn:aws:iam::111122223333:user/ann"), Yes),
        (json!({"AWS": "arn:aws:iam::111122223333:user/ann"}), aws("arn:aws:iam::111122223333:user/anna"), No),
        (json!({"AWS": "arn:aws:iam::111122223333:role/*"}), aws(ROLE), CannotTell),
        (json!({"AWS": "AROAEXAMPLEID"}), aws(ROLE), No),
        (json!({"Service": "s3.amazonaws.com"}), service("s3.amazonaws.com"), Yes),
        (json!({"service": ["sns.amazonaws.com", "S3.amazonaws.com"]}), service("s3.amazonaws.com"), Yes),
        (json!({"Service": "sns.amazonaws.com"}), service("s3.amazonaws.com"), No),
        (json!({"Service": "logs.us-east-1.amazonaws.com"}), service("logs.amazonaws.com"), CannotTell),
        (json!({"Service": "*"}), service("s3.amazonaws.com"), CannotTell),
        (json!({"AWS": "111122223333"}), service("s3.amazonaws.com"), No),
        (json!("*"), aws(ROLE), Yes),
        (json!("*"), service("s3.amazonaws.com"), Yes),
        (json!({"AWS": "*"}), service("s3.amazonaws.com"), Yes),
        (json!({"Federated": "arn:aws:iam::111122223333:saml-provider/idp"}), aws(session), CannotTell),
        (json!({"Federated": "arn:aws:iam::111122223333:saml-provider/idp"}), aws("arn:aws:iam::111122223333:user/ann"), No),
        (json!({"Federated": "cognito-identity.amazonaws.com"}), service("s3.amazonaws.com"), No),
        (json!({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}), aws(ROLE), CannotTell),
        (json!({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}), service("s3.amazonaws.com"), No),
        (json!({"Robot": "r2"}), aws(ROLE), CannotTell),
        (json!("arn:aws:iam::111122223333:role/ingest"), aws(ROLE), CannotTell),
        (json!(null), aws(ROLE), CannotTell),
    ] {
        assert_eq!(ask(&holding(json!([allow(named.clone())])), &caller, "kms:Decrypt").answer, expected, "{named} {caller:?}");
    }
}

#[test]
fn a_deny_that_names_an_account_stops_everybody_in_it() {
    let deny = json!({"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"});
    let document = holding(json!([allow(json!("*")), deny]));
    assert_eq!(ask(&document, &aws(ROLE), "kms:Decrypt").answer, No);
    assert_eq!(ask(&document, &aws("arn:aws:iam::444455556666:role/x"), "kms:Decrypt").answer, Yes);
    assert_eq!(ask(&document, &service("s3.amazonaws.com"), "kms:Decrypt").answer, Yes);
}

#[test]
fn not_principal_spares_only_who_is_listed_with_its_account() {
    let document = |spared: Value| {
        let deny = json!({"Effect": "Deny", "NotPrincipal": spared, "Action": "kms:*", "Resource": "*"});
        holding(json!([allow(json!("*")), deny]))
    };
    let with_account = json!({"AWS": [ROLE, "arn:aws:iam::111122223333:root"]});
    for (spared, caller, expected) in [
        (with_account.clone(), aws(ROLE), Yes),
        (json!({"AWS": ROLE}), aws(ROLE), CannotTell),
        (json!({"AWS": ROLE}), aws("arn:aws:iam::111122223333:role/other"), No),
        (json!({"AWS": ROLE}), service("s3.amazonaws.com"), No),
        (with_account.clone(), aws("arn:aws:iam::111122223333:role/other"), CannotTell),
        (with_account.clone(), aws("arn:aws:iam::111122223333:root"), Yes),
        (with_account, aws("arn:aws:iam::444455556666:role/x"), No),
        (json!({"Service": "s3.amazonaws.com"}), service("s3.amazonaws.com"), Yes),
        (json!("*"), aws(ROLE), Yes),
        (json!({"AWS": []}), aws(ROLE), No),
    ] {
        assert_eq!(ask(&document(spared.clone()), &caller, "kms:Decrypt").answer, expected, "{spared} {caller:?}");
    }
    let with_allow = holding(json!([{"Effect": "Allow", "NotPrincipal": {"AWS": "444455556666"}, "Action": "kms:*", "Resource": "*"}]));
    assert_eq!(ask(&with_allow, &aws(ROLE), "kms:Decrypt").answer, CannotTell);
}

#[test]
fn actions_and_resources() {
    let document = |action: Value, resource: Value| {
        let mut statement = json!({"Effect": "Allow", "Principal": "*"});
        statement.as_object_mut().unwrap().extend(action.as_object().unwrap().clone());
        statement.as_object_mut().unwrap().extend(resource.as_object().unwrap().clone());
        holding(json!([statement]))
    };
    let any = json!({"Resource": "*"});
    for (action, resource, expected) in [
        (json!({"Action": "KMS:decrypt"}), any.clone(), Yes),
        (json!({"Action": "kms:Decryp?"}), any.clone(), Yes),
        (json!({"Action": "kms:GenerateDataKey*"}), any.clone(), No),
        (json!({"Action": []}), any.clone(), No),
        (json!({}), any.clone(), No),
        (json!({"NotAction": "kms:Decrypt"}), any.clone(), No),
        (json!({"NotAction": ["kms:Encrypt", "s3:*"]}), any, Yes),
        (json!({"Action": "*"}), json!({"Resource": KEY}), Yes),
        (json!({"Action": "*"}), json!({"Resource": "arn:aws:kms:*:111122223333:key/*"}), Yes),
        (json!({"Action": "*"}), json!({"Resource": "arn:aws:kms:eu-west-1:111122223333:key/*"}), No),
        (json!({"Action": "*"}), json!({"Resource": "arn:aws:kms:*:key/*"}), CannotTell),
        (json!({"Action": "*"}), json!({"Resource": "arn:aws:kms:us-east-1:111122223333:key/${aws:username}"}), CannotTell),
        (json!({"Action": "*"}), json!({"Resource": "arn:aws:s3:::${aws:username}"}), No),
        (json!({"Action": "*"}), json!({"NotResource": KEY}), No),
        (json!({"Action": "*"}), json!({"NotResource": "arn:aws:s3:::*"}), Yes),
        (json!({"Action": "*"}), json!({"NotResource": "arn:aws:kms:us-east-1:111122223333:key/${aws:username}"}), CannotTell),
        (json!({"Action": "*"}), json!({}), No),
        (json!({"Action": "*", "NotAction": "s3:*"}), json!({"Resource": "*"}), CannotTell),
    ] {
        assert_eq!(ask(&document(action.clone(), resource.clone()), &aws(ROLE), "kms:Decrypt").answer, expected, "{action} {resource}");
    }
}

#[test]
fn a_statement_without_a_known_effect_is_never_a_yes() {
    for statement in [
        json!({"Principal": "*", "Action": "*", "Resource": "*"}),
        json!({"Effect": "ALLOW", "Principal": "*", "Action": "*", "Resource": "*"}),
        json!({"Effect": "Allow", "effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}),
    ] {
        let document = holding(json!([allow(json!("*")), statement]));
        assert_eq!(ask(&document, &aws(ROLE), "kms:Decrypt").answer, CannotTell, "{statement}");
    }
}

/// What one condition block answers for a request that carries `keys`.
fn decide(block: Value, keys: &[(&str, &[&str])], complete: bool) -> Answer {
    let document = holding(json!([{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": block}]));
    let context = context(keys);
    let request = Request {
        principal: &service("s3.amazonaws.com"),
        action: "kms:Decrypt",
        resource: KEY,
        context: &context,
        context_is_complete: complete,
    };
    access(&document, OWNER, &request).answer
}

#[test]
fn operators_compare_one_value() {
    let table: &[(&str, &str, &str, Answer)] = &[
        ("StringEquals", "a", "a", Yes),
        ("stringequals", "a", "A", No),
        ("StringEquals", "a*", "ab", No),
        ("StringNotEquals", "a", "b", Yes),
        ("StringNotEquals", "a", "a", No),
        ("StringEqualsIgnoreCase", "A", "a", Yes),
        ("StringNotEqualsIgnoreCase", "A", "a", No),
        ("StringLike", "arn:*:b?", "arn:aws:bc", Yes),
        ("StringLike", "a?", "a", No),
        ("StringNotLike", "a*", "b", Yes),
        ("NumericEquals", "10", "10.0", Yes),
        ("NumericNotEquals", "10", "10", No),
        ("NumericLessThan", "10", "9", Yes),
        ("NumericLessThan", "10", "10", No),
        ("NumericLessThanEquals", "10", "10", Yes),
        ("NumericGreaterThan", "9", "10", Yes),
        ("NumericGreaterThanEquals", "10", "9.5", No),
        ("NumericEquals", "ten", "10", CannotTell),
        ("DateLessThan", "2020-04-01T00:00:00Z", "2020-03-31T23:59:59Z", Yes),
        ("DateGreaterThan", "2020-04-01", "2020-03-31T23:59:59Z", No),
        ("DateEquals", "1585699200", "2020-04-01T00:00:00Z", Yes),
        ("DateNotEquals", "2020-04-01", "2020-04-02", Yes),
        ("DateLessThanEquals", "2020-04-01", "2020-04-01", Yes),
        ("DateGreaterThanEquals", "tomorrow", "2020-04-01", CannotTell),
        ("Bool", "true", "true", Yes),
        ("Bool", "TRUE", "false", No),
        ("Bool", "yes", "true", CannotTell),
        ("IpAddress", "203.0.113.0/24", "203.0.113.9", Yes),
        ("NotIpAddress", "203.0.113.0/24", "203.0.113.9", No),
        ("IpAddress", "2001:db8::/32", "203.0.113.9", No),
        ("IpAddress", "office", "203.0.113.9", CannotTell),
        ("ArnEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", Yes),
        ("ArnLike", "arn:aws:sns:*:111122223333:*", "arn:aws:sns:eu-west-1:111122223333:t", Yes),
        ("ArnLike", "arn:aws:sns:*:t", "arn:aws:sns:eu-west-1:111122223333:t", CannotTell),
        ("ArnNotLike", "arn:aws:sns:*:*:other", "arn:aws:sns:eu-west-1:111122223333:t", Yes),
        ("ArnNotEquals", "arn:aws:s3:::b", "arn:aws:s3:::b", No),
        ("Null", "true", "x", No),
        ("Null", "false", "x", Yes),
        ("Null", "maybe", "x", CannotTell),
        ("NullIfExists", "false", "x", CannotTell),
        ("BinaryEquals", "QUJD", "QUJD", CannotTell),
        ("StringMatches", "x", "x", CannotTell),
        ("StringEquals", "${aws:userid}", "x", CannotTell),
        ("StringLike", "home/${aws:userid}/*", "away/x/y", No),
        ("StringNotEquals", "${aws:userid}", "x", CannotTell),
        ("NumericEquals", "${aws:userid}", "1", CannotTell),
    ];
    for (operator, wanted, carried, expected) in table {
        let decided = |complete| decide(json!({ *operator: {"x:Key": wanted} }), &[("x:key", &[carried])], complete);
        assert_eq!(decided(true), *expected, "{operator} {wanted} {carried}");
        assert_eq!(decided(false), *expected, "{operator} {wanted} {carried}");
    }
}

#[test]
fn keys_that_are_absent_or_unknown() {
    // (operator, wanted, answer when certainly absent, answer when unknown)
    for (operator, wanted, absent, unknown) in [
        ("StringEquals", "a", No, CannotTell),
        ("StringNotEquals", "a", Yes, CannotTell),
        ("StringEqualsIfExists", "a", Yes, CannotTell),
        ("StringNotEqualsIfExists", "a", Yes, CannotTell),
        ("StringLike", "*", No, CannotTell),
        ("StringLikeIfExists", "*", Yes, Yes),
        ("ArnNotLike", "arn:aws:s3:::b", Yes, CannotTell),
        ("NotIpAddress", "203.0.113.0/24", Yes, CannotTell),
        ("Bool", "false", No, CannotTell),
        ("BoolIfExists", "false", Yes, CannotTell),
        ("NumericLessThan", "1", No, CannotTell),
        ("DateLessThan", "2020-04-01", No, CannotTell),
        ("Null", "true", Yes, CannotTell),
        ("Null", "false", No, CannotTell),
        ("ForAnyValue:StringEquals", "a", No, CannotTell),
        ("ForAnyValue:StringNotEquals", "a", CannotTell, CannotTell),
        ("ForAllValues:StringEquals", "a", Yes, CannotTell),
        ("ForAllValues:StringLike", "**", Yes, Yes),
        ("ForAnyValue:StringEqualsIfExists", "a", Yes, CannotTell),
    ] {
        let block = || json!({ operator: {"x:Key": wanted} });
        assert_eq!(decide(block(), &[], true), absent, "{operator} absent");
        assert_eq!(decide(block(), &[("x:key", &[])], false), absent, "{operator} empty");
        assert_eq!(decide(block(), &[], false), unknown, "{operator} unknown");
    }
}

#[test]
fn several_values_on_either_side() {
    // [IAM: Set operators for multivalued context keys]
    for (operator, wanted, carried, expected) in [
        ("StringEquals", json!(["a", "b"]), &["b"][..], Yes),
        ("StringNotEquals", json!(["a", "b"]), &["b"], No),
        ("StringNotEquals", json!(["a", "b"]), &["c"], Yes),
        ("ForAnyValue:StringEquals", json!(["a", "b"]), &["x", "b"], Yes),
        ("ForAnyValue:StringEquals", json!(["a"]), &["x", "y"], No),
        ("ForAllValues:StringEquals", json!(["a", "b"]), &["a", "b"], Yes),
        ("ForAllValues:StringEquals", json!(["a", "b"]), &["a", "x"], No),
        ("ForAllValues:StringLike", json!(["a*"]), &["a1", "a2"], Yes),
        ("ForAnyValue:StringNotEquals", json!(["a"]), &["a", "x"], Yes),
        ("ForAllValues:StringNotEquals", json!(["a"]), &["b", "c"], Yes),
        ("ForAllValues:StringNotEquals", json!(["a"]), &["a", "c"], No),
        ("StringEquals", json!(["a"]), &["a", "x"], CannotTell),
        ("StringEquals", json!(["a"]), &["x", "y"], No),
        ("StringEquals", json!([]), &["x"], CannotTell),
        ("Bool", json!([true, "false"]), &["true"], Yes),
        ("NumericEquals", json!([1, 2.5]), &["2.5"], Yes),
    ] {
        assert_eq!(
            decide(json!({ operator: {"x:Key": wanted} }), &[("x:key", carried)], true),
            expected,
            "{operator} {wanted} {carried:?}"
        );
    }
}

#[test]
fn lines_of_a_block_are_anded() {
    let keys: &[(&str, &[&str])] = &[("aws:sourceaccount", &["111122223333"]), ("aws:sourcearn", &["arn:aws:s3:::ledger"])];
    let block = |account: &str, arn: &str| json!({"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"AWS:sourceArn": arn}});
    assert_eq!(decide(block("111122223333", "arn:aws:s3:::ledger"), keys, false), Yes);
    assert_eq!(decide(block("111122223333", "arn:aws:s3:::other"), keys, false), No);
    assert_eq!(decide(block("444455556666", "arn:aws:s3:::ledger"), keys, false), No);
    let two_keys = json!({"StringEquals": {"aws:SourceAccount": "111122223333", "aws:SourceOrgID": "o-1"}});
    assert_eq!(decide(two_keys.clone(), keys, false), CannotTell);
    assert_eq!(decide(two_keys, keys, true), No);
}

#[test]
fn a_key_for_a_service_of_one_account() {
    let statement = json!({"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": "*", "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}});
    let document = holding(json!([statement]));
    let ask = |action: &str, account: &str| {
        let context = context(&[("aws:sourceaccount", &[account])]);
        let request =
            Request { principal: &service("s3.amazonaws.com"), action, resource: KEY, context: &context, context_is_complete: true };
        access(&document, OWNER, &request).answer
    };
    assert_eq!(ask("kms:GenerateDataKey", "111122223333"), Yes);
    assert_eq!(ask("kms:GenerateDataKey", "444455556666"), No);
    assert_eq!(ask("kms:Encrypt", "111122223333"), No);
}

#[test]
fn everybody_of_one_account_through_one_service() {
    // The document of an AWS managed key. [KMS: key policies of AWS managed keys]
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["kms:Decrypt"], "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com", "kms:CallerAccount": "111122223333"}}});
    let document = holding(json!([statement]));
    let ask = |name: &str, via: &[&str]| {
        let context = context(&[("kms:viaservice", via)]);
        let request = Request { principal: &aws(name), action: "kms:Decrypt", resource: KEY, context: &context, context_is_complete: true };
        access(&document, OWNER, &request).answer
    };
    assert_eq!(ask(ROLE, &["sqs.us-east-1.amazonaws.com"]), Yes);
    assert_eq!(ask("arn:aws:sts::111122223333:assumed-role/ingest/s", &["sqs.us-east-1.amazonaws.com"]), Yes);
    assert_eq!(ask("arn:aws:iam::444455556666:role/x", &["sqs.us-east-1.amazonaws.com"]), No);
    assert_eq!(ask(ROLE, &["s3.us-east-1.amazonaws.com"]), No);
    assert_eq!(ask(ROLE, &[]), No);
}

#[test]
fn the_principal_says_some_keys_itself() {
    let of = |block: Value, caller: &Principal| {
        let document = holding(json!([{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": block}]));
        ask(&document, caller, "kms:Decrypt").answer
    };
    let is_service = || json!({"Bool": {"aws:PrincipalIsAWSService": "true"}});
    assert_eq!(of(is_service(), &service("s3.amazonaws.com")), Yes);
    assert_eq!(of(is_service(), &aws(ROLE)), No);
    let arn = || json!({"ArnLike": {"aws:PrincipalArn": ROLE}});
    assert_eq!(of(arn(), &aws(ROLE)), Yes);
    assert_eq!(of(arn(), &aws("arn:aws:sts::111122223333:assumed-role/ingest/s")), CannotTell);
    assert_eq!(of(arn(), &service("s3.amazonaws.com")), CannotTell);
    assert_eq!(of(json!({"StringEquals": {"aws:PrincipalAccount": OWNER}}), &aws(ROLE)), Yes);
    assert_eq!(of(json!({"StringEquals": {"aws:PrincipalServiceName": "s3.amazonaws.com"}}), &service("s3.amazonaws.com")), Yes);
}

#[test]
fn variables_are_text_in_the_old_language() {
    let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"x:Key": "${aws:userid}"}}});
    for (version, expected) in [(json!("2012-10-17"), CannotTell), (json!("2008-10-17"), No), (Value::Null, No)] {
        let mut document = json!({"Version": version, "Statement": [statement]});
        if version.is_null() {
            document.as_object_mut().unwrap().remove("Version");
        }
        let context = context(&[("x:key", &["AIDAEXAMPLE"])]);
        let request = Request { principal: &aws(ROLE), action: "kms:Decrypt", resource: KEY, context: &context, context_is_complete: true };
        assert_eq!(access(&parse(&document), OWNER, &request).answer, expected, "{version}");
    }
}

/// A session's `aws:PrincipalArn` is its role's, which the session's ARN does not show with its path: present, not absent.
#[test]
fn what_follows_from_the_caller_is_never_absent() {
    let mut deny = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*"});
    deny["Condition"] = json!({"StringNotEquals": {"aws:PrincipalArn": ROLE}});
    let document = holding(json!([allow(json!("*")), deny]));
    let session = aws("arn:aws:sts::111122223333:assumed-role/ingest/s");
    for (caller, expected) in [(&session, CannotTell), (&aws(ROLE), Yes), (&aws("arn:aws:iam::111122223333:role/other"), No)] {
        let request =
            Request { principal: caller, action: "kms:Decrypt", resource: KEY, context: &context(&[]), context_is_complete: true };
        assert_eq!(access(&document, "444455556666", &request).answer, expected, "{caller:?}");
    }
}

/// The guide says how six parts are compared, and nothing of fewer.
#[test]
fn arn_operators_are_certain_of_whole_arns_only() {
    for (wanted, carried, expected) in [
        ("arn:aws:sns:*:111122223333:*", "arn:aws:sns:us-east-1:111122223333:t", Yes),
        ("arn:aws:sns:*", "arn:aws:sns:us-east-1:111122223333:t", CannotTell),
        ("s3.*.amazonaws.com", "s3.us-east-1.amazonaws.com", CannotTell),
        ("arn:aws:sns:*:444455556666:*", "arn:aws:sns:us-east-1:111122223333:t", No),
    ] {
        assert_eq!(decide(json!({"ArnLike": {"aws:SourceArn": wanted}}), &[("aws:sourcearn", &[carried])], true), expected, "{wanted}");
    }
}
