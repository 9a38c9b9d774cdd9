"""Fixtures of the tests that run the handlers' code on a pretend cloud."""

import boto3
import pytest

from simulation.aws import REGION, Cloud
from simulation.clouds import Moto
from simulation.desk import Desk
from simulation.shop import Shop


@pytest.fixture
def shop(cloud: Cloud) -> Shop:
    """Return a shop with the services `tg` and `go` on sale and nothing in stock."""
    return _open(cloud)


@pytest.fixture
def busy_shop(emulated: Cloud) -> Shop:
    return _open(emulated)


def _open(cloud: Cloud) -> Shop:
    shop = Shop(cloud)
    shop.sell("tg", "go")
    return shop


@pytest.fixture
def desk(cloud: Cloud) -> Desk:
    return Desk(cloud)


@pytest.fixture(scope="session")
def secrets_key(moto: Moto) -> str:
    """Return the ARN of a KMS key."""
    kms = boto3.client("kms", REGION, aws_access_key_id="testing", aws_secret_access_key="testing")
    return str(kms.create_key()["KeyMetadata"]["Arn"])
