"""Fixtures of the tests that run the handlers' code on a pretend cloud."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from globalconnect.store.dynamo import Dynamo
from local import emulator
from local import template as templates
from local.place import Place
from tests.conftest import ROOT, Cloud, make_environment, next_prefix
from tests.integration.shop import Shop


@pytest.fixture
def shop(cloud: Cloud) -> Shop:
    """Return a shop with the services `tg` and `go` on sale and nothing in stock."""
    return _open(cloud)


@pytest.fixture(scope="session")
def _emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """An emulator of this test run's own, for what needs DynamoDB over HTTP: real races, and its own reading of it."""
    place = Place(tmp_path_factory.mktemp("emulator"))
    started = emulator.start(place, emulator.free_port())
    arguments: dict[str, Any] = {
        "endpoint_url": started.endpoint,
        "region_name": "us-east-1",
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
    }
    config = Config(max_pool_connections=40)
    yield boto3.client("dynamodb", config=config, **arguments), boto3.client("sqs", **arguments)
    emulator.stop(place)


@pytest.fixture
def emulated(_emulator: tuple[Any, Any]) -> Cloud:
    """Return a cloud whose DynamoDB is the emulator's, over HTTP; threads may use it at once."""
    dynamodb, sqs = _emulator
    env = make_environment(templates.load(ROOT / "template.yaml"), dynamodb, sqs, prefix=next_prefix())
    return Cloud(Dynamo(dynamodb), dynamodb, sqs, env)


@pytest.fixture
def busy_shop(emulated: Cloud) -> Shop:
    """Return a shop that many may enter at once."""
    return _open(emulated)


def _open(cloud: Cloud) -> Shop:
    shop = Shop(cloud)
    shop.sell("tg", "go")
    return shop
