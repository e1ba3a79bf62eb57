"""moto_server with four defects mended, so that nobody writes code for them.

SetQueueAttributes changes the attributes it names and no others [sqs:SetQueueAttributes]: moto takes away the queue
policy with every call that does not name it. A queue has one kind of encryption at a time [sqs:SetQueueAttributes,
SqsManagedSseEnabled]: moto keeps both. An account without Kinesis channels has an empty list of them
[kinesis:ListChannels]: moto, which makes none, answers HTTP 500. So it does where there is no blue/green deployment
[rds:DescribeBlueGreenDeployments].
"""

import sys

from moto.core.responses import ActionResult
from moto.kinesis.responses import KinesisResponse
from moto.rds.responses import RDSResponse
from moto.server import main
from moto.sqs.models import Queue

_as_moto_does = Queue._set_attributes


def _as_documented(self, attributes, now=None):
    if attributes.get("KmsMasterKeyId"):
        attributes = {**attributes, "SqsManagedSseEnabled": "false"}
    elif str(attributes.get("SqsManagedSseEnabled")).lower() == "true":
        attributes = {**attributes, "KmsMasterKeyId": None}
    if "Policy" not in attributes and getattr(self, "_policy_json", None):
        attributes = {**attributes, "Policy": self.policy}
    _as_moto_does(self, attributes, now)


Queue._set_attributes = _as_documented
KinesisResponse.list_channels = lambda self: ActionResult({"ChannelSummaries": []})
RDSResponse.describe_blue_green_deployments = lambda self: ActionResult({"BlueGreenDeployments": []})

if __name__ == "__main__":
    sys.exit(main())
