"""Fixtures of the tests that run the handlers' code on the pretend cloud."""

import pytest

from tests.conftest import Cloud
from tests.integration.shop import Shop


@pytest.fixture
def shop(cloud: Cloud) -> Shop:
    """Give a shop with the service `tg` on sale and nothing in stock."""
    shop = Shop(cloud)
    shop.sell("tg", "go")
    return shop
