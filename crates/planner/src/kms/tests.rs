//! Rules of AWS-FACTS §7 as tests.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use crate::document::Document;
use crate::fixtures::{KEY, KEY_ID, change, denied, finding, gate, inventory, key_document, planned, reason, state, step};
use crate::plan::{Change, Gate, KeyRef, Plan};
use crate::{Check, State};

const EXISTS: Check = Check::KmsKeyExists;
const STATE: Check = Check::KmsKeyState;
const ROTATION: Check = Check::KmsKeyRotation;
const DOCUMENT: Check = Check::KmsKeyDocument;

fn metadata(settings: &Value) -> Value {
    let mut metadata =
        json!({"state": "Enabled", "awsManaged": false, "usage": "ENCRYPT_DECRYPT", "spec": "SYMMETRIC_DEFAULT", "origin": "AWS_KMS"});
    for (name, value) in settings.as_object().unwrap() {
        metadata[name] = value.clone();
    }
    metadata
}

/// Plans one listed key, `spec` without its alias, whose observed parts are `key`.
fn plan(spec: &str, key: &Value) -> Plan {
    let mut observed =
        json!({"arn": KEY, "metadata": metadata(&json!({})), "document": key_document(&json!([])), "rotation": {"enabled": false}});
    for (name, value) in key.as_object().unwrap() {
        observed[name] = value.clone();
    }
    let inventory = inventory(&json!([]), &json!({"keys": {KEY: observed}, "aliases": {"alias/finance": KEY}}));
    planned(&format!("keys: [{{alias: alias/finance{spec}}}]"), &inventory)
}

/// Plans a listed key whose alias nobody bears.
fn plan_missing(spec: &str, awaiting: &Value) -> Plan {
    let mut more = json!({"keys": {}, "aliases": {}});
    if !awaiting.is_null() {
        more["keysAwaitingAlias"] = awaiting.clone();
    }
    planned(spec, &inventory(&json!([]), &more))
}

mod existence {
    use super::*;

    #[test]
    fn a_missing_key_is_created_with_exactly_the_grants_of_usable_by() {
        let spec = "keys: [{alias: alias/new, description: New, rotation: {enabled: true, periodInDays: 180}, usableBy: {services: [s3, events], producers: ['arn:aws:iam::111122223333:role/in']}}]";
        let plan = plan_missing(spec, &json!({}));
        let step = step(&plan, EXISTS);
        assert_eq!(step.id.0, "kms-key-exists:CreateKey:arn:aws:kms:us-east-1:111122223333:alias/new");
        assert_eq!(step.gate, None);
        let Some(Change::CreateKey { alias, description, multi_region, tags, document, rotation_period_in_days }) = &step.change else {
            panic!()
        };
        assert_eq!((alias.as_str(), description.as_str(), *multi_region, *rotation_period_in_days), ("alias/new", "New", false, Some(180)));
        assert_eq!(tags["everseal:alias"], "alias/new");
        let document: Value = serde_json::from_str(document).unwrap();
        assert_eq!(
            document["Statement"],
            json!([
                {"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"},
                {"Sid": "EversealServiceS3", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*",
                 "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}},
                {"Sid": "EversealServiceEvents", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*"},
                {"Sid": "EversealProducers", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/in"}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"},
            ])
        );
    }

    #[test]
    fn arns_are_built_from_the_scopes_partition() {
        let mut inventory = inventory(&json!([]), &json!({"keys": {}, "aliases": {}, "keysAwaitingAlias": {}}));
        inventory.scope.partition = "aws-us-gov".into();
        let plan = planned("keys: [{alias: alias/new, usableBy: {services: [sns]}}]", &inventory);
        let document = change(&plan, EXISTS)["createKey"]["document"].as_str().unwrap().to_owned();
        assert!(document.contains("arn:aws-us-gov:iam::111122223333:root"), "{document}");
        assert!(document.contains("arn:aws-us-gov:sns:*:111122223333:*"), "{document}");
        assert!(!document.contains("arn:aws:"), "{document}");
    }

    #[test]
    fn a_half_created_key_gets_its_alias_and_no_second_key_is_made() {
        let plan = plan_missing("keys: [{alias: alias/new}]", &json!({"alias/new": KEY}));
        assert_eq!(
            step(&plan, EXISTS).change,
            Some(Change::CreateAlias { alias: "alias/new".into(), key: crate::Arn::parse(KEY).unwrap() })
        );
    }

    #[test]
    fn no_key_is_made_where_a_half_created_one_could_be() {
        for awaiting in [json!(null), denied("GetResources", "tag:GetResources")] {
            let plan = plan_missing("keys: [{alias: alias/new}]", &awaiting);
            assert_eq!(gate(&plan, EXISTS), Some(Gate::Unread), "{awaiting}");
        }
    }

    #[test]
    fn unreadable_aliases_are_unknown_and_no_reason_to_create() {
        let plan = planned(
            "keys: [{alias: alias/new}]",
            &inventory(&json!([]), &json!({"keys": {}, "aliases": denied("ListAliases", "kms:ListAliases")})),
        );
        assert_eq!(state(&plan, EXISTS), State::Unknown);
        assert!(finding(&plan, EXISTS).message.contains("kms:ListAliases"));
        assert!(plan.steps.is_empty());
    }

    #[test]
    fn resources_wait_for_the_key_that_is_to_be_created() {
        let stream = json!({"arn:aws:kinesis:us-east-1:111122223333:stream/s": {"arn": "arn:aws:kinesis:us-east-1:111122223333:stream/s", "name": "s",
            "summary": {"status": "ACTIVE", "encrypted": false}}});
        let inventory = inventory(&json!([]), &json!({"keys": {}, "aliases": {}, "keysAwaitingAlias": {}, "dataStreams": stream}));
        let plan = planned("{keys: [{alias: alias/new}], kinesis: [{name: r, atRest: {key: alias/new}}]}", &inventory);
        let waiting = step(&plan, Check::KinesisEncryption);
        assert_eq!(waiting.gate, None);
        assert_eq!(waiting.needs, [step(&plan, EXISTS).id.clone()]);
        let Some(Change::DataStreamEncryption { after, .. }) = &waiting.change else { panic!() };
        assert_eq!(*after, KeyRef::ToBeCreated { alias: "alias/new".into() });
    }

    #[test]
    fn a_single_region_key_cannot_become_a_multi_region_key() {
        let plan = plan(", multiRegion: true", &json!({}));
        assert_eq!((state(&plan, EXISTS), gate(&plan, EXISTS)), (State::Drifted, Some(Gate::Manual)));
        assert!(reason(&plan, EXISTS).contains("single-Region"));
    }

    #[test]
    fn an_asymmetric_key_under_the_alias_is_not_the_wanted_key() {
        let plan = plan("", &json!({"metadata": metadata(&json!({"spec": "RSA_2048", "usage": "SIGN_VERIFY"}))}));
        assert_eq!((state(&plan, EXISTS), gate(&plan, EXISTS)), (State::Drifted, Some(Gate::Manual)));
    }
}

mod regions {
    use super::*;

    const MULTI: &str = "{scopes: {regions: [us-east-1, us-west-2, eu-west-1]}, keys: [{alias: alias/finance, multiRegion: true, replicaRegions: [eu-west-1, ap-south-1], usableBy: {services: [sqs]}}]}";

    fn primary(replicas: &Value) -> Value {
        let mut family = metadata(&json!({}));
        family["multiRegion"] = json!({"primary": KEY, "replicas": replicas});
        json!({"keys": {KEY: {"arn": KEY, "metadata": family, "document": key_document(&json!([])), "rotation": {"enabled": true, "periodInDays": 365}}}, "aliases": {"alias/finance": KEY}})
    }

    #[test]
    fn replicas_are_made_from_the_primarys_region_with_their_own_document() {
        let plan = planned(MULTI, &inventory(&json!([]), &primary(&json!([]))));
        let steps: Vec<_> = plan.steps.iter().filter(|step| step.check == EXISTS).collect();
        assert_eq!(steps.len(), 2);
        assert!(steps[0].id != steps[1].id);
        let Some(Change::ReplicateKey { primary, region, alias, document, .. }) = &steps[0].change else { panic!() };
        assert_eq!((primary.as_str(), region.as_str(), alias.as_str()), (KEY, "eu-west-1", "alias/finance"));
        assert!(document.contains("sqs.eu-west-1.amazonaws.com") && !document.contains("us-east-1"), "{document}");
    }

    #[test]
    fn replicas_that_are_there_are_not_made_again() {
        let replicas = json!([KEY.replace("us-east-1", "eu-west-1"), KEY.replace("us-east-1", "ap-south-1")]);
        let plan = planned(MULTI, &inventory(&json!([]), &primary(&replicas)));
        assert_eq!(state(&plan, EXISTS), State::Compliant);
    }

    #[test]
    fn elsewhere_nothing_is_created_that_would_only_look_like_the_key() {
        for (region, hint) in [("eu-west-1", "us-east-1"), ("us-west-2", "replicaRegions")] {
            let mut inventory = inventory(&json!([]), &json!({"keys": {}, "aliases": {}, "keysAwaitingAlias": {}}));
            inventory.scope.region = region.into();
            let plan = planned(MULTI, &inventory);
            assert_eq!((state(&plan, EXISTS), gate(&plan, EXISTS)), (State::Drifted, Some(Gate::Manual)), "{region}");
            assert!(reason(&plan, EXISTS).contains(hint), "{region}");
        }
    }

    #[test]
    fn a_single_region_key_is_created_in_every_region_of_its_policy() {
        let mut inventory = inventory(&json!([]), &json!({"keys": {}, "aliases": {}, "keysAwaitingAlias": {}}));
        inventory.scope.region = "us-west-2".into();
        let plan = planned("{scopes: {regions: [us-east-1, us-west-2]}, keys: [{alias: alias/finance}]}", &inventory);
        assert_eq!(step(&plan, EXISTS).action, "CreateKey");
    }
}

mod states {
    use super::*;

    fn in_state(spec: &str, state: &str) -> Plan {
        plan(spec, &json!({"metadata": metadata(&json!({"state": state}))}))
    }

    #[test]
    fn nothing_is_done_to_a_key_unless_heal_says_so() {
        for key_state in ["Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport", "Unavailable"] {
            let plan = in_state("", key_state);
            assert_eq!((state(&plan, STATE), gate(&plan, STATE)), (State::Drifted, Some(Gate::Manual)), "{key_state}");
        }
    }

    #[test]
    fn a_disabled_key_is_enabled_where_heal_allows() {
        let plan = in_state(", heal: [enable]", "Disabled");
        assert_eq!(step(&plan, STATE).change, Some(Change::EnableKey {}));
        assert_eq!(gate(&plan, STATE), None);
    }

    #[test]
    fn a_cancelled_deletion_leaves_the_key_disabled_so_both_steps_are_needed() {
        let plan = in_state(", heal: [enable, cancelDeletion]", "PendingDeletion");
        let actions: Vec<_> = plan.steps.iter().map(|step| (step.action.as_str(), step.needs.len(), step.gate.is_none())).collect();
        assert_eq!(actions, [("CancelKeyDeletion", 0, true), ("EnableKey", 1, true)]);
        assert_eq!(plan.steps[1].needs, [plan.steps[0].id.clone()]);
    }

    #[test]
    fn heal_never_goes_further_than_it_says() {
        let cancel = in_state(", heal: [cancelDeletion]", "PendingDeletion");
        let actions: Vec<_> = cancel.steps.iter().map(|step| step.action.as_str()).collect();
        assert_eq!(actions, ["CancelKeyDeletion", "Manual"]);
        let enable = in_state(", heal: [enable]", "PendingDeletion");
        assert_eq!(gate(&enable, STATE), Some(Gate::Manual));
    }

    #[test]
    fn states_in_transition_and_younger_ones_are_not_judged() {
        for key_state in ["Creating", "Updating", "SomethingNew"] {
            let plan = in_state(", heal: [enable]", key_state);
            assert_eq!(state(&plan, STATE), State::Unknown, "{key_state}");
            assert!(plan.steps.is_empty(), "{key_state}");
        }
    }

    #[test]
    fn resources_wait_for_the_steps_that_bring_their_key_back() {
        let stream = json!({"arn:aws:kinesis:us-east-1:111122223333:stream/s": {"arn": "arn:aws:kinesis:us-east-1:111122223333:stream/s", "name": "s",
            "summary": {"status": "ACTIVE", "encrypted": false}}});
        let key = json!({"arn": KEY, "metadata": metadata(&json!({"state": "Disabled"})), "document": key_document(&json!([]))});
        let inventory = inventory(&json!([]), &json!({"keys": {KEY: key}, "aliases": {"alias/finance": KEY}, "dataStreams": stream}));
        let rule = |heal: &str| {
            format!("{{keys: [{{alias: alias/finance, heal: [{heal}]}}], kinesis: [{{name: r, atRest: {{key: alias/finance}}}}]}}")
        };
        let healed = planned(&rule("enable"), &inventory);
        assert_eq!(step(&healed, Check::KinesisEncryption).needs, [step(&healed, STATE).id.clone()]);
        assert_eq!(gate(&healed, Check::KinesisEncryption), None);
        assert_eq!(gate(&planned(&rule(""), &inventory), Check::KinesisEncryption), Some(Gate::KeyState));
    }
}

mod rotation {
    use super::*;

    const YEARLY: &str = ", rotation: {enabled: true}";

    fn rotated(spec: &str, rotation: &Value) -> Plan {
        plan(spec, &json!({ "rotation": rotation }))
    }

    #[test]
    fn keys_that_cannot_rotate_are_not_asked_to() {
        let replica = json!({"multiRegion": {"primary": KEY.replace("us-east-1", "eu-west-1"), "replicas": [KEY]}});
        for settings in [
            json!({"origin": "EXTERNAL"}),
            json!({"origin": "AWS_CLOUDHSM", "customKeyStore": true}),
            json!({"spec": "RSA_2048", "usage": "SIGN_VERIFY"}),
            json!({"spec": "HMAC_256", "usage": "GENERATE_VERIFY_MAC"}),
            json!({"awsManaged": true}),
            json!({"state": "PendingDeletion"}),
            replica,
        ] {
            let plan = plan(YEARLY, &json!({"metadata": metadata(&settings), "rotation": {"enabled": false}}));
            assert_eq!(state(&plan, ROTATION), State::Compliant, "{settings}");
            assert_eq!(finding(&plan, ROTATION).notes.len(), 1, "{settings}");
            assert!(plan.steps.iter().all(|step| step.check != ROTATION), "{settings}");
        }
    }

    #[test]
    fn rotation_is_turned_on_with_the_policys_period() {
        let plan = rotated(YEARLY, &json!({"enabled": false}));
        assert_eq!(step(&plan, ROTATION).change, Some(Change::KeyRotation { before: None, after: 365 }));
    }

    #[test]
    fn a_longer_period_is_shortened_and_a_shorter_one_stays() {
        let longer = rotated(YEARLY, &json!({"enabled": true, "periodInDays": 730}));
        assert_eq!(step(&longer, ROTATION).change, Some(Change::KeyRotation { before: Some(730), after: 365 }));
        let shorter = rotated(YEARLY, &json!({"enabled": true, "periodInDays": 90}));
        assert_eq!(state(&shorter, ROTATION), State::Compliant);
    }

    #[test]
    fn rotation_is_never_turned_off_and_absent_is_unmanaged() {
        for spec in ["", ", rotation: {enabled: false}"] {
            let plan = rotated(spec, &json!({"enabled": true, "periodInDays": 90}));
            assert!(plan.findings.iter().all(|finding| finding.check != ROTATION), "{spec}");
        }
    }

    #[test]
    fn a_period_that_aws_does_not_name_proves_no_shorter_one_than_its_default() {
        let rotation = json!({"enabled": true});
        assert_eq!(state(&rotated(YEARLY, &rotation), Check::KmsKeyRotation), State::Compliant);
        let quarterly = rotated(", rotation: {enabled: true, periodInDays: 90}", &rotation);
        assert_eq!(state(&quarterly, Check::KmsKeyRotation), State::Unknown);
        assert!(quarterly.steps.iter().all(|step| step.check != Check::KmsKeyRotation));
    }

    #[test]
    fn an_unreadable_rotation_is_unknown() {
        let plan = rotated(YEARLY, &denied("GetKeyRotationStatus", "kms:GetKeyRotationStatus"));
        assert_eq!(state(&plan, ROTATION), State::Unknown);
        assert!(plan.steps.is_empty());
    }

    #[test]
    fn only_an_enabled_key_takes_a_rotation() {
        let disabled = json!({"metadata": metadata(&json!({"state": "Disabled"})), "rotation": {"enabled": false}});
        assert_eq!(gate(&plan(YEARLY, &disabled), ROTATION), Some(Gate::KeyState));
        let healed = plan(&format!("{YEARLY}, heal: [enable]"), &disabled);
        assert_eq!(step(&healed, ROTATION).needs, [step(&healed, STATE).id.clone()]);
    }
}

mod documents {
    use super::*;

    const INGEST: &str = "arn:aws:iam::111122223333:role/ingest";

    fn with(usable_by: &str, statements: &Value) -> Plan {
        plan(&format!(", usableBy: {usable_by}"), &json!({"document": key_document(statements)}))
    }

    fn statements(plan: &Plan) -> Vec<Value> {
        let after = change(plan, DOCUMENT)["keyDocument"]["after"].as_str().unwrap().to_owned();
        serde_json::from_str::<Value>(&after).unwrap()["Statement"].as_array().unwrap().clone()
    }

    #[test]
    fn missing_grants_are_added_and_every_other_statement_stays() {
        let foreign = json!({"Sid": "Auditors", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:role/audit"}, "Action": "kms:DescribeKey", "Resource": "*", "Strange": true});
        let plan =
            with("{services: [s3, sns, events, cloudwatch], consumers: ['arn:aws:iam::111122223333:role/settlement']}", &json!([foreign]));
        let after = statements(&plan);
        assert_eq!(after[0]["Sid"], "Root");
        assert_eq!(after[1], foreign);
        let conditions: Vec<_> =
            after[2..].iter().map(|statement| (statement["Principal"].clone(), statement["Condition"].clone())).collect();
        assert_eq!(
            conditions,
            [
                (json!({"Service": "s3.amazonaws.com"}), json!({"StringEquals": {"aws:SourceAccount": "111122223333"}})),
                (json!({"Service": "sns.amazonaws.com"}), json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:111122223333:*"}})),
                (json!({"Service": "events.amazonaws.com"}), Value::Null),
                (json!({"Service": "cloudwatch.amazonaws.com"}), json!({"StringEquals": {"aws:SourceAccount": "111122223333"}})),
                (json!({"AWS": "arn:aws:iam::111122223333:role/settlement"}), Value::Null),
            ]
        );
        assert_eq!(after[6]["Action"], "kms:Decrypt");
    }

    #[test]
    fn sqs_and_firehose_mean_principals_through_the_service_and_never_a_service_principal() {
        let after = statements(&with("{services: [sqs, firehose]}", &json!([])));
        for (statement, endpoint) in after[1..].iter().zip(["sqs.us-east-1.amazonaws.com", "firehose.us-east-1.amazonaws.com"]) {
            assert_eq!(statement["Principal"], json!({"AWS": "*"}));
            assert_eq!(statement["Condition"], json!({"StringEquals": {"kms:ViaService": endpoint, "kms:CallerAccount": "111122223333"}}));
        }
    }

    #[test]
    fn trails_and_distributions_are_narrowed_by_their_arns_and_get_what_aws_documents() {
        let after = statements(&with("{services: [cloudtrail, cloudfront]}", &json!([])));
        let said: Vec<_> = after[1..]
            .iter()
            .map(|statement| (statement["Action"].clone(), statement["Condition"]["ArnLike"]["aws:SourceArn"].clone()))
            .collect();
        assert_eq!(
            said,
            [
                (json!(["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"]), json!("arn:aws:cloudtrail:*:111122223333:trail/*")),
                (json!(["kms:GenerateDataKey*", "kms:Decrypt", "kms:Encrypt"]), json!("arn:aws:cloudfront::111122223333:distribution/*")),
            ]
        );
    }

    #[test]
    fn what_is_there_in_another_form_is_not_written_again() {
        let theirs = json!([{"Sid": "Writers", "Effect": "Allow", "Principal": {"AWS": [INGEST, "arn:aws:iam::111122223333:role/other"]}, "Action": ["kms:Generate*", "kms:Decrypt"], "Resource": "*"},
            {"Effect": "Allow", "Principal": {"Service": ["s3.amazonaws.com"]}, "Action": "kms:*", "Resource": [KEY], "Condition": {"StringLike": {"AWS:SourceAccount": ["111122223333"]}}}]);
        let plan = with(&format!("{{services: [s3], producers: ['{INGEST}']}}"), &theirs);
        assert_eq!(state(&plan, DOCUMENT), State::Compliant);
    }

    #[test]
    fn a_statement_for_one_bucket_is_not_a_statement_for_all() {
        let theirs = json!([{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:*", "Resource": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::one"}}}]);
        assert_eq!(statements(&with("{services: [s3]}", &theirs)).len(), 3);
    }

    #[test]
    fn the_delegation_is_not_taken_for_a_grant_and_is_neither_added_nor_removed() {
        let alone = plan(
            &format!(", usableBy: {{producers: ['{INGEST}']}}"),
            &json!({"document": crate::fixtures::document(&json!([
            {"Sid": "Admin", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"}, "Action": "kms:*", "Resource": "*"}]))}),
        );
        let sids: Vec<_> = statements(&alone).iter().map(|statement| statement["Sid"].as_str().unwrap().to_owned()).collect();
        assert_eq!(sids, ["Admin", "EversealProducers"]);
        let delegated = statements(&with(&format!("{{producers: ['{INGEST}']}}"), &json!([])));
        assert_eq!(delegated[0]["Principal"], json!({"AWS": "arn:aws:iam::111122223333:root"}));
    }

    #[test]
    fn ours_is_extended_and_never_narrowed() {
        let ours = json!([{"Sid": "EversealProducers", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/former"}, "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"}]);
        let plan = with(&format!("{{producers: ['{INGEST}']}}"), &ours);
        let after = statements(&plan);
        assert_eq!(after.len(), 2);
        assert_eq!(after[1]["Principal"], json!({"AWS": ["arn:aws:iam::111122223333:role/former", INGEST]}));
        assert!(finding(&plan, DOCUMENT).notes[0].contains("role/former"));
    }

    #[test]
    fn ours_that_somebody_widened_stays_and_gets_a_neighbour() {
        let ours = json!([{"Sid": "EversealConsumers", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/former"}, "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*"}]);
        let after = statements(&with(&format!("{{consumers: ['{INGEST}']}}"), &ours));
        assert_eq!(after[1], ours[0]);
        assert_eq!((&after[2]["Sid"], &after[2]["Principal"]), (&json!("EversealConsumersNumber2"), &json!({"AWS": INGEST})));
    }

    #[test]
    fn a_second_plan_after_the_write_has_nothing_to_do() {
        let usable_by = format!(
            "{{services: [s3, sns, sqs, firehose, kinesis, rds, events, cloudtrail, cloudfront, 'events.rds'], producers: ['{INGEST}'], consumers: ['arn:aws:iam::444455556666:root']}}"
        );
        let first = with(&usable_by, &json!([]));
        let after = change(&first, DOCUMENT)["keyDocument"]["after"].clone();
        let second = plan(&format!(", usableBy: {usable_by}"), &json!({ "document": after }));
        assert_eq!(state(&second, DOCUMENT), State::Compliant, "{:?}", finding(&second, DOCUMENT));
    }

    #[test]
    fn a_created_key_needs_nothing_more() {
        let usable_by = format!("{{services: [s3, sns, sqs, events, rds], producers: ['{INGEST}']}}");
        let created = plan_missing(&format!("keys: [{{alias: alias/finance, usableBy: {usable_by}}}]"), &json!({}));
        let document = change(&created, EXISTS)["createKey"]["document"].clone();
        let second = plan(&format!(", usableBy: {usable_by}"), &json!({ "document": document }));
        assert_eq!(state(&second, DOCUMENT), State::Compliant);
    }

    #[test]
    fn somebodys_deny_is_left_to_a_person() {
        let deny = json!([{"Sid": "No", "Effect": "Deny", "Principal": {"AWS": INGEST}, "Action": "kms:Decrypt", "Resource": "*"}]);
        let plan = with(&format!("{{producers: ['{INGEST}']}}"), &deny);
        let actions: Vec<_> = plan.steps.iter().map(|step| step.action.as_str()).collect();
        assert_eq!(actions, ["PutKeyPolicy", "Manual"]);
        let after = statements_of(&plan);
        assert!(after.contains("\"Sid\":\"No\""), "{after}");
        let again = super::plan(&format!(", usableBy: {{producers: ['{INGEST}']}}"), &json!({ "document": after }));
        let actions: Vec<_> = again.steps.iter().map(|step| step.action.as_str()).collect();
        assert_eq!(actions, ["Manual"], "the statement is not written a second time");
    }

    fn statements_of(plan: &Plan) -> String {
        let written = plan.steps.iter().find_map(|step| match &step.change {
            Some(Change::KeyDocument { after, .. }) => Some(after.clone()),
            _ => None,
        });
        written.unwrap()
    }

    #[test]
    fn a_document_that_kms_would_refuse_is_not_written() {
        let theirs = json!([{"Sid": "x".repeat(33_000), "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"}, "Action": "kms:*", "Resource": "*"}]);
        let plan = with(&format!("{{producers: ['{INGEST}']}}"), &theirs);
        assert_eq!(gate(&plan, DOCUMENT), Some(Gate::DocumentSize));
    }

    #[test]
    fn what_cannot_be_read_or_parsed_is_never_overwritten() {
        for document in [denied("GetKeyPolicy", "kms:GetKeyPolicy"), json!("{not json")] {
            let plan = plan(&format!(", usableBy: {{producers: ['{INGEST}']}}"), &json!({ "document": document }));
            assert_eq!(state(&plan, DOCUMENT), State::Unknown);
            assert!(plan.steps.is_empty());
        }
    }

    #[test]
    fn without_usable_by_the_document_is_unmanaged() {
        assert!(plan("", &json!({})).findings.iter().all(|finding| finding.check != DOCUMENT));
    }

    #[test]
    fn other_steps_see_the_document_as_it_will_be() {
        let stream_arn = "arn:aws:firehose:us-east-1:111122223333:deliverystream/s";
        let stream = json!({stream_arn: {"arn": stream_arn, "name": "s", "description": {"streamType": "DirectPut", "status": "ACTIVE", "versionId": "1", "encryption": {"status": "DISABLED"}}}});
        let inventory = inventory(&json!([]), &json!({"deliveryStreams": stream}));
        let rule = format!(
            "{{keys: [{{alias: alias/finance, usableBy: {{producers: ['{INGEST}']}}}}], firehose: [{{name: r, atRest: {{keyType: CUSTOMER_MANAGED_CMK, key: alias/finance}}}}]}}"
        );
        let plan = planned(&rule, &inventory);
        let document = step(&plan, DOCUMENT).id.clone();
        assert_eq!(step(&plan, Check::FirehoseEncryption).needs, [document]);
        assert_eq!(gate(&plan, Check::FirehoseEncryption), None);
    }
}

#[test]
fn the_key_is_named_by_its_arn_whatever_the_case_of_its_id() {
    let plan = plan("", &json!({}));
    assert!(finding(&plan, EXISTS).actual.contains(KEY_ID));
}

#[test]
fn documents_of_ours_parse() {
    assert!(Document::parse(&key_document(&json!([]))).is_ok());
}

mod deleted_principals {
    use super::*;

    const GONE: &str = "AROAEXAMPLEID00000001";
    const INGEST: &str = "arn:aws:iam::111122223333:role/ingest";

    fn with_statement(sid: &str) -> Plan {
        let statement =
            json!([{"Sid": sid, "Effect": "Allow", "Principal": {"AWS": [GONE, INGEST]}, "Action": "kms:Decrypt", "Resource": "*"}]);
        plan(
            ", usableBy: {consumers: ['arn:aws:iam::111122223333:role/ingest', 'arn:aws:iam::111122223333:role/reader']}",
            &json!({"document": key_document(&statement)}),
        )
    }

    #[test]
    fn the_id_of_a_deleted_role_leaves_our_own_statement_with_the_next_write() {
        let plan = with_statement("EversealConsumers");
        let step = plan.steps.iter().find(|step| step.check == Check::KmsKeyDocument).unwrap();
        let Some(Change::KeyDocument { after, .. }) = &step.change else { panic!() };
        assert!(step.gate.is_none() && !after.contains(GONE) && after.contains(INGEST), "{after}");
    }

    #[test]
    fn in_a_foreign_statement_it_is_left_to_a_person() {
        let plan = with_statement("Foreign");
        let step = plan.steps.iter().find(|step| step.check == Check::KmsKeyDocument).unwrap();
        let gate = step.gate.as_ref().unwrap();
        assert_eq!(gate.name, Gate::Manual);
        assert!(gate.reason.contains(GONE), "{}", gate.reason);
    }
}
