//! Keys of objects: which is used, by whom, in which context.

use super::{ADMINISTRATOR, Client, NOBODY, code, denied, document, header, refusal, root};
use crate::access::Caller;
use crate::kms::KeyState;
use crate::s3::BucketSetup;
use crate::testing::{ACCOUNT, OTHER, REGION, administrator, world};
use crate::world::{Origin, World};

const DELEGATES: &str =
    r#"{"Sid":"Root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;

/// A world with a bucket `data` that is sealed with a key of that document.
fn sealed(key_document: &str, bucket_key: bool) -> (World, String) {
    let mut world = world();
    let key = world.create_key(ACCOUNT, REGION, Some(key_document)).unwrap();
    let setup = BucketSetup { kms_key: Some(key.clone()), bucket_key, public: true, ..BucketSetup::default() };
    world.create_bucket(ACCOUNT, REGION, "data", &setup).unwrap();
    (world, key)
}

#[test]
fn an_object_keeps_the_key_that_it_was_sealed_with() {
    let (mut world, key) = sealed(&document(&[DELEGATES]), true);
    let put = ADMINISTRATOR.put(&mut world, "/data/key", "text");
    assert_eq!(header(&put, "x-amz-server-side-encryption"), Some("aws:kms"));
    assert_eq!(header(&put, "x-amz-server-side-encryption-aws-kms-key-id"), Some(key.as_str()));
    assert_eq!(header(&put, "x-amz-server-side-encryption-bucket-key-enabled"), Some("true"));
    assert_ne!(header(&put, "etag"), Some("\"1cb251ec0d568de6a929b520c4aed8d1\""), "not the MD5 digest of the text");
    world.reset_bucket_encryption("data").unwrap();
    let head = ADMINISTRATOR.send(&mut world, "HEAD /data/key", &[], "");
    assert_eq!(header(&head, "x-amz-server-side-encryption-aws-kms-key-id"), Some(key.as_str()));
    assert_eq!(&ADMINISTRATOR.get(&mut world, "/data/key").body[..], b"text");
    world.set_key_state(&key, KeyState::Disabled).unwrap();
    assert_eq!(refusal(&ADMINISTRATOR.get(&mut world, "/data/key")), code(400, "KMS.DisabledException"));
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data/other", "text").status, 200, "what is new needs the key no more");
}

/// [s3:PutObject `SSEKMSKeyId`: GET and PUT of objects under KMS keys fail without TLS]
#[test]
fn objects_under_kms_keys_come_and_go_over_tls_only() {
    let (mut world, _) = sealed(&document(&[DELEGATES]), false);
    let plain = Client { secure: false, ..ADMINISTRATOR };
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data/key", "text").status, 200);
    assert_eq!(refusal(&plain.get(&mut world, "/data/key")), code(400, "InvalidArgument"));
    assert_eq!(refusal(&plain.put(&mut world, "/data/other", "text")), code(400, "InvalidArgument"));
    let aes = [("x-amz-server-side-encryption", "AES256")];
    assert_eq!(plain.send(&mut world, "PUT /data/aes", &aes, "text").status, 200, "SSE-S3 does not ask for TLS");
    assert_eq!(plain.get(&mut world, "/data/aes").status, 200);
    world.settings.kms_objects_in_clear = true;
    assert_eq!(plain.get(&mut world, "/data/key").status, 200);
}

#[test]
fn the_requests_own_words_come_first() {
    let (mut world, _) = sealed(&document(&[DELEGATES]), false);
    let aes = ADMINISTRATOR.send(&mut world, "PUT /data/a", &[("x-amz-server-side-encryption", "AES256")], "x");
    assert_eq!(header(&aes, "x-amz-server-side-encryption"), Some("AES256"));
    let with = ADMINISTRATOR.send(&mut world, "PUT /data/k", &[("x-amz-server-side-encryption-bucket-key-enabled", "true")], "x");
    assert_eq!(header(&with, "x-amz-server-side-encryption-bucket-key-enabled"), Some("true"));
    let own = world.create_key(ACCOUNT, REGION, None).unwrap();
    world.create_alias("alias/own", &own).unwrap();
    let headers = [("x-amz-server-side-encryption", "aws:kms:dsse"), ("x-amz-server-side-encryption-aws-kms-key-id", "alias/own")];
    let dsse = ADMINISTRATOR.send(&mut world, "PUT /data/b", &headers, "x");
    assert_eq!(header(&dsse, "x-amz-server-side-encryption"), Some("aws:kms:dsse"));
    assert_eq!(header(&dsse, "x-amz-server-side-encryption-aws-kms-key-id"), Some(own.as_str()));
    let none = [("x-amz-server-side-encryption", "AES256"), ("x-amz-server-side-encryption-aws-kms-key-id", "alias/own")];
    assert_eq!(refusal(&ADMINISTRATOR.send(&mut world, "PUT /data/c", &none, "x")), code(400, "InvalidArgument"));
    let missing = [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", "alias/none")];
    assert_eq!(refusal(&ADMINISTRATOR.send(&mut world, "PUT /data/d", &missing, "x")), code(400, "KMS.NotFoundException"));
}

#[test]
fn without_a_key_the_accounts_own_for_s3_is_used() {
    let mut world = world();
    let setup = BucketSetup { kms_key: Some(String::new()), ..BucketSetup::default() };
    world.create_bucket(ACCOUNT, REGION, "data", &setup).unwrap();
    let put = ADMINISTRATOR.put(&mut world, "/data/key", "text");
    assert_eq!((put.status, header(&put, "x-amz-server-side-encryption")), (200, Some("aws:kms")));
    assert_eq!(ADMINISTRATOR.get(&mut world, "/data/key").status, 200);
}

#[test]
fn a_bucket_key_changes_the_context() {
    let only = |arn: &str| {
        let condition = format!(r#"{{"StringLike":{{"kms:EncryptionContext:aws:s3:arn":"{arn}"}}}}"#);
        document(&[&format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:user/administrator"}},"Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"*","Condition":{condition}}}"#
        )])
    };
    for (arn, bucket_key, status) in [
        ("arn:aws:s3:::data/in/*", false, 200),
        ("arn:aws:s3:::data/in/*", true, 403),
        ("arn:aws:s3:::data", true, 200),
        ("arn:aws:s3:::data", false, 403),
    ] {
        let (mut world, _) = sealed(&only(arn), bucket_key);
        let reply = ADMINISTRATOR.put(&mut world, "/data/in/key", "text");
        assert_eq!(reply.status, status, "{arn}, bucket key {bucket_key}");
    }
}

#[test]
fn a_key_may_be_for_use_through_s3_alone() {
    let through = |service: &str| {
        let condition = format!(r#"{{"StringEquals":{{"kms:ViaService":"{service}","kms:CallerAccount":"111122223333"}}}}"#);
        document(&[&format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"kms:GenerateDataKey","Resource":"*","Condition":{condition}}}"#
        )])
    };
    for (service, status) in
        [("s3.us-east-1.amazonaws.com", 200), ("sqs.us-east-1.amazonaws.com", 403), ("s3.eu-west-1.amazonaws.com", 403)]
    {
        let (mut world, _) = sealed(&through(service), false);
        assert_eq!(ADMINISTRATOR.put(&mut world, "/data/key", "text").status, status, "{service}");
    }
}

#[test]
fn nobody_reads_what_kms_seals() {
    let everybody = r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}"#;
    let (mut world, _) = sealed(&document(&[everybody]), true);
    let public = document(&[r#"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}"#]);
    world.set_bucket_document("data", Some(&public)).unwrap();
    ADMINISTRATOR.put(&mut world, "/data/sealed", "text");
    ADMINISTRATOR.send(&mut world, "PUT /data/open", &[("x-amz-server-side-encryption", "AES256")], "text");
    assert_eq!(refusal(&NOBODY.get(&mut world, "/data/sealed")), code(400, "InvalidArgument"));
    assert_eq!(NOBODY.get(&mut world, "/data/open").status, 200);
}

#[test]
fn another_account_needs_bucket_and_key_to_let_it_in() {
    let other = Client { access_key: OTHER, ..ADMINISTRATOR };
    let reads = document(&[
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}"#,
    ]);
    let decrypts = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"kms:Decrypt","Resource":"*"}"#;
    let (mut world, key) = sealed(&document(&[DELEGATES]), true);
    ADMINISTRATOR.put(&mut world, "/data/key", "text");
    assert_eq!(refusal(&other.get(&mut world, "/data/key")), denied());
    world.set_bucket_document("data", Some(&reads)).unwrap();
    let by_key = other.get(&mut world, "/data/key");
    assert_eq!(refusal(&by_key), denied());
    assert!(root(&by_key).value("Message").unwrap().contains("kms:Decrypt"), "now it is the key that keeps it out");
    world.put_key_document(&key, &document(&[DELEGATES, decrypts])).unwrap();
    assert_eq!(other.get(&mut world, "/data/key").status, 200);
}

#[test]
fn a_service_that_writes_needs_the_key_in_its_own_name() {
    let grant = r#"{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"kms:GenerateDataKey","Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}"#;
    let writes = document(&[
        r#"{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*"}"#,
    ]);
    let logs = Caller::service("delivery.logs.amazonaws.com", "arn:aws:logs:us-east-1:111122223333:*", ACCOUNT);
    let origin = Origin { caller: logs, region: REGION.to_owned(), secure: true };
    let (mut world, key) = sealed(&document(&[DELEGATES]), true);
    world.set_bucket_document("data", Some(&writes)).unwrap();
    assert_eq!(world.put_object(&origin, "data", "log", "text").unwrap_err().code, "AccessDenied");
    world.put_key_document(&key, &document(&[DELEGATES, grant])).unwrap();
    world.put_object(&origin, "data", "log", "text").unwrap();
}

#[test]
fn an_upload_in_parts_needs_to_decrypt_too() {
    let user = r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/administrator"},"Resource":"*""#;
    let generates = document(&[&format!(r#"{{{user},"Action":"kms:GenerateDataKey"}}"#)]);
    let both = document(&[&format!(r#"{{{user},"Action":["kms:GenerateDataKey","kms:Decrypt"]}}"#)]);
    let (mut world, key) = sealed(&generates, true);
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data/whole", "text").status, 200);
    let begun = root(&ADMINISTRATOR.send(&mut world, "POST /data/large?uploads", &[], ""));
    let id = begun.value("UploadId").unwrap().to_owned();
    let target = format!("/data/large?partNumber=1&uploadId={id}");
    assert_eq!(refusal(&ADMINISTRATOR.put(&mut world, &target, "text")), denied());
    world.put_key_document(&key, &both).unwrap();
    assert_eq!(ADMINISTRATOR.put(&mut world, &target, "text").status, 200);
}

#[test]
fn keys_in_requests_are_blocked_until_they_are_allowed() {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "data", &BucketSetup::default()).unwrap();
    let customer = [
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-server-side-encryption-customer-key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
        ("x-amz-server-side-encryption-customer-key-md5", "hRasmdxgYDKV3nvbahU1MA=="),
    ];
    assert_eq!(refusal(&ADMINISTRATOR.send(&mut world, "PUT /data/key", &customer, "x")), denied());
    let allowed = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
        </ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes><EncryptionType>NONE</EncryptionType></BlockedEncryptionTypes></Rule>\
        </ServerSideEncryptionConfiguration>";
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data?encryption", allowed).status, 200);
    assert_eq!(ADMINISTRATOR.send(&mut world, "PUT /data/key", &customer, "x").status, 200);
    assert_eq!(refusal(&ADMINISTRATOR.get(&mut world, "/data/key")), code(400, "InvalidRequest"));
    assert_eq!(ADMINISTRATOR.send(&mut world, "GET /data/key", &customer, "").status, 200);
}

#[test]
fn a_policy_may_ask_for_encryption_in_the_request() {
    let deny = document(&[
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::data/*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}"#,
    ]);
    let (mut world, _) = sealed(&document(&[DELEGATES]), true);
    world.set_bucket_document("data", Some(&deny)).unwrap();
    assert_eq!(refusal(&ADMINISTRATOR.put(&mut world, "/data/key", "x")), denied(), "the default does not count");
    assert_eq!(ADMINISTRATOR.send(&mut world, "PUT /data/key", &[("x-amz-server-side-encryption", "aws:kms")], "x").status, 200);
    assert!(world.put_object(&administrator(ACCOUNT), "data", "key", "x").is_err());
}
