//! What a path needs of a key becomes a grant of ours before the switch, or holds the switch.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::fixtures::{KEY, change, document, gate, grant, inventory, key_document, planned, queue, reason, step, topic};
use crate::plan::{Gate, Plan};
use crate::{Check, Inventory, sim};

const SWITCH: Check = Check::SqsEncryption;
const DOCUMENT: Check = Check::KmsKeyDocument;
const LISTED: &str = "keys: [{alias: alias/finance}], sqs: [{name: q, atRest: {encryption: SSE-KMS, key: alias/finance}}]";
const SENDER: &str = "arn:aws:iam::444455556666:role/sender";

fn allow(principal: &Value, condition: &Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": "*"});
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}

fn from_bucket(name: &str) -> Value {
    let condition =
        json!({"ArnLike": {"aws:SourceArn": format!("arn:aws:s3:*:*:{name}")}, "StringEquals": {"aws:SourceAccount": "111122223333"}});
    allow(&json!({"Service": "s3.amazonaws.com"}), &condition)
}

/// Queues by name, each with its document's statements; `key` are the statements on the key's document.
fn queues(key: &Value, queues: &[(&str, Value)]) -> Inventory {
    let mut all = json!({});
    for (name, statements) in queues {
        all.as_object_mut().unwrap().extend(queue(name, &json!({"document": document(statements)})).as_object().unwrap().clone());
    }
    inventory(key, &json!({"queues": all}))
}

fn spec(text: &str) -> String {
    format!("{{{text}}}")
}

/// Our statements in the document that the plan writes.
fn written(plan: &Plan) -> Vec<Value> {
    let text = change(plan, DOCUMENT)["keyDocument"]["after"].as_str().unwrap().to_owned();
    ours(&text)
}

fn ours(text: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(text).unwrap();
    let statements = document["Statement"].as_array().unwrap().clone();
    statements.into_iter().filter(|statement| statement["Sid"].as_str().is_some_and(|sid| sid.starts_with("Everseal"))).collect()
}

fn has(plan: &Plan, check: Check) -> bool {
    plan.steps.iter().any(|step| step.check == check)
}

#[test]
fn a_listed_key_gets_the_grant_before_the_queue_is_switched_and_only_once() {
    let mut world = queues(&json!([]), &[("orders", json!([from_bucket("uploads")]))]);
    let plan = planned(&spec(LISTED), &world);
    assert_eq!(
        written(&plan),
        [json!({
            "Sid": "EversealPathS3UseFor111122223333", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}, "ArnLike": {"aws:SourceArn": "arn:aws:s3:::uploads"}}
        })]
    );
    assert_eq!((gate(&plan, DOCUMENT), gate(&plan, SWITCH)), (None, None));
    assert_eq!(step(&plan, SWITCH).needs, [step(&plan, DOCUMENT).id.clone()]);
    // Between the two steps the grant is there and is not planned again; after both nothing is left to do, and it stays.
    for check in [DOCUMENT, SWITCH] {
        let made = step(&plan, check);
        sim::make(&mut world, &made.resource, made.change.as_ref().unwrap());
        let again = planned(&spec(LISTED), &world);
        assert!(!has(&again, DOCUMENT));
        assert_eq!(has(&again, SWITCH), check == DOCUMENT);
    }
}

#[test]
fn sources_of_one_account_share_a_statement_and_earlier_ones_stay() {
    let mut world = queues(&json!([]), &[("a", json!([from_bucket("one")])), ("b", json!([from_bucket("two")]))]);
    let plan = planned(&spec(LISTED), &world);
    let statements = written(&plan);
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0]["Condition"]["ArnLike"]["aws:SourceArn"], json!(["arn:aws:s3:::one", "arn:aws:s3:::two"]));
    for made in &plan.steps {
        sim::make(&mut world, &made.resource, made.change.as_ref().unwrap());
    }
    let more = queues(&json!([]), &[("c", json!([from_bucket("three")]))]);
    world.queues.extend(more.queues);
    let statements = written(&planned(&spec(LISTED), &world));
    assert_eq!(
        statements[0]["Condition"]["ArnLike"]["aws:SourceArn"],
        json!(["arn:aws:s3:::one", "arn:aws:s3:::two", "arn:aws:s3:::three"])
    );
}

#[test]
fn each_kind_of_user_is_let_in_as_narrowly_as_aws_allows() {
    let cases = [
        (
            allow(
                &json!({"Service": "sns.amazonaws.com"}),
                &json!({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:t"}}),
            ),
            json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:t"}}),
        ),
        (
            allow(
                &json!({"Service": "events.amazonaws.com"}),
                &json!({"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"}}),
            ),
            json!({"ArnLike": {"aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r"}}),
        ),
        (
            allow(&json!({"Service": "lambda.amazonaws.com"}), &json!({"StringEquals": {"aws:SourceAccount": "111122223333"}})),
            json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}),
        ),
        (
            allow(&json!({"AWS": SENDER}), &Value::Null),
            json!({"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com", "kms:CallerAccount": "444455556666"}}),
        ),
    ];
    for (statement, condition) in cases {
        let plan = planned(&spec(LISTED), &queues(&json!([]), &[("orders", json!([statement]))]));
        let given = written(&plan);
        assert_eq!((given.len(), &given[0]["Condition"]), (1, &condition));
        assert_eq!(gate(&plan, SWITCH), None);
    }
}

#[test]
fn event_bridge_is_let_in_without_a_source_on_a_topics_key_alone() {
    let publish = json!({"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish", "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}});
    let world = inventory(&json!([]), &json!({"topics": topic("alerts", &json!({"document": document(&json!([publish]))}))}));
    let plan = planned("{keys: [{alias: alias/finance}], sns: [{name: t, atRest: {key: alias/finance}}]}", &world);
    let given = written(&plan);
    assert_eq!((given.len(), given[0].get("Condition")), (1, None));
    assert_eq!(gate(&plan, Check::SnsEncryption), None);
}

#[test]
fn a_service_that_acts_for_anybody_is_not_let_in() {
    let anybodys = allow(&json!({"Service": "s3.amazonaws.com"}), &Value::Null);
    let every_bucket = allow(&json!({"Service": "s3.amazonaws.com"}), &json!({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}));
    for statement in [anybodys, every_bucket] {
        let plan = planned(&spec(LISTED), &queues(&json!([]), &[("orders", json!([statement]))]));
        assert_eq!(gate(&plan, SWITCH), Some(Gate::Path));
        assert!(reason(&plan, SWITCH).contains("Ask for aws:SourceAccount"));
        assert!(!has(&plan, DOCUMENT));
    }
}

#[test]
fn no_grant_is_given_for_a_switch_that_is_not_made() {
    let world = queues(&json!([]), &[("orders", json!([from_bucket("uploads")]))]);
    let audited = LISTED.replace("name: q,", "name: q, mode: audit,");
    let exempted =
        format!("{LISTED}, exemptions: [{{resource: 'arn:aws:sqs:us-east-1:111122223333:orders', checks: [sqs-encryption], reason: r}}]");
    for (rules, expected) in [(audited, Gate::Mode), (exempted, Gate::Exemption)] {
        let plan = planned(&spec(&rules), &world);
        assert_eq!(gate(&plan, SWITCH), Some(expected));
        assert!(!has(&plan, DOCUMENT));
    }
    // Anybody may send to this one, signed or not: that is what holds it.
    let open = queues(&json!([]), &[("orders", json!([from_bucket("uploads"), allow(&json!("*"), &Value::Null)]))]);
    let plan = planned(&spec(LISTED), &open);
    assert_eq!(gate(&plan, SWITCH), Some(Gate::KeyUse));
    assert!(!has(&plan, DOCUMENT));
}

#[test]
fn the_audited_switch_says_what_would_come_first() {
    let world = queues(&json!([]), &[("orders", json!([from_bucket("uploads")]))]);
    let plan = planned(&spec(&LISTED.replace("name: q,", "name: q, mode: audit,")), &world);
    assert!(reason(&plan, SWITCH).contains("would first add"));
}

#[test]
fn a_key_that_no_policy_lists_holds_the_switch_with_every_statement_to_add() {
    let world = queues(&json!([]), &[("orders", json!([from_bucket("uploads"), allow(&json!({"AWS": SENDER}), &Value::Null)]))]);
    let plan = planned("{sqs: [{name: q, atRest: {encryption: SSE-KMS, key: alias/finance}}]}", &world);
    assert_eq!(gate(&plan, SWITCH), Some(Gate::Path));
    let words = reason(&plan, SWITCH);
    for part in ["s3.amazonaws.com", "with one more", "arn:aws:s3:::uploads", SENDER, "kms:ViaService"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains("Everseal"), "the statement is not ours: {words}");
}

#[test]
fn what_usable_by_gives_is_not_given_twice() {
    let world = queues(
        &json!([]),
        &[(
            "orders",
            json!([allow(&json!({"Service": "lambda.amazonaws.com"}), &json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}))]),
        )],
    );
    let plan = planned(&spec(&LISTED.replace("alias/finance}]", "alias/finance, usableBy: {services: [lambda]}}]")), &world);
    let given = written(&plan);
    assert_eq!((given.len(), given[0]["Sid"].as_str()), (1, Some("EversealServiceLambda")));
    assert_eq!(gate(&plan, SWITCH), None);
}

#[test]
fn a_deny_of_somebody_else_holds_the_switch() {
    let deny = json!({"Sid": "NoS3", "Effect": "Deny", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:*", "Resource": "*"});
    let plan = planned(&spec(LISTED), &queues(&json!([deny]), &[("orders", json!([from_bucket("uploads")]))]));
    assert_eq!(gate(&plan, SWITCH), Some(Gate::Path));
    assert!(reason(&plan, SWITCH).contains("NoS3") && reason(&plan, SWITCH).contains("Take back what denies it"));
    assert!(!has(&plan, DOCUMENT));
}

#[test]
fn a_key_to_be_created_is_born_with_the_grants() {
    let mut world = queues(&json!([]), &[("orders", json!([from_bucket("uploads")]))]);
    world.keys_awaiting_alias = crate::Reading::Known(std::collections::BTreeMap::new());
    let plan = planned(&spec(&LISTED.replace("alias/finance", "alias/new")), &world);
    let text = change(&plan, Check::KmsKeyExists)["createKey"]["document"].as_str().unwrap().to_owned();
    assert_eq!(ours(&text)[0]["Condition"]["ArnLike"]["aws:SourceArn"], "arn:aws:s3:::uploads");
    assert_eq!(gate(&plan, SWITCH), None);
    assert_eq!(step(&plan, SWITCH).needs, [step(&plan, Check::KmsKeyExists).id.clone()]);
    let made = step(&plan, Check::KmsKeyExists);
    sim::make(&mut world, &made.resource, made.change.as_ref().unwrap());
    let next = planned(&spec(&LISTED.replace("alias/finance", "alias/new")), &world);
    assert_eq!((next.steps.len(), gate(&next, SWITCH)), (1, None));
}

#[test]
fn needs_that_make_the_document_too_long_hold_their_switches_and_not_the_policys_grants() {
    let padding = json!({"Sid": "Long", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"}, "Action": "kms:*", "Resource": "*",
        "Condition": {"StringEquals": {"kms:EncryptionContext:a": "x".repeat(32_050)}}});
    let world = queues(&json!([padding]), &[("orders", json!([from_bucket("a-bucket-with-quite-a-long-name-to-fill-what-is-left")]))]);
    assert!(world.keys.values().any(|key| key.document.known().is_some_and(|text| text.len() > 32_000)));
    let plan = planned(
        &spec(&LISTED.replace("alias/finance}]", "alias/finance, usableBy: {producers: ['arn:aws:iam::111122223333:role/in']}}]")),
        &world,
    );
    assert_eq!((gate(&plan, DOCUMENT), gate(&plan, SWITCH)), (None, Some(Gate::DocumentSize)));
    assert_eq!(written(&plan).len(), 1);
}

#[test]
fn a_document_that_can_not_be_written_holds_who_needs_it() {
    let deleted = json!({"Effect": "Allow", "Principal": {"AWS": "AROAEXAMPLEEXAMPLE01"}, "Action": "kms:Decrypt", "Resource": "*"});
    let plan = planned(&spec(LISTED), &queues(&json!([deleted]), &[("orders", json!([from_bucket("uploads")]))]));
    assert_eq!((gate(&plan, DOCUMENT), gate(&plan, SWITCH)), (Some(Gate::Manual), Some(Gate::Dependency)));
}

#[test]
fn a_key_whose_policy_only_audits_is_not_changed_for_others() {
    let mut policies = crate::fixtures::policies(&spec(LISTED));
    let mut keys = policies.policies[0].clone();
    keys.spec.sqs.clear();
    keys.metadata.name = "keys".into();
    keys.spec.mode = crate::policy::model::Mode::Audit;
    policies.policies[0].spec.keys.clear();
    policies.policies.push(keys);
    let world = queues(&json!([]), &[("orders", json!([from_bucket("uploads")]))]);
    let past = crate::plan::Past::default();
    let plan = crate::plan::plan(&crate::plan::Context { policies: &policies, inventory: &world, now: 0, past: &past });
    assert_eq!((gate(&plan, DOCUMENT), gate(&plan, SWITCH)), (Some(Gate::Mode), Some(Gate::Dependency)));
}

#[test]
fn a_half_created_key_gets_its_alias_first_and_the_grants_in_the_next_plan() {
    let mut world = queues(&json!([]), &[("orders", json!([from_bucket("uploads")]))]);
    let key = crate::Arn::parse(KEY).unwrap();
    let aliases = std::collections::BTreeMap::from([("alias/new".to_owned(), key)]);
    world.keys_awaiting_alias = crate::Reading::Known(aliases);
    let rules = spec(&LISTED.replace("alias/finance", "alias/new"));
    let plan = planned(&rules, &world);
    assert_eq!((gate(&plan, Check::KmsKeyExists), gate(&plan, SWITCH)), (None, None));
    let alias = step(&plan, Check::KmsKeyExists);
    assert_eq!((alias.action.as_str(), step(&plan, SWITCH).needs.as_slice()), ("CreateAlias", std::slice::from_ref(&alias.id)));
    sim::make(&mut world, &alias.resource, alias.change.as_ref().unwrap());
    let next = planned(&rules, &world);
    assert_eq!((gate(&next, DOCUMENT), gate(&next, SWITCH)), (None, None));
}

#[test]
fn the_limits_of_a_cycle_put_a_switch_off_and_not_its_grant() {
    let world = queues(&json!([]), &[("a", json!([from_bucket("one")])), ("b", json!([from_bucket("two")]))]);
    let plan = planned(&spec(&format!("{LISTED}, limits: {{maxChangesPerCycle: 2}}")), &world);
    let gates: Vec<_> = plan.steps.iter().map(|step| (step.action.as_str(), step.gate.as_ref().map(|gate| gate.name))).collect();
    assert_eq!(gates, [("PutKeyPolicy", None), ("SetQueueAttributes", None), ("SetQueueAttributes", Some(Gate::BlastRadius))]);
    assert_eq!(written(&plan)[0]["Condition"]["ArnLike"]["aws:SourceArn"], json!(["arn:aws:s3:::one", "arn:aws:s3:::two"]));
}

#[test]
fn a_statement_that_is_there_in_any_form_is_enough() {
    let there = grant("s3.amazonaws.com", &json!({"StringEquals": {"aws:SourceAccount": ["111122223333", "444455556666"]}}));
    let world = queues(&json!([there]), &[("orders", json!([from_bucket("uploads")]))]);
    let plan = planned(&spec(LISTED), &world);
    assert!(!has(&plan, DOCUMENT));
    assert_eq!(gate(&plan, SWITCH), None);
    assert!(key_document(&json!([])).contains("root"));
}

mod roles {
    use super::*;

    const OWN: &str = "arn:aws:iam::111122223333:role/worker";
    const UNLISTED: &str = "{sqs: [{name: q, atRest: {encryption: SSE-KMS, key: alias/finance}}]}";

    fn worked(roles: &Value) -> Inventory {
        let mut world = queues(&json!([]), &[("orders", json!([allow(&json!({"AWS": OWN}), &Value::Null)]))]);
        if !roles.is_null() {
            world.path_facts = serde_json::from_value(json!({ "roles": roles })).unwrap();
        }
        world
    }

    fn with_policy(actions: &Value) -> Value {
        json!({OWN: {"policies": [document(&json!([{"Effect": "Allow", "Action": actions, "Resource": "*"}]))]}})
    }

    #[test]
    fn what_the_delegation_leaves_open_is_asked_of_iam_once() {
        let role = crate::Arn::parse(OWN).unwrap();
        for (roles, expected, asks) in [
            (Value::Null, Some(Gate::Path), true),
            (json!({}), Some(Gate::Path), true),
            (with_policy(&json!(["kms:GenerateDataKey", "kms:Decrypt"])), None, false),
            (with_policy(&json!("kms:Decrypt")), Some(Gate::Path), false),
            (crate::fixtures::denied("GetRole", "iam:GetRole"), Some(Gate::Path), false),
        ] {
            let plan = planned(UNLISTED, &worked(&roles));
            assert_eq!((gate(&plan, SWITCH), plan.wanted_facts.contains(&role)), (expected, asks), "{roles}");
        }
    }

    #[test]
    fn a_role_of_another_account_is_not_asked_for() {
        let plan = planned(UNLISTED, &queues(&json!([]), &[("orders", json!([allow(&json!({"AWS": SENDER}), &Value::Null)]))]));
        assert_eq!((gate(&plan, SWITCH), plan.wanted_facts.len()), (Some(Gate::Path), 0));
    }

    #[test]
    fn on_a_listed_key_the_role_is_let_in_by_name_without_asking() {
        let plan = planned(&spec(LISTED), &worked(&Value::Null));
        assert_eq!((gate(&plan, SWITCH), plan.wanted_facts.len(), written(&plan).len()), (None, 0, 1));
        // What IAM allows already needs no grant, and what IAM denies no grant can give.
        let allowed = planned(&spec(LISTED), &worked(&with_policy(&json!("kms:*"))));
        assert!(!has(&allowed, DOCUMENT));
        let deny = json!({OWN: {"policies": [document(&json!([{"Effect": "Deny", "Action": "kms:*", "Resource": "*"}]))]}});
        let denied = planned(&spec(LISTED), &worked(&deny));
        assert_eq!((gate(&denied, SWITCH), has(&denied, DOCUMENT)), (Some(Gate::Path), false));
        assert!(reason(&denied, SWITCH).contains("IAM policies deny it"));
    }
}

#[test]
fn many_queues_of_few_senders_need_few_statements_and_short_words() {
    let names: Vec<String> = (0..400).map(|number| format!("q{number:03}")).collect();
    let of_sender = json!([allow(&json!({"AWS": SENDER}), &Value::Null)]);
    let world = queues(&json!([]), &names.iter().map(|name| (name.as_str(), of_sender.clone())).collect::<Vec<_>>());
    let plan = planned(&spec(LISTED), &world);
    assert_eq!((plan.steps.len(), written(&plan).len()), (401, 1));
    assert!(plan.steps.iter().all(|step| step.gate.is_none()));
    let summary = &step(&plan, DOCUMENT).summary;
    assert!(summary.contains("390 more") && summary.len() < 2000, "{summary}");
}

/// Roles that no document names: they reach the queue through their own IAM policies.
mod through_iam_alone {
    use super::*;

    const READER: &str = "arn:aws:iam::111122223333:role/reader";
    const UNLISTED: &str = "{sqs: [{name: q, atRest: {encryption: SSE-KMS, key: alias/finance}}]}";

    /// One queue that nobody's document opens, and one role; `all`: every role of the account was read.
    fn read_by(actions: &Value, resource: &str, all: bool) -> Inventory {
        let mut world = queues(&json!([]), &[("orders", json!([]))]);
        let policy = document(&json!([{"Effect": "Allow", "Action": actions, "Resource": resource}]));
        world.path_facts = serde_json::from_value(json!({"roles": {READER: {"policies": [policy]}}, "allRoles": all})).unwrap();
        world
    }

    fn root() -> crate::Arn {
        crate::Arn::parse("arn:aws:iam::111122223333:root").unwrap()
    }

    #[test]
    fn a_reader_that_may_not_decrypt_holds_the_switch_or_is_let_in_first() {
        let world = read_by(&json!("sqs:ReceiveMessage"), "*", true);
        let held = planned(UNLISTED, &world);
        assert_eq!(gate(&held, SWITCH), Some(Gate::Path));
        assert!(reason(&held, SWITCH).contains(READER) && reason(&held, SWITCH).contains("kms:Decrypt"), "{}", reason(&held, SWITCH));
        let granted = planned(&spec(LISTED), &world);
        assert_eq!((gate(&granted, SWITCH), written(&granted)[0]["Principal"].clone()), (None, json!({"AWS": READER})));
    }

    #[test]
    fn who_gets_through_or_does_not_reach_the_queue_is_no_obstacle() {
        for (actions, resource) in [
            (json!(["sqs:ReceiveMessage", "kms:Decrypt"]), "*"),
            (json!("sqs:ReceiveMessage"), "arn:aws:sqs:us-east-1:111122223333:others"),
            (json!("s3:GetObject"), "*"),
            // An administrator: what it may do with keys, its policy says.
            (json!("*"), "*"),
        ] {
            assert_eq!(gate(&planned(UNLISTED, &read_by(&actions, resource, true)), SWITCH), None, "{actions} on {resource}");
        }
    }

    #[test]
    fn all_roles_are_asked_for_and_who_refuses_to_tell_of_them_is_waited_for() {
        let some = planned(UNLISTED, &read_by(&json!("sqs:ReceiveMessage"), "*", false));
        assert_eq!((gate(&some, SWITCH), some.helpful_facts.contains(&root())), (None, true));
        let all = planned(UNLISTED, &read_by(&json!("sqs:ReceiveMessage"), "*", true));
        assert!(all.helpful_facts.is_empty());
        let mut refused = read_by(&json!("sqs:ReceiveMessage"), "*", false);
        let denied = crate::fixtures::denied("GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails");
        refused.path_facts = serde_json::from_value(json!({"unlistedRoles": denied["unreadable"]})).unwrap();
        let refused = planned(UNLISTED, &refused);
        // A reader that IAM alone lets in would go silent, and nobody can tell that there is none.
        assert_eq!((gate(&refused, SWITCH), refused.helpful_facts.len()), (Some(Gate::Unread), 0));
        let reason = &refused.steps.iter().find_map(|step| step.gate.as_ref().filter(|gate| gate.name == Gate::Unread)).unwrap().reason;
        assert!(reason.contains("Allow iam:GetAccountAuthorizationDetails"), "{reason}");
    }
}
