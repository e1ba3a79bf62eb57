"""The test estate as data: what exists before Everseal runs, and what must be true of it afterwards.

Every entry: service, name, region, account, what it is made of, and
  expect     check -> "met" (an independent reading must agree), or the name of the gate that must stop its step
  untouched  the resource's document must come out exactly as it went in

What is expected is written from AWS's documentation (AWS-FACTS 2 to 8), not from what Everseal answers.
"""

import json

from accounts import MAIN, OTHER, REGIONS

EAST, WEST = REGIONS
EVERYONE = "*"
SECURE = "aws:SecureTransport"


def _entry(service, name, expect, region=EAST, account=MAIN, untouched=False, **made_of):
    return {"service": service, "name": name, "region": region, "account": account, "expect": expect, "untouched": untouched, **made_of}


def policy(*statements, version="2012-10-17", **elements):
    return {"Version": version, **elements, "Statement": list(statements)}


def deny(resource, action, condition=None, principal=EVERYONE, **elements):
    condition = {"Bool": {SECURE: "false"}} if condition is None else condition
    return {"Sid": "TlsOnly", "Effect": "Deny", "Principal": principal, "Action": action, "Resource": resource, "Condition": condition, **elements}


# Buckets -------------------------------------------------------------------------------------------------------------

SEALED = {"s3-encryption": "met", "s3-secure-transport": "met"}


def _both(bucket):
    return [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]


def _reader(bucket, sid="Reader"):
    return {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{MAIN}:role/settlement"}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}


def accepted_bucket_policies():
    """Forms that deny every plain-HTTP request (AWS-FACTS 2.3): nothing may be written."""

    def form(**changes):
        return lambda b: policy({**deny(_both(b), "s3:*"), **changes})

    return {
        "canonical": form(),
        "aws-star": form(Principal={"AWS": "*"}),
        "aws-list": form(Principal={"AWS": ["*"]}),
        "action-star": form(Action="*"),
        "action-list": form(Action=["s3:GetObject", "s3:*"]),
        "action-case": form(Action="S3:*"),
        "resource-star": form(Resource="*"),
        "resource-glob": lambda b: policy(deny(f"arn:aws:s3:::{b}*", "s3:*")),
        "if-exists": form(Condition={"BoolIfExists": {SECURE: "false"}}),
        "json-false": form(Condition={"Bool": {SECURE: False}}),
        "list-false": form(Condition={"Bool": {SECURE: ["false"]}}),
        "key-case": form(Condition={"Bool": {"AWS:securetransport": "false"}}),
        "string-equals": form(Condition={"StringEquals": {SECURE: "false"}}),
        "two-statements": lambda b: policy(
            deny(_both(b)[0], "s3:*", Sid="Bucket"),
            deny(_both(b)[1], "s3:*", Sid="Objects"),
        ),
        "object-statement": lambda b: {"Version": "2012-10-17", "Statement": deny(_both(b), "s3:*")},
        "beside-foreign": lambda b: policy(_reader(b), deny(_both(b), "s3:*")),
    }


def rejected_bucket_policies():
    """Forms that let some plain-HTTP request through: a statement of ours is added, the rest stays."""

    def form(**changes):
        return lambda b: policy({**deny(_both(b), "s3:*"), **changes})

    def without(element, **changes):
        return lambda b: policy({name: value for name, value in {**deny(_both(b), "s3:*"), **changes}.items() if name != element})

    role = f"arn:aws:iam::{MAIN}:role/settlement"
    return {
        "none": lambda b: None,
        "allow-true": form(Effect="Allow", Condition={"Bool": {SECURE: "true"}}),
        "not-principal": without("Principal", NotPrincipal={"AWS": role}),
        "not-action": without("Action", NotAction="s3:ListBucket"),
        "not-resource": lambda b: policy({**{k: v for k, v in deny("", "s3:*").items() if k != "Resource"}, "NotResource": f"arn:aws:s3:::{b}/public/*"}),
        "only-bucket": lambda b: policy(deny(_both(b)[0], "s3:*")),
        "only-objects": lambda b: policy(deny(_both(b)[1], "s3:*")),
        "only-prefix": lambda b: policy(deny([_both(b)[0], f"arn:aws:s3:::{b}/in/*"], "s3:*")),
        "only-get": form(Action="s3:GetObject"),
        "extra-operator": form(Condition={"Bool": {SECURE: "false"}, "StringNotEquals": {"aws:PrincipalAccount": MAIN}}),
        "extra-key": form(Condition={"Bool": {SECURE: "false", "aws:PrincipalIsAWSService": "false"}}),
        "tls-version": form(Condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        "one-role": form(Principal={"AWS": role}),
        "wrong-bucket": lambda b: policy(deny(_both(b + "-other"), "s3:*")),
        "object-foreign": lambda b: {"Version": "2012-10-17", "Statement": _reader(b)},
        "version-2008": lambda b: policy(_reader(b), version="2008-10-17", Id="Policy1415115909152"),
        "our-sid": lambda b: policy(_reader(b, sid="EversealDenyInsecureTransport")),
        "many-foreign": lambda b: policy(*(_reader(b, sid=f"Reader{i}") for i in range(12))),
    }


def buckets():
    made = []
    for i, (form, document) in enumerate(accepted_bucket_policies().items()):
        region = REGIONS[i % 2]
        made.append(_entry("s3", f"fin-acc-{form}", SEALED, region, untouched=True, document=document(f"fin-acc-{form}")))
    for i, (form, document) in enumerate(rejected_bucket_policies().items()):
        # Who may read a bucket that everybody may read? Nobody can tell whom a key would shut out.
        expect = {**SEALED, "s3-encryption": "key-use"} if form == "allow-true" else SEALED
        made.append(_entry("s3", f"fin-rej-{form}", expect, REGIONS[i % 2], document=document(f"fin-rej-{form}")))
    other_key = {"algorithm": "aws:kms", "key": "alias/legacy"}
    made += [
        _entry("s3", "fin-other-key", SEALED, encryption=other_key),
        _entry("s3", "fin-sse-s3", SEALED, encryption={"algorithm": "AES256"}),
        _entry("s3", "std-dsse", SEALED, encryption={"algorithm": "aws:kms:dsse", "key": "alias/legacy"}, keeps_encryption=True),
        _entry("s3", "std-kms", SEALED, encryption=other_key, keeps_encryption=True),
        _entry("s3", "std-lake", SEALED),
        _entry("s3", "std-none", SEALED, region=WEST),
        _entry("s3", "fin-website", {"s3-encryption": "website", "s3-secure-transport": "website"}, website=True),
        _entry("s3", "std-website", {"s3-encryption": "met", "s3-secure-transport": "website"}, website=True, encryption={"algorithm": "AES256"}),
        _entry("s3", "fin-access-logs", {"s3-encryption": "log-target", "s3-secure-transport": "met"}, log_delivery=True),
        _entry(
            "s3",
            "fin-elb-logs",
            {"s3-encryption": "log-target", "s3-secure-transport": "met"},
            document=policy({
                "Sid": "Elb",
                "Effect": "Allow",
                "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::fin-elb-logs/AWSLogs/*",
            }),
        ),
        _entry("s3", "fin-replicated", {"s3-encryption": "replication", "s3-secure-transport": "met"}, replicates_to="std-none"),
        _entry("s3", "fin-public", {"s3-encryption": "met", "s3-secure-transport": "exemption"}),
        _entry("s3", "aud-photos", {"s3-encryption": "mode", "s3-secure-transport": "mode"}),
        _entry("s3", "holiday-photos", {}),
        _entry("s3", "fin-second-account", SEALED, account=OTHER),
        _entry("s3", "fin-second-account-eu", SEALED, account=OTHER, region=WEST, document=policy(_reader("fin-second-account-eu"))),
    ]
    for entry in made:
        if entry["name"].startswith("fin-acc-"):
            entry["encryption"] = {"algorithm": "AES256"}
    return made


# Queues --------------------------------------------------------------------------------------------------------------

QUEUE = {"sqs-encryption": "met", "sqs-secure-transport": "met"}


def arn(service, name, region=EAST, account=MAIN):
    return f"arn:aws:{service}:{region}:{account}:{name}"


def _sender(queue_arn, principal, **condition):
    return {"Sid": "Sender", "Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": queue_arn, **({"Condition": condition} if condition else {})}


def queues():
    def q(name, expect=None, region=EAST, account=MAIN, document=None, untouched=False, **attributes):
        document = document(arn("sqs", name, region, account)) if document else None
        return _entry("sqs", name, QUEUE if expect is None else expect, region, account, untouched, attributes=attributes, document=document)

    unencrypted = {"SqsManagedSseEnabled": "false"}
    source = {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::fin-sse-s3"}, "StringEquals": {"aws:SourceAccount": MAIN}}
    return [
        q("fin-unencrypted", **unencrypted),
        q("fin-sse-sqs", SqsManagedSseEnabled="true"),
        q("fin-managed-key", KmsMasterKeyId="alias/aws/sqs"),
        q("fin-legacy-key", KmsMasterKeyId="alias/legacy", KmsDataKeyReusePeriodSeconds="86400"),
        q("fin-west", region=WEST, **unencrypted),
        q("fin-orders.fifo", FifoQueue="true", **unencrypted),
        q("fin-orders-dead.fifo", FifoQueue="true", **unencrypted),
        q("fin-dead", **unencrypted),
        q("fin-with-dead", RedrivePolicy=json.dumps({"deadLetterTargetArn": arn("sqs", "fin-dead"), "maxReceiveCount": 3}), **unencrypted),
        q("fin-denied", document=lambda a: policy(deny(a, "sqs:*")), untouched=True),
        q("fin-denied-object", document=lambda a: {"Version": "2012-10-17", "Statement": deny(a, "SQS:*")}, untouched=True),
        q("fin-denied-send-only", document=lambda a: policy(deny(a, "sqs:SendMessage"))),
        q("fin-foreign-2008", document=lambda a: policy(_sender(a, {"AWS": f"arn:aws:iam::{MAIN}:role/ingest"}), version="2008-10-17", Id=f"{a}/SQSDefaultPolicy")),
        q("fin-from-s3", document=lambda a: policy(_sender(a, {"Service": "s3.amazonaws.com"}, **source)), **unencrypted),
        q("fin-from-sns", document=lambda a: policy(_sender(a, {"Service": "sns.amazonaws.com"}, ArnEquals={"aws:SourceArn": arn("sns", "fin-orders")})), **unencrypted),
        # Its document names no source, so by itself it would wait; topic fin-from-events needs the key open to EventBridge anyhow.
        q("fin-from-events", document=lambda a: policy(_sender(a, {"Service": "events.amazonaws.com"})), **unencrypted),
        q("fin-from-partner", document=lambda a: policy(_sender(a, {"AWS": "arn:aws:iam::999988887777:role/partner"})), **unencrypted),
        q("std-unencrypted", **unencrypted),
        q("std-better", KmsMasterKeyId="alias/legacy"),
        q("scratch", {}, **unencrypted),
        q("fin-second-account", account=OTHER, **unencrypted),
    ]


# Topics --------------------------------------------------------------------------------------------------------------

TOPIC = {"sns-encryption": "met", "sns-secure-transport": "met", "sns-http-subscription": "met"}


def topics():
    def t(name, expect=None, region=EAST, account=MAIN, document=None, untouched=False, **made_of):
        document = document(arn("sns", name, region, account)) if document else None
        return _entry("sns", name, TOPIC if expect is None else expect, region, account, untouched, document=document, **made_of)

    def publisher(topic, principal, sid="Publisher", **condition):
        return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "sns:Publish", "Resource": topic, **({"Condition": condition} if condition else {})}

    # Alarms of which account? A grant would let CloudWatch use the key for all of them.
    blocked = {**TOPIC, "sns-encryption": "path"}
    http = {**TOPIC, "sns-http-subscription": "manual"}
    own = {"AWS": f"arn:aws:iam::{MAIN}:role/ingest"}
    return [
        t("fin-default"),
        t("fin-managed-key", key="alias/aws/sns"),
        t("fin-legacy-key", key="alias/legacy"),
        t("fin-west", region=WEST),
        t("fin-orders", subscriptions=[["sqs", arn("sqs", "fin-from-sns")]]),
        t("fin-orders.fifo", fifo=True),
        t("fin-http", http, subscriptions=[["http", "http://billing.example.com/hook"], ["https", "https://billing.example.com/hook"]]),
        t("fin-https", subscriptions=[["https", "https://billing.example.com/hook"]]),
        t("fin-email", subscriptions=[["email", "ops@example.com"]]),
        t("fin-denied", document=lambda a: policy(publisher(a, own), deny(a, "sns:Publish"), Id="mine"), untouched=True),
        t("fin-denied-list", document=lambda a: policy(publisher(a, own), deny(a, ["sns:Subscribe", "sns:Publish"]), Id="mine"), untouched=True),
        t("fin-denied-object", document=lambda a: {"Version": "2012-10-17", "Id": "mine", "Statement": deny(a, "SNS:Publish")}, untouched=True),
        t("fin-denied-subscribe", document=lambda a: policy(publisher(a, own), deny(a, "sns:Subscribe"), Id="mine")),
        t("fin-2008", document=lambda a: policy(publisher(a, own), version="2008-10-17", Id="__default_policy_ID")),
        t("fin-many", document=lambda a: policy(*(publisher(a, own, sid=f"P{i}") for i in range(20)), Id="mine")),
        t("fin-from-s3", document=lambda a: policy(publisher(a, {"Service": "s3.amazonaws.com"}, StringEquals={"aws:SourceAccount": MAIN}), Id="mine")),
        t("fin-alarms", blocked, document=lambda a: policy(publisher(a, {"Service": "cloudwatch.amazonaws.com"}), Id="mine")),
        t("fin-from-events", document=lambda a: policy(publisher(a, {"Service": "events.amazonaws.com"}), Id="mine")),
        t("scratch", {}),
        t("fin-second-account", account=OTHER),
    ]


# Streams -------------------------------------------------------------------------------------------------------------


def streams():
    def f(name, expect, **made_of):
        return _entry("firehose", name, expect, **made_of)

    direct = {"firehose-encryption": "met", "firehose-destination-encryption": "met"}
    plain = {**direct, "firehose-destination-encryption": "manual"}  # the policy names no key for destinations
    return [
        _entry("kinesis", "fin-trades", {"kinesis-encryption": "met"}),
        _entry("kinesis", "fin-legacy", {"kinesis-encryption": "met"}, key="alias/legacy"),
        _entry("kinesis", "fin-managed", {"kinesis-encryption": "met"}, key="alias/aws/kinesis"),
        _entry("kinesis", "fin-west", {"kinesis-encryption": "met"}, region=WEST),
        _entry("kinesis", "scratch", {}),
        f("fin-direct", direct, bucket="fin-sse-s3"),
        f("fin-aws-owned", direct, bucket="fin-sse-s3", encryption={"KeyType": "AWS_OWNED_CMK"}),
        f("fin-named-key", direct, bucket="std-kms", destination_key="alias/legacy"),
        f("fin-to-plain-bucket", plain, bucket="std-lake"),
        f("fin-fed", direct, bucket="fin-sse-s3", source="fin-trades"),
    ]


# Databases -----------------------------------------------------------------------------------------------------------


def databases():
    """Storage encryption can't be changed in place (AWS-FACTS 8.1): an unencrypted database is a person's work."""

    def d(name, engine, version, expect, **made_of):
        return _entry("rds", name, expect, engine=engine, version=version, **made_of)

    return [
        d("fin-pg-custom", "postgres", "14.9", {"rds-encryption": "met", "rds-require-tls": "met"}, encrypted="alias/finance-seed", group=["postgres14", {"rds.force_ssl": "0"}]),
        d("fin-pg-forced", "postgres", "15.4", {"rds-encryption": "manual", "rds-require-tls": "met"}, group=["postgres15", {"rds.force_ssl": "1"}]),
        d("fin-mysql-custom", "mysql", "8.0.35", {"rds-encryption": "manual", "rds-require-tls": "met"}, group=["mysql8.0", {"max_connections": "500"}]),
        d("fin-mysql-default", "mysql", "8.0.35", {"rds-encryption": "met", "rds-require-tls": "met"}, encrypted="alias/finance-seed"),
        d("fin-maria", "mariadb", "10.11.6", {"rds-encryption": "met", "rds-require-tls": "met"}, encrypted="alias/finance-seed", group=["mariadb10.11", {"require_secure_transport": "ON"}]),
        d("fin-aurora", "aurora-mysql", "8.0.mysql_aurora.3.04.0", {"rds-encryption": "met", "rds-require-tls": "met"}, cluster=True, encrypted="alias/finance-seed", group=["aurora-mysql8.0", {"require_secure_transport": "OFF"}]),
    ]


# Keys ----------------------------------------------------------------------------------------------------------------


def keys():
    """Keys in all states that moto knows; those with an expectation are listed by the policy `key-states`."""

    def k(alias, expect, **made_of):
        return _entry("kms", alias, expect, **made_of)

    sound = {"kms-key-exists": "met", "kms-key-state": "met"}
    return [
        k("alias/legacy", {}),
        k("alias/finance-seed", {}),
        k("alias/healthy", {**sound, "kms-key-rotation": "met"}),
        k("alias/asleep", sound, state="Disabled"),
        k("alias/asleep-on-purpose", {**sound, "kms-key-state": "manual"}, state="Disabled"),
        k("alias/doomed", sound, state="PendingDeletion"),
        k("alias/doomed-on-purpose", {**sound, "kms-key-state": "manual"}, state="PendingDeletion"),
        k("alias/imported", {}, origin="EXTERNAL"),
        k("alias/signing", {}, spec="RSA_2048"),
        k("alias/everywhere", {}, multi_region=True),
        k("alias/guarded", {**sound, "kms-key-document": "met"}, foreign_statement=True),
    ]


def everything():
    return keys() + buckets() + queues() + topics() + streams() + databases()
