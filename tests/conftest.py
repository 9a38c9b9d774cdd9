"""What all tests share: a pretend cloud whose tables are those of template.yaml, a clock and rng that obey."""

import io
import itertools
import logging
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from globalconnect.domain.ids import Rng
from globalconnect.push.queue import RetryQueues
from globalconnect.runtime import logs
from globalconnect.store.dynamo import Dynamo
from local import template as templates
from tests import partiql

ROOT = Path(__file__).resolve().parents[1]
_FAKE_AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_serial = itertools.count(1)

START = 1_790_000_000_000  # 2026-09-21, ms


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is told to go on. Called, it gives the time in ms."""

    at: int = START

    def __call__(self) -> int:
        """Return the time."""
        return self.at

    def advance(self, *, ms: int = 0, seconds: float = 0, minutes: float = 0) -> None:
        """Let time pass."""
        self.at += ms + round(seconds * 1_000) + round(minutes * 60_000)


@dataclass(slots=True)
class Cloud:
    """The pretend cloud: its tables by the environment variable that names them, its queue, the functions' settings."""

    db: Dynamo
    client: Any
    sqs: Any
    env: dict[str, str]
    clock: Clock = field(default_factory=Clock)
    rng: Rng = field(default_factory=lambda: random.Random(1).randrange)

    def queues(self) -> RetryQueues:
        """Return the retry queues."""
        return RetryQueues(self.sqs, self.env["RETRY_QUEUE_URL"], self.env["SLOW_RETRY_QUEUE_URL"])

    def queued(self, *, slow: bool = False) -> list[str]:
        """Take what is due out of a retry queue; return the bodies."""
        url = self.env["SLOW_RETRY_QUEUE_URL" if slow else "RETRY_QUEUE_URL"]
        found: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture(autouse=True)
def _no_real_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may reach AWS, or a stack that happens to run, by what the environment holds."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in _FAKE_AWS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def _pretend_aws() -> Iterator[tuple[Any, Any]]:
    """One pretend AWS for all tests, since making clients takes longer than a test; each test has its own tables."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in _FAKE_AWS.items():
            environment.setenv(name, value)
        with mock_aws():
            dynamodb = boto3.client("dynamodb")
            partiql.teach(dynamodb, boto3.client("dynamodb"))
            yield dynamodb, boto3.client("sqs")


@pytest.fixture
def cloud(_pretend_aws: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Return a pretend cloud made of template.yaml: its tables, its queue and the functions' environment."""
    dynamodb, sqs = _pretend_aws
    env = make_environment(templates.load(ROOT / "template.yaml"), dynamodb, sqs, prefix=next_prefix())
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return Cloud(Dynamo(dynamodb, pause=lambda _: None), dynamodb, sqs, env)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Return what is logged from now on, as the text that would reach CloudWatch."""
    text = io.StringIO()
    handler = logs.logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(text)
    yield text
    handler.setStream(before)


def make_environment(template: dict[str, Any], dynamodb: Any, sqs: Any, prefix: str = "") -> dict[str, str]:
    """Create the template's tables and queues, and return the environment that its Globals describe for functions."""
    names: dict[str, str] = {}
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::DynamoDB::Table":
            names[logical_id] = prefix + logical_id
            dynamodb.create_table(TableName=names[logical_id], **table_arguments(resource["Properties"]))
        elif resource["Type"] == "AWS::SQS::Queue":
            names[logical_id] = sqs.create_queue(QueueName=prefix + logical_id)["QueueUrl"]
        elif resource["Type"] == "AWS::Cognito::UserPoolClient":
            names[logical_id] = logical_id
    parameters = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    known = parameters | names | {"AWS::StackName": "globalconnect"}
    return {name: _stated(value, known) for name, value in variables.items()}


def _stated(value: Any, known: dict[str, str]) -> str:
    match value:
        case {"Ref": name}:
            return str(known[name])
        case {"Sub": text}:
            return str(text).replace("${AWS::Region}", "us-east-1").replace("${AWS::URLSuffix}", "amazonaws.com")
        case _:
            return str(value)


def next_prefix() -> str:
    """Return a prefix of table and queue names that no other test uses."""
    return f"t{next(_serial)}-"


def table_arguments(properties: dict[str, Any]) -> dict[str, Any]:
    """Return what CreateTable needs of a table's properties in the template."""
    wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    arguments = {name: properties[name] for name in wanted if name in properties}
    if "StreamSpecification" in properties:
        arguments["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    return arguments
