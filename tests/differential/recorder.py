"""Calls one server with boto3 and keeps what a client can tell of each answer.

What differs from run to run by its nature (ids, times, ports) becomes a word for what it is, so that the rest can be
compared as it stands. Nothing else is smoothed over here: what servers disagree on is explained in services/.
"""

import datetime
import json
import re
import time

import boto3
import botocore.exceptions
import botocore.parsers
from botocore.config import Config
from botocore.response import StreamingBody

ACCOUNT = "123456789012"
REGION = "us-east-1"

# Members whose values mean nothing to a client but that there is one.
OPAQUE = {
    "AssumedRoleId", "CiphertextBlob", "ContinuationToken", "HostId", "KeyMaterialId", "CurrentKeyMaterialId", "GrantId", "GrantToken", "Marker",
    "MessageId", "NextContinuationToken", "NextMarker", "NextShardIterator", "NextToken", "PaginationToken", "Plaintext", "ReceiptHandle",
    "RecordId", "RequestId", "SecretAccessKey", "SequenceNumber", "SessionToken", "Signature", "SigningCertURL", "ShardIterator", "StartingSequenceNumber", "UploadId",
    "VersionId", "x-amzn-RequestId",
}
# SQS gives these times as strings of digits. [sqs:GetQueueAttributes, sqs:ReceiveMessage]
TIMES = {"CreatedTimestamp", "LastModifiedTimestamp", "SentTimestamp", "ApproximateFirstReceiveTimestamp"}
PATTERNS = [
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<64 hex digits>"),
    (re.compile(r"\bmrk-[0-9a-f]{32}\b"), "<mrk>"),
    (re.compile(r"\b(AROA|AIDA|ANPA|ASIA|AKIA)[A-Z0-9]{12,}\b"), r"<\1>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?"), "<time>"),
]


class Answer(dict):
    """An answer, or nothing where the call failed: a scenario goes on either way."""

    def at(self, path):
        value = self
        for name in path.split("."):
            try:
                value = value[int(name) if name.isdigit() else name]
            except (KeyError, IndexError, TypeError):
                return "absent"
        return value


class Recorder:
    """One server and what it answered: `steps` maps "Operation label" to (service, outcome)."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.steps = {}
        self._names = {}
        self._clients = {}
        self._session = boto3.session.Session()

    def __getattr__(self, service):
        return Service(self, service)

    def client(self, service, region=REGION, account=ACCOUNT):
        where = (service, region, account)
        if where not in self._clients:
            config = Config(
                retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=15,
                parameter_validation=False,
            )
            self._clients[where] = self._session.client(
                service, region_name=region, endpoint_url=self.endpoint, config=config, aws_access_key_id=account, aws_secret_access_key="any"
            )
        return self._clients[where]

    def name(self, value, name):
        """From here on this value is shown by a name; it need not be alike on two servers."""
        if value != "absent":
            self._names[value] = name
        return value

    def keep(self, service, operation, label, outcome):
        step = f"{operation} {label}".strip()
        if step in self.steps:
            raise AssertionError(f"two steps of {service} are called {step!r}: give one of them another label")
        self.steps[step] = (service, outcome)

    def keep_value(self, service, step, value):
        """Something found out by other means than one answer, such as what arrived in a queue."""
        self.steps[step] = (service, {"status": 200, **self.plain(value)})

    @staticmethod
    def wait_for(ask, good, seconds=5):
        """The first good answer, or the last one when time is up."""
        end = time.monotonic() + seconds
        while not good(answer := ask()) and time.monotonic() < end:
            time.sleep(0.05)
        return answer

    def plain(self, value, member=""):
        if isinstance(value, dict):
            return {self.text(key): self.plain(part, key) for key, part in value.items()}
        if isinstance(value, list):
            return [self.plain(part, member) for part in value]
        if isinstance(value, StreamingBody):
            value = value.read()
        if isinstance(value, (bytes, str)) and value and member in OPAQUE:
            return f"<{type(value).__name__}>"
        if isinstance(value, bytes):
            value = value.decode(errors="backslashreplace")
        if isinstance(value, str):
            return self.document(value, member)
        return "<time>" if isinstance(value, (datetime.datetime, datetime.date)) else value

    def document(self, value, member):
        if member in TIMES and value.isdigit():
            return "<time>"
        if value.startswith("{"):
            try:
                return {"document": self.plain(json.loads(value))}
            except ValueError:
                pass
        return self.text(value)

    def text(self, value):
        for known, name in sorted(self._names.items(), key=lambda entry: -len(entry[0])):
            value = value.replace(known, f"<{name}>")
        value = value.replace(self.endpoint, "<endpoint>").replace(self.endpoint.removeprefix("http://"), "<endpoint>")
        for pattern, word in PATTERNS:
            value = pattern.sub(word, value)
        return value


class Service:
    """`aws.sqs.create_queue("label", QueueName="orders")` calls, records and gives back the answer."""

    def __init__(self, recorder, service, **where):
        self._recorder = recorder
        self._service = service
        self._where = where

    def on(self, **where):
        """The same in another region or account."""
        return Service(self._recorder, self._service, **where)

    def __getattr__(self, method):
        client = self._recorder.client(self._service, **self._where)
        operation = client.meta.method_to_api_mapping[method]

        def call(label="", **parameters):
            answer, outcome = self._outcome(getattr(client, method), parameters)
            self._recorder.keep(self._service, operation, label, outcome)
            return answer

        return call

    def quietly(self, method, **parameters):
        """Calls without keeping the outcome: to wait for something."""
        return self._outcome(getattr(self._recorder.client(self._service, **self._where), method), parameters)[0]

    def _outcome(self, call, parameters):
        try:
            answer = call(**parameters)
        except botocore.exceptions.ClientError as error:
            metadata, told = error.response["ResponseMetadata"], dict(error.response.get("Error", {}))
            told["Message"] = "<message>" if told.get("Message") else ""
            return Answer(), {"failed": metadata["HTTPStatusCode"], "Error": told, "RequestId": bool(metadata.get("RequestId"))}
        except botocore.parsers.ResponseParserError as error:  # What boto3 cannot read is an outcome too.
            return Answer(), {"failed": type(error).__name__, "Error": {"Message": str(error)}}
        metadata = answer.pop("ResponseMetadata")
        plain = self._recorder.plain(answer)
        return Answer(answer), {"status": metadata["HTTPStatusCode"], "RequestId": bool(metadata.get("RequestId")), **plain}
