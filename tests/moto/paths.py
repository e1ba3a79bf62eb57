"""Seeds what lies beside resources on data paths: rules, distributions, roles and log targets, each in the forms that matter.

With the argument `lakes`: two buckets, each with a delivery stream whose role may put objects there; one role may use keys.
"""

import json
import sys

from accounts import MAIN, client

SETTLE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringLike": {"aws:PrincipalTag/team": "a+b %"}}}]}
PUT_OLD = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::old/*"}]}
PUT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::uploads/*"}]}
BOUND = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}]}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
UPLOADED = {"source": ["aws.s3"], "detail-type": ["Object Created"]}


def buckets():
    s3 = client("s3")
    for name in ("uploads", "access-logs"):
        s3.create_bucket(Bucket=name)
    logger = {"Service": "logging.s3.amazonaws.com"}
    allow = {"Effect": "Allow", "Principal": logger, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::access-logs/*"}
    s3.put_bucket_policy(Bucket="access-logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    s3.put_bucket_logging(Bucket="uploads", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "access-logs", "TargetPrefix": "uploads/"}})


def rules():
    sqs, events = client("sqs"), client("events")
    for name in ("uploaded", "dead"):
        sqs.create_queue(QueueName=name)
    queue = f"arn:aws:sqs:us-east-1:{MAIN}"
    events.put_rule(Name="uploads", EventPattern=json.dumps(UPLOADED))
    events.put_targets(Rule="uploads", Targets=[{"Id": "queue", "Arn": f"{queue}:uploaded", "DeadLetterConfig": {"Arn": f"{queue}:dead"}}])
    events.put_rule(Name="nightly", ScheduleExpression="rate(1 day)", State="DISABLED")
    events.create_event_bus(Name="orders")
    events.put_rule(Name="settled", EventBusName="orders", EventPattern=json.dumps({"source": ["shop"]}))
    to_role = f"arn:aws:iam::{MAIN}:role/settlement"
    events.put_targets(Rule="settled", EventBusName="orders", Targets=[{"Id": "1", "Arn": f"{queue}:uploaded", "RoleArn": to_role}])


def distributions():
    cloudfront = client("cloudfront")
    access = {"Name": "uploads", "OriginAccessControlOriginType": "s3", "SigningBehavior": "always", "SigningProtocol": "sigv4"}
    control = cloudfront.create_origin_access_control(OriginAccessControlConfig=access)["OriginAccessControl"]["Id"]
    rest = {
        "Id": "rest",
        "DomainName": "uploads.s3.us-east-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": control,
    }
    website = {
        "Id": "website",
        "DomainName": "site.s3-website-us-east-1.amazonaws.com",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"},
    }
    cloudfront.create_distribution(DistributionConfig={
        "CallerReference": "paths",
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 2, "Items": [rest, website]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "rest",
            "ViewerProtocolPolicy": "redirect-to-https",
            "MinTTL": 0,
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
        },
    })
    return control


def roles():
    iam = client("iam")
    put = iam.create_policy(PolicyName="put", PolicyDocument=json.dumps(PUT_OLD))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=put, PolicyDocument=json.dumps(PUT), SetAsDefault=True)
    bound = iam.create_policy(PolicyName="bound", PolicyDocument=json.dumps(BOUND))["Policy"]["Arn"]
    trust = json.dumps(TRUST)
    iam.create_role(RoleName="settlement", AssumeRolePolicyDocument=trust, PermissionsBoundary=bound, Path="/finance/")
    iam.put_role_policy(RoleName="settlement", PolicyName="settle", PolicyDocument=json.dumps(SETTLE))
    iam.attach_role_policy(RoleName="settlement", PolicyArn=put)
    iam.create_role(RoleName="idle", AssumeRolePolicyDocument=trust)


def lakes():
    iam, kms, s3, firehose = client("iam"), client("kms"), client("s3"), client("firehose")
    key = kms.create_key(Description="lakes")["KeyMetadata"]
    kms.create_alias(AliasName="alias/lakes", TargetKeyId=key["KeyId"])
    put = lambda name: {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::lake-{name}/*"}
    use = {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": key["Arn"]}
    for name, statements in (("open", [put("open"), use]), ("shut", [put("shut")])):
        s3.create_bucket(Bucket=f"lake-{name}")
        role = iam.create_role(RoleName=f"to-{name}", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=f"to-{name}", PolicyName="deliver", PolicyDocument=policy)
        destination = {"RoleARN": role, "BucketARN": f"arn:aws:s3:::lake-{name}", "CompressionFormat": "GZIP"}
        firehose.create_delivery_stream(DeliveryStreamName=f"to-{name}", DeliveryStreamType="DirectPut", ExtendedS3DestinationConfiguration=destination)


if __name__ == "__main__":
    if sys.argv[1:] == ["lakes"]:
        lakes()
        json.dump({}, sys.stdout)
        sys.exit()
    buckets()
    rules()
    control = distributions()
    roles()
    json.dump({"settle": SETTLE, "put": PUT, "bound": BOUND, "uploaded": UPLOADED, "access_control": control}, sys.stdout)
