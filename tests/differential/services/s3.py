"""Buckets: encryption, documents, public access, notifications, websites, logging; objects and how they are listed."""

import json

from compare import Differs

OWNER = "123456789012"
READ = {
    "Version": "2012-10-17",
    "Statement": [{
        "Sid": "Read", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}, "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::diff-plain/*",
    }],
}
PUBLIC = {**READ, "Statement": [{**READ["Statement"][0], "Principal": "*"}]}


def scenario(aws):
    buckets(aws)
    encryption(aws)
    documents(aws)
    settings(aws)
    objects(aws)
    listings(aws)
    encrypted_objects(aws)
    ends(aws)


def buckets(aws):
    s3 = aws.s3
    s3.list_buckets("of an empty account")
    s3.create_bucket("plain", Bucket="diff-plain")
    s3.create_bucket("again", Bucket="diff-plain")
    away = aws.s3.on(region="eu-west-1")
    away.create_bucket("in another region", Bucket="diff-away", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.create_bucket("in a region that the request is not for", Bucket="diff-odd", CreateBucketConfiguration={"LocationConstraint": "us-east-1"})
    s3.head_bucket("plain", Bucket="diff-plain")
    s3.head_bucket("none", Bucket="diff-none")
    s3.get_bucket_location("plain", Bucket="diff-plain")
    away.get_bucket_location("in another region", Bucket="diff-away")
    s3.list_buckets("two")
    s3.list_buckets("by prefix", Prefix="diff-p")
    first = s3.list_buckets("first page", MaxBuckets=1)
    s3.list_buckets("second page", MaxBuckets=1, ContinuationToken=first.at("ContinuationToken"))
    s3.create_bucket("with a bad name", Bucket="Not_A_Bucket")
    s3.get_bucket_acl("plain", Bucket="diff-plain")
    s3.get_bucket_tagging("without tags", Bucket="diff-plain")
    s3.put_bucket_tagging("plain", Bucket="diff-plain", Tagging={"TagSet": [{"Key": "classification", "Value": "confidential"}]})
    s3.get_bucket_tagging("with tags", Bucket="diff-plain")
    s3.delete_bucket_tagging("plain", Bucket="diff-plain")


def encryption(aws):
    s3 = aws.s3
    s3.get_bucket_encryption("of a new bucket", Bucket="diff-plain")
    s3.get_bucket_encryption("of no bucket", Bucket="diff-none")

    def put(label, rule, **more):
        configuration = {"Rules": [{"ApplyServerSideEncryptionByDefault": rule, **more}]}
        s3.put_bucket_encryption(label, Bucket="diff-plain", ServerSideEncryptionConfiguration=configuration)

    put("SSE-S3", {"SSEAlgorithm": "AES256"})
    s3.get_bucket_encryption("SSE-S3", Bucket="diff-plain")
    put("SSE-KMS", {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/diff-s3"}, BucketKeyEnabled=True)
    s3.get_bucket_encryption("SSE-KMS", Bucket="diff-plain")
    put("of a kind that is none", {"SSEAlgorithm": "rot13"})
    put("SSE-S3 with a key", {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "alias/diff-s3"})
    put("DSSE", {"SSEAlgorithm": "aws:kms:dsse"})
    s3.get_bucket_encryption("DSSE", Bucket="diff-plain")
    s3.delete_bucket_encryption("plain", Bucket="diff-plain")
    s3.get_bucket_encryption("after deletion", Bucket="diff-plain")


def documents(aws):
    s3 = aws.s3
    s3.get_bucket_policy("without one", Bucket="diff-plain")
    s3.get_bucket_policy("of no bucket", Bucket="diff-none")
    s3.get_bucket_policy_status("without one", Bucket="diff-plain")
    s3.put_bucket_policy("that is no JSON", Bucket="diff-plain", Policy="no JSON")
    elsewhere = json.dumps(READ).replace("diff-plain", "diff-other")
    s3.put_bucket_policy("for another bucket", Bucket="diff-plain", Policy=elsewhere)
    s3.put_bucket_policy("of no bucket", Bucket="diff-none", Policy=json.dumps(READ))
    s3.put_bucket_policy("that lets the owner read", Bucket="diff-plain", Policy=json.dumps(READ))
    s3.get_bucket_policy("with one", Bucket="diff-plain")
    s3.get_bucket_policy_status("with one", Bucket="diff-plain")
    s3.get_public_access_block("of a new bucket", Bucket="diff-plain")
    s3.put_bucket_policy("that lets everybody read where that is blocked", Bucket="diff-plain", Policy=json.dumps(PUBLIC))
    s3.delete_public_access_block("plain", Bucket="diff-plain")
    s3.get_public_access_block("after deletion", Bucket="diff-plain")
    s3.put_bucket_policy("that lets everybody read", Bucket="diff-plain", Policy=json.dumps(PUBLIC))
    s3.get_bucket_policy_status("of a public bucket", Bucket="diff-plain")
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}
    s3.put_public_access_block("plain", Bucket="diff-plain", PublicAccessBlockConfiguration=block)
    s3.get_public_access_block("after a write", Bucket="diff-plain")
    s3.delete_bucket_policy("plain", Bucket="diff-plain")
    s3.get_bucket_policy("after deletion", Bucket="diff-plain")


def settings(aws):
    s3 = aws.s3
    s3.get_bucket_notification_configuration("without one", Bucket="diff-plain")
    queue = aws.sqs.create_queue("for notifications", QueueName="diff-notified").at("QueueUrl")
    target = f"arn:aws:sqs:us-east-1:{OWNER}:diff-notified"
    let = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": target}
    document = json.dumps({"Version": "2012-10-17", "Statement": [let]})
    rules = [{"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}]}}]
    notification = {"Id": "orders", "QueueArn": target, "Events": ["s3:ObjectCreated:*"], "Filter": rules[0]}
    s3.put_bucket_notification_configuration(
        "to a queue that does not let S3 in", Bucket="diff-plain", NotificationConfiguration={"QueueConfigurations": [notification]}
    )
    aws.sqs.set_queue_attributes("for notifications", QueueUrl=queue, Attributes={"Policy": document})
    s3.put_bucket_notification_configuration(
        "to a queue", Bucket="diff-plain",
        NotificationConfiguration={"QueueConfigurations": [notification], "EventBridgeConfiguration": {}},
    )
    s3.get_bucket_notification_configuration("to a queue", Bucket="diff-plain")
    bad = {"QueueConfigurations": [{**notification, "Events": ["s3:ObjectDreamt:*"]}]}
    s3.put_bucket_notification_configuration("of no event", Bucket="diff-plain", NotificationConfiguration=bad)
    s3.put_bucket_notification_configuration("none", Bucket="diff-plain", NotificationConfiguration={})
    s3.get_bucket_notification_configuration("none", Bucket="diff-plain")

    s3.get_bucket_website("without one", Bucket="diff-plain")
    s3.put_bucket_website("plain", Bucket="diff-plain", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    s3.get_bucket_website("with one", Bucket="diff-plain")
    s3.delete_bucket_website("plain", Bucket="diff-plain")
    s3.get_bucket_replication("without one", Bucket="diff-plain")
    s3.get_bucket_logging("without one", Bucket="diff-plain")
    s3.get_bucket_versioning("without one", Bucket="diff-plain")
    s3.put_bucket_versioning("plain", Bucket="diff-plain", VersioningConfiguration={"Status": "Enabled"})
    s3.get_bucket_versioning("with one", Bucket="diff-plain")
    s3.put_bucket_versioning("suspended", Bucket="diff-plain", VersioningConfiguration={"Status": "Suspended"})


def objects(aws):
    s3 = aws.s3
    s3.create_bucket("for objects", Bucket="diff-objects")
    s3.put_object("plain", Bucket="diff-objects", Key="a.txt", Body=b"hello", ContentType="text/plain", Metadata={"origin": "test"})
    s3.put_object("in no bucket", Bucket="diff-none", Key="a.txt", Body=b"hello")
    s3.get_object("plain", Bucket="diff-objects", Key="a.txt")
    s3.get_object("part of it", Bucket="diff-objects", Key="a.txt", Range="bytes=1-3")
    s3.get_object("past its end", Bucket="diff-objects", Key="a.txt", Range="bytes=9-12")
    s3.get_object("none", Bucket="diff-objects", Key="none.txt")
    s3.head_object("plain", Bucket="diff-objects", Key="a.txt")
    s3.head_object("none", Bucket="diff-objects", Key="none.txt")
    s3.copy_object("to another key", Bucket="diff-objects", Key="b.txt", CopySource="diff-objects/a.txt")
    s3.copy_object("onto itself without a change", Bucket="diff-objects", Key="a.txt", CopySource="diff-objects/a.txt")
    s3.copy_object("of none", Bucket="diff-objects", Key="b.txt", CopySource="diff-objects/none.txt")
    s3.delete_object("plain", Bucket="diff-objects", Key="b.txt")
    s3.delete_object("none", Bucket="diff-objects", Key="none.txt")
    upload = s3.create_multipart_upload("plain", Bucket="diff-objects", Key="parts").at("UploadId")
    part = s3.upload_part("plain", Bucket="diff-objects", Key="parts", UploadId=upload, PartNumber=1, Body=b"one part").at("ETag")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload("plain", Bucket="diff-objects", Key="parts", UploadId=upload, MultipartUpload=parts)
    s3.complete_multipart_upload("of none", Bucket="diff-objects", Key="parts", UploadId="none", MultipartUpload=parts)
    s3.head_object("in parts", Bucket="diff-objects", Key="parts")


def listings(aws):
    s3 = aws.s3
    s3.create_bucket("for listings", Bucket="diff-listed")
    s3.list_objects_v2("of an empty bucket", Bucket="diff-listed")
    s3.list_objects_v2("of no bucket", Bucket="diff-none")
    for key in ("a/1", "a/2", "b c/3", "d"):
        aws.s3.quietly("put_object", Bucket="diff-listed", Key=key, Body=b"x")
    s3.list_objects_v2("all", Bucket="diff-listed")
    s3.list_objects_v2("by prefix", Bucket="diff-listed", Prefix="a/")
    s3.list_objects_v2("by delimiter", Bucket="diff-listed", Delimiter="/")
    s3.list_objects_v2("after a key", Bucket="diff-listed", StartAfter="a/2")
    first = s3.list_objects_v2("first page", Bucket="diff-listed", MaxKeys=3)
    s3.list_objects_v2("second page", Bucket="diff-listed", MaxKeys=3, ContinuationToken=first.at("NextContinuationToken"))
    s3.list_objects("all", Bucket="diff-listed")
    s3.list_object_versions("all", Bucket="diff-listed", Prefix="d")
    doomed = {"Objects": [{"Key": "a/1"}, {"Key": "none"}]}
    s3.delete_objects("two", Bucket="diff-listed", Delete=doomed)


def encrypted_objects(aws):
    s3 = aws.s3
    key = aws.name(aws.kms.create_key("for objects", Description="objects").at("KeyMetadata.KeyId"), "key")
    arn = f"arn:aws:kms:us-east-1:{OWNER}:key/{key}"
    s3.put_object("SSE-KMS", Bucket="diff-objects", Key="kms", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=arn)
    s3.head_object("SSE-KMS", Bucket="diff-objects", Key="kms")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption("with a key", Bucket="diff-objects", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object("by default", Bucket="diff-objects", Key="default", Body=b"x")
    s3.get_object("by default", Bucket="diff-objects", Key="default")
    none = arn.replace(key, "00000000-0000-0000-0000-000000000000")
    s3.put_object("under no key", Bucket="diff-objects", Key="none", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=none)
    aws.kms.disable_key("for objects", KeyId=key)
    s3.get_object("under a disabled key", Bucket="diff-objects", Key="default")
    s3.put_object("under a disabled key", Bucket="diff-objects", Key="default", Body=b"x")


def ends(aws):
    s3 = aws.s3
    s3.delete_bucket("with objects in it", Bucket="diff-listed")
    s3.delete_bucket("none", Bucket="diff-none")
    s3.delete_bucket("plain", Bucket="diff-plain")
    s3.head_bucket("deleted", Bucket="diff-plain")


ENCRYPTION = "S3 User Guide: Setting default server-side encryption behavior (every bucket has one since January 2023)"
ERRORS = "S3 API Reference: Error responses (BucketName, Key, Resource)"
INTEGRITY = "S3 User Guide: Checking object integrity"
USES = "PutObject * | GetObject * | HeadObject * | CopyObject to another key | CreateMultipartUpload plain | UploadPart plain | "
USES += "CompleteMultipartUpload plain"

TABLE = [
    Differs("ministack", "*", "Error.BucketName | Error.Resource | Error.Key", "errors about a bucket name it, and a key by Key", ERRORS),
    Differs("moto ministack", "*", "*Owner.DisplayName", "no longer given", "s3:Owner, DisplayName (end of support in 2025)"),
    Differs("ministack", "GetBucketAcl plain", "*Grantee.DisplayName", "no longer given", "s3:Grantee, DisplayName (end of support in 2025)"),
    Differs("moto", "ListBuckets *", "Owner.ID", "the canonical user id of the account, 64 digits", "S3 User Guide: Canonical user ID"),
    Differs("moto ministack", "CreateBucket *", "BucketArn", "told", "s3:CreateBucket, BucketArn"),
    Differs("moto", "CreateBucket in a region that the request is not for", "Error.LocationConstraint", "told", ERRORS),
    Differs("moto", "CreateBucket with a bad name", "outcome", "InvalidBucketName", "S3 User Guide: General purpose bucket naming rules"),
    Differs("moto ministack", "HeadBucket plain", "AccessPointAlias", "told", "s3:HeadBucket, AccessPointAlias"),
    Differs(
        "moto", "HeadBucket none | HeadBucket deleted | HeadObject none | GetObject past its end", "RequestId", "every answer has one",
        "S3 API Reference: Common response headers",
    ),
    Differs("moto", "HeadBucket plain", "BucketArn", "told", "s3:HeadBucket, BucketArn"),
    Differs("ministack", "ListBuckets two", "*.BucketArn | *.BucketRegion", "only where a parameter is given", "s3:Bucket, BucketRegion"),
    Differs("moto", "ListBuckets by prefix | ListBuckets * page", "*.BucketArn | *.BucketRegion", "where a parameter is given", "s3:Bucket"),
    Differs("moto", "ListBuckets by prefix", "Prefix", "told where it was given", "s3:ListBuckets, Prefix"),
    Differs("moto", "ListBuckets first page", "Buckets* | ContinuationToken", "in the order of names, so many a page", "s3:ListBuckets, MaxBuckets"),
    Differs("moto", "GetBucketEncryption of a new bucket | GetBucketEncryption after deletion", "outcome", "SSE-S3", ENCRYPTION),
    Differs(
        "ministack", "GetBucketEncryption of a new bucket", "*BlockedEncryptionTypes*",
        "new buckets block SSE-C", "S3 User Guide: Blocking or unblocking SSE-C for a general purpose bucket (since April 2026)",
    ),
    Differs("ministack", "GetBucketEncryption SSE-S3 | GetBucketEncryption DSSE", "*.BucketKeyEnabled", "told", "s3:ServerSideEncryptionRule"),
    Differs("moto", "PutBucketEncryption of a kind that is none", "outcome", "no value of the enumeration", "s3:ServerSideEncryptionByDefault"),
    Differs(
        "moto ministack", "PutBucketEncryption SSE-S3 with a key", "outcome", "a key only with aws:kms or aws:kms:dsse",
        "s3:ServerSideEncryptionByDefault, KMSMasterKeyID",
    ),
    Differs("ministack", "GetBucketPolicyStatus without one", "outcome", "NoSuchBucketPolicy", "S3 API Reference: Error responses"),
    Differs(
        "ministack", "GetBucketPolicyStatus with one | GetBucketPolicyStatus of a public bucket", "PolicyStatus*", "IsPublic is told",
        "s3:GetBucketPolicyStatus",
    ),
    Differs(
        "moto ministack", "PutBucketPolicy that is no JSON | PutBucketPolicy for another bucket", "outcome", "MalformedPolicy",
        "S3 API Reference: Error responses, MalformedPolicy",
    ),
    Differs("moto", "PutBucketPolicy that lets the owner read | PutBucketPolicy that lets everybody read", "status", "204", "s3:PutBucketPolicy"),
    Differs(
        "moto ministack", "GetPublicAccessBlock of a new bucket", "outcome", "all four are on",
        "S3 User Guide: Blocking public access (new buckets, since April 2023)",
    ),
    Differs(
        "moto ministack", "PutBucketPolicy that lets everybody read where that is blocked", "outcome", "BlockPublicPolicy refuses it",
        "S3 User Guide: Blocking public access, BlockPublicPolicy",
    ),
    Differs(
        "moto ministack", "PutBucketNotificationConfiguration to a queue that does not let S3 in", "outcome", "S3 tries the destination first",
        "s3:PutBucketNotificationConfiguration (a test message is sent)",
    ),
    Differs("moto", "GetBucketNotificationConfiguration to a queue", "EventBridgeConfiguration", "as it was set", "s3:NotificationConfiguration"),
    Differs(
        "moto ministack", "GetBucketNotificationConfiguration to a queue", "*.FilterRules[*", "given back as Prefix, however it was written",
        "S3 User Guide: Configuring event notifications using object key name filtering (names are not case-sensitive)",
    ),
    Differs("ministack", "PutBucketNotificationConfiguration of no event", "outcome", "no value of the enumeration", "s3:Event"),
    Differs("moto ministack", USES, "ServerSideEncryption", "AES256 where nothing else was asked for", ENCRYPTION),
    Differs("ministack", "HeadObject * | GetObject by default", "ContentType", "binary/octet-stream", "s3:PutObject, Content-Type"),
    Differs("moto ministack", "PutObject *", "ChecksumType", "FULL_OBJECT", "s3:PutObject, ChecksumType"),
    Differs("moto", "GetObject plain | GetObject by default", "ChecksumType", "FULL_OBJECT", "s3:GetObject, ChecksumType"),
    Differs("ministack", "PutObject * | CopyObject to another key", "*ChecksumCRC32", "told where it was sent", INTEGRITY),
    Differs("moto ministack", "CopyObject to another key", "CopyObjectResult.ChecksumType", "told with the checksum", "s3:CopyObjectResult"),
    Differs("ministack", "ListObjectsV2 *", "*.ChecksumAlgorithm[CRC32]", "told where there is a checksum", "s3:Object"),
    Differs("moto ministack", "ListObjects all", "*.ChecksumAlgorithm[CRC32]", "told where there is a checksum", "s3:Object"),
    Differs("moto ministack", "ListObjects*", "*.ChecksumType", "told with the algorithm", "s3:Object, ChecksumType"),
    Differs(
        "ministack", "GetObject past its end", "Error.ActualObjectSize | Error.RangeRequested", "told", "S3 API Reference: Error responses",
    ),
    Differs("ministack", "CopyObject onto itself without a change", "outcome", "InvalidRequest", "S3 User Guide: Copying, moving, and renaming objects"),
    Differs("moto ministack", "CompleteMultipartUpload plain", "Location", "the object's own address, over HTTPS", "s3:CompleteMultipartUpload"),
    Differs("moto", "CompleteMultipartUpload plain", "VersionId", "only where versioning is or was on", "s3:CompleteMultipartUpload"),
    Differs("moto", "CompleteMultipartUpload of none", "Error.* | status | RequestId", "NoSuchUpload; moto breaks", "s3:CompleteMultipartUpload"),
    Differs("ministack", "CompleteMultipartUpload of none", "Error.UploadId", "told", "S3 API Reference: Error responses"),
    Differs("moto", "ListObjectsV2 second page", "ContinuationToken", "told where it was given", "s3:ListObjectsV2, ContinuationToken"),
    Differs("moto", "ListObjects all", "Marker | Prefix", "told, empty where not given", "s3:ListObjects, sample responses"),
    Differs("moto ministack", "ListObjectVersions all", "EncodingType", "told where it was given", "s3:ListObjectVersions, EncodingType"),
    Differs("moto", "CreateKey for objects", "*.KeyUsage | *.MultiRegion | *.CurrentKeyMaterialId", "see services/kms.py", "kms:KeyMetadata"),
    Differs("ministack", "CreateKey for objects", "*.AWSAccountId", "see services/kms.py", "kms:KeyMetadata"),
    Differs("moto ministack", "CreateKey for objects", "*.SigningAlgorithms", "see services/kms.py", "kms:KeyMetadata"),
    Differs(
        "moto ministack", "PutObject SSE-KMS | HeadObject SSE-KMS | PutObject by default | GetObject by default", "ETag",
        "no MD5 of the data under SSE-KMS", "s3:Object, ETag",
    ),
    Differs("ministack", "PutObject by default | GetObject by default", "BucketKeyEnabled", "told", "s3:PutObject, BucketKeyEnabled"),
    Differs(
        "moto ministack", "PutObject under * | GetObject under a disabled key", "outcome", "neither uses keys: KMS refuses, and S3 passes it on",
        "KMS Developer Guide: Key states of KMS keys; S3 User Guide: Using server-side encryption with AWS KMS keys",
    ),
]
