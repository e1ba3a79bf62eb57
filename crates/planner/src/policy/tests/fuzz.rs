//! Properties: whatever the text, loading ends with a policy or with places to look at; what the types write loads back.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::policy::model::*;

const SAMPLE: &str = include_str!("../../../../../config/sample.yaml");

/// What must hold for every text.
fn check(text: &str) {
    let lines = text.matches(['\n', '\r']).count() + 2;
    let found = match load_one(text) {
        Ok(loaded) => {
            assert!(!loaded.set.policies.is_empty());
            assert!(loaded.warnings.iter().all(|warning| warning.severity == Severity::Warning));
            loaded.warnings
        }
        Err(found) => {
            assert!(found.iter().any(|diagnostic| diagnostic.severity == Severity::Error), "refused without a reason\n{text}");
            found
        }
    };
    for diagnostic in found {
        assert!((1..=lines).contains(&diagnostic.line) && diagnostic.column >= 1, "{diagnostic}\n{text}");
        assert!(!diagnostic.message.is_empty());
        // Only shape and meaning speak: were the types stricter than their schema, this would be said without a place.
        assert!(!diagnostic.message.contains("the policy cannot be read"), "{diagnostic}\n{text}");
    }
}

/// Pieces that YAML and our language are made of.
const PIECES: &[&str] = &[
    "\n",
    "\n  ",
    "\n    ",
    "\n      ",
    "- ",
    ": ",
    "? ",
    "{ ",
    " }",
    "[",
    "]",
    ", ",
    "---\n",
    "...\n",
    "&a ",
    "*a",
    "!!str ",
    "|\n",
    ">-\n",
    "\t",
    "# c\n",
    "\"",
    "'",
    "~",
    "true",
    "1.2",
    "111122223333",
    "2027-05-31",
    "apiVersion: everseal.io/v1\n",
    "kind: EncryptionPolicy\n",
    "metadata: { name: x }\n",
    "spec:\n",
    "  s3:\n",
    "  keys:\n",
    "name",
    "match",
    "atRest",
    "algorithm: AES256",
    "key: alias/a",
    "names",
    "<<",
    "é",
    "\u{feff}",
    "\0",
    "%YAML 1.1\n",
    "\r\n",
];

proptest! {
    #[test]
    fn no_text_makes_loading_panic(text in ".{0,200}") {
        check(&text);
    }

    #[test]
    fn no_soup_of_yaml_makes_loading_panic(pieces in vec(select(PIECES), 0..40)) {
        check(&pieces.concat());
    }

    #[test]
    fn no_broken_sample_makes_loading_panic(
        cuts in vec((any::<Index>(), 0_usize..40, select(PIECES)), 1..4),
        lines in vec((any::<Index>(), any::<bool>()), 0..3),
    ) {
        let mut kept: Vec<&str> = SAMPLE.lines().collect();
        for (index, twice) in lines {
            let at = index.index(kept.len());
            if twice { kept.insert(at, kept[at]); } else { kept.remove(at); }
        }
        let mut text: Vec<char> = kept.join("\n").chars().collect();
        for (index, length, piece) in cuts {
            let at = index.index(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, piece.chars());
        }
        check(&text.into_iter().collect::<String>());
    }

    /// What the library reads as something else than text, we never take for text.
    #[test]
    fn no_number_or_word_of_the_yaml_library_is_taken_for_text(text in "[-+.0-9eExo_a-f]{1,6}|[+-]?[.](inf|Inf|INF|nan|NaN|NAN)|true|True|TRUE|false|False|FALSE|null|Null|NULL|~") {
        let library = serde_yaml::from_str::<serde_yaml::Value>(&format!("field: {text}"));
        if let Some(value) = library.as_ref().ok().and_then(|map| map.get("field")) && !value.is_string() && !value.is_sequence() {
            prop_assert_ne!(tree::plain_kind(&text, true), tree::Plain::Text, "{:?}", value);
        }
    }

    #[test]
    fn what_the_types_write_loads_back(policy in policy()) {
        let text = serde_yaml::to_string(&policy).unwrap();
        let loaded = load_one(&text);
        prop_assert!(loaded.is_ok(), "{:?}\n{text}", loaded.unwrap_err());
        prop_assert_eq!(&loaded.unwrap().set.policies[..], &[policy][..], "{}", text);
    }
}

/// Text that YAML would read as something else if it were not quoted, among others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,12}",
        select(
            &[
                "true",
                "no",
                "~",
                "1.2",
                "007",
                "0x1f",
                "2027-05-31",
                "*",
                "- a",
                "a: b",
                "#x",
                "{}",
                "&a",
                "!x",
                "é",
                "a\nb",
                " a ",
                "1e3",
                "<<",
                "null"
            ][..]
        )
        .prop_map(str::to_owned),
    ]
}

fn patterns() -> impl Strategy<Value = Vec<String>> {
    vec(prop_oneof!["[a-z*?-]{1,8}", text()], 1..4)
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "alias/[a-zA-Z0-9/_-]{1,12}".prop_filter("AWS-managed", |alias| !alias.starts_with("alias/aws/")),
        Just("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab".to_owned())
    ]
}

prop_compose! {
    fn matches()(names in option::of(patterns()), tags in btree_map(text(), text(), 0..3), exclude in vec("[a-z*]{1,6}", 0..2)) -> Match {
        Match { names, tags, exclude }
    }
}

fn mode() -> impl Strategy<Value = Option<Mode>> {
    option::of(select(&[Mode::Audit, Mode::Enforce][..]))
}

fn bucket_at_rest() -> impl Strategy<Value = BucketAtRest> {
    let blocked = option::of(btree_set(Just(BlockedEncryptionType::SseC), 0..2));
    (
        select(&[BucketAlgorithm::Aes256, BucketAlgorithm::Kms, BucketAlgorithm::KmsDsse][..]),
        option::of(key()),
        any::<Option<bool>>(),
        blocked,
    )
        .prop_map(|(algorithm, key, bucket_key, blocked_encryption_types)| BucketAtRest {
            algorithm,
            key: key.filter(|_| algorithm != BucketAlgorithm::Aes256),
            bucket_key: bucket_key.filter(|_| algorithm == BucketAlgorithm::Kms),
            blocked_encryption_types,
        })
}

prop_compose! {
    fn bucket_rule()(
        matches in matches(),
        mode in mode(),
        at_rest in option::of(bucket_at_rest()),
        deny_insecure_transport in any::<bool>(),
        minimum_tls_version in option::of(select(&[TlsVersion::V1_2, TlsVersion::V1_3][..])),
        action in option::of(select(&[ExistingObjectsAction::Report, ExistingObjectsAction::Reencrypt][..])),
        public in option::of(select(&[WebsiteAction::Report, WebsiteAction::Enforce][..])),
    ) -> BucketRule {
        BucketRule {
            name: String::new(),
            matches,
            mode,
            at_rest,
            in_transit: Some(BucketInTransit { deny_insecure_transport, minimum_tls_version }),
            existing_objects: action.map(|action| ExistingObjects { action }),
            website: public.map(|public| WebsiteSpec { behind_cloud_front: WebsiteAction::Enforce, public }),
        }
    }
}

prop_compose! {
    fn queue_rule()(matches in matches(), mode in mode(), key in option::of(key()), reuse in option::of(60_u32..=86_400)) -> QueueRule {
        let encryption = if key.is_some() { QueueEncryptionKind::SseKms } else { QueueEncryptionKind::SseSqs };
        let data_key_reuse_seconds = reuse.filter(|_| key.is_some());
        let at_rest = Some(QueueAtRest { encryption, key, data_key_reuse_seconds });
        QueueRule { name: String::new(), matches, mode, at_rest, in_transit: None }
    }
}

prop_compose! {
    fn stream_rule()(matches in matches(), mode in mode(), key in option::of(key()), require_encryption in any::<bool>()) -> DeliveryStreamRule {
        let key_type = if key.is_some() { FirehoseKeyType::CustomerManagedCmk } else { FirehoseKeyType::AwsOwnedCmk };
        let destination = Some(DestinationSpec { require_encryption, key: key.clone() });
        DeliveryStreamRule { name: String::new(), matches, mode, at_rest: Some(DeliveryStreamAtRest { key_type, key }), destination }
    }
}

prop_compose! {
    fn migration()(
        action in select(&[MigrationAction::Report, MigrationAction::Prepare, MigrationAction::Cutover][..]),
        window in select(&["Sun 02:00-04:00 UTC", "Mon-Fri 22:00-02:00 UTC", "daily 03:00-04:00 UTC"][..]),
        approved_by in option::of(text()),
        writes in option::of(select(&[StoppedWrites::StoppedByOperator, StoppedWrites::Isolate][..])),
        by_snapshot in any::<bool>(),
        keep_old_for in select(&["90m", "12h", "7d", "4w"][..]),
        old_afterwards in select(&[OldAfterwards::Keep, OldAfterwards::Delete][..]),
    ) -> Migration {
        let named = |value: &str| std::collections::BTreeMap::from([("orders".to_owned(), value.to_owned())]);
        let stopped = writes == Some(StoppedWrites::StoppedByOperator);
        Migration {
            action,
            method: if by_snapshot && writes.is_some() { MigrationMethod::Snapshot } else { MigrationMethod::Auto },
            window: Some(window.to_owned()),
            approved_by: approved_by.filter(|person| !person.trim().is_empty()).map(|person| named(&person)).unwrap_or_default(),
            writes,
            writes_stopped_at: if stopped { named("2026-11-29T02:05:00Z") } else { std::collections::BTreeMap::new() },
            isolation_security_group: (writes == Some(StoppedWrites::Isolate)).then(|| "sg-0a1b2c3d".to_owned()),
            keep_old_for: keep_old_for.to_owned(),
            old_afterwards,
        }
    }
}

prop_compose! {
    fn database_rule()(
        Match { names, tags, exclude } in matches(),
        engines in option::of(patterns()),
        mode in mode(),
        encrypted in any::<bool>(),
        key in option::of(key()),
        migration in option::of(migration()),
        require_tls in any::<bool>(),
        ca_certificate in option::of(text()),
        verify in any::<bool>(),
        ca_bundle in option::of("[a-z/.]{1,20}"),
        monitoring in option::of(monitoring()),
    ) -> DatabaseRule {
        DatabaseRule {
            name: String::new(),
            matches: DatabaseMatch { names, tags, exclude, engines },
            mode,
            // A copy is encrypted with a key that the rule names.
            at_rest: Some(DatabaseAtRest { encrypted, migration: migration.filter(|_| key.is_some()), key }),
            in_transit: Some(DatabaseInTransit { require_tls, ca_certificate, verify, ca_bundle, monitoring, ..DatabaseInTransit::default() }),
        }
    }
}

fn monitoring() -> impl Strategy<Value = Monitoring> {
    let secret = select(&["everseal/orders", "rds!db-1234", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders-AbCdEf"][..]);
    let (secret, variable) = (secret.prop_map(str::to_owned), "[A-Z_][A-Z0-9_]{0,8}");
    prop_oneof![
        secret.prop_map(|name| Monitoring { secrets_manager: Some(name), environment: None }),
        variable.prop_map(|name| Monitoring { secrets_manager: None, environment: Some(name) }),
    ]
}

prop_compose! {
    fn key_spec()(
        description in prop_oneof![Just(String::new()), text()],
        multi_region in any::<bool>(),
        rotation in option::of((any::<bool>(), 90_u32..=2560)),
        services in btree_set(select(&["s3", "sns", "events.rds", "delivery.logs", "firehose"][..]), 0..3),
        usable in any::<bool>(),
        heal in btree_set(select(&[Heal::Enable, Heal::CancelDeletion][..]), 0..3),
    ) -> KeySpec {
        let usable_by = UsableBy {
            services: services.into_iter().map(str::to_owned).collect(),
            producers: vec!["arn:aws:iam::111122223333:role/a".to_owned()],
            consumers: Vec::new(),
        };
        KeySpec {
            alias: String::new(),
            description,
            multi_region,
            replica_regions: if multi_region { vec!["eu-north-1".to_owned()] } else { Vec::new() },
            rotation: rotation.map(|(enabled, period_in_days)| RotationSpec { enabled, period_in_days }),
            usable_by: usable.then_some(usable_by),
            heal,
        }
    }
}

prop_compose! {
    fn exemption()(
        resource in select(&["*", "arn:aws:s3:::a-?*", "arn:*"][..]),
        checks in btree_set(select(&["s3-encryption", "s3-secure-transport", "path-sealed"][..]), 1..3),
        reason in text(),
        expires in option::of((1990_u32..2100, 1_u32..=12, 1_u32..=28)),
    ) -> Exemption {
        Exemption {
            resource: resource.to_owned(),
            checks: checks.into_iter().map(str::to_owned).collect(),
            reason,
            expires: expires.map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}")),
        }
    }
}

prop_compose! {
    fn scopes()(
        regions in btree_set(select(&["eu-west-1", "us-gov-west-1", "eu-central-2"][..]), 0..3),
        accounts in btree_set("[0-9]{12}", 0..3),
        role in any::<bool>(),
        external_id in option::of("[a-z0-9=]{2,8}"),
    ) -> Scopes {
        let account = |id: String| AccountRef {
            role_arn: role.then(|| format!("arn:aws:iam::{id}:role/everseal")),
            external_id: external_id.clone(),
            id,
        };
        Scopes { regions: regions.into_iter().map(str::to_owned).collect(), accounts: accounts.into_iter().map(account).collect() }
    }
}

prop_compose! {
    fn policy()(
        name in text(),
        labels in btree_map(text(), text(), 0..3),
        mode in mode(),
        scopes in scopes(),
        mut keys in vec(key_spec(), 0..3),
        mut s3 in vec(bucket_rule(), 0..3),
        mut sqs in vec(queue_rule(), 0..3),
        topic in option::of((matches(), key(), any::<bool>())),
        mut firehose in vec(stream_rule(), 0..2),
        kinesis in option::of((matches(), key())),
        mut rds in vec(database_rule(), 0..2),
        exemptions in vec(exemption(), 0..3),
        limits in (option::of(1_u32..), option::of(1_u32..=100)),
    ) -> EncryptionPolicy {
        keys.iter_mut().enumerate().for_each(|(i, key)| key.alias = format!("alias/k{i}"));
        s3.iter_mut().enumerate().for_each(|(i, rule)| rule.name = format!("{i}"));
        sqs.iter_mut().enumerate().for_each(|(i, rule)| rule.name = format!("r{i}"));
        firehose.iter_mut().enumerate().for_each(|(i, rule)| rule.name = format!("r {i}"));
        rds.iter_mut().enumerate().for_each(|(i, rule)| rule.name = format!("r: {i}"));
        let topic = topic.map(|(matches, key, forbid_http_subscriptions)| TopicRule {
            name: "t".to_owned(),
            matches,
            mode: None,
            at_rest: Some(KeyAtRest { key }),
            in_transit: Some(TopicInTransit { deny_insecure_transport: true, forbid_http_subscriptions }),
        });
        let kinesis = kinesis.map(|(matches, key)| DataStreamRule { name: "k".to_owned(), matches, mode: None, at_rest: Some(KeyAtRest { key }) });
        EncryptionPolicy {
            api_version: "everseal.io/v1".to_owned(),
            kind: "EncryptionPolicy".to_owned(),
            metadata: Metadata { name, labels },
            spec: Spec {
                mode: mode.unwrap_or_default(),
                scopes,
                keys,
                s3,
                sqs,
                sns: topic.into_iter().collect(),
                firehose,
                kinesis: kinesis.into_iter().collect(),
                rds,
                exemptions,
                limits: Limits { max_changes_per_cycle: limits.0, max_changes_percent: limits.1 },
            },
        }
    }
}
