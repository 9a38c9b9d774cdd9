"""What stands for AWS: tables and queues of template.yaml, a clock and rng that obey."""

import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from globalconnect.domain.ids import Rng
from globalconnect.domain.staff import Role
from globalconnect.push.queue import RetryQueues
from globalconnect.runtime.aws import kms_client
from globalconnect.store.dynamo import Dynamo, to_wire
from globalconnect.store.encryption import Encryption, KmsClient
from local import place
from local import template as templates

REGION = "us-east-1"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_serial = itertools.count(1)

TEMPLATE = templates.load(place.TEMPLATE)
START = 1_790_000_000_000  # 2026-09-21, ms


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is told to go on. Called, it gives the time in ms."""

    at: int = START

    def __call__(self) -> int:
        return self.at

    def advance(self, *, ms: int = 0, seconds: float = 0, minutes: float = 0) -> None:
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
    kms: Callable[[], KmsClient] = kms_client

    def over(self, client: Any) -> "Cloud":
        """Return the same cloud, its tables reached by another client."""
        return replace(self, db=Dynamo(client, pause=lambda _: None))

    def encryption(self, cache_seconds: int = 0) -> Encryption:
        """Return how the admin API writes secrets, and reads them."""
        encrypts = self.env["KEY_ENCRYPTION"] == "on"
        return Encryption(self.kms, self.env["SECRETS_KEY"], cache_seconds, self.clock, encrypts=encrypts)

    def queues(self) -> RetryQueues:
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
    return variables(template, names)


def variables(template: dict[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    """Return the functions' environment, by the names of resources; what has none is called as in the template."""
    parameters = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
    known = {**parameters, **names, "AWS::StackName": "globalconnect"}
    stated = template["Globals"]["Function"]["Environment"]["Variables"]
    return {name: _stated(value, known) for name, value in stated.items()}


def _stated(value: Any, known: Mapping[str, str]) -> str:
    match value:
        case {"Ref": name}:
            return str(known.get(name, name))
        case {"If": [_, _, otherwise]}:
            # Nothing that a condition adds is there by default.
            return _stated(otherwise, known)
        case {"Sub": text}:
            return str(text).replace("${AWS::Region}", "us-east-1").replace("${AWS::URLSuffix}", "amazonaws.com")
        case _:
            return str(value)


def enter_staff(client: Any, env: Mapping[str, str]) -> None:
    """Let there be a member of staff of each role, called as it; the owner alone counts as one."""
    table = env["STAFF_TABLE"]
    for role in Role:
        item = {"name": role.value, "role": role.value, "invited_at": START, "totp_required": False, "version": 0}
        client.put_item(TableName=table, Item=to_wire(item))
    client.put_item(TableName=table, Item=to_wire({"name": "#owners", "owners": frozenset({Role.OWNER.value})}))


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
