"""Clients for the two accounts and two regions of the test estate."""

import functools
import os

import boto3
from botocore.config import Config

MAIN = "123456789012"
OTHER = "222233334444"
REGIONS = ("us-east-1", "eu-west-1")
ROLE = f"arn:aws:iam::{OTHER}:role/everseal"


@functools.cache
def _credentials(endpoint, account):
    if account == MAIN:
        return {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    sts = boto3.client("sts", endpoint_url=endpoint, region_name=REGIONS[0], **_credentials(endpoint, MAIN))
    given = sts.assume_role(RoleArn=ROLE, RoleSessionName="seed", ExternalId="finance")["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


@functools.cache
def client(service, region=REGIONS[0], account=MAIN):
    endpoint = os.environ["EVERSEAL_TEST_ENDPOINT"]
    config = Config(retries={"max_attempts": 5, "mode": "standard"}, s3={"addressing_style": "path"})
    return boto3.client(service, endpoint_url=endpoint, region_name=region, config=config, **_credentials(endpoint, account))
