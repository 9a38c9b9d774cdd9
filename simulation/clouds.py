"""The clouds that the handlers' code is run on: moto in this process, the emulator beside it, and DynamoDB in memory."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import boto3
from botocore.config import Config
from moto import mock_aws
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from globalconnect.store.dynamo import Dynamo
from local import emulator
from local.aws import session
from local.place import Place
from simulation import partiql
from simulation.aws import ENVIRONMENT, REGION, TEMPLATE, Cloud, enter_staff, make_environment, next_prefix
from simulation.dynamodb import MemoryDynamoDB


@dataclass(frozen=True, slots=True)
class Moto:
    """moto in the place of AWS, with the tables and queues of template.yaml; they are made once and emptied each time."""

    dynamodb: Any
    sqs: Any
    env: dict[str, str]

    def cloud(self, **settings: str) -> Cloud:
        """Return a cloud with nothing in it, whose functions have these settings beside the template's.

        What earlier ones held is gone, so only the last of them is good for anything.
        """
        # By their names: a transaction that is refused puts copies in their place.
        for table in get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION].tables.values():
            table.items.clear()
            if table.stream_shard:
                table.stream_shard.items.clear()
        for name, queue in self.env.items():
            if name.endswith("_QUEUE_URL"):
                self.sqs.purge_queue(QueueUrl=queue)
        enter_staff(self.dynamodb, self.env)
        return Cloud(Dynamo(self.dynamodb, pause=lambda _: None), self.dynamodb, self.sqs, self.env | settings)


@contextmanager
def pretend_aws() -> Iterator[Moto]:
    # AWS takes one purge a minute.
    lenient = {"MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR": "false"}
    with mock.patch.dict(os.environ, ENVIRONMENT | lenient), mock_aws():
        dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
        partiql.teach(dynamodb, boto3.client("dynamodb"))
        yield Moto(dynamodb, sqs, make_environment(TEMPLATE, dynamodb, sqs))


def memory_cloud(sqs: Any) -> Cloud:
    """Return an empty cloud whose DynamoDB is in memory, beside queues of something else."""
    dynamodb: Any = MemoryDynamoDB()
    env = make_environment(TEMPLATE, dynamodb, sqs)
    enter_staff(dynamodb, env)
    return Cloud(Dynamo(dynamodb, pause=lambda _: None), dynamodb, sqs, env)


@contextmanager
def emulated_aws() -> Iterator[Callable[[], Cloud]]:
    """Run an emulator, for what needs DynamoDB over HTTP: real races, and its own reading of it.

    Yields what makes a cloud with tables of its own there; threads may use it at once.
    """
    with TemporaryDirectory() as folder:
        there = Place(Path(folder))
        endpoint = emulator.start(there, emulator.free_port()).endpoint
        try:
            # As globalconnect.runtime.aws has it, which is for AWS's own endpoints.
            config = Config(retries={"mode": "standard", "total_max_attempts": 4}, max_pool_connections=50)
            dynamodb: Any = session().client("dynamodb", endpoint_url=endpoint, config=config)
            sqs: Any = session().client("sqs", endpoint_url=endpoint, config=config)

            def new_cloud() -> Cloud:
                env = make_environment(TEMPLATE, dynamodb, sqs, next_prefix())
                enter_staff(dynamodb, env)
                return Cloud(Dynamo(dynamodb), dynamodb, sqs, env)

            yield new_cloud
        finally:
            emulator.stop(there)
