"""Each store, on every DynamoDB that there is without an account: one suite, the same on all.

moto takes nearly everything; dynalite validates as DynamoDB does and was written by others, so what both take and answer
alike is likely to be so on AWS. Our own DynamoDB in memory, on which whole days are played, is held to them. What dynalite lacks is left to moto and the emulator: transactions (here their actions
are carried out one by one, so that each expression is still read: `Singly`), PartiQL (claims and ends of pushes:
tests/faults/test_memory_store.py), streams and TTL.
"""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from globalconnect.store.dynamo import Dynamo
from simulation.aws import TEMPLATE, Cloud, make_environment, next_prefix
from simulation.clouds import Moto, memory_cloud
from tests.stores.dynalite import Singly, running


@pytest.fixture(scope="session")
def _dynalite(moto: Moto) -> Iterator[Any]:
    with running() as client:
        yield client


@pytest.fixture
def on_moto(cloud: Cloud) -> Cloud:
    """Return the empty tables of template.yaml on moto."""
    return cloud


@pytest.fixture
def on_dynalite(_dynalite: Any, moto: Moto) -> Cloud:
    """Return the empty tables of template.yaml on dynalite."""
    env = make_environment(TEMPLATE, _dynalite, moto.sqs, prefix=next_prefix())
    for table in (value for name, value in env.items() if name.endswith("_TABLE")):
        # dynalite says that it makes a table before it has.
        _dynalite.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 0, "MaxAttempts": 10_000})
    return Cloud(Dynamo(cast("Any", Singly(_dynalite)), pause=lambda _: None), _dynalite, moto.sqs, env)


@pytest.fixture
def in_memory(moto: Moto) -> Cloud:
    """Return the empty tables of template.yaml in memory."""
    return memory_cloud(moto.sqs)


@pytest.fixture(params=["on_moto", "on_dynalite", "in_memory"])
def tables(request: pytest.FixtureRequest) -> Cloud:
    """Return the empty tables of template.yaml."""
    cloud: Cloud = request.getfixturevalue(request.param)
    return cloud
