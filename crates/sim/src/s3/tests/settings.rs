//! Buckets and their settings.

use super::{ADMINISTRATOR, Client, code, denied, header, refusal, root};
use crate::s3::BucketSetup;
use crate::testing::{ACCOUNT, OTHER, REGION, world};

fn setup() -> BucketSetup {
    BucketSetup::default()
}

#[test]
fn a_new_bucket_has_todays_defaults() {
    let mut world = world();
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data", "").status, 200);
    let rule = root(&ADMINISTRATOR.get(&mut world, "/data?encryption"));
    assert_eq!(rule.at("Rule/ApplyServerSideEncryptionByDefault/SSEAlgorithm"), Some("AES256"));
    assert_eq!(rule.at("Rule/BucketKeyEnabled"), Some("false"));
    assert_eq!(rule.at("Rule/BlockedEncryptionTypes/EncryptionType"), Some("SSE-C"));
    let block = root(&ADMINISTRATOR.get(&mut world, "/data?publicAccessBlock"));
    assert_eq!(block.value("BlockPublicPolicy"), Some("true"));
    assert_eq!(root(&ADMINISTRATOR.get(&mut world, "/data?ownershipControls")).at("Rule/ObjectOwnership"), Some("BucketOwnerEnforced"));
    for (part, missing) in [
        ("policy", "NoSuchBucketPolicy"),
        ("policyStatus", "NoSuchBucketPolicy"),
        ("website", "NoSuchWebsiteConfiguration"),
        ("replication", "ReplicationConfigurationNotFoundError"),
        ("tagging", "NoSuchTagSet"),
        ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("cors", "NoSuchCORSConfiguration"),
    ] {
        assert_eq!(refusal(&ADMINISTRATOR.get(&mut world, &format!("/data?{part}"))), code(404, missing), "{part}");
    }
}

#[test]
fn names_are_everybodys_and_checked() {
    let mut world = world();
    let other = Client { access_key: OTHER, ..ADMINISTRATOR };
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data", "").status, 200);
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data", "").status, 200, "us-east-1 lets the owner create again");
    assert_eq!(refusal(&other.put(&mut world, "/data", "")), code(409, "BucketAlreadyExists"));
    for name in ["Da", "UPPER", "192.168.1.1", "a..b", "-dash", "xn--a"] {
        assert_eq!(refusal(&ADMINISTRATOR.put(&mut world, &format!("/{name}"), "")), code(400, "InvalidBucketName"), "{name}");
    }
    let eu = Client { region: "eu-west-1", ..ADMINISTRATOR };
    assert_eq!(refusal(&eu.put(&mut world, "/elsewhere", "")), code(400, "IllegalLocationConstraintException"));
    let body = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(eu.put(&mut world, "/elsewhere", body).status, 200);
    assert_eq!(refusal(&eu.put(&mut world, "/elsewhere", body)), code(409, "BucketAlreadyOwnedByYou"));
    assert_eq!(root(&eu.get(&mut world, "/elsewhere?location")).content(), "eu-west-1");
    assert_eq!(root(&ADMINISTRATOR.get(&mut world, "/data?location")).content(), "");
}

#[test]
fn another_region_is_named() {
    let mut world = world();
    world.create_bucket(ACCOUNT, "eu-west-1", "data", &setup()).unwrap();
    let redirect = ADMINISTRATOR.get(&mut world, "/data?encryption");
    assert_eq!(refusal(&redirect), code(301, "PermanentRedirect"));
    assert_eq!(header(&redirect, "x-amz-bucket-region"), Some("eu-west-1"));
    let global = Client { host: "data.s3.amazonaws.com", ..ADMINISTRATOR };
    let malformed = global.get(&mut world, "/?encryption");
    assert_eq!(refusal(&malformed), code(400, "AuthorizationHeaderMalformed"));
    assert_eq!(root(&malformed).value("Region"), Some("eu-west-1"));
    let head = ADMINISTRATOR.send(&mut world, "HEAD /data", &[], "");
    assert_eq!((head.status, header(&head, "x-amz-bucket-region")), (301, Some("eu-west-1")));
    assert!(head.body.is_empty());
    assert_eq!(ADMINISTRATOR.get(&mut world, "/data?location").status, 200);
    assert_eq!(ADMINISTRATOR.send(&mut world, "HEAD /nothing", &[], "").status, 404);
}

#[test]
fn hosts_name_buckets_too() {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "data", &setup()).unwrap();
    for host in ["data.s3.us-east-1.amazonaws.com", "data.s3.amazonaws.com", "data.localhost:4566"] {
        let reply = Client { host, ..ADMINISTRATOR }.get(&mut world, "/?encryption");
        assert_eq!(reply.status, 200, "{host}");
    }
    let local = Client { host: "127.0.0.1:4566", ..ADMINISTRATOR };
    assert_eq!(local.get(&mut world, "/data?encryption").status, 200);
    assert_eq!(world.calls().get(&("s3", "GetBucketEncryption".to_owned())), Some(&4));
}

#[test]
fn another_owner_than_expected_is_refused() {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "data", &setup()).unwrap();
    let mut ask = |owner: &str| ADMINISTRATOR.send(&mut world, "GET /data?encryption", &[("x-amz-expected-bucket-owner", owner)], "");
    assert_eq!(refusal(&ask(OTHER)), denied());
    assert_eq!(ask(ACCOUNT).status, 200);
    let stranger = Client { access_key: OTHER, ..ADMINISTRATOR };
    assert_eq!(refusal(&stranger.get(&mut world, "/data?encryption")), denied());
}

#[test]
fn buckets_are_listed_page_by_page_and_by_region() {
    let mut world = world();
    for (name, region) in [("a-one", REGION), ("a-two", "eu-west-1"), ("b-three", REGION)] {
        world.create_bucket(ACCOUNT, region, name, &setup()).unwrap();
    }
    world.create_bucket(OTHER, REGION, "foreign", &setup()).unwrap();
    let names = |reply: &crate::http::Reply| {
        let root = root(reply);
        let buckets: Vec<(String, Option<String>)> = root
            .first("Buckets")
            .unwrap()
            .all("Bucket")
            .map(|b| (b.value("Name").unwrap().to_owned(), b.value("BucketRegion").map(str::to_owned)))
            .collect();
        (buckets, root.value("ContinuationToken").map(str::to_owned))
    };
    let at = |name: &str, region: &str| (name.to_owned(), Some(region.to_owned()));
    let (all, _) = names(&ADMINISTRATOR.get(&mut world, "/"));
    assert_eq!(all, [("a-one".to_owned(), None), ("a-two".to_owned(), None), ("b-three".to_owned(), None)]);
    let (first, token) = names(&ADMINISTRATOR.get(&mut world, "/?max-buckets=2"));
    assert_eq!(first, [at("a-one", REGION), at("a-two", "eu-west-1")]);
    let (rest, end) = names(&ADMINISTRATOR.get(&mut world, &format!("/?max-buckets=2&continuation-token={}", token.unwrap())));
    assert_eq!((rest, end), (vec![at("b-three", REGION)], None));
    let (filtered, _) = names(&ADMINISTRATOR.get(&mut world, "/?bucket-region=eu-west-1&max-buckets=1"));
    assert_eq!(filtered, [at("a-two", "eu-west-1")]);
    assert_eq!(names(&ADMINISTRATOR.get(&mut world, "/?prefix=b-")).0, [at("b-three", REGION)]);
}

const KMS_RULE: &str = "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>\
    <ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>alias/none</KMSMasterKeyID>\
    </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>";

#[test]
fn default_encryption_is_replaced_whole_and_its_key_not_looked_at() {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "data", &setup()).unwrap();
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data?encryption", KMS_RULE).status, 200);
    let rule = root(&ADMINISTRATOR.get(&mut world, "/data?encryption"));
    assert_eq!(rule.at("Rule/ApplyServerSideEncryptionByDefault/KMSMasterKeyID"), Some("alias/none"));
    assert_eq!(rule.at("Rule/BucketKeyEnabled"), Some("true"));
    assert_eq!(rule.at("Rule/BlockedEncryptionTypes/EncryptionType"), None, "a write that leaves the block out loses it");
    assert_eq!(ADMINISTRATOR.send(&mut world, "DELETE /data?encryption", &[], "").status, 204);
    let rule = root(&ADMINISTRATOR.get(&mut world, "/data?encryption"));
    assert_eq!(rule.at("Rule/ApplyServerSideEncryptionByDefault/SSEAlgorithm"), Some("AES256"));
}

#[test]
fn encryption_that_can_not_be_is_refused() {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "data", &setup()).unwrap();
    let rule = |inner: &str| format!("<ServerSideEncryptionConfiguration>{inner}</ServerSideEncryptionConfiguration>");
    let of = |algorithm: &str, key: &str| {
        rule(&format!(
            "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>{algorithm}</SSEAlgorithm>{key}</ApplyServerSideEncryptionByDefault></Rule>"
        ))
    };
    for (body, expected) in [
        (rule(""), "MalformedXML"),
        ("<not".to_owned(), "MalformedXML"),
        (of("rot13", ""), "MalformedXML"),
        (of("AES256", "<KMSMasterKeyID>k</KMSMasterKeyID>"), "InvalidArgument"),
    ] {
        assert_eq!(refusal(&ADMINISTRATOR.put(&mut world, "/data?encryption", &body)), code(400, expected), "{body}");
    }
    assert_eq!(ADMINISTRATOR.put(&mut world, "/data?encryption", &of("aws:kms:dsse", "")).status, 200);
    assert_eq!(world.bucket_encryption("data"), Some(("aws:kms:dsse", None, false)));
}

#[test]
fn acls_are_disabled_until_ownership_says_otherwise() {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "logs", &setup()).unwrap();
    let log_delivery = [("x-amz-acl", "log-delivery-write")];
    let refused = ADMINISTRATOR.send(&mut world, "PUT /logs?acl", &log_delivery, "");
    assert_eq!(refusal(&refused), code(400, "AccessControlListNotSupported"));
    let made = ADMINISTRATOR.send(&mut world, "PUT /more", &log_delivery, "");
    assert_eq!(refusal(&made), code(400, "InvalidBucketAclWithObjectOwnership"));
    let owned = [("x-amz-acl", "public-read"), ("x-amz-object-ownership", "ObjectWriter")];
    assert_eq!(refusal(&ADMINISTRATOR.send(&mut world, "PUT /more", &owned, "")), code(400, "InvalidBucketAclWithBlockPublicAccessError"));
    let ownership = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerPreferred</ObjectOwnership></Rule></OwnershipControls>";
    assert_eq!(ADMINISTRATOR.put(&mut world, "/logs?ownershipControls", ownership).status, 200);
    assert_eq!(ADMINISTRATOR.send(&mut world, "PUT /logs?acl", &log_delivery, "").status, 200);
    let acl = root(&ADMINISTRATOR.get(&mut world, "/logs?acl"));
    let grants: Vec<_> = acl.first("AccessControlList").unwrap().all("Grant").collect();
    assert_eq!(grants.len(), 3);
    assert_eq!(grants[1].at("Grantee/URI"), Some("http://acs.amazonaws.com/groups/s3/LogDelivery"));
    assert_eq!(grants[1].value("Permission"), Some("WRITE"));
    assert_eq!(refusal(&ADMINISTRATOR.send(&mut world, "PUT /logs?acl", &[("x-amz-acl", "public-read")], "")), denied());
}

#[test]
fn kept_settings_come_back_as_they_were_written() {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "site", &setup()).unwrap();
    let website = "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>";
    assert_eq!(ADMINISTRATOR.put(&mut world, "/site?website", website).status, 200);
    assert_eq!(root(&ADMINISTRATOR.get(&mut world, "/site?website")).at("IndexDocument/Suffix"), Some("index.html"));
    assert_eq!(refusal(&ADMINISTRATOR.put(&mut world, "/site?website", "<Other/>")), code(400, "MalformedXML"));
    assert_eq!(ADMINISTRATOR.send(&mut world, "DELETE /site?website", &[], "").status, 204);
    assert_eq!(ADMINISTRATOR.get(&mut world, "/site?website").status, 404);
    let tags = "<Tagging><TagSet><Tag><Key>classification</Key><Value>confidential</Value></Tag></TagSet></Tagging>";
    assert_eq!(ADMINISTRATOR.put(&mut world, "/site?tagging", tags).status, 204);
    assert_eq!(root(&ADMINISTRATOR.get(&mut world, "/site?tagging")).at("TagSet/Tag/Value"), Some("confidential"));
}

#[test]
fn what_the_simulator_lacks_is_no_silent_success() {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "data", &setup()).unwrap();
    assert_eq!(refusal(&ADMINISTRATOR.get(&mut world, "/data?requestPayment")), code(501, "NotImplemented"));
    assert_eq!(refusal(&ADMINISTRATOR.put(&mut world, "/data/key?tagging", "<Tagging/>")), code(501, "NotImplemented"));
}
