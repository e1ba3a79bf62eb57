//! Broken policies, and exactly what is said about each.
//!
//! A `§` stands before every place that something must be said about; it is taken out before the text
//! is loaded. The list beside the text has the YAML path and a part of the words, in the same order.

use super::*;

type Said = (&'static str, &'static str);

/// Text without its marks, and their places.
fn unmark(text: &str) -> (String, Vec<(usize, usize)>) {
    let (mut plain, mut places) = (String::new(), Vec::new());
    let (mut line, mut column) = (1, 1);
    for c in text.chars() {
        match c {
            '§' => places.push((line, column)),
            '\n' => (line, column) = (line + 1, 1),
            _ => column += 1,
        }
        if c != '§' {
            plain.push(c);
        }
    }
    (plain, places)
}

fn says(text: &str, expected: &[Said]) {
    let (text, places) = unmark(text);
    assert_eq!(places.len(), expected.len(), "the case itself is wrong: one mark for each expectation\n{text}");
    let found = match load_one(&text) {
        Ok(loaded) => loaded.warnings,
        Err(found) => found,
    };
    let all = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let context = format!("in\n{text}\nfound\n{all}");
    assert_eq!(found.len(), expected.len(), "{context}");
    for ((diagnostic, place), (path, fragment)) in found.iter().zip(places).zip(expected) {
        assert_eq!(((diagnostic.line, diagnostic.column), diagnostic.path.as_str()), (place, *path), "{context}");
        let words = diagnostic.to_string();
        assert!(words.contains(fragment), "`{fragment}` is not in what was said\n{context}");
    }
}

/// Each case is a `spec`.
fn specs_say(cases: &[(&str, &[Said])]) {
    for (spec, expected) in cases {
        says(&with_spec(spec), expected);
    }
}

#[test]
fn files_that_are_not_yaml() {
    let cases: &[(&str, &[Said])] = &[
        ("§", &[("", "no policy in this file")]),
        ("§# only a comment\n---\n---\n", &[("", "no policy in this file")]),
        ("a: 1\nspec:\n\t§s3: []\n", &[("spec", "indent with spaces")]),
        ("apiVersion: §\"everseal", &[("apiVersion", "a quote or bracket is opened here and never closed")]),
        ("metadata: name§: x\n", &[("", "put a text that contains `: ` in quotes")]),
        ("spec: { s3: [ { name: §*nobody } ] }\n", &[("spec.s3[0].name", "needs an anchor (`&name`) before it in the same document")]),
        ("spec: &a { s3: [ §*a ] }\n", &[("spec.s3[0]", "inside the value that it refers to")]),
        ("spec: { s3: [ 1\n§---\n", &[("spec.s3[1]", "check indentation, quotes and brackets up to here")]),
    ];
    for (text, expected) in cases {
        let (text, places) = unmark(text);
        let found = load_one(&text).unwrap_err();
        let last = found.last().unwrap();
        let (path, fragment) = expected[0];
        let all = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert_eq!(((last.line, last.column), last.path.as_str()), (places[0], path), "in\n{text}\nfound\n{all}");
        assert!(last.message.contains(fragment), "in\n{text}\nfound\n{all}");
    }
}

#[test]
fn documents_that_are_no_policies() {
    says("§just text\n", &[("", "a mapping (`field: value`) is wanted here, not text")]);
    says("§- a\n", &[("", "is wanted here, not a list")]);
    says(
        "§§§spec: { s3: [ { name: a } ] }\n",
        &[
            ("", "`apiVersion` is missing: write `apiVersion: everseal.io/v1`"),
            ("", "`kind` is missing: write `kind: EncryptionPolicy`"),
            ("", "`metadata` is missing"),
        ],
    );
    says(
        "apiVersion: §everseal.io/v2\nkind: §EncryptionPolice\nmetadata: { name: x }\nspec: { s3: [ { name: a } ] }\n",
        &[
            ("apiVersion", "`everseal.io/v2` is not known here; write `everseal.io/v1` (did you mean `everseal.io/v1`?)"),
            ("kind", "write `EncryptionPolicy` (did you mean `EncryptionPolicy`?)"),
        ],
    );
    says(
        "apiVersion: §v1\nkind: §ConfigMap\nmetadata: { name: x, namespace: y }\ndata: {}\n",
        &[("apiVersion", "write `everseal.io/v1`"), ("kind", "write `EncryptionPolicy`")],
    );
    says(
        "apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: { name: §\"\", labels: { year: §2026 } }\nspec: { s3: [ { name: a } ] }\n",
        &[("metadata.name", "must not be empty"), ("metadata.labels.year", "put it in quotes: \"2026\"")],
    );
    says("apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: { name: x }\n§spec:\n", &[("spec", "the value is empty")]);
}

#[test]
fn fields_and_words_that_do_not_exist() {
    specs_say(&[
        (
            "  s3: [ { name: a, §atrest: { algorithm: AES256 } } ]",
            &[(
                "spec.s3[0].atrest",
                "unknown field `atrest`; known here: name, match, mode, atRest, inTransit, existingObjects, website (did you mean `atRest`?)",
            )],
        ),
        ("  §buckets: []\n  s3: [ { name: a } ]", &[("spec.buckets", "unknown field `buckets`")]),
        ("  mode: §enforced\n  s3: [ { name: a } ]", &[("spec.mode", "write `audit` or `enforce` (did you mean `enforce`?)")]),
        ("  mode: §Audit\n  s3: [ { name: a } ]", &[("spec.mode", "(did you mean `audit`?)")]),
        (
            "  s3: [ { name: a, atRest: { algorithm: §aws-kms, key: alias/a } } ]",
            &[("spec.s3[0].atRest.algorithm", "(did you mean `aws:kms`?)")],
        ),
        (
            "  sqs: [ { name: a, atRest: { encryption: §SSE_SQS } } ]",
            &[("spec.sqs[0].atRest.encryption", "write `SSE-KMS` or `SSE-SQS` (did you mean `SSE-SQS`?)")],
        ),
        (
            "  s3: [ { name: a, atRest: { algorithm: AES256, blockedEncryptionTypes: [§NONE] } } ]",
            &[("spec.s3[0].atRest.blockedEncryptionTypes[0]", "write `SSE-C`")],
        ),
        (
            "  keys: [ { alias: alias/a, heal: [§delete, enable, §enable] } ]",
            &[("spec.keys[0].heal[0]", "write `enable` or `cancelDeletion`"), ("spec.keys[0].heal[2]", "`enable` is listed twice")],
        ),
        ("  rds: [ { name: a, match: { §engine: [mysql] } } ]", &[("spec.rds[0].match.engine", "(did you mean `engines`?)")]),
        ("  s3: [ { name: a, match: { §engines: [mysql] } } ]", &[("spec.s3[0].match.engines", "known here: names, tags, exclude")]),
        ("  s3: [ { name: a, §<<: { mode: audit } } ]", &[("spec.s3[0][\"<<\"]", "merge keys")]),
        // What an alias repeats is said once.
        (
            "  s3: [ { name: a, match: { names: [a] }, website: &w { public: §forbid } }, { name: b, match: { names: [b] }, website: *w } ]",
            &[("spec.s3[0].website.public", "write `report` or `enforce`")],
        ),
    ]);
}

#[test]
fn kinds_that_are_wrong() {
    specs_say(&[
        ("  s3: §{ name: a }", &[("spec.s3", "a list (`[a, b]`, or lines that begin with `- `) is wanted here, not a mapping")]),
        ("  s3: [ §a ]", &[("spec.s3[0]", "a mapping (`field: value`) is wanted here, not text")]),
        ("  s3: [ { name: a, match: { names: §a } } ]", &[("spec.s3[0].match.names", "is wanted here, not text")]),
        ("  s3: [ { name: §[a] } ]", &[("spec.s3[0].name", "text is wanted here, not a list")]),
        ("  §s3:\n  sqs: [ { name: a } ]", &[("spec.s3", "the value is empty; write a list")]),
        ("  s3: [ { name: §~ } ]", &[("spec.s3[0].name", "the value is empty; write text")]),
        ("  s3: [ §{ mode: audit } ]", &[("spec.s3[0]", "`name` is missing")]),
        (
            "  scopes: { accounts: [ { id: §111122223333 } ] }\n  s3: [ { name: a } ]",
            &[("spec.scopes.accounts[0].id", "without quotes YAML reads 111122223333 as a number; put it in quotes: \"111122223333\"")],
        ),
        (
            "  s3: [ { name: a, inTransit: { minimumTlsVersion: §1.2 } } ]",
            &[("spec.s3[0].inTransit.minimumTlsVersion", "put it in quotes: \"1.2\"")],
        ),
        (
            "  s3: [ { name: a, inTransit: { minimumTlsVersion: §1.1 } } ]",
            &[("spec.s3[0].inTransit.minimumTlsVersion", "write `1.2` or `1.3`")],
        ),
        (
            "  s3: [ { name: a, inTransit: { denyInsecureTransport: §yes } } ]",
            &[("spec.s3[0].inTransit.denyInsecureTransport", "without quotes, not `yes` (did you mean `true`?)")],
        ),
        (
            "  s3: [ { name: a, inTransit: { denyInsecureTransport: §\"false\" } } ]",
            &[("spec.s3[0].inTransit.denyInsecureTransport", "(did you mean `false`?)")],
        ),
        (
            "  s3: [ { name: a, inTransit: { denyInsecureTransport: §1 } } ]",
            &[("spec.s3[0].inTransit.denyInsecureTransport", "`true` or `false` is wanted here, not a number")],
        ),
        (
            "  s3: [ { name: a, match: { tags: { public: §true } } } ]",
            &[("spec.s3[0].match.tags.public", "reads true as true or false; put it in quotes: \"true\"")],
        ),
        ("  s3: [ { name: a, match: { tags: { \"a.b\": §1e3 } } } ]", &[("spec.s3[0].match.tags[\"a.b\"]", "put it in quotes: \"1e3\"")]),
        (
            "  limits: { maxChangesPerCycle: §\"50\" }\n  s3: [ { name: a } ]",
            &[("spec.limits.maxChangesPerCycle", "quotes make it text; write 50")],
        ),
        (
            "  limits: { maxChangesPerCycle: §many }\n  s3: [ { name: a } ]",
            &[("spec.limits.maxChangesPerCycle", "a whole number from 1 to 4294967295 is wanted here, not text")],
        ),
        (
            "  limits: { maxChangesPercent: §12.5 }\n  s3: [ { name: a } ]",
            &[("spec.limits.maxChangesPercent", "a whole number from 1 to 100 is wanted here, not a number")],
        ),
        ("  s3: [ { name: §!!str a } ]", &[("spec.s3[0].name", "YAML tags")]),
        ("  s3: [ { ? §[a] : b, name: a } ]", &[("spec.s3[0]", "a field's name must be text")]),
    ]);
}

#[test]
fn fields_that_stand_twice() {
    says(
        "apiVersion: everseal.io/v1\nkind: EncryptionPolicy\nmetadata: { name: x }\nspec:\n  s3: [ { name: a, mode: audit, §mode: audit } ]\n§spec: {}\n",
        &[("spec.s3[0].mode", "`mode` stands twice, on line 5 and on line 5"), ("spec", "`spec` stands twice, on line 4 and on line 6")],
    );
}

#[test]
fn numbers_and_lists_out_of_range() {
    specs_say(&[
        (
            "  keys: [ { alias: alias/a, rotation: { enabled: true, periodInDays: §89 } } ]",
            &[("spec.keys[0].rotation.periodInDays", "89 is out of range; write a whole number from 90 to 2560")],
        ),
        (
            "  keys: [ { alias: alias/a, rotation: { enabled: true, periodInDays: §2561 } } ]",
            &[("spec.keys[0].rotation.periodInDays", "out of range")],
        ),
        (
            "  sqs: [ { name: a, atRest: { encryption: SSE-KMS, key: alias/a, dataKeyReuseSeconds: §59 } } ]",
            &[("spec.sqs[0].atRest.dataKeyReuseSeconds", "from 60 to 86400")],
        ),
        (
            "  sqs: [ { name: a, atRest: { encryption: SSE-KMS, key: alias/a, dataKeyReuseSeconds: §86401 } } ]",
            &[("spec.sqs[0].atRest.dataKeyReuseSeconds", "from 60 to 86400")],
        ),
        (
            "  limits: { maxChangesPerCycle: §0, maxChangesPercent: §101 }\n  s3: [ { name: a } ]",
            &[("spec.limits.maxChangesPerCycle", "0 is out of range"), ("spec.limits.maxChangesPercent", "from 1 to 100")],
        ),
        ("  limits: { maxChangesPercent: §-1 }\n  s3: [ { name: a } ]", &[("spec.limits.maxChangesPercent", "from 1 to 100")]),
        (
            "  limits: { maxChangesPerCycle: §99999999999999999999 }\n  s3: [ { name: a } ]",
            &[("spec.limits.maxChangesPerCycle", "out of range")],
        ),
        ("  s3: [ { name: a, match: { names: §[] } } ]", &[("spec.s3[0].match.names", "an empty list matches nothing")]),
        ("  s3: [ { name: a, match: { names: [§\"\"] } } ]", &[("spec.s3[0].match.names[0]", "must not be empty")]),
        ("  rds: [ { name: a, match: { engines: §[] } } ]", &[("spec.rds[0].match.engines", "an empty list matches nothing")]),
        ("  s3: [ { name: §\" \" } ]", &[("spec.s3[0].name", "must not be empty")]),
    ]);
}

#[test]
fn combinations_that_aws_does_not_have() {
    specs_say(&[
        (
            "  s3: [ { name: a, atRest: { algorithm: AES256, key: §alias/a, bucketKey: §true } } ]",
            &[("spec.s3[0].atRest.key", "AES256 takes no key"), ("spec.s3[0].atRest.bucketKey", "AES256 makes none")],
        ),
        (
            "  s3: [ { name: a, atRest: { algorithm: \"aws:kms:dsse\", bucketKey: §false } } ]",
            &[("spec.s3[0].atRest.bucketKey", "no bucket keys with aws:kms:dsse")],
        ),
        (
            "  sqs: [ { name: a, atRest: { encryption: SSE-SQS, key: §alias/a, dataKeyReuseSeconds: §300 } } ]",
            &[("spec.sqs[0].atRest.key", "SSE-SQS takes no key"), ("spec.sqs[0].atRest.dataKeyReuseSeconds", "no data keys to reuse")],
        ),
        ("  sqs: [ { name: a, atRest: §{ encryption: SSE-KMS } } ]", &[("spec.sqs[0].atRest", "SSE-KMS needs a key")]),
        (
            "  firehose: [ { name: a, atRest: §{ keyType: CUSTOMER_MANAGED_CMK } } ]",
            &[("spec.firehose[0].atRest", "CUSTOMER_MANAGED_CMK needs a key")],
        ),
        (
            "  firehose: [ { name: a, atRest: { keyType: AWS_OWNED_CMK, key: §alias/a } } ]",
            &[("spec.firehose[0].atRest.key", "AWS_OWNED_CMK takes no key")],
        ),
        ("  keys: [ { alias: alias/a, replicaRegions: §[eu-west-1] } ]", &[("spec.keys[0].replicaRegions", "add `multiRegion: true`")]),
        (
            "  scopes: { regions: [us-east-1] }\n  keys: [ { alias: alias/a, multiRegion: true, replicaRegions: [§us-east-1, eu-west-1, §eu-west-1] } ]",
            &[("spec.keys[0].replicaRegions[0]", "where the primary key lives"), ("spec.keys[0].replicaRegions[2]", "listed twice")],
        ),
        (
            "  scopes: { accounts: [ { id: \"111122223333\", roleArn: §\"arn:aws:iam::444455556666:role/everseal\" } ] }\n  s3: [ { name: a } ]",
            &[("spec.scopes.accounts[0].roleArn", "belongs to account 444455556666")],
        ),
        // A wrong key is not a missing one, and a wrong field does not hide what else is wrong.
        ("  sqs: [ { name: a, atRest: { encryption: SSE-KMS, key: §5 } } ]", &[("spec.sqs[0].atRest.key", "put it in quotes")]),
        ("  sqs: [ { name: a, atRest: { encryption: SSE-KMS, §kee: alias/a } } ]", &[("spec.sqs[0].atRest.kee", "(did you mean `key`?)")]),
        (
            "  keys: [ { alias: alias/a, §multiregion: true, replicaRegions: [eu-west-1, §moon] } ]",
            &[("spec.keys[0].multiregion", "(did you mean `multiRegion`?)"), ("spec.keys[0].replicaRegions[1]", "not a region's name")],
        ),
    ]);
    says(
        &with_spec("  s3: [ §{ §nam: a, atRest: { algorithm: AES256, key: §alias/a } } ]"),
        &[
            ("spec.s3[0]", "`name` is missing"),
            ("spec.s3[0].nam", "(did you mean `name`?)"),
            ("spec.s3[0].atRest.key", "AES256 takes no key"),
        ],
    );
}

#[test]
fn references_to_keys() {
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    for good in [
        "alias/elsewhere",
        arn,
        "arn:aws-cn:kms:cn-north-1:111122223333:alias/team/a",
        "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
    ] {
        says(&with_spec(&format!("  sns: [ {{ name: a, atRest: {{ key: \"{good}\" }} }} ]")), &[]);
    }
    let long = "  kinesis: [ { name: a, atRest: { key: §KEY } } ]";
    for (bad, fragment) in [
        ("finance", "no key: write an alias (`alias/finance`) or a key's ARN"),
        ("finance", "(did you mean `alias/finance`?)"),
        ("alias/", "is not an alias"),
        ("\"alias/a b\"", "is not an alias"),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", "a key's id alone"),
        ("mrk-1234abcd12ab34cd56ef1234567890ab", "a key's id alone"),
        ("\"arn:aws:kms:eu-west-1:111122223333:key/\"", "is no key"),
        ("\"arn:aws:kms:eu-west-1:1111:key/a\"", "not an account id"),
        ("\"arn:aws:kms::111122223333:key/a\"", "not a region's name"),
        ("\"arn:aws:s3:::bucket\"", "names something of s3"),
        ("alias/aws/s3", "write alias/aws/kinesis or a customer managed key"),
    ] {
        says(&with_spec(&long.replace("KEY", bad)), &[("spec.kinesis[0].atRest.key", fragment)]);
    }
    specs_say(&[
        (
            "  sqs: [ { name: a, atRest: { encryption: SSE-KMS, key: §alias/aws/sqs } } ]",
            &[("spec.sqs[0].atRest.key", "S3, SNS and EventBridge could not send to the queue any more")],
        ),
        (
            "  sns: [ { name: a, atRest: { key: §alias/aws/sns } } ]",
            &[("spec.sns[0].atRest.key", "CloudWatch and EventBridge could not publish")],
        ),
        (
            "  sns: [ { name: a, atRest: { key: §\"arn:aws:kms:eu-west-1:111122223333:alias/aws/sns\" } } ]",
            &[("spec.sns[0].atRest.key", "alias/aws/sns is an AWS-managed key")],
        ),
        (
            "  firehose: [ { name: a, atRest: { keyType: CUSTOMER_MANAGED_CMK, key: §alias/aws/firehose } } ]",
            &[("spec.firehose[0].atRest.key", "wants a key of yours")],
        ),
        (
            "  rds: [ { name: a, atRest: { encrypted: true, key: alias/aws/rds } } ]\n  s3: [ { name: a, atRest: { algorithm: \"aws:kms\", key: alias/aws/s3 } } ]\n  kinesis: [ { name: a, atRest: { key: alias/aws/kinesis } } ]",
            &[],
        ),
        (
            "  firehose: [ { name: a, destination: { requireEncryption: true, key: §nokey! } } ]",
            &[("spec.firehose[0].destination.key", "no key: write an alias")],
        ),
        ("  rds: [ { name: a, atRest: { encrypted: true, key: §alias/aws/ebs } } ]", &[("spec.rds[0].atRest.key", "alias/aws/rds")]),
    ]);
}

#[test]
fn keys_scopes_and_principals() {
    specs_say(&[
        ("  keys: [ { alias: §alias/aws/s3 } ]", &[("spec.keys[0].alias", "AWS-managed key, which nobody can create")]),
        ("  keys: [ { alias: §finance } ]", &[("spec.keys[0].alias", "(did you mean `alias/finance`?)")]),
        ("  keys:\n    - alias: alias/a\n    - alias: §alias/a", &[("spec.keys[1].alias", "alias/a is listed on line 6 already")]),
        (
            "  keys: [ { alias: alias/a, usableBy: { services: [§cloudwach, s3, §s3.amazonaws.com, §s3] } } ]",
            &[
                ("spec.keys[0].usableBy.services[0]", "(did you mean `cloudwatch`?)"),
                ("spec.keys[0].usableBy.services[2]", "(did you mean `s3`?)"),
                ("spec.keys[0].usableBy.services[3]", "listed twice"),
            ],
        ),
        (
            "  keys: [ { alias: alias/a, usableBy: { producers: [§ingest], consumers: [§\"arn:aws:iam::111122223333:role/*\", \"arn:aws:iam::111122223333:role/a\"] } } ]",
            &[
                ("spec.keys[0].usableBy.producers[0]", "is not the ARN of a principal"),
                ("spec.keys[0].usableBy.consumers[0]", "takes no patterns"),
            ],
        ),
        (
            "  scopes: { regions: [§us-east-1a, §US-East-1, §moon, eu-west-1, §eu-west-1] }\n  s3: [ { name: a } ]",
            &[
                ("spec.scopes.regions[0]", "availability zone; write its region (did you mean `us-east-1`?)"),
                ("spec.scopes.regions[1]", "(did you mean `us-east-1`?)"),
                ("spec.scopes.regions[2]", "not a region's name"),
                ("spec.scopes.regions[4]", "region eu-west-1 is listed twice"),
            ],
        ),
        (
            "  scopes: { accounts: [ { id: §\"1111\" }, { id: \"111122223333\" }, { id: §\"111122223333\" } ] }\n  s3: [ { name: a } ]",
            &[
                ("spec.scopes.accounts[0].id", "twelve digits, in quotes"),
                ("spec.scopes.accounts[2].id", "account 111122223333 is listed on line 5 already"),
            ],
        ),
        (
            "  scopes: { accounts: [ { id: \"111122223333\", roleArn: §everseal, externalId: §\"a b\" } ] }\n  s3: [ { name: a } ]",
            &[("spec.scopes.accounts[0].roleArn", "not the ARN of a role"), ("spec.scopes.accounts[0].externalId", "2 to 1224")],
        ),
        (
            "  scopes: { accounts: [ { id: \"111122223333\", roleArn: §\"arn:aws:iam::111122223333:user/a\" } ] }\n  s3: [ { name: a } ]",
            &[("spec.scopes.accounts[0].roleArn", "not the ARN of a role")],
        ),
    ]);
    says(
        &with_spec("  s3: [ { name: a, match: { names: [a] } }, { name: §a, match: { names: [b] } } ]"),
        &[("spec.s3[1].name", "rule `a` stands on line 5 already")],
    );
}

#[test]
fn exemptions() {
    let with = |exemption: &str| with_spec(&format!("  s3: [ {{ name: a }} ]\n  exemptions:\n    - {exemption}"));
    for (exemption, expected) in [
        ("{ resource: \"arn:aws:s3:::b\", checks: [s3-encryption], reason: x }", &[][..]),
        ("{ resource: \"*\", checks: [s3-encryption, sqs-encryption, path-sealed], reason: x, expires: 2026-11-24 }", &[]),
        ("{ resource: \"arn:aws:sqs:*\", checks: [sqs-encryption], reason: x }", &[]),
        ("{ resource: \"arn:*:sqs:*:*:legacy-*\", checks: [sqs-encryption], reason: x }", &[]),
        ("{ resource: \"arn:aws:s*\", checks: [sqs-encryption, sns-encryption], reason: x }", &[]),
        ("{ resource: §legacy, checks: [s3-encryption], reason: x }", &[("spec.exemptions[0].resource", "`legacy` is not an ARN")]),
        ("{ resource: §\"legacy-*\", checks: [s3-encryption], reason: x }", &[("spec.exemptions[0].resource", "is not an ARN")]),
        ("{ resource: §\"arn:aws:s3\", checks: [s3-encryption], reason: x }", &[("spec.exemptions[0].resource", "is not an ARN")]),
        (
            "{ resource: §\"arn:aws:ec2:eu-west-1:111122223333:instance/i-1\", checks: [s3-encryption], reason: x }",
            &[("spec.exemptions[0].resource", "judges nothing of `ec2`")],
        ),
        (
            "{ resource: \"arn:aws:s3:::b\", checks: [§s3-secure-transprt], reason: x }",
            &[("spec.exemptions[0].checks[0]", "(did you mean `s3-secure-transport`?)")],
        ),
        (
            "{ resource: \"arn:aws:s3:::b\", checks: [§sqs-encryption], reason: x }",
            &[(
                "spec.exemptions[0].checks[0]",
                "never judges a resource of s3; its checks are s3-encryption, s3-secure-transport, s3-existing-objects",
            )],
        ),
        (
            "{ resource: \"arn:aws:s3:::b\", checks: §[], reason: §\"\" }",
            &[("spec.exemptions[0].checks", "an empty list"), ("spec.exemptions[0].reason", "must not be empty")],
        ),
        (
            "{ resource: \"arn:aws:s3:::b\", checks: [s3-encryption, §s3-encryption], reason: x }",
            &[("spec.exemptions[0].checks[1]", "listed twice")],
        ),
        ("§{ resource: \"arn:aws:s3:::b\", checks: [s3-encryption] }", &[("spec.exemptions[0]", "`reason` is missing")]),
        (
            "{ resource: \"arn:aws:s3:::b\", checks: [s3-encryption], reason: x, expires: §31.05.2027 }",
            &[("spec.exemptions[0].expires", "YYYY-MM-DD")],
        ),
        (
            "{ resource: \"arn:aws:s3:::b\", checks: [s3-encryption], reason: x, expires: §2027-02-30 }",
            &[("spec.exemptions[0].expires", "`2027-02-30` is not a day")],
        ),
        (
            "{ resource: \"arn:aws:s3:::b\", checks: [s3-encryption], reason: x, expires: §2026-11-23 }",
            &[("spec.exemptions[0].expires", "warning: spec.exemptions[0].expires: this exemption ended yesterday and no longer holds")],
        ),
        (
            "{ resource: \"arn:aws:s3:::b\", checks: [s3-encryption], reason: x, expires: §2025-11-24 }",
            &[("spec.exemptions[0].expires", "ended 365 days ago")],
        ),
    ] {
        says(&with(exemption), expected);
    }
}

#[test]
fn what_does_nothing_is_a_warning() {
    let cases: &[(&str, &[Said])] = &[
        ("  §{}", &[("spec", "manages nothing")]),
        ("  s3: [ { name: a, mode: §enforce } ]", &[("spec.s3[0].mode", "this policy is in audit mode")]),
        ("  mode: enforce\n  s3: [ { name: a, mode: enforce } ]", &[]),
        (
            "  keys: [ { alias: alias/a, rotation: { enabled: §false } } ]",
            &[("spec.keys[0].rotation.enabled", "`enabled: false` does nothing")],
        ),
        ("  rds: [ { name: a, atRest: { encrypted: §false } } ]", &[("spec.rds[0].atRest.encrypted", "`encrypted: false` does nothing")]),
        (
            "  s3: [ { name: a, existingObjects: { action: §reencrypt } } ]",
            &[("spec.s3[0].existingObjects.action", "`reencrypt` acts as `report`")],
        ),
        (
            "  rds: [ { name: a, inTransit: { requireTls: true, caBundle: §/etc/rds.pem } } ]",
            &[("spec.rds[0].inTransit.caBundle", "used by `verify: true`")],
        ),
        ("  rds: [ { name: a, inTransit: { verify: true, caBundle: /etc/rds.pem } } ]", &[]),
        ("  rds: [ { name: a, inTransit: { requireTls: true, verify: true } } ]", &[]),
        (
            "  rds: [ { name: a, inTransit: { caCertificate: §rds-ca-2019 } } ]",
            &[("spec.rds[0].inTransit.caCertificate", "expired in August 2024")],
        ),
        (
            "  rds: [ { name: a, inTransit: { caCertificate: §rds-ca-rsa2048 } } ]",
            &[("spec.rds[0].inTransit.caCertificate", "(did you mean `rds-ca-rsa2048-g1`?)")],
        ),
        (
            "  firehose: [ { name: a, destination: { key: §alias/a } } ]",
            &[("spec.firehose[0].destination.key", "without `requireEncryption: true` nothing is judged")],
        ),
        (
            "  rds: [ { name: a, match: { engines: [§postgresql, aurora-*, neptune] } } ]",
            &[("spec.rds[0].match.engines[0]", "(did you mean `postgres`?)")],
        ),
        (
            "  scopes: { accounts: [ { id: \"111122223333\", externalId: §abc } ] }\n  s3: [ { name: a } ]",
            &[("spec.scopes.accounts[0].externalId", "does nothing")],
        ),
        (
            "  s3: [ { name: a, match: { names: [§\"arn:aws:s3:::a\", b], exclude: [§\"arn:aws:s3:::c\"] } } ]",
            &[("spec.s3[0].match.names[0]", "can never match"), ("spec.s3[0].match.exclude[0]", "can never match")],
        ),
    ];
    for (spec, expected) in cases {
        says(&with_spec(spec), expected);
        assert!(load_one(&unmark(&with_spec(spec)).0).is_ok(), "warnings stop nobody: {spec}");
    }
}

#[test]
fn rules_that_are_never_reached() {
    let rules = |first: &str, second: &str| {
        with_spec(&format!("  rds:\n    - {{ name: first, match: {first} }}\n    - §{{ name: second, match: {second} }}"))
    };
    for (first, second) in [
        ("{}", "{}"),
        ("{ names: [\"*\"] }", "{ names: [a] }"),
        ("{ names: [\"fin-*\", \"pay-*\"] }", "{ names: [\"pay-eu-*\", \"fin-?\"] }"),
        ("{ names: [\"fin-*\"] }", "{ names: [\"fin-*\"], tags: { a: b }, exclude: [x], engines: [mysql] }"),
        ("{ names: [\"*\"], exclude: [\"a-b*\"] }", "{ names: [\"*\"], exclude: [\"a-*\"] }"),
        ("{ tags: { a: \"*\" } }", "{ tags: { a: b, c: d } }"),
        ("{ engines: [\"aurora-*\"] }", "{ engines: [aurora-mysql] }"),
    ] {
        says(&rules(first, second), &[("spec.rds[1]", "this rule is never reached: rule `first` (line 6) stands before it")]);
    }
    for (first, second) in [
        ("{ names: [a] }", "{ names: [\"*\"] }"),
        ("{ names: [\"a-*\"] }", "{}"),
        ("{ tags: { a: b } }", "{}"),
        ("{ tags: { a: b } }", "{ tags: { a: \"*\" } }"),
        ("{ exclude: [a] }", "{}"),
        ("{ exclude: [\"a-*\"] }", "{ exclude: [\"a-b*\"] }"),
        ("{ engines: [mysql] }", "{ names: [a] }"),
        ("{ engines: [mysql] }", "{ engines: [mysql, postgres] }"),
    ] {
        says(&rules(first, second).replace('§', ""), &[]);
    }
    // What was taken out of a wrong rule would have made it narrower.
    says(
        &with_spec("  s3: [ { name: a, match: { §tag: { a: b } } }, { name: b } ]"),
        &[("spec.s3[0].match.tag", "(did you mean `tags`?)")],
    );
}

#[test]
fn every_service_that_a_key_document_can_name_is_known() {
    let services = "s3, sns, sqs, firehose, kinesis, rds, events, events.rds, cloudwatch, logs, delivery.logs, cloudtrail, cloudfront, lambda, ses, dms, redshift";
    says(&with_spec(&format!("  keys: [ {{ alias: alias/a, usableBy: {{ services: [{services}] }} }} ]")), &[]);
}

/// `migration` of a rule whose databases are encrypted with a key.
fn migration_says(migration: &str, expected: &[Said]) {
    let spec = format!("  rds: [ {{ name: a, atRest: {{ encrypted: true, key: alias/k, migration: {migration} }} }} ]");
    // The few words of a test may live as long as it does.
    let path = |field: &str| &*format!("spec.rds[0].atRest.migration{field}").leak();
    let expected: Vec<Said> = expected.iter().map(|(field, words)| (path(field), *words)).collect();
    says(&with_spec(&spec), &expected);
}

#[test]
fn migrations_that_could_never_be_made() {
    let window = "window: Sun 02:00-04:00 UTC";
    for (migration, expected) in [
        ("{ action: report }", &[][..]),
        ("{ action: prepare }", &[]),
        ("§{ action: cutover }", &[("", "`cutover` needs a window")]),
        ("{ action: cutover, WINDOW }", &[]),
        ("{ action: cutover, window: §sunday 2:00-4:00 UTC }", &[(".window", "did you mean `Sun 02:00-04:00 UTC`")]),
        ("{ action: cutover, window: §Sun 02:00-04:00 CET }", &[(".window", "`CET` is not `UTC`")]),
        ("{ action: prepare, window: §whenever }", &[(".window", "is no window")]),
        ("{ action: prepare, keepOldFor: §a week }", &[(".keepOldFor", "is not a length of time")]),
        ("{ action: prepare, keepOldFor: §0d }", &[(".keepOldFor", "no time at all")]),
        (
            "{ action: cutover, WINDOW, approvedBy: { orders: §\"\" } }",
            &[(".approvedBy.orders", "nobody is named who approved the switch of orders")],
        ),
        ("{ action: cutover, WINDOW, approvedBy: { orders: §\" \" } }", &[(".approvedBy.orders", "nobody is named")]),
        ("§{ action: cutover, WINDOW, method: snapshot }", &[("", "must know how writes are stopped")]),
        ("{ action: cutover, WINDOW, method: blueGreen }", &[]),
        ("{ action: cutover, WINDOW, method: blueGreen, writes: §stopped-by-operator }", &[(".writes", "does nothing")]),
        ("{ action: cutover, WINDOW, method: snapshot, writes: §isolate }", &[(".writes", "add `isolationSecurityGroup: sg-…`")]),
        ("{ action: cutover, WINDOW, writes: isolate, isolationSecurityGroup: sg-0a1b2c3d }", &[]),
        (
            "{ action: cutover, WINDOW, writes: isolate, isolationSecurityGroup: §nobody }",
            &[(".isolationSecurityGroup", "is not the id of a security group")],
        ),
        ("{ action: cutover, WINDOW, isolationSecurityGroup: §sg-0a1b2c3d }", &[(".isolationSecurityGroup", "does nothing")]),
        (
            "{ action: cutover, WINDOW, writesStoppedAt: §{ orders: \"2026-11-29T02:05:00Z\" } }",
            &[(".writesStoppedAt", "only with `writes: stopped-by-operator`")],
        ),
        (
            "{ action: cutover, WINDOW, writes: stopped-by-operator, writesStoppedAt: { orders: §today } }",
            &[(".writesStoppedAt.orders", "is not a moment")],
        ),
        ("{ action: cutover, WINDOW, writes: §stopped-by-operatr }", &[(".writes", "did you mean `stopped-by-operator`")]),
    ] {
        migration_says(&migration.replace("WINDOW", window), expected);
    }
    specs_say(&[(
        "  rds: [ { name: a, atRest: { encrypted: true, migration: §{ action: prepare } } } ]",
        &[("spec.rds[0].atRest.migration", "the copy is encrypted with a key")],
    )]);
}

#[test]
fn where_a_monitoring_login_is_found_and_never_the_login_itself() {
    let rule = |monitoring: &str| format!("  rds: [ {{ name: a, inTransit: {{ requireTls: true, monitoring: {monitoring} }} }} ]");
    let (at, secret, variable) = (
        "spec.rds[0].inTransit.monitoring",
        "spec.rds[0].inTransit.monitoring.secretsManager",
        "spec.rds[0].inTransit.monitoring.environment",
    );
    let no_secret = "neither a secret's name nor its ARN";
    let cases: &[(&str, &[Said])] = &[
        ("{ secretsManager: everseal/orders }", &[]),
        ("{ secretsManager: rds!db-0a1b }", &[]),
        ("{ secretsManager: \"arn:aws:secretsmanager:eu-west-1:111122223333:secret:everseal/orders-AbCdEf\" }", &[]),
        ("{ environment: ORDERS_2 }", &[]),
        ("§{}", &[(at, "say where the login is found")]),
        ("{ secretsManager: a, environment: §A }", &[(variable, "one login is enough")]),
        ("{ secretsManager: §\"arn:aws:iam::111122223333:role/a\" }", &[(secret, no_secret)]),
        ("{ secretsManager: §\"arn:aws:secretsmanager:eu-west-1:111122223333:key:a\" }", &[(secret, no_secret)]),
        ("{ secretsManager: §'{\"username\":\"a\",\"password\":\"b\"}' }", &[(secret, "the login itself never stands in a policy")]),
        ("{ environment: §$ORDERS }", &[(variable, "NAME_USERNAME and NAME_PASSWORD")]),
        ("{ environment: §2ORDERS }", &[(variable, "not a digit first")]),
        (
            "{ §username: everseal, §password: hunter2, secretsManager: a }",
            &[
                ("spec.rds[0].inTransit.monitoring.username", "unknown field"),
                ("spec.rds[0].inTransit.monitoring.password", "unknown field"),
            ],
        ),
    ];
    for (monitoring, expected) in cases {
        says(&with_spec(&rule(monitoring)), expected);
    }
    for leaked in ["hunter2 is my password", "$hunter2"] {
        for field in ["secretsManager", "environment"] {
            let text = with_spec(&rule(&format!("{{ {field}: \"{leaked}\" }}")));
            let said = format!("{:?}", load_one(&text).expect_err("it is no name"));
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
    let useless = "  rds: [ { name: a, inTransit: { monitoring: §{ environment: A } } } ]";
    says(&with_spec(useless), &[(at, "without `requireTls: true` nobody is counted")]);
}
