"""The one place that makes clients of AWS."""

from typing import TYPE_CHECKING

# First, while the stack is shallow: compiled as deep as boto3 imports it, urllib3's patterns may straddle two chunks of
# CPython's frame stack, which then maps and unmaps one at every call (35 ms of getsms's INIT).
import urllib3  # noqa: F401  # isort: skip
import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.client import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_sqs.client import SQSClient

    from globalconnect.store.encryption import KmsClient

# Short time-outs and few retries: our callers have time-outs too, and what fails is redelivered.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=50,
    tcp_keepalive=True,
)
# Shorter still: a claim is good for an attempt that starts within 4 s (domain/push_schedule.py).
_KMS_CONFIG = _CONFIG.merge(
    Config(retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=1, read_timeout=1)
)


def dynamodb_client() -> "DynamoDBClient":
    return boto3.client("dynamodb", config=_CONFIG)


def cognito_client() -> "CognitoIdentityProviderClient":
    return boto3.client("cognito-idp", config=_CONFIG)


def sqs_client() -> "SQSClient":
    return boto3.client("sqs", config=_CONFIG)


def kms_client() -> "KmsClient":
    client: KmsClient = boto3.client("kms", config=_KMS_CONFIG)
    return client
