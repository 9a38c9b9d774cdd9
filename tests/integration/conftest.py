"""Fixtures of the tests that run the handlers' code on a pretend cloud."""

import pytest

from simulation.aws import Cloud
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
