//! Objects: written, read, listed, versioned, deleted, uploaded in parts.

use super::{ADMINISTRATOR, NOBODY, code, denied, header, refusal, root};
use crate::s3::BucketSetup;
use crate::testing::{ACCOUNT, REGION, world};
use crate::world::World;

fn with_bucket(setup: &BucketSetup) -> World {
    let mut world = world();
    world.create_bucket(ACCOUNT, REGION, "data", setup).unwrap();
    world
}

#[test]
fn an_object_comes_back_with_what_came_with_it() {
    let mut world = with_bucket(&BucketSetup::default());
    let headers = [("content-type", "text/plain"), ("x-amz-meta-origin", "ledger"), ("x-amz-checksum-crc32", "DUoRhQ==")];
    let put = ADMINISTRATOR.send(&mut world, "PUT /data/a%20b/c", &headers, "hello world");
    // The MD5 digest of "hello world".
    assert_eq!(header(&put, "etag"), Some("\"5eb63bbbe01eeed093cb22bb8f5acdc3\""));
    assert_eq!(header(&put, "x-amz-server-side-encryption"), Some("AES256"));
    let get = ADMINISTRATOR.send(&mut world, "GET /data/a%20b/c", &[("x-amz-checksum-mode", "ENABLED")], "");
    assert_eq!(&get.body[..], b"hello world");
    assert_eq!(header(&get, "content-type"), Some("text/plain"));
    assert_eq!(header(&get, "x-amz-meta-origin"), Some("ledger"));
    assert_eq!(header(&get, "x-amz-checksum-crc32"), Some("DUoRhQ=="));
    assert_eq!(header(&get, "last-modified"), Some("Fri, 15 Jan 2027 08:00:00 GMT"));
    let head = ADMINISTRATOR.send(&mut world, "HEAD /data/a%20b/c", &[], "");
    assert_eq!((header(&head, "content-length"), head.body.len()), (Some("11"), 0));
    assert_eq!(world.object_keys("data"), ["a b/c"]);
}

#[test]
fn a_part_of_an_object_can_be_read() {
    let mut world = with_bucket(&BucketSetup::default());
    ADMINISTRATOR.put(&mut world, "/data/key", "hello world");
    let mut read = |range: &str| ADMINISTRATOR.send(&mut world, "GET /data/key", &[("range", range)], "");
    for (range, part, place) in [
        ("bytes=0-4", "hello", "bytes 0-4/11"),
        ("bytes=6-", "world", "bytes 6-10/11"),
        ("bytes=-5", "world", "bytes 6-10/11"),
        ("bytes=6-99", "world", "bytes 6-10/11"),
    ] {
        let reply = read(range);
        assert_eq!((reply.status, &reply.body[..], header(&reply, "content-range")), (206, part.as_bytes(), Some(place)), "{range}");
    }
    assert_eq!(refusal(&read("bytes=11-")), code(416, "InvalidRange"));
}

#[test]
fn bodies_in_chunks_are_joined_and_digests_checked() {
    let mut world = with_bucket(&BucketSetup::default());
    let chunked = [
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    let body = "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n";
    assert_eq!(ADMINISTRATOR.send(&mut world, "PUT /data/key", &chunked, body).status, 200);
    let get = ADMINISTRATOR.get(&mut world, "/data/key");
    assert_eq!((&get.body[..], header(&get, "content-encoding")), (&b"hello world"[..], None));
    let wrong = [("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")];
    assert_eq!(refusal(&ADMINISTRATOR.send(&mut world, "PUT /data/key", &wrong, "x")), code(400, "BadDigest"));
}

#[test]
fn what_is_not_there_is_told_only_to_who_may_list() {
    let reads = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}}"#;
    let mut world = with_bucket(&BucketSetup { document: Some(reads.to_owned()), public: true, ..BucketSetup::default() });
    assert_eq!(refusal(&ADMINISTRATOR.get(&mut world, "/data/none")), code(404, "NoSuchKey"));
    assert_eq!(refusal(&NOBODY.get(&mut world, "/data/none")), denied());
    assert_eq!(refusal(&ADMINISTRATOR.get(&mut world, "/none/key")), code(404, "NoSuchBucket"));
}

#[test]
fn objects_are_listed_page_by_page_below_prefixes() {
    let mut world = with_bucket(&BucketSetup::default());
    for key in ["a", "logs/1", "logs/2", "logs/old/3", "z"] {
        ADMINISTRATOR.put(&mut world, &format!("/data/{key}"), "x");
    }
    let mut list = |query: &str| {
        let root = root(&ADMINISTRATOR.get(&mut world, &format!("/data?list-type=2{query}")));
        let keys: Vec<String> = root.all("Contents").map(|entry| entry.value("Key").unwrap().to_owned()).collect();
        let prefixes: Vec<String> = root.all("CommonPrefixes").map(|entry| entry.value("Prefix").unwrap().to_owned()).collect();
        (keys, prefixes, root.value("NextContinuationToken").map(str::to_owned))
    };
    assert_eq!(list("&delimiter=/"), (vec!["a".into(), "z".into()], vec!["logs/".into()], None));
    assert_eq!(list("&prefix=logs/&delimiter=/"), (vec!["logs/1".into(), "logs/2".into()], vec!["logs/old/".into()], None));
    let (first, prefixes, token) = list("&delimiter=/&max-keys=2");
    assert_eq!((first, prefixes), (vec!["a".to_owned()], vec!["logs/".to_owned()]));
    let (rest, prefixes, end) = list(&format!("&delimiter=/&max-keys=2&continuation-token={}", token.unwrap()));
    assert_eq!((rest, prefixes, end), (vec!["z".to_owned()], vec![], None));
    assert_eq!(list("&start-after=logs/2").0, ["logs/old/3", "z"]);
    let v1 = root(&ADMINISTRATOR.get(&mut world, "/data?max-keys=2&delimiter=/"));
    assert_eq!((v1.value("IsTruncated"), v1.value("NextMarker")), (Some("true"), Some("logs/")));
}

#[test]
fn versions_outlive_deletion() {
    let mut world = with_bucket(&BucketSetup { versioned: true, ..BucketSetup::default() });
    let first = header(&ADMINISTRATOR.put(&mut world, "/data/key", "one"), "x-amz-version-id").unwrap().to_owned();
    ADMINISTRATOR.put(&mut world, "/data/key", "two");
    let deleted = ADMINISTRATOR.send(&mut world, "DELETE /data/key", &[], "");
    assert_eq!(header(&deleted, "x-amz-delete-marker"), Some("true"));
    let marker = header(&deleted, "x-amz-version-id").unwrap().to_owned();
    assert_eq!(refusal(&ADMINISTRATOR.get(&mut world, "/data/key")), code(404, "NoSuchKey"));
    assert_eq!(&ADMINISTRATOR.get(&mut world, &format!("/data/key?versionId={first}")).body[..], b"one");
    let listed = root(&ADMINISTRATOR.get(&mut world, "/data?versions"));
    assert_eq!((listed.all("Version").count(), listed.all("DeleteMarker").count()), (2, 1));
    assert_eq!(refusal(&ADMINISTRATOR.send(&mut world, "DELETE /data", &[], "")), code(409, "BucketNotEmpty"));
    ADMINISTRATOR.send(&mut world, &format!("DELETE /data/key?versionId={marker}"), &[], "");
    assert_eq!(&ADMINISTRATOR.get(&mut world, "/data/key").body[..], b"two", "without its marker the object is back");
}

#[test]
fn many_are_deleted_at_once_and_the_bucket_after_them() {
    let mut world = with_bucket(&BucketSetup::default());
    for key in ["a", "b"] {
        ADMINISTRATOR.put(&mut world, &format!("/data/{key}"), "x");
    }
    let body = "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>";
    let result = root(&ADMINISTRATOR.send(&mut world, "POST /data?delete", &[], body));
    assert_eq!(result.all("Deleted").count(), 2);
    assert_eq!(ADMINISTRATOR.send(&mut world, "DELETE /data", &[], "").status, 204);
    assert_eq!(refusal(&ADMINISTRATOR.get(&mut world, "/data?encryption")), code(404, "NoSuchBucket"));
}

#[test]
fn a_copy_onto_itself_must_change_something() {
    let mut world = with_bucket(&BucketSetup::default());
    ADMINISTRATOR.put(&mut world, "/data/key", "text");
    let source = ("x-amz-copy-source", "/data/key");
    assert_eq!(refusal(&ADMINISTRATOR.send(&mut world, "PUT /data/key", &[source], "")), code(400, "InvalidRequest"));
    let same = [source, ("x-amz-server-side-encryption", "AES256")];
    assert_eq!(ADMINISTRATOR.send(&mut world, "PUT /data/key", &same, "").status, 200);
    assert_eq!(ADMINISTRATOR.send(&mut world, "PUT /data/copy", &[source], "").status, 200);
    assert_eq!(&ADMINISTRATOR.get(&mut world, "/data/copy").body[..], b"text");
}

#[test]
fn an_upload_in_parts_becomes_one_object() {
    let mut world = with_bucket(&BucketSetup::default());
    let begun = root(&ADMINISTRATOR.send(&mut world, "POST /data/large?uploads", &[], ""));
    let id = begun.value("UploadId").unwrap().to_owned();
    let large = "x".repeat(5 * 1024 * 1024);
    let mut etags = Vec::new();
    for (number, body) in [(1, large.as_str()), (2, "end")] {
        let reply = ADMINISTRATOR.put(&mut world, &format!("/data/large?partNumber={number}&uploadId={id}"), body);
        etags.push(header(&reply, "etag").unwrap().to_owned());
    }
    assert!(world.object_keys("data").is_empty(), "nothing is there before it is complete");
    let part = |number: usize, etag: &str| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    let complete = |parts: &[String]| format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.concat());
    let target = format!("POST /data/large?uploadId={id}");
    let wrong_order = complete(&[part(2, &etags[1]), part(1, &etags[0])]);
    assert_eq!(refusal(&ADMINISTRATOR.send(&mut world, &target, &[], wrong_order)), code(400, "InvalidPartOrder"));
    let unknown = complete(&[part(1, "\"0\"")]);
    assert_eq!(refusal(&ADMINISTRATOR.send(&mut world, &target, &[], unknown)), code(400, "InvalidPart"));
    let done = ADMINISTRATOR.send(&mut world, &target, &[], complete(&[part(1, &etags[0]), part(2, &etags[1])]));
    assert_eq!(done.status, 200);
    assert!(root(&done).value("ETag").unwrap().ends_with("-2\""));
    assert_eq!(ADMINISTRATOR.get(&mut world, "/data/large").body.len(), 5 * 1024 * 1024 + 3);
    assert_eq!(refusal(&ADMINISTRATOR.send(&mut world, &target, &[], complete(&[part(1, "x")]))), code(404, "NoSuchUpload"));
}
