"""Judges the estate after Everseal, from boto3's readings and AWS's documentation alone.

Written without a look at Everseal's own rules, on purpose: two independent readings of AWS-FACTS must agree.
Reads {"resources": [...], "plan": {...}} on stdin, the manifest of seed.py and `everseal plan --output json` made
after the apply; prints a JSON list of everything that is wrong.
"""

import json
import sys

from botocore.exceptions import ClientError

from accounts import client

FIRST_FORCED = {"postgres": 15, "aurora-postgresql": 17}


def as_list(value):
    return value if isinstance(value, list) else [value]


def statements(document):
    return as_list(document["Statement"]) if document else []


def for_everybody(statement):
    principal = statement.get("Principal")
    return "*" in as_list(principal) or (isinstance(principal, dict) and "*" in as_list(principal.get("AWS", [])))


def on_plain_http_only(condition):
    """True where the condition holds for every request over plain HTTP, whatever else it carries."""
    if len(condition) != 1:
        return False
    [(operator, keys)] = condition.items()
    if operator.lower() not in ("bool", "boolifexists", "stringequals", "stringequalsignorecase") or len(keys) != 1:
        return False
    [(key, value)] = keys.items()
    return key.lower() == "aws:securetransport" and [str(v).lower() for v in as_list(value)] == ["false"]


def covers(pattern, arn):
    return pattern == arn or (pattern.endswith("*") and "*" not in pattern[:-1] and arn.startswith(pattern[:-1]))


def refuses_plain_http(document, arns, actions):
    """Every one of `arns` is in a Deny for everybody, every one of `actions` included, on plain HTTP."""

    def denied(arn):
        return any(
            s.get("Effect") == "Deny"
            and for_everybody(s)
            and any(a.lower() in actions for a in as_list(s.get("Action", [])))
            and any(covers(r, arn) for r in as_list(s.get("Resource", [])))
            and on_plain_http_only(s.get("Condition", {}))
            for s in statements(document)
        )

    return all(denied(arn) for arn in arns)


def key_arn(reference, region, account):
    try:
        return client("kms", region, account).describe_key(KeyId=reference)["KeyMetadata"]["Arn"]
    except ClientError:
        return None


class Reading:
    """What boto3 says of one entry of the manifest now."""

    def __init__(self, entry):
        self.entry = entry
        self.aws = client(entry["service"], entry["region"], entry["account"])
        getattr(self, entry["service"])()

    def finance(self, reference):
        e = self.entry
        wanted = key_arn("alias/finance", e["region"], e["account"])
        return None not in (wanted, reference) and key_arn(reference, e["region"], e["account"]) == wanted

    def s3(self):
        name = self.entry["name"]
        try:
            rules = self.aws.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
            self.encryption = rules[0]["ApplyServerSideEncryptionByDefault"] | {"BucketKey": rules[0].get("BucketKeyEnabled", False)}
        except ClientError:
            self.encryption = {}
        try:
            self.document = json.loads(self.aws.get_bucket_policy(Bucket=name)["Policy"])
        except ClientError:
            self.document = None
        algorithm = self.encryption.get("SSEAlgorithm")
        if name.startswith("std-"):
            at_rest = algorithm in ("AES256", "aws:kms", "aws:kms:dsse")
        else:
            full_arn = self.encryption.get("KMSMasterKeyID", "").startswith("arn:aws:kms:")
            at_rest = algorithm == "aws:kms" and full_arn and self.finance(self.encryption["KMSMasterKeyID"]) and self.encryption["BucketKey"]
        arn = f"arn:aws:s3:::{name}"
        self.met = {"s3-encryption": at_rest, "s3-secure-transport": refuses_plain_http(self.document, [arn, f"{arn}/anything"], ("s3:*", "*"))}

    def sqs(self):
        url = self.aws.get_queue_url(QueueName=self.entry["name"])["QueueUrl"]
        said = self.aws.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        self.document = json.loads(said["Policy"]) if said.get("Policy") else None
        key = said.get("KmsMasterKeyId")
        if self.entry["name"].startswith("std-"):
            at_rest = bool(key) or said.get("SqsManagedSseEnabled") == "true"
        else:
            at_rest = self.finance(key) and said.get("KmsDataKeyReusePeriodSeconds") == "300"
        self.met = {"sqs-encryption": at_rest, "sqs-secure-transport": refuses_plain_http(self.document, [self.entry["arn"]], ("sqs:*", "*"))}

    def sns(self):
        said = self.aws.get_topic_attributes(TopicArn=self.entry["arn"])["Attributes"]
        self.document = json.loads(said["Policy"])
        protocols = {s["Protocol"] for s in self.aws.list_subscriptions_by_topic(TopicArn=self.entry["arn"])["Subscriptions"]}
        self.met = {
            "sns-encryption": self.finance(said.get("KmsMasterKeyId")),
            "sns-secure-transport": refuses_plain_http(self.document, [self.entry["arn"]], ("sns:publish",)),
            "sns-http-subscription": "http" not in protocols,
        }

    def kinesis(self):
        said = self.aws.describe_stream_summary(StreamName=self.entry["name"])["StreamDescriptionSummary"]
        self.document = None
        self.met = {"kinesis-encryption": said.get("EncryptionType") == "KMS" and self.finance(said.get("KeyId"))}

    def firehose(self):
        said = self.aws.describe_delivery_stream(DeliveryStreamName=self.entry["name"])["DeliveryStreamDescription"]
        own = said.get("DeliveryStreamEncryptionConfiguration", {})
        s3 = said["Destinations"][0]["ExtendedS3DestinationDescription"]
        named = s3.get("EncryptionConfiguration", {}).get("KMSEncryptionConfig", {}).get("AWSKMSKeyARN")
        target = Reading({**self.entry, "service": "s3", "name": s3["BucketARN"].split(":")[-1], "region": self.entry.get("bucket_region", self.entry["region"])})
        self.document = None
        fed = said.get("Source", {}).get("KinesisStreamSourceDescription", {}).get("KinesisStreamARN")
        source = fed and Reading({**self.entry, "service": "kinesis", "name": fed.split("/")[-1]})
        self.met = {
            "firehose-encryption": source.met["kinesis-encryption"] if fed else own.get("Status") == "ENABLED" and own.get("KeyType") == "CUSTOMER_MANAGED_CMK" and self.finance(own.get("KeyARN")),
            "firehose-destination-encryption": bool(named) or target.encryption.get("SSEAlgorithm", "").startswith("aws:kms"),
        }
        if s3.get("CompressionFormat") != "GZIP":
            self.met["firehose-destination-encryption"] = False  # an update that loses what it does not manage is not one

    def rds(self):
        name, engine = self.entry["name"], self.entry["engine"]
        if self.entry.get("cluster"):
            said = self.aws.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
            group, pages = said["DBClusterParameterGroup"], self.aws.get_paginator("describe_db_cluster_parameters")
            pages = pages.paginate(DBClusterParameterGroupName=group)
        else:
            said = self.aws.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
            group = said["DBParameterGroups"][0]["DBParameterGroupName"]
            pages = self.aws.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=group)
        values = {p["ParameterName"]: p.get("ParameterValue") for page in pages for p in page["Parameters"]}
        parameter = "rds.force_ssl" if "postgres" in engine else "require_secure_transport"
        value = values.get(parameter)
        forced = value in ("1", "ON") if value is not None else int(self.entry["version"].split(".")[0]) >= FIRST_FORCED.get(engine, 99)
        self.document = None
        self.parameters = values
        self.met = {"rds-encryption": said["StorageEncrypted"], "rds-require-tls": forced}

    def kms(self):
        said = self.aws.describe_key(KeyId=self.entry["arn"])["KeyMetadata"]
        self.document = json.loads(self.aws.get_key_policy(KeyId=said["KeyId"], PolicyName="default")["Policy"])
        principals = [s.get("Principal") for s in statements(self.document) if s.get("Effect") == "Allow"]
        self.met = {
            "kms-key-exists": True,
            "kms-key-state": said["KeyState"] == "Enabled",
            "kms-key-document": any(isinstance(p, dict) and "s3.amazonaws.com" in as_list(p.get("Service", [])) for p in principals),
        }
        if "kms-key-rotation" in self.entry["expect"]:
            self.met["kms-key-rotation"] = self.aws.get_key_rotation_status(KeyId=said["KeyId"])["KeyRotationEnabled"]


def foreign_kept(before, after):
    """Every statement that was there is there, as it was and in its order; nothing was added but ours."""
    ours = [s for s in statements(after) if s not in statements(before)]
    kept = [s for s in statements(after) if s in statements(before)]
    elements = {k: v for k, v in (before or {}).items() if k != "Statement"}
    return kept == statements(before) and all(s.get("Sid", "").startswith("Everseal") for s in ours) and all(after.get(k) == v for k, v in elements.items())


def wrong_with(entry, reading, findings, steps):
    arn, name = entry["arn"], f"{entry['service']} {entry['name']}"
    before = entry.get("document")
    if entry["untouched"] or not entry["expect"]:
        if entry["service"] in ("s3", "sqs", "sns") and before != reading.document:
            yield f"{name}: its document must not be touched; before {before}, after {reading.document}"
    elif before and not foreign_kept(before, reading.document):
        yield f"{name}: a foreign statement was changed; before {before}, after {reading.document}"
    if entry.get("keeps_encryption") and reading.encryption["SSEAlgorithm"] != entry["encryption"]["algorithm"]:
        yield f"{name}: better protected than asked, and changed to {reading.encryption}"
    for check, expected in entry["expect"].items():
        gates = [gate for a, c, gate in steps if (a, c) == (arn, check)]
        state = findings.get((arn, check))
        met = reading.met.get(check)
        if expected == "met" and not (met and state == "compliant"):
            yield f"{name}: {check} must be met; read independently {met}, everseal says {state}, steps behind gates {gates}"
        if expected != "met" and (met or gates != [expected] and state != "exempt"):
            yield f"{name}: {check} must be stopped by {expected}; read independently {met}, everseal says {state}, steps behind gates {gates}"
    if not entry["expect"] and any(a == arn for a, _ in findings) and entry["service"] != "kms":
        yield f"{name}: no rule is for it, and there are findings"


def main():
    given = json.load(sys.stdin)
    findings = {(f["resource"], f["check"]): f["state"] for f in given["plan"]["findings"]}
    steps = [(s["resource"], s["check"], s["gate"]["name"] if s["gate"] else None) for s in given["plan"]["steps"]]
    wrong = [line for entry in given["resources"] for line in wrong_with(entry, Reading(entry), findings, steps)]
    wrong += [f"a step is still to be made: {s}" for s in steps if s[2] is None]
    json.dump(wrong, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
